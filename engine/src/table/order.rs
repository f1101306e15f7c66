//! Whether keys come in order, each once.

use std::cmp::Ordering;

use arrow::array::StringViewArray;

use super::KeyRange;

/// What a batch of keys does to the order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Order {
    /// Every key is larger than the one before it.
    Ascends,
    /// A key follows itself.
    Repeats(String),
    /// A key follows a larger one.
    Descends,
}

/// Keys that came in order so far.
#[derive(Debug, Default)]
pub struct KeysInOrder(Option<KeyRange>);

impl KeysInOrder {
    /// Takes in the next keys, as bytes compare, if they ascend. NULL is no key.
    pub fn check(&mut self, keys: &StringViewArray) -> Order {
        let mut last = self.0.as_ref().map(|seen| seen.max.as_str());
        for key in keys.iter().flatten() {
            match last.map(|last| last.cmp(key)) {
                Some(Ordering::Equal) => return Order::Repeats(key.to_owned()),
                Some(Ordering::Greater) => return Order::Descends,
                _ => last = Some(key),
            }
        }
        let (first, last) = (keys.iter().flatten().next(), last.map(str::to_owned));
        if let (Some(first), Some(max)) = (first, last) {
            let min = self.0.take().map_or_else(|| first.to_owned(), |seen| seen.min);
            self.0 = Some(KeyRange { min, max });
        }
        Order::Ascends
    }

    /// The first and the last of them.
    #[must_use]
    pub fn range(&self) -> Option<&KeyRange> {
        self.0.as_ref()
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
        let mut seen = KeysInOrder::default();
        assert_eq!(seen.check(&keys(&["C1", "C10"])), Order::Ascends);
        assert_eq!(seen.check(&keys(&[])), Order::Ascends);
        assert_eq!(seen.check(&keys(&["C2", "a"])), Order::Ascends);
        assert_eq!(seen.check(&keys(&["a"])), Order::Repeats("a".into()));
        assert_eq!(seen.check(&keys(&["b", "Z"])), Order::Descends);
        assert_eq!(seen.check(&keys(&["Z"])), Order::Descends);
        let range = seen.range().unwrap();
        assert_eq!((range.min.as_str(), range.max.as_str()), ("C1", "a"));
    }
}
