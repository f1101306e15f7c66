//! Which column holds the customer id.

use serde::Serialize;

use super::report::ColumnReport;
use crate::spec::AttributeType;

/// A column that may be the key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyCandidate {
    /// The column.
    pub column: String,
    /// How likely it is; 0 to 100.
    pub score: u32,
    /// Why.
    pub reasons: Vec<String>,
}

/// Fewer points make no candidate.
const MIN_SCORE: u32 = 50;

/// Estimates of distinct values are off by a few percent: from here on they are as good as unique.
const ABOUT_UNIQUE: f64 = 0.95;

/// Whole names that mean the customer.
const CUSTOMER_NAMES: [&str; 22] = [
    "cid",
    "customerid",
    "customernumber",
    "customerno",
    "customer",
    "custid",
    "custno",
    "clientid",
    "clientno",
    "memberid",
    "userid",
    "personid",
    "contactid",
    "accountid",
    "subscriberid",
    "loyaltyid",
    "crmid",
    "kundennummer",
    "kundennr",
    "kundenid",
    "idcliente",
    "clienteid",
];

/// Endings of names of identifiers.
const ID_ENDINGS: [&str; 8] = ["_id", "_key", "_no", "_nr", "_number", "_uuid", "_guid", "_code"];

/// The columns that may be the key, the likeliest first.
#[must_use]
pub fn key_candidates(columns: &[ColumnReport]) -> Vec<KeyCandidate> {
    let is_unique = |name: &str| columns.iter().filter(|other| other.name == name).count() == 1;
    let mut candidates: Vec<KeyCandidate> = columns.iter().filter_map(candidate).collect();
    candidates.retain(|candidate| is_unique(&candidate.column));
    // Stable: of equal ones the column further left comes first.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    candidates
}

fn candidate(column: &ColumnReport) -> Option<KeyCandidate> {
    let values = column.num_rows - column.null_rows;
    if column.name.is_empty() || (values == 0 && column.num_rows > 0) {
        return None;
    }
    let parts = [
        uniqueness(column, values),
        completeness(column),
        name(&column.name),
        kind(column),
    ];
    let score = parts.iter().map(|(points, _)| points).sum::<u32>();
    let reasons = parts.into_iter().filter_map(|(_, reason)| reason).collect();
    (score >= MIN_SCORE).then(|| KeyCandidate {
        column: column.name.clone(),
        score,
        reasons,
    })
}

fn uniqueness(column: &ColumnReport, values: u64) -> (u32, Option<String>) {
    if values == 0 {
        return (0, None);
    }
    let distinct = column.distinct.values.min(values);
    let share = distinct as f64 / values as f64;
    let is_unique = if column.distinct.is_exact {
        distinct == values
    } else {
        share >= ABOUT_UNIQUE
    };
    let about = if column.distinct.is_exact { "" } else { "about " };
    match is_unique {
        true if column.distinct.is_exact => (40, Some(format!("all {values} values are distinct"))),
        true => (40, Some(format!("about all {values} values are distinct"))),
        // Some duplicates are what rejects are for; a column of categories is no key.
        false => (
            (35.0 * share * share) as u32,
            Some(format!("{about}{distinct} of {values} values are distinct")),
        ),
    }
}

fn completeness(column: &ColumnReport) -> (u32, Option<String>) {
    match column.null_rows {
        0 if column.num_rows == 0 => (0, None),
        0 => (15, Some("no value is missing".to_owned())),
        missing => {
            let share = missing as f64 / column.num_rows as f64;
            (
                (10.0 * (1.0 - share).powi(8)) as u32,
                Some(format!("{missing} of {} values are missing", column.num_rows)),
            )
        }
    }
}

fn name(name: &str) -> (u32, Option<String>) {
    let lower = name.trim().to_lowercase().replace([' ', '-', '.'], "_");
    let bare: String = lower.chars().filter(|c| *c != '_').collect();
    let ends_in_id =
        name.ends_with("Id") || name.ends_with("ID") || ID_ENDINGS.iter().any(|end| lower.ends_with(end));
    match bare.as_str() {
        bare if CUSTOMER_NAMES.contains(&bare) => (35, Some("its name means the customer".to_owned())),
        "id" | "key" | "uuid" | "guid" => (28, Some("its name is that of an identifier".to_owned())),
        _ if ends_in_id => (18, Some("its name ends as those of identifiers do".to_owned())),
        "email" | "emailaddress" | "mail" => (12, Some("an address often identifies a customer".to_owned())),
        _ => (0, None),
    }
}

fn kind(column: &ColumnReport) -> (u32, Option<String>) {
    match column.guess.ty {
        AttributeType::Int | AttributeType::Bigint => (10, None),
        AttributeType::String if column.longest_chars <= 64 => (10, None),
        AttributeType::Email => (8, None),
        _ => (0, None),
    }
}
