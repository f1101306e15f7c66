//! Who holds a customer: every file of the instance is read, whatever version it is of.
//!
//! ```text
//!   customers/*.parquet        the key of every row, dead ones too, and its bounds in the footer
//!   rejects, events, runs      every row
//!   _delta_log                 every string of every entry and checkpoint: bounds, messages, examples
//!   the rest                   every text
//! ```
//!
//! Of files that are compressed, pages are decoded; the bytes as they are stored are searched too, for an id that is long
//! enough not to be met by chance.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

use super::edits::{RejectRows, is_named};
use super::needle::Needle;
use crate::cpu;
use crate::error::Result;
use crate::maintain::MaintainedTable;
use crate::table::TableLog;
use crate::table::schemas::CUSTOMER_ID;

/// How a file holds a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// Not at all.
    Nothing,
    /// It is named in what belongs to somebody else: another customer's attribute, a user's own text.
    Mention,
    /// What is about that customer.
    Customer,
}

/// Texts of `events` and `runs` that may name a customer.
pub(super) fn text_columns(table: MaintainedTable) -> &'static [&'static str] {
    match table {
        MaintainedTable::Events => &["detail"],
        MaintainedTable::Runs => &["error"],
        MaintainedTable::Customers | MaintainedTable::Rejects => &[],
    }
}

/// What was found in the files of one table, by path.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files that hold something.
    pub files: HashMap<String, Holds>,
    /// Files read.
    pub read_files: u64,
    /// Bytes read.
    pub read_bytes: u64,
}

impl Found {
    /// The paths of files that hold the customer: of the log or not.
    pub fn holding(&self, of_log: bool) -> Vec<String> {
        let holding = self.files.iter().filter(|(_, holds)| **holds == Holds::Customer);
        let mut paths: Vec<String> = holding
            .map(|(path, _)| path.clone())
            .filter(|path| path.starts_with("_delta_log/") == of_log)
            .collect();
        paths.sort();
        paths
    }
}

/// Searches the files of one table; a file is read once.
#[derive(Debug)]
pub(super) struct Searcher {
    needle: Needle,
    table: MaintainedTable,
    log: TableLog,
    /// What was found.
    pub found: Found,
}

impl Searcher {
    /// Nothing is searched yet.
    pub fn new(needle: Needle, table: MaintainedTable, log: TableLog) -> Self {
        Self {
            needle,
            table,
            log,
            found: Found::default(),
        }
    }

    /// Searches everything in the table's folder.
    ///
    /// # Errors
    /// A file cannot be read, or is no Parquet though it is called so.
    pub async fn all(&mut self) -> Result<()> {
        let store = self.log.store().object_store(None);
        let listed: Vec<Path> = store
            .list(None)
            .map_ok(|file| file.location)
            .try_collect()
            .await?;
        for path in listed {
            self.file(path.as_ref()).await?;
        }
        Ok(())
    }

    /// Searches one file.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn file(&mut self, path: &str) -> Result<Holds> {
        if let Some(holds) = self.found.files.get(path) {
            return Ok(*holds);
        }
        let store = self.log.store().object_store(None);
        let bytes = match store.get(&Path::from(path)).await {
            Ok(found) => found.bytes().await?,
            // Somebody cleaned up meanwhile.
            Err(object_store::Error::NotFound { .. }) => return Ok(Holds::Nothing),
            Err(error) => return Err(error.into()),
        };
        self.found.read_files += 1;
        self.found.read_bytes += bytes.len() as u64;
        let (needle, table, name) = (self.needle.clone(), self.table, path.to_owned());
        let holds = cpu::run(move || look_into(&needle, table, &name, bytes)).await;
        let holds = holds.map_err(|error| error.in_file(path))?;
        self.found.files.insert(path.to_owned(), holds);
        Ok(holds)
    }
}

