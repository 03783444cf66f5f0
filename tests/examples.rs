//! The programs of `examples_c` compile without a warning and do what they say, against the engine and
//! against `chatblock serve`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use testkit::{has_tool, libraries, program_file, report, root, run};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const APP: &str = "1400000001";

/// A directory with the library under its SONAME, a key file and what is built there.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let library = libraries().join("libchatblock.so");
        for name in ["libchatblock.so", "libchatblock.so.0.1"] {
            symlink(&library, directory.path().join(name)).expect("a link");
        }
        fs::write(directory.path().join("key"), KEY).expect("a key file");
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, source: &str) -> PathBuf {
        let is_cpp = Path::new(source)
            .extension()
            .is_some_and(|end| end == "cpp");
        let (compiler, standard) = if is_cpp {
            ("g++", "c++17")
        } else {
            ("gcc", "c99")
        };
        let program = self.path(&format!("built_{source}"));
        run(Command::new(compiler)
            .arg(format!("-std={standard}"))
            .args([
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-pthread",
                "-I",
            ])
            .arg(root().join("include"))
            .arg(root().join("examples_c").join(source))
            .arg(self.path("libchatblock.so"))
            .arg("-o")
            .arg(&program));
        program
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("LD_LIBRARY_PATH", self.0.path())
            .current_dir(self.0.path());
        command
    }

    /// Exit code, standard output and standard error of `remote`.
    fn remote(&self, program: &Path, place: &str, rest: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.command(program);
        let output = command
            .args([place, APP, "key"])
            .args(rest)
            .output()
            .expect("remote starts");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}

