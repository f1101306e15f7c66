//! Lines that say something each; properties are in `properties`.

mod damage;
mod properties;

use super::{Consumed, JsonSplitter, MalformedLine, TextTable, keys_seen};
use crate::decode::csv::End;

/// A whole file in one slice.
struct Split {
    input: Vec<u8>,
    table: TextTable,
    consumed: Consumed,
}

fn names(wanted: &[&str]) -> Vec<String> {
    wanted.iter().map(|name| (*name).to_owned()).collect()
}

fn split_with(input: impl AsRef<[u8]>, wanted: &[&str], record_bytes: u64) -> Split {
    let input = input.as_ref().to_vec();
    let mut table = TextTable::default();
    let mut splitter = JsonSplitter::new(&names(wanted), record_bytes);
    let consumed = splitter.split(&input, input.len(), End::Last, &mut table);
    Split {
        input,
        table,
        consumed,
    }
}

fn split(input: impl AsRef<[u8]>, wanted: &[&str]) -> Split {
    split_with(input, wanted, u64::MAX)
}

impl Split {
    fn column(&self, column: usize) -> Vec<String> {
        let rows = 0..self.table.num_rows();
        rows.map(|row| String::from_utf8(self.table.cell(column, row, &self.input)).unwrap())
            .collect()
    }

    fn messages(&self) -> Vec<&str> {
        self.table
            .malformed
            .iter()
            .map(|bad| bad.message.as_str())
            .collect()
    }
}

#[test]
fn values_of_every_kind_become_their_text() {
    let line =
        r#"{"a": "Ann", "b": 1.10, "c": true, "d": false, "e": null, "f": [1, {"x": "]"}], "g": {"h": [ ]}}"#;
    let split = split(line, &["a", "b", "c", "d", "e", "f", "g"]);
    let row: Vec<String> = (0..7).flat_map(|column| split.column(column)).collect();
    assert_eq!(
        row,
        [
            "Ann",
            "1.10",
            "true",
            "false",
            "",
            r#"[1, {"x": "]"}]"#,
            r#"{"h": [ ]}"#
        ]
    );
}

#[test]
fn a_number_keeps_every_digit_it_was_written_with() {
    for number in [
        "0",
        "-0",
        "1E3",
        "1e+3",
        "-2.50e-07",
        "12345678901234567.89",
        "1e999",
        "100000000000000000000000000",
    ] {
        assert_eq!(split(format!("{{\"n\":{number}}}"), &["n"]).column(0), [number]);
    }
}

#[test]
fn escapes_are_taken_out_of_short_and_long_texts() {
    let split = split(
        "{\"s\": \"\\u0041\\n\\\"\"}\n{\"s\": \"\\\\ \\/ \\b\\f\\r\\t a long text \\ud83d\\ude00\\u00e9\"}\n",
        &["s"],
    );
    assert_eq!(
        split.column(0),
        ["A\n\"", "\\ / \u{8}\u{c}\r\t a long text \u{1f600}\u{e9}"]
    );
    assert!(split.table.invalid.is_empty());
}

#[test]
fn a_missing_key_and_null_are_empty_and_only_the_missing_one_goes_unseen() {
    let split = split("{\"a\": 1}\n{\"a\": 2, \"b\": null}\n", &["a", "b", "c"]);
    assert_eq!(split.column(1), ["", ""]);
    assert_eq!(split.table.seen, [true, true, false]);
}

#[test]
fn a_key_is_compared_by_what_it_means() {
    let split = split(
        "{\"\\u006eame\": \"Ann\"}\n{\"name\": \"Bob\"}\n{\"Name\": \"Cy\"}\n",
        &["name"],
    );
    assert_eq!(split.column(0), ["Ann", "Bob", ""]);
}

#[test]
fn keys_come_and_go_and_change_places() {
    let lines = "{\"a\":1,\"b\":2,\"c\":3}\n{\"c\":6,\"a\":4}\n{}\n{\"b\":8,\"x\":0,\"c\":9,\"a\":7}\n{\"a\":1,\"b\":2}\n";
    let split = split(lines, &["c", "a", "b"]);
    assert_eq!(split.column(0), ["3", "6", "", "9", ""]);
    assert_eq!(split.column(1), ["1", "4", "", "7", "1"]);
    assert_eq!(split.column(2), ["2", "", "", "8", "2"]);
}

#[test]
fn positions_count_blank_lines_as_lines_and_malformed_records_as_records() {
    let split = split("{\"a\":1}\r\n\n \t\r\n[2]\n  {\"a\":3} \r\n{\"a\":4}", &["a"]);
    assert_eq!(split.table.line, [0, 4, 5]);
    assert_eq!(split.table.ordinal, [0, 2, 3]);
    assert_eq!(split.table.offset, [0, 18, 30]);
    assert_eq!(split.table.byte_len, [7, 10, 7]);
    let bad = MalformedLine {
        ordinal: 1,
        line: 3,
        offset: 14,
        byte_len: 3,
        message: "syntax: expected an object `{...}` at byte 1, found `[`".to_owned(),
    };
    assert_eq!(split.table.malformed, [bad]);
    assert_eq!(
        split.consumed,
        Consumed {
            num_bytes: 37,
            num_lines: 6
        }
    );
}

#[test]
fn a_line_without_an_end_waits_for_the_rest_of_the_file() {
    let input = b"{\"a\":1}\n{\"a\":2}";
    let mut table = TextTable::default();
    let mut splitter = JsonSplitter::new(&names(&["a"]), 100);
    let consumed = splitter.split(input, input.len(), End::More, &mut table);
    assert_eq!((consumed.num_bytes, table.num_rows()), (8, 1));
    let consumed = splitter.split(&input[8..], 7, End::Last, &mut table);
    assert_eq!((consumed.num_bytes, table.num_rows()), (7, 1));
    assert_eq!(table.cell(0, 0, &input[8..]), b"2");
}

#[test]
fn a_record_that_starts_before_the_border_is_read_whole() {
    let input = b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    let mut table = TextTable::default();
    let mut splitter = JsonSplitter::new(&names(&["a"]), 100);
    for (owned_bytes, rows) in [(0, 0), (1, 1), (8, 1), (9, 2), (16, 2), (17, 3), (1000, 3)] {
        let consumed = splitter.split(input, owned_bytes, End::Last, &mut table);
        assert_eq!(
            (consumed.num_bytes, table.num_rows()),
            (rows * 8, rows),
            "{owned_bytes} owned bytes"
        );
    }
}

#[test]
fn keys_are_listed_in_the_order_in_which_they_appear() {
    let lines = b"\n{\"b\": {\"inner\": 1}, \"a\": 1}\r\n{\"bad\": }\n{\"\\u0063\": 1, \"a\": 2}\n{\"late\": 1}\n{\"cut";
    assert_eq!(keys_seen(lines, End::More, 2), ["b", "a", "c"]);
    assert_eq!(keys_seen(lines, End::Last, 9), ["b", "a", "c", "late"]);
    assert_eq!(keys_seen(b"{\"a\": 1}", End::More, 9), [""; 0]);
    assert_eq!(keys_seen(b"{\"a\": 1, \"\xff\": 2}", End::Last, 9), ["a"]);
}
