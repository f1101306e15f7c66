//! What is in a file: its first megabyte read, everything else told by [`discover`](crate::discover).

use arrow::array::{Array, RecordBatch};

use crate::decode::bytes::{Limits, raw_head};
use crate::decode::parquet::{ParquetFile, TextColumn, texts_of};
use crate::discover::{
    Container, Extent, Observed, Preview, SuggestOptions, guess_dialect, preview as preview_text,
};
use crate::error::{Error, Result};
use crate::source::{Rows, SourceFile};
use crate::spec::Problem;

/// Bytes that are looked at.
const HEAD_BYTES: usize = 1 << 20;
/// Rows of a typed file that are looked at.
const MAX_ROWS: usize = 10_000;

/// Looks at the first megabyte of `source`; `shown` and `connection` are how the user writes it in
/// commands. May wait.
///
/// # Errors
/// The file is empty, damaged, or in a format that is not read.
pub fn preview(source: &SourceFile, shown: &str, connection: Option<&str>) -> Result<Preview> {
    let options = SuggestOptions {
        connection: connection.map(str::to_owned),
        ..SuggestOptions::new(shown)
    };
    if let Some(rows) = source.rows() {
        return preview_rows(rows.as_ref(), Container::Table, &options);
    }
    if source.version.size_bytes == 0 {
        return Err(Error::data("file_empty", "the file has no bytes").in_file(shown));
    }
    if let Ok(file) = ParquetFile::open(source) {
        return preview_rows(&file, Container::Parquet, &options);
    }
    let head = raw_head(source, &Limits::default(), HEAD_BYTES)?;
    let extent = if head.is_whole {
        Extent::Whole
    } else {
        Extent::Beginning
    };
    preview_text(&head.bytes, extent, &options).map_err(unexpected)
}

fn preview_rows(rows: &dyn Rows, container: Container, options: &SuggestOptions) -> Result<Preview> {
    let mut observed = Observed::new(rows.columns());
    let mut rows_left = MAX_ROWS;
    for batch in rows.sample(MAX_ROWS)? {
        let batch = batch?;
        observe(&mut observed, &batch, rows_left)?;
        rows_left = rows_left.saturating_sub(batch.num_rows());
        if rows_left == 0 {
            break;
        }
    }
    // What a typed source says of its dialect is that of Parquet: nothing.
    let mut dialect = guess_dialect(b"PAR1", Extent::Beginning);
    dialect.container = container;
    dialect.columns = rows.columns().to_vec();
    dialect.sampled_rows = observed.columns.first().map_or(0, |column| column.num_rows);
    observed.preview(dialect, options).map_err(unexpected)
}

/// Takes the first `max_rows` rows of a batch into account.
fn observe(observed: &mut Observed, batch: &RecordBatch, max_rows: usize) -> Result<()> {
    let fields = batch.schema_ref().fields().iter();
    let columns = fields
        .zip(batch.columns())
        .map(|(field, column)| texts_of(field, column));
    let columns: Vec<TextColumn> = columns.collect::<Result<_>>()?;
    for row in 0..batch.num_rows().min(max_rows) {
        let cell = |column: &TextColumn| {
            let texts = &column.texts;
            texts.is_valid(row).then(|| texts.value(row).to_owned())
        };
        let cells: Vec<Option<String>> = columns.iter().map(cell).collect();
        observed.add_row(cells.iter().map(Option::as_deref));
    }
    Ok(())
}

fn unexpected(problem: Problem) -> Error {
    Error::runtime(problem.what).hint(problem.remedy)
}
