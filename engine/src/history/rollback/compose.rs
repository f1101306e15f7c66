//! File actions one after another, as one commit, pure.
//!
//! ```text
//!   first:   Remove a        Add b             (a merge)
//!   second:          Remove b        Add c     (of the table after it)
//!   both:    Remove a                Add c     b is in no version; its data file can go
//! ```

use std::collections::{HashMap, HashSet};

use crate::table::{FileIdentity, LiveFile, file_identity};
use crate::write::FileAction;

/// Actions of one commit, and paths of files that no version will name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Composed {
    pub actions: Vec<FileAction>,
    pub orphans: Vec<String>,
}

/// `first`, then `second` on top of it.
pub(super) fn compose(first: Vec<FileAction>, second: Vec<FileAction>) -> Composed {
    let mut adds: HashMap<FileIdentity, FileAction> = HashMap::new();
    let mut composed = Composed::default();
    for action in first {
        match identity(&action) {
            (identity, true) => {
                adds.insert(identity, action);
            }
            (_, false) => composed.actions.push(action),
        }
    }
    let mut dropped = Vec::new();
    for action in second {
        match identity(&action) {
            (gone, false) if adds.remove(&gone).is_some() => dropped.push(gone.0),
            _ => composed.actions.push(action),
        }
    }
    composed.actions.extend(adds.into_values());
    let named: HashSet<String> = composed.actions.iter().map(|a| identity(a).0.0).collect();
    composed.orphans = dropped;
    composed.orphans.retain(|path| !named.contains(path));
    composed
}

/// The files of a table after `actions`.
pub(super) fn after(files: &[LiveFile], actions: &[FileAction], key: &str) -> Vec<LiveFile> {
    let mut gone = HashSet::new();
    let mut files = files.to_vec();
    for action in actions {
        match action {
            FileAction::Add(add) => files.push(LiveFile::from_add(add.clone(), Some(key))),
            FileAction::Remove(_) => {
                gone.insert(identity(action).0);
            }
        }
    }
    files.retain(|file| !gone.contains(&file.identity()));
    files
}

/// Which file, and whether it comes.
fn identity(action: &FileAction) -> (FileIdentity, bool) {
    match action {
        FileAction::Add(add) => (file_identity(&add.path, add.deletion_vector.as_ref()), true),
        FileAction::Remove(remove) => (
            file_identity(&remove.path, remove.deletion_vector.as_ref()),
            false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use deltalake_core::kernel::{Add, DeletionVectorDescriptor, Remove, StorageType};

    use super::*;

    fn vector(name: Option<&str>) -> Option<DeletionVectorDescriptor> {
        name.map(|name| DeletionVectorDescriptor {
            storage_type: StorageType::UuidRelativePath,
            path_or_inline_dv: name.to_owned(),
            offset: Some(1),
            size_in_bytes: 40,
            cardinality: 2,
        })
    }

    fn add(path: &str, dv: Option<&str>) -> FileAction {
        FileAction::Add(Add {
            path: path.to_owned(),
            deletion_vector: vector(dv),
            ..Add::default()
        })
    }

    fn remove(path: &str, dv: Option<&str>) -> FileAction {
        FileAction::Remove(Remove {
            path: path.to_owned(),
            deletion_vector: vector(dv),
            ..Remove::default()
        })
    }

    #[test]
    fn a_file_that_came_and_went_is_in_no_commit() {
        let first = vec![remove("a", None), add("b", None), add("d", None)];
        let second = vec![remove("b", None), add("c", None)];
        let composed = compose(first, second);
        assert_eq!(
            composed.actions,
            [remove("a", None), add("c", None), add("d", None)]
        );
        assert_eq!(composed.orphans, ["b"]);
    }

    #[test]
    fn a_file_marked_twice_keeps_its_data_and_its_last_vector() {
        let first = vec![remove("a", None), add("a", Some("one"))];
        let second = vec![remove("a", Some("one")), add("a", Some("two"))];
        let composed = compose(first, second);
        assert_eq!(composed.actions, [remove("a", None), add("a", Some("two"))]);
        assert!(composed.orphans.is_empty());
    }

    #[test]
    fn the_files_after_actions_are_those_before_less_and_more() {
        let before = vec![
            LiveFile::from_add(
                Add {
                    path: "a".into(),
                    ..Add::default()
                },
                None,
            ),
            LiveFile::from_add(
                Add {
                    path: "b".into(),
                    ..Add::default()
                },
                None,
            ),
        ];
        let live = after(
            &before,
            &[remove("a", None), add("a", Some("one")), add("c", None)],
            "k",
        );
        let found: Vec<_> = live.iter().map(|file| file.identity().0).collect();
        assert_eq!(found, ["b", "a", "c"]);
    }
}
