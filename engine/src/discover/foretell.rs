//! What a run would make of the records of a sample: the run's own splitter says.

use super::dialect::{DialectGuess, LineEnd};
use crate::decode::csv::{Delimiter, Dialect, End, FieldSelection, Newline, RecordTable, Shape, Splitter};

/// The records of a sample as a run takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foretold {
    /// All of them.
    pub rows: u64,
    /// Those that a run rejects.
    pub malformed_rows: u64,
    /// The first of these: its 1-based line in the sample, and what is wrong with it.
    pub first: Option<(u64, String)>,
}

/// The dialect of a guess, without its delimiter.
pub(super) fn dialect(guess: &DialectGuess) -> Dialect {
    let byte = |special: Option<char>| special.and_then(|special| u8::try_from(special).ok());
    Dialect {
        newline: match guess.line_end {
            LineEnd::Cr => Newline::CarriageReturn,
            _ => Newline::LineFeed,
        },
        quote: byte(guess.quote),
        escape: byte(guess.escape),
        comment: byte(guess.comment),
        ..Dialect::default()
    }
}

/// What a run makes of `text`, which begins with a record of a file written as guessed; a well-formed record has
/// `num_fields` fields. `None`: no run could read such a file.
pub(super) fn foretell(text: &str, end: End, guess: &DialectGuess, num_fields: usize) -> Option<Foretold> {
    let dialect = Dialect {
        delimiter: Delimiter::new(guess.delimiter.as_bytes())?,
        ..dialect(guess)
    };
    let mut records = RecordTable::default();
    Splitter::new(&dialect, FieldSelection::default(), Some(num_fields)).split(
        text.as_bytes(),
        end,
        &mut records,
    );
    Some(Foretold {
        rows: records.num_records() as u64,
        malformed_rows: records.malformed.len() as u64,
        first: records
            .malformed
            .first()
            .map(|first| (first.line, what(first.shape, num_fields))),
    })
}

fn what(shape: Shape, num_fields: usize) -> String {
    match shape {
        Shape::FieldCount { found } => format!("{found} fields instead of {num_fields}"),
        _ => "a damaged quote".to_owned(),
    }
}
