//! Arrays with a limit: an element in memory takes many times its size in the response.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::api::MAX_PER_CALL;

/// Ten times as many as one call can ask for.
const MAX_ELEMENTS: usize = 10 * MAX_PER_CALL;

/// An array of at most [`MAX_ELEMENTS`]; a longer one is an error.
pub(super) struct Bounded<T>(pub(super) Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_seq(Elements(PhantomData))
            .map(Self)
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {MAX_ELEMENTS} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            if elements.len() == MAX_ELEMENTS {
                return Err(Error::custom("too many elements"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_beyond_the_bound_is_an_error() {
        let read = |count: usize| {
            let json = format!("[{}0]", "0,".repeat(count - 1));
            serde_json::from_str::<Bounded<u8>>(&json).map(|array| array.0.len())
        };
        assert_eq!(read(MAX_ELEMENTS).ok(), Some(MAX_ELEMENTS));
        assert!(read(MAX_ELEMENTS + 1).is_err());
    }
}
