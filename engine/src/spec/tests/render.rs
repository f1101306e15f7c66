//! What is written reads back as what was meant.

use super::process::parsed;
use crate::spec::*;

#[test]
fn a_process_of_defaults_is_written_without_them() {
    let mut process = NewProcess::new(Mode::Register, "cid", "Customers.csv");
    process.attributes.push("Loyalty Tier=string".parse().unwrap());
    process
        .attributes
        .push("Spend:spend_90d=decimal(18,2)".parse().unwrap());
    assert_eq!(
        render_process(&process).unwrap(),
        r#"mode = "register"
key = "cid"

[source]
url = "Customers.csv"

[[attribute]]
column = "Loyalty Tier"
type = "string"

[[attribute]]
column = "Spend"
name = "spend_90d"
type = "decimal(18,2)"
"#
    );
}

#[test]
fn a_written_process_reads_back_with_its_policies_and_odd_names() {
    let policies = [
        Policy {
            on_duplicate: OnDuplicate::KeepLast,
            ..Policy::default()
        }
        .made_strict(),
        Policy {
            null: NullPolicy::Keep,
            allow_none: NoneAccepted::Completes,
            ..Policy::default()
        },
        Policy::default().with_max_rejects(RejectBudget::Rows(12)),
        Policy::default().with_max_rejects(RejectBudget::Percent(0.25)),
    ];
    for policy in policies {
        let written = NewProcess {
            connection: Some("crm".to_owned()),
            attributes: vec![Mapping::of_column("a \"b\"\\ = ü\n", AttributeType::Nvarchar(7))],
            policy,
            ..NewProcess::new(Mode::Update, "the 'key'", "s3://b/x/Customers.csv")
        };
        let process = parsed(&render_process(&written).unwrap()).unwrap();
        assert_eq!((process.mode, process.key), (written.mode, written.key));
        assert_eq!(process.source.url, Some(written.url));
        assert_eq!(process.source.connection, written.connection);
        assert_eq!(process.policy, written.policy);
        let read: Vec<_> = process
            .attributes
            .into_iter()
            .map(|a| Mapping {
                column: a.column,
                name: a.name,
                ty: a.ty,
            })
            .collect();
        assert_eq!(read, written.attributes);
    }
}

#[test]
fn a_raw_process_with_every_table_reads_back() {
    let raw = RawProcess {
        mode: Some(Mode::Register),
        key: Some("cid".to_owned()),
        source: Some(RawSource {
            url: Some("a.csv".to_owned()),
            trim: Some(true),
            ..RawSource::default()
        }),
        attribute: vec![RawAttribute {
            column: Some("Born".to_owned()),
            ty: Some("date".to_owned()),
            format: Some(vec!["%d/%m/%Y".to_owned()]),
            ..RawAttribute::default()
        }],
        policy: Some(RawPolicy {
            max_rejects: Some(RawBudget::Rows(3)),
            ..RawPolicy::default()
        }),
        guard: Some(RawGuard {
            max_cleared: Some("20%".to_owned()),
            ..RawGuard::default()
        }),
        retention: Some(RawRetention {
            reject_payload: Some("90d".to_owned()),
            ..RawRetention::default()
        }),
        schedule: Some(RawSchedule {
            every: Some(Every::Day),
            ..RawSchedule::default()
        }),
        rules: Some(RawRules {
            date_default: Some(Severity::Warn),
            ..RawRules::default()
        }),
        rule: vec![RawRule {
            id: Some("a".to_owned()),
            sql: Some("true".to_owned()),
            ..RawRule::default()
        }],
    };
    let text = render_raw(&raw).unwrap();
    assert_eq!(toml::from_str::<RawProcess>(&text).unwrap(), raw);
    assert!(parsed(&text).is_ok());
}
