//! How the release program is linked.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SLUICE_SYMBOLS");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // The target where Rust links with LLD, which folds functions of the same code.
    let has_lld = is("TARGET", "x86_64-unknown-linux-gnu");
    if !is("PROFILE", "release") || !has_lld {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    // For a profile: SLUICE_SYMBOLS=1 cargo build --release
    if !is("SLUICE_SYMBOLS", "1") {
        println!("cargo:rustc-link-arg-bins=-Wl,--strip-all");
    }
}
