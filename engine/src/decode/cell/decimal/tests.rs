use std::iter::repeat_n;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::OnScale::{Reject, Round};
use super::{OnScale, parse_decimal, spelled_decimal};

#[test]
fn plain_amounts_count_units_of_the_scale() {
    assert_eq!(parse_decimal("12.34", 18, 2, Reject), Some(1234));
    assert_eq!(parse_decimal("-12.3", 18, 2, Reject), Some(-1230));
    assert_eq!(parse_decimal("+12", 18, 2, Reject), Some(1200));
    assert_eq!(parse_decimal("000.5", 18, 2, Reject), Some(50));
    assert_eq!(parse_decimal(".5", 18, 2, Reject), Some(50));
    assert_eq!(parse_decimal("5.", 18, 2, Reject), Some(500));
    assert_eq!(parse_decimal("-0.00", 18, 2, Reject), Some(0));
}

#[test]
fn zeros_past_the_scale_do_not_count() {
    assert_eq!(parse_decimal("1.2300", 18, 2, Reject), Some(123));
    assert_eq!(
        parse_decimal("1.23000000000000000000000000000000000000000000", 18, 2, Reject),
        Some(123)
    );
    assert_eq!(parse_decimal("1.231", 18, 2, Reject), None);
    assert_eq!(
        parse_decimal("1.23000000000000000000000000000000000000000001", 18, 2, Reject),
        None
    );
}

#[test]
fn rounding_takes_a_half_away_from_zero() {
    assert_eq!(parse_decimal("1.005", 18, 2, Round), Some(101));
    assert_eq!(parse_decimal("-1.005", 18, 2, Round), Some(-101));
    assert_eq!(
        parse_decimal("1.00499999999999999999999999", 18, 2, Round),
        Some(100)
    );
    assert_eq!(parse_decimal("0.5", 18, 0, Round), Some(1));
    assert_eq!(parse_decimal("0.05", 18, 0, Round), Some(0));
    assert_eq!(parse_decimal("5e-1", 18, 0, Round), Some(1));
    assert_eq!(parse_decimal("5e-2", 18, 0, Round), Some(0));
    assert_eq!(parse_decimal("9e-2", 18, 0, Round), Some(0));
}

#[test]
fn a_value_rounded_up_still_has_to_fit() {
    assert_eq!(parse_decimal("99.994", 4, 2, Round), Some(9999));
    assert_eq!(parse_decimal("99.995", 4, 2, Round), None);
}

#[test]
fn the_precision_counts_all_digits() {
    assert_eq!(parse_decimal("999.99", 5, 2, Reject), Some(99_999));
    assert_eq!(parse_decimal("1000", 5, 2, Reject), None);
    assert_eq!(parse_decimal("0001000", 6, 2, Reject), Some(100_000));
    let widest = "9".repeat(38);
    assert_eq!(parse_decimal(&widest, 38, 0, Reject), Some(10_i128.pow(38) - 1));
    assert_eq!(parse_decimal(&format!("{widest}.5"), 38, 0, Round), None);
    assert_eq!(
        parse_decimal(&format!("1{}", "0".repeat(38)), 38, 0, Reject),
        None
    );
    assert_eq!(
        parse_decimal("9999999999999999999", 38, 19, Reject),
        Some(9_999_999_999_999_999_999 * 10_i128.pow(19))
    );
    assert_eq!(parse_decimal("9999999999999999999", 38, 38, Reject), None);
    assert_eq!(parse_decimal("1", 39, 0, Reject), None);
}

#[test]
fn an_exponent_moves_the_point() {
    assert_eq!(parse_decimal("1.5e3", 18, 2, Reject), Some(150_000));
    assert_eq!(parse_decimal("1.5E+3", 18, 2, Reject), Some(150_000));
    assert_eq!(parse_decimal("1500e-3", 18, 2, Reject), Some(150));
    assert_eq!(parse_decimal("123e-3", 18, 2, Reject), None);
    assert_eq!(parse_decimal("1e0003", 18, 0, Reject), Some(1000));
    assert_eq!(parse_decimal("1e37", 38, 0, Reject), Some(10_i128.pow(37)));
    assert_eq!(parse_decimal("1e38", 38, 0, Reject), None);
    assert_eq!(
        parse_decimal("0.00000000000000000000000000000000000000000001e44", 38, 0, Reject),
        Some(1)
    );
}

#[test]
fn a_negative_scale_counts_hundreds() {
    assert_eq!(parse_decimal("1200", 5, -2, Reject), Some(12));
    assert_eq!(parse_decimal("1250", 5, -2, Reject), None);
    assert_eq!(parse_decimal("1250", 5, -2, Round), Some(13));
    assert_eq!(parse_decimal("9", 5, -128, Round), Some(0));
}

