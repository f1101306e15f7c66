use super::*;

#[test]
fn labels_are_read_as_people_write_them() {
    for (label, encoding) in [
        ("utf-8", Encoding::Utf8),
        (" UTF8 ", Encoding::Utf8),
        ("ascii", Encoding::Utf8),
        ("utf-16", Encoding::Utf16),
        ("UTF-16LE", Encoding::Utf16Le),
        ("utf-16be", Encoding::Utf16Be),
        ("latin1", Encoding::Latin1),
        ("ISO-8859-1", Encoding::Latin1),
        ("windows-1252", Encoding::Windows1252),
        ("cp1252", Encoding::Windows1252),
    ] {
        assert_eq!(Encoding::from_label(label), Ok(encoding), "{label}");
    }
    assert_eq!(Encoding::from_label("koi8-r").unwrap().name(), "KOI8-R");
    assert_eq!(Encoding::from_label("iso-8859-15").unwrap().name(), "ISO-8859-15");
}

#[test]
fn a_name_given_by_name_is_read_back() {
    for encoding in [
        Encoding::Utf8,
        Encoding::Utf16,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Latin1,
        Encoding::Windows1252,
    ] {
        assert_eq!(Encoding::from_label(encoding.name()), Ok(encoding));
    }
}

#[test]
fn encodings_of_many_bytes_are_refused_with_the_remedy() {
    for label in [
        "shift_jis",
        "gb18030",
        "big5",
        "euc-kr",
        "iso-2022-jp",
        "gbk",
        "utf-32",
        "iso-2022-kr",
    ] {
        let text = Encoding::from_label(label).unwrap_err();
        assert!(text.contains(&format!("iconv -f {label} ")), "{text}");
    }
    assert!(
        Encoding::from_label("klingon")
            .unwrap_err()
            .contains("windows-1252")
    );
}

#[test]
fn byte_order_marks_are_recognised() {
    assert_eq!(bom(b"\xef\xbb\xbfcid"), Some(Encoding::Utf8));
    assert_eq!(bom(b"\xff\xfec\0"), Some(Encoding::Utf16Le));
    assert_eq!(bom(b"\xfe\xff\0c"), Some(Encoding::Utf16Be));
    assert_eq!(bom(b"cid"), None);
    assert_eq!(bom(b"\xef\xbb"), None);
}

#[test]
fn plain_utf_16_gets_its_order_from_the_mark_or_else_from_the_text() {
    let resolve = |head: &[u8]| Encoding::Utf16.resolve(head).unwrap();
    assert_eq!(resolve(b"\xff\xfec\0"), Encoding::Utf16Le);
    assert_eq!(resolve(b"\xfe\xff\0c"), Encoding::Utf16Be);
    assert_eq!(resolve(b"c\0i\0d\0"), Encoding::Utf16Le);
    assert_eq!(resolve(b"\0c\0i\0d"), Encoding::Utf16Be);
    assert_eq!(resolve(b""), Encoding::Utf16Le);
}

#[test]
fn a_mark_of_another_unicode_encoding_is_an_error_that_names_it() {
    for (said, head, found) in [
        (Encoding::Utf8, &b"\xff\xfec\0"[..], "utf-16le"),
        (Encoding::Utf8, b"\xfe\xff\0c", "utf-16be"),
        (Encoding::Utf16Le, b"\xfe\xff\0c", "utf-16be"),
        (Encoding::Utf16, b"\xef\xbb\xbfc", "utf-8"),
        (Encoding::Utf8, b"\xff\xfe\0\0c\0\0\0", "UTF-32"),
        (Encoding::Utf16, b"\0\0\xfe\xff\0\0\0c", "UTF-32"),
    ] {
        let error = said.resolve(head).unwrap_err();
        assert_eq!(error.code(), Some("source_corrupt"));
        assert!(error.to_string().contains(found), "{error}");
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn a_code_page_takes_the_bytes_of_a_mark_for_characters() {
    assert_eq!(Encoding::Latin1.resolve(b"\xff\xfec").unwrap(), Encoding::Latin1);
}

#[test]
fn a_surrogate_has_its_three_byte_form() {
    assert_eq!(surrogate_form(0xd800), [0xed, 0xa0, 0x80]);
    assert_eq!(surrogate_form(0xdfff), [0xed, 0xbf, 0xbf]);
    assert_eq!(surrogate_form(0xdcd2), [0xed, 0xb3, 0x92]);
}
