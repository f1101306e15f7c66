//! `sluice.toml` while a server lives.
//!
//! ```text
//!   as it was      ─▶ nothing
//!   another, good  ─▶ runs that begin from now on go by it; keys that wait for a restart are named
//!   another, bad   ─▶ the last good one stays
//! ```

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::instance::{CONFIG_FILE, Instance};
use crate::spec::Defaults;

/// What a server knows of the file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// Its content when it was read last, if there was any; none before that.
    seen: Option<Option<Bytes>>,
    /// What that was good for.
    state: ConfigState,
    /// The defaults when the server started: some of them hold for its whole life.
    at_start: Defaults,
    /// Keys that wait for a restart, as they were told.
    waiting: Vec<&'static str>,
}

/// Whether the file can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConfigState {
    Good,
    Broken,
}

/// What became of the file since it was read last.
#[derive(Debug)]
pub(super) enum Reading {
    /// Nothing that matters.
    Same,
    /// It says something else, and can be used.
    Taken {
        /// The instance that goes by it.
        instance: Instance,
        /// Keys whose new values wait for a restart, unless that was told before.
        waiting: Vec<&'static str>,
    },
    /// It cannot be used, and what was used before stays.
    Refused(Error),
}

impl ConfigFile {
    /// That of an instance that was just opened.
    pub fn of(instance: &Instance) -> Self {
        Self {
            seen: None,
            state: ConfigState::Good,
            at_start: instance.config().defaults.clone(),
            waiting: Vec::new(),
        }
    }

    /// Reads it, for a server that goes by `instance`.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub async fn read(&mut self, instance: &Instance) -> Result<Reading> {
        let (content, _) = instance.root().document(CONFIG_FILE).read().await?;
        if self.seen.as_ref() == Some(&content) {
            return Ok(Reading::Same);
        }
        let configured = instance.configured(content.as_deref());
        self.seen = Some(content);
        let before = self.state;
        self.state = match configured {
            Ok(_) => ConfigState::Good,
            Err(_) => ConfigState::Broken,
        };
        Ok(match configured {
            Err(error) => Reading::Refused(error),
            Ok(new) if new.config() == instance.config() && before == ConfigState::Good => Reading::Same,
            Ok(new) => Reading::Taken {
                waiting: self.newly_waiting(&new.config().defaults),
                instance: new,
            },
        })
    }

    fn newly_waiting(&mut self, now: &Defaults) -> Vec<&'static str> {
        let waiting = fixed(&self.at_start, now);
        let is_told = waiting == self.waiting;
        self.waiting.clone_from(&waiting);
        match is_told {
            true => Vec::new(),
            false => waiting,
        }
    }
}

/// The keys that differ and hold for a server's whole life: it shares out its memory and cores when it starts.
fn fixed(before: &Defaults, now: &Defaults) -> Vec<&'static str> {
    [
        ("defaults.memory", before.memory_bytes != now.memory_bytes),
        ("defaults.threads", before.threads != now.threads),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: &str = "[[notify]]\non = [\"failed\"]\nto = \"command:true\"\n";

    /// An instance and a way to write its `sluice.toml`.
    async fn instance() -> (tempfile::TempDir, Instance, ConfigFile) {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::init(folder.path()).await.unwrap();
        let mut file = ConfigFile::of(&instance);
        assert!(matches!(file.read(&instance).await.unwrap(), Reading::Same));
        (folder, instance, file)
    }

    fn write(folder: &tempfile::TempDir, more: &str) {
        std::fs::write(folder.path().join(CONFIG_FILE), format!("format = 1\n{more}")).unwrap();
    }

    async fn taken(file: &mut ConfigFile, instance: &Instance) -> (Instance, Vec<&'static str>) {
        match file.read(instance).await.unwrap() {
            Reading::Taken { instance, waiting } => (instance, waiting),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_changed_file_is_taken_once_and_a_comment_is_no_change() {
        let (folder, instance, mut file) = instance().await;
        write(&folder, NOTIFY);
        let (instance, waiting) = taken(&mut file, &instance).await;
        assert_eq!((instance.config().notify.len(), waiting.len()), (1, 0));
        assert!(matches!(file.read(&instance).await.unwrap(), Reading::Same));
        write(&folder, &format!("# told\n{NOTIFY}"));
        assert!(matches!(file.read(&instance).await.unwrap(), Reading::Same));
    }

    #[tokio::test]
    async fn a_broken_or_missing_file_is_refused_once_and_its_mending_is_noticed() {
        let (folder, instance, mut file) = instance().await;
        write(&folder, "[[notify]]\non = [\"never\"]\n");
        for _ in 0..2 {
            let refused = file.read(&instance).await.unwrap();
            assert!(
                matches!(refused, Reading::Refused(ref error) if error.to_string().contains("notify")),
                "{refused:?}"
            );
            assert!(matches!(file.read(&instance).await.unwrap(), Reading::Same));
            write(&folder, "");
            let (_, waiting) = taken(&mut file, &instance).await;
            assert!(waiting.is_empty());
            write(&folder, "[[notify]]\nto = 1\n");
        }
        std::fs::remove_file(folder.path().join(CONFIG_FILE)).unwrap();
        assert!(matches!(file.read(&instance).await.unwrap(), Reading::Refused(_)));
    }

    #[tokio::test]
    async fn what_waits_for_a_restart_is_told_once() {
        let (folder, instance, mut file) = instance().await;
        write(&folder, "[defaults]\nthreads = 7\n");
        let (instance, waiting) = taken(&mut file, &instance).await;
        assert_eq!(waiting, ["defaults.threads"]);
        write(&folder, &format!("[defaults]\nthreads = 7\n{NOTIFY}"));
        let (instance, waiting) = taken(&mut file, &instance).await;
        assert!(waiting.is_empty());
        write(&folder, "[defaults]\nthreads = 7\nmemory = \"1GB\"\n");
        let (instance, waiting) = taken(&mut file, &instance).await;
        assert_eq!(waiting, ["defaults.memory", "defaults.threads"]);
        write(&folder, "");
        assert!(taken(&mut file, &instance).await.1.is_empty());
    }
}
