//! `sluice demo`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use datafusion::common::runtime::SpawnedTask;
use sluice_datasets::{ATTRIBUTES, CustomerFile, DirtyShare, Expected, KEY_COLUMN};
use sluice_engine::instance::Instance;
use sluice_engine::{Error, process};

use super::rejects::{self, RejectsArgs};
use super::run::{self, RunOptions};
use super::{init, process as process_command};
use crate::context::{Context, absolute};
use crate::error::{Failure, Result};
use crate::printer::{Object, OutputFormat};
use crate::render::{megabytes, thousands};
use crate::shell;

/// Makes an instance to try things on: a generated file, its process, its run, its rejects
///
/// Every step shows the command that does it.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to make it in
    #[arg(default_value = "sluice-demo")]
    path: PathBuf,
    /// Records of the generated file, about 1 in 100 of them flawed
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
}

/// The file, its process, and the process's text.
const SOURCE_FILE: &str = "customers.csv";
const PROCESS: &str = "customers";
const PROCESS_FILE: &str = "customers.toml";

/// Rows in a million with each of the 14 kinds of flaw: together one in a hundred.
const FLAWED_PER_MILLION: u32 = 715;

/// A short record with its reasons.
const ONE_REJECT: &str = "SELECT record_no, line, customer_id, rules, reasons, raw FROM rejects \
                          WHERE customer_id IS NOT NULL AND byte_len < 300 ORDER BY record_no LIMIT 1";

/// Makes the demo.
///
/// # Errors
/// The folder is there already, and those of the steps.
pub async fn run(context: &Context, args: DemoArgs) -> Result<()> {
    Object::of(context.settings.output)?;
    let folder = absolute(&args.path)?;
    if folder.exists() {
        return Err(there_already(&args.path).into());
    }
    let shown = shell::quoted(&args.path.to_string_lossy());
    step(context, &format!("mkdir {shown} && cd {shown}"));
    std::fs::create_dir_all(&folder)?;
    generate(context, &folder, args.rows).await?;
    let context = context.inside(&folder);
    let instance = define(&context, &folder).await?;
    step(&context, &format!("sluice run {PROCESS}"));
    run::start(
        &context,
        &instance,
        PROCESS.to_owned(),
        None,
        &RunOptions::default(),
    )
    .await?;
    look_at_rejects(&context).await?;
    try_next(&context, &shown);
    Ok(())
}

fn there_already(path: &Path) -> Error {
    let shown = path.display().to_string();
    Error::usage("the folder of the demo is there already")
        .in_file(&shown)
        .hint(format!("remove it: rm -r {}", shell::quoted(&shown)))
        .hint("or make the demo in another folder: sluice demo PATH")
        .wrote("nothing")
}

/// Shows what a user would type.
fn step(context: &Context, command: &str) {
    context.say(format!("\n$ {command}"));
}

async fn generate(context: &Context, folder: &Path, rows: u64) -> Result<()> {
    let file = folder.join(SOURCE_FILE);
    let written = SpawnedTask::spawn_blocking(move || write_file(&file, rows))
        .await
        .map_err(Error::from)?;
    let expected =
        written.map_err(|e| Failure::from(Error::runtime("the demo's file cannot be written").because(e)))?;
    context.say(format!(
        "{SOURCE_FILE}: {} records of {} columns, {}, about 1 in 100 flawed in some way",
        thousands(expected.rows),
        ATTRIBUTES.len() + 1,
        megabytes(expected.bytes)
    ));
    Ok(())
}

fn write_file(file: &Path, rows: u64) -> std::io::Result<Expected> {
    let dirty = DirtyShare {
        unterminated_quote: FLAWED_PER_MILLION,
        ..DirtyShare::even(FLAWED_PER_MILLION)
    };
    CustomerFile {
        dirty,
        ..CustomerFile::of(rows)
    }
    .write(&mut BufWriter::new(File::create(file)?))
}

/// Makes the instance and the process.
async fn define(context: &Context, folder: &Path) -> Result<Instance> {
    step(context, "sluice init");
    init::run(
        context,
        init::InitArgs {
            path: Some(folder.to_string_lossy().into_owned()),
            from: None,
            key: None,
        },
    )
    .await?;
    let instance = context.instance().await?;
    let text = definition(&folder.join(SOURCE_FILE));
    let file = folder.join(PROCESS_FILE);
    std::fs::write(&file, &text)?;
    step(context, &format!("cat {PROCESS_FILE}"));
    context.say(text.trim_end());
    step(
        context,
        &format!("sluice process new {PROCESS} --from {PROCESS_FILE}"),
    );
    process_command::create(context, &instance, PROCESS, &text).await?;
    step(context, &format!("sluice process complete {PROCESS}"));
    process::complete(&instance, PROCESS).await?;
    Ok(instance)
}

/// The process: every column of the file, and a rule of the user's own.
fn definition(source: &Path) -> String {
    // A JSON string is a TOML string.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "mode = \"register\"\nkey = {}\n\n[source]\nurl = {}\n",
        quoted(KEY_COLUMN),
        quoted(&source.to_string_lossy())
    );
    for (column, ty) in ATTRIBUTES {
        text.push_str(&format!(
            "\n[[attribute]]\ncolumn = {}\ntype = {}\n",
            quoted(column),
            quoted(ty)
        ));
    }
    text.push_str("\n[[rule]]\nid = \"spend_not_negative\"\nsql = \"total_spend >= 0\"\nmessage = \"a spend below zero\"\n");
    text
}

async fn look_at_rejects(context: &Context) -> Result<()> {
    step(context, &format!("sluice rejects {PROCESS} --by-rule"));
    let by_rule = RejectsArgs {
        run: Some(PROCESS.to_owned()),
        by_rule: true,
        export: None,
        yes: false,
        plain: false,
        action: None,
    };
    rejects::run(context, &by_rule).await?;
    step(context, &format!("sluice sql --output ndjson \"{ONE_REJECT}\""));
    context
        .printing(OutputFormat::Ndjson)
        .session()
        .await?
        .print(ONE_REJECT)
        .await?;
    Ok(())
}

fn try_next(context: &Context, folder: &str) {
    let commands = [
        format!("cd {folder}"),
        "sluice status".to_owned(),
        "sluice customer C00000001".to_owned(),
        format!("sluice rules {PROCESS}"),
        format!("sluice rejects {PROCESS} --export mend.csv"),
        format!("sluice run {PROCESS} --file mend.csv --dry-run --explain"),
        "sluice sql".to_owned(),
    ];
    context.say("\nnext:");
    for command in commands {
        context.say(format!("  {command}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_the_demo_maps_every_column_and_has_a_rule() {
        let text = definition(Path::new("/a \"b\"/customers.csv"));
        assert!(text.contains("url = \"/a \\\"b\\\"/customers.csv\"\n"), "{text}");
        assert_eq!(text.matches("[[attribute]]").count(), ATTRIBUTES.len());
        assert!(text.contains("sql = \"total_spend >= 0\""), "{text}");
    }
}
