//! What is consumed before its end is known: long comments and oversized records.

use memchr::memchr;

use super::oversized::{Oversized, Progress};
use super::strict::{Inside, line_feeds};
use super::table::{HEAD_BYTES, Head, RecordRow, RecordTable, Shape};
use super::view::View;
use super::{End, Splitter, Step};

/// What the bytes consumed so far leave unfinished.
#[derive(Debug)]
pub(super) enum Skipping {
    /// A comment line.
    Comment,
    /// An oversized record.
    Record(Oversized),
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
        if let Some(line_feed) = memchr(b'\n', rest) {
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
        }));
        self.advance(dropped.len(), line_feeds(dropped));
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
                self.skipping = Some(Skipping::Record(record));
                self.advance(to - from, line_feeds(&view.input[from..to]));
                return Step::Stop(to);
            }
            Progress::LineFeed(at) => (at, at + 1),
            Progress::EndOfFile => (view.input.len(), view.input.len()),
        };
        let dropped = &view.input[from..end];
        let last = dropped.last().copied().or(record.last);
        let carriage_return = u64::from(next > end && last == Some(b'\r'));
        out.open_row(&self.keep);
        out.heads.push(Head {
            row: out.len(),
            bytes: record.head,
        });
        out.close_row(RecordRow {
            offset: 0,
            byte_start: record.byte_start,
            byte_len: self.position.byte + dropped.len() as u64 - carriage_return - record.byte_start,
            record_no: self.position.record_no,
            line: record.line,
            shape: Shape::Oversized,
        });
        self.position.record_no += 1;
        self.advance(next - from, line_feeds(&view.input[from..next]));
        Step::To(next)
    }
}
