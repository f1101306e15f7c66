//! Why a column is text, though its values look like something else.

use super::candidates::Candidate;
use super::column::{ColumnProfile, rows_with};
use super::guess::{judged_rows, share};
use super::notes::percent;
use super::traits::Traits;

/// The reasons; `runner_up` is the type that too few values fit, or that would lose something.
#[must_use]
pub fn text_notes(profile: &ColumnProfile, runner_up: Option<&Candidate>) -> Vec<String> {
    let tally = &profile.tally;
    let num_rows = judged_rows(tally);
    let rows = |traits| rows_with(tally, traits);
    let counted = |traits, what: &str| {
        let found = rows(traits);
        (found > 0).then(|| format!("{found} of {num_rows} values {what}"))
    };
    let numeric = runner_up.is_some_and(|other| {
        other
            .fits
            .has_any(Traits::DOUBLE | Traits::INT | Traits::BIGINT | Traits::DECIMAL)
    });
    let mut notes = Vec::new();
    if numeric {
        notes.extend(counted(
            Traits::LEADING_ZERO,
            "have leading zeros, which a number would lose: a code, not a quantity",
        ));
        notes.extend(counted(
            Traits::PLUS_SIGN,
            "begin with +: telephone numbers rather than quantities",
        ));
        if profile.scale == 0 && rows(Traits::BIGINT) < rows(Traits::DIGITS) {
            notes.push(
                "the digits are more than bigint holds: an identifier rather than a quantity".to_owned(),
            );
        }
    }
    notes.extend(numerals(profile, num_rows));
    notes.extend(counted(
        Traits::TOO_FINE,
        "are timestamps with more than six decimals, which do not fit: cut them in the source",
    ));
    let (dates, times) = (rows(Traits::date(0)), rows(Traits::timestamp(0)));
    if dates > 0 && times > 0 {
        notes.push(format!(
            "{times} timestamps and {dates} dates alone, which a timestamp does not take"
        ));
    }
    notes.extend(runner_up.filter(|_| notes.is_empty()).map(|other| {
        let percent = percent(share(tally, other.fits));
        format!("{percent} of the values fit {}, but too many do not", other.ty)
    }));
    notes
}

/// Numbers in other notations than a number type takes.
fn numerals(profile: &ColumnProfile, num_rows: u64) -> Vec<String> {
    let rows = |traits| profile.rows_with(traits);
    let (comma_rows, thousands_rows) = (rows(Traits::DECIMAL_COMMA), rows(Traits::THOUSANDS));
    let mut notes = Vec::new();
    if comma_rows > 0 && comma_rows >= thousands_rows {
        notes.push(format!(
            "{comma_rows} of {num_rows} values have a decimal comma, which no number type takes: load as string, or write 1234.5 for 1.234,5 in the source"
        ));
    } else if thousands_rows > 0 {
        notes.push(format!(
            "{thousands_rows} of {num_rows} values have commas between thousands, which no number type takes: load as string, or write 1234.5 for 1,234.5 in the source"
        ));
    }
    let unit_rows = rows(Traits::UNIT);
    if unit_rows > 0 {
        notes.push(format!("{unit_rows} of {num_rows} values are numbers with a percent sign or a currency: load as string, or leave the sign out in the source"));
    }
    notes
}
