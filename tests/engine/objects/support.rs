//! A bucket's folder of the test's own, and an instance with a connection to it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use object_store::{ObjectStore, ObjectStoreExt};
use sluice_engine::instance::Instance;
use sluice_engine::run::Report;
use sluice_engine::source::objects::connect::connect;

use crate::support::{Bench, request};

/// A folder in a bucket.
pub struct Objects {
    pub bench: Bench,
    pub store: Arc<dyn ObjectStore>,
    /// Scheme and bucket.
    pub place: String,
    /// The folder.
    pub folder: String,
}

/// What a variable of `serve.py` says.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "no servers: run the tests with tests/run, or these with\n  \
             ~/.cache/sluice/services/bin/python tests/services/serve.py s3 gcs -- cargo test --workspace --test engine -- objects"
        )
    })
}

/// The keys of `[connections.NAME]` for S3.
pub fn s3_keys() -> String {
    format!(
        "type = \"s3\"\nendpoint = \"{}\"\nallow_http = true\nregion = \"us-east-1\"\n\
         access_key_id = \"{}\"\nsecret_access_key = {{ env = \"SLUICE_TEST_S3_SECRET\" }}\n",
        variable("SLUICE_TEST_S3"),
        variable("SLUICE_TEST_S3_KEY"),
    )
}

/// The same for Google Cloud Storage.
pub fn gcs_keys() -> String {
    format!(
        "type = \"gcs\"\nallow_http = true\nservice_account_file = \"{}\"\n",
        variable("SLUICE_TEST_GCS_ACCOUNT")
    )
}

/// The same over TLS, with the authority that vouches for it.
pub fn s3_keys_over_tls() -> String {
    let encrypted = s3_keys().replace(&variable("SLUICE_TEST_S3"), &variable("SLUICE_TEST_S3_TLS"));
    with_authority(&encrypted)
}

/// The same of Google.
pub fn gcs_keys_over_tls() -> String {
    let url = variable("SLUICE_TEST_GCS_TLS");
    with_authority(&format!("{}endpoint = \"{url}\"\n", gcs_keys()))
}

fn with_authority(keys: &str) -> String {
    let keys = keys.replace("allow_http = true\n", "");
    format!("{keys}ca_file = \"{}\"\n", variable("SLUICE_TEST_CA"))
}

/// The keys of an account of Google whose key is not the one that Google knows; its file is in `folder`.
pub fn gcs_keys_of_a_stranger(folder: &Path) -> String {
    let key = folder.join("key.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-out"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let right = std::fs::read_to_string(variable("SLUICE_TEST_GCS_ACCOUNT")).unwrap();
    let mut account: serde_json::Value = serde_json::from_str(&right).unwrap();
    account["private_key"] = std::fs::read_to_string(&key).unwrap().into();
    let file = folder.join("account.json");
    std::fs::write(&file, account.to_string()).unwrap();
    gcs_keys().replace(&variable("SLUICE_TEST_GCS_ACCOUNT"), &file.display().to_string())
}

impl Objects {
    pub async fn s3() -> Self {
        Self::at(&format!("s3://{}", variable("SLUICE_TEST_S3_BUCKET")), &s3_keys()).await
    }

    pub async fn gcs() -> Self {
        Self::at(
            &format!("gs://{}", variable("SLUICE_TEST_GCS_BUCKET")),
            &gcs_keys(),
        )
        .await
    }

    pub async fn s3_over_tls() -> Self {
        let place = format!("s3://{}", variable("SLUICE_TEST_S3_BUCKET"));
        Self::at(&place, &s3_keys_over_tls()).await
    }

    pub async fn gcs_over_tls() -> Self {
        let place = format!("gs://{}", variable("SLUICE_TEST_GCS_BUCKET"));
        Self::at(&place, &gcs_keys_over_tls()).await
    }

    /// An instance with the connection `store`, whose root is a folder of the test's own.
    async fn at(place: &str, keys: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("test-{}-{number}", std::process::id());
        let mut bench = Bench::new().await;
        let root = bench.instance.base().to_owned();
        let config = format!("format = 1\n[connections.store]\n{keys}root = \"{place}/{folder}\"\n");
        std::fs::write(root.join("sluice.toml"), config).unwrap();
        bench.instance = Instance::open(&root).await.unwrap();
        let connection = &bench.instance.config().connections["store"];
        let store = connect(place, Some(connection), &root).unwrap();
        Self {
            bench,
            store,
            place: place.to_owned(),
            folder,
        }
    }

    pub async fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let key = object_store::path::Path::parse(format!("{}/{name}", self.folder)).unwrap();
        self.store
            .put(&key, content.as_ref().to_vec().into())
            .await
            .unwrap();
    }

    pub fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.place, self.folder)
    }

    /// A completed process that reads `name`; `more` are tables of its own.
    pub async fn process(&self, process: &str, name: &str, more: &str) {
        let toml = format!(
            "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"{}\"\nconnection = \"store\"\n\
             [[attribute]]\ncolumn = \"tier\"\nname = \"{process}_tier\"\ntype = \"string\"\n\
             [[attribute]]\ncolumn = \"spend\"\nname = \"{process}_spend\"\ntype = \"decimal(18,2)\"\n{more}",
            self.url(name)
        );
        self.bench.process(process, &toml).await;
    }

    /// A run of `process`, on the object `name` if one is given.
    pub async fn run(&self, process: &str, name: Option<&str>) -> Report {
        let url = name.map(|name| self.url(name));
        let asked = request(process, url.as_deref().map(Path::new));
        self.bench.run(asked).await.unwrap()
    }
}

/// So many customers as CSV; number 2 has a bad spend.
pub fn csv(num_rows: usize) -> String {
    let mut text = String::from("cid,tier,spend\n");
    for number in 0..num_rows {
        let spend = match number {
            2 => "lots".to_owned(),
            _ => format!("{number}.25"),
        };
        text.push_str(&format!("C{number:07},\"Gold, of some length\",{spend}\n"));
    }
    text
}
