//! Connections that end too early, answers that are too large, and answers that do not come.

use std::time::Duration;

use crate::answers::{http, item, items};
use crate::case::{ADD, Case, DONE, case, done, late, lost, lost_or_late};
use crate::server::Step::{Close, Cut, Drip, Pause, Repeat, Reset, Send, Stall};

const MIB: usize = 1 << 20;

fn good() -> String {
    items(&[item("a", 0, ""), item("b", 0, "")])
}

/// Closed, cut and reset connections.
pub fn endings() -> Vec<Case> {
    let whole = http(good());
    let half = Send(whole[..whole.len() - 20].to_vec());
    let open = format!("HTTP/1.1 200 OK\r\n\r\n{}", good()).into_bytes();
    let half_open = Send(open[..open.len() - 20].to_vec());
    vec![
        case(
            "closed without a word",
            ADD,
            vec![Close],
            lost("connection"),
        ),
        case("cut without a word", ADD, vec![Cut], lost("connection")),
        case("reset without a word", ADD, vec![Reset], lost("connection")),
        case(
            "closed in the middle",
            ADD,
            vec![half.clone(), Close],
            lost("closed in the middle"),
        ),
        case(
            "cut in the middle",
            ADD,
            vec![half.clone(), Cut],
            lost("closed in the middle"),
        ),
        case(
            "reset in the middle",
            ADD,
            vec![half, Reset],
            lost("connection"),
        ),
        case(
            "closed in a body without length",
            ADD,
            vec![half_open.clone(), Close],
            lost("not a JSON object"),
        ),
        case(
            "cut in a body without length",
            ADD,
            vec![half_open, Cut],
            lost(""),
        ),
        case(
            "closed after the answer",
            ADD,
            vec![Send(whole.clone()), Close],
            done(&[DONE]),
        ),
        case(
            "cut after the answer",
            ADD,
            vec![Send(whole.clone()), Cut],
            done(&[DONE]),
        ),
        case(
            "reset after the answer",
            ADD,
            vec![Send(whole.clone()), Pause(Duration::from_millis(50)), Reset],
            done(&[DONE]),
        ),
        case(
            "an answer in two parts",
            ADD,
            vec![
                Send(whole[..99].into()),
                Pause(Duration::from_millis(20)),
                Send(whole[99..].into()),
            ],
            done(&[DONE]),
        ),
        case(
            "a slow answer in time",
            ADD,
            vec![Drip(whole, Duration::from_micros(100))],
            done(&[DONE]),
        ),
    ]
}

/// Bombs: more bytes than any answer has.
pub fn sizes() -> Vec<Case> {
    let head =
        |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    let padded = |length: usize| format!("{}{}", " ".repeat(length - good().len()), good());
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let block = vec![b' '; MIB];
    let chunk = [b"100000\r\n".as_slice(), &block, b"\r\n"].concat();
    let gib = 1 << 10;
    let too_large = || lost("4 MiB");
    vec![
        case(
            "a body of 4 MiB",
            ADD,
            vec![Send(http(padded(4 * MIB)))],
            done(&[DONE]),
        ),
        case(
            "a body of 4 MiB and a byte",
            ADD,
            vec![Send(http(padded(4 * MIB + 1)))],
            too_large(),
        ),
        case(
            "1 GiB announced and sent",
            ADD,
            vec![Send(head(gib * MIB)), Repeat(block.clone(), gib as u64)],
            too_large(),
        ),
        case(
            "1 GiB announced, 4 MiB sent",
            ADD,
            vec![Send(head(gib * MIB)), Repeat(block.clone(), 4), Close],
            lost("closed in the middle"),
        ),
        case(
            "endless chunks",
            ADD,
            vec![Send(chunked.clone()), Repeat(chunk, u64::MAX)],
            too_large(),
        ),
        case(
            "endless small chunks",
            ADD,
            vec![
                Send(chunked),
                Repeat(
                    [b"400\r\n".as_slice(), &[b' '; 1024], b"\r\n"].concat(),
                    u64::MAX,
                ),
            ],
            too_large(),
        ),
        case(
            "an endless body without length",
            ADD,
            vec![
                Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
                Repeat(block, u64::MAX),
            ],
            too_large(),
        ),
        case(
            "an endless head",
            ADD,
            vec![
                Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Repeat(b"X: y\r\n".repeat(1000), u64::MAX),
            ],
            lost(""),
        ),
        case(
            "an endless header",
            ADD,
            vec![
                Send(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
                Repeat(vec![b'y'; 4096], u64::MAX),
            ],
            lost("64 KiB"),
        ),
        case(
            "an endless status line",
            ADD,
            vec![Repeat(vec![b'H'; 4096], u64::MAX)],
            lost("not HTTP"),
        ),
    ]
}

/// Answers that do not come in time.
pub fn slow() -> Vec<Case> {
    let whole = http(good());
    let pause = Duration::from_millis(10);
    let head = |headers: &str| Send(format!("HTTP/1.1 200 OK\r\n{headers}").into_bytes());
    let hundred = b"HTTP/1.1 100 Continue\r\n\r\n";
    vec![
        case("silence", ADD, vec![Stall], late()),
        case(
            "silence in the head",
            ADD,
            vec![Send(whole[..30].to_vec()), Stall],
            late(),
        ),
        case(
            "silence after the head",
            ADD,
            vec![head("Content-Length: 9\r\n\r\n"), Stall],
            late(),
        ),
        case(
            "silence in the body",
            ADD,
            vec![Send(whole[..whole.len() - 1].to_vec()), Stall],
            late(),
        ),
        case(
            "no length and no end",
            ADD,
            vec![head(&format!("\r\n{}", good())), Stall],
            late(),
        ),
        case(
            "silence after 1 GiB was announced",
            ADD,
            vec![head("Content-Length: 1073741824\r\n\r\n"), Stall],
            late(),
        ),
        case(
            "silence in a chunk",
            ADD,
            vec![head("Transfer-Encoding: chunked\r\n\r\nff\r\n{"), Stall],
            late(),
        ),
        case(
            "a dripping head",
            ADD,
            vec![head("X: "), Drip(vec![b'y'; 4096], pause)],
            late(),
        ),
        case(
            "a dripping body",
            ADD,
            vec![
                head("Content-Length: 4096\r\n\r\n"),
                Drip(vec![b' '; 4096], pause),
            ],
            late(),
        ),
        case(
            "a late answer",
            ADD,
            vec![Pause(Duration::from_millis(600)), Send(whole)],
            late(),
        ),
        case(
            "a slow flood of 100",
            ADD,
            vec![Drip(hundred.repeat(99), pause)],
            late(),
        ),
        case(
            "a flood of 100",
            ADD,
            vec![Repeat(hundred.repeat(100), u64::MAX)],
            lost_or_late(),
        ),
        case(
            "100 and silence",
            ADD,
            vec![Send(hundred.to_vec()), Stall],
            late(),
        ),
    ]
}
