//! Processes: what a user defined, what Sluice knows of it, and how it moves from draft to deleted.
//!
//! ```text
//!            create          complete                 run             run ends
//!   (none) ────────▶ draft ───────────▶ ready ────────────▶ running ─────────▶ completed | failed
//!                      │                scheduled ─▶ running ─▶ scheduled | failed      │
//!                      └──────────────── pause / resume / delete ◀──────────────────────┘
//! ```
//!
//! [`StateFile`] is the one place that changes: read, changed and replaced under a lock. A [`Lease`] in it says that a
//! run is under way; whoever finds a dead one settles it first ([`run`](crate::run)).

mod due;
mod ingest;
mod lease;
mod leasing;
mod lifecycle;
mod ownership;
mod slots;
mod state;

pub use due::{Agenda, Due, agenda};
pub use ingest::{Ingest, ensure, skeleton};
pub use lease::{Holder, Lease, Trigger};
pub use lifecycle::{
    ProcessView, RuleLine, check, complete, create, delete, edit, effective, list, pause, resume, rules,
    schema, text,
};
pub use ownership::{Reservation, check_ownership, names, reserved_attributes, with_reserved};
pub use slots::slot_after;
pub use state::{LastRun, MergedSource, ProcessState, ProcessStatus, Settling, StateFile};
