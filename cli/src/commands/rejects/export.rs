//! `--export`: rejected records in the form of their source, with their reasons, to be mended and run again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use sluice_engine::Error;

use super::header::{self, Header};
use super::reasons::{Form, header_line, with_reasons};
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

/// Where the reasons go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasons {
    /// Into the records, as further columns.
    Columns,
    /// Into a file beside; the records are the bytes as they came.
    Beside,
}

/// Writes the open rejects to `file` with their reasons.
///
/// # Errors
/// A file is there already or cannot be written.
pub async fn export(
    context: &Context,
    session: &Session,
    of_run: &str,
    file: &Path,
    (existing, reasons): (Existing, Reasons),
) -> Result<()> {
    let header = header::of_run(session, of_run).await?;
    // Without a header the number of fields is all there is to know columns by.
    let has_place = header.line.is_some() || header.form == Form::Json;
    let reasons = if has_place { reasons } else { Reasons::Beside };
    let beside = reasons_file(file);
    let files = match reasons {
        Reasons::Columns => vec![file],
        Reasons::Beside => vec![file, &beside],
    };
    if existing == Existing::Kept
        && let Some(there) = files.into_iter().find(|file| file.exists())
    {
        return Err(Error::usage("the file is there already")
            .in_file(there.display().to_string())
            .hint("name another file, or replace it with --yes")
            .wrote("nothing")
            .into());
    }
    let records = write_records(session, of_run, file, &header, reasons).await?;
    let (shown, records_shown) = (file.display(), thousands(records));
    match reasons {
        Reasons::Columns => context.say(format!("{records_shown} records with their reasons in {shown}")),
        Reasons::Beside => {
            write_reasons(session, of_run, &beside).await?;
            let beside = beside.display();
            context.say(format!(
                "{records_shown} records in {shown}, their reasons in {beside}"
            ));
        }
    }
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

async fn write_records(
    session: &Session,
    of_run: &str,
    file: &Path,
    header: &Header,
    reasons: Reasons,
) -> Result<u64> {
    let query = format!(
        "SELECT r.raw, CAST(r.record_no AS VARCHAR) AS number, array_to_string(r.rules, ' ') AS rules, m.reasons \
         FROM (SELECT * FROM reject_states {of_run} AND state = 'open') r \
         LEFT JOIN (SELECT record_no, string_agg(concat(CASE WHEN column_name IS NULL THEN '' ELSE \
                    concat(column_name, ': ') END, message), '; ') AS reasons \
                    FROM reject_reasons {of_run} GROUP BY record_no) m ON m.record_no = r.record_no \
         ORDER BY r.record_no"
    );
    let mut batches = session.query(&query).await?;
    let mut out = BufWriter::new(create(file)?);
    let line = match reasons {
        Reasons::Columns => header_line(header),
        Reasons::Beside => header.line.clone(),
    };
    if let Some(line) = line {
        write_line(&mut out, &line, &header.line_end).map_err(|e| unwritten(file, e))?;
    }
    let mut records = 0;
    while let Some(batch) = batches.try_next().await.map_err(Error::from)? {
        write_batch(&mut out, &batch, header, reasons).map_err(|e| unwritten(file, e))?;
        records += batch.num_rows() as u64;
    }
    out.flush().map_err(|e| unwritten(file, e))?;
    Ok(records)
}

fn write_batch(
    out: &mut impl Write,
    batch: &RecordBatch,
    header: &Header,
    reasons: Reasons,
) -> std::io::Result<()> {
    let column = |position: usize, wanted: &DataType| {
        let column = batch
            .columns()
            .get(position)
            .ok_or(std::io::ErrorKind::InvalidData)?;
        cast(column, wanted).map_err(std::io::Error::other)
    };
    let raw = column(0, &DataType::LargeBinary)?;
    let texts = [
        column(1, &DataType::Utf8)?,
        column(2, &DataType::Utf8)?,
        column(3, &DataType::Utf8)?,
    ];
    for row in 0..batch.num_rows() {
        let record = raw.as_binary::<i64>().value(row);
        let text = |column: usize| match texts[column].is_valid(row) {
            true => texts[column].as_string::<i32>().value(row),
            false => "",
        };
        match reasons {
            Reasons::Columns => {
                let line = with_reasons(record, [text(0), text(1), text(2)], header);
                write_line(out, &line, &header.line_end)?;
            }
            Reasons::Beside => write_line(out, record, &header.line_end)?,
        }
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
