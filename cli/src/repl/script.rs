//! Statements from stdin, where that is no terminal.

use std::io::Read;

use datafusion::common::runtime::SpawnedTask;
use sluice_engine::Error;

use super::statements::{Split, split};
use crate::context::Context;
use crate::error::{Failure, Result};

/// Runs the statements of stdin in order; the last one may go without `;`.
///
/// # Errors
/// That of the first statement that fails.
pub async fn script(context: &Context) -> Result<()> {
    let text = SpawnedTask::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    });
    let text = text.await.map_err(Error::from)?;
    let text = text.map_err(|e| Failure::from(Error::usage("stdin is no SQL").because(e)))?;
    let Split { statements, rest } = split(&text);
    let session = context.session().await?;
    let last = Some(rest).filter(|rest| !rest.is_empty());
    for statement in statements.into_iter().chain(last) {
        session.print(statement).await?;
    }
    Ok(())
}
