//! The statements that are sent.

use super::name::{TableName, quoted};

/// All rows of a table, in an order if there is one.
pub(super) fn of_table(table: &TableName, order_by: Option<&str>) -> String {
    ordered(format!("SELECT * FROM {table}"), order_by)
}

/// All rows of a query. Without an order it is sent as it is.
pub(super) fn of_query(query: &str, order_by: Option<&str>) -> String {
    let query = bare(query);
    match order_by {
        None => query.to_owned(),
        // On a line of its own: the query may end with a comment.
        Some(_) => ordered(format!("SELECT * FROM (\n{query}\n)"), order_by),
    }
}

/// The first rows of a statement.
pub(super) fn first_rows(select: &str, max_rows: usize) -> String {
    format!("SELECT * FROM (\n{}\n) LIMIT {max_rows}", bare(select))
}

/// Names, time of change and size of a table.
pub(super) fn facts(table: &TableName) -> String {
    format!(
        "{} WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        tables_of(&table.database),
        text(&table.schema),
        text(&table.table)
    )
}

/// Names, times of change and sizes of all tables and views of a database, but those that Snowflake itself keeps there.
pub(super) fn all_tables(database: &str, schema: Option<&str>) -> String {
    let condition = match schema {
        Some(schema) => format!("TABLE_SCHEMA = {}", text(schema)),
        None => "TABLE_SCHEMA <> 'INFORMATION_SCHEMA'".to_owned(),
    };
    format!(
        "{} WHERE {condition} ORDER BY TABLE_SCHEMA, TABLE_NAME",
        tables_of(database)
    )
}

/// Names of the databases that the role sees.
pub(super) const DATABASES: &str = "SHOW DATABASES";

fn tables_of(database: &str) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, LAST_ALTERED, BYTES FROM {}.INFORMATION_SCHEMA.TABLES",
        quoted(database)
    )
}

fn ordered(select: String, order_by: Option<&str>) -> String {
    match order_by {
        Some(order) => format!("{select}\nORDER BY {order}"),
        None => select,
    }
}

fn bare(query: &str) -> &str {
    query.trim().trim_end_matches(';').trim_end()
}

/// A text in SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_put_around_a_query() {
        assert_eq!(of_query(" SELECT 1; ", None), "SELECT 1");
        assert_eq!(
            of_query("SELECT a FROM t -- all;", Some("a DESC")),
            "SELECT * FROM (\nSELECT a FROM t -- all\n)\nORDER BY a DESC"
        );
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        let table = TableName {
            database: "D\"".to_owned(),
            schema: "S'".to_owned(),
            table: "T\\'".to_owned(),
        };
        let facts = facts(&table);
        assert!(facts.contains(r#""D""".INFORMATION_SCHEMA"#), "{facts}");
        assert!(
            facts.ends_with(r"TABLE_SCHEMA = 'S''' AND TABLE_NAME = 'T\\'''"),
            "{facts}"
        );
    }
}
