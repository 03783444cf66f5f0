//! JSON objects only: serde would also read a derived struct from an array, by position.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` that was written as an object.
pub struct Object<T>(pub T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// A `T` that was written as an object without duplicate names, not even of fields that `T` does not have.
pub struct Unique<T>(pub T);

/// Most members of such an object: each name is compared with those before it.
const MOST_MEMBERS: usize = 64;

struct UniqueVisitor<T>(PhantomData<T>);

/// The name of a member.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The members of an object, and the names of those that were read.
struct Members<'de, A> {
    members: A,
    names: Vec<Cow<'de, str>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(Name(name)) = self.members.next_key()? else {
            return Ok(None);
        };
        if self.names.len() == MOST_MEMBERS || self.names.contains(&name) {
            return Err(A::Error::custom("too many members, or one of them twice"));
        }
        self.names.push(name.clone());
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        let members = Members {
            members,
            names: Vec::with_capacity(8),
        };
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(UniqueVisitor(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Known {
        a: i32,
        #[serde(default)]
        b: i32,
    }

    fn read(json: &str) -> Option<(i32, i32)> {
        let Unique(Known { a, b }) = serde_json::from_str(json).ok()?;
        Some((a, b))
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_whether_it_is_known_or_not() {
        assert_eq!(
            read(r#"{"a":1,"b":2,"c":[],"d":{"c":1,"c":2}}"#),
            Some((1, 2))
        );
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"c":1,"c":1}"#,
            r#"{"a":1,"c":1,"\u0063":1}"#,
            "[1,2]",
        ] {
            assert_eq!(read(twice), None, "{twice}");
        }
    }

    #[test]
    fn the_number_of_members_is_bounded() {
        let with = |others: usize| {
            let members: Vec<_> = (0..others).map(|n| format!("\"x{n}\":0")).collect();
            read(&format!("{{\"a\":1,{}}}", members.join(",")))
        };
        assert_eq!(with(MOST_MEMBERS - 1), Some((1, 0)));
        assert_eq!(with(MOST_MEMBERS), None);
    }
}
