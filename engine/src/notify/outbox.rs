//! Messages that are not delivered yet; they stand in the state file of their process.

use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::message::MAX_EXAMPLES;
use super::{Example, Message, command, mail, occasions, post};
use crate::error::{Error, Result};
use crate::ids;
use crate::instance::Instance;
use crate::process::StateFile;
use crate::report::{Event, RunRecord, record_event};
use crate::settings::Settings;
use crate::source::find_secret;
use crate::spec::{NotifyExamples, NotifyTarget};
use crate::sql;

/// Between two attempts to deliver a message.
const WAIT: TimeDelta = TimeDelta::minutes(5);
/// A message is given up when it is so old.
const MAX_AGE: TimeDelta = TimeDelta::hours(24);
/// No attempt takes longer.
const TIMEOUT: Duration = Duration::from_secs(45);

/// A message to be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its own id: receivers can tell a second delivery by it.
    pub id: String,
    /// To whom, as sluice.toml has it.
    pub to: String,
    /// What.
    pub message: Message,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When to try next.
    pub next_attempt_at: DateTime<Utc>,
}

/// The messages that the end of `run` is an occasion for.
///
/// # Errors
/// The examples cannot be read.
pub async fn raise(instance: &Instance, run: &RunRecord) -> Result<Vec<Pending>> {
    let mut pending = Vec::new();
    for notify in &instance.config().notify {
        let Some(event) = occasions(notify, run) else {
            continue;
        };
        let examples = examples(instance, run, notify.examples).await?;
        let shown = instance.root().display().to_string();
        let now = Utc::now();
        pending.push(Pending {
            id: ids::new_run_id(),
            to: notify.to.to_string(),
            message: Message::about(run, event, &shown, examples),
            created_at: now,
            next_attempt_at: now,
        });
    }
    Ok(pending)
}

/// Some rejected records of the run.
async fn examples(instance: &Instance, run: &RunRecord, shown: NotifyExamples) -> Result<Vec<Example>> {
    if run.rows_rejected.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT record_no, line, rule, column_name, value FROM reject_reasons WHERE run_id = '{}' \
         ORDER BY record_no LIMIT {MAX_EXAMPLES}",
        run.run_id
    );
    let mut examples = Vec::new();
    let session = sql::session(instance, &Settings::detect()).await?;
    for batch in session.sql(&query).await?.collect().await? {
        let numbers = [0, 1].map(|column| batch.column(column).as_primitive::<Int64Type>().clone());
        let texts = [2, 3, 4]
            .map(|column| arrow::compute::cast(batch.column(column), &arrow::datatypes::DataType::Utf8));
        let [rules, columns, values] = texts;
        let (rules, columns, values) = (rules?, columns?, values?);
        let text = |array: &arrow::array::ArrayRef, row: usize| {
            let texts = array.as_string::<i32>();
            arrow::array::Array::is_valid(texts, row).then(|| texts.value(row).to_owned())
        };
        examples.extend((0..batch.num_rows()).map(|row| Example {
            record_no: numbers[0].value(row),
            line: arrow::array::Array::is_valid(&numbers[1], row).then(|| numbers[1].value(row)),
            rule: text(&rules, row).unwrap_or_default(),
            column: text(&columns, row),
            value: text(&values, row).filter(|_| shown == NotifyExamples::Values),
        }));
    }
    Ok(examples)
}

/// Tries to deliver what is undelivered of a process and due; what cannot be stays for later.
///
/// # Errors
/// The state cannot be read or replaced. That a message was not taken is none.
pub async fn flush(instance: &Instance, process: &str) -> Result<()> {
    let file = StateFile::of(instance, process);
    let now = Utc::now();
    let due = file.read()?.undelivered.into_iter();
    for pending in due.filter(|pending| pending.next_attempt_at <= now) {
        let delivered = tokio::time::timeout(TIMEOUT, deliver(instance, &pending)).await;
        let delivered = delivered.unwrap_or_else(|_| Err(Error::runtime("no answer in time")));
        let outcome = Outcome::of(&pending, delivered, Utc::now());
        file.update(|state| {
            match &outcome {
                Outcome::Again { at, .. } => state
                    .undelivered
                    .iter_mut()
                    .filter(|other| other.id == pending.id)
                    .for_each(|other| other.next_attempt_at = *at),
                _ => state.undelivered.retain(|other| other.id != pending.id),
            }
            Ok(())
        })?;
        if let Some(event) = outcome.event(&pending) {
            record_event(instance, event).await?;
        }
    }
    Ok(())
}

/// What became of an attempt.
#[derive(Debug)]
enum Outcome {
    Delivered,
    Again { at: DateTime<Utc>, reason: String },
    GivenUp { reason: String },
}

impl Outcome {
    fn of(pending: &Pending, delivered: Result<()>, now: DateTime<Utc>) -> Self {
        match delivered {
            Ok(()) => Self::Delivered,
            Err(error) if now - pending.created_at < MAX_AGE => Self::Again {
                at: now + WAIT,
                reason: error.to_string(),
            },
            Err(error) => Self::GivenUp {
                reason: error.to_string(),
            },
        }
    }

    /// What `events` says of it; of an attempt that is made again, only the log.
    fn event(&self, pending: &Pending) -> Option<Event> {
        let (kind, reason) = match self {
            Self::Delivered => ("notified", None),
            Self::GivenUp { reason } => ("notify_failed", Some(reason)),
            Self::Again { reason, at } => {
                tracing::warn!(to = pending.to, reason, %at, "a message was not delivered and is tried again");
                return None;
            }
        };
        let message = &pending.message;
        let detail = json!({ "id": pending.id, "to": pending.to, "event": message.event, "reason": reason });
        Some(Event {
            run_id: Some(message.run_id.clone()),
            actor: None,
            detail: Some(detail.to_string()),
            ..Event::lifecycle(kind, &message.process)
        })
    }
}

async fn deliver(instance: &Instance, pending: &Pending) -> Result<()> {
    let notify = instance
        .config()
        .notify
        .iter()
        .find(|notify| notify.to.to_string() == pending.to);
    let Some(notify) = notify else {
        return Err(Error::usage(format!(
            "{} is not in sluice.toml any more",
            pending.to
        )));
    };
    match &notify.to {
        NotifyTarget::Mail(address) => mail::send(instance, address, &pending.message).await,
        NotifyTarget::Command(line) => command::run(line, &pending.message).await,
        NotifyTarget::Web(url) => {
            let secret = notify.secret.as_ref();
            let secret = secret
                .map(|secret| find_secret(secret, instance.root()))
                .transpose()?;
            post::post(url, secret.as_ref(), &pending.message).await
        }
    }
}
