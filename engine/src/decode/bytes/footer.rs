//! Lines at the end of a file that are no records.
//!
//! ```text
//!  stream    ... 41,Ann⏎42,Bob⏎TOTAL,2⏎(end)⏎          num_lines = 2
//!  passed on ... 41,Ann⏎42,Bob⏎
//! ```

use std::collections::VecDeque;
use std::io::{self, Read};

/// How many lines to leave out at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// Physical lines; a last one without a line end counts.
    pub num_lines: usize,
    /// The byte that ends a line.
    pub newline: u8,
}

impl Footer {
    /// Nothing is left out.
    #[must_use]
    pub fn none() -> Self {
        Self {
            num_lines: 0,
            newline: b'\n',
        }
    }
}

/// Passes on what it reads but for the last lines: so many bytes as the lines have are held back.
pub(super) struct WithoutFooter<R> {
    inner: R,
    footer: Footer,
    /// Bytes read and not passed on.
    held: VecDeque<u8>,
    /// Bytes of each whole line in `held`; the bytes behind the last line end are not among them.
    lines: VecDeque<usize>,
    /// Bytes behind the last line end.
    open_bytes: usize,
    /// Bytes at the front of `held` that may be passed on.
    free_bytes: usize,
    is_at_end: bool,
}

/// Bytes read at a time.
const PIECE_BYTES: usize = 64 << 10;

impl<R: Read> WithoutFooter<R> {
    /// Leaves `footer` out of `inner`.
    pub(super) fn new(inner: R, footer: Footer) -> Self {
        Self {
            inner,
            footer,
            held: VecDeque::new(),
            lines: VecDeque::new(),
            open_bytes: 0,
            free_bytes: 0,
            is_at_end: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES];
        let read = self.inner.read(&mut piece)?;
        let piece = piece.get(..read).unwrap_or_default();
        self.is_at_end = read == 0;
        for byte in piece {
            self.open_bytes += 1;
            if *byte == self.footer.newline {
                self.lines.push_back(self.open_bytes);
                self.open_bytes = 0;
            }
        }
        self.held.extend(piece);
        // An open line is the last one when nothing follows it; as long as something may, whole lines are held.
        let held_lines = match self.is_at_end && self.open_bytes > 0 {
            true => self.footer.num_lines.saturating_sub(1),
            false => self.footer.num_lines,
        };
        while self.lines.len() > held_lines {
            self.free_bytes += self.lines.pop_front().unwrap_or(0);
        }
        Ok(())
    }
}

impl<R: Read> Read for WithoutFooter<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.free_bytes == 0 && !self.is_at_end {
            self.fill()?;
        }
        let num_bytes = out.len().min(self.free_bytes);
        for (to, from) in out.iter_mut().zip(self.held.drain(..num_bytes)) {
            *to = from;
        }
        self.free_bytes -= num_bytes;
        Ok(num_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed_on(text: &[u8], num_lines: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let footer = Footer {
            num_lines,
            newline: b'\n',
        };
        WithoutFooter::new(text, footer).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn the_last_lines_are_left_out_with_or_without_a_last_line_end() {
        assert_eq!(passed_on(b"a\nb\nTOTAL\n", 1), b"a\nb\n");
        assert_eq!(passed_on(b"a\nb\nTOTAL", 1), b"a\nb\n");
        assert_eq!(passed_on(b"a\nb\n\nTOTAL", 2), b"a\nb\n");
        assert_eq!(passed_on(b"a\n", 5), b"");
    }

    proptest! {
        #[test]
        fn what_is_passed_on_are_all_lines_but_the_last_ones(
            lines in proptest::collection::vec("[a-c]{0,4}", 0..20), num_lines in 1..6usize,
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let kept = lines.len().saturating_sub(num_lines);
            let expected: String = lines[..kept].iter().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(passed_on(text.as_bytes(), num_lines), expected.into_bytes());
        }
    }
}
