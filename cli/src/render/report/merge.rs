//! How the files of `customers` were merged, for people.

use sluice_engine::merge::Strategy;
use sluice_engine::run::Report;

use crate::render::columns::{Align, columns};
use crate::render::numbers::{megabytes, seconds, thousands};

/// Files that a dry run shows one by one.
const FILES_SHOWN: usize = 20;

/// How the files were merged; in a dry run, each file with what each way would cost.
pub(super) fn merge(report: &Report) -> String {
    let merge = &report.merge;
    if let Some(made) = &merge.repeats {
        return format!(
            "files merged  none: run {} merged the same content in version {}, and nobody changed it since\n",
            made.run_id, made.version
        );
    }
    if merge.ways.is_empty() {
        return String::new();
    }
    let mut lines = vec![
        ["files merged", "files", "rows updated", "because"]
            .map(String::from)
            .to_vec(),
    ];
    lines.extend(merge.ways.iter().map(|way| {
        vec![
            way.strategy.word().replace('_', " "),
            thousands(way.files),
            thousands(way.rows_updated),
            way.reason.words().to_owned(),
        ]
    }));
    let table = columns(&[Align::Left, Align::Right, Align::Right, Align::Left], &lines);
    let bytes = format!(
        "  read {}, copied {}, encoded {}, deletion vectors {}\n",
        megabytes(merge.read_bytes),
        megabytes(merge.copied_bytes),
        megabytes(merge.encoded_bytes),
        megabytes(merge.vector_bytes)
    );
    match report.dry_run {
        true => format!(
            "{table}  read {}\n{}",
            megabytes(merge.read_bytes),
            merged_files(report)
        ),
        false => table + &bytes + &lost_races(report),
    }
}

/// What runs that were faster cost.
fn lost_races(report: &Report) -> String {
    let races = report.merge.races;
    if races.lost_races == 0 {
        return String::new();
    }
    format!(
        "  other commits were faster {} times: {} files kept, {} merged again\n",
        thousands(races.lost_races),
        thousands(races.kept_files),
        thousands(races.redone_files)
    )
}

/// The files that would change, and what each way would cost of one core.
fn merged_files(report: &Report) -> String {
    let files = &report.merge.files;
    let changed = files.iter().filter(|file| file.strategy != Strategy::Untouched);
    let mut lines = vec![
        ["file", "rows", "way", "vector", "splice", "rewrite"]
            .map(String::from)
            .to_vec(),
    ];
    let cost = |ns: f64| seconds((ns / 1e6) as u64);
    lines.extend(changed.clone().take(FILES_SHOWN).map(|file| {
        vec![
            file.path.clone(),
            thousands(file.counts.rows_updated),
            file.strategy.word().replace('_', " "),
            cost(file.costs.deletion_vector_ns),
            cost(file.costs.splice_ns),
            cost(file.costs.rewrite_ns),
        ]
    }));
    if lines.len() == 1 {
        return String::new();
    }
    let right = Align::Right;
    let table = columns(&[Align::Left, right, Align::Left, right, right, right], &lines);
    let more = changed.count().saturating_sub(FILES_SHOWN);
    let more = match more {
        0 => String::new(),
        more => format!(
            "  and {} more; all are in --output json\n",
            thousands(more as u64)
        ),
    };
    format!("\n{table}{more}")
}
