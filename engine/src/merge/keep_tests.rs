use arrow::datatypes::{DataType, Field};

use super::*;
use crate::merge::cost::{Costs, Reason};
use crate::merge::facts::{FileCounts, FileOutcome};

const ROOM: Vectors = Vectors::Allowed {
    max_overlapping_files: 2,
};

fn merged(path: &str, vector: Option<&str>, strategy: Strategy) -> MergedFile {
    MergedFile {
        identity: (path.to_owned(), vector.map(str::to_owned)),
        outcome: FileOutcome {
            path: path.to_owned(),
            strategy,
            reason: Reason::Cheapest,
            costs: Costs::default(),
            read_bytes: 0,
            copied_bytes: 0,
            encoded_bytes: 0,
            counts: FileCounts::default(),
        },
        actions: Vec::new(),
    }
}

/// A version with the files a (A to F), b (M to P, marked by v1) and any (any key), the first two under one file each.
fn premises() -> Premises {
    let range = |min: &str, max: &str| {
        Some(KeyRange {
            min: min.into(),
            max: max.into(),
        })
    };
    let live = [
        (("a".to_owned(), None), (range("A", "F"), 2)),
        (("b".to_owned(), Some("v1".to_owned())), (range("M", "P"), 2)),
        (("any".to_owned(), None), (None, 2)),
    ];
    Premises {
        live: live.into_iter().collect(),
        vectors: ROOM,
        lost_columns: BTreeSet::new(),
        mapped: BTreeSet::from(["tier".to_owned()]),
        judged_anew: Vec::new(),
    }
}

const ALL: [Strategy; 4] = [
    Strategy::Untouched,
    Strategy::DeletionVector,
    Strategy::Splice,
    Strategy::Rewrite,
];

#[test]
fn what_nobody_touched_is_kept_however_it_was_merged() {
    for strategy in ALL {
        assert_eq!(premises().fate(&merged("a", None, strategy)), Fate::Kept);
        assert_eq!(premises().fate(&merged("b", Some("v1"), strategy)), Fate::Kept);
    }
}

#[test]
fn a_file_that_was_removed_or_marked_is_done_again() {
    for strategy in ALL {
        assert_eq!(premises().fate(&merged("gone", None, strategy)), Fate::Gone);
        assert_eq!(premises().fate(&merged("b", None, strategy)), Fate::Gone);
        assert_eq!(premises().fate(&merged("b", Some("v0"), strategy)), Fate::Gone);
        assert_eq!(premises().fate(&merged("a", Some("v1"), strategy)), Fate::Gone);
    }
}

#[test]
fn a_file_with_a_record_that_is_judged_anew_is_done_again_and_no_other() {
    for (keys, expected) in [
        (vec!["F"], [Fate::OtherVerdicts, Fate::Kept, Fate::OtherVerdicts]),
        (vec!["G", "L"], [Fate::Kept, Fate::Kept, Fate::OtherVerdicts]),
        (
            vec!["0", "G", "N"],
            [Fate::Kept, Fate::OtherVerdicts, Fate::OtherVerdicts],
        ),
        (vec![], [Fate::Kept; 3]),
    ] {
        let premises = Premises {
            judged_anew: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..premises()
        };
        let files = [("a", None), ("b", Some("v1")), ("any", None)];
        let fates = files.map(|(path, vector)| premises.fate(&merged(path, vector, Strategy::Splice)));
        assert_eq!(fates, expected, "{keys:?}");
    }
}

#[test]
fn a_column_that_is_another_one_now_concerns_what_was_written_or_compared_with_it() {
    let lost = |column: &str| Premises {
        lost_columns: BTreeSet::from([column.to_owned()]),
        ..premises()
    };
    for strategy in ALL {
        let file = merged("a", None, strategy);
        assert_eq!(lost("tier").fate(&file), Fate::OtherColumns);
        let unmapped = match strategy {
            Strategy::Untouched => Fate::Kept,
            _ => Fate::OtherColumns,
        };
        assert_eq!(lost("city").fate(&file), unmapped);
    }
}

#[test]
fn marked_rows_need_room_and_leave_to_be_marked() {
    let forbidden = Premises {
        vectors: Vectors::Forbidden,
        ..premises()
    };
    let mut crowded = premises();
    crowded.live.values_mut().for_each(|(_, files)| *files = 3);
    for strategy in ALL {
        let file = merged("a", None, strategy);
        let (no_vectors, no_room) = match strategy {
            Strategy::DeletionVector => (Fate::NoVectors, Fate::Crowded),
            _ => (Fate::Kept, Fate::Kept),
        };
        assert_eq!(
            (forbidden.fate(&file), crowded.fate(&file)),
            (no_vectors, no_room)
        );
    }
}

#[test]
fn a_column_is_lost_by_its_name_or_its_type_and_not_by_its_place() {
    let schema = |columns: &[(&str, DataType)]| {
        let fields = columns.iter();
        Schema::new(
            fields
                .map(|(name, ty)| Field::new(*name, ty.clone(), true))
                .collect::<Vec<_>>(),
        )
    };
    let before = schema(&[("a", DataType::Int32), ("b", DataType::Utf8View)]);
    let grown = [
        ("b", DataType::Utf8View),
        ("c", DataType::Int32),
        ("a", DataType::Int32),
    ];
    assert!(lost_columns(&before, &schema(&grown)).is_empty());
    let other = schema(&[("a", DataType::Int64)]);
    assert_eq!(
        lost_columns(&before, &other),
        BTreeSet::from(["a".to_owned(), "b".to_owned()])
    );
}
