// SPDX-License-Identifier: MIT OR Apache-2.0

//! Link options of the shared library. Nothing is written into the source tree.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{}", soname());
        // A worker may outlive a close that ran out of time: its code must stay mapped.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

/// The ABI's name: before 1.0 the minor plays the major (ABI.md).
fn soname() -> String {
    let part = |name| std::env::var(name).expect("cargo sets the version");
    match part("CARGO_PKG_VERSION_MAJOR").as_str() {
        "0" => format!("libchatblock.so.0.{}", part("CARGO_PKG_VERSION_MINOR")),
        major => format!("libchatblock.so.{major}"),
    }
}
