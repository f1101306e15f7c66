//! The allocator, and when it gives memory back.

use std::ffi::c_int;

use libmimalloc_sys::mi_option_set;

/// `mi_option_purge_delay` in `mimalloc.h`, versions 2 and 3; the binding does not name it.
const PURGE_DELAY: c_int = 15;
/// Freed pages stay with the program this long. A run frees and takes chunks of megabytes all the time; with the
/// default of 10 ms the kernel zeroes each of them again, which cost half of a load's time (10.6 s of system time
/// against 4.8 s for 5 million records).
const PURGE_DELAY_MS: i64 = 1000;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sets the allocator up.
#[expect(unsafe_code, reason = "the allocator's options are set through C")]
pub fn configure() {
    // SAFETY: sets a number in a table of the allocator; an option that it does not know is ignored.
    unsafe { mi_option_set(PURGE_DELAY, PURGE_DELAY_MS) };
}
