//! From what a user wrote to a source: the one place that knows every kind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::file::SourceFile;
use super::io::wait;
use super::local::LocalFolders;
use super::objects::ObjectFiles;
use super::recurring::{Pattern, REST_NS, at_rest, is_restless};
use super::remote::Remote;
use super::store::{Arrival, Entry, Store};
use super::walk::{Listing, walk};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::{Instance, all};
use crate::spec::{
    Connection, Limits, Process, Source, SourceKind, check_depth, folders_below, kind_of, kind_of_folder,
    path_of,
};

/// Where sources are looked up: an instance's connections, and the folder that relative paths start at. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sources {
    base: Arc<PathBuf>,
    connections: Arc<BTreeMap<String, Connection>>,
    folder_depth: usize,
}

impl Sources {
    /// Those of an instance.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        Self {
            base: Arc::new(instance.root().to_owned()),
            connections: Arc::new(instance.config().connections.clone()),
            folder_depth: instance.config().limits.folder_depth,
        }
    }

    /// Those that are reached without an instance: whoever the environment says.
    #[must_use]
    pub fn without_instance() -> Self {
        Self {
            base: Arc::new(PathBuf::from(".")),
            connections: Arc::default(),
            folder_depth: Limits::default().folder_depth,
        }
    }

    /// How messages and provenance call the source before it is found.
    #[must_use]
    pub fn shown(&self, source: &Source) -> String {
        match source.kind() {
            SourceKind::Local => self.base.join(source.location()).display().to_string(),
            _ => source.location().to_owned(),
        }
    }

    /// Folders that are looked into.
    #[must_use]
    pub fn folder_depth(&self) -> usize {
        self.folder_depth
    }

    /// The source that `source` names. May wait.
    ///
    /// # Errors
    /// It is not there, may not be read or cannot be reached; it lies too deep; its connection is not known.
    pub fn open(&self, source: &Source) -> Result<SourceFile> {
        let connection = self.connection_of(source)?;
        let url = source.location();
        match source.kind() {
            SourceKind::Local => SourceFile::open(&self.base.join(url)),
            kind @ (SourceKind::S3 | SourceKind::Gcs | SourceKind::Sftp) => {
                check_depth(url, connection.and_then(Connection::root), self.folder_depth)
                    .map_err(|problem| all(&[problem]).in_file(url))?;
                let store = self.store(kind, url, connection)?;
                inspected(store, path_of(url).to_owned()).map_err(|error| error.in_file(url))
            }
            SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery => Err(not_read("Snowflake")),
        }
    }

    /// The file that a recurring process takes now, if there is one. May wait, also for one to be complete.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn newest(&self, source: &Source) -> Result<Option<SourceFile>> {
        let Some(pattern) = Pattern::of(source) else {
            return self.open(source).map(Some);
        };
        let url = source.location();
        let store = self.store(source.kind(), url, self.connection_of(source)?)?;
        let folder = path_of(url).rsplit_once('/').map_or("", |(folder, _)| folder);
        let newest = newest(&store, folder, &pattern).map_err(|error| error.in_file(url))?;
        newest.map(|file| inspected(store, file.path)).transpose()
    }

    /// What a run of `process` reads now: the newest file of a recurring process, if there is one; else its source. May
    /// wait.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_process(&self, process: &Process) -> Result<Option<SourceFile>> {
        match process.schedule {
            Some(_) => self.newest(&process.source),
            None => self.open(&process.source).map(Some),
        }
    }

    /// What is visible at `place`: a folder, a URL of one, or the name of a connection that has a root. May wait.
    ///
    /// # Errors
    /// It cannot be listed, or lies too deep itself.
    pub fn list(&self, place: &str, connection: Option<&str>) -> Result<Listing> {
        let (url, connection) = match (self.connections.get(place), connection) {
            (Some(known), None) => (root_url(place, known)?, Some(known)),
            (_, name) => (place.to_owned(), self.named(name)?),
        };
        let kind = kind_of_folder(&url).map_err(|problem| all(&[problem]))?;
        if let Some(connection) = connection.filter(|connection| !connection.serves(kind)) {
            return Err(wrong_type(&url, connection));
        }
        let folder = url.trim_end_matches('/');
        let (folder, depth) = match kind {
            SourceKind::Local => (
                std::path::absolute(&url)?.display().to_string(),
                self.folder_depth,
            ),
            SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery => return Err(not_read("Snowflake")),
            _ => {
                let root = connection.and_then(Connection::root);
                let depth = self.depth_left(folder, root)?;
                (path_of(folder).to_owned(), depth)
            }
        };
        let store = self.store(kind, &url, connection)?;
        wait(async move { walk(store.as_ref(), &folder, depth).await }).map_err(|error| error.in_file(&url))
    }

    /// Folders below `folder` that may be looked into.
    fn depth_left(&self, folder: &str, root: Option<&str>) -> Result<usize> {
        if path_of(folder).is_empty() {
            return Ok(self.folder_depth);
        }
        // A file in it would lie so many folders deep.
        let inside = format!("{folder}/*");
        check_depth(&inside, root, self.folder_depth).map_err(|problem| all(&[problem]).in_file(folder))?;
        let used = folders_below(&inside, root).unwrap_or_default();
        Ok(self.folder_depth.saturating_sub(used))
    }

    fn connection_of(&self, source: &Source) -> Result<Option<&Connection>> {
        let connection = self.named(source.connection.as_deref())?;
        match connection {
            Some(other) if !other.serves(source.kind()) => Err(wrong_type(source.location(), other)),
            fitting => Ok(fitting),
        }
    }

    fn named(&self, name: Option<&str>) -> Result<Option<&Connection>> {
        let Some(name) = name else { return Ok(None) };
        let known = self.connections.get(name);
        known.map(Some).ok_or_else(|| {
            let names: Vec<&str> = self.connections.keys().map(String::as_str).collect();
            Error::usage(format!("sluice.toml has no [connections.{name}]")).hint(match names.is_empty() {
                true => "add it there".to_owned(),
                false => format!("add it there, or use one of {}", names.join(", ")),
            })
        })
    }

    /// The place that a URL is in. Every kind of file has its arm here.
    fn store(&self, kind: SourceKind, url: &str, connection: Option<&Connection>) -> Result<Arc<dyn Store>> {
        match kind {
            SourceKind::Local => Ok(Arc::new(LocalFolders)),
            SourceKind::S3 | SourceKind::Gcs => {
                Ok(Arc::new(ObjectFiles::connect(url, connection, &self.base)?))
            }
            SourceKind::Sftp => Err(not_read("SFTP")),
            SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery => Err(not_read("Snowflake")),
        }
    }
}

