//! Files that a plan treats as one.

use super::plan::{FileFacts, Group, Layout, Reason, Thresholds};
use super::span::Span;

/// One file, or several that become one sorted sequence of files.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Positions of the files.
    pub files: Vec<usize>,
    /// The keys that may be in it.
    pub span: Span,
    /// Bytes of its rows: of a file that stays its size, of others what is left of them.
    pub live_bytes: u64,
    /// Whether no row is left.
    is_void: bool,
    /// Why it is written anew; `None` where it stays.
    reason: Option<Reason>,
}

impl Unit {
    /// A file, judged on its own.
    pub fn of(
        position: usize,
        file: &FileFacts,
        span: Span,
        layout: Layout,
        thresholds: &Thresholds,
    ) -> Self {
        let reason = reason(file, layout, thresholds);
        let num_rows = file.num_rows.unwrap_or(0);
        let live_rows = num_rows.saturating_sub(file.dead_rows);
        let live_bytes = match (reason, num_rows) {
            (None, _) | (_, 0) => file.size_bytes,
            _ => (u128::from(file.size_bytes) * u128::from(live_rows) / u128::from(num_rows)) as u64,
        };
        Self {
            files: vec![position],
            span,
            live_bytes,
            is_void: reason.is_some() && file.num_rows.is_some() && live_rows == 0,
            reason,
        }
    }

    /// Whether it will be a small file.
    pub fn is_small(&self, thresholds: &Thresholds) -> bool {
        !self.is_void && thresholds.is_small(self.live_bytes)
    }

    /// Whether it will be no file at all.
    pub fn is_void(&self) -> bool {
        self.is_void
    }

    /// Both as one.
    pub fn joined(mut self, mut other: Self, reason: Reason) -> Self {
        self.files.append(&mut other.files);
        Self {
            span: self.span.hull(other.span),
            live_bytes: self.live_bytes + other.live_bytes,
            is_void: self.is_void && other.is_void,
            reason: self.reason.max(other.reason).max(Some(reason)),
            files: self.files,
        }
    }

    /// The group it is, unless it stays.
    pub fn into_group(mut self, thresholds: &Thresholds) -> Option<Group> {
        let reason = self.reason?;
        self.files.sort_unstable();
        Some(Group {
            files: self.files,
            reason,
            live_bytes: self.live_bytes,
            output_files: match self.is_void {
                true => 0,
                false => self.live_bytes.div_ceil(thresholds.target_bytes).max(1),
            },
        })
    }
}

fn reason(file: &FileFacts, layout: Layout, thresholds: &Thresholds) -> Option<Reason> {
    let num_rows = file.num_rows.unwrap_or(u64::MAX);
    let too_many_dead = u128::from(file.dead_rows) * 100
        > u128::from(num_rows) * u128::from(thresholds.max_dead_percent)
        || file.dead_rows >= num_rows;
    let unknown = layout == Layout::Clustered && (file.keys.is_none() || file.num_rows.is_none());
    match (too_many_dead, unknown) {
        (true, _) => Some(Reason::DeadRows),
        (_, true) => Some(Reason::NoStatistics),
        _ => None,
    }
}
