//! The table to adopt, wherever it is.
//!
//! ```text
//!   Delta folder, here or in a bucket  its newest version, without the rows that deletion vectors mark
//!   CSV, here or elsewhere             all columns as text
//!   Parquet, here or in a bucket       read where it is; of an SFTP server a copy on this machine's disk
//! ```

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionContext};
use tempfile::NamedTempFile;
use url::Url;

use crate::decode::{OpenFile, ReadOptions};
use crate::error::{Error, Result};
use crate::instance::{Instance, Root, all};
use crate::source::objects::connect::connect;
use crate::source::{SourceFile, Sources, blocking};
use crate::spec::{SourceKind, kind_of_folder, place_of, stem_and_extension};
use crate::sql::SourceTable;
use crate::table::{SnapshotTable, TableLog};

/// Columns behind those of a CSV that say where a record stands, and what is wrong with it.
const POSITION_COLUMNS: usize = 5;

/// The table to adopt.
pub(super) struct Base {
    pub(super) frame: DataFrame,
    /// What it is read from, if that is a copy; it goes with the base.
    _copy: Option<NamedTempFile>,
}

impl From<DataFrame> for Base {
    fn from(frame: DataFrame) -> Self {
        Self { frame, _copy: None }
    }
}

impl Base {
    /// Opens what `source` names: a path or pattern, or a URL that is reached as the environment says.
    ///
    /// # Errors
    /// There is nothing, or nothing that can be adopted.
    pub(super) async fn open(ctx: &SessionContext, instance: &Instance, source: &str) -> Result<Self> {
        let kind = kind_of_folder(source).map_err(|problem| all(&[problem]))?;
        match kind {
            SourceKind::Local => here(ctx, source).await,
            SourceKind::SnowflakeTable | SourceKind::SnowflakeQuery => Err(Error::usage(
                "a table of Snowflake is reached through a connection, and a new instance has none",
            )
            .hint("unload it as Parquet into a bucket and adopt that, or make it the source of a process")),
            _ if is_csv(source) => {
                let (sources, url) = (Sources::of(instance), source.to_owned());
                let opening = move || OpenFile::open(sources.file_at(&url)?, ReadOptions::default());
                let file = blocking(opening).await?;
                Ok(csv_columns(ctx, SourceTable::text(file)?).await?.into())
            }
            SourceKind::Sftp => copied(ctx, instance, source).await,
            SourceKind::S3 | SourceKind::Gcs => in_bucket(ctx, instance, source).await,
        }
    }
}

fn is_csv(source: &str) -> bool {
    let (_, extension) = stem_and_extension(source);
    let bare = extension.split('.').next().unwrap_or_default();
    ["csv", "txt", "tsv"]
        .iter()
        .any(|known| bare.eq_ignore_ascii_case(known))
}

async fn here(ctx: &SessionContext, source: &str) -> Result<Base> {
    let path = Path::new(source);
    if path.join("_delta_log").is_dir() {
        return Ok(delta(ctx, &log_of(path)?).await?.into());
    }
    if is_csv(source) {
        let table = SourceTable::text(OpenFile::open(SourceFile::open(path)?, ReadOptions::default())?)?;
        return Ok(csv_columns(ctx, table).await?.into());
    }
    if !path.exists() && !source.contains(['*', '?', '[']) {
        return Err(Error::runtime("there is nothing to adopt here")
            .in_file(source)
            .hint("name a Delta table's folder, Parquet files, or a CSV"));
    }
    Ok(parquet(ctx, source).await?.into())
}

async fn parquet(ctx: &SessionContext, source: &str) -> Result<DataFrame> {
    Ok(ctx.read_parquet(source, ParquetReadOptions::default()).await?)
}

