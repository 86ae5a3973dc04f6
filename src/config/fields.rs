//! Reads values of a configuration document: each with its place, each problem reported once, in plain words.
//!
//! ```text
//! let mut fields = item.fields()?;             // reports anything but an object
//! let path = fields.text("path");              // required: reports a missing key or a wrong kind
//! let drop = fields.opt_bool("drop");          // optional
//! let list = fields.opt("rules");              // an `Item`, for values of a shape of their own
//! fields.finish();                             // reports the keys nobody asked for
//! ```

use serde_json::{Map, Value};

use super::keys::Key;
use super::problems::Problems;
use super::{BAD_VALUE, FLOW_BRACES, MISSING_KEY, NOT_YET, UNKNOWN_KEY, WRONG_KIND};
use crate::json::child;

/// A value and its place in the document.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    /// The value as written; [`Item::text`] resolves references to secrets, this does not.
    pub(crate) value: &'a Value,
    /// Its JSON pointer.
    pub(crate) pointer: String,
    problems: &'a Problems<'a>,
}

impl<'a> Item<'a> {
    /// A value at a pointer.
    pub(crate) fn new(value: &'a Value, pointer: impl Into<String>, problems: &'a Problems<'a>) -> Self {
        Self { value, pointer: pointer.into(), problems }
    }

    /// Notes an error at this place.
    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.error(code, &self.pointer, message, remedy);
    }

    /// Notes a warning at this place.
    pub(crate) fn warn(&self, code: &'static str, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.warn(code, &self.pointer, message, remedy);
    }

    /// Another value in this place.
    pub(crate) fn instead<'b>(&'b self, value: &'b Value) -> Item<'b> {
        Item { value, pointer: self.pointer.clone(), problems: self.problems }
    }

    /// The value with its references to secrets resolved, to be told from others; what has no value stays.
    pub(crate) fn resolved(&self) -> Value {
        match self.value {
            Value::String(text) => Value::from(self.problems.resolve(text).unwrap_or(text)),
            Value::Array(list) => list.iter().map(|value| self.instead(value).resolved()).collect(),
            Value::Object(members) => {
                let resolved =
                    |(key, value): (&String, &Value)| (key.clone(), self.instead(value).resolved());
                Value::Object(members.iter().map(resolved).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.value.clone(),
        }
    }

    /// True once an error was noted anywhere in the document.
    pub(crate) fn failed(&self) -> bool {
        self.problems.failed()
    }

    /// Notes that this version cannot do something yet: accepting and ignoring it would be a lie.
    pub(crate) fn not_yet(&self, what: &str, remedy: &str) {
        let what = if what.starts_with('`') { what.to_owned() } else { format!("`{what}`") };
        self.error(NOT_YET, format!("{what} is not available yet"), remedy);
    }

    /// True for text that stands in the document itself and is no reference to a secret.
    pub(crate) fn is_literal(&self) -> bool {
        self.value.as_str().is_some_and(|text| !text.contains("${"))
    }

    /// The text; a reference to a secret is resolved.
    pub(crate) fn text(&self) -> Option<&'a str> {
        if let Value::String(text) = self.value {
            return self.problems.resolve(text);
        }
        match flow(self.value) {
            Some(text) => self.error(
                FLOW_BRACES,
                "text is meant here, but without quotes YAML reads this as an object or a list",
                format!("put it in quotes: `\"{text}\"`"),
            ),
            None => self.wrong("text", "put the value in quotes"),
        }
        None
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        if !self.value.is_boolean() {
            self.wrong("`true` or `false`", "write `true` or `false` without quotes");
        }
        self.value.as_bool()
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self) -> Option<u64> {
        if !self.value.is_u64() {
            self.wrong("a whole number", "write a whole number without quotes");
        }
        self.value.as_u64()
    }

    /// One of a fixed set of words.
    pub(crate) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known = either(words.iter().map(|(word, _)| *word));
        self.error(BAD_VALUE, format!("{} is not known here", self.shown()), format!("write {known}"));
        None
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Option<Vec<Self>> {
        let Value::Array(items) = self.value else {
            self.wrong("a list", "write a list");
            return None;
        };
        let place = |(index, value): (usize, &'a Value)| self.at(&index.to_string(), value);
        Some(items.iter().enumerate().map(place).collect())
    }

    /// The members of an object whose keys are the user's own names.
    pub(crate) fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        let members = self.object()?;
        Some(members.iter().map(|(key, value)| (key.as_str(), self.at(key, value))).collect())
    }

    /// The members of an object whose keys are fixed words: those that are asked for.
    pub(crate) fn fields(&self) -> Option<Fields<'a>> {
        Some(Fields { members: self.object()?, item: self.clone(), table: None, asked: Vec::new() })
    }

    /// The members of an object whose keys are in a table of the JSON Schema.
    pub(crate) fn fields_of(&self, table: &'static [Key]) -> Option<Fields<'a>> {
        Some(Fields { table: Some(table), ..self.fields()? })
    }

    /// The value as it may be quoted in a message: never a secret's value, never long.
    pub(crate) fn shown(&self) -> String {
        let text = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match text.char_indices().nth(80) {
            Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
            None => format!("`{text}`"),
        }
    }

    /// Reports that the value is not of the kind that is meant.
    pub(crate) fn wrong(&self, meant: &str, remedy: &str) {
        let kind = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "`true` or `false`",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.error(WRONG_KIND, format!("{meant} is meant here, this is {kind}"), remedy);
    }

    fn object(&self) -> Option<&'a Map<String, Value>> {
        if !self.value.is_object() {
            self.wrong("an object", "write keys and values");
        }
        self.value.as_object()
    }

    fn at(&self, key: &str, value: &'a Value) -> Self {
        Self { value, pointer: child(&self.pointer, key), problems: self.problems }
    }
}

