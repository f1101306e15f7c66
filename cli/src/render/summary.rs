//! What completing a process takes into use, in words.

use sluice_engine::Error;
use sluice_engine::process::Summary;
use sluice_engine::run::Report;

use super::columns::{Align, columns};
use super::thousands;

/// The summary in words, with the dry run that was made of it or why there is none.
pub fn summary(summary: &Summary, dry_run: Option<&Report>, error: Option<&Error>) -> String {
    let sections = [
        head(summary, dry_run),
        attributes(summary),
        dry_run.map(tried).unwrap_or_default(),
        error
            .map(|error| format!("the dry run failed: {error}\n"))
            .unwrap_or_default(),
    ];
    let sections = sections.into_iter().filter(|section| !section.is_empty());
    sections.collect::<Vec<_>>().join("\n")
}

fn head(summary: &Summary, dry_run: Option<&Report>) -> String {
    let unknown = match summary.mode.as_str() {
        "update" => "update: rows of unknown customers are rejected",
        _ => "register: unknown customers become customers",
    };
    let found = dry_run.and_then(|report| report.run.source_file.clone());
    let mut lines = vec![("mode", unknown.to_owned()), ("source", summary.source.clone())];
    lines.extend(summary.connection.clone().map(|name| ("connection", name)));
    lines.extend(summary.pattern.clone().map(|pattern| ("pattern", pattern)));
    lines.extend(found.map(|file| ("file", file)));
    lines.push(("key", summary.key.clone()));
    lines.push(("schedule", schedule(summary)));
    lines.push(("policy", policy(summary)));
    if !summary.rules.is_empty() {
        lines.push(("rules", summary.rules.join(", ")));
    }
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(word, what)| vec![word.to_owned(), what])
        .collect();
    format!(
        "{}\n{}",
        summary.process,
        columns(&[Align::Left, Align::Left], &lines)
    )
}

fn schedule(summary: &Summary) -> String {
    match (&summary.schedule, summary.next_run_at) {
        (Some(schedule), Some(next)) => format!("{schedule}, next at {}", next.to_rfc3339()),
        _ => "none: it runs when somebody says so".to_owned(),
    }
}

fn policy(summary: &Summary) -> String {
    let policy = &summary.policy;
    let budget = match (&policy.max_rejects, policy.strict) {
        (_, true) => "no reject allowed".to_owned(),
        (Some(budget), false) => format!("{budget} rejects allowed"),
        (None, false) => "any number of rejects allowed".to_owned(),
    };
    let none = if policy.allow_none {
        ", none accepted is no failure"
    } else {
        ""
    };
    format!(
        "duplicates: {}, an empty cell: {}, {budget}{none}",
        policy.on_duplicate, policy.null
    )
}

fn attributes(summary: &Summary) -> String {
    let mut lines = vec![["column", "attribute", "type"].map(String::from).to_vec()];
    lines.extend(summary.attributes.iter().map(|attribute| {
        vec![
            attribute.column.clone(),
            attribute.attribute.clone(),
            attribute.ty.clone(),
        ]
    }));
    columns(&[Align::Left; 3], &lines)
}

fn tried(report: &Report) -> String {
    let run = &report.run;
    let (Some(read), Some(accepted), Some(rejected)) = (run.rows_read, run.rows_accepted, run.rows_rejected)
    else {
        return report
            .warnings
            .iter()
            .map(|warning| format!("dry run: {warning}\n"))
            .collect();
    };
    let mut text = format!(
        "dry run of the first records: {} read, {} accepted, {} rejected\n",
        thousands(read),
        thousands(accepted),
        thousands(rejected)
    );
    let lines = run.rule_counts.iter();
    let lines = lines.map(|count| {
        vec![
            count.rule.clone(),
            count.severity.clone(),
            thousands(count.records),
        ]
    });
    text.push_str(&columns(
        &[Align::Left, Align::Left, Align::Right],
        &lines.collect::<Vec<_>>(),
    ));
    text
}
