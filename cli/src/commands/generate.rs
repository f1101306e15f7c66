//! `sluice generate`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use datafusion::common::runtime::SpawnedTask;
use serde::Serialize;
use serde_json::{Map, Value};
use sluice_datasets::{ATTRIBUTES, Expected, KEY_COLUMN, Workload};
use sluice_engine::Error;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::printer::Object;
use crate::render::{megabytes, thousands};
use crate::shell;

/// Writes files to try things on and to measure with: a change set of any size and dirtiness, and a customer base
///
/// The same options give the same bytes on every machine. changes.csv has a key and ten attributes; nine in ten of its
/// records are customers of the base, at random. base.csv has every customer once, for sluice init --from. What of
/// changes.csv must be rejected, by rule, is printed, and written to changes.json.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Folder to write to; files that are there already are written anew
    folder: PathBuf,
    /// Records of changes.csv
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rows: u64,
    /// Customers of the base that nine in ten records are of; none: every record is a customer of its own
    #[arg(long, value_name = "N", default_value_t = 0)]
    customers: u64,
    /// Write base.csv too, with so many attributes beside the key
    #[arg(long, value_name = "N", requires = "customers")]
    attributes: Option<usize>,
    /// Share of the records that some rule rejects, well-formed all of them
    #[arg(long, value_name = "PERCENT", default_value = "0.1%", value_parser = per_million)]
    bad: u32,
    /// Another number draws other customers and values for changes.csv
    #[arg(long, value_name = "N", default_value_t = 2)]
    seed: u64,
}

/// What a change set holds.
#[derive(Debug, Serialize)]
struct Generated {
    rows: u64,
    bytes: u64,
    rejected: u64,
    rule_counts: Map<String, Value>,
}

impl From<Expected> for Generated {
    fn from(expected: Expected) -> Self {
        let counts = expected.rule_counts().into_iter();
        Self {
            rows: expected.rows,
            bytes: expected.bytes,
            rejected: expected.rejected(),
            rule_counts: counts
                .map(|(rule, records)| (rule.to_owned(), records.into()))
                .collect(),
        }
    }
}

/// Writes them.
///
/// # Errors
/// The folder cannot be written.
pub async fn run(context: &Context, args: GenerateArgs) -> Result<()> {
    let printed = Object::of(context.settings.output)?;
    let folder = args.folder.clone();
    let written = SpawnedTask::spawn_blocking(move || write(&args));
    let written = written.await.map_err(Error::from)?;
    let changes = written.map_err(|e| {
        let shown = folder.display().to_string();
        Failure::from(Error::from(e).in_file(shown))
    })?;
    printed.print(&changes, || words(&changes, &folder))
}

fn write(args: &GenerateArgs) -> std::io::Result<Generated> {
    let workload = Workload {
        customers: args.customers,
        attributes: args.attributes.unwrap_or(0),
    };
    std::fs::create_dir_all(&args.folder)?;
    if args.attributes.is_some() {
        let mut file = File::create(args.folder.join("base.csv"))?;
        let _ = workload.base().write(&mut file)?;
    }
    let changes = workload.changes(args.rows, args.seed, args.bad);
    let expected = changes.write(&mut File::create(args.folder.join("changes.csv"))?)?;
    let changes = Generated::from(expected);
    let text = serde_json::to_string(&changes)?;
    std::fs::write(args.folder.join("changes.json"), text + "\n")?;
    Ok(changes)
}

fn words(changes: &Generated, folder: &Path) -> String {
    let file = folder.join("changes.csv");
    let mut text = format!(
        "{}: {} records, {}, of which {} must be rejected\n",
        file.display(),
        thousands(changes.rows),
        megabytes(changes.bytes),
        thousands(changes.rejected)
    );
    for (rule, records) in &changes.rule_counts {
        text.push_str(&format!("  {rule} {records}\n"));
    }
    let file = shell::quoted(&file.to_string_lossy());
    let mapping: Vec<String> = arguments().iter().map(|word| shell::quoted(word)).collect();
    text.push_str(&format!("next:\n  sluice ingest {file} {}\n", mapping.join(" ")));
    text
}

/// The arguments that map every column of a change set.
pub fn arguments() -> Vec<String> {
    let attributes = ATTRIBUTES
        .iter()
        .flat_map(|(column, data_type)| ["--attribute".to_owned(), format!("{column}={data_type}")]);
    ["--key".to_owned(), KEY_COLUMN.to_owned()]
        .into_iter()
        .chain(attributes)
        .collect()
}

/// A share in percent as records of a million.
pub fn per_million(percent: &str) -> std::result::Result<u32, String> {
    let share = percent.trim_end_matches('%').parse::<f64>().ok();
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .map(|share| (share * 10_000.0).round() as u32)
        .ok_or_else(|| "a share is from 0% to 100%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_with_or_without_its_sign() {
        assert_eq!(per_million("0.1%"), Ok(1_000));
        assert_eq!(per_million("100"), Ok(1_000_000));
        for wrong in ["", "-1", "101%", "x", "NaN"] {
            assert!(per_million(wrong).is_err(), "{wrong}");
        }
    }
}
