//! Where rows come from: a file and its identity.
//!
//! The identity (path, size, modification time) makes a run exactly-once, and is compared again when the source has
//! been read: a file that changed meanwhile fails the run.

mod local;

pub use local::SourceFile;
