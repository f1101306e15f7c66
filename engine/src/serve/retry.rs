//! What is tried again before its next slot.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::Class;

/// Between the end of a run that failed and the next attempt, by how many there were. After the last one the next slot
/// has to do.
const WAITS: [Duration; 3] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(20 * 60),
];

/// A run that is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts that failed.
    pub attempts: usize,
    /// When to try again.
    pub at: DateTime<Utc>,
}

impl Retry {
    /// After an attempt that failed with `class`, the `attempts`th in a row; `None` where it would fail again, or was
    /// tried often enough.
    #[must_use]
    pub fn after(class: Class, attempts: usize, now: DateTime<Utc>) -> Option<Self> {
        let may_pass = match class {
            // A network, a disk, another writer.
            Class::Runtime | Class::Conflict => true,
            // The same data and the same definition fail in the same way.
            Class::Usage | Class::Data | Class::Interrupted => false,
        };
        let wait = WAITS.get(attempts.checked_sub(1)?).filter(|_| may_pass)?;
        Some(Self {
            attempts,
            at: now + *wait,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_tried_three_times_more_with_longer_waits() {
        let now = Utc::now();
        let waits: Vec<i64> = (1..)
            .map_while(|attempts| Retry::after(Class::Runtime, attempts, now))
            .map(|retry| (retry.at - now).num_minutes())
            .collect();
        assert_eq!(waits, [1, 5, 20]);
    }

    #[test]
    fn bad_data_and_bad_definitions_are_not_tried_again() {
        for class in [Class::Data, Class::Usage, Class::Interrupted] {
            assert_eq!(Retry::after(class, 1, Utc::now()), None);
        }
    }
}
