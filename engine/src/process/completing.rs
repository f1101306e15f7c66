//! What completing a draft would take into use, for somebody to look over; and the e-mail column that it may miss.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::lifecycle::{check, edit, live_state, next_run, schedule_words};
use super::ownership::{check_ownership, email_attribute};
use super::state::ProcessStatus;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::source::{Sources, blocking};
use crate::spec::{AttributeType, Mode, NoneAccepted, Process, RejectBudget, Strictness, with_type};

/// A draft as it would be completed.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Its name.
    pub process: String,
    /// `register` or `update`.
    pub mode: String,
    /// The source as written.
    pub source: String,
    /// NAME of the connection that it is reached through.
    pub connection: Option<String>,
    /// Names of the files that a recurring process takes.
    pub pattern: Option<String>,
    /// The key column.
    pub key: String,
    /// What the columns become.
    pub attributes: Vec<SummaryAttribute>,
    /// What is done with what does not fit.
    pub policy: SummaryPolicy,
    /// Ids of the user's own rules.
    pub rules: Vec<String>,
    /// Schedule in words; none: one time.
    pub schedule: Option<String>,
    /// When it would run first.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// A column and what it becomes.
#[derive(Debug, Clone, Serialize)]
pub struct SummaryAttribute {
    /// The source's column.
    pub column: String,
    /// Name of the attribute.
    pub attribute: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// Policies in the words of a process file.
#[derive(Debug, Clone, Serialize)]
pub struct SummaryPolicy {
    /// `reject_all`, `keep_first` or `keep_last`.
    pub on_duplicate: String,
    /// `clear` or `keep`.
    pub null: String,
    /// Rows, or a share of them; none: any number.
    pub max_rejects: Option<String>,
    /// Whether one rejected row fails a run.
    pub strict: bool,
    /// Whether a run that accepts none may complete.
    pub allow_none: bool,
}

/// A column that is loaded as text and holds e-mail addresses, in an instance without any.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailOffer {
    /// The source's column.
    pub column: String,
    /// The attribute that it becomes.
    pub attribute: String,
    /// Share of the values seen that are addresses; 0 to 1.
    pub share: f64,
}

/// What completing the draft `name` would take into use.
///
/// # Errors
/// It is completed already, has problems, or names what belongs to somebody else.
pub async fn completing(instance: &Instance, name: &str) -> Result<Summary> {
    if live_state(instance, name).await?.status != ProcessStatus::Draft {
        return Err(completed_already(name));
    }
    let process = check(instance, name).await?;
    let snapshot = instance.customers()?.snapshot(None).await?;
    check_ownership(instance, &process, &snapshot).await?;
    Ok(summary(&process, Utc::now()))
}

pub(super) fn completed_already(name: &str) -> Error {
    Error::usage(format!("the process {name} is completed already"))
        .hint(format!("run it: sluice run {name}"))
}

fn summary(process: &Process, now: DateTime<Utc>) -> Summary {
    let source = &process.source;
    let attributes = process.attributes.iter().map(|attribute| SummaryAttribute {
        column: attribute.column.clone(),
        attribute: attribute.name.clone(),
        ty: attribute.ty.to_string(),
    });
    let policy = process.policy;
    let budget = Some(policy.max_rejects).filter(|budget| *budget != RejectBudget::Unlimited);
    Summary {
        process: process.name.clone(),
        mode: process.mode.to_string(),
        source: source.location().to_owned(),
        connection: source.connection.clone(),
        pattern: process.schedule.as_ref().and_then(|_| source.recurring_pattern()),
        key: process.key.clone(),
        attributes: attributes.collect(),
        policy: SummaryPolicy {
            on_duplicate: word(policy.on_duplicate),
            null: word(policy.null),
            max_rejects: budget.map(|budget| budget.to_string()),
            strict: policy.strict == Strictness::Strict,
            allow_none: policy.allow_none == NoneAccepted::Completes,
        },
        rules: process.rules.iter().map(|rule| rule.id.clone()).collect(),
        schedule: process.schedule.as_ref().map(schedule_words),
        next_run_at: next_run(process, now),
    }
}

/// The word of a process file.
fn word(policy: impl Serialize) -> String {
    let value = serde_json::to_value(policy).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The e-mail column that the draft `name` loads as text, if it registers customers and the instance has no e-mail
/// attribute yet.
///
/// # Errors
/// The draft has problems, or its source cannot be read.
pub async fn email_offer(instance: &Instance, name: &str) -> Result<Option<EmailOffer>> {
    let process = check(instance, name).await?;
    let snapshot = instance.customers()?.snapshot(None).await?;
    let is_taken = process.email().is_some() || email_attribute(instance, &snapshot).await?.is_some();
    if process.mode != Mode::Register || is_taken {
        return Ok(None);
    }
    let (sources, source) = (Sources::of(instance), process.clone());
    let looking = blocking(move || {
        let Some(found) = sources.of_process(&source)? else {
            return Ok(None);
        };
        crate::preview::preview(&found, source.source.location(), None).map(Some)
    });
    let Some(preview) = looking.await? else {
        return Ok(None);
    };
    let is_text = |ty| {
        matches!(
            ty,
            AttributeType::String | AttributeType::Varchar(_) | AttributeType::Nvarchar(_)
        )
    };
    let texts = process
        .attributes
        .iter()
        .filter(|attribute| is_text(attribute.ty));
    let offers = texts.filter_map(|attribute| {
        let mut reports = preview.columns.iter();
        let report = reports.find(|report| report.name == attribute.column)?;
        (report.guess.ty == AttributeType::Email).then(|| EmailOffer {
            column: attribute.column.clone(),
            attribute: attribute.name.clone(),
            share: report.guess.share,
        })
    });
    Ok(offers.into_iter().next())
}

/// Takes the offer: the draft has the attribute as `email` from now on.
///
/// # Errors
/// The draft cannot be edited.
pub async fn take_email(instance: &Instance, name: &str, offer: &EmailOffer) -> Result<()> {
    let text = super::text(instance, name).await?;
    let changed = with_type(&text, &offer.attribute, AttributeType::Email);
    edit(instance, name, &changed.unwrap_or(text)).await
}
