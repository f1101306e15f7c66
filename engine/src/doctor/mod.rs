//! What an instance stands on, tested step by step: its tables and folder, each connection, the source of each process.
//!
//! ```text
//!   instance     config ─ write ─ conditional create ─ conditional replace ─ spill space
//!   table        delta protocol                                               (four times)
//!   s3, gcs      secrets, name resolution ─▶ connection ─▶ tls ─▶ clock, authentication ─▶ list ─▶ read
//!   sftp         secrets, name resolution ─▶ connection ─▶ host key ─▶ authentication ─▶ list ─▶ read
//!   snowflake    as s3
//!   process      source
//! ```
//!
//! Start with [`examine`]. [`plan`] says which steps there are, and which are skipped when one before them failed: it is
//! pure. What a step does is in `network` and `clock` (of every place), `objects`, `sftp` and `snowflake` (of one kind),
//! `instance`. A step ends in an [`Outcome`], never in an error: that it fails is what was asked.

mod clock;
mod examine;
mod finding;
mod instance;
mod network;
mod objects;
mod plan;
mod protocol;
mod sftp;
mod snowflake;
mod space;

pub use examine::examine;
pub use finding::{Check, Finding, Outcome};
