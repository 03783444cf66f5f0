//! No check waits for the writer.

use std::sync::mpsc;
use std::time::Duration;

use super::{Answer, BlockCache, Limits};

#[test]
fn questions_are_answered_while_a_writer_holds_its_lock() {
    let limits = Limits {
        max_bytes: 1 << 20,
        max_age_ms: 60_000,
    };
    let caches = [
        BlockCache::complete([1, 2]).expect("memory"),
        BlockCache::partial([1, 2], limits).expect("memory"),
    ];
    for cache in &caches {
        cache.set_loading(b"ann").expect("memory");
        let list = [b"bob".as_slice()];
        cache.replace(b"ann", list, 0).expect("memory");
        cache.block(b"ann", b"bob").expect("memory");
        let writer = cache.writer.lock();
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let names = [b"ann".as_slice(), b"bob"];
                let one = cache.is_blocked(b"ann", b"bob", || 0);
                let many: Vec<_> = cache.is_blocked_many(&names[..1], b"bob", 0).collect();
                let pairs = cache.blocked_pairs(&names, 0).count();
                let _ = sender.send((one, many, pairs));
            });
            let answers = receiver.recv_timeout(Duration::from_secs(20));
            drop(writer);
            assert_eq!(answers, Ok((Answer::Yes, vec![Answer::Yes], 1)));
        });
    }
}
