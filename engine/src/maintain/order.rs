//! Whether keys come in order, each once.

use arrow::array::{Array, StringViewArray};

/// What a batch of keys does to the order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(super) enum Order {
    /// Every key is larger than the one before it.
    Ascends,
    /// A key follows itself.
    Repeats(String),
    /// A key follows a larger one.
    Descends,
}

/// The largest key so far.
#[derive(Debug, Default)]
pub(super) struct LastKey(Option<String>);

impl LastKey {
    /// Takes in the next keys, as bytes compare.
    pub fn check(&mut self, keys: &StringViewArray) -> Order {
        let mut last = self.0.as_deref();
        for key in keys.iter().flatten() {
            match last.map(|last| last.cmp(key)) {
                Some(std::cmp::Ordering::Equal) => return Order::Repeats(key.to_owned()),
                Some(std::cmp::Ordering::Greater) => return Order::Descends,
                _ => last = Some(key),
            }
        }
        if !keys.is_empty() {
            self.0 = last.map(str::to_owned);
        }
        Order::Ascends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> StringViewArray {
        StringViewArray::from(keys.to_vec())
    }

    #[test]
    fn order_is_judged_across_batches() {
        let mut last = LastKey::default();
        assert_eq!(last.check(&keys(&["C1", "C10"])), Order::Ascends);
        assert_eq!(last.check(&keys(&[])), Order::Ascends);
        assert_eq!(last.check(&keys(&["C2", "a"])), Order::Ascends);
        assert_eq!(last.check(&keys(&["a"])), Order::Repeats("a".into()));
        assert_eq!(last.check(&keys(&["b", "Z"])), Order::Descends);
        assert_eq!(last.check(&keys(&["Z"])), Order::Descends);
    }
}
