//! Which files are worth writing anew, and together with which others. Pure: facts in, groups out.
//!
//! ```text
//!   clustered, K = 2                                    groups                        afterwards
//!   [---------- A 60 MB ----------]                     A stays                       [------ A ------]
//!   [--- b 3 MB ---]  [-- c 2 MB --]                    {b, c, d, e}: overlap          [----- b' 9 MB -----]
//!      [-- d 2 MB --]   [-- e 2 MB --]
//! ```
//!
//! A file is touched for one of four reasons ([`Reason`]); everything else stays as it is. Where more than K files may
//! hold a key, the smallest of them are merged, tiny ones all at once, and large ones only with as much as they weigh
//! themselves: a row is then written again a number of times that grows with the logarithm of the table, not with the
//! number of runs.
//! Files that share a key are merged into a range that they covered before, so no key gets into more files than it was
//! in. Two small files are neighbours unless a whole larger file lies between them: what is left of small files is
//! never more than of larger ones. Applied, a plan leaves nothing to plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::span::{Gaps, Span, spans};
use super::units::Unit;
use crate::spec::Maintenance;
use crate::table::LiveFile;
use crate::write::TARGET_FILE_BYTES;

/// Small files beside each other that `optimize` merges.
const MIN_SMALL_FILES: usize = 2;
/// A file of less than this share of the target is small.
const SMALL_SHARE: u64 = 4;
/// Overlapping files that weigh no more than this share of the target together are merged all at once: it costs next to
/// nothing, and the next runs have room for files of their own.
const TINY_SHARE: u64 = 64;
/// A group ends at this many files of the target size, so that groups keep all cores busy and none is too much to
/// lose.
const GROUP_FILES: u64 = 4;

/// How the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// By key, in files of key ranges: `customers`.
    Clustered,
    /// As they came: `rejects`, `runs`, `events`.
    Appended,
}

/// When a file is worth writing anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Files that may hold a given key.
    pub max_overlap_files: usize,
    /// Percent of a file's rows that may be dead.
    pub max_dead_percent: u64,
    /// Small files beside each other that are merged.
    pub min_small_files: usize,
    /// Size of a file as it should be, in bytes.
    pub target_bytes: u64,
}

impl Thresholds {
    /// Those of `optimize`: the least that can be better is done.
    #[must_use]
    pub fn thorough(config: &Maintenance) -> Self {
        Self {
            min_small_files: MIN_SMALL_FILES,
            ..Self::patient(config)
        }
    }

    /// Those of a run that has ended: small files may gather for a while.
    #[must_use]
    pub fn patient(config: &Maintenance) -> Self {
        Self {
            max_overlap_files: config.overlap_files.max(1),
            max_dead_percent: config.dead_percent,
            min_small_files: config.small_files,
            target_bytes: TARGET_FILE_BYTES as u64,
        }
    }

    pub(super) fn is_small(&self, live_bytes: u64) -> bool {
        live_bytes < self.target_bytes / SMALL_SHARE
    }

    fn tiny_bytes(&self) -> u64 {
        self.target_bytes / TINY_SHARE
    }

    pub(super) fn group_bytes(&self) -> u64 {
        self.target_bytes * GROUP_FILES
    }
}

/// What a plan needs to know of a live file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Smallest and largest key; `None` means any key may be here.
    pub keys: Option<(String, String)>,
    /// Physical rows; `None` where a foreign writer left no count.
    pub num_rows: Option<u64>,
    /// Rows that a deletion vector marks.
    pub dead_rows: u64,
    /// Size of the file.
    pub size_bytes: u64,
}

impl FileFacts {
    /// A file that is left as it is, whatever it is like.
    pub(super) fn settled(target_bytes: u64) -> Self {
        Self {
            keys: None,
            num_rows: Some(1),
            dead_rows: 0,
            size_bytes: target_bytes,
        }
    }
}

impl From<&LiveFile> for FileFacts {
    fn from(file: &LiveFile) -> Self {
        Self {
            keys: file
                .keys
                .as_ref()
                .map(|keys| (keys.min.clone(), keys.max.clone())),
            num_rows: file.num_rows,
            dead_rows: file.dead_rows(),
            size_bytes: file.add.size.unsigned_abs(),
        }
    }
}

/// Why files are written anew; the later of two wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Small files beside each other.
    SmallFiles,
    /// The log does not say which keys are in the file, or how many rows.
    NoStatistics,
    /// More dead rows than are carried along.
    DeadRows,
    /// More files than K may hold the same key.
    Overlap,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SmallFiles => "small files",
            Self::NoStatistics => "no statistics",
            Self::DeadRows => "dead rows",
            Self::Overlap => "overlap",
        }
    }
}

/// Files to be written anew as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Positions in the list that was planned, ascending.
    pub files: Vec<usize>,
    /// Why.
    pub reason: Reason,
    /// Bytes of their live rows, about.
    pub live_bytes: u64,
    /// Files they become; none where every row is dead.
    pub output_files: u64,
}

