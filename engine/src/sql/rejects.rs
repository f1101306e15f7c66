//! Rejects and what became of them.

use datafusion::prelude::{DataFrame, SessionContext, col, lit};

use crate::error::{Error, Result};

/// The view `reject_states`: the columns of `rejects`, then `state`, since when, and the run that replayed it.
///
/// An event `replayed` counts when the run that it names has merged and no rollback has undone it.
pub(super) const REJECT_STATES: &str = "\
    WITH undone AS (
        SELECT run_id FROM events WHERE kind IN ('rolled_back', 'reapplied') GROUP BY run_id
        HAVING max(CASE kind WHEN 'reapplied' THEN at END) IS NULL \
            OR max(CASE kind WHEN 'rolled_back' THEN at END) > max(CASE kind WHEN 'reapplied' THEN at END)
    ), merged AS (
        SELECT run_id FROM runs WHERE \"trigger\" = 'replay' AND status IN ('completed', 'completed_with_rejects')
        AND run_id NOT IN (SELECT run_id FROM undone WHERE run_id IS NOT NULL)
    ), replayed AS (
        SELECT e.run_id, e.record_no, max(e.at) AS at, max(m.run_id) AS state_by
        FROM (SELECT run_id, record_no, at, array_element(regexp_match(detail, '\"by\":\"([^\"]+)\"'), 1) AS state_by \
              FROM events WHERE kind = 'replayed') e
        JOIN merged m ON m.run_id = e.state_by GROUP BY e.run_id, e.record_no
    ), discarded AS (
        SELECT run_id, record_no, max(at) AS at FROM events WHERE kind = 'discarded' GROUP BY run_id, record_no
    )
    SELECT r.run_id, r.process, r.source_file, r.record_no, r.line, r.byte_start, r.byte_len, r.customer_id, r.rules, \
        r.reasons, r.raw, r.rejected_at,
        CASE WHEN p.record_no IS NOT NULL THEN 'replayed' WHEN d.record_no IS NOT NULL THEN 'discarded' \
             WHEN r.raw IS NULL THEN 'expired' ELSE 'open' END AS state,
        coalesce(p.at, d.at) AS state_at, p.state_by AS state_by
    FROM rejects r
    LEFT JOIN replayed p ON p.run_id = r.run_id AND p.record_no = r.record_no
    LEFT JOIN discarded d ON d.run_id = r.run_id AND d.record_no = r.record_no";

/// The rejects of a run, with their states, of which `filter` is true: an SQL expression over the columns of
/// `reject_states`.
///
/// # Errors
/// It is no expression, or names a column that is not there.
pub async fn chosen_rejects(ctx: &SessionContext, run_id: &str, filter: Option<&str>) -> Result<DataFrame> {
    let rows = ctx.table("reject_states").await?;
    let rows = rows.filter(col("run_id").eq(lit(run_id)))?;
    let Some(text) = filter else { return Ok(rows) };
    let wrong = |error: datafusion::error::DataFusionError| {
        Error::usage(format!("--where: {}", error.strip_backtrace()))
            .hint(
                "write an expression over the columns of reject_states: list_contains(rules, 'date_default')",
            )
            .wrote("nothing")
    };
    let filter = ctx.parse_sql_expr(text, rows.schema()).map_err(wrong)?;
    rows.filter(filter).map_err(wrong)
}
