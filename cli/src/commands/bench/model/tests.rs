//! A bench that follows a law, and what is made of it at other sizes.

use std::collections::BTreeMap;

use super::super::machine::Machine;
use super::*;

const CORES: usize = 2;
/// What the law says, seconds: the fixed costs, and of each row or customer.
const START: f64 = 0.05;
const RUN: f64 = 0.2;
const JUDGED: f64 = 1e-6;
const LOADED: f64 = 4e-6;
const ADOPTED: f64 = 6e-6;
const OPTIMIZED: f64 = 5e-6;
/// Bytes of a customer that a merge copies.
const COPIED_BYTES: u64 = 200;

/// Seconds of the files a customer, beside copying.
fn files_at(percent: u64) -> f64 {
    [(1, 1e-6), (10, 1.5e-6), (100, 4e-6)]
        .into_iter()
        .find_map(|(at, seconds)| (at == percent).then_some(seconds))
        .unwrap()
}

fn step(name: &str, rows: u64, seconds: f64) -> Measured {
    Measured {
        step: name.to_owned(),
        rows,
        bytes: Some(rows * 100),
        seconds,
        fastest_seconds: seconds,
        rows_per_second: rows as f64 / seconds,
        mb_per_second: None,
        phase_ms: BTreeMap::new(),
        read_bytes: None,
        copied_bytes: None,
        encoded_bytes: None,
        peak_rss_bytes: Some(100_000_000 + rows * 500),
        disk_bytes: None,
    }
}

/// What the law gives.
fn bench(customers: u64) -> Outcome {
    let number = customers as f64;
    let on_disk = |step: Measured| Measured {
        disk_bytes: Some(customers * 150),
        ..step
    };
    let mut steps = vec![
        step("load", customers, RUN + number * LOADED),
        step("start", 0, START),
        step("merge one row", 1, RUN),
        on_disk(step("adopt a base", customers, START + number * ADOPTED)),
    ];
    for percent in MERGED_SHARES {
        let rows = customers * percent / 100;
        let judged = RUN + rows as f64 * JUDGED;
        let copied = COPIED_BYTES as f64 * COPY_BYTE_NS / 1e9 / CORES as f64;
        steps.push(Measured {
            copied_bytes: Some(customers * COPIED_BYTES),
            ..step(
                &merge(percent),
                rows,
                judged + number * (files_at(percent) + copied),
            )
        });
        let compared = judged + number * files_at(percent) / 2.0;
        steps.push(step(&again(percent), rows, compared));
    }
    steps.extend([
        step("validate only", customers, START + number * JUDGED),
        step("count the customers", customers, START),
        step("look up a customer", customers, START * 1.2),
        on_disk(step("optimize", customers, START + number * OPTIMIZED)),
    ]);
    Outcome {
        machine: Machine {
            cores: CORES,
            ..Machine::here()
        },
        settings: Settings {
            customers,
            attributes: 29,
            bad_per_million: 0,
            rounds: 1,
        },
        steps,
    }
}

fn job(customers: u64) -> Job {
    Job {
        customers,
        attributes: 29,
        change_rows: Vec::new(),
        budget_bytes: 8_000_000_000,
    }
}

fn forecast(of: &Outcome, job: &Job) -> Forecast {
    Rates::of(of).unwrap().forecast(job).unwrap()
}

fn phase<'a>(forecast: &'a Forecast, step: &str) -> &'a Phase {
    forecast.phases.iter().find(|phase| phase.step == step).unwrap()
}

#[test]
fn a_job_that_follows_the_law_is_foretold_at_a_thousand_times_the_size() {
    let (small, large) = (bench(100_000), bench(100_000_000));
    let foretold = forecast(&small, &job(100_000_000));
    let mut compared = 0;
    for phase in &foretold.phases {
        let measured = large.named(&phase.step).unwrap();
        let listing = phase.terms.iter().filter(|term| term.what == "files listed");
        let listing: f64 = listing.map(|term| term.seconds).sum();
        let off = (phase.seconds - listing) / measured.seconds;
        assert!((off - 1.0).abs() < 0.001, "{}: {off}", phase.step);
        assert_eq!(phase.rows, measured.rows, "{}", phase.step);
        assert_eq!(phase.file_bytes, measured.bytes, "{}", phase.step);
        compared += 1;
    }
    assert_eq!(compared, 12);
}

