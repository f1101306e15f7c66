//! Which columns become attributes.

use super::names::Names;
use super::report::ColumnReport;
use super::suggest::{SuggestOptions, SuggestedAttribute};
use crate::spec::AttributeType;

/// The first useful columns, and what is said of the others.
#[must_use]
pub fn select(
    options: &SuggestOptions,
    columns: &[ColumnReport],
    key: &str,
) -> (Vec<SuggestedAttribute>, Vec<String>) {
    let mut notes = Vec::new();
    let mut useful: Vec<&ColumnReport> = Vec::new();
    for column in columns.iter().filter(|column| column.name != key) {
        match useless(column, columns) {
            Some(reason) => notes.push(format!("left out: {:?}, {reason}", column.name)),
            None => useful.push(column),
        }
    }
    let beyond: Vec<String> = useful
        .iter()
        .skip(options.max_attributes)
        .map(|c| format!("{:?}", c.name))
        .collect();
    if !beyond.is_empty() {
        let limit = options.max_attributes;
        notes.push(format!(
            "left out beyond the limit of {limit} attributes a process: {}",
            beyond.join(", ")
        ));
    }
    let mut names = Names::new(&options.reserved);
    let mut attributes: Vec<SuggestedAttribute> = Vec::new();
    for column in useful.into_iter().take(options.max_attributes) {
        let mut guess = column.guess.clone();
        let is_email = |other: &SuggestedAttribute| other.guess.ty == AttributeType::Email;
        let has_email = options.email.is_some() || attributes.iter().any(is_email);
        if guess.ty == AttributeType::Email && has_email {
            guess.ty = AttributeType::String;
            notes.push(format!(
                "{:?} holds addresses too, but an instance has one email attribute: string",
                column.name
            ));
        }
        let (name, column) = (names.name(&column.name), column.name.clone());
        attributes.push(SuggestedAttribute { column, name, guess });
    }
    (attributes, notes)
}

/// Why a column cannot be an attribute, or would be an empty one.
fn useless(column: &ColumnReport, columns: &[ColumnReport]) -> Option<&'static str> {
    let is_twice = columns.iter().filter(|other| other.name == column.name).count() > 1;
    match () {
        () if column.name.is_empty() => Some("it has no name"),
        () if column.name.contains('\0') => Some("its name has a NUL, which no command line holds"),
        () if is_twice => Some("its name stands more than once in the header"),
        () if column.num_rows > 0 && column.null_rows == column.num_rows => Some("it has no values"),
        () => None,
    }
}
