//! That what is asked of a provider and what is judged here are together just what the IdP asked for.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::Gateway;
use crate::document::Document;
use crate::filter::{Binder, Bound};
use crate::gateway::HostFacts;
use crate::repair::{Repaired, Repairs};
use crate::schema::{Checker, Context};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn gateway(facts: &Value, mapped: bool) -> Gateway {
    let mut route = json!({
        "idp": { "profile": "generic", "path": "/scim/v2", "accept": [
            { "bearer": { "name": "a", "sha256": "0".repeat(64), "expires": "2035-12-31" } } ] },
        "provider": { "url": "https://p.example", "profile": { "extends": "generic", "provider": { "filter": facts } } },
    });
    if mapped {
        route["provider"]["profile"] = json!({
            "title": "App",
            "provider": { "filter": facts },
            "schemas": [{ "id": CORE, "attributes": [
                { "name": "userName", "required": true }, { "name": "active", "type": "boolean" },
                { "name": "badge" }, { "name": "job" }, { "name": "kind" }, { "name": "mail" },
                { "name": "emails", "type": "complex", "multiValued": true, "subAttributes": [
                    { "name": "value" }, { "name": "type" } ] },
            ] }],
            "resourceTypes": { "User": { "endpoint": "Users", "schema": CORE } },
        });
        route["mapping"] = json!({ "unmapped": "drop", "User": [
            { "idp": "userName", "provider": "userName" },
            { "idp": "active", "provider": "active" },
            { "idp": "nickName", "provider": "badge", "transform": [{ "prefix": "N-" }] },
            { "idp": "title", "provider": "job" },
            { "idp": "userType", "provider": "kind", "values": { "a": "A1", "b": "B1" } },
            { "idp": "emails[type eq \"work\"].value", "provider": "mail" },
        ] });
    }
    let document =
        json!({ "version": 1, "public_url": "https://scim.acme.example", "routes": { "r": route } });
    let compiled = Gateway::compile(&document.to_string(), &[].into(), HostFacts::default());
    compiled.map_err(|problems| problems.to_string()).unwrap()
}

/// A route for each set of facts, without and with rules.
fn gateways() -> &'static [[Gateway; 2]] {
    static GATEWAYS: OnceLock<Vec<[Gateway; 2]>> = OnceLock::new();
    GATEWAYS.get_or_init(|| {
        facts().iter().map(|facts| [false, true].map(|mapped| gateway(facts, mapped))).collect()
    })
}

fn facts() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "operators": ["eq"], "logical": ["and"] }),
        json!({ "operators": ["eq", "sw"], "logical": [] , "valuePaths": false }),
        json!({ "operators": ["eq", "co", "pr"], "logical": ["or"], "valuePaths": false }),
        json!({ "operators": ["eq", "ne", "sw", "co"], "logical": ["and", "or", "not"], "valuePaths": false }),
        json!({ "operators": ["eq"], "logical": ["not"], "attributes": { "User": ["userName", "active"] } }),
        json!({ "logical": ["and", "or"], "attributes": { "User": ["userName", { "id": "id", "active": "active" }] } }),
    ]
}

fn filter() -> BoxedStrategy<String> {
    let text = || select(vec!["a", "b", "A1", "N", "N-a", ""]);
    let op = || select(vec!["eq", "ne", "co", "sw", "ew", "gt", "le"]);
    let name = || select(vec!["userName", "title", "nickName", "userType", "emails.value", "id", "unknown"]);
    let leaf = prop_oneof![
        4 => (name(), op(), text()).prop_map(|(name, op, text)| format!("{name} {op} \"{text}\"")),
        1 => select(vec!["active eq true", "active ne true", "title eq null", "nickName ne null"]).prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("{name} pr")),
        2 => (op(), text(), select(vec!["and", "or"]), select(vec!["type eq \"work\"", "not (type eq \"work\")", "type ne \"home\""]))
            .prop_map(|(op, text, join, kind)| format!("emails[value {op} \"{text}\" {join} {kind}]")),
        1 => (op(), text()).prop_map(|(op, text)| format!("emails[value {op} \"{text}\"]")),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone(), select(vec!["and", "or"]))
                .prop_map(|(a, b, join)| format!("({a}) {join} ({b})")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
    .boxed()
}

