//! How delimited text is written: line ends, comments, delimiter, lines to skip, header.

use super::delimiter::{self, DelimiterScore, score_delimiters, usual_fields};
use super::dialect::{DialectGuess, Extent, LineEnd};
use super::foretell::{self, foretell};
use super::header::{HeaderGuess, guess_header, looks_like_names};
use super::notes::percent;
use super::records::{Record, Trial};
use crate::decode::csv::{End, FieldSelection, RecordTable, SAMPLE_RECORDS, Splitter, suspect_delimiter};

/// Completes the guess for a text; what is known of its bytes stays.
#[must_use]
pub fn guess_text(text: &str, extent: Extent, mut guess: DialectGuess) -> DialectGuess {
    let hint = excel_hint(text, &mut guess.skip_rows);
    guess.evidence.extend(hint);
    guess.line_end = line_end(text);
    let (line_end, is_cut) = (guess.line_end.last_char(), extent == Extent::Beginning);
    guess.evidence.extend(line_end_evidence(guess.line_end));
    let body = after_lines(text, guess.skip_rows, line_end);
    guess.comment = body
        .split(line_end)
        .any(|line| line.starts_with('#'))
        .then_some('#');
    let mut scores = score_delimiters(body, line_end, guess.comment, is_cut);
    let best = (!scores.is_empty()).then(|| scores.remove(0));
    match &best {
        Some(best) => {
            guess.delimiter.clone_from(&best.delimiter);
            (guess.quote, guess.escape) = (best.quote, best.escape);
            guess.evidence.push(delimiter_evidence(best, &scores));
        }
        None => settle_one_column(body, is_cut, &mut guess),
    }
    guess.rivals = scores;
    settle_comment(body, is_cut, &mut guess);
    settle_header(body, is_cut, guess)
}

fn line_end(text: &str) -> LineEnd {
    let crlf_lines = text.matches("\r\n").count();
    let lf_lines = text.matches('\n').count() - crlf_lines;
    let cr_lines = text.matches('\r').count() - crlf_lines;
    match (lf_lines, crlf_lines) {
        (0, 0) if cr_lines > 0 => LineEnd::Cr,
        (0, 1..) => LineEnd::CrLf,
        // A line end between quotes is data, so a few of the other kind mean nothing.
        (lf, crlf) if crlf > 0 && lf * 20 > crlf && crlf * 20 > lf => LineEnd::Mixed,
        (lf, crlf) if crlf > lf => LineEnd::CrLf,
        _ => LineEnd::Lf,
    }
}

fn line_end_evidence(line_end: LineEnd) -> Option<String> {
    let text = match line_end {
        LineEnd::Cr => "lines end in CR alone, which is data unless newline = \"cr\"",
        LineEnd::Mixed => "lines end in LF or CR LF; both are read",
        LineEnd::Lf | LineEnd::CrLf => return None,
    };
    Some(text.to_owned())
}

fn delimiter_evidence(best: &DelimiterScore, rivals: &[DelimiterScore]) -> String {
    let shown = |score: &DelimiterScore| {
        let (delimiter, fields, share) = (&score.delimiter, score.num_fields, percent(score.consistency));
        format!(
            "delimiter {delimiter:?} makes {fields} fields of {share} of {} records",
            score.num_rows
        )
    };
    match rivals.first() {
        Some(rival) => format!("{}; next, {}", shown(best), shown(rival)),
        None => shown(best),
    }
}

/// No delimiter divides the records alike.
fn settle_one_column(body: &str, is_cut: bool, guess: &mut DialectGuess) {
    let records = delimiter::sample(body, guess.trial(), is_cut);
    let is_enclosed = |record: &&Record<'_>| record.num_quoted > 0 && !record.is_damaged;
    let enclosed = records.iter().filter(is_enclosed).count();
    if records.first().is_some_and(|first| first.is_damaged) && enclosed * 2 < records.len() {
        // A run refuses a header with a stray quote.
        guess.quote = None;
        guess
            .evidence
            .push("quotes do not enclose the first record: they are data".to_owned());
    }
    match suspected(body, is_cut, guess) {
        Some(delimiter) => {
            guess.evidence.push(format!(
                "no delimiter divides the records alike; {delimiter:?} divides the first record, as a run would note"
            ));
            guess.delimiter = delimiter;
        }
        None => guess
            .evidence
            .push("no delimiter divides the records alike: one column".to_owned()),
    }
}

/// The delimiter for want of which a run would refuse the file as one column.
fn suspected(body: &str, is_cut: bool, guess: &DialectGuess) -> Option<String> {
    let dialect = foretell::dialect(guess);
    let (text, end) = (body.as_bytes(), if is_cut { End::More } else { End::Last });
    let mut records = RecordTable::default();
    let mut splitter = Splitter::new(&dialect, FieldSelection::default(), None);
    splitter.split_some(text, 0, end, 1 + SAMPLE_RECORDS, &mut records);
    let mut lines = (0..records.num_rows()).map(|row| records.raw(row, text));
    let first = lines.next()?;
    let delimiter = suspect_delimiter(first, &lines.collect::<Vec<_>>(), &dialect)?;
    Some(char::from(delimiter).to_string())
}

/// What follows the first `num_lines` lines.
fn after_lines(text: &str, num_lines: u64, line_end: char) -> &str {
    (0..num_lines).fold(text, |rest, _| {
        rest.split_once(line_end).map_or("", |(_, after)| after)
    })
}

