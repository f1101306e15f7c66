//! A run: every stage in order, one coordinator.
//!
//! ```text
//!   settle a dead run ─▶ lease ─▶ open source ─▶ plan 1: load ─▶ verdicts ─▶ rejects commit
//!                                                                  ▲               │
//!                                  lost race: again on the new     │          plan 2: merge ─▶ customers commit
//!                                  snapshot ───────────────────────┴───────────────┘                 │
//!                                                                     runs row ◀── lease given back ◀─┘
//! ```
//!
//! [`run`] is the door. [`load`] is plan 1: decode, row rules, stage. [`judge`] asks the rules that need all rows or the
//! table. [`merge_step`] is plan 2 and its commit; [`repeat`] says when there is nothing to merge. [`settle`] repairs what a dead run left.

mod backtest;
mod coordinator;
mod discard;
pub(crate) mod faults;
mod guard;
mod judge;
mod load;
mod merge_step;
mod overtaken;
mod reject_step;
pub mod relations;
mod repeat;
mod replay;
mod replay_step;
mod request;
mod settle;

pub use crate::process::Trigger;
pub use backtest::{BackTest, Basis, RuleChange, SideChange, back_test};
pub use coordinator::run;
pub use discard::discard_rejects;
pub use guard::{GuardOutcome, GuardReading, Guarded};
pub use load::{Loaded, load, stage_schema};
pub(crate) use merge_step::discard_files;
pub use replay::rejects_of;
pub use request::{Effect, Extent, Guards, Overtaken, Phases, Repeat, Replay, Report, RunRequest, Watch};
pub use settle::settle;
