//! The names in a header, and signs that the dialect does not fit.

use std::collections::BTreeMap;

use super::dialect::{Delimiter, Dialect};
use super::fields::fields;

/// Delimiters that a file may have been written with, the more frequent first.
const USUAL_DELIMITERS: [u8; 4] = [b';', b'\t', b'|', b','];

/// Records behind the first one that are asked whether another delimiter divides them alike.
pub const SAMPLE_RECORDS: usize = 5;

/// A header as read; which of its faults matter depends on the columns that are mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The names, in file order, byte for byte.
    pub names: Vec<Result<String, InvalidName>>,
    /// Positions (0-based) of empty names.
    pub empty: Vec<usize>,
    /// Names that occur more than once, in the order of their first places, with all their positions (0-based).
    pub duplicates: Vec<(String, Vec<usize>)>,
}

/// A name that is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName {
    /// The name's bytes.
    pub bytes: Vec<u8>,
    /// Bytes at its start that are valid.
    pub valid_up_to: usize,
}

/// Reads the fields of a header, unquoted and unescaped, the byte order mark removed.
pub fn parse_header<F: AsRef<[u8]>>(fields: &[F]) -> Header {
    let names: Vec<_> = fields.iter().map(|field| decode_name(field.as_ref())).collect();
    let mut positions = BTreeMap::<&str, Vec<usize>>::new();
    for (position, name) in names.iter().enumerate() {
        if let Ok(name) = name {
            positions.entry(name).or_default().push(position);
        }
    }
    let empty = positions.remove("").unwrap_or_default();
    let mut duplicates: Vec<_> = positions
        .into_iter()
        .filter(|(_, positions)| positions.len() > 1)
        .map(|(name, positions)| (name.to_owned(), positions))
        .collect();
    duplicates.sort_by(|a, b| a.1.cmp(&b.1));
    Header {
        names,
        empty,
        duplicates,
    }
}

fn decode_name(bytes: &[u8]) -> Result<String, InvalidName> {
    match str::from_utf8(bytes) {
        Ok(name) => Ok(name.to_owned()),
        Err(error) => Err(InvalidName {
            bytes: bytes.to_vec(),
            valid_up_to: error.valid_up_to(),
        }),
    }
}

/// The delimiter a file was probably written with, if `dialect` makes a single column of its header.
///
/// `sample` is a few of the lines that follow; all of them must have as many fields as the header.
pub fn suspect_delimiter(header: &[u8], sample: &[&[u8]], dialect: &Dialect) -> Option<u8> {
    if fields(header, dialect).len() != 1 {
        return None;
    }
    let written_with = |delimiter: u8| {
        let suspected = Dialect {
            delimiter: Delimiter::from(delimiter),
            ..dialect.clone()
        };
        let num_fields = fields(header, &suspected).len();
        let agreed = sample
            .iter()
            .all(|line| fields(line, &suspected).len() == num_fields);
        (num_fields > 1 && agreed).then_some((num_fields, delimiter))
    };
    let candidates = USUAL_DELIMITERS
        .into_iter()
        .filter(|delimiter| Some(*delimiter) != dialect.delimiter.single());
    // Of equal ones `max_by_key` takes the last: reversed, that is the more frequent one.
    candidates
        .filter_map(written_with)
        .rev()
        .max_by_key(|(num_fields, _)| *num_fields)
        .map(|found| found.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_byte_for_byte_and_faults_are_told_by_position() {
        let header = parse_header(&[&b" id"[..], b"", b"Na\xefme", b"b", b"a", b"", b"b", b"a", b"ID"]);
        assert_eq!(header.names[0].as_deref(), Ok(" id"));
        assert_eq!(
            header.names[2],
            Err(InvalidName {
                bytes: b"Na\xefme".to_vec(),
                valid_up_to: 2
            })
        );
        assert_eq!(header.names.len(), 9);
        assert_eq!(header.empty, [1, 5]);
        assert_eq!(
            header.duplicates,
            [("b".to_owned(), vec![3, 6]), ("a".to_owned(), vec![4, 7])]
        );
    }

    #[test]
    fn a_sound_header_has_no_faults() {
        let header = parse_header(&["id", "name"]);
        assert_eq!(header.names, [Ok("id".to_owned()), Ok("name".to_owned())]);
        assert!(header.empty.is_empty() && header.duplicates.is_empty());
    }

    #[test]
    fn a_single_column_that_other_delimiters_divide_is_suspect() {
        let comma = Dialect::default();
        assert_eq!(
            suspect_delimiter(b"id;name;city", &[b"1;Ann;Bonn", b"2;\"B;b\";Ulm"], &comma),
            Some(b';')
        );
        assert_eq!(suspect_delimiter(b"id\tname", &[b"1\tAnn"], &comma), Some(b'\t'));
        assert_eq!(suspect_delimiter(b"id|name", &[], &comma), Some(b'|'));
        assert_eq!(suspect_delimiter(b"a;b|c|d", &[b"1;2|3|4"], &comma), Some(b'|'));
        assert_eq!(suspect_delimiter(b"a;b|c", &[b"1;2|3"], &comma), Some(b';'));
        let semicolon = Dialect {
            delimiter: b';'.into(),
            ..comma
        };
        assert_eq!(suspect_delimiter(b"id,name", &[b"1,Ann"], &semicolon), Some(b','));
    }

    #[test]
    fn a_header_that_the_dialect_divides_or_the_lines_deny_is_not_suspect() {
        let comma = Dialect::default();
        assert_eq!(suspect_delimiter(b"id,a;b;c", &[b"1,2;3;4"], &comma), None);
        assert_eq!(suspect_delimiter(b"id", &[b"1", b"2"], &comma), None);
        assert_eq!(
            suspect_delimiter(b"notes; free text", &[b"one", b"two"], &comma),
            None
        );
        assert_eq!(suspect_delimiter(b"\"a;b\"", &[b"1"], &comma), None);
    }
}
