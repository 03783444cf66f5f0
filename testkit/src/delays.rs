//! How late this machine wakes threads while it is busy: what a call may be late without a fault of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const NAP: Duration = Duration::from_millis(5);
/// A call that ends out of time wakes a few threads one after another.
const WAKES: u32 = 10;
const SPARE: Duration = Duration::from_millis(500);

/// Measures from its begin until it is asked.
pub struct Delays {
    is_over: Arc<AtomicBool>,
    sleeper: JoinHandle<Duration>,
}

impl Delays {
    pub fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let sleeper = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(NAP);
                worst = worst.max(began.elapsed().saturating_sub(NAP));
            }
            worst
        });
        Self { is_over, sleeper }
    }

    /// How late a call can have been because of the machine.
    pub fn explain(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        SPARE + self.sleeper.join().expect("it only sleeps") * WAKES
    }
}
