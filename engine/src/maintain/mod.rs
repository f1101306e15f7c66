//! Maintenance of an instance's tables: laying files out anew, deleting those that nobody needs, keeping logs short.
//!
//! ```text
//!   optimize    snapshot ─▶ plan (pure) ─▶ fold each group ─▶ compare-and-swap     no row changes
//!   vacuum      versions to keep ─▶ files they name ─▶ what else is there ─▶ delete
//!   forget      files that hold a customer ─▶ rewrite, delete, cut logs ─▶ search again: no version has it
//!   after_run   thresholds passed? ─▶ a bounded piece of optimize; checkpoint; old log entries go
//! ```
//!
//! Start with [`optimize`] and [`vacuum`]. [`plan`] decides which files are written anew and is pure; `fold` writes one
//! group; `commit_groups` keeps what others did not overtake. `reachable` reads which files the versions to be kept
//! name, `garbage` decides what goes. `erase` takes rows out for good, [`Forgetting`] a person and its traces. Everything that writes or deletes holds the [`MaintenanceLock`],
//! and so does a rollback.

mod auto;
mod checkpoint;
mod commit_groups;
mod erase;
mod fold;
mod garbage;
mod lanes;
mod leases;
mod lock;
mod log_entries;
mod optimize;
pub mod plan;
mod reachable;
mod report;
mod span;
mod tables;
mod units;
mod vacuum;

pub use auto::{AfterRun, after_run};
pub(crate) use checkpoint::checkpoint_now;
pub use checkpoint::{Checkpointed, checkpoint_if_due};
pub use erase::{Expired, ForgetReport, Forgetting, PurgeReport, expire, purge};
pub use lock::MaintenanceLock;
pub use optimize::{Effect, Extent, OptimizeRequest, optimize};
pub use plan::Reason;
pub use report::{GroupOutcome, GroupReport, OptimizeReport, TableReport, TableState};
pub use tables::MaintainedTable;
pub use vacuum::{ShortRetention, VacuumEffect, VacuumReport, VacuumRequest, VacuumedTable, vacuum};
