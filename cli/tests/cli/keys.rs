//! Keys and signatures: made, explained, kept out of every output, and guarded in their files.

use serde_json::json;

use testkit::runs::{Files, remote, run_with};
use testkit::serve::{self, KEY, NOW, SDKAPPID, Serving};

#[test]
fn a_signature_that_was_made_verifies() {
    let files = Files::new();
    let app = files.app();
    let made = run_with(Some(&app), &["usersig", "make"], "")
        .expect(0)
        .stdout;
    let good = run_with(Some(&app), &["usersig", "verify"], &made).expect(0);
    assert!(good.stdout.starts_with("good: "), "{}", good.stdout);
    run_with(Some(&app), &["usersig", "verify", made.trim()], "").expect(0);
    let make_bob = ["usersig", "make", "--identifier", "bob", "--expire", "60"];
    let bob = run_with(Some(&app), &make_bob, "").expect(0).stdout;
    run_with(
        Some(&app),
        &["usersig", "verify", "--identifier", "bob"],
        &bob,
    )
    .expect(0);
}

#[test]
fn what_is_wrong_with_a_signature_is_said_in_words() {
    let files = Files::new();
    let app = files.app();
    let table = [
        ("garbage".to_owned(), "cannot be decoded"),
        (serve::sign("admin", NOW), "expired"),
        (serve::sign("bob", 4_000_000_000), "\"bob\""),
        (
            serve::sign_with(KEY, SDKAPPID + 1, "admin", 4_000_000_000),
            "SDKAppID 88888889",
        ),
        (
            serve::sign_with("other", SDKAPPID, "admin", 4_000_000_000),
            "another secret key",
        ),
    ];
    for (usersig, words) in table {
        let bad = run_with(Some(&app), &["usersig", "verify"], &usersig).expect(3);
        assert!(bad.stderr.contains(words), "{}", bad.stderr);
    }
}

/// Every command, with a key that can be recognized.
#[test]
fn neither_key_nor_signature_is_in_any_output() {
    const CANARY: &str = "CANARY-of-the-secret-key";
    let files = Files::new();
    let (_server, config) = remote(&files, &json!({"accounts": ["ann"]}));
    let config = std::fs::read_to_string(config)
        .expect("it was written")
        .replace(KEY, CANARY);
    let config = files.write(
        "canary.json",
        config.replace(
            "\"retry\"",
            "\"log\":{\"to\":\"stderr\",\"level\":\"debug\"},\"retry\"",
        ),
    );
    let usersig = serve::sign_with(CANARY, SDKAPPID, "bob", NOW);
    for arguments in [
        &["add", "ann", "bob"][..],
        &["delete", "ann", "bob"],
        &["get", "ann"],
        &["check", "ann", "bob", "--json"],
        &["usersig", "verify", &usersig],
        &["usersig", "verify"],
    ] {
        let done = run_with(Some(&config), arguments, &usersig).expect(3);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains(CANARY), "{arguments:?}: {text}");
            assert!(!text.contains(&usersig[..40]), "{arguments:?}: {text}");
            assert!(!text.contains("usersig="), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn a_file_with_a_key_that_others_may_read_is_warned_of() {
    let files = Files::new();
    let app = files.app();
    let make = ["usersig", "make"];
    let done = run_with(Some(&app), &make, "").expect(0);
    assert_eq!(done.stderr, "", "no other user has access");
    files.set_mode("key", 0o644);
    let done = run_with(Some(&app), &make, "").expect(0);
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    for word in ["secret_key_file", "chmod 600", "0644"] {
        assert!(done.stderr.contains(word), "{}", done.stderr);
    }
    files.set_mode("key", 0o666);
    let done = run_with(Some(&app), &make, "").expect(2);
    assert!(done.stderr.contains("secret_key_file"), "{}", done.stderr);
    // The configuration itself, when the key stands in it.
    let inline = json!({"backend": "embedded", "sdkappid": SDKAPPID, "secret_key": KEY});
    let config = files.write("inline.json", inline.to_string());
    files.set_mode("inline.json", 0o640);
    let done = run_with(Some(&config), &make, "").expect(0);
    assert!(done.stderr.contains("inline.json"), "{}", done.stderr);
    files.set_mode("inline.json", 0o602);
    run_with(Some(&config), &make, "").expect(2);
}

#[test]
fn files_of_a_server_with_a_key_are_warned_of() {
    let files = Files::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = files.write("cert.pem", made.cert.pem());
    let key = files.write("key.pem", made.signing_key.serialize_pem());
    let state = json!({"sdkappid": SDKAPPID, "key": KEY, "admins": ["admin"]}).to_string();
    let state = files.write("state.json", state);
    let said = files.path("stderr");
    let run = |mode: u32| {
        files.set_mode("key.pem", mode);
        files.set_mode("state.json", mode);
        let mut command = serve::program();
        command.arg("serve").arg("--state").arg(&state);
        command
            .arg("--tls-cert")
            .arg(&certificate)
            .arg("--tls-key")
            .arg(&key);
        command.stderr(std::fs::File::create(&said).expect("a file"));
        let mut server = Serving::spawn(command, tempfile::tempdir().expect("a directory"));
        server.end_with(nix::sys::signal::Signal::SIGTERM);
        std::fs::read_to_string(&said).expect("text")
    };
    assert_eq!(run(0o600), "");
    let text = run(0o644);
    for name in ["key.pem", "state.json"] {
        assert!(text.contains(name), "{text}");
    }
    files.set_mode("key.pem", 0o606);
    let arguments = [
        "serve",
        "--state",
        state.to_str().expect("UTF-8"),
        "--tls-cert",
        certificate.to_str().expect("UTF-8"),
        "--tls-key",
        key.to_str().expect("UTF-8"),
    ];
    let done = run_with(None, &arguments, "").expect(2);
    assert!(done.stderr.contains("key.pem"), "{}", done.stderr);
}
