//! What is said of each mistake in a process file.

use super::process::{SMALLEST, parsed};
use crate::spec::*;

fn problems(text: &str) -> Vec<Problem> {
    parsed(text).unwrap_err()
}

/// The only problem of a text, which must be at `at` and say `what`.
pub(super) fn assert_one(text: &str, at: &str, what: &str) {
    let problems = problems(text);
    let [problem] = problems.as_slice() else {
        panic!("{text}\n{problems:#?}")
    };
    let place = problem.at.split(" (line ").next().unwrap();
    assert_eq!(place, at, "{text}\n{problem}");
    assert!(problem.to_string().contains(what), "{text}\n{problem}");
    assert!(!problem.remedy.is_empty());
}

/// The smallest process with another attribute behind its own.
pub(super) fn with_attribute(keys: &str) -> String {
    format!("{SMALLEST}[[attribute]]\n{keys}\n")
}

/// The smallest process with other lines in `[source]`.
fn with_source(lines: &str) -> String {
    SMALLEST.replace("url = \"Customers.csv\"", lines)
}

#[test]
fn six_mistakes_in_one_file_are_six_problems() {
    let found = problems(
        r#"
mode = "upsert"
key = "cid"
colour = "red"
[source]
url = "ftp://host/Customers.csv"
skip_rows = "two"
[[attribute]]
column = "Tier"
type = "strng"
[[attribute]]
column = "cid"
type = "int"
"#,
    );
    let mut places: Vec<_> = found.iter().map(|problem| problem.at.as_str()).collect();
    places.sort();
    assert_eq!(
        places,
        [
            "attribute[0].type (line 10)",
            "attribute[1].column (line 12)",
            "colour (line 4)",
            "mode (line 2)",
            "source.skip_rows (line 7)",
            "source.url (line 6)",
        ],
        "{found:#?}"
    );
}

#[test]
fn a_syntax_error_is_one_problem_with_line_and_column() {
    let found = problems("mode = \"register\"\nkey = cid\n");
    let [problem] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(problem.at, "line 2, column 7");
    assert!(problem.what.starts_with("not TOML"), "{problem}");
    assert_eq!(problems("key = \"a\"\nkey = \"b\"")[0].at, "line 2, column 1");
}

#[test]
fn an_empty_file_lacks_four_things() {
    let places: Vec<_> = problems("").into_iter().map(|problem| problem.at).collect();
    assert_eq!(places, ["mode", "key", "source", "attribute"]);
}

#[test]
fn unknown_keys_are_refused_at_every_depth() {
    assert_one(
        &format!("colour = 1\n{SMALLEST}"),
        "colour",
        "unknown key `colour`",
    );
    assert_one(
        &with_source("url = \"a.csv\"\ndelimeter = \";\""),
        "source.delimeter",
        "`delimiter`",
    );
    assert_one(
        &with_attribute("column = \"a\"\ntype = \"int\"\ntyp = 1"),
        "attribute[1].typ",
        "`type`",
    );
    assert_one(
        &format!("{SMALLEST}[policy]\nbudget = 1"),
        "policy.budget",
        "`max_rejects`",
    );
    assert_one(
        &format!("{SMALLEST}[schedule]\nevery = \"6h\"\nat = 1"),
        "schedule.at",
        "`start`",
    );
    assert_one(
        &format!("{SMALLEST}[policies]\nstrict = true"),
        "policies",
        "unknown key",
    );
    assert_one(
        &format!("{SMALLEST}[[rules_]]\nid = \"a\"\n[[rules_]]\nid = \"b\""),
        "rules_",
        "unknown key",
    );
}

#[test]
fn wrong_types_and_words_are_refused_with_what_belongs_there() {
    assert_one(&SMALLEST.replace("\"register\"", "1"), "mode", "in quotes");
    assert_one(
        &SMALLEST.replace("\"register\"", "\"upsert\""),
        "mode",
        "write `register` or `update`",
    );
    assert_one(&SMALLEST.replace("\"cid\"", "[1]"), "key", "write a string");
    assert_one(
        &format!(
            "source = \"a.csv\"\n{}",
            SMALLEST.replace("[source]\nurl = \"Customers.csv\"\n", "")
        ),
        "source",
        "write a table",
    );
    assert_one(
        &format!("{SMALLEST}[policy]\nmax_rejects = -1"),
        "policy.max_rejects",
        "number of rows",
    );
    assert_one(
        &format!("{SMALLEST}[policy]\nmax_rejects = \"lots\""),
        "policy.max_rejects",
        "is no budget",
    );
    assert_one(
        &format!("{SMALLEST}[policy]\nstrict = \"yes\""),
        "policy.strict",
        "boolean",
    );
    assert_one(
        &format!("{SMALLEST}[schedule]\nevery = \"7h\""),
        "schedule.every",
        "`6h` or `12h` or `24h`",
    );
    assert_one(
        &with_source("url = \"a.csv\"\nnull_tokens = [\"x\", 1]"),
        "source.null_tokens[1]",
        "string",
    );
    assert_one(
        &with_source("url = \"a.csv\"\nformat = \"xml\""),
        "source.format",
        "`csv`",
    );
    assert_one(
        &format!("{SMALLEST}[schedule]\nevery = \"6h\"\nstart = 2026-01-01T03:00:00"),
        "schedule.start",
        "quotes",
    );
}

