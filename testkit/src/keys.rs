//! The keys of the configuration, for tests that say of each what it does.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::root;

/// The keys in the first cells of the table in docs/configuration.md.
pub fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/configuration.md")).expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

/// The text of every test.
pub fn tests() -> String {
    let mut text = String::new();
    let mut folders = ["tests", "cli/tests", "src"]
        .map(|name| root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the tree") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text += &fs::read_to_string(path).expect("a source");
            }
        }
    }
    text
}

/// Puts `key` with its value into `config`, and beside a key of an outbox the file that it needs.
pub fn set(config: &mut Value, key: &str, value: Value) {
    let Some((section, member)) = key.split_once('.') else {
        config[key] = value;
        return;
    };
    if section == "outbox" {
        config[section] = json!({"path": "outbox.db"});
    }
    config[section][member] = value;
}
