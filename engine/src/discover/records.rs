//! The records of a sample, under a dialect that is only a guess.
//!
//! The splitter of a run insists on its dialect and keeps positions; here a dozen dialects are tried on the
//! same few kilobytes, so a record is simply its cells.
//!
//! ```text
//!   a;"b;c";d⏎      line 1   cells  a | b;c | d
//!   "e⏎f";g⏎        line 2   cells  e⏎f | g            a line end between quotes is data
//! ```

use std::borrow::Cow;

/// What a sample may be written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial<'a> {
    /// Separates two cells; not empty.
    pub delimiter: &'a str,
    /// Encloses a cell.
    pub quote: Option<char>,
    /// Makes the next character of a quoted cell data.
    pub escape: Option<char>,
    /// A line that starts with it is no record.
    pub comment: Option<char>,
    /// Ends a record: LF (a CR before it belongs to it), or CR.
    pub line_end: char,
}

/// One record of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// 1-based physical line where it starts.
    pub line: u64,
    /// Its cells without quotes.
    pub cells: Vec<Cow<'a, str>>,
    /// Cells that were quoted.
    pub num_quoted: usize,
    /// Whether a quote is not closed, stands inside an unquoted cell, or something follows a closing quote.
    pub is_damaged: bool,
    /// Whether its line end is in the sample.
    pub is_ended: bool,
}

/// The records of `text`; lines of no bytes and comment lines are none.
#[must_use]
pub fn records<'a>(text: &'a str, trial: Trial<'a>) -> Records<'a> {
    Records {
        rest: text,
        line: 1,
        trial,
    }
}

/// Iterator over the records of a sample.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    /// What is not read yet; starts at the start of a line.
    rest: &'a str,
    /// 1-based line that `rest` starts with.
    line: u64,
    /// How the sample is written.
    trial: Trial<'a>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while !self.rest.is_empty() {
            let (line, after) = self.first_line();
            let is_comment = self
                .trial
                .comment
                .is_some_and(|comment| line.starts_with(comment));
            if !line.is_empty() && !is_comment {
                return Some(self.record());
            }
            (self.rest, self.line) = (after, self.line + 1);
        }
        None
    }
}

impl<'a> Records<'a> {
    /// The first line without its end, and what follows.
    fn first_line(&self) -> (&'a str, &'a str) {
        let (line, after) = self
            .rest
            .split_once(self.trial.line_end)
            .unwrap_or((self.rest, ""));
        (self.without_return(line), after)
    }

    fn without_return(&self, line: &'a str) -> &'a str {
        match self.trial.line_end {
            '\n' => line.strip_suffix('\r').unwrap_or(line),
            _ => line,
        }
    }

    fn record(&mut self) -> Record<'a> {
        let mut record = Record {
            line: self.line,
            cells: Vec::new(),
            num_quoted: 0,
            is_damaged: false,
            is_ended: false,
        };
        loop {
            let (cell, after) = self.cell(&mut record);
            record.cells.push(cell);
            if let Some(next) = after.strip_prefix(self.trial.delimiter) {
                self.rest = next;
                continue;
            }
            let next = after
                .strip_prefix('\r')
                .filter(|next| next.starts_with('\n'))
                .unwrap_or(after);
            let next = next.strip_prefix(self.trial.line_end);
            record.is_ended = next.is_some();
            self.rest = next.unwrap_or_default();
            self.line += 1;
            return record;
        }
    }

    /// The next cell, and what follows: a delimiter, a line end, or nothing.
    fn cell(&mut self, record: &mut Record<'a>) -> (Cow<'a, str>, &'a str) {
        let Some(quote) = self.trial.quote.filter(|quote| self.rest.starts_with(*quote)) else {
            let (cell, after) = self.plain(self.rest);
            // A run rejects a quote inside a cell that does not begin with one.
            record.is_damaged |= self.trial.quote.is_some_and(|quote| cell.contains(quote));
            return (Cow::Borrowed(cell), after);
        };
        record.num_quoted += 1;
        let inner = self.rest.get(quote.len_utf8()..).unwrap_or_default();
        let Some((mut cell, after)) = quoted(inner, quote, self.trial.escape) else {
            // The quote never closes: reading on as if there were none keeps the damage to one line.
            record.is_damaged = true;
            let (cell, after) = self.plain(self.rest);
            return (Cow::Borrowed(cell), after);
        };
        self.line += cell.matches(self.trial.line_end).count() as u64;
        let (stray, after) = self.plain(after);
        if !stray.is_empty() {
            record.is_damaged = true;
            cell.to_mut().push_str(stray);
        }
        (cell, after)
    }

