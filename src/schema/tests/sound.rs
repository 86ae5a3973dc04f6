//! What the reader finds sound is passed over by the checker: with a copy, of which nothing is known, it must come to
//! the same verdict, the same repairs and the same text.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{Checker, Context, Vocabulary};

use super::source;

/// Attributes of every type, required, closed, hidden and read-only ones among them.
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let parts = json!([
        { "name": "value", "required": true },
        { "name": "type", "canonicalValues": ["work", "home"] },
        { "name": "primary", "type": "boolean" },
        { "name": "$ref", "type": "reference", "referenceTypes": ["User"] },
    ]);
    let user = json!({ "id": "urn:t:user", "attributes": [
        { "name": "name", "required": true },
        { "name": "level", "canonicalValues": ["low", "high"], "closed": true },
        { "name": "secret", "mutability": "writeOnly", "returned": "never" },
        { "name": "number", "mutability": "readOnly" },
        { "name": "hidden", "returned": "never" },
        { "name": "count", "type": "integer" },
        { "name": "weight", "type": "decimal" },
        { "name": "active", "type": "boolean" },
        { "name": "since", "type": "dateTime" },
        { "name": "key", "type": "binary" },
        { "name": "boss", "type": "reference", "referenceTypes": ["User"] },
        { "name": "page", "type": "reference", "referenceTypes": ["external"] },
        { "name": "words", "multiValued": true },
        { "name": "full", "type": "complex", "subAttributes": [{ "name": "first", "required": true }, { "name": "last" }] },
        { "name": "mails", "type": "complex", "multiValued": true, "subAttributes": parts },
    ] });
    let more = json!({ "id": "urn:t:more", "attributes": [
        { "name": "unit", "required": true },
        { "name": "leads", "type": "complex", "multiValued": true, "subAttributes": parts },
    ] });
    let group = json!({ "id": "urn:t:group", "attributes": [{ "name": "title" }] });
    Vocabulary::build(&[source("User", user, vec![(more, false)]), source("Group", group, Vec::new())])
        .unwrap()
});

const NAMES: &[&str] = &[
    "schemas",
    "id",
    "name",
    "level",
    "secret",
    "number",
    "hidden",
    "count",
    "weight",
    "active",
    "since",
    "key",
    "boss",
    "page",
    "words",
    "full",
    "mails",
    "urn:t:more",
    "first",
    "last",
    "value",
    "type",
    "primary",
    "$ref",
    "unit",
    "leads",
    "NAME",
    "other",
    "bad name",
];

fn leaf() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "a",
        "low",
        "HIGH",
        "true",
        "2026-01-31T08:00:00Z",
        "AAAA",
        "https://h/v2/Users/1",
        "https://h/v2/Groups/1",
        "../Users/2",
        "no uri",
        "%zz",
        "urn:t:user",
        "urn:t:more",
        "a\"b",
        "{\"value\":\"x\"}",
        "work",
    ];
    prop_oneof![
        6 => select(texts.to_vec()).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![json!(1), json!(-2), json!(1.5), json!(1e30)]),
    ]
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let members = prop::collection::vec((select(NAMES.to_vec()), value), 0..6);
    members.prop_map(|members| {
        let mut object = Map::new();
        for (name, value) in members {
            if !object.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let value = leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![object(inner.clone()), prop::collection::vec(inner, 0..4).prop_map(Value::from)]
    });
    object(value)
}

/// Verdict, repairs and text.
fn verdict(
    document: &mut Document,
    root: crate::document::NodeId,
    context: Context,
    repairs: &Repairs,
) -> String {
    let mut repaired = Repaired::default();
    let mut checker = Checker::new(&VOCABULARY, repairs, &mut repaired, context);
    checker.resource(document, root, &VOCABULARY.types()[0]);
    let problems = format!("{:?}", checker.problems);
    let repaired: Vec<_> = repaired.iter().collect();
    format!("{problems}\n{repaired:?}\n{}", String::from_utf8_lossy(&document.write(root)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_passed_over_needs_no_look(value in resource(), context in 0..4_usize, lenient in any::<bool>()) {
        let context = [Context::Create, Context::Replace, Context::Patch, Context::Response][context];
        let mut repairs = Repairs::default();
        for repair in Repair::ALL.iter().filter(|_| lenient) {
            repairs.enable(repair.name(), "X");
        }
        let mut document = Document::new();
        let read = document.read(value.to_string().into(), &VOCABULARY, VOCABULARY.types()[0].root, 16);
        let root = read.unwrap();
        let copy = document.copy(root);
        let unread = verdict(&mut document, copy, context, &repairs);
        let seen = verdict(&mut document, root, context, &repairs);
        prop_assert_eq!(seen, unread, "{}", value);
    }
}
