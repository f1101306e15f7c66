//! One file a command; the doc comment of its arguments is its help.
//!
//! [`Command`] lists them. What two of them need is with the one that owns it: how a run is started and reported is in
//! `run`, the shapes of listings are in [`crate::session`].

mod bench;
mod command;
mod completions;
mod customer;
mod demo;
mod diff;
mod discover;
mod doctor;
mod generate;
mod history;
mod ingest;
mod init;
mod optimize;
mod preview;
mod process;
mod rejects;
mod replay;
mod rollback;
mod rules;
mod run;
mod runs;
mod serve;
mod sql;
mod status;
mod vacuum;

pub use command::Command;
