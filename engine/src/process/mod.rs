//! Processes: what a user defined, what Sluice knows of it, and how it moves from draft to deleted.
//!
//! ```text
//!            create          complete                 run             run ends
//!   (none) ────────▶ draft ───────────▶ ready ────────────▶ running ─────────▶ completed | failed
//!                      │                scheduled ─▶ running ─▶ scheduled | failed      │
//!                      └──────────────── pause / resume / delete ◀──────────────────────┘
//! ```
//!
//! [`StateFile`] is the one place that changes: read, changed and replaced, by one program at a time. A [`Lease`] in it says
//! that a run is under way; whoever finds a dead one settles it first ([`run`](crate::run)). A [`LeaseFile`] is the same
//! for what is no run.
//!
//! `draft` is what a new process starts from, `lifecycle` its steps, `completing` what is looked over before the step that
//! cannot be undone, `additions` the process beside one that has its attributes already. `leasing`, `slots` and `due` are
//! pure and take the time as a parameter.

mod additions;
mod completing;
mod draft;
mod due;
mod ingest;
mod lease;
mod lease_file;
mod leasing;
mod lifecycle;
mod ownership;
mod slots;
mod state;

pub use additions::{Beside, additions, like};
pub use completing::{
    EmailOffer, Summary, SummaryAttribute, SummaryPolicy, completing, email_offer, take_email,
};
pub use draft::{Looked, Wanted, example, look, look_at, parse_mappings, raw_attributes};
pub use due::{Agenda, Due, agenda};
pub use ingest::{Ingest, ensure};
pub use lease::{Holder, Lease, Trigger, renewal_pause};
pub use lease_file::{HeldLease, LeaseFile, Taking};
pub use lifecycle::{
    Deleted, ProcessView, RuleLine, check, complete, create, delete, edit, edit_seen, effective, list, pause,
    resume, rules, schema, text,
};
pub use ownership::{
    Reservation, check_ownership, email_attribute, names, reserved_attributes, states, with_reserved,
};
pub use slots::slot_after;
pub use state::{Creation, LastRun, MergedSource, ProcessState, ProcessStatus, StateFile};
