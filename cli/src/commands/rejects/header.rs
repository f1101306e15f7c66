//! The header line for exported rejects.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;
use sluice_engine::decode::bytes::Encoding;

use super::reasons::{Form, encoded};
use crate::error::Result;
use crate::session::Session;

/// A longer first line is no header.
const HEADER_BYTES: u64 = 16 << 20;

/// What an export begins with, and what its records end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The line as the source has it, without its end; none if the source has none.
    pub line: Option<Vec<u8>>,
    /// The end of every line.
    pub line_end: Vec<u8>,
    /// How records are written.
    pub form: Form,
    /// The encoding of all of it.
    pub encoding: Encoding,
}

/// What `runs` knows of a source.
#[derive(Debug, Default)]
struct Source {
    file: String,
    size_bytes: Option<u64>,
    format: SourceFormat,
}

/// `runs.source_format`, as far as a header needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SourceFormat {
    format: Option<String>,
    encoding: Option<String>,
    /// Where the names of the columns came from.
    names: Option<String>,
    #[serde(flatten)]
    dialect: Dialect,
    header: Names,
}

/// How delimited text is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// What divides fields.
    pub delimiter: String,
    /// What encloses them.
    pub quote: Option<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: Some("\"".to_owned()),
        }
    }
}

/// The header: its columns, its line, or nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Names {
    Columns(Vec<String>),
    Line(String),
    #[default]
    None,
}

/// The header of a run's source: from the file, if it is the one that was read, else from what the run noted.
///
/// # Errors
/// The query's.
pub async fn of_run(session: &Session, of_run: &str) -> Result<Header> {
    let query = format!("SELECT source_file, source_size_bytes, source_format FROM runs {of_run}");
    let source = session
        .texts(&query)
        .await?
        .into_iter()
        .next()
        .map(source)
        .unwrap_or_default();
    Ok(header(&source))
}

fn source(row: Vec<String>) -> Source {
    let mut row = row.into_iter();
    let mut next = || row.next().unwrap_or_default();
    let (file, size, format) = (next(), next(), next());
    Source {
        file,
        size_bytes: size.parse().ok(),
        format: serde_json::from_str(&format).unwrap_or_default(),
    }
}

fn header(source: &Source) -> Header {
    let is_csv = source
        .format
        .format
        .as_deref()
        .is_none_or(|format| format == "csv");
    let encoding = source.format.encoding.as_deref();
    let encoding = encoding
        .and_then(|name| Encoding::from_label(name).ok())
        .unwrap_or_default();
    if !is_csv {
        return Header {
            line: None,
            line_end: encoded("\n", encoding),
            form: Form::Json,
            encoding,
        };
    }
    let (line, line_end) = lines(source, encoding);
    Header {
        line,
        line_end: encoded(line_end, encoding),
        form: Form::Csv(source.format.dialect.clone()),
        encoding,
    }
}

/// The header line and the end of lines.
fn lines(source: &Source, encoding: Encoding) -> (Option<Vec<u8>>, &'static str) {
    if source
        .format
        .names
        .as_deref()
        .is_some_and(|names| names != "header")
    {
        return (None, "\n");
    }
    let is_wide = matches!(encoding, Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be);
    // The lines of a wide encoding do not end at a byte.
    let first = (!is_wide).then(|| first_line(source)).flatten();
    let first = first.filter(|line| is_header(line, &source.format));
    match first {
        Some(line) => match line.strip_suffix(b"\r") {
            Some(line) => (Some(line.to_vec()), "\r\n"),
            None => (Some(line), "\n"),
        },
        None => {
            let mark = if is_wide { "\u{feff}" } else { "" };
            let noted = noted_line(&source.format);
            (
                noted.map(|line| encoded(&format!("{mark}{line}"), encoding)),
                "\n",
            )
        }
    }
}

/// The first line, without its LF, of a file that still has the size it had.
fn first_line(source: &Source) -> Option<Vec<u8>> {
    let file = File::open(source.file.strip_prefix("file://").unwrap_or(&source.file)).ok()?;
    if Some(file.metadata().ok()?.len()) != source.size_bytes {
        return None;
    }
    let mut line = Vec::new();
    BufReader::new(file.take(HEADER_BYTES))
        .read_until(b'\n', &mut line)
        .ok()?;
    line.strip_suffix(b"\n").map(<[u8]>::to_vec)
}

