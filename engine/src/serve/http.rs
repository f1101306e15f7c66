//! What a server answers: `/healthz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::runtime::SpawnedTask;
use tokio::net::TcpListener;

use super::Metrics;
use crate::error::{Error, Result};

/// A server that has not looked at its instance for so long is not well.
const STALE: TimeDelta = TimeDelta::minutes(5);

/// Answers at `address` until dropped; the address that it got, where `address` left the port open.
///
/// # Errors
/// The address is taken or not this machine's.
pub(super) async fn answer(
    address: SocketAddr,
    metrics: Arc<Metrics>,
) -> Result<(SocketAddr, SpawnedTask<()>)> {
    let taken = |e| {
        Error::usage(format!("cannot listen at {address}"))
            .because(e)
            .hint("name another address with --listen, as 127.0.0.1:9464")
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let got = listener.local_addr()?;
    let routes = Router::new()
        .route("/healthz", get(health))
        .route(
            "/metrics",
            get(|State(metrics): State<Arc<Metrics>>| async move { metrics.text() }),
        )
        .with_state(metrics);
    let task = SpawnedTask::spawn(async move {
        // It ends with the listener, which lives as long as the task.
        let _ = axum::serve(listener, routes).await;
    });
    Ok((got, task))
}

/// A restart would not mend the configuration: a server that goes by its last good one is well.
fn well(misconfigured_since: Option<DateTime<Utc>>) -> String {
    let problem = misconfigured_since.map(|since| {
        let since = since.to_rfc3339();
        format!("sluice.toml cannot be used since {since}, the last good one is; the log says why\n")
    });
    format!("ok\n{}", problem.unwrap_or_default())
}

async fn health(State(metrics): State<Arc<Metrics>>) -> (StatusCode, String) {
    match metrics.looked_at() {
        Some(at) if Utc::now() - at < STALE => (StatusCode::OK, well(metrics.misconfigured_since())),
        Some(at) => {
            let since = format!("the instance was last read at {}\n", at.to_rfc3339());
            (StatusCode::SERVICE_UNAVAILABLE, since)
        }
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the instance was not read yet\n".to_owned(),
        ),
    }
}
