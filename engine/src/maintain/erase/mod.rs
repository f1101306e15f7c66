//! Erasure: rows that leave the tables of an instance for good, and the proof that they have.
//!
//! ```text
//!   files of the instance ─▶ `search`: who holds it ─▶ `rewrite` what is live ─▶ delete what is not ─▶ cut logs
//!            ▲                                                                                            │
//!            └───────────────────────────── `search` again: nobody may ───────────────────────────────────┘
//! ```
//!
//! [`forget`](fn@forget) removes a person everywhere, [`purge`](fn@purge) from `rejects` alone, and [`expire`](fn@expire)
//! what the retention of a process gives up. `needle` says (pure) what counts as naming a customer, `edits` what becomes
//! of rows, `log` how a table loses the memory of its older versions.

mod edits;
mod expire;
mod forget;
mod log;
mod needle;
mod purge;
mod report;
mod rewrite;
mod search;
mod states;

pub use expire::{Expired, expire};
pub use forget::Forgetting;
pub use purge::purge;
pub use report::{ForgetReport, PurgeReport};
