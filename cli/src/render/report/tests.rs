use sluice_engine::merge::cost::{Costs, Reason, Strategy};
use sluice_engine::merge::{AttributeCells, FileOutcome, MergeSummary, Repeated, WaySummary};
use sluice_engine::split::RuleCount;

use super::*;

fn merged() -> Report {
    let mut run = RunRecord::started("0190-7".into(), "customers", 3, "manual");
    run.status = RunStatus::CompletedWithRejects;
    run.mode = "register".into();
    run.duration_ms = Some(2_000);
    run.source_file = Some("/data/customers.csv".into());
    run.source_size_bytes = Some(120_000_000);
    (run.rows_read, run.rows_accepted, run.rows_rejected) = (Some(1_000_000), Some(990_000), Some(10_000));
    (run.rows_inserted, run.rows_updated, run.rows_unchanged) = (Some(900_000), Some(80_000), Some(10_000));
    (run.version_before, run.version_after) = (Some(4), Some(5));
    let count = RuleCount {
        rule: "cid_null".into(),
        severity: "reject".into(),
        records: 10_000,
    };
    run.rule_counts = vec![count];
    run.phase_ms = [("load".to_owned(), 1_500), ("merge".to_owned(), 400)].into();
    Report {
        run,
        dry_run: false,
        guards: Vec::new(),
        attributes: Vec::new(),
        merge: MergeSummary::default(),
        warnings: Vec::new(),
        error: None,
    }
}

#[test]
fn a_merged_run_shows_that_its_books_balance() {
    let text = report(&merged(), "sluice");
    assert!(
        text.starts_with("customers/3: completed with rejects in 2.000 s\n"),
        "{text}"
    );
    assert!(
        text.contains("balance: 1,000,000 read = 990,000 accepted + 10,000 rejected\n"),
        "{text}"
    );
    let second = "balance: 990,000 accepted = 900,000 inserted + 80,000 updated + 10,000 unchanged\n";
    assert!(text.contains(second), "{text}");
    assert!(
        text.contains("/data/customers.csv (120.0 MB, 60.0 MB/s)"),
        "{text}"
    );
    assert!(text.contains("4 before, 5 after"), "{text}");
    assert!(text.contains("cid_null  reject     10,000"), "{text}");
}

#[test]
fn books_that_do_not_balance_are_shouted() {
    let mut report = merged();
    report.run.rows_updated = Some(79_999);
    let text = super::report(&report, "sluice");
    assert!(
        text.contains("THE BOOKS DO NOT BALANCE: 990,000 accepted, but 900,000 inserted + 79,999 updated"),
        "{text}"
    );
}

#[test]
fn a_failed_run_that_read_half_its_source_says_so_and_counts_nothing_merged() {
    let mut report = merged();
    report.run.status = RunStatus::Failed;
    report.run.rows_accepted = Some(1);
    (
        report.run.rows_inserted,
        report.run.rows_updated,
        report.run.rows_unchanged,
    ) = (None, None, None);
    report.run.version_after = None;
    let text = super::report(&report, "sluice");
    assert!(text.contains("the source was not read to its end"), "{text}");
    assert!(!text.contains("inserted"), "{text}");
    assert!(text.contains("4, unchanged"), "{text}");
}

#[test]
fn a_dry_run_says_that_nothing_was_written_and_what_would_change() {
    let cells = AttributeCells {
        attribute: "city".into(),
        cells_changed: 1_200,
        cells_cleared: 7,
        ..AttributeCells::default()
    };
    let report = Report {
        dry_run: true,
        attributes: vec![cells],
        ..merged()
    };
    let text = super::report(&report, "sluice");
    assert!(
        text.starts_with("customers: DRY RUN, nothing was written;"),
        "{text}"
    );
    assert!(text.contains("city                 1,200         7"), "{text}");
    assert!(
        text.contains("\n  sluice run customers --file /data/customers.csv\n"),
        "{text}"
    );
    assert!(!text.contains("sluice rejects"), "{text}");
}

#[test]
fn the_next_commands_name_the_run_and_the_instance() {
    let text = report(&merged(), "sluice -i base");
    assert!(
        text.contains("\n  sluice -i base rejects customers/3 --by-rule\n"),
        "{text}"
    );
    let mut skipped = merged();
    skipped.run.status = RunStatus::Skipped;
    assert!(report(&skipped, "sluice").contains(" --force\n"));
}

fn spliced(path: &str) -> FileOutcome {
    FileOutcome {
        path: path.to_owned(),
        strategy: Strategy::Splice,
        reason: Reason::TooManyOverlaps,
        costs: Costs {
            deletion_vector_ns: 1e6,
            splice_ns: 2.5e7,
            rewrite_ns: 3e9,
        },
        read_bytes: 0,
        copied_bytes: 0,
        encoded_bytes: 0,
        counts: Default::default(),
    }
}

#[test]
fn a_run_whose_content_was_merged_last_says_so_in_place_of_files() {
    let mut report = merged();
    report.merge.repeats = Some(Repeated {
        run_id: "01a2".to_owned(),
        version: 7,
    });
    let text = super::report(&report, "sluice");
    let none =
        "files merged  none: run 01a2 merged the same content in version 7, and nobody changed it since\n";
    assert!(text.contains(none), "{text}");
}

#[test]
fn a_run_says_how_the_files_were_merged_and_a_dry_run_what_each_way_would_cost() {
    let way = WaySummary {
        strategy: Strategy::Splice,
        reason: Reason::TooManyOverlaps,
        files: 1_001,
        rows_updated: 80_000,
    };
    let mut report = merged();
    report.merge.ways = vec![way];
    report.merge.copied_bytes = 1_200_000;
    report.merge.files = (0..30).map(|file| spliced(&format!("part-{file}"))).collect();
    let text = super::report(&report, "sluice");
    assert!(
        text.contains("splice        1,001        80,000  too many files may hold these customers"),
        "{text}"
    );
    assert!(text.contains("copied 1.2 MB"), "{text}");
    assert!(!text.contains("part-0"), "{text}");
    assert!(!text.contains("faster"), "{text}");
    report.merge.races.lost_races = 2;
    report.merge.races.kept_files = 1_002;
    let text = super::report(&report, "sluice");
    let races = "other commits were faster 2 times: 1,002 files kept, 0 merged again";
    assert!(text.contains(races), "{text}");
    report.dry_run = true;
    let text = super::report(&report, "sluice");
    assert!(
        text.contains("part-19     0  splice  0.001 s  0.025 s  3.000 s"),
        "{text}"
    );
    assert!(
        text.contains("and 10 more") && !text.contains("part-20 "),
        "{text}"
    );
}