/// The groups of a table's files, given in the order of their rows. No file is in two groups.
#[must_use]
pub fn plan(files: &[FileFacts], layout: Layout, thresholds: &Thresholds) -> Vec<Group> {
    let spans = spans(files);
    let mut units: Vec<Unit> = files
        .iter()
        .zip(spans)
        .enumerate()
        .map(|(position, (file, span))| Unit::of(position, file, span, layout, thresholds))
        .collect();
    loop {
        let before = units.len();
        units = match layout {
            Layout::Clustered => merge_overlap(merge_small(units, thresholds), thresholds),
            Layout::Appended => merge_neighbours(units, thresholds, |_, _| true),
        };
        if units.len() == before {
            break;
        }
    }
    let mut groups: Vec<Group> = units
        .into_iter()
        .filter_map(|unit| unit.into_group(thresholds))
        .collect();
    groups.sort_by(|a, b| a.files.cmp(&b.files));
    groups
}

/// Merges small files between which there is no whole larger one.
fn merge_small(units: Vec<Unit>, thresholds: &Thresholds) -> Vec<Unit> {
    let (mut small, large): (Vec<Unit>, Vec<Unit>) =
        units.into_iter().partition(|unit| unit.is_small(thresholds));
    let gaps = Gaps::new(large.iter().filter(|unit| !unit.is_void()).map(|unit| unit.span));
    small.sort_by_key(|unit| (unit.span, unit.files.clone()));
    let mut merged = merge_neighbours(small, thresholds, |one, other| {
        !gaps.hold_one_between(one.span, other.span)
    });
    merged.extend(large);
    merged
}

/// Merges runs of small units of which each is `near` what was gathered before it.
fn merge_neighbours(
    units: Vec<Unit>,
    thresholds: &Thresholds,
    near: impl Fn(&Unit, &Unit) -> bool,
) -> Vec<Unit> {
    let mut done = Vec::new();
    let mut run: Vec<Unit> = Vec::new();
    // The run as one unit, to ask how far it reaches and how large it is.
    let mut so_far: Option<Unit> = None;
    for unit in units {
        if unit.is_void() {
            done.push(unit);
            continue;
        }
        let joins = unit.is_small(thresholds)
            && so_far
                .as_ref()
                .is_none_or(|run| run.live_bytes < thresholds.group_bytes() && near(run, &unit));
        if !joins {
            close_run(&mut run, &mut done, thresholds);
            so_far = None;
        }
        if unit.is_small(thresholds) {
            so_far = Some(match so_far {
                Some(run) => run.joined(unit.clone(), Reason::SmallFiles),
                None => unit.clone(),
            });
            run.push(unit);
        } else {
            done.push(unit);
        }
    }
    close_run(&mut run, &mut done, thresholds);
    done
}

fn close_run(run: &mut Vec<Unit>, done: &mut Vec<Unit>, thresholds: &Thresholds) {
    let bytes: u64 = run.iter().map(|unit| unit.live_bytes).sum();
    // So many bytes are never small, however few the files.
    if run.len() < thresholds.min_small_files && bytes < thresholds.group_bytes() {
        done.append(run);
        return;
    }
    done.extend(
        run.drain(..)
            .reduce(|one, other| one.joined(other, Reason::SmallFiles)),
    );
}

/// Merges, from left to right, the smallest of the units that share a key with more than K - 1 others. How many share
/// a key only grows where one begins, so only there is it looked at.
fn merge_overlap(mut units: Vec<Unit>, thresholds: &Thresholds) -> Vec<Unit> {
    units.sort_by_key(|unit| (unit.span, unit.files.clone()));
    let (mut active, mut done): (Vec<Unit>, Vec<Unit>) = (Vec::new(), Vec::new());
    for unit in units {
        if unit.is_void() {
            done.push(unit);
            continue;
        }
        done.extend(active.extract_if(.., |open| open.span.max < unit.span.min));
        active.push(unit);
        if active.len() > thresholds.max_overlap_files {
            fold_smallest(&mut active, thresholds);
        }
    }
    done.append(&mut active);
    done
}

/// Merges as many of the smallest as K asks for, and then those that weigh no more than what is merged already, or
/// next to nothing.
fn fold_smallest(active: &mut Vec<Unit>, thresholds: &Thresholds) {
    active.sort_by_key(|unit| (unit.live_bytes, unit.files.clone()));
    let needed = active.len() + 1 - thresholds.max_overlap_files.max(1);
    let mut taken = 0;
    let mut bytes = 0;
    for unit in active.iter() {
        let together = bytes + unit.live_bytes;
        let is_cheap = together <= thresholds.tiny_bytes()
            || (unit.live_bytes <= bytes && together <= thresholds.group_bytes());
        if taken >= needed && !is_cheap {
            break;
        }
        taken += 1;
        bytes += unit.live_bytes;
    }
    let merged = active
        .drain(..taken)
        .reduce(|one, other| one.joined(other, Reason::Overlap));
    active.extend(merged);
}

/// The most files that may hold one key.
#[must_use]
pub fn max_overlap(files: &[FileFacts]) -> usize {
    let mut starts: Vec<Span> = spans(files);
    starts.sort_unstable();
    // Ends of the files that are open, with a number so that equal ones are kept apart.
    let mut open: BTreeSet<(u32, usize)> = BTreeSet::new();
    let mut most = 0;
    for (number, span) in starts.into_iter().enumerate() {
        open = open.split_off(&(span.min, 0));
        open.insert((span.max, number));
        most = most.max(open.len());
    }
    most
}

#[cfg(test)]
mod tests;
