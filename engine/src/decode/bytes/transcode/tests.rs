use proptest::prelude::*;

use super::super::testing::Dribble;
use super::*;

/// Every encoding but UTF-8.
fn encodings() -> Vec<Encoding> {
    let labels = [
        "utf-16le",
        "utf-16be",
        "latin1",
        "windows-1252",
        "ibm866",
        "iso-8859-2",
        "iso-8859-3",
        "iso-8859-4",
        "iso-8859-5",
        "iso-8859-6",
        "iso-8859-7",
        "iso-8859-8",
        "iso-8859-8-i",
        "iso-8859-10",
        "iso-8859-13",
        "iso-8859-14",
        "iso-8859-15",
        "iso-8859-16",
        "koi8-r",
        "koi8-u",
        "macintosh",
        "windows-874",
        "windows-1250",
        "windows-1251",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "windows-1258",
        "x-mac-cyrillic",
        "x-user-defined",
    ];
    labels
        .iter()
        .map(|label| Encoding::from_label(label).unwrap())
        .collect()
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    prop::sample::select(encodings())
}

/// Bytes with many surrogates, ASCII and anything.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pair = prop_oneof![
        any::<[u8; 2]>(),
        (0xd8_u8..0xe0, any::<u8>()).prop_map(|(high, low)| [high, low]),
        (0xd8_u8..0xe0, any::<u8>()).prop_map(|(high, low)| [low, high]),
        (0x20_u8..0x7f).prop_map(|ascii| [ascii, 0]),
        (0x20_u8..0x7f).prop_map(|ascii| [ascii, ascii]),
    ];
    prop::collection::vec(pair, 0..200).prop_map(|pairs| pairs.concat())
}

fn transcode(encoding: Encoding, bytes: &[u8], step: usize) -> Vec<u8> {
    let mut transcoder = Transcoder::new(encoding);
    let mut out = Vec::new();
    for piece in bytes.chunks(step) {
        transcoder.feed(piece, &mut out);
    }
    transcoder.finish(&mut out).unwrap();
    out
}

proptest! {
    #[test]
    fn any_bytes_are_restored_and_counted_however_the_input_is_cut(
        encoding in any_encoding(),
        bytes in any_bytes(),
        step in 1_usize..40,
    ) {
        let text = transcode(encoding, &bytes, step);
        prop_assert_eq!(encoding.original_bytes(&text), bytes.len() as u64);
        prop_assert_eq!(encoding.restore(&text), bytes);
    }

    #[test]
    fn a_reader_gives_what_the_transcoder_does(
        encoding in any_encoding(),
        bytes in any_bytes(),
        step in 1_usize..40,
    ) {
        let mut text = Vec::new();
        Transcoding::new(Dribble(&bytes[..], step), encoding).read_to_end(&mut text).unwrap();
        prop_assert_eq!(text, transcode(encoding, &bytes, bytes.len().max(1)));
    }

    #[test]
    fn text_in_utf_16_is_decoded(text in any::<String>(), step in 1_usize..10) {
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        prop_assert_eq!(transcode(Encoding::Utf16Le, &le, step), text.as_bytes());
        prop_assert_eq!(transcode(Encoding::Utf16Be, &be, step), text.as_bytes());
    }

    #[test]
    fn half_pairs_and_undefined_bytes_are_invalid_as_utf_8(encoding in any_encoding(), bytes in any_bytes()) {
        let naive = match encoding {
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let unit = |pair: &[u8]| match encoding {
                    Encoding::Utf16Le => u16::from_le_bytes([pair[0], pair[1]]),
                    _ => u16::from_be_bytes([pair[0], pair[1]]),
                };
                String::from_utf16(&bytes.chunks(2).map(unit).collect::<Vec<_>>()).ok()
            }
            Encoding::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Encoding::Windows1252 => Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned()),
            Encoding::Other(table) => table.table()
                .decode_without_bom_handling_and_without_replacement(&bytes)
                .map(|text| text.into_owned()),
            Encoding::Utf8 | Encoding::Utf16 => None,
        };
        prop_assert_eq!(String::from_utf8(transcode(encoding, &bytes, 1000)).ok(), naive);
    }

    #[test]
    fn restoring_and_counting_take_any_bytes(encoding in any_encoding(), bytes in any_bytes()) {
        prop_assert!(encoding.restore(&bytes).len() <= 2 * bytes.len());
        prop_assert!(encoding.original_bytes(&bytes) <= 4 * bytes.len() as u64);
    }
}

#[test]
fn every_byte_of_every_code_page_is_restored() {
    for encoding in encodings() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(
            encoding.restore(&transcode(encoding, &bytes, 256)),
            bytes,
            "{encoding:?}"
        );
    }
}

#[test]
fn utf_8_goes_through_as_it_is() {
    let bytes = b"\xef\xbb\xbfa\xff\xc3";
    assert_eq!(transcode(Encoding::Utf8, bytes, 2), bytes);
    assert_eq!(Encoding::Utf8.original_bytes(bytes), 6);
    assert_eq!(Encoding::Utf8.restore(bytes), bytes);
}

#[test]
fn latin1_and_windows_1252_differ_in_the_upper_controls() {
    let text = |encoding, byte: u8| String::from_utf8(transcode(encoding, &[byte], 1)).unwrap();
    assert_eq!(text(Encoding::Latin1, 0x80), "\u{80}");
    assert_eq!(text(Encoding::Windows1252, 0x80), "€");
    assert_eq!(text(Encoding::Windows1252, 0x81), "\u{81}");
}

#[test]
fn the_byte_order_mark_stays_and_counts() {
    let text = transcode(Encoding::Utf16Le, b"\xff\xfea\0", 3);
    assert_eq!(text, b"\xef\xbb\xbfa");
    assert_eq!(Encoding::Utf16Le.original_bytes(&text), 4);
}

#[test]
fn an_odd_number_of_bytes_in_utf_16_is_a_file_cut_off() {
    let mut out = Vec::new();
    let error = Transcoding::new(&b"a\0b"[..], Encoding::Utf16Le)
        .read_to_end(&mut out)
        .unwrap_err();
    assert_eq!(fault::from_io(error).code(), Some("source_corrupt"));
}

#[test]
fn half_a_character_at_the_end_of_a_cut_text_is_left_out() {
    assert_eq!(Encoding::Utf16Le.restore(b"a\xe2\x82"), b"a\0");
    assert_eq!(Encoding::Windows1252.restore(b"a\xe2\x82"), b"a");
    assert_eq!(Encoding::Latin1.restore("aé€".as_bytes()), b"a\xe9");
}
