//! Words of a command line that a user can copy.

/// `word` as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains(['"', '$', '`', '\\', '!']) {
        return format!("\"{word}\"");
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `text` as an SQL string literal.
pub fn sql_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_only_when_a_shell_would_split_or_expand_it() {
        assert_eq!(quoted("data/Customers_1.csv"), "data/Customers_1.csv");
        assert_eq!(quoted("my file.csv"), "\"my file.csv\"");
        assert_eq!(quoted("a$b"), "'a$b'");
        assert_eq!(quoted("it's $5"), r"'it'\''s $5'");
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn a_quote_in_a_literal_is_doubled() {
        assert_eq!(sql_literal("O'Neil"), "'O''Neil'");
    }
}
