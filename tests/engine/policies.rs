//! What a process says about rejects, duplicates and cells that do not fit.

use sluice_engine::Class;
use sluice_engine::run::{Effect, Extent, Report};
use sluice_engine::spec::RejectBudget;

use crate::support::{Bench, definition, request};

/// Ten records, of which `bad` have no CID.
fn ten(bad: usize) -> String {
    let cid = |i: usize| if i < bad { String::new() } else { format!("C{i}") };
    let records: String = (0..10).map(|i| format!("{},Gold\n", cid(i))).collect();
    format!("cid,Tier\n{records}")
}

/// A process with one text and `more` TOML, run on `content`.
async fn run(more: &str, content: &str) -> (Bench, Report) {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string"], more))
        .await;
    let report = bench.run_on("p", &bench.file("in.csv", content)).await.unwrap();
    (bench, report)
}

/// The exit code of a run.
fn exit_code(report: &Report) -> u8 {
    report.error.as_ref().map_or(0, |error| error.class().exit_code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_exceeded_by_one_more_than_it_allows() {
    for (policy, bad, code) in [
        ("max_rejects = 3", 3, 0),
        ("max_rejects = 3", 4, 3),
        ("max_rejects = 0", 0, 0),
        ("max_rejects = 0", 1, 3),
        ("max_rejects = \"30%\"", 3, 0),
        ("max_rejects = \"30%\"", 4, 3),
        ("max_rejects = \"39.9%\"", 4, 3),
        ("strict = true", 0, 0),
        ("strict = true", 1, 3),
        ("", 9, 0),
    ] {
        let (bench, report) = run(&format!("[policy]\n{policy}\n"), &ten(bad)).await;
        assert_eq!(exit_code(&report), code, "{policy} {bad}: {:?}", report.error);
        let merged = if code == 0 { 10 - bad } else { 0 };
        assert_eq!(bench.customers().await.len(), merged, "{policy} {bad}");
        // The source is read to its end and every reject is kept, merged or not.
        assert_eq!(report.run.rows_read, Some(10));
        assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, bad.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_budget_says_what_was_and_was_not_written_and_leaves_its_counts_unmerged() {
    let (bench, report) = run("[policy]\nmax_rejects = 1\n", &ten(2)).await;
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (error.code(), error.class()),
        (Some("budget_exceeded"), Class::Data)
    );
    assert!(error.written().unwrap().contains("rejects are kept"), "{error}");
    let row = "SELECT status, rows_read, rows_accepted, rows_rejected, rows_inserted, rows_updated, rows_unchanged, \
               cells_changed, version_after FROM runs";
    assert_eq!(bench.rows(row).await, ["failed|10|8|2|-|-|-|-|-"]);
    assert_eq!(bench.status("p").await, "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_the_request_goes_before_that_of_the_process() {
    let bench = Bench::new().await;
    bench
        .process(
            "p",
            &definition("register", &["Tier=string"], "[policy]\nmax_rejects = 0\n"),
        )
        .await;
    let file = bench.file("in.csv", ten(2));
    let mut wider = request("p", Some(&file));
    wider.max_rejects = Some(RejectBudget::Rows(2));
    assert!(bench.run(wider.clone()).await.unwrap().run.is_merged());
    wider.repeat = sluice_engine::run::Repeat::Force;
    wider.max_rejects = None;
    assert_eq!(exit_code(&bench.run(wider).await.unwrap()), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_the_instance_fill_in_what_the_process_does_not_say() {
    let bench = Bench::with_config("[defaults]\nmax_rejects = 0\n").await;
    bench
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    bench
        .process(
            "q",
            &definition("register", &["City=string"], "[policy]\nmax_rejects = 9\n"),
        )
        .await;
    let file = bench.file("in.csv", ten(2));
    assert_eq!(exit_code(&bench.run_on("p", &file).await.unwrap()), 3);
    let file = bench.file("other.csv", ten(2).replace("Tier", "City"));
    assert_eq!(exit_code(&bench.run_on("q", &file).await.unwrap()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_accepts_none_fails_unless_that_is_allowed() {
    let (bench, report) = run("", &ten(10)).await;
    assert_eq!(report.error.as_ref().unwrap().code(), Some("none_accepted"));
    assert_eq!(
        (
            exit_code(&report),
            bench.cell("SELECT count(*) FROM rejects").await.as_str()
        ),
        (3, "10")
    );
    let (bench, report) = run("[policy]\nallow_none = true\n", &ten(10)).await;
    assert_eq!(
        (exit_code(&report), report.run.status.word()),
        (0, "completed_with_rejects")
    );
    assert_eq!(bench.status("p").await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_ends_as_the_run_would_and_writes_nothing() {
    for (bad, code) in [(0, 0), (2, 3)] {
        let bench = Bench::new().await;
        bench
            .process(
                "p",
                &definition("register", &["Tier=string"], "[policy]\nmax_rejects = 1\n"),
            )
            .await;
        let mut dry = request("p", Some(&bench.file("in.csv", ten(bad))));
        dry.effect = Effect::Explain;
        let report = bench.run(dry).await.unwrap();
        assert_eq!((exit_code(&report), report.dry_run), (code, true));
        assert_eq!(
            (report.run.rows_read, report.run.rows_rejected),
            (Some(10), Some(bad as u64))
        );
        for table in ["customers", "rejects", "runs"] {
            assert_eq!(bench.cell(&format!("SELECT count(*) FROM {table}")).await, "0");
        }
        assert_eq!(bench.status("p").await, "ready");
        assert_eq!(bench.state("p").read().await.unwrap().last_run_no, 0);
    }
}

async fn nulls(policy: &str, attribute: &str) -> Vec<String> {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string", "Spend=int"], policy);
    bench
        .process(
            "p",
            &toml.replace("type = \"int\"\n", &format!("type = \"int\"\n{attribute}")),
        )
        .await;
    let first = bench.file("1.csv", "cid,Tier,Spend\nC1,Gold,1\nC2,Gold,2\nC3,Gold,3\n");
    bench.run_on("p", &first).await.unwrap();
    let second = bench.file("2.csv", "cid,Tier,Spend\nC1,,\nC2,\"\",5\nC4,,\n");
    let report = bench.run_on("p", &second).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    let mut rows = bench.customers().await;
    let run = report.run;
    rows.push(format!(
        "{:?} {:?}",
        run.cells_changed.unwrap(),
        run.cells_cleared.unwrap()
    ));
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cell_clears_unless_the_process_or_the_attribute_keeps() {
    assert_eq!(
        nulls("", "").await,
        ["C1|-|-", "C2|-|5", "C3|Gold|3", "C4|-|-", "4 3"]
    );
    let keep = "[policy]\nnull = \"keep\"\n";
    assert_eq!(
        nulls(keep, "").await,
        ["C1|Gold|1", "C2|Gold|5", "C3|Gold|3", "C4|-|-", "1 0"]
    );
    let but = "null = \"clear\"\n";
    assert_eq!(
        nulls(keep, but).await,
        ["C1|Gold|-", "C2|Gold|5", "C3|Gold|3", "C4|-|-", "2 1"]
    );
    let only = "null = \"keep\"\n";
    assert_eq!(
        nulls("", only).await,
        ["C1|-|1", "C2|-|5", "C3|Gold|3", "C4|-|-", "3 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn null_tokens_match_exactly_and_blanks_are_data_unless_trimmed() {
    let bench = Bench::new().await;
    let toml = definition("register", &["Tier=string", "Spend=int"], "");
    let toml = toml.replace("[source]\n", "[source]\nnull_tokens = [\"NULL\", \"n/a\"]\n");
    bench.process("p", &toml).await;
    let report = bench
        .run_on(
            "p",
            &bench.file(
                "1.csv",
                "cid,Tier,Spend\nC1,NULL,n/a\nC2,null,2\nC3, NULL,3\nC4,Gold, 4\nNULL,Gold,5\n",
            ),
        )
        .await
        .unwrap();
    assert_eq!(bench.customers().await, ["C1|-|-", "C2|null|2", "C3| NULL|3"]);
    assert_eq!(bench.reasons(&report).await, ["4|type_mismatch", "5|cid_null"]);
    let bench = Bench::new().await;
    bench
        .process("p", &toml.replace("[source]\n", "[source]\ntrim = true\n"))
        .await;
    let file = bench.file("1.csv", "cid,Tier,Spend\n C1 , NULL ,n/a\nC2,  , 2 \n");
    bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|-|-", "C2|-|2"]);
}

/// C1 three times, once too long a type; C2 twice, both bad; C3 once.
const REPEATED: &str = "cid,Spend\nC1,1\nC2,x\nC1,x\nC1,3\nC3,9\nC2,y\n,5\n,6\n";

async fn duplicates(policy: &str) -> (Vec<String>, Vec<String>) {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Spend=int"], policy))
        .await;
    let report = bench.run_on("p", &bench.file("in.csv", REPEATED)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    (bench.customers().await, bench.reasons(&report).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_records_of_a_repeated_cid_are_rejected_by_default() {
    let (customers, reasons) = duplicates("").await;
    assert_eq!(customers, ["C3|9"]);
    assert_eq!(
        reasons,
        [
            "1|cid_duplicate",
            "2|cid_duplicate",
            "2|type_mismatch",
            "3|cid_duplicate",
            "3|type_mismatch",
            "4|cid_duplicate",
            "6|cid_duplicate",
            "6|type_mismatch",
            "7|cid_null",
            "8|cid_null",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_or_the_last_good_record_of_a_cid_can_be_kept() {
    let (customers, reasons) = duplicates("[policy]\non_duplicate = \"keep_first\"\n").await;
    assert_eq!(customers, ["C1|1", "C3|9"]);
    assert!(
        reasons.contains(&"4|cid_duplicate".to_owned()) && !reasons.contains(&"1|cid_duplicate".to_owned())
    );
    let (customers, reasons) = duplicates("[policy]\non_duplicate = \"keep_last\"\n").await;
    assert_eq!(customers, ["C1|3", "C3|9"]);
    assert!(
        reasons.contains(&"1|cid_duplicate".to_owned()) && !reasons.contains(&"4|cid_duplicate".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_in_update_mode_is_known_as_its_twin_is() {
    let bench = Bench::new().await;
    bench
        .process("seed", &definition("register", &["Tier=string"], ""))
        .await;
    bench
        .run_on("seed", &bench.file("seed.csv", "cid,Tier\nC1,Gold\n"))
        .await
        .unwrap();
    let policy = "[policy]\non_duplicate = \"keep_last\"\n";
    bench
        .process("p", &definition("update", &["Spend=int"], policy))
        .await;
    let report = bench
        .run_on("p", &bench.file("in.csv", "cid,Spend\nC1,1\nC9,1\nC1,2\nc1,5\n"))
        .await
        .unwrap();
    assert_eq!(bench.customers().await, ["C1|Gold|2"]);
    assert_eq!(
        bench.reasons(&report).await,
        ["1|cid_duplicate", "2|cid_unknown", "4|cid_unknown"]
    );
}

/// One attribute with `options`, run on one cell a record; the customers.
async fn cells(ty: &str, options: &str, values: &[&str]) -> Vec<String> {
    let bench = Bench::new().await;
    let toml =
        definition("register", &[&format!("V={ty}")], "") + options + "\n[policy]\nallow_none = true\n";
    bench.process("p", &toml).await;
    let records: String = values
        .iter()
        .enumerate()
        .map(|(i, v)| format!("C{i},{v}\n"))
        .collect();
    let report = bench
        .run_on("p", &bench.file("in.csv", format!("cid,V\n{records}")))
        .await
        .unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    let mut rows = bench.customers().await;
    rows.extend(bench.reasons(&report).await);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn text_too_long_is_rejected_or_cut_between_characters() {
    let values = ["abcd", "abcde", "ab€😀"];
    assert_eq!(
        cells("nvarchar(4)", "on_unsupported = \"strip\"", &values[..2]).await,
        ["C0|abcd", "2|string_too_long"]
    );
    assert_eq!(
        cells("nvarchar(4)", "on_too_long = \"truncate\"", &values[..2]).await,
        ["C0|abcd", "C1|abcd"]
    );
    // A letter beyond the basic plane has two units: it does not fit where one is left, and is not halved.
    let plane = ["abc𝒳", "ab𝒳"];
    assert_eq!(
        cells("nvarchar(4)", "on_too_long = \"truncate\"", &plane).await,
        ["C0|abc", "C1|ab𝒳"]
    );
    assert_eq!(
        cells("varchar(3)", "on_too_long = \"truncate\"", &["añoz", "añ"]).await,
        ["C0|año", "C1|añ"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_characters_are_rejected_or_stripped() {
    assert_eq!(
        cells("string", "", &["ok", "hi 😀", "a\u{7}b"]).await,
        ["C0|ok", "2|unsupported_character", "3|unsupported_character"]
    );
    let stripped = cells(
        "string",
        "on_unsupported = \"strip\"",
        &["ok", "hi😀", "a\u{7}b", "😀"],
    )
    .await;
    assert_eq!(stripped, ["C0|ok", "C1|hi", "C2|ab", "C3|-"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_beyond_the_scale_are_rejected_or_rounded() {
    let values = ["1.25", "1.250", "1.255", "-1.255", "99.995", "x"];
    assert_eq!(
        cells("\"decimal(4,2)\"".trim_matches('"'), "", &values).await,
        [
            "C0|1.25",
            "C1|1.25",
            "3|type_mismatch",
            "4|type_mismatch",
            "5|type_mismatch",
            "6|type_mismatch"
        ]
    );
    let rounded = cells("decimal(4,2)", "on_scale = \"round\"", &values).await;
    assert_eq!(
        rounded,
        [
            "C0|1.25",
            "C1|1.25",
            "C2|1.26",
            "C3|-1.26",
            "5|type_mismatch",
            "6|type_mismatch"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_rule_may_warn_or_be_off_and_a_warned_record_is_merged() {
    let content = "cid,Day\nC1,1900-01-01\nC2,1700-01-01\nC3,2024-01-01\n";
    for (rules, customers, warned, counted) in [
        ("", 1, 0, "date_default reject 1;date_too_early reject 1"),
        (
            "[rules]\ndate_default = \"warn\"\n",
            2,
            1,
            "date_default warn 1;date_too_early reject 1",
        ),
        (
            "[rules]\ndate_default = \"off\"\ndate_too_early = \"warn\"\n",
            3,
            1,
            "date_too_early warn 1",
        ),
    ] {
        let bench = Bench::new().await;
        bench
            .process("p", &definition("register", &["Day=date"], rules))
            .await;
        let report = bench.run_on("p", &bench.file("in.csv", content)).await.unwrap();
        assert_eq!(bench.customers().await.len(), customers, "{rules}");
        assert_eq!(report.run.rows_warned, Some(warned), "{rules}");
        let counts: Vec<String> = report
            .run
            .rule_counts
            .iter()
            .map(|c| format!("{} {} {}", c.rule, c.severity, c.records))
            .collect();
        assert_eq!(counts.join(";"), counted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_decide_what_a_record_is_cannot_be_softened() {
    for rule in [
        "malformed_record",
        "cid_null",
        "cid_duplicate",
        "cid_unknown",
        "type_mismatch",
    ] {
        let bench = Bench::new().await;
        let toml = definition(
            "register",
            &["Day=date"],
            &format!("[rules]\n{rule} = \"warn\"\n"),
        );
        let error = bench.try_process("p", &toml).await.unwrap_err();
        assert_eq!(error.class(), Class::Usage, "{error}");
        assert!(error.to_string().contains(rule), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_the_user_reject_warn_and_fail_as_they_say() {
    let rules = "[[rule]]\nid = \"ratio\"\nsql = \"100 / spend > 5\"\nseverity = \"reject\"\nmessage = \"too much\"\n\
                 [[rule]]\nid = \"named\"\nsql = \"SELECT record_no FROM incoming WHERE tier = 'Gold'\"\nseverity = \"warn\"\n";
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string", "Spend=int"], rules))
        .await;
    let content = "cid,Tier,Spend\nC1,Gold,1\nC2,Silver,50\nC3,Silver,0\nC4,,\n";
    let report = bench.run_on("p", &bench.file("in.csv", content)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    // NULL passes.
    assert_eq!(bench.customers().await, ["C1|Gold|1", "C4|-|-"]);
    assert_eq!(bench.reasons(&report).await, ["2|ratio", "3|rule_error"]);
    let messages = bench
        .rows("SELECT message FROM reject_reasons ORDER BY record_no")
        .await;
    assert_eq!(messages[0], "too much");
    assert!(messages[1].contains("ratio"), "{messages:?}");
    assert_eq!(report.run.rows_warned, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_rule_that_errors_is_a_usage_error_that_names_it() {
    let rules = "[[rule]]\nid = \"broken\"\nsql = \"SELECT record_no FROM incoming WHERE spend / 0 > 1\"\nseverity = \"reject\"\n";
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Spend=int"], rules))
        .await;
    let report = bench
        .run_on("p", &bench.file("in.csv", "cid,Spend\nC1,1\n"))
        .await
        .unwrap();
    let error = report.error.as_ref().unwrap();
    assert_eq!(
        (exit_code(&report), error.to_string().contains("broken")),
        (2, true),
        "{error}"
    );
    assert!(bench.customers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_judges_the_first_records_and_no_others() {
    let bench = Bench::new().await;
    bench
        .process("p", &definition("register", &["Tier=string"], ""))
        .await;
    // More than one block of the reader; every tenth record is malformed, every fifth has no CID.
    let record = |i: u32| match i % 10 {
        0 => "a,b,c\n".to_owned(),
        5 => ",Gold\n".to_owned(),
        _ => format!("C{i},a text that makes the file longer than one block of it\n"),
    };
    let records: String = (1..=40_000).map(record).collect();
    let file = bench.file("in.csv", format!("cid,Tier\n{records}"));
    for sample in [1, 4, 5, 10, 30_001, 40_000, 50_000] {
        let mut request = request("p", Some(&file));
        (request.effect, request.extent) = (Effect::DryRun, Extent::First(sample));
        let report = bench.run(request).await.unwrap();
        let read = sample.min(40_000);
        assert_eq!(report.run.rows_read, Some(read), "{sample}");
        assert_eq!(
            report.run.rows_rejected,
            Some(read / 10 + (read + 5) / 10),
            "{sample}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_reads_no_column_is_a_rule() {
    for (rule, rejected) in [("1 = 1", 0), ("1 = 2", 10)] {
        let more = format!("[policy]\nallow_none = true\n[[rule]]\nid = \"odd\"\nsql = \"{rule}\"\n");
        let (bench, report) = run(&more, &ten(0)).await;
        assert_eq!(report.run.rows_rejected, Some(rejected), "{rule}");
        let odd = "SELECT count(*) FROM reject_reasons WHERE rule = 'odd'";
        assert_eq!(bench.cell(odd).await, rejected.to_string(), "{rule}");
    }
}
