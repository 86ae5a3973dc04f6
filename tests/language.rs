//! The examples of `examples/README.md` are what the engine does: each is compiled, and its messages are sent.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use scimlock::{Call, Gateway, HostFacts, Response};
use serde_json::{Map, Value, json};

use support::{Answer, Delivery, IdpRequest, drive};

const PAGE: &str = include_str!("../examples/README.md");
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const HR: &str = "urn:example:hr";

/// One block of a page: what stands behind its fence, and its lines.
struct Block {
    kind: String,
    text: String,
}

/// The examples: the number and title of each, and its blocks.
fn examples() -> Vec<(String, Vec<Block>)> {
    let sections = PAGE.split("\n## ").skip(1);
    let blocks = |section: &str| -> Vec<Block> {
        let fenced = section.split("\n```").skip(1).step_by(2);
        fenced
            .map(|block| {
                let (kind, text) = block.split_once('\n').unwrap();
                Block { kind: kind.to_owned(), text: text.to_owned() }
            })
            .collect()
    };
    sections.map(|section| (section.lines().next().unwrap().to_owned(), blocks(section))).collect()
}

#[test]
fn ten_examples_do_what_they_show() {
    let examples = examples();
    assert_eq!(examples.len(), 10);
    for (title, blocks) in examples {
        let [rules, messages @ ..] = blocks.as_slice() else { panic!("{title}: no rules") };
        assert_eq!(rules.kind, "yaml", "{title}");
        assert!(!messages.is_empty(), "{title}: no message");
        let gateway = gateway(&title, &rules.text);
        for message in messages {
            let lines: Vec<&str> = message.text.lines().collect();
            let [idp, provider] = lines[..] else { panic!("{title}: a pair of lines is meant: {lines:?}") };
            match message.kind.as_str() {
                "json two-way" => {
                    created(&gateway, &title, idp, provider);
                    shown(&gateway, &title, idp, provider);
                }
                "json to-provider" => created(&gateway, &title, idp, provider),
                "patch" => patched(&gateway, &title, idp, provider),
                "filter" => asked(&gateway, &title, idp, provider),
                other => panic!("{title}: a block of kind `{other}`"),
            }
        }
    }
}

/// A new user of the IdP with these attributes reaches the provider with those.
fn created(gateway: &Arc<Gateway>, title: &str, idp: &str, provider: &str) {
    let mut sent = object(idp);
    sent.insert("schemas".into(), json!([USER]));
    sent.entry("userName").or_insert_with(|| "ada".into());
    let mut wanted = object(provider);
    let call = call(gateway, "POST", "/scim/Users", Some(Value::Object(sent.clone())));
    let mut got = object(str::from_utf8(&call.body).unwrap());
    got.shift_remove("schemas");
    assert_eq!(got.shift_remove("userName"), sent.get("userName").cloned(), "{title}");
    // Who is active is told by a rule of its own in these examples.
    if !wanted.contains_key("active") && !idp.contains("active") {
        got.shift_remove("active");
    }
    wanted.shift_remove("userName");
    assert_eq!(Value::Object(got), Value::Object(wanted), "{title}: {idp}");
}

/// A user of the provider with these attributes is shown to the IdP with those.
fn shown(gateway: &Arc<Gateway>, title: &str, idp: &str, provider: &str) {
    let mut has = object(provider);
    has.insert("schemas".into(), json!([USER, HR]));
    has.insert("id".into(), "42".into());
    has.insert("userName".into(), "ada".into());
    let body = Value::Object(has).to_string().into_bytes();
    let reply = Response {
        status: 200,
        headers: [("content-type", "application/scim+json")].into_iter().collect(),
        body,
    };
    let response = drive(gateway, 0, &request("GET", "/scim/Users/42", None), Delivery::Whole, |_| {
        Answer::Reply(reply.clone())
    });
    let seen = object(str::from_utf8(&response.unwrap().body).unwrap());
    for (name, value) in object(idp) {
        assert_eq!(seen.get(&name), Some(&value), "{title}: back, `{name}`");
    }
}

