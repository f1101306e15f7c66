//! Damaged files: a record that cannot be read is one reject, a file that cannot be read is one clear error.

use std::path::PathBuf;

use sluice_engine::run::Report;
use sluice_engine::{Class, Error};

use crate::support::{Bench, definition, failure, fixture};

/// A process `p` with a text and a number.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench
        .process(
            "p",
            &definition("register", &["Tier=string", "Spend=decimal(18,2)"], ""),
        )
        .await;
    bench
}

/// Runs `content` as a file of `p`, which must merge.
async fn merged(bench: &Bench, content: impl AsRef<[u8]>) -> Report {
    let report = bench.run_on("p", &bench.file("in.csv", content)).await.unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    report
}

/// Runs `content`, which must fail as a whole with `code`, and changes nothing.
async fn refused(bench: &Bench, content: impl AsRef<[u8]>, code: &str) -> Error {
    let file = bench.file("in.csv", content);
    let report = bench.run_on("p", &file).await.unwrap();
    let status = report.run.status.word();
    let recorded = report.run.error.clone().unwrap();
    let error = report.error.unwrap();
    assert_eq!(
        (error.code(), error.class(), status),
        (Some(code), Class::Data, "failed"),
        "{error}"
    );
    assert_eq!(
        error.place().file.as_deref(),
        file.canonicalize().unwrap().to_str(),
        "{error}"
    );
    assert!(!error.hints().is_empty(), "{error}");
    assert!(error.written().is_some(), "{error}");
    assert!(recorded.starts_with(code), "{recorded}");
    assert!(bench.customers().await.is_empty());
    assert_eq!(bench.cell("SELECT count(*) FROM rejects").await, "0");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn short_and_long_records_cost_only_themselves() {
    let bench = bench().await;
    let report = merged(
        &bench,
        "cid,Tier,Spend\nC1,Gold,1\nC2,Gold\nC3,Gold,3\nC4,Gold,4,surplus\nC5\nC6,Gold,6\n",
    )
    .await;
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00", "C3|Gold|3.00", "C6|Gold|6.00"]
    );
    assert_eq!(
        bench.reasons(&report).await,
        ["2|malformed_record", "4|malformed_record", "5|malformed_record"]
    );
    let places = "SELECT record_no, line, byte_start, byte_len, customer_id, arrow_cast(raw, 'Utf8') FROM rejects ORDER BY 1";
    assert_eq!(
        bench.rows(places).await,
        [
            "2|3|25|7|-|C2,Gold",
            "4|5|43|17|-|C4,Gold,4,surplus",
            "5|6|61|2|-|C5"
        ]
    );
    let whole =
        "SELECT count(*) FROM reject_reasons WHERE column_name IS NULL AND value IS NULL AND message <> ''";
    assert_eq!(bench.cell(whole).await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stray_quote_costs_only_its_own_record() {
    let bench = bench().await;
    let report = merged(
        &bench,
        "cid,Tier,Spend\nC1,Go\"ld,1\nC2,\"Gold\"en,2\nC3,\"a \"\"b\"\" c\",3\nC4,Gold,4\n",
    )
    .await;
    assert_eq!(bench.customers().await, ["C3|a \"b\" c|3.00", "C4|Gold|4.00"]);
    assert_eq!(
        bench.reasons(&report).await,
        ["1|malformed_record", "2|malformed_record"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unterminated_quote_is_one_reject_that_says_where_it_began() {
    let bench = bench().await;
    let report = merged(&bench, "cid,Tier,Spend\nC1,Gold,1\nC2,\"Gold,2\nC3,Gold,3\n").await;
    assert_eq!(
        report.run.rows_rejected,
        Some(1),
        "{:?}",
        bench.rows("SELECT arrow_cast(raw,'Utf8') FROM rejects").await
    );
    assert_eq!(
        bench
            .cell("SELECT record_no || '/' || line || '/' || byte_start FROM rejects")
            .await,
        "2/3/25"
    );
    assert_eq!(bench.reasons(&report).await, ["2|malformed_record"]);
    assert!(bench.customers().await.contains(&"C1|Gold|1.00".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_utf8_in_a_mapped_cell_rejects_the_record_and_in_an_unmapped_one_does_not() {
    let bench = bench().await;
    let mut file =
        b"cid,Tier,Spend,Note\nC1,M\xfcnchen,1,x\nC2,Gold,2,M\xfcnchen\nC\xff3,Gold,3,x\nC4,\xc3\x28,abc,x\n"
            .to_vec();
    file.extend_from_slice("C5,Málaga,5,x\n".as_bytes());
    let report = merged(&bench, file).await;
    assert_eq!(bench.customers().await, ["C2|Gold|2.00", "C5|Málaga|5.00"]);
    // An undecodable cell is NULL, and the other rules run all the same.
    assert_eq!(
        bench.reasons(&report).await,
        [
            "1|invalid_encoding",
            "3|cid_null",
            "3|invalid_encoding",
            "4|invalid_encoding",
            "4|type_mismatch"
        ]
    );
    let columns =
        "SELECT record_no, column_name FROM reject_reasons WHERE rule = 'invalid_encoding' ORDER BY 1";
    assert_eq!(bench.rows(columns).await, ["1|Tier", "3|cid", "4|Tier"]);
    let ids = "SELECT record_no, customer_id FROM rejects ORDER BY 1";
    assert_eq!(bench.rows(ids).await, ["1|C1", "3|-", "4|C4"]);
    assert_eq!(
        bench
            .cell("SELECT encode(raw, 'hex') FROM rejects WHERE record_no = 3")
            .await,
        "43ff332c476f6c642c332c78"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_utf8_in_a_malformed_record_gives_no_second_reason() {
    let bench = bench().await;
    let report = merged(&bench, b"cid,Tier,Spend\nC1,\xff\nC2,Gold,2\n").await;
    assert_eq!(bench.reasons(&report).await, ["1|malformed_record"]);
    assert_eq!(
        bench.cell("SELECT encode(raw, 'hex') FROM rejects").await,
        "43312cff"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_over_the_limit_is_cut_in_raw_and_told_in_full_length() {
    let bench = Bench::with_config("[limits]\nrecord_bytes = \"1KiB\"\n").await;
    bench
        .process(
            "p",
            &definition("register", &["Tier=string", "Spend=decimal(18,2)"], ""),
        )
        .await;
    let long = "x".repeat(5000);
    let report = merged(
        &bench,
        format!("cid,Tier,Spend\nC1,Gold,1\nC2,{long},2\nC3,\"{long}\n{long}\",3\nC4,Gold,4\n"),
    )
    .await;
    assert_eq!(bench.customers().await, ["C1|Gold|1.00", "C4|Gold|4.00"]);
    assert_eq!(
        bench.reasons(&report).await,
        ["2|malformed_record", "3|malformed_record"]
    );
    let lengths = "SELECT record_no, line, byte_len, octet_length(encode(raw, 'hex')) <= 2048, octet_length(encode(raw, 'hex')) > 0 FROM rejects ORDER BY 1";
    assert_eq!(
        bench.rows(lengths).await,
        ["2|3|5005|true|true", "3|4|10008|true|true"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nul_bytes_are_data_and_an_unsupported_character() {
    let bench = bench().await;
    let report = merged(
        &bench,
        "cid,Tier,Spend,Note\nC1,Go\x00ld,1,\nC2,Gold,2,\x00\nC\x003,Gold,3,\nC4,Gold,\x004,\n",
    )
    .await;
    assert_eq!(bench.customers().await, ["C2|Gold|2.00"]);
    assert_eq!(
        bench.reasons(&report).await,
        [
            "1|unsupported_character",
            "3|unsupported_character",
            "4|type_mismatch"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_an_error_and_a_header_alone_is_a_warning() {
    let bench = bench().await;
    refused(&bench, "", "file_empty").await;
    let report = merged(&bench, "cid,Tier,Spend\n").await;
    assert_eq!(
        (report.run.status.word(), report.run.rows_read),
        ("completed", Some(0))
    );
    assert!(
        report.warnings.iter().any(|w| w.contains("no records")),
        "{:?}",
        report.warnings
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_line_ends_or_of_a_byte_order_mark_has_no_header() {
    let bench = bench().await;
    for content in ["\n\n\n", "\u{feff}"] {
        refused(&bench, content, "file_empty").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_name_twice_is_an_error_and_an_unmapped_one_is_not() {
    let bench = bench().await;
    let error = refused(
        &bench,
        "cid,Tier,Spend,Tier\nC1,Gold,1,Gold\n",
        "column_duplicate",
    )
    .await;
    assert_eq!(error.place().column.as_deref(), Some("Tier"));
    let error = refused(&bench, "cid,Tier,Spend,cid\nC1,Gold,1,C1\n", "column_duplicate").await;
    assert_eq!(error.place().column.as_deref(), Some("cid"));
    merged(&bench, "cid,Note,Tier,Note,Spend\nC1,a,Gold,b,1\n").await;
    assert_eq!(bench.customers().await, ["C1|Gold|1.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_missing_columns_are_named_with_what_the_file_has() {
    let bench = bench().await;
    let error = refused(&bench, "cid,tier,Other\nC1,Gold,1\n", "column_missing").await;
    let text = error.to_string();
    assert!(text.contains("\"Tier\"") && text.contains("\"Spend\""), "{text}");
    let hints = error.hints().join("\n");
    assert!(
        hints.contains("\"Other\"") && hints.contains("\"tier\" differs from \"Tier\""),
        "{hints}"
    );
    refused(&bench, "CID,Tier,Spend\nC1,Gold,1\n", "column_missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_delimiter_is_suspected_and_the_remedy_works() {
    let mut bench = bench().await;
    for (content, shown) in [
        ("cid;Tier;Spend\nC1;Gold;1\nC2;Gold, Silver;2\n", "\";\""),
        ("cid\tTier\tSpend\nC1\tGold\t1\n", "\"\\t\""),
        ("cid|Tier|Spend\nC1|Gold|1\n", "\"|\""),
    ] {
        let error = refused(&bench, content, "delimiter_suspect").await;
        assert!(
            error.hints()[0].contains(&format!("delimiter = {shown}")),
            "{:?}",
            error.hints()
        );
    }
    bench.configure("");
    let with =
        definition("register", &["Tier=string"], "").replace("[source]\n", "[source]\ndelimiter = \";\"\n");
    bench
        .process(
            "semicolons",
            &with.replace("string\"", "string\"\nname = \"tier_two\""),
        )
        .await;
    let file = bench.file("semi.csv", "cid;Tier;Spend\nC1;Gold;1\nC2;Gold, Silver;2\n");
    bench.run_on("semicolons", &file).await.unwrap();
    assert_eq!(
        bench
            .rows("SELECT customer_id, tier_two FROM customers ORDER BY 1")
            .await,
        ["C1|Gold", "C2|Gold, Silver"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_counts_in_offsets_and_is_no_part_of_the_first_name() {
    let bench = bench().await;
    merged(&bench, "\u{feff}cid,Tier,Spend\r\nC1,Gold,1\r\nC2,Gold\r\n").await;
    assert_eq!(bench.customers().await, ["C1|Gold|1.00"]);
    assert_eq!(
        bench
            .rows("SELECT byte_start, byte_len, arrow_cast(raw, 'Utf8') FROM rejects")
            .await,
        ["30|7|C2,Gold"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_ends_are_lf_or_crlf_and_a_lone_cr_is_data() {
    let bench = bench().await;
    let report = merged(
        &bench,
        "cid,Tier,Spend\r\nC1,Gold,1\nC2,Gold,2\r\n\r\n\nC3,Go\rld,3\nC4,Gold,x\n",
    )
    .await;
    assert_eq!(
        bench.customers().await,
        ["C1|Gold|1.00", "C2|Gold|2.00", "C3|Go\rld|3.00"]
    );
    assert_eq!(report.run.rows_read, Some(4));
    // Lines of no bytes are no records, but they are lines.
    assert_eq!(bench.rows("SELECT record_no, line FROM rejects").await, ["4|7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_record_needs_no_line_end() {
    let bench = bench().await;
    for (content, last) in [
        ("C1,Gold,1", "C1|Gold|1.00"),
        ("C2,\"Gold\",2", "C2|Gold|2.00"),
        ("C3,Gold,", "C3|Gold|-"),
    ] {
        merged(&bench, format!("cid,Tier,Spend\n{content}")).await;
        assert_eq!(bench.customers().await.last().map(String::as_str), Some(last));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_there_or_a_folder_fails_the_run_and_says_so() {
    let bench = bench().await;
    for (path, says) in [
        (PathBuf::from("nowhere.csv"), "does not exist"),
        (bench.folder.path().to_owned(), "folder"),
    ] {
        let result = bench.run_on("p", &path).await;
        let error = failure(&result);
        assert_eq!(error.class(), Class::Runtime, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.place().file.is_some(), "{error}");
    }
    let rows = "SELECT run_no, status, source_file IS NOT NULL, error <> '' FROM runs ORDER BY run_no";
    assert_eq!(
        bench.rows(rows).await,
        ["1|failed|true|true", "2|failed|true|true"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_while_it_is_read_fails_the_run() {
    let bench = bench().await;
    let mut content = String::from("cid,Tier,Spend\n");
    (0..400_000).for_each(|i| content.push_str(&format!("C{i:07},Gold,{i}\n")));
    let file = bench.file("in.csv", content);
    let watch = sluice_engine::run::Watch::default();
    let grow = async {
        // The first phase says that the source is open.
        while watch.phase.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        use std::io::Write;
        std::fs::File::options()
            .append(true)
            .open(&file)
            .unwrap()
            .write_all(b"C9,Gold,1\n")
            .unwrap();
    };
    let request = crate::support::request("p", Some(&file));
    let running = sluice_engine::run::run(&bench.instance, &bench.settings, request, &watch);
    let (report, ()) = tokio::join!(running, grow);
    let error = report.unwrap().error.unwrap();
    assert_eq!(error.code(), Some("source_changed"), "{error}");
    assert!(bench.customers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_header_is_told_at_once_whatever_follows() {
    let bench = bench().await;
    for header in ["cid,Ti\"er,Spend\n", "cid,\"Tier,Spend\n"] {
        let error = refused(
            &bench,
            format!("{header}{}", "C1,Gold,1\n".repeat(50_000)),
            "source_corrupt",
        )
        .await;
        assert!(error.to_string().len() < 400, "{error}");
    }
}

/// The attributes of the fixtures.
const ATTRIBUTES: [&str; 10] = [
    "Email=email",
    "Loyalty Tier=string",
    "City=string",
    "Signup Date=date",
    "Last Login=timestamp",
    "Total Spend=decimal(18,2)",
    "Orders=int",
    "Opted In=boolean",
    "Points=bigint",
    "Favourite Note=string",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_merges_the_records_that_its_description_promises() {
    for (name, read, rejected) in [
        ("clean.csv", 200, 0),
        ("dirty.csv", 21, 17),
        ("duplicate_header.csv", 5, 0),
        ("header_only.csv", 0, 0),
        ("bom_crlf.csv", 5, 0),
        ("no_final_newline.csv", 5, 0),
        ("quoted_newlines.csv", 6, 0),
        ("nul_bytes.csv", 5, 3),
        // The records after the one that never ends are found again.
        ("unterminated.csv", 7, 1),
    ] {
        let bench = Bench::new().await;
        let attributes = ATTRIBUTES
            .iter()
            .filter(|a| name != "duplicate_header.csv" || !a.starts_with("City"));
        let attributes: Vec<&str> = attributes.copied().collect();
        let report = bench
            .ingest(&fixture(name), "cid", &attributes, "register")
            .await
            .unwrap();
        assert!(report.error.is_none(), "{name}: {:?}", report.error);
        let run = &report.run;
        let reasons = bench.reasons(&report).await;
        assert_eq!(
            (run.rows_read, run.rows_rejected),
            (Some(read), Some(rejected)),
            "{name}: {reasons:#?}"
        );
        assert_eq!(bench.customers().await.len() as u64, read - rejected, "{name}");
        assert_eq!(run.rows_inserted, run.rows_accepted, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixture_that_is_no_csv_of_ours_is_refused_before_a_process_is_made() {
    for (name, code) in [
        ("semicolon.csv", "delimiter_suspect"),
        ("tab.csv", "delimiter_suspect"),
        ("empty.csv", "file_empty"),
        ("duplicate_header.csv", "column_duplicate"),
    ] {
        let bench = Bench::new().await;
        let error = bench
            .ingest(&fixture(name), "cid", &ATTRIBUTES, "register")
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            (Some(code), Class::Data),
            "{name}: {error}"
        );
        assert_eq!(bench.cell("SELECT count(*) FROM processes").await, "0", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_flaw_of_the_dirty_fixture_breaks_the_rule_it_was_made_for() {
    let bench = Bench::new().await;
    let report = bench
        .ingest(&fixture("dirty.csv"), "cid", &ATTRIBUTES, "register")
        .await
        .unwrap();
    let run = &report.run.run_id;
    // The `Email` of a record names its flaw; a malformed record has only its bytes.
    let told = format!(
        "SELECT split_part(split_part(arrow_cast(raw, 'Utf8'), ',', 2), '@', 1) AS flaw, array_to_string(rules, ' ') \
         FROM rejects WHERE run_id = '{run}' AND NOT array_has(rules, 'invalid_encoding') ORDER BY record_no"
    );
    let rules = bench.rows(&told).await;
    let flaws = [
        "short_record|malformed_record",
        "long_record|malformed_record",
        "stray_quote|malformed_record",
        "null_cid|cid_null",
        "duplicate_cid|cid_duplicate",
        "duplicate_cid_again|cid_duplicate",
        "bad_int|type_mismatch",
        "bad_date|type_mismatch",
        "bad_decimal|type_mismatch",
        "default_date|date_default",
        "default_timestamp|date_default",
        "early_date|date_too_early",
        "long_string|string_too_long",
        "emoji|unsupported_character",
        "bad_email.example.com|email_invalid",
        "unterminated_quote|malformed_record",
    ];
    assert_eq!(rules, flaws);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_without_a_name_do_not_shift_the_others_in_raw() {
    let bench = Bench::new().await;
    let file = bench.file("in.csv", ",n,,note,cid\n1,4,,bad,C1\n2,5,,good,C2\n");
    let toml = format!(
        "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = {:?}\n[[attribute]]\ncolumn = \"n\"\ntype = \"int\"\n\
         [[rule]]\nid = \"note_good\"\nsql = \"raw['note'] <> 'bad'\"\n",
        file.display().to_string()
    );
    bench.process("p", &toml).await;
    let report = bench.run(crate::support::request("p", None)).await.unwrap();
    assert_eq!(
        (report.run.rows_accepted, report.run.rows_rejected),
        (Some(1), Some(1))
    );
}
