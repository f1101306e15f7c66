//! A preview in words.

use std::path::Path;

use sluice_engine::discover::distinct::Distinct;
use sluice_engine::discover::{ColumnReport, Container, Preview};

use super::columns::{Align, columns};
use super::thousands;
use crate::shell;

/// Characters of a cell that are shown.
const CELL_CHARACTERS: usize = 24;

/// The preview in words. `program` is how the commands to copy begin.
pub fn preview(preview: &Preview, file: &Path, connection: Option<&str>, program: &str) -> String {
    let sections = [
        head(preview, file),
        column_facts(&preview.columns),
        notes(&preview.columns),
        sample(preview),
        keys(preview),
        next(preview, file, connection, program),
    ];
    sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn head(preview: &Preview, file: &Path) -> String {
    let dialect = &preview.dialect;
    let rows = thousands(preview.columns.first().map_or(0, |report| report.num_rows));
    let mut text = format!("{}: {rows} records looked at\n", file.display());
    for sentence in &dialect.evidence {
        text.push_str(&format!("  {sentence}\n"));
    }
    text
}

/// A table of what the columns hold.
pub fn column_facts(reports: &[ColumnReport]) -> String {
    if reports.is_empty() {
        return String::new();
    }
    let mut rows = vec![
        [
            "column", "type", "fits", "empty", "distinct", "minimum", "maximum", "longest",
        ]
        .map(String::from)
        .to_vec(),
    ];
    rows.extend(reports.iter().map(|report| {
        vec![
            report.name.clone(),
            report.guess.ty.to_string(),
            percent(report.guess.share),
            thousands(report.null_rows),
            distinct(&report.distinct),
            cut(report.min.as_deref().unwrap_or_default()),
            cut(report.max.as_deref().unwrap_or_default()),
            thousands(report.longest_chars as u64),
        ]
    }));
    use Align::{Left, Right};
    columns(&[Left, Left, Right, Right, Right, Left, Left, Right], &rows)
}

fn notes(reports: &[ColumnReport]) -> String {
    let of_column = |report: &ColumnReport| -> Vec<String> {
        report
            .guess
            .notes
            .iter()
            .map(|note| format!("  {}: {note}\n", report.name))
            .collect()
    };
    reports.iter().flat_map(of_column).collect()
}

fn sample(preview: &Preview) -> String {
    if preview.sample.is_empty() {
        return String::new();
    }
    let mut rows: Vec<Vec<String>> = vec![preview.columns.iter().map(|report| report.name.clone()).collect()];
    let shown = |cell: &Option<String>| cut(cell.as_deref().unwrap_or_default());
    rows.extend(preview.sample.iter().map(|row| row.iter().map(shown).collect()));
    columns(&vec![Align::Left; preview.columns.len()], &rows)
}

fn keys(preview: &Preview) -> String {
    let lines = preview
        .keys
        .iter()
        .map(|key| format!("  {}: {}\n", key.column, key.reasons.join(", ")));
    let lines: String = lines.collect();
    if lines.is_empty() {
        lines
    } else {
        format!("may be the customer id:\n{lines}")
    }
}

fn next(preview: &Preview, file: &Path, connection: Option<&str>, program: &str) -> String {
    let suggestion = &preview.suggestion;
    let mut text: String = suggestion
        .notes
        .iter()
        .map(|note| format!("note: {note}\n"))
        .collect();
    let connection = connection
        .map(|name| format!(" --connection {name}"))
        .unwrap_or_default();
    let file = format!("{}{connection}", shell::quoted(&file.display().to_string()));
    if suggestion.needs_process {
        text.push_str(&format!("next: {program} process new NAME --file {file}\n"));
    } else if let Some(line) = &suggestion.ingest_line {
        let line = line.strip_prefix("sluice").unwrap_or(line);
        text.push_str(&format!("next: {program}{line}\n"));
    } else if preview.dialect.container == Container::Csv {
        text.push_str(&format!("next: {program} process new NAME\n"));
    }
    text
}

fn percent(share: f64) -> String {
    // Rounded down: 100 % is said of a column that fits without exception.
    format!("{} %", (share * 100.0).floor())
}

fn distinct(distinct: &Distinct) -> String {
    let about = if distinct.is_exact { "" } else { "~" };
    format!("{about}{}", thousands(distinct.values))
}

/// A cell on one line, cut.
fn cut(cell: &str) -> String {
    let line: String = cell
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().count() <= CELL_CHARACTERS {
        return line;
    }
    let kept: String = line.chars().take(CELL_CHARACTERS - 1).collect();
    format!("{kept}…")
}
