//! The strategy for many changes in few columns: copy what stays, encode what changes.
//!
//! Positions do not change, so the file keeps its deletion vector. Row groups stream: of one, the columns to encode are
//! in memory, and of the chunks to copy a few pieces.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::FieldRef;
use bytes::Bytes;
use deltalake_core::kernel::Add;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::algo::overlaid;
use super::compare::{Decoded, GroupChanges, read_mapped};
use super::file_merge::FileMerge;
use super::opened::Opened;
use super::probe::GroupPairs;
use super::read::on_core;
use crate::error::{Error, Result};
use crate::ids;
use crate::table::schemas::CUSTOMER_ID;
use crate::write::{Chunk, Encoders, FileAction, Piece, SpliceWriter, WriterOptions};

/// What a splice did.
pub(super) struct Spliced {
    /// What the changes did to each row group.
    pub groups: Vec<GroupChanges>,
    /// The Remove and the Add.
    pub actions: Vec<FileAction>,
    /// Bytes copied.
    pub copied_bytes: u64,
    /// Bytes of the new file that were encoded.
    pub encoded_bytes: u64,
}

/// Where the new values of a column of the file come from.
#[derive(Debug, Clone, Copy)]
struct Mapped {
    /// The attribute's position among the changes.
    attribute: usize,
    /// The leaf of the target that holds it.
    leaf: usize,
}

/// Splices the file. `compared` are the first of `found`, done already.
///
/// # Errors
/// The store failed, or the file is damaged.
pub(super) async fn splice(
    merge: &FileMerge,
    opened: &Opened,
    found: &[GroupPairs],
    compared: Vec<GroupChanges>,
) -> Result<Spliced> {
    let added = added_attributes(opened, found)?;
    let fields: Vec<FieldRef> = added.iter().map(|attribute| opened.field(*attribute)).collect();
    let path = ids::data_file(&merge.job.run_id);
    let store = merge.job.snapshot.log.object_store(None);
    let source = opened.file.metadata();
    let options = WriterOptions::clustered(CUSTOMER_ID, merge.job.snapshot.encoding);
    let columns = opened.layout.columns.schema();
    let mut writer = SpliceWriter::create(store, &path, source, columns, &fields, &options)?;
    let encoders = writer.encoders();
    let mut spliced = Spliced {
        groups: Vec::with_capacity(found.len()),
        actions: Vec::new(),
        copied_bytes: 0,
        encoded_bytes: 0,
    };
    let (mut compared, mut found) = (compared.into_iter(), found.iter().peekable());
    for group in 0..source.num_row_groups() {
        let mut changes = match found.next_if(|pairs| pairs.group == group) {
            None => None,
            Some(pairs) => Some(match compared.next() {
                Some(compared) => compared,
                None => opened.compare(pairs, Decoded::Kept).await?,
            }),
        };
        let encoded = encode(opened, &encoders, group, changes.as_mut(), &added).await?;
        let chunks = with_copies(opened, group, encoded, &mut spliced).await?;
        writer.write_group(&opened.file, chunks).await?;
        spliced
            .groups
            .extend(changes.map(|changes| GroupChanges { old: None, ..changes }));
    }
    let size_bytes = writer.finish(&opened.file).await?;
    spliced.encoded_bytes = size_bytes.saturating_sub(spliced.copied_bytes);
    let removed = merge.file.remove(merge.job.deletion_timestamp_ms);
    spliced.actions = vec![
        FileAction::Remove(removed),
        FileAction::Add(added_file(&merge.file.add, path, size_bytes)),
    ];
    Ok(spliced)
}

/// The same rows under another path: statistics and deletion vector hold for it too.
fn added_file(source: &Add, path: String, size_bytes: u64) -> Add {
    Add {
        path,
        size: i64::try_from(size_bytes).unwrap_or(i64::MAX),
        modification_time: chrono::Utc::now().timestamp_millis(),
        data_change: true,
        ..source.clone()
    }
}

/// The attributes that the file lacks and that a change gives a value.
fn added_attributes(opened: &Opened, found: &[GroupPairs]) -> Result<Vec<usize>> {
    let mut added = Vec::new();
    for (attribute, change) in opened.changes.attributes().enumerate() {
        if opened.root_of(attribute).is_some() {
            continue;
        }
        let has_value = |group: &GroupPairs| -> Result<bool> {
            let rows = UInt32Array::from(group.pairs.change_rows.clone());
            Ok(take(change, &rows, None)?.logical_null_count() < rows.len())
        };
        for group in found {
            if has_value(group)? {
                added.push(attribute);
                break;
            }
        }
    }
    Ok(added)
}

