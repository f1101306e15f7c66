//! Whatever a file holds, a replay after a change of rules ends where a run under these rules would have.

use proptest::prelude::*;

use super::support::{bench, edit, replay, run};
use crate::properties::jobs::{RUNTIME, cases};

const ATTRIBUTES: [&str; 2] = ["Tier=varchar(3)", "Joined=date"];
const LENIENT: &str =
    "[rules]\ndate_default = \"off\"\ndate_too_early = \"warn\"\nstring_too_long = \"off\"\n";

fn record() -> impl Strategy<Value = String> {
    let key = prop_oneof![4 => "[A-F][0-9]", 1 => Just(String::new())];
    let tier = prop_oneof![Just("Tin"), Just("Gold"), Just("\"a,b\""), Just("\"x"), Just("")];
    let joined = prop_oneof![
        Just("2024-01-01"),
        Just("1900-01-01"),
        Just("1500-01-01"),
        Just("never"),
        Just("2024-01-01,extra")
    ];
    (key, tier, joined).prop_map(|(key, tier, joined)| format!("{key},{tier},{joined}\n"))
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn a_replay_ends_where_a_run_under_the_rules_of_now_would_have(
        records in proptest::collection::vec(record(), 1..40),
    ) {
        let file = format!("cid,Tier,Joined\nZ9,Tin,2024-01-01\n{}", records.concat());
        RUNTIME.block_on(async {
            let replayed = bench(&ATTRIBUTES, "").await;
            let first = run(&replayed, "a.csv", &file).await;
            edit(&replayed, &ATTRIBUTES, LENIENT).await;
            replay(&replayed, &first, |_| ()).await;
            let direct = bench(&ATTRIBUTES, LENIENT).await;
            run(&direct, "a.csv", &file).await;
            assert_eq!(replayed.customers().await, direct.customers().await, "{file}");
            let open = "SELECT record_no, line, byte_start, byte_len, customer_id FROM reject_states \
                        WHERE state = 'open' ORDER BY 1";
            assert_eq!(replayed.rows(open).await, direct.rows(open).await, "{file}");
        });
    }
}
