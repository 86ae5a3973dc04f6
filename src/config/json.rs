//! Reads JSON text into a tree, refusing what two readers could understand in two ways: duplicate keys.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::problems::{Problems, child};
use super::{DUPLICATE_KEY, SYNTAX};

/// The document as a tree. Of a duplicate key the first value stays; each is reported.
pub(super) fn read(json: &str, problems: &Problems<'_>) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let tree = Place { pointer: String::new(), problems }.deserialize(&mut reader);
    match tree.and_then(|tree| reader.end().map(|()| tree)) {
        Ok(tree) => Some(tree),
        Err(error) => {
            problems.error(SYNTAX, "", format!("not JSON: {error}"), "correct the document at this place");
            None
        }
    }
}

/// Where the reader stands.
struct Place<'p, 's> {
    pointer: String,
    problems: &'p Problems<'s>,
}

impl Place<'_, '_> {
    fn child(&self, key: &str) -> Self {
        Self { pointer: child(&self.pointer, key), problems: self.problems }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(self.child(&items.len().to_string()))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = self.child(&key);
            if members.contains_key(&key) {
                self.problems.error(
                    DUPLICATE_KEY,
                    &place.pointer,
                    format!("the key `{key}` is there twice"),
                    "keep one of the two",
                );
                entries.next_value_seed(place)?;
            } else {
                let value = entries.next_value_seed(place)?;
                members.insert(key, value);
            }
        }
        Ok(Value::Object(members))
    }
}
