//! Compare and swap of one object.

use std::io::ErrorKind;
use std::path::{Path as LocalPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::local;
use crate::error::Result;

/// One small file.
#[derive(Debug, Clone)]
pub struct Document {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Store { store: Arc<dyn ObjectStore>, path: Path },
    Folder { path: PathBuf, lock: PathBuf },
}

/// The state of a document that somebody saw.
#[derive(Debug, Clone)]
pub enum Seen {
    /// There was none.
    Nothing,
    /// One of this version.
    Version(UpdateVersion),
    /// One of this content.
    Content(Bytes),
}

/// What became of an attempt to replace a document.
#[derive(Debug, Clone)]
#[must_use]
pub enum Swapped {
    /// It is replaced, and this is its state now.
    Done(Seen),
    /// It was not as it was seen; nothing is changed.
    Overtaken,
}

impl Document {
    /// The object at `path`; it need not exist.
    #[must_use]
    pub fn in_store(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self {
            place: Place::Store { store, path },
        }
    }

    /// The file `name` in `folder`; it need not exist.
    #[must_use]
    pub fn in_folder(folder: &LocalPath, name: &str) -> Self {
        Self {
            place: Place::Folder {
                path: folder.join(name),
                lock: folder.join(format!(".{name}.lock")),
            },
        }
    }

    /// Its content, where there is one, and what [`swap`](Self::swap) compares with.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read(&self) -> Result<(Option<Bytes>, Seen)> {
        match &self.place {
            Place::Folder { path, .. } => read_file(path),
            Place::Store { store, path } => match store.get(path).await {
                Ok(found) => {
                    let version = UpdateVersion {
                        e_tag: found.meta.e_tag.clone(),
                        version: found.meta.version.clone(),
                    };
                    Ok((Some(found.bytes().await?), Seen::Version(version)))
                }
                Err(object_store::Error::NotFound { .. }) => Ok((None, Seen::Nothing)),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Replaces it by `content` if it still is as it was `seen`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn swap(&self, seen: &Seen, content: Vec<u8>) -> Result<Swapped> {
        let content = Bytes::from(content);
        match &self.place {
            Place::Folder { path, lock } => swap_file(path, lock, seen, content),
            Place::Store { store, path } => put(store, path, seen, content).await,
        }
    }
}

async fn put(store: &Arc<dyn ObjectStore>, path: &Path, seen: &Seen, content: Bytes) -> Result<Swapped> {
    let mode = match seen {
        Seen::Version(version) => PutMode::Update(version.clone()),
        Seen::Nothing | Seen::Content(_) => PutMode::Create,
    };
    let options = PutOptions::from(mode);
    match store.put_opts(path, PutPayload::from(content), options).await {
        Ok(put) => Ok(Swapped::Done(Seen::Version(put.into()))),
        Err(
            object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. }
            | object_store::Error::NotFound { .. },
        ) => Ok(Swapped::Overtaken),
        Err(error) => Err(error.into()),
    }
}

fn read_file(path: &LocalPath) -> Result<(Option<Bytes>, Seen)> {
    match std::fs::read(path) {
        Ok(content) => {
            let content = Bytes::from(content);
            Ok((Some(content.clone()), Seen::Content(content)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((None, Seen::Nothing)),
        Err(error) => Err(error.into()),
    }
}

fn swap_file(path: &LocalPath, lock: &LocalPath, seen: &Seen, content: Bytes) -> Result<Swapped> {
    let _lock = local::lock(lock)?;
    let is_as_seen = match (read_file(path)?.0, seen) {
        (Some(now), Seen::Content(seen)) => now == *seen,
        (None, Seen::Nothing) => true,
        _ => false,
    };
    if !is_as_seen {
        return Ok(Swapped::Overtaken);
    }
    local::replace(path, &content)?;
    Ok(Swapped::Done(Seen::Content(content)))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// A document in each kind of place.
    fn documents(folder: &LocalPath) -> [Document; 2] {
        [
            Document::in_store(Arc::new(InMemory::new()), Path::from("a/doc.json")),
            Document::in_folder(folder, "doc.json"),
        ]
    }

    #[tokio::test]
    async fn only_who_saw_the_last_state_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            let (content, nothing) = document.read().await.unwrap();
            assert_eq!(content, None);
            let Swapped::Done(first) = document.swap(&nothing, b"1".to_vec()).await.unwrap() else {
                panic!("{document:?}")
            };
            let late = document.swap(&nothing, b"x".to_vec()).await.unwrap();
            assert!(matches!(late, Swapped::Overtaken), "{document:?}");
            let Swapped::Done(second) = document.swap(&first, b"2".to_vec()).await.unwrap() else {
                panic!("{document:?}")
            };
            let late = document.swap(&first, b"x".to_vec()).await.unwrap();
            assert!(matches!(late, Swapped::Overtaken), "{document:?}");
            assert_eq!(document.read().await.unwrap().0.unwrap().as_ref(), b"2");
            let again = document.swap(&second, b"3".to_vec()).await.unwrap();
            assert!(matches!(again, Swapped::Done(_)), "{document:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_at_once_each_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            let count = async |document: Document| {
                for _ in 0..20 {
                    loop {
                        let (content, seen) = document.read().await.unwrap();
                        let number = content.map_or(0, |text| {
                            String::from_utf8(text.to_vec()).unwrap().parse::<u32>().unwrap()
                        });
                        let next = (number + 1).to_string().into_bytes();
                        if let Swapped::Done(_) = document.swap(&seen, next).await.unwrap() {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                }
            };
            futures::future::join_all((0..4).map(|_| count(document.clone()))).await;
            assert_eq!(document.read().await.unwrap().0.unwrap().as_ref(), b"80");
        }
    }
}
