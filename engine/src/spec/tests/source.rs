//! What is accepted and refused under `[source]`.

use super::process::{SMALLEST, parsed};
use crate::spec::*;

fn with_source(lines: &str) -> String {
    SMALLEST.replace("url = \"Customers.csv\"", lines)
}

fn source(lines: &str) -> Source {
    parsed(&with_source(lines)).unwrap().source
}

fn assert_refused(lines: &str, at: &str, what: &str) {
    let problems = parsed(&with_source(lines)).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{lines}\n{problems:#?}")
    };
    assert!(
        problem.at.starts_with(&format!("source.{at}")),
        "{lines}\n{problem}"
    );
    assert!(problem.to_string().contains(what), "{lines}\n{problem}");
}

#[test]
fn rows_come_from_exactly_one_of_url_and_query() {
    assert_refused("", "url", "missing");
    assert_refused(
        "url = \"a.csv\"\nquery = \"SELECT 1\"",
        "query",
        "both url and query",
    );
    assert_refused("query = \"  \"", "query", "no query");
    let query = source("query = \"SELECT 1\"\nconnection = \"snow\"");
    assert_eq!(
        (query.kind(), query.location()),
        (SourceKind::SnowflakeQuery, "SELECT 1")
    );
    assert_eq!(query.recurring_pattern(), None);
}

#[test]
fn a_relative_path_stays_as_written() {
    assert_eq!(
        source("url = \"../in/Customers.csv\"").location(),
        "../in/Customers.csv"
    );
}

#[test]
fn the_pattern_is_the_users_or_else_made_of_the_first_file() {
    assert_eq!(
        source("url = \"s3://b/Customers_7.csv\"")
            .recurring_pattern()
            .as_deref(),
        Some("Customers_%")
    );
    let chosen = source("url = \"s3://b/Customers_7.csv\"\npattern = \"Crm_%\"");
    assert_eq!(chosen.recurring_pattern().as_deref(), Some("Crm_%"));
    assert_refused(
        "url = \"a.csv\"\npattern = \"Customers*\"",
        "pattern",
        "is no pattern",
    );
}

#[test]
fn two_nested_folders_are_the_limit_in_a_bucket_and_local_files_have_none() {
    assert!(parsed(&with_source("url = \"s3://b/x/y/a.csv\"")).is_ok());
    assert_refused(
        "url = \"s3://b/x/y/z/a.csv\"",
        "url",
        "3 nested folders, the limit is 2",
    );
    assert_refused("url = \"gs://b/x/y/z/a.csv\"", "url", "3 nested folders");
    assert!(parsed(&with_source("url = \"/a/b/c/d/e.csv\"")).is_ok());
}

#[test]
fn folders_are_counted_from_the_connections_root() {
    let instance = parse_instance(
        "format = 1\n[connections.deep]\ntype = \"s3\"\nroot = \"x/y\"\n[connections.top]\ntype = \"s3\"\nregion = \"eu-west-1\"\n\
         [connections.drop]\ntype = \"sftp\"\nhost = \"host\"\n",
    )
    .unwrap();
    let judged = |url: &str, connection: &str| {
        let text = with_source(&format!("url = \"{url}\"\nconnection = \"{connection}\""));
        parse_process_in("p", &text, &instance)
            .err()
            .map(|problems| problems[0].what.clone())
    };
    assert_eq!(judged("s3://b/x/y/z/w/a.csv", "deep"), None);
    assert!(
        judged("s3://b/x/y/z/w/v/a.csv", "deep")
            .unwrap()
            .contains("3 nested folders")
    );
    assert!(
        judged("s3://b/elsewhere/a.csv", "deep")
            .unwrap()
            .contains("not under")
    );
    assert!(
        judged("s3://b/x/y/z/a.csv", "top")
            .unwrap()
            .contains("3 nested folders")
    );
    assert!(
        judged("s3://b/a.csv", "crm")
            .unwrap()
            .contains("no [connections.crm]")
    );
    assert_eq!(judged("sftp://host/a/b/c/d.csv", "drop"), None);
    assert!(judged("sftp://host/a.csv", "top").unwrap().contains("of type s3"));
}

