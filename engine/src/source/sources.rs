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
use super::rows::Rows;
use super::sftp::{Login, NewHosts, SftpFiles};
use super::snowflake::{self, Account, SnowflakeRows, TableName, What};
use super::store::{Arrival, Entry, Store};
use super::walk::{Listing, walk};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::{Instance, all};
use crate::spec::{
    Connection, Limits, Process, Source, SourceKind, check_depth, folders_below, kind_of, kind_of_folder,
    names_several, path_of,
};

/// Where sources are looked up: an instance's connections, and the folder that relative paths start at. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sources {
    base: Arc<PathBuf>,
    connections: Arc<BTreeMap<String, Connection>>,
    folder_depth: usize,
    new_hosts: NewHosts,
}

impl Sources {
    /// Those of an instance.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        Self {
            base: Arc::new(instance.base().to_owned()),
            connections: Arc::new(instance.config().connections.clone()),
            folder_depth: instance.config().limits.folder_depth,
            new_hosts: instance.new_hosts(),
        }
    }

    /// Those that are reached without an instance: whoever the environment says.
    #[must_use]
    pub fn without_instance() -> Self {
        Self {
            base: Arc::new(PathBuf::from(".")),
            connections: Arc::default(),
            folder_depth: Limits::default().folder_depth,
            new_hosts: NewHosts::default(),
        }
    }

    /// The same, and this becomes of SSH hosts whose keys are not known.
    #[must_use]
    pub fn with_new_hosts(self, new_hosts: NewHosts) -> Self {
        Self { new_hosts, ..self }
    }

    /// How messages and provenance call the source before it is found.
    #[must_use]
    pub fn shown(&self, source: &Source) -> String {
        match source.kind() {
            SourceKind::Local => self.base.join(source.location()).display().to_string(),
            _ => source.location().to_owned(),
        }
    }

    /// Where relative paths start.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// What serves the root of the connection `name`, and the folder that this is. May wait, also for the server.
    ///
    /// # Errors
    /// It says not where to look, cannot be reached, or is of tables.
    pub(crate) fn root_of(&self, name: &str) -> Result<(Arc<dyn Store>, String)> {
        let connection = self.known(name)?;
        let url = root_url(name, connection)?;
        let kind = kind_of_folder(&url).map_err(|problem| all(&[problem]))?;
        let place = self.place(kind, url.trim_end_matches('/'), Some(connection))?;
        Ok((place.store, path_of(&place.url).to_owned()))
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
                let place = self.place(kind, url, connection)?;
                check_depth(&place.url, place.root.as_deref(), self.folder_depth)
                    .map_err(|problem| all(&[problem]).in_file(url))?;
                let path = path_of(&place.url).to_owned();
                inspected(place.store, path).map_err(|error| error.in_file(url))
            }
            SourceKind::SnowflakeTable => self.table(source, What::Table(TableName::of(url)?)),
            SourceKind::SnowflakeQuery => self.table(source, What::Query(url.to_owned())),
        }
    }

    /// The file at `url`, however deep it lies. May wait.
    ///
    /// # Errors
    /// As [`open`](Self::open); it is a table.
    pub(crate) fn file_at(&self, url: &str) -> Result<SourceFile> {
        let kind = kind_of(url).map_err(|problem| all(&[problem]))?;
        if kind == SourceKind::Local {
            return SourceFile::open(&self.base.join(url));
        }
        let place = self.place(kind, url, None)?;
        inspected(place.store, path_of(&place.url).to_owned()).map_err(|error| error.in_file(url))
    }

    /// Whether there is a folder at `url`. May wait.
    pub(crate) fn is_folder(&self, url: &str) -> bool {
        let Ok(place) = kind_of_folder(url)
            .map_err(|problem| all(&[problem]))
            .and_then(|kind| self.place(kind, url.trim_end_matches('/'), None))
        else {
            return false;
        };
        let folder = path_of(&place.url).to_owned();
        wait(async move { place.store.children(&folder).await }).is_ok()
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
        let place = self.place(source.kind(), url, self.connection_of(source)?)?;
        let folder = folder_of(path_of(&place.url));
        let newest = newest(&place.store, folder, &pattern).map_err(|error| error.in_file(url))?;
        let open = |file: Entry| match source.kind() {
            // It is read in place.
            SourceKind::Local => SourceFile::open(Path::new(&file.path)),
            _ => inspected(place.store, file.path),
        };
        newest.map(open).transpose()
    }

    /// What `source` stands for now: the file it names, or the newest of those that it names. May wait.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn current(&self, source: &Source) -> Result<Option<SourceFile>> {
        match source.names_several() {
            true => self.newest(source),
            false => self.open(source).map(Some),
        }
    }

    /// What a run of `process` reads now: the newest file of a recurring process, if there is one; else its source. May
    /// wait.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_process(&self, process: &Process) -> Result<Option<SourceFile>> {
        match process.schedule {
            Some(_) => self.newest(&process.source),
            None => self.current(&process.source),
        }
    }

    /// What there is to say where [`of_process`](Self::of_process) finds nothing.
    #[must_use]
    pub fn none_there(&self, source: &Source) -> String {
        let shown = self.shown(source);
        let pattern = Pattern::of(source).map(|pattern| pattern.shown());
        match pattern.as_deref() {
            None | Some("%") => format!("no file in {}", folder_of(&shown)),
            Some(pattern) => format!("no file {pattern} in {}", folder_of(&shown)),
        }
    }

    /// What is visible at `place`: a folder, a URL of one, or the name of a connection that has a root. May wait.
    ///
    /// # Errors
    /// It cannot be listed, or lies too deep itself.
    pub fn list(&self, place: &str, connection: Option<&str>) -> Result<Listing> {
        let (url, name) = match (self.connections.get(place), connection) {
            (Some(known), None) => (root_url(place, known)?, Some(place)),
            (_, name) => (place.to_owned(), name),
        };
        let listing = self.list_at(&url, self.named(name)?)?;
        Ok(Listing {
            connection: name.map(str::to_owned),
            ..listing
        })
    }

    fn list_at(&self, url: &str, connection: Option<&Connection>) -> Result<Listing> {
        let kind = kind_of_folder(url).map_err(|problem| all(&[problem]))?;
        if let Some(connection) = connection.filter(|connection| !connection.serves(kind)) {
            return Err(wrong_type(url, connection));
        }
        if matches!(kind, SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery) {
            let account = self.account(connection)?;
            return snowflake::tables(&account, url).map_err(|error| error.in_file(url));
        }
        let place = self.place(kind, url.trim_end_matches('/'), connection)?;
        let (folder, depth) = match kind {
            SourceKind::Local => (std::path::absolute(url)?.display().to_string(), self.folder_depth),
            _ => (
                path_of(&place.url).to_owned(),
                self.depth_left(&place.url, place.root.as_deref())?,
            ),
        };
        wait(async move { walk(place.store.as_ref(), &folder, depth).await })
            .map_err(|error| error.in_file(url))
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
        name.map(|name| self.known(name)).transpose()
    }

    /// The connection `name`.
    ///
    /// # Errors
    /// There is none of that name.
    pub(crate) fn known(&self, name: &str) -> Result<&Connection> {
        self.connections.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.connections.keys().map(String::as_str).collect();
            Error::usage(format!("sluice.toml has no [connections.{name}]")).hint(match names.is_empty() {
                true => "add it there".to_owned(),
                false => format!("add it there, or use one of {}", names.join(", ")),
            })
        })
    }

    /// The place that a URL is in. Every kind of file has its arm here.
    fn place(&self, kind: SourceKind, url: &str, connection: Option<&Connection>) -> Result<Place> {
        let store: Arc<dyn Store> = match kind {
            SourceKind::Local => Arc::new(LocalFolders),
            SourceKind::S3 | SourceKind::Gcs => Arc::new(ObjectFiles::connect(url, connection, &self.base)?),
            SourceKind::Sftp => return self.sftp(url, connection),
            SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery => return Err(no_files(url)),
        };
        let url = match kind {
            SourceKind::Local => self.base.join(url).display().to_string(),
            _ => url.to_owned(),
        };
        Ok(Place {
            store,
            url,
            root: connection.and_then(Connection::root).map(str::to_owned),
        })
    }

    /// Where the folder of login matters, the server is asked for it: nobody else knows.
    fn sftp(&self, url: &str, connection: Option<&Connection>) -> Result<Place> {
        let connection = match connection {
            Some(Connection::Sftp(sftp)) => Some(sftp),
            _ => None,
        };
        let files = Arc::new(SftpFiles::new(Login::of(
            url,
            connection,
            &self.base,
            self.new_hosts,
        )?));
        let path = path_of(url);
        let root = connection.and_then(|connection| connection.root.as_deref());
        let home = match root.is_none_or(|root| root.starts_with('~')) || path.starts_with('~') {
            true => {
                let asked = Arc::clone(&files);
                wait(async move { asked.home().await }).map_err(|error| error.in_file(url))?
            }
            false => String::new(),
        };
        Ok(Place {
            url: files.url(&below_home(path, &home)),
            root: Some(root.map_or_else(|| home.clone(), |root| below_home(root, &home))),
            store: files,
        })
    }

    fn table(&self, source: &Source, what: What) -> Result<SourceFile> {
        let url = match &what {
            What::Table(table) => table.url(),
            What::Query(query) => query.clone(),
        };
        let account = self.account(self.connection_of(source)?)?;
        let rows = SnowflakeRows::open(account, &what, source.order_by.as_deref())
            .map_err(|error| error.in_file(&url))?;
        let version = rows.version().clone();
        let rows: Arc<dyn Rows> = Arc::new(rows);
        let mut file = SourceFile::of_rows(url, rows);
        file.version = version;
        Ok(file)
    }

    fn account(&self, connection: Option<&Connection>) -> Result<Arc<Account>> {
        match connection {
            Some(Connection::Snowflake(connection)) => Account::of(connection, &self.base).map(Arc::new),
            _ => Err(Error::usage("Snowflake is reached through a connection")
                .hint("name one: connection = \"NAME\" in [source], --connection NAME on the command line")),
        }
    }
}

