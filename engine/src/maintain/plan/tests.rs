use proptest::prelude::*;

use super::*;

const MB: u64 = 1 << 20;

fn thresholds() -> Thresholds {
    Thresholds {
        max_overlap_files: 4,
        max_dead_percent: 20,
        min_small_files: 2,
        target_bytes: 64 * MB,
    }
}

/// A file of `mb` megabytes and a thousand rows with the keys from `min` to `max`.
fn file(min: &str, max: &str, mb: u64) -> FileFacts {
    FileFacts {
        keys: Some((min.to_owned(), max.to_owned())),
        num_rows: Some(1000),
        dead_rows: 0,
        size_bytes: mb * MB,
    }
}

fn dead(file: FileFacts, dead_rows: u64) -> FileFacts {
    FileFacts { dead_rows, ..file }
}

/// What is planned, as files and reason.
fn clustered(files: &[FileFacts]) -> Vec<(Vec<usize>, Reason)> {
    let groups = plan(files, Layout::Clustered, &thresholds());
    groups
        .into_iter()
        .map(|group| (group.files, group.reason))
        .collect()
}

#[test]
fn large_files_beside_each_other_stay() {
    let files = [file("a", "b", 60), file("c", "d", 64), file("e", "f", 20)];
    assert!(clustered(&files).is_empty());
    assert!(clustered(&[]).is_empty());
}

#[test]
fn four_files_may_hold_a_key_and_of_five_the_small_ones_are_merged() {
    let mut files = vec![
        file("a", "z", 300),
        file("a", "y", 40),
        file("b", "z", 90),
        file("b", "y", 200),
    ];
    assert!(clustered(&files).is_empty());
    files.push(file("c", "x", 16));
    assert_eq!(clustered(&files), [(vec![1, 4], Reason::Overlap)]);
    // Two would do; the third weighs no more than they do together.
    files[2] = file("b", "z", 50);
    assert_eq!(clustered(&files), [(vec![1, 2, 4], Reason::Overlap)]);
}

#[test]
fn a_file_with_many_dead_rows_is_written_alone() {
    let files = [dead(file("a", "m", 60), 201), dead(file("n", "z", 60), 200)];
    assert_eq!(clustered(&files), [(vec![0], Reason::DeadRows)]);
}

#[test]
fn a_file_without_a_live_row_becomes_none() {
    let files = [
        file("a", "b", 1),
        dead(file("c", "d", 60), 1000),
        file("e", "f", 1),
    ];
    let groups = plan(&files, Layout::Clustered, &thresholds());
    let outputs: Vec<_> = groups.iter().map(|g| (g.files.clone(), g.output_files)).collect();
    // The two around it are neighbours then.
    assert_eq!(outputs, [(vec![0, 2], 1), (vec![1], 0)]);
}

#[test]
fn what_is_left_of_a_file_with_dead_rows_can_be_small() {
    let files = [dead(file("a", "b", 20), 500), file("c", "d", 1)];
    let groups = plan(&files, Layout::Clustered, &thresholds());
    let [group] = groups.as_slice() else {
        panic!("{groups:?}")
    };
    assert_eq!((group.files.len(), group.reason), (2, Reason::DeadRows));
    assert_eq!((group.live_bytes, group.output_files), (11 * MB, 1));
}

#[test]
fn small_files_are_merged_unless_a_whole_larger_one_lies_between() {
    let recent = [file("x1", "x2", 1), file("x3", "x4", 1), file("x5", "x6", 1)];
    let mut files = vec![file("a", "b", 1), file("c", "d", 60)];
    files.extend(recent);
    // As ascending ids come: the old leftover stays where it is.
    assert_eq!(clustered(&files), [(vec![2, 3, 4], Reason::SmallFiles)]);
    // As random ids come: every larger file holds some of them, and all are merged.
    let scattered = [
        file("a", "h", 60),
        file("b", "c", 1),
        file("i", "p", 60),
        file("j", "k", 1),
        file("q", "z", 60),
        file("r", "s", 1),
    ];
    assert_eq!(clustered(&scattered), [(vec![1, 3, 5], Reason::SmallFiles)]);
}

