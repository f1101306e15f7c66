//! `generate` and `bench`: files whose answer is known, and a bench that does not count a wrong one.

use serde_json::Value;

use crate::support::Home;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn what_generate_says_must_be_rejected_is_what_a_run_rejects() {
    let home = Home::with_instance();
    let generate = [
        "generate",
        "data",
        "--rows",
        "2000",
        "--customers",
        "1000",
        "--attributes",
        "3",
        "--bad",
        "5%",
    ];
    let said = home.sluice(&generate).succeeded();
    let next = said.stdout().lines().last().unwrap().trim().to_owned();
    assert!(
        next.starts_with("sluice ingest data/changes.csv --key cid --attribute"),
        "{next}"
    );
    let due = json(&std::fs::read_to_string(home.path("data/changes.json")).unwrap());
    assert_eq!(
        std::fs::metadata(home.path("data/changes.csv")).unwrap().len(),
        due["bytes"].as_u64().unwrap()
    );
    let words: Vec<String> = next
        .replace('"', "\u{1}")
        .split('\u{1}')
        .enumerate()
        .flat_map(|(place, part)| {
            // Every second part was quoted.
            if place % 2 == 1 {
                vec![part.to_owned()]
            } else {
                part.split_whitespace().map(str::to_owned).collect()
            }
        })
        .collect();
    let mut arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    arguments.extend(["--output", "json"]);
    let report = json(&home.sluice(&arguments).succeeded().stdout());
    assert_eq!(report["rows_read"], due["rows"]);
    assert_eq!(report["rows_rejected"], due["rejected"]);
    assert!(due["rejected"].as_u64() > Some(0));
    let base = std::fs::read_to_string(home.path("data/base.csv")).unwrap();
    assert_eq!(base.lines().count(), 1_001);
}

/// A small bench.
const BENCH: [&str; 11] = [
    "bench",
    "--customers",
    "1000",
    "--attributes",
    "3",
    "--rounds",
    "1",
    "--bad",
    "2%",
    "--memory",
    "400MB",
];

#[test]
fn a_bench_measures_every_step_and_is_set_beside_an_earlier_one() {
    let home = Home::empty();
    let with = |more: &[&'static str]| [&BENCH[..], more].concat();
    let outcome = home.sluice(&with(&["--output", "json"])).succeeded().stdout();
    let steps: Vec<Value> = json(&outcome)["steps"].as_array().unwrap().clone();
    let names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(
        names,
        [
            "load",
            "load again",
            "start",
            "merge one row",
            "adopt a base",
            "merge 1 %",
            "merge 1 % again",
            "merge 10 %",
            "merge 10 % again",
            "merge 100 %",
            "merge 100 % again",
            "validate only",
            "count the customers",
            "look up a customer",
            "rejects by rule",
            "optimize"
        ]
    );
    assert!(
        steps.iter().all(|step| step["seconds"].as_f64() > Some(0.0)),
        "{steps:?}"
    );
    assert!(steps[9]["peak_rss_bytes"].as_u64() > Some(0), "{steps:?}");
    assert!(steps[4]["disk_bytes"].as_u64() > Some(0), "{steps:?}");
    assert!(!home.path("sluice-bench").exists());

    home.write("before.json", &outcome);
    let words = home
        .sluice(&with(&["--compare", "before.json", "--keep"]))
        .succeeded()
        .stdout();
    assert!(
        words.contains("times as fast") && words.contains("merge 10 % again"),
        "{words}"
    );
    assert!(home.path("sluice-bench/base.csv").exists());

    forecasts(&home, &outcome, &steps);
    refuses(&home, &BENCH);
}

#[test]
fn a_bench_of_one_part_and_other_shares_says_what_it_lacks_for_a_forecast() {
    let home = Home::empty();
    let part = ["--only", "merge", "--shares", "20,5", "--output", "json"];
    let outcome = home.sluice(&[&BENCH[..], &part].concat()).succeeded().stdout();
    let steps: Vec<Value> = json(&outcome)["steps"].as_array().unwrap().clone();
    let rows_of = |name: &str| {
        steps
            .iter()
            .find(|step| step["step"] == name)
            .map(|step| &step["rows"])
    };
    assert_eq!(steps[0]["step"], "adopt a base");
    assert_eq!(
        (rows_of("merge 20 %"), rows_of("merge 5 % again")),
        (Some(&200.into()), Some(&50.into()))
    );
    assert_eq!(rows_of("validate only"), Some(&200.into()), "the largest set");
    assert_eq!(rows_of("load"), None);
    home.write("part.json", &outcome);
    let refused = home.sluice(&["bench", "--simulate", "1000", "--from", "part.json"]);
    assert_eq!(refused.code(), Some(2));
    assert!(refused.stderr().contains("lacks start"), "{}", refused.stderr());
}

/// What is foretold of the size that was measured.
fn forecasts(home: &Home, outcome: &str, steps: &[Value]) {
    let simulate = [
        "bench",
        "--simulate",
        "1000",
        "--from",
        "before.json",
        "--compare",
        "before.json",
        "--change-rows",
        "500",
    ];
    let words = home.sluice(&simulate).succeeded().stdout();
    assert!(
        words.contains("merge 500 rows") && words.contains("files of customers after optimize"),
        "{words}"
    );
    let foretold = home
        .sluice(&[&simulate[..5], &["--output", "json"]].concat())
        .succeeded()
        .stdout();
    let load = json(&foretold)["phases"][0]["seconds"].as_f64().unwrap();
    let measured = steps[0]["seconds"].as_f64().unwrap();
    assert!(
        load >= measured - 1e-9,
        "the same size costs what was measured, or what a run costs: {load}, {measured}"
    );
    let mut older = json(outcome);
    older["steps"].as_array_mut().unwrap().remove(3);
    home.write("older.json", older.to_string());
    let refused = home.sluice(&["bench", "--simulate", "1000", "--from", "older.json"]);
    assert_eq!(refused.code(), Some(2));
    assert!(
        refused.stderr().contains("lacks merge one row"),
        "{}",
        refused.stderr()
    );
}

/// What is in the way, and what cannot be compared.
fn refuses(home: &Home, bench: &[&str]) {
    let refused = home.sluice(bench);
    assert_eq!(refused.code(), Some(2), "the folder is there");
    let other = home.sluice(&[
        "bench",
        "--customers",
        "2000",
        "--compare",
        "before.json",
        "--folder",
        "other",
    ]);
    assert_eq!(other.code(), Some(2), "other data");
    assert!(
        other
            .stderr()
            .contains("sluice bench --customers 1000 --attributes 3 --bad 2%"),
        "{}",
        other.stderr()
    );
}
