//! The whole main job, against a naive model.
//!
//! ```text
//!   strategies ─▶ Process, File ─┬─▶ write ─▶ bytes ─▶ the engine ─▶ tables, report ─┐
//!   (files)                      └─▶ the model: maps and vectors ─▶ Expected ────────┴─▶ equal? (jobs)
//! ```
//!
//! Files are made of cells whose meaning is known from how they were made, so that [`model`] neither parses nor splits
//! anything. [`files`] makes them, [`processes`] what is done with them, [`read`] brings the engine's tables into the
//! model's words, and [`jobs`] has the properties.

mod files;
mod jobs;
mod model;
mod processes;
mod read;
