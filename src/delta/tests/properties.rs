//! Laws of changes with generated resources: the difference of two states, applied to the first, makes the second.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(vocabulary);

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    // The differences of two states, applied to the first, make the second: but for the order of elements,
    // which means nothing in SCIM (RFC 7643 section 2.4), and for what has no value (section 2.5).
    #[test]
    fn applying_the_difference(a in user(), b in user()) {
        let vocabulary = &*VOCABULARY;
        let of = &vocabulary.types()[0];
        let mut document = Document::new();
        let mut read = |value: &Value| document.read(value.to_string().into(), vocabulary, of.root, 16).unwrap();
        let (old, new) = (read(&a), read(&b));
        let changes = diff(&mut document, old, new, vocabulary, of);
        // what is said is what a strict reader takes
        let patch = write(&changes, &document, vocabulary);
        let made = document.copy(old);
        prop_assert_eq!(apply(&changes, &mut document, made, vocabulary, false), Ok(()));
        let made: Value = serde_json::from_slice(&document.write(made)).unwrap();
        let patch = String::from_utf8(patch).unwrap();
        prop_assert_eq!(normalised(&made), normalised(&b), "by {}", &patch);
        if !changes.is_empty() {
            let mut document = Document::new();
            let root = document.read(patch.clone().into(), vocabulary, vocabulary.patch_op, 16).unwrap();
            let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
            let mut checker = Checker::new(vocabulary, &repairs, &mut repaired, Context::Patch);
            let changes = super::super::read(&mut document, root, of, &mut checker);
            prop_assert_eq!(&checker.problems, &[], "{}", &patch);
            let state = document.read(a.to_string().into(), vocabulary, of.root, 16).unwrap();
            prop_assert_eq!(apply(&changes, &mut document, state, vocabulary, false), Ok(()));
            let made: Value = serde_json::from_slice(&document.write(state)).unwrap();
            prop_assert_eq!(normalised(&made), normalised(&b), "read again from {}", &patch);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // P-27, P-29, P-30: what an operation has done it does not do again. RFC 7644 section 3.5.2.1: a value that is
    // there already changes nothing; what is removed is gone; a replacement is what it is.
    #[test]
    fn an_operation_is_idempotent(state in user(), operation in operation()) {
        let vocabulary = &*VOCABULARY;
        let of = &vocabulary.types()[0];
        let Ok(Read { mut document, changes, .. }) =
            read(vocabulary, &message(&operation.to_string()), &Repairs::default())
        else { return Ok(()) };
        let root = document.read(state.to_string().into(), vocabulary, of.root, 16).unwrap();
        if apply(&changes, &mut document, root, vocabulary, false).is_err() {
            return Ok(());
        }
        let once: Value = serde_json::from_slice(&document.write(root)).unwrap();
        let again = apply(&changes, &mut document, root, vocabulary, false);
        // A filter may select nothing any more once its own operation has been carried out.
        if again.is_ok() {
            let twice: Value = serde_json::from_slice(&document.write(root)).unwrap();
            prop_assert_eq!(once, twice, "{} upon {}", &operation, &state);
        } else {
            prop_assert!(operation["path"].as_str().is_some_and(|path| path.contains('[')), "{}", &operation);
        }
    }

    // S-12: whatever is added, no list has the same value with the same type twice
    #[test]
    fn an_addition_doubles_nothing(state in user(), value in list()) {
        let vocabulary = &*VOCABULARY;
        let of = &vocabulary.types()[0];
        let operation = json!({ "op": "add", "path": "emails", "value": value });
        let Read { mut document, changes, .. } =
            read(vocabulary, &message(&operation.to_string()), &Repairs::default()).unwrap();
        let root = document.read(state.to_string().into(), vocabulary, of.root, 16).unwrap();
        prop_assert_eq!(apply(&changes, &mut document, root, vocabulary, false), Ok(()));
        let made: Value = serde_json::from_slice(&document.write(root)).unwrap();
        let mut seen = BTreeSet::new();
        for element in made["emails"].as_array().into_iter().flatten() {
            let pair = (element["value"].to_string(), element["type"].to_string());
            prop_assert!(seen.insert(pair), "{} upon {}", &operation, &state);
        }
    }
}

/// One operation of every kind, mostly one that can be carried out.
fn operation() -> impl Strategy<Value = Value> {
    let filter = select(vec![
        r#"emails[type eq "work"]"#,
        r#"emails[value eq "a"]"#,
        "emails[primary eq true]",
        r#"addresses[country eq "b"]"#,
    ]);
    let part = select(vec!["value", "display", "type"]);
    let single = select(vec!["title", "userName", "name.givenName", "unknown"]);
    let value = prop_oneof![
        word().prop_map(|value| (None, value)),
        (single, word()).prop_map(|(path, value)| (Some(path.to_owned()), value)),
        list().prop_map(|value| (Some("emails".to_owned()), value)),
        addresses().prop_map(|value| (Some("addresses".to_owned()), value)),
        (filter.clone(), part, word())
            .prop_map(|(filter, part, value)| (Some(format!("{filter}.{part}")), value)),
        (filter, word(), word()).prop_map(|(filter, value, display)| {
            (Some(filter.to_owned()), json!({ "value": value, "display": display, "primary": true }))
        }),
        word().prop_map(|value| (Some(format!("{E}:manager")), json!({ "value": value }))),
        user().prop_map(|value| (None, value)),
    ];
    (select(vec!["add", "replace", "remove"]), value).prop_map(|(op, (path, value))| {
        let mut operation = json!({ "op": op });
        if let Some(path) = path {
            operation["path"] = path.into();
        }
        if op != "remove" {
            operation["value"] = value;
        }
        operation
    })
}

fn member(
    name: &'static str,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(String, Value)>> {
    prop::option::of(value.prop_map(move |value| (name.to_owned(), value))).boxed()
}

fn object(members: Vec<BoxedStrategy<Option<(String, Value)>>>) -> impl Strategy<Value = Value> {
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect::<Map<_, _>>()))
}

