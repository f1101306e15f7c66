//! The tables that a role sees.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;

use super::super::rows::Stop;
use super::super::walk::{Listed, Listing};
use super::account::Account;
use super::fetch::Batches;
use super::name::{TableName, in_catalogue};
use super::rows::nanos;
use super::sql;
use crate::error::{Error, Result};

/// Databases of Snowflake's own, which hold no customers.
const SYSTEM_DATABASES: [&str; 2] = ["SNOWFLAKE", "SNOWFLAKE_SAMPLE_DATA"];

/// The tables and views below `snowflake://[DB[/SCHEMA]]`, by URL. Without a database it is that of the connection, or
/// all. May wait.
///
/// # Errors
/// The account cannot be reached or refuses us; the database does not exist.
pub fn tables(account: &Arc<Account>, url: &str) -> Result<Listing> {
    let rest = url.strip_prefix("snowflake://").unwrap_or(url).trim_matches('/');
    let mut names = rest.split('/').filter(|name| !name.is_empty()).map(in_catalogue);
    let (database, schema) = (names.next(), names.next());
    if names.next().is_some() {
        return Err(Error::usage("the URL names a table, not a place with tables")
            .in_file(url)
            .hint("write snowflake://, snowflake://DB or snowflake://DB/SCHEMA"));
    }
    let named = database.or_else(|| account.database().map(in_catalogue));
    let mut listing = Listing::default();
    match named {
        Some(database) => listing.files = in_database(account, &database, schema.as_deref())?,
        None => {
            for database in databases(account)? {
                // One that cannot be looked into is as good as not there.
                listing
                    .files
                    .extend(in_database(account, &database, None).unwrap_or_default());
            }
        }
    }
    listing.files.sort_by(|a, b| a.url.cmp(&b.url));
    Ok(listing)
}

fn databases(account: &Arc<Account>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for batch in Batches::start(Arc::clone(account), sql::DATABASES.to_owned(), Stop::default())? {
        let batch = batch?;
        let all = (0..batch.num_rows()).filter_map(|row| text(&batch, "name", row));
        names.extend(all.filter(|name| !SYSTEM_DATABASES.contains(&name.as_str())));
    }
    Ok(names)
}

fn in_database(account: &Arc<Account>, database: &str, schema: Option<&str>) -> Result<Vec<Listed>> {
    let select = sql::all_tables(database, schema);
    let mut tables = Vec::new();
    for batch in Batches::start(Arc::clone(account), select, Stop::default())? {
        let batch = batch?;
        tables.extend((0..batch.num_rows()).filter_map(|row| listed(&batch, database, row)));
    }
    Ok(tables)
}

fn listed(batch: &RecordBatch, database: &str, row: usize) -> Option<Listed> {
    let name = TableName {
        database: database.to_owned(),
        schema: text(batch, "TABLE_SCHEMA", row)?,
        table: text(batch, "TABLE_NAME", row)?,
    };
    let bytes = batch
        .column_by_name("BYTES")
        .and_then(|column| column.as_primitive_opt::<Decimal128Type>());
    let size_bytes = bytes
        .filter(|bytes| bytes.is_valid(row))
        .map(|bytes| bytes.value(row));
    let altered = text(batch, "LAST_ALTERED", row);
    Some(Listed {
        url: name.url(),
        size_bytes: size_bytes
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or_default(),
        modified_ns: altered.and_then(|altered| nanos(&altered)).unwrap_or_default(),
        format: None,
    })
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(column)?.as_string_view_opt()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}
