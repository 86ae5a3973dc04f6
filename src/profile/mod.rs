//! Profiles: what is known of a product, as data. A route names one a side or extends one.

pub(crate) mod capability;
pub mod catalogue;
mod effective;
mod query;
mod schemas;
mod shown;
pub(crate) mod write;

pub use self::capability::{Capability, Support, Unsupported, Use, Way};
pub use self::effective::{Cell, State, effective};
pub(crate) use self::query::{
    FilterFacts, FormFacts, Logical, PagingFacts, ProjectionFacts, QueryFacts, SortFacts, Style,
};
pub(crate) use self::shown::ShownFacts;
pub use self::write::{Case, Effect, PatchFacts, Readable, Verb, WriteFacts};
use serde_json::{Map, Value};

use crate::config::{self, Item, Part, Problems};
use crate::path::is_name;
use crate::repair::{Repair, Repairs};
use crate::schema::TypeSource;

include!(concat!(env!("OUT_DIR"), "/data.rs"));

/// What a profile says, read and checked.
#[derive(Debug)]
pub struct Profile {
    /// The product's name as people know it.
    pub(crate) title: String,
    /// The product's version that the facts speak of.
    pub version: Option<String>,
    /// The kinds of resources, in order.
    pub(crate) types: Vec<TypeSource>,
    /// What the product sends beside the RFCs, as an IdP.
    pub(crate) repairs: Repairs,
    /// The attributes it finds resources by, as an IdP: resource type, and path with its place.
    pub(crate) matching: Vec<(String, Part)>,
    /// What of the capabilities it uses, as an IdP.
    pub uses: Vec<Use>,
    /// It wants the resource as the answer to a PATCH, as an IdP; nothing said: it takes both.
    pub patch_answer: Option<PatchAnswer>,
    /// It keeps to the interoperability profile (draft-zollner-scim-interop-profile), as an IdP.
    pub(crate) interop: bool,
    /// What the product can do, as a provider.
    pub(crate) provider: ProviderFacts,
}

/// What an IdP wants as the answer to a PATCH.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PatchAnswer {
    /// 200 with the resource.
    Resource,
    /// 204.
    Empty,
}

/// Who has versions of resources (RFC 7644 section 3.14).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Versions {
    /// Nothing is known: what the provider says is passed on, and nothing is promised.
    #[default]
    Unsaid,
    /// The provider has them.
    Passed,
    /// There are none.
    None,
    /// The gateway makes them from what it shows.
    Computed,
}

/// What a provider can do.
#[derive(Debug, Default)]
pub(crate) struct ProviderFacts {
    /// How it is written to.
    pub(crate) write: WriteFacts,
    /// What it takes of queries.
    pub(crate) query: QueryFacts,
    /// Who has versions of its resources.
    pub(crate) versions: Versions,
    /// What it wants to be shown.
    pub(crate) shown: ShownFacts,
    /// Its default mapping, with the place it stands at.
    pub(crate) mapping: Option<Part>,
}

impl Profile {
    /// Reads a profile: a name, or an object that may extend one.
    pub(crate) fn read(part: &Part, problems: &Problems<'_>) -> Option<Self> {
        let item = part.item(problems);
        let whole = Part { value: extended(part.value.clone(), &item, 0)?, pointer: part.pointer.clone() };
        read(&whole, problems)
    }
}

