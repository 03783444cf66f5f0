//! The C interface: functions in any order with any pointers that their contracts allow. Each one returns, and what it returns
//! can be read until it is freed, also after the client is closed.
#![no_main]
#![allow(unsafe_code, reason = "the C interface takes pointers")]

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use chatblock::ffi::backup::chatblock_client_backup;
use chatblock::ffi::blocklist::{
    chatblock_blocklist_add, chatblock_blocklist_check, chatblock_blocklist_delete,
    chatblock_blocklist_get, chatblock_client_call,
};
use chatblock::ffi::cached_checks::{
    chatblock_client_blocked_pairs, chatblock_client_is_blocked, chatblock_client_is_blocked_many,
    chatblock_client_watch,
};
use chatblock::ffi::client::{chatblock_client, chatblock_client_close, chatblock_client_open};
use chatblock::ffi::items::{
    chatblock_result_item_account, chatblock_result_item_count, chatblock_result_item_status,
};
use chatblock::ffi::result::{
    chatblock_result, chatblock_result_free, chatblock_result_json, chatblock_result_json_len,
    chatblock_result_message, chatblock_result_status,
};
use chatblock::ffi::status::chatblock_status;
use chatblock::ffi::submit::{
    chatblock_blocklist_add_async, chatblock_client_cancel, chatblock_client_flush,
    chatblock_client_poll, chatblock_client_submit,
};
use chatblock::ffi::webhook::chatblock_client_apply_webhook;
use libfuzzer_sys::fuzz_target;

/// Accounts, commands and requests; a few are none.
const TEXTS: [Option<&CStr>; 12] = [
    None,
    Some(c""),
    Some(c"ann"),
    Some(c"bob"),
    Some(c"cem"),
    Some(c"a b"),
    Some(c"\xff"),
    Some(c"\xe4\xbd\xa0"),
    Some(c"a-name-of-more-than-thirty-two-bytes"),
    Some(c"black_list_add"),
    Some(c"{\"From_Account\":\"ann\",\"To_Account\":[\"bob\",\"cem\"]}"),
    Some(c"{"),
];

/// The next bytes of the input, then zeros.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self
            .0
            .split_first()
            .map_or((0, &[][..]), |(byte, rest)| (*byte, rest));
        self.0 = rest;
        first
    }

    fn text(&mut self) -> *const c_char {
        TEXTS[usize::from(self.byte()) % TEXTS.len()].map_or(null(), CStr::as_ptr)
    }

    /// Pointers, and a count that is theirs or outside of what is allowed.
    fn texts(&mut self) -> (Vec<*const c_char>, usize) {
        let texts: Vec<_> = (0..self.byte() % 6).map(|_| self.text()).collect();
        let count = match self.byte() {
            0 => usize::MAX,
            1 => 100_001,
            _ => texts.len(),
        };
        (texts, count)
    }

    fn number(&mut self) -> i32 {
        let numbers = [0, 1, 2, 3, 1000, 1001, -1, i32::MIN, i32::MAX];
        numbers[usize::from(self.byte()) % numbers.len()]
    }
}

/// Everything that a result says.
fn read(result: *const chatblock_result) {
    // SAFETY: NULL or a result that is not freed.
    unsafe {
        let status = chatblock_result_status(result) as i32;
        assert!((-17..=1).contains(&status) && status != -15, "{status}");
        let message = CStr::from_ptr(chatblock_result_message(result));
        assert!(message.to_str().is_ok());
        let json = CStr::from_ptr(chatblock_result_json(result));
        assert_eq!(json.count_bytes(), chatblock_result_json_len(result));
        let count = chatblock_result_item_count(result);
        for index in (0..count).chain([count, usize::MAX]) {
            assert!(
                CStr::from_ptr(chatblock_result_item_account(result, index))
                    .to_str()
                    .is_ok()
            );
            let status = chatblock_result_item_status(result, index) as i32;
            assert!((-17..=2).contains(&status) && status != -15, "{status}");
        }
    }
}

/// What a function said without a result.
fn look(status: chatblock_status) {
    let status = status as i32;
    assert!((-17..=0).contains(&status) && status != -15, "{status}");
}

/// One call; its result, if it has one.
fn call(client: *const chatblock_client, input: &mut Input) -> *mut chatblock_result {
    let mut error = null_mut();
    let out_error = match input.byte() % 4 {
        0 => null_mut(),
        _ => &raw mut error,
    };
    let kind = input.byte() % 16;
    let (owner, other) = (input.text(), input.text());
    let (texts, count) = input.texts();
    let targets = if texts.is_empty() {
        null()
    } else {
        texts.as_ptr()
    };
    let number = input.number();
    // SAFETY: the client is NULL or open, texts are NULL or end with NUL, and an array has its count or is not looked at.
    unsafe {
        match kind {
            0 => return chatblock_blocklist_add(client, owner, targets, count),
            1 => return chatblock_blocklist_delete(client, owner, targets, count),
            2 => return chatblock_blocklist_check(client, owner, targets, count, number),
            3 => {
                return chatblock_blocklist_get(
                    client,
                    owner,
                    number.cast_unsigned(),
                    number.cast_unsigned(),
                );
            }
            4 => return chatblock_client_call(client, owner, other),
            5 => return chatblock_client_apply_webhook(client, owner, null(), 0),
            6 => return chatblock_client_backup(client, other),
            7 => return chatblock_client_poll(client, 0),
            8 => look(chatblock_blocklist_add_async(
                client, owner, targets, count, 7, out_error,
            )),
            9 => look(chatblock_client_submit(client, owner, other, 7, out_error)),
            10 => look(chatblock_client_flush(client, 0)),
            11 => look(chatblock_client_watch(client, targets, count)),
            12 => assert!(chatblock_client_is_blocked(client, owner, other) > -15),
            13 => assert!(chatblock_client_cancel(client, 7) > -15),
            14 => {
                let mut answers = vec![0_i8; texts.len()];
                let out = answers.as_mut_ptr();
                // Many are allowed here.
                let count = if count == usize::MAX {
                    count
                } else {
                    texts.len()
                };
                let found = chatblock_client_is_blocked_many(client, targets, count, owner, out);
                assert!(found > -15, "{found}");
            }
            _ => {
                let (mut pairs, mut unknown) = ([0_u32; 6], 0);
                let (pairs, capacity) = (pairs.as_mut_ptr(), 3);
                let found = chatblock_client_blocked_pairs(
                    client,
                    targets,
                    count,
                    pairs,
                    capacity,
                    &raw mut unknown,
                );
                assert!(found > -15, "{found}");
            }
        }
    }
    error
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    // SAFETY: a string, and no place for an error.
    let client = unsafe { chatblock_client_open(c"{}".as_ptr(), null_mut()) };
    let mut results = Vec::new();
    while !input.0.is_empty() {
        let on = if input.byte() % 16 == 0 {
            null()
        } else {
            client.cast_const()
        };
        let result = call(on, &mut input);
        read(result);
        results.push(result);
        if input.byte() % 4 == 0 {
            let at = usize::from(input.byte()) % results.len();
            // SAFETY: NULL or a result that is not used again.
            unsafe { chatblock_result_free(results.swap_remove(at)) };
        }
    }
    // SAFETY: it is open, and not used again.
    look(unsafe { chatblock_client_close(client, 5000) });
    for result in results {
        read(result);
        // SAFETY: NULL or a result that is not used again.
        unsafe { chatblock_result_free(result) };
    }
});
