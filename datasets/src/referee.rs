//! A slow, plain CSV reader that tests check the generators with.

/// A record as read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// Fields, unquoted.
    pub(crate) fields: Vec<Vec<u8>>,
    /// A quote stands where none may.
    pub(crate) stray: bool,
    /// The file ended within quotes.
    pub(crate) open: bool,
}

/// All records of a comma-separated file, the header first; lines of no bytes are none.
pub(crate) fn parse(csv: &[u8]) -> Vec<Parsed> {
    parse_delimited(csv, b',')
}

/// All records of a file with another delimiter.
pub(crate) fn parse_delimited(csv: &[u8], delimiter: u8) -> Vec<Parsed> {
    let mut rest = csv.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(csv);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let mut record = Parsed::default();
        loop {
            let (field, end) = take_field(rest, delimiter, &mut record);
            record.fields.push(field);
            rest = &rest[end..];
            match rest {
                [mark, after @ ..] if *mark == delimiter => rest = after,
                [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => {
                    rest = after;
                    break;
                }
                _ => break,
            }
        }
        if record.fields != [b""] {
            records.push(record);
        }
    }
    records
}

/// One field and where it ends.
fn take_field(bytes: &[u8], delimiter: u8, record: &mut Parsed) -> (Vec<u8>, usize) {
    let mut field = Vec::new();
    let mut at = 0;
    let mut quoted = bytes.first() == Some(&b'"');
    at += usize::from(quoted);
    loop {
        match (&bytes[at..], quoted) {
            ([], _) => {
                record.open |= quoted;
                return (field, at);
            }
            ([b'"', b'"', ..], true) => {
                field.push(b'"');
                at += 2;
            }
            ([b'"', ..], true) => {
                quoted = false;
                at += 1;
                let ends = matches!(&bytes[at..], [] | [b'\n', ..] | [b'\r', b'\n', ..]);
                record.stray |= !ends && bytes.get(at) != Some(&delimiter);
            }
            ([byte, ..], true) => {
                field.push(*byte);
                at += 1;
            }
            ([b'\n', ..] | [b'\r', b'\n', ..], false) => return (field, at),
            ([byte, ..], false) if *byte == delimiter => return (field, at),
            ([byte, ..], false) => {
                record.stray |= *byte == b'"';
                field.push(*byte);
                at += 1;
            }
        }
    }
}
