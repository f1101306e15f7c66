//! What a table demands of those who read and write it, and whether we are up to it.

use deltalake_core::kernel::transaction::PROTOCOL;
use serde_json::Value;

use super::finding::{Check, Outcome};
use super::plan::Probe;
use crate::table::{Snapshot, TableLog};

/// Features of tables that our scan, merge and commit know. What else delta-rs knows we would get wrong.
const KNOWN: [&str; 5] = [
    "appendOnly",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];
/// The property that gives columns other names in files.
const COLUMN_MAPPING: &str = "delta.columnMapping.mode";
/// What to do with a table that demands more.
const REMEDY: &str = "another program raised the table: update sluice, or take the feature off with the program that put it there";

/// One of the four tables.
pub(super) struct TableProbe {
    pub(super) log: crate::error::Result<TableLog>,
}

impl Probe for TableProbe {
    async fn probe(&mut self, _: Check) -> Outcome {
        let log = match &self.log {
            Ok(log) => log,
            Err(error) => return Outcome::failed(error.to_string(), "name the instance's folder anew"),
        };
        match log.snapshot(None).await {
            Ok(snapshot) => judged(&snapshot),
            Err(error) => Outcome::failed(
                error.to_string(),
                "if another program raised the table, update sluice; else restore its _delta_log folder from a backup",
            ),
        }
    }
}

fn judged(snapshot: &Snapshot) -> Outcome {
    let protocol = serde_json::to_value(snapshot.base.protocol()).unwrap_or_default();
    let demands = Demands::of(&protocol);
    let seen = format!("version {}, {}", snapshot.version, demands.shown());
    let unknown = demands.unknown();
    if !unknown.is_empty() {
        return Outcome::failed(format!("{seen}; not known here: {}", unknown.join(", ")), REMEDY);
    }
    let mapping = snapshot.metadata.configuration().get(COLUMN_MAPPING);
    if mapping.is_some_and(|mode| mode != "none") {
        return Outcome::failed(format!("{seen}; its columns have other names in files"), REMEDY);
    }
    match PROTOCOL.can_write_to(&snapshot.base) {
        Ok(()) => Outcome::good(seen),
        Err(error) => Outcome::failed(format!("{seen}; {error}"), REMEDY),
    }
}

/// What a protocol demands.
#[derive(Debug, PartialEq, Eq)]
struct Demands {
    reader_version: i64,
    writer_version: i64,
    /// Of readers and writers, each once.
    features: Vec<String>,
}

impl Demands {
    /// Those of the log's action.
    fn of(protocol: &Value) -> Self {
        let version = |key: &str| protocol.get(key).and_then(Value::as_i64).unwrap_or_default();
        let listed = ["readerFeatures", "writerFeatures"].into_iter();
        let listed = listed.filter_map(|key| protocol.get(key)?.as_array());
        let mut features: Vec<String> = listed
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        features.sort();
        features.dedup();
        Self {
            reader_version: version("minReaderVersion"),
            writer_version: version("minWriterVersion"),
            features,
        }
    }

    fn unknown(&self) -> Vec<&str> {
        let features = self.features.iter().map(String::as_str);
        features.filter(|feature| !KNOWN.contains(feature)).collect()
    }

    fn shown(&self) -> String {
        let versions = format!("reader {}, writer {}", self.reader_version, self.writer_version);
        match self.features.is_empty() {
            true => versions,
            false => format!("{versions}: {}", self.features.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_feature_that_we_do_not_know_is_named() {
        let protocol = json!({
            "minReaderVersion": 3, "minWriterVersion": 7,
            "readerFeatures": ["deletionVectors", "columnMapping"],
            "writerFeatures": ["appendOnly", "deletionVectors", "rowTracking"],
        });
        let demands = Demands::of(&protocol);
        assert_eq!(demands.unknown(), ["columnMapping", "rowTracking"]);
        assert!(
            demands
                .shown()
                .starts_with("reader 3, writer 7: appendOnly, columnMapping")
        );
        let plain = Demands::of(&json!({ "minReaderVersion": 1, "minWriterVersion": 2 }));
        assert_eq!(
            (plain.unknown().len(), plain.shown().as_str()),
            (0, "reader 1, writer 2")
        );
    }
}
