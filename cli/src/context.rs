//! What every command is given.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sluice_engine::instance::{CONFIG_FILE, Instance, Root};
use sluice_engine::run::Watch;
use sluice_engine::source::Sources;
use tokio::sync::Notify;

use crate::error::Result;
use crate::printer::OutputFormat;
use crate::session::Session;
use crate::settings::{InstanceChoice, Settings};
use crate::shell;

/// The resolved settings, and the way to stop what a command started.
#[derive(Debug, Clone)]
pub struct Context {
    /// Global options.
    pub settings: Settings,
    /// Notified when the command shall wind down.
    stop: Arc<Notify>,
    /// How a command that the user can copy begins.
    program: String,
}

impl Context {
    /// A context that `stop` winds down.
    pub fn new(settings: Settings, stop: Arc<Notify>) -> Self {
        let program = match &settings.instance {
            InstanceChoice::Named(place) => format!("sluice -i {}", shell::quoted(place)),
            InstanceChoice::Environment(_) | InstanceChoice::Nearest => "sluice".to_owned(),
        };
        Self {
            settings,
            stop,
            program,
        }
    }

    /// The same for a user who stands in `folder`, an instance.
    pub fn inside(&self, folder: &Path) -> Self {
        let settings = Settings {
            instance: InstanceChoice::Named(folder.to_string_lossy().into_owned()),
            ..self.settings.clone()
        };
        Self {
            settings,
            stop: Arc::clone(&self.stop),
            program: "sluice".to_owned(),
        }
    }

    /// The same with another format of output.
    pub fn printing(&self, output: OutputFormat) -> Self {
        Self {
            settings: Settings {
                output,
                ..self.settings.clone()
            },
            ..self.clone()
        }
    }

    /// The instance that the command is about.
    ///
    /// # Errors
    /// There is none.
    pub async fn instance(&self) -> Result<Instance> {
        let instance = match self.settings.instance.place() {
            Some(place) => Instance::open(Root::named(place)?).await?,
            None => Instance::find(&absolute(Path::new("."))?).await?,
        };
        Ok(instance.with_new_hosts(self.settings.new_hosts))
    }

    /// Where sources are looked up: in the instance if there is one, else in the environment.
    ///
    /// # Errors
    /// An instance that was named is not there, or its configuration has problems.
    pub async fn sources(&self) -> Result<Sources> {
        let nearest = absolute(Path::new("."))?;
        let is_there = nearest
            .ancestors()
            .any(|folder| folder.join(CONFIG_FILE).is_file());
        match self.settings.instance.place() {
            None if !is_there => Ok(Sources::without_instance().with_new_hosts(self.settings.new_hosts)),
            _ => Ok(Sources::of(&self.instance().await?)),
        }
    }

    /// SQL on the instance as it is now.
    ///
    /// # Errors
    /// There is no instance, or a table of it cannot be read.
    pub async fn session(&self) -> Result<Session> {
        Session::open(&self.instance().await?, &self.settings).await
    }

    /// A window on a run, through which a signal stops it.
    pub fn watch(&self) -> Watch {
        Watch {
            stop: Arc::clone(&self.stop),
            ..Watch::default()
        }
    }

    /// Says one line on stderr.
    pub fn say(&self, line: impl Display) {
        self.settings.talk.say(line);
    }

    /// How a command that the user can copy begins: `sluice`, with `-i` where this command had it.
    pub fn program(&self) -> &str {
        &self.program
    }
}

/// The path from the root, which a symbolic link may be part of.
///
/// # Errors
/// There is no current folder.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}
