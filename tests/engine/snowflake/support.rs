//! A database of the test's own, and ways to it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sluice_engine::source::snowflake::Account;
use sluice_engine::source::{Rows, Stop, blocking};
use sluice_engine::spec::parse_instance;
use sluice_engine::{Result, spec};
use snowflake_connector_rs::{AuthConfig, Client, ClientConfig, EndpointConfig, Session};

use crate::support::Bench;
use crate::support::services::SnowflakeServer;

/// How long something is waited for that must come.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A database on the counterpart.
pub struct Warehouse {
    pub server: SnowflakeServer,
    /// The database's name.
    pub database: String,
    session: Session,
    wishes: reqwest::Client,
}

impl Warehouse {
    pub async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = SnowflakeServer::find();
        let auth = AuthConfig::password(server.password.as_str());
        let endpoint = EndpointConfig::custom_base_url(server.url.parse().unwrap());
        let config = ClientConfig::new(&server.user, &server.account, auth).with_endpoint(endpoint);
        let session = Client::new(config).unwrap().create_session().await.unwrap();
        let database = format!(
            "DB_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let warehouse = Self {
            server,
            database,
            session,
            wishes: reqwest::Client::new(),
        };
        warehouse
            .execute(&format!("CREATE DATABASE {}", warehouse.database))
            .await;
        warehouse
            .execute(&format!("CREATE SCHEMA {}.S", warehouse.database))
            .await;
        warehouse
    }

    pub async fn execute(&self, sql: &str) {
        let rows = self
            .session
            .query(sql.to_owned())
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.collect_table().await.unwrap();
    }

    /// A table of customers in the schema S; number 2 has a bad spend.
    pub async fn customers(&self, table: &str, num_rows: usize) {
        self.execute(&format!(
            "CREATE TABLE {}.S.{table} AS SELECT 'C' || lpad(i::varchar, 7, '0') AS CID, 'Gold' AS TIER, \
             CASE WHEN i = 2 THEN 'lots' ELSE i || '.25' END AS SPEND \
             FROM (SELECT seq4() AS i FROM TABLE(GENERATOR(ROWCOUNT => {num_rows})))",
            self.database
        ))
        .await;
    }

    pub fn url(&self, table: &str) -> String {
        format!("snowflake://{}/S/{table}", self.database)
    }

    /// `[connections.warehouse]`, with the lines that prove who we are.
    pub fn connection(&self, endpoint: &str, proof: &str) -> String {
        format!(
            "[connections.warehouse]\ntype = \"snowflake\"\naccount = \"{}\"\nuser = \"{}\"\nendpoint = \"{endpoint}\"\n\
             allow_http = true\n{proof}\n",
            self.server.account, self.server.user
        )
    }

    pub fn by_password(&self) -> String {
        self.connection(&self.server.url, &by_password("SLUICE_TEST_SNOWFLAKE_PASSWORD"))
    }

    /// An instance with that connection, and a process `p` that reads customers from `source`, TOML of `[source]`.
    pub async fn bench(&self, config: &str, source: &str) -> Bench {
        let bench = Bench::with_config(config).await;
        let toml = format!(
            "mode = \"register\"\nkey = \"CID\"\n[source]\nconnection = \"warehouse\"\n{source}\n\
             [[attribute]]\ncolumn = \"TIER\"\ntype = \"string\"\n\
             [[attribute]]\ncolumn = \"SPEND\"\ntype = \"decimal(18,2)\"\n"
        );
        bench.process("p", &toml).await;
        bench
    }

    /// What the counterpart answers to a test's wish.
    pub async fn wish(&self, path: &str) -> String {
        let url = format!("{}/test/{path}", self.server.url);
        let answer = self.wishes.get(url).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Waits until so many statements wait that name the database.
    pub async fn until_waiting(&self, statements: usize) {
        let begun = Instant::now();
        loop {
            let waiting: Vec<String> = serde_json::from_str(&self.wish("waiting").await).unwrap();
            if waiting.iter().filter(|sql| sql.contains(&self.database)).count() >= statements {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no statement waits");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn by_password(variable: &str) -> String {
    format!("password = {{ env = \"{variable}\" }}")
}

/// The account of a connection, as TOML.
pub async fn account(config: &str) -> Result<Arc<Account>> {
    let config = parse_instance(&format!("format = 1\n{config}")).unwrap();
    let connection = match config.connections.get("warehouse") {
        Some(spec::Connection::Snowflake(connection)) => connection.clone(),
        other => panic!("{other:?}"),
    };
    blocking(move || Account::of(&connection, Path::new("/")).map(Arc::new)).await
}

/// All rows, counted.
pub async fn count(rows: Arc<dyn Rows>) -> Result<usize> {
    blocking(move || {
        rows.batches(Stop::default())?
            .map(|batch| Ok(batch?.num_rows()))
            .sum()
    })
    .await
}
