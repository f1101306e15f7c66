//! Whether an answer is right.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_datasets::Expected;

/// What a run of a generated file has to report.
#[derive(Debug, Clone)]
pub struct Due {
    /// Records of the file.
    pub rows: u64,
    /// Records that pass.
    pub accepted: u64,
    /// By rule, records that break it.
    pub rules: BTreeMap<String, u64>,
}

impl From<&Expected> for Due {
    fn from(expected: &Expected) -> Self {
        let rules = expected.rule_counts().into_iter();
        Self {
            rows: expected.rows,
            accepted: expected.accepted(),
            rules: rules.map(|(rule, records)| (rule.to_owned(), records)).collect(),
        }
    }
}

/// What becomes of the rows that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All are customers that were not there.
    AllNew,
    /// Some are new, the others change something.
    Merged,
    /// Nothing differs from what is there.
    NothingDiffers,
    /// They are judged only.
    Judged,
}

/// What is wrong with the report of a run.
pub fn of_run(report: &Value, due: &Due, fate: Fate) -> Result<(), String> {
    equal("rows_read", count(report, "rows_read"), Some(due.rows))?;
    equal(
        "rows_accepted",
        count(report, "rows_accepted"),
        Some(due.accepted),
    )?;
    let rejected = Some(due.rows - due.accepted);
    equal("rows_rejected", count(report, "rows_rejected"), rejected)?;
    equal("rule_counts", Some(rules(report)), Some(due.rules.clone()))?;
    let merged = ["rows_inserted", "rows_updated", "rows_unchanged"].map(|name| count(report, name));
    match (fate, merged) {
        (Fate::Judged, _) => Ok(()),
        (Fate::AllNew, _) => equal("rows_inserted", merged[0], Some(due.accepted)),
        (Fate::NothingDiffers, _) => equal("rows_unchanged", merged[2], Some(due.accepted)),
        (Fate::Merged, [Some(inserted), Some(updated), Some(unchanged)]) => {
            let sum = inserted + updated + unchanged;
            equal(
                "inserted, updated and unchanged rows",
                Some(sum),
                Some(due.accepted),
            )
        }
        (Fate::Merged, _) => Err("the run did not merge".to_owned()),
    }
}

/// Whether the rows of a query are one number.
pub fn of_count(rows: &Value, due: u64) -> Result<(), String> {
    let found = rows
        .get(0)
        .and_then(|row| row.as_object()?.values().next()?.as_u64());
    equal("the count", found, Some(due))
}

/// Whether the rows of a query are records by rule.
pub fn of_rules(rows: &Value, due: &BTreeMap<String, u64>) -> Result<(), String> {
    let rows = rows.as_array().into_iter().flatten();
    let found = rows.filter_map(|row| {
        Some((
            row.get("rule")?.as_str()?.to_owned(),
            row.get("records")?.as_u64()?,
        ))
    });
    equal("records by rule", Some(found.collect()), Some(due.clone()))
}

/// Whether what was printed tells of a customer.
pub fn of_customer(answer: &Value, cid: &str) -> Result<(), String> {
    match answer.to_string().contains(cid) {
        true => Ok(()),
        false => Err(format!("customer {cid} was not found")),
    }
}

/// A count of a report.
pub fn count(report: &Value, name: &str) -> Option<u64> {
    report.get(name)?.as_u64()
}

fn rules(report: &Value) -> BTreeMap<String, u64> {
    let counts = report
        .get("rule_counts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let counts = counts.filter_map(|count| {
        let rule = count.get("rule")?.as_str()?.to_owned();
        Some((rule, count.get("records")?.as_u64()?))
    });
    counts.filter(|(_, records)| *records > 0).collect()
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: Option<T>, due: Option<T>) -> Result<(), String> {
    match found == due {
        true => Ok(()),
        false => Err(format!("{what}: {found:?} in place of {due:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn due() -> Due {
        Due {
            rows: 10,
            accepted: 7,
            rules: BTreeMap::from([("cid_null".to_owned(), 3)]),
        }
    }

    fn report(inserted: u64, updated: u64, unchanged: u64) -> Value {
        json!({
            "rows_read": 10, "rows_accepted": 7, "rows_rejected": 3,
            "rule_counts": [{"rule": "cid_null", "severity": "reject", "records": 3}],
            "rows_inserted": inserted, "rows_updated": updated, "rows_unchanged": unchanged,
        })
    }

    #[test]
    fn a_report_that_adds_up_is_right() {
        assert_eq!(of_run(&report(2, 4, 1), &due(), Fate::Merged), Ok(()));
        assert_eq!(of_run(&report(7, 0, 0), &due(), Fate::AllNew), Ok(()));
        assert_eq!(of_run(&report(0, 0, 7), &due(), Fate::NothingDiffers), Ok(()));
        assert_eq!(of_run(&report(0, 0, 0), &due(), Fate::Judged), Ok(()));
    }

    #[test]
    fn a_row_too_many_or_too_few_is_told() {
        assert!(of_run(&report(2, 4, 0), &due(), Fate::Merged).is_err());
        assert!(of_run(&report(6, 1, 0), &due(), Fate::AllNew).is_err());
        assert!(of_run(&report(0, 1, 6), &due(), Fate::NothingDiffers).is_err());
        let mut other = report(2, 4, 1);
        other["rule_counts"][0]["records"] = json!(2);
        let told = of_run(&other, &due(), Fate::Merged).unwrap_err();
        assert!(told.starts_with("rule_counts: "), "{told}");
    }

    #[test]
    fn the_rows_of_a_query_are_compared_with_what_is_due() {
        assert_eq!(of_count(&json!([{"n": 7}]), 7), Ok(()));
        assert!(of_count(&json!([]), 7).is_err());
        let rows = json!([{"rule": "cid_null", "records": 3}]);
        assert_eq!(of_rules(&rows, &due().rules), Ok(()));
        assert!(of_rules(&json!([]), &due().rules).is_err());
        assert!(of_customer(&json!([{"value": "C1"}]), "C2").is_err());
    }
}
