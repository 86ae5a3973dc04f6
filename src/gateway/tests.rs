//! Routes, good and bad, and every word said about their mappings and profiles.

use serde_json::{Value, json};

use super::*;
use crate::profile;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Rules added to a good mapping, or one change to its route (without `is`: the member is taken out), and all
/// that is said about it; pointers as seen from the route.
#[test]
fn problems_name_place_and_remedy() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("problems.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let mut route = good();
        if let Some(rules) = case.get("rules") {
            let list = route["mapping"]["User"].as_array_mut().unwrap();
            list.extend(rules.as_array().unwrap().iter().cloned());
        }
        if let Some(at) = case.get("at") {
            set(&mut route, at.as_str().unwrap(), case.get("is"));
        }
        let said = said(route);
        if json!(said) != case["says"] {
            wrong.push(format!("{case}\n  says {}", json!(said)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_built_in_profiles_go_together() {
    let is_idp = |name: &&str| {
        let text: Value = serde_json::from_str(profile::source(name).unwrap()).unwrap();
        text.get("idp").or_else(|| text.get("extends")).is_some()
    };
    for idp in profile::names().into_iter().filter(is_idp) {
        for provider in profile::names() {
            let mut route = good();
            route.as_object_mut().unwrap().remove("mapping");
            route["idp"]["profile"] = json!(idp);
            route["provider"]["profile"] = json!(provider);
            // Where deactivating deletes, a route has to say that it knows.
            route["deactivate"] = json!("delete");
            // That a provider never shows what is written to it is the provider's way, and worth a warning.
            let said = said(route).into_iter().filter(|line| !line.starts_with("warning [SL0609]"));
            assert_eq!(said.collect::<Vec<_>>(), [""; 0], "{idp} to {provider}");
        }
    }
}

/// Every token flow of every profile can be configured with what it says it needs, and with nothing less.
#[test]
fn the_token_flows_of_profiles_compile() {
    let mut flows = 0;
    for provider in profile::names() {
        let none = BTreeMap::new();
        let problems = Problems::new(&none);
        let part = Part { value: json!(provider), pointer: String::new() };
        let facts = Profile::read(&part, &problems).unwrap().provider.shown;
        for (flow, inputs) in facts.declared() {
            flows += 1;
            let given: Value = inputs
                .iter()
                .map(|name| (name.clone(), json!(input(name))))
                .collect::<serde_json::Map<_, _>>()
                .into();
            let mut route = good();
            route.as_object_mut().unwrap().remove("mapping");
            route["provider"]["profile"] = json!(provider);
            let others = said(route.clone());
            route["provider"]["credential"] = json!({ "flow": flow, "with": given });
            assert_eq!(said(route.clone()), others, "{provider} {flow}");
            route["provider"]["credential"]["with"] = json!({});
            if !others.is_empty() {
                // The rest of this route does not fit the provider: nothing more can be said of the flow.
                continue;
            }
            let lacking = said(route).iter().filter(|line| line.contains("SL0405")).count();
            assert_eq!(lacking, inputs.len(), "{provider} {flow}");
        }
    }
    assert!(flows >= 2, "{flows}");
}

/// A value that fits: keys are named so.
fn input(name: &str) -> &'static str {
    if name.ends_with("key") { "${KEY}" } else { "${TOKEN}" }
}

/// What is known of a product is told with its source, and of nothing that is not there.
#[test]
fn evidence_points_at_facts() {
    for name in profile::names() {
        let text = profile::source(name).unwrap();
        let profile: Value = serde_json::from_str(text).unwrap();
        for pointer in profile["evidence"].as_object().unwrap().keys() {
            assert!(profile.pointer(pointer).is_some(), "{name}: {pointer}");
        }
    }
}

fn good() -> Value {
    json!({
        "idp": { "profile": "generic", "path": "/scim/v2", "accept": [
            { "bearer": { "name": "a", "sha256": "0".repeat(64), "expires": "2035-12-31" } } ] },
        "provider": { "url": "https://p.example", "credential": { "bearer": "${TOKEN}" }, "profile": {
            "title": "App",
            "schemas": [{ "id": "urn:example:User", "attributes": [
                { "name": "userName", "required": true },
                { "name": "login" },
                { "name": "active", "type": "boolean" },
                { "name": "status" },
                { "name": "level", "type": "integer" },
                { "name": "hired", "type": "dateTime" },
                { "name": "role", "canonicalValues": ["ADMIN", "VIEWER"], "closed": true },
                { "name": "seen", "mutability": "readOnly" },
                { "name": "tags", "multiValued": true },
                { "name": "name", "type": "complex", "subAttributes": [
                    { "name": "givenName" }, { "name": "familyName" }, { "name": "formatted", "type": "boolean" } ] },
                { "name": "emails", "type": "complex", "multiValued": true, "subAttributes": [
                    { "name": "value", "required": true }, { "name": "type" }, { "name": "primary", "type": "boolean" } ] },
            ] }],
            "resourceTypes": { "User": { "endpoint": "Users", "schema": "urn:example:User" } },
        } },
        "mapping": {
            "User": [{ "idp": "userName", "provider": "userName" }, { "idp": "active", "provider": "active" }],
            "unmapped": "drop",
        },
    })
}

fn said(route: Value) -> Vec<String> {
    let document = json!({
        "version": 1, "public_url": "https://scim.acme.example", "routes": { "r": route },
    });
    let key = include_str!("../../tests/keys/rsa.pem");
    let secrets = [("TOKEN", "t0ken"), ("ROLE", "s3cret"), ("KEY", key)];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let compiled = Gateway::compile(&document.to_string(), &secrets, HostFacts::default());
    let problems = match &compiled {
        Ok(gateway) => gateway.warnings(),
        Err(problems) => problems,
    };
    assert!(!problems.to_string().contains("s3cret"), "{problems}");
    let lines = problems.to_string();
    lines.lines().map(|line| line.replacen("/routes/r/", "", 1)).collect()
}

/// Puts a value at a pointer below the route, or takes out what is there.
fn set(route: &mut Value, at: &str, is: Option<&Value>) {
    let (parent, key) = at.rsplit_once('/').unwrap_or(("", at));
    let pointer = if parent.is_empty() { String::new() } else { format!("/{parent}") };
    if route.pointer(&pointer).is_none() {
        set(route, parent, Some(&json!({})));
    }
    match (route.pointer_mut(&pointer).unwrap(), is) {
        (Value::Array(items), Some(is)) if key == items.len().to_string() => items.push(is.clone()),
        (Value::Array(items), Some(is)) => items[key.parse::<usize>().unwrap()] = is.clone(),
        (Value::Object(members), Some(is)) => drop(members.insert(key.to_owned(), is.clone())),
        (Value::Object(members), None) => drop(members.remove(key).unwrap()),
        (other, _) => panic!("{other}"),
    }
}
