//! The rows of a table or query.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Fields};
use chrono::DateTime;

use super::super::file::Version;
use super::super::io::wait;
use super::super::rows::{RowBatches, Rows, Stop};
use super::account::Account;
use super::columns::Columns;
use super::fetch::Batches;
use super::name::TableName;
use super::sql;
use crate::error::{Error, Result};

/// What is read.
#[derive(Debug, Clone)]
pub enum What {
    /// A table or view.
    Table(TableName),
    /// A query.
    Query(String),
}

/// The rows of a table or query.
#[derive(Debug)]
pub struct SnowflakeRows {
    account: Arc<Account>,
    select: String,
    columns: Vec<String>,
    fields: Fields,
    identity: Option<String>,
    version: Version,
}

impl SnowflakeRows {
    /// Looks the source up: its columns, and of a table when it was last changed. May wait.
    ///
    /// # Errors
    /// The account cannot be reached or refuses us; there is no such source, or the role may not read it.
    pub fn open(account: Arc<Account>, what: &What, order_by: Option<&str>) -> Result<Self> {
        let (select, facts) = match what {
            What::Table(table) => (sql::of_table(table, order_by), Some(facts(&account, table)?)),
            What::Query(query) => (sql::of_query(query, order_by), None),
        };
        let asked = Arc::clone(&account);
        let none = sql::first_rows(&select, 0);
        let columns = wait(async move { Ok(Columns::of(asked.query(&none, |_| ()).await?.schema())) })?;
        let facts = facts.flatten();
        Ok(Self {
            account,
            select,
            columns: columns.names(),
            fields: columns.fields(),
            identity: facts.as_ref().and_then(|facts| facts.identity.clone()),
            version: facts.map(|facts| facts.version).unwrap_or_default(),
        })
    }

    /// When the table was last changed, and the bytes that it takes in Snowflake; nothing is known of a query.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl Rows for SnowflakeRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn batches(&self, stop: Stop) -> Result<RowBatches> {
        let batches = Batches::start(Arc::clone(&self.account), self.select.clone(), stop)?;
        Ok(Box::new(batches))
    }

    fn sample(&self, max_rows: usize) -> Result<RowBatches> {
        let select = sql::first_rows(&self.select, max_rows);
        let batches = Batches::start(Arc::clone(&self.account), select, Stop::default())?;
        Ok(Box::new(batches))
    }

    fn identity(&self) -> Option<String> {
        self.identity.clone()
    }
}

/// What the catalogue says of a table.
struct Facts {
    /// None of a view: it changes with the tables behind it, and the catalogue does not say when.
    identity: Option<String>,
    version: Version,
}

/// What the catalogue says of `table`; nothing if it does not list it.
fn facts(account: &Arc<Account>, table: &TableName) -> Result<Option<Facts>> {
    let mut batches = Batches::start(Arc::clone(account), sql::facts(table), Stop::default())?;
    let Some(batch) = batches.next().transpose()? else {
        return Ok(None);
    };
    let damaged = || Error::runtime("the catalogue of Snowflake answered in another form than it should");
    let text = |column: &str| {
        let column = batch.column_by_name(column)?.as_string_view_opt()?;
        column.iter().next().flatten().map(str::to_owned)
    };
    let (altered, kind) = text("LAST_ALTERED").zip(text("TABLE_TYPE")).ok_or_else(damaged)?;
    let bytes = batch
        .column_by_name("BYTES")
        .and_then(|column| column.as_primitive_opt::<Decimal128Type>());
    let size_bytes = bytes
        .and_then(|bytes| bytes.iter().next().flatten())
        .unwrap_or_default();
    Ok(Some(Facts {
        identity: (kind == "BASE TABLE").then(|| format!("{}|{altered}", table.url())),
        version: Version {
            size_bytes: u64::try_from(size_bytes).unwrap_or_default(),
            modified_ns: nanos(&altered).unwrap_or_default(),
            etag: None,
        },
    }))
}

/// Nanoseconds since 1970 of an instant as [`write_instant`](super::instant::write_instant) writes it.
pub(super) fn nanos(instant: &str) -> Option<i128> {
    let instant = DateTime::parse_from_rfc3339(&instant.replacen(' ', "T", 1)).ok()?;
    Some(i128::from(instant.timestamp()) * 1_000_000_000 + i128::from(instant.timestamp_subsec_nanos()))
}
