//! What a process file resolves to.

use crate::decode::bytes::Encoding;
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use crate::spec::*;

/// The smallest process.
pub(super) const SMALLEST: &str = r#"
mode = "register"
key = "cid"
[source]
url = "Customers.csv"
[[attribute]]
column = "Loyalty Tier"
type = "string"
"#;

pub(super) fn parsed(text: &str) -> Result<Process, Vec<Problem>> {
    parse_process("loyalty", text, &Limits::default(), &[])
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_smallest_process_gets_every_default() {
    let process = parsed(SMALLEST).unwrap();
    assert_eq!(process.name, "loyalty");
    assert_eq!(process.mode, Mode::Register);
    assert_eq!(process.key, "cid");
    assert_eq!(process.source.url.as_deref(), Some("Customers.csv"));
    assert_eq!(process.source.kind(), SourceKind::Local);
    assert_eq!(process.source.dialect, CsvOptions::default());
    assert_eq!(process.policy, Policy::default());
    assert_eq!(process.policy.max_rejects, RejectBudget::Unlimited);
    assert_eq!(process.policy.on_duplicate, OnDuplicate::RejectAll);
    assert_eq!(process.schedule, None);
    assert_eq!(process.severities, BuiltinSeverities::default());
    assert!(process.rules.is_empty());
    assert_eq!(process.hash, definition_hash(SMALLEST));
    let [attribute] = process.attributes.as_slice() else {
        panic!("one attribute")
    };
    assert_eq!(attribute.name, "loyalty_tier");
    assert_eq!(attribute.ty, AttributeType::String);
    assert_eq!(attribute.time_zone, Tz::UTC);
    assert_eq!(attribute.null, NullPolicy::Clear);
    assert_eq!(attribute.default_dates, [day("1900-01-01"), day("1989-01-01")]);
    assert_eq!(attribute.on_too_long, OnTooLong::Reject);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one file with every key, and every key looked at"
)]
fn every_key_of_a_process_arrives_where_it_belongs() {
    let process = parsed(
        r##"
mode = "update"
key = "Customer Id"
[source]
url = "s3://bucket/exports/Customers_17.csv"
connection = "crm"
pattern = "Customers_%"
format = "csv"
delimiter = "\t"
quote = "'"
escape = "\\"
header = false
skip_rows = 2
comment = "#"
encoding = "windows-1252"
trim = true
null_tokens = ["NULL", "-"]
[[attribute]]
column = "Spend"
type = "decimal(18, 2)"
label = "Spend, 90 days"
display = "0.00"
on_scale = "round"
null_tokens = []
[[attribute]]
column = "Spend"
name = "spend_text"
type = "varchar(20)"
on_too_long = "truncate"
on_unsupported = "strip"
null = "clear"
[[attribute]]
column = "Seen"
type = "timestamp"
format = ["%d/%m/%Y %H:%M", "%s"]
time_zone = "Europe/Madrid"
default_dates = ["1970-01-01"]
[[attribute]]
column = "Mail"
type = "email"
[policy]
on_duplicate = "keep_last"
null = "keep"
max_rejects = "0.5%"
strict = false
allow_none = true
[schedule]
every = "6h"
start = "2026-01-01T03:00"
time_zone = "Europe/Madrid"
[rules]
date_default = "warn"
email_invalid = "off"
[[rule]]
id = "spend_positive"
sql = "spend >= 0"
severity = "warn"
message = "spend is negative"
[[rule]]
id = "half_known"
sql = "-- all\nWITH x AS (SELECT 1) SELECT record_no FROM incoming"
"##,
    )
    .unwrap();
    let source = &process.source;
    assert_eq!(process.mode, Mode::Update);
    assert_eq!(
        (source.kind(), source.connection.as_deref()),
        (SourceKind::S3, Some("crm"))
    );
    assert_eq!(
        source.dialect,
        CsvOptions {
            delimiter: b'\t'.into(),
            quote: Some(b'\''),
            escape: Some(b'\\'),
            header: Header::Absent,
            skip_rows: 2,
            comment: Some(b'#'),
            encoding: Encoding::Windows1252,
            trim: Trim::Blanks,
            null_tokens: vec!["NULL".into(), "-".into()],
            ..CsvOptions::default()
        }
    );
    let [spend, text, seen, mail] = process.attributes.as_slice() else {
        panic!("four attributes")
    };
    assert_eq!(
        spend.ty,
        AttributeType::Decimal {
            precision: 18,
            scale: 2
        }
    );
    assert_eq!(
        (spend.label.as_deref(), spend.display.as_deref()),
        (Some("Spend, 90 days"), Some("0.00"))
    );
    assert_eq!((spend.on_scale, spend.null), (OnScale::Round, NullPolicy::Keep));
    assert!(spend.null_tokens.is_empty());
    assert_eq!(
        (text.column.as_str(), text.name.as_str(), text.null),
        ("Spend", "spend_text", NullPolicy::Clear)
    );
    assert_eq!(
        (text.on_too_long, text.on_unsupported),
        (OnTooLong::Truncate, OnUnsupported::Strip)
    );
    assert_eq!(text.null_tokens, ["NULL", "-"]);
    assert_eq!(seen.formats, ["%d/%m/%Y %H:%M", "%s"]);
    assert_eq!(
        (seen.time_zone, seen.default_dates.as_slice()),
        (Tz::Europe__Madrid, [day("1970-01-01")].as_slice())
    );
    assert_eq!(process.email(), Some(mail));
    assert_eq!(
        process.policy,
        Policy {
            on_duplicate: OnDuplicate::KeepLast,
            null: NullPolicy::Keep,
            max_rejects: RejectBudget::Percent(0.5),
            strict: Strictness::Lenient,
            allow_none: NoneAccepted::Completes,
        }
    );
    let start = day("2026-01-01").and_hms_opt(3, 0, 0).unwrap();
    let schedule = Schedule {
        every: Every::SixHours,
        start,
        time_zone: Tz::Europe__Madrid,
    };
    assert_eq!(process.schedule, Some(schedule));
    assert_eq!(process.severities.of("date_default"), Severity::Warn);
    assert_eq!(process.severities.of("email_invalid"), Severity::Off);
    assert_eq!(process.severities.of("date_too_early"), Severity::Reject);
    let kinds: Vec<_> = process
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), rule.kind, rule.severity))
        .collect();
    assert_eq!(
        kinds,
        [
            ("spend_positive", RuleKind::Row, Severity::Warn),
            ("half_known", RuleKind::Set, Severity::Reject)
        ]
    );
}

