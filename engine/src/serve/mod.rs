//! Running what is due, for as long as the program lives.
//!
//! ```text
//!   agenda ──▶ due, and a place free ──▶ run ──▶ ended ──▶ next slot in its state
//!     ▲                                           ├─ failed, may pass by itself ──▶ retry, a few times
//!     └── next slot, or look again in a while ◀───┘
//! ```
//!
//! [`serve`] is the door. What is due stands in the state files alone, and a run takes the process's lease: several
//! servers may look after one instance, and one that was killed is followed by any other. `plan` decides
//! what is started, `config` whether `sluice.toml` says something else by now, [`Retry`] what is tried again, [`Metrics`] counts, [`http`] answers `/healthz` and `/metrics`.

mod config;
mod http;
mod metrics;
mod plan;
mod retry;
mod service;

pub use metrics::Metrics;
pub use retry::Retry;
pub use service::{ServeOptions, Served, serve};
