//! `sluice sql` without a query.
//!
//! On a terminal [`prompt`] reads lines with history and completion ([`names`]), and an error ends a statement, not the
//! prompt. Otherwise [`script`] runs the statements of stdin, and the first error ends it. Both find the ends of
//! statements with [`statements`].

mod history;
mod meta;
mod names;
mod prompt;
mod script;
mod statements;

pub use prompt::prompt;
pub use script::script;
pub use statements::{Split, split};
