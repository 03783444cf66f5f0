//! Copies of the project, to build it with something changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{root, run};

/// Makes `to` a copy of every tracked file. What is there and is the same keeps its time, so that cargo builds only
/// what changed; what is there and is not tracked goes away.
pub fn copy(to: &Path) {
    let listed = run(Command::new("git").args(["ls-files"]).current_dir(root()));
    let files: BTreeSet<_> = listed.lines().map(PathBuf::from).collect();
    for file in &files {
        let bytes = fs::read(root().join(file)).expect("a tracked file");
        write(&to.join(file), &bytes);
        let permissions = fs::metadata(root().join(file))
            .expect("its rights")
            .permissions();
        fs::set_permissions(to.join(file), permissions).expect("its rights can be set");
    }
    remove_others(to, to, &files);
}

/// Writes a file unless it has these bytes.
pub fn write(file: &Path, bytes: &[u8]) {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return;
    }
    fs::create_dir_all(file.parent().expect("below the copy")).expect("a directory");
    // A new file: one that was linked or is read-only is left as it is.
    let _ = fs::remove_file(file);
    fs::write(file, bytes).expect("a file");
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
