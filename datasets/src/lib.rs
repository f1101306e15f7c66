//! Seeded generators of customer files, clean and dirty, for the demo, the tests and the benchmarks.
//!
//! - [`CustomerFile`] writes the file a process ingests: a key and ten attributes, with flaws in the
//!   shares that [`DirtyShare`] asks for. Start here.
//! - [`Expected`] is what `write` hands back: the exact counts, so that a test or a benchmark can referee.
//! - [`Dirty`] names the kinds of flaw and the rule that each one breaks.
//! - [`CustomerBase`] writes a wide table of existing customers to start an instance from; [`Workload`] is one with
//!   change sets that fit it.
//! - [`Rng`] is the generator of numbers behind both.
//!
//! The same settings give the same bytes on every machine. Nothing here knows the engine.
//!
//! ```
//! use sluice_datasets::{CustomerFile, Dirty, DirtyShare};
//!
//! let dirty = DirtyShare { null_cid: 20_000, ..DirtyShare::default() };
//! let mut csv = Vec::new();
//! let expected = CustomerFile { dirty, ..CustomerFile::of(1_000) }.write(&mut csv)?;
//! assert_eq!(expected.bytes, csv.len() as u64);
//! assert_eq!(expected.rejected(), expected.records(Dirty::NullCid));
//! # Ok::<(), std::io::Error>(())
//! ```

mod base;
mod customers;
mod dirty;
mod expected;
mod ids;
mod record;
#[cfg(test)]
mod referee;
mod rng;
#[cfg(test)]
mod small;
mod spoil;
mod text;
mod words;
mod workload;

pub use base::{BaseColumn, CustomerBase};
pub use customers::CustomerFile;
pub use dirty::{Dirty, DirtyShare, FlawDraws};
pub use expected::Expected;
pub use ids::IdOrder;
pub use record::{ATTRIBUTES, KEY_COLUMN};
pub use rng::Rng;
pub use workload::Workload;