/// This operation of the IdP is that one at the provider.
fn patched(gateway: &Arc<Gateway>, title: &str, idp: &str, provider: &str) {
    let body = json!({ "schemas": [PATCH], "Operations": [Value::Object(object(idp))] });
    let call = call(gateway, "PATCH", "/scim/Users/42", Some(body));
    let got = object(str::from_utf8(&call.body).unwrap());
    assert_eq!(got["Operations"], json!([Value::Object(object(provider))]), "{title}: {idp}");
}

/// The provider is asked with this filter where the IdP asks with that.
fn asked(gateway: &Arc<Gateway>, title: &str, idp: &str, provider: &str) {
    let encoded: String = idp.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let call = call(gateway, "GET", &format!("/scim/Users?filter={encoded}"), None);
    let (_, query) = call.path.split_once("filter=").unwrap();
    let got = query.split('&').next().unwrap();
    let decoded = percent_encoding::percent_decode_str(got).decode_utf8().unwrap();
    assert_eq!(decoded, provider, "{title}");
}

/// The first call to the provider.
fn call(gateway: &Arc<Gateway>, method: &str, path: &str, body: Option<Value>) -> Call {
    let mut first = None;
    let response = drive(gateway, 0, &request(method, path, body), Delivery::Whole, |call| {
        first.get_or_insert_with(|| call.clone());
        let list = br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}"#;
        let body = if call.method == "GET" { list.to_vec() } else { Vec::new() };
        let status = if body.is_empty() { 204 } else { 200 };
        Answer::Reply(Response {
            status,
            headers: [("content-type", "application/scim+json")].into_iter().collect(),
            body,
        })
    });
    let response = response.unwrap();
    first.unwrap_or_else(|| {
        panic!("nothing was sent: {} {}", response.status, String::from_utf8_lossy(&response.body))
    })
}

fn request(method: &str, path: &str, body: Option<Value>) -> IdpRequest {
    IdpRequest {
        method: method.to_owned(),
        path: path.as_bytes().to_vec(),
        headers: body.iter().map(|_| ("content-type", "application/scim+json")).collect(),
        body: body.map(|body| body.to_string().into_bytes()),
    }
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A gateway with the rules of an example, and one for `userName`.
fn gateway(title: &str, rules: &str) -> Arc<Gateway> {
    let mut rules: Vec<Value> = serde_saphyr::from_str(rules).unwrap();
    rules.push(json!({ "idp": "userName", "provider": "userName" }));
    if !rules.iter().any(|rule| rule["idp"] == "active") {
        rules.push(json!({ "idp": "active", "provider": "active" }));
    }
    let text = |name: &str| json!({ "name": name, "type": "string" });
    let attributes = json!([
        text("mail"), text("grade"), text("label"), text("login"),
        { "name": "locked", "type": "boolean" },
        { "name": "tags", "type": "string", "multiValued": true },
    ]);
    let config = json!({
        "version": 1,
        "public_url": "http://127.0.0.1:8080",
        "routes": { "acme": {
            "idp": { "profile": "generic", "path": "/scim", "open": true },
            "provider": {
                "profile": {
                    "title": "App",
                    "schemas": [{ "id": HR, "name": "HR", "attributes": attributes }],
                    "resourceTypes": { "User": { "endpoint": "Users", "schema": USER, "extensions": { HR: {} } } },
                },
                "url": "https://app.example/api",
                "credential": { "bearer": "${C}" },
            },
            "mapping": { "inherit": false, "unmapped": "drop", "User": rules },
        } },
    });
    let secrets = BTreeMap::from([("C".to_owned(), "provider-secret".to_owned())]);
    let gateway = Gateway::compile(&config.to_string(), &secrets, HostFacts::default());
    Arc::new(gateway.unwrap_or_else(|problems| panic!("{title}: {problems}")))
}
