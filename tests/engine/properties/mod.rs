//! The whole main job, against a naive model.
//!
//! ```text
//!   strategies ─▶ Process, File ─┬─▶ write ─▶ bytes ─▶ the engine ─▶ tables, report ─┐
//!   (files)                      └─▶ the model: maps and vectors ─▶ Expected ────────┴─▶ equal? (jobs)
//! ```
//!
//! Files are made of cells whose meaning is known from how they were made, so that [`model`] neither parses nor splits
//! anything: [`values`], [`cells`] and [`files`] make them, [`forms`] writes them in other encodings and formats than
//! delimited UTF-8, and [`processes`] is what is done with them. [`read`] brings the engine's tables into the model's
//! words, [`jobs`] has the properties, [`undo`] those of going back, [`lives`] those of an instance over time, and
//! [`found`] keeps what they found.

mod cells;
mod files;
mod forms;
mod found;
pub mod jobs;
mod lives;
mod model;
mod processes;
mod read;
mod undo;
mod values;