fn resource(mapped: bool) -> BoxedStrategy<Value> {
    let text = || prop::option::of(select(vec!["a", "b", "ab", "A1", "B1", "N-a", "N-", "N", "x"]));
    let mail = (text(), select(vec!["work", "home", ""]))
        .prop_map(|(value, kind)| json!({ "value": value.unwrap_or("b"), "type": Some(kind).filter(|kind| !kind.is_empty()) }));
    let mails = prop::collection::vec(mail, 0..3);
    (text(), text(), text(), text(), prop::option::of(any::<bool>()), mails)
        .prop_map(move |(name, title, nick, kind, active, mails)| {
            let names = match mapped {
                true => ["userName", "job", "badge", "kind", "mail"],
                false => ["userName", "title", "nickName", "userType", "locale"],
            };
            let mut resource = json!({ "schemas": [CORE], "id": name.unwrap_or("7"), "emails": mails });
            for (name, value) in names.into_iter().zip([name, title, nick, kind, title]) {
                if let Some(value) = value {
                    resource[name] = value.into();
                }
            }
            if let Some(active) = active {
                resource["active"] = active.into();
            }
            resource
        })
        .boxed()
}

fn bound(filter: &Filter, vocabulary: &Vocabulary) -> Bound {
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut binder = Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown: false };
    binder.resource(filter, &vocabulary.types()[0]).unwrap()
}

fn check(gateway: &Gateway, text: &str, resources: &[Value]) -> Result<(), TestCaseError> {
    let route = &gateway.routes[0];
    let (mapping, pair) = (&route.mapping, &route.mapping.pairs[0]);
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut checker = Checker::new(&mapping.idp, &repairs, &mut repaired, Context::Patch);
    let Ok(filter) = checker.read_filter(mapping.idp_type(pair).unwrap(), text) else { return Ok(()) };
    let whole = bound(&filter, &mapping.idp);
    let Ok(plan) = route.filters.plan(mapping, pair, &filter) else { return Ok(()) };
    for resource in resources {
        let mut document = Document::new();
        let root = mapping.provider.types()[0].root;
        let root = document.read(resource.to_string().into(), &mapping.provider, root, 32).unwrap();
        let view = mapping.view(pair, &mut document, root);
        let wanted = whole.matches(&document, view);
        let found = match &plan {
            Plan::Empty => false,
            Plan::Ask { asked, rest } => {
                let asks = |filter: &Option<Filter>| {
                    filter
                        .as_ref()
                        .is_none_or(|filter| bound(filter, &mapping.provider).matches(&document, root))
                };
                let judged =
                    rest.as_ref().is_none_or(|rest| bound(rest, &mapping.idp).matches(&document, view));
                asked.iter().any(asks) && judged
            }
        };
        prop_assert_eq!(found, wanted, "{} of {} by {:?}", text, resource, plan);
    }
    Ok(())
}

proptest! {
    // A case that failed once becomes a line of a table here, not a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // P-10, P-20: never wider, never narrower, whatever the provider takes
    #[test]
    fn plans_find_what_was_asked(
        number in 0..facts().len(), text in filter(), resources in prop::collection::vec(resource(false), 8)
    ) {
        check(&gateways()[number][0], &text, &resources)?;
    }

    #[test]
    fn plans_find_what_was_asked_through_rules(
        number in 0..facts().len(), text in filter(), resources in prop::collection::vec(resource(true), 8)
    ) {
        check(&gateways()[number][1], &text, &resources)?;
    }
}
