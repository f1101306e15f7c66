use std::collections::HashMap;

use super::*;
use crate::referee::{Parsed, parse};
use crate::{ATTRIBUTES, KEY_COLUMN};

fn written(file: CustomerFile) -> (Vec<u8>, Expected) {
    let mut csv = Vec::new();
    let expected = file.write(&mut csv).unwrap();
    assert_eq!((expected.rows, expected.bytes), (file.rows, csv.len() as u64));
    (csv, expected)
}

fn cell<'a>(record: &'a Parsed, column: &str) -> &'a [u8] {
    let at = ATTRIBUTES.iter().position(|(name, _)| *name == column).unwrap() + 1;
    &record.fields[at]
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What is wrong with a record, judged from its bytes alone.
fn diagnose(record: &Parsed, ids: &HashMap<Vec<u8>, u64>) -> Option<Dirty> {
    if record.open {
        return Some(Dirty::UnterminatedQuote);
    }
    if record.stray {
        return Some(Dirty::StrayQuote);
    }
    match record.fields.len() {
        0..11 => return Some(Dirty::ShortRecord),
        11 => {}
        _ => return Some(Dirty::LongRecord),
    }
    if record
        .fields
        .iter()
        .any(|field| std::str::from_utf8(field).is_err())
    {
        return Some(Dirty::InvalidUtf8);
    }
    if record.fields[0].is_empty() {
        return Some(Dirty::NullCid);
    }
    if ids[&record.fields[0]] > 1 {
        return Some(Dirty::DuplicateCid);
    }
    if record.fields[1..].iter().all(Vec::is_empty) {
        return Some(Dirty::Cleared);
    }
    diagnose_cells(record)
}

fn diagnose_cells(record: &Parsed) -> Option<Dirty> {
    let (signup, login) = (
        text(cell(record, "Signup Date")),
        text(cell(record, "Last Login")),
    );
    let (spend, email) = (text(cell(record, "Total Spend")), text(cell(record, "Email")));
    let is_date = |date: &str| date.len() == 10 && date.split('-').count() == 3 && date != "2023-02-30";
    let is_amount =
        |amount: &str| amount.parse::<f64>().is_ok() && amount.find('.') == Some(amount.len() - 3);
    let fits = is_date(signup)
        && (login.is_empty() || !login.contains(" 25:"))
        && (spend.is_empty() || is_amount(spend))
        && text(cell(record, "Orders")).parse::<i32>().is_ok()
        && matches!(cell(record, "Opted In"), b"true" | b"false" | b"")
        && (cell(record, "Points").is_empty() || text(cell(record, "Points")).parse::<i64>().is_ok());
    if !fits {
        return Some(Dirty::TypeMismatch);
    }
    if [signup, login]
        .iter()
        .any(|date| date.starts_with("1900-01-01") || date.starts_with("1989-01-01"))
    {
        return Some(Dirty::DefaultDate);
    }
    if signup < "1753-01-01" {
        return Some(Dirty::EarlyDate);
    }
    let (city, note) = (text(cell(record, "City")), text(cell(record, "Favourite Note")));
    if note.chars().count() > 8_000 {
        return Some(Dirty::LongString);
    }
    let emoji = |c: char| matches!(c, '\u{1F1E6}'..='\u{1FAFF}' | '\u{FE0F}' | '\u{200D}');
    if city.contains(emoji) || note.contains(emoji) {
        return Some(Dirty::Emoji);
    }
    let is_address = email
        .split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && host.contains('.') && !host.contains(['@', ' ']));
    if !email.is_empty() && !is_address {
        return Some(Dirty::BadEmail);
    }
    spend.starts_with('-').then_some(Dirty::NegativeSpend)
}

/// How many well-formed records have each id.
fn count_ids(records: &[Parsed]) -> HashMap<Vec<u8>, u64> {
    let mut ids = HashMap::new();
    for record in records
        .iter()
        .filter(|record| !record.stray && !record.open && record.fields.len() == 11)
    {
        *ids.entry(record.fields[0].clone()).or_insert(0) += 1;
    }
    ids
}

