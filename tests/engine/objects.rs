//! Sources in object stores, read from the servers that tests/services/serve.py starts.

mod broken;
mod changes;
mod faults;
mod ingest;
mod places;
mod recurring;
mod runs;
pub mod support;
mod tls;
