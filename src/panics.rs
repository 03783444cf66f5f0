//! A panic becomes a value at every border, and, but for [`contain_look`], never a text on the host's standard error: a
//! closed pipe there would end the host by SIGPIPE.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};

use once_cell::sync::OnceCell;

thread_local! {
    /// How many borders this thread is inside of. Constant and without a destructor.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The hook that was there before ours; kept here and not in ours, which is without state so that
/// nothing is left on the heap when the host ends.
static BEFORE: OnceCell<Hook> = OnceCell::new();

type Hook = Box<dyn Fn(&PanicHookInfo) + Send + Sync>;

/// A bug in the library was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs `work`; a panic in it is caught and says nothing. Panics of the host's own Rust code keep the
/// hook they had.
pub(crate) fn contain<R>(work: impl FnOnce() -> R) -> Result<R, Panicked> {
    BEFORE.get_or_init(|| {
        let before = take_hook();
        set_hook(Box::new(say_nothing_inside));
        before
    });
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|_| Panicked)
}

/// [`contain`] for work that only looks at memory and cannot be wrong in any way we know, for which a caller may ask a
/// thousand times in a row: knowing the thread would take longer. A panic is caught; what it says goes to the hook
/// of the process.
pub(crate) fn contain_look<R>(look: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(look)).map_err(|_| Panicked)
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