#[test]
fn options_of_files_mean_nothing_for_snowflake_and_the_reverse() {
    let table = "url = \"snowflake://DB/S/T\"\n";
    for option in [
        "delimiter = \";\"",
        "header = true",
        "encoding = \"utf-8\"",
        "format = \"csv\"",
        "pattern = \"a_%\"",
    ] {
        let key = option.split(' ').next().unwrap();
        assert_refused(&format!("{table}{option}"), key, "means nothing for Snowflake");
    }
    assert_eq!(
        source(&format!("{table}order_by = \"updated_at\""))
            .order_by
            .as_deref(),
        Some("updated_at")
    );
    assert_refused(
        "url = \"a.csv\"\norder_by = \"x\"",
        "order_by",
        "means nothing for a file",
    );
    assert_refused(
        "url = \"a.csv\"\nconnection = \"x\"",
        "connection",
        "means nothing for a local file",
    );
}

#[test]
fn keeping_the_first_of_unordered_rows_is_refused() {
    let text = with_source("url = \"snowflake://DB/S/T\"") + "[policy]\non_duplicate = \"keep_first\"\n";
    let problems = parsed(&text).unwrap_err();
    assert!(
        problems.len() == 1 && problems[0].at.starts_with("source.order_by"),
        "{problems:#?}"
    );
    assert!(parsed(&text.replace("S/T\"", "S/T\"\norder_by = \"x\"")).is_ok());
}

#[test]
fn format_characters_are_ascii_and_differ() {
    assert_refused(
        "url = \"a.csv\"\ndelimiter = \"\"",
        "delimiter",
        "one to eight ASCII characters",
    );
    assert_eq!(
        source("url = \"a.csv\"\ndelimiter = \"||\"")
            .dialect
            .delimiter
            .as_bytes(),
        b"||"
    );
    assert_refused("url = \"a.csv\"\nencoding = \"shift_jis\"", "encoding", "utf-8");
    assert_refused("url = \"a.csv\"\ncolumns = []", "columns", "name every column");
    assert_refused(
        "url = \"a.csv\"\nheader = true\ncolumns = [\"a\"]",
        "columns",
        "skip_rows = 1",
    );
    assert_refused(
        "url = \"a.csv\"\ndelimiter = \"\\n\"",
        "delimiter",
        "one to eight ASCII characters",
    );
    assert_refused("url = \"a.csv\"\nquote = \"«\"", "quote", "one ASCII character");
    assert_refused("url = \"a.csv\"\nquote = \",\"", "quote", "the same character");
    assert_refused(
        "url = \"a.csv\"\ncomment = \",\"",
        "comment",
        "the same character",
    );
    let bare = source("url = \"a.csv\"\nquote = \"\"\nescape = \"\\\"\"").dialect;
    assert_eq!((bare.quote, bare.escape), (None, Some(b'"')));
}

#[test]
fn a_source_can_be_given_as_url_and_options() {
    let options = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let given = options(&[
        ("delimiter", ";"),
        ("header", "false"),
        ("skip_rows", "3"),
        ("null_tokens", "NULL,-"),
    ]);
    let dialect = parse_source("a.csv", &given).unwrap().dialect;
    assert_eq!(
        (dialect.delimiter, dialect.header, dialect.skip_rows),
        (b';'.into(), Header::Absent, 3)
    );
    assert_eq!(dialect.null_tokens, ["NULL", "-"]);

    let wrong = options(&[("header", "perhaps"), ("delimeter", ";"), ("quote", "ab")]);
    let mut places: Vec<_> = parse_source("a.csv", &wrong)
        .unwrap_err()
        .into_iter()
        .map(|p| p.at)
        .collect();
    places.sort();
    assert_eq!(places, ["delimeter", "header", "quote"]);
}
