//! What a statement may do.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;

use super::sparing;
use crate::error::{Error, Result};

/// Queries only.
#[must_use]
pub fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

/// Runs one statement: a query, or `COPY ... TO` a file.
///
/// # Errors
/// SQL that does not plan, a statement that would change something, or execution that fails.
pub async fn query(ctx: &SessionContext, text: &str) -> Result<SendableRecordBatchStream> {
    let wrong = |e: datafusion::error::DataFusionError| match Error::from(e) {
        ours if ours.class() != crate::Class::Runtime => ours,
        other => Error::usage(other.to_string()).hint("tables: SHOW TABLES; columns: DESCRIBE customers"),
    };
    let plan = ctx.state().create_logical_plan(text).await.map_err(wrong)?;
    let options = match plan {
        LogicalPlan::Copy(_) => read_only().with_allow_dml(true),
        _ => read_only(),
    };
    options.verify_plan(&plan).map_err(|e| {
        Error::usage(format!("sql is read-only: {}", e.strip_backtrace()))
            .hint("change customers with a process; COPY (SELECT ...) TO 'file' is allowed")
    })?;
    match plan {
        plan @ (LogicalPlan::Ddl(_) | LogicalPlan::Statement(_)) => {
            Ok(ctx.execute_logical_plan(plan).await?.execute_stream().await?)
        }
        plan => Ok(sparing::execute(ctx.state(), plan).await?),
    }
}