/// Where a file or folder is, what serves it, and the folder that depths are counted from.
struct Place {
    store: Arc<dyn Store>,
    /// The URL, with the full path.
    url: String,
    root: Option<String>,
}

/// The folder of a path; nothing: the outermost one.
fn folder_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => "",
    }
}

/// The full path where `~` is the folder of login.
fn below_home(path: &str, home: &str) -> String {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            format!("{}{rest}", home.trim_end_matches('/'))
        }
        _ => path.to_owned(),
    }
}

/// A path or URL as typed: a path starts where it is typed.
///
/// # Errors
/// There is no current folder.
pub fn typed_url(place: &Path) -> Result<String> {
    let url = place.to_string_lossy();
    let kind = if names_several(&url) {
        Ok(SourceKind::Local)
    } else {
        kind_of(&url)
    };
    match kind {
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
        wait(async move { store.children(&folder).await?.open(&store.url(&folder)) })
            .map(|children| children.files)
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
    match (connection, connection.root()) {
        (Connection::Snowflake(_), _) => Ok("snowflake://".to_owned()),
        (_, Some(root)) if root.contains("://") => Ok(root.to_owned()),
        (Connection::Sftp(sftp), root) => {
            let port = sftp.port.map(|port| format!(":{port}")).unwrap_or_default();
            let root = root.unwrap_or_default().trim_start_matches('/');
            Ok(format!("sftp://{}{port}/{root}", sftp.host))
        }
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

fn no_files(url: &str) -> Error {
    Error::usage("a table is no folder with files").in_file(url)
}
