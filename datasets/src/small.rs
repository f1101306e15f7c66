//! The fixtures of `small/` are what the catalogue says they are.

use crate::record::header;
use crate::referee::{Parsed, parse, parse_delimited};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../small/", $name)).as_slice()
    };
}

const FIXTURES: [(&str, &[u8]); 12] = [
    ("bom_crlf.csv", fixture!("bom_crlf.csv")),
    ("clean.csv", fixture!("clean.csv")),
    ("dirty.csv", fixture!("dirty.csv")),
    ("duplicate_header.csv", fixture!("duplicate_header.csv")),
    ("empty.csv", fixture!("empty.csv")),
    ("header_only.csv", fixture!("header_only.csv")),
    ("no_final_newline.csv", fixture!("no_final_newline.csv")),
    ("nul_bytes.csv", fixture!("nul_bytes.csv")),
    ("quoted_newlines.csv", fixture!("quoted_newlines.csv")),
    ("semicolon.csv", fixture!("semicolon.csv")),
    ("tab.csv", fixture!("tab.csv")),
    ("unterminated.csv", fixture!("unterminated.csv")),
];

fn fixture(name: &str) -> &'static [u8] {
    FIXTURES.iter().find(|(known, _)| *known == name).unwrap().1
}

fn is_well_formed(record: &Parsed) -> bool {
    record.fields.len() == 11 && !record.stray && !record.open
}

#[test]
fn the_catalogue_lists_every_fixture_with_its_rows_and_bytes() {
    let catalogue = include_str!("../README.md");
    for (name, bytes) in FIXTURES {
        let delimiter = match name {
            "semicolon.csv" => b';',
            "tab.csv" => b'\t',
            _ => b',',
        };
        let rows = parse_delimited(bytes, delimiter).len().saturating_sub(1);
        let line = format!("| `{name}` | {rows} | {} |", bytes.len());
        assert!(catalogue.contains(&line), "README.md lacks {line}");
        assert!(bytes.len() < 100_000, "{name} is not small");
    }
}

#[test]
fn every_fixture_with_rows_starts_with_the_generated_header() {
    for (name, bytes) in FIXTURES {
        if matches!(name, "empty.csv" | "duplicate_header.csv") {
            continue;
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let line = std::str::from_utf8(&bytes[..end]).unwrap().trim_end_matches('\r');
        assert_eq!(line.replace([';', '\t'], ","), header().trim_end(), "{name}");
    }
}

#[test]
fn clean_fixtures_hold_well_formed_records_only() {
    for name in [
        "bom_crlf.csv",
        "clean.csv",
        "no_final_newline.csv",
        "nul_bytes.csv",
        "quoted_newlines.csv",
    ] {
        assert!(parse(fixture(name)).iter().all(is_well_formed), "{name}");
    }
    assert!(
        parse_delimited(fixture("semicolon.csv"), b';')
            .iter()
            .all(is_well_formed)
    );
    assert!(
        parse_delimited(fixture("tab.csv"), b'\t')
            .iter()
            .all(is_well_formed)
    );
}

#[test]
fn the_clean_fixture_is_what_the_generator_writes() {
    let mut csv = Vec::new();
    let expected = crate::CustomerFile {
        seed: 7,
        ..crate::CustomerFile::of(200)
    }
    .write(&mut csv)
    .unwrap();
    assert_eq!(expected.rows, 200);
    assert!(
        csv == fixture("clean.csv"),
        "the generator changed: write clean.csv anew and mend the catalogue"
    );
}

#[test]
fn odd_fixtures_are_odd_in_their_own_way() {
    assert!(fixture("empty.csv").is_empty());
    assert!(fixture("bom_crlf.csv").starts_with(b"\xEF\xBB\xBF"));
    assert!(!fixture("no_final_newline.csv").ends_with(b"\n"));
    assert!(fixture("nul_bytes.csv").contains(&0));
    let unterminated = parse(fixture("unterminated.csv"));
    assert!(
        unterminated.last().unwrap().open && unterminated.iter().filter(|record| record.open).count() == 1
    );
    let names = &parse(fixture("duplicate_header.csv"))[0].fields;
    assert_eq!(names.iter().filter(|name| name.as_slice() == b"City").count(), 2);
    let quoted = parse(fixture("quoted_newlines.csv"));
    assert!(
        quoted[1..]
            .iter()
            .all(|record| record.fields[10].contains(&b'\n'))
    );
}

#[test]
fn the_dirty_fixture_names_the_flaw_of_each_record_in_its_email() {
    let records = parse(fixture("dirty.csv"));
    let malformed: Vec<usize> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| !is_well_formed(record))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(
        malformed,
        [2, 3, 4, 21],
        "record numbers of the malformed records"
    );
    assert!(
        records[5]
            .fields
            .iter()
            .any(|field| std::str::from_utf8(field).is_err())
    );
    assert!(records[6].fields[0].is_empty());
    assert_eq!(records[7].fields[0], records[8].fields[0]);
    assert!(records[21].open);
}
