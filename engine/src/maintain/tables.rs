//! The tables of an instance, as maintenance sees them.

use serde::Serialize;

use super::plan::Layout;
use crate::error::Result;
use crate::instance::Instance;
use crate::table::TableLog;

/// A table of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintainedTable {
    /// `customers`.
    Customers,
    /// `rejects`.
    Rejects,
    /// `runs`.
    Runs,
    /// `events`.
    Events,
}

impl MaintainedTable {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Customers, Self::Rejects, Self::Runs, Self::Events];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Rejects => "rejects",
            Self::Runs => "runs",
            Self::Events => "events",
        }
    }

    /// How its rows lie.
    #[must_use]
    pub fn layout(self) -> Layout {
        match self {
            Self::Customers => Layout::Clustered,
            Self::Rejects | Self::Runs | Self::Events => Layout::Appended,
        }
    }

    /// Its log.
    ///
    /// # Errors
    /// A folder whose name is no URL.
    pub fn log(self, instance: &Instance) -> Result<TableLog> {
        match self {
            Self::Customers => instance.customers(),
            Self::Rejects => instance.rejects(),
            Self::Runs => instance.runs(),
            Self::Events => instance.events(),
        }
    }
}
