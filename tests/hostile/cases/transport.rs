//! Connections that end too early, answers that are too large, and answers that do not come.

use std::time::Duration;

use crate::case::{ADD, Case, DONE, case, done, late, lost, lost_or_late};
use testkit::answers::{http, item, items};
use testkit::fault_server::Step::{Close, Cut, Drip, Pause, Repeat, Reset, Send, Stall};

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
    table! { case(ADD);
        "closed without a word": vec![Close] => lost("connection");
        "cut without a word": vec![Cut] => lost("connection");
        "reset without a word": vec![Reset] => lost("connection");
        "closed in the middle": vec![half.clone(), Close] => lost("closed in the middle");
        "cut in the middle": vec![half.clone(), Cut] => lost("closed in the middle");
        "reset in the middle": vec![half, Reset] => lost("connection");
        "closed in a body without length":
            vec![half_open.clone(), Close] => lost("not a JSON object");
        "cut in a body without length": vec![half_open, Cut] => lost("");
        "closed after the answer": vec![Send(whole.clone()), Close] => done(&[DONE]);
        "cut after the answer": vec![Send(whole.clone()), Cut] => done(&[DONE]);
        "reset after the answer":
            vec![Send(whole.clone()), Pause(Duration::from_millis(50)), Reset] => done(&[DONE]);
        "an answer in two parts":
            vec![Send(whole[..99].into()), Pause(Duration::from_millis(20)), Send(whole[99..].into())]
            => done(&[DONE]);
        "a slow answer in time": vec![Drip(whole, Duration::from_micros(100))] => done(&[DONE]);
    }
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
    table! { case(ADD);
        "a body of 4 MiB": vec![Send(http(padded(4 * MIB)))] => done(&[DONE]);
        "a body of 4 MiB and a byte": vec![Send(http(padded(4 * MIB + 1)))] => too_large();
        "1 GiB announced and sent":
            vec![Send(head(gib * MIB)), Repeat(block.clone(), gib as u64)] => too_large();
        "1 GiB announced, 4 MiB sent":
            vec![Send(head(gib * MIB)), Repeat(block.clone(), 4), Close]
            => lost("closed in the middle");
        "endless chunks": vec![Send(chunked.clone()), Repeat(chunk, u64::MAX)] => too_large();
        "endless small chunks":
            vec![Send(chunked), Repeat([b"400\r\n".as_slice(), &[b' '; 1024], b"\r\n"].concat(), u64::MAX)]
            => too_large();
        "an endless body without length":
            vec![Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), Repeat(block, u64::MAX)] => too_large();
        "an endless head":
            vec![Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Repeat(b"X: y\r\n".repeat(1000), u64::MAX)]
            => lost("");
        "an endless header":
            vec![Send(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), Repeat(vec![b'y'; 4096], u64::MAX)]
            => lost("64 KiB");
        "an endless status line": vec![Repeat(vec![b'H'; 4096], u64::MAX)] => lost("not HTTP");
    }
}

/// Answers that do not come in time.
pub fn slow() -> Vec<Case> {
    let whole = http(good());
    let pause = Duration::from_millis(10);
    let head = |headers: &str| Send(format!("HTTP/1.1 200 OK\r\n{headers}").into_bytes());
    let hundred = b"HTTP/1.1 100 Continue\r\n\r\n";
    table! { case(ADD);
        "silence": vec![Stall] => late();
        "silence in the head": vec![Send(whole[..30].to_vec()), Stall] => late();
        "silence after the head": vec![head("Content-Length: 9\r\n\r\n"), Stall] => late();
        "silence in the body": vec![Send(whole[..whole.len() - 1].to_vec()), Stall] => late();
        "no length and no end": vec![head(&format!("\r\n{}", good())), Stall] => late();
        "silence after 1 GiB was announced":
            vec![head("Content-Length: 1073741824\r\n\r\n"), Stall] => late();
        "silence in a chunk":
            vec![head("Transfer-Encoding: chunked\r\n\r\nff\r\n{"), Stall] => late();
        "a dripping head": vec![head("X: "), Drip(vec![b'y'; 4096], pause)] => late();
        "a dripping body":
            vec![head("Content-Length: 4096\r\n\r\n"), Drip(vec![b' '; 4096], pause)] => late();
        "a late answer": vec![Pause(Duration::from_secs(40)), Send(whole)] => late();
        "a slow flood of 100": vec![Drip(hundred.repeat(99), pause)] => late();
        "a flood of 100": vec![Repeat(hundred.repeat(100), u64::MAX)] => lost_or_late();
        "100 and silence": vec![Send(hundred.to_vec()), Stall] => late();
    }
}