/// The members of an object with fixed keys.
#[derive(Debug)]
#[must_use = "`finish` reports unknown keys"]
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
    item: Item<'a>,
    table: Option<&'static [Key]>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The object itself, to report problems at.
    pub(crate) const fn item(&self) -> &Item<'a> {
        &self.item
    }

    /// The value of a key that may be missing.
    pub(crate) fn opt(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        Some(self.item.at(key, self.members.get(key)?))
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&mut self, key: &'static str) -> Option<Item<'a>> {
        let required = |known: &Key| known.name != key || known.required();
        debug_assert!(self.table.is_none_or(|table| table.iter().all(required)), "`{key}` is required");
        let found = self.opt(key);
        if found.is_none() {
            self.item.error(MISSING_KEY, format!("the key `{key}` is missing"), format!("add `{key}:`"));
        }
        found
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.need(key)?.text()
    }

    /// A text that may be missing.
    pub(crate) fn opt_text(&mut self, key: &'static str) -> Option<&'a str> {
        self.opt(key)?.text()
    }

    /// A boolean that may be missing.
    pub(crate) fn opt_bool(&mut self, key: &'static str) -> Option<bool> {
        self.opt(key)?.boolean()
    }

    /// A list that may be missing: then, or where it is no list, it is empty.
    pub(crate) fn opt_list(&mut self, key: &'static str) -> Vec<Item<'a>> {
        self.opt(key).and_then(|item| item.list()).unwrap_or_default()
    }

    /// Reports the keys nobody asked for, each with the nearest one that was.
    pub(crate) fn finish(self) {
        if let Some(table) = self.table {
            let unread = table.iter().find(|key| !self.asked.contains(&key.name));
            debug_assert!(unread.is_none(), "{unread:?} is in the schema, and nothing reads it");
            let untold = self.asked.iter().find(|asked| table.iter().all(|key| key.name != **asked));
            debug_assert!(untold.is_none(), "{untold:?} is read, and not in the schema");
        }
        for (key, value) in self.members {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let remedy = match nearest(key, self.asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => {
                    let known: Vec<_> = self.asked.iter().map(|known| format!("`{known}`")).collect();
                    format!("remove it; known here: {}", known.join(", "))
                }
            };
            self.item.at(key, value).error(UNKNOWN_KEY, format!("the key `{key}` is not known here"), remedy);
        }
    }
}

/// The known word a misspelt one is most likely to be.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let distance = |candidate: &str| strsim::osa_distance(&lower, &candidate.to_lowercase());
    let (distance, best) = known.into_iter().map(|candidate| (distance(candidate), candidate)).min()?;
    (distance <= 1 + best.len() / 5).then_some(best)
}

/// What an unquoted `{name.givenName}` or `[a]` was before YAML made an object or a list of it.
fn flow(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) if !members.is_empty() && members.values().all(Value::is_null) => {
            let keys: Vec<_> = members.keys().map(String::as_str).collect();
            Some(format!("{{{}}}", keys.join(", ")))
        }
        Value::Array(items) if !items.is_empty() => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            Some(format!("[{}]", texts?.join(", ")))
        }
        _ => None,
    }
}

