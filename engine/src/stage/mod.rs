//! The staged change set: rows kept between plan 1 and plan 2, in memory until the budget, then LZ4 Arrow IPC on disk.
//!
//! Set rules, duplicates, a conflict re-run and the split all read the rows again, and the source is read once.
//! Small runs never touch the disk.

mod folder;
mod spill;
mod store;
mod table;

pub(crate) use store::compact;
pub use store::{BatchStore, Packed, Packer, Residence, StageBudget};
pub use table::StageTable;
