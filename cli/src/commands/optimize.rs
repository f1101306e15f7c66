//! `sluice optimize`.

use clap::{Args, ValueEnum};
use sluice_engine::Settings;
use sluice_engine::instance::Instance;
use sluice_engine::maintain::{self, Effect, MaintainedTable, OptimizeRequest};

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render;

/// Lays the tables out anew where they need it; no row changes
///
/// Small files are merged, dead rows go, and customers that may be in any of four files come together again.
/// Runs do most of this by themselves ([maintenance] in sluice.toml). The files that are no longer needed stay until
/// vacuum deletes them.
#[derive(Debug, Args)]
pub struct OptimizeArgs {
    /// The tables [default: all]
    #[arg(value_enum, value_name = "TABLE")]
    tables: Vec<TableArg>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A table of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableArg {
    Customers,
    Rejects,
    Runs,
    Events,
}

impl TableArg {
    /// The tables named, or all.
    pub fn resolve(named: &[Self]) -> Vec<MaintainedTable> {
        if named.is_empty() {
            return MaintainedTable::ALL.to_vec();
        }
        let mut tables: Vec<MaintainedTable> = Vec::new();
        for table in named {
            let table = match table {
                Self::Customers => MaintainedTable::Customers,
                Self::Rejects => MaintainedTable::Rejects,
                Self::Runs => MaintainedTable::Runs,
                Self::Events => MaintainedTable::Events,
            };
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        tables
    }
}

/// Optimizes.
///
/// # Errors
/// Those of [`maintain::optimize`].
pub async fn run(context: &Context, args: &OptimizeArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let settings = context.settings.engine(&instance.config().defaults);
    let request = OptimizeRequest {
        tables: TableArg::resolve(&args.tables),
        effect: if args.dry_run { Effect::Plan } else { Effect::Apply },
        stop: context.watch().stop,
        ..OptimizeRequest::whole(&instance.config().maintenance)
    };
    let report = maintain::optimize(&instance, &settings, &request).await?;
    object.print(&report, || render::optimized(&report))
}

/// What a run does after it has ended: nothing of it fails the command.
pub(super) async fn after_run(context: &Context, instance: &Instance, settings: &Settings) {
    let done = maintain::after_run(instance, settings, &context.watch().stop).await;
    for line in done.tables.iter().filter_map(render::maintained) {
        context.say(line);
    }
    for expired in &done.expired {
        context.say(render::expired(expired));
    }
    for problem in &done.problems {
        context.say(format!("warning: maintenance: {problem}"));
    }
}
