//! Plan 1: decode, row rules, stage.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{FieldRef, Int64Type, Schema, SchemaRef};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use xxhash_rust::xxh3::xxh3_128;

use crate::decode::layout::{BROKEN, POSITION};
use crate::decode::{ChunkDecoder, Decoded, Layout, LoadMeter, OpenFile, process};
use crate::error::Result;
use crate::run::request::Extent;
use crate::sort::KeySample;
use crate::stage::{BatchStore, Packed, Packer, StageBudget, compact};
use crate::table::schemas::CUSTOMER_ID;
use crate::validate::duplicates::{KeyHashes, KeyIndex};
use crate::validate::{RowRules, Rule, broken_column, broken_field};

/// Bytes that the index of keys may take before it goes to disk: 32 million rows.
const KEY_INDEX_BYTES: usize = 256 << 20;
/// Of a small budget, the index takes at most one part in so many.
const KEY_INDEX_PART: usize = 8;
/// Bytes of staged keys in memory where a run only judges.
const STAGED_KEYS_BYTES: usize = 160 << 20;

/// What plan 1 leaves.
#[derive(Debug)]
pub struct Loaded {
    /// Well-formed records with what they broke.
    pub staged: Arc<BatchStore>,
    /// Malformed records.
    pub malformed: Arc<BatchStore>,
    /// The keys of the staged rows, by batch.
    pub keys: Option<KeyIndex>,
    /// Some keys of the staged rows.
    pub sample: KeySample,
    /// A hash of the source's bytes, as far as they were read; `None` where they were not at hand.
    pub bytes_hash: Option<u128>,
}

impl Loaded {
    /// Records of the source.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        (self.staged.num_rows() + self.malformed.num_rows()) as u64
    }
}

/// What a run wants to see of its well-formed records again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// All of it: to merge, to keep rejects, to run set rules.
    Records,
    /// Number, key and verdicts: to judge.
    Keys,
}

/// The columns of a staged batch of `file`.
#[must_use]
pub fn stage_schema(layout: &Layout, file: &OpenFile, staging: Staging) -> SchemaRef {
    let all = layout.staged_schema(&file.record_type());
    let mut fields: Vec<FieldRef> = all.fields().iter().cloned().collect();
    fields.push(broken_field());
    fields.retain(|field| is_staged(field, staging));
    Arc::new(Schema::new(fields))
}

fn is_staged(field: &FieldRef, staging: Staging) -> bool {
    staging == Staging::Records || [POSITION[0], CUSTOMER_ID, BROKEN].contains(&field.name().as_str())
}

/// The source columns that a load makes texts of: the mapped ones, and all where a user's row rule looks at `raw`.
fn raw_columns(layout: &Layout, rules: &[Rule], file: &OpenFile) -> Vec<String> {
    let mut columns = layout.source_columns();
    let mentions_raw =
        |rule: &Rule| rule.check == crate::validate::Check::UserRow && rule.sql.contains("raw");
    if rules.iter().any(mentions_raw) {
        let all = file.header.unique_columns();
        let others: Vec<String> = all.into_iter().filter(|c| !columns.contains(c)).collect();
        columns.extend(others);
    }
    columns
}

/// A load to be made.
pub struct Loading<'a> {
    /// The source.
    pub file: &'a OpenFile,
    /// What its columns become.
    pub layout: &'a Layout,
    /// All rules of the process.
    pub rules: &'a [Rule],
    /// What the run wants to see again.
    pub staging: Staging,
    /// Memory for that.
    pub budget: &'a StageBudget,
    /// How much of the source is read.
    pub extent: Extent,
    /// Threads that decode.
    pub threads: usize,
    /// Where progress is told.
    pub meter: Arc<LoadMeter>,
}

