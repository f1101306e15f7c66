//! Going through the columns of a file with somebody.
//!
//! [`mapping`] is the conversation: it asks for lines and makes a choice of them, whoever gives them. [`terminal`] is who
//! does: an editor of lines on a terminal. The tests give lines of their own.

mod lines;
mod mapping;
mod schedule;
mod terminal;

pub use terminal::{beside, file, process};
