//! Completion of names and keywords.

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

/// Keywords worth a key.
const KEYWORDS: [&str; 48] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COPY",
    "COUNT",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "SELECT",
    "THEN",
    "TRUE",
    "UNION",
    "WHEN",
    "WHERE",
];

/// Names of the session, and the keywords.
#[derive(Debug, Default)]
pub struct Names {
    /// Tables, views and table functions.
    tables: Vec<String>,
    /// Columns of any of them.
    columns: Vec<String>,
}

impl Names {
    /// The names of rows of `table_name, column_name`.
    pub fn of(rows: Vec<Vec<String>>) -> Self {
        let mut names = Self::default();
        for row in rows {
            let mut row = row.into_iter();
            names.tables.extend(row.next());
            names.columns.extend(row.next());
        }
        for list in [&mut names.tables, &mut names.columns] {
            list.sort_unstable();
            list.dedup();
        }
        names
    }

    /// Where the word at the end of `line` begins, and what it could become.
    pub fn complete_word(&self, line: &str) -> (usize, Vec<String>) {
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let begin = line.rfind(|c| !in_word(c)).map_or(0, |place| {
            place + line[place..].chars().next().map_or(1, char::len_utf8)
        });
        let (before, word) = line.split_at(begin);
        let previous = before.split_whitespace().next_back().unwrap_or_default();
        let wants_table = ["FROM", "JOIN"]
            .iter()
            .any(|keyword| previous.eq_ignore_ascii_case(keyword));
        let mut found = matching(self.tables.iter().map(String::as_str), word);
        if !wants_table && !word.is_empty() {
            found.extend(matching(self.columns.iter().map(String::as_str), word));
            found.extend(
                matching(KEYWORDS.into_iter(), word)
                    .into_iter()
                    .map(|keyword| cased_like(word, keyword)),
            );
        }
        found.dedup();
        (begin, found)
    }
}

fn matching<'a>(names: impl Iterator<Item = &'a str>, word: &str) -> Vec<String> {
    let begins = |name: &&str| {
        name.get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    names.filter(begins).map(str::to_owned).collect()
}

/// A keyword in the letters that the user began it with.
fn cased_like(word: &str, keyword: String) -> String {
    if word.starts_with(char::is_lowercase) {
        keyword.to_ascii_lowercase()
    } else {
        keyword
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.complete_word(line.get(..pos).unwrap_or(line)))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Validator for Names {}

impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let rows = [
            ["customers", "customer_id"],
            ["customers", "city"],
            ["rejects", "rules"],
            ["runs", "run_id"],
        ];
        Names::of(rows.map(|row| row.map(String::from).to_vec()).to_vec())
    }

    #[test]
    fn after_from_come_tables_only() {
        assert_eq!(
            names().complete_word("SELECT * FROM r"),
            (14, vec!["rejects".into(), "runs".into()])
        );
        assert_eq!(
            names().complete_word("select * from "),
            (14, vec!["customers".into(), "rejects".into(), "runs".into()])
        );
    }

    #[test]
    fn elsewhere_come_columns_and_keywords_too() {
        assert_eq!(
            names().complete_word("SELECT cus").1,
            ["customers", "customer_id"]
        );
        assert_eq!(
            names().complete_word("SELECT c FROM customers WHERE ci"),
            (30, vec!["city".into()])
        );
    }

    #[test]
    fn a_keyword_keeps_the_case_it_was_begun_in() {
        assert_eq!(names().complete_word("sel").1, ["select"]);
        assert_eq!(names().complete_word("SEL").1, ["SELECT"]);
    }

    #[test]
    fn a_word_behind_letters_of_any_alphabet_is_found() {
        assert_eq!(names().complete_word("SELECT 'é', ci"), (13, vec!["city".into()]));
        assert_eq!(names().complete_word("é→ci"), ("é→".len(), vec!["city".into()]));
    }
}