/// Reads the file once: every record ends up staged, well-formed or malformed.
///
/// # Errors
/// The file cannot be read, a mapped column is missing, a user's rule does not plan, the disk is full.
pub async fn load(ctx: &SessionContext, loading: Loading<'_>) -> Result<Loaded> {
    let Loading {
        file,
        layout,
        rules,
        staging,
        budget,
        extent,
        threads,
        meter,
    } = loading;
    file.positions(&layout.source_columns())?;
    let raw_columns = raw_columns(layout, rules, file);
    let kept = file.positions(&raw_columns)?;
    let decoder = ChunkDecoder::new(layout.clone(), file, raw_columns);
    let rules = RowRules::compile(ctx, rules, decoder.schema()).await?;
    let schema = stage_schema(layout, file, staging);
    let mut wanted = rules.columns();
    wanted.extend(schema.fields().iter().map(|field| field.name().as_str()));
    let decoder = decoder.only(&wanted);
    let index_bytes = KEY_INDEX_BYTES.min(budget.limit_bytes() / KEY_INDEX_PART);
    let budget = match staging {
        Staging::Records => budget.clone(),
        Staging::Keys => budget.at_most(STAGED_KEYS_BYTES),
    };
    let mut staged = BatchStore::new(Arc::clone(&schema), budget.clone());
    let mut malformed = BatchStore::new(crate::decode::layout::malformed_schema(), budget.clone());
    let mut keys = KeyIndex::new(index_bytes, budget.folder()?);
    let mut sample = KeySample::default();
    let last = extent.last_record_no();
    let packer = staged.packer();
    let judged = process(file, &kept, Arc::clone(&meter), threads, move |chunk| {
        let bytes_hash = chunk.bytes_hash();
        let judged = judge(
            within(decoder.decode(chunk)?, last),
            &rules,
            &schema,
            staging,
            &packer,
        )?;
        Ok((bytes_hash, judged))
    })?;
    let mut bytes_hash = Some(0);
    let mut judged = std::pin::pin!(judged);
    while let Some((hash, chunk)) = judged.try_next().await? {
        bytes_hash = bytes_hash.zip(hash).map(|(before, hash)| chained(before, hash));
        let bad_rows = chunk.malformed.as_ref().map_or(0, RecordBatch::num_rows);
        let rejected_rows = (chunk.broken_rows + bad_rows) as u64;
        meter.rejected_rows.fetch_add(rejected_rows, Ordering::Relaxed);
        if !chunk.customer_ids.is_empty() {
            keys.add(staged.len() as u32, chunk.keys)?;
            sample.add(
                chunk.customer_ids.as_string_view(),
                chunk.record_nos.as_primitive::<Int64Type>(),
            );
            staged.push_packed(chunk.batch)?;
        }
        if let Some(bad) = chunk.malformed {
            malformed.push(bad)?;
        }
        if (staged.num_rows() + malformed.num_rows()) as u64 >= last {
            // Dropping the stream stops the threads.
            break;
        }
    }
    Ok(Loaded {
        staged: Arc::new(staged),
        malformed: Arc::new(malformed),
        keys: Some(keys),
        sample,
        bytes_hash,
    })
}

/// The hash of what came `before` and of the chunk after it.
fn chained(before: u128, hash: u128) -> u128 {
    xxh3_128([before.to_le_bytes(), hash.to_le_bytes()].as_flattened())
}

/// A chunk after the row rules.
struct Judged {
    batch: Packed,
    customer_ids: ArrayRef,
    record_nos: ArrayRef,
    keys: KeyHashes,
    broken_rows: usize,
    malformed: Option<RecordBatch>,
}

/// The records up to number `last`.
fn within(decoded: Decoded, last: u64) -> Decoded {
    let Decoded { incoming, malformed } = decoded;
    Decoded {
        incoming: head(incoming, last),
        malformed: malformed
            .map(|bad| head(bad, last))
            .filter(|bad| bad.num_rows() > 0),
    }
}

fn head(batch: RecordBatch, last: u64) -> RecordBatch {
    let numbers = batch.column_by_name(POSITION[0]);
    let numbers = numbers.and_then(|column| column.as_primitive_opt::<Int64Type>());
    let is_within = |number: &i64| number.unsigned_abs() <= last;
    match numbers.map(|numbers| numbers.values().partition_point(is_within)) {
        Some(num_rows) if num_rows < batch.num_rows() => batch.slice(0, num_rows),
        _ => batch,
    }
}

fn judge(
    decoded: Decoded,
    rules: &RowRules,
    schema: &SchemaRef,
    staging: Staging,
    packer: &Packer,
) -> Result<Judged> {
    let Decoded { incoming, malformed } = decoded;
    let broken = rules.evaluate(&incoming)?;
    let broken_rows = broken.chunk_by(|a, b| a.0 == b.0).count();
    let all = incoming.schema();
    let keys = KeyHashes::of(incoming.column(all.index_of(CUSTOMER_ID)?).as_string_view())?;
    // `raw` is left out: it is made again from the bytes where it is wanted.
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields().iter().filter(|field| field.name() != BROKEN) {
        columns.push(Arc::clone(incoming.column(all.index_of(field.name())?)));
    }
    columns.push(broken_column(incoming.num_rows(), &broken));
    let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
    let batch = match staging {
        Staging::Records => batch,
        // What is staged in part must not hold the whole chunk.
        Staging::Keys => compact(&batch)?,
    };
    Ok(Judged {
        customer_ids: Arc::clone(batch.column(schema.index_of(CUSTOMER_ID)?)),
        record_nos: Arc::clone(batch.column(schema.index_of(POSITION[0])?)),
        batch: packer.pack(batch)?,
        keys,
        broken_rows,
        malformed,
    })
}
