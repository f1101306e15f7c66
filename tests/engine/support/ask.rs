//! Questions to a [`Bench`], answered as text.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use sluice_engine::instance::{CONFIG_FILE, Instance};
use sluice_engine::process::{self, StateFile};
use sluice_engine::run::Report;
use sluice_engine::{Error, Result, sql};

use super::{Bench, request};

impl Bench {
    /// An instance whose `sluice.toml` says more than its format.
    pub async fn with_config(toml: &str) -> Self {
        let mut bench = Self::new().await;
        bench.configure(toml);
        bench
    }

    /// Writes `sluice.toml` anew and opens the instance again.
    pub fn configure(&mut self, toml: &str) {
        let root = self.instance.base().to_owned();
        std::fs::write(root.join(CONFIG_FILE), format!("format = 1\n{toml}")).unwrap();
        // A folder answers at once.
        self.instance = futures::executor::block_on(Instance::open(&root)).unwrap();
    }

    /// Runs a query.
    pub async fn query(&self, query: &str) -> Result<Vec<RecordBatch>> {
        let ctx = sql::session(&self.instance, &self.settings).await?;
        Ok(sql::query(&ctx, query).await?.try_collect().await?)
    }

    /// The rows of a query, cells divided by `|`, NULL as `-`.
    pub async fn rows(&self, query: &str) -> Vec<String> {
        let batches = self.query(query).await.unwrap_or_else(|e| panic!("{query}: {e}"));
        let options = FormatOptions::default().with_null("-");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch
                .columns()
                .iter()
                .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap());
            let columns: Vec<_> = columns.collect();
            for row in 0..batch.num_rows() {
                let cells: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
                rows.push(cells.join("|"));
            }
        }
        rows
    }

    /// The only cell of a query.
    pub async fn cell(&self, query: &str) -> String {
        let rows = self.rows(query).await;
        assert_eq!(rows.len(), 1, "{query}: {rows:?}");
        rows.into_iter().next().unwrap()
    }

    /// All customers, by CID.
    pub async fn customers(&self) -> Vec<String> {
        self.rows("SELECT * FROM customers ORDER BY customer_id").await
    }

    /// `record_no|rule` of every reason of a run, in order.
    pub async fn reasons(&self, report: &Report) -> Vec<String> {
        let run = &report.run.run_id;
        self.rows(&format!(
            "SELECT record_no, rule FROM reject_reasons WHERE run_id = '{run}' ORDER BY 1, 2"
        ))
        .await
    }

    /// Runs a process on a file.
    pub async fn run_on(&self, name: &str, file: &Path) -> Result<Report> {
        self.run(request(name, Some(file))).await
    }

    /// A draft from TOML, completed; what stops that.
    pub async fn try_process(&self, name: &str, toml: &str) -> Result<()> {
        process::create(&self.instance, name, toml).await?;
        process::complete(&self.instance, name).await
    }

    /// The status that `processes` shows.
    pub async fn status(&self, name: &str) -> String {
        self.cell(&format!("SELECT status FROM processes WHERE process = '{name}'"))
            .await
    }

    /// The state file of a process.
    pub fn state(&self, name: &str) -> StateFile {
        StateFile::of(&self.instance, name)
    }
}

/// How long a lease of a test lasts.
pub const LEASE_TERM: Duration = Duration::from_secs(600);

/// A file of `datasets/small`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../datasets/small")
        .join(name)
}

/// A process file: `attributes` as `column=type`, `more` as TOML after them.
pub fn definition(mode: &str, attributes: &[&str], more: &str) -> String {
    let mut toml = format!("mode = \"{mode}\"\nkey = \"cid\"\n[source]\nurl = \"none.csv\"\n");
    for attribute in attributes {
        let (column, ty) = attribute.split_once('=').unwrap();
        toml.push_str(&format!(
            "[[attribute]]\ncolumn = \"{column}\"\ntype = \"{ty}\"\n"
        ));
    }
    toml + more
}

/// The error of a run that was made and failed.
pub fn failure(report: &Result<Report>) -> &Error {
    match report {
        Ok(report) => report
            .error
            .as_ref()
            .unwrap_or_else(|| panic!("the run did not fail: {report:#?}")),
        Err(error) => error,
    }
}
