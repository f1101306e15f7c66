//! One thing wrong with what the user wrote, said so that it can be put right.

use std::fmt;

/// One mistake: where it is, what it is, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, as `attribute[2].type (line 14)` counted from 0, or `line 4, column 7`.
    pub at: String,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What puts it right, without a full stop.
    pub remedy: String,
}

impl Problem {
    /// A problem at `at`.
    pub fn new(at: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.at, self.what, self.remedy)
    }
}

/// The problems found so far, and the keys that need no second complaint.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Every problem, in the order found.
    pub(super) problems: Vec<Problem>,
    /// Paths of the keys whose value was refused on reading.
    refused: Vec<String>,
}

impl Findings {
    /// Records a problem.
    pub(super) fn add(&mut self, at: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem::new(at, what, remedy));
    }

    /// Records that a required key is not there, unless it was there and refused.
    pub(super) fn missing(&mut self, at: &str, remedy: &str) {
        if !self.was_refused(at) {
            self.add(at, "missing", remedy);
        }
    }

    /// Records the key at `at` as refused, with its problem worded by the reader.
    pub(super) fn refuse(&mut self, at: String, problem: Problem) {
        self.refused.push(at);
        self.problems.push(problem);
    }

    /// Whether the key at `at`, the table it stands in, or a part of it was refused on reading.
    pub(super) fn was_refused(&self, at: &str) -> bool {
        self.refused
            .iter()
            .any(|path| is_within(at, path) || is_within(path, at))
    }

    /// The value, or its problem recorded at `at`.
    pub(super) fn take<T>(&mut self, at: &str, outcome: Result<T, Problem>) -> Option<T> {
        outcome
            .map_err(|problem| self.add(at, problem.what, problem.remedy))
            .ok()
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
