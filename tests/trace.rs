//! The explanation of an exchange: what it says of each step, what it masks, and that nobody gets one unasked.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use scimlock::{Action, Effect, Exchange, Gateway, HostFacts, Input, Peer, Request};
use serde_json::{Value, json};

const PATCH: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
    {"op":"replace","path":"displayName","value":"Ada Lovelace"},
    {"op":"Replace","path":"active","value":"False"}]}"#;
const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":"True"}"#;

/// Two rules.
fn rules() -> Value {
    json!({ "User": [
        { "idp": "userType", "provider": "title", "values": { "Employee": "E", "Guest": "G" } },
        { "provider": "locale", "value": "de", "operations": ["create"] },
    ] })
}

/// An IdP with three repairs, where one of them stands, and this mapping.
fn gateway(mapping: &Value) -> Arc<Gateway> {
    let profile = json!({
        "extends": "generic",
        "idp": { "repairs": { "opCase": "R1", "stringBoolean": "R2", "filterBoolean": "R3" } },
        "evidence": { "/idp/repairs/stringBoolean": "verified: the manual" },
    });
    let config = json!({ "version": 1, "public_url": "https://scim.acme.example", "routes": { "main": {
        "idp": {
            "profile": profile,
            "path": "/scim/v2",
            "accept": [{ "bearer": {
                "name": "test",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "expires": "2035-12-31",
            } }],
        },
        "provider": { "profile": "generic", "url": "https://app.example/scim", "credential": { "bearer": "${X}" } },
        "mapping": mapping,
    } } });
    let secrets = BTreeMap::from([("X".to_owned(), "secret".to_owned())]);
    Arc::new(Gateway::compile(&config.to_string(), &secrets, HostFacts::default()).unwrap())
}

/// The steps of a request that ends with what is sent to the provider.
fn steps(how: impl FnOnce(Exchange) -> Exchange, method: &str, path: &str, body: Option<&str>) -> Vec<Value> {
    steps_of(gateway(&rules()), how, method, path, body)
}

fn steps_of(
    gateway: Arc<Gateway>,
    how: impl FnOnce(Exchange) -> Exchange,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> Vec<Value> {
    let mut exchange = how(Exchange::new(gateway, [7; 16]));
    let headers = [("host", "scim.acme.example"), ("authorization", "Bearer test")].into_iter().collect();
    let head = Request {
        method: method.into(),
        path: path.into(),
        headers,
        end: body.is_none(),
        peer: Peer::default(),
    };
    let mut action = exchange.handle(1_767_225_600_000, Input::Request(head));
    if let Some(body) = body {
        action = exchange.handle(1_767_225_600_000, Input::Body { bytes: body.into(), last: true });
    }
    assert!(matches!(action, Action::Forward { .. }), "{action:?}");
    let line = |effect| match effect {
        Effect::Trace(line) => {
            Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
        }
        Effect::Audit(_) | Effect::Metric { .. } | Effect::Gauge { .. } => None,
    };
    exchange.effects().into_iter().filter_map(line).collect()
}

fn named<'a>(steps: &'a [Value], kind: &str) -> Vec<&'a Value> {
    steps.iter().filter(|step| step["step"] == kind).collect()
}

#[test]
fn a_repair_says_what_it_was_and_why() {
    let steps = steps(|exchange| exchange.explained(true), "PATCH", "/scim/v2/Users/42", Some(PATCH));
    let repairs = named(&steps, "repair");
    let rules: Vec<&Value> = repairs.iter().map(|step| &step["rule"]).collect();
    assert_eq!(rules, ["R1", "R2"], "{steps:#?}");
    let text = repairs[1];
    assert_eq!(text["repair"], "stringBoolean");
    assert_eq!(text["operation"], 1);
    assert_eq!(text["path"], "active");
    assert_eq!(text["before"]["value"], "False");
    assert_eq!(text["after"][0]["value"], false);
    assert_eq!(text["rfc"], "RFC 7643 section 2.3.2");
    assert_eq!((&text["evidence"], &repairs[0]["evidence"]), (&"verified: the manual".into(), &Value::Null));
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"request"), Some(&"call")));
    let call = named(&steps, "call")[0];
    assert_eq!(call["method"], "PATCH");
    assert_eq!(call["body"]["Operations"][0]["value"], "Ada Lovelace");
}

