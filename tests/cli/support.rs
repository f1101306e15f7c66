//! The program in a folder of its own.

mod hold;
mod store;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use sluice_engine::instance::Root;
use tempfile::TempDir;

pub use hold::Hold;
use store::Bucket;
pub use store::Where;

/// How long something is waited for that must come: longer than a busy machine takes.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A folder to work in, and an instance: that folder, or elsewhere.
pub struct Home {
    pub folder: TempDir,
    bucket: Option<Bucket>,
}

/// What a command did, with what changes from run to run taken out.
pub struct Done {
    pub output: Output,
    folder: PathBuf,
}

impl Home {
    /// An empty folder.
    pub fn empty() -> Self {
        Self::empty_at(Where::Folder)
    }

    /// A folder that is an instance.
    pub fn with_instance() -> Self {
        Self::with_instance_at(Where::Folder)
    }

    /// An empty folder, and no instance yet at `place`.
    pub fn empty_at(place: Where) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            bucket: Bucket::of(place),
        }
    }

    /// A folder, and an instance at `place`.
    pub fn with_instance_at(place: Where) -> Self {
        let home = Self::empty_at(place);
        home.sluice(&["init"]).succeeded();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Writes a file of the instance.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        store::put(&self.root(), name, content.as_ref());
    }

    /// The text of a file of the instance.
    pub fn get(&self, name: &str) -> String {
        store::get(&self.root(), name)
    }

    /// The names of the files in a folder of the instance.
    pub fn names(&self, folder: &str) -> Vec<String> {
        store::names(&self.root(), folder)
    }

    /// The path or URL of the instance.
    pub fn place(&self) -> String {
        self.root().shown()
    }

    /// What other programs need to reach the instance.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.bucket.as_ref().map_or_else(Vec::new, Bucket::environment)
    }

    fn root(&self) -> Root {
        match &self.bucket {
            Some(bucket) => bucket.root.clone(),
            None => Root::from(self.folder.path()),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command
            .current_dir(self.folder.path())
            .env_remove("SLUICE_INSTANCE")
            .env_remove("SLUICE_FAULT")
            .env_remove("SLUICE_PAUSE");
        command.env("COLUMNS", "120").env("NO_COLOR", "1");
        if self.bucket.is_some() {
            command
                .env("SLUICE_INSTANCE", self.place())
                .envs(self.environment());
        }
        command
    }

    pub fn sluice(&self, args: &[&str]) -> Done {
        let output = self.command().args(args).output().unwrap();
        Done {
            output,
            folder: self.folder.path().to_owned(),
        }
    }

    /// The result of a query as CSV.
    pub fn sql(&self, query: &str) -> String {
        self.sluice(&["sql", "--output", "csv", query])
            .succeeded()
            .stdout()
    }

    /// Files of a table, whether a version of it names them or not.
    pub fn data_files(&self, table: &str) -> Vec<String> {
        let names = self.names(table).into_iter();
        names.filter(|name| name.ends_with(".parquet")).collect()
    }
}

impl Done {
    pub fn succeeded(self) -> Self {
        assert!(self.output.status.success(), "{}", self.stderr());
        self
    }

    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// Exit code, stdout and stderr for a snapshot.
    pub fn shown(&self) -> String {
        let text = format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.code().unwrap_or(-1),
            self.stdout(),
            self.stderr()
        );
        redacted(&text, &self.folder)
    }
}

/// Takes out ids, times, sizes and the folder's name.
fn redacted(text: &str, folder: &Path) -> String {
    let real = std::fs::canonicalize(folder).unwrap();
    let mut text = text
        .replace(&real.display().to_string(), "[FOLDER]")
        .replace(&folder.display().to_string(), "[FOLDER]");
    for (pattern, with) in [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[RUN_ID]",
        ),
        (r"-[0-9a-f]{32}\.parquet", "-[FILE].parquet"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\b\d+(\.\d+)? ?(ms|s)\b", "[SPENT]"),
        (r"\b[\d.,]+ (B|kB|KiB|MB|MiB|GB|GiB)(/s)?\b", "[BYTES]"),
        // Columns of numbers are as wide as the widest, which is another each time.
        (r" {2,}(\[SPENT\]|\[BYTES\])", "  $1"),
        (r"\b[0-9a-f]{64}\b", "[HASH]"),
    ] {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

/// What a variable of the server called `name` says.
pub fn service(name: &str, variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "no server {name}: run the tests with tests/run, or some of them with\n  \
             ~/.cache/sluice/services/bin/python tests/services/serve.py {name} -- cargo test --workspace --test cli -- {name}"
        )
    })
}
