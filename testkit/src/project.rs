//! Copies of the project, to build it with something changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{root, run, target};

/// The project with something changed, and where it is built. Two copies do not share that: their libraries have the
/// same names.
pub struct Project {
    pub folder: PathBuf,
    build: PathBuf,
}

impl Project {
    pub fn named(name: &str) -> Self {
        let folder = target().join("copies").join(name);
        let build = folder.with_extension("build");
        Self { folder, build }
    }

    /// Where the libraries are.
    pub fn libraries(&self) -> PathBuf {
        self.build.join("debug")
    }

    /// `cargo`, which ends after `seconds`: it builds on from what was there before, without the debug information
    /// that nobody looks at.
    pub fn cargo(&self, seconds: u32) -> Command {
        let mut command = Command::new("timeout");
        command
            .arg(seconds.to_string())
            .arg(env!("CARGO"))
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0");
        command
    }

    /// Makes it what the project is: a copy of every tracked file. What is there and is the same keeps its time, so that
    /// cargo builds only what changed; what is there and is not tracked goes away.
    pub fn copy(&self) {
        let listed = run(Command::new("git").args(["ls-files"]).current_dir(root()));
        let files: BTreeSet<_> = listed.lines().map(PathBuf::from).collect();
        for file in &files {
            let bytes = fs::read(root().join(file)).expect("a tracked file");
            let rights = fs::metadata(root().join(file))
                .expect("its rights")
                .permissions();
            self.write(file, &bytes);
            fs::set_permissions(self.folder.join(file), rights).expect("its rights can be set");
        }
        remove_others(&self.folder, &self.folder, &files);
    }

    /// Writes a file unless it has these bytes.
    pub fn write(&self, name: &Path, bytes: &[u8]) {
        let file = self.folder.join(name);
        if fs::read(&file).is_ok_and(|present| present == bytes) {
            return;
        }
        fs::create_dir_all(file.parent().expect("below the copy")).expect("a directory");
        fs::write(file, bytes).expect("a file");
    }
}

fn remove_others(top: &Path, folder: &Path, files: &BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(top).expect("below the top");
        if path.is_dir() {
            remove_others(top, &path, files);
        } else if !files.contains(name) {
            fs::remove_file(&path).expect("it can be removed");
        }
    }
}
