//! The library built with a sanitizer, in a target directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{root, run, target};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A sanitizer, and how C is compiled with it.
pub struct Sanitizer {
    /// As rustc and the C compilers call it.
    pub name: &'static str,
    pub rust_flags: &'static str,
    pub cc: &'static str,
    pub c_flags: &'static str,
}

impl Sanitizer {
    /// Builds the static library.
    pub fn build(&self) -> PathBuf {
        let folder = target().join("sanitizer").join(self.name);
        let triple = TARGET.replace('-', "_");
        let name = self.name;
        run(Command::new(env!("CARGO"))
            .args(["build", "--locked", "--package", "chatblock", "--lib"])
            .args(["--target", TARGET])
            .current_dir(root())
            .env("CARGO_TARGET_DIR", &folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "RUSTFLAGS",
                format!("-Zsanitizer={name} {}", self.rust_flags),
            )
            .env(format!("CC_{triple}"), self.cc)
            .env(
                format!("CFLAGS_{triple}"),
                format!("-g -fsanitize={name} {}", self.c_flags),
            ));
        folder.join(TARGET).join("debug/libchatblock.a")
    }
}

/// The symbols that the objects of `library` look for elsewhere.
pub fn undefined_symbols(library: &Path) -> Vec<String> {
    let listed = run(Command::new("nm").arg("--undefined-only").arg(library));
    let names = listed.lines().filter_map(|line| line.split_once(" U "));
    names.map(|(_, name)| name.to_owned()).collect()
}