/// The words as `a`, `b` or `c`.
pub(crate) fn either<'k>(words: impl IntoIterator<Item = &'k str>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_object_is_read_with_everything_said_once() {
        let value =
            json!({ "idp": "userName", "drop": "yes", "n": -1, "list": {}, "oprations": [], "a/b": 1 });
        let said = said(&value, |item| {
            let mut fields = item.fields().unwrap();
            assert_eq!(fields.text("idp"), Some("userName"));
            assert_eq!(fields.opt_text("provider"), None);
            assert_eq!((fields.opt_bool("drop"), fields.opt_bool("drop")), (None, None));
            assert_eq!(fields.opt("n").and_then(|item| item.number()), None);
            assert!(fields.opt_list("list").is_empty());
            assert!(fields.opt_list("operations").is_empty());
            assert_eq!(fields.text("direction"), None);
            fields.finish();
        });
        assert_eq!(
            said,
            [
                "SL0105 /x/drop: `true` or `false` is meant here, this is text",
                "SL0105 /x/n: a whole number is meant here, this is a number",
                "SL0105 /x/list: a list is meant here, this is an object",
                "SL0104 /x: the key `direction` is missing",
                "SL0103 /x/oprations: the key `oprations` is not known here",
                "SL0103 /x/a~1b: the key `a/b` is not known here",
            ]
        );
    }

    #[test]
    fn text_eaten_by_flow_style_is_recognised() {
        for (value, original) in [
            (json!({ "name.givenName": null }), Some("{name.givenName}")),
            (json!({ "a": null, "b": null }), Some("{a, b}")),
            (json!(["a", "b"]), Some("[a, b]")),
            (json!({ "a": 1 }), None),
            (json!({}), None),
            (json!([1]), None),
            (json!("a"), None),
        ] {
            assert_eq!(flow(&value).as_deref(), original, "{value}");
        }
    }

    #[test]
    fn references_are_resolved_and_never_shown() {
        let value = json!({ "a": "${NAME}", "b": "${OTHER}" });
        let said = said(&value, |item| {
            let entries = item.entries().unwrap();
            let [(_, a), (_, b)] = entries.as_slice() else { panic!("two entries") };
            assert_eq!((a.text(), b.text()), (Some("s3cret"), None));
            assert_eq!((a.shown(), a.is_literal()), ("`${NAME}`".to_owned(), false));
            assert_eq!(a.choice(&[("s3cret", 7)]), Some(7));
            assert_eq!(a.choice(&[("one", 1), ("two", 2)]), None);
        });
        assert_eq!(said, ["SL0107 /x/a: `${NAME}` is not known here"]);
    }

    #[test]
    fn long_values_are_cut_when_shown() {
        let problems = BTreeMap::new();
        let problems = Problems::new(&problems);
        let value = json!("ä".repeat(81));
        assert_eq!(Item::new(&value, "", &problems).shown(), format!("`{}…`", "ä".repeat(80)));
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["profile", "path", "accept", "open"];
        for (word, expected) in [
            ("Profile", Some("profile")),
            ("proflie", Some("profile")),
            ("pth", Some("path")),
            ("accepts", Some("accept")),
            ("oepn", Some("open")),
            ("token", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest("word", []), None);
    }

    fn said(value: &Value, read: impl Fn(Item<'_>)) -> Vec<String> {
        let secrets = BTreeMap::from([("NAME".to_owned(), "s3cret".to_owned())]);
        let problems = Problems::new(&secrets);
        read(Item::new(value, "/x", &problems));
        let errors = problems.finish(None::<()>).unwrap_err().0;
        errors.iter().map(|error| format!("{} {}: {}", error.code, error.pointer, error.message)).collect()
    }
}
