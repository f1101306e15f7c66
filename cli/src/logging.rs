//! Logs on stderr: `SLUICE_LOG` says which, warnings and worse by default.

use sluice_engine::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::error::Result;
use crate::settings::LogFormat;

const FILTER_VARIABLE: &str = "SLUICE_LOG";

/// Starts logging.
///
/// # Errors
/// `SLUICE_LOG` is no filter.
pub fn start(format: LogFormat) -> Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .with_env_var(FILTER_VARIABLE)
        .from_env()
        .map_err(|e| {
            Error::usage("SLUICE_LOG is no filter")
                .because(e)
                .hint("write a level, or TARGET=LEVEL,..., as sluice_engine=debug")
        })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // It fails only where logging has started already, and then it has.
    let _ = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    Ok(())
}
