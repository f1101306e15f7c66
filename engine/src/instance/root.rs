//! Where an instance is: a folder of this machine, or the objects below a prefix of a bucket.

use std::path::{Path as LocalPath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::document::{Document, conditions};
use crate::error::{Error, Result};
use crate::ids;
use crate::source::objects::connect::connect;
use crate::source::objects::faults::{Asked, worded};
use crate::spec::{SourceKind, kind_of_folder, path_of, place_of};
use crate::table::TableLog;

/// Where an instance is; it need not exist. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Root {
    place: Place,
    /// The folder that relative paths of this machine start at.
    base: Arc<PathBuf>,
}

#[derive(Debug, Clone)]
enum Place {
    /// The base itself.
    Folder,
    Bucket(Bucket),
}

/// The objects below a prefix.
#[derive(Debug, Clone)]
struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Scheme and bucket.
    place: String,
    prefix: Path,
}

impl Root {
    /// What a user names: a path, `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`, reached as the environment says. Nothing
    /// is sent yet.
    ///
    /// # Errors
    /// A URL of another kind, or of an impossible prefix; a file of keys cannot be read.
    pub fn named(text: &str) -> Result<Self> {
        match kind_of_folder(text) {
            Ok(SourceKind::Local) => Ok(Self::from(LocalPath::new(text))),
            Ok(SourceKind::S3 | SourceKind::Gcs) => {
                Self::in_store(connect(text, None, LocalPath::new("."))?, text)
            }
            Ok(_) => Err(no_place(text)),
            Err(problem) => Err(no_place(text).because(problem.what)),
        }
    }

    /// The objects of `store` below the prefix that `url` ends in.
    ///
    /// # Errors
    /// An impossible prefix.
    pub fn in_store(store: Arc<dyn ObjectStore>, url: &str) -> Result<Self> {
        let prefix = Path::parse(path_of(url).trim_matches('/')).map_err(|error| {
            no_place(url)
                .because(error)
                .hint("write the prefix without . and ..")
        })?;
        Ok(Self {
            place: Place::Bucket(Bucket {
                store,
                place: place_of(&format!("{}/", url.trim_end_matches('/'))).to_owned(),
                prefix,
            }),
            base: Arc::new(std::path::absolute(".")?),
        })
    }

    /// The path or URL.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.place {
            Place::Folder => self.base.display().to_string(),
            Place::Bucket(bucket) => bucket.shown(),
        }
    }

    /// The folder that relative paths of this machine start at: the instance's own; of one in a bucket, where the program
    /// was started.
    #[must_use]
    pub fn base(&self) -> &LocalPath {
        &self.base
    }

    /// The file `name`, folders before it divided by `/`; it need not exist.
    #[must_use]
    pub fn document(&self, name: &str) -> Document {
        match &self.place {
            Place::Folder => match name.rsplit_once('/') {
                Some((folder, name)) => Document::in_folder(&self.base.join(folder), name),
                None => Document::in_folder(&self.base, name),
            },
            Place::Bucket(bucket) => Document::in_store(Arc::clone(&bucket.store), bucket.below(name)),
        }
    }

    /// The names of the files in `folder`, in no order.
    ///
    /// # Errors
    /// It cannot be listed.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>> {
        match &self.place {
            Place::Folder => {
                let entries = std::fs::read_dir(self.base.join(folder))?;
                let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
                Ok(names.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
            }
            Place::Bucket(bucket) => bucket.names(folder).await,
        }
    }

    /// The table `name`; `key` is the column whose range prunes files.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn table(&self, name: &str, key: Option<&'static str>) -> Result<TableLog> {
        match &self.place {
            Place::Folder => TableLog::at(folder_url(&self.base.join(name))?, key),
            Place::Bucket(bucket) => {
                let path = bucket.below(name);
                let store = Arc::new(PrefixStore::new(Arc::clone(&bucket.store), path.clone()));
                let url = bucket.url(&path)?;
                Ok(TableLog::within(store, Arc::clone(&bucket.store), &url, key))
            }
        }
    }

    /// The same, with the folder's name as the system knows it.
    ///
    /// # Errors
    /// There is no such folder.
    pub(super) fn resolved(&self) -> Result<Self> {
        match &self.place {
            Place::Folder => Ok(Self {
                place: Place::Folder,
                base: Arc::new(std::fs::canonicalize(self.base.as_path())?),
            }),
            Place::Bucket(_) => Ok(self.clone()),
        }
    }

    /// Makes the folder of an instance; a bucket needs none, but must do what commits rest on.
    ///
    /// # Errors
    /// The folder cannot be made; the store does not heed conditions.
    pub(super) async fn prepare(&self) -> Result<()> {
        match &self.place {
            Place::Folder => Ok(std::fs::create_dir_all(self.base.join(super::PROCESSES))?),
            Place::Bucket(bucket) => {
                let name = format!("condition-{}", ids::new_run_id());
                let heeded = conditions::demand(&bucket.objects(), &name).await;
                heeded.map_err(|error| error.in_file(self.shown()))
            }
        }
    }
}

