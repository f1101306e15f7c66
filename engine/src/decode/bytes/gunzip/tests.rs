use proptest::prelude::*;

use super::super::testing::{Dribble, csv, gzip};
use super::*;
use crate::error::Error;

fn gunzip(packed: &[u8], step: usize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let stored = Stored::new(Dribble(packed, step), packed.len() as u64);
    let mut reader = Gunzip::new(stored);
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

proptest! {
    #[test]
    fn members_are_read_one_after_the_other(
        members in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6),
        zeros in 0_usize..40,
        step in 1_usize..300,
    ) {
        let mut packed: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
        packed.resize(packed.len() + zeros, 0);
        prop_assert_eq!(gunzip(&packed, step).unwrap(), members.concat());
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_changes_nothing(bit in any::<prop::sample::Index>(), step in 1_usize..300) {
        let content = csv(40);
        let mut packed = gzip(&content);
        let bit = bit.index(packed.len() * 8);
        packed[bit / 8] ^= 1 << (bit % 8);
        match gunzip(&packed, step) {
            Ok(out) => prop_assert_eq!(out, content),
            Err(error) => prop_assert_eq!(error.code(), Some("source_corrupt")),
        }
    }

    #[test]
    fn anything_else_behind_the_last_member_is_an_error(
        zeros in 0_usize..20,
        garbage in prop::collection::vec(any::<u8>(), 0..20),
        last in 1_u8..,
    ) {
        let mut packed = gzip(b"cid\n1\n");
        packed.resize(packed.len() + zeros, 0);
        packed.extend(garbage);
        packed.push(last);
        prop_assert_eq!(gunzip(&packed, 999).unwrap_err().code(), Some("source_corrupt"));
    }
}

#[test]
fn a_file_cut_off_at_any_byte_is_an_error_that_says_where() {
    let content = csv(60);
    let packed = gzip(&content);
    for end in 0..packed.len() {
        let error = gunzip(&packed[..end], 100).unwrap_err();
        assert_eq!(error.code(), Some("source_corrupt"), "{end}");
        assert!(error.to_string().contains("cut off"), "{end}: {error}");
        assert!(
            error.to_string().contains(&format!("byte {end},")),
            "{end}: {error}"
        );
        assert!(!error.hints().is_empty());
    }
    let two = [packed.clone(), packed.clone()].concat();
    for end in packed.len() + 1..two.len() {
        assert!(gunzip(&two[..end], 100).is_err(), "{end}");
    }
}

#[test]
fn a_wrong_checksum_or_length_is_an_error() {
    let packed = gzip(&csv(60));
    for back in 1..=8 {
        let mut wrong = packed.clone();
        let at = wrong.len() - back;
        wrong[at] ^= 1;
        assert!(
            gunzip(&wrong, 100).unwrap_err().to_string().contains("checksum"),
            "{back}"
        );
    }
}

#[test]
fn text_behind_the_last_member_is_named_with_its_place() {
    let mut packed = gzip(b"cid\n1\n");
    let at = packed.len();
    packed.extend(b"more,text\n");
    let text = gunzip(&packed, 999).unwrap_err().to_string();
    assert!(text.contains(&format!("from byte {at} of")), "{text}");
}
