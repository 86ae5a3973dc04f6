//! What is done otherwise, pretended or stopped shows in the record and in metrics, without a value of an attribute.
use serde_json::{Value, json};

use scimlock::{Effect, Exchange, Headers, Input, Peer, Request};

use crate::support::{Outcome, example_with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

/// The record of a request that needs no provider, and the metrics beside the usual one.
fn record(with: &Value, method: &str, path: &str, body: Option<&Value>) -> Outcome<(Value, Vec<String>)> {
    let gateway = example_with("generic-to-generic", with)?;
    let mut exchange = Exchange::new(gateway, *b"0123456789abcdef");
    let headers: Headers =
        [("authorization", "Bearer test"), ("content-type", "application/json")].into_iter().collect();
    let (method, path, end) = (method.as_bytes().to_vec(), path.as_bytes().to_vec(), body.is_none());
    exchange.handle(
        1_767_225_600_000,
        Input::Request(Request { method, path, headers, end, peer: Peer::default() }),
    );
    if let Some(body) = body {
        let bytes = body.to_string().into_bytes();
        exchange.handle(1_767_225_600_000, Input::Body { bytes, last: true });
    }
    let (mut record, mut metrics) = (Value::Null, Vec::new());
    for effect in exchange.effects() {
        match effect {
            Effect::Audit(line) => record = serde_json::from_str(&line)?,
            Effect::Metric { name: "requests" | "repairs" | "access", .. }
            | Effect::Gauge { .. }
            | Effect::Trace(_) => {}
            Effect::Metric { name, labels, value } => metrics.push(format!("{name} {labels:?} {value}")),
        }
    }
    Ok((record, metrics))
}

// W-20
#[test]
fn what_is_pretended_is_recorded_and_counted() {
    let with = json!({ "routes": { "directory": {
        "unsupported": { "group.create": { "pretend": "groups live in the other directory" } },
    } } });
    let group =
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Harbour" });
    let (record, metrics) = record(&with, "POST", "/scim/v2/Groups", Some(&group)).unwrap();
    assert_eq!((&record["pretended"], &record["status"]), (&json!(["group.create"]), &json!(201)));
    assert_eq!(metrics, [r#"pretended [("route", "directory"), ("capability", "group.create")] 1"#]);
    assert!(!record.to_string().contains("Harbour"));
}

// W-13
#[test]
fn what_is_refused_leaves_no_pretence() {
    let with = json!({ "routes": { "directory": { "delete": "reject" } } });
    let (record, metrics) = record(&with, "DELETE", "/scim/v2/Users/u-1", None).unwrap();
    assert_eq!((&record["pretended"], &record["status"]), (&Value::Null, &json!(403)));
    assert!(metrics.is_empty());
}

#[test]
fn the_last_use_of_a_token_is_a_gauge() {
    let used = |authorization: Option<&'static str>| {
        let gateway = example_with("generic-to-generic", &json!({})).unwrap();
        let mut exchange = Exchange::new(gateway, [7; 16]);
        let headers: Headers = authorization.map(|value| ("authorization", value)).into_iter().collect();
        let (method, path) = (b"GET".to_vec(), b"/scim/v2/Users/u-1".to_vec());
        let request = Request { method, path, headers, end: true, peer: Peer::default() };
        exchange.handle(1_767_225_600_999, Input::Request(request));
        let gauge = |effect| match effect {
            Effect::Gauge { name, labels, value } => Some(format!("{name} {labels:?} {value}")),
            _ => None,
        };
        exchange.effects().into_iter().filter_map(gauge).collect::<Vec<_>>()
    };
    let [one] = &used(Some("Bearer test"))[..] else { panic!("one gauge") };
    assert!(one.starts_with("access_last_used") && one.ends_with(" 1767225600"), "{one}");
    assert!(used(Some("Bearer other")).is_empty() && used(None).is_empty());
}
