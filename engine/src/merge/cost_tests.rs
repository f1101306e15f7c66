use super::*;

const ALLOWED: Vectors = Vectors::Allowed {
    max_overlapping_files: 4,
};

/// The measured table: 5 million customers by 30 attributes, of which 10 are mapped, in files like ours.
fn measured(changed_share: f64) -> Evidence {
    let (bytes, rows) = (565e6, 5e6);
    Evidence {
        file_bytes: bytes as u64,
        rows: rows as u64,
        columns: 31,
        changed_rows: (rows * changed_share) as u64,
        carried_bytes: (bytes * 2.0 / 3.0) as u64,
        changed_bytes: (bytes / 3.0) as u64,
        changed_values: (rows * 10.0) as u64,
        overlapping_files: 1,
        ..Evidence::default()
    }
}

fn auto(evidence: &Evidence) -> (Strategy, Reason) {
    let choice = choose(evidence, ALLOWED, Splicing::Possible, Preference::Cheapest);
    (choice.strategy, choice.reason)
}

#[test]
fn the_model_gives_back_what_was_measured() {
    let (few, many) = (measured(0.009).costs(), measured(0.09).costs());
    for (what, modelled_ns, measured_ns) in [
        ("rewrite", few.rewrite_ns, 23.4e9),
        ("splice", few.splice_ns, 7.4e9),
        ("few vectors", few.deletion_vector_ns, 2.8e9),
        ("many vectors", many.deletion_vector_ns, 4.6e9),
    ] {
        let ratio = modelled_ns / measured_ns;
        assert!((0.8..1.25).contains(&ratio), "{what}: {ratio}");
    }
}

#[test]
fn few_changes_are_marked_and_many_are_spliced() {
    assert_eq!(
        auto(&measured(0.0001)),
        (Strategy::DeletionVector, Reason::Cheapest)
    );
    assert_eq!(auto(&measured(0.1)), (Strategy::DeletionVector, Reason::Cheapest));
    assert_eq!(auto(&measured(0.9)), (Strategy::Splice, Reason::Cheapest));
}

#[test]
fn a_file_all_of_whose_columns_change_is_written_anew() {
    let evidence = Evidence {
        changed_bytes: 565_000_000,
        changed_values: 5_000_000 * 31,
        dead_rows: 100_000,
        ..measured(0.9)
    };
    // Vectors would save the decoding, and leave nine dead rows in ten.
    assert_eq!(auto(&evidence), (Strategy::Rewrite, Reason::DeadRows));
}

#[test]
fn what_rules_out_the_cheapest_way_is_the_reason() {
    let few = measured(0.01);
    let off = choose(&few, Vectors::Forbidden, Splicing::Possible, Preference::Cheapest);
    assert_eq!((off.strategy, off.reason), (Strategy::Splice, Reason::VectorsOff));
    let crowded = Evidence {
        overlapping_files: 5,
        ..few
    };
    assert_eq!(auto(&crowded), (Strategy::Splice, Reason::TooManyOverlaps));
    let almost = Evidence {
        overlapping_files: 4,
        ..few
    };
    assert_eq!(auto(&almost), (Strategy::DeletionVector, Reason::Cheapest));
    let foreign = choose(
        &measured(0.9),
        ALLOWED,
        Splicing::Impossible,
        Preference::Cheapest,
    );
    assert_eq!(
        (foreign.strategy, foreign.reason),
        (Strategy::Rewrite, Reason::NotSpliceable)
    );
}

#[test]
fn dead_rows_are_folded_when_the_file_is_written_anyway() {
    let half_dead = Evidence {
        dead_rows: 2_500_000,
        ..measured(0.01)
    };
    assert_eq!(auto(&half_dead), (Strategy::Rewrite, Reason::DeadRows));
    let some_dead = Evidence {
        dead_rows: 500_000,
        ..measured(0.02)
    };
    assert_eq!(auto(&some_dead), (Strategy::DeletionVector, Reason::Cheapest));
}

#[test]
fn a_configured_way_is_taken_unless_it_is_impossible() {
    let few = measured(0.01);
    let asked = |strategy, vectors, splicing| {
        let choice = choose(&few, vectors, splicing, Preference::Always(strategy));
        (choice.strategy, choice.reason)
    };
    let (yes, can) = (ALLOWED, Splicing::Possible);
    for strategy in [Strategy::DeletionVector, Strategy::Splice, Strategy::Rewrite] {
        assert_eq!(asked(strategy, yes, can), (strategy, Reason::Configured));
    }
    assert_eq!(
        asked(Strategy::DeletionVector, Vectors::Forbidden, can),
        (Strategy::Rewrite, Reason::VectorsOff)
    );
    assert_eq!(
        asked(Strategy::Splice, yes, Splicing::Impossible),
        (Strategy::Rewrite, Reason::NotSpliceable)
    );
}

#[test]
fn a_tiny_file_is_written_anew_as_a_vector_is_two_files() {
    let tiny = Evidence {
        file_bytes: 4_000,
        rows: 500,
        columns: 4,
        changed_rows: 20,
        carried_bytes: 2_000,
        changed_bytes: 2_000,
        changed_values: 1_000,
        overlapping_files: 1,
        ..Evidence::default()
    };
    let costs = tiny.costs();
    assert!(costs.deletion_vector_ns > costs.rewrite_ns, "{costs:?}");
    assert_ne!(auto(&tiny).0, Strategy::DeletionVector);
}
