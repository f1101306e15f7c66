//! Whole documents: what is accepted, what it resolves to, and what is said of each mistake.

mod attributes;
mod connections;
mod instance;
mod locked;
mod problems;
mod process;
mod render;
mod source;
