//! How files of `customers` may be changed.

use serde::{Deserialize, Serialize};

/// Whether deletion vectors are written. Vectors that are there are read either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionVectors {
    /// Where they are cheapest. The first one makes the table one for readers of Delta's reader version 3.
    #[default]
    On,
    /// Never, for readers that do not know them.
    Off,
}

/// How the files are merged that hold changed customers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeStrategy {
    /// Each in the way that costs least.
    #[default]
    Auto,
    /// With deletion vectors wherever they may be written.
    DeletionVector,
    /// With the changed columns encoded anew and the others copied, wherever that is possible.
    Splice,
    /// Written anew.
    Rewrite,
}
