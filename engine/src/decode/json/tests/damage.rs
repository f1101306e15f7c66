//! What a damaged line costs, and what is said of it.

use super::super::MAX_LEVELS;
use super::{split, split_with};

#[test]
fn a_message_names_the_byte_and_what_was_expected() {
    let cases = [
        ("1", "syntax: expected an object `{...}` at byte 1, found `1`"),
        (
            "{",
            "syntax: expected a key or `}` at byte 2, found the end of the record",
        ),
        (
            "{\"a\":1,}",
            "syntax: expected a key in double quotes at byte 8, found `}`",
        ),
        (
            "{\"a\" 1}",
            "syntax: expected `:` after the key at byte 6, found `1`",
        ),
        ("{\"a\":}", "syntax: expected a value at byte 6, found `}`"),
        ("{\"a\":nul}", "syntax: expected a value at byte 6, found `n`"),
        (
            "{\"a\":1 2}",
            "syntax: expected `,` or `}` after the value at byte 8, found `2`",
        ),
        (
            "{\"a\":[1}",
            "syntax: expected `,` or `]` after the value at byte 8, found `}`",
        ),
        (
            "{\"a\":01}",
            "syntax: expected `,` or `}` after the value at byte 7, found `1`",
        ),
        ("{\"a\":1.}", "syntax: expected a digit at byte 8, found `}`"),
        (
            "{\"a\":1} é",
            "syntax: expected the end of the record after the object at byte 9, found `é`",
        ),
        (
            "{\"a\":\"x",
            "syntax: expected a character of the string or its closing quote at byte 8, found the end of the record",
        ),
        (
            "{\"a\":\"x\ty\"}",
            "syntax: expected a character of the string or its closing quote at byte 8, found the byte 0x09",
        ),
        (
            "{\"a\":\"\\x\"}",
            "syntax: expected one of `\"\\/bfnrtu` after the backslash at byte 8, found `x`",
        ),
        (
            "{\"a\":\"\\u12g4\"}",
            "syntax: expected four hexadecimal digits after `\\u` at byte 11, found `g`",
        ),
        (
            "{\"a\":1,\"\\u0061\":2}",
            "duplicate key: \"a\" stands a second time at byte 8",
        ),
    ];
    for (line, message) in cases {
        for end in ["", "\n", "\r\n"] {
            assert_eq!(
                split(format!("{line}{end}"), &["a"]).messages(),
                [message],
                "{line:?} {end:?}"
            );
        }
    }
}

#[test]
fn bytes_of_a_message_are_counted_from_the_start_of_the_line() {
    let split = split("{\"a\":1}\n  {\"a\":-}\n", &["a"]);
    assert_eq!(
        split.messages(),
        ["syntax: expected a digit at byte 9, found `}`"]
    );
}

#[test]
fn a_malformed_line_leaves_nothing_behind() {
    let long = "long enough for no view: \\n";
    let lines = format!(
        "{{\"a\":\"{long}\"}}\n{{\"a\":\"{long}\",\"b\":\"\\ud800\"\n{{\"b\":\"{long}\"}}\n{{\"a\":1,\"a\":2}}\n"
    );
    let split = split(&lines, &["a", "b"]);
    let text = long.replace("\\n", "\n");
    assert_eq!(split.column(0), [text.as_str(), ""]);
    assert_eq!(split.column(1), ["", text.as_str()]);
    assert_eq!(split.table.unescaped.len(), 2 * text.len());
    assert_eq!(split.table.ordinal, [0, 2]);
    assert!(split.table.invalid.is_empty());
}

#[test]
fn a_key_only_malformed_records_have_is_not_seen() {
    assert_eq!(
        split("{\"a\":1}\n{\"b\":1\n", &["a", "b"]).table.seen,
        [true, false]
    );
}

#[test]
fn a_repeated_key_that_nobody_wants_is_passed_over() {
    let split = split("{\"x\":1,\"x\":2,\"a\":{\"y\":1,\"y\":2}}", &["a"]);
    assert_eq!(split.column(0), ["{\"y\":1,\"y\":2}"]);
}

#[test]
fn text_that_is_not_utf8_is_a_fault_of_its_column() {
    let line = b"{\"a\":\"\xff\xfe\",\"b\":\"ok \xc3\xa9\",\"c\":[\"\x80\"],\"d\":\"\\n\xc3\",\"other\":\"\xff\",\"\xff\":1}\n{\"a\":1}\n";
    let split = split(line, &["a", "b", "c", "d"]);
    assert_eq!(split.table.invalid, [(0, 0), (0, 2), (0, 3)]);
    assert_eq!(split.column(0), ["", "1"]);
    assert_eq!(split.column(1), ["ok é", ""]);
    assert_eq!(split.column(3), ["", ""]);
    assert!(split.table.malformed.is_empty());
}

#[test]
fn half_a_surrogate_pair_is_a_fault_of_its_column() {
    for escape in [
        "\\ud800",
        "\\udc00",
        "\\ud800\\ud800",
        "\\ud800x",
        "\\ud800\\n",
        "\\ude00\\ud83d",
    ] {
        let split = split(
            format!("{{\"a\":\"x{escape}\",\"b\":\"{escape} in an unwanted one\"}}"),
            &["a"],
        );
        assert_eq!(split.table.invalid, [(0, 0)], "{escape}");
        assert_eq!(split.column(0), [""], "{escape}");
    }
}

#[test]
fn nesting_has_a_limit_whether_the_value_is_wanted_or_not() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let deepest = MAX_LEVELS as usize;
    for wanted in [&["a"][..], &[]] {
        assert!(split(nested(deepest), wanted).messages().is_empty());
        let message = format!("nesting: more than 128 levels at byte {}", 6 + deepest - 1);
        assert_eq!(split(nested(deepest + 1), wanted).messages(), [message.as_str()]);
    }
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(split(objects(deepest), &["a"]).messages().is_empty());
    assert_eq!(split(objects(deepest + 1), &["a"]).messages().len(), 1);
}

#[test]
fn a_line_over_the_limit_is_malformed_and_its_neighbours_are_not() {
    let split = split_with("{\"a\":1}\n{\"a\":\"12345\"}\n{\"a\":2}\n", &["a"], 12);
    assert_eq!(split.column(0), ["1", "2"]);
    assert_eq!(
        split.messages(),
        ["oversized: the record has more than 12 bytes; its first part is kept"]
    );
    assert_eq!(split.table.malformed[0].byte_len, 13);
}