/// `chatblock serve` over the engine in memory; ends when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(workshop: &Workshop) -> Self {
        Self::start_with(workshop, "")
    }

    /// `more` is further members of the configuration, each with a comma before it.
    fn start_with(workshop: &Workshop, more: &str) -> Self {
        let config = format!(
            "{{\"backend\":\"embedded\",\"sdkappid\":{APP},\"secret_key_file\":\"key\"{more}}}"
        );
        fs::write(workshop.path("serve.json"), config).expect("a configuration");
        let mut process = workshop
            .command(program_file())
            .args(["serve", "--config", "serve.json", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        Self {
            process,
            url: url.unwrap_or_else(|| panic!("the server said {line:?}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("the server can be ended");
        self.process.wait().expect("the server has ended");
    }
}

/// A run under valgrind that must leave nothing behind.
fn frees_everything(workshop: &Workshop, program: &Path, config: &str) {
    if !has_tool("examples", "valgrind") {
        return;
    }
    let log = workshop.path("valgrind.log");
    run(workshop
        .command(Path::new("valgrind"))
        .args(["--leak-check=full", "--log-file=valgrind.log"])
        .arg(program)
        .arg(config));
    let log = fs::read_to_string(log).expect("valgrind's log");
    assert!(log.contains("in use at exit: 0 bytes in 0 blocks"), "{log}");
    assert!(log.contains("ERROR SUMMARY: 0 errors"), "{log}");
}

fn timeless(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter(|line| !line.starts_with("time "))
        .collect()
}

#[test]
fn the_quickstart_says_the_same_everywhere() {
    if !has_tool("examples", "gcc") || !has_tool("examples", "g++") {
        return;
    }
    let workshop = Workshop::new();
    let server = Server::start(&workshop);
    let program = workshop.build("quickstart.c");
    let remote = format!(
        "{{\"sdkappid\":{APP},\"secret_key_file\":\"key\",\"base_url\":\"{}\"}}",
        server.url
    );
    let configs = [
        "{}",
        "{\"path\":\"block.db\"}",
        "{\"path\":\"block.db\"}",
        &remote,
        &remote,
    ];
    let outputs = configs.map(|config| run(workshop.command(&program).arg(config)));
    for output in &outputs {
        assert_eq!(timeless(output), timeless(&outputs[0]));
    }
    for line in [
        "page 3 of ann's list",
        "  bob  each blocks the other",
        "ann blocks six: CHATBLOCK_PARTIAL",
    ] {
        assert!(
            outputs[0].contains(line),
            "{line} is missing in {}",
            outputs[0]
        );
    }
    frees_everything(&workshop, &program, "{}");
    let cpp = workshop.build("quickstart.cpp");
    frees_everything(&workshop, &cpp, "{}");
    let output = run(&mut workshop.command(&cpp));
    assert!(output.contains("ann's list: bob cat"), "{output}");

    let durable = workshop.build("durable.c");
    for round in 1..=3 {
        let output = run(workshop.command(&durable).arg("durable.db"));
        let line = format!("ann blocks {round} after the store was opened again");
        assert!(output.contains(&line), "{output}");
    }
    report(
        "examples",
        "examples: quickstart says the same in memory, on disk and over HTTP; durable keeps 3 of 3",
    );
}

#[test]
fn the_loops_never_wait_and_hear_of_everything() {
    if !has_tool("examples", "gcc") {
        return;
    }
    let workshop = Workshop::new();
    let server = Server::start(&workshop);
    let remote = format!(
        "{{\"sdkappid\":{APP},\"secret_key_file\":\"key\",\"base_url\":\"{}\"}}",
        server.url
    );
    let loops = [
        (
            "tick_loop.c",
            "tick 3: ann blocks ann: CHATBLOCK_ERR_SERVICE (30001)",
            "5 of 5 blocks were answered",
        ),
        (
            "epoll_loop.c",
            "ann blocks pd: CHATBLOCK_OK",
            "4 blocks were answered",
        ),
    ];
    for (source, line, last) in loops {
        let program = workshop.build(source);
        let configs = ["{}", "{\"path\":\"loops.db\"}", &remote];
        let outputs = configs.map(|config| run(workshop.command(&program).arg(config)));
        for output in &outputs {
            assert_eq!(output, &outputs[0]);
        }
        assert!(outputs[0].contains(line), "{}", outputs[0]);
        assert_eq!(outputs[0].lines().last(), Some(last));
    }
    report(
        "examples",
        "examples: tick_loop and epoll_loop say the same in memory, on disk and over HTTP",
    );
}

#[test]
fn the_router_hears_of_blocks_made_elsewhere() {
    if !has_tool("examples", "gcc") {
        return;
    }
    let workshop = Workshop::new();
    let program = workshop.build("chat_router.c");
    let embedded = run(workshop.command(&program).arg("{}"));
    assert_eq!(
        embedded,
        "ann to bob: delivered\nann to dan: delivered\nbob blocks ann: done\n\
         ann to bob: dropped\nbob unblocks ann: done\nann to bob: delivered\n"
    );
    frees_everything(&workshop, &program, "{}");

    // The server has to know where the router will listen before either of them runs.
    let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = reserved.local_addr().expect("an address").port();
    let token = "\"token\":\"example-token\"";
    let server = Server::start_with(
        &workshop,
        &format!(",\"webhook\":{{{token},\"url\":\"http://127.0.0.1:{port}/chat\"}}"),
    );
    let remote = format!(
        "{{\"sdkappid\":{APP},\"secret_key_file\":\"key\",\"base_url\":\"{}\",\"webhook\":{{{token}}}}}",
        server.url
    );
    drop(reserved);
    let output = run(workshop
        .command(&program)
        .args([&remote, &port.to_string()]));
    let expected = embedded.replace("dan: delivered", "dan: delivered, dan is not cached yet");
    assert_eq!(output, expected + "2 webhooks were taken\n");
    report(
        "examples",
        "examples: chat_router knows at once what was blocked elsewhere, through 2 webhooks",
    );
}

#[test]
fn remote_knows_what_to_do_about_each_outcome() {
    if !has_tool("examples", "gcc") {
        return;
    }
    let workshop = Workshop::new();
    let server = Server::start(&workshop);
    let program = workshop.build("remote.c");
    let mut count = 0;
    let mut expect = |place: &str, rest: &[&str], code: i32, said: &str| {
        let (exit, output, errors) = workshop.remote(&program, place, rest);
        assert_eq!(exit, Some(code), "{output}{errors}");
        assert!(
            output.contains(said),
            "{said} is missing in {output}{errors}"
        );
        assert!(!output.contains(KEY) && !errors.contains(KEY));
        count += 1;
    };
    expect(
        &server.url,
        &["ann", "bob", "cat"],
        0,
        "done: all 2 are blocked",
    );
    expect(
        &server.url,
        &["ann", "bob", "ann"],
        1,
        "tell the developer: ann was refused for good (30001)",
    );

    let players: Vec<_> = (0..1001).map(|number| format!("p{number}")).collect();
    let mut many = vec!["eve"];
    many.extend(players.iter().map(String::as_str));
    expect(
        &server.url,
        &many,
        1,
        "the list is full, unblock somebody before p1000",
    );
    expect(
        &server.url,
        &["eve", "bob"],
        1,
        "nothing done\ntell the player: the list is full",
    );

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    expect(&silent, &["ann", "bob"], 1, "repeat: no answer");
    drop(listener);
    expect(
        &silent,
        &["ann", "bob"],
        1,
        "try later: the service cannot be reached, nothing was sent",
    );

    fs::write(workshop.path("key"), "another key").expect("a key file");
    expect(
        &server.url,
        &["ann", "bob"],
        1,
        "tell the developer: bob was refused for good (70009)",
    );
    fs::remove_file(workshop.path("key")).expect("the key file");
    expect(&server.url, &["ann", "bob"], 2, "");
    report(
        "examples",
        &format!("examples: remote does the right thing in {count} situations"),
    );
}

#[test]
fn the_demo_runs_to_its_last_line() {
    if !has_tool("examples", "gcc") {
        return;
    }
    let workshop = Workshop::new();
    symlink(program_file(), workshop.path("chatblock")).expect("a link");
    let output = run(Command::new(root().join("examples_c/demo.sh"))
        .arg(workshop.0.path())
        .env("CC", "gcc"));
    let last = output.lines().last();
    assert_eq!(
        last,
        Some("demo: embedded and over HTTP with the same answers, durable over a restart")
    );
    report("examples", "examples: demo.sh ends with its closing line");
}
