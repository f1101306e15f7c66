//! Tables and queries of Snowflake.
//!
//! ```text
//!  [connections.NAME] ─▶ Account (a session, renewed when it expires)
//!  snowflake://DB/SCHEMA/TABLE ─▶ TableName ─▶ sql ──┐
//!  query = "SELECT ..." ─────────────────────────────┴▶ SnowflakeRows ─▶ RecordBatch, RecordBatch, ...
//!                                                            └ partition by partition, one ahead
//! ```
//!
//! Start with [`SnowflakeRows`], which are [`Rows`](super::Rows) like those of any typed source, and [`Account`]. `sql`
//! writes the statements. `columns` makes Arrow arrays of Snowflake's texts: `number`, `instant` and `json` read single
//! values and are pure. `fault` turns what the server says into errors with a remedy.

mod account;
mod columns;
mod fault;
mod fetch;
mod instant;
mod json;
mod listing;
mod name;
mod number;
mod rows;
mod sql;

pub use account::Account;
pub use listing::tables;
pub use name::TableName;
pub use rows::{SnowflakeRows, What};
