//! JSON texts as trees: of configurations, tokens, key sets and issuers' answers. An object that has a member twice,
//! which two readers could understand in two ways, is told of.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The value of a text. `twice` is told the place (RFC 6901) and the name of each member that is there already; of
/// such the first stays.
///
/// # Errors
/// What is wrong with the text, and where.
pub(crate) fn read(text: &[u8], mut twice: impl FnMut(&str, &str)) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let place = Place { above: None, step: Step::Root, twice: &RefCell::new(&mut twice) };
    let value = place.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// The value of a text in which no object has a member twice.
pub(crate) fn parse(text: &[u8]) -> Option<Value> {
    let mut again = false;
    let value = read(text, |_, _| again = true).ok()?;
    (!again).then_some(value)
}

/// Who is told what is there twice.
type Twice<'t> = dyn FnMut(&str, &str) + 't;

/// Where the reader stands.
#[derive(Clone, Copy)]
struct Place<'a, 't> {
    above: Option<&'a Self>,
    step: Step<'a>,
    twice: &'t RefCell<&'t mut Twice<'t>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Element(usize),
}

/// The pointer of a member of what stands at `above`.
pub(crate) fn child(above: &str, key: &str) -> String {
    format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl<'a> Place<'a, '_> {
    fn child(&'a self, step: Step<'a>) -> Self {
        Place { above: Some(self), step, ..*self }
    }

    fn pointer(&self) -> String {
        let above = self.above.map(Self::pointer).unwrap_or_default();
        match self.step {
            Step::Root => above,
            Step::Member(name) => child(&above, name),
            Step::Element(number) => child(&above, &number.to_string()),
        }
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

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self.child(Step::Element(list.len())))? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.child(Step::Member(&name));
            let value = members.next_value_seed(place)?;
            if object.contains_key(&name) {
                (self.twice.borrow_mut())(&place.pointer(), &name);
            } else {
                object.insert(name, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, read};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_has_two_readings_is_refused() {
        for (text, good) in [
            (&b"{\"a\":1,\"b\":{\"a\":[1.5,-1,null,true]}}"[..], true),
            (b"{\"a\":1,\"a\":1}", false),
            (b"{\"a\":1,\"\\u0061\":2}", false),
            (b"{\"x\":[{\"a\":1,\"a\":2}]}", false),
            (b"{\"a\":1} ", true),
            (b"{\"a\":1}x", false),
            (b"{\"a\":\"\xff\"}", false),
            (b"{\"a\":\"\\ud800\"}", false),
            (b"{a:1}", false),
            (b"", false),
            (b"{\"a\":1e400}", false),
        ] {
            assert_eq!(parse(text).is_some(), good, "{}", String::from_utf8_lossy(text));
        }
        assert!(parse("[".repeat(1000).as_bytes()).is_none());
    }

    #[test]
    fn of_what_is_there_twice_the_first_stays() {
        let mut twice = Vec::new();
        let text = br#"{"a":[{"x/y":1,"x/y":{"z":2,"z":3}}],"a":4}"#;
        let read = read(text, |pointer, name| twice.push(format!("{pointer} {name}"))).unwrap();
        assert_eq!(read, serde_json::json!({ "a": [{ "x/y": 1 }] }));
        assert_eq!(twice, ["/a/0/x~1y/z z", "/a/0/x~1y x/y", "/a a"]);
    }
}
