//! The laws of mappings, through the whole gateway: an IdP that writes back what it read changes nothing; what it
//! writes is what it reads; and a PATCH does to the provider's resource what it says of the IdP's view.
//!
//! The provider is a model with a PATCH evaluator of its own, so that the engine's cannot agree with itself.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use scimlock::{Call, Gateway, Headers, HostFacts, Response};
use serde_json::{Map, Value, json};

use support::{Answer, Delivery, IdpRequest, drive};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Mappings of different shapes; each keeps `userName` and `active`.
fn mappings() -> Vec<Value> {
    let work = r#"emails[type eq "work"].value"#;
    let home = r#"emails[type eq "home"].value"#;
    let department = format!("{ENTERPRISE}:department");
    let own = |mut rules: Vec<Value>, unmapped: &str| {
        if unmapped == "drop" {
            rules.push(json!({ "idp": "userName", "provider": "userName" }));
            rules.push(json!({ "idp": "active", "provider": "active" }));
        }
        let groups = [json!({ "idp": "displayName", "provider": "displayName" })];
        json!({ "unmapped": unmapped, "User": rules, "Group": groups })
    };
    vec![
        own(vec![], "pass"),
        own(vec![json!({ "idp": work, "provider": work })], "pass"),
        own(vec![json!({ "idp": work, "provider": "nickName" })], "pass"),
        own(vec![json!({ "idp": "nickName", "provider": work })], "pass"),
        own(vec![json!({ "idp": work, "provider": home })], "pass"),
        own(vec![json!({ "idp": "name.givenName", "provider": "name.familyName" })], "pass"),
        own(
            vec![
                json!({ "idp": "title", "provider": department }),
                json!({ "idp": "emails", "provider": "emails" }),
            ],
            "pass",
        ),
        own(
            vec![
                json!({ "idp": work, "provider": work }),
                json!({ "idp": home, "provider": "nickName" }),
                json!({ "idp": "name.givenName", "provider": "name.givenName" }),
                json!({ "provider": "userType", "value": "V", "operations": ["create"] }),
            ],
            "drop",
        ),
        own(
            vec![
                json!({ "idp": "title", "provider": "title" }),
                json!({ "idp": department, "provider": "displayName" }),
                json!({ "idp": "nickName", "provider": "userType", "values": { "p": "P", "q": "Q" } }),
                json!({ "idp": "displayName", "drop": true }),
            ],
            "drop",
        ),
    ]
}

/// The gateway of a mapping, for an IdP that needs no repairs, or for one whose value paths create elements.
fn gateway(index: usize, upserts: bool) -> &'static Arc<Gateway> {
    static GATEWAYS: LazyLock<Vec<[Arc<Gateway>; 2]>> = LazyLock::new(|| {
        mappings().iter().map(|mapping| [false, true].map(|upserts| compile(mapping, upserts))).collect()
    });
    &GATEWAYS[index][usize::from(upserts)]
}

fn compile(mapping: &Value, upserts: bool) -> Arc<Gateway> {
    let repairs = if upserts { json!({ "upsert": "E04" }) } else { json!({}) };
    let config = json!({
        "version": 1,
        "public_url": "http://127.0.0.1:8080",
        "routes": { "law": {
            "idp": { "profile": { "extends": "generic", "idp": { "repairs": repairs } }, "path": "/scim", "open": true },
            "provider": { "profile": "generic", "url": "https://app.example/api", "credential": { "bearer": "${C}" } },
            "mapping": mapping,
        } },
    });
    let secrets = BTreeMap::from([("C".to_owned(), "provider-secret".to_owned())]);
    Arc::new(Gateway::compile(&config.to_string(), &secrets, HostFacts::default()).unwrap())
}

/// A provider with one user.
struct Provider {
    user: Value,
    patches: usize,
}

impl Provider {
    fn answer(&mut self, call: &Call) -> Answer {
        match call.method {
            "GET" => {}
            "PATCH" => {
                self.patches += 1;
                let message: Value = serde_json::from_slice(&call.body).unwrap();
                for operation in message["Operations"].as_array().unwrap() {
                    apply(&mut self.user, operation, false);
                }
            }
            "PUT" => {
                self.patches += 1;
                let mut user: Value = serde_json::from_slice(&call.body).unwrap();
                user["id"] = json!("42");
                self.user = user;
            }
            other => panic!("{other}"),
        }
        let headers = Headers::from_iter([("content-type", "application/scim+json")]);
        Answer::Reply(Response { status: 200, headers, body: self.user.to_string().into_bytes() })
    }