#[test]
fn a_list_is_no_table_and_a_table_no_list() {
    assert_one(
        &format!("policy = [\"keep_first\"]\n{SMALLEST}"),
        "policy",
        "write a table",
    );
    assert_one(
        &SMALLEST.replace("[source]", "[[source]]"),
        "source",
        "write a table",
    );
    assert_one(
        &SMALLEST.replace("[[attribute]]", "[attribute]"),
        "attribute",
        "found a table; write a list",
    );
    assert_one(
        &format!("{SMALLEST}[[policy]]\nstrict = true\n[[policy]]\nnull = \"keep\""),
        "policy",
        "write a table",
    );
    assert_one(
        &format!("rule = [[\"a\", \"true\"]]\n{SMALLEST}"),
        "rule[0]",
        "write a table",
    );
}

#[test]
fn every_wrong_element_of_a_list_has_its_own_problem_and_place() {
    let found = problems(&with_source("url = \"a.csv\"\nnull_tokens = [1, \"x\", 2]"));
    let places: Vec<_> = found.iter().map(|problem| problem.at.as_str()).collect();
    assert_eq!(
        places,
        ["source.null_tokens[0] (line 6)", "source.null_tokens[2] (line 6)"]
    );
}

#[test]
fn the_process_name_is_judged_with_the_file() {
    let found = parse_process("Loyalty Tiers", "", &Limits::default(), &[]).unwrap_err();
    assert_eq!(found.len(), 5, "{found:#?}");
    assert_eq!(found[0].at, "process name");
}

#[test]
fn a_schedule_needs_an_interval_and_real_times() {
    assert_one(
        &format!("{SMALLEST}[schedule]\nstart = \"2026-01-01T03:00\""),
        "schedule.every",
        "missing",
    );
    for start in ["2026-01-01", "2026-01-01T25:00", "2026-01-01T03:00Z", "noon"] {
        let text = format!("{SMALLEST}[schedule]\nevery = \"6h\"\nstart = \"{start}\"");
        assert_one(&text, "schedule.start", "is no date and time");
    }
}

#[test]
fn strict_beside_a_budget_is_refused() {
    let text = format!("{SMALLEST}[policy]\nstrict = true\nmax_rejects = 3");
    assert_one(&text, "policy.max_rejects", "keep one");
    assert!(parsed(&text.replace("= 3", "= 0")).is_ok());
}

#[test]
fn rules_that_always_reject_cannot_be_set() {
    for id in [
        "malformed_record",
        "cid_null",
        "cid_duplicate",
        "cid_unknown",
        "type_mismatch",
    ] {
        assert_one(
            &format!("{SMALLEST}[rules]\n{id} = \"warn\""),
            &format!("rules.{id}"),
            "always rejects",
        );
    }
    assert_one(
        &format!("{SMALLEST}[rules]\ntypo = \"warn\""),
        "rules.typo",
        "unknown key",
    );
    assert_one(
        &format!("{SMALLEST}[rules]\ndate_default = \"ignore\""),
        "rules.date_default",
        "`reject` or `warn` or `off`",
    );
}

#[test]
fn a_users_rule_has_a_free_id_and_some_sql() {
    let rule = |keys: &str| format!("{SMALLEST}[[rule]]\n{keys}\n");
    assert_one(&rule("sql = \"true\""), "rule[0].id", "missing");
    assert_one(&rule("id = \"a\""), "rule[0].sql", "missing");
    assert_one(&rule("id = \"A-b\"\nsql = \"true\""), "rule[0].id", "cannot name");
    assert_one(
        &rule("id = \"cid_null\"\nsql = \"true\""),
        "rule[0].id",
        "built-in",
    );
    assert_one(
        &rule("id = \"rule_error\"\nsql = \"true\""),
        "rule[0].id",
        "built-in",
    );
    assert_one(&rule("id = \"a\"\nsql = \" -- true\""), "rule[0].sql", "no SQL");
    assert_one(
        &rule("id = \"a\"\nsql = \"true\"\n[[rule]]\nid = \"a\"\nsql = \"true\""),
        "rule[1].id",
        "two rules",
    );
}
