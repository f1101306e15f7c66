//! Every way to prove who we are, and its failure.

use sluice_engine::source::blocking;
use sluice_engine::source::snowflake::{SnowflakeRows, What};

use super::support::{Warehouse, account, by_password};
use crate::support::services::service;

/// Logs in and reads a row.
async fn try_login(config: &str) -> sluice_engine::Result<()> {
    let account = account(config).await?;
    let query = What::Query("SELECT 1 AS A".to_owned());
    blocking(move || SnowflakeRows::open(account, &query, None).map(drop)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_lets_in_by_password_key_locked_key_and_token() {
    let warehouse = Warehouse::new().await;
    let key = service("snowflake", "SLUICE_TEST_SNOWFLAKE_KEY");
    let locked = service("snowflake", "SLUICE_TEST_SNOWFLAKE_LOCKED_KEY");
    for proof in [
        by_password("SLUICE_TEST_SNOWFLAKE_PASSWORD"),
        format!("private_key = {{ file = \"{key}\" }}"),
        format!(
            "private_key = {{ file = \"{locked}\" }}\npassphrase = {{ env = \"SLUICE_TEST_SNOWFLAKE_PASSPHRASE\" }}"
        ),
        "oauth_token = { env = \"SLUICE_TEST_SNOWFLAKE_TOKEN\" }".to_owned(),
    ] {
        let config = warehouse.connection(&warehouse.server.url, &proof);
        try_login(&config)
            .await
            .unwrap_or_else(|error| panic!("{proof}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_refuses_wrong_secrets_in_its_own_words() {
    let warehouse = Warehouse::new().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let made = std::process::Command::new("openssl")
        .args([
            "genpkey",
            "-quiet",
            "-algorithm",
            "RSA",
            "-out",
            key.to_str().unwrap(),
        ])
        .status();
    assert!(made.unwrap().success());
    let locked = service("snowflake", "SLUICE_TEST_SNOWFLAKE_LOCKED_KEY");
    for (proof, expected) in [
        (
            by_password("SLUICE_TEST_SNOWFLAKE_TOKEN"),
            "Incorrect username or password",
        ),
        (
            format!("private_key = {{ file = \"{}\" }}", key.display()),
            "JWT token is invalid",
        ),
        (
            "oauth_token = { env = \"SLUICE_TEST_SNOWFLAKE_PASSWORD\" }".to_owned(),
            "Invalid OAuth access token",
        ),
        (
            format!(
                "private_key = {{ file = \"{locked}\" }}\npassphrase = {{ env = \"SLUICE_TEST_SNOWFLAKE_TOKEN\" }}"
            ),
            "Snowflake refused the login",
        ),
    ] {
        let config = warehouse.connection(&warehouse.server.url, &proof);
        let error = try_login(&config).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("snowflake account acct"), "{error}");
        assert!(!error.to_string().contains(&warehouse.server.password), "{error}");
        assert_eq!(error.class().exit_code(), 1);
    }
}