#[test]
fn a_rule_says_what_it_made_of_what() {
    let user = USER.replace(r#""active":"True""#, r#""userType":"Guest""#);
    let steps = steps(|exchange| exchange.explained(true), "POST", "/scim/v2/Users", Some(&user));
    let [table, constant] = named(&steps, "rule")[..] else { panic!("{steps:#?}") };
    let shown = |step: &Value| ["from", "to", "before", "after"].map(|name| step[name].clone());
    assert_eq!(shown(table), ["userType", "title", "Guest", "G"]);
    assert_eq!(table["rule"], "User rule 1");
    assert_eq!(shown(constant), [Value::Null, "locale".into(), Value::Null, "de".into()]);
}

#[test]
fn what_no_rule_carries_is_said() {
    let mapping = json!({ "unmapped": "drop", "User": [
        { "idp": "userName", "provider": "userName" },
        { "idp": "active", "provider": "active" },
        { "idp": "emails[type eq \"work\"].value", "provider": "emails[type eq \"work\"].value" },
        { "idp": "title", "drop": true },
        { "provider": "displayName", "value": "{name.givenName}", "operations": ["create"] },
    ], "Group": [{ "idp": "displayName", "provider": "displayName" }] });
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "7",
        "userName": "ada",
        "name": { "givenName": "Ada" },
        "emails": [{ "type": "work", "value": "a@b.example", "primary": true }, { "type": "home", "value": "c" }],
        "title": "Dr",
        "nickName": "A",
    });
    let asked = |method, path, body: &Value| {
        steps_of(
            gateway(&mapping),
            |exchange| exchange.explained(true),
            method,
            path,
            Some(&body.to_string()),
        )
    };
    let steps = asked("POST", "/scim/v2/Users", &user);
    let dropped = named(&steps, "dropped");
    let said: Vec<[&str; 2]> =
        dropped.iter().map(|step| ["path", "why"].map(|name| step[name].as_str().unwrap())).collect();
    let unmapped = "no rule takes it, and the route says `unmapped: drop`";
    assert_eq!(
        said,
        [
            ["emails.primary", "no rule takes this part of the list"],
            ["emails", "no rule takes this part of the list"],
            ["title", "User rule 4 says `drop: true`"],
            ["nickName", unmapped],
        ]
    );
    assert_eq!((&dropped[0]["value"], &dropped[3]["value"]), (&true.into(), &"A".into()));

    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "userName": "b", "nickName": "B" } }],
    });
    let steps = asked("PATCH", "/scim/v2/Users/7", &patch);
    let [nick] = named(&steps, "dropped")[..] else { panic!("{steps:#?}") };
    assert_eq!(
        (&nick["path"], &nick["why"], &nick["value"]),
        (&"nickName".into(), &unmapped.into(), &"B".into())
    );
}

#[test]
fn an_attribute_of_a_resource_is_shown_before_and_after() {
    let steps = steps(|exchange| exchange.explained(true), "POST", "/scim/v2/Users", Some(USER));
    let [repair] = named(&steps, "repair")[..] else { panic!("{steps:#?}") };
    assert_eq!(
        (&repair["rule"], &repair["before"], &repair["after"]),
        (&"R2".into(), &"True".into(), &true.into())
    );
}

#[test]
fn a_filter_is_shown_before_and_after() {
    let path = "/scim/v2/Users?filter=active%20eq%20%22True%22";
    let steps = steps(|exchange| exchange.explained(true), "GET", path, None);
    let [repair] = named(&steps, "repair")[..] else { panic!("{steps:#?}") };
    assert_eq!(
        (&repair["before"], &repair["after"]),
        (&r#"active eq "True""#.into(), &"active eq true".into())
    );
    let filter = named(&steps, "filter")[0];
    assert_eq!((&filter["before"], &filter["after"]), (&"active eq true".into(), &"active eq true".into()));
    assert_eq!(named(&steps, "call")[0]["filter"], "active eq true");
}

#[test]
fn values_are_masked_unless_asked_for() {
    for (method, path, body) in [
        ("PATCH", "/scim/v2/Users/42", Some(PATCH)),
        ("POST", "/scim/v2/Users", Some(USER)),
        ("GET", "/scim/v2/Users?filter=userName%20eq%20%22ada@example.com%22", None),
    ] {
        let masked = steps(|exchange| exchange.explained(false), method, path, body);
        let text = format!("{masked:?}").to_lowercase();
        assert!(!text.contains("lovelace") && !text.contains("ada@"), "{text}");
        assert!(masked.len() >= 2 && text.contains("***"), "{text}");
    }
}

#[test]
fn nobody_gets_a_trace_unasked() {
    assert_eq!(steps(|exchange| exchange, "PATCH", "/scim/v2/Users/42", Some(PATCH)), Vec::<Value>::new());
}