/// Parses a file afresh and counts what its records have.
fn recount(csv: &[u8]) -> (Vec<Parsed>, HashMap<Dirty, u64>, u64) {
    let mut records = parse(csv);
    let header = records.remove(0);
    assert_eq!(header.fields[0], KEY_COLUMN.as_bytes());
    let ids = count_ids(&records);
    let mut counts = HashMap::new();
    for kind in records.iter().filter_map(|record| diagnose(record, &ids)) {
        *counts.entry(kind).or_insert(0) += 1;
    }
    let groups = ids
        .iter()
        .filter(|(id, count)| **count > 1 && !id.is_empty())
        .count() as u64;
    (records, counts, groups)
}

#[test]
fn a_clean_file_has_no_flaw_and_ascending_ids() {
    let (csv, expected) = written(CustomerFile::of(5_000));
    let (records, counts, _) = recount(&csv);
    assert_eq!(records.len(), 5_000);
    assert!(counts.is_empty(), "{counts:?}");
    assert_eq!((expected.rejected(), expected.accepted()), (0, 5_000));
    assert!(records.is_sorted_by(|a, b| a.fields[0] < b.fields[0]));
    assert_eq!(records[122].fields[0], b"C00000123");
}

#[test]
fn a_clean_file_has_what_makes_parsing_hard() {
    let (csv, _) = written(CustomerFile::of(5_000));
    let (records, ..) = recount(&csv);
    let notes: Vec<&[u8]> = records
        .iter()
        .map(|record| cell(record, "Favourite Note"))
        .collect();
    for mark in [b',', b'"', b'\n', b'\r', 0xC3, 0xF0] {
        let share = notes.iter().filter(|note| note.contains(&mark)).count();
        assert!(share > 20, "byte {mark:#x} is in {share} notes of 5000");
    }
    assert!(notes.iter().filter(|note| note.is_empty()).count() > 1_000);
}

#[test]
fn every_count_of_a_dirty_file_is_found_again_in_its_bytes() {
    for seed in 0..5 {
        let dirty = DirtyShare {
            unterminated_quote: 1,
            ..DirtyShare::even(8_000)
        };
        let id_order = if seed % 2 == 0 {
            IdOrder::Random
        } else {
            IdOrder::Ascending
        };
        let (csv, expected) = written(CustomerFile {
            seed,
            dirty,
            id_order,
            id_space: 30_000,
            ..CustomerFile::of(20_000)
        });
        let (records, counts, groups) = recount(&csv);
        assert_eq!(records.len(), 20_000);
        for kind in Dirty::ALL {
            let found = counts.get(&kind).copied().unwrap_or(0);
            assert_eq!(found, expected.records(kind), "{kind:?}, seed {seed}");
            let wanted = if kind == Dirty::UnterminatedQuote {
                1..2
            } else {
                100..230
            };
            assert!(wanted.contains(&found), "{found} of {kind:?}, seed {seed}");
        }
        assert_eq!(groups, expected.duplicate_groups);
        assert!(expected.records(Dirty::DuplicateCid) > 2 * groups, "no triples");
    }
}

#[test]
fn the_counts_by_rule_add_up() {
    let dirty = DirtyShare {
        unterminated_quote: 1,
        ..DirtyShare::even(10_000)
    };
    let (_, expected) = written(CustomerFile {
        dirty,
        ..CustomerFile::of(3_000)
    });
    let malformed = [
        Dirty::ShortRecord,
        Dirty::LongRecord,
        Dirty::StrayQuote,
        Dirty::UnterminatedQuote,
    ];
    let by_kind: u64 = malformed.into_iter().map(|kind| expected.records(kind)).sum();
    assert_eq!(expected.broken_by("malformed_record"), by_kind);
    let valid = expected.records(Dirty::NegativeSpend) + expected.records(Dirty::Cleared);
    let all: u64 = Dirty::ALL.into_iter().map(|kind| expected.records(kind)).sum();
    assert_eq!(expected.rejected() + valid, all);
    assert_eq!(expected.accepted() + expected.rejected(), expected.rows);
}

#[test]
fn a_duplicate_always_finds_its_partner_before_the_file_ends() {
    for rows in 1..60 {
        let dirty = DirtyShare {
            duplicate_cid: 900_000,
            unterminated_quote: 1,
            ..DirtyShare::default()
        };
        let (csv, expected) = written(CustomerFile {
            dirty,
            ..CustomerFile::of(rows)
        });
        let (_, counts, groups) = recount(&csv);
        let found = counts.get(&Dirty::DuplicateCid).copied().unwrap_or(0);
        assert_eq!(
            (found, groups),
            (expected.records(Dirty::DuplicateCid), expected.duplicate_groups)
        );
    }
}