#[test]
fn a_file_of_which_the_log_knows_no_keys_or_rows_is_written_anew() {
    let unknown = FileFacts {
        keys: None,
        ..file("", "", 60)
    };
    let uncounted = FileFacts {
        num_rows: None,
        ..file("a", "b", 60)
    };
    assert_eq!(
        clustered(&[uncounted.clone(), unknown.clone()]),
        [(vec![0], Reason::NoStatistics), (vec![1], Reason::NoStatistics)]
    );
    // Where rows lie as they came, there is nothing to know of them.
    assert!(plan(&[uncounted, unknown], Layout::Appended, &thresholds()).is_empty());
}

#[test]
fn a_long_run_of_small_files_becomes_groups_of_a_few_files_each() {
    let files: Vec<FileFacts> = (0..100)
        .map(|i| file(&format!("{i:03}a"), &format!("{i:03}b"), 8))
        .collect();
    let groups = plan(&files, Layout::Clustered, &thresholds());
    let sizes: Vec<_> = groups.iter().map(|g| (g.files.len(), g.output_files)).collect();
    assert_eq!(sizes, [(32, 4), (32, 4), (32, 4), (4, 1)]);
}

#[test]
fn appended_files_keep_their_order_and_are_merged_with_the_next_ones_only() {
    let mut files = vec![file("", "", 1); 3];
    files.push(file("", "", 70));
    files.extend(vec![file("", "", 2); 2]);
    let groups = plan(&files, Layout::Appended, &thresholds());
    let members: Vec<_> = groups.into_iter().map(|g| g.files).collect();
    assert_eq!(members, [vec![0, 1, 2], vec![4, 5]]);
}

#[test]
fn a_run_of_small_files_below_the_threshold_waits() {
    let patient = Thresholds {
        min_small_files: 4,
        ..thresholds()
    };
    let mut files = vec![file("a", "b", 1), file("c", "d", 1), file("e", "f", 1)];
    assert!(plan(&files, Layout::Clustered, &patient).is_empty());
    files.push(file("g", "h", 1));
    assert_eq!(plan(&files, Layout::Clustered, &patient).len(), 1);
}

/// The table after the plan: of each group as many files as it says, side by side where the group was.
fn applied(files: &[FileFacts], groups: &[Group]) -> Vec<FileFacts> {
    let gone: BTreeSet<usize> = groups
        .iter()
        .flat_map(|group| group.files.iter().copied())
        .collect();
    let stay = (0..files.len()).filter(|position| !gone.contains(position));
    let mut after: Vec<FileFacts> = stay.map(|position| files[position].clone()).collect();
    for group in groups {
        let ends = |file: &FileFacts| file.keys.clone().unwrap_or((key(0), key(2_000_000)));
        let ranges: Vec<_> = group
            .files
            .iter()
            .map(|position| ends(&files[*position]))
            .collect();
        let low: u64 = ranges
            .iter()
            .map(|range| range.0.parse::<u64>().unwrap())
            .min()
            .unwrap();
        let high: u64 = ranges
            .iter()
            .map(|range| range.1.parse::<u64>().unwrap())
            .max()
            .unwrap();
        let outputs = group.output_files;
        let cut = |number: u64| low + (high - low) * number / outputs;
        after.extend((0..outputs).map(|number| FileFacts {
            keys: Some((key(cut(number) + u64::from(number > 0)), key(cut(number + 1)))),
            num_rows: Some(1000),
            dead_rows: 0,
            size_bytes: group.live_bytes / outputs,
        }));
    }
    after
}

fn key(number: u64) -> String {
    format!("{number:08}")
}

