//! Every way to sort, against a stable sort of all rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use proptest::prelude::*;

use super::order::{Keys, Place, order};
use super::{KeySample, Part, SortedRows, Sorting, Unsorted, Wanted};
use crate::stage::{BatchStore, StageBudget};
use crate::table::KeyRange;
use crate::validate::RecordSet;

/// Keys that share beginnings, end in zeros, are empty, long, NULL, or all the same.
fn key() -> impl Strategy<Value = Option<String>> {
    let beginning = prop::sample::select(vec!["", "C-00", "C-001234", "C-0012345678901234567890"]);
    let end = prop_oneof![
        8 => "[ab\0é]{0,4}",
        1 => "[a-c]{5,30}",
        1 => Just("x".repeat(300)),
    ];
    let key = (beginning, end).prop_map(|(beginning, end)| format!("{beginning}{end}"));
    prop::option::weighted(0.95, key)
}

fn batches() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    prop::collection::vec(prop::collection::vec(key(), 1..60), 0..8)
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("customer_id", DataType::Utf8View, true),
        Field::new("record_no", DataType::Int64, false),
        Field::new("text", DataType::Utf8View, true),
    ]))
}

fn store(batches: &[Vec<Option<String>>], budget: &StageBudget) -> (BatchStore, KeySample) {
    let mut store = BatchStore::new(schema(), budget.clone());
    let mut sample = KeySample::default();
    let mut first = 1;
    for keys in batches {
        let records = Int64Array::from_iter_values(first..first + keys.len() as i64);
        let texts = records.values().iter().map(|record| {
            (record % 3 != 0).then(|| format!("a text that no view holds, of record {record}"))
        });
        first += keys.len() as i64;
        let texts = StringViewArray::from_iter(texts);
        let keys = StringViewArray::from_iter(keys);
        sample.add(&keys, &records);
        let columns: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(records), Arc::new(texts)];
        store
            .push(RecordBatch::try_new(schema(), columns).unwrap())
            .unwrap();
    }
    (store, sample)
}

/// Sorts the rows with a key whose record is no multiple of seven.
fn sorted(batches: &[Vec<Option<String>>], memory_bytes: usize) -> Arc<dyn SortedRows> {
    let budget = StageBudget::new(memory_bytes, std::env::temp_dir());
    let (store, sample) = store(batches, &budget);
    let staged = Arc::new(store);
    let from = Arc::clone(&staged);
    let read = move |number| {
        let batch = from.read(number)?;
        let takes_part = |row: &u32| batch.column(0).is_valid(*row as usize) && record(&batch, *row) % 7 != 0;
        let rows = (0..batch.num_rows() as u32).filter(takes_part).collect();
        Ok(Unsorted { batch, rows })
    };
    let sorting = Sorting {
        staged,
        schema: schema(),
        read: Arc::new(read),
        sample,
        budget,
        range_bytes: 2048,
        work_bytes: 8192,
        threads: 2,
    };
    futures::executor::block_on(sorting.run()).unwrap()
}

fn record(batch: &RecordBatch, row: u32) -> i64 {
    batch.column(1).as_primitive::<Int64Type>().value(row as usize)
}

/// Key and record of the rows that take part, in order.
fn expected(batches: &[Vec<Option<String>>]) -> Vec<(String, i64)> {
    let rows = batches.iter().flatten().cloned().zip(1..);
    let mut rows: Vec<(String, i64)> = rows
        .filter_map(|(key, record)| Some((key?, record)))
        .filter(|(_, record)| record % 7 != 0)
        .collect();
    rows.sort();
    rows
}

fn rows(batch: &RecordBatch) -> Vec<(String, i64)> {
    let keys = batch
        .column(0)
        .as_string_view()
        .iter()
        .flatten()
        .map(str::to_owned);
    let records = batch
        .column(1)
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .copied();
    keys.zip(records).collect()
}

