//! Addresses that mail can be sent to.
//!
//! In a column, an ASCII address of up to 64 bytes, nearly every one there is, is judged by sets of its bytes, one bit
//! a byte (`email/block.rs`).

mod block;

use arrow::array::{Array, BooleanArray, StringViewArray};

use crate::simd::{Level, dispatch};

/// Most characters before the `@`.
const MAX_LOCAL_CHARS: usize = 64;

/// Most characters of an address.
const MAX_CHARS: usize = 254;

/// Whether a text is an email address: exactly one `@`, 1 to 64 characters before it, a dotted host after it,
/// 254 characters in all.
///
/// The local part may have any character but blanks and controls: servers accept more than the standards list,
/// and mailboxes such as `first..last.` exist. The host has at least two labels, none empty, of ASCII letters,
/// digits and hyphens; internationalised names are written as `xn--`. Quoted local parts with an `@` or a blank
/// inside and numeric hosts in brackets are refused.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    is_host(host) && local_chars(local).is_some_and(|chars| chars + 1 + host.len() <= MAX_CHARS)
}

/// [`is_email`] of every text.
#[must_use]
pub fn is_email_column(texts: &StringViewArray) -> BooleanArray {
    let found = dispatch(Level::detect(), block::Emails { texts });
    BooleanArray::new(found, texts.nulls().cloned())
}

/// How many characters the local part has, if it is one.
fn local_chars(local: &str) -> Option<usize> {
    let is_allowed = |c: char| !c.is_whitespace() && !c.is_control();
    let is_plain = local.bytes().all(|byte| byte.is_ascii_graphic());
    let chars = if is_plain {
        local.len()
    } else {
        local.chars().count()
    };
    ((1..=MAX_LOCAL_CHARS).contains(&chars) && (is_plain || local.chars().all(is_allowed))).then_some(chars)
}

/// Refuses a second `@` too: it is in no label.
fn is_host(host: &str) -> bool {
    let mut num_labels = 1;
    let mut label_bytes = 0;
    for byte in host.bytes() {
        match byte {
            b'.' if label_bytes == 0 => return false,
            b'.' => (num_labels, label_bytes) = (num_labels + 1, 0),
            _ if byte.is_ascii_alphanumeric() || byte == b'-' => label_bytes += 1,
            _ => return false,
        }
    }
    num_labels > 1 && label_bytes > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_email, is_email_column};
    use arrow::array::StringViewArray;

    #[test]
    fn ordinary_addresses_are_addresses() {
        for text in [
            "a@b.co",
            "first.last+tag@mail.example.com",
            "o'brien@example.ie",
            "1234@163.com",
            "x@1.2",
            "jörg@xn--mller-kva.de",
            "first..last.@docomo.ne.jp",
            "UPPER@EXAMPLE.COM",
            "a@-b-.c--d",
        ] {
            assert!(is_email(text), "{text}");
        }
    }

    #[test]
    fn what_mail_cannot_be_sent_to_is_none() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a@b.",
            "a@.b",
            "a@b..c",
            "a@b@c.de",
            "a@@b.co",
            "a b@c.de",
            "a@b c.de",
            " a@b.co",
            "a@b.co ",
            "a@b.co\n",
            "a\t@b.co",
            "a\u{a0}@b.co",
            "a\0@b.co",
            "a@b_c.de",
            "a@müller.de",
            "a@[1.2.3.4]",
            "a@b.co,c@d.de",
            "Name <a@b.co>",
            "\"a b\"@c.de",
            "a@b.co.",
        ] {
            assert!(!is_email(text), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(is_email(&format!("{}@b.co", "é".repeat(64))));
        assert!(!is_email(&format!("{}@b.co", "a".repeat(65))));
        let longest = format!("{}@{}.com", "é".repeat(64), "b".repeat(254 - 64 - 1 - 4));
        assert_eq!(longest.chars().count(), 254);
        assert!(is_email(&longest));
        assert!(!is_email(&format!("{longest}m")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn whichever_way_an_address_is_judged_the_answer_is_the_same(
            texts in prop::collection::vec(prop_oneof![
                "[a-z.+@ é\u{7f}\t]{0,9}@?[a-zA-Z0-9.@_é-]{0,12}",
                "[!-~]{1,20}@[a-z0-9-]{1,9}[.][a-z]{0,4}[.@/:;\\[`{]?",
                "[a-z]{1,50}@([a-z0-9-]{0,9}[.]){0,4}[a-z]{1,3}",
                "[.@a]{0,70}",
                "[a-z]{6,66}@b.co",
                "\\PC{0,5}@\\PC{0,5}[.]co",
            ], 0..9),
        ) {
            let column = StringViewArray::from_iter_values(&texts);
            let found = is_email_column(&column);
            for (row, text) in texts.iter().enumerate() {
                prop_assert_eq!(found.value(row), is_email(text), "{:?}", text);
            }
        }
    }
}
