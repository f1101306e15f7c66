//! Whether the first record names the columns.
//!
//! ```text
//!   id    birth         7     1990-02-01
//!   1     1980-01-31    1     1980-01-31
//!   2     1975-12-01    2     1975-12-01
//!   a name above numbers and dates: a header      one more of the same: no header
//! ```

use std::collections::HashSet;

use super::records::Record;
use super::traits::Traits;

/// Facts of values that are seldom names; the first that holds is the kind of a value.
const VALUES: [Traits; 4] = [
    Traits::TEMPORAL,
    Traits::DOUBLE,
    Traits::EMAIL,
    Traits::DECIMAL_COMMA,
];

/// Words that columns are often called, as parts of their names.
const NAME_WORDS: [&str; 25] = [
    "id", "cid", "name", "email", "mail", "date", "type", "code", "status", "city", "country", "phone",
    "address", "amount", "key", "number", "value", "gender", "birth", "tier", "spend", "created", "updated",
    "nr", "no",
];

/// What speaks for or against a header.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderGuess {
    /// Whether the first record is one.
    pub is_present: bool,
    /// Why.
    pub evidence: String,
}

/// Judges the first of `records`, which all have the same number of fields.
#[must_use]
pub fn guess_header(records: &[&Record<'_>]) -> HeaderGuess {
    let Some((first, rest)) = records.split_first() else {
        return decided(true, "there is no record");
    };
    if first.cells.iter().any(|cell| kind(cell).is_some()) && !looks_like_names(first) {
        let same = same_kinds(first, rest);
        if same > 0 || rest.is_empty() {
            return decided(
                false,
                format!("the first record holds values: {same} of its cells are of their column's kind"),
            );
        }
    }
    let contrasts = (0..first.cells.len())
        .filter(|column| contrasts(first, rest, *column))
        .count();
    if contrasts > 0 {
        return decided(
            true,
            format!("{contrasts} cells of the first record differ in kind from all below them"),
        );
    }
    if !looks_like_names(first) {
        return decided(
            false,
            "the first record has empty or repeated cells, as no header has",
        );
    }
    let repeated = repeated_cells(first, rest);
    let named = first.cells.iter().filter(|cell| is_usual_name(cell)).count();
    if named == 0 && repeated > 0 {
        return decided(
            false,
            format!("{repeated} cells of the first record come again below them"),
        );
    }
    match named {
        0 => decided(
            true,
            "nothing tells the first record from the others; a header is the rule",
        ),
        _ => decided(
            true,
            format!("{named} cells of the first record are usual names of columns"),
        ),
    }
}

/// Whether all cells are different and none is empty or a value. The first or the last of three or more may be empty:
/// an index without a name, a delimiter at the end.
#[must_use]
pub fn looks_like_names(record: &Record<'_>) -> bool {
    let cells = match record.cells.as_slice() {
        [empty, names @ ..] | [names @ .., empty] if names.len() > 1 && empty.is_empty() => names,
        cells => cells,
    };
    let mut seen = HashSet::new();
    cells
        .iter()
        .all(|cell| !cell.trim().is_empty() && kind(cell).is_none() && seen.insert(cell))
}

fn decided(is_present: bool, evidence: impl Into<String>) -> HeaderGuess {
    HeaderGuess {
        is_present,
        evidence: evidence.into(),
    }
}

/// The kind of value a cell is; `None`: it may be a name.
fn kind(cell: &str) -> Option<usize> {
    let traits = Traits::of(cell);
    VALUES.iter().position(|value| traits.has_any(*value))
}

/// Cells of the first record that are of the kind of most cells below.
fn same_kinds(first: &Record<'_>, rest: &[&Record<'_>]) -> usize {
    let is_same = |column: usize| {
        let of = |record: &Record<'_>| record.cells.get(column).and_then(|cell| kind(cell));
        of(first).is_some_and(|kind| {
            let same = rest.iter().filter(|record| of(record) == Some(kind)).count();
            same * 2 >= rest.len()
        })
    };
    (0..first.cells.len()).filter(|column| is_same(*column)).count()
}

/// Whether the first cell of a column may be a name, and all others are values.
fn contrasts(first: &Record<'_>, rest: &[&Record<'_>], column: usize) -> bool {
    let Some(name) = first
        .cells
        .get(column)
        .filter(|cell| !cell.is_empty() && kind(cell).is_none())
    else {
        return false;
    };
    let below = rest
        .iter()
        .filter_map(|record| record.cells.get(column))
        .filter(|cell| !cell.is_empty());
    let (mut num_values, mut num_cells) = (0, 0);
    for cell in below {
        num_values += usize::from(kind(cell).is_some());
        num_cells += 1;
        if cell == name {
            return false;
        }
    }
    // Some cells may be damaged or stand for "no value".
    num_values > 0 && num_values * 10 >= num_cells * 7
}

/// Cells of the first record that stand again below.
fn repeated_cells(first: &Record<'_>, rest: &[&Record<'_>]) -> usize {
    let comes_again = |(column, cell): (usize, &std::borrow::Cow<'_, str>)| {
        rest.iter()
            .any(|record| record.cells.get(column).is_some_and(|other| other == cell))
    };
    first
        .cells
        .iter()
        .enumerate()
        .filter(|cell| comes_again(*cell))
        .count()
}

fn is_usual_name(cell: &str) -> bool {
    let lower = cell.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| NAME_WORDS.contains(&word))
}