#[test]
fn a_schedule_without_start_begins_at_midnight() {
    let process = parsed(&format!("{SMALLEST}[schedule]\nevery = \"24h\"\n")).unwrap();
    let schedule = process.schedule.unwrap();
    assert_eq!(schedule.every.hours(), 24);
    assert_eq!(
        schedule.start,
        NaiveDateTime::parse_from_str("2000-01-01T00:00", "%Y-%m-%dT%H:%M").unwrap()
    );
}

#[test]
fn strict_is_a_budget_of_no_rows() {
    let strict = parsed(&format!("{SMALLEST}[policy]\nstrict = true\n"))
        .unwrap()
        .policy;
    assert_eq!(
        (strict.strict, strict.max_rejects),
        (Strictness::Strict, RejectBudget::Rows(0))
    );
    let lifted = strict.with_max_rejects(RejectBudget::Rows(5));
    assert_eq!(
        (lifted.strict, lifted.max_rejects),
        (Strictness::Lenient, RejectBudget::Rows(5))
    );
    assert_eq!(
        parsed(&format!("{SMALLEST}[policy]\nmax_rejects = 7\n"))
            .unwrap()
            .policy
            .max_rejects,
        RejectBudget::Rows(7)
    );
}

#[test]
fn defaults_of_the_instance_hold_where_the_process_says_nothing() {
    let instance = parse_instance(
        "format = 1\n[defaults]\non_duplicate = \"keep_first\"\nstrict = true\ntime_zone = \"Asia/Tokyo\"\n\
         null_tokens = [\"NULL\"]\n[limits]\nattributes_per_process = 1\n",
    )
    .unwrap();
    let process = parse_process_in("p", SMALLEST, &instance).unwrap();
    assert_eq!(process.policy.on_duplicate, OnDuplicate::KeepFirst);
    assert_eq!(process.policy.max_rejects, RejectBudget::Rows(0));
    assert_eq!(process.attributes[0].time_zone, Tz::Asia__Tokyo);
    assert_eq!(process.attributes[0].null_tokens, ["NULL"]);

    let text = format!("{SMALLEST}[policy]\nmax_rejects = 9\non_duplicate = \"reject_all\"\n");
    let process = parse_process_in("p", &text, &instance).unwrap();
    assert_eq!(process.policy.on_duplicate, OnDuplicate::RejectAll);
    assert_eq!(process.policy.strict, Strictness::Lenient);
    assert_eq!(process.policy.max_rejects, RejectBudget::Rows(9));

    let text = format!("{SMALLEST}[policy]\nstrict = false\n");
    let process = parse_process_in("p", &text, &instance).unwrap();
    assert_eq!(process.policy.max_rejects, RejectBudget::Unlimited);
}

#[test]
fn the_schema_names_every_key_and_requires_what_the_reader_requires() {
    let schema = json_schema();
    let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "mode",
            "key",
            "source",
            "attribute",
            "policy",
            "guard",
            "retention",
            "schedule",
            "rules",
            "rule"
        ]
    );
    assert_eq!(
        schema["required"],
        serde_json::json!(["mode", "key", "source", "attribute"])
    );
    assert_eq!(schema["additionalProperties"], false);
    let attribute = &schema["$defs"]["attribute"];
    assert_eq!(attribute["required"], serde_json::json!(["column", "type"]));
    assert_eq!(attribute["properties"]["column"]["type"], "string");
    let text = schema.to_string();
    assert!(
        !text.contains(r#""type":"null""#) && !text.contains(":null"),
        "TOML has no null: {schema:#}"
    );
}