/// The value with everything it extends.
fn extended(value: Value, item: &Item<'_>, depth: usize) -> Option<Value> {
    let (base, own) = match value {
        Value::String(name) => (name, Map::new()),
        Value::Object(mut own) => match own.remove("extends") {
            None => return Some(Value::Object(own)),
            Some(Value::String(name)) => (name, own),
            Some(_) => {
                item.error(config::WRONG_KIND, "`extends` is not text", "write the name of a profile");
                return None;
            }
        },
        _ => {
            item.wrong("the name of a profile or an object that extends one", "write a name");
            return None;
        }
    };
    let names = PROFILES.iter().map(|(name, _)| *name);
    let Some((_, text)) = PROFILES.iter().find(|(name, _)| *name == base).filter(|_| depth < 8) else {
        let remedy = match config::nearest(&base, names.clone()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known profiles: {}", names.collect::<Vec<_>>().join(", ")),
        };
        item.error(config::BAD_VALUE, "there is no profile of this name", remedy);
        return None;
    };
    let base = extended(serde_json::from_str(text).ok()?, item, depth + 1)?;
    Some(merged(base, Value::Object(own)))
}

/// Objects member by member, everything else replaced; `null` takes a member away.
fn merged(base: Value, own: Value) -> Value {
    let (Value::Object(mut base), Value::Object(own)) = (base, own.clone()) else { return own };
    for (key, value) in own {
        match base.remove(&key) {
            _ if value.is_null() => {}
            Some(before) => {
                base.insert(key, merged(before, value));
            }
            None => {
                base.insert(key, value);
            }
        }
    }
    Value::Object(base)
}

fn read(part: &Part, problems: &Problems<'_>) -> Option<Profile> {
    let mut fields = part.item(problems).fields()?;
    let title = fields.text("title").unwrap_or_default().to_owned();
    let version = fields.opt_text("version").map(str::to_owned);
    let schemas = fields.opt_list("schemas");
    let usable = schemas::check(&schemas);
    let own: Vec<Value> = schemas.iter().map(|item| item.value.clone()).collect();
    let types = fields.need("resourceTypes").filter(|_| usable).and_then(|item| resource_types(&item, &own));
    let IdpFacts { mut repairs, matching, uses, patch_answer, interop } =
        fields.opt("idp").map(|item| idp(&item)).unwrap_or_default();
    let provider = fields.opt("provider").map(|item| provider(&item)).unwrap_or_default();
    if let Some(item) = fields.opt("evidence") {
        evidence(&item);
        repairs.explain(|name| item.value.get(format!("/idp/repairs/{name}"))?.as_str());
    }
    fields.finish();
    let types = types?;
    for schema in schemas {
        let id = schema.value.get("id").and_then(Value::as_str);
        let is = |document: &Value| document.get("id").and_then(Value::as_str) == id;
        let used = |of: &TypeSource| is(&of.schema) || of.extensions.iter().any(|(document, _)| is(document));
        if !types.iter().any(used) {
            schema.warn(
                config::SCHEMA,
                "no resource type uses this schema",
                "name it in `resourceTypes`, or remove it",
            );
        }
    }
    for (name, path) in &matching {
        if !types.iter().any(|of| of.name == *name) {
            let known = config::nearest(name, types.iter().map(|of| &*of.name));
            let remedy =
                known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
            path.item(problems).error(
                config::MATCHING,
                format!("there is no resource type `{name}`"),
                remedy,
            );
        }
    }
    Some(Profile { title, version, types, repairs, matching, uses, patch_answer, interop, provider })
}

fn resource_types(item: &Item<'_>, own: &[Value]) -> Option<Vec<TypeSource>> {
    let entries = item.entries()?;
    let count = entries.len();
    if entries.is_empty() {
        item.error(config::BAD_VALUE, "there is no resource type", "add `User`");
    }
    let mut types: Vec<TypeSource> = Vec::new();
    for (name, item) in entries {
        if !is_name(name) || ["unmapped", "inherit", "only"].contains(&name) {
            item.error(
                config::NAME,
                format!("`{name}` cannot be a resource type's name"),
                "write a word such as `User`",
            );
        }
        let Some(of) = resource_type(name, &item, own) else { continue };
        if types.iter().any(|other| other.endpoint == of.endpoint) {
            let message = format!("two resource types have the endpoint `{}`", of.endpoint);
            item.error(config::BAD_VALUE, message, "give each an endpoint of its own");
        }
        types.push(of);
    }
    (types.len() == count).then_some(types)
}

