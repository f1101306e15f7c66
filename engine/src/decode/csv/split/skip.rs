//! What is consumed before its end is known: long comments and oversized records.

use super::oversized::{Oversized, Progress};
use super::strict::Inside;
use super::table::{HEAD_BYTES, Malformed, RecordTable, Shape};
use super::view::View;
use super::{End, Splitter, Step};
use crate::decode::csv::dialect::Newline;

/// What the bytes consumed so far leave unfinished.
#[derive(Debug, Clone)]
pub(super) enum Skipping {
    /// A comment line.
    Comment,
    /// An oversized record.
    Record(Oversized),
}

impl Skipping {
    /// What was counted from line `from` is counted from line `to`.
    pub(super) fn move_lines(&mut self, from: u64, to: u64) {
        if let Self::Record(record) = self {
            record.line = record.line - from + to;
        }
    }
}

impl Splitter {
    /// Goes on with what is unfinished.
    #[cold]
    pub(super) fn skip(&mut self, view: View<'_>, at: usize, out: &mut RecordTable) -> Step {
        match self.skipping.take() {
            Some(Skipping::Comment) => self.skip_comment(view, at),
            Some(Skipping::Record(record)) => self.skip_record(record, view, at, out),
            None => Step::To(at),
        }
    }

    /// Consumes the comment at `at` as far as it is there.
    pub(super) fn skip_comment(&mut self, view: View<'_>, at: usize) -> Step {
        let rest = &view.input[at..];
        if let Some(line_feed) = self.grammar.line_end(rest) {
            self.advance(line_feed + 1, 1);
            return Step::To(at + line_feed + 1);
        }
        if view.end == End::More {
            self.skipping = Some(Skipping::Comment);
        }
        self.advance(rest.len(), 0);
        Step::Stop(view.input.len())
    }

    /// Drops the bytes from `start` to `to` of a record that turned out to be oversized.
    pub(super) fn start_skipping(&mut self, view: View<'_>, start: usize, to: usize, inside: Inside) -> Step {
        let dropped = &view.input[start..to];
        self.skipping = Some(Skipping::Record(Oversized {
            byte_start: self.position.byte,
            line: self.position.line,
            head: self.head(dropped),
            inside,
            last: dropped.last().copied(),
            source_bytes: self.encoding.original_bytes(dropped),
        }));
        let num_lines = self.grammar.lines(dropped);
        self.advance(dropped.len(), num_lines);
        Step::To(to)
    }

    /// What is kept of an oversized record.
    pub(super) fn head(&self, record: &[u8]) -> Vec<u8> {
        let kept_bytes = HEAD_BYTES.min(self.record_bytes).min(record.len());
        record[..kept_bytes].to_vec()
    }

    fn skip_record(
        &mut self,
        mut record: Oversized,
        view: View<'_>,
        from: usize,
        out: &mut RecordTable,
    ) -> Step {
        let progress = record.advance(&self.resync(view), from);
        let (end, next) = match progress {
            Progress::Dropped(to) => {
                record.source_bytes += self.encoding.original_bytes(&view.input[from..to]);
                self.skipping = Some(Skipping::Record(record));
                let num_lines = self.grammar.lines(&view.input[from..to]);
                self.advance(to - from, num_lines);
                return Step::Stop(to);
            }
            Progress::LineFeed(at) => (at, at + 1),
            Progress::EndOfFile => (view.input.len(), view.input.len()),
        };
        let dropped = &view.input[from..end];
        let last = dropped.last().copied().or(record.last);
        let ends_in_cr = next > end && self.grammar.newline == Newline::LineFeed && last == Some(b'\r');
        let line_end: &[u8] = if ends_in_cr { b"\r" } else { b"" };
        let measured = |bytes: &[u8]| self.encoding.original_bytes(bytes);
        let bytes_before = if record.byte_start < out.origin.byte {
            record.source_bytes.saturating_sub(measured(&view.input[..from]))
        } else {
            0
        };
        out.push_malformed(Malformed {
            rows_before: out.num_rows() as u32,
            offset: record.byte_start.saturating_sub(out.origin.byte) as u32,
            byte_start: record.byte_start,
            byte_len: record.source_bytes + measured(dropped) - measured(line_end),
            bytes_before,
            record_no: self.position.record_no,
            line: record.line,
            shape: Shape::Oversized,
            head: record.head,
            message: None,
        });
        self.position.record_no += 1;
        let num_lines = self.grammar.lines(&view.input[from..next]);
        self.advance(next - from, num_lines);
        Step::To(next)
    }
}
