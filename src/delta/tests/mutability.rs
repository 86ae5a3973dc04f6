//! What a change must not do: to required, immutable and readOnly attributes.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::*;
use crate::schema::TypeSource;

fn vocabulary() -> Vocabulary {
    let schema = json!({ "id": "urn:t:1", "attributes": [
        { "name": "must", "required": true },
        { "name": "fixed", "mutability": "immutable" },
        { "name": "locked", "mutability": "readOnly" },
        { "name": "tags", "multiValued": true, "required": true },
        { "name": "part", "type": "complex", "subAttributes": [
            { "name": "must", "required": true }, { "name": "fixed", "mutability": "immutable" }, { "name": "free" },
        ] },
        { "name": "items", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value", "mutability": "immutable" },
            { "name": "kind", "mutability": "immutable" },
            { "name": "must", "required": true },
            { "name": "free" },
            { "name": "locked", "mutability": "readOnly" },
            { "name": "primary", "type": "boolean" },
        ] },
    ] });
    let extension = json!({ "id": "urn:t:2", "attributes": [{ "name": "x" }] });
    let (name, endpoint) = ("T".into(), "Ts".into());
    let extensions = vec![(extension, true)];
    Vocabulary::build(&[TypeSource { name, endpoint, schema, extensions }]).unwrap()
}

fn said(problems: &[Problem]) -> String {
    let error = ScimError::problems(problems);
    format!("{}: {}", error.scim_type.unwrap_or_default(), error.detail)
}

/// What a state becomes, or why it does not.
fn changed(state: &str, operation: &str) -> Result<String, String> {
    let vocabulary = vocabulary();
    let text = message(&format!("{{{operation}}}"));
    let Read { mut document, changes, .. } =
        read(&vocabulary, &text, &Repairs::default()).map_err(|problems| said(&problems))?;
    let root = document.read(state.into(), &vocabulary, vocabulary.types()[0].root, 9).unwrap();
    apply(&changes, &mut document, root, &vocabulary, false).map_err(|problem| said(&[problem]))?;
    Ok(String::from_utf8(document.write(root)).unwrap())
}

