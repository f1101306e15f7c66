use std::io::Write;

use proptest::prelude::*;

use super::super::testing::{Dribble, csv, skippable, zstd_frame};
use super::*;

fn unzstd_within(packed: &[u8], step: usize, limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let stored = Stored::new(Dribble(packed, step), packed.len() as u64);
    let mut reader = Unzstd::new(stored, limits)?;
    match reader.read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(error) => {
            assert!(
                reader.read(&mut [0; 8]).is_err(),
                "a failure never turns into the end"
            );
            Err(fault::from_io(error))
        }
    }
}

fn unzstd(packed: &[u8], step: usize) -> Result<Vec<u8>, Error> {
    unzstd_within(packed, step, &Limits::default())
}

proptest! {
    #[test]
    fn frames_are_read_one_after_the_other_and_skippable_ones_passed_over(
        frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 1..8),
        step in 1_usize..300,
    ) {
        let pack = |(is_data, bytes): &(bool, Vec<u8>)| if *is_data { zstd_frame(bytes) } else { skippable(bytes) };
        let packed: Vec<u8> = frames.iter().flat_map(pack).collect();
        let content: Vec<u8> = frames.iter().filter(|(is_data, _)| *is_data).flat_map(|(_, b)| b.clone()).collect();
        prop_assert_eq!(unzstd(&packed, step).unwrap(), content);
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_changes_nothing(bit in any::<prop::sample::Index>(), step in 1_usize..300) {
        let content = csv(40);
        let mut packed = zstd_frame(&content);
        let bit = bit.index(packed.len() * 8);
        packed[bit / 8] ^= 1 << (bit % 8);
        match unzstd(&packed, step) {
            Ok(out) => prop_assert_eq!(out, content),
            Err(error) => prop_assert_eq!(error.code(), Some("source_corrupt")),
        }
    }

    #[test]
    fn anything_behind_the_last_frame_is_an_error(
        first in prop_oneof![0_u8..0x28, 0x29_u8..0x50, 0x60_u8..],
        rest in prop::collection::vec(any::<u8>(), 0..20),
        step in 1_usize..300,
    ) {
        let packed = [zstd_frame(b"cid\n1\n"), vec![first], rest].concat();
        prop_assert_eq!(unzstd(&packed, step).unwrap_err().code(), Some("source_corrupt"));
    }
}

#[test]
fn a_file_cut_off_at_any_byte_is_an_error_that_says_where() {
    let packed = [skippable(b"index"), zstd_frame(&csv(60))].concat();
    let whole_frames = skippable(b"index").len();
    for end in (0..packed.len()).filter(|end| *end != whole_frames) {
        let error = unzstd(&packed[..end], 100).unwrap_err();
        assert_eq!(error.code(), Some("source_corrupt"), "{end}");
        assert!(
            error.to_string().contains(&format!("ends at byte {end},")),
            "{end}: {error}"
        );
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn a_window_above_the_limit_is_refused_and_the_setting_named() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(&csv(50)).unwrap();
    let packed = encoder.finish().unwrap();
    let within = |max_window_bytes| {
        let limits = Limits {
            max_window_bytes,
            ..Limits::default()
        };
        unzstd_within(&packed, 100, &limits)
    };
    assert_eq!(within(1 << 24).unwrap(), csv(50));
    let error = within(1 << 23).unwrap_err();
    assert!(error.to_string().contains("8388608 bytes of memory"), "{error}");
    assert!(error.hints().concat().contains("limits.max_window_bytes"));
}

#[test]
fn text_behind_the_last_frame_is_named_with_its_place() {
    let mut packed = zstd_frame(b"cid\n1\n");
    let at = packed.len();
    packed.extend(b"more,text\n");
    let text = unzstd(&packed, 999).unwrap_err().to_string();
    assert!(text.contains(&format!("from byte {at} of")), "{text}");
}