/// A path or URL as typed: a path starts where it is typed.
///
/// # Errors
/// There is no current folder.
pub fn typed_url(place: &Path) -> Result<String> {
    let url = place.to_string_lossy();
    match kind_of(&url) {
        Ok(SourceKind::Local) => Ok(std::path::absolute(place)?.to_string_lossy().into_owned()),
        _ => Ok(url.into_owned()),
    }
}

/// A path or URL as typed, as a source without options; `connection` names one of the instance's.
///
/// # Errors
/// It names no file.
pub fn typed(place: &Path, connection: Option<&str>) -> Result<Source> {
    let url = typed_url(place)?;
    let option = connection.map(|name| ("connection".to_owned(), name.to_owned()));
    let options: Vec<(String, String)> = option.into_iter().collect();
    crate::spec::parse_source(&url, &options).map_err(|problems| all(&problems))
}

fn inspected(store: Arc<dyn Store>, path: String) -> Result<SourceFile> {
    let url = store.url(&path);
    let (asked, of) = (Arc::clone(&store), path.clone());
    let version = wait(async move { asked.inspect(&of).await }).map_err(|error| error.in_file(&url))?;
    Ok(SourceFile::remote(url, Remote::new(store, path, version)))
}

fn newest(store: &Arc<dyn Store>, folder: &str, pattern: &Pattern) -> Result<Option<Entry>> {
    let look = || {
        let (store, folder) = (Arc::clone(store), folder.to_owned());
        wait(async move { store.children(&folder).await }).map(|children| children.files)
    };
    let files = look()?;
    let Some(newest) = pattern.newest(&files) else {
        return Ok(None);
    };
    let now_ns = i128::from(ids::now_micros()) * 1000;
    if store.arrival() == Arrival::Whole || !is_restless(newest, now_ns) {
        return Ok(Some(newest.clone()));
    }
    std::thread::sleep(Duration::from_nanos(REST_NS as u64));
    let resting = at_rest(&files, look()?);
    Ok(pattern.newest(&resting).cloned())
}

/// The URL that a connection's root stands for.
fn root_url(name: &str, connection: &Connection) -> Result<String> {
    match connection.root() {
        Some(root) if root.contains("://") => Ok(root.to_owned()),
        _ => Err(
            Error::usage(format!("[connections.{name}] says not where to look"))
                .hint("write its root as a whole URL in sluice.toml, as s3://BUCKET/FOLDER")
                .hint(format!("or name a URL: sluice discover URL --connection {name}")),
        ),
    }
}

fn wrong_type(url: &str, connection: &Connection) -> Error {
    Error::usage(format!("the connection is of type {}", connection.word()))
        .in_file(url)
        .hint("use a connection whose type fits the URL")
}

fn not_read(kind: &str) -> Error {
    Error::usage(format!("this version does not read {kind}")).hint("copy the file to s3, gs or here first")
}
