//! Maintenance: files come and go, and no row does.

mod auto;
mod checkpoints;
mod optimize;
mod races;
mod support;
mod vacuum;

pub use support::optimized;
