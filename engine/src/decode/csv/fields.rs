//! One record read again on its own, for messages and for `raw`; and values out of escaped spans.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use super::dialect::Dialect;

/// The values of a record's fields; never fails.
///
/// `record` is its content without the line end. A well-formed record gives the fields of the
/// [`Splitter`](super::Splitter). In a damaged one a quote between quotes closes only before a delimiter or the end
/// of the record and is data elsewhere; from a field on whose quote never closes, quotes are data.
pub fn fields<'a>(record: &'a [u8], dialect: &Dialect) -> Vec<Cow<'a, [u8]>> {
    let mut values = Vec::new();
    let (mut rest, mut quote) = (record, dialect.quote);
    loop {
        let closed = match rest {
            [first, quoted @ ..] if Some(*first) == quote => {
                let close = closing_quote(quoted, dialect);
                if close.is_none() {
                    quote = None;
                }
                close.map(|close| (unescape(&quoted[..close], dialect), &quoted[close + 1..]))
            }
            _ => None,
        };
        let (value, behind) = closed.unwrap_or_else(|| {
            let end = next_delimiter(rest, dialect).unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..end]), &rest[end..])
        });
        values.push(value);
        match behind.get(dialect.delimiter.len()..) {
            Some(next) if !behind.is_empty() => rest = next,
            _ => return values,
        }
    }
}

/// Where the next delimiter starts.
fn next_delimiter(bytes: &[u8], dialect: &Dialect) -> Option<usize> {
    match dialect.delimiter.single() {
        Some(byte) => memchr(byte, bytes),
        None => memmem::find(bytes, dialect.delimiter.as_bytes()),
    }
}

/// The first quote of `quoted` that can close it.
fn closing_quote(quoted: &[u8], dialect: &Dialect) -> Option<usize> {
    let (quote, escape) = special_bytes(dialect)?;
    let mut from = 0;
    while let Some(at) = memchr2(quote, escape, quoted.get(from..)?) {
        let at = from + at;
        from = at + 1;
        match quoted.get(from) {
            Some(_) if quoted[at] != quote => from += 1,
            Some(next) if *next == escape && escape == quote => from += 1,
            Some(_) if !quoted[from..].starts_with(dialect.delimiter.as_bytes()) => (),
            None if quoted[at] != quote => return None,
            Some(_) | None => return Some(at),
        }
    }
    None
}

/// The value of an [`Escaped`](super::Quoting::Escaped) span: doubled quotes are single, escapes are gone.
pub fn unescape<'a>(span: &'a [u8], dialect: &Dialect) -> Cow<'a, [u8]> {
    let Some((quote, escape)) = special_bytes(dialect) else {
        return Cow::Borrowed(span);
    };
    let Some(first) = memchr(escape, span) else {
        return Cow::Borrowed(span);
    };
    let mut value = Vec::with_capacity(span.len());
    let (mut copied, mut at) = (0, first);
    loop {
        // A lone quote is data, in a damaged record, as is an escape before nothing.
        if span
            .get(at + 1)
            .is_some_and(|next| escape != quote || *next == quote)
        {
            value.extend_from_slice(&span[copied..at]);
            copied = at + 1;
            at += 1;
        }
        let next = at + 1;
        match span.get(next..).and_then(|rest| memchr(escape, rest)) {
            Some(found) => at = next + found,
            None => break,
        }
    }
    value.extend_from_slice(&span[copied..]);
    Cow::Owned(value)
}

/// The quote, and the byte before data between quotes.
fn special_bytes(dialect: &Dialect) -> Option<(u8, u8)> {
    dialect
        .quote
        .map(|quote| (quote, dialect.distinct_escape().unwrap_or(quote)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(record: &str) -> Vec<String> {
        read_as(record, &Dialect::default())
    }

    fn read_as(record: &str, dialect: &Dialect) -> Vec<String> {
        fields(record.as_bytes(), dialect)
            .iter()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    #[test]
    fn a_well_formed_record_gives_its_values() {
        assert_eq!(read("a,\"b,\r\n\"\"c\"\"\",,\"\""), ["a", "b,\r\n\"c\"", "", ""]);
        assert_eq!(read(""), [""]);
        assert_eq!(read(","), ["", ""]);
        assert_eq!(read("\"\"\"\""), ["\""]);
    }

    #[test]
    fn a_stray_quote_is_data() {
        assert_eq!(read("a\"b,c"), ["a\"b", "c"]);
        assert_eq!(read("\"a\"b, c\",d"), ["a\"b, c", "d"]);
    }

    #[test]
    fn a_quote_that_never_closes_is_data_and_the_columns_stay_in_place() {
        assert_eq!(read("a,\"b,c"), ["a", "\"b", "c"]);
        assert_eq!(read("\"a,\"b,\"\"c"), ["\"a", "\"b", "\"\"c"]);
    }

    #[test]
    fn a_distinct_escape_makes_the_next_byte_data() {
        let dialect = Dialect {
            escape: Some(b'\\'),
            ..Dialect::default()
        };
        assert_eq!(
            read_as(r#""a\",\\",\"b,"c""#, &dialect),
            [r#"a",\"#, r#"\"b"#, "c"]
        );
        assert_eq!(read_as(r#""a\"#, &dialect), [r#""a\"#]);
        assert_eq!(unescape(br"\\\\\", &dialect).as_ref(), br"\\\");
    }

    #[test]
    fn without_a_quote_byte_quotes_are_data() {
        let dialect = Dialect {
            quote: None,
            delimiter: b'|'.into(),
            ..Dialect::default()
        };
        assert_eq!(read_as("\"a|b\"", &dialect), ["\"a", "b\""]);
        assert_eq!(unescape(b"\"\"", &dialect).as_ref(), b"\"\"");
    }

    #[test]
    fn a_span_without_escapes_is_not_copied() {
        assert!(matches!(
            unescape(b"plain", &Dialect::default()),
            Cow::Borrowed(b"plain")
        ));
        assert_eq!(
            unescape(b"\"\"a\"\"\"\"b\"\"", &Dialect::default()).as_ref(),
            b"\"a\"\"b\""
        );
    }
}
