//! An account, and the session in it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use snowflake_connector_rs::{
    AuthConfig, Client, ClientConfig, EndpointConfig, Error as SnowflakeError, KeyPairConfig, QueryConfig,
    QueryHandle, ResultCursor, Session, SessionConfig,
};
use tokio::sync::Mutex;

use super::super::io::wait;
use super::super::secret::{find_secret, find_value};
use super::fault;
use crate::error::{Error, Result};
use crate::spec::{SecretText, SnowflakeAuth, SnowflakeConnection};

/// How long a login may take.
const LOGIN_TIME: Duration = Duration::from_secs(60);
/// How long a query may take until its first rows; whoever waits may stop it.
const QUERY_TIME: Duration = Duration::from_secs(24 * 3600);
/// Attempts at one request, and the wait before the second; doubled each time.
const MAX_ATTEMPTS: u32 = 4;
const BEFORE_RETRY: Duration = Duration::from_millis(500);

/// An account of Snowflake, as one of its users. Nothing is asked of it until something is wanted.
pub struct Account {
    client: Client,
    /// The account's name, for errors.
    shown: String,
    /// The database of the connection.
    database: Option<String>,
    session: Mutex<Option<Arc<Session>>>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("account", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// The account of a connection; its secrets are found, relative to `base`. May wait for them.
    ///
    /// # Errors
    /// A secret is not there, or the endpoint is no URL.
    pub fn of(connection: &SnowflakeConnection, base: &Path) -> Result<Self> {
        let user = connection
            .user
            .as_ref()
            .map(|user| find_value(user, base))
            .transpose()?;
        let user = user.as_ref().map_or("", SecretText::reveal);
        let config = ClientConfig::new(user, &connection.account, proof(&connection.auth, base)?)
            .with_session(session(connection))
            .with_query(QueryConfig::new().with_query_response_timeout(QUERY_TIME))
            .with_endpoint(endpoint(connection)?);
        Ok(Self {
            // There, because whoever starts those threads chooses the cryptography.
            client: wait(async move { Client::new(config).map_err(fault::of) })?,
            shown: connection.account.clone(),
            database: connection.database.clone(),
            session: Mutex::new(None),
        })
    }

    /// The database of the connection.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Logs in, once, unless there is a session.
    ///
    /// # Errors
    /// The account cannot be reached or refuses us.
    pub async fn log_in(&self) -> Result<()> {
        self.session().await.map(drop).map_err(|error| self.named(error))
    }

    /// Sends a statement that reads; `started` gets a handle to stop it by.
    pub(super) async fn query(&self, sql: &str, started: impl Fn(&QueryHandle)) -> Result<ResultCursor> {
        let mut attempt = 1;
        loop {
            let failed = match self.query_once(sql, &started).await {
                Ok(cursor) => return Ok(cursor),
                Err(failed) => failed,
            };
            if fault::is_expired(&failed) {
                *self.session.lock().await = None;
            }
            let may_do = fault::is_expired(&failed) || fault::is_transient(&failed);
            if !may_do || attempt == MAX_ATTEMPTS {
                return Err(self.named(failed));
            }
            tokio::time::sleep(BEFORE_RETRY * 2_u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }

    async fn query_once(
        &self,
        sql: &str,
        started: &impl Fn(&QueryHandle),
    ) -> Result<ResultCursor, SnowflakeError> {
        let handle = self.session().await?.query_handle(sql.to_owned())?;
        started(&handle);
        handle.execute().await
    }

    /// The session that is kept, or a new one.
    async fn session(&self) -> Result<Arc<Session>, SnowflakeError> {
        // Whoever waits here waits for the session that will be his too.
        let mut kept = self.session.lock().await;
        if let Some(session) = &*kept {
            return Ok(Arc::clone(session));
        }
        let login = tokio::time::timeout(LOGIN_TIME, self.client.create_session()).await;
        let too_late = |_| SnowflakeError::other("the login had no answer within a minute");
        let session = Arc::new(login.map_err(too_late)??);
        *kept = Some(Arc::clone(&session));
        Ok(session)
    }

    pub(super) fn named(&self, error: SnowflakeError) -> Error {
        fault::of(error).in_file(format!("snowflake account {}", self.shown))
    }
}

fn proof(auth: &SnowflakeAuth, base: &Path) -> Result<AuthConfig> {
    let found = |secret| find_secret(secret, base);
    Ok(match auth {
        SnowflakeAuth::Password(password) => AuthConfig::password(found(password)?.reveal()),
        SnowflakeAuth::OauthToken(token) => AuthConfig::oauth(found(token)?.reveal()),
        SnowflakeAuth::Key {
            private_key,
            passphrase: None,
        } => AuthConfig::key_pair(KeyPairConfig::from_pem(found(private_key)?.reveal())),
        SnowflakeAuth::Key {
            private_key,
            passphrase: Some(passphrase),
        } => {
            let (key, passphrase) = (found(private_key)?, found(passphrase)?);
            AuthConfig::key_pair(KeyPairConfig::from_encrypted_pem(
                key.reveal(),
                passphrase.reveal(),
            ))
        }
    })
}

fn session(connection: &SnowflakeConnection) -> SessionConfig {
    let mut session = SessionConfig::new();
    if let Some(role) = &connection.role {
        session = session.with_role(role);
    }
    if let Some(warehouse) = &connection.warehouse {
        session = session.with_warehouse(warehouse);
    }
    if let Some(database) = &connection.database {
        session = session.with_database(database);
    }
    if let Some(schema) = &connection.schema {
        session = session.with_schema(schema);
    }
    session
}

fn endpoint(connection: &SnowflakeConnection) -> Result<EndpointConfig> {
    let Some(endpoint) = &connection.endpoint else {
        return Ok(EndpointConfig::default());
    };
    let url = endpoint.parse().map_err(|error: url::ParseError| {
        let hint = "write it as https://HOST in sluice.toml";
        Error::usage(format!("the endpoint {endpoint:?} is no URL"))
            .because(error)
            .hint(hint)
    })?;
    Ok(EndpointConfig::custom_base_url(url))
}