// P-22, P-29, P-31, S-26: told from the message alone where it can be, else from the state
#[test]
fn operations_respect_mutability() {
    let item = r#"{"items":[{"value":"a","must":"m"}]}"#;
    for (state, operation, expected) in [
        ("{}", r#""op":"remove","path":"must""#, Err("mutability: `must` is required and cannot be removed")),
        (
            "{}",
            r#""op":"replace","path":"must","value":null"#,
            Err("mutability: `must` is required and cannot be removed"),
        ),
        (
            "{}",
            r#""op":"replace","path":"must","value":"""#,
            Err("mutability: `must` is required and cannot be removed"),
        ),
        (
            "{}",
            r#""op":"remove","path":"part.must""#,
            Err("mutability: `part.must` is required and cannot be removed"),
        ),
        (
            "{}",
            r#""op":"remove","path":"urn:t:2""#,
            Err("mutability: `urn:t:2` is required and cannot be removed"),
        ),
        ("{}", r#""op":"remove","path":"locked""#, Err("mutability: `locked` is readOnly")),
        (
            "{}",
            r#""op":"add","path":"items[value eq \"a\"].locked","value":"x""#,
            Err("mutability: `items.locked` is readOnly"),
        ),
        (
            "{}",
            r#""op":"remove","path":"fixed""#,
            Err("mutability: `fixed` is immutable: a value that was set stays"),
        ),
        ("{}", r#""op":"add","path":"fixed","value":"a""#, Ok(r#"{"fixed":"a"}"#)),
        (r#"{"fixed":"a"}"#, r#""op":"add","path":"fixed","value":"a""#, Ok(r#"{"fixed":"a"}"#)),
        (
            r#"{"fixed":"a"}"#,
            r#""op":"replace","path":"fixed","value":"b""#,
            Err("mutability: `fixed` is immutable and has another value"),
        ),
        (
            r#"{"fixed":"a"}"#,
            r#""op":"add","value":{"fixed":"b"}"#,
            Err("mutability: `fixed` is immutable and has another value"),
        ),
        (
            r#"{"part":{"fixed":"a"}}"#,
            r#""op":"replace","path":"part.fixed","value":"b""#,
            Err("mutability: `part.fixed` is immutable and has another value"),
        ),
        // elements come and go, and do not change
        (
            item,
            r#""op":"replace","path":"items[value eq \"a\"].value","value":"b""#,
            Err("mutability: `items.value` is immutable: a value that was set stays"),
        ),
        (
            item,
            r#""op":"remove","path":"items[value eq \"a\"].must""#,
            Err("mutability: `items.must` is required and cannot be removed"),
        ),
        (
            item,
            r#""op":"replace","path":"items[value eq \"a\"].must","value":null"#,
            Err("mutability: `items.must` is required and cannot be removed"),
        ),
        (
            item,
            r#""op":"add","path":"items[value eq \"a\"].value","value":"b""#,
            Err("mutability: `items.value` is immutable and has another value"),
        ),
        (
            item,
            r#""op":"add","path":"items[value eq \"a\"].kind","value":"k""#,
            Ok(r#"{"items":[{"value":"a","must":"m","kind":"k"}]}"#),
        ),
        (item, r#""op":"remove","path":"items[value eq \"a\"]""#, Ok("{}")),
        (r#"{"tags":["a","b"]}"#, r#""op":"remove","path":"tags[value eq \"a\"]""#, Ok(r#"{"tags":["b"]}"#)),
        (
            r#"{"tags":["a"]}"#,
            r#""op":"remove","path":"tags[value eq \"a\"]""#,
            Err("mutability: `tags` is required and cannot be removed"),
        ),
    ] {
        assert_eq!(
            changed(state, operation),
            expected.map(Into::into).map_err(Into::into),
            "{state} {operation}"
        );
    }
}

// P-24: one operation that cannot be made is enough for none to be made
#[test]
fn a_message_is_refused_as_a_whole() {
    let vocabulary = vocabulary();
    let operations = r#"{"op":"add","path":"must","value":"a"},{"op":"remove","path":"must"},{"op":"add","path":"nowhere[","value":1},{"op":"add","path":"locked","value":"x"}"#;
    let problems = read(&vocabulary, &message(operations), &Repairs::default()).map(|_| ()).unwrap_err();
    let all = said(&problems);
    assert!(
        all.starts_with(
            "mutability: `must` is required and cannot be removed; `Operations[2]` the path cannot be read"
        ),
        "{all}"
    );
    assert!(all.ends_with("`locked` is readOnly"), "{all}");
}

// P-28: whoever becomes primary last is the only one, however it is said
#[test]
fn one_element_is_primary() {
    let two = r#"{"items":[{"value":"a","must":"m","primary":true},{"value":"b","must":"m"}]}"#;
    let primaries = |operation: &str| -> Vec<String> {
        let made: Value = serde_json::from_str(&changed(two, operation).unwrap()).unwrap();
        let items = made["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["primary"] == true)
            .map(|item| item["value"].as_str().unwrap().to_owned())
            .collect()
    };
    for (operation, primary) in [
        (r#""op":"add","path":"items","value":[{"value":"c","must":"m","primary":true}]"#, "c"),
        (r#""op":"add","value":{"items":[{"value":"c","must":"m","primary":true}]}"#, "c"),
        (r#""op":"replace","path":"items[value eq \"b\"].primary","value":true"#, "b"),
        (r#""op":"add","path":"items[value eq \"b\"]","value":{"primary":true,"must":"m"}"#, "b"),
        (r#""op":"add","path":"items","value":[{"value":"c","must":"m"}]"#, "a"),
    ] {
        assert_eq!(primaries(operation), [primary], "{operation}");
    }
}

/// The operations that make one state into another, and what they would do to immutable attributes.
fn difference(old: &str, new: &str) -> (String, String) {
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[0];
    let mut document = Document::new();
    let mut read = |text: &str| document.read(text.into(), &vocabulary, of.root, 9).unwrap();
    let (old, new) = (read(old), read(new));
    let changes = diff(&mut document, old, new, &vocabulary, of);
    let problems = frozen(&changes, &vocabulary);
    let told = if problems.is_empty() { String::new() } else { said(&problems) };
    (operations_of(&write(&changes, &document, &vocabulary)), told)
}

// P-22: a replacement must match what is immutable; what it leaves out stays
#[test]
fn replacing_respects_immutable_attributes() {
    let conflict = "mutability: `fixed` is immutable and has another value";
    for (old, new, operations, problem) in [
        (r#"{"fixed":"a"}"#, r#"{"fixed":"a"}"#, "", ""),
        (r#"{"fixed":"a"}"#, "{}", "", ""),
        ("{}", r#"{"fixed":"a"}"#, r#"{"op":"add","path":"fixed","value":"a"}"#, ""),
        (r#"{"fixed":"a"}"#, r#"{"fixed":"b"}"#, r#"{"op":"replace","path":"fixed","value":"b"}"#, conflict),
        // another value is another element, even where all else is the same
        (
            r#"{"items":[{"value":"a","kind":"k","must":"m"}]}"#,
            r#"{"items":[{"value":"b","kind":"k","must":"m"}]}"#,
            r#"{"op":"remove","path":"items[value eq \"a\"]"},{"op":"add","path":"items","value":[{"value":"b","kind":"k","must":"m"}]}"#,
            "",
        ),
        (
            r#"{"items":[{"value":"a","kind":"k","must":"m"}]}"#,
            r#"{"items":[{"value":"a","kind":"l","must":"n"}]}"#,
            r#"{"op":"replace","path":"items[value eq \"a\"].must","value":"n"}"#,
            "",
        ),
        (
            r#"{"items":[{"value":"a","must":"m"}]}"#,
            r#"{"items":[{"value":"a","must":"m","kind":"k"}]}"#,
            r#"{"op":"add","path":"items[value eq \"a\"].kind","value":"k"}"#,
            "",
        ),
    ] {
        assert_eq!(difference(old, new), (operations.into(), problem.into()), "{old} {new}");
    }
}
