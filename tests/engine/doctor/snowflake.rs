//! An account of Snowflake.

use sluice_engine::doctor::Check;

use super::support::{assert_failed, examined, examined_with, failed, outcome};
use crate::snowflake::support::{Warehouse, by_password};

fn connection(warehouse: &Warehouse, more: &str) -> String {
    let config = warehouse
        .by_password()
        .replace("[connections.warehouse]", "[connections.c]");
    format!("{config}{more}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_well_passes_every_check() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("CUSTOMERS", 3).await;
    let database = format!(
        "{}database = \"{}\"\n",
        warehouse.by_password(),
        warehouse.database
    );
    let url = warehouse.url("CUSTOMERS");
    let bench = warehouse.bench(&database, &format!("url = {url:?}")).await;
    let findings = examined(&bench, Some("warehouse")).await;
    assert_eq!(failed(&findings), [""; 0], "{findings:#?}");
    assert!(
        outcome(&findings, Check::List)
            .seen()
            .starts_with("1 tables and views in snowflake://DB_")
    );
    assert_eq!(
        outcome(&findings, Check::Read).seen(),
        format!("the first row of {url}")
    );
    assert_eq!(outcome(&findings, Check::Source).seen(), url);
    assert_eq!(outcome(&findings, Check::Clock).word(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_wrong_fails_at_authentication() {
    let warehouse = Warehouse::new().await;
    let wrong = by_password("SLUICE_TEST_SNOWFLAKE_TOKEN");
    let config = connection(&warehouse, "").replace(&by_password("SLUICE_TEST_SNOWFLAKE_PASSWORD"), &wrong);
    let findings = examined_with(&config).await;
    assert_failed(
        &findings,
        Check::Login,
        "Incorrect username or password",
        "check account, user and secret",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_may_not_be_read_fails_at_reading() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("FORBIDDEN", 1).await;
    let database = format!("database = \"{}\"", warehouse.database);
    let findings = examined_with(&connection(&warehouse, &database)).await;
    assert_failed(
        &findings,
        Check::Read,
        "may not read the source",
        "grant it SELECT",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_table_or_database_is_gone_fails_at_its_source() {
    let warehouse = Warehouse::new().await;
    warehouse.customers("CUSTOMERS", 1).await;
    let database = format!(
        "{}database = \"{}\"\n",
        warehouse.by_password(),
        warehouse.database
    );
    for gone in [warehouse.url("GONE"), "snowflake://GONE/S/CUSTOMERS".to_owned()] {
        let bench = warehouse.bench(&database, &format!("url = {gone:?}")).await;
        let findings = examined(&bench, Some("warehouse")).await;
        assert_failed(&findings, Check::Source, "GONE", "check the names");
    }
}
