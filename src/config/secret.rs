//! References to secrets, `${NAME}` and `${file:/path}`, and the values they stand for.
//!
//! A reference is a whole scalar, never part of a longer text, and is resolved after parsing: a value can
//! neither break nor extend the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::problems::Problems;
use super::{SECRET_INSIDE, SECRET_SYNTAX, SECRET_UNSET};
use crate::json::child;

/// The references a document makes, as `NAME` or `file:/path`, in order, each once: what a host has to look
/// up before it compiles. Empty where the text is no JSON; compiling it says why.
pub fn secret_names(json: &str) -> Vec<String> {
    fn walk(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => names.extend(reference(text).ok().flatten().map(str::to_owned)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, names)),
            Value::Object(members) => members.values().for_each(|member| walk(member, names)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut names = BTreeSet::new();
    walk(&serde_json::from_str(json).unwrap_or(Value::Null), &mut names);
    names.into_iter().collect()
}

/// Reports every reference that is malformed or has no value.
pub(super) fn check(document: &Value, problems: &Problems<'_>) {
    walk(document, "", problems);
}

fn walk(value: &Value, pointer: &str, problems: &Problems<'_>) {
    match value {
        Value::String(text) => check_text(text, pointer, problems),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &child(pointer, &index.to_string()), problems);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                walk(member, &child(pointer, key), problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The name a text refers to; `None` where it is no reference.
pub(super) fn reference(text: &str) -> Result<Option<&str>, Malformed> {
    if !text.contains("${") {
        return Ok(None);
    }
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).ok_or(Malformed::Inside)?;
    if name.contains(['{', '}']) {
        return Err(Malformed::Inside);
    }
    let well_formed = match name.strip_prefix("file:") {
        Some(path) => path.len() > 1 && path.starts_with('/') && !path.contains(char::is_control),
        None => {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        }
    };
    if well_formed { Ok(Some(name)) } else { Err(Malformed::Name) }
}

/// The value of a name, without the line break that ends a file; `None` where unset or empty.
pub(super) fn value<'s>(secrets: &'s BTreeMap<String, String>, name: &str) -> Option<&'s str> {
    let value = secrets.get(name)?;
    let value =
        value.strip_suffix('\n').map_or(value.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    (!value.is_empty()).then_some(value)
}

/// What is wrong with a reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Malformed {
    /// There is text around it.
    Inside,
    /// It names nothing.
    Name,
}

fn check_text(text: &str, pointer: &str, problems: &Problems<'_>) {
    let secrets = problems.secrets();
    match reference(text) {
        Ok(None) => {}
        Ok(Some(name)) => match secrets.get(name) {
            Some(_) if value(secrets, name).is_some() => {}
            set => {
                let state = if set.is_some() { "is empty" } else { "is not set" };
                let remedy = match name.strip_prefix("file:") {
                    Some(path) => format!("write the secret to `{path}`, readable by the gateway"),
                    None => format!("set `{name}` in the gateway's environment"),
                };
                problems.error(SECRET_UNSET, pointer, format!("the secret `{name}` {state}"), remedy);
            }
        },
        Err(Malformed::Inside) => problems.error(
            SECRET_INSIDE,
            pointer,
            "a secret is referred to inside a longer text",
            "make `${NAME}` the whole value and put the rest into the secret",
        ),
        Err(Malformed::Name) => problems.error(
            SECRET_SYNTAX,
            pointer,
            "this reference names no secret",
            "write `${NAME}` (letters, digits, `_`) or `${file:/path}`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Malformed, reference, secret_names, value};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn references() {
        for (text, expected) in [
            ("", Ok(None)),
            ("plain $NAME {x} $", Ok(None)),
            ("${NAME}", Ok(Some("NAME"))),
            ("${_name_1}", Ok(Some("_name_1"))),
            ("${file:/run/secrets/x y}", Ok(Some("file:/run/secrets/x y"))),
            ("x${NAME}", Err(Malformed::Inside)),
            ("${NAME} ", Err(Malformed::Inside)),
            ("${NAME", Err(Malformed::Inside)),
            ("${A}${B}", Err(Malformed::Inside)),
            ("${${A}}", Err(Malformed::Inside)),
            ("${}", Err(Malformed::Name)),
            ("${1A}", Err(Malformed::Name)),
            ("${A-B}", Err(Malformed::Name)),
            ("${ A }", Err(Malformed::Name)),
            ("${file:}", Err(Malformed::Name)),
            ("${file:/}", Err(Malformed::Name)),
            ("${file:x}", Err(Malformed::Name)),
            ("${file:/a\n}", Err(Malformed::Name)),
            ("${env:X}", Err(Malformed::Name)),
        ] {
            assert_eq!(reference(text), expected, "{text}");
        }
    }

    #[test]
    fn one_line_break_at_the_end_is_the_files() {
        for (text, expected) in [
            ("x", Some("x")),
            ("x\n", Some("x")),
            ("x\r\n", Some("x")),
            ("x\n\n", Some("x\n")),
            (" x ", Some(" x ")),
            ("", None),
            ("\n", None),
        ] {
            let secrets = BTreeMap::from([("A".to_owned(), text.to_owned())]);
            assert_eq!(value(&secrets, "A"), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_listed_once_and_in_order() {
        let json =
            r#"{ "b": ["${B}", { "x": "${A}" }], "a": "${B}", "f": "${file:/x}", "no": "x${C}", "${D}": 1 }"#;
        assert_eq!(secret_names(json), ["A", "B", "file:/x"]);
        assert_eq!(secret_names("{"), [""; 0]);
    }
}
