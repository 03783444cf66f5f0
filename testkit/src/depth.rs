//! How deep the tests go, by the environment variable `CHATBLOCK_TEST`. The unit tests of the library
//! include this file too, so that there is one list of depths.

/// An ordered depth: a deeper run does everything that a shallower one does, and more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// `make test`: about ten minutes after a build; what is not installed is skipped.
    Quick,
    /// CI: nothing is skipped.
    Full,
    /// By hand: counts that do not fit into the time of CI.
    Deep,
}

impl Depth {
    /// The depth that the variable asks for.
    ///
    /// # Errors
    /// A sentence, when it names none.
    pub fn parse(value: Option<&str>) -> Result<Self, String> {
        match value {
            None | Some("" | "quick") => Ok(Self::Quick),
            Some("full") => Ok(Self::Full),
            Some("deep") => Ok(Self::Deep),
            Some(other) => Err(format!(
                "CHATBLOCK_TEST is \"{other}\"; set it to quick, full or deep"
            )),
        }
    }

    /// One of three values, mostly counts.
    pub fn pick<T>(self, quick: T, full: T, deep: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
            Self::Deep => deep,
        }
    }
}

/// The depth of this run.
pub fn depth() -> Depth {
    let value = std::env::var_os("CHATBLOCK_TEST");
    let value = value.as_ref().map(|value| value.to_string_lossy());
    Depth::parse(value.as_deref()).unwrap_or_else(|message| panic!("{message}"))
}