fn word() -> impl Strategy<Value = Value> {
    select(vec!["a", "b", "A", "c"]).prop_map(Value::from)
}

/// Elements with values of their own, at most one of them primary.
fn list() -> impl Strategy<Value = Value> {
    let element = object(vec![
        member("value", select(vec!["a", "b", "c", "d"]).prop_map(Value::from)),
        member("type", select(vec!["work", "home", "other"]).prop_map(Value::from)),
        member("primary", any::<bool>().prop_map(Value::from)),
        member("display", word()),
    ]);
    prop::collection::vec(element, 0..5).prop_map(|mut elements| {
        let mut values = BTreeSet::new();
        elements
            .retain(|element| element["value"].is_string() && values.insert(element["value"].to_string()));
        let mut primaries = 0;
        for element in &mut elements {
            if element["primary"] == json!(true) {
                primaries += 1;
                if primaries > 1 {
                    element["primary"] = json!(false);
                }
            }
        }
        elements.into()
    })
}

/// Elements without anything that tells them apart for sure.
fn addresses() -> impl Strategy<Value = Value> {
    let element = object(vec![
        member("type", select(vec!["work", "home"]).prop_map(Value::from)),
        member("country", word()),
    ]);
    prop::collection::vec(element, 0..4).prop_map(|mut elements| {
        let mut seen = BTreeSet::new();
        elements.retain(|element| element != &json!({}) && seen.insert(element.to_string()));
        elements.into()
    })
}

fn user() -> impl Strategy<Value = Value> {
    let name = object(vec![member("givenName", word()), member("familyName", word())]);
    let manager =
        object(vec![member("value", word()), member("$ref", word()), member("displayName", word())]);
    let enterprise =
        object(vec![member("department", word()), member("manager", manager), member("x", word())]);
    let acme = object(vec![
        member(
            "tags",
            prop::collection::btree_set(word().prop_map(|word| word.to_string()), 0..3).prop_map(|tags| {
                tags.into_iter().map(|tag| serde_json::from_str::<Value>(&tag).unwrap()).collect()
            }),
        ),
        member("level", (0..3).prop_map(Value::from)),
    ]);
    object(vec![
        member("userName", word()),
        member("title", prop_oneof![word(), Just(Value::Null)]),
        member("active", any::<bool>().prop_map(Value::from)),
        member("name", name),
        member("emails", list()),
        member("addresses", addresses()),
        member("unknown", prop_oneof![word(), Just(json!({ "x": [1] })), Just(json!({ "x": [2] }))]),
        member(E, enterprise),
        member("urn:acme:ext:2.0", acme),
    ])
    .prop_map(|mut user| {
        // Names that are required stay.
        user.as_object_mut().unwrap().entry("userName").or_insert_with(|| json!("u"));
        user
    })
}

/// Without what the laws do not speak of: unassigned attributes, readOnly ones, the order of elements.
fn normalised(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .iter()
                .filter(|(name, _)| *name != "displayName")
                .map(|(name, value)| (name.clone(), normalised(value)))
                .filter(|(_, value)| !value.is_null() && *value != json!([]) && *value != json!({}))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(normalised).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        other => other.clone(),
    }
}
