//! The repertoire of Windows-1252.

/// Whether every character has a place in Windows-1252.
///
/// The bytes 81, 8D, 8F, 90 and 9D are undefined there. Decoders of the web map them to the C1 controls of
/// the same number so that no byte is ever an error; here they are what the code page says: no C1 control is
/// in it.
#[must_use]
pub fn is_windows_1252(text: &str) -> bool {
    text.is_ascii() || text.chars().all(is_windows_1252_char)
}

/// Whether the character has a place in Windows-1252.
pub(super) fn is_windows_1252_char(c: char) -> bool {
    match c {
        '\0'..='\u{7F}' | '\u{A0}'..='\u{FF}' => true,
        // Bytes 80 to 9F.
        '€' | '‚' | 'ƒ' | '„' | '…' | '†' | '‡' | 'ˆ' | '‰' | 'Š' | '‹' | 'Œ' | 'Ž' => {
            true
        }
        '‘' | '’' | '“' | '”' | '•' | '–' | '—' | '˜' | '™' | 'š' | '›' | 'œ' | 'ž' | 'Ÿ' => {
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_windows_1252, is_windows_1252_char};

    /// Bytes 80 to 9F, from the code page's definition; zero where it has none.
    const UPPER_CONTROLS: [u32; 32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
        0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0, 0x017E, 0x0178,
    ];

    #[test]
    fn the_repertoire_is_exactly_that_of_the_code_page() {
        let in_code_page = |c: char| {
            let code = u32::from(c);
            code < 0x80 || (0xA0..=0xFF).contains(&code) || UPPER_CONTROLS.contains(&code)
        };
        for c in '\0'..=char::MAX {
            assert_eq!(is_windows_1252_char(c), in_code_page(c), "U+{:04X}", u32::from(c));
        }
        assert_eq!(
            ('\0'..=char::MAX).filter(|c| is_windows_1252_char(*c)).count(),
            256 - 5
        );
    }

    #[test]
    fn one_character_outside_is_enough() {
        assert!(is_windows_1252(""));
        assert!(is_windows_1252("Crème brûlée, 5 €"));
        assert!(!is_windows_1252("Łódź"));
        assert!(!is_windows_1252("e\u{301}"));
        assert!(!is_windows_1252("\u{81}"));
        assert!(!is_windows_1252("😀"));
    }
}
