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

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::GoogleCloudStorageBuilder;

use super::authorities::Authorities;
use super::patience::Patience;
use super::profile::Profile;
use crate::error::{Error, Result};
use crate::source::secret::{find_secret, find_value};
use crate::spec::{
    Addressing, Connection, GcsConnection, S3Auth, S3Connection, SourceKind, Transport, kind_of_folder,
    place_of,
};

/// Where Amazon's own service is, in a region that nobody named.
const USUAL_REGION: &str = "us-east-1";
/// Where Google's own service is.
const GOOGLE: &str = "https://storage.googleapis.com";

/// The bucket of `url`, an `s3://` or `gs://` one, reached through `connection`, else as the environment says; `base` is
/// where relative paths of the connection start. Nothing is sent yet.
///
/// # Errors
/// A URL of another kind; a secret is not where the connection says; a file of keys or certificates cannot be read.
pub fn connect(url: &str, connection: Option<&Connection>, base: &Path) -> Result<Arc<dyn ObjectStore>> {
    connect_with(url, connection, base, &Patience::default())
}

/// As [`connect`], with another patience.
///
/// # Errors
/// As [`connect`].
pub fn connect_with(
    url: &str,
    connection: Option<&Connection>,
    base: &Path,
    patience: &Patience,
) -> Result<Arc<dyn ObjectStore>> {
    let bucket = place_of(url).rsplit('/').next().unwrap_or_default();
    match (kind_of_folder(url), connection) {
        (Ok(SourceKind::S3), None) => s3(bucket, None, base, patience),
        (Ok(SourceKind::S3), Some(Connection::S3(s3_of))) => s3(bucket, Some(s3_of), base, patience),
        (Ok(SourceKind::Gcs), None) => gcs(bucket, None, base, patience),
        (Ok(SourceKind::Gcs), Some(Connection::Gcs(gcs_of))) => gcs(bucket, Some(gcs_of), base, patience),
        _ => Err(Error::usage("no bucket of a store that is reached this way").in_file(url)),
    }
}

/// The URL of the service that a connection to S3 leads to, as the connection, the environment or a profile says.
///
/// # Errors
/// A file of keys cannot be read.
pub fn s3_endpoint(connection: &S3Connection, base: &Path) -> Result<String> {
    if let Some(own) = &connection.endpoint {
        return Ok(own.clone());
    }
    let builder = match &connection.auth {
        // Keys say nothing about places.
        S3Auth::Keys { .. } => AmazonS3Builder::new(),
        _ => s3_identity(Some(connection), base)?,
    };
    let builder = placed(builder, "", connection);
    let said = |key| builder.get_config_value(&key).filter(|value| !value.is_empty());
    let region = said(AmazonS3ConfigKey::Region).unwrap_or_else(|| USUAL_REGION.to_owned());
    let amazon = format!("https://s3.{region}.amazonaws.com");
    Ok(said(AmazonS3ConfigKey::Endpoint).unwrap_or(amazon))
}

/// The URL of the service that a connection to Google Cloud Storage leads to.
///
/// # Errors
/// The account's file cannot be read.
pub fn gcs_endpoint(connection: &GcsConnection, base: &Path) -> Result<String> {
    let account = connection.service_account_file.as_deref();
    let key = account.map(|file| service_account(file, base)).transpose()?;
    // Where an account's file says so, as that of an emulator does.
    let of_account = key.and_then(|key| {
        let key: serde_json::Value = serde_json::from_str(&key).ok()?;
        Some(key.get("gcs_base_url")?.as_str()?.to_owned())
    });
    let own = connection.endpoint.clone();
    Ok(own.or(of_account).unwrap_or_else(|| GOOGLE.to_owned()))
}

fn s3(
    bucket: &str,
    connection: Option<&S3Connection>,
    base: &Path,
    patience: &Patience,
) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = s3_identity(connection, base)?
        .with_bucket_name(bucket)
        .with_retry(patience.retries())
        .with_http_connector(patience.connector());
    if let Some(connection) = connection {
        builder = placed(builder, bucket, connection);
    }
    let client = patience.client(match connection {
        Some(s3) => s3.transport,
        None => transport_of("AWS_ALLOW_HTTP"),
    });
    let authorities = Authorities::of_s3(connection.and_then(|s3| s3.ca_file.as_deref()), base)?;
    let client = authorities.trusted_by(client)?;
    Ok(Arc::new(builder.with_client_options(client).build()?))
}

/// As whom the store is spoken to.
fn s3_identity(connection: Option<&S3Connection>, base: &Path) -> Result<AmazonS3Builder> {
    let environment = |profile: Option<&str>| {
        let builder = AmazonS3Builder::from_env();
        match has_identity(&builder) && profile.is_none() {
            true => Ok(builder),
            false => Profile::read(profile).and_then(|found| found.apply(builder)),
        }
    };
    match connection.map(|connection| &connection.auth) {
        None | Some(S3Auth::Environment) => environment(None),
        Some(S3Auth::Profile(name)) => environment(Some(name)),
        Some(S3Auth::Keys {
            access_key_id,
            secret_access_key,
            session_token,
        }) => {
            let builder = AmazonS3Builder::new()
                .with_access_key_id(find_value(access_key_id, base)?.reveal())
                .with_secret_access_key(find_secret(secret_access_key, base)?.reveal());
            Ok(match session_token {
                Some(token) => builder.with_token(find_secret(token, base)?.reveal()),
                None => builder,
            })
        }
    }
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

fn gcs(
    bucket: &str,
    connection: Option<&GcsConnection>,
    base: &Path,
    patience: &Patience,
) -> Result<Arc<dyn ObjectStore>> {
    let builder = match connection.and_then(|gcs| gcs.service_account_file.as_deref()) {
        Some(file) => GoogleCloudStorageBuilder::new().with_service_account_key(service_account(file, base)?),
        None => GoogleCloudStorageBuilder::from_env(),
    };
    let mut builder = builder
        .with_bucket_name(bucket)
        .with_retry(patience.retries())
        .with_http_connector(patience.connector());
    if let Some(endpoint) = connection.and_then(|gcs| gcs.endpoint.as_deref()) {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    let client = patience.client(match connection {
        Some(gcs) => gcs.transport,
        None => transport_of("GOOGLE_ALLOW_HTTP"),
    });
    let authorities = Authorities::of_gcs(connection.and_then(|gcs| gcs.ca_file.as_deref()), base)?;
    let client = authorities.trusted_by(client)?;
    Ok(Arc::new(builder.with_client_options(client).build()?))
}

/// The JSON of a service account.
fn service_account(file: &str, base: &Path) -> Result<String> {
    let path = base.join(file);
    std::fs::read_to_string(&path).map_err(|error| {
        Error::usage("the service account's file cannot be read")
            .because(error)
            .in_file(path.display().to_string())
            .hint("check service_account_file in sluice.toml")
    })
}

/// Whether the environment lets an endpoint of its own be spoken to in the clear: the variable `name` says so.
fn transport_of(name: &str) -> Transport {
    match std::env::var(name).as_deref() {
        Ok("true" | "1") => Transport::ClearAllowed,
        _ => Transport::default(),
    }
}
