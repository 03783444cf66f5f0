//! Store files with bytes changed: opened or refused, and what is opened can be used.
#![no_main]

use std::sync::LazyLock;
use std::{fs, path::Path};

use chatblock::{CheckType, Client, Status};
use libfuzzer_sys::fuzz_target;

fn open(path: &Path) -> Result<Client, chatblock::Error> {
    Client::open(&serde_json::json!({"path": path}).to_string())
}

/// A store with some lists, as its file.
static STORE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let client = open(&path).expect("a new store");
    for owner in ["ann", "bob", "cem"] {
        let targets: Vec<_> = (0..40).map(|number| format!("player{number}")).collect();
        assert_eq!(client.add(owner, &targets).status(), Status::Ok);
    }
    client.close(None);
    fs::read(&path).expect("the file")
});

/// Changes of two bytes each: where, and what is there then.
fn changed(bytes: &[u8]) -> Vec<u8> {
    let mut file = STORE.clone();
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
        file[at] = change[2];
    }
    file
}

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    fs::write(&path, changed(bytes)).expect("a file");
    let Ok(client) = open(&path) else {
        return;
    };
    let owners = ["ann", "bob", "cem", "dan"];
    let statuses = owners.map(|owner| {
        [
            client.get(owner, 0, 100).status(),
            client
                .check(owner, &["player1", "ann"], CheckType::Both)
                .status(),
            client.add(owner, &["player1", "eve"]).status(),
            client.delete(owner, &["player2"]).status(),
        ]
    });
    assert!(
        !statuses.as_flattened().contains(&Status::Panic),
        "{statuses:?}"
    );
    client.close(None);
});
