//! Errors that are said more than once.

use crate::error::{Class, Error};

/// What an error said, to say it again: whoever asks after a failure must not take it for the end.
#[derive(Debug)]
pub(super) struct Failure {
    class: Class,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    /// Notes what `error` said.
    pub(super) fn of(error: &Error) -> Self {
        Self {
            class: error.class(),
            message: error.to_string(),
            hints: error.hints().to_vec(),
        }
    }

    /// The error once more.
    pub(super) fn error(&self) -> Error {
        let error = Error::new(self.class, &self.message);
        self.hints.iter().fold(error, Error::hint)
    }
}
