//! Words of a POSIX command line.

/// One word of a command line, quoted where a shell would take it for something else.
///
/// Between single quotes everything is data but a single quote: that is written `'\''`.
#[must_use]
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',' | '@' | '%' | '+')
    };
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `FLAG VALUE`, or `FLAG=VALUE` for a value that begins like a flag.
#[must_use]
pub fn option(flag: &str, value: &str) -> String {
    if value.starts_with('-') {
        format!("{flag}={}", quote(value))
    } else {
        format!("{flag} {}", quote(value))
    }
}
