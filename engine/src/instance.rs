//! An instance: one customer base and all that belongs to it (contract, section 2).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use crate::error::{Error, Result};
use crate::source::sftp::NewHosts;
use crate::spec::{InstanceConfig, Problem, parse_instance};
use crate::table::{TableLog, schemas};

/// The file that makes a folder an instance.
pub const CONFIG_FILE: &str = "sluice.toml";
/// Log entries are kept for a year, so that history and time travel reach back that far.
const LOG_RETENTION: (&str, &str) = ("delta.logRetentionDuration", "interval 365 days");

/// One customer base. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Instance {
    root: Arc<PathBuf>,
    config: Arc<InstanceConfig>,
    new_hosts: NewHosts,
}

impl Instance {
    /// Makes a new instance in `root`: the configuration and the four tables.
    ///
    /// # Errors
    /// There is one already, or the folder cannot be written.
    pub async fn init(root: &Path) -> Result<Self> {
        if root.join(CONFIG_FILE).exists() {
            return Err(Error::usage("there is an instance here already").in_file(root.display().to_string()));
        }
        std::fs::create_dir_all(root.join("processes"))?;
        let instance = Self {
            root: Arc::new(std::fs::canonicalize(root)?),
            config: Arc::default(),
            new_hosts: NewHosts::default(),
        };
        let clustered = [
            LOG_RETENTION,
            ("delta.dataSkippingStatsColumns", schemas::CUSTOMER_ID),
        ];
        instance
            .customers()?
            .create(&schemas::customers(), &clustered)
            .await?;
        instance
            .rejects()?
            .create(&schemas::rejects(), &[LOG_RETENTION])
            .await?;
        instance
            .runs()?
            .create(&schemas::runs(), &[LOG_RETENTION])
            .await?;
        instance
            .events()?
            .create(&schemas::events(), &[LOG_RETENTION])
            .await?;
        // Last: a folder with this file is a whole instance.
        std::fs::write(root.join(CONFIG_FILE), "format = 1\n")?;
        Ok(instance)
    }

    /// Opens the instance in `root`.
    ///
    /// # Errors
    /// There is none, its configuration has problems, or a newer program wrote it.
    pub fn open(root: &Path) -> Result<Self> {
        let file = root.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&file).map_err(|e| {
            Error::usage("there is no instance here")
                .because(e)
                .in_file(file.display().to_string())
                .hint("make one with: sluice init PATH")
        })?;
        let config =
            parse_instance(&text).map_err(|problems| all(&problems).in_file(file.display().to_string()))?;
        Ok(Self {
            root: Arc::new(std::fs::canonicalize(root)?),
            config: Arc::new(config),
            new_hosts: NewHosts::default(),
        })
    }

    /// The nearest instance, from `start` upwards.
    ///
    /// # Errors
    /// There is none.
    pub fn find(start: &Path) -> Result<Self> {
        match start
            .ancestors()
            .find(|folder| folder.join(CONFIG_FILE).is_file())
        {
            Some(root) => Self::open(root),
            None => Err(Error::usage(
                "no instance: neither -i, nor SLUICE_INSTANCE, nor a sluice.toml in this folder or above",
            )
            .hint("make one with: sluice init PATH")),
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The same instance, from which this becomes of SSH hosts whose keys are not known.
    #[must_use]
    pub fn with_new_hosts(self, new_hosts: NewHosts) -> Self {
        Self { new_hosts, ..self }
    }

    /// What becomes of SSH hosts whose keys are not known.
    #[must_use]
    pub fn new_hosts(&self) -> NewHosts {
        self.new_hosts
    }

    /// What `sluice.toml` says.
    #[must_use]
    pub fn config(&self) -> &InstanceConfig {
        &self.config
    }

    /// `customers`.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn customers(&self) -> Result<TableLog> {
        self.table("customers", Some(schemas::CUSTOMER_ID))
    }

    /// `rejects`.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn rejects(&self) -> Result<TableLog> {
        self.table("rejects", None)
    }

    /// `runs`.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn runs(&self) -> Result<TableLog> {
        self.table("runs", None)
    }

    /// `events`.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn events(&self) -> Result<TableLog> {
        self.table("events", None)
    }

    /// Where process files are.
    #[must_use]
    pub fn processes(&self) -> PathBuf {
        self.root.join("processes")
    }

    fn table(&self, name: &str, key: Option<&'static str>) -> Result<TableLog> {
        let folder = self.root.join(name);
        let url = Url::from_directory_path(&folder).map_err(|()| {
            Error::runtime("the instance's folder has no URL").in_file(folder.display().to_string())
        })?;
        TableLog::at(url, key)
    }
}

/// All problems of a definition as one usage error.
#[must_use]
pub fn all(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems
        .iter()
        .map(|p| format!("{}: {} ({})", p.at, p.what, p.remedy))
        .collect();
    match lines.as_slice() {
        [only] => Error::usage(only.clone()),
        many => Error::usage(format!("{} problems:\n  {}", many.len(), many.join("\n  "))),
    }
}