/// A Delta table, a Parquet file, or all of a folder.
async fn in_bucket(ctx: &SessionContext, instance: &Instance, source: &str) -> Result<Base> {
    let place = Url::parse(place_of(source)).map_err(|error| Error::usage("it is no URL").because(error))?;
    let base = Sources::of(instance).base().to_owned();
    let store = connect(source, None, &base)?;
    let log = Root::in_store(Arc::clone(&store), source)?.table("", None)?;
    if log.exists().await? {
        return Ok(delta(ctx, &log).await?.into());
    }
    ctx.register_object_store(&place, store);
    let (_, extension) = stem_and_extension(source);
    let url = match extension {
        "" => format!("{}/", source.trim_end_matches('/')),
        _ => source.to_owned(),
    };
    let frame = parquet(ctx, &url).await.map_err(|error| {
        error.hint(
            "name a Delta table's folder, a Parquet file, a folder with such files, or a CSV; patterns are for paths of \
             this machine",
        )
    })?;
    Ok(frame.into())
}

/// A Parquet file that is copied first: its columns stand apart.
async fn copied(ctx: &SessionContext, instance: &Instance, source: &str) -> Result<Base> {
    let (sources, url) = (Sources::of(instance), source.to_owned());
    let copying = move || {
        let file = match sources.file_at(&url) {
            Err(_) if sources.is_folder(&url) => return Err(folder_of_sftp()),
            found => found?,
        };
        let mut copy = tempfile::Builder::new().suffix(".parquet").tempfile()?;
        let to: &mut File = copy.as_file_mut();
        io::copy(&mut file.reader()?, to)?;
        file.check_unchanged()?;
        Ok(copy)
    };
    let copy = blocking(copying).await?;
    let frame = parquet(ctx, &copy.path().to_string_lossy()).await?;
    Ok(Base {
        frame,
        _copy: Some(copy),
    })
}

fn folder_of_sftp() -> Error {
    Error::usage("a folder of an SFTP server cannot be adopted: a Delta table is read where it is, by many ranges")
        .hint("copy it with sftp -r or rsync, here or into a bucket, and adopt the copy; or name one Parquet or CSV file")
}

fn log_of(path: &Path) -> Result<TableLog> {
    let url = Url::from_directory_path(std::fs::canonicalize(path)?)
        .map_err(|()| Error::usage("the folder's name makes no URL").in_file(path.display().to_string()))?;
    TableLog::at(url, None)
}

async fn delta(ctx: &SessionContext, log: &TableLog) -> Result<DataFrame> {
    let snapshot = log.snapshot(None).await?;
    let mapped = snapshot
        .metadata
        .configuration()
        .get("delta.columnMapping.mode")
        .is_some_and(|mode| mode != "none");
    if mapped || !snapshot.metadata.partition_columns().is_empty() {
        return Err(Error::usage(
            "a Delta table with partitions or column mapping cannot be adopted as it is",
        )
        .hint("write it out as Parquet with the program that made it, and adopt that"));
    }
    Ok(ctx.read_table(Arc::new(SnapshotTable::new(Arc::new(snapshot))))?)
}

/// The columns of a CSV as text; a malformed record stops the adoption: nobody could see it rejected later.
async fn csv_columns(ctx: &SessionContext, table: SourceTable) -> Result<DataFrame> {
    let num_columns = table.schema().fields().len() - POSITION_COLUMNS;
    let names: Vec<String> = table.schema().fields().iter().map(|f| f.name().clone()).collect();
    let frame = ctx.read_table(Arc::new(table))?;
    let malformed = names.last().cloned().unwrap_or_default();
    let position = |i: usize| ident(names[num_columns + i].as_str());
    let bad = frame.clone().filter(ident(malformed.as_str()).is_not_null())?;
    let bad = bad
        .select(vec![position(0), position(1), ident(malformed.as_str())])?
        .limit(0, Some(1))?
        .collect()
        .await?;
    if let Some(batch) = bad.iter().find(|batch| batch.num_rows() > 0) {
        let text = |column: usize| arrow::util::display::array_value_to_string(batch.column(column), 0);
        let number = |column: usize| Ok::<u64, Error>(text(column)?.parse().unwrap_or(0));
        return Err(Error::data("malformed_record", text(2)?)
            .at_record(number(0)?, number(1)?)
            .hint("mend the record and start over"));
    }
    Ok(frame.select(
        names
            .iter()
            .take(num_columns)
            .map(|name| ident(name.as_str()))
            .collect::<Vec<Expr>>(),
    )?)
}