#[test]
fn an_unterminated_quote_leaves_every_earlier_record_whole() {
    let dirty = DirtyShare {
        unterminated_quote: 1,
        ..DirtyShare::default()
    };
    let (csv, expected) = written(CustomerFile {
        dirty,
        ..CustomerFile::of(100)
    });
    let (records, ..) = recount(&csv);
    assert_eq!(records.len(), 100);
    assert!(records[99].open && records[..99].iter().all(|record| !record.open));
    assert_eq!(expected.broken_by("malformed_record"), 1);
}

#[test]
fn the_same_settings_write_the_same_bytes_and_another_seed_does_not() {
    let file = CustomerFile {
        dirty: DirtyShare::even(5_000),
        ..CustomerFile::of(2_000)
    };
    assert_eq!(written(file), written(file));
    assert_ne!(written(file).0, written(CustomerFile { seed: 2, ..file }).0);
}

#[test]
fn flaws_with_draws_of_their_own_leave_the_clean_records_as_they_were() {
    let of = |dirty| {
        let file = CustomerFile {
            dirty,
            flaw_draws: FlawDraws::Own,
            ..CustomerFile::of(5_000)
        };
        recount(&written(file).0).0
    };
    let clean = of(DirtyShare::default());
    for dirty in [
        DirtyShare::even(20_000),
        DirtyShare::well_formed(10_000),
        DirtyShare::well_formed(500_000),
    ] {
        let records = of(dirty);
        let ids = count_ids(&records);
        let mut untouched_rows = 0;
        for (record, before) in records.iter().zip(&clean) {
            if diagnose(record, &ids).is_none() {
                assert_eq!(record.fields, before.fields);
                untouched_rows += 1;
            }
        }
        assert!((2_000..4_999).contains(&untouched_rows), "{untouched_rows}");
    }
}

#[test]
fn well_formed_flaws_spoil_the_share_of_rows_that_was_asked_for_and_nothing_is_malformed() {
    for (per_million, rejected) in [
        (0, 0..1),
        (1_000, 60..140),
        (10_000, 900..1_100),
        (100_000, 9_700..10_300),
    ] {
        let expected = written_with(DirtyShare::well_formed(per_million)).1;
        assert!(
            rejected.contains(&expected.rejected()),
            "{per_million}: {expected:?}"
        );
        assert_eq!(expected.broken_by("malformed_record"), 0);
    }
    let half = written_with(DirtyShare::well_formed(500_000)).1;
    assert!((49_000..51_000).contains(&half.rejected()), "{half:?}");
    let kinds = [
        "cid_null",
        "cid_duplicate",
        "type_mismatch",
        "date_default",
        "unsupported_character",
        "email_invalid",
    ];
    for rule in kinds {
        assert!((7_700..9_000).contains(&half.broken_by(rule)), "{rule}: {half:?}");
    }
}

#[test]
fn a_file_can_be_bad_from_end_to_end() {
    let (csv, expected) = written_with(DirtyShare::well_formed(1_000_000));
    let (records, counts, _) = recount(&csv);
    assert_eq!(records.len(), 100_000);
    assert_eq!(counts.values().sum::<u64>(), expected.rejected());
    assert!(expected.accepted() <= 2, "{expected:?}");
}

fn written_with(dirty: DirtyShare) -> (Vec<u8>, Expected) {
    written(CustomerFile {
        dirty,
        flaw_draws: FlawDraws::Own,
        ..CustomerFile::of(100_000)
    })
}

#[test]
fn settings_that_cannot_be_met_are_refused() {
    let shares = DirtyShare {
        null_cid: 600_000,
        emoji: 600_000,
        ..DirtyShare::default()
    };
    let too_dirty = CustomerFile {
        dirty: shares,
        ..CustomerFile::of(10)
    };
    let too_narrow = CustomerFile {
        id_order: IdOrder::Random,
        id_space: 9,
        ..CustomerFile::of(10)
    };
    for file in [too_dirty, too_narrow] {
        let error = file.write(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_file_of_no_rows_is_its_header() {
    let (csv, expected) = written(CustomerFile::of(0));
    assert_eq!(parse(&csv).len(), 1);
    assert_eq!(expected.rejected(), 0);
}
