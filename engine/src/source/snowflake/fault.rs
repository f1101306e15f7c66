//! What goes wrong between us and Snowflake.

use snowflake_connector_rs::{Error as SnowflakeError, ErrorKind};

use crate::error::Error;

/// Codes by which a server says that a session is over, besides the one that the client knows.
const EXPIRED: [&str; 4] = ["390104", "390111", "390112", "390114"];
/// There is no such thing, or the role may not see it: Snowflake does not tell which.
const NOT_VISIBLE: &str = "002003";
/// The role may not do that.
const NOT_ALLOWED: &str = "003001";
/// No warehouse is chosen, or it may not be used.
const NO_WAREHOUSE: &str = "000606";

/// Whether a new session would help.
pub(super) fn is_expired(error: &SnowflakeError) -> bool {
    error.is_session_expired() || error.snowflake_code().is_some_and(|code| EXPIRED.contains(&code))
}

/// Whether the same request may do a moment later.
pub(super) fn is_transient(error: &SnowflakeError) -> bool {
    matches!(error.kind(), ErrorKind::Network)
}

/// The error that the user sees.
pub(super) fn of(error: SnowflakeError) -> Error {
    let message = error
        .snowflake_message()
        .map(|message| message.replace('\n', " "));
    let said = message.unwrap_or_else(|| error.to_string());
    let query = error
        .query_id()
        .map(|id| format!("the query is {id} in Snowflake's history"));
    let (what, remedy) = match (error.kind(), error.snowflake_code()) {
        (ErrorKind::Auth, _) => (
            "Snowflake refused the login",
            "check account, user and secret of the connection",
        ),
        (ErrorKind::Config, _) => (
            "the connection to Snowflake is not set up right",
            "check it in sluice.toml",
        ),
        (ErrorKind::Network | ErrorKind::Timeout, _) => (
            "Snowflake cannot be reached",
            "check the account of the connection, network and firewalls",
        ),
        (_, Some(NOT_VISIBLE)) => (
            "the source does not exist, or the role may not see it",
            "check the names, and the role of the connection: SHOW GRANTS TO ROLE",
        ),
        (_, Some(NOT_ALLOWED)) => (
            "the role may not read the source",
            "grant it SELECT, or use another role",
        ),
        (_, Some(NO_WAREHOUSE)) => (
            "no warehouse runs the query",
            "write warehouse into the connection, and grant its USAGE to the role",
        ),
        _ => ("Snowflake failed", "try the statement in Snowflake itself"),
    };
    let mut found = Error::runtime(what).because(said).hint(remedy);
    if let Some(query) = query {
        found = found.hint(query);
    }
    found
}