#[test]
fn extreme_exponents_are_decided_at_once() {
    let started = Instant::now();
    let endless = format!("1e{}", "9".repeat(100_000));
    for text in [
        "1e999999999",
        "-1e9223372036854775807",
        "1e9223372036854775808",
        endless.as_str(),
    ] {
        assert_eq!(parse_decimal(text, 38, 10, Reject), None);
        assert_eq!(parse_decimal(text, 38, 10, Round), None);
    }
    assert_eq!(parse_decimal("1e-999999999", 38, 10, Reject), None);
    assert_eq!(parse_decimal("9e-999999999", 38, 10, Round), Some(0));
    assert_eq!(parse_decimal("0e999999999", 38, 10, Reject), Some(0));
    assert_eq!(parse_decimal("0e-9223372036854775809", 38, -128, Reject), Some(0));
    let far = format!("0.{}1e100001", "0".repeat(100_000));
    assert_eq!(parse_decimal(&far, 38, 0, Reject), Some(1));
    // Whoever counts to a billion takes longer; a busy machine does not.
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_no_number_does_not_fit() {
    for text in [
        "",
        "+",
        "-",
        ".",
        "-.",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1e1.5",
        "1.2.3",
        "--1",
        "+-1",
        " 1",
        "1 ",
        "1,5",
        "1_0",
        "0x1",
        "inf",
        "NaN",
        "1e5e5",
        "1-",
        "\u{661}",
        "12345678901234567890x",
        "1.2.34567890123456789012345",
    ] {
        assert_eq!(parse_decimal(text, 38, 2, Reject), None, "{text:?}");
        assert_eq!(parse_decimal(text, 38, 2, Round), None, "{text:?}");
    }
}

/// The same answer by pushing characters about: write the number out in full, cut it at the scale.
fn model(number: &Number, precision: u8, scale: i8, on_scale: OnScale) -> Option<i128> {
    let pad = || repeat_n('0', 300);
    let digits: String = pad()
        .chain(number.whole.chars())
        .chain(number.fraction.chars())
        .chain(pad())
        .collect();
    let cut = 300 + number.whole.len() as i64 + i64::from(number.exponent) + i64::from(scale);
    let (kept, dropped) = digits.split_at(usize::try_from(cut).unwrap());
    if on_scale == Reject && dropped.contains(|digit| digit != '0') {
        return None;
    }
    let mut kept: Vec<u8> = kept.bytes().collect();
    if dropped >= "5" {
        let mut place = kept.len() - 1;
        while kept[place] == b'9' {
            kept[place] = b'0';
            place -= 1;
        }
        kept[place] += 1;
    }
    let text = String::from_utf8(kept).unwrap();
    let text = text.trim_start_matches('0');
    if text.len() > usize::from(precision) {
        return None;
    }
    let value: i128 = if text.is_empty() { 0 } else { text.parse().unwrap() };
    Some(if number.sign == "-" { -value } else { value })
}

#[derive(Debug, Clone)]
struct Number {
    sign: &'static str,
    whole: String,
    fraction: String,
    exponent: i16,
}

impl Number {
    /// Every way to write it down.
    fn spellings(&self) -> Vec<String> {
        let Self {
            sign,
            whole,
            fraction,
            exponent,
        } = self;
        let mut all = vec![format!("{sign}{whole}.{fraction}e{exponent}")];
        if *exponent >= 0 {
            all.push(format!("{sign}{whole}.{fraction}E+{exponent:04}"));
        }
        if *exponent == 0 {
            all.push(format!("{sign}{whole}.{fraction}"));
            all.push(format!(
                "{sign}{}{whole}.{fraction}{}",
                "0".repeat(25),
                "0".repeat(25)
            ));
        }
        if *exponent == 0 && fraction.is_empty() {
            all.push(format!("{sign}{whole}"));
        }
        all
    }
}

fn numbers() -> impl Strategy<Value = Number> {
    let sign = prop_oneof![Just(""), Just("-"), Just("+")];
    let digits =
        || prop_oneof![3 => "[0-9]{0,8}", 1 => "[0-9]{0,45}", 1 => "[09]{0,40}", 1 => "[0-9]{0,3}[05]0{0,5}"];
    let exponent = prop_oneof![3 => Just(0_i16), 1 => -5_i16..5, 1 => -60_i16..60];
    (sign, digits(), digits(), exponent)
        .prop_filter("at least one digit", |(_, whole, fraction, _)| {
            !(whole.is_empty() && fraction.is_empty())
        })
        .prop_map(|(sign, whole, fraction, exponent)| Number {
            sign,
            whole,
            fraction,
            exponent,
        })
}

fn print(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let width = usize::from(scale) + 1;
    let digits = format!("{:0width$}", value.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    format!("{sign}{whole}.{fraction}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_spelling_agrees_with_the_model(number in numbers(), precision in 1_u8..=38, scale in -40_i8..=38) {
        for on_scale in [Reject, Round] {
            let expected = model(&number, precision, scale, on_scale);
            for text in number.spellings() {
                prop_assert_eq!(parse_decimal(&text, precision, scale, on_scale), expected, "{} {:?}", text, on_scale);
            }
        }
    }

    #[test]
    fn a_printed_decimal_reads_back(value: i128, drop in 0_u32..38, scale in 0_u8..=38) {
        let value = value % 10_i128.pow(38) / 10_i128.pow(drop);
        prop_assert_eq!(parse_decimal(&print(value, scale), 38, scale as i8, Reject), Some(value));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+.eE0-9 x]{0,30}", precision: u8, scale: i8) {
        for on_scale in [Reject, Round] {
            let read = parse_decimal(&text, precision, scale, on_scale);
            prop_assert!(read.is_none_or(|value| value.unsigned_abs() < 10_u128.pow(38)));
        }
    }
}

/// Texts like amounts, most of them amounts.
fn near_amounts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+-]?[0-9]{0,9}[.]?[0-9]{0,9}",
        "[+-]?0{0,5}[0-9]{1,8}[.][0-9]{0,3}",
        "[+-]?[0-9]{0,16}[.]?0{0,3}",
        "[+-]?[0-9]{1,3}[.]?[0-9]{0,3}[eE][+-]?[0-9]{1,2}",
        "[0-9.,:/+eé\u{0}\u{661} -]{0,17}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_short_amount_is_read_like_any_other(
        text in near_amounts(),
        precision in 1_u8..=40,
        scale in prop_oneof![Just(2), -3_i8..=38],
        round: bool,
    ) {
        let on_scale = if round { Round } else { Reject };
        let expected = spelled_decimal(&text, precision, scale, on_scale);
        prop_assert_eq!(parse_decimal(&text, precision, scale, on_scale), expected, "{}", text);
    }
}
