use super::super::testing::{gzip, skippable, zstd_frame};
use super::*;

#[test]
fn what_compressors_write_is_recognised() {
    assert_eq!(Compression::of(&gzip(b"a,b\n")), Compression::Gzip);
    assert_eq!(Compression::of(&zstd_frame(b"a,b\n")), Compression::Zstd);
}

#[test]
fn skippable_frames_before_zstd_are_looked_through() {
    let frame = zstd_frame(b"a,b\n");
    let before = [skippable(b"index"), skippable(b"")].concat();
    assert_eq!(
        Compression::of(&[before.clone(), frame].concat()),
        Compression::Zstd
    );
    assert_eq!(Compression::of(&before), Compression::Zstd);
    assert_eq!(
        Compression::of(&skippable(&[7; 10_000])[..4096]),
        Compression::Zstd
    );
    assert_eq!(
        Compression::of(&[before, b"\x04\x22\x4d\x18".to_vec()].concat()),
        Compression::None
    );
}

#[test]
fn other_formats_are_named() {
    let mut sheet = b"PK\x03\x04".to_vec();
    sheet.resize(30, 1);
    sheet.extend(b"[Content_Types].xml");
    let mut tar = vec![0; 512];
    tar[..5].copy_from_slice(b"a.csv");
    tar[257..262].copy_from_slice(b"ustar");
    for (head, name) in [
        (&b"PK\x03\x04\x14\0\0\0\x08\0"[..], "zip"),
        (&sheet, "xlsx"),
        (&tar, "tar"),
        (b"BZh91AY&SY\x01\x02", "bzip2"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"\x04\x22\x4d\x18\x60", "lz4"),
        (b"PAR1\x15\x04\x15", "parquet"),
        (b"ORC\x08\x03\x10", "orc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    ] {
        assert_eq!(Compression::of(head), Compression::Unsupported(name));
        let remedy = Compression::Unsupported(name).remedy();
        assert!(remedy.contains("CSV") || remedy.contains("unpack"), "{remedy}");
    }
}

#[test]
fn text_that_begins_like_a_format_is_text() {
    for head in [
        &b""[..],
        b"\x1f",
        b"PAR1,PAR2\n",
        b"PAR1\n",
        b"PAR1",
        b"ORC,tier\n",
        b"BZh9 and more text",
        b"PK,name\n",
        b"Rar!,x",
        b"7z,x",
        b"\xef\xbb\xbfcid,name\n",
        b"\xff\xfec\0i\0d\0",
    ] {
        assert_eq!(Compression::of(head), Compression::None, "{head:?}");
    }
}
