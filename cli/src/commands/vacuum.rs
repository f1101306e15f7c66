//! `sluice vacuum`.

use clap::Args;
use sluice_engine::maintain::{self, ShortRetention, VacuumEffect, VacuumRequest};
use sluice_engine::spec::Retention;

use super::optimize::TableArg;
use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render;

/// Deletes files that no version within the retention needs
///
/// Every version that was current within the retention stays readable, whole; older ones do not. Leftovers of runs
/// that died go too, nothing of a run under way.
#[derive(Debug, Args)]
pub struct VacuumArgs {
    /// The tables [default: all]
    #[arg(value_enum, value_name = "TABLE")]
    tables: Vec<TableArg>,
    /// How far back versions stay readable, as 30d or 168h [default: that of sluice.toml, else 30d]
    #[arg(long, value_name = "TIME", value_parser = retention)]
    retention: Option<Retention>,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Allow a retention below 24 hours: readers of older versions fail midway
    #[arg(long)]
    force: bool,
}

fn retention(text: &str) -> Result<Retention, String> {
    text.parse()
        .map_err(|problem: sluice_engine::spec::Problem| format!("{}; {}", problem.what, problem.remedy))
}

/// Deletes.
///
/// # Errors
/// Those of [`maintain::vacuum`].
pub async fn run(context: &Context, args: &VacuumArgs) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let request = VacuumRequest {
        tables: TableArg::resolve(&args.tables),
        retention: args.retention.unwrap_or(instance.config().defaults.retention),
        effect: if args.dry_run {
            VacuumEffect::DryRun
        } else {
            VacuumEffect::Delete
        },
        short: if args.force {
            ShortRetention::Forced
        } else {
            ShortRetention::Refused
        },
        now: std::time::SystemTime::now().into(),
    };
    let report = maintain::vacuum(&instance, &request).await?;
    object.print(&report, || render::vacuumed(&report))
}