    fn ask(&mut self, gateway: &Arc<Gateway>, method: &str, body: Option<&Value>) -> (u16, Value) {
        let request = IdpRequest {
            method: method.to_owned(),
            path: b"/scim/Users/42".to_vec(),
            headers: Headers::from_iter([("content-type", "application/scim+json")]),
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let response = drive(gateway, 0, &request, Delivery::Whole, |call| self.answer(call)).unwrap();
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }
}

/// One patch operation, by the letter of RFC 7644 section 3.5.2; `upsert` creates elements that are not there.
fn apply(user: &mut Value, operation: &Value, upsert: bool) {
    let (op, path) = (operation["op"].as_str().unwrap(), operation["path"].as_str().unwrap());
    let value = operation.get("value").cloned();
    let (schema, rest) = match path.strip_prefix(ENTERPRISE) {
        Some(rest) => (true, rest.trim_start_matches(':')),
        None => (false, path),
    };
    let object = user.as_object_mut().unwrap();
    object.retain(|_, value| !value.is_null());
    if schema && rest.is_empty() {
        return set(object, ENTERPRISE, op, value);
    }
    if schema {
        if !object.contains_key(ENTERPRISE) {
            object.insert(ENTERPRISE.into(), json!({}));
        }
        let extension = object[ENTERPRISE].as_object_mut().unwrap();
        set(extension, rest, op, value);
        if extension.is_empty() {
            object.remove(ENTERPRISE);
        }
        return;
    }
    let Some((list, rest)) = rest.split_once('[') else { return nested(object, rest, op, value) };
    let (filter, sub) = rest.split_once(']').unwrap();
    let mut words = filter.splitn(3, ' ');
    let (key, _, literal) = (words.next().unwrap(), words.next(), words.next().unwrap());
    let literal: Value = serde_json::from_str(literal).unwrap();
    let sub = sub.trim_start_matches('.');
    let elements = object.entry(list).or_insert(json!([])).as_array_mut().unwrap();
    let mut found = false;
    elements.retain_mut(|element| {
        if element[key] != literal {
            return true;
        }
        found = true;
        match (&value, sub) {
            (None, "") => return false,
            (_, "") => panic!("an element is not replaced here"),
            _ => set(element.as_object_mut().unwrap(), sub, op, value.clone()),
        }
        true
    });
    if !found && value.is_some() {
        assert!(upsert, "noTarget: {operation}");
        let mut element = Map::new();
        element.insert(key.into(), literal);
        set(&mut element, sub, op, value);
        elements.push(Value::Object(element));
    }
    if elements.is_empty() {
        object.remove(list);
    }
}

fn nested(object: &mut Map<String, Value>, path: &str, op: &str, value: Option<Value>) {
    let Some((attribute, sub)) = path.split_once('.') else { return set(object, path, op, value) };
    let inner = object.entry(attribute).or_insert(json!({})).as_object_mut().unwrap();
    set(inner, sub, op, value);
    if inner.is_empty() {
        object.remove(attribute);
    }
}

fn set(object: &mut Map<String, Value>, name: &str, op: &str, value: Option<Value>) {
    match (object.get_mut(name), value) {
        (_, None) => {
            object.remove(name);
        }
        (Some(Value::Array(list)), Some(Value::Array(more))) if op == "add" => {
            more.into_iter().for_each(|each| {
                if !list.contains(&each) {
                    list.push(each);
                }
            });
        }
        (_, Some(value)) => {
            object.insert(name.into(), value);
        }
    }
}

/// A resource as a set of facts: without `schemas` and `meta`, lists in one order, nothing empty.
fn facts(resource: &Value) -> Value {
    match resource {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| !["schemas", "meta"].contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), facts(value)))
                .filter(|(_, value)| !value.is_null() && *value != json!([]) && *value != json!({}))
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect(),
        ),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(facts).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        other => other.clone(),
    }
}

fn word() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("p")), Just(Some("q"))]
}

fn emails() -> impl Strategy<Value = Option<Value>> {
    let kinds = prop::sample::subsequence(vec!["work", "home", "other"], 0..=3);
    (kinds, "[ab]", any::<bool>(), prop_oneof![1 => Just(true), 5 => Just(false)]).prop_map(
        |(kinds, text, primary, null)| {
            let element = |(index, kind): (usize, &&str)| {
                let mut element = json!({ "type": kind, "value": format!("{text}{index}@x.example") });
                if primary && index == 0 {
                    element["primary"] = json!(true);
                }
                element
            };
            if null { Some(Value::Null) } else { Some(kinds.iter().enumerate().map(element).collect()) }
        },
    )
}

fn users() -> impl Strategy<Value = Value> {
    let name = (word(), word());
    let words = (word(), word(), word(), word(), word());
    (emails(), name, words, any::<Option<bool>>()).prop_map(|(emails, (given, family), words, active)| {
        let (title, nick, display, department, custom) = words;
        let mut user = json!({ "schemas": [CORE, ENTERPRISE], "id": "42", "userName": "u" });
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                user[name] = value;
            }
        };
        put("emails", emails);
        put(
            "name",
            Some(json!({ "givenName": given, "familyName": family })).filter(|_| given.or(family).is_some()),
        );
        put("title", title.map(Value::from));
        put("nickName", nick.map(Value::from));
        put("displayName", display.map(Value::from));
        put("custom", custom.map(Value::from));
        put("active", active.map(Value::from));
        put(ENTERPRISE, department.map(|department| json!({ "department": department })));
        user
    })
}

