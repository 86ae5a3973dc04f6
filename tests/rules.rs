//! What rules promise, through the whole gateway: a change that reaches nothing is done only where the mapping says
//! so, and the examples' configurations leave nothing to be said.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use scimlock::{Call, Gateway, HostFacts, Response};
use serde_json::{Value, json};

use support::{Answer, Delivery, IdpRequest, drive, example, root};

#[test]
fn the_examples_leave_nothing_to_say() {
    let mut seen = 0;
    for folder in fs::read_dir(root("examples")).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        if !folder.path().join("scimlock.yaml").exists() {
            continue;
        }
        let gateway = example(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(gateway.warnings().0.is_empty(), "{name}: {}", gateway.warnings());
        seen += 1;
    }
    assert!(seen >= 3, "{seen} examples");
}

/// The operations of a PATCH, what the provider gets (`-`: nothing), and the answer's status or error.
#[test]
fn a_change_that_reaches_nothing_is_done_only_where_that_is_declared() {
    let work = r#"emails[type eq "work"]"#;
    let rules = json!([
        { "idp": "userName", "provider": "userName" },
        { "idp": "active", "provider": "active" },
        { "idp": "title", "provider": "title", "direction": "to_idp" },
        { "idp": "nickName", "provider": "nickName", "operations": ["create"] },
        { "idp": "locale", "drop": true },
        { "idp": format!("{work}.value"), "provider": format!("{work}.value") },
        { "idp": format!("{work}.display"), "provider": format!("{work}.display") },
        { "idp": r#"emails[type eq "home"].value"#, "provider": "displayName", "direction": "to_idp" },
    ]);
    let gateway = gateway(&json!({ "User": rules, "unmapped": "drop" }));
    let replace = |path: &str| json!({ "op": "replace", "path": path, "value": "x" });
    let remove = |path: &str| json!({ "op": "remove", "path": path });
    let title = "mutability `title` cannot be changed: the rule says `direction: to_idp` (User rule 3)";
    let home = r#"mutability `emails[type eq "home"].value` cannot be changed: the rule says `direction: to_idp` (User rule 8)"#;
    let display = format!(
        "mutability `{work}.display` cannot be removed: the provider requires `{work}.display` (User rule 7)"
    );
    let value = display.replace("display", "value").replace("rule 7", "rule 6");
    for (operations, sent, expected) in [
        (vec![replace("title")], "-", title),
        (vec![remove("title")], "-", title),
        (vec![replace("title"), replace("locale")], "-", title),
        (vec![replace("title"), replace("userName")], "userName", "204"),
        (vec![replace(r#"emails[type eq "home"].value"#)], "-", home),
        (vec![remove(r#"emails[type eq "other"]"#)], "-", "204"),
        (vec![replace("nickName")], "-", "204"),
        (vec![replace("locale")], "-", "204"),
        (vec![replace("timezone")], "-", "204"),
        (vec![replace("locale"), replace("nickName"), replace("timezone")], "-", "204"),
        // The IdP would still see an element with `display`, which the provider does not take without `value`.
        (vec![remove(&format!("{work}.value"))], "-", &value),
        // Nothing is left to see: the element goes as a whole, whatever the provider requires in it.
        (vec![remove(work)], work, "204"),
        (vec![remove(&format!("{work}.value")), remove(&format!("{work}.display"))], "emails", "204"),
        (vec![remove(&format!("{work}.display"))], "-", &display),
        (
            vec![json!({ "op": "replace", "path": "emails", "value": [{ "type": "other", "value": "x" }] })],
            "emails",
            "204",
        ),
    ] {
        let (mut calls, request) = (Vec::new(), patch(&operations));
        let response =
            drive(&gateway, 0, &request, Delivery::Whole, |call| answer(call, &mut calls)).unwrap();
        let detail: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let said = match (detail["scimType"].as_str(), detail["detail"].as_str()) {
            (Some(kind), Some(detail)) => format!("{kind} {detail}"),
            _ => response.status.to_string(),
        };
        assert!(said.starts_with(expected), "{operations:?}: {said}");
        let paths: Vec<&str> = calls.iter().filter_map(|call| call["path"].as_str()).collect();
        let expected: Vec<&str> = if sent == "-" { Vec::new() } else { vec![sent] };
        assert_eq!(paths, expected, "{operations:?}");
    }
}

fn gateway(mapping: &Value) -> Arc<Gateway> {
    let part = |name: &str| json!({ "name": name, "required": name != "type" });
    let text = |name: &str| json!({ "name": name });
    let attributes = json!([
        { "name": "userName", "required": true },
        { "name": "active", "type": "boolean" },
        text("title"), text("nickName"), text("displayName"),
        { "name": "emails", "type": "complex", "multiValued": true,
          "subAttributes": [part("value"), part("display"), part("type")] },
    ]);
    let config = json!({
        "version": 1,
        "public_url": "http://127.0.0.1:8080",
        "routes": { "r": {
            "idp": { "profile": "generic", "path": "/scim", "open": true },
            "provider": {
                "profile": {
                    "title": "App",
                    "schemas": [{ "id": "urn:example:User", "attributes": attributes }],
                    "resourceTypes": { "User": { "endpoint": "Users", "schema": "urn:example:User" } },
                },
                "url": "https://app.example/api",
                "credential": { "bearer": "${C}" },
            },
            "mapping": mapping,
        } },
    });
    let secrets = BTreeMap::from([("C".to_owned(), "provider-secret".to_owned())]);
    match Gateway::compile(&config.to_string(), &secrets, HostFacts::default()) {
        Ok(gateway) => Arc::new(gateway),
        Err(problems) => panic!("{problems}"),
    }
}

fn patch(operations: &[Value]) -> IdpRequest {
    let body =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    IdpRequest {
        method: "PATCH".to_owned(),
        path: b"/scim/Users/42".to_vec(),
        headers: [("content-type", "application/scim+json")].into_iter().collect(),
        body: Some(body.to_string().into_bytes()),
    }
}

/// Keeps the operations the provider gets.
fn answer(call: &Call, operations: &mut Vec<Value>) -> Answer {
    if call.method == "PATCH" {
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        operations.extend(body["Operations"].as_array().unwrap().iter().cloned());
        return Answer::Reply(Response { status: 204, headers: Default::default(), body: Vec::new() });
    }
    let state = json!({
        "schemas": ["urn:example:User"], "id": "42", "userName": "u", "active": true,
        "emails": [{ "type": "work", "value": "w", "display": "W" }],
    });
    let headers = [("content-type", "application/scim+json")].into_iter().collect();
    Answer::Reply(Response { status: 200, headers, body: state.to_string().into_bytes() })
}
