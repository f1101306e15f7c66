//! Rejects of a run as the source of another.
//!
//! ```text
//!   open rejects ─▶ raw, with place ─▶ plan 1, the current rules ─┬─▶ accepted ─▶ merge; events say `replayed`
//!   of the run      (decode/kept)                                 └─▶ the others stay open where they are
//! ```
//!
//! The events are committed before `customers`, as the rejects of a run are. They count when the run that they name
//! has merged, so that a program that dies between the two has replayed nothing, and one that dies after them all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields, Int64Type};
use datafusion::prelude::{DataFrame, SessionContext, col, lit};
use futures::TryStreamExt;
use serde::Deserialize;

use super::overtaken::{Known, key_hash};
use super::request::{Overtaken, Replay};
use crate::decode::bytes::Encoding;
use crate::decode::{FileFormat, Header, Kept, OpenFile, ReadOptions};
use crate::error::{Error, Result};
use crate::history::standing_run;
use crate::instance::Instance;
use crate::report::{RunRecord, read_run};
use crate::settings::Settings;
use crate::source::{RowBatches, Rows, Stop};
use crate::sql;
use crate::stage::{BatchStore, StageBudget, compact};
use crate::validate::id::CID_DUPLICATE;

/// The run whose rejects are replayed.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    /// Its id.
    pub run_id: String,
    /// What it read.
    pub source_file: Option<String>,
    format: SourceFormat,
}

/// `runs.source_format`, as far as its records are read by it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct SourceFormat {
    format: String,
    encoding: Option<String>,
    header: Vec<String>,
}

/// The process and the id of the run whose rejects RUN means: of a replay those of the run that it replayed, which keeps
/// them.
///
/// # Errors
/// There is no such run.
pub async fn rejects_of(instance: &Instance, run: Option<&str>) -> Result<(String, String)> {
    let run_id = sql::resolve_run(instance, run).await?;
    let row = ended(instance, &run_id).await?;
    Ok((row.process, row.parent_run_id.unwrap_or(run_id)))
}

/// The run that `replay` is about.
///
/// # Errors
/// It is of another process; it merged nothing, or was rolled back.
pub(super) async fn parent(instance: &Instance, process: &str, replay: &Replay) -> Result<Parent> {
    let row = ended(instance, &replay.run_id).await?;
    if row.process != process {
        return Err(Error::usage(format!(
            "run {} is of the process {}",
            replay.run_id, row.process
        )));
    }
    if !row.is_merged() {
        let message = format!(
            "run {} is {}: it merged nothing",
            replay.run_id,
            row.status.word()
        );
        return Err(run_again(message, process, &row));
    }
    let standing = standing_run(&instance.customers()?, &[replay.run_id.as_str()]).await?;
    if standing.is_none() {
        let message = format!("run {} was rolled back", replay.run_id);
        return Err(run_again(message, process, &row));
    }
    Ok(Parent::of(row))
}

impl Parent {
    /// The run of this row.
    pub fn of(run: RunRecord) -> Self {
        let format = run
            .source_format
            .and_then(|text| serde_json::from_str(&text).ok());
        Self {
            run_id: run.run_id,
            source_file: run.source_file,
            format: format.unwrap_or_default(),
        }
    }
}

fn run_again(message: String, process: &str, row: &RunRecord) -> Error {
    let file = row.source_file.as_deref().unwrap_or("FILE");
    Error::usage(message)
        .hint("its rejects are part of a file of which nothing counts; run the whole file again")
        .hint(format!("sluice run {process} --file {file} --force"))
        .wrote("nothing")
}

async fn ended(instance: &Instance, run_id: &str) -> Result<RunRecord> {
    let run = read_run(instance, run_id).await?;
    run.ok_or_else(|| Error::usage(format!("run {run_id} has not ended")))
}

/// Open rejects, ready to be decoded again.
pub(super) struct KeptSource {
    /// They, as a source.
    pub file: OpenFile,
    /// The highest number among them.
    pub last_record_no: u64,
    /// Those that the run cannot have written in another record.
    pub known: Known,
    /// The rejects and what became of them.
    pub states: SessionContext,
}

/// What selects rejects.
pub(super) struct Selecting {
    pub instance: Instance,
    pub settings: Settings,
    pub parent: Parent,
    /// An SQL expression over `reject_states`.
    pub filter: Option<String>,
    /// Whether those that are not open count too.
    pub which: Which,
}

/// Which rejects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that nothing was done about.
    Open,
    /// All whose bytes are there.
    Kept,
}

