//! Names for attributes, made from those of columns.

use std::collections::HashSet;

use crate::spec::{check_attribute_name, default_attribute_name};

/// Longest name of an attribute, in characters; all are ASCII.
const MAX_NAME_CHARS: usize = 63;

/// Put behind a name that is taken by the engine or the instance.
const RESERVED_SUFFIX: &str = "_value";

/// Put before a name that does not start with a letter.
const LETTER_PREFIX: &str = "c_";

/// Gives each column a legal name that no other has.
///
/// ```text
///   Loyalty Tier  loyalty_tier        line  line_value      (a column of the engine)
///   2nd choice    c_2nd_choice        A-B   a_b
///   顧客           column              a b   a_b_2           (taken)
/// ```
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Names the instance reserves.
    reserved: Vec<String>,
    /// Names given.
    taken: HashSet<String>,
}

impl Names {
    /// Gives names that the instance does not reserve.
    #[must_use]
    pub fn new(reserved: &[String]) -> Self {
        Self {
            reserved: reserved.to_vec(),
            taken: HashSet::new(),
        }
    }

    /// The name for the attribute of a column.
    pub fn name(&mut self, column: &str) -> String {
        let base = base(column);
        let suffixes = ["".to_owned(), RESERVED_SUFFIX.to_owned()];
        let numbered = (2_u64..).map(|number| format!("_{number}"));
        let is_engines = check_attribute_name(&base, &self.reserved).is_err();
        let mut names = suffixes
            .into_iter()
            .take(if is_engines { 2 } else { 1 })
            .chain(numbered)
            .map(|suffix| with_suffix(&base, &suffix));
        let is_free =
            |name: &String| check_attribute_name(name, &self.reserved).is_ok() && !self.taken.contains(name);
        let name = names.find(is_free).unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}

/// A name of the right shape, which may be taken.
fn base(column: &str) -> String {
    let default = default_attribute_name(column);
    let stem = default.trim_start_matches('_');
    match stem.chars().next() {
        None => "column".to_owned(),
        Some(c) if c.is_ascii_lowercase() && stem.len() == default.len() => with_suffix(&default, ""),
        Some(c) if c.is_ascii_lowercase() => with_suffix(stem, ""),
        Some(_) => with_suffix(&format!("{LETTER_PREFIX}{stem}"), ""),
    }
}

/// The name with the suffix, cut before it where it is too long.
fn with_suffix(name: &str, suffix: &str) -> String {
    let kept: String = name
        .chars()
        .take(MAX_NAME_CHARS - suffix.len().min(MAX_NAME_CHARS))
        .collect();
    kept + suffix
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names<const N: usize>(columns: [&str; N]) -> [String; N] {
        let mut names = Names::new(&["churn_score".to_owned()]);
        columns.map(|column| names.name(column))
    }

    #[test]
    fn a_name_is_the_column_in_lower_case_with_what_makes_it_legal() {
        assert_eq!(
            names(["Loyalty Tier", "2nd choice", "_x", "顧客", "", "Größe"]),
            ["loyalty_tier", "c_2nd_choice", "x", "column", "column_2", "gr__e"]
        );
    }

    #[test]
    fn reserved_names_get_a_suffix_and_taken_ones_a_number() {
        assert_eq!(
            names(["line", "Churn Score", "a b", "A-B", "a_b", "LINE"]),
            [
                "line_value",
                "churn_score_value",
                "a_b",
                "a_b_2",
                "a_b_3",
                "line_2"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_columns_get_legal_and_different_names(columns in prop::collection::vec("(a|\\PC){0,70}", 0..20)) {
            let mut names = Names::default();
            let given: Vec<String> = columns.iter().map(|column| names.name(column)).collect();
            for name in &given {
                prop_assert!(check_attribute_name(name, &[]).is_ok(), "{}", name);
            }
            prop_assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
        }

        #[test]
        fn a_legal_default_is_kept(column in "[A-Z][A-Za-z -]{0,62}") {
            prop_assert_eq!(Names::default().name(&column), default_attribute_name(&column));
        }
    }
}