/// Whether the line names the columns that the run noted: it does not where rows were skipped before the header, or
/// where a quoted name goes on in the next line.
fn is_header(line: &[u8], format: &SourceFormat) -> bool {
    let quote = format
        .dialect
        .quote
        .as_ref()
        .and_then(|quote| quote.bytes().next());
    let is_whole = quote.is_none_or(|quote| {
        line.iter()
            .filter(|byte| **byte == quote)
            .count()
            .is_multiple_of(2)
    });
    let Names::Columns(names) = &format.header else {
        return is_whole;
    };
    let line = String::from_utf8_lossy(line);
    let is_there =
        |name: &String| line.contains(name.as_str()) || line.contains(&field(name, &format.dialect));
    is_whole && names.iter().all(is_there)
}

fn noted_line(format: &SourceFormat) -> Option<String> {
    match &format.header {
        Names::Line(line) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        Names::Columns(names) if !names.is_empty() => {
            let names: Vec<_> = names.iter().map(|name| field(name, &format.dialect)).collect();
            Some(names.join(&format.dialect.delimiter))
        }
        Names::Columns(_) | Names::None => None,
    }
}

fn field(name: &str, dialect: &Dialect) -> String {
    let Some(quote) = dialect.quote.as_deref().filter(|quote| !quote.is_empty()) else {
        return name.to_owned();
    };
    if [dialect.delimiter.as_str(), quote, "\n", "\r"]
        .iter()
        .any(|special| name.contains(special))
    {
        return format!("{quote}{}{quote}", name.replace(quote, &quote.repeat(2)));
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn noted(format: &str) -> Source {
        Source {
            file: "/there/is/none.csv".into(),
            size_bytes: Some(1),
            format: serde_json::from_str(format).unwrap(),
        }
    }

    fn on_disk(bytes: &[u8]) -> (tempfile::NamedTempFile, Source) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let path = file.path().display().to_string();
        let format = serde_json::from_str(r#"{"header":["cid","noted"]}"#).unwrap();
        (
            file,
            Source {
                file: path,
                size_bytes: Some(bytes.len() as u64),
                format,
            },
        )
    }

    #[test]
    fn the_first_line_of_the_file_is_taken_as_it_is() {
        let (_file, source) = on_disk(b"\xEF\xBB\xBFcid,\"noted\"\r\n1,2\r\n");
        let header = header(&source);
        assert_eq!(header.line, Some(b"\xEF\xBB\xBFcid,\"noted\"".to_vec()));
        assert_eq!(header.line_end, b"\r\n");
    }

    #[test]
    fn a_file_of_another_size_is_another_file() {
        let (_file, source) = on_disk(b"cid,noted,x\n1,2\n");
        let source = Source {
            size_bytes: Some(99),
            ..source
        };
        assert_eq!(header(&source).line, Some(b"cid,noted".to_vec()));
    }

    #[test]
    fn a_header_over_two_lines_is_taken_from_the_run() {
        let (_file, source) = on_disk(b"cid,noted,\"two\nlines\"\n1,2\n");
        assert_eq!(header(&source).line, Some(b"cid,noted".to_vec()));
    }

    #[test]
    fn a_line_before_the_header_is_not_taken_for_it() {
        let (_file, source) = on_disk(b"exported yesterday\ncid,noted\n1,2\n");
        assert_eq!(header(&source).line, Some(b"cid,noted".to_vec()));
    }

    #[test]
    fn noted_columns_are_divided_and_quoted_as_the_source_was() {
        let plain = noted(r#"{"format":"csv","header":["cid","a,b","say \"x\""]}"#);
        assert_eq!(
            header(&plain).line,
            Some(b"cid,\"a,b\",\"say \"\"x\"\"\"".to_vec())
        );
        let piped = noted(r#"{"delimiter":"|","quote":null,"header":["cid","a,b"]}"#);
        assert_eq!(header(&piped).line, Some(b"cid|a,b".to_vec()));
    }

    #[test]
    fn a_wide_encoding_is_written_as_it_is_read() {
        let header = header(&noted(
            r#"{"encoding":"utf-16le","names":"header","header":["a"]}"#,
        ));
        assert_eq!(header.line, Some(b"\xff\xfea\0".to_vec()));
        assert_eq!(header.line_end, b"\n\0");
    }

    #[test]
    fn a_source_without_a_header_gets_none() {
        assert_eq!(
            header(&noted(r#"{"names":"numbered","header":["column_1"]}"#)).line,
            None
        );
        assert_eq!(header(&noted("{}")).line, None);
        assert_eq!(header(&noted(r#"{"format":"ndjson","header":["a"]}"#)).line, None);
    }
}
