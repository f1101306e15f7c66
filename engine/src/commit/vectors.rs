//! The table feature that readers must know before a deletion vector may be in the log.

use deltalake_core::DeltaTableError;
use deltalake_core::kernel::{Action, Metadata, MetadataExt, Protocol};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::table::Snapshot;

/// The table property that lets writers use deletion vectors.
pub const ENABLE_VECTORS: &str = "delta.enableDeletionVectors";
/// The feature's name in a protocol.
const FEATURE: &str = "deletionVectors";
/// What writers of version 2 must know, in words: a protocol with features lists all that holds. Invariants, which
/// they must know too, are left out: no column of ours has one, and a table that lists them is one that delta-rs, built
/// without its SQL, does not write to.
const OF_WRITER_VERSION_2: [&str; 1] = ["appendOnly"];
/// Where a column's invariant would be.
const INVARIANTS: &str = "delta.invariants";

/// Whether a commit on `base` may carry deletion vectors, the protocol raised by that commit where need be.
#[must_use]
pub fn allows_vectors(base: &Snapshot) -> bool {
    let protocol = base.base.protocol();
    has_feature(protocol) || (raised(protocol).is_ok() && !has_invariants(base))
}

/// The same actions, with the feature made part of the table by this commit if one of them carries a vector.
///
/// # Errors
/// A protocol that only a foreign writer can have made, and that is not raised blindly.
pub(super) fn with_feature(base: &Snapshot, mut actions: Vec<Action>) -> Result<Vec<Action>> {
    let carries = |action: &Action| matches!(action, Action::Add(add) if add.deletion_vector.is_some());
    let protocol = base.base.protocol();
    if has_feature(protocol) || !actions.iter().any(carries) {
        return Ok(actions);
    }
    if has_invariants(base) {
        return Err(foreign("a column of the table has an invariant"));
    }
    let raised = raised(protocol)?;
    let own = actions
        .iter()
        .position(|action| matches!(action, Action::Metadata(_)));
    let metadata = match own.map(|position| actions.remove(position)) {
        Some(Action::Metadata(metadata)) => metadata,
        _ => base.metadata.clone(),
    };
    let metadata: Metadata = metadata
        .add_config_key(ENABLE_VECTORS.to_owned(), "true".to_owned())
        .map_err(DeltaTableError::from)?;
    actions.insert(0, Action::Metadata(metadata));
    actions.insert(0, Action::Protocol(raised));
    Ok(actions)
}

fn has_feature(protocol: &Protocol) -> bool {
    let known = serde_json::to_value(protocol).unwrap_or_default();
    let lists = |key: &str| {
        let listed = known.get(key).and_then(Value::as_array);
        listed.is_some_and(|features| features.iter().any(|feature| feature == FEATURE))
    };
    lists("readerFeatures") && lists("writerFeatures")
}

fn has_invariants(base: &Snapshot) -> bool {
    let mut fields = base.schema.fields().iter();
    fields.any(|field| field.metadata().contains_key(INVARIANTS))
}

/// What only another writer can have made is not touched blindly.
fn foreign(what: &str) -> Error {
    Error::usage(format!("{what}, which Sluice did not make"))
        .hint("write deletion_vectors = \"off\" under [defaults] in sluice.toml")
}

/// Reader 3, writer 7, with the features that held before and ours.
fn raised(protocol: &Protocol) -> Result<Protocol> {
    let before = serde_json::to_value(protocol)?;
    let version = |key: &str| before.get(key).and_then(Value::as_i64).unwrap_or(0);
    let features = |key: &str, implied: &[&str]| -> Vec<Value> {
        let listed = before.get(key).and_then(Value::as_array).cloned();
        let mut all = listed.unwrap_or_else(|| implied.iter().map(|name| json!(name)).collect());
        all.retain(|name| name != FEATURE);
        all.push(json!(FEATURE));
        all
    };
    let (reader, writer) = (version("minReaderVersion"), version("minWriterVersion"));
    let (of_reader, of_writer): (&[&str], &[&str]) = match (reader, writer) {
        (1 | 3, 2) => (&[], &OF_WRITER_VERSION_2),
        (1 | 3, 1 | 7) => (&[], &[]),
        _ => {
            let protocol = format!("the table's protocol is reader {reader}, writer {writer}");
            return Err(foreign(&protocol));
        }
    };
    let raised = json!({
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": features("readerFeatures", of_reader),
        "writerFeatures": features("writerFeatures", of_writer),
    });
    Ok(serde_json::from_value(raised)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(text: &Value) -> Protocol {
        serde_json::from_value(text.clone()).unwrap()
    }

    #[test]
    fn an_old_protocol_is_raised_with_all_that_held_before() {
        let old = protocol(&json!({"minReaderVersion": 1, "minWriterVersion": 2}));
        assert!(!has_feature(&old));
        let new = raised(&old).unwrap();
        assert!(has_feature(&new));
        let new = serde_json::to_value(new).unwrap();
        assert_eq!(
            (&new["minReaderVersion"], &new["minWriterVersion"]),
            (&json!(3), &json!(7))
        );
        let mut features: Vec<&str> = new["writerFeatures"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        features.sort_unstable();
        assert_eq!(features, ["appendOnly", "deletionVectors"]);
    }

    #[test]
    fn a_protocol_of_a_foreign_writer_is_not_raised_blindly() {
        let foreign = protocol(&json!({"minReaderVersion": 2, "minWriterVersion": 5}));
        assert!(raised(&foreign).is_err());
    }
}
