//! Schemas, rules, resources, changes and filters by chance: the same for the same number, on every machine.

use serde_json::{Map, Value, json};

use crate::filter::Op;

/// Chance, repeatable.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 24) % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

pub(super) const EXTENSION: &str = "urn:example:ext:1.0";
const TEXTS: [&str; 5] = ["t0", "t1", "t2", "n.a", "urn:example:ext:1.0:e"];
const SLOTS: [&str; 4] = [
    r#"mails[type eq "w"].value"#,
    r#"mails[type eq "w"].display"#,
    r#"mails[type eq "h"].value"#,
    r#"roles[type eq "h"].value"#,
];
const WORDS: [&str; 4] = ["p", "q", "pq", "qp"];

/// Some of the attributes there are; `userName` and `active` always.
pub(super) fn schema(dice: &mut Dice, extension: bool) -> Vec<Value> {
    let text = |name: &str| json!({ "name": name });
    let elements = |name: &str| {
        json!({ "name": name, "type": "complex", "multiValued": true, "subAttributes": [
            text("value"), text("type"), text("display"), { "name": "primary", "type": "boolean" },
        ] })
    };
    if extension {
        return vec![text("e"), text("f")];
    }
    let all = [
        text("t0"),
        text("t1"),
        text("t2"),
        json!({ "name": "flag", "type": "boolean" }),
        json!({ "name": "since", "type": "dateTime" }),
        json!({ "name": "tags", "multiValued": true }),
        json!({ "name": "n", "type": "complex", "subAttributes": [text("a"), text("b")] }),
        elements("mails"),
        elements("roles"),
    ];
    let mut chosen =
        vec![json!({ "name": "userName", "required": true }), json!({ "name": "active", "type": "boolean" })];
    chosen.extend(all.into_iter().filter(|_| !dice.once_in(10)));
    chosen
}

fn text_path(dice: &mut Dice) -> &'static str {
    if dice.once_in(3) { dice.one(&SLOTS) } else { dice.one(&TEXTS) }
}

