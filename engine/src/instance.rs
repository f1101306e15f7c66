//! An instance: one customer base and all that belongs to it (contract, section 2).

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::document::{Document, Seen, Swapped};
use crate::error::{Error, Result};
use crate::source::sftp::NewHosts;
use crate::spec::{InstanceConfig, Problem, parse_instance};
use crate::table::{TableLog, schemas};

mod root;

pub use root::Root;

/// The file that makes a folder an instance.
pub const CONFIG_FILE: &str = "sluice.toml";
/// The folder of process files and their states.
const PROCESSES: &str = "processes";
/// Log entries are kept for a year, so that history and time travel reach back that far.
const LOG_RETENTION: (&str, &str) = ("delta.logRetentionDuration", "interval 365 days");

/// One customer base. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Instance {
    root: Root,
    config: Arc<InstanceConfig>,
    new_hosts: NewHosts,
    turn: Arc<Mutex<()>>,
}

impl Instance {
    /// Makes a new instance in `root`: the configuration and the four tables.
    ///
    /// # Errors
    /// There is one already, the place cannot be written, or it is a store that does not heed conditions.
    pub async fn init(root: impl Into<Root>) -> Result<Self> {
        let root = root.into();
        let there_already =
            |root: &Root| Error::usage("there is an instance here already").in_file(root.shown());
        if root.document(CONFIG_FILE).read().await?.0.is_some() {
            return Err(there_already(&root));
        }
        root.prepare().await?;
        let instance = Self {
            root: root.resolved()?,
            config: Arc::default(),
            new_hosts: NewHosts::default(),
            turn: Arc::default(),
        };
        instance.create_tables().await?;
        // Last: a place with this file is a whole instance.
        let config = b"format = 1\n".to_vec();
        match root.document(CONFIG_FILE).swap(&Seen::Nothing, config).await? {
            Swapped::Done(_) => Ok(instance),
            Swapped::Overtaken => Err(there_already(&root)),
        }
    }

    async fn create_tables(&self) -> Result<()> {
        let clustered = [
            LOG_RETENTION,
            ("delta.dataSkippingStatsColumns", schemas::CUSTOMER_ID),
        ];
        self.customers()?
            .create(&schemas::customers(), &clustered)
            .await?;
        self.rejects()?
            .create(&schemas::rejects(), &[LOG_RETENTION])
            .await?;
        self.runs()?.create(&schemas::runs(), &[LOG_RETENTION]).await?;
        self.events()?.create(&schemas::events(), &[LOG_RETENTION]).await
    }

    /// Opens the instance in `root`.
    ///
    /// # Errors
    /// There is none, its configuration has problems, or a newer program wrote it.
    pub async fn open(root: impl Into<Root>) -> Result<Self> {
        let root = root.into();
        let content = root.document(CONFIG_FILE).read().await;
        let content = content.map_err(|error| error.in_file(config_file(&root)))?.0;
        let config = config_of(&root, content.as_deref())?;
        Ok(Self {
            root: root.resolved()?,
            config: Arc::new(config),
            new_hosts: NewHosts::default(),
            turn: Arc::default(),
        })
    }

    /// The same instance with this content of its `sluice.toml`.
    ///
    /// # Errors
    /// There is none, it has problems, or a newer program wrote it.
    pub fn configured(&self, content: Option<&[u8]>) -> Result<Self> {
        Ok(Self {
            config: Arc::new(config_of(&self.root, content)?),
            ..self.clone()
        })
    }

    /// The nearest instance, from the folder `start` upwards.
    ///
    /// # Errors
    /// There is none.
    pub async fn find(start: &Path) -> Result<Self> {
        match start
            .ancestors()
            .find(|folder| folder.join(CONFIG_FILE).is_file())
        {
            Some(root) => Self::open(root).await,
            None => Err(Error::usage(
                "no instance: neither -i, nor SLUICE_INSTANCE, nor a sluice.toml in this folder or above",
            )
            .hint("make one with: sluice init PATH")),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Its path or URL.
    #[must_use]
    pub fn shown(&self) -> String {
        self.root.shown()
    }

    /// The folder that relative paths in its files start at: its own; of an instance on object storage, where the program
    /// was started.
    #[must_use]
    pub fn base(&self) -> &Path {
        self.root.base()
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

    /// The turn to commit to `customers`, for a run that another one overtook: first come, first served, among the runs
    /// of this value and its clones. Who was never overtaken needs none.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
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

    /// A file beside the processes' own: `NAME.toml`, `NAME.state.json`, leases.
    #[must_use]
    pub fn process_document(&self, file: &str) -> Document {
        self.root.document(&format!("{PROCESSES}/{file}"))
    }

    /// The names of those files, in no order.
    ///
    /// # Errors
    /// They cannot be listed.
    pub async fn process_files(&self) -> Result<Vec<String>> {
        self.root.names(PROCESSES).await
    }

    fn table(&self, name: &str, key: Option<&'static str>) -> Result<TableLog> {
        Ok(self.root.table(name, key)?.with_encoding(self.config.encoding))
    }
}

fn config_file(root: &Root) -> String {
    format!("{}/{CONFIG_FILE}", root.shown())
}

fn config_of(root: &Root, content: Option<&[u8]>) -> Result<InstanceConfig> {
    let file = config_file(root);
    let content = content.ok_or_else(|| {
        Error::usage("there is no instance here")
            .in_file(&file)
            .hint("make one with: sluice init PATH")
    })?;
    let text = std::str::from_utf8(content)
        .map_err(|error| Error::usage("it is no text").because(error).in_file(&file))?;
    parse_instance(text).map_err(|problems| all(&problems).in_file(&file))
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
