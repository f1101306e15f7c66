use proptest::prelude::*;

use super::super::testing::{assert_cover, csv, drain, file_of, gzip, skippable, zstd_frame};
use super::*;

/// Ways to store a text, by number.
fn store(way: usize, text: &str) -> (Vec<u8>, Encoding) {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    match way {
        0 => (text.as_bytes().to_vec(), Encoding::Utf8),
        1 => (gzip(text.as_bytes()), Encoding::Utf8),
        2 => (
            [skippable(b"x"), zstd_frame(text.as_bytes())].concat(),
            Encoding::Utf8,
        ),
        3 => (utf16, Encoding::Utf16Be),
        4 => (gzip(&utf16), Encoding::Utf16Be),
        _ => (zstd_frame(&utf16), Encoding::Utf16Be),
    }
}

proptest! {
    #[test]
    fn blocks_and_head_are_the_text_however_it_is_stored(
        text in "[a-zé€,\n😀]{0,400}",
        way in 0_usize..6,
        block_bytes in 1_usize..=300,
        lookahead_bytes in 0_usize..=50,
        start in 0_u64..200,
        head_bytes in 0_usize..500,
    ) {
        let (stored, encoding) = store(way, &text);
        let file = file_of(&stored);
        let cut = Cut::new(block_bytes, lookahead_bytes).starting_at(start);
        let size_bytes = stored.len() as u64;
        let file = SourceFile::open(file.path()).unwrap();
        let (blocks, _) = open(&file, encoding, &Limits::default(), Footer::none(), cut).unwrap();
        let blocks = drain(&*blocks).unwrap();
        let read_bytes: u64 = blocks.iter().map(|block| block.read_bytes).sum();
        let is_plain = way == 0;
        prop_assert!(is_plain || blocks.is_empty() || read_bytes == size_bytes);
        assert_cover(blocks, text.as_bytes(), cut);
        let head = head(&file, encoding, &Limits::default(), head_bytes).unwrap();
        prop_assert_eq!(&head.bytes[..], &text.as_bytes()[..head_bytes.min(text.len())]);
        prop_assert_eq!(head.is_whole, text.len() <= head_bytes);
    }
}

fn open_all(content: &[u8], encoding: Encoding, limits: &Limits) -> Result<(Vec<u8>, Opened)> {
    let file = file_of(content);
    let (blocks, opened) = open(
        &SourceFile::open(file.path())?,
        encoding,
        limits,
        Footer::none(),
        Cut::new(100, 10),
    )
    .inspect_err(|error| assert!(error.place().file.is_some(), "{error}"))?;
    let owned = |block: super::super::Block| block.content()[..block.owned_bytes].to_vec();
    let all = drain(&*blocks).inspect_err(|error| assert!(error.place().file.is_some(), "{error}"))?;
    Ok((all.into_iter().flat_map(owned).collect(), opened))
}

#[test]
fn what_a_file_is_is_told() {
    let content = gzip(b"\xff\xfea\0\n\0");
    let (text, opened) = open_all(&content, Encoding::Utf16, &Limits::default()).unwrap();
    assert_eq!(text, "\u{feff}a\n".as_bytes());
    let expected = Opened {
        compression: Compression::Gzip,
        encoding: Encoding::Utf16Le,
        mark: Some(Encoding::Utf16Le),
    };
    assert_eq!(opened, expected);
}

#[test]
fn a_file_cut_off_at_any_byte_never_succeeds() {
    for packed in [gzip(&csv(30)), zstd_frame(&csv(30))] {
        for end in 4..packed.len() {
            let error = open_all(&packed[..end], Encoding::Utf8, &Limits::default()).unwrap_err();
            assert_eq!(error.code(), Some("source_corrupt"), "{end}");
        }
    }
}

#[test]
fn a_bomb_is_stopped_at_the_limit_and_honest_repetition_is_not() {
    let limits = Limits {
        min_bytes: 1 << 20,
        ..Limits::default()
    };
    let zeros = zstd_frame(&vec![0; 40 << 20]);
    let error = open_all(&zeros, Encoding::Utf8, &limits).unwrap_err();
    assert_eq!(error.code(), Some("source_corrupt"));
    assert!(error.to_string().contains("decompresses to more than"), "{error}");
    assert!(error.hints().concat().contains("limits.max_ratio"));
    let numbers: String = (0..200_000)
        .map(|row| format!("{row:010},gold,Spain,true\n"))
        .collect();
    let (text, _) = open_all(&zstd_frame(numbers.as_bytes()), Encoding::Utf8, &limits).unwrap();
    assert_eq!(text, numbers.as_bytes());
    let (text, _) = open_all(&gzip(&vec![b'x'; 4 << 20]), Encoding::Utf8, &limits).unwrap();
    assert_eq!(text.len(), 4 << 20);
}

#[test]
fn a_format_that_is_not_read_is_named_with_the_remedy() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    for (content, name) in [
        (b"PK\x03\x04\x14\0".to_vec(), "zip"),
        (b"PAR1\x15\x04".to_vec(), "parquet"),
        (gzip(&tar), "tar"),
        (gzip(&gzip(b"a\n")), "gzip"),
    ] {
        let error = open_all(&content, Encoding::Utf8, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn an_empty_file_has_no_blocks() {
    let (text, opened) = open_all(b"", Encoding::Utf8, &Limits::default()).unwrap();
    assert_eq!((text.len(), opened.compression), (0, Compression::None));
    assert!(
        open_all(&gzip(b""), Encoding::Utf8, &Limits::default())
            .unwrap()
            .0
            .is_empty()
    );
}
