//! What each way of merging one file costs, pure.
//!
//! ```text
//!                      read and decoded                encoded               copied
//!   untouched          -                               -                     -
//!   deletion vector    pages that hold a changed row   changed rows          -
//!   splice             changed columns                 changed columns       every other column
//!   rewrite            the file                        the live rows         -
//! ```
//!
//! Costs are processor nanoseconds; reading and writing the bytes is part of the constants. The constants are those
//! of a table of 5 million customers by 30 attributes in zstd Parquet, on two cores: a full rewrite of its 565 MB took
//! 23.4 processor seconds, a splice of 10 attributes 7.4, deletion vectors 2.8 for 45,000 and 4.6 for 450,000 updates
//! at random customers. The model gives back those four within a fifth; `cost` has the test.

use serde::{Deserialize, Serialize};

/// Decompressing and decoding, nanoseconds for each byte of the compressed column. Pages of which few rows are wanted
/// cost as much: they are decompressed whole.
const DECODE_BYTE_NS: f64 = 6.0;
/// Gathering, encoding and compressing, nanoseconds for each value.
const ENCODE_VALUE_NS: f64 = 125.0;
/// Reading and writing a column chunk as it is, nanoseconds for each byte.
pub const COPY_BYTE_NS: f64 = 1.0;
/// A file more: its footer, its action in the log, its place in every later listing. A deletion vector is two: the
/// marks, and the new versions. Nanoseconds.
const NEW_FILE_NS: f64 = 1e6;
/// Share of a file's rows that a deletion vector may mark. Readers decode dead rows too: at a quarter, a scan costs a
/// third more than it need.
const MAX_DEAD_SHARE: f64 = 0.25;
/// Share of dead rows above which a file that is written anew is written without them, though a splice, which keeps
/// them, would cost less.
const FOLD_SHARE: f64 = 0.125;

/// A way to merge one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The file stays.
    Untouched,
    /// Changed rows are marked as gone, their new versions are written to a new file.
    DeletionVector,
    /// Changed columns are encoded anew, the others are copied byte for byte.
    Splice,
    /// The file is written anew, without its dead rows.
    Rewrite,
}

impl Strategy {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::DeletionVector => "deletion_vector",
            Self::Splice => "splice",
            Self::Rewrite => "rewrite",
        }
    }
}

/// Why a way was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No customer of the file was sent.
    NothingMatches,
    /// The customers that were sent are stored as they were sent.
    NothingDiffers,
    /// It costs least.
    Cheapest,
    /// The configuration asks for it.
    Configured,
    /// A deletion vector would cost less, but none may be written.
    VectorsOff,
    /// A deletion vector would cost less, but too many live files may hold these customers already.
    TooManyOverlaps,
    /// A deletion vector or a splice would cost less, but would leave too many dead rows.
    DeadRows,
    /// A splice would cost less, but the file is none of ours or lacks what a splice copies.
    NotSpliceable,
    /// Another program wrote the file in a form of its own.
    ForeignLayout,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NothingMatches => "no customer of it was sent",
            Self::NothingDiffers => "what was sent is what is stored",
            Self::Cheapest => "it costs least",
            Self::Configured => "sluice.toml asks for it",
            Self::VectorsOff => "deletion vectors are off",
            Self::TooManyOverlaps => "too many files may hold these customers",
            Self::DeadRows => "too many of its rows would be dead",
            Self::NotSpliceable => "its columns cannot be copied",
            Self::ForeignLayout => "another program wrote it",
        }
    }
}

/// Whether deletion vectors may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vectors {
    /// They may, where there is room for a file more.
    Allowed {
        /// Live files that may hold one customer when a run begins. Every probe for a customer reads a key page of
        /// each; maintenance brings them back to as many.
        max_overlapping_files: usize,
    },
    /// They may not.
    Forbidden,
}

impl Vectors {
    /// Whether new versions of rows may lie beside so many files that may hold their customers.
    #[must_use]
    pub fn have_room(self, overlapping_files: usize) -> bool {
        match self {
            Self::Allowed {
                max_overlapping_files,
            } => overlapping_files <= max_overlapping_files,
            Self::Forbidden => false,
        }
    }
}

/// Whether the columns of a file can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Splicing {
    /// They can.
    Possible,
    /// The file is foreign, encrypted, or lacks an index.
    Impossible,
}

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The costs.
    Cheapest,
    /// This way wherever it is possible.
    Always(Strategy),
}

