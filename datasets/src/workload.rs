//! The files of a benchmark: a customer base, and change sets of it.

use crate::base::CustomerBase;
use crate::customers::CustomerFile;
use crate::dirty::{DirtyShare, FlawDraws};
use crate::ids::IdOrder;

/// A customer base and the change sets that fit it.
///
/// ```text
///   base       ids 1 ........................ N
///   changes             ids N/10 + 1 ........ N ....... N + N/10      drawn at random: nine in ten are of the base
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Customers of the base; none for files that register everybody.
    pub customers: u64,
    /// Attributes of the base, beside the key.
    pub attributes: usize,
}

impl Workload {
    /// Every customer once.
    #[must_use]
    pub fn base(&self) -> CustomerBase {
        CustomerBase {
            rows: self.customers,
            attributes: self.attributes,
            seed: 1,
            first_id: 1,
        }
    }

    /// A change set of `rows` records, so many in a million of them bad, of well-formed kinds. Another share of bad
    /// records leaves the clean ones as they are, byte for byte; another seed draws other customers with other values.
    #[must_use]
    pub fn changes(&self, rows: u64, seed: u64, bad_per_million: u32) -> CustomerFile {
        CustomerFile {
            rows,
            seed,
            first_id: self.customers / 10 + 1,
            id_order: IdOrder::Random,
            id_space: self.customers.max(rows),
            dirty: DirtyShare::well_formed(bad_per_million),
            flaw_draws: FlawDraws::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_in_ten_of_the_changes_are_of_the_base() {
        let workload = Workload {
            customers: 1_000,
            attributes: 2,
        };
        let mut csv = Vec::new();
        let expected = workload.changes(1_000, 2, 0).write(&mut csv).unwrap();
        assert_eq!((expected.rows, expected.rejected()), (1_000, 0));
        let text = String::from_utf8(csv).unwrap();
        // A note may have several lines.
        let ids = text
            .lines()
            .filter_map(|line| line.strip_prefix('C')?.get(..8)?.parse::<u64>().ok());
        assert_eq!(ids.filter(|id| *id <= workload.customers).count(), 900);
    }
}
