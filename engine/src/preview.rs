//! What is in a file: its first megabyte read, everything else told by [`discover`](crate::discover).

use arrow::array::{Array, ArrayRef};

use crate::decode::bytes::{Limits, raw_head};
use crate::decode::parquet::{ParquetFile, TextColumn, texts};
use crate::discover::{Extent, Observed, Preview, SuggestOptions, guess_dialect, preview as preview_text};
use crate::error::{Error, Result};
use crate::source::SourceFile;
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
    if source.version.size_bytes == 0 {
        return Err(Error::data("file_empty", "the file has no bytes").in_file(shown));
    }
    let options = SuggestOptions {
        connection: connection.map(str::to_owned),
        ..SuggestOptions::new(shown)
    };
    if let Ok(file) = ParquetFile::open(source) {
        return preview_rows(&file, &options);
    }
    let head = raw_head(source, &Limits::default(), HEAD_BYTES)?;
    let extent = if head.is_whole {
        Extent::Whole
    } else {
        Extent::Beginning
    };
    preview_text(&head.bytes, extent, &options).map_err(unexpected)
}

fn preview_rows(file: &ParquetFile, options: &SuggestOptions) -> Result<Preview> {
    let mut observed = Observed::new(file.columns());
    let all: Vec<usize> = (0..file.columns().len()).collect();
    let mut rows_left = MAX_ROWS.min(usize::try_from(file.num_rows()).unwrap_or(MAX_ROWS));
    for group in 0..file.row_groups().len() {
        for batch in file.read(group, &all)? {
            let batch = batch?;
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column: &ArrayRef| texts(column))
                .collect::<Result<_>>()?;
            for row in 0..batch.num_rows().min(rows_left) {
                let cell = |column: &TextColumn| {
                    let texts = &column.texts;
                    texts.is_valid(row).then(|| texts.value(row).to_owned())
                };
                let cells: Vec<Option<String>> = columns.iter().map(cell).collect();
                observed.add_row(cells.iter().map(Option::as_deref));
            }
            rows_left = rows_left.saturating_sub(batch.num_rows());
            if rows_left == 0 {
                break;
            }
        }
    }
    let mut dialect = guess_dialect(b"PAR1", Extent::Beginning);
    dialect.columns = file.columns().to_vec();
    dialect.sampled_rows = observed.columns.first().map_or(0, |column| column.num_rows);
    observed.preview(dialect, options).map_err(unexpected)
}

fn unexpected(problem: Problem) -> Error {
    Error::runtime(problem.what).hint(problem.remedy)
}