#[test]
fn terms_add_up_to_their_phase() {
    for phase in forecast(&bench(100_000), &job(3_000_000)).phases {
        let sum: f64 = phase.terms.iter().map(|term| term.seconds).sum();
        assert_eq!(sum, phase.seconds, "{}", phase.step);
        assert!(!phase.terms.is_empty(), "{}", phase.step);
    }
}

#[test]
fn columns_cost_what_reads_or_copies_all_of_them_and_nothing_else() {
    let bench = bench(100_000);
    let (narrow, wide) = (
        forecast(&bench, &job(1_000_000)),
        forecast(
            &bench,
            &Job {
                attributes: 59,
                ..job(1_000_000)
            },
        ),
    );
    let growth = |step: &str| {
        let [narrow, wide] = [&narrow, &wide].map(|forecast| phase(forecast, step).seconds);
        wide - narrow
    };
    assert!((growth("adopt a base") - 1e6 * ADOPTED).abs() < 1e-6);
    assert!((growth("optimize") - 1e6 * OPTIMIZED).abs() < 1e-6);
    let copied = 1e6 * COPIED_BYTES as f64 * COPY_BYTE_NS / 1e9 / CORES as f64;
    assert!((growth("merge 1 %") - copied).abs() < 1e-6);
    assert_eq!((growth("load"), growth("validate only")), (0.0, 0.0));
    assert_eq!(phase(&wide, "adopt a base").disk_bytes, Some(300_000_000));
}

#[test]
fn rows_that_do_not_fit_the_budget_are_said_to_go_to_disk() {
    let small = Job {
        budget_bytes: 1_000_000_000,
        ..job(10_000_000)
    };
    let foretold = forecast(&bench(100_000), &small);
    let load = phase(&foretold, "load");
    assert_eq!(
        (load.stage, load.peak_rss_bytes),
        (Some(Stage::Disk), Some(1_000_000_000))
    );
    let few = phase(&foretold, "merge 1 %");
    assert_eq!(few.stage, Some(Stage::Memory));
    assert!(few.peak_rss_bytes < Some(200_000_000), "{few:?}");
    assert!(foretold.unknown.iter().any(|text| text.contains("budget")));
    let fits = forecast(&bench(100_000), &job(1_000_000));
    assert!(!fits.unknown.iter().any(|text| text.contains("budget")));
}

#[test]
fn a_change_set_of_so_many_rows_costs_its_share_between_those_measured() {
    let foretold = forecast(
        &bench(1_000_000),
        &Job {
            change_rows: vec![1_000, 50_000, 500_000],
            ..job(1_000_000)
        },
    );
    let seconds = |step: &str| phase(&foretold, step).seconds;
    let steps = [
        "merge 1000 rows",
        "merge 1 %",
        "merge 50000 rows",
        "merge 10 %",
        "merge 500000 rows",
        "merge 100 %",
    ];
    assert!(steps.map(seconds).is_sorted(), "{:?}", steps.map(seconds));
}

#[test]
fn files_and_the_log_grow_with_the_table() {
    let foretold = forecast(&bench(100_000), &job(1_000_000_000));
    assert_eq!(foretold.files, 150_000_000_000_u64.div_ceil(64 << 20));
    let adopt = phase(&foretold, "adopt a base");
    assert_eq!(adopt.log_bytes, Some(4_000 + foretold.files * 432));
    let listed = phase(&foretold, "look up a customer").seconds - START * 1.2;
    let more = (foretold.files - 1) as f64;
    assert!((listed - more * LISTED_FILE_SECONDS).abs() < 1e-9);
}

#[test]
fn a_bench_of_an_older_program_lacks_what_is_fixed() {
    let mut bench = bench(100_000);
    bench.steps.retain(|step| step.step != "merge one row");
    let missing = Rates::of(&bench).unwrap_err();
    assert_eq!(missing, Missing("merge one row".to_owned()));
}