/// Where each fact comes from, for people: JSON pointers into the profile, and a text for each.
fn evidence(item: &Item<'_>) {
    for (pointer, item) in item.entries().unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        let said = ["verified: ", "third-party: ", "inferred: "].iter().any(|word| text.starts_with(word));
        if !said || !pointer.starts_with('/') {
            let message = "this is not a JSON pointer with the source of a fact";
            item.error(
                config::BAD_VALUE,
                message,
                "write `\"/pointer\": \"verified: source\"`, `third-party:` or `inferred:`",
            );
        }
    }
}

fn resource_type(name: &str, item: &Item<'_>, own: &[Value]) -> Option<TypeSource> {
    let mut fields = item.fields()?;
    let endpoint = fields.need("endpoint")?;
    let segment = endpoint.text()?.to_owned();
    if !segment.bytes().all(|byte| byte.is_ascii_alphanumeric()) || segment.is_empty() {
        endpoint.error(
            config::BAD_VALUE,
            "an endpoint is one word",
            "write it as in `Users`, without a slash",
        );
    }
    if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(&segment)) {
        let message = format!("`{segment}` is an endpoint of SCIM itself");
        endpoint.error(config::BAD_VALUE, message, "write another word");
    }
    let core = fields.need("schema").and_then(|item| schema(item.text()?, own, &item))?;
    let extensions = fields.opt("extensions").and_then(|item| item.entries()).unwrap_or_default();
    let extensions = extensions
        .into_iter()
        .filter_map(|(uri, item)| {
            let mut fields = item.fields()?;
            let required = fields.opt_bool("required").unwrap_or(false);
            fields.finish();
            Some((schema(uri, own, &item)?, required))
        })
        .collect();
    fields.finish();
    Some(TypeSource { name: name.to_owned(), endpoint: segment, schema: core, extensions })
}

/// The schema document of that URI: the profile's own, else the RFC's.
fn schema(uri: &str, own: &[Value], item: &Item<'_>) -> Option<Value> {
    let is = |document: &Value| document.get("id").and_then(Value::as_str) == Some(uri);
    let found = own.iter().find(|document| is(document)).cloned().or_else(|| standard_schema(uri));
    if found.is_none() {
        item.error(config::BAD_VALUE, "there is no schema of this URI", "add it to the profile's `schemas`");
    }
    found
}

/// What a profile says of an IdP.
#[derive(Default)]
struct IdpFacts {
    repairs: Repairs,
    matching: Vec<(String, Part)>,
    uses: Vec<Use>,
    patch_answer: Option<PatchAnswer>,
    interop: bool,
}

/// The schema of that URI that comes with the engine.
pub(crate) fn standard_schema(uri: &str) -> Option<Value> {
    let is = |document: &Value| document.get("id").and_then(Value::as_str) == Some(uri);
    SCHEMAS.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).find(is)
}

fn idp(item: &Item<'_>) -> IdpFacts {
    let mut facts = IdpFacts::default();
    let Some(mut fields) = item.fields() else { return facts };
    for (name, item) in fields.opt("repairs").and_then(|item| item.entries()).into_iter().flatten() {
        let Some(id) = item.text() else { continue };
        if !facts.repairs.enable(name, id) {
            let known = config::nearest(name, Repair::ALL.iter().map(|repair| repair.name()));
            let remedy =
                known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
            item.error(config::UNKNOWN_KEY, format!("there is no repair `{name}`"), remedy);
        }
    }
    for (name, item) in fields.opt("matching").and_then(|item| item.entries()).into_iter().flatten() {
        let paths = item.list().unwrap_or_default();
        let part = |item: &Item<'_>| Some(Part { value: item.text()?.into(), pointer: item.pointer.clone() });
        facts.matching.extend(paths.iter().filter_map(|item| Some((name.to_owned(), part(item)?))));
    }
    ways_in(&mut fields);
    facts.uses = fields.opt("capabilities").map(|item| capability::uses(&item)).unwrap_or_default();
    if let Some(mut answers) = fields.opt("answers").and_then(|item| item.fields()) {
        if let Some(patch) = answers.opt("patch") {
            facts.patch_answer = match patch.number() {
                Some(200) => Some(PatchAnswer::Resource),
                Some(204) => Some(PatchAnswer::Empty),
                Some(_) => {
                    patch.error(config::BAD_VALUE, "no IdP wants this status", "write 200 or 204");
                    None
                }
                None => None,
            };
        }
        answers.finish();
    }
    facts.interop = fields.opt_bool("interop").unwrap_or(false);
    fields.finish();
    facts
}

