//! Against a generator that knows the texts, and against another parser of JSON.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::StringViewArray;
use arrow::buffer::Buffer;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;

use super::super::TextTable;
use super::{End, JsonSplitter, names, split};

const KEYS: [&str; 5] = ["id", "name", "a key longer than twelve", "é\"\n", ""];

/// A value as written, and the text it becomes.
type Value = (String, String);

/// `text` in quotes; every third character by its UTF-16 units.
fn quoted(text: &str, salt: usize) -> String {
    let mut out = String::from("\"");
    for (i, character) in text.chars().enumerate() {
        if (i + salt).is_multiple_of(3) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            let plain = serde_json::to_string(&character).unwrap();
            out.push_str(&plain[1..plain.len() - 1]);
        }
    }
    out + "\""
}

fn blanks() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\t", " \r "])
}

fn scalar() -> impl Strategy<Value = Value> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,4})?";
    prop_oneof![
        (any::<String>(), 0..3_usize).prop_map(|(text, salt)| (quoted(&text, salt), text)),
        "[a-z0-9 ]{0,30}".prop_map(|text| (format!("\"{text}\""), text)),
        number.prop_map(|number| (number.clone(), number)),
        any::<bool>().prop_map(|value| (value.to_string(), value.to_string())),
        Just(("null".to_owned(), String::new())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let nested = |opening: char, parts: Vec<String>, closing: char| {
            let written = format!("{opening}{}{closing}", parts.join(","));
            (written.clone(), written)
        };
        let array = vec((inner.clone(), blanks()), 0..4).prop_map(move |values| {
            let parts = values
                .into_iter()
                .map(|((written, _), blank)| blank.to_owned() + &written);
            nested('[', parts.collect(), ']')
        });
        let object = vec((select(&KEYS[..]), inner, blanks()), 0..4).prop_map(move |values| {
            let part = |(key, (written, _), blank)| format!("{}{blank}:{written}{blank}", quoted(key, 1));
            nested('{', values.into_iter().map(part).collect(), '}')
        });
        prop_oneof![array, object]
    })
}

