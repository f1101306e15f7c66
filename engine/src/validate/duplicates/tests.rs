//! The index against a map of all keys, with good hashes and with hopeless ones.

use std::collections::HashMap;

use arrow::array::StringViewArray;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::hash::{Fold, KeyHasher};
use super::{KeyHashes, KeyIndex, Repeated};
use crate::error::{Error, Result};

/// Keys of some batches; the place in the list is the batch number.
type Batches = Vec<Vec<Option<String>>>;

/// More bytes than any test has.
const IN_MEMORY: usize = usize::MAX;

/// Everything collides.
struct Constant;

impl KeyHasher for Constant {
    fn inline(&self, _: u128) -> u64 {
        0
    }
    fn bytes(&self, _: &[u8]) -> u64 {
        0
    }
}

/// Keys of one length collide.
struct Length;

impl KeyHasher for Length {
    fn inline(&self, view: u128) -> u64 {
        u64::from(view as u32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
    fn bytes(&self, key: &[u8]) -> u64 {
        self.inline(key.len() as u128)
    }
}

/// Keys differ in bits that the row numbers of a large batch take away, and there alone.
struct LowBits;

impl KeyHasher for LowBits {
    fn inline(&self, view: u128) -> u64 {
        (view >> 32) as u64 & 0xFFFF
    }
    fn bytes(&self, key: &[u8]) -> u64 {
        key.len() as u64
    }
}

fn array(keys: &[Option<String>]) -> StringViewArray {
    keys.iter().map(Option::as_deref).collect()
}

fn numbered(keys: impl IntoIterator<Item = u32>) -> Vec<Option<String>> {
    keys.into_iter().map(|key| Some(format!("C{key:09}"))).collect()
}

fn index(batches: &Batches, order: &[u32], hasher: &impl KeyHasher, limit_bytes: usize) -> KeyIndex {
    let mut index = KeyIndex::new(limit_bytes, std::env::temp_dir());
    for batch in order {
        let keys = array(&batches[*batch as usize]);
        let hashes = KeyHashes::with_hasher(&keys, hasher).unwrap();
        index.add(*batch, hashes).unwrap();
    }
    index
}

fn ascending(batches: &Batches) -> Vec<u32> {
    (0..batches.len() as u32).collect()
}

fn repeated(batches: &Batches, hasher: &impl KeyHasher, limit_bytes: usize) -> Repeated {
    let index = index(batches, &ascending(batches), hasher, limit_bytes);
    index
        .repeated(|batch| Ok(array(&batches[batch as usize])))
        .unwrap()
}

/// Batch, row, group.
fn flat(repeated: &Repeated) -> Vec<(u32, u32, u32)> {
    let rows = repeated.batches.iter();
    rows.flat_map(|batch| batch.rows.iter().map(|row| (batch.batch, row.row, row.group)))
        .collect()
}

/// What a map of all keys finds, groups numbered in the order of their first row.
fn model(batches: &Batches) -> Vec<(u32, u32, u32)> {
    let rows = || {
        let rows = |(batch, keys): (usize, &Vec<Option<String>>)| {
            let row = |(row, key): (usize, &Option<String>)| Some((batch as u32, row as u32, key.clone()?));
            keys.iter().enumerate().filter_map(row).collect::<Vec<_>>()
        };
        batches.iter().enumerate().flat_map(rows)
    };
    let mut count = HashMap::<String, usize>::new();
    rows().for_each(|(.., key)| *count.entry(key).or_default() += 1);
    let mut groups = HashMap::new();
    rows()
        .filter(|(.., key)| count[key] > 1)
        .map(|(batch, row, key)| {
            let next = groups.len() as u32;
            (batch, row, *groups.entry(key).or_insert(next))
        })
        .collect()
}

fn keys() -> impl Strategy<Value = Option<String>> {
    let short = "[ab\u{0}]{0,3}";
    let around_12_bytes = "[ab]{1,2}xxxxxxxxxx[ab]{0,2}";
    let long = "0f8f2c1e-9d1b-4b0e-8[ab]{3}-[ab]{2}f0c1d2e3f4";
    option::weighted(0.9, prop_oneof![short, around_12_bytes, long, "[a-z]{0,40}"])
}

proptest! {
    #[test]
    fn repeated_rows_and_groups_are_those_of_a_map_of_all_keys(
        batches in vec(vec(keys(), 0..40), 0..8),
        limit_bytes in prop_oneof![Just(0), Just(3000), Just(IN_MEMORY)],
    ) {
        let expected = model(&batches);
        prop_assert_eq!(&flat(&repeated(&batches, &Fold, limit_bytes)), &expected);
        prop_assert_eq!(&flat(&repeated(&batches, &Length, limit_bytes)), &expected);
        prop_assert_eq!(&flat(&repeated(&batches, &LowBits, limit_bytes)), &expected);
        prop_assert_eq!(&flat(&repeated(&batches, &Constant, limit_bytes)), &expected);
    }

    #[test]
    fn the_order_in_which_batches_arrive_does_not_matter(
        batches in vec(vec(keys(), 0..20), 6),
        order in Just(vec![0_u32, 1, 2, 3, 4, 5]).prop_shuffle(),
        limit_bytes in prop_oneof![Just(0), Just(3000), Just(IN_MEMORY)],
    ) {
        let index = index(&batches, &order, &Fold, limit_bytes);
        let repeated = index.repeated(|batch| Ok(array(&batches[batch as usize]))).unwrap();
        prop_assert_eq!(flat(&repeated), model(&batches));
    }

    #[test]
    fn every_byte_of_a_key_and_its_length_count(key in vec(any::<u8>(), 13..60), at in any::<prop::sample::Index>()) {
        let mut other = key.clone();
        other[at.index(key.len())] ^= 1;
        prop_assert_ne!(Fold.bytes(&key), Fold.bytes(&other));
        prop_assert_ne!(Fold.bytes(&key), Fold.bytes(&[key.as_slice(), &[0]].concat()));
    }
}

#[test]
fn the_empty_string_is_a_key_and_null_is_none() {
    let batches = vec![vec![Some(String::new()), None], vec![None, Some(String::new())]];
    assert_eq!(
        flat(&repeated(&batches, &Fold, IN_MEMORY)),
        [(0, 0, 0), (1, 1, 0)]
    );
}

#[test]
fn keys_that_differ_only_in_zero_bytes_at_the_end_differ() {
    let batches = vec![vec![Some("a".into()), Some("a\0".into()), Some("a\0\0".into())]];
    assert_eq!(repeated(&batches, &Constant, IN_MEMORY).num_rows(), 0);
}

#[test]
fn a_small_batch_meets_a_large_one_whose_rows_take_more_bits() {
    let batches = vec![
        numbered(0..70_000),
        numbered([69_999]),
        numbered([70_000, 3, 70_001]),
    ];
    assert_eq!(flat(&repeated(&batches, &Fold, IN_MEMORY)), model(&batches));
    assert_eq!(model(&batches).len(), 4);
}

#[test]
fn a_key_in_every_row_is_one_group() {
    let batches = vec![numbered((0..50_000).map(|_| 7)); 6];
    let repeated = repeated(&batches, &Fold, IN_MEMORY);
    assert_eq!((repeated.num_rows(), repeated.num_groups), (300_000, 1));
}

#[test]
fn keys_that_all_collide_are_told_apart_without_comparing_each_with_each() {
    let batches = vec![numbered(0..50_000), numbered(49_990..100_000)];
    let repeated = repeated(&batches, &Constant, IN_MEMORY);
    assert_eq!(flat(&repeated), model(&batches));
    assert_eq!((repeated.num_rows(), repeated.num_groups), (20, 10));
}

#[test]
fn without_repeated_keys_no_batch_is_read_again() {
    let batches = (0..20)
        .map(|batch| numbered(batch * 8192..(batch + 1) * 8192))
        .collect();
    let candidates = index(&batches, &ascending(&batches), &Fold, IN_MEMORY)
        .candidates()
        .unwrap();
    assert_eq!(candidates.num_rows(), 0);
}

#[test]
fn batches_with_candidates_are_read_once_and_in_ascending_order() {
    let batches = vec![
        numbered([1, 2]),
        numbered([3, 4]),
        numbered([2, 1]),
        numbered([5]),
        numbered([1]),
    ];
    let mut read = Vec::new();
    let index = index(&batches, &[4, 2, 3, 0, 1], &Fold, IN_MEMORY);
    let fetch = |batch| {
        read.push(batch);
        Ok(array(&batches[batch as usize]))
    };
    assert_eq!(flat(&index.repeated(fetch).unwrap()), model(&batches));
    assert_eq!(read, [0, 2, 4]);
}

#[test]
fn beyond_its_budget_the_index_lies_in_a_file_that_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Batches = (0..30)
        .map(|batch| numbered(batch * 900..(batch + 1) * 1000))
        .collect();
    let mut index = KeyIndex::new(50_000, folder.path());
    for (batch, keys) in batches.iter().enumerate() {
        index
            .add(batch as u32, KeyHashes::of(&array(keys)).unwrap())
            .unwrap();
        assert!(index.resident_bytes() <= 50_000);
    }
    let num_rows: usize = batches.iter().map(Vec::len).sum();
    assert_eq!(index.num_rows(), num_rows as u64);
    assert!(index.spilled_bytes() > 8 * num_rows as u64 / 2);
    let repeated = index
        .repeated(|batch| Ok(array(&batches[batch as usize])))
        .unwrap();
    assert_eq!(flat(&repeated), model(&batches));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let mut index = KeyIndex::new(0, folder.path().join("gone"));
    let error = index
        .add(0, KeyHashes::of(&array(&numbered([1]))).unwrap())
        .unwrap_err();
    assert!(!error.hints().is_empty(), "{error}");
}

#[test]
fn a_batch_that_is_added_twice_is_an_error() {
    let batches = vec![numbered([1]), numbered([2])];
    let error = index(&batches, &[0, 1, 0], &Fold, IN_MEMORY)
        .candidates()
        .unwrap_err();
    assert!(error.to_string().contains("batch 0 is twice"), "{error}");
}

#[test]
fn keys_that_are_gone_when_they_are_read_again_are_an_error() {
    let batches = vec![numbered([1, 2, 2])];
    let gone: [fn(u32) -> Result<StringViewArray>; 3] = [
        |_| Ok(array(&numbered([1, 2]))),
        |_| Ok(array(&[None, None, None])),
        |_| Err(Error::runtime("the disk is gone")),
    ];
    for fetch in gone {
        let index = index(&batches, &[0], &Fold, IN_MEMORY);
        assert!(index.repeated(fetch).is_err());
    }
}

#[test]
fn customer_numbers_spread_evenly_over_partitions_and_fingerprints() {
    let hashes = KeyHashes::of(&array(&numbered(0..256_000))).unwrap();
    let sizes = (0..super::partition::NUM_PARTITIONS).map(|partition| hashes.partition(partition).len());
    assert!(
        sizes.clone().all(|rows| (800..1200).contains(&rows)),
        "{:?}",
        sizes.collect::<Vec<_>>()
    );
}
