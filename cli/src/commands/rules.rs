//! `sluice rules`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::Args;
use sluice_engine::process::{self, RuleLine};

use crate::context::Context;
use crate::error::Result;
use crate::printer;

/// Shows the rules of a process as SQL
///
/// Every rule can be pasted: sluice sql "SELECT * FROM incoming('PROCESS') WHERE NOT (RULE)"
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The process
    process: String,
}

/// Prints them.
///
/// # Errors
/// There is no such process, or it has problems.
pub async fn run(context: &Context, args: &RulesArgs) -> Result<()> {
    let rules = process::rules(&context.instance().await?, &args.process).await?;
    printer::print_batch(&table(&rules)?, context.settings.output)
}

fn table(rules: &[RuleLine]) -> Result<RecordBatch> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(rules.iter().map(|rule| &rule.id)));
    let columns: ArrayRef = Arc::new(
        rules
            .iter()
            .map(|rule| rule.column.as_deref())
            .collect::<StringArray>(),
    );
    let severities: ArrayRef = Arc::new(StringArray::from_iter_values(
        rules.iter().map(|rule| &rule.severity),
    ));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(rules.iter().map(|rule| &rule.sql)));
    let named = [
        ("rule", ids),
        ("column_name", columns),
        ("severity", severities),
        ("sql", texts),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        named.map(|(name, array)| (name, array, true)),
    )?)
}
