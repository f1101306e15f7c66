//! Which lanes the processor has, and how a kernel is compiled for them.

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::lanes::Lanes;
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::portable::Portable;

/// A set of instructions. Only [`Level::detect`] makes one that the processor might lack, so that to hold a level
/// is to have the processor for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// 32 bytes an instruction, and carry-less multiplication.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Present),
    /// 16 bytes an instruction.
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Present),
    /// Words of eight bytes: runs everywhere.
    Portable,
}

impl Level {
    /// The best level of this processor; after the first call a few loads from memory.
    #[inline]
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(present) = avx2::Present::detect() {
            return Self::Avx2(present);
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(present) = neon::Present::detect() {
            return Self::Neon(present);
        }
        Self::Portable
    }
}

/// An algorithm over blocks of 64 bytes, written once for all levels.
///
/// `run` and every helper of it that handles lanes must be `#[inline(always)]`: only inside the function that
/// [`dispatch`] compiles for a level are the instructions of that level at hand, a call out of it is a call for every
/// comparison. For the same reason the hot loops are `for` and `while`, not closures.
pub(crate) trait Kernel {
    /// What the algorithm finds.
    type Output;

    /// Runs the algorithm with these lanes.
    fn run<L: Lanes>(self) -> Self::Output;
}

/// Runs `kernel` compiled for `level`.
#[inline]
#[expect(
    unsafe_code,
    reason = "calls a function compiled for features that were detected"
)]
pub(crate) fn dispatch<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        // SAFETY: a `Present` is made only where all the features of this function were detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(avx2::Present { .. }) => unsafe { avx2::run(kernel) },
        // SAFETY: a `Present` is made only where NEON was detected, and says so if `aes` was.
        #[cfg(target_arch = "aarch64")]
        Level::Neon(present) if present.multiplies() => unsafe { neon::run_multiplying(kernel) },
        // SAFETY: a `Present` is made only where NEON was detected.
        #[cfg(target_arch = "aarch64")]
        Level::Neon(_) => unsafe { neon::run(kernel) },
        Level::Portable => kernel.run::<Portable>(),
    }
}
