//! The client of a bucket.
//!
//! Without a connection the environment says who asks, in the order of the services' own tools:
//!
//! ```text
//!   S3   AWS_ACCESS_KEY_ID ... ─▶ web identity or container role ─▶ profile in ~/.aws ─▶ the machine's role
//!   GCS  GOOGLE_SERVICE_ACCOUNT ... ─▶ GOOGLE_APPLICATION_CREDENTIALS ─▶ gcloud's own file ─▶ the machine's account
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::profile::Profile;
use crate::error::{Error, Result};
use crate::source::secret::{find_secret, find_value};
use crate::spec::{
    Addressing, Connection, GcsConnection, S3Auth, S3Connection, SourceKind, Transport, kind_of_folder,
    place_of,
};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for one answer, its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time from the first attempt of a request to the last.
const RETRY_DEADLINE: Duration = Duration::from_secs(90);
/// Attempts after the first.
const MAX_RETRIES: usize = 6;
/// First and longest pause between attempts; each is drawn at random and grows.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// The bucket of `url`, an `s3://` or `gs://` one, reached through `connection`, else as the environment says; `base` is
/// where relative paths of the connection start. Nothing is sent yet.
///
/// # Errors
/// A URL of another kind; a secret is not where the connection says; a file of keys cannot be read.
pub fn connect(url: &str, connection: Option<&Connection>, base: &Path) -> Result<Arc<dyn ObjectStore>> {
    let bucket = place_of(url).rsplit('/').next().unwrap_or_default();
    match (kind_of_folder(url), connection) {
        (Ok(SourceKind::S3), None) => s3(bucket, None, base),
        (Ok(SourceKind::S3), Some(Connection::S3(connection))) => s3(bucket, Some(connection), base),
        (Ok(SourceKind::Gcs), None) => gcs(bucket, None, base),
        (Ok(SourceKind::Gcs), Some(Connection::Gcs(connection))) => gcs(bucket, Some(connection), base),
        _ => Err(Error::usage("no bucket of a store that is reached this way").in_file(url)),
    }
}

fn s3(bucket: &str, connection: Option<&S3Connection>, base: &Path) -> Result<Arc<dyn ObjectStore>> {
    let environment = |profile: Option<&str>| {
        let builder = AmazonS3Builder::from_env();
        match has_identity(&builder) && profile.is_none() {
            true => Ok(builder),
            false => Profile::read(profile).and_then(|found| found.apply(builder)),
        }
    };
    let mut builder = match connection.map(|connection| &connection.auth) {
        None | Some(S3Auth::Environment) => environment(None)?,
        Some(S3Auth::Profile(name)) => environment(Some(name))?,
        Some(S3Auth::Keys {
            access_key_id,
            secret_access_key,
            session_token,
        }) => {
            let builder = AmazonS3Builder::new()
                .with_access_key_id(find_value(access_key_id, base)?.reveal())
                .with_secret_access_key(find_secret(secret_access_key, base)?.reveal());
            match session_token {
                Some(token) => builder.with_token(find_secret(token, base)?.reveal()),
                None => builder,
            }
        }
    };
    builder = builder.with_bucket_name(bucket).with_retry(retries());
    if let Some(connection) = connection {
        builder = placed(builder, bucket, connection);
    }
    let client = client_options(match connection {
        Some(s3) => s3.transport,
        None => transport_of("AWS_ALLOW_HTTP"),
    });
    Ok(Arc::new(builder.with_client_options(client).build()?))
}

/// Whether the environment itself says who asks, before any profile is looked at.
fn has_identity(builder: &AmazonS3Builder) -> bool {
    [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::WebIdentityTokenFile,
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ]
    .iter()
    .any(|key| builder.get_config_value(key).is_some())
}

/// Where the bucket is.
fn placed(builder: AmazonS3Builder, bucket: &str, connection: &S3Connection) -> AmazonS3Builder {
    let is_in_host = connection.addressing == Addressing::Host;
    let builder = builder.with_virtual_hosted_style_request(is_in_host);
    let builder = match &connection.region {
        Some(region) => builder.with_region(region),
        None => builder,
    };
    match connection
        .endpoint
        .as_deref()
        .map(|url| url.trim_end_matches('/'))
    {
        // The client takes such an endpoint with the bucket in it.
        Some(endpoint) if is_in_host => match endpoint.split_once("://") {
            Some((scheme, host)) => builder.with_endpoint(format!("{scheme}://{bucket}.{host}")),
            None => builder.with_endpoint(endpoint),
        },
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

fn gcs(bucket: &str, connection: Option<&GcsConnection>, base: &Path) -> Result<Arc<dyn ObjectStore>> {
    let account = connection.and_then(|gcs| gcs.service_account_file.as_deref());
    let builder = match account {
        Some(file) => {
            let path = base.join(file);
            let key = std::fs::read_to_string(&path).map_err(|error| {
                Error::usage("the service account's file cannot be read")
                    .because(error)
                    .in_file(path.display().to_string())
                    .hint("check service_account_file in sluice.toml")
            })?;
            GoogleCloudStorageBuilder::new().with_service_account_key(key)
        }
        None => GoogleCloudStorageBuilder::from_env(),
    };
    let mut builder = builder.with_bucket_name(bucket).with_retry(retries());
    if let Some(endpoint) = connection.and_then(|gcs| gcs.endpoint.as_deref()) {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    let client = client_options(match connection {
        Some(gcs) => gcs.transport,
        None => transport_of("GOOGLE_ALLOW_HTTP"),
    });
    Ok(Arc::new(builder.with_client_options(client).build()?))
}

fn client_options(transport: Transport) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(transport == Transport::ClearAllowed)
}

/// Whether the environment lets an endpoint of its own be spoken to in the clear: the variable `name` says so.
fn transport_of(name: &str) -> Transport {
    match std::env::var(name).as_deref() {
        Ok("true" | "1") => Transport::ClearAllowed,
        _ => Transport::default(),
    }
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: PAUSES.0,
            max_backoff: PAUSES.1,
            ..BackoffConfig::default()
        },
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_DEADLINE,
    }
}
