//! Who may go on: a block is taken when it is not too far ahead of the results, and waits for its turn where order counts.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The order of a load.
#[derive(Debug)]
pub(crate) struct Pace {
    state: Mutex<State>,
    /// Something in the state changed.
    moved: Condvar,
    /// Blocks that may be under way.
    ahead: u64,
}

#[derive(Debug, Default)]
struct State {
    /// The block whose turn it is.
    turn: u64,
    /// Blocks taken or about to be.
    taken: u64,
    /// Blocks whose results are out.
    done: u64,
    /// Nothing more is wanted.
    is_stopped: bool,
}

impl Pace {
    /// Lets `ahead` blocks be under way.
    pub(crate) fn new(ahead: u64) -> Self {
        Self {
            state: Mutex::default(),
            moved: Condvar::new(),
            ahead,
        }
    }

    /// Waits until another block may be taken; `false` when the load was stopped.
    pub(crate) fn admit(&self) -> bool {
        match self.wait_until(|state| state.taken - state.done < self.ahead) {
            Some(mut state) => {
                state.taken += 1;
                true
            }
            None => false,
        }
    }

    /// Does `work` in the turn of this block; `None` when the load was stopped.
    pub(crate) fn in_turn<R>(&self, number: u64, work: impl FnOnce() -> R) -> Option<R> {
        drop(self.wait_until(|state| state.turn == number)?);
        // Nobody else has this turn: the work needs no lock of ours.
        let result = work();
        self.state().turn += 1;
        self.moved.notify_all();
        Some(result)
    }

    /// The results of one more block are out.
    pub(crate) fn block_done(&self) {
        self.state().done += 1;
        self.moved.notify_all();
    }

    /// Ends all waiting.
    pub(crate) fn stop(&self) {
        self.state().is_stopped = true;
        self.moved.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(&self, ready: impl Fn(&State) -> bool) -> Option<MutexGuard<'_, State>> {
        let mut state = self.state();
        while !state.is_stopped && !ready(&state) {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (!state.is_stopped).then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn turns_come_in_order_whoever_is_first() {
        let (pace, order) = (Pace::new(8), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for number in (0..8).rev() {
                let (pace, order) = (&pace, &order);
                scope.spawn(move || pace.in_turn(number, || order.lock().unwrap().push(number)));
            }
        });
        assert_eq!(order.into_inner().unwrap(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_blocks_are_admitted_than_may_be_ahead() {
        let (pace, admitted) = (Pace::new(2), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while pace.admit() {
                    admitted.fetch_add(1, Ordering::SeqCst);
                }
            });
            while admitted.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
            assert_eq!(admitted.load(Ordering::SeqCst), 2);
            pace.block_done();
            while admitted.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            pace.stop();
        });
        assert_eq!(admitted.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_stop_ends_the_waiting_for_a_turn() {
        let pace = Pace::new(1);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| pace.in_turn(5, || ()));
            pace.stop();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }
}
