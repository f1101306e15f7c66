//! The authorities that vouch for a store, beside those of the system.
//!
//! ```text
//!   ca_file of the connection ─▶ AWS_CA_BUNDLE, for S3 ─▶ none
//! ```
//!
//! Which ones the system has is looked up by the TLS client: `SSL_CERT_FILE` and `SSL_CERT_DIR` stand in their place.

use std::path::{Path, PathBuf};

use object_store::{Certificate, ClientOptions};

use crate::error::{Error, Result};
use crate::spec::Connection;

/// Where Amazon's own tools look for them.
const AWS_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Certificates of authorities, in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorities {
    pem: Vec<u8>,
    file: PathBuf,
}

impl Authorities {
    /// Those that vouch for S3; `ca_file` is what the connection says, and starts at `base` if it is relative.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_s3(ca_file: Option<&str>, base: &Path) -> Result<Self> {
        let bundle = std::env::var_os(AWS_BUNDLE).filter(|file| !file.is_empty());
        match (ca_file, bundle) {
            (Some(file), _) => Self::read(base.join(file), "check ca_file in sluice.toml"),
            (None, Some(file)) => Self::read(file.into(), "check AWS_CA_BUNDLE"),
            (None, None) => Ok(Self::default()),
        }
    }

    /// Those that vouch for Google Cloud Storage.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_gcs(ca_file: Option<&str>, base: &Path) -> Result<Self> {
        match ca_file {
            Some(file) => Self::read(base.join(file), "check ca_file in sluice.toml"),
            None => Ok(Self::default()),
        }
    }

    /// Those of a connection.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(connection: &Connection, base: &Path) -> Result<Self> {
        match connection {
            Connection::S3(s3) => Self::of_s3(s3.ca_file.as_deref(), base),
            Connection::Gcs(gcs) => Self::of_gcs(gcs.ca_file.as_deref(), base),
            Connection::Sftp(_) | Connection::Snowflake(_) => Ok(Self::default()),
        }
    }

    fn read(file: PathBuf, remedy: &str) -> Result<Self> {
        let unreadable = |error| {
            Error::usage("the certificates of authorities cannot be read")
                .because(error)
                .in_file(file.display().to_string())
                .hint(remedy)
        };
        let pem = std::fs::read(&file).map_err(unreadable)?;
        Ok(Self { pem, file })
    }

    /// The certificates, in PEM; empty where the system's are enough.
    #[must_use]
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// A client that trusts them too.
    ///
    /// # Errors
    /// There is a file, and no certificate in it.
    pub(super) fn trusted_by(&self, client: ClientOptions) -> Result<ClientOptions> {
        if self.pem.is_empty() && self.file.as_os_str().is_empty() {
            return Ok(client);
        }
        let certificates = Certificate::from_pem_bundle(&self.pem);
        match certificates {
            Ok(found) if !found.is_empty() => Ok(found
                .into_iter()
                .fold(client, ClientOptions::with_root_certificate)),
            _ => Err(Error::usage("there is no certificate of an authority in it")
                .in_file(self.file.display().to_string())
                .hint("it holds certificates in PEM: -----BEGIN CERTIFICATE----- ...")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_that_is_not_there_or_holds_none_is_named_with_what_to_check() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Authorities::of_gcs(Some("none.pem"), folder.path()).unwrap_err();
        assert!(missing.to_string().contains("none.pem"), "{missing}");
        assert!(missing.hints()[0].contains("ca_file"), "{missing:?}");
        for content in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            std::fs::write(folder.path().join("ca.pem"), content).unwrap();
            let authorities = Authorities::of_s3(Some("ca.pem"), folder.path()).unwrap();
            let error = authorities.trusted_by(ClientOptions::new()).unwrap_err();
            assert!(error.to_string().contains("no certificate"), "{content}: {error}");
            assert!(error.to_string().contains("ca.pem"), "{content}: {error}");
        }
    }
}
