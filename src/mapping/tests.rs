//! Every kind of rule in every direction: `cases.json`. A case has rules and, under `pairs`, resources of both sides
//! that become each other; `creates`, `views`, `puts` (provider, IdP, provider), `patches`, `filters` and `paths` (for projection and
//! sorting) go one way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Fired, Mapped, Mapping, Notes, Pair};
use crate::delta::{self, Change, Place};
use crate::document::{Document, NodeId};
use crate::filter::{Binder, Filter, Folded, Syntax};
use crate::path::{AttrPath, Path};
use crate::repair::{Repaired, Repairs};
use crate::schema::{AttrId, Problem};
use crate::{Gateway, HostFacts};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn every_kind_of_rule_in_every_direction() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let note = case["note"].as_str().unwrap();
        let known =
            ["note", "unmapped", "rules", "pairs", "creates", "views", "puts", "patches", "filters", "paths"];
        assert!(case.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{note}");
        let gateway = gateway(case);
        let mapping = &gateway.routes[0].mapping;
        let run = Run { mapping, pair: &mapping.pairs[0] };
        let mut check = |kind: &str, given: &Value, found: Value, expected: &Value| {
            if found != *expected {
                wrong.push(format!("{note}: {kind} {given}\n  is     {found}\n  not    {expected}"));
            }
        };
        let list = |kind: &str| case[kind].as_array().cloned().unwrap_or_default();
        for row in list("pairs") {
            check("create", &row[0], run.create(&row[0]), &row[1]);
            check("view", &row[1], run.view(&row[1]), &row[0]);
            check("put", &row, run.put(&row[1], &row[0]), &row[1]);
            check("put", &row[0], run.put(&json!({}), &row[0]), &row[1]);
        }
        list("creates").iter().for_each(|row| check("create", &row[0], run.create(&row[0]), &row[1]));
        list("views").iter().for_each(|row| check("view", &row[0], run.view(&row[0]), &row[1]));
        list("puts").iter().for_each(|row| check("put", row, run.put(&row[0], &row[1]), &row[2]));
        list("patches").iter().for_each(|row| check("patch", &row[0], run.patch(&row[0]), &row[1]));
        list("paths").iter().for_each(|row| check("paths", &row[0], run.paths(&row[0]), &row[1]));
        list("filters").iter().for_each(|row| check("filter", &row[0], run.filter(&row[0]), &row[1]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn gateway(case: &Value) -> Gateway {
    let text = |name: &str| json!({ "name": name });
    let list = |name: &str| {
        let parts =
            [text("value"), text("type"), text("display"), json!({ "name": "primary", "type": "boolean" })];
        json!({ "name": name, "type": "complex", "multiValued": true, "subAttributes": parts })
    };
    let profile = |attributes: Value, extension: Value| {
        let extension = json!({ "id": "urn:example:ext:1.0", "attributes": extension });
        json!({
            "title": "App",
            "schemas": [{ "id": "urn:example:User", "attributes": attributes }, extension],
            "resourceTypes": { "User": {
                "endpoint": "Users", "schema": "urn:example:User", "extensions": { "urn:example:ext:1.0": {} },
            } },
        })
    };
    let idp = json!([
        text("userName"), text("title"), text("nickName"), text("userType"),
        { "name": "active", "type": "boolean" },
        { "name": "since", "type": "dateTime" },
        { "name": "nicks", "multiValued": true },
        { "name": "name", "type": "complex", "subAttributes": [text("givenName"), text("familyName")] },
        list("emails"), list("roles"),
    ]);
    let provider = json!([
        text("userName"), text("first"), text("last"), text("mail"), text("tags2"),
        { "name": "flag", "type": "boolean" },
        { "name": "active", "type": "boolean" },
        { "name": "tags", "multiValued": true },
        list("emails"), list("roles"),
    ]);
    let mut rules = case["rules"].as_array().unwrap().clone();
    rules.push(json!({ "idp": "userName", "provider": "userName" }));
    if !rules.iter().any(|rule| rule["idp"] == "active") {
        rules.push(json!({ "idp": "active", "provider": "active" }));
    }
    let unmapped = case.get("unmapped").cloned().unwrap_or(json!("drop"));
    let config = json!({
        "version": 1, "public_url": "https://scim.acme.example",
        "routes": { "r": {
            "idp": { "profile": profile(idp, json!([text("cost")])), "path": "/scim/v2", "accept": [
                { "bearer": { "name": "a", "sha256": "0".repeat(64), "expires": "2035-12-31" } } ] },
            "provider": { "url": "https://p.example", "credential": { "bearer": "${TOKEN}" },
                "profile": profile(provider, json!([text("rank")])) },
            "mapping": { "User": rules, "unmapped": unmapped },
        } },
    });
    let secrets = BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]);
    let gateway = Gateway::compile(&config.to_string(), &secrets, HostFacts::default());
    gateway.unwrap_or_else(|problems| panic!("{}: {problems}", case["note"]))
}

struct Run<'a> {
    mapping: &'a Mapping,
    pair: &'a Pair,
}

