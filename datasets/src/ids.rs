//! Which customer each row is about.

use std::io;

use crate::rng::splitmix64;

/// The order in which the ids of a file appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdOrder {
    /// `first_id`, `first_id + 1`, and so on: an export sorted by customer.
    #[default]
    Ascending,
    /// Ids drawn without repetition from `first_id..first_id + id_space`: a file of scattered changes.
    Random,
}

/// The id of every row, none of them twice.
#[derive(Debug)]
pub(crate) struct Ids {
    /// The lowest id.
    first_id: u64,
    /// The shuffle of the id space, if there is one.
    shuffle: Option<Permutation>,
}

impl Ids {
    /// # Errors
    /// `InvalidInput` when the ids run past `u64::MAX`, or `rows` random ids do not fit in `id_space`.
    pub(crate) fn new(
        order: IdOrder,
        first_id: u64,
        id_space: u64,
        rows: u64,
        seed: u64,
    ) -> io::Result<Self> {
        let (span, shuffle) = match order {
            IdOrder::Ascending => (rows, None),
            IdOrder::Random => (id_space, Some(Permutation::new(id_space, seed))),
        };
        if span < rows {
            let message = format!("{rows} rows need as many ids, and id_space is {id_space}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if first_id.checked_add(span).is_none() {
            let message = format!("{span} ids from {first_id} on are more than 64 bits hold");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(Self { first_id, shuffle })
    }

    /// The id of the row at `row`, counted from 0.
    pub(crate) fn at(&self, row: u64) -> u64 {
        self.first_id + self.shuffle.as_ref().map_or(row, |shuffle| shuffle.at(row))
    }
}

/// Rounds of mixing: four make a Feistel network look random.
const ROUNDS: usize = 4;

/// A shuffle of `0..size` that needs no memory: a Feistel network over the next even power of two,
/// walked until it lands inside (at most four steps on average).
#[derive(Debug)]
struct Permutation {
    /// One key a round.
    keys: [u64; ROUNDS],
    /// Bits in each half of a number.
    half_bits: u32,
    /// Numbers that are shuffled.
    size: u64,
}

impl Permutation {
    fn new(size: u64, seed: u64) -> Self {
        let mut counter = !seed;
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        Self {
            keys: std::array::from_fn(|_| splitmix64(&mut counter)),
            half_bits: bits.div_ceil(2).max(1),
            size,
        }
    }

    /// Where `index` goes; `index` is below `size`.
    fn at(&self, index: u64) -> u64 {
        let mut number = self.mix(index);
        while number >= self.size {
            number = self.mix(number);
        }
        number
    }

    fn mix(&self, number: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for key in self.keys {
            let mut counter = right ^ key;
            (left, right) = (right, left ^ (splitmix64(&mut counter) & mask));
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_cover_their_space_and_none_comes_twice() {
        for size in [1, 2, 3, 1_000, 4_097] {
            let ids = Ids::new(IdOrder::Random, 5, size, size, 42).unwrap();
            let mut drawn: Vec<u64> = (0..size).map(|row| ids.at(row)).collect();
            assert!(size < 1_000 || !drawn.is_sorted(), "{size} ids came out in order");
            drawn.sort_unstable();
            assert!(drawn.into_iter().eq(5..5 + size));
        }
    }

    #[test]
    fn another_seed_draws_other_ids() {
        let draw = |seed| {
            let ids = Ids::new(IdOrder::Random, 0, 1 << 40, 10, seed).unwrap();
            (0..10).map(|row| ids.at(row)).collect::<Vec<_>>()
        };
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn more_rows_than_ids_are_refused() {
        let error = Ids::new(IdOrder::Random, 0, 9, 10, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(Ids::new(IdOrder::Ascending, u64::MAX, 0, 10, 1).is_err());
    }
}
