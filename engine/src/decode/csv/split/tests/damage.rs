//! Every kind of damage at every byte of a file: the other records must come out as they were.

use std::ops::Range;

use super::reference;
use super::*;

const NUM_FIELDS: usize = 4;

const RECORDS: [&str; 15] = [
    "1,Ann,Bonn,12\n",
    "2,\"Bob \"\"B\"\" Burn\",Ulm,7\n",
    "3,,,\r\n",
    "4,\"Cy\",\"1 Elm St\nFlat 2, Ulm\",3\n",
    "5,Di,\"\",\"\"\r\n",
    "6,\"Ed\r\nEd's, and\n\nEd\",\"Rome\",1\r\n",
    "\"7\",\"Fay\",\"Oslo\",\"4\"\n",
    "8,Gus,Bari,\"said \"\"no\"\"\n\"\"yes\"\"\"\n",
    "9,\"\",Hal,\"x,y,z\"\n",
    "\"10\n10\",Ida,Kiel,6\n",
    "11,Jo,Lyon,5\n",
    "12,Kim,\"a \"\"b\"\" c\",\n",
    "13,Lee,Metz,\n",
    "14,Max,Nice,\"\nfragile\"\n",
    "15,Ned,Orly,8\n",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    Insert(u8),
    InsertTwice(u8),
    Replace(u8),
    Delete,
    /// The byte and the one behind it change places.
    Swap,
    /// The file ends before the byte.
    Truncate,
}

impl Damage {
    const ALL: [Self; 12] = [
        Self::Insert(b'"'),
        Self::Insert(b'\n'),
        Self::Insert(b','),
        Self::Insert(b'\r'),
        Self::InsertTwice(b'"'),
        Self::Replace(b'"'),
        Self::Replace(b'\n'),
        Self::Replace(b','),
        Self::Replace(b'\r'),
        Self::Delete,
        Self::Swap,
        Self::Truncate,
    ];

    /// The bytes of the file that are no longer what they were, or no longer there.
    fn harmed(self, at: usize, file: &[u8]) -> Range<usize> {
        match self {
            Self::Insert(_) | Self::InsertTwice(_) => at..at,
            Self::Replace(_) | Self::Delete => at..at + 1,
            Self::Swap => at..(at + 2).min(file.len()),
            Self::Truncate => at..file.len(),
        }
    }
}

/// The damaged file, and how much longer it became.
pub(super) fn damaged(file: &[u8], at: usize, damage: Damage) -> (Vec<u8>, isize) {
    let (head, tail) = file.split_at(at);
    match damage {
        Damage::Insert(byte) => ([head, &[byte], tail].concat(), 1),
        Damage::InsertTwice(byte) => ([head, &[byte, byte], tail].concat(), 2),
        Damage::Replace(byte) => ([head, &[byte], &tail[1..]].concat(), 0),
        Damage::Delete => ([head, &tail[1..]].concat(), -1),
        Damage::Swap => match tail {
            [first, second, rest @ ..] => ([head, &[*second, *first], rest].concat(), 0),
            _ => (file.to_vec(), 0),
        },
        Damage::Truncate => (head.to_vec(), 0),
    }
}

/// Outcome of one damage.
#[derive(Debug, Default)]
pub(super) struct Toll {
    /// Undamaged records that became part of a record the referee calls well-formed.
    pub(super) unseen: usize,
    /// Undamaged records lost otherwise.
    pub(super) lost: Vec<usize>,
    /// Malformed records.
    pub(super) rejects: usize,
}

/// Damages a file of these records and looks for the others.
pub(super) fn toll(records: &[Vec<u8>], at: usize, damage: Damage, reading: &Reading) -> Toll {
    let file = records.concat();
    let (bad, shift) = damaged(&file, at, damage);
    let seen = reading.whole(&bad);
    let mut toll = Toll {
        rejects: seen.iter().filter(|seen| seen.shape != WellFormed).count(),
        ..Toll::default()
    };
    let harmed = damage.harmed(at, &file);
    let mut start = 0;
    for (i, record) in records.iter().enumerate() {
        let next = start + record.len();
        // A record also needs the line end before it.
        let hit = (start..next).contains(&at)
            || harmed.contains(&start)
            || start > 0 && harmed.contains(&(start - 1));
        let moved = if start > at {
            start.strict_add_signed(shift)
        } else {
            start
        };
        if !hit && !seen.iter().any(|seen| is(seen, moved, record, reading)) {
            if seen
                .iter()
                .any(|seen| is_well_formed_across(seen, moved, &bad, reading))
            {
                toll.unseen += 1;
            } else {
                toll.lost.push(i);
            }
        }
        start = next;
    }
    toll
}

