//! `vacuum`: every version within the retention stays whole, and nothing else does.

use std::time::SystemTime;

use chrono::{DateTime, Duration, Utc};
use deltalake_core::kernel::Action;
use sluice_engine::maintain::{
    MaintainedTable, ShortRetention, VacuumEffect, VacuumReport, VacuumRequest, vacuum,
};
use sluice_engine::process::{Lease, ProcessState};

use super::support::{
    age, age_version, bench, commit, folder, ingest, listed, live, mark_dead, optimized, snapshot,
};
use crate::support::{Bench, LEASE_TERM};

/// As if it was so many days from now.
fn request(retention: &str, days_from_now: i64) -> VacuumRequest {
    VacuumRequest {
        tables: MaintainedTable::ALL.to_vec(),
        retention: retention.parse().unwrap(),
        effect: VacuumEffect::Delete,
        short: ShortRetention::Refused,
        now: DateTime::<Utc>::from(SystemTime::now()) + Duration::days(days_from_now),
    }
}

async fn vacuumed(bench: &Bench, retention: &str, days_from_now: i64) -> VacuumReport {
    vacuum(&bench.instance, &request(retention, days_from_now))
        .await
        .unwrap()
}

async fn customers_at(bench: &Bench, version: u64) -> Vec<String> {
    bench
        .rows(&format!("SELECT * FROM customers_at({version}) ORDER BY 1"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_within_the_retention_stay_and_older_ones_go() {
    let bench = bench().await;
    for (from, value) in [(0, "a"), (5, "b"), (0, "c")] {
        ingest(&bench, from, 10, value).await;
    }
    optimized(&bench).await;
    let latest = snapshot(&bench).await;
    let mut versions = Vec::new();
    for version in 1..=latest.version {
        versions.push(customers_at(&bench, version).await);
    }
    // All are younger than a month.
    let none = vacuumed(&bench, "30d", 0).await;
    assert!(
        none.tables.iter().all(|table| table.files.is_empty()),
        "{none:#?}"
    );
    for version in 1..=latest.version {
        assert_eq!(
            customers_at(&bench, version).await,
            versions[version as usize - 1]
        );
    }
    // In 31 days only the newest is.
    let all = vacuumed(&bench, "30d", 31).await;
    assert_eq!(all.tables[0].oldest_version, latest.version);
    assert_eq!(listed(&bench, "customers"), live(&latest));
    assert_eq!(
        customers_at(&bench, latest.version).await,
        *versions.last().unwrap()
    );
    for table in ["rejects", "runs", "events"] {
        bench.rows(&format!("SELECT * FROM {table}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_that_was_current_at_the_end_of_the_retention_stays() {
    let bench = bench().await;
    for (version, days) in [(1, 40), (2, 20), (3, 0)] {
        ingest(&bench, 0, 10, &format!("v{version}-")).await;
        age_version(&bench, "customers", version, days);
    }
    age_version(&bench, "customers", 0, 40);
    for name in listed(&bench, "customers") {
        age(&folder(&bench, "customers").join(name), 40);
    }
    let report = vacuumed(&bench, "7d", 0).await;
    // Seven days ago version 2 was current, though its entry is 20 days old.
    let customers = &report.tables[0];
    assert_eq!((customers.oldest_version, customers.data_files), (2, 1));
    assert_eq!(customers_at(&bench, 2).await[0], "C00000|v2-0");
    assert_eq!(customers_at(&bench, 3).await[0], "C00000|v3-0");
    assert!(bench.query("SELECT * FROM customers_at(1)").await.is_err());
}

/// What deletes a file by its first Remove loses this table.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_marked_20_days_ago_and_replaced_today_is_read_as_of_yesterday() {
    let bench = bench().await;
    ingest(&bench, 0, 100, "x").await;
    mark_dead(&bench, 0..30).await;
    for (version, days) in [(0, 60), (1, 50), (2, 20)] {
        age_version(&bench, "customers", version, days);
    }
    let marked = live(&snapshot(&bench).await);
    assert_eq!(marked.len(), 2, "a file and its vector");
    for name in &marked {
        age(&folder(&bench, "customers").join(name), 20);
    }
    let rows = bench.customers().await;
    optimized(&bench).await;
    let report = vacuumed(&bench, "7d", 0).await;
    assert_eq!(
        (report.tables[0].oldest_version, report.tables[0].files.len()),
        (2, 0)
    );
    assert_eq!(customers_at(&bench, 2).await, rows);
    assert_eq!(bench.customers().await, rows);
    // In two days a day's retention needs neither.
    let report = vacuumed(&bench, "24h", 2).await;
    assert_eq!(
        (report.tables[0].data_files, report.tables[0].vector_files),
        (1, 1)
    );
    assert_eq!(listed(&bench, "customers"), live(&snapshot(&bench).await));
    assert_eq!(bench.customers().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_that_went_over_to_a_new_file_stays_with_it() {
    let bench = bench().await;
    ingest(&bench, 0, 100, "x").await;
    mark_dead(&bench, 0..10).await;
    let before = snapshot(&bench).await;
    let rows = bench.customers().await;
    // As a splice does: another file, rows in the same places, the same vector.
    let old = &before.files[0];
    let name = sluice_engine::ids::data_file(&sluice_engine::ids::new_run_id());
    let customers = folder(&bench, "customers");
    std::fs::copy(customers.join(&old.add.path), customers.join(&name)).unwrap();
    let mut spliced = old.add.clone();
    spliced.path = name.clone();
    commit(&bench, vec![Action::Remove(old.remove(1)), Action::Add(spliced)]).await;
    let report = vacuumed(&bench, "24h", 2).await;
    assert_eq!(report.tables[0].files, std::slice::from_ref(&old.add.path));
    assert_eq!(bench.customers().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_time_in_a_restored_folder_deletes_nothing() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    ingest(&bench, 0, 10, "y").await;
    // Entries that look old, and commits that say they are not.
    for version in 0..=2 {
        age(
            &folder(&bench, "customers").join(format!("_delta_log/{version:020}.json")),
            90,
        );
    }
    for name in listed(&bench, "customers") {
        age(&folder(&bench, "customers").join(name), 90);
    }
    let report = vacuumed(&bench, "30d", 0).await;
    assert!(report.tables[0].files.is_empty(), "{report:#?}");
    assert_eq!(customers_at(&bench, 1).await[0], "C00000|x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_dead_runs_go_and_those_of_living_ones_stay() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    let customers = folder(&bench, "customers");
    let id = sluice_engine::ids::new_run_id();
    let other = sluice_engine::ids::new_run_id();
    let names = [
        (format!("part-{id}-0.parquet"), true),
        (format!("part-{other}-0.parquet"), false),
        (format!("part-{other}-1.parquet#1"), false),
        (
            "deletion_vector_00000000-0000-0000-0000-000000000000.bin".to_owned(),
            false,
        ),
        ("README.md".to_owned(), true),
    ];
    for (name, _) in &names {
        std::fs::write(customers.join(name), "x").unwrap();
        age(&customers.join(name), 10);
    }
    let mut lease = Lease::new(id, 2, "manual".to_owned(), LEASE_TERM);
    lease.started_at -= Duration::days(1);
    bench
        .state("a")
        .update(|state| {
            state.lease = Some(lease.clone());
            Ok(())
        })
        .await
        .unwrap();
    let report = vacuumed(&bench, "7d", 0).await;
    let table = &report.tables[0];
    assert_eq!(
        (
            table.data_files,
            table.vector_files,
            table.partial_files,
            table.bytes
        ),
        (1, 1, 1, 3)
    );
    for (name, stays) in &names {
        assert_eq!(customers.join(name).exists(), *stays, "{name}");
    }
    assert_eq!(bench.customers().await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_younger_than_a_run_under_way_stays() {
    let bench = bench().await;
    let file = folder(&bench, "customers").join("deletion_vector_00000000-0000-0000-0000-000000000001.bin");
    std::fs::write(&file, "x").unwrap();
    age(&file, 2);
    let mut lease = Lease::new("a-run".to_owned(), 2, "manual".to_owned(), LEASE_TERM);
    lease.started_at -= Duration::days(3);
    let state = bench.state("a");
    let hold = async |lease: Option<Lease>| {
        let change = |state: &mut ProcessState| {
            state.lease = lease.clone();
            Ok(())
        };
        state.update(change).await
    };
    hold(Some(lease)).await.unwrap();
    assert!(vacuumed(&bench, "24h", 0).await.tables[0].files.is_empty());
    hold(None).await.unwrap();
    assert_eq!(vacuumed(&bench, "24h", 0).await.tables[0].vector_files, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retention_below_a_day_needs_force_and_still_spares_the_last_hour() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    ingest(&bench, 0, 10, "y").await;
    let mut short = request("23h", 0);
    let error = vacuum(&bench.instance, &short).await.unwrap_err();
    assert_eq!(error.class().exit_code(), 2);
    assert!(error.to_string().contains("rollback"), "{error}");
    short.retention = "0h".parse().unwrap();
    short.short = ShortRetention::Forced;
    let report = vacuum(&bench.instance, &short).await.unwrap();
    assert!(report.tables[0].files.is_empty(), "{report:#?}");
    short.now += Duration::hours(2);
    let report = vacuum(&bench.instance, &short).await.unwrap();
    assert_eq!(report.tables[0].data_files, 1);
    assert_eq!(listed(&bench, "customers"), live(&snapshot(&bench).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_lists_what_would_go_and_deletes_nothing() {
    let bench = bench().await;
    ingest(&bench, 0, 10, "x").await;
    ingest(&bench, 0, 10, "y").await;
    let names = listed(&bench, "customers");
    let mut dry = request("24h", 2);
    dry.effect = VacuumEffect::DryRun;
    let report = vacuum(&bench.instance, &dry).await.unwrap();
    assert!(report.dry_run && report.tables[0].files.len() == 1, "{report:#?}");
    assert_eq!(listed(&bench, "customers"), names);
}
