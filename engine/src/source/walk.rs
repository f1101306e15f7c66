//! From folders to what a user sees of them.

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::store::{Access, Children, Entry, Store};
use crate::error::{Error, Result};
use crate::spec::{Format, stem_and_extension};

/// Folders that are listed at the same time.
const FOLDERS_AT_ONCE: usize = 8;
/// Deeper files that are counted; beyond that it is said that there are more.
const MAX_COUNTED_FILES: u64 = 10_000;
/// Deeper folders that are looked into for counting.
const MAX_COUNTED_FOLDERS: usize = 1_000;

/// What is visible in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files, by URL.
    pub files: Vec<Listed>,
    /// Files that lie too deep to be seen or ingested, as far as they were counted.
    pub deeper_files: u64,
    /// Whether the counting stopped before it had seen all of those.
    pub are_more_deeper: bool,
    /// URLs of folders that may not be looked into.
    pub closed_folders: Vec<String>,
    /// The connection that it was reached through.
    pub connection: Option<String>,
}

/// One file of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its URL.
    pub url: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since the epoch.
    pub modified_ns: i128,
    /// What its name says that it holds.
    pub format: Option<Format>,
}

impl Listing {
    /// One line about folders that may not be looked into, if there are any.
    #[must_use]
    pub fn closed_note(&self) -> Option<String> {
        let first = self.closed_folders.first()?;
        Some(match self.closed_folders.len() {
            1 => format!("a folder may not be looked into, and is left out: {first}"),
            closed => {
                format!("{closed} folders may not be looked into, and are left out: {first} and others")
            }
        })
    }

    /// One line about files that lie too deep, if there are any; `most` folders are looked into.
    #[must_use]
    pub fn note(&self, most: usize) -> Option<String> {
        let count = match (self.deeper_files, self.are_more_deeper) {
            (0, false) => return None,
            (files, true) => format!("more than {files}"),
            (files, false) => files.to_string(),
        };
        Some(format!(
            "{count} files lie more than {most} folders deep: they are not shown and cannot be ingested"
        ))
    }
}

/// The files in `folder` and up to `depth` folders below it.
pub(super) async fn walk(store: &dyn Store, folder: &str, depth: usize) -> Result<Listing> {
    let mut listing = Listing::default();
    let outermost = store.children(folder).await?.open(&store.url(folder))?;
    let mut files = outermost.files;
    let mut folders = outermost.folders;
    for _ in 0..depth {
        let found = all_children(store, folders, &mut listing.closed_folders).await?;
        files.extend(found.files);
        folders = found.folders;
    }
    listing.files = files.iter().map(|entry| listed(store, entry)).collect();
    listing.files.sort_by(|a, b| a.url.cmp(&b.url));
    let mut looked_into = 0;
    while !folders.is_empty() && !listing.are_more_deeper {
        looked_into += folders.len();
        if looked_into > MAX_COUNTED_FOLDERS {
            listing.are_more_deeper = true;
            break;
        }
        // Nothing below would be shown: what is closed there does not matter.
        let found = all_children(store, folders, &mut Vec::new()).await?;
        listing.deeper_files += found.files.len() as u64;
        listing.are_more_deeper = listing.deeper_files > MAX_COUNTED_FILES;
        folders = found.folders;
    }
    Ok(listing)
}

/// What is in all of `folders`; those that may not be looked into are added to `closed`.
async fn all_children(store: &dyn Store, folders: Vec<String>, closed: &mut Vec<String>) -> Result<Children> {
    let listings = folders.into_iter().map(|folder| async move {
        let found = store.children(&folder).await?;
        Ok::<_, Error>((folder, found))
    });
    let mut listings = stream::iter(listings).buffered(FOLDERS_AT_ONCE);
    let mut all = Children::default();
    while let Some((folder, found)) = listings.try_next().await? {
        if found.access == Access::Denied {
            closed.push(store.url(&folder));
        }
        all.files.extend(found.files);
        all.folders.extend(found.folders);
    }
    Ok(all)
}

fn listed(store: &dyn Store, entry: &Entry) -> Listed {
    Listed {
        url: store.url(&entry.path),
        size_bytes: entry.version.size_bytes,
        modified_ns: entry.version.modified_ns,
        format: format_of(entry.name()),
    }
}

/// What a name says that the file holds.
fn format_of(name: &str) -> Option<Format> {
    let (_, extension) = stem_and_extension(name);
    let bare = extension.split('.').next().unwrap_or_default();
    match bare.to_ascii_lowercase().as_str() {
        "csv" | "txt" | "tsv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::local::LocalFolders;

    fn listing(depth: usize) -> (Vec<String>, Listing) {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c/d");
        std::fs::create_dir_all(&deep).unwrap();
        for name in [
            "x.csv",
            "a/y.ndjson.gz",
            "a/b/z.parquet",
            "a/b/c/1.csv",
            "a/b/c/d/2.csv",
        ] {
            std::fs::write(folder.path().join(name), "id\n").unwrap();
        }
        let root = folder.path().display().to_string();
        let listing = futures::executor::block_on(walk(&LocalFolders, &root, depth)).unwrap();
        let names = listing
            .files
            .iter()
            .map(|file| file.url.trim_start_matches(&root).to_owned());
        (names.collect(), listing)
    }

    #[test]
    fn what_lies_deeper_than_two_folders_is_counted_and_not_seen() {
        let (names, listing) = listing(2);
        assert_eq!(names, ["/a/b/z.parquet", "/a/y.ndjson.gz", "/x.csv"]);
        assert_eq!((listing.deeper_files, listing.are_more_deeper), (2, false));
        assert!(listing.note(2).unwrap().starts_with("2 files"));
        let formats: Vec<_> = listing.files.iter().map(|file| file.format).collect();
        assert_eq!(
            formats,
            [Some(Format::Parquet), Some(Format::Ndjson), Some(Format::Csv)]
        );
    }

    #[test]
    fn a_listing_without_depth_is_of_one_folder() {
        let (names, listing) = listing(0);
        assert_eq!(names, ["/x.csv"]);
        assert_eq!(listing.deeper_files, 4);
    }
}
