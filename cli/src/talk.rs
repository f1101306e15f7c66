//! What is said on stderr beside errors.

use std::fmt::Display;
use std::io::Write;

/// Whether anything but data and errors is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Everything.
    On,
    /// Nothing: `--quiet`.
    Off,
}

impl Talk {
    /// Says one line.
    pub fn say(self, line: impl Display) {
        if self == Self::On {
            // A closed stderr is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}
