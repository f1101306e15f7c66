//! The steps of a Snowflake account.

use std::sync::Arc;

use chrono::TimeDelta;

use super::finding::{Check, Outcome};
use super::network::Web;
use super::plan::Probe;
use crate::error::Result;
use crate::source::snowflake::{Account, SnowflakeRows, TableName, What, tables};
use crate::source::{Rows, Sources, ask, blocking};
use crate::spec::SnowflakeConnection;

/// Clocks may differ by so much until a signed login counts as expired.
const TOLERATED: TimeDelta = TimeDelta::minutes(1);

/// A connection to Snowflake.
pub(super) struct SnowflakeProbe {
    sources: Sources,
    connection: SnowflakeConnection,
    web: Result<Web, Outcome>,
    account: Option<Arc<Account>>,
    /// URL of a table that is seen.
    table: Option<String>,
}

impl SnowflakeProbe {
    pub(super) fn new(sources: &Sources, connection: &SnowflakeConnection) -> Self {
        let usual = || format!("https://{}.snowflakecomputing.com", connection.account);
        let url = connection.endpoint.clone().unwrap_or_else(usual);
        Self {
            sources: sources.clone(),
            connection: connection.clone(),
            web: Web::of(&url).map_err(Outcome::from),
            account: None,
            table: None,
        }
    }

    async fn secrets(&mut self) -> Result<Outcome> {
        let (connection, base) = (self.connection.clone(), self.sources.base().to_owned());
        let account = blocking(move || Account::of(&connection, &base)).await?;
        self.account = Some(Arc::new(account));
        Ok(Outcome::good("all are where the connection says"))
    }

    async fn login(&self) -> Result<Outcome> {
        let Some(account) = self.account.clone() else {
            return Ok(Outcome::skipped("nobody says who you are"));
        };
        ask(async move { account.log_in().await }).await?;
        Ok(Outcome::good(format!("logged in to {}", self.connection.account)))
    }

    /// The tables of the schema, of the database, or of all.
    async fn list(&mut self) -> Result<Outcome> {
        let Some(account) = self.account.clone() else {
            return Ok(Outcome::skipped("nobody says who you are"));
        };
        let place = match (&self.connection.database, &self.connection.schema) {
            (Some(database), Some(schema)) => format!("snowflake://{database}/{schema}"),
            (Some(database), None) => format!("snowflake://{database}"),
            (None, _) => "snowflake://".to_owned(),
        };
        let seen = place.clone();
        let listing =
            blocking(move || tables(&account, &place).map_err(|error| error.in_file(&place))).await?;
        self.table = listing.files.first().map(|table| table.url.clone());
        Ok(Outcome::good(format!(
            "{} tables and views in {seen}",
            listing.files.len()
        )))
    }

    async fn read(&self) -> Result<Outcome> {
        let (Some(account), Some(url)) = (self.account.clone(), self.table.clone()) else {
            return Ok(Outcome::skipped("there is no table to read"));
        };
        let seen = format!("the first row of {url}");
        let reading = move || {
            let table = What::Table(TableName::of(&url)?);
            let rows = SnowflakeRows::open(account, &table, None)?;
            rows.sample(1)?.next().transpose()
        };
        blocking(reading).await?;
        Ok(Outcome::good(seen))
    }
}

impl Probe for SnowflakeProbe {
    async fn probe(&mut self, check: Check) -> Outcome {
        let outcome = match (check, &mut self.web) {
            (Check::Secrets, _) => self.secrets().await,
            (Check::Login, _) => self.login().await,
            (Check::List, _) => self.list().await,
            (Check::Read, _) => self.read().await,
            (_, Ok(web)) => Ok(web.step(check, TOLERATED).await),
            (_, Err(outcome)) => Ok(outcome.clone()),
        };
        outcome.unwrap_or_else(Outcome::from)
    }
}
