//! Byte masks: the primitive on which the splitter of delimited text and the rules about texts stand.
//!
//! ```text
//!  64 bytes     i d , " a , b " \n …
//!  eq(b',')     · · █ · · █ · · ·          bit i: byte i is a comma
//!  eq(b'"')     · · · █ · · · █ ·          bit i: byte i is a quote
//!  prefix_xor   · · · █ █ █ █ · ·          of the quotes: an odd number of them up to here
//! ```
//!
//! Start with [`Lanes`], 64 bytes ready to be compared, also with a [`ByteSet`]. An algorithm over them is a [`Kernel`], written once;
//! [`dispatch`] runs it compiled for one [`Level`] of the processor, and [`Level::detect`] names the best one. All
//! levels give the same results.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod byte_set;
mod lanes;
mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

pub(crate) use byte_set::ByteSet;
pub(crate) use lanes::{BLOCK_BYTES, Lanes};
pub(crate) use level::{Kernel, Level, dispatch};
