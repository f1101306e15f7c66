//! What the rules of now would have made of a run, for people.

use sluice_engine::run::{BackTest, Basis, RuleChange, SideChange};

use super::columns::{Align, columns};
use super::numbers::thousands;

/// The back-test of one run.
pub fn back_test(test: &BackTest) -> String {
    let basis = match test.basis {
        Basis::Source => "its source, read again".to_owned(),
        Basis::Rejects => format!(
            "the rejects that were kept of it: {}",
            test.note.as_deref().unwrap_or_default()
        ),
    };
    let mut text = format!("run {}, by {basis}\n", test.run_id);
    text.push_str(&format!(
        "  {} records; rejected {} before, {} after: {} newly rejected, {} newly accepted\n",
        thousands(test.rows_read),
        thousands(test.rejected_before),
        thousands(test.rejected_after),
        thousands(test.newly_rejected_rows),
        thousands(test.newly_accepted_rows)
    ));
    if !test.rules.is_empty() {
        let mut lines = vec![["rule", "severity", "before", "after"].map(String::from).to_vec()];
        lines.extend(test.rules.iter().map(rule));
        text.push_str(&columns(
            &[Align::Left, Align::Left, Align::Right, Align::Right],
            &lines,
        ));
    }
    for (word, changes) in [
        ("rejected now", &test.newly_rejected),
        ("accepted now", &test.newly_accepted),
    ] {
        changes
            .iter()
            .for_each(|change| text.push_str(&side(word, change)));
    }
    text
}

fn rule(change: &RuleChange) -> Vec<String> {
    vec![
        change.rule.clone(),
        change.severity.clone(),
        thousands(change.before),
        thousands(change.after),
    ]
}

fn side(word: &str, change: &SideChange) -> String {
    let customer = change.customer_id.as_deref().unwrap_or("nobody");
    format!(
        "{word}: record {} of {customer} ({})\n",
        change.record_no,
        change.rules.join(", ")
    )
}