    /// What comes before the next delimiter or line end, and the rest.
    fn plain(&self, text: &'a str) -> (&'a str, &'a str) {
        let line = text.split(self.trial.line_end).next().unwrap_or_default();
        let cell = match line.find(self.trial.delimiter) {
            Some(end) => line.get(..end).unwrap_or_default(),
            None => self.without_return(line),
        };
        (cell, text.get(cell.len()..).unwrap_or_default())
    }
}

/// The value up to the closing quote, and what follows it; `None`: there is none.
fn quoted(text: &str, quote: char, escape: Option<char>) -> Option<(Cow<'_, str>, &str)> {
    let mut value = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let at = rest.find(|c| c == quote || Some(c) == escape)?;
        let (before, special) = rest.split_at(at);
        append(&mut value, before);
        let mut behind = special.chars();
        let is_quote = behind.next() == Some(quote);
        let doubled = behind.as_str().strip_prefix(quote);
        match doubled {
            // An escape stands in place of doubling.
            Some(after) if is_quote && escape.is_none() => {
                value.to_mut().push(quote);
                rest = after;
            }
            _ if is_quote => return Some((value, behind.as_str())),
            _ => {
                value.to_mut().extend(behind.next());
                rest = behind.as_str();
            }
        }
    }
}

fn append<'a>(value: &mut Cow<'a, str>, text: &'a str) {
    if value.is_empty() {
        *value = Cow::Borrowed(text);
    } else if !text.is_empty() {
        value.to_mut().push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Trial<'static> = Trial {
        delimiter: ",",
        quote: Some('"'),
        escape: None,
        comment: None,
        line_end: '\n',
    };

    fn cells(text: &str, trial: Trial<'_>) -> Vec<Vec<String>> {
        records(text, trial)
            .map(|r| r.cells.iter().map(|c| c.to_string()).collect())
            .collect()
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_line_ends() {
        let text = "a,\"b,\"\"c\"\"\nd\",\"\"\r\ne,f,g";
        assert_eq!(cells(text, COMMA), [["a", "b,\"c\"\nd", ""], ["e", "f", "g"]]);
        let lines: Vec<_> = records(text, COMMA)
            .map(|r| (r.line, r.num_quoted, r.is_ended))
            .collect();
        assert_eq!(lines, [(1, 2, true), (3, 0, false)]);
    }

    #[test]
    fn blank_lines_and_comment_lines_are_no_records() {
        let trial = Trial {
            comment: Some('#'),
            ..COMMA
        };
        assert_eq!(
            cells("# x\n\na,b\r\n\r\n#,\nc,d\n", trial),
            [["a", "b"], ["c", "d"]]
        );
        assert_eq!(records("\n\na", COMMA).next().map(|r| r.line), Some(3));
    }

    #[test]
    fn an_escape_makes_the_next_character_data() {
        let trial = Trial {
            escape: Some('\\'),
            ..COMMA
        };
        assert_eq!(cells(r#""a\"b\\",c"#, trial), [[r#"a"b\"#, "c"]]);
    }

    #[test]
    fn damage_is_kept_to_one_record() {
        let text = "a,\"b\nc,d\n";
        let damaged: Vec<_> = records(text, COMMA)
            .map(|r| (r.cells.len(), r.is_damaged))
            .collect();
        assert_eq!(damaged, [(2, true), (2, false)]);
        let stray: Vec<_> = records("\"a\"b,c\n", COMMA).collect();
        assert!(stray[0].is_damaged);
        assert_eq!(stray[0].cells, ["ab", "c"]);
    }

    #[test]
    fn a_lone_carriage_return_may_end_records_and_delimiters_may_be_long() {
        let trial = Trial {
            delimiter: "~|~",
            line_end: '\r',
            ..COMMA
        };
        assert_eq!(
            cells("a~|~\"b\rc\"\rd|~~|~e\r", trial),
            [["a", "b\rc"], ["d|~", "e"]]
        );
    }

    proptest! {
        #[test]
        fn cells_written_with_quotes_are_read_back(
            rows in prop::collection::vec(prop::collection::vec("[a,\"\n\r é]{0,5}", 2..4), 0..5),
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let text: String =
                rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n").collect();
            prop_assert_eq!(cells(&text, COMMA), rows);
        }

        #[test]
        fn any_text_ends_and_loses_no_line(text in "[a,\"\n\r#]{0,40}") {
            let read: Vec<_> = records(&text, COMMA).collect();
            prop_assert!(read.windows(2).all(|pair| pair[0].line < pair[1].line));
            prop_assert!(read.last().is_none_or(|last| last.line <= text.matches('\n').count() as u64 + 1));
        }
    }
}
