//! What the properties found, each on its own.

use sluice_engine::process;

use crate::support::{Bench, definition};

const TRIMMED: &str = "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"none.csv\"\ntrim = true\n\
     null_tokens = [\"NA\"]\n[[attribute]]\ncolumn = \"Points\"\ntype = \"int\"\n\
     [[attribute]]\ncolumn = \"Tier\"\ntype = \"string\"\nnull_tokens = []\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_trim_leaves_empty_is_empty_whatever_the_blanks() {
    let bench = Bench::new().await;
    bench.process("p", TRIMMED).await;
    let file = bench.file(
        "in.csv",
        "cid,Points,Tier\nC1,\t,a\nC2,\u{a0} ,a\nC3,\tNA ,a\nC4,\t7,a\n",
    );
    let report = bench.run_on("p", &file).await.unwrap();
    assert!(bench.reasons(&report).await.is_empty());
    assert_eq!(bench.customers().await, ["C1|-|a", "C2|-|a", "C3|-|a", "C4|7|a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn null_tokens_of_an_attribute_stand_in_place_of_those_of_the_source() {
    let bench = Bench::new().await;
    bench.process("p", TRIMMED).await;
    let file = bench.file("in.csv", "cid,Points,Tier\nC1,NA,NA\n");
    bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.customers().await, ["C1|-|NA"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_attribute_that_no_run_has_brought_yet_reads_as_null() {
    let bench = Bench::new().await;
    let ask =
        "SELECT record_no FROM incoming i JOIN customers c USING (customer_id) WHERE c.level IS NOT NULL";
    let rule = format!("[[rule]]\nid = \"no_level\"\nsql = \"{ask}\"\n");
    bench
        .process("points", &definition("register", &["points=int"], &rule))
        .await;
    bench
        .process("levels", &definition("register", &["level=bigint"], ""))
        .await;
    let file = bench.file("points.csv", "cid,points\nC1,1\n");
    for _ in ["the table is empty", "it has C1"] {
        assert_eq!(bench.rows("SELECT max(level) FROM customers").await, ["-"]);
        let report = bench.run_on("points", &file).await.unwrap();
        assert!(report.error.is_none(), "{:?}", report.error);
        std::fs::write(&file, "cid,points\nC1,22\n").unwrap();
    }
    let levels = bench.file("levels.csv", "cid,level\nC1,7\n");
    bench.run_on("levels", &levels).await.unwrap();
    std::fs::write(&file, "cid,points\nC1,333\nC2,1\n").unwrap();
    let report = bench.run_on("points", &file).await.unwrap();
    assert_eq!(bench.reasons(&report).await, ["1|no_level"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_with_a_comment_at_its_end_can_be_pasted() {
    let bench = Bench::new().await;
    let rules = "[policy]\non_duplicate = \"keep_last\"\n[[rule]]\nid = \"owes\"\nsql = \"points >= 0 -- no debts\"\n\
         [[rule]]\nid = \"top\"\nsql = \"SELECT record_no FROM incoming WHERE points > 8 -- so few\"\n";
    bench
        .process("p", &definition("register", &["points=int"], rules))
        .await;
    let file = bench.file("in.csv", "cid,points\nC1,1\nC1,-1\nC2,9\nC1,2\n");
    let mut found = Vec::new();
    for rule in process::rules(&bench.instance, "p").await.unwrap() {
        let incoming = format!("FROM incoming('p', '{}')", file.display());
        let sql = rule.sql.replace("FROM incoming", &incoming);
        if ["cid_duplicate", "owes", "top"].contains(&rule.id.as_str()) {
            found.push((rule.id, bench.rows(&sql).await));
        }
    }
    let expected = [
        ("cid_duplicate", vec!["1", "2"]),
        ("owes", vec!["2"]),
        ("top", vec!["3"]),
    ];
    for ((id, mut records), (expected_id, expected)) in found.into_iter().zip(expected) {
        records.sort();
        assert_eq!(
            (id.as_str(), records),
            (expected_id, expected.into_iter().map(str::to_owned).collect())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_without_a_name_shift_no_other() {
    let bench = Bench::new().await;
    let rule = "[[rule]]\nid = \"good\"\nsql = \"raw['note'] = 'good'\"\n";
    bench
        .process("p", &definition("register", &["points=int"], rule))
        .await;
    let file = bench.file(
        "in.csv",
        b"cid,,\xff,points,,\xfe,note\nC1,a,b,1,c,d,good\nC2,a,b,x,c,d,bad\n",
    );
    let report = bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.reasons(&report).await, ["2|good", "2|type_mismatch"]);
    let columns = "record_no, points, raw['points'], raw['note']";
    let sql = format!("SELECT {columns} FROM incoming('p', '{}')", file.display());
    assert_eq!(bench.rows(&sql).await, ["1|1|1|good", "2|-|x|bad"]);
    let sql = format!("SELECT cid, points, note FROM source('{}')", file.display());
    assert_eq!(bench.rows(&sql).await, ["C1|1|good", "C2|x|bad"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_a_varchar_cannot_hold_is_rejected_also_where_others_are_stripped() {
    let bench = Bench::new().await;
    let toml = "mode = \"register\"\nkey = \"cid\"\n[source]\nurl = \"none.csv\"\n[[attribute]]\n\
         column = \"Tier\"\ntype = \"varchar(5)\"\non_too_long = \"truncate\"\non_unsupported = \"strip\"\n";
    bench.process("p", toml).await;
    let file = bench.file(
        "in.csv",
        "cid,Tier\nC1,\u{141}\u{f3}d\u{17a}\nC2,\u{1f600}Gold and more\n",
    );
    let report = bench.run_on("p", &file).await.unwrap();
    assert_eq!(bench.reasons(&report).await, ["1|unsupported_character"]);
    assert_eq!(bench.customers().await, ["C2|Gold "]);
}
