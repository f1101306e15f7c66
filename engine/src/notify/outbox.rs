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
        let shown = instance.shown();
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

/// The first rejected records of the run, each with its first reason.
async fn examples(instance: &Instance, run: &RunRecord, shown: NotifyExamples) -> Result<Vec<Example>> {
    if run.rows_rejected.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT record_no, line, reasons[1]['rule'], reasons[1]['column_name'], reasons[1]['value'] FROM rejects \
         WHERE run_id = '{}' ORDER BY record_no LIMIT {MAX_EXAMPLES}",
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
    if file
        .read()
        .await?
        .undelivered
        .iter()
        .all(|pending| pending.next_attempt_at > now)
    {
        return Ok(());
    }
    let due = file
        .update(|state| Ok(taken(&mut state.undelivered, now)))
        .await?;
    for pending in due {
        let delivered = tokio::time::timeout(TIMEOUT, deliver(instance, &pending)).await;
        let delivered = delivered.unwrap_or_else(|_| Err(Error::runtime("no answer in time")));
        let outcome = Outcome::of(&pending, delivered, Utc::now());
        if outcome.is_final() {
            let removed = file.update(|state| {
                state.undelivered.retain(|other| other.id != pending.id);
                Ok(())
            });
            removed.await?;
        }
        if let Some(event) = outcome.event(&pending) {
            record_event(instance, event).await?;
        }
    }
    Ok(())
}

/// Takes what is due: nobody else tries it meanwhile, and if this program dies, somebody does later.
fn taken(undelivered: &mut [Pending], now: DateTime<Utc>) -> Vec<Pending> {
    let due = undelivered
        .iter_mut()
        .filter(|pending| pending.next_attempt_at <= now);
    let taken = due.map(|pending| {
        pending.next_attempt_at = now + WAIT;
        pending.clone()
    });
    taken.collect()
}

/// What became of an attempt.
#[derive(Debug)]
enum Outcome {
    Delivered,
    Again { reason: String },
    GivenUp { reason: String },
}

impl Outcome {
    fn of(pending: &Pending, delivered: Result<()>, now: DateTime<Utc>) -> Self {
        match delivered {
            Ok(()) => Self::Delivered,
            Err(error) if now - pending.created_at < MAX_AGE => Self::Again {
                reason: error.to_string(),
            },
            Err(error) => Self::GivenUp {
                reason: error.to_string(),
            },
        }
    }

    /// Whether the message is done with.
    fn is_final(&self) -> bool {
        matches!(self, Self::Delivered | Self::GivenUp { .. })
    }

    /// What `events` says of it; of an attempt that is made again, only the log.
    fn event(&self, pending: &Pending) -> Option<Event> {
        let (kind, reason) = match self {
            Self::Delivered => ("notified", None),
            Self::GivenUp { reason } => ("notify_failed", Some(reason)),
            Self::Again { reason } => {
                tracing::warn!(
                    to = pending.to,
                    reason,
                    "a message was not delivered and is tried again"
                );
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
                .map(|secret| find_secret(secret, instance.base()))
                .transpose()?;
            post::post(url, secret.as_ref(), &pending.message).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::NotifyOn;

    fn pending(id: &str, next_attempt_at: DateTime<Utc>) -> Pending {
        let run = RunRecord::started("r".into(), "loyalty", 1, "schedule");
        Pending {
            id: id.to_owned(),
            to: "command:true".to_owned(),
            message: Message::about(&run, NotifyOn::Failed, "/base", Vec::new()),
            created_at: next_attempt_at,
            next_attempt_at,
        }
    }

    #[test]
    fn a_message_is_taken_once_at_a_time_and_again_later() {
        let now = Utc::now();
        let mut undelivered = vec![pending("due", now), pending("later", now + WAIT * 2)];
        let ids =
            |taken: Vec<Pending>| -> Vec<String> { taken.into_iter().map(|pending| pending.id).collect() };
        assert_eq!(ids(taken(&mut undelivered, now)), ["due"]);
        assert!(taken(&mut undelivered, now).is_empty());
        assert_eq!(ids(taken(&mut undelivered, now + WAIT)), ["due"]);
        assert_eq!(ids(taken(&mut undelivered, now + WAIT * 2)), ["due", "later"]);
    }

    #[test]
    fn a_message_is_given_up_after_a_day() {
        let now = Utc::now();
        let failed = || Err(Error::runtime("refused"));
        let young = Outcome::of(&pending("a", now), failed(), now + TimeDelta::hours(23));
        let old = Outcome::of(&pending("a", now), failed(), now + TimeDelta::hours(25));
        assert!(!young.is_final() && old.is_final());
        assert_eq!(old.event(&pending("a", now)).unwrap().kind, "notify_failed");
    }
}