prop_compose! {
    fn any_file()(
        start in 0..100_u64,
        width in prop_oneof![1..3_u64, 1..100_u64],
        size_bytes in prop_oneof![1..2 * MB, 1..20 * MB, 40 * MB..70 * MB, 1..300 * MB],
        dead_rows in prop_oneof![3 => Just(0), 1 => 0..=1000_u64],
        is_known in prop::bool::weighted(0.95),
    ) -> FileFacts {
        FileFacts {
            keys: is_known.then(|| (key(start * 10_000), key((start + width) * 10_000))),
            num_rows: Some(1000),
            dead_rows,
            size_bytes,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_reaches_its_aims_and_leaves_nothing_to_plan(
        files in prop::collection::vec(any_file(), 0..60),
        max_overlap_files in 1..6_usize,
        min_small_files in 2..9_usize,
    ) {
        let thresholds = Thresholds { max_overlap_files, min_small_files, ..thresholds() };
        let groups = plan(&files, Layout::Clustered, &thresholds);
        let mut members: Vec<usize> = groups.iter().flat_map(|group| group.files.iter().copied()).collect();
        let count = members.len();
        members.sort_unstable();
        members.dedup();
        prop_assert_eq!(members.len(), count, "a file is in two groups");
        let after = applied(&files, &groups);
        prop_assert!(max_overlap(&after) <= max_overlap_files);
        prop_assert!(after.iter().all(|file| file.dead_rows * 100 <= 1000 * 20));
        prop_assert!(after.iter().all(|file| file.keys.is_some()));
        let again = plan(&after, Layout::Clustered, &thresholds);
        prop_assert!(again.is_empty(), "{again:?}\nof {after:#?}\nafter {groups:?}");
    }

    #[test]
    fn small_files_are_never_more_than_larger_ones_and_one(files in prop::collection::vec(any_file(), 0..60)) {
        let groups = plan(&files, Layout::Clustered, &thresholds());
        let after = applied(&files, &groups);
        let small = after.iter().filter(|file| thresholds().is_small(file.size_bytes)).count();
        prop_assert!(small <= after.len() - small + 1, "{small} of {}", after.len());
    }

    #[test]
    fn appended_files_are_never_small_side_by_side(files in prop::collection::vec(any_file(), 0..60)) {
        let groups = plan(&files, Layout::Appended, &thresholds());
        for group in &groups {
            // What lies between the files of a group is empty.
            let (first, last) = (group.files[0], *group.files.last().unwrap());
            let between = (first..=last).filter(|position| !group.files.contains(position));
            for position in between {
                prop_assert_eq!(files[position].dead_rows, 1000);
            }
        }
        // A row's place is that of its group's first file.
        let mut after: Vec<(usize, u64)> = (0..files.len())
            .filter(|position| groups.iter().all(|group| !group.files.contains(position)))
            .map(|position| (position, files[position].size_bytes))
            .collect();
        for group in &groups {
            after.extend((0..group.output_files).map(|_| (group.files[0], group.live_bytes / group.output_files)));
        }
        after.sort_unstable();
        let small: Vec<bool> = after.iter().map(|(_, bytes)| thresholds().is_small(*bytes)).collect();
        prop_assert!(small.windows(2).all(|pair| pair != [true, true]));
    }
}

#[test]
fn a_table_at_rest_has_room_for_the_files_of_the_next_run() {
    use crate::merge::Vectors;
    let config = Maintenance::default();
    let at_rest = Thresholds::patient(&config).max_overlap_files;
    let vectors = Vectors::Allowed {
        max_overlapping_files: config.overlap_files,
    };
    assert!(vectors.have_room(at_rest) && !vectors.have_room(at_rest + 1));
    let thorough = Thresholds::thorough(&config);
    assert_eq!((thorough.max_overlap_files, thorough.min_small_files), (4, 2));
}

#[test]
fn tiny_files_are_merged_all_at_once_so_that_runs_have_room() {
    let tiny = |kb: u64| FileFacts {
        size_bytes: kb << 10,
        ..file("a", "z", 0)
    };
    let patient = Thresholds {
        min_small_files: 16,
        ..thresholds()
    };
    let mut files: Vec<FileFacts> = [400, 2, 2, 2].map(tiny).to_vec();
    assert!(plan(&files, Layout::Clustered, &patient).is_empty());
    files.push(tiny(2));
    let groups = plan(&files, Layout::Clustered, &patient);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].files, [0, 1, 2, 3, 4]);
    // What is no longer tiny joins what weighs as much.
    files[0] = tiny(1100);
    assert_eq!(plan(&files, Layout::Clustered, &patient)[0].files, [1, 2, 3, 4]);
}
