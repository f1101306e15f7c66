//! Instances on object storage: the servers that `tests/services/serve.py` starts.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_engine::document::Swapped;
use sluice_engine::instance::Root;
use sluice_engine::source::objects::connect::connect;
use sluice_engine::spec::{Connection, parse_instance};

use super::service;

/// Where the instance of a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The folder that the test works in.
    Folder,
    /// A prefix of a bucket of S3.
    S3,
    /// The same of Google Cloud Storage.
    Gcs,
}

/// A prefix of a bucket that is the test's own.
pub struct Bucket {
    place: Where,
    pub root: Root,
}

impl Bucket {
    /// None where `place` is a folder.
    pub fn of(place: Where) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let bucket = match place {
            Where::Folder => return None,
            Where::S3 => format!("s3://{}", service("s3", "SLUICE_TEST_S3_BUCKET")),
            Where::Gcs => format!("gs://{}", service("gcs", "SLUICE_TEST_GCS_BUCKET")),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let url = format!("{bucket}/instances/{}-{number}", std::process::id());
        let connection = connection(place);
        let store = connect(&url, Some(&connection), Path::new("/")).unwrap();
        Some(Self {
            place,
            root: Root::in_store(store, &url).unwrap(),
        })
    }

    /// What a program needs to reach it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        match self.place {
            Where::Folder => Vec::new(),
            Where::S3 => vec![
                ("AWS_ENDPOINT_URL", service("s3", "SLUICE_TEST_S3")),
                ("AWS_ACCESS_KEY_ID", service("s3", "SLUICE_TEST_S3_KEY")),
                ("AWS_SECRET_ACCESS_KEY", service("s3", "SLUICE_TEST_S3_SECRET")),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
            ],
            Where::Gcs => vec![
                (
                    "GOOGLE_SERVICE_ACCOUNT",
                    service("gcs", "SLUICE_TEST_GCS_ACCOUNT"),
                ),
                ("GOOGLE_ALLOW_HTTP", "true".to_owned()),
            ],
        }
    }
}

/// How the test itself reaches it.
fn connection(place: Where) -> Connection {
    let keys = match place {
        Where::Gcs => format!(
            "type = \"gcs\"\nallow_http = true\nservice_account_file = \"{}\"\n",
            service("gcs", "SLUICE_TEST_GCS_ACCOUNT")
        ),
        _ => format!(
            "type = \"s3\"\nendpoint = \"{}\"\nallow_http = true\nregion = \"us-east-1\"\n\
             access_key_id = \"{}\"\nsecret_access_key = {{ env = \"SLUICE_TEST_S3_SECRET\" }}\n",
            service("s3", "SLUICE_TEST_S3"),
            service("s3", "SLUICE_TEST_S3_KEY"),
        ),
    };
    let config = parse_instance(&format!("format = 1\n[connections.store]\n{keys}")).unwrap();
    config.connections["store"].clone()
}

/// Writes a file, whatever it was.
pub fn put(root: &Root, name: &str, content: &[u8]) {
    let document = root.document(name);
    wait(async {
        let (_, seen) = document.read().await.unwrap();
        let swapped = document.swap(&seen, content.to_vec()).await.unwrap();
        assert!(
            matches!(swapped, Swapped::Done(_)),
            "{name} was written by another program"
        );
    });
}

pub fn get(root: &Root, name: &str) -> String {
    let content = wait(root.document(name).read()).unwrap().0;
    String::from_utf8(content.unwrap_or_else(|| panic!("no {name}")).to_vec()).unwrap()
}

pub fn names(root: &Root, folder: &str) -> Vec<String> {
    wait(root.names(folder)).unwrap()
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}
