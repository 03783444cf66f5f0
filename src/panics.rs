//! Converts a panic to a value where calls enter the library, without output on the host program's standard error: a
//! closed pipe there would end the program by SIGPIPE.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};

use once_cell::sync::OnceCell;

thread_local! {
    /// How many borders this thread is inside of. Constant and without a destructor.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The hook that was installed before this one; kept here, so that the hook itself has no state and nothing is left
/// on the heap when the host program ends.
static BEFORE: OnceCell<Hook> = OnceCell::new();

type Hook = Box<dyn Fn(&PanicHookInfo) + Send + Sync>;

/// A bug in the library was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs `work`; a panic in it is caught and says nothing. Panics of the host's own Rust code keep the
/// hook they had.
///
/// Checks of the cache come here millions of times a second: the counter of the thread is looked up once.
pub(crate) fn contain<R>(work: impl FnOnce() -> R) -> Result<R, Panicked> {
    BEFORE.get_or_init(|| {
        let before = take_hook();
        set_hook(Box::new(say_nothing_inside));
        before
    });
    DEPTH.with(|depth| {
        depth.set(depth.get() + 1);
        let outcome = catch_unwind(AssertUnwindSafe(work));
        depth.set(depth.get() - 1);
        outcome.map_err(|_| Panicked)
    })
}

fn say_nothing_inside(info: &PanicHookInfo) {
    if DEPTH.get() == 0
        && let Some(before) = BEFORE.get()
    {
        before(info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_and_the_depth_returns_to_zero() {
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(
            contain(|| contain(|| panic!("inner"))),
            Ok(Err::<(), _>(Panicked))
        );
        assert_eq!(DEPTH.get(), 0);
    }
}
