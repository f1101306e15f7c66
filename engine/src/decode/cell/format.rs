//! strftime formats, compiled once per process and read more strictly than chrono reads them.
//!
//! chrono is lenient where a batch of customers must not be: it skips blanks before numbers, takes `24` for
//! the year 24 under `%Y`, passes over a zone's name and drops the tenth decimal of a second. Items are
//! therefore handed to it one at a time, each behind a check of ours:
//!
//! - `%Y` and `%G` take exactly four digits (so `["%d/%m/%Y", "%d/%m/%y"]` means what it says); other numbers
//!   may leave out leading zeros;
//! - a blank in the format takes one or more blanks, and no others are taken but before `%e`, `%k`, `%l`;
//! - a fraction of a second has at most six digits.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::{self, Write as _};

use chrono::format::{Fixed, Item, Numeric, Pad, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, Utc};

/// The most decimals of a second that a timestamp holds.
pub(super) const MAX_DECIMALS: usize = 6;

/// 2001-02-03T00:00:00Z: what a format prints of it, the format must be able to read.
const SAMPLE_SECONDS: i64 = 981_158_400;

/// A strftime pattern for `date` or `timestamp` cells.
///
/// Specifiers are [chrono's](chrono::format::strftime), without `%f` (nanoseconds there, microseconds
/// elsewhere: write `%.f`), `%Z` (a name that chrono passes over) and `%+` (too lenient to check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    /// As the process file has it.
    pattern: String,
    /// Its parts, owned.
    items: Vec<Item<'static>>,
}

/// Why a pattern is no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// A specifier that does not exist; holds the pattern.
    UnknownSpecifier(String),
    /// A specifier that reads something else than it seems to; holds the specifier and what to do instead.
    Misleading(&'static str, &'static str),
    /// The pattern leaves the date open; holds the pattern.
    NoDate(String),
    /// The pattern leaves the time of day open; holds the pattern.
    NoTime(String),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSpecifier(pattern) => {
                write!(f, "`{pattern}` has a specifier that strftime does not know")
            }
            Self::Misleading(specifier, advice) => {
                write!(f, "`{specifier}` cannot be read reliably: {advice}")
            }
            Self::NoDate(pattern) => write!(
                f,
                "`{pattern}` does not determine a date: it needs year, month and day"
            ),
            Self::NoTime(pattern) => write!(
                f,
                "`{pattern}` does not determine a time: it needs hours and minutes"
            ),
        }
    }
}

impl Error for FormatError {}

impl DateFormat {
    /// Compiles a pattern for `date` cells.
    ///
    /// # Errors
    /// The pattern has an unknown or misleading specifier, or does not determine a date.
    pub fn for_date(pattern: &str) -> Result<Self, FormatError> {
        let format = Self::compile(pattern)?;
        match format.read_sample() {
            Some(parsed) if parsed.to_naive_date().is_ok() => Ok(format),
            _ => Err(FormatError::NoDate(pattern.to_owned())),
        }
    }

    /// Compiles a pattern for `timestamp` cells. `%s`, seconds since the epoch, is a whole timestamp.
    ///
    /// # Errors
    /// The pattern has an unknown or misleading specifier, or does not determine a date and a time.
    pub fn for_timestamp(pattern: &str) -> Result<Self, FormatError> {
        let format = Self::compile(pattern)?;
        match format.read_sample() {
            Some(parsed) if parsed.to_naive_datetime_with_offset(0).is_ok() => Ok(format),
            Some(parsed) if parsed.to_naive_date().is_ok() => Err(FormatError::NoTime(pattern.to_owned())),
            _ => Err(FormatError::NoDate(pattern.to_owned())),
        }
    }

    /// The pattern, as given.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    fn compile(pattern: &str) -> Result<Self, FormatError> {
        let unknown = |_| FormatError::UnknownSpecifier(pattern.to_owned());
        let items = StrftimeItems::new(pattern).parse_to_owned().map_err(unknown)?;
        match items.iter().find_map(misleading) {
            Some((specifier, advice)) => Err(FormatError::Misleading(specifier, advice)),
            None => Ok(Self {
                pattern: pattern.to_owned(),
                items,
            }),
        }
    }

    fn read_sample(&self) -> Option<Parsed> {
        let sample: DateTime<Utc> = DateTime::from_timestamp(SAMPLE_SECONDS, 0)?;
        let mut text = String::new();
        write!(text, "{}", sample.format_with_items(self.items.iter())).ok()?;
        self.read(&text)
    }

    /// The fields that the whole of `text` fills, not yet checked against each other.
    pub(super) fn read(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        let rest = self.items.iter().try_fold(text, |rest, item| {
            takes(item, rest).then(|| parse_and_remainder(&mut parsed, rest, std::iter::once(item)).ok())?
        })?;
        rest.is_empty().then_some(parsed)
    }
}

fn misleading(item: &Item<'_>) -> Option<(&'static str, &'static str)> {
    match item {
        Item::Numeric(Numeric::Nanosecond, _) => Some((
            "%f",
            "it counts nanoseconds; write `%.f`, without a point of its own before it",
        )),
        Item::Fixed(Fixed::TimezoneName) => {
            Some(("%Z", "names of zones are ambiguous; write `%z`, or set time_zone"))
        }
        Item::Fixed(Fixed::RFC3339) => Some(("%+", "spell it out, as in `%Y-%m-%dT%H:%M:%S%.f%:z`")),
        _ => None,
    }
}

/// Whether `rest` begins as strictly as we want it for `item`; chrono then does the reading.
fn takes(item: &Item<'_>, rest: &str) -> bool {
    let blank = rest.starts_with(char::is_whitespace);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    match item {
        Item::Space(_) | Item::OwnedSpace(_) => blank,
        Item::Numeric(_, Pad::Space) => true,
        Item::Numeric(Numeric::Year | Numeric::IsoYear, _) => digits(rest) >= 4,
        Item::Fixed(Fixed::Nanosecond) => rest
            .strip_prefix('.')
            .is_none_or(|decimals| (1..=MAX_DECIMALS).contains(&digits(decimals))),
        _ => !blank,
    }
}
