//! The prompt's own commands.

use crate::shell::sql_literal;

/// What `\?` prints.
pub const HELP: &str = "\
  SELECT ... ;   run a query; it may go over several lines
  \\d             tables and views
  \\d NAME        columns of a table or view
  \\?             this help
  \\q             leave
  TAB completes names, Ctrl-C drops a line or stops a query";

/// A command of the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meta {
    /// Leave.
    Quit,
    /// List tables and views.
    Tables,
    /// List the columns of one.
    Columns(String),
    /// Say what there is.
    Help,
    /// None of these.
    Unknown(String),
}

impl Meta {
    /// Reads a line that begins a statement; none if it is SQL.
    pub fn of(line: &str) -> Option<Self> {
        let line = line.trim().trim_end_matches(';').trim_end();
        if line.eq_ignore_ascii_case("quit") || line.eq_ignore_ascii_case("exit") {
            return Some(Self::Quit);
        }
        let mut words = line.strip_prefix('\\')?.split_whitespace();
        Some(match (words.next(), words.next(), words.next()) {
            (Some("q"), None, _) => Self::Quit,
            (Some("?" | "h"), None, _) => Self::Help,
            (Some("d"), None, _) => Self::Tables,
            (Some("d"), Some(name), None) => Self::Columns(name.trim_matches('"').to_owned()),
            _ => Self::Unknown(line.to_owned()),
        })
    }

    /// The query that answers it, if one does.
    pub fn query(&self) -> Option<String> {
        match self {
            Self::Tables => Some(
                "SELECT table_name AS name, lower(table_type) AS kind FROM information_schema.tables \
                 WHERE table_schema <> 'information_schema' ORDER BY name"
                    .to_owned(),
            ),
            Self::Columns(name) => Some(format!(
                "SELECT column_name AS name, data_type AS type FROM information_schema.columns \
                 WHERE table_name = {} ORDER BY ordinal_position",
                sql_literal(name)
            )),
            Self::Quit | Self::Help | Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_begins_a_command_and_anything_else_is_sql() {
        assert_eq!(Meta::of("\\q"), Some(Meta::Quit));
        assert_eq!(Meta::of(" exit; "), Some(Meta::Quit));
        assert_eq!(Meta::of("\\d"), Some(Meta::Tables));
        assert_eq!(
            Meta::of("\\d customers;"),
            Some(Meta::Columns("customers".into()))
        );
        assert_eq!(Meta::of("\\d a b"), Some(Meta::Unknown("\\d a b".into())));
        assert_eq!(Meta::of("\\x"), Some(Meta::Unknown("\\x".into())));
        assert_eq!(Meta::of("SELECT 1;"), None);
    }

    #[test]
    fn a_name_in_a_command_is_a_literal_in_its_query() {
        let query = Meta::Columns("a'b".into()).query().unwrap();
        assert!(query.contains("table_name = 'a''b'"), "{query}");
    }
}
