//! Which files of a snapshot a query has to open, by the key ranges that the log has of them.
//!
//! ```text
//!   customer_id = 'C5'     [C0..C3] no   [C4..C9] yes   [?] yes: the log says nothing of it
//! ```
//!
//! DataFusion's own pruning of files goes by exact statistics; the bounds of a file with dead rows are none, though
//! every live key lies between them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringViewArray};
use arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result as DfResult, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::{KeyRange, LiveFile};

/// The files that can hold a row for which `predicate`, over columns of `schema`, is true.
///
/// # Errors
/// A predicate that cannot be evaluated.
pub(super) fn files_that_may_hold<'a>(
    files: &'a [LiveFile],
    predicate: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> DfResult<Vec<&'a LiveFile>> {
    let all = || files.iter().collect();
    let Some(key) = schema.fields().first().filter(|_| files.len() > 1) else {
        return Ok(all());
    };
    // What it can make nothing of, such as a function of its own, prunes nothing.
    let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Ok(pruning) = pruning.try_build(Arc::clone(predicate)) else {
        return Ok(all());
    };
    let keeps = pruning.prune(&KeyRanges {
        files,
        key: key.name(),
    })?;
    let kept = files.iter().zip(keeps).filter(|(_, keeps)| *keeps);
    Ok(kept.map(|(file, _)| file).collect())
}

/// The key ranges of files.
struct KeyRanges<'a> {
    files: &'a [LiveFile],
    key: &'a str,
}

impl KeyRanges<'_> {
    fn bounds(&self, column: &Column, bound: impl Fn(&KeyRange) -> &String) -> Option<ArrayRef> {
        let bounds = self.files.iter().map(|file| file.keys.as_ref().map(&bound));
        let is_key = column.name() == self.key;
        is_key.then(|| -> ArrayRef { Arc::new(bounds.collect::<StringViewArray>()) })
    }
}

impl PruningStatistics for KeyRanges<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |range| &range.min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |range| &range.max)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::DFSchema;
    use datafusion::logical_expr::Expr;
    use datafusion::prelude::{SessionContext, col, lit};
    use deltalake_core::kernel::Add;
    use serde_json::json;

    use super::*;

    fn file(path: &str, keys: Option<(&str, &str)>) -> LiveFile {
        let stats = keys.map(|(min, max)| {
            json!({"minValues": {"customer_id": min}, "maxValues": {"customer_id": max}}).to_string()
        });
        let add = Add {
            path: path.to_owned(),
            stats,
            ..Add::default()
        };
        LiveFile::from_add(add, Some("customer_id"))
    }

    fn kept(filter: Expr) -> Vec<String> {
        let files = [
            file("low", Some(("C0", "C3"))),
            file("high", Some(("C4", "C9"))),
            file("foreign", None),
        ];
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("customer_id", DataType::Utf8View, false),
            Field::new("tier", DataType::Utf8View, true),
        ]));
        let named = DFSchema::try_from(Arc::clone(&schema)).unwrap();
        let predicate = SessionContext::new()
            .state()
            .create_physical_expr(filter, &named)
            .unwrap();
        let kept = files_that_may_hold(&files, &predicate, &schema).unwrap();
        kept.iter().map(|file| file.add.path.clone()).collect()
    }

    #[test]
    fn a_file_is_left_out_if_no_key_in_its_range_can_pass_and_kept_if_nothing_is_known_of_it() {
        let id = || col("customer_id");
        assert_eq!(kept(id().eq(lit("C5"))), ["high", "foreign"]);
        assert_eq!(kept(id().eq(lit("C3"))), ["low", "foreign"]);
        assert_eq!(kept(id().eq(lit("D"))), ["foreign"]);
        assert_eq!(
            kept(id().in_list(vec![lit("C1"), lit("C9")], false)),
            ["low", "high", "foreign"]
        );
        assert_eq!(kept(id().gt(lit("C3"))), ["high", "foreign"]);
        assert_eq!(
            kept(id().eq(lit("C5")).and(col("tier").eq(lit("Tin")))),
            ["high", "foreign"]
        );
    }

    #[test]
    fn a_filter_on_other_columns_leaves_no_file_out() {
        let all = ["low", "high", "foreign"];
        assert_eq!(kept(col("tier").eq(lit("Tin"))), all);
        assert_eq!(kept(col("customer_id").not_eq(lit("C5"))), all);
        assert_eq!(
            kept(col("tier").is_null().or(col("customer_id").eq(lit("C5")))),
            all
        );
    }
}
