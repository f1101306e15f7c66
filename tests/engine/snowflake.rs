//! Tables and queries of Snowflake: its counterpart, which `tests/services/serve.py` starts.

mod faults;
mod ingest;
mod login;
mod support;
mod values;