/// Whether `seen` holds the byte at `at`, not as its first, and the referee finds nothing wrong with it.
fn is_well_formed_across(seen: &Seen, at: usize, file: &[u8], reading: &Reading) -> bool {
    let start = seen.byte_start as usize;
    let strict = reference::parse(file, start, &reading.dialect);
    (start + 1..start + seen.raw.len()).contains(&at)
        && strict.is_some_and(|strict| Some(strict.values.len()) == reading.expected_fields)
}

/// Whether `seen` is this undamaged record, every value of it.
fn is(seen: &Seen, start: usize, record: &[u8], reading: &Reading) -> bool {
    let strict = reference::parse(record, 0, &reading.dialect).unwrap();
    seen.byte_start == start as u64
        && seen.shape == WellFormed
        && seen.raw == record[..strict.end]
        && seen.values == strict.values
}

#[test]
fn the_sample_is_well_formed() {
    let seen = Reading::of(NUM_FIELDS).whole(RECORDS.concat().as_bytes());
    assert_eq!(seen.len(), RECORDS.len());
    assert!(seen.iter().all(|seen| seen.shape == WellFormed));
}

#[test]
fn damage_anywhere_costs_no_undamaged_record() {
    let (reading, records) = (
        Reading::of(NUM_FIELDS),
        RECORDS.map(|record| record.as_bytes().to_vec()),
    );
    let file = records.concat();
    let (mut counts, mut unseen) = (Vec::new(), Vec::new());
    for damage in Damage::ALL {
        let (mut still_well_formed, mut by_rejects) = (0, [0; 5]);
        for at in 0..file.len() {
            let toll = toll(&records, at, damage, &reading);
            assert!(toll.lost.is_empty(), "{damage:?} at {at}: {toll:?}");
            by_rejects[toll.rejects] += 1;
            still_well_formed += usize::from(is_well_formed(&damaged(&file, at, damage).0, &reading));
            if toll.unseen > 0 {
                unseen.push((at, damage, toll.unseen));
            }
        }
        // No reject exactly where RFC 4180 finds nothing wrong.
        assert_eq!(by_rejects[0], still_well_formed);
        counts.push((damage, by_rejects));
    }
    // Damages by the number of rejects that they cause; the first number are those that leave the file well-formed.
    let expected = [
        (Damage::Insert(b'"'), [0, 231, 57, 6, 0]),
        (Damage::Insert(b'\n'), [154, 37, 103, 0, 0]),
        (Damage::Insert(b','), [121, 173, 0, 0, 0]),
        (Damage::Insert(b'\r'), [255, 31, 7, 1, 0]),
        (Damage::InsertTwice(b'"'), [168, 115, 11, 0, 0]),
        (Damage::Replace(b'"'), [50, 183, 55, 6, 0]),
        (Damage::Replace(b'\n'), [134, 38, 119, 2, 1]),
        (Damage::Replace(b','), [141, 139, 12, 2, 0]),
        (Damage::Replace(b'\r'), [185, 93, 13, 3, 0]),
        (Damage::Delete, [185, 95, 11, 3, 0]),
        (Damage::Swap, [197, 75, 18, 4, 0]),
        (Damage::Truncate, [49, 245, 0, 0, 0]),
    ];
    assert_eq!(counts, expected);
    // A quote after the empty last field of 12 or 13: the one at the end of 14 closes it, RFC 4180 sees one record.
    let expected = [
        (243, Damage::Insert(b'"'), 2),
        (256, Damage::Insert(b'"'), 1),
        (243, Damage::Replace(b'"'), 1),
    ];
    assert_eq!(unseen, expected);
}

#[test]
fn a_damaged_file_in_pieces_has_the_same_records() {
    let (reading, file) = (Reading::of(NUM_FIELDS), RECORDS.concat().into_bytes());
    for (at, damage) in (0..file.len()).flat_map(|at| Damage::ALL.map(|damage| (at, damage))) {
        let bad = damaged(&file, at, damage).0;
        let seen = reading.whole(&bad);
        for (owned_bytes, look_ahead_bytes) in [(29, 10), (100, 60)] {
            let pieces = reading.in_pieces(&bad, owned_bytes, look_ahead_bytes);
            assert_eq!(pieces, seen, "{damage:?} at {at}, pieces of {owned_bytes}");
        }
    }
}

/// Whether the referee finds nothing wrong with the whole file.
fn is_well_formed(file: &[u8], reading: &Reading) -> bool {
    let mut at = 0;
    while at < file.len() {
        at = match &file[at..] {
            [b'\n', ..] => at + 1,
            [b'\r', b'\n', ..] => at + 2,
            _ => match reference::parse(file, at, &reading.dialect) {
                Some(strict) if Some(strict.values.len()) == reading.expected_fields => strict.next,
                _ => return false,
            },
        };
    }
    true
}
