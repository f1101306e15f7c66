use sluice_engine::process::look;
use sluice_engine::source::Sources;
use sluice_engine::spec::Every;

use super::*;
use crate::guide::lines::testing::Script;

const FILE: &str = "cid,Loyalty Tier,Mail,Joined\nC1,Gold,a@example.com,31/12/2024\nC2,Silver,b@example.com,13/01/2024\n\
                    C3,Gold,c@example.com,14/01/2024\n";

fn looked_at(name: &str, typed: &str) -> (tempfile::TempDir, Looked) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), FILE).unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let file = std::fs::File::options()
        .append(true)
        .open(folder.path().join(name))
        .unwrap();
    file.set_modified(old).unwrap();
    let looked = look(&Sources::without_instance(), &folder.path().join(typed), None).unwrap();
    (folder, looked)
}

fn chosen(looked: &Looked, script: &mut Script) -> Result<Chosen> {
    let today = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
    choose(script, looked, Wanted::default(), today)
}

fn mapped(chosen: &Chosen) -> Vec<String> {
    let attributes = chosen.attributes.iter();
    attributes
        .map(|a| format!("{}:{}={}", a.column, a.name, a.guess.ty))
        .collect()
}

#[test]
fn enter_takes_every_guess() {
    let (_folder, looked) = looked_at("in.csv", "in.csv");
    let mut script = Script::of(&[""; 5]);
    let chosen = chosen(&looked, &mut script).unwrap();
    assert!(script.is_over());
    assert_eq!((chosen.key.as_str(), chosen.mode), ("cid", Mode::Register));
    assert_eq!(
        mapped(&chosen),
        [
            "Loyalty Tier:loyalty_tier=string",
            "Mail:mail=email",
            "Joined:joined=date"
        ]
    );
    assert_eq!(chosen.schedule, None);
    assert!(script.was_told("a single local file"), "{script:?}");
    assert!(
        script.was_told("Loyalty Tier: string, 100 % of the values fit"),
        "{script:?}"
    );
    let text = looked.text_of(&chosen, &[]).unwrap();
    assert!(text.contains("format = [\"%d/%m/%Y\"]"), "{text}");
}

#[test]
fn names_and_types_are_changed_and_columns_left_out() {
    let (_folder, looked) = looked_at("in.csv", "in.csv");
    let mut script = Script::of(&["", "update", "tier=varchar(20)", "-", "=string"]);
    let chosen = chosen(&looked, &mut script).unwrap();
    assert_eq!(chosen.mode, Mode::Update);
    assert_eq!(
        mapped(&chosen),
        ["Loyalty Tier:tier=varchar(20)", "Joined:joined=string"]
    );
    let mut script = Script::of(&["cid", "", "tier", "."]);
    let chosen = super::choose(&mut script, &looked, Wanted::default(), NaiveDate::MIN).unwrap();
    assert_eq!(mapped(&chosen), ["Loyalty Tier:tier=string"]);
}

#[test]
fn what_cannot_be_is_said_and_asked_again() {
    let (_folder, looked) = looked_at("in.csv", "in.csv");
    let answers = [
        "nope",
        "cid",
        "upsert",
        "register",
        "Tier",
        "tier=strng",
        "tier=email",
        "tier",
        "",
        "-",
        "-",
    ];
    let mut script = Script::of(&answers);
    let chosen = chosen(&looked, &mut script).unwrap();
    assert!(script.is_over(), "{script:?}");
    for told in [
        "no column \"nope\"",
        "neither register nor update",
        "cannot name an attribute",
        "strng",
        "tier is what \"Loyalty Tier\" becomes",
        "one e-mail attribute, and that is tier",
    ] {
        assert!(script.was_told(told), "{told}: {script:?}");
    }
    assert_eq!(mapped(&chosen), ["Loyalty Tier:tier=email"]);
}

#[test]
fn a_pattern_of_a_folder_may_have_a_schedule() {
    let (_folder, looked) = looked_at("Customers_1.csv", "Customers_%.csv");
    let mut script = Script::of(&[
        "",
        "",
        "",
        "",
        "",
        "5h",
        "24h",
        "soon",
        "2026-03-01T04:30",
        "Mars",
        "Europe/Madrid",
    ]);
    let chosen = chosen(&looked, &mut script).unwrap();
    let schedule = chosen.schedule.clone().unwrap();
    assert_eq!(schedule.every, Some(Every::Day));
    assert_eq!(schedule.start.as_deref(), Some("2026-03-01T04:30"));
    assert_eq!(schedule.time_zone.as_deref(), Some("Europe/Madrid"));
    assert!(script.was_told("[2026-03-01T03:00]"), "{script:?}");
    assert!(
        script.was_told("none of once")
            && script.was_told("no date and time")
            && script.was_told("no time zone")
    );
    let text = looked.text_of(&chosen, &[]).unwrap();
    assert!(text.contains("Customers_%.csv"), "{text}");
}

#[test]
fn who_answers_no_more_makes_no_process() {
    let (_folder, looked) = looked_at("in.csv", "in.csv");
    assert!(chosen(&looked, &mut Script::of(&["", ""])).is_err());
}
