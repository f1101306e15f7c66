use async_trait::async_trait;

use super::*;
use crate::source::store::{Arrival, Children};

/// A file in memory, which can be cut short or replaced.
#[derive(Debug)]
struct Memory {
    bytes: Vec<u8>,
    /// First byte that fails to be read.
    fails_at: u64,
    /// Bytes that a read gives too few.
    short_by: u64,
    num_reads: std::sync::atomic::AtomicU64,
}

#[async_trait]
impl Store for Memory {
    async fn children(&self, _: &str) -> Result<Children> {
        Ok(Children::default())
    }

    async fn inspect(&self, _: &str) -> Result<Version> {
        Ok(version(&self.bytes))
    }

    async fn read(&self, _: &str, _: &Version, range: Range<u64>) -> Result<Bytes> {
        self.num_reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if range.end > self.fails_at {
            return Err(crate::source::file::changed());
        }
        let end = range.end - self.short_by;
        Ok(Bytes::copy_from_slice(
            &self.bytes[range.start as usize..end as usize],
        ))
    }

    fn arrival(&self) -> Arrival {
        Arrival::Whole
    }

    fn url(&self, path: &str) -> String {
        format!("memory://{path}")
    }
}

fn version(bytes: &[u8]) -> Version {
    Version {
        size_bytes: bytes.len() as u64,
        modified_ns: 1,
        etag: Some("e".to_owned()),
    }
}

fn content(num_bytes: usize) -> Vec<u8> {
    (0..num_bytes).map(|at| (at * 31 / 7) as u8).collect()
}

fn store(bytes: &[u8]) -> Memory {
    Memory {
        bytes: bytes.to_vec(),
        fails_at: u64::MAX,
        short_by: 0,
        num_reads: 0.into(),
    }
}

fn remote(store: Memory) -> (Remote, Arc<Memory>) {
    let version = version(&store.bytes);
    let store = Arc::new(store);
    (
        Remote::new(Arc::clone(&store) as Arc<dyn Store>, "a".into(), version),
        store,
    )
}

fn read_all(remote: &Remote, start: u64) -> Result<Vec<u8>> {
    let mut parts = remote.parts(start);
    let mut all = Vec::new();
    while let Some(part) = parts.next_part()? {
        all.extend_from_slice(&part);
    }
    Ok(all)
}

#[test]
fn parts_are_the_file_in_order_from_any_start() {
    let bytes = content((HEAD_BYTES + 3 * PART_BYTES + 7) as usize);
    let (remote, _) = remote(store(&bytes));
    for start in [
        0,
        1,
        HEAD_BYTES - 1,
        HEAD_BYTES,
        HEAD_BYTES + PART_BYTES + 1,
        bytes.len() as u64,
    ] {
        assert_eq!(
            read_all(&remote, start).unwrap(),
            bytes[start as usize..],
            "{start}"
        );
    }
    let mut spooled = Vec::new();
    let mut file = remote.spool().unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_end(&mut spooled).unwrap();
    assert_eq!(spooled, bytes);
}

#[test]
fn parts_end_at_multiples_of_their_size_and_leave_nothing_out() {
    let part = PART_BYTES;
    let found = |from, size_bytes| -> Vec<(u64, u64)> {
        ranges(from, size_bytes)
            .map(|range| (range.start, range.end))
            .collect()
    };
    let end = 2 * part + 1;
    assert_eq!(found(3, end), [(3, part), (part, 2 * part), (2 * part, end)]);
    assert_eq!(found(part, 2 * part), [(part, 2 * part)]);
    assert_eq!(found(part - 1, part + 5), [(part - 1, part), (part, part + 5)]);
    assert_eq!(found(3, 9), [(3, 9)]);
    assert!(found(9, 9).is_empty());
}

#[test]
fn the_beginning_is_fetched_once_for_all_who_look_at_it() {
    let bytes = content(100_000);
    let (remote, store) = remote(store(&bytes));
    let mut out = [0; 10];
    for at in [0, 50, 99_990] {
        remote.fill(&mut out, at).unwrap();
        assert_eq!(out, bytes[at as usize..at as usize + 10]);
    }
    assert_eq!(read_all(&remote, 0).unwrap(), bytes);
    assert_eq!(store.num_reads.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn bytes_here_and_there_are_those_of_the_file_and_near_ones_are_fetched_once() {
    let bytes = content((HEAD_BYTES + 4 * BLOCK_BYTES + 5) as usize);
    let (remote, store) = remote(store(&bytes));
    let mut out = vec![0; 1000];
    for at in [HEAD_BYTES + 1, 3 * BLOCK_BYTES - 500, bytes.len() as u64 - 1000] {
        remote.fill(&mut out, at).unwrap();
        assert_eq!(out, bytes[at as usize..at as usize + 1000], "{at}");
    }
    let before = store.num_reads.load(std::sync::atomic::Ordering::Relaxed);
    remote.fill(&mut out, bytes.len() as u64 - 2000).unwrap();
    assert_eq!(store.num_reads.load(std::sync::atomic::Ordering::Relaxed), before);
    assert_eq!(
        remote.fill(&mut out, bytes.len() as u64 - 10).unwrap_err().code(),
        Some("source_changed")
    );
}

#[test]
fn a_failure_on_the_way_ends_the_reading_and_too_few_bytes_are_one() {
    let bytes = content((HEAD_BYTES + 4 * PART_BYTES) as usize);
    let changing = Memory {
        fails_at: HEAD_BYTES + 2 * PART_BYTES,
        ..store(&bytes)
    };
    let error = read_all(&remote(changing).0, 0).unwrap_err();
    assert_eq!(error.code(), Some("source_changed"));
    let cut_off = Memory {
        short_by: 1,
        ..store(&bytes)
    };
    let error = read_all(&remote(cut_off).0, 0).unwrap_err();
    assert!(error.to_string().contains("bytes came where"), "{error}");
}
