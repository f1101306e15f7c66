//! The program as a user meets it: what it prints, what it leaves after a kill, what other readers make of its tables.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test takes for granted what it does not test"
)]

mod bench;
mod buckets;
mod crashes;
mod edits;
mod faults;
mod instances;
mod kills;
mod process;
mod races;
mod readers;
mod recurring;
mod rejects;
mod serve;
mod snapshots;
mod sources;
mod support;
mod terminal;
