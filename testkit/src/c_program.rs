//! C programs of the tests, linked with the shared library.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Depth, depth, libraries, release_libraries, root, run};

/// Of every program in C99 here.
pub const C99: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// A built program, beside the library under the name that the loader looks for.
pub struct CProgram(TempDir);

impl CProgram {
    /// Builds a source file, named from the top of the project, with the library in a folder and more flags.
    pub fn build(source: &str, library: &Path, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let library = library.join("libchatblock.so");
        symlink(&library, folder.path().join("libchatblock.so.0.1")).expect("a link");
        let program = Self(folder);
        run(Command::new("gcc")
            .args(C99)
            .args(flags)
            .arg("-I")
            .arg(root().join("include"))
            .arg(root().join(source))
            .arg(library)
            .arg("-o")
            .arg(program.file()));
        program
    }

    pub fn file(&self) -> PathBuf {
        self.0.path().join("program")
    }

    /// Runs it, or a tool on it.
    pub fn command(&self, tool: Option<&str>) -> Command {
        let mut command = tool.map_or_else(|| Command::new(self.file()), Command::new);
        command.env("LD_LIBRARY_PATH", self.0.path());
        command
    }
}

/// The release libraries from the full run on, else those of the tests.
pub fn libraries_of_depth() -> PathBuf {
    if depth() >= Depth::Full {
        release_libraries()
    } else {
        libraries()
    }
}
