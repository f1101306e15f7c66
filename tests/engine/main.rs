//! The engine as a library, end to end.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test takes for granted what it does not test"
)]

mod support;

mod adopt;
mod changes;
mod concurrency;
mod doctor;
mod exactly_once;
mod folders;
mod formats;
mod guide;
mod history;
mod lifecycle;
mod main_job;
mod maintain;
mod malformed;
mod objects;
mod policies;
mod properties;
mod rejects;
mod repeats;
mod sftp;
mod snowflake;
mod strategies;
mod tables;
