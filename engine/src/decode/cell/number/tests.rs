use proptest::prelude::*;

use super::{parse_bigint, parse_double, parse_int};

#[test]
fn integers_take_a_sign_and_leading_zeros() {
    assert_eq!(parse_int("007"), Some(7));
    assert_eq!(parse_int("+7"), Some(7));
    assert_eq!(parse_int("-0"), Some(0));
    assert_eq!(parse_int("0000000000000000000000000000000000000012"), Some(12));
    assert_eq!(parse_bigint("-0012"), Some(-12));
}

#[test]
fn integers_end_at_the_width_of_their_type() {
    assert_eq!(parse_int("2147483647"), Some(i32::MAX));
    assert_eq!(parse_int("2147483648"), None);
    assert_eq!(parse_int("-2147483648"), Some(i32::MIN));
    assert_eq!(parse_int("-2147483649"), None);
    assert_eq!(parse_bigint("9223372036854775807"), Some(i64::MAX));
    assert_eq!(parse_bigint("9223372036854775808"), None);
    assert_eq!(parse_bigint("-9223372036854775808"), Some(i64::MIN));
    assert_eq!(parse_bigint("-9223372036854775809"), None);
}

#[test]
fn an_integer_is_nothing_but_digits() {
    for text in [
        "", "+", "-", "+-1", "--1", " 1", "1 ", "1.0", "1.", "1e3", "0x10", "1_000", "1,000", "\u{661}",
    ] {
        assert_eq!(parse_int(text), None, "{text:?}");
        assert_eq!(parse_bigint(text), None, "{text:?}");
    }
}

#[test]
fn doubles_take_a_point_and_an_exponent() {
    assert_eq!(parse_double("1"), Some(1.0));
    assert_eq!(parse_double("+1.5"), Some(1.5));
    assert_eq!(parse_double(".5"), Some(0.5));
    assert_eq!(parse_double("5."), Some(5.0));
    assert_eq!(parse_double("-2.5E-3"), Some(-0.0025));
    assert_eq!(parse_double("1e-400"), Some(0.0));
}

#[test]
fn a_double_is_finite() {
    for text in [
        "inf", "-inf", "Infinity", "nan", "NaN", "1e309", "-1e309", "", ".", "e5", "1e", " 1", "1 ", "1,5",
        "0x1p3",
    ] {
        assert_eq!(parse_double(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_printed_integer_reads_back(int: i32, bigint: i64) {
        prop_assert_eq!(parse_int(&int.to_string()), Some(int));
        prop_assert_eq!(parse_bigint(&bigint.to_string()), Some(bigint));
        prop_assert_eq!(parse_int(&bigint.to_string()), i32::try_from(bigint).ok());
    }

    #[test]
    fn a_printed_double_reads_back_bit_for_bit(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
        for text in [format!("{value}"), format!("{value:e}")] {
            prop_assert_eq!(parse_double(&text).map(f64::to_bits), Some(value.to_bits()));
        }
    }
}

/// Texts like numbers, most of them none.
fn near_numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+-]?[0-9]{1,22}",
        "[+-]?0{0,6}[0-9]{1,12}",
        "[+-]?(2147483[0-9]{3}|92233720368547758[0-9]{2})",
        "[+-]?[0-9]{0,17}[.]?[0-9]{0,17}",
        "[+-]?[0-9]{1,6}[.][0-9]{1,4}([eE][+-]?[0-9]{1,3})?",
        "[0-9./:,+eE\u{0}é\u{661} -]{0,18}",
        "(-|[+])?(inf|nan|infinity|NaN)",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whichever_way_a_number_is_read_it_is_what_the_standard_library_reads(text in near_numbers()) {
        prop_assert_eq!(parse_int(&text), text.parse().ok());
        prop_assert_eq!(parse_bigint(&text), text.parse().ok());
        let double = text.parse().ok().filter(|value: &f64| value.is_finite());
        prop_assert_eq!(parse_double(&text).map(f64::to_bits), double.map(f64::to_bits), "{}", text);
    }
}
