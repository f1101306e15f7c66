//! Rows of one partition whose fingerprint occurs more than once.
//!
//! ```text
//!   entries of the partition, batch after batch
//!     └▶ filter ─▶ filter with other slots ─▶ sort by fingerprint ─▶ classes of two rows and more
//!  all      one in six                one in thirty             almost none             if all keys differ
//! ```
//!
//! The filters only make the sort small. Sorting, not hashing, finds what is equal: fingerprints can be foreseen, and no
//! choice of them makes a sort slow.

use super::filter::Filter;
use super::partition::low_bits;

/// Odd multipliers, one for each pass of the filter: bits of pi, made odd.
const MULTIPLIERS: [u64; 2] = [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7345];

/// The entries of one partition out of all batches.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// Fingerprint and row.
    pub(super) entries: Vec<u64>,
    /// Whose they are, in the order of `entries`.
    pub(super) segments: Vec<Segment>,
}

/// Neighbouring entries of one batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Position of the batch in the order of arrival.
    pub(super) position: u32,
    /// Bits of an entry that are the row.
    pub(super) row_bits: u32,
    /// Number of entries.
    pub(super) num_rows: u32,
}

/// A row that shares its fingerprint with another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Number of the fingerprint within the partition.
    pub(super) class: u32,
    /// Position of the batch in the order of arrival.
    pub(super) position: u32,
    /// Row within the batch.
    pub(super) row: u32,
}

/// The candidates of one partition.
#[derive(Debug, Default)]
pub(super) struct PartitionCandidates {
    /// By class, then batch, then row.
    pub(super) rows: Vec<Candidate>,
    /// Number of classes.
    pub(super) num_classes: u32,
}

/// Buffers that one worker keeps from partition to partition.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// The partition at work.
    pub(super) partition: Partition,
    filter: Filter,
    located: Vec<Located>,
}

/// Fingerprint, position of the batch, row: from the highest bit, so that one comparison orders all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Located(u128);

impl Partition {
    /// Removes all entries and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.segments.clear();
    }

    /// Adds the entries of one batch.
    pub(super) fn push(&mut self, position: u32, row_bits: u32, entries: &[u64]) {
        self.entries.extend_from_slice(entries);
        self.segment(position, row_bits, entries.len() as u32);
    }

    /// Says whose the next entries are.
    pub(super) fn segment(&mut self, position: u32, row_bits: u32, num_rows: u32) {
        // A batch that has nothing here would cost every pass a step.
        if num_rows > 0 {
            self.segments.push(Segment {
                position,
                row_bits,
                num_rows,
            });
        }
    }
}

impl Finder {
    /// The candidates of [`partition`](Self::partition). Fingerprints are compared without the lowest `row_bits`, the
    /// most that any batch of the index has.
    pub(super) fn find(&mut self, row_bits: u32) -> PartitionCandidates {
        let fingerprint_mask = !low_bits(row_bits);
        self.filter_entries(fingerprint_mask);
        self.filter_located();
        self.located.sort_unstable();
        classes(&self.located)
    }

    /// First pass: out of all entries.
    fn filter_entries(&mut self, fingerprint_mask: u64) {
        let Self {
            partition,
            filter,
            located,
        } = self;
        filter.reset(partition.entries.len(), MULTIPLIERS[0]);
        for entry in &partition.entries {
            filter.note(entry & fingerprint_mask);
        }
        located.clear();
        let mut rest = partition.entries.as_slice();
        for segment in &partition.segments {
            let Some((entries, behind)) = rest.split_at_checked(segment.num_rows as usize) else {
                break;
            };
            rest = behind;
            let row_mask = low_bits(segment.row_bits);
            for entry in entries
                .iter()
                .filter(|entry| filter.met_again(*entry & fingerprint_mask))
            {
                let row = (entry & row_mask) as u32;
                located.push(Located::new(entry & fingerprint_mask, segment.position, row));
            }
        }
    }

    /// Second pass: out of what passed the first, where other rows share a slot.
    fn filter_located(&mut self) {
        let Self { filter, located, .. } = self;
        filter.reset(located.len(), MULTIPLIERS[1]);
        for row in located.iter() {
            filter.note(row.fingerprint());
        }
        located.retain(|row| filter.met_again(row.fingerprint()));
    }
}

impl Located {
    fn new(fingerprint: u64, position: u32, row: u32) -> Self {
        Self(u128::from(fingerprint) << 64 | u128::from(position) << 32 | u128::from(row))
    }

    fn fingerprint(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn position(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn row(self) -> u32 {
        self.0 as u32
    }
}

/// The runs of equal fingerprints that have more than one row.
fn classes(sorted: &[Located]) -> PartitionCandidates {
    let mut found = PartitionCandidates::default();
    let runs = sorted.chunk_by(|a, b| a.fingerprint() == b.fingerprint());
    for run in runs.filter(|run| run.len() > 1) {
        let class = found.num_classes;
        found.rows.extend(run.iter().map(|row| Candidate {
            class,
            position: row.position(),
            row: row.row(),
        }));
        found.num_classes += 1;
    }
    found
}
