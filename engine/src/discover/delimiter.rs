//! Which delimiter and quote a text is written with, by trying all of them.
//!
//! ```text
//!   id;name;spend          ;   3 fields in 3 of 3 records, from the first line on      best
//!   1;Doe, Ann;12,50       ,   2 fields in 1 of 3, its cells full of semicolons
//!   2;Roe;7,00
//! ```
//! A delimiter scores by the share of records that have the usual number of fields, by whether the first record
//! has it too, and by how its cells look: blanks around them and other delimiters inside speak against it.

use serde::Serialize;

use super::header::looks_like_names;
use super::records::{Record, Trial, records};

/// Delimiters that are tried, and how usual they are.
const DELIMITERS: [(&str, f64); 13] = [
    (",", 1.0),
    (";", 1.0),
    ("\t", 1.0),
    ("|", 0.98),
    ("||", 0.97),
    ("~|~", 0.97),
    (";;", 0.97),
    ("::", 0.95),
    ("|~|", 0.97),
    ("\u{1}", 0.97),
    ("^", 0.9),
    ("~", 0.9),
    (":", 0.75),
];

/// Text beyond this is not tried: what the first records do not tell, the others hardly will.
const TRIAL_BYTES: usize = 256 << 10;

/// Records of a trial.
const TRIAL_ROWS: usize = 1000;

/// A delimiter that makes the usual number of fields of fewer records is none.
const MIN_CONSISTENCY: f64 = 0.5;

/// Records that may come before the header.
const MAX_PREAMBLE_ROWS: usize = 20;

/// A delimiter with a quote, and how well it fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DelimiterScore {
    /// The delimiter.
    pub delimiter: String,
    /// What encloses fields.
    pub quote: Option<char>,
    /// What makes a quote data, in place of doubling it.
    pub escape: Option<char>,
    /// The usual number of fields.
    pub num_fields: usize,
    /// Records tried.
    pub num_rows: usize,
    /// Share of the records that have that number, undamaged; 0 to 1.
    pub consistency: f64,
    /// What is compared; 0 to 1.
    pub score: f64,
}

/// All delimiters that divide `text`, the best first; none: it has one column.
///
/// `is_cut` says that the text goes on where it ends, so that its last record may be half of one.
#[must_use]
pub fn score_delimiters(
    text: &str,
    line_end: char,
    comment: Option<char>,
    is_cut: bool,
) -> Vec<DelimiterScore> {
    let trial_text = first_bytes(text, TRIAL_BYTES);
    let is_cut = is_cut || trial_text.len() < text.len();
    let mut scores: Vec<DelimiterScore> = Vec::new();
    for (delimiter, prior) in DELIMITERS
        .into_iter()
        .filter(|(delimiter, _)| trial_text.contains(delimiter))
    {
        let mut quoting = Quoting::default();
        let mut tried: Vec<DelimiterScore> = Vec::new();
        for (quote, escape) in quotes(trial_text, delimiter, line_end) {
            let trial = Trial {
                delimiter,
                quote,
                escape,
                comment,
                line_end,
            };
            let sample = sample(trial_text, trial, is_cut);
            if quote.is_some() {
                quoting.note(&sample);
            } else if quoting.is_one_column {
                continue;
            }
            tried.extend(score(&sample, trial, prior * quoting.prior(quote)));
        }
        // Of equal ones `max_by` takes the last: reversed, that is the usual quote.
        scores.extend(
            tried
                .into_iter()
                .rev()
                .max_by(|one, other| one.score.total_cmp(&other.score)),
        );
    }
    scores.sort_by(|one, other| other.score.total_cmp(&one.score));
    prefer_longer(&mut scores);
    scores
}

/// What trials with a quote tell about the trial without one.
#[derive(Debug, Default)]
struct Quoting {
    /// Some record has a cell in quotes, and no damage.
    is_used: bool,
    /// Every record is one cell in quotes, but for a header: what looks like a delimiter is data.
    is_one_column: bool,
}

