//! Reasons as columns of the records themselves, in the form that the source has. Pure.

use sluice_engine::decode::bytes::Encoding;

use super::header::{Dialect, Header};

/// The columns that are added.
const COLUMNS: [&str; 3] = ["sluice_record_no", "sluice_rules", "sluice_reasons"];

/// How records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Delimited text.
    Csv(Dialect),
    /// Objects of JSON.
    Json,
}

/// The header with the columns that are added.
pub fn header_line(header: &Header) -> Option<Vec<u8>> {
    let line = header.line.clone()?;
    let Form::Csv(dialect) = &header.form else {
        return Some(line);
    };
    Some([line, encoded(&fields(COLUMNS, dialect), header.encoding)].concat())
}

/// A record with its number, its rules and its reasons behind it; as it is where there is no place for them.
pub fn with_reasons(raw: &[u8], texts: [&str; 3], header: &Header) -> Vec<u8> {
    match &header.form {
        Form::Csv(dialect) => [raw, &encoded(&fields(texts, dialect), header.encoding)].concat(),
        Form::Json => object(raw, texts, header.encoding),
    }
}

fn fields(texts: [&str; 3], dialect: &Dialect) -> String {
    texts
        .map(|text| format!("{}{}", dialect.delimiter, field(text, dialect)))
        .concat()
}

/// A field that no dialect takes for more than one: quotes in it become apostrophes.
fn field(text: &str, dialect: &Dialect) -> String {
    let one_line = text.replace(['\n', '\r'], " ");
    match dialect.quote.as_deref().filter(|quote| !quote.is_empty()) {
        Some(quote) => {
            let apostrophe = if quote == "'" { "`" } else { "'" };
            format!(
                "{quote}{}{quote}",
                one_line.replace(quote, apostrophe).replace('\\', "/")
            )
        }
        None => one_line.replace(&dialect.delimiter, " "),
    }
}

fn object(raw: &[u8], texts: [&str; 3], encoding: Encoding) -> Vec<u8> {
    let end = encoded("}", encoding);
    let Some(open) = raw.strip_suffix(end.as_slice()) else {
        return raw.to_vec();
    };
    let begin = encoded("{", encoding);
    let is_empty = open == begin;
    let members = COLUMNS.iter().zip(texts).map(|(name, text)| {
        let text = serde_json::Value::from(text);
        format!("{}:{text}", serde_json::Value::from(*name))
    });
    let members = members.collect::<Vec<_>>().join(",");
    let comma = if is_empty { "" } else { "," };
    [open, &encoded(&format!("{comma}{members}}}"), encoding)].concat()
}

/// The text as the file has it.
pub fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
    encoding.restore(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(form: Form, encoding: Encoding) -> Header {
        Header {
            line: Some(encoded("cid,a", encoding)),
            line_end: encoded("\n", encoding),
            form,
            encoding,
        }
    }

    #[test]
    fn reasons_are_fields_of_the_dialect_whatever_they_say() {
        let csv = header(Form::Csv(Dialect::default()), Encoding::Utf8);
        let line = with_reasons(b"C1,x", ["4", "a b", "say \"no\",\nnow"], &csv);
        assert_eq!(line, br#"C1,x,"4","a b","say 'no', now""#);
        assert_eq!(
            header_line(&csv).unwrap(),
            br#"cid,a,"sluice_record_no","sluice_rules","sluice_reasons""#
        );
        let bare = Dialect {
            delimiter: "|".into(),
            quote: None,
        };
        let line = with_reasons(
            b"C1|x",
            ["4", "a", "b|c"],
            &header(Form::Csv(bare), Encoding::Utf8),
        );
        assert_eq!(line, b"C1|x|4|a|b c");
    }

    #[test]
    fn reasons_are_members_of_an_object_and_in_the_encoding_of_the_file() {
        let json = header(Form::Json, Encoding::Utf8);
        let expected = br#"{"a":1,"sluice_record_no":"4","sluice_rules":"r","sluice_reasons":"\"x\""}"#;
        assert_eq!(with_reasons(br#"{"a":1}"#, ["4", "r", "\"x\""], &json), expected);
        assert_eq!(with_reasons(b"{}", ["4", "r", "m"], &json)[..2], *b"{\"");
        assert_eq!(with_reasons(b"{\"a\":", ["4", "r", "m"], &json), b"{\"a\":");
        let wide = header(Form::Csv(Dialect::default()), Encoding::Utf16Le);
        let line = with_reasons(&encoded("C1,é", Encoding::Utf16Le), ["4", "r", "m"], &wide);
        assert_eq!(line, encoded("C1,é,\"4\",\"r\",\"m\"", Encoding::Utf16Le));
    }
}
