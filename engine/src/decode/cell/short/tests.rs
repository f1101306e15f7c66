use proptest::prelude::*;

use super::{Short, eight_digits_each, leading_digits, num_bytes, sixteen_digits};

fn short(text: &str) -> Option<Short> {
    Short::of_bytes(text.as_bytes())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Texts like numbers, most of them none.
fn near_numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,17}",
        "[+-]?[0-9]{0,9}[.]?[0-9]{0,12}",
        "[+-]?[0-9]{0,6}[./:][0-9]{0,6}[.]?",
        "[0-9./:+e\u{0}é-]{0,15}",
    ]
}

/// The view of a text, after bytes that are no part of it.
fn view(text: &str) -> [u8; 16] {
    arrow::array::make_view(text.as_bytes(), 0, 7).to_le_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_last_eight_bytes_stand_in_one_word(text in "[ -~é\u{0}]{0,18}") {
        let expected = (1..=16).contains(&text.len()).then(|| {
            let mut last = [&[0; 8], text.as_bytes()].concat();
            last.drain(..text.len());
            u64::from_le_bytes(last.try_into().unwrap())
        });
        prop_assert_eq!(short(&text).and_then(Short::last_word), expected);
        let inline = expected.filter(|_| text.len() <= 12);
        prop_assert_eq!(Short::of_view(&view(&text)).and_then(Short::last_word), inline);
        prop_assert_eq!(num_bytes(&view(&text)), text.len());
    }

    #[test]
    fn a_number_is_all_digits(text in near_numbers()) {
        let expected = (is_number(&text) && text.len() <= 16).then(|| text.parse().unwrap());
        prop_assert_eq!(short(&text).and_then(Short::number), expected);
        let inline = expected.filter(|_| text.len() <= 12);
        prop_assert_eq!(Short::of_view(&view(&text)).and_then(Short::number), inline);
    }

    #[test]
    fn a_sign_comes_before_one_digit_or_more(text in near_numbers()) {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
        let expected = (is_number(digits) && text.len() <= 16)
            .then(|| (text.starts_with('-'), digits.parse().unwrap()));
        prop_assert_eq!(short(&text).and_then(Short::signed_number), expected);
        let inline = expected.filter(|_| text.len() <= 12);
        prop_assert_eq!(Short::of_view(&view(&text)).and_then(Short::signed_number), inline);
    }

    #[test]
    fn a_point_is_taken_out_of_the_digits(text in near_numbers()) {
        let body = text.strip_prefix(['-', '+']).unwrap_or(&text);
        let (whole, decimals) = body.split_once('.').unwrap_or((body, ""));
        let digits = format!("{whole}{decimals}");
        let expected = (is_number(&digits) && text.len() <= 16)
            .then(|| (text.starts_with('-'), digits.parse().unwrap(), decimals.len()));
        prop_assert_eq!(short(&text).and_then(Short::signed_decimals), expected, "{}", text);
        let inline = expected.filter(|_| text.len() <= 12);
        prop_assert_eq!(Short::of_view(&view(&text)).and_then(Short::signed_decimals), inline, "{}", text);
    }

    #[test]
    fn leading_digits_are_read_as_if_zeros_followed(text in "[0-9]{0,9}[^0-9]?[0-9]{0,3}") {
        let mut word = [0; 8];
        let text_bytes = text.as_bytes();
        let taken = text_bytes.len().min(8);
        word[..taken].copy_from_slice(&text_bytes[..taken]);
        let digits: String = text.chars().take_while(char::is_ascii_digit).take(8).collect();
        let expected = format!("{digits:0<8}").parse::<u64>().unwrap();
        prop_assert_eq!(leading_digits(u64::from_le_bytes(word)), (digits.len(), expected));
    }

    #[test]
    fn digits_make_one_number_whichever_way_they_are_added_up(digits in proptest::array::uniform16(0_u8..=9)) {
        let expected = digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit));
        let words = u128::from_le_bytes(digits);
        let words = [words as u64, (words >> 64) as u64];
        prop_assert_eq!(sixteen_digits(words), expected);
        prop_assert_eq!(eight_digits_each(words), expected);
    }
}
