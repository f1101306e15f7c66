//! The one place where a failure becomes text and an exit code.

use std::io::{self, Write};

use arrow::error::ArrowError;
use serde_json::{Map, Value, json};
use sluice_engine::{Class, Error};

use crate::settings::LogFormat;
use crate::signals::Signal;

/// Result with a command's failure.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The engine, or the command in its words, says why.
    Engine(Error),
    /// A signal ended it; the error says what was and was not written.
    Signal(Signal, Error),
    /// Whoever read stdout has seen enough, as `head` does: no failure to the user.
    PipeClosed,
}

impl Failure {
    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(error) => error.class().exit_code(),
            Self::Signal(signal, _) => signal.exit_code(),
            Self::PipeClosed => 0,
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Engine(error) | Self::Signal(_, error) => Some(error),
            Self::PipeClosed => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::PipeClosed,
            _ => Self::Engine(error.into()),
        }
    }
}

/// Printers speak Arrow; what they meet at stdout comes back as input or output.
impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::from(error),
            other => Self::Engine(other.into()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(io::ErrorKind::BrokenPipe) => Self::PipeClosed,
            _ => Self::Engine(error.into()),
        }
    }
}

/// Writes the failure on stderr, if it is one to the user.
pub fn report(failure: &Failure, format: LogFormat) {
    let Some(error) = failure.error() else { return };
    let text = match format {
        LogFormat::Text => as_text(error),
        LogFormat::Json => format!("{}\n", as_json(error, failure.exit_code())),
    };
    // Nobody is left to tell when stderr is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}

fn as_text(error: &Error) -> String {
    let mut text = format!("error: {error}\n");
    for hint in error.hints() {
        text.push_str(&format!("hint: {hint}\n"));
    }
    if let Some(written) = error.written() {
        text.push_str(&format!("written: {written}\n"));
    }
    text
}

fn as_json(error: &Error, exit_code: u8) -> Value {
    let place = error.place();
    let mut object = Map::new();
    object.insert("error".into(), json!(error.to_string()));
    object.insert("class".into(), json!(class_word(error.class())));
    object.insert("exit_code".into(), json!(exit_code));
    let optional = [
        ("code", json!(error.code())),
        ("file", json!(place.file)),
        ("record_no", json!(place.record_no)),
        ("line", json!(place.line)),
        ("column", json!(place.column)),
        ("written", json!(error.written())),
    ];
    object.extend(
        optional
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.into(), value)),
    );
    object.insert("hints".into(), json!(error.hints()));
    Value::Object(object)
}

fn class_word(class: Class) -> &'static str {
    match class {
        Class::Runtime => "runtime",
        Class::Usage => "usage",
        Class::Data => "data",
        Class::Conflict => "conflict",
        Class::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Error {
        Error::data("column_missing", "no column \"Spend\"")
            .in_file("c.csv")
            .hint("the file has \"spend\"")
            .wrote("nothing")
    }

    #[test]
    fn an_error_is_one_line_then_its_hints_then_what_was_written() {
        let lines = "error: column_missing: no column \"Spend\" (file c.csv)\nhint: the file has \"spend\"\nwritten: nothing\n";
        assert_eq!(as_text(&budget()), lines);
    }

    #[test]
    fn an_error_as_json_is_one_object_with_the_exit_code() {
        let object = as_json(&budget(), 3);
        assert_eq!(object["class"], "data");
        assert_eq!(object["exit_code"], 3);
        assert_eq!(object["code"], "column_missing");
        assert_eq!(object["hints"][0], "the file has \"spend\"");
        assert!(object.get("line").is_none());
    }

    #[test]
    fn a_closed_pipe_is_no_failure_to_the_user() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
        assert!(failure.error().is_none());
    }

    #[test]
    fn a_signal_decides_the_exit_code() {
        assert_eq!(
            Failure::Signal(Signal::Interrupt, Error::interrupted()).exit_code(),
            130
        );
        assert_eq!(
            Failure::Signal(Signal::Terminate, Error::interrupted()).exit_code(),
            143
        );
    }
}
