//! Queries of the commands.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use sluice_engine::instance::Instance;
use sluice_engine::{Error, sql};

use crate::error::Result;
use crate::printer::{self, Cells, Next, OutputFormat, Printed};
use crate::render::thousands;
use crate::settings::Settings;
use crate::talk::Talk;

/// Rows of a listing in a table; other formats print all.
const LISTED_ROWS: u64 = 20;

/// SQL on an instance, printed as the user asked.
pub struct Session {
    context: SessionContext,
    format: OutputFormat,
    talk: Talk,
}

/// A query whose table is for people, and whose other formats are for programs.
pub struct Listing {
    /// Columns of the table.
    pub brief: &'static str,
    /// Columns of the other formats.
    pub full: &'static str,
    /// `FROM` and `WHERE`.
    pub from: String,
    /// `ORDER BY`.
    pub order: &'static str,
}

impl Session {
    /// Opens all tables as they are now.
    ///
    /// # Errors
    /// A table cannot be read.
    pub async fn open(instance: &Instance, settings: &Settings) -> Result<Self> {
        let context = sql::session(instance, &settings.engine(&instance.config().defaults)).await?;
        Ok(Self {
            context,
            format: settings.output,
            talk: settings.talk,
        })
    }

    /// The result of a query.
    ///
    /// # Errors
    /// It is none, or it would write.
    pub async fn query(&self, text: &str) -> Result<SendableRecordBatchStream> {
        Ok(sql::query(&self.context, text).await?)
    }

    /// Prints the result of a query.
    ///
    /// # Errors
    /// The query's, or stdout's.
    pub async fn print(&self, text: &str) -> Result<Printed> {
        let printed = printer::print(self.query(text).await?, self.format).await?;
        if printed.next == Next::Enough {
            self.talk
                .say("only the first rows are shown; --output csv prints all of them");
        }
        Ok(printed)
    }

    /// Prints a listing: the first rows and how many more there are, or in other formats all rows.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub async fn list(&self, listing: &Listing) -> Result<()> {
        let Listing {
            brief,
            full,
            from,
            order,
        } = listing;
        if self.format != OutputFormat::Table {
            self.print(&format!("SELECT {full} {from} {order}")).await?;
            return Ok(());
        }
        self.print(&format!("SELECT {brief} {from} {order} LIMIT {LISTED_ROWS}"))
            .await?;
        let rows = self.count(from).await?;
        if rows > LISTED_ROWS {
            self.talk.say(format!(
                "and {} more; --output csv prints all of them",
                thousands(rows - LISTED_ROWS)
            ));
        }
        Ok(())
    }

    /// The number of rows of a `FROM ... WHERE ...`.
    ///
    /// # Errors
    /// The query's.
    pub async fn count(&self, from: &str) -> Result<u64> {
        let rows = self.texts(&format!("SELECT count(*) {from}")).await?;
        Ok(rows
            .first()
            .and_then(|row| row.first()?.parse().ok())
            .unwrap_or_default())
    }

    /// All rows of a small result, as text.
    ///
    /// # Errors
    /// The query's.
    pub async fn texts(&self, text: &str) -> Result<Vec<Vec<String>>> {
        let batches: Vec<RecordBatch> = self.query(text).await?.try_collect().await.map_err(Error::from)?;
        let rows = batches
            .iter()
            .map(rows_of)
            .collect::<Result<Vec<_>, ArrowError>>()?;
        Ok(rows.into_iter().flatten().collect())
    }
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Vec<String>>, ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .map(Cells::of)
        .collect::<Result<Vec<_>, _>>()?;
    let row = |row| columns.iter().map(|cells| cells.text(row)).collect();
    (0..batch.num_rows()).map(row).collect()
}