impl Run<'_> {
    fn read(&self, document: &mut Document, resource: &Value, idp: bool) -> NodeId {
        let mut resource = resource.clone();
        resource["userName"] = json!("u");
        let (vocabulary, of) = match idp {
            true => (&self.mapping.idp, self.mapping.idp_type(self.pair)),
            false => (&self.mapping.provider, self.mapping.provider_type(self.pair)),
        };
        document.read(resource.to_string().into(), vocabulary, of.unwrap().root, 32).unwrap()
    }

    fn create(&self, given: &Value) -> Value {
        let mut document = Document::new();
        let root = self.read(&mut document, given, true);
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = self.mapping.create(self.pair, &mut document, root, notes);
        refused(&problems).unwrap_or_else(|| written(&document, new))
    }

    fn view(&self, given: &Value) -> Value {
        let mut document = Document::new();
        let root = self.read(&mut document, given, false);
        let view = self.mapping.view(self.pair, &mut document, root);
        written(&document, view)
    }

    fn put(&self, old: &Value, given: &Value) -> Value {
        let mut document = Document::new();
        let (old, root) = (self.read(&mut document, old, false), self.read(&mut document, given, true));
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = self.mapping.put(self.pair, &mut document, None, root, old, notes);
        refused(&problems).unwrap_or_else(|| written(&document, new))
    }

    /// The changes on the provider's side, `state`, or why it is refused.
    fn patch(&self, operations: &Value) -> Value {
        let mut document = Document::new();
        let changes: Vec<Change> =
            operations.as_array().unwrap().iter().map(|each| self.change(&mut document, each)).collect();
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let mapped =
            self.mapping.changes(self.pair, &mut document, &changes, false, true, &mut fired, &mut problems);
        if let Some(refused) = refused(&problems) {
            return refused;
        }
        let Mapped::Changes(changes) = mapped else { return json!("state") };
        let body: Value =
            serde_json::from_slice(&delta::write(&changes, &document, &self.mapping.provider)).unwrap();
        let operations = body["Operations"].as_array().cloned().unwrap_or_default();
        let row = |each: &Value| match each.get("value") {
            Some(value) => json!([each["op"], each["path"], value]),
            None => json!([each["op"], each["path"]]),
        };
        operations.iter().map(row).collect()
    }

    fn change(&self, document: &mut Document, operation: &Value) -> Change {
        let (vocabulary, of) = (&self.mapping.idp, self.mapping.idp_type(self.pair).unwrap());
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let path = operation[1].as_str().unwrap();
        let (Path::Attribute { attribute, filter }, _) = Path::parse(path, &Syntax::strict(&known)).unwrap()
        else {
            panic!("{path}")
        };
        let attr = vocabulary.resolve(of, &attribute);
        assert!(attr.is_known(), "{path}");
        let value = operation.get(2).map(|value| {
            let node = document.read(value.to_string().into(), vocabulary, AttrId::UNKNOWN, 32).unwrap();
            document.bind(node, vocabulary, attr);
            node
        });
        let list = vocabulary.top(attr);
        let place = match filter {
            None => Place::Attribute(attr),
            Some(filter) => {
                let sub = if list == attr { AttrId::UNKNOWN } else { attr };
                Place::Elements { attr: list, filter: *filter, sub }
            }
        };
        let op = match operation[0].as_str().unwrap() {
            "add" => delta::Op::Add,
            "replace" => delta::Op::Replace,
            _ => delta::Op::Remove,
        };
        Change { op, place, value }
    }

    /// What the view of an attribute is made of, and, after it, what it can be sorted by.
    fn paths(&self, text: &Value) -> Value {
        let (vocabulary, of) = (&self.mapping.idp, self.mapping.idp_type(self.pair).unwrap());
        let path = AttrPath::parse(text.as_str().unwrap(), &|uri| vocabulary.knows_schema(uri)).unwrap();
        let attr = vocabulary.resolve(of, &path);
        let made_of: Vec<String> =
            self.mapping.paths(self.pair, attr).iter().map(ToString::to_string).collect();
        json!([made_of, self.mapping.path(self.pair, attr).map(|path| path.to_string())])
    }

    /// The provider's filter, `everything`, `nothing` or why it is refused; `wider` where it finds more.
    fn filter(&self, text: &Value) -> Value {
        let (vocabulary, of) = (&self.mapping.idp, self.mapping.idp_type(self.pair).unwrap());
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let (filter, _) = Filter::parse(text.as_str().unwrap(), &Syntax::strict(&known)).unwrap();
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut binder =
            Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown: true };
        let bound = binder.resource(&filter, of).unwrap();
        match self.mapping.filter(self.pair, &bound.to_filter(vocabulary)) {
            Err(error) => json!(format!("refused: {error}")),
            Ok(asked) => {
                let filter = match asked.filter {
                    Folded::Constant(true) => "everything".to_owned(),
                    Folded::Constant(false) => "nothing".to_owned(),
                    Folded::Filter(filter) => filter.to_string(),
                };
                json!(if asked.exact { filter } else { format!("wider: {filter}") })
            }
        }
    }
}

fn refused(problems: &[Problem]) -> Option<Value> {
    let problem = problems.first()?;
    Some(json!(format!("refused: `{}` {}", problem.path, problem.message)))
}

fn written(document: &Document, node: NodeId) -> Value {
    let mut value: Value = serde_json::from_slice(&document.write(node)).unwrap();
    let members = value.as_object_mut().unwrap();
    members.retain(|name, value| !["schemas", "userName"].contains(&name.as_str()) && *value != json!([]));
    value
}
