//! Plan 1: decode, row rules, stage.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};

use crate::cpu;
use crate::decode::{ChunkDecoder, CsvFile, Decoded, Layout, LoadMeter, chunks, decoded};
use crate::error::Result;
use crate::stage::{BatchStore, StageBudget};
use crate::validate::{RowRules, Rule, broken_column, broken_field};

/// What plan 1 leaves.
#[derive(Debug)]
pub struct Loaded {
    /// Well-formed records with what they broke.
    pub staged: Arc<BatchStore>,
    /// Malformed records.
    pub malformed: Arc<BatchStore>,
    /// The source's columns that rules read.
    pub raw_columns: Vec<String>,
}

impl Loaded {
    /// Records of the source.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        (self.staged.num_rows() + self.malformed.num_rows()) as u64
    }
}

/// The columns of a staged batch.
#[must_use]
pub fn stage_schema(layout: &Layout) -> SchemaRef {
    let mut fields: Vec<FieldRef> = layout.staged_schema().fields().iter().cloned().collect();
    fields.push(broken_field());
    Arc::new(Schema::new(fields))
}

/// The source columns that a load makes texts of: the mapped ones, and all where a user's row rule looks at `raw`.
fn raw_columns(layout: &Layout, rules: &[Rule], file: &CsvFile) -> Vec<String> {
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

/// Reads the file once: every record ends up staged, well-formed or malformed.
///
/// # Errors
/// The file cannot be read, a mapped column is missing, a user's rule does not plan, the disk is full.
pub async fn load(
    ctx: &SessionContext,
    file: &CsvFile,
    layout: &Layout,
    rules: &[Rule],
    budget: &StageBudget,
    threads: usize,
    meter: Arc<LoadMeter>,
) -> Result<Loaded> {
    file.positions(&layout.source_columns())?;
    let raw_columns = raw_columns(layout, rules, file);
    let kept = file.positions(&raw_columns)?;
    let decoder = ChunkDecoder::new(
        layout.clone(),
        file.options.dialect.clone(),
        raw_columns.clone(),
        file.header.columns.len(),
    );
    let row_rules = Arc::new(RowRules::compile(ctx, rules, decoder.schema()).await?);
    let schema = stage_schema(layout);
    let mut staged = BatchStore::new(Arc::clone(&schema), budget.clone());
    let mut malformed = BatchStore::new(crate::decode::layout::malformed_schema(), budget.clone());
    let decoded = decoded(
        chunks(file, &kept, Arc::clone(&meter)),
        Arc::new(decoder),
        threads,
    );
    let judged = decoded.map(|decoded| {
        let (rules, schema) = (Arc::clone(&row_rules), Arc::clone(&schema));
        async move {
            let decoded = decoded?;
            cpu::run(move || judge(decoded, &rules, &schema)).await
        }
    });
    let mut judged = std::pin::pin!(judged.buffered(threads.max(1)));
    while let Some(Judged {
        batch,
        broken_rows,
        malformed: bad,
    }) = judged.try_next().await?
    {
        let bad_rows = bad.as_ref().map_or(0, RecordBatch::num_rows);
        meter
            .rejected_rows
            .fetch_add((broken_rows + bad_rows) as u64, Ordering::Relaxed);
        if batch.num_rows() > 0 {
            staged.push(batch)?;
        }
        if let Some(bad) = bad {
            malformed.push(bad)?;
        }
    }
    staged.seal()?;
    malformed.seal()?;
    Ok(Loaded {
        staged: Arc::new(staged),
        malformed: Arc::new(malformed),
        raw_columns,
    })
}

/// A chunk after the row rules.
struct Judged {
    batch: RecordBatch,
    broken_rows: usize,
    malformed: Option<RecordBatch>,
}

fn judge(decoded: Decoded, rules: &RowRules, schema: &SchemaRef) -> Result<Judged> {
    let broken = rules.evaluate(&decoded.incoming)?;
    let broken_rows = broken.chunk_by(|a, b| a.0 == b.0).count();
    // All columns but `raw`, the last: it is made again from the bytes where it is wanted.
    let mut columns = decoded.incoming.columns().to_vec();
    columns.pop();
    columns.push(broken_column(decoded.incoming.num_rows(), &broken));
    let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
    Ok(Judged {
        batch,
        broken_rows,
        malformed: decoded.malformed,
    })
}
