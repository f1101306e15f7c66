//! Names of tables, in URLs and in SQL.
//!
//! ```text
//!   snowflake://crm/public/customers          "CRM"."PUBLIC"."CUSTOMERS"      as SQL without quotes reads it
//!   snowflake://CRM/PUBLIC/"Daily export"     "CRM"."PUBLIC"."Daily export"   as written
//! ```

use std::fmt;

use crate::error::{Error, Result};

/// A table or view, by its three names as the catalogue has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// Database.
    pub database: String,
    /// Schema.
    pub schema: String,
    /// Table or view.
    pub table: String,
}

impl TableName {
    /// The table that a URL names.
    ///
    /// # Errors
    /// The URL does not have three names.
    pub fn of(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("snowflake://").unwrap_or(url);
        let names: Vec<String> = rest.split('/').map(in_catalogue).collect();
        match <[String; 3]>::try_from(names) {
            Ok([database, schema, table])
                if [&database, &schema, &table].iter().all(|name| !name.is_empty()) =>
            {
                Ok(Self {
                    database,
                    schema,
                    table,
                })
            }
            _ => Err(Error::usage("the URL names no table")
                .in_file(url)
                .hint("write snowflake://DB/SCHEMA/TABLE")),
        }
    }

    /// The URL; names that are not plain stand in quotes.
    #[must_use]
    pub fn url(&self) -> String {
        let [database, schema, table] = [&self.database, &self.schema, &self.table].map(|name| in_url(name));
        format!("snowflake://{database}/{schema}/{table}")
    }
}

/// The name in SQL, every part in quotes.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [database, schema, table] = [&self.database, &self.schema, &self.table].map(|name| quoted(name));
        write!(f, "{database}.{schema}.{table}")
    }
}

/// A name as the catalogue has it: without quotes it is in upper case.
pub(super) fn in_catalogue(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(exact) => exact.replace("\"\"", "\""),
        None if is_plain(&written.to_ascii_uppercase()) => written.to_ascii_uppercase(),
        None => written.to_owned(),
    }
}

/// A name of the catalogue, in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn in_url(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// Whether SQL reads the name without quotes as what it is.
fn is_plain(name: &str) -> bool {
    let mut letters = name.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_uppercase() || first == b'_')
        && letters.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, b'_' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_read_in_upper_case_and_a_quoted_one_as_it_is() {
        for (url, sql, again) in [
            (
                "snowflake://crm/Public/t_1",
                r#""CRM"."PUBLIC"."T_1""#,
                "snowflake://CRM/PUBLIC/T_1",
            ),
            (
                r#"snowflake://CRM/PUBLIC/"Daily ""x""""#,
                r#""CRM"."PUBLIC"."Daily ""x""""#,
                r#"snowflake://CRM/PUBLIC/"Daily ""x""""#,
            ),
            (
                "snowflake://CRM/PUBLIC/daily-export",
                r#""CRM"."PUBLIC"."daily-export""#,
                r#"snowflake://CRM/PUBLIC/"daily-export""#,
            ),
        ] {
            let name = TableName::of(url).unwrap();
            assert_eq!(
                (name.to_string().as_str(), name.url().as_str()),
                (sql, again),
                "{url}"
            );
            assert_eq!(TableName::of(&name.url()).unwrap(), name);
        }
    }

    #[test]
    fn a_url_without_three_names_names_no_table() {
        for url in [
            "snowflake://CRM/PUBLIC",
            "snowflake://CRM//T",
            "snowflake://A/B/C/D",
        ] {
            assert!(TableName::of(url).is_err(), "{url}");
        }
    }
}
