//! A command that gets the message as JSON on stdin.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Message;
use crate::error::{Error, Result};

/// Runs `command` in a shell.
///
/// # Errors
/// It did not end with 0.
pub(super) async fn run(command: &str, message: &Message) -> Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("SLUICE_EVENT", message.event.word())
        .env("SLUICE_PROCESS", &message.process)
        .env("SLUICE_RUN_ID", &message.run_id)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command need not read it.
        let _ = stdin.write_all(&serde_json::to_vec(message)?).await;
    }
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::runtime(format!(
        "the command ended with {}: {}",
        output.status,
        said.trim()
    )))
}
