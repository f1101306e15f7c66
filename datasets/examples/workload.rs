//! Writes the files of a benchmark: a customer base and a change set of it.
//!
//! ```text
//! cargo run --release -p sluice-datasets --example workload -- FOLDER CUSTOMERS ATTRIBUTES CHANGES
//! ```
//! `base.csv` has CUSTOMERS rows with ATTRIBUTES columns; `changes.csv` has CHANGES rows at random ids, nine in ten of
//! them of the base, and one bad row of well-formed kinds in a thousand. Prints what the change set holds, as JSON.

use std::fs::File;
use std::io;
use std::path::Path;

use sluice_datasets::{CustomerBase, CustomerFile, DirtyShare, IdOrder};

/// Rows per million with each of six kinds of flaw.
const BAD_ROWS: u32 = 167;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or_else(|| usage("FOLDER"))?;
    let mut number = |name: &str| {
        args.next()
            .and_then(|n| n.parse::<u64>().ok())
            .ok_or_else(|| usage(name))
    };
    let (customers, attributes, changes) = (number("CUSTOMERS")?, number("ATTRIBUTES")?, number("CHANGES")?);
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;

    let attributes = usize::try_from(attributes).map_err(|_| usage("ATTRIBUTES"))?;
    let base = CustomerBase {
        rows: customers,
        attributes,
        seed: 1,
        first_id: 1,
    };
    let _ = base.write(&mut File::create(folder.join("base.csv"))?)?;

    let file = CustomerFile {
        rows: changes,
        seed: 2,
        first_id: customers / 10 + 1,
        id_order: IdOrder::Random,
        id_space: customers.max(changes),
        dirty: DirtyShare {
            null_cid: BAD_ROWS,
            duplicate_cid: BAD_ROWS,
            type_mismatch: BAD_ROWS,
            default_date: BAD_ROWS,
            emoji: BAD_ROWS,
            bad_email: BAD_ROWS,
            ..DirtyShare::default()
        },
    };
    let expected = file.write(&mut File::create(folder.join("changes.csv"))?)?;
    println!(
        "{{\"rows\": {}, \"bytes\": {}, \"rejected\": {}}}",
        expected.rows,
        expected.bytes,
        expected.rejected()
    );
    Ok(())
}

fn usage(missing: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{missing} is missing: FOLDER CUSTOMERS ATTRIBUTES CHANGES"),
    )
}
