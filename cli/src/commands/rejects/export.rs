//! `--export`: rejected records as the source had them, to be mended and ingested again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use sluice_engine::Error;

use super::header::{self, Header};
use crate::context::Context;
use crate::error::Result;
use crate::printer::{CsvSink, Sink};
use crate::render::thousands;
use crate::session::Session;
use crate::shell;

/// What becomes of files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The export is refused.
    Kept,
    /// They are replaced.
    Replaced,
}

/// Writes the records to `file` and their reasons beside it.
///
/// # Errors
/// A file is there already or cannot be written.
pub async fn export(
    context: &Context,
    session: &Session,
    of_run: &str,
    file: &Path,
    existing: Existing,
) -> Result<()> {
    let reasons = reasons_file(file);
    if existing == Existing::Kept
        && let Some(there) = [file, &reasons].into_iter().find(|file| file.exists())
    {
        return Err(Error::usage("the file is there already")
            .in_file(there.display().to_string())
            .hint("name another file, or replace it with --yes")
            .wrote("nothing")
            .into());
    }
    let header = header::of_run(session, of_run).await?;
    let records = write_records(session, of_run, file, &header).await?;
    write_reasons(session, of_run, &reasons).await?;
    let shown = file.display();
    context.say(format!(
        "{} records in {shown}, their reasons in {}",
        thousands(records),
        reasons.display()
    ));
    if header.line.is_none() && records > 0 {
        context.say("the source has no header, so the file begins with a record");
    }
    say_next(context, session, of_run, file).await
}

/// What a user types after mending the records.
async fn say_next(context: &Context, session: &Session, of_run: &str, file: &Path) -> Result<()> {
    let rows = session
        .texts(&format!("SELECT process FROM runs {of_run}"))
        .await?;
    let process = rows
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| "PROCESS".to_owned());
    let quoted = shell::quoted(&file.to_string_lossy());
    context.say(format!(
        "mend it, then: {} run {process} --file {quoted}",
        context.program()
    ));
    Ok(())
}

/// `F.reasons.csv` beside `F`.
fn reasons_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".reasons.csv");
    name.into()
}

async fn write_records(session: &Session, of_run: &str, file: &Path, header: &Header) -> Result<u64> {
    let mut batches = session
        .query(&format!("SELECT raw FROM rejects {of_run} ORDER BY record_no"))
        .await?;
    let mut out = BufWriter::new(create(file)?);
    if let Some(line) = &header.line {
        write_line(&mut out, line, header.line_end).map_err(|e| unwritten(file, e))?;
    }
    let mut records = 0;
    while let Some(batch) = batches.try_next().await.map_err(Error::from)? {
        write_batch(&mut out, &batch, header.line_end, file)?;
        records += batch.num_rows() as u64;
    }
    out.flush().map_err(|e| unwritten(file, e))?;
    Ok(records)
}

fn write_batch(out: &mut impl Write, batch: &RecordBatch, line_end: &[u8], file: &Path) -> Result<()> {
    let Some(raw) = batch.columns().first() else {
        return Ok(());
    };
    let raw = cast(raw, &DataType::LargeBinary)?;
    let raw = raw.as_binary::<i64>();
    for record in (0..raw.len())
        .filter(|row| raw.is_valid(*row))
        .map(|row| raw.value(row))
    {
        write_line(out, record, line_end).map_err(|e| unwritten(file, e))?;
    }
    Ok(())
}

fn write_line(out: &mut impl Write, line: &[u8], end: &[u8]) -> std::io::Result<()> {
    out.write_all(line)?;
    out.write_all(end)
}

async fn write_reasons(session: &Session, of_run: &str, file: &Path) -> Result<()> {
    let query = format!(
        "SELECT record_no, line, customer_id, rule, column_name, value, message \
         FROM reject_reasons {of_run} ORDER BY record_no, rule, column_name"
    );
    let mut batches = session.query(&query).await?;
    let mut sink = CsvSink::new(&batches.schema(), BufWriter::new(create(file)?))?;
    while let Some(batch) = batches.try_next().await.map_err(Error::from)? {
        let _ = sink.write(&batch)?;
    }
    Ok(sink.finish()?)
}

fn create(file: &Path) -> Result<File> {
    Ok(File::create(file).map_err(|e| unwritten(file, e))?)
}

fn unwritten(file: &Path, cause: std::io::Error) -> Error {
    Error::runtime("the export cannot be written")
        .because(cause)
        .in_file(file.display().to_string())
        .wrote("a part of it at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_stand_beside_the_records() {
        assert_eq!(
            reasons_file(Path::new("out/mend.csv")),
            Path::new("out/mend.csv.reasons.csv")
        );
    }
}