/// What is known of a file and of what the changes do to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Size of the file.
    pub file_bytes: u64,
    /// Rows of the file, dead ones included.
    pub rows: u64,
    /// Rows that a deletion vector marks already.
    pub dead_rows: u64,
    /// Columns of a row.
    pub columns: u64,
    /// Rows that change.
    pub changed_rows: u64,
    /// Compressed bytes of the pages, of columns that are carried over, that hold a row that changes.
    pub carried_bytes: u64,
    /// Compressed bytes of the columns that change, in row groups that change.
    pub changed_bytes: u64,
    /// Values of those columns that are not NULL, and those that come.
    pub changed_values: u64,
    /// Live files, this one included, that may hold one of its customers.
    pub overlapping_files: usize,
}

/// Processor nanoseconds of each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Of a deletion vector.
    pub deletion_vector_ns: f64,
    /// Of a splice.
    pub splice_ns: f64,
    /// Of a rewrite.
    pub rewrite_ns: f64,
}

/// What was chosen, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The way.
    pub strategy: Strategy,
    /// Why.
    pub reason: Reason,
    /// What each would cost.
    pub costs: Costs,
}

impl Evidence {
    /// What each way would cost.
    #[must_use]
    pub fn costs(&self) -> Costs {
        let number = |count: u64| count as f64;
        let copied_bytes = number(self.file_bytes.saturating_sub(self.changed_bytes));
        let live_rows = number(self.rows.saturating_sub(self.dead_rows));
        Costs {
            deletion_vector_ns: number(self.carried_bytes) * DECODE_BYTE_NS
                + number(self.changed_rows) * number(self.columns) * ENCODE_VALUE_NS
                + 2.0 * NEW_FILE_NS,
            splice_ns: copied_bytes * COPY_BYTE_NS
                + number(self.changed_bytes) * DECODE_BYTE_NS
                + number(self.changed_values) * ENCODE_VALUE_NS
                + NEW_FILE_NS,
            rewrite_ns: number(self.file_bytes) * DECODE_BYTE_NS
                + live_rows * number(self.columns) * ENCODE_VALUE_NS
                + NEW_FILE_NS,
        }
    }

    /// What forbids a deletion vector.
    fn against_vector(&self, vectors: Vectors) -> Option<Reason> {
        let dead_rows = (self.dead_rows + self.changed_rows) as f64;
        if vectors == Vectors::Forbidden {
            Some(Reason::VectorsOff)
        } else if !vectors.have_room(self.overlapping_files) {
            Some(Reason::TooManyOverlaps)
        } else if dead_rows > self.rows as f64 * MAX_DEAD_SHARE {
            Some(Reason::DeadRows)
        } else {
            None
        }
    }

    /// What forbids a splice.
    fn against_splice(&self, splicing: Splicing) -> Option<Reason> {
        if splicing == Splicing::Impossible {
            Some(Reason::NotSpliceable)
        } else if self.dead_rows as f64 > self.rows as f64 * FOLD_SHARE {
            Some(Reason::DeadRows)
        } else {
            None
        }
    }
}

/// Chooses. `evidence` has at least one changed row.
#[must_use]
pub fn choose(evidence: &Evidence, vectors: Vectors, splicing: Splicing, preference: Preference) -> Choice {
    let costs = evidence.costs();
    if let Preference::Always(wanted) = preference {
        return configured(wanted, vectors, splicing, costs);
    }
    let ways = [
        (
            Strategy::DeletionVector,
            costs.deletion_vector_ns,
            evidence.against_vector(vectors),
        ),
        (
            Strategy::Splice,
            costs.splice_ns,
            evidence.against_splice(splicing),
        ),
        (Strategy::Rewrite, costs.rewrite_ns, None),
    ];
    let mut sorted = ways;
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut reason = Reason::Cheapest;
    for (strategy, _, against) in sorted {
        match against {
            None => {
                return Choice {
                    strategy,
                    reason,
                    costs,
                };
            }
            // The cheapest way that was ruled out says why the choice is what it is.
            Some(against) if reason == Reason::Cheapest => reason = against,
            Some(_) => {}
        }
    }
    Choice {
        strategy: Strategy::Rewrite,
        reason,
        costs,
    }
}

/// A way that is asked for and impossible gives way to the one that always works.
fn configured(wanted: Strategy, vectors: Vectors, splicing: Splicing, costs: Costs) -> Choice {
    let (strategy, reason) = match (wanted, vectors, splicing) {
        (Strategy::DeletionVector, Vectors::Forbidden, _) => (Strategy::Rewrite, Reason::VectorsOff),
        (Strategy::Splice, _, Splicing::Impossible) => (Strategy::Rewrite, Reason::NotSpliceable),
        _ => (wanted, Reason::Configured),
    };
    Choice {
        strategy,
        reason,
        costs,
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