fn look_into(needle: &Needle, table: MaintainedTable, path: &str, bytes: Bytes) -> Result<Holds> {
    let is_log = path.starts_with("_delta_log/");
    let as_stored = match needle.is_in_bytes(&bytes) {
        true if is_log => Holds::Customer,
        true => Holds::Mention,
        false => Holds::Nothing,
    };
    let decoded = match (path.ends_with(".parquet"), is_log) {
        (true, false) => rows(needle, table, bytes)?,
        (true, true) => strings(needle, bytes)?,
        (false, true) => text(needle, &bytes),
        (false, false) => Holds::Nothing,
    };
    Ok(decoded.max(as_stored))
}

/// Lines of JSON, or another text.
fn text(needle: &Needle, bytes: &[u8]) -> Holds {
    let text = String::from_utf8_lossy(bytes);
    match needle.is_named_in(&text) || text.lines().any(|line| needle.is_named_in(line)) {
        true => Holds::Customer,
        false => Holds::Nothing,
    }
}

/// A file of rows, dead ones too: deletion vectors are not looked at.
fn rows(needle: &Needle, table: MaintainedTable, bytes: Bytes) -> Result<Holds> {
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    if is_bound(needle, reader.metadata(), table) {
        return Ok(Holds::Customer);
    }
    if table == MaintainedTable::Customers {
        let schema = reader.parquet_schema();
        let key = schema
            .root_schema()
            .get_fields()
            .iter()
            .position(|field| field.name() == CUSTOMER_ID);
        let Some(key) = key else { return Ok(Holds::Nothing) };
        let mask = ProjectionMask::roots(schema, [key]);
        reader = reader.with_projection(mask);
    }
    for batch in reader.build()? {
        let batch = batch?;
        let holds = match table {
            MaintainedTable::Customers => is_key(needle, batch.column(0))?,
            MaintainedTable::Rejects => !RejectRows::naming(&batch, needle)?.is_none(),
            MaintainedTable::Runs | MaintainedTable::Events => is_named(&batch, text_columns(table), needle)?,
        };
        if holds {
            return Ok(Holds::Customer);
        }
    }
    Ok(Holds::Nothing)
}

fn is_key(needle: &Needle, keys: &ArrayRef) -> Result<bool> {
    let keys = cast(keys, &DataType::Utf8View)?;
    Ok(keys
        .as_string_view()
        .iter()
        .flatten()
        .any(|key| key == needle.id()))
}

/// Whether a bound in the footer is the customer; of `customers` those of the key.
fn is_bound(needle: &Needle, metadata: &ParquetMetaData, table: MaintainedTable) -> bool {
    let mut columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    columns.any(|column| {
        let is_looked_at =
            table != MaintainedTable::Customers || column.column_path().string() == CUSTOMER_ID;
        let bounds = column
            .statistics()
            .map(|found| [found.min_bytes_opt(), found.max_bytes_opt()]);
        let mut bounds = bounds.into_iter().flatten().flatten();
        is_looked_at && bounds.any(|bound| bound == needle.id().as_bytes())
    })
}

/// A checkpoint: every string in it.
fn strings(needle: &Needle, bytes: Bytes) -> Result<Holds> {
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        if batch_names(needle, &batch?)? {
            return Ok(Holds::Customer);
        }
    }
    Ok(Holds::Nothing)
}

fn batch_names(needle: &Needle, batch: &RecordBatch) -> Result<bool> {
    for column in batch.columns() {
        if array_names(needle, column)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn array_names(needle: &Needle, array: &ArrayRef) -> Result<bool> {
    let children: Vec<ArrayRef> = match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = cast(array, &DataType::Utf8View)?;
            return Ok(texts
                .as_string_view()
                .iter()
                .flatten()
                .any(|text| needle.is_named_in(text)));
        }
        DataType::Struct(_) => array.as_struct().columns().to_vec(),
        DataType::List(_) => vec![array.as_list::<i32>().values().clone()],
        DataType::Map(..) => {
            let map = array.as_map();
            vec![map.keys().clone(), map.values().clone()]
        }
        _ => Vec::new(),
    };
    for child in &children {
        if array_names(needle, child)? {
            return Ok(true);
        }
    }
    Ok(false)
}
