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

/// [`contain`] for work that only looks at memory, and for which a caller may ask millions of times a second: knowing
/// the thread takes as long as a hash. So the hook knows a panic in it by its place: only for the modules in [`LOOKS`].
pub(crate) fn contain_look<R>(look: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(look)).map_err(|_| Panicked)
}

/// Where the code is that runs in [`contain_look`]. What it calls outside of them names its caller when it panics.
const LOOKS: [&str; 5] = [
    "ffi/",
    "cache/",
    "client/cached_checks.rs",
    "client/cache_sync/mod.rs",
    "clock.rs",
];

fn say_nothing_inside(info: &PanicHookInfo) {
    // A unit test that fails in one of these says why.
    let is_look = !cfg!(test) && info.location().is_some_and(|place| is_look(place.file()));
    if DEPTH.get() == 0
        && !is_look
        && let Some(before) = BEFORE.get()
    {
        before(info);
    }
}

/// Whether a source file, as the compiler names it, is one of [`LOOKS`].
fn is_look(file: &str) -> bool {
    let of_crate = file!().trim_end_matches("panics.rs");
    let inside = file.strip_prefix(of_crate);
    inside.is_some_and(|inside| LOOKS.iter().any(|look| inside.starts_with(look)))
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

    #[test]
    fn a_look_is_known_by_its_place() {
        let file = |inside| file!().replace("panics.rs", inside);
        assert!(is_look(&file("cache/table.rs")));
        assert!(is_look(&file("ffi/result.rs")));
        assert!(!is_look(&file("bin/chatblock/main.rs")));
        assert!(!is_look("of/the/host/src/cache/table.rs"));
    }
}
