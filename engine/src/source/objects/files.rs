//! Objects as files.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::connect::connect_with;
use super::faults::{self, Asked};
use super::patience::Patience;
use crate::error::{Error, Result};
use crate::source::file::Version;
use crate::source::store::{Arrival, Children, Entry, Store};
use crate::spec::{Connection, place_of};

/// The objects of a bucket.
#[derive(Debug)]
pub struct ObjectFiles {
    store: Arc<dyn ObjectStore>,
    /// Scheme and bucket.
    place: String,
}

impl ObjectFiles {
    /// The bucket of `url`, reached through `connection`, else as the environment says; `base` is where relative paths of
    /// the connection start.
    ///
    /// # Errors
    /// A secret is not where the connection says, or a file of keys cannot be read.
    pub fn connect(url: &str, connection: Option<&Connection>, base: &FilePath) -> Result<Self> {
        Self::connect_with(url, connection, base, &Patience::default())
    }

    /// As [`connect`](Self::connect), with another patience.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_with(
        url: &str,
        connection: Option<&Connection>,
        base: &FilePath,
        patience: &Patience,
    ) -> Result<Self> {
        let store = connect_with(url, connection, base, patience)?;
        Ok(Self::of(store, place_of(url)))
    }

    /// The objects of `store`, whose URLs begin with `place`.
    #[must_use]
    pub fn of(store: Arc<dyn ObjectStore>, place: &str) -> Self {
        Self {
            store,
            place: place.to_owned(),
        }
    }

    async fn is_bucket_missing(&self) -> bool {
        let listed = self.store.list_with_delimiter(Some(&Path::from("."))).await;
        listed.is_err_and(|error| faults::is_no_bucket(&error))
    }
}

#[async_trait]
impl Store for ObjectFiles {
    async fn children(&self, folder: &str) -> Result<Children> {
        let prefix = key(folder)?;
        let listed = self
            .store
            .list_with_delimiter((!folder.is_empty()).then_some(&prefix))
            .await
            .map_err(|error| faults::worded(error, Asked::List))?;
        let files = listed
            .objects
            .into_iter()
            .filter(|object| object.location != prefix);
        Ok(Children {
            files: files.map(entry).collect(),
            folders: listed
                .common_prefixes
                .into_iter()
                .map(String::from)
                .filter(|found| found != folder)
                .collect(),
            ..Children::default()
        })
    }

    async fn inspect(&self, path: &str) -> Result<Version> {
        match self.store.head(&key(path)?).await {
            Ok(object) => Ok(version(object)),
            // The answer to HEAD has no body that would say what is missing.
            Err(object_store::Error::NotFound { .. }) if self.is_bucket_missing().await => {
                Err(faults::no_bucket(&self.place))
            }
            Err(error) => Err(faults::worded(error, Asked::Read)),
        }
    }

    async fn read(&self, path: &str, version: &Version, range: Range<u64>) -> Result<Bytes> {
        // A weak ETag never matches: nothing is asked of it.
        let if_match = version.etag.clone().filter(|etag| !etag.starts_with("W/"));
        let options = GetOptions {
            if_match,
            range: Some(range.into()),
            ..GetOptions::default()
        };
        let key = key(path)?;
        let read = async { self.store.get_opts(&key, options).await?.bytes().await };
        read.await.map_err(|error| faults::worded(error, Asked::Read))
    }

    fn arrival(&self) -> Arrival {
        Arrival::Whole
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.place)
    }
}

/// The key as written: nothing in it is an escape.
fn key(path: &str) -> Result<Path> {
    Path::parse(path).map_err(|error| {
        Error::usage("that cannot be the name of an object")
            .because(error)
            .hint("write it without empty folders, . and ..")
    })
}

fn entry(object: ObjectMeta) -> Entry {
    Entry {
        path: object.location.to_string(),
        version: version(object),
    }
}

fn version(object: ObjectMeta) -> Version {
    Version {
        size_bytes: object.size,
        modified_ns: i128::from(object.last_modified.timestamp_micros()) * 1000,
        etag: object.e_tag,
    }
}
