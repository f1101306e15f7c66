use proptest::prelude::*;

use super::lanes::BLOCK_BYTES;
use super::{ByteSet, Kernel, Lanes, Level, dispatch};

type Block = [u8; BLOCK_BYTES];

/// All levels that this processor has.
fn levels() -> Vec<Level> {
    let best = Level::detect();
    #[cfg(target_arch = "aarch64")]
    if let Level::Neon(present) = best {
        return vec![
            Level::Portable,
            best,
            Level::Neon(present.without_multiplication()),
        ];
    }
    vec![Level::Portable, best]
}

struct Eq<'a> {
    bytes: &'a [u8],
    at: usize,
    byte: u8,
}

impl Kernel for Eq<'_> {
    type Output = u64;

    #[inline(always)]
    #[expect(unsafe_code, reason = "the method under test")]
    fn run<L: Lanes>(self) -> u64 {
        let block: &[u8] = &self.bytes[self.at..self.at + BLOCK_BYTES];
        // SAFETY: the slice has 64 bytes; `dispatch` chose lanes that the processor has.
        unsafe { L::load(block.as_ptr()).eq(self.byte) }
    }
}

struct InSet<'a> {
    block: &'a Block,
    set: &'a ByteSet,
}

impl Kernel for InSet<'_> {
    type Output = u64;

    #[inline(always)]
    #[expect(unsafe_code, reason = "the method under test")]
    fn run<L: Lanes>(self) -> u64 {
        // SAFETY: a block has 64 bytes; `dispatch` chose lanes that the processor has.
        unsafe { L::load(self.block.as_ptr()).in_set(self.set) }
    }
}

struct PrefixXor(u64);

impl Kernel for PrefixXor {
    type Output = u64;

    #[inline(always)]
    #[expect(unsafe_code, reason = "the method under test")]
    fn run<L: Lanes>(self) -> u64 {
        // SAFETY: `dispatch` chose lanes that the processor has.
        unsafe { L::prefix_xor(self.0) }
    }
}

fn mask_of(block: &[u8], byte: u8) -> u64 {
    (0..BLOCK_BYTES)
        .filter(|i| block[*i] == byte)
        .fold(0, |mask, i| mask | 1 << i)
}

fn running_xor(mask: u64) -> u64 {
    let odd = |i: &usize| (0..=*i).filter(|j| mask >> j & 1 == 1).count() % 2 == 1;
    (0..BLOCK_BYTES).filter(odd).fold(0, |xor, i| xor | 1 << i)
}

fn assert_eq_masks(block: &Block, byte: u8) {
    for level in levels() {
        let found = dispatch(
            level,
            Eq {
                bytes: block,
                at: 0,
                byte,
            },
        );
        assert_eq!(
            found,
            mask_of(block, byte),
            "{level:?}, byte {byte:#x} in {block:x?}"
        );
    }
}

#[test]
fn every_byte_value_is_found_among_all_others() {
    for first in [0, 64, 128, 192] {
        let block: Block = std::array::from_fn(|i| first + i as u8);
        (0..=u8::MAX).for_each(|byte| assert_eq_masks(&block, byte));
    }
}

#[test]
fn every_byte_value_is_found_at_every_place() {
    for byte in 0..=u8::MAX {
        for i in 0..BLOCK_BYTES {
            let mut block = [!byte; BLOCK_BYTES];
            block[i] = byte;
            assert_eq_masks(&block, byte);
            assert_eq_masks(&block, !byte);
        }
    }
}

#[test]
fn a_neighbour_that_differs_in_one_bit_is_not_found() {
    for byte in 0..=u8::MAX {
        for bit in 0..8 {
            let block = std::array::from_fn(|i| if i % 2 == 0 { byte } else { byte ^ 1 << bit });
            assert_eq_masks(&block, byte);
        }
    }
}

