//! `sluice ingest`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sluice_engine::Error;
use sluice_engine::process::{self, Ingest};
use sluice_engine::spec::Mode;

use super::run::{self, RunOptions};
use crate::context::Context;
use crate::error::Result;
use crate::printer::Object;

/// Loads one file: makes its process, if there is none yet, and runs it
///
/// Without --attribute it changes nothing, and says which columns there are and what to type.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// The file: a path or URL
    file: PathBuf,
    /// Connection of the instance that a URL is reached through [default: that of the process]
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Its column with the customer id
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// A column and the attribute it becomes, once for each; \ before a : or = makes it part of a name
    #[arg(long = "attribute", value_name = "COLUMN[:NAME]=TYPE")]
    attributes: Vec<String>,
    /// What becomes of customers that are not there yet
    #[arg(long, value_enum, default_value_t)]
    mode: ModeArg,
    /// Name of the process [default: the file's base name]
    #[arg(long, value_name = "PROCESS")]
    name: Option<String>,
    #[command(flatten)]
    options: RunOptions,
}

/// What becomes of customers that are not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArg {
    /// They become customers
    #[default]
    Register,
    /// Their rows are rejected
    Update,
}

impl ModeArg {
    fn word(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Update => "update",
        }
    }

    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Register => Mode::Register,
            Self::Update => Mode::Update,
        }
    }
}

/// Makes or finds the process, and runs it on the file.
///
/// # Errors
/// A column that is not there, a process that differs, and those of a run.
pub async fn run(context: &Context, args: IngestArgs) -> Result<()> {
    Object::of(context.settings.output)?;
    let instance = context.instance().await?;
    let key = match args.key {
        Some(key) => key,
        // Without a key and attributes the engine says which columns there are.
        None if args.attributes.is_empty() => String::new(),
        None => {
            let error = Error::usage("no --key: say which column holds the customer id");
            return Err(error.wrote("nothing").into());
        }
    };
    let ingest = Ingest {
        file: args.file.clone(),
        connection: args.connection,
        key,
        attributes: args.attributes,
        mode: args.mode.word().to_owned(),
        name: args.name,
    };
    let process = process::ensure(&instance, &ingest).await?;
    run::start(context, &instance, process, Some(args.file), &args.options).await
}