fn check(batches: &[Vec<Option<String>>], memory_bytes: usize) -> Result<(), TestCaseError> {
    let sorted = sorted(batches, memory_bytes);
    let expected = expected(batches);
    let all = sorted.ranges().iter().enumerate();
    let all = all.map(|(number, range)| {
        let batch = sorted.read(number, Wanted::default()).unwrap();
        let keys = batch.column(0).as_string_view();
        assert_eq!(
            (keys.value(0), keys.value(keys.len() - 1)),
            (range.min.as_str(), range.max.as_str())
        );
        batch
    });
    let all = concat_batches(&schema(), &all.collect::<Vec<_>>()).unwrap();
    prop_assert_eq!(rows(&all), expected.clone());
    for (row, text) in all.column(2).as_string_view().iter().enumerate() {
        let record = record(&all, row as u32);
        let made = (record % 3 != 0).then(|| format!("a text that no view holds, of record {record}"));
        prop_assert_eq!(text, made.as_deref());
    }
    let mut odd = RecordSet::default();
    (1..2000).step_by(2).for_each(|record| {
        odd.insert(record);
    });
    let keys = KeyRange {
        min: "C-00".into(),
        max: "C-00123456789b".into(),
    };
    let is_wanted = |row: &&(String, i64)| keys.min <= row.0 && row.0 <= keys.max && row.1 % 2 == 0;
    let expected: Vec<_> = expected.iter().filter(is_wanted).cloned().collect();
    for part in [Part::Whole, Part::Keys] {
        let wanted = Wanted {
            part,
            keys: Some(&keys),
            without: [None, Some(&odd)],
        };
        let batches: Vec<RecordBatch> = (0..sorted.ranges().len())
            .map(|number| sorted.read(number, wanted).unwrap())
            .collect();
        let schema = part.of(&schema()).unwrap();
        prop_assert!(batches.iter().all(|batch| batch.schema() == schema));
        prop_assert_eq!(
            batches.iter().flat_map(rows).collect::<Vec<_>>(),
            expected.clone()
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_stage_in_memory_is_read_in_the_order_of_a_plain_sort(batches in batches()) {
        check(&batches, usize::MAX / 2)?;
    }

    #[test]
    fn a_stage_on_disk_is_read_in_the_order_of_a_plain_sort(batches in batches()) {
        check(&batches, 0)?;
    }

    #[test]
    fn a_stage_of_which_a_part_is_on_disk_is_read_in_the_order_of_a_plain_sort(batches in batches()) {
        check(&batches, 10_000)?;
    }
}

/// More rows than a core takes at a time, of keys that share `beginning`.
fn many(beginning: &str) -> Vec<StringViewArray> {
    let key = |number: u64| format!("{beginning}{:05}", number * 7_919 % 30_011 / 2);
    (0..3)
        .map(|batch| StringViewArray::from_iter_values((batch * 10_000..(batch + 1) * 10_000).map(key)))
        .collect()
}

#[test]
fn many_rows_are_ordered_by_key_then_place() {
    for beginning in ["", "C", "a prefix of more bytes than a word has, "] {
        let keys = many(beginning);
        let rows: Vec<Vec<u32>> = keys.iter().map(|keys| (0..keys.len() as u32).collect()).collect();
        let ordered = order(Keys(&keys), &rows);
        let mut expected = Vec::new();
        for (batch, rows) in rows.iter().enumerate() {
            expected.extend(rows.iter().map(|row| Place::new(batch as u32, *row)));
        }
        expected.sort_by_key(|place| Keys(&keys).at(*place));
        assert_eq!(ordered, expected);
    }
}

#[test]
fn keys_that_share_ever_more_are_ordered_all_the_same() {
    let keys = (0..3000_usize).map(|n| "x".repeat(n * 7_919 % 3001));
    let keys = [StringViewArray::from_iter_values(keys)];
    let ordered = order(Keys(&keys), &[(0..3000).collect()]);
    assert!(ordered.is_sorted_by_key(|place| Keys(&keys).at(*place).len()));
}
