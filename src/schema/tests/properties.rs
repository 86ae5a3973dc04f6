//! Laws of checking with generated resources: the verdict depends on what is said, not on how it is written, and
//! what was repaired needs no second repair.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{CORE, ENTERPRISE, vocabulary};
use crate::document::Document;
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{Checker, Context, Vocabulary};

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(vocabulary);

/// Problems in order, the text that is left, and how much was repaired.
fn judged(text: String, context: Context, repairs: &Repairs) -> Option<(Vec<String>, Value, usize)> {
    let vocabulary = &*VOCABULARY;
    let of = &vocabulary.types()[0];
    let mut document = Document::new();
    let root = document.read(text.into_bytes(), vocabulary, of.root, 16).ok()?;
    let mut repaired = Repaired::default();
    let mut checker = Checker::new(vocabulary, repairs, &mut repaired, context);
    checker.resource(&mut document, root, of);
    let mut problems: Vec<String> =
        checker.problems.iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
    problems.sort();
    let left = serde_json::from_slice(&document.write(root)).unwrap();
    Some((problems, left, repaired.iter().count()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // S-01, S-04: blanks, escapes, the order of members and the case of names change nothing
    #[test]
    fn a_verdict_does_not_depend_on_the_writing(
        value in resource(),
        lenient in any::<bool>(),
        context in select(vec![Context::Create, Context::Replace, Context::Patch, Context::Response]),
    ) {
        let repairs = if lenient { all() } else { Repairs::default() };
        let plain = judged(value.to_string(), context, &repairs);
        let other = judged(rewritten(&value), context, &repairs);
        prop_assert_eq!(plain.map(|judged| judged.0), other.map(|judged| judged.0), "{}", value);
    }

    // S-13, S-14: what passed once passes again, and as it is
    #[test]
    fn repairs_are_made_once(value in resource(), lenient in any::<bool>()) {
        let repairs = if lenient { all() } else { Repairs::default() };
        let Some((problems, left, _)) = judged(value.to_string(), Context::Create, &repairs) else { return Ok(()) };
        if !problems.is_empty() {
            return Ok(());
        }
        let again = judged(left.to_string(), Context::Create, &repairs);
        prop_assert_eq!(again, Some((Vec::new(), left, 0)), "{}", value);
    }
}

fn all() -> Repairs {
    let mut repairs = Repairs::default();
    Repair::ALL.iter().for_each(|repair| assert!(repairs.enable(repair.name(), repair.name())));
    repairs
}

/// The same value: members the other way round, names in capitals, letters as escapes, blanks everywhere.
fn rewritten(value: &Value) -> String {
    let text = |text: &str| -> String {
        let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        format!("\"{}\"", escaped.collect::<String>())
    };
    match value {
        Value::Object(members) => {
            let members = members.iter().rev().map(|(name, value)| {
                format!("\t{} : {}", text(&name.to_ascii_uppercase()), rewritten(value))
            });
            format!("{{ {}\n}}", members.collect::<Vec<_>>().join(" , "))
        }
        Value::Array(elements) => {
            format!("[ {} ]", elements.iter().map(rewritten).collect::<Vec<_>>().join("\r\n,"))
        }
        Value::String(string) => text(string),
        other => other.to_string(),
    }
}

/// Right and wrong values for every sort of attribute.
fn value() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!("a"),
        json!(""),
        json!("True"),
        json!("2026-01-31T08:00:00Z"),
        json!("YQ=="),
        json!("https://x.example/Groups/1"),
        json!("Ab"),
        json!("ä\"\\\u{1}"),
        json!(1),
        json!(1.5),
        json!(true),
        json!(false),
        Value::Null,
        json!([]),
        json!({}),
    ]);
    let name =
        select(vec!["value", "type", "primary", "key", "must", "may", "locked", "secret", "$ref", "odd"]);
    leaf.prop_recursive(2, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..3).prop_map(object),
        ]
    })
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn resource() -> impl Strategy<Value = Value> {
    let core = select(vec![
        "active", "name", "emails", "title", "manager", "id", "meta", "groups", "password", "unknown",
    ]);
    let sorts = select(vec![
        "bool", "int", "dec", "time", "bin", "ref", "list", "closed", "exact", "fixed", "locked", "complex",
        "items",
    ]);
    let members = prop::collection::vec((core, value()), 0..4);
    let extension = prop::collection::vec((sorts, value()), 0..4);
    let schemas = select(vec![
        json!([CORE]),
        json!([CORE, "urn:t:1"]),
        json!(["urn:t:1", CORE, ENTERPRISE]),
        json!(["urn:x:y"]),
        Value::Null,
    ]);
    (members, extension, schemas, any::<bool>()).prop_map(|(members, extension, schemas, named)| {
        let mut resource = object(members);
        if !schemas.is_null() {
            resource["schemas"] = schemas;
        }
        if named {
            resource["userName"] = json!("u");
        }
        if !extension.is_empty() {
            resource["urn:t:1"] = object(extension);
        }
        resource
    })
}
