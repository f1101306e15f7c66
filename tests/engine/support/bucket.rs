//! An instance on object storage: a prefix of a bucket of the server that `tests/services/serve.py` starts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use sluice_engine::document::Swapped;
use sluice_engine::instance::{CONFIG_FILE, Instance, Root};
use sluice_engine::source::objects::connect::connect;
use sluice_engine::spec::parse_instance;

use super::Bench;
use super::services::service;

/// An instance in a bucket, and its objects.
pub struct Bucket {
    pub bench: Bench,
    store: Arc<dyn ObjectStore>,
    prefix: Key,
}

impl Bucket {
    /// One whose `sluice.toml` says `config`.
    pub async fn s3(config: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("bench/{}-{number}", std::process::id());
        let keys = format!(
            "format = 1\n[connections.store]\ntype = \"s3\"\nendpoint = \"{}\"\nallow_http = true\n\
             region = \"us-east-1\"\naccess_key_id = \"{}\"\nsecret_access_key = {{ env = \"SLUICE_TEST_S3_SECRET\" }}\n",
            service("s3", "SLUICE_TEST_S3"),
            service("s3", "SLUICE_TEST_S3_KEY"),
        );
        let config_of_test = parse_instance(&keys).unwrap();
        let url = format!("s3://{}/{prefix}", service("s3", "SLUICE_TEST_S3_BUCKET"));
        let store = connect(&url, config_of_test.connections.get("store"), Path::new("/")).unwrap();
        let root = Root::in_store(Arc::clone(&store), &url).unwrap();
        Instance::init(root.clone()).await.unwrap();
        let file = root.document(CONFIG_FILE);
        let (_, seen) = file.read().await.unwrap();
        let content = format!("format = 1\n{config}").into_bytes();
        assert!(matches!(
            file.swap(&seen, content).await.unwrap(),
            Swapped::Done(_)
        ));
        let mut bench = Bench::new().await;
        bench.instance = Instance::open(root).await.unwrap();
        Self {
            bench,
            store,
            prefix: Key::from(prefix),
        }
    }

    /// Every object of the instance, by its name below the prefix.
    pub async fn objects(&self) -> Vec<(String, Bytes)> {
        let listed: Vec<_> = self.store.list(Some(&self.prefix)).try_collect().await.unwrap();
        let mut objects = Vec::new();
        for object in listed {
            let bytes = self
                .store
                .get(&object.location)
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap();
            let name = object.location.prefix_match(&self.prefix).unwrap();
            let name: Vec<String> = name.map(|part| part.as_ref().to_owned()).collect();
            objects.push((name.join("/"), bytes));
        }
        objects
    }
}
