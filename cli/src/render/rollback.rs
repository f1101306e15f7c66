//! What a rollback did, for people.

use sluice_engine::history::rollback::RollbackReport;

use super::columns::{Align, columns};
use super::numbers::thousands;

/// The report in words.
pub fn rollback(report: &RollbackReport) -> String {
    let head = match (report.version_after, report.dry_run) {
        (Some(version), false) => format!("rolled back; customers is at version {version}\n"),
        _ => "DRY RUN, nothing was written\n".to_owned(),
    };
    let mut lines = vec![("rollback", report.run_id.clone())];
    lines.extend(report.undoes.iter().map(|id| ("undoes", id.clone())));
    lines.extend(report.to_version.map(|v| ("values of version", v.to_string())));
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(word, what)| vec![word.to_owned(), what])
        .collect();
    [head, columns(&[Align::Left, Align::Left], &lines), counts(report)].join("\n")
}

/// What a rollback would do, before it is asked for.
pub fn rollback_counts(report: &RollbackReport) -> String {
    let runs = match report.undoes.as_slice() {
        [] => "no run is undone\n".to_owned(),
        many => format!("undoes {}\n", many.join(", ")),
    };
    (runs + &counts(report)).trim_end().to_owned()
}

fn counts(report: &RollbackReport) -> String {
    let mut lines = vec![
        ("customers set back".to_owned(), report.rows_updated),
        ("  cells set back".to_owned(), report.cells_changed),
    ];
    let attributes = report.attributes.iter();
    lines.extend(attributes.map(|cells| (format!("    {}", cells.attribute), cells.cells_changed)));
    lines.push(("customers removed".to_owned(), report.rows_removed));
    lines.push(("customers brought back".to_owned(), report.rows_inserted));
    let some = [
        ("registered, kept: a later run touched them", report.rows_kept),
        ("changed, no longer there", report.rows_gone),
    ];
    let found = some.into_iter().filter(|(_, count)| *count > 0);
    lines.extend(found.map(|(word, count)| (word.to_owned(), count)));
    lines.extend(report.conflicts.iter().map(|conflict| {
        let who = conflict.run_id.as_deref().unwrap_or("another program");
        (format!("overwritten, of {who}"), conflict.rows)
    }));
    let lines = lines
        .into_iter()
        .map(|(word, count)| vec![word, thousands(count)]);
    columns(&[Align::Left, Align::Right], &lines.collect::<Vec<_>>())
}