impl From<&LocalPath> for Root {
    fn from(folder: &LocalPath) -> Self {
        Self {
            place: Place::Folder,
            base: Arc::new(folder.to_owned()),
        }
    }
}

impl From<&PathBuf> for Root {
    fn from(folder: &PathBuf) -> Self {
        Self::from(folder.as_path())
    }
}

impl Bucket {
    fn shown(&self) -> String {
        match self.prefix.as_ref() {
            "" => self.place.clone(),
            prefix => format!("{}/{prefix}", self.place),
        }
    }

    /// Its objects, by their names below the prefix.
    fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.prefix.clone()))
    }

    fn below(&self, name: &str) -> Path {
        let names = name.split('/').filter(|part| !part.is_empty());
        self.prefix.parts().chain(names.map(Into::into)).collect()
    }

    /// The URL of a folder. What a URL would read as an escape is escaped.
    fn url(&self, path: &Path) -> Result<Url> {
        let mut url = Url::parse(&self.place).map_err(|error| no_place(&self.place).because(error))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            let folders = path.as_ref().split('/').filter(|folder| !folder.is_empty());
            segments.extend(folders).push("");
        }
        Ok(url)
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.below(folder))).await;
        let listed = listed.map_err(|error| worded(error, Asked::List))?;
        let names = listed
            .objects
            .iter()
            .filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }
}

fn folder_url(folder: &LocalPath) -> Result<Url> {
    Url::from_directory_path(folder).map_err(|()| {
        Error::runtime("the instance's folder has no URL").in_file(folder.display().to_string())
    })
}

fn no_place(text: &str) -> Error {
    Error::usage("no instance can be there")
        .in_file(text)
        .hint("name a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX")
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::*;
    use crate::document::testing::{Flaw, Flawed};
    use crate::instance::Instance;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_instance_is_made_only_where_conditions_are_heeded() {
        let heedless = Flawed::new(Flaw::Heedless);
        let root = Root::in_store(Arc::new(heedless), "s3://bucket/base").unwrap();
        let error = Instance::init(root.clone()).await.unwrap_err();
        assert!(error.to_string().contains("does not heed"), "{error}");
        assert!(error.hints()[0].contains("If-None-Match"), "{error:?}");
        let good = Root::in_store(Arc::new(InMemory::new()), "s3://bucket/base").unwrap();
        Instance::init(good.clone()).await.unwrap();
        let again = Instance::init(good.clone()).await.unwrap_err();
        assert!(again.to_string().contains("already"), "{again}");
        Instance::open(good.clone()).await.unwrap();
        for names in [root.names("").await.unwrap(), good.names("").await.unwrap()] {
            let left = names.iter().filter(|name| name.starts_with("condition"));
            assert_eq!(left.count(), 0, "the objects of the check are gone: {names:?}");
        }
    }

    #[test]
    fn a_place_is_a_folder_or_a_prefix_of_a_bucket() {
        assert_eq!(Root::named("/data/base").unwrap().shown(), "/data/base");
        let store = || Arc::new(InMemory::new());
        for (url, shown) in [
            ("s3://b/a/c/", "s3://b/a/c"),
            ("gs://b", "gs://b"),
            ("s3://b/", "s3://b"),
        ] {
            assert_eq!(Root::in_store(store(), url).unwrap().shown(), shown);
        }
        for wrong in ["sftp://host/base", "snowflake://A", "ftp://host/base", "s3://"] {
            let error = Root::named(wrong).unwrap_err();
            assert_eq!(error.class(), crate::Class::Usage, "{wrong}: {error}");
        }
        assert!(Root::in_store(store(), "s3://b/a/../c").is_err());
    }

    #[test]
    fn a_table_in_a_bucket_has_a_url_that_reads_back_as_its_path() {
        let root = Root::in_store(Arc::new(InMemory::new()), "s3://b/a b/50%25").unwrap();
        let url = root.table("customers", None).unwrap().store().root_url().clone();
        assert_eq!(
            Path::from_url_path(url.path()).unwrap().as_ref(),
            "a b/50%25/customers"
        );
        let whole = Root::in_store(Arc::new(InMemory::new()), "s3://b").unwrap();
        let url = whole.table("", None).unwrap().store().root_url().clone();
        assert_eq!(url.as_str(), "s3://b");
    }

    #[tokio::test]
    async fn names_are_those_of_the_folder_alone() {
        let store = Arc::new(InMemory::new());
        for name in [
            "base/processes/p.toml",
            "base/processes/x/q.toml",
            "base/other/r.toml",
        ] {
            store.put(&Path::from(name), PutPayload::new()).await.unwrap();
        }
        let root = Root::in_store(store, "s3://b/base").unwrap();
        assert_eq!(root.names("processes").await.unwrap(), ["p.toml"]);
    }
}
