//! Tables and queries of Snowflake: its counterpart, which `tests/services/serve.py` starts.

mod faults;
mod ingest;
mod login;
pub mod support;
mod values;
