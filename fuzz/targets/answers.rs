//! Answers of the service: none is a panic, and white space changes nothing.
#![no_main]

use chatblock::api::{Account, Answer, Item, Operation, Request, Verdict};
use chatblock::wire::{Malformed, read_answer};
use chatblock::{CheckType, Command};
use libfuzzer_sys::fuzz_target;

fn request(command: Command) -> Request {
    let targets: Vec<Account> = ["bob", "cat"].map(Account::from).into();
    let operation = match command {
        Command::Add => Operation::Add(targets.into()),
        Command::Delete => Operation::Delete(targets.into()),
        Command::Check => Operation::Check(targets.into(), CheckType::Both),
        Command::Get => Operation::Get {
            start_index: 0,
            limit: 10,
            last_sequence: 0,
        },
    };
    Request {
        owner: "ann".into(),
        operation,
    }
}

/// The answer without its text, with its items in any case.
fn read(request: &Request, body: Vec<u8>) -> Result<Answer, Malformed> {
    let mut answer = read_answer(request, body)?;
    answer.text = None;
    if std::mem::take(&mut answer.is_all_done) {
        let done = |target: &Account| Item::answered(target.clone(), 0, "", Verdict::Done);
        answer.items = request.targets().iter().map(done).collect();
    }
    Ok(answer)
}

fuzz_target!(|bytes: &[u8]| {
    for command in [Command::Add, Command::Delete, Command::Check, Command::Get] {
        let request = request(command);
        // The usual answer is compared as text and not parsed: the other way has to come to the same.
        let spaced = [b" ", bytes].concat();
        assert_eq!(
            read(&request, bytes.to_vec()),
            read(&request, spaced),
            "{command:?}"
        );
    }
});
