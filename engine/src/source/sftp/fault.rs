//! What goes wrong between us and a server, and whether to try again.

use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::StatusCode;

use crate::error::Error;

/// A failure, and what to do about it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is gone: a new one may do.
    Lost(Error),
    /// It would be the same the next time.
    Final(Error),
    /// So would this: the server knows who we are, and does not let us.
    Denied(Error),
}

impl Fault {
    pub(super) fn in_file(self, file: &str) -> Self {
        match self {
            Self::Lost(error) => Self::Lost(error.in_file(file)),
            Self::Final(error) => Self::Final(error.in_file(file)),
            Self::Denied(error) => Self::Denied(error.in_file(file)),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(error) | Fault::Final(error) | Fault::Denied(error) => error,
        }
    }
}

impl From<russh::Error> for Fault {
    fn from(error: russh::Error) -> Self {
        Self::Lost(Error::from(error))
    }
}

impl From<russh::Error> for Error {
    fn from(error: russh::Error) -> Self {
        lost().because(error)
    }
}

/// The connection broke off.
pub(super) fn lost() -> Error {
    Error::runtime("the connection to the SFTP server was lost")
        .hint("try again; if it stays, look into the log of the server")
}

/// What the server said about the file or folder at `path`, called a `what`.
pub(super) fn of_status(error: SftpError, what: &str, path: &str) -> Fault {
    let fault = match &error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => Fault::Final(
                Error::runtime(format!("the {what} does not exist"))
                    .hint("check the path; it starts at the root of the server, ~/ at the folder of login"),
            ),
            StatusCode::PermissionDenied => Fault::Denied(
                Error::runtime(format!("the {what} may not be read"))
                    .hint("let the user read it, and enter the folders above it"),
            ),
            StatusCode::NoConnection | StatusCode::ConnectionLost => Fault::Lost(lost().because(error)),
            _ => Fault::Final(Error::runtime(format!("the {what} cannot be read")).because(error)),
        },
        _ => Fault::Lost(lost().because(error)),
    };
    if path.is_empty() {
        fault
    } else {
        fault.in_file(path)
    }
}
