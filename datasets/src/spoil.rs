//! How a clean record gets its flaw.

use crate::dirty::Dirty;
use crate::record::{ATTRIBUTES, Column, Record};
use crate::rng::Rng;

/// Gives a clean record its flaw. A duplicate has it by its id already.
pub(crate) fn spoil(record: &mut Record, kind: Dirty, rng: &mut Rng) {
    match kind {
        Dirty::ShortRecord => record.cut_before(rng.pick(&[Column::OptedIn, Column::Points, Column::Note])),
        Dirty::LongRecord => record.append(rng.pick(&[",", ",surplus", ",1,2,3"]).as_bytes()),
        Dirty::StrayQuote => record.replace(
            Column::Tier,
            rng.pick(&["Go\"ld", "\"Silver\" card\""]).as_bytes(),
        ),
        Dirty::UnterminatedQuote => {
            record.replace(Column::Note, b"\"left open, and the file ends here");
        }
        Dirty::InvalidUtf8 => {
            // Latin-1, a sequence cut short, an overlong form, a surrogate.
            let cities: [&[u8]; 4] = [b"M\xFCnchen", b"Par\xC3", b"L\xC0\xAFon", b"\xED\xA0\x80xford"];
            record.replace(Column::City, rng.pick(&cities));
        }
        Dirty::NullCid => record.replace(Column::Cid, rng.pick(&["", "\"\""]).as_bytes()),
        Dirty::DuplicateCid => {}
        Dirty::TypeMismatch => mistype(record, rng),
        Dirty::DefaultDate => default_date(record, rng),
        Dirty::EarlyDate => {
            record.replace(
                Column::Signup,
                rng.pick(&["1752-12-31", "1066-10-14", "0001-01-01"]).as_bytes(),
            );
        }
        Dirty::LongString => record.replace(Column::Note, &vec![b'x'; 8_001 + rng.below(1_000) as usize]),
        Dirty::Emoji => {
            let column = rng.pick(&[Column::City, Column::Note]);
            record.replace(
                column,
                rng.pick(&["Lyon 👍", "🇪🇸 fan", "best ❤️ shop", "1️⃣ first", "👩‍🚀"])
                    .as_bytes(),
            );
        }
        Dirty::BadEmail => {
            let addresses = [
                "no-at.example.com",
                "two@@example.com",
                "ana@nodot",
                "@example.com",
                "a@exa mple.com",
            ];
            record.replace(Column::Email, rng.pick(&addresses).as_bytes());
        }
        Dirty::NegativeSpend => record.replace(
            Column::Spend,
            rng.pick(&["-0.01", "-12.50", "-1000.00"]).as_bytes(),
        ),
        Dirty::Cleared => {
            record.cut_before(Column::Email);
            record.append(&[b','; ATTRIBUTES.len()]);
        }
    }
}

fn mistype(record: &mut Record, rng: &mut Rng) {
    let cells = [
        (Column::Orders, "many"),
        (Column::Orders, "12.5"),
        (Column::Orders, "99999999999"),
        (Column::Signup, "2023-02-30"),
        (Column::Signup, "31/12/2023"),
        (Column::Spend, "12.345"),
        (Column::Spend, "\"1,234.50\""),
        (Column::Login, "2024-01-01 25:00:00"),
        (Column::OptedIn, "perhaps"),
        (Column::Points, "9223372036854775808"),
    ];
    let (column, cell) = rng.pick(&cells);
    record.replace(column, cell.as_bytes());
}

fn default_date(record: &mut Record, rng: &mut Rng) {
    let cells = [
        (Column::Signup, "1900-01-01"),
        (Column::Signup, "1989-01-01"),
        (Column::Login, "1900-01-01 00:00:00"),
        (Column::Login, "1989-01-01 12:30:00"),
    ];
    let (column, cell) = rng.pick(&cells);
    record.replace(column, cell.as_bytes());
}
