use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use proptest::prelude::*;

use super::*;

type Row = (String, Option<i64>);

fn changes(rows: &BTreeMap<String, Option<i64>>) -> ChangeSlice {
    let schema = Schema::new(vec![
        Field::new("customer_id", DataType::Utf8View, true),
        Field::new("record_no", DataType::Int64, false),
        Field::new("points", DataType::Int64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.keys())),
        Arc::new(Int64Array::from_iter_values(1..=rows.len() as i64)),
        Arc::new(rows.values().copied().collect::<Int64Array>()),
    ];
    ChangeSlice::new(RecordBatch::try_new(Arc::new(schema), columns).unwrap()).unwrap()
}

fn file(rows: &[Row]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("customer_id", DataType::Utf8View, true),
        Field::new("points", DataType::Int64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| &row.0))),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn key() -> impl Strategy<Value = String> {
    "[ab]{0,3}[0-9]{0,2}"
}

fn value() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(0i64..3)
}

proptest! {
    #[test]
    fn applying_changes_to_a_file_in_any_order_is_what_a_map_does(
        rows in proptest::collection::btree_map(key(), value(), 0..40),
        change in proptest::collection::btree_map(key(), value(), 0..40),
        shuffle in any::<u64>(),
        keep in any::<bool>(),
    ) {
        let nulls = [if keep { NullCells::Keep } else { NullCells::Clear }];
        let mut rows: Vec<Row> = rows.into_iter().collect();
        let middle = shuffle as usize % (rows.len() + 1);
        rows.rotate_left(middle);
        let (batch, slice) = (file(&rows), changes(&change));
        let pairs = pair(batch.column(0).as_string_view(), &slice, &mut Cursor::default());
        let found = compare(&[Arc::clone(batch.column(1))], &slice, &pairs, &nulls).unwrap();
        let merged = apply(&batch, &[1], &slice, &pairs, &nulls).unwrap();

        let (mut changed, mut cleared, mut filled) = (0, 0, 0);
        let expected: Vec<Option<i64>> = rows.iter().map(|(key, old)| match change.get(key) {
            None => *old,
            Some(None) if keep => *old,
            Some(new) => {
                changed += u64::from(new != old);
                cleared += u64::from(new != old && new.is_none());
                filled += u64::from(new != old && old.is_none());
                *new
            }
        }).collect();
        let values: Vec<Option<i64>> = merged.column(1).as_primitive::<Int64Type>().iter().collect();
        prop_assert_eq!(values, expected);
        prop_assert_eq!(merged.column(0), batch.column(0));
        prop_assert_eq!(found.cells, vec![ChangedCells { changed, cleared, filled }]);
        prop_assert_eq!(found.rows.true_count() as u64, changed);
    }

    #[test]
    fn the_pairs_of_a_sorted_file_are_those_of_a_file_in_any_order(
        rows in proptest::collection::vec(key(), 0..60),
        change in proptest::collection::btree_map(key(), value(), 0..60),
    ) {
        let mut rows: Vec<Row> = rows.into_iter().map(|key| (key, None)).collect();
        rows.sort();
        let (batch, slice) = (file(&rows), changes(&change));
        let keys = batch.column(0).as_string_view();
        prop_assert_eq!(pair_sorted(keys, &slice), pair(keys, &slice, &mut Cursor::default()));
    }
}
