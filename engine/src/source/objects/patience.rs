//! How long a store may keep us waiting.
//!
//! ```text
//!   attempt ─▶ no answer, 5xx, 429 ─▶ pause, drawn at random ─▶ attempt ─▶ ... until the deadline, or enough attempts
//!   attempt ─▶ 429 or 503 that says "in 7 seconds" ─▶ 7 s ─▶ pause ─▶ attempt
//!   attempt ─▶ 429 or 503 that says "in an hour" ─▶ an error at once
//! ```
//!
//! The client itself repeats requests, and does not read `retry-after`. [`Waiting`] sits below it: it holds an answer
//! back until the store wants to be asked again, and lets nothing be repeated that ends the same every time: a
//! certificate that is not trusted.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::faults::chain;
use crate::spec::Transport;

/// How long a store may keep us waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for one answer, its body included.
    pub answer: Duration,
    /// Attempts after the first.
    pub max_retries: usize,
    /// An answer that comes later than this after the first attempt is the last one.
    pub deadline: Duration,
    /// First and longest pause between attempts; each is drawn at random and grows.
    pub pauses: (Duration, Duration),
    /// Longest time that the store may ask us to stay away.
    pub stay_away: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(60),
            max_retries: 6,
            deadline: Duration::from_secs(60),
            pauses: (Duration::from_millis(200), Duration::from_secs(10)),
            stay_away: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// That of somebody who wants to know how things are, not how they may become: one attempt.
    #[must_use]
    pub fn of_a_look() -> Self {
        Self {
            answer: Duration::from_secs(15),
            max_retries: 0,
            stay_away: Duration::ZERO,
            ..Self::default()
        }
    }

    pub(super) fn retries(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: self.pauses.0,
                max_backoff: self.pauses.1,
                ..BackoffConfig::default()
            },
            max_retries: self.max_retries,
            retry_timeout: self.deadline,
        }
    }

    pub(super) fn client(&self, transport: Transport) -> ClientOptions {
        ClientOptions::new()
            .with_connect_timeout(self.connect)
            .with_timeout(self.answer)
            .with_allow_http(transport == Transport::ClearAllowed)
    }

    pub(super) fn connector(&self) -> Waiting {
        Waiting {
            longest: self.stay_away,
        }
    }
}

/// Makes clients that stay away as long as they are asked to.
#[derive(Debug)]
pub(super) struct Waiting {
    longest: Duration,
}

#[derive(Debug)]
struct WaitingClient {
    client: HttpClient,
    longest: Duration,
}

impl HttpConnector for Waiting {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(WaitingClient {
            client: ReqwestConnector::default().connect(options)?,
            longest: self.longest,
        }))
    }
}

#[async_trait]
impl HttpService for WaitingClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.client.execute(request).await.map_err(final_if_distrusted)?;
        let is_busy = matches!(answer.status().as_u16(), 429 | 503);
        let asked = answer.headers().get("retry-after").filter(|_| is_busy);
        let Some(wait) = asked.and_then(|value| asked_for(value.to_str().ok()?, Utc::now())) else {
            return Ok(answer);
        };
        if wait > self.longest {
            // Of a kind that is not repeated.
            return Err(HttpError::new(HttpErrorKind::Unknown, ComeBackLater(wait)));
        }
        tokio::time::sleep(wait).await;
        Ok(answer)
    }
}

/// What TLS says of a certificate that is not trusted.
pub(super) const DISTRUSTED: &str = "invalid peer certificate";

fn final_if_distrusted(error: HttpError) -> HttpError {
    match chain(&error).contains(DISTRUSTED) {
        // Of a kind that is not repeated.
        true => HttpError::new(HttpErrorKind::Unknown, error),
        false => error,
    }
}

/// What a store is told to have said.
pub(super) const COME_BACK_LATER: &str = "asks to be left alone for";

/// The store wants to be left alone for longer than we wait.
#[derive(Debug)]
struct ComeBackLater(Duration);

impl std::fmt::Display for ComeBackLater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store {COME_BACK_LATER} {} s", self.0.as_secs())
    }
}

impl std::error::Error for ComeBackLater {}

/// The time that a `retry-after` asks for: seconds, or a moment.
fn asked_for(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = DateTime::parse_from_rfc2822(value).ok()?;
    // A moment that has passed asks for nothing.
    Some((moment.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_asks_for_seconds_or_names_a_moment() {
        let now = DateTime::parse_from_rfc3339("2026-11-26T12:00:00Z")
            .unwrap()
            .to_utc();
        for (value, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Thu, 26 Nov 2026 12:00:30 GMT", Some(30)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let asked = asked_for(value, now);
            assert_eq!(asked, seconds.map(Duration::from_secs), "{value}");
        }
    }
}
