//! What is said of each mistake in an attribute, and among the attributes.

use super::problems::{assert_one, with_attribute};
use super::process::{SMALLEST, parsed};
use crate::spec::*;

#[test]
fn attribute_names_are_legal_free_and_unique() {
    assert_one(
        &with_attribute("column = \"a\"\nname = \"A\"\ntype = \"int\""),
        "attribute[1].name",
        "cannot name",
    );
    assert_one(
        &with_attribute("column = \"2nd\"\ntype = \"int\""),
        "attribute[1].name",
        "add a name",
    );
    assert_one(
        &with_attribute("column = \"Line\"\ntype = \"int\""),
        "attribute[1].name",
        "column of the engine",
    );
    assert_one(
        &with_attribute("column = \"loyalty-tier\"\ntype = \"int\""),
        "attribute[1].name",
        "the name of two attributes",
    );
    let reserved = ["loyalty_tier".to_owned()];
    let found = parse_process("p", SMALLEST, &Limits::default(), &reserved).unwrap_err();
    assert!(
        found.len() == 1 && found[0].what.contains("reserved_attributes"),
        "{found:#?}"
    );
}

#[test]
fn the_key_is_neither_column_nor_name_of_an_attribute() {
    assert_one(
        &with_attribute("column = \"cid\"\nname = \"x\"\ntype = \"int\""),
        "attribute[1].column",
        "customer_id",
    );
    assert_one(
        &with_attribute("column = \"x\"\nname = \"cid\"\ntype = \"int\""),
        "attribute[1].name",
        "key column",
    );
    assert_one(&SMALLEST.replace("\"cid\"", "\"\""), "key", "empty column");
}

#[test]
fn one_column_may_become_two_attributes() {
    assert!(
        parsed(&with_attribute(
            "column = \"Loyalty Tier\"\nname = \"tier\"\ntype = \"nvarchar(5)\""
        ))
        .is_ok()
    );
}

#[test]
fn a_process_has_one_email_at_most() {
    let text =
        with_attribute("column = \"a\"\ntype = \"email\"\n[[attribute]]\ncolumn = \"b\"\ntype = \"Email\"");
    assert_one(&text, "attribute[2].type", "second email");
}

#[test]
fn the_limit_on_attributes_is_the_instances() {
    let attributes = |count: usize| -> String {
        let more: String = (1..count)
            .map(|n| format!("[[attribute]]\ncolumn = \"c{n}\"\ntype = \"int\"\n"))
            .collect();
        format!("{SMALLEST}{more}")
    };
    assert!(parsed(&attributes(10)).is_ok());
    assert_one(&attributes(11), "attribute[10]", "11 attributes, the limit is 10");
    let wide = Limits {
        attributes_per_process: 11,
        ..Limits::default()
    };
    assert!(parse_process("p", &attributes(11), &wide, &[]).is_ok());
}

#[test]
fn attribute_keys_that_would_do_nothing_are_refused() {
    for (ty, key) in [
        ("string", "format = [\"%Y\"]"),
        ("int", "default_dates = []"),
        ("date", "time_zone = \"UTC\""),
        ("email", "on_too_long = \"truncate\""),
        ("int", "on_unsupported = \"strip\""),
        ("double", "on_scale = \"round\""),
    ] {
        let at = format!("attribute[1].{}", key.split(' ').next().unwrap());
        assert_one(
            &with_attribute(&format!("column = \"a\"\ntype = \"{ty}\"\n{key}")),
            &at,
            "means nothing for",
        );
    }
}

#[test]
fn formats_zones_and_dates_must_be_some() {
    let dated = |key: &str| with_attribute(&format!("column = \"a\"\ntype = \"timestamp\"\n{key}"));
    assert_one(
        &dated("format = [\"%Y\", \"%!\"]"),
        "attribute[1].format[1]",
        "is no format",
    );
    assert_one(
        &dated("format = [\"dd/MM/yyyy\"]"),
        "attribute[1].format[0]",
        "%d/%m/%Y",
    );
    assert_one(
        &dated("time_zone = \"Madrid\""),
        "attribute[1].time_zone",
        "Europe/Madrid",
    );
    assert_one(
        &dated("default_dates = [\"1900-13-01\"]"),
        "attribute[1].default_dates[0]",
        "is no date",
    );
    assert_one(
        &with_attribute("type = \"int\""),
        "attribute[1].column",
        "missing",
    );
    assert_one(
        &with_attribute("column = \"\"\ntype = \"int\""),
        "attribute[1].column",
        "empty column",
    );
    assert_one(&with_attribute("column = \"a\""), "attribute[1].type", "missing");
}
