//! A file at a glance: everything there is to say about it from its first bytes.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use super::column::{ColumnProfile, example_of};
use super::container::{self, Container};
use super::dialect::{DialectGuess, Extent, guess_dialect};
use super::encoding::decode_head;
use super::guess::guess_type;
use super::keys::{KeyCandidate, key_candidates};
use super::records::records;
use super::report::ColumnReport;
use super::suggest::{SuggestOptions, Suggestion, suggest};
use crate::spec::Problem;

/// Records shown as they are.
pub const SAMPLE_ROWS: usize = 5;

/// A file at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// How it is written.
    pub dialect: DialectGuess,
    /// Its columns, in file order.
    pub columns: Vec<ColumnReport>,
    /// Its first records, NULL where a column is missing; long cells are cut.
    pub sample: Vec<Vec<Option<String>>>,
    /// Columns that may be the key, the likeliest first.
    pub keys: Vec<KeyCandidate>,
    /// What to type next.
    pub suggestion: Suggestion,
}

/// Columns of a file under observation; rows of any source may be added.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The columns, in file order.
    pub columns: Vec<ColumnProfile>,
    /// The first [`SAMPLE_ROWS`] rows.
    pub sample: Vec<Vec<Option<String>>>,
}

impl Observed {
    /// Columns of which nothing was seen yet.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        Self {
            columns: names.iter().map(ColumnProfile::new).collect(),
            sample: Vec::new(),
        }
    }

    /// Takes one more row into account: a cell for each column, in their order.
    pub fn add_row<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>> + Clone) {
        if self.sample.len() < SAMPLE_ROWS {
            self.sample
                .push(cells.clone().map(|cell| cell.map(example_of)).collect());
        }
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.observe(cell);
        }
    }

    /// The preview of what was seen.
    ///
    /// # Errors
    /// As [`suggest`].
    pub fn preview(self, dialect: DialectGuess, options: &SuggestOptions) -> Result<Preview, Problem> {
        let report = |profile: &ColumnProfile| ColumnReport::new(profile, guess_type(profile));
        let columns: Vec<ColumnReport> = self.columns.iter().map(report).collect();
        let keys = key_candidates(&columns);
        let suggestion = suggest(options, &dialect, &columns, &keys)?;
        Ok(Preview {
            dialect,
            columns,
            sample: self.sample,
            keys,
            suggestion,
        })
    }
}

/// The preview of a text file from its first bytes; of Parquet and compressed files only the kind is told.
///
/// # Errors
/// As [`suggest`].
pub fn preview(head: &[u8], extent: Extent, options: &SuggestOptions) -> Result<Preview, Problem> {
    let dialect = guess_dialect(head, extent);
    let mut observed = Observed::new(&dialect.columns);
    match dialect.container {
        Container::Csv => {
            let text = decode_head(head, &dialect.encoding);
            observe_text(&mut observed, &text, &dialect, extent);
        }
        Container::Ndjson => {
            let text = decode_head(head, &dialect.encoding);
            observe_json(&mut observed, &text, &dialect, extent);
        }
        _ => (),
    }
    observed.preview(dialect, options)
}

/// Takes the well-formed records of a delimited text into account.
fn observe_text(observed: &mut Observed, text: &str, dialect: &DialectGuess, extent: Extent) {
    let line_end = dialect.line_end.last_char();
    let skip = |rest: &'_ str| rest.find(line_end).map_or(rest.len(), |at| at + 1);
    let start = (0..dialect.skip_rows).fold(0, |at, _| at + skip(text.get(at..).unwrap_or_default()));
    let all = records(text.get(start..).unwrap_or_default(), dialect.trial());
    let whole = all.skip(usize::from(dialect.has_header)).filter(|record| {
        let is_cut = extent == Extent::Beginning && !record.is_ended;
        !is_cut && !record.is_damaged && record.cells.len() == dialect.columns.len()
    });
    for record in whole {
        observed.add_row(record.cells.iter().map(|cell| Some(&**cell)));
    }
}

/// Takes the objects of NDJSON into account; what is nested becomes its JSON text.
fn observe_json(observed: &mut Observed, text: &str, dialect: &DialectGuess, extent: Extent) {
    let Some((objects, _)) = container::ndjson_objects(text, extent) else {
        return;
    };
    for object in objects {
        let cell = |name: &String| match object.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let cells: Vec<Option<String>> = dialect.columns.iter().map(cell).collect();
        observed.add_row(cells.iter().map(Option::as_deref));
    }
}