/// The leaves of a row group that are not copied, encoded: those of attributes that change in it, and new columns.
async fn encode(
    opened: &Opened,
    encoders: &Arc<Encoders>,
    group: usize,
    changes: Option<&mut GroupChanges>,
    added: &[usize],
) -> Result<Vec<(usize, Chunk)>> {
    let metadata = opened.file.metadata();
    let num_leaves = metadata.file_metadata().schema_descr().num_columns();
    let num_rows = usize::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
    let is_changed = |attribute: &usize| {
        let cells = changes.as_ref().and_then(|changes| changes.cells.get(*attribute));
        cells.is_some_and(|cells| cells.changed > 0)
    };
    let in_file = (0..opened.mapping.attributes.len())
        .filter(is_changed)
        .filter_map(|attribute| {
            let leaf = opened.layout.leaf(*opened.mapping.attributes.get(attribute)?)?;
            Some(Mapped { attribute, leaf })
        });
    let new = added.iter().enumerate().map(|(position, attribute)| Mapped {
        attribute: *attribute,
        leaf: num_leaves + position,
    });
    let wanted: Vec<Mapped> = in_file.chain(new).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let old = match changes {
        Some(changes) => {
            let old = match changes.old.take() {
                Some(old) => old,
                None => read_mapped(&opened.file, &opened.layout, &opened.mapping, group, num_rows).await?,
            };
            Some((old, changes.changed.clone()))
        }
        None => None,
    };
    let (opened, encoders) = (opened.for_encoding(), Arc::clone(encoders));
    on_core(move || {
        let mut chunks = Vec::with_capacity(wanted.len());
        for Mapped { attribute, leaf } in wanted {
            let (field, nulls, change) = opened.attribute(attribute)?;
            let column: ArrayRef = match &old {
                Some((old, changed)) => overlaid(column_of(old, attribute)?, change, changed, nulls)?,
                None => new_null_array(field.data_type(), num_rows),
            };
            let mut encoder = encoders.encoder(field.name(), &column)?;
            for leaf in compute_leaves(field, &column)? {
                encoder.write(&leaf)?;
            }
            chunks.push((leaf, Chunk::Encoded(Box::new(encoder.close()?))));
        }
        Ok(chunks)
    })
    .await
}

fn column_of(columns: &[ArrayRef], attribute: usize) -> Result<&ArrayRef> {
    columns
        .get(attribute)
        .ok_or_else(|| Error::runtime("a mapped column was not read"))
}

/// All leaves of a row group in order: those `encoded`, the others copied.
async fn with_copies(
    opened: &Opened,
    group: usize,
    encoded: Vec<(usize, Chunk)>,
    spliced: &mut Spliced,
) -> Result<Vec<Chunk>> {
    let columns = opened.file.metadata().row_group(group).columns();
    let taken: Vec<usize> = encoded.iter().map(|(leaf, _)| *leaf).collect();
    let copied = columns
        .iter()
        .enumerate()
        .filter(|(leaf, _)| !taken.contains(leaf));
    let mut all = encoded;
    for (leaf, chunk) in copied {
        spliced.copied_bytes += chunk.byte_range().1;
        let filter = match bloom_range(chunk) {
            Some(range) => Some((range.start, opened.file.fetch_one(range).await?)),
            None => None,
        };
        let close = close_result(opened, group, leaf, chunk, filter)?;
        all.push((
            leaf,
            Chunk::Copied {
                close: Box::new(close),
            },
        ));
    }
    all.sort_unstable_by_key(|(leaf, _)| *leaf);
    Ok(all.into_iter().map(|(_, chunk)| chunk).collect())
}

/// Where a chunk's bloom filter is.
fn bloom_range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
    let length = u64::try_from(chunk.bloom_filter_length()?).ok()?;
    Some(start..start + length)
}

/// What the source says of a chunk, indexes and filter included.
fn close_result(
    opened: &Opened,
    group: usize,
    leaf: usize,
    chunk: &ColumnChunkMetaData,
    filter: Option<(u64, Bytes)>,
) -> Result<ColumnCloseResult> {
    let metadata = opened.file.metadata();
    let bounds = metadata.column_index().and_then(|all| all.get(group)?.get(leaf));
    let offsets = metadata.offset_index().and_then(|all| all.get(group)?.get(leaf));
    let bloom_filter = match filter {
        Some((start, bytes)) => Sbbf::read_from_column_chunk(chunk, &Piece { start, bytes })?,
        None => None,
    };
    let (_, length) = chunk.byte_range();
    Ok(ColumnCloseResult {
        bytes_written: length,
        rows_written: metadata.row_group(group).num_rows().unsigned_abs(),
        metadata: chunk.clone(),
        bloom_filter,
        column_index: bounds
            .filter(|index| !matches!(index, ColumnIndexMetaData::NONE))
            .cloned(),
        offset_index: offsets.cloned(),
    })
}
