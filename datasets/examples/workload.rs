//! Writes the files of a benchmark: a customer base and a change set of it.
//!
//! ```text
//! cargo run --release -p sluice-datasets --example workload -- FOLDER CUSTOMERS ATTRIBUTES CHANGES [--bad PERCENT] \
//!     [--seed NUMBER]
//! ```
//! `base.csv` has CUSTOMERS rows with ATTRIBUTES columns, and is left out if there are none; `changes.csv` has CHANGES
//! rows at random ids, nine in ten of them of the base, and PERCENT of bad rows of well-formed kinds (default 0.1).
//! Another share of bad rows leaves the clean ones as they are, byte for byte. Another seed (default 2) draws other
//! customers with other values. What the change set holds goes, as
//! JSON, to stdout and to `changes.json`: a program that rejects another number has not done the job.

use std::fs::File;
use std::io;
use std::path::Path;

use sluice_datasets::{CustomerBase, CustomerFile, Dirty, DirtyShare, Expected, FlawDraws, IdOrder};

/// Bad rows of a million, if nothing else is asked for.
const BAD_PER_MILLION: u32 = 1_000;

/// The seed of a change set, if nothing else is asked for.
const SEED: u64 = 2;

const USAGE: &str = "FOLDER CUSTOMERS ATTRIBUTES CHANGES [--bad PERCENT] [--seed NUMBER]";

fn main() -> io::Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let bad_per_million = match taken(&mut args, "--bad")? {
        Some(percent) => per_million(&percent)?,
        None => BAD_PER_MILLION,
    };
    let seed = taken(&mut args, "--seed")?.map_or(Ok(SEED), |seed| number(&seed))?;
    let [folder, customers, attributes, changes] = args.as_slice() else {
        return Err(usage(&format!("{} of four arguments", args.len())));
    };
    let customers = number(customers)?;
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    if customers > 0 {
        let base = CustomerBase {
            rows: customers,
            attributes: usize::try_from(number(attributes)?).map_err(|_| usage(attributes))?,
            seed: 1,
            first_id: 1,
        };
        let _ = base.write(&mut File::create(folder.join("base.csv"))?)?;
    }
    let expected = changes_of(customers, number(changes)?, seed, bad_per_million)
        .write(&mut File::create(folder.join("changes.csv"))?)?;
    let report = report(&expected);
    println!("{report}");
    std::fs::write(folder.join("changes.json"), report + "\n")
}

/// The change set of a base of so many customers.
fn changes_of(customers: u64, rows: u64, seed: u64, bad_per_million: u32) -> CustomerFile {
    CustomerFile {
        rows,
        seed,
        first_id: customers / 10 + 1,
        id_order: IdOrder::Random,
        id_space: customers.max(rows),
        dirty: DirtyShare::well_formed(bad_per_million),
        flaw_draws: FlawDraws::Own,
    }
}

/// What a file holds, as a JSON object.
fn report(expected: &Expected) -> String {
    let mut rules: Vec<&str> = Dirty::ALL.into_iter().filter_map(Dirty::rule).collect();
    rules.dedup();
    let counts: Vec<String> = rules
        .into_iter()
        .filter(|rule| expected.broken_by(rule) > 0)
        .map(|rule| format!("\"{rule}\": {}", expected.broken_by(rule)))
        .collect();
    format!(
        "{{\"rows\": {}, \"bytes\": {}, \"rejected\": {}, \"rule_counts\": {{{}}}}}",
        expected.rows,
        expected.bytes,
        expected.rejected(),
        counts.join(", ")
    )
}

/// Takes an option and its value out of the arguments.
fn taken(args: &mut Vec<String>, option: &str) -> io::Result<Option<String>> {
    let Some(at) = args.iter().position(|arg| arg == option) else {
        return Ok(None);
    };
    let taken: Vec<String> = args.drain(at..args.len().min(at + 2)).collect();
    let value = taken.get(1).cloned();
    value
        .map(Some)
        .ok_or_else(|| usage(&format!("{option} without a value")))
}

/// A share in percent as rows per million.
fn per_million(percent: &str) -> io::Result<u32> {
    let share = percent.trim_end_matches('%').parse::<f64>().ok();
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .map(|share| (share * 10_000.0).round() as u32)
        .ok_or_else(|| usage("--bad without a share from 0 to 100"))
}

fn number(arg: &str) -> io::Result<u64> {
    arg.parse().map_err(|_| usage(arg))
}

fn usage(found: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{found}: give {USAGE}"))
}
