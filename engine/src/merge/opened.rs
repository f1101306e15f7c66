//! A live file opened for its merge.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef, SchemaRef};

use super::changes::{ChangeSlice, NullCells};
use super::compare::{Decoded, GroupChanges, Mapping, compare_group};
use super::cost::Splicing;
use super::file_merge::FileMerge;
use super::layout::FileLayout;
use super::probe::{GroupPairs, probe};
use crate::error::{Error, Result};
use crate::table::ParquetFile;
use crate::write::is_spliceable;

/// A file whose layout is as we write it, and the changes that may concern it.
pub(super) struct Opened {
    /// The file.
    pub file: ParquetFile,
    /// Its columns.
    pub layout: FileLayout,
    /// The mapped columns.
    pub mapping: Mapping,
    /// Position of the key in the table.
    pub key: usize,
    /// The changes in its key range.
    pub changes: ChangeSlice,
    /// Positions of its dead rows, ascending.
    pub deleted: Vec<u64>,
    /// Whether its columns can be copied.
    pub splicing: Splicing,
}

impl Opened {
    /// Opens the file; `None` when its layout is none of ours.
    ///
    /// # Errors
    /// The store failed, or the file or its deletion vector is damaged.
    pub async fn open(merge: &FileMerge, changes: &ChangeSlice) -> Result<Option<Self>> {
        let snapshot = &merge.job.snapshot;
        let add = &merge.file.add;
        let file = ParquetFile::open(
            snapshot.log.object_store(None),
            &add.path,
            add.size.unsigned_abs(),
        )
        .await?;
        let Some(layout) = FileLayout::of(&file, &snapshot.schema)? else {
            return Ok(None);
        };
        let key = merge.job.key_position()?;
        if layout.root(key).is_none() {
            return Ok(None);
        }
        let splicing = match is_spliceable(file.metadata()) {
            true => Splicing::Possible,
            false => Splicing::Impossible,
        };
        Ok(Some(Self {
            layout,
            mapping: Mapping {
                schema: Arc::clone(&snapshot.schema),
                attributes: merge.job.attribute_positions()?,
                nulls: merge.job.null_policies(),
            },
            key,
            changes: changes.clone(),
            deleted: merge.file.deleted_rows(snapshot.log.as_ref())?,
            splicing,
            file,
        }))
    }

    /// The rows that met a change.
    ///
    /// # Errors
    /// The store failed, or the file is damaged.
    pub async fn probe(&self) -> Result<Vec<GroupPairs>> {
        probe(&self.file, &self.layout, self.key, &self.changes, &self.deleted).await
    }

    /// What the changes do to a row group.
    ///
    /// # Errors
    /// The store failed, or the file is damaged.
    pub async fn compare(&self, found: &GroupPairs, decoded: Decoded) -> Result<GroupChanges> {
        compare_group(
            &self.file,
            &self.layout,
            &self.mapping,
            &self.changes,
            found,
            decoded,
        )
        .await
    }

    /// The position in the file of an attribute.
    pub fn root_of(&self, attribute: usize) -> Option<usize> {
        self.layout.root(*self.mapping.attributes.get(attribute)?)
    }

    /// The table's column of an attribute.
    pub fn field(&self, attribute: usize) -> FieldRef {
        let column = self.mapping.attributes.get(attribute).copied().unwrap_or(0);
        Arc::new(self.mapping.schema.field(column).clone())
    }

    /// What encoding needs, without the file.
    pub fn for_encoding(&self) -> Encoding {
        Encoding {
            schema: Arc::clone(&self.mapping.schema),
            attributes: self.mapping.attributes.clone(),
            nulls: self.mapping.nulls.clone(),
            changes: self.changes.clone(),
        }
    }
}

/// What encoding needs to know of the attributes.
pub(super) struct Encoding {
    schema: SchemaRef,
    attributes: Vec<usize>,
    nulls: Vec<NullCells>,
    changes: ChangeSlice,
}

impl Encoding {
    /// An attribute's column of the table, what its NULLs do, and its new values.
    ///
    /// # Errors
    /// No such attribute.
    pub fn attribute(&self, attribute: usize) -> Result<(&Field, NullCells, &ArrayRef)> {
        let column = self.attributes.get(attribute);
        let policy = self.nulls.get(attribute);
        match (column, policy, self.changes.attributes().nth(attribute)) {
            (Some(column), Some(policy), Some(change)) => Ok((self.schema.field(*column), *policy, change)),
            _ => Err(Error::runtime("an attribute of a merge is not in its changes")),
        }
    }
}
