//! `sluice process complete`: what is taken into use, a dry run of it, and the question.

use serde::Serialize;
use sluice_engine::instance::Instance;
use sluice_engine::process::{self, Summary};
use sluice_engine::run::{Effect, Extent, Guards, Repeat, Report, RunRequest, Trigger};
use sluice_engine::{Class, Error};

use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;
use crate::render;
use crate::talk::{Answer, confirm, is_asked, offer};

/// Records that the dry run judges.
const SAMPLE_RECORDS: u64 = 10_000;

/// What is printed.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// What a run of the first records would do.
    dry_run: Option<&'a Report>,
    /// Why it would fail.
    dry_run_error: Option<String>,
}

/// Completes the draft.
///
/// # Errors
/// It has problems, an attribute is taken, the answer is no; or nobody can answer and the dry run failed by the data or
/// the definition.
pub async fn run(context: &Context, instance: &Instance, name: &str, answer: Answer) -> Result<()> {
    let object = Object::of(context.settings.output)?;
    let mut summary = process::completing(instance, name).await?;
    let mut dry_run = None;
    if answer == Answer::Asked {
        if offer_email(context, instance, name).await? {
            summary = process::completing(instance, name).await?;
        }
        dry_run = Some(try_first_records(context, instance, name).await);
    }
    let (report, error) = match dry_run {
        Some(Ok(mut report)) => {
            let error = report.error.take();
            (Some(report), error)
        }
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let shown = Shown {
        summary: &summary,
        dry_run: report.as_ref(),
        dry_run_error: error.as_ref().map(Error::to_string),
    };
    object.print(&shown, || {
        render::summary(&summary, report.as_ref(), error.as_ref())
    })?;
    refuse_unasked(name, error)?;
    let question = format!("complete {name}? its mode, source, key and attributes cannot be edited then");
    confirm(question, answer).await?;
    process::complete(instance, name).await?;
    let program = context.program();
    context.say(match summary.next_run_at {
        Some(next) => format!("{name} is scheduled; it runs next at {next}, under: {program} serve"),
        None => format!("{name} is ready; run it with: {program} run {name}"),
    });
    Ok(())
}

/// Where nobody can say no, a mapping that this very file refutes is not locked for good.
fn refuse_unasked(name: &str, error: Option<Error>) -> Result<()> {
    match error {
        Some(error) if !is_asked() && matches!(error.class(), Class::Data | Class::Usage) => Err(error
            .hint(format!("mend the draft: sluice process edit {name}"))
            .hint(format!(
                "or complete it all the same: sluice process complete {name} --yes"
            ))
            .wrote(format!("nothing: {name} stays a draft"))
            .into()),
        _ => Ok(()),
    }
}

/// Offers a column of addresses as the instance's e-mail attribute, once and for all. Whether the draft was changed.
async fn offer_email(context: &Context, instance: &Instance, name: &str) -> Result<bool> {
    // A source that cannot be read shows no addresses; the dry run says why.
    let Ok(Some(offer_of)) = process::email_offer(instance, name).await else {
        return Ok(false);
    };
    let percent = (offer_of.share * 100.0).floor();
    let column = &offer_of.column;
    let seen = format!("the column {column:?} holds e-mail addresses ({percent} % of the values seen)");
    if !is_asked() {
        context.say(format!(
            "hint: {seen}, and is loaded as text; for the instance's e-mail attribute write type = \"email\""
        ));
        return Ok(false);
    }
    let question = format!(
        "{seen}; make {} the e-mail attribute of the instance?",
        offer_of.attribute
    );
    if !offer(question).await? {
        return Ok(false);
    }
    process::take_email(instance, name, &offer_of).await?;
    Ok(true)
}

async fn try_first_records(context: &Context, instance: &Instance, name: &str) -> Result<Report, Error> {
    let request = RunRequest {
        process: name.to_owned(),
        file: None,
        effect: Effect::DryRun,
        extent: Extent::First(SAMPLE_RECORDS),
        repeat: Repeat::SkipMerged,
        max_rejects: None,
        replay: None,
        guards: Guards::Heeded,
        trigger: Trigger::Manual,
    };
    let settings = context.settings.engine(&instance.config().defaults);
    sluice_engine::run::run(instance, &settings, request, &context.watch()).await
}
