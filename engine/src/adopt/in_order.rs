//! A base whose rows stand in key order already: written as it comes, without a sort and without a look for repeated
//! keys.
//!
//! ```text
//!   part 0   C1 C3 C4 ─▶ files       each key is above the one before it, each part above the one before it:
//!   part 1   C5 C7 C9 ─▶ files       no key is missing, none stands twice
//!   part 2   C6 ...   ─▶ no          what was written is deleted; whoever sorts begins anew
//! ```
//!
//! A base in another order shows in its first batch, mostly: trying costs nothing then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::SchemaRef;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::prelude::DataFrame;
use deltalake_core::kernel::Add;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::conformed;
use crate::error::{Error, Result};
use crate::table::{KeyRange, KeysInOrder, Order};
use crate::tasks::for_each_spawned;
use crate::write::RollingWriter;

/// Position of the key in a base.
const KEY: usize = 0;

/// What a part of the base, or all of it, came to.
pub(super) enum Outcome {
    /// It is written.
    Written(Written),
    /// Its rows are not in order; these files are of no use.
    NotInOrder(Vec<Add>),
}

/// Rows in key order, each key once.
#[derive(Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) files: Vec<Add>,
    keys: Option<KeyRange>,
}

/// Writes `frame` of `source`, whose first column is the key, if it is in order. All of its parts are written at the same time,
/// each with a writer of its own.
///
/// # Errors
/// The base cannot be read, or the store failed.
pub(super) async fn write(
    frame: &DataFrame,
    source: &str,
    schema: &SchemaRef,
    writer: impl Fn() -> RollingWriter,
) -> Result<Outcome> {
    let (mut state, plan) = frame.clone().into_parts();
    // Rows that are dealt out to partitions are in no order.
    let options = state.config_mut().options_mut();
    options.optimizer.enable_round_robin_repartition = false;
    let plan = state.create_physical_plan(&plan).await?;
    let num_parts = plan.output_partitioning().partition_count();
    let is_broken = Arc::new(AtomicBool::new(false));
    let part = |number: usize| {
        let rows = plan.execute(number, state.task_ctx());
        let (schema, writer, is_broken) = (Arc::clone(schema), writer(), Arc::clone(&is_broken));
        let source = source.to_owned();
        async move {
            let rows = rows?.map_err(move |error| Error::from(error).in_file(&source));
            write_part(rows.boxed(), &schema, writer, &is_broken).await
        }
    };
    let mut parts = Vec::new();
    let done = |outcome| {
        parts.push(outcome);
        Ok(())
    };
    for_each_spawned(0..num_parts, num_parts, part, done).await?;
    Ok(joined(parts))
}

async fn write_part(
    mut rows: BoxStream<'static, Result<RecordBatch>>,
    schema: &SchemaRef,
    mut writer: RollingWriter,
    is_broken: &AtomicBool,
) -> Result<Outcome> {
    let (mut seen, mut num_rows) = (KeysInOrder::default(), 0);
    while let Some(batch) = rows.try_next().await? {
        if !follow(&mut seen, batch.column(KEY).as_string_view()) {
            is_broken.store(true, Ordering::Relaxed);
        }
        if is_broken.load(Ordering::Relaxed) {
            return Ok(Outcome::NotInOrder(writer.finish().await?));
        }
        num_rows += batch.num_rows() as u64;
        writer.write(&conformed(&batch, schema)?).await?;
    }
    Ok(Outcome::Written(Written {
        rows: num_rows,
        files: writer.finish().await?,
        keys: seen.range().cloned(),
    }))
}

/// Whether `next` follow the keys before them, none missing and none empty.
fn follow(seen: &mut KeysInOrder, next: &StringViewArray) -> bool {
    let is_missing = next.null_count() > 0 || next.iter().next() == Some(Some(""));
    !is_missing && seen.check(next) == Order::Ascends
}

/// The parts as one, in key order: no two may reach over each other.
fn joined(parts: Vec<Outcome>) -> Outcome {
    let mut written = Vec::new();
    let mut useless = Vec::new();
    for part in parts {
        match part {
            Outcome::Written(part) => written.push(part),
            Outcome::NotInOrder(files) => useless.push(files),
        }
    }
    written.retain(|part| part.keys.is_some());
    written.sort_by(|a, b| a.first_key().cmp(b.first_key()));
    let is_apart = written.is_sorted_by(|before, after| before.last_key() < after.first_key());
    if useless.is_empty() && is_apart {
        return Outcome::Written(written.into_iter().fold(Written::default(), Written::and));
    }
    useless.extend(written.into_iter().map(|part| part.files));
    Outcome::NotInOrder(useless.concat())
}

impl Written {
    fn first_key(&self) -> &str {
        self.keys.as_ref().map_or("", |keys| &keys.min)
    }

    fn last_key(&self) -> &str {
        self.keys.as_ref().map_or("", |keys| &keys.max)
    }

    fn and(mut self, next: Self) -> Self {
        self.rows += next.rows;
        self.files.extend(next.files);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_unless_one_is_missing_or_not_above_the_one_before() {
        let follows = |keys: &[Option<&str>]| {
            let mut seen = KeysInOrder::default();
            let mut batches = keys
                .chunks(2)
                .map(|batch| StringViewArray::from_iter(batch.iter()));
            batches.all(|batch| follow(&mut seen, &batch))
        };
        assert!(follows(&[Some("a"), Some("b"), Some("c")]) && follows(&[]));
        for broken in [
            [Some(""), Some("b"), Some("c")],
            [Some("a"), None, Some("c")],
            [Some("a"), Some("b"), None],
            [Some("a"), Some("b"), Some("b")],
            [Some("b"), Some("a"), Some("c")],
        ] {
            assert!(!follows(&broken), "{broken:?}");
        }
    }

    fn part(first: &str, last: &str) -> Outcome {
        let keys = KeyRange {
            min: first.to_owned(),
            max: last.to_owned(),
        };
        let file = Add {
            path: first.to_owned(),
            ..Add::default()
        };
        Outcome::Written(Written {
            rows: 2,
            files: vec![file],
            keys: Some(keys),
        })
    }

    #[test]
    fn parts_are_put_in_order_whichever_was_written_first() {
        let parts = vec![
            part("d", "e"),
            Outcome::Written(Written::default()),
            part("a", "c"),
        ];
        let Outcome::Written(all) = joined(parts) else {
            panic!("they are in order");
        };
        let paths: Vec<&str> = all.files.iter().map(|add| add.path.as_str()).collect();
        assert_eq!((paths, all.rows), (vec!["a", "d"], 4));
    }

    #[test]
    fn parts_that_reach_over_each_other_or_share_a_key_are_all_of_no_use() {
        for parts in [
            vec![part("a", "e"), part("c", "d")],
            vec![part("c", "f"), part("a", "c")],
            vec![part("a", "b"), Outcome::NotInOrder(vec![Add::default()])],
        ] {
            let Outcome::NotInOrder(useless) = joined(parts) else {
                panic!("they are not in order");
            };
            assert_eq!(useless.len(), 2);
        }
    }
}
