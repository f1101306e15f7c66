//! `sluice process new`: a draft, from a file and what somebody chose of it.

use std::path::{Path, PathBuf};

use chrono::Local;
use clap::{Args, ValueEnum};
use sluice_engine::Error;
use sluice_engine::instance::Instance;
use sluice_engine::process::{self, Looked, Wanted};
use sluice_engine::source::{Sources, blocking};
use sluice_engine::spec::{Every, RawAttribute, RawSchedule};

use super::edit;
use crate::commands::ingest::ModeArg;
use crate::context::Context;
use crate::error::Result;
use crate::guide;
use crate::talk::is_asked;

/// Make a draft from a file's columns, from another process, or from a TOML text
///
/// On a terminal it shows the columns and what they look like, and asks what they become. With flags, with --yes, or
/// where nobody can answer, what is not said is guessed.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Its name: lower-case letters, digits, - and _
    name: String,
    /// A source file, by path or URL, whose columns fill the draft; or a local folder, or a pattern in one
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    file: Option<PathBuf>,
    /// Connection of the instance that the file's URL is reached through
    #[arg(long, value_name = "NAME", requires = "file")]
    connection: Option<String>,
    /// A TOML text; - is stdin
    #[arg(long, value_name = "TOML")]
    from: Option<PathBuf>,
    /// A process whose source, key, mode, policies and schedule it takes over, for attributes of its own
    #[arg(long, value_name = "PROCESS", conflicts_with_all = ["file", "from"])]
    like: Option<String>,
    /// The column with the customer id [default: the likeliest]
    #[arg(long, value_name = "COLUMN", requires = "file")]
    key: Option<String>,
    /// A column and the attribute it becomes, once for each; \ before a : or = makes it part of a name
    #[arg(
        long = "attribute",
        value_name = "COLUMN[:NAME]=TYPE",
        conflicts_with = "from"
    )]
    attributes: Vec<String>,
    /// What becomes of customers that are not there yet [default: register]
    #[arg(long, value_enum, requires = "file")]
    mode: Option<ModeArg>,
    /// Run it so often; without it, it runs when somebody says so
    #[arg(long, value_enum, requires = "file")]
    every: Option<EveryArg>,
    /// The first due time, as 2026-01-01T03:00 [default: midnight]
    #[arg(long, value_name = "TIME", requires = "every")]
    start: Option<String>,
    /// Zone of that time, as Europe/Madrid [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "every")]
    time_zone: Option<String>,
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
}

/// How often a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EveryArg {
    /// Four times a day
    #[value(name = "6h")]
    SixHours,
    /// Twice a day
    #[value(name = "12h")]
    TwelveHours,
    /// Once a day
    #[value(name = "24h")]
    Day,
}

impl EveryArg {
    fn every(self) -> Every {
        match self {
            Self::SixHours => Every::SixHours,
            Self::TwelveHours => Every::TwelveHours,
            Self::Day => Every::Day,
        }
    }
}

impl NewArgs {
    /// Whether the columns are gone through with somebody.
    pub fn is_guided(&self) -> bool {
        is_asked() && !self.yes && self.from.is_none() && self.attributes.is_empty()
    }

    fn wanted(&self) -> Result<Wanted> {
        let schedule = self.every.map(|every| RawSchedule {
            every: Some(every.every()),
            start: self.start.clone(),
            time_zone: self.time_zone.clone(),
        });
        Ok(Wanted {
            key: self.key.clone(),
            mode: self.mode.map(ModeArg::mode),
            attributes: process::parse_mappings(&self.attributes)?,
            schedule,
        })
    }
}

/// Makes the draft.
///
/// # Errors
/// The name is taken, the file cannot be read, a column is not there, or the questions were not answered.
pub async fn run(context: &Context, instance: &Instance, args: NewArgs) -> Result<()> {
    let text = match (&args.from, &args.like) {
        (Some(from), _) => edit::read(from)?,
        (None, Some(like)) => like_text(context, instance, like, &args).await?,
        (None, None) => file_text(context, instance, &args).await?,
    };
    create(context, instance, &args.name, &text).await
}

/// Makes a draft of a text and says how to go on.
///
/// # Errors
/// The name is taken.
pub async fn create(context: &Context, instance: &Instance, name: &str, text: &str) -> Result<()> {
    process::create(instance, name, text).await?;
    let program = context.program();
    context.say(format!(
        "made the draft {name}; go on with: {program} process edit {name}"
    ));
    context.say(format!("then: {program} process complete {name}"));
    Ok(())
}

async fn file_text(context: &Context, instance: &Instance, args: &NewArgs) -> Result<String> {
    let wanted = args.wanted()?;
    let typed = match &args.file {
        Some(file) => Some(file.clone()),
        None if args.is_guided() => guide::file(context.settings.talk).await?,
        None => None,
    };
    let Some(file) = typed else {
        return match wanted.attributes.is_empty() {
            true => Ok(process::example().to_owned()),
            false => Err(no_source()),
        };
    };
    let looked = look(instance, &file, args.connection.clone()).await?;
    if !args.is_guided() {
        return Ok(looked.text(&wanted)?);
    }
    let today = Local::now().date_naive();
    let (looked, chosen) = guide::process(context.settings.talk, looked, wanted, today).await?;
    Ok(looked.text_of(&chosen, &[])?)
}

async fn look(instance: &Instance, file: &Path, connection: Option<String>) -> Result<Looked> {
    let (sources, file) = (Sources::of(instance), file.to_owned());
    let looked = blocking(move || process::look(&sources, &file, connection.as_deref())).await?;
    Ok(looked.within(instance).await?)
}

/// A process beside `like`: its columns but those that `like` loads.
async fn like_text(context: &Context, instance: &Instance, like: &str, args: &NewArgs) -> Result<String> {
    let existing = process::check(instance, like).await?;
    let (sources, source) = (Sources::of(instance), existing.source.clone());
    if args.attributes.is_empty() && !args.is_guided() {
        return Err(no_attributes(like));
    }
    let looked = blocking(move || process::look_at(&sources, source)).await;
    let attributes: Vec<RawAttribute> = if args.is_guided() {
        let looked = looked?.within(instance).await?;
        guide::beside(context.settings.talk, looked, existing).await?
    } else {
        let mappings = process::parse_mappings(&args.attributes)?;
        // A source that is not there now says nothing about formats.
        let columns = looked.map(|looked| looked.preview.columns).unwrap_or_default();
        process::raw_attributes(&mappings, &columns)
    };
    Ok(process::like(instance, like, attributes).await?)
}

fn no_source() -> crate::error::Failure {
    Error::usage("--attribute without a file: say whose columns they are")
        .hint("name it with --file FILE, or a process over the same file with --like PROCESS")
        .wrote("nothing")
        .into()
}

fn no_attributes(like: &str) -> crate::error::Failure {
    Error::usage("no --attribute: say which columns the new process loads")
        .hint(format!(
            "as: sluice process new NAME --like {like} --attribute COLUMN:NAME=TYPE"
        ))
        .wrote("nothing")
        .into()
}