impl Selecting {
    /// The open rejects that the filter takes; none if there are none. `options` are those of the process now: its
    /// encoding counts where it says one, else that in which the run read.
    ///
    /// # Errors
    /// The filter is no expression over rejects; the disk is full.
    pub async fn open(self, options: ReadOptions, budget: StageBudget) -> Result<Option<KeptSource>> {
        let settings = Settings {
            memory_bytes: self.settings.memory_bytes / 5,
            ..self.settings
        };
        let states = sql::session(&self.instance, &settings).await?;
        let frame = self.frame(&states).await?;
        let mut rows = frame.execute_stream().await?;
        let fields: Fields = rows.schema().fields().iter().take(PLACED).cloned().collect();
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.clone()));
        let mut store = BatchStore::new(schema, budget);
        let (mut known, mut last_record_no) = (Known::default(), 0);
        while let Some(batch) = rows.try_next().await? {
            last_record_no = note(&batch, &mut known)?.max(last_record_no);
            let placed: Vec<usize> = (0..PLACED).collect();
            store.push(compact(&batch.project(&placed)?)?)?;
        }
        if store.num_rows() == 0 {
            return Ok(None);
        }
        let header = self.parent.format.header.clone();
        let kept = Kept {
            format: self.parent.format.file_format(),
            encoding: self.parent.format.encoding(options.encoding),
            rows: Arc::new(KeptRows {
                columns: header.clone(),
                fields,
                store: Arc::new(store),
            }),
        };
        let url = self.parent.source_file.clone().unwrap_or_default();
        Ok(Some(KeptSource {
            file: OpenFile::of_kept(url, kept, Header::of(header), options),
            last_record_no,
            known,
            states,
        }))
    }

    async fn frame(&self, states: &SessionContext) -> Result<DataFrame> {
        let rows = sql::chosen_rejects(states, &self.parent.run_id, self.filter.as_deref()).await?;
        let rows = match self.which {
            Which::Open => rows.filter(col("state").eq(lit("open")))?,
            Which::Kept => rows.filter(col("raw").is_not_null())?,
        };
        let rows = rows.sort(vec![col("record_no").sort(true, false)])?;
        Ok(rows.select_columns(&[
            "record_no",
            "line",
            "byte_start",
            "byte_len",
            "raw",
            "customer_id",
            "reasons",
        ])?)
    }
}

/// Columns of a kept record: its place and its bytes.
const PLACED: usize = 5;

/// Notes the customers of records that stood for their customer alone. Returns the last record's number.
fn note(batch: &RecordBatch, known: &mut Known) -> Result<u64> {
    let numbers = batch.column(0).as_primitive::<Int64Type>().values();
    let keys: ArrayRef = cast(batch.column(PLACED), &DataType::Utf8View)?;
    let keys = keys.as_string_view();
    for (row, number) in numbers.iter().enumerate() {
        if keys.is_valid(row) && !lost_to_another(batch.column(PLACED + 1), row) {
            known.insert(number.unsigned_abs(), key_hash(keys.value(row)));
        }
    }
    Ok(numbers.last().map_or(0, |last| last.unsigned_abs()))
}

/// Whether the record was rejected because another one of its customer was kept: the message says so.
fn lost_to_another(reasons: &ArrayRef, row: usize) -> bool {
    let Some(list) = reasons.as_list_opt::<i32>().filter(|list| list.is_valid(row)) else {
        return true;
    };
    let reasons = list.value(row);
    let Some(reasons) = reasons.as_struct_opt() else {
        return true;
    };
    let text = |name: &str| cast(reasons.column_by_name(name)?, &DataType::Utf8).ok();
    let (Some(rules), Some(messages)) = (text("rule"), text("message")) else {
        return true;
    };
    let mut both = rules.as_string::<i32>().iter().zip(messages.as_string::<i32>());
    both.any(|(rule, message)| rule == Some(CID_DUPLICATE) && message.is_some_and(|m| m.ends_with("is kept")))
}

impl SourceFormat {
    fn file_format(&self) -> FileFormat {
        match self.format.as_str() {
            "ndjson" => FileFormat::Ndjson,
            "parquet" => FileFormat::Parquet,
            "table" => FileFormat::Table,
            _ => FileFormat::Csv,
        }
    }

    /// The encoding of the bytes that were kept; rows of typed sources were kept as JSON, which is UTF-8.
    fn encoding(&self, of_process: Encoding) -> Encoding {
        let of_run = self
            .encoding
            .as_deref()
            .and_then(|name| Encoding::from_label(name).ok());
        match (of_run, of_process) {
            (Some(of_run), Encoding::Utf8 | Encoding::Utf16) => of_run,
            (Some(_), of_process) => of_process,
            (None, _) => Encoding::Utf8,
        }
    }
}

/// Kept records as rows.
#[derive(Debug)]
struct KeptRows {
    columns: Vec<String>,
    fields: Fields,
    store: Arc<BatchStore>,
}

impl Rows for KeptRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn batches(&self, _stop: Stop) -> Result<RowBatches> {
        let store = Arc::clone(&self.store);
        Ok(Box::new((0..store.len()).map(move |number| store.read(number))))
    }

    fn sample(&self, _max_rows: usize) -> Result<RowBatches> {
        self.batches(Stop::default())
    }
}

impl Replay {
    /// All open rejects of a run; those that a later run overtook are held back.
    #[must_use]
    pub fn of(run_id: impl Into<String>) -> Self {
        Self {
            run_id: run_id.into(),
            filter: None,
            overtaken: Overtaken::HeldBack,
        }
    }
}