/// Lines that start with `#` are comments, unless most of them divide into fields as the records do.
fn settle_comment(body: &str, is_cut: bool, guess: &mut DialectGuess) {
    if guess.comment.is_none() {
        return;
    }
    let records = delimiter::sample(
        body,
        Trial {
            comment: None,
            ..guess.trial()
        },
        is_cut,
    );
    let without = delimiter::sample(body, guess.trial(), is_cut);
    let num_fields = usual_fields(&without).map_or(1, |(num_fields, _)| num_fields);
    // Lines within quoted values are no lines of their own.
    let has_mark = |record: &&Record<'_>| record.cells.first().is_some_and(|cell| cell.starts_with('#'));
    let lines = records.iter().filter(has_mark).count();
    if lines == 0 {
        guess.comment = None;
        return;
    }
    // A blank behind the mark is how people begin a sentence.
    let with_mark = |record: &&Record<'_>| {
        record
            .cells
            .first()
            .is_some_and(|cell| cell.starts_with('#') && !cell.starts_with("# "))
    };
    let as_records = records
        .iter()
        .filter(with_mark)
        .filter(|record| record.cells.len() == num_fields)
        .count();
    let is_names = names_behind_mark(&records, &without, num_fields);
    if num_fields > 1 && (is_names || as_records * 2 > lines) {
        guess.comment = None;
        guess.evidence.push(match is_names {
            true => "the first line starts with #, and is a header for all that".to_owned(),
            false => format!("{as_records} records start with #, and are records for all that"),
        });
    } else {
        guess
            .evidence
            .push(format!("{lines} lines start with #: comments"));
    }
}

/// Whether the only line with a mark is the first, and names the columns of `others`, which have no header else.
fn names_behind_mark(records: &[Record<'_>], others: &[Record<'_>], num_fields: usize) -> bool {
    let [first, rest @ ..] = records else { return false };
    let fits = |record: &&Record<'_>| record.cells.len() == num_fields && !record.is_damaged;
    first.cells.first().is_some_and(|cell| cell.starts_with('#'))
        && rest.len() == others.len()
        && fits(&first)
        && looks_like_names(first)
        && !guess_header(&others.iter().filter(fits).collect::<Vec<_>>()).is_present
}

/// The number of fields that records should have, and how many records stand before the first of them.
///
/// Records before one of the usual number are a preamble if that one may be a header; else the first record is the
/// header, and most records have another number of fields than it.
fn begin(records: &[Record<'_>]) -> Option<(usize, usize)> {
    let (num_fields, _) = usual_fields(records)?;
    let preamble_rows = records
        .iter()
        .position(|record| record.cells.len() == num_fields)?;
    let is_header = records
        .get(preamble_rows)
        .is_some_and(|record| !record.is_damaged && looks_like_names(record));
    match records.first() {
        // How many fields a damaged record has is anybody's guess.
        Some(first) if preamble_rows > 0 && !is_header && first.is_damaged => Some((num_fields, 0)),
        Some(first) if preamble_rows > 0 && !is_header => Some((first.cells.len(), 0)),
        _ => Some((num_fields, preamble_rows)),
    }
}

/// Lines to skip, header, names and malformed records.
fn settle_header(body: &str, is_cut: bool, mut guess: DialectGuess) -> DialectGuess {
    let trial_of = guess.clone();
    let records = delimiter::sample(body, trial_of.trial(), is_cut);
    let Some((num_fields, preamble_rows)) = begin(&records) else {
        guess.evidence.push("the file has no record".to_owned());
        return guess;
    };
    let fits = |record: &&Record<'_>| record.cells.len() == num_fields && !record.is_damaged;
    let table = records.get(preamble_rows..).unwrap_or_default();
    let Some(first) = table.first() else { return guess };
    if preamble_rows > 0 {
        guess.skip_rows += first.line - 1;
        guess.evidence.push(format!(
            "the {preamble_rows} records before line {} have fewer or more fields: skipped",
            first.line
        ));
    }
    let whole: Vec<&Record<'_>> = table.iter().filter(fits).collect();
    let header = if first.is_damaged {
        HeaderGuess {
            is_present: false,
            evidence: "the first record is damaged, and a run refuses such a header".to_owned(),
        }
    } else {
        guess_header(&whole)
    };
    guess.evidence.push(format!(
        "{}: {}",
        if header.is_present {
            "a header"
        } else {
            "no header"
        },
        header.evidence
    ));
    guess.has_header = header.is_present;
    guess.columns = match header.is_present {
        true => first.cells.iter().map(|name| name.to_string()).collect(),
        false => (1..=num_fields)
            .map(|number| format!("column_{number}"))
            .collect(),
    };
    let end = if is_cut { End::More } else { End::Last };
    let text = after_lines(body, first.line - 1, guess.line_end.last_char());
    if let Some(foretold) = foretell(text, end, &guess, num_fields) {
        let lines_before = trial_of.skip_rows + first.line - 1;
        guess.evidence.extend(foretold.first.map(|(line, what)| {
            let (malformed, rows) = (foretold.malformed_rows, foretold.rows);
            format!(
                "{malformed} of {rows} records are malformed, the first on line {} with {what}",
                line + lines_before
            )
        }));
        guess.sampled_rows = foretold.rows - u64::from(header.is_present).min(foretold.rows);
        guess.malformed_rows = foretold.malformed_rows;
        guess.consistency = 1.0 - foretold.malformed_rows as f64 / foretold.rows.max(1) as f64;
    }
    guess
}

/// Spreadsheets write a first line `sep=;` for each other.
fn excel_hint(text: &str, skip_rows: &mut u64) -> Option<String> {
    let first = text.lines().next()?;
    let is_hint = first.len() == 5 && first.is_ascii() && first.to_ascii_lowercase().starts_with("sep=");
    is_hint.then(|| {
        *skip_rows = 1;
        format!("the first line, {first:?}, is a spreadsheet's note on the delimiter")
    })
}
