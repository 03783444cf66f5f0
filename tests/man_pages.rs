//! `chatblock-config(5)` and `chatblock-stats(7)` are the tables of docs/configuration.md and docs/statistics.md: `make man`
//! writes the pages anew, and this test fails if they differ.

use std::fmt::Write as _;
use std::fs;

use testkit::root;

/// A page, where its table comes from, and the text around the list.
struct Page {
    file: &'static str,
    source: &'static str,
    head: &'static str,
    tail: &'static str,
}

const PAGES: [Page; 2] = [
    Page {
        file: "packaging/man/chatblock-config.5",
        source: "docs/configuration.md",
        head: ".Dd November 30, 2026
.Dt CHATBLOCK-CONFIG 5
.Os
.Sh NAME
.Nm chatblock-config
.Nd configuration of a chatblock client
.Sh DESCRIPTION
One JSON object configures a client.
.Fn chatblock_client_open
takes it as text;
.Xr chatblock 1
reads it from a file.
.Ql {}
is the embedded backend in memory.
An unknown key is an error, and so is a key without effect on the backend.
A dot separates an object and its member:
.Ql tls.ca_file
is
.Ql {\\(dqtls\\(dq: {\\(dqca_file\\(dq: \\(dq...\\(dq}} .
.Pp
The keys are:
",
        tail: ".Sh EXAMPLES
The embedded backend with a durable store:
.Pp
.Dl {\\(dqpath\\(dq: \\(dq/var/lib/game/lists.db\\(dq}
.Pp
The cloud service, with an outbox:
.Bd -literal -offset indent
{
  \\(dqsdkappid\\(dq: 1400000001,
  \\(dqsecret_key_file\\(dq: \\(dq/etc/game/chat.key\\(dq,
  \\(dqregion\\(dq: \\(dqsingapore\\(dq,
  \\(dqoutbox\\(dq: {\\(dqpath\\(dq: \\(dq/var/lib/game/blocks.outbox\\(dq}
}
.Ed
.Sh SEE ALSO
.Xr chatblock 1 ,
.Xr chatblock 3 ,
.Xr chatblock-stats 7
",
    },
    Page {
        file: "packaging/man/chatblock-stats.7",
        source: "docs/statistics.md",
        head: ".Dd November 30, 2026
.Dt CHATBLOCK-STATS 7
.Os
.Sh NAME
.Nm chatblock-stats
.Nd statistics of a chatblock client
.Sh DESCRIPTION
.Fn chatblock_client_stats
returns one JSON object, taken at one moment.
Counts start at 0 when the client is opened.
.Ql <command>
is
.Ql add ,
.Ql delete ,
.Ql get
or
.Ql check .
The groups
.Ql retries ,
.Ql rate_limit ,
.Ql service
and
.Ql webhooks
exist on the remote backend only,
.Ql outbox
only if one is configured.
Later versions may add keys.
.Pp
Each accepted call is in exactly one class at every moment: accepted = confirmed
+ refused + in_doubt + not_sent + cancelled + pending.
.Pp
The keys are, with their unit:
",
        tail: ".Sh SEE ALSO
.Xr chatblock 1 ,
.Xr chatblock 3 ,
.Xr chatblock-config 5
",
    },
];

/// Text of the guide as text of a page: code is bold, links are their words.
fn inline(text: &str) -> String {
    let mut shown = String::new();
    for (index, piece) in text.split('`').enumerate() {
        let piece = piece.replace('\\', "\\e").replace('-', "\\-");
        match index % 2 {
            0 => shown.push_str(&piece),
            _ => write!(shown, "\\fB{piece}\\fR").expect("a String"),
        }
    }
    shown
}

/// In lines of a moderate length, each sentence on a line of its own, as the format asks.
fn filled(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 && length + word.len() >= 78 {
            lines.push('\n');
            length = 0;
        }
        if length > 0 {
            lines.push(' ');
            length += 1;
        }
        // A line must not begin like a request of the format.
        if length == 0 && word.starts_with(['.', '\'']) {
            lines.push_str("\\&");
        }
        lines.push_str(word);
        length += word.len();
        if word.ends_with('.') && !word.ends_with("...") {
            lines.push('\n');
            length = 0;
        }
    }
    lines.trim_end().to_owned() + "\n"
}

/// The first table of a page: each row as its cells.
fn rows(markdown: &str) -> Vec<Vec<String>> {
    let lines = markdown
        .lines()
        .skip_while(|line| !line.starts_with("| ---"));
    let rows = lines.skip(1).take_while(|line| line.starts_with("| "));
    rows.map(|row| {
        let row = row.trim_start_matches("| ").trim_end_matches(" |");
        row.split(" | ").map(str::to_owned).collect()
    })
    .collect()
}

/// `default` and `unit` of a key as sentences before its meaning.
fn item(cells: &[String]) -> String {
    let keys: Vec<_> = cells[0]
        .split(", ")
        .map(|key| format!("Ic {}", key.trim_matches('`')))
        .collect();
    let text = match cells {
        [_, unit, meaning] => format!("{}: {}.", inline(unit), inline(meaning)),
        [_, default, range, meaning] => {
            let default = match default.as_str() {
                "-" => "no default".to_owned(),
                default => format!("default: {}", inline(default)),
            };
            format!(
                "{}; {default}. {}.",
                inline(range),
                capital(&inline(meaning))
            )
        }
        _ => panic!("a row of {} cells: {cells:?}", cells.len()),
    };
    format!(".It {}\n{}", keys.join(" , "), filled(&capital(&text)))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn made(page: &Page) -> String {
    let markdown = fs::read_to_string(root().join(page.source)).expect("a page of the guide");
    let rows = rows(&markdown);
    assert!(rows.len() > 20, "{} has a table of keys", page.source);
    let items: String = rows.iter().map(|cells| item(cells)).collect();
    let about = format!(".\\\" Made from {} by `make man`.\n", page.source);
    let (head, tail) = (page.head, page.tail);
    format!("{about}{head}.Bl -tag -width Ds\n{items}.El\n{tail}")
}

#[test]
fn the_pages_have_the_tables_of_the_guide() {
    for page in &PAGES {
        let file = root().join(page.file);
        let wanted = made(page);
        if fs::read_to_string(&file).is_ok_and(|present| present == wanted) {
            continue;
        }
        if std::env::var_os("CHATBLOCK_WRITE_MAN").is_some() {
            fs::write(&file, wanted).expect("a page");
            continue;
        }
        panic!(
            "{} is not what {} says: run `make man`",
            page.file, page.source
        );
    }
}

#[test]
fn every_page_is_sound() {
    if !testkit::has_tool("man_pages", "mandoc") {
        return;
    }
    let pages = fs::read_dir(root().join("packaging/man")).expect("the pages");
    let mut count = 0;
    for page in pages {
        let mut mandoc = std::process::Command::new("mandoc");
        testkit::run(
            mandoc
                .args(["-Tlint", "-W", "warning"])
                .arg(page.expect("a page").path()),
        );
        count += 1;
    }
    testkit::report("man_pages", &format!("man: {count} pages are sound"));
}