#[test]
fn a_neighbour_that_is_one_more_or_one_less_is_not_found() {
    for byte in 0..=u8::MAX {
        let around = [byte, byte.wrapping_add(1), byte, byte.wrapping_sub(1)];
        assert_eq_masks(&std::array::from_fn(|i| around[i % 4]), byte);
        assert_eq_masks(&std::array::from_fn(|i| around[i / 4 % 4]), byte);
    }
}

#[test]
fn a_block_may_start_at_any_address() {
    let bytes: Vec<u8> = (0..=u8::MAX).map(|i| i % 7).collect();
    for at in 0..BLOCK_BYTES {
        for level in levels() {
            assert_eq!(
                dispatch(
                    level,
                    Eq {
                        bytes: &bytes,
                        at,
                        byte: 3
                    }
                ),
                mask_of(&bytes[at..], 3),
                "{level:?}"
            );
        }
    }
}

#[test]
fn one_bit_turns_all_bits_from_its_place_on() {
    for level in levels() {
        for i in 0..BLOCK_BYTES {
            assert_eq!(dispatch(level, PrefixXor(1 << i)), u64::MAX << i, "{level:?}");
        }
        assert_eq!(dispatch(level, PrefixXor(0)), 0, "{level:?}");
        assert_eq!(
            dispatch(level, PrefixXor(u64::MAX)),
            0x5555_5555_5555_5555,
            "{level:?}"
        );
    }
}

#[test]
fn members_of_a_set_are_found_among_all_bytes() {
    let letters_digits_and_some: [bool; 256] = std::array::from_fn(|byte| {
        let byte = byte as u8;
        byte.is_ascii_alphanumeric() || matches!(byte, 0 | b'-' | 0x8F | 0xF0..)
    });
    for members in [
        letters_digits_and_some,
        letters_digits_and_some.map(|is_member| !is_member),
        [false; 256],
        [true; 256],
    ] {
        let set = ByteSet::of(&members);
        (0..=u8::MAX).for_each(|byte| assert_eq!(set.contains(byte), members[usize::from(byte)], "{byte}"));
        for first in (0..=u8::MAX).step_by(7) {
            let block: Block = std::array::from_fn(|i| first.wrapping_add(i as u8));
            let expected = (0..BLOCK_BYTES).filter(|i| members[usize::from(block[*i])]);
            let expected = expected.fold(0, |mask, i| mask | 1 << i);
            for level in levels() {
                let found = dispatch(
                    level,
                    InSet {
                        block: &block,
                        set: &set,
                    },
                );
                assert_eq!(found, expected, "{level:?}, from {first:#x}");
            }
        }
    }
}

/// Blocks of few values, close to each other or apart by their high bit only.
fn adversarial() -> impl Strategy<Value = (Vec<u8>, u8)> {
    any::<u8>().prop_flat_map(|byte| {
        let near = vec![
            byte,
            byte,
            byte ^ 0x80,
            byte ^ 1,
            byte.wrapping_add(1),
            byte.wrapping_sub(1),
            0,
            0xff,
        ];
        (
            prop::collection::vec(prop::sample::select(near), BLOCK_BYTES),
            Just(byte),
        )
    })
}

proptest! {
    #[test]
    fn masks_of_random_blocks_are_those_of_the_model(block in any::<[[u8; 32]; 2]>(), byte in any::<u8>()) {
        let block: Block = std::array::from_fn(|i| block[i / 32][i % 32]);
        assert_eq_masks(&block, byte);
        block.iter().for_each(|present| assert_eq_masks(&block, *present));
    }

    #[test]
    fn masks_of_adversarial_blocks_are_those_of_the_model((bytes, byte) in adversarial()) {
        let block: Block = std::array::from_fn(|i| bytes[i]);
        assert_eq_masks(&block, byte);
    }

    #[test]
    fn prefix_xor_is_the_running_xor(mask in any::<u64>(), thinned in any::<u64>()) {
        for mask in [mask, mask & thinned, mask | thinned] {
            for level in levels() {
                prop_assert_eq!(dispatch(level, PrefixXor(mask)), running_xor(mask), "{:?}, {:x}", level, mask);
            }
        }
    }
}
