//! An instance in a temporary folder, and short ways to do things to it.

mod ask;
pub mod bucket;
#[path = "../../support/proxy.rs"]
pub mod proxy;
pub mod services;

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use sluice_engine::instance::Instance;
use sluice_engine::process::{self, Ingest};
use sluice_engine::run::{Effect, Extent, Guards, Repeat, Report, RunRequest, Trigger, Watch, run};
use sluice_engine::{Result, Settings, sql};
use tempfile::TempDir;

pub use ask::{LEASE_TERM, definition, failure, fixture};

/// An instance that goes with the test.
pub struct Bench {
    pub folder: TempDir,
    pub instance: Instance,
    pub settings: Settings,
}

impl Bench {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::init(&folder.path().join("instance")).await.unwrap();
        Self {
            folder,
            instance,
            settings: Settings {
                memory_bytes: 1 << 30,
                threads: 2,
            },
        }
    }

    /// Writes a file beside the instance.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A completed process from TOML that has no source of its own.
    pub async fn process(&self, name: &str, toml: &str) {
        process::create(&self.instance, name, toml).await.unwrap();
        process::complete(&self.instance, name).await.unwrap();
    }

    pub async fn ingest(&self, file: &Path, key: &str, attributes: &[&str], mode: &str) -> Result<Report> {
        let ingest = Ingest {
            file: file.to_owned(),
            connection: None,
            key: key.to_owned(),
            attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
            mode: mode.to_owned(),
            name: None,
        };
        let name = process::ensure(&self.instance, &ingest).await?;
        self.run(request(&name, Some(file))).await
    }

    pub async fn run(&self, request: RunRequest) -> Result<Report> {
        run(&self.instance, &self.settings, request, &Watch::default()).await
    }

    /// All tables and functions of the instance as they are now.
    pub async fn session(&self) -> SessionContext {
        sql::session(&self.instance, &self.settings).await.unwrap()
    }

    /// The result of a query as an ASCII table.
    pub async fn table(&self, query: &str) -> String {
        let batches = batches(&self.session().await, query).await;
        pretty_format_batches(&batches).unwrap().to_string()
    }
}

/// The result of a query.
pub async fn batches(ctx: &SessionContext, query: &str) -> Vec<RecordBatch> {
    let rows = sql::query(ctx, query)
        .await
        .unwrap_or_else(|e| panic!("{query}: {e}"));
    rows.try_collect()
        .await
        .unwrap_or_else(|e| panic!("{query}: {e}"))
}

/// A run of `process`, on `file` if given, that merges.
pub fn request(process: &str, file: Option<&Path>) -> RunRequest {
    RunRequest {
        process: process.to_owned(),
        file: file.map(Path::to_owned),
        effect: Effect::Merge,
        extent: Extent::Whole,
        repeat: Repeat::SkipMerged,
        max_rejects: None,
        trigger: Trigger::Manual,
        replay: None,
        guards: Guards::Heeded,
    }
}
