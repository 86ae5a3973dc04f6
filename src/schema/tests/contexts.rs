//! What is right depends on what a value is for: created, replaced, patched, or shown.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::source;
use crate::document::Document;
use crate::error::ScimError;
use crate::repair::{Repaired, Repairs};
use crate::schema::{Checker, Context, Uniqueness, Vocabulary};

/// A user with a required extension, and groups.
fn vocabulary() -> Vocabulary {
    let user = json!({ "id": "urn:t:user", "attributes": [
        { "name": "name", "required": true, "uniqueness": "server" },
        { "name": "badge", "required": true, "mutability": "immutable", "uniqueness": "global" },
        { "name": "secret", "required": true, "mutability": "writeOnly", "returned": "never" },
        { "name": "number", "required": true, "mutability": "readOnly" },
        { "name": "boss", "type": "reference", "referenceTypes": ["User"] },
        { "name": "page", "type": "reference", "referenceTypes": ["external"] },
        { "name": "any", "type": "reference" },
    ] });
    let extension = json!({ "id": "urn:t:more", "attributes": [{ "name": "unit", "required": true }] });
    let group = json!({ "id": "urn:t:group", "attributes": [{ "name": "title" }] });
    Vocabulary::build(&[source("User", user, vec![(extension, true)]), source("Group", group, Vec::new())])
        .unwrap()
}

/// What is wrong with a user, apart from what is not said.
fn said(context: Context, interop: bool, value: &Value) -> String {
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[0];
    let mut document = Document::new();
    let root = document.read(value.to_string().into_bytes(), &vocabulary, of.root, 9).unwrap();
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut checker = Checker::new(&vocabulary, &repairs, &mut repaired, context);
    checker.interop = interop;
    checker.resource(&mut document, root, of);
    if checker.problems.is_empty() { String::new() } else { ScimError::problems(&checker.problems).detail }
}

// S-03, S-15, S-17, S-21, S-26, S-30, P-22
#[test]
fn what_is_due_depends_on_the_context() {
    use Context::{Create, Patch, Replace, Response};
    let whole = json!({ "name": "n", "badge": "b", "secret": "s", "urn:t:more": { "unit": "u" } });
    let shown = json!({ "id": "1", "name": "n", "badge": "b", "number": "7", "urn:t:more": { "unit": "u" } });
    let without = |value: &Value, name: &str| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(name);
        value
    };
    for (context, value, problems) in [
        (Create, whole.clone(), ""),
        (
            Create,
            json!({}),
            "`name` is required; `badge` is required; `secret` is required; `urn:t:more` is required",
        ),
        (Create, without(&whole, "secret"), "`secret` is required"),
        (Create, without(&whole, "urn:t:more"), "`urn:t:more` is required"),
        // a client cannot write back what it cannot read
        (Replace, without(&whole, "secret"), ""),
        (Replace, without(&whole, "badge"), "`badge` is required"),
        // what the client may not set is no problem, and is not asked for
        (
            Create,
            json!({ "number": 5, "name": "n", "badge": "b", "secret": "s", "urn:t:more": { "unit": "u" } }),
            "",
        ),
        (Patch, json!({}), ""),
        (Response, shown.clone(), ""),
        (Response, without(&shown, "number"), "`number` is required"),
        (Response, without(&shown, "id"), "`id` is required"),
        (Response, whole, "`secret` must never be returned; `id` is required; `number` is required"),
    ] {
        assert_eq!(said(context, false, &value), problems, "{context:?} {value}");
    }
}

// S-09: a reference to a resource of another type is found by its address
#[test]
fn references_point_to_the_types_they_may() {
    let with = |name: &str, text: &str| {
        let mut value = json!({ "name": "n", "badge": "b", "secret": "s", "urn:t:more": { "unit": "u" } });
        value[name] = text.into();
        said(Context::Create, false, &value)
    };
    for (name, text, problem) in [
        ("boss", "https://x.example/scim/Users/1", ""),
        ("boss", "../Users/1", ""),
        ("boss", "Users/1/", ""),
        ("boss", "https://x.example/people/1", ""),
        ("boss", "https://x.example/scim/Groups/1", "`boss` must refer to a User"),
        ("boss", "/Groups/1?x=/Users/1", "`boss` must refer to a User"),
        ("boss", "not a uri", "`boss` must be a URI"),
        ("page", "https://x.example/Groups/1", ""),
        ("any", "https://x.example/Groups/1", ""),
    ] {
        assert_eq!(with(name, text), problem, "{name} {text}");
    }
}

// P-53: nothing that the schema does not have, whatever its depth; names that are none are not shown
#[test]
fn unknown_attributes_are_refused_by_the_interoperability_profile() {
    let value = json!({ "name": "n", "badge": "b", "secret": "s", "more": 1, "urn:t:more": { "unit": "u", "x": 1 },
        "urn:t:other": { "y": 1 } });
    assert_eq!(said(Context::Create, false, &value), "");
    let problems = said(Context::Create, true, &value);
    assert_eq!(
        problems,
        "`more` is not in the schema; `urn:t:more:x` is not in the schema; `a member` is not in the schema"
    );
}

// S-03
#[test]
fn characteristics_are_kept() {
    let vocabulary = vocabulary();
    let root = vocabulary.types()[0].root;
    let attribute = |name: &[u8]| vocabulary.attribute(vocabulary.lookup(root, name));
    assert_eq!(attribute(b"name").uniqueness, Uniqueness::Server);
    assert_eq!(attribute(b"badge").uniqueness, Uniqueness::Global);
    assert_eq!(attribute(b"secret").uniqueness, Uniqueness::None);
    assert_eq!(*attribute(b"boss").reference_types, ["User".into()]);
    let bad = json!({ "id": "urn:t:u", "attributes": [{ "name": "a", "uniqueness": "often" }] });
    let error = Vocabulary::build(&[source("T", bad, Vec::new())]).unwrap_err();
    assert_eq!((&*error.at, &*error.message), ("a", "`often` is not a uniqueness"));
}
