//! `sluice process`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use sluice_engine::instance::Instance;
use sluice_engine::process;
use sluice_engine::source::{Sources, blocking};
use sluice_engine::spec;

use crate::context::Context;
use crate::error::Result;
use crate::printer::{Object, OutputFormat};
use crate::talk::{Answer, confirm};

mod edit;

/// Defines what is loaded: source, columns, rules, policies, schedule
#[derive(Debug, Args)]
pub struct ProcessArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a draft from a file's columns, from a TOML text, or from an example
    New {
        /// Its name: lower-case letters, digits, - and _
        name: String,
        /// A source file, by path or URL, whose columns fill the draft
        #[arg(long, value_name = "FILE", conflicts_with = "from")]
        file: Option<PathBuf>,
        /// Connection of the instance that the file's URL is reached through
        #[arg(long, value_name = "NAME", requires = "file")]
        connection: Option<String>,
        /// A TOML text; - is stdin
        #[arg(long, value_name = "TOML")]
        from: Option<PathBuf>,
    },
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
    /// Find every problem of a process
    Check {
        /// The process
        name: String,
    },
    /// Take a draft into use; source, key, mode and attributes cannot be edited afterwards
    Complete {
        /// The process
        name: String,
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
    /// Whether it opens an editor, which has Ctrl-C to itself.
    pub fn opens_editor(&self) -> bool {
        matches!(self.action, Action::Edit { from: None, .. })
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
    let instance = context.instance()?;
    match args.action {
        Action::New {
            name,
            file,
            connection,
            from,
        } => {
            let text = match from {
                Some(from) => edit::read(&from)?,
                None => skeleton(&instance, file, connection).await?,
            };
            new(context, &instance, &name, &text).await
        }
        Action::List => list(context).await,
        Action::Show {
            name,
            effective: true,
        } => print_json(context, &process::effective(&instance, &name)?),
        Action::Show {
            name,
            effective: false,
        } => print_text(&process::text(&instance, &name)?),
        Action::Edit {
            name,
            from: Some(file),
        } => {
            process::edit(&instance, &name, &edit::read(&file)?).await?;
            said(context, &name, "changed")
        }
        Action::Edit { name, from: None } => edit_by_hand(context, &instance, &name).await,
        Action::Check { name } => check(context, &instance, &name),
        Action::Complete { name } => {
            process::complete(&instance, &name).await?;
            context.say(format!(
                "{name} is ready; run it with: {} run {name}",
                context.program()
            ));
            Ok(())
        }
        Action::Pause { name } => {
            process::pause(&instance, &name).await?;
            said(context, &name, "paused")
        }
        Action::Resume { name } => {
            process::resume(&instance, &name).await?;
            said(context, &name, "resumed")
        }
        Action::Delete { name, yes } => {
            let answer = if yes { Answer::Given } else { Answer::Asked };
            confirm(
                &format!("delete the process {name}? its name can never be used again"),
                answer,
            )?;
            process::delete(&instance, &name).await?;
            said(context, &name, "deleted")
        }
        Action::Schema { .. } => Ok(()),
    }
}

/// Makes a draft; also the demo's way to its process.
pub(super) async fn new(context: &Context, instance: &Instance, name: &str, text: &str) -> Result<()> {
    process::create(instance, name, text).await?;
    let program = context.program();
    context.say(format!(
        "made the draft {name}; go on with: {program} process edit {name}"
    ));
    context.say(format!("then: {program} process complete {name}"));
    Ok(())
}

async fn skeleton(instance: &Instance, file: Option<PathBuf>, connection: Option<String>) -> Result<String> {
    let sources = Sources::of(instance);
    let writing = move || process::skeleton(&sources, file.as_deref(), connection.as_deref());
    Ok(blocking(writing).await?)
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

fn check(context: &Context, instance: &Instance, name: &str) -> Result<()> {
    let process = process::check(instance, name)?;
    let (attributes, rules) = (process.attributes.len(), process.rules.len());
    context.say(format!(
        "{name} has no problems: {attributes} attributes, {rules} rules of its own"
    ));
    Ok(())
}

async fn edit_by_hand(context: &Context, instance: &Instance, name: &str) -> Result<()> {
    let before = process::text(instance, name)?;
    let draft = edit::Draft::of(name, &before)?;
    let after = draft.edit()?;
    if after == before {
        draft.discard();
        return said(context, name, "not changed");
    }
    process::edit(instance, name, &after).await.map_err(|error| {
        let file = draft.file().display();
        error.hint(format!(
            "what you typed is in {file}; mend it and: sluice process edit {name} --from {file}"
        ))
    })?;
    draft.discard();
    said(context, name, "changed")
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
