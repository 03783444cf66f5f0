//! A one-shot channel: one value, sent once from one thread to another.

use std::sync::Arc;
use std::time::Instant;

use crate::locks::{Condvar, Mutex};

/// The sending end. Dropping it closes the channel.
pub(crate) struct Sender<T>(Arc<Channel<T>>);

/// The receiving end.
pub(crate) struct Receiver<T>(Arc<Channel<T>>);

struct Channel<T> {
    content: Mutex<Content<T>>,
    changed: Condvar,
}

enum Content<T> {
    Open,
    Sent(T),
    /// The sender was dropped, or the value was received.
    Over,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecvError {
    TimedOut,
    /// The sender was dropped.
    Closed,
}

/// The two ends of a new channel.
pub(crate) fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel {
        content: Mutex::new(Content::Open),
        changed: Condvar::new(),
    });
    (Sender(Arc::clone(&channel)), Receiver(channel))
}

impl<T> Sender<T> {
    /// Sends the value. The receiver may have given up already.
    pub(crate) fn send(self, value: T) {
        *self.0.content.lock() = Content::Sent(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut content = self.0.content.lock();
        if matches!(*content, Content::Open) {
            *content = Content::Over;
        }
        drop(content);
        self.0.changed.notify_one();
    }
}

impl<T> Receiver<T> {
    /// Waits for the value until `until` (`None`: without limit).
    pub(crate) fn recv(self, until: Option<Instant>) -> Result<T, RecvError> {
        let mut content = self.0.content.lock();
        while matches!(*content, Content::Open) {
            match until {
                None => self.0.changed.wait(&mut content),
                Some(until) => {
                    if self.0.changed.wait_until(&mut content, until).timed_out() {
                        break;
                    }
                }
            }
        }
        match std::mem::replace(&mut *content, Content::Over) {
            Content::Sent(value) => Ok(value),
            Content::Open => Err(RecvError::TimedOut),
            Content::Over => Err(RecvError::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_value_is_received_when_sent_before_or_during_the_wait() {
        let (sender, receiver) = oneshot();
        sender.send(7);
        assert_eq!(receiver.recv(None), Ok(7));
        let (sender, receiver) = super::oneshot();
        let waiter = std::thread::spawn(move || receiver.recv(None));
        sender.send(8);
        assert_eq!(waiter.join().expect("no panic"), Ok(8));
    }

    #[test]
    fn dropping_the_sender_ends_the_wait() {
        let (sender, receiver) = oneshot::<()>();
        drop(sender);
        assert_eq!(receiver.recv(None), Err(RecvError::Closed));
    }

    #[test]
    fn sending_after_the_receiver_gave_up_is_allowed() {
        let (sender, receiver) = oneshot();
        let until = Instant::now() + Duration::from_millis(1);
        assert_eq!(receiver.recv(Some(until)), Err(RecvError::TimedOut));
        sender.send(());
    }
}