/// The texts of a record by key, and its line.
type Record = (HashMap<&'static str, String>, String);

fn record() -> impl Strategy<Value = Record> {
    let keys = Just(KEYS.to_vec()).prop_shuffle();
    let entries = (keys, vec((value(), blanks(), 0..4_usize), 0..=KEYS.len()));
    entries.prop_map(|(keys, values)| {
        let mut texts = HashMap::new();
        let mut parts = Vec::new();
        for (key, ((written, text), blank, salt)) in keys.into_iter().zip(values) {
            texts.insert(key, text);
            parts.push(format!(
                "{blank}{}{blank}:{blank}{written}{blank}",
                quoted(key, salt)
            ));
        }
        (texts, format!("{{{}}}", parts.join(",")))
    })
}

#[derive(Debug, Clone)]
enum Change {
    Insert(u8),
    Replace(u8),
    Remove,
    Cut,
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let byte = prop_oneof![
        select(b"{}[]\",:\\u0123456789.eE+-tfnl \r\t\x00\x1f".to_vec()),
        any::<u8>()
    ]
    .prop_filter("one line", |byte| *byte != b'\n');
    let change = prop_oneof![
        3 => byte.clone().prop_map(Change::Insert),
        3 => byte.prop_map(Change::Replace),
        3 => Just(Change::Remove),
        1 => Just(Change::Cut),
    ];
    (any::<Index>(), change)
}

fn changed(line: &str, changes: &[(Index, Change)]) -> Vec<u8> {
    let mut line = line.as_bytes().to_vec();
    for (index, change) in changes {
        if line.is_empty() {
            break;
        }
        let at = index.index(line.len());
        match change {
            Change::Insert(byte) => line.insert(at, *byte),
            Change::Replace(byte) => line[at] = *byte,
            Change::Remove => drop(line.remove(at)),
            Change::Cut => line.truncate(at),
        }
    }
    line
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// What the other parser says of a line that holds no key twice.
fn is_object(line: &[u8]) -> bool {
    let first = line.iter().find(|byte| !is_blank(&[**byte]));
    first == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

fn columns(table: &TextTable, input: &[u8]) -> Vec<StringViewArray> {
    let buffers: Arc<[Buffer]> = Arc::from([input, &table.unescaped].map(Buffer::from));
    let array = |views: &Vec<u128>| StringViewArray::try_new(views.clone().into(), buffers.clone(), None);
    table.columns.iter().map(|views| array(views).unwrap()).collect()
}

proptest! {
    #[test]
    fn every_record_comes_back_with_its_texts(records in vec(record(), 1..8), crlf: bool, ended: bool) {
        let line_end = if crlf { "\r\n" } else { "\n" };
        let lines: Vec<&str> = records.iter().map(|(_, line)| line.as_str()).collect();
        let input = lines.join(line_end) + if ended { line_end } else { "" };
        let split = split(&input, &KEYS);
        prop_assert_eq!(split.messages(), [""; 0]);
        // Arrow checks lengths, prefixes, padding and UTF-8 of every view.
        for (key, column) in KEYS.iter().zip(columns(&split.table, input.as_bytes())) {
            let expected: Vec<Option<&str>> =
                records.iter().map(|(texts, _)| Some(texts.get(key).map_or("", String::as_str))).collect();
            prop_assert_eq!(column.iter().collect::<Vec<_>>(), expected);
        }
        let seen: Vec<bool> = KEYS.iter().map(|key| records.iter().any(|(texts, _)| texts.contains_key(key))).collect();
        prop_assert_eq!(&split.table.seen, &seen);
        for (row, line) in lines.iter().enumerate() {
            let start = split.table.offset[row] as usize;
            let bytes = &input.as_bytes()[start..start + split.table.byte_len[row] as usize];
            prop_assert_eq!(bytes, line.as_bytes());
        }
    }

    #[test]
    fn a_damaged_line_is_accepted_exactly_if_another_parser_accepts_it(
        (_, line) in record(),
        changes in vec(change(), 0..3),
    ) {
        let line = changed(&line, &changes);
        let split = split(&line, &[]);
        prop_assert_eq!(split.table.num_rows() == 1, is_object(&line), "{:?}", String::from_utf8_lossy(&line));
        prop_assert_eq!(split.table.num_records(), usize::from(!is_blank(&line)));
    }

    #[test]
    fn wanted_texts_of_a_damaged_line_are_those_of_another_parser(
        (_, line) in record(),
        changes in vec(change(), 0..3),
    ) {
        let line = changed(&line, &changes);
        let split = split(&line, &KEYS);
        let arrays = columns(&split.table, &line);
        prop_assume!(split.table.num_rows() == 1 && split.table.invalid.is_empty());
        // Without numbers beyond a double, and without faults in unwanted texts, the other parser sees it all.
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&line) else {
            return Ok(());
        };
        for (key, column) in KEYS.iter().zip(&arrays) {
            match object.get(*key) {
                None | Some(serde_json::Value::Null) => prop_assert_eq!(column.value(0), ""),
                Some(serde_json::Value::String(text)) => prop_assert_eq!(column.value(0), text),
                Some(other) => {
                    let read: serde_json::Value = serde_json::from_str(column.value(0)).unwrap();
                    prop_assert_eq!(&read, other);
                }
            }
        }
    }

    #[test]
    fn pieces_make_the_whole_wherever_the_borders_are(
        records in vec((record(), vec(change(), 0..2)), 1..8),
        blank in 0..8_usize,
        borders in vec(any::<Index>(), 0..5),
    ) {
        let mut lines: Vec<Vec<u8>> = records.iter().map(|((_, line), changes)| changed(line, changes)).collect();
        lines.insert(blank.min(lines.len()), b" \r".to_vec());
        let input = lines.join(&b'\n');
        let whole = split(&input, &KEYS);
        let mut borders: Vec<usize> = borders.iter().map(|border| border.index(input.len() + 1)).collect();
        borders.push(input.len());
        borders.sort_unstable();
        let mut splitter = JsonSplitter::new(&names(&KEYS), u64::MAX);
        let (mut at, mut first_line, mut rows, mut bad) = (0, 0, Vec::new(), Vec::new());
        for border in borders {
            let mut table = TextTable::default();
            let piece = &input[at..];
            let consumed = splitter.split(piece, border.saturating_sub(at), End::Last, &mut table);
            for row in 0..table.num_rows() {
                let texts: Vec<Vec<u8>> = (0..KEYS.len()).map(|column| table.cell(column, row, piece)).collect();
                rows.push((at as u32 + table.offset[row], first_line + table.line[row], texts));
            }
            bad.extend(table.malformed.into_iter().map(|line| (at as u32 + line.offset, line.message)));
            at += consumed.num_bytes;
            first_line += consumed.num_lines;
        }
        prop_assert_eq!((at, first_line), (whole.consumed.num_bytes, whole.consumed.num_lines));
        let expected: Vec<_> = (0..whole.table.num_rows())
            .map(|row| {
                let texts: Vec<Vec<u8>> = (0..KEYS.len()).map(|column| whole.table.cell(column, row, &input)).collect();
                (whole.table.offset[row], whole.table.line[row], texts)
            })
            .collect();
        prop_assert_eq!(rows, expected);
        let expected: Vec<_> = whole.table.malformed.into_iter().map(|line| (line.offset, line.message)).collect();
        prop_assert_eq!(bad, expected);
    }
}