/// How an IdP can present itself: ways in that a route may name, and audiences that many of its tenants share.
fn ways_in(fields: &mut config::Fields<'_>) {
    for (_, item) in fields.opt("access").and_then(|item| item.entries()).into_iter().flatten() {
        let one = item.entries().is_some_and(|kinds| {
            kinds.len() == 1 && kinds[..].iter().all(|(_, kind)| kind.value.is_object())
        });
        if !one {
            item.error(config::BAD_VALUE, "this is not one way in", "write it as an entry of `accept`");
        }
    }
    for (_, item) in fields.opt("audiences").and_then(|item| item.entries()).into_iter().flatten() {
        for claim in item.list().unwrap_or_default() {
            claim.text();
        }
    }
}

fn provider(item: &Item<'_>) -> ProviderFacts {
    let mut facts = ProviderFacts::default();
    let Some(mut fields) = item.fields() else { return facts };
    facts.write = WriteFacts::read(&mut fields);
    facts.query = QueryFacts {
        filter: fields.opt("filter").map(|item| query::filter(&item)).unwrap_or_default(),
        paging: fields.opt("paging").map(|item| query::paging(&item)).unwrap_or_default(),
        sort: fields.opt("sort").map(|item| query::sort(&item)).unwrap_or_default(),
        projection: fields.opt("projection").map(|item| query::projection(&item)).unwrap_or_default(),
    };
    let words = [("passed", Versions::Passed), ("none", Versions::None), ("computed", Versions::Computed)];
    facts.versions = fields.opt("etag").and_then(|item| item.choice(&words)).unwrap_or_default();
    facts.shown = ShownFacts::read(&mut fields);
    facts.mapping =
        fields.opt("mapping").map(|item| Part { value: item.value.clone(), pointer: item.pointer.clone() });
    fields.finish();
    facts
}

/// Path segments that RFC 7644 section 3.2 gives a meaning.
const RESERVED: [&str; 5] = ["Bulk", "Me", "ResourceTypes", "Schemas", "ServiceProviderConfig"];

/// A profile as written, with everything it extends.
pub(crate) fn whole(item: &Item<'_>) -> Option<Value> {
    extended(item.value.clone(), item, 0)
}

/// Audiences that tokens of many tenants have, and the claims that tell those apart, from all profiles.
pub(crate) fn shared_audiences() -> Vec<(String, Vec<String>)> {
    let profiles = PROFILES.iter().filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok());
    let audiences = profiles.filter_map(|profile| profile.pointer("/idp/audiences")?.as_object().cloned());
    audiences
        .flatten()
        .map(|(audience, claims)| {
            let claims = claims.as_array().into_iter().flatten();
            (audience, claims.filter_map(Value::as_str).map(str::to_owned).collect())
        })
        .collect()
}

/// The names of all profiles that come with the engine.
pub fn names() -> Vec<&'static str> {
    PROFILES.iter().map(|(name, _)| *name).collect()
}

/// The text of a profile that comes with the engine.
#[cfg(test)]
pub(crate) fn source(name: &str) -> Option<&'static str> {
    PROFILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
