//! What was removed for good, for people.

use sluice_engine::maintain::{ForgetReport, PurgeReport};

use super::columns::{Align, columns};
use super::numbers::{megabytes, thousands};

const DRY_RUN: &str = "DRY RUN, nothing was written\n";

/// What a purge did.
pub fn purged(report: &PurgeReport, program: &str) -> String {
    let head = if report.dry_run { DRY_RUN } else { "" };
    let counts = [
        ("rejects removed", report.rejects_rows),
        (
            "rejects of others that lost values and bytes",
            report.blanked_rows,
        ),
        ("files written anew", report.rewritten_files),
    ];
    let next = match report.version {
        Some(version) => format!(
            "\nversions of rejects before {version} have them until they are vacuumed; at once, if nobody reads them:\n  \
             {program} vacuum rejects --retention 0h --force\n"
        ),
        None => String::new(),
    };
    format!("{head}{}{next}", table(&counts))
}

/// What forgetting a customer did, or would do.
pub fn forgotten(report: &ForgetReport) -> String {
    if report.is_empty() {
        return format!("nothing of this customer is in the instance\n{}", proof(report));
    }
    match report.dry_run {
        true => format!("{DRY_RUN}{}\n{}", counts(report), proof(report)),
        false => format!("the customer is forgotten\n{}\n{}", counts(report), proof(report)),
    }
}

/// What forgetting a customer would do, before it is asked for.
pub fn forgetting(report: &ForgetReport) -> String {
    format!(
        "{}\nversions of customers up to {} that held it can not be read, compared or gone back to any more",
        counts(report),
        report.customers_version
    )
}

fn counts(report: &ForgetReport) -> String {
    let mut text = table(&[
        ("customers removed", report.customers_rows),
        ("rejects removed", report.rejects_rows),
        (
            "rejects of others that lost values and bytes",
            report.blanked_rows,
        ),
        ("files written anew", report.rewritten_files),
        ("files of older versions deleted", report.deleted_files),
    ]);
    for log in &report.cut_logs {
        text.push_str(&format!(
            "the log of {} begins anew: it named the customer\n",
            log.word()
        ));
    }
    text
}

fn proof(report: &ForgetReport) -> String {
    let mut text = format!(
        "{} files were searched, {}\n",
        thousands(report.read_files),
        megabytes(report.read_bytes)
    );
    for place in &report.mentions {
        text.push_str(&format!(
            "left, because it is about somebody else or your own text: {place}\n"
        ));
    }
    text
}

fn table(counts: &[(&str, u64)]) -> String {
    let lines = counts
        .iter()
        .map(|(word, count)| vec![(*word).to_owned(), thousands(*count)]);
    columns(&[Align::Left, Align::Right], &lines.collect::<Vec<_>>())
}