/// One rule, which may make no sense.
fn rule(dice: &mut Dice) -> Vec<Value> {
    let (from, to) = (text_path(dice), text_path(dice));
    let steps = |dice: &mut Dice| {
        let mut steps = Vec::new();
        if dice.once_in(2) {
            steps.push(if dice.once_in(2) { json!("upper") } else { json!("lower") });
        }
        if dice.once_in(2) {
            steps.push(if dice.once_in(2) { json!({ "prefix": "X-" }) } else { json!({ "suffix": "-Y" }) });
        }
        if dice.once_in(4) {
            steps.push(json!("trim"));
        }
        if dice.once_in(4) {
            steps.insert(0, json!({ "values": { "p": "one", "q": "two", "pq": "three" } }));
        }
        steps
    };
    let list = |dice: &mut Dice| dice.one(&["tags", "mails", "roles"]);
    let condition = |dice: &mut Dice| {
        let path = dice.one(&["t0", "t1", "n.b", "mails.value", "urn:example:ext:1.0:f"]);
        match dice.below(3) {
            0 => format!("{path} pr"),
            1 => format!(r#"not ({path} eq "p")"#),
            _ => format!(r#"{path} sw "p""#),
        }
    };
    vec![match dice.below(14) {
        0 => json!({ "idp": from, "provider": to }),
        1 | 2 => {
            let steps = steps(dice);
            match steps.is_empty() {
                true => json!({ "idp": from, "provider": to }),
                false => json!({ "idp": from, "provider": to, "transform": steps }),
            }
        }
        3 => json!({ "idp": from, "provider": to, "values": { "p": "P", "q": "Q", "pq": "R" } }),
        4 => json!({ "idp": "flag", "provider": to, "transform": "boolean" }),
        5 => {
            json!({ "idp": "since", "provider": to, "transform": { "date": dice.one(&["date", "dd.MM.yyyy"]) } })
        }
        6 => json!({ "idp": from, "provider": list(dice), "transform": [{ "split": ";" }] }),
        7 => json!({ "idp": list(dice), "provider": to, "transform": [{ "join": ";" }] }),
        8 => json!({ "idp": list(dice), "provider": to, "transform": dice.one(&["first", "primary"]) }),
        9 => json!({ "idp": from, "provider": list(dice), "transform": "wrap" }),
        10 => match dice.below(3) {
            0 => json!({ "idp": "mails", "provider": dice.one(&["mails", "roles"]) }),
            1 => {
                json!({ "idp": dice.one(&["mails", "roles"]), "provider": "mails", "transform": [{ "prefix": "X-" }] })
            }
            _ => json!({ "idp": "n", "provider": "n" }),
        },
        11 => match dice.below(4) {
            0 => json!({ "provider": to, "value": "fixed", "operations": ["create"] }),
            1 => json!({ "provider": to, "default": "{userName}!" }),
            2 => json!({ "provider": to, "value": "{userName} of {t0}" }),
            _ => json!({ "idp": from, "drop": true }),
        },
        12 => json!({ "idp": from, "provider": to, "direction": dice.one(&["to_idp", "to_provider"]) }),
        _ => {
            let when = condition(dice);
            let first = json!({ "idp": from, "provider": to, "when": when });
            match dice.once_in(2) {
                true => return vec![first, json!({ "idp": text_path(dice), "provider": to })],
                false => first,
            }
        }
    }]
}

/// The configuration of a route.
pub(super) fn config(dice: &mut Dice) -> Value {
    let profile = |dice: &mut Dice| {
        json!({
            "title": "App",
            "schemas": [
                { "id": "urn:example:User", "attributes": schema(dice, false) },
                { "id": EXTENSION, "attributes": schema(dice, true) },
            ],
            "resourceTypes": { "User": {
                "endpoint": "Users", "schema": "urn:example:User", "extensions": { EXTENSION: {} },
            } },
        })
    };
    let unmapped = dice.one(&["pass", "pass", "drop"]);
    let mut rules: Vec<Value> = (0..=dice.below(5)).flat_map(|_| rule(dice)).collect();
    if unmapped == "drop" {
        rules.push(json!({ "idp": "userName", "provider": "userName" }));
        rules.push(json!({ "idp": "active", "provider": "active" }));
        rules.push(json!({ "idp": "t0", "provider": "t0" }));
    }
    json!({
        "version": 1, "public_url": "https://scim.acme.example",
        "routes": { "r": {
            "idp": { "profile": profile(dice), "path": "/scim/v2", "accept": [
                { "bearer": { "name": "a", "sha256": "0".repeat(64), "expires": "2035-12-31" } } ] },
            "provider": { "url": "https://p.example", "credential": { "bearer": "${TOKEN}" }, "profile": profile(dice) },
            "mapping": { "User": rules, "unmapped": unmapped },
        } },
    })
}

/// A text of the IdP's, or one that the provider has, be it from rules or from elsewhere.
fn word(dice: &mut Dice, provider: bool) -> Value {
    const THEIRS: [&str; 14] = [
        "P",
        "Q",
        "X-P",
        "x-q",
        "X-",
        "p-Y",
        "P-Y",
        "true",
        "FALSE",
        "2026-01-31",
        "31.01.2026",
        "X-one",
        "p;q",
        "TWO",
    ];
    json!(if provider && dice.once_in(2) { dice.one(&THEIRS) } else { dice.one(&WORDS) })
}

fn elements(dice: &mut Dice, provider: bool) -> Value {
    let kinds: Vec<&str> = ["w", "h", "o"].into_iter().filter(|_| dice.once_in(2)).collect();
    let mut list = Vec::new();
    for kind in kinds {
        let mut element = json!({ "type": kind });
        if !dice.once_in(5) {
            element["value"] = word(dice, provider);
        }
        if dice.once_in(3) {
            element["display"] = word(dice, provider);
        }
        list.push(element);
    }
    Value::Array(list)
}

/// A user of one side, with the attributes that its schema has.
pub(super) fn user(dice: &mut Dice, attributes: &[Value], provider: bool) -> Value {
    let mut user = json!({ "id": "42", "userName": word(dice, false) });
    let has = |name: &str| attributes.iter().any(|each| each["name"] == name);
    let mut put = |name: &str, value: Value| {
        if has(name) {
            user[name] = value;
        }
    };
    for name in ["t0", "t1", "t2"] {
        if dice.once_in(2) {
            put(name, word(dice, provider));
        }
    }
    for name in ["flag", "active"] {
        if dice.once_in(2) {
            put(name, json!(dice.once_in(2)));
        }
    }
    if dice.once_in(2) {
        put("since", json!(dice.one(&["2026-01-31T00:00:00Z", "1999-12-01T00:00:00Z"])));
    }
    if dice.once_in(2) {
        let mut tags: Vec<&str> = WORDS.into_iter().filter(|_| dice.once_in(3)).collect();
        tags.dedup();
        if !tags.is_empty() {
            put("tags", json!(tags));
        }
    }
    let mut name = Map::new();
    for part in ["a", "b"] {
        if dice.once_in(2) {
            name.insert(part.into(), word(dice, provider));
        }
    }
    if !name.is_empty() {
        put("n", Value::Object(name));
    }
    for name in ["mails", "roles"] {
        let list = elements(dice, provider);
        if list != json!([]) {
            put(name, list);
        }
    }
    let mut extension = Map::new();
    for part in ["e", "f"] {
        if dice.once_in(2) {
            extension.insert(part.into(), word(dice, provider));
        }
    }
    if !extension.is_empty() {
        user[EXTENSION] = Value::Object(extension);
    }
    user
}

/// One change: operation, path, value.
pub(super) fn change(dice: &mut Dice) -> (&'static str, &'static str, Option<Value>) {
    let op = dice.one(&["add", "replace", "remove"]);
    let some = |dice: &mut Dice, value: fn(&mut Dice) -> Value| (op != "remove").then(|| value(dice));
    let text = |dice: &mut Dice| word(dice, false);
    match dice.below(9) {
        0..=3 => {
            let path = if dice.once_in(8) { "n.b" } else { dice.one(&TEXTS) };
            (op, path, some(dice, text))
        }
        4 | 5 => (op, dice.one(&SLOTS), some(dice, text)),
        6 => match dice.below(3) {
            0 => (
                "remove",
                dice.one(&[r#"mails[type eq "w"]"#, r#"roles[type eq "h"]"#, r#"mails[value eq "p"]"#]),
                None,
            ),
            1 => ("remove", dice.one(&["mails", "roles", "tags", "n", "since"]), None),
            _ => (
                "replace",
                dice.one(&["mails", "roles"]),
                Some(elements(dice, false)).filter(|list| *list != json!([])),
            ),
        },
        7 => match dice.once_in(2) {
            true => ("add", "tags", Some(json!([dice.one(&WORDS)]))),
            false => ("add", dice.one(&["mails", "roles"]), Some(json!([{ "type": "o", "value": "new" }]))),
        },
        _ => ("replace", "flag", Some(json!(dice.once_in(2)))),
    }
}

/// A filter over users.
pub(super) fn filter(dice: &mut Dice, depth: usize) -> String {
    if depth > 0 {
        let inner = |dice: &mut Dice| filter(dice, depth - 1);
        match dice.below(5) {
            0 => return format!("({} and {})", inner(dice), inner(dice)),
            1 => return format!("({} or {})", inner(dice), inner(dice)),
            2 => return format!("not ({})", inner(dice)),
            _ => {}
        }
    }
    let literal = |dice: &mut Dice| dice.one(&["p", "q", "pq", "P", "x", "qp"]);
    let op = |dice: &mut Dice| Op::ALL[dice.below(Op::ALL.len())].as_str();
    match dice.below(9) {
        0..=2 => {
            let path = dice.one(&TEXTS);
            format!(r#"{path} {} "{}""#, op(dice), literal(dice))
        }
        3 => format!(
            "{} pr",
            dice.one(&[
                "t0",
                "t1",
                "n",
                "n.a",
                "n.b",
                "mails",
                "mails.value",
                "roles.display",
                "tags",
                "since"
            ])
        ),
        4 => {
            let path =
                dice.one(&["mails.value", "mails.type", "roles.value", "mails.display", "tags", "mails"]);
            format!(r#"{path} {} "{}""#, dice.one(&["eq", "ne", "sw", "co"]), dice.one(&["p", "q", "w", "h"]))
        }
        5 | 6 => {
            let list = dice.one(&["mails", "mails", "roles"]);
            let kind = dice.one(&["w", "h", "o"]);
            let (kinds, texts) = (dice.one(&["eq", "ne"]), dice.one(&["eq", "ne", "sw"]));
            match dice.below(4) {
                0 => format!(r#"{list}[type {kinds} "{kind}" and value {texts} "{}"]"#, literal(dice)),
                1 => format!(r#"{list}[type {kinds} "{kind}" and not (value {texts} "{}")]"#, literal(dice)),
                2 => format!(r#"{list}[value pr and display {texts} "{}"]"#, literal(dice)),
                _ => format!(r#"{list}[type {kinds} "{kind}" or value {texts} "{}"]"#, literal(dice)),
            }
        }
        7 => format!("flag eq {}", dice.once_in(2)),
        _ => format!(r#"since {} "2026-01-31T00:00:00Z""#, dice.one(&["eq", "ne", "gt", "le"])),
    }
}
