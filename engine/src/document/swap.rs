//! Compare and swap of one object.

use std::path::{Path as LocalPath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, UpdateVersion};
use uuid::Uuid;

use super::{local, object};
use crate::error::{Error, Result};

/// Longest time that [`Document::update`] tries to be the fastest.
const PATIENCE: Duration = Duration::from_secs(60);
/// First and longest pause between two attempts; each is drawn at random below that.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

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

    /// The file `name` in `folder`; it need not exist. Files whose names begin alike, up to the first point, share a
    /// lock.
    #[must_use]
    pub fn in_folder(folder: &LocalPath, name: &str) -> Self {
        let stem = name.split('.').next().unwrap_or(name);
        Self {
            place: Place::Folder {
                path: folder.join(name),
                lock: folder.join(format!(".{stem}.lock")),
            },
        }
    }

    /// How messages call it.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.place {
            Place::Store { path, .. } => path.to_string(),
            Place::Folder { path, .. } => path.display().to_string(),
        }
    }

    /// Its content, where there is one, and what [`swap`](Self::swap) compares with.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read(&self) -> Result<(Option<Bytes>, Seen)> {
        match &self.place {
            Place::Folder { path, .. } => local::read(path),
            Place::Store { store, path } => Ok(match object::get(store, path).await? {
                Some(found) => (Some(found.content), Seen::Version(found.version)),
                None => (None, Seen::Nothing),
            }),
        }
    }

    /// Replaces it by `content` if it still is as it was `seen`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn swap(&self, seen: &Seen, content: Vec<u8>) -> Result<Swapped> {
        let content = Bytes::from(content);
        match &self.place {
            Place::Folder { path, lock } => local::swap(path, lock, seen, content),
            Place::Store { store, path } => object::put(store, path, seen, content).await,
        }
    }

    /// Replaces it by what `change` makes of its content, and returns what `change` says beside. Where others are
    /// faster, `change` is called again, on what they left.
    ///
    /// # Errors
    /// What `change` returns: then it is as it was. The store failed, or others were faster for a minute.
    pub async fn update<T>(
        &self,
        mut change: impl FnMut(Option<&[u8]>) -> Result<(Vec<u8>, T)>,
    ) -> Result<T> {
        if let Place::Folder { path, lock } = &self.place {
            let _lock = local::lock(lock)?;
            let (content, result) = change(local::read(path)?.0.as_deref())?;
            local::replace(path, &content)?;
            return Ok(result);
        }
        let begun = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let (found, seen) = self.read().await?;
            let (content, result) = change(found.as_deref())?;
            if let Swapped::Done(_) = self.swap(&seen, content).await? {
                return Ok(result);
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::conflict("other programs were faster for a minute")
                    .in_file(self.shown())
                    .hint("run it again"));
            }
            tokio::time::sleep(below(pause)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Removes it; one that is gone already is no failure.
    ///
    /// # Errors
    /// The store failed.
    pub async fn remove(&self) -> Result<()> {
        match &self.place {
            Place::Folder { path, .. } => local::remove(path),
            Place::Store { store, path } => object::remove(store, path).await,
        }
    }

    /// Removes it with all that belongs to it, if nobody else knows of it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn discard(self) -> Result<()> {
        self.remove().await?;
        match &self.place {
            Place::Folder { lock, .. } => local::remove(lock),
            Place::Store { .. } => Ok(()),
        }
    }
}

/// A random length of time that is shorter.
fn below(longest: Duration) -> Duration {
    let [.., high, low] = *Uuid::new_v4().as_bytes();
    longest.mul_f64(f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX))
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
    async fn an_update_is_made_again_on_what_others_left() {
        let folder = tempfile::tempdir().unwrap();
        for document in documents(folder.path()) {
            let count = async |document: Document| {
                for _ in 0..10 {
                    let one_more = |content: Option<&[u8]>| {
                        let number: u32 =
                            content.map_or(0, |text| std::str::from_utf8(text).unwrap().parse().unwrap());
                        Ok(((number + 1).to_string().into_bytes(), number))
                    };
                    document.update(one_more).await.unwrap();
                }
            };
            futures::future::join_all((0..4).map(|_| count(document.clone()))).await;
            assert_eq!(document.read().await.unwrap().0.unwrap().as_ref(), b"40");
            let refused = document
                .update(|_| Err::<(Vec<u8>, ()), _>(Error::usage("no")))
                .await;
            assert!(refused.is_err());
            assert_eq!(document.read().await.unwrap().0.unwrap().as_ref(), b"40");
            document.remove().await.unwrap();
            document.remove().await.unwrap();
            assert!(document.read().await.unwrap().0.is_none(), "{document:?}");
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
