//! What a process, an attribute, a connection and a rule may be called.

use super::problem::Problem;

/// Names that the engine's own columns hold in `customers` and `incoming`.
pub const RESERVED_NAMES: [&str; 6] = [
    "customer_id",
    "raw",
    "record_no",
    "line",
    "byte_start",
    "byte_len",
];

/// Longest name of an attribute or a rule, in characters.
const MAX_IDENTIFIER_CHARS: usize = 63;

/// Longest name of a process or a connection, in characters.
const MAX_PROCESS_NAME_CHARS: usize = 64;

/// The name of an attribute whose user gave none: the column in lower case, other characters as `_`.
///
/// The outcome may still be refused by [`check_attribute_name`]: `2nd choice` gives `2nd_choice`.
pub fn default_attribute_name(column: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    column
        .to_lowercase()
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

/// Whether an attribute may have this name; `reserved` is the instance's `reserved_attributes`.
///
/// # Errors
/// A name of another shape than `[a-z][a-z0-9_]{0,62}`, or a reserved one.
pub fn check_attribute_name(name: &str, reserved: &[String]) -> Result<(), Problem> {
    if !is_identifier(name) {
        return Err(Problem::new(
            "name",
            format!("`{name}` cannot name an attribute"),
            "write a name of a-z, 0-9 and _ that starts with a letter, 63 characters at most",
        ));
    }
    if RESERVED_NAMES.contains(&name) {
        return Err(Problem::new(
            "name",
            format!("`{name}` is a column of the engine"),
            "choose another name",
        ));
    }
    if reserved.iter().any(|word| word == name) {
        let what = format!("`{name}` is reserved by reserved_attributes in sluice.toml");
        return Err(Problem::new("name", what, "choose another name"));
    }
    Ok(())
}

/// Whether a process may have this name.
///
/// # Errors
/// A name of another shape than `[a-z0-9][a-z0-9_-]{0,63}`.
pub fn check_process_name(name: &str) -> Result<(), Problem> {
    if is_slug(name) {
        return Ok(());
    }
    Err(Problem::new(
        "name",
        format!("`{name}` cannot name a process"),
        "write a name of a-z, 0-9, _ and - that starts with a letter or digit, 64 characters at most",
    ))
}

/// Whether the word matches `[a-z][a-z0-9_]{0,62}`.
pub(super) fn is_identifier(word: &str) -> bool {
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    word.len() <= MAX_IDENTIFIER_CHARS
        && word.bytes().all(legal)
        && word.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
}

/// Whether the word matches `[a-z0-9][a-z0-9_-]{0,63}`.
pub(super) fn is_slug(word: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    word.len() <= MAX_PROCESS_NAME_CHARS
        && word.bytes().all(|c| letter(c) || c == b'_' || c == b'-')
        && word.bytes().next().is_some_and(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_name_is_the_column_in_lower_case() {
        assert_eq!(default_attribute_name("Loyalty Tier"), "loyalty_tier");
        assert_eq!(default_attribute_name("Größe-2"), "gr__e_2");
        assert_eq!(default_attribute_name(""), "");
    }

    #[test]
    fn an_attribute_name_is_a_letter_then_letters_digits_and_underscores() {
        let longest = format!("a{}", "9".repeat(62));
        for good in ["a", "spend_90d", longest.as_str()] {
            assert!(check_attribute_name(good, &[]).is_ok(), "{good}");
        }
        let too_long = format!("{longest}9");
        for bad in ["", "9a", "_a", "Spend", "a-b", "a b", "é", too_long.as_str()] {
            assert!(check_attribute_name(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn reserved_words_of_the_engine_and_of_the_instance_are_refused() {
        for word in RESERVED_NAMES {
            assert!(check_attribute_name(word, &[]).is_err(), "{word}");
        }
        let reserved = ["churn_score".to_owned()];
        let problem = check_attribute_name("churn_score", &reserved).unwrap_err();
        assert!(problem.what.contains("reserved_attributes"), "{problem}");
        assert!(check_attribute_name("churn", &reserved).is_ok());
    }

    #[test]
    fn a_process_name_may_start_with_a_digit_and_hold_hyphens() {
        let longest = "a".repeat(64);
        for good in ["0", "crm-daily_2", longest.as_str()] {
            assert!(check_process_name(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(65);
        for bad in ["", "-a", "_a", "A", "a/b", "a.b", "..", too_long.as_str()] {
            assert!(check_process_name(bad).is_err(), "{bad}");
        }
    }
}
