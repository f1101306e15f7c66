//! Sources on an SFTP server: OpenSSH's, which `tests/services/serve.py` starts.

mod faults;
mod ingest;
mod login;
pub mod support;
