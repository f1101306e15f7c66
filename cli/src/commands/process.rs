//! `sluice process`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use sluice_engine::instance::Instance;
use sluice_engine::process::{self, Deleted};
use sluice_engine::run::{back_test, rejects_of};
use sluice_engine::spec;

use crate::context::Context;
use crate::error::Result;
use crate::printer::{Object, OutputFormat};
use crate::render;
use crate::talk::{Answer, confirm};

mod complete;
mod edit;
mod new;

pub(super) use new::create;

/// Defines what is loaded: source, columns, rules, policies, schedule
#[derive(Debug, Args)]
pub struct ProcessArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    New(new::NewArgs),
    /// List all processes
    List,
    /// Print a process as it was written
    Show {
        /// The process
        name: String,
        /// With every default filled in, and where it comes from, as JSON
        #[arg(long)]
        effective: bool,
    },
    /// Change the text of a process, in $EDITOR or from a file
    Edit {
        /// The process
        name: String,
        /// The new TOML text; - is stdin
        #[arg(long, value_name = "TOML")]
        from: Option<PathBuf>,
    },
    /// Find every problem of a process, and what its rules would have made of earlier runs
    ///
    /// A run is judged again by its source, if that is still there and unchanged, else by the rejects that were kept of it.
    /// Nothing is written.
    Check {
        /// The process
        name: String,
        /// Runs to judge again by the rules of now, as in sluice rejects
        #[arg(long, value_name = "RUN", num_args = 1..)]
        against: Vec<String>,
    },
    /// Take a draft into use; source, key, mode and attributes cannot be edited afterwards
    ///
    /// Shows what is taken into use and a dry run of the first records, and asks. Where nobody can answer, it completes
    /// unless the dry run fails by the data or the definition.
    Complete {
        /// The process
        name: String,
        /// Do not ask, and do not look at the source
        #[arg(long, short)]
        yes: bool,
    },
    /// Let a process run no more until it is resumed
    Pause {
        /// The process
        name: String,
    },
    /// Let a paused process run again
    Resume {
        /// The process
        name: String,
    },
    /// Delete a process; its attributes stay, and its name is never used again
    Delete {
        /// The process
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Print the JSON Schema of process files, or of a connection in sluice.toml
    Schema {
        /// Of a [connections.NAME]
        #[arg(long)]
        connection: bool,
    },
}

impl ProcessArgs {
    /// Whether it has the terminal, and with it Ctrl-C, to itself: an editor, or lines that are edited.
    pub fn owns_terminal(&self) -> bool {
        match &self.action {
            Action::Edit { from: None, .. } => true,
            Action::New(args) => args.is_guided(),
            _ => false,
        }
    }
}

/// Runs one of them.
///
/// # Errors
/// The engine's.
pub async fn run(context: &Context, args: ProcessArgs) -> Result<()> {
    if let Action::Schema { connection } = args.action {
        // The only one that needs no instance.
        let schema = match connection {
            true => spec::connection_schema(),
            false => process::schema(),
        };
        return print_json(context, &schema);
    }
    let instance = context.instance().await?;
    match args.action {
        Action::New(args) => new::run(context, &instance, args).await,
        Action::List => list(context).await,
        Action::Show {
            name,
            effective: true,
        } => print_json(context, &process::effective(&instance, &name).await?),
        Action::Show {
            name,
            effective: false,
        } => print_text(&process::text(&instance, &name).await?),
        Action::Edit { name, from } => edit::run(context, &instance, &name, from.as_deref()).await,
        Action::Check { name, against } => check(context, &instance, &name, &against).await,
        Action::Complete { name, yes } => complete::run(context, &instance, &name, answer(yes)).await,
        Action::Pause { name } => {
            process::pause(&instance, &name).await?;
            said(context, &name, "paused")
        }
        Action::Resume { name } => {
            process::resume(&instance, &name).await?;
            said(context, &name, "resumed")
        }
        Action::Delete { name, yes } => delete(context, &instance, &name, answer(yes)).await,
        Action::Schema { .. } => Ok(()),
    }
}

fn answer(yes: bool) -> Answer {
    if yes { Answer::Given } else { Answer::Asked }
}

async fn delete(context: &Context, instance: &Instance, name: &str, answer: Answer) -> Result<()> {
    let question = format!(
        "delete the process {name}? its attributes and its runs stay, its name can never be used again"
    );
    confirm(question, answer).await?;
    let attributes = match process::delete(instance, name).await? {
        Deleted::Kept(names) => format!("stay in customers: {}", names.join(", ")),
        Deleted::Freed(names) if names.is_empty() => "were none yet".to_owned(),
        Deleted::Freed(names) => format!(
            "never had a value, and their names are free: {}",
            names.join(", ")
        ),
    };
    context.say(format!("{name}: deleted; its name is not used again"));
    context.say(format!("its attributes {attributes}"));
    context.say(format!(
        "its runs, rejects and events stay: {} runs {name}",
        context.program()
    ));
    Ok(())
}

async fn list(context: &Context) -> Result<()> {
    let columns = match context.settings.output {
        OutputFormat::Table => {
            "process, status, mode, source, schedule, next_run_at, last_status, last_ended_at"
        }
        _ => "*",
    };
    context
        .session()
        .await?
        .print(&format!("SELECT {columns} FROM processes ORDER BY process"))
        .await?;
    Ok(())
}

async fn check(context: &Context, instance: &Instance, name: &str, against: &[String]) -> Result<()> {
    let process = process::check(instance, name).await?;
    let (attributes, rules) = (process.attributes.len(), process.rules.len());
    context.say(format!(
        "{name} has no problems: {attributes} attributes, {rules} rules of its own"
    ));
    let settings = context.settings.engine(&instance.config().defaults);
    let mut tests = Vec::new();
    for run in against {
        let (_, run_id) = rejects_of(instance, Some(run)).await?;
        tests.push(back_test(instance, &settings, (name, &run_id), &context.watch()).await?);
    }
    if tests.is_empty() {
        return Ok(());
    }
    Object::of(context.settings.output)?.print(&tests, || tests.iter().map(render::back_test).collect())
}

fn said(context: &Context, name: &str, what: &str) -> Result<()> {
    context.say(format!("{name}: {what}"));
    Ok(())
}

fn print_text(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Prints what is JSON in every format.
fn print_json(context: &Context, value: &serde_json::Value) -> Result<()> {
    match Object::of(context.settings.output)? {
        Object::Line => Object::Line,
        Object::Words | Object::Json => Object::Json,
    }
    .print(value, String::new)
}
