//! What may be edited after `complete` and what may not.

use super::process::parsed;
use crate::spec::*;

const COMPLETED: &str = r#"
mode = "register"
key = "cid"
[source]
url = "s3://b/Customers.csv"
[[attribute]]
column = "Tier"
type = "string"
[[attribute]]
column = "Spend"
type = "decimal(18,2)"
"#;

fn differences(edited: &str) -> Vec<(String, String, String)> {
    let found = locked_differences(&parsed(COMPLETED).unwrap(), &parsed(edited).unwrap());
    found
        .into_iter()
        .map(|difference| (difference.field, difference.was, difference.is))
        .collect()
}

fn one(field: &str, was: &str, is: &str) -> Vec<(String, String, String)> {
    vec![(field.to_owned(), was.to_owned(), is.to_owned())]
}

#[test]
fn mode_source_key_and_each_attributes_column_and_type_are_locked() {
    assert_eq!(
        differences(&COMPLETED.replace("register", "update")),
        one("mode", "register", "update")
    );
    assert_eq!(
        differences(&COMPLETED.replace("s3://b", "s3://c")),
        one("source", "s3://b/Customers.csv", "s3://c/Customers.csv")
    );
    assert_eq!(
        differences(&COMPLETED.replace("\"cid\"", "\"id\"")),
        one("key", "cid", "id")
    );
    assert_eq!(
        differences(&COMPLETED.replace("18,2", "18,3")),
        one("attribute spend.type", "decimal(18,2)", "decimal(18,3)")
    );
    assert_eq!(
        differences(&COMPLETED.replace("\"Tier\"", "\"TIER\"")),
        one("attribute tier.column", "Tier", "TIER")
    );
}

#[test]
fn attributes_can_be_neither_added_removed_nor_renamed() {
    let added = format!("{COMPLETED}[[attribute]]\ncolumn = \"New\"\ntype = \"int\"\n");
    assert_eq!(
        differences(&added),
        one("attribute new", "absent", "int from column `New`")
    );
    let removed = COMPLETED.replace("[[attribute]]\ncolumn = \"Tier\"\ntype = \"string\"\n", "");
    assert_eq!(
        differences(&removed),
        one("attribute tier", "string from column `Tier`", "absent")
    );
    let renamed = differences(&COMPLETED.replace("\"Tier\"", "\"Tier\"\nname = \"level\""));
    assert_eq!(renamed.len(), 2, "{renamed:#?}");
}

#[test]
fn rules_policies_schedule_labels_order_and_spelling_stay_editable() {
    let edited = r#"
key = "cid"
mode = "register"
[source]
url = "s3://b/Customers.csv"
delimiter = ";"
[[attribute]]
column = "Spend"
name = "spend"
type = "DECIMAL(18, 2)"
label = "Spend"
[[attribute]]
column = "Tier"
type = "string"
on_too_long = "truncate"
[policy]
max_rejects = 5
[schedule]
every = "6h"
[rules]
date_default = "off"
[[rule]]
id = "a"
sql = "true"
"#;
    assert_eq!(differences(edited), []);
}

#[test]
fn what_the_state_file_keeps_reads_back_and_judges_the_same() {
    let locked = Locked::of(&parsed(COMPLETED).unwrap());
    let stored = serde_json::to_string(&locked).unwrap();
    assert!(
        stored.contains(r#"{"column":"Spend","name":"spend","type":"decimal(18,2)"}"#),
        "{stored}"
    );
    let read: Locked = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, locked);
    let edited = parsed(&COMPLETED.replace("register", "update")).unwrap();
    assert_eq!(read.differences(&edited), locked.differences(&edited));
}