fn operations() -> impl Strategy<Value = Value> {
    let work = r#"emails[type eq "work"].value"#;
    let department = format!("{ENTERPRISE}:department");
    let plain = prop::sample::select(vec![
        "title".to_owned(),
        "nickName".into(),
        "name.givenName".into(),
        department,
        work.into(),
    ]);
    let one = prop_oneof![
        (plain.clone(), "[xyz]").prop_map(|(path, text)| {
            let text = if path.starts_with("emails") { format!("{text}@x.example") } else { text };
            json!({ "op": "replace", "path": path, "value": text })
        }),
        plain
            .prop_filter("a value is removed with its element", |path| !path.starts_with("emails"))
            .prop_map(|path| json!({ "op": "remove", "path": path })),
        Just(json!({ "op": "remove", "path": r#"emails[type eq "work"]"# })),
        any::<bool>().prop_map(|active| json!({ "op": "replace", "path": "active", "value": active })),
        Just(
            json!({ "op": "replace", "path": "emails", "value": [{ "type": "home", "value": "n@x.example" }] })
        ),
        Just(
            json!({ "op": "add", "path": "emails", "value": [{ "type": "other", "value": "o9@x.example" }] })
        ),
    ];
    prop::collection::vec(one, 1..4).prop_map(Value::from)
}

/// What an operation touches that a mapping does not carry: there the law speaks of nothing.
fn shown(view: &Value, mapping: &Value) -> Value {
    let mut view = facts(view);
    if mapping["unmapped"] == "drop" {
        let rules = mapping["User"].as_array().unwrap();
        let carried = |name: &str| {
            name == "id"
                || rules.iter().any(|rule| {
                    let path = rule["idp"].as_str().unwrap_or_default();
                    rule.get("provider").is_some()
                        && (path == name
                            || path.starts_with(&format!("{name}["))
                            || path.starts_with(&format!("{name}."))
                            || path.starts_with(&format!("{name}:")))
                })
        };
        view.as_object_mut().unwrap().retain(|name, _| carried(name));
        // Of these only what the rules name.
        let only = |path: &str| rules.iter().any(|rule| rule["idp"] == path);
        if let Some(emails) = view.get_mut("emails").and_then(Value::as_array_mut) {
            emails.retain(|each| only(&format!("emails[type eq {}].value", each["type"])));
            emails.iter_mut().for_each(|each| {
                each.as_object_mut().unwrap().retain(|name, _| name == "type" || name == "value");
            });
        }
        if let Some(name) = view.get_mut("name").and_then(Value::as_object_mut) {
            name.retain(|part, _| only(&format!("name.{part}")));
        }
    }
    facts(&view)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// put(view(p), p) = p
    #[test]
    fn what_was_read_and_is_written_back_changes_nothing(user in users(), index in 0..9_usize, upserts in any::<bool>()) {
        let gateway = gateway(index, upserts);
        let mut provider = Provider { user: user.clone(), patches: 0 };
        let (_, view) = provider.ask(gateway, "GET", None);
        let (status, answer) = provider.ask(gateway, "PUT", Some(&view));
        prop_assert_eq!(status, 200, "{}", answer);
        prop_assert_eq!(facts(&provider.user), facts(&user), "view {}", view);
        prop_assert!(index == 0 || provider.patches == 0, "view {}", view);
    }

    /// view(put(i, p)) = i
    #[test]
    fn what_was_written_is_read(user in users(), other in users(), index in 0..9_usize) {
        let gateway = gateway(index, false);
        let (_, wanted) = Provider { user: other, patches: 0 }.ask(gateway, "GET", None);
        let mut provider = Provider { user, patches: 0 };
        let (_, before) = provider.ask(gateway, "GET", None);
        let (status, answer) = provider.ask(gateway, "PUT", Some(&wanted));
        prop_assert_eq!(status, 200, "{}", answer);
        let (_, mut view) = provider.ask(gateway, "GET", None);
        if index != 0 && wanted.get("active").is_none() && before.get("active").is_some() {
            // A boolean that is left out is not cleared: `active` would be true again.
            view.as_object_mut().unwrap().remove("active");
        }
        prop_assert_eq!(facts(&view), facts(&wanted));
    }

    /// view(apply(map(d), p)) = apply(d, view(p))
    #[test]
    fn a_patch_does_what_it_says(user in users(), operations in operations(), index in 0..9_usize) {
        let mapping = &mappings()[index];
        let gateway = gateway(index, true);
        let mut provider = Provider { user: user.clone(), patches: 0 };
        let (_, mut expected) = provider.ask(gateway, "GET", None);
        for operation in operations.as_array().unwrap() {
            apply(&mut expected, operation, true);
        }
        let message = json!({ "schemas": [PATCH_OP], "Operations": operations });
        let (status, answer) = provider.ask(gateway, "PATCH", Some(&message));
        if status >= 400 {
            // Refused as a whole, with nothing changed.
            prop_assert_eq!(facts(&provider.user), facts(&user), "{}", answer);
            return Ok(());
        }
        let (_, view) = provider.ask(gateway, "GET", None);
        prop_assert_eq!(shown(&view, mapping), shown(&expected, mapping), "{}", provider.user);
    }
}