impl Quoting {
    fn note(&mut self, sample: &[Record<'_>]) {
        let is_quoted = |record: &Record<'_>| record.num_quoted > 0 && !record.is_damaged;
        self.is_used |= sample.iter().any(is_quoted);
        let is_one = |record: &Record<'_>| is_quoted(record) && record.cells.len() == 1;
        self.is_one_column |= match sample {
            [] => false,
            [only] => is_one(only),
            [first, rest @ ..] => first.cells.len() == 1 && !first.is_damaged && rest.iter().all(is_one),
        };
    }

    /// How usual the quote is: one that is not closed must not make data of all others.
    fn prior(&self, quote: Option<char>) -> f64 {
        match quote {
            Some(_) => 1.0,
            None if self.is_used => 0.85,
            None => 0.9,
        }
    }
}

/// The whole records of a sample.
#[must_use]
pub fn sample<'a>(text: &'a str, trial: Trial<'a>, is_cut: bool) -> Vec<Record<'a>> {
    let is_whole = |record: &Record<'_>| record.is_ended || !is_cut;
    records(text, trial).take(TRIAL_ROWS).filter(is_whole).collect()
}

/// The most frequent number of fields, and the records that have it undamaged; of equally frequent ones the larger.
#[must_use]
pub fn usual_fields(sample: &[Record<'_>]) -> Option<(usize, usize)> {
    let mut numbers: Vec<usize> = sample.iter().map(|record| record.cells.len()).collect();
    numbers.sort_unstable();
    let usual = numbers
        .chunk_by(usize::eq)
        .max_by_key(|run| run.len())?
        .first()
        .copied()?;
    let fits = |record: &&Record<'_>| record.cells.len() == usual && !record.is_damaged;
    Some((usual, sample.iter().filter(fits).count()))
}

fn first_bytes(text: &str, num_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(num_bytes)).unwrap_or(text)
}

/// The quotes worth trying, the usual one first.
fn quotes(text: &str, delimiter: &str, line_end: char) -> Vec<(Option<char>, Option<char>)> {
    let encloses = |quote: char| {
        let has = |before: &str, after: &str| text.contains(&format!("{before}{quote}{after}"));
        let (line_end, line_break) = (line_end.to_string(), format!("\r{line_end}"));
        let opens = text.starts_with(quote) || has(delimiter, "") || has(&line_end, "");
        opens && (has("", delimiter) || has("", &line_end) || has("", &line_break))
    };
    let mut quotes = vec![(Some('"'), None)];
    if !text.contains('"') {
        quotes.extend(encloses('\'').then_some((Some('\''), None)));
        return quotes;
    }
    quotes.extend(text.contains("\\\"").then_some((Some('"'), Some('\\'))));
    quotes.extend(encloses('\'').then_some((Some('\''), None)));
    quotes.push((None, None));
    quotes
}

fn score(sample: &[Record<'_>], trial: Trial<'_>, prior: f64) -> Option<DelimiterScore> {
    let (num_fields, fitting) = usual_fields(sample)?;
    let consistency = fitting as f64 / sample.len() as f64;
    let preamble_rows = sample
        .iter()
        .position(|record| record.cells.len() == num_fields)?;
    let first = sample.get(preamble_rows)?;
    if num_fields < 2 || consistency < MIN_CONSISTENCY {
        return None;
    }
    let start = match preamble_rows {
        0 => 1.0,
        1..=MAX_PREAMBLE_ROWS if looks_like_names(first) => 0.85,
        // A header of another number of fields, if it is divided at all.
        _ if sample.first()?.cells.len() > 1 => 0.6,
        _ => return None,
    };
    // More fields are less often an accident, but only a little: 2 fields 0.89, 10 fields 0.98.
    let richness = 1.0 - 0.33 / (1.0 + num_fields as f64);
    let neatness = 0.75 + 0.25 * neat_share(sample, trial);
    Some(DelimiterScore {
        delimiter: trial.delimiter.to_owned(),
        quote: trial.quote,
        escape: trial.escape,
        num_fields,
        num_rows: sample.len(),
        consistency,
        score: consistency * start * richness * neatness * prior,
    })
}

/// Share of the cells without blanks around them, stray quotes, and, where unquoted, other delimiters.
fn neat_share(sample: &[Record<'_>], trial: Trial<'_>) -> f64 {
    let usual = [",", ";", "\t", "|"];
    let is_foreign = |cell: &str| {
        usual
            .iter()
            .any(|other| *other != trial.delimiter && cell.contains(other))
    };
    let is_enclosed = |cell: &str| {
        let ends_in = |quote: char| cell.len() > 1 && cell.starts_with(quote) && cell.ends_with(quote);
        ends_in('"') || ends_in('\'')
    };
    let has_blank = |cell: &str| cell.starts_with(' ') || cell.ends_with(' ');
    let (mut neat, mut num_cells) = (0, 0);
    for record in sample {
        // Which of the cells were quoted is not known: if any was, delimiters inside are taken for data.
        let may_hold_any = record.num_quoted > 0 && !record.is_damaged;
        let is_neat =
            |cell: &str| (may_hold_any || !is_foreign(cell)) && !has_blank(cell) && !is_enclosed(cell);
        neat += record.cells.iter().filter(|cell| is_neat(cell)).count();
        num_cells += record.cells.len();
    }
    neat as f64 / num_cells.max(1) as f64
}

/// `a||b` is two fields divided by `||` rather than three by `|`, if the longer one divides as many records.
fn prefer_longer(scores: &mut [DelimiterScore]) {
    let Some(best) = scores.first().cloned() else {
        return;
    };
    let is_longer = |other: &DelimiterScore| {
        other.delimiter.len() > best.delimiter.len()
            && other.delimiter.contains(&best.delimiter)
            && other.consistency >= best.consistency
            && (other.num_fields - 1) * other.delimiter.matches(&best.delimiter).count()
                == best.num_fields - 1
    };
    if let Some(at) = scores.iter().position(is_longer)
        && let Some(front) = scores.get_mut(..=at)
    {
        front.rotate_right(1);
    }
}
