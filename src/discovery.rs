//! What a route says of itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 section 4), written
//! once when the configuration is compiled. It is made from the route, never from the provider's own: what the
//! provider says of itself may be missing or wrong, and is not what the IdP gets.

use serde_json::{Map, Value, json};

use crate::http::url::Url;
use crate::mapping::{Mapping, Pair, Reach};
use crate::message::list_response;
use crate::operation::MAX_OPERATIONS;
use crate::profile::{self, Profile};
use crate::schema::{AttrId, TypeSource};

/// The discovery resources of a route, as text.
#[derive(Debug)]
pub(crate) struct Discovery {
    config: String,
    types: Vec<(String, String)>,
    schemas: Vec<(String, String)>,
}

/// What a route offers beside its resources, for ServiceProviderConfig.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The largest request in bytes.
    pub(crate) max_body: u64,
    /// The most resources of one answer.
    pub(crate) max_results: u64,
    pub(crate) sort: bool,
    pub(crate) etag: bool,
    /// Ways of paging (RFC 9865); nothing said: by index, as RFC 7644 has it.
    pub(crate) pagination: Option<Pagination>,
    /// How the IdP may authenticate, in order of preference.
    pub(crate) schemes: Vec<&'static AuthenticationScheme>,
}

/// Ways of paging (RFC 9865 section 4).
#[derive(Debug)]
pub(crate) struct Pagination {
    pub(crate) cursor: bool,
    pub(crate) index: bool,
    pub(crate) default_page_size: Option<u64>,
    pub(crate) max_page_size: Option<u64>,
    /// Seconds that a cursor stays good for at least.
    pub(crate) cursor_timeout: Option<u64>,
}

/// A way to authenticate (RFC 7643 section 5).
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct AuthenticationScheme {
    kind: &'static str,
    name: &'static str,
    description: &'static str,
    spec: &'static str,
}

impl AuthenticationScheme {
    /// A token that is as it was given.
    pub(crate) const BEARER: Self = Self {
        kind: "oauthbearertoken",
        name: "OAuth Bearer Token",
        description: "A bearer token in the Authorization header field",
        spec: "https://www.rfc-editor.org/info/rfc6750",
    };

    /// A user's name and password.
    pub(crate) const BASIC: Self = Self {
        kind: "httpbasic",
        name: "HTTP Basic",
        description: "A user's name and password in the Authorization header field",
        spec: "https://www.rfc-editor.org/info/rfc7617",
    };
}

impl Discovery {
    pub(crate) fn new(
        mapping: &Mapping,
        idp: &Profile,
        provider: &Profile,
        base: &Url,
        offer: &Offer,
    ) -> Self {
        let (mut types, mut schemas): (Vec<_>, Vec<(String, String)>) = (Vec::new(), Vec::new());
        let mut change_password = false;
        for pair in mapping.pairs.iter().filter(|pair| pair.provider.is_some()) {
            let (Some(facts), Some(of)) = (idp.types.get(pair.idp), mapping.idp_type(pair)) else { continue };
            let other = provider.types.iter().filter(|each| each.name == facts.name);
            let extensions = facts.extensions.iter().chain(other.flat_map(|each| &each.extensions));
            let mut served = Vec::new();
            for (document, required) in extensions {
                let uri = id(document);
                let root = mapping.idp.lookup(of.root, uri.as_bytes());
                let known = served.iter().any(|(known, _): &(String, bool)| known.eq_ignore_ascii_case(&uri));
                if !known && push_schema(&mut schemas, document, mapping, pair, root, base) {
                    served.push((uri, *required));
                }
            }
            push_schema(&mut schemas, &facts.schema, mapping, pair, of.root, base);
            types.push((facts.name.clone(), resource_type(facts, &served, base).to_string()));
            let password = mapping.idp.lookup(of.root, b"password");
            change_password |= !pair.identity && mapping.reach(pair, password).update;
        }
        // Core schemas first, then extensions, then those of discovery itself.
        schemas.sort_by_key(|(uri, _)| !uri.starts_with(CORE));
        for uri in ["ServiceProviderConfig", "ResourceType", "Schema"].map(|name| format!("{CORE}{name}")) {
            let Some(mut document) = profile::standard_schema(&uri) else { continue };
            if let Some(document) = document.as_object_mut() {
                document.insert("meta".to_owned(), schema_meta(&uri, base));
            }
            schemas.push((uri, document.to_string()));
        }
        let config = service_provider_config(base, offer, change_password).to_string();
        Self { config, types, schemas }
    }

    /// The body for an endpoint, or for one resource of it.
    pub(crate) fn answer(&self, endpoint: &str, id: Option<&str>) -> Option<Vec<u8>> {
        let list = match endpoint {
            "ServiceProviderConfig" => return id.is_none().then(|| self.config.clone().into_bytes()),
            "ResourceTypes" => &self.types,
            "Schemas" => &self.schemas,
            _ => return None,
        };
        match id {
            None => Some(list_response(&list.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>())),
            Some(id) => {
                let found = list.iter().find(|(known, _)| known.eq_ignore_ascii_case(id));
                found.map(|(_, text)| text.clone().into_bytes())
            }
        }
    }
}

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

fn service_provider_config(base: &Url, offer: &Offer, change_password: bool) -> Value {
    let schemes = offer.schemes.iter().enumerate().map(|(index, scheme)| {
        json!({
            "type": scheme.kind,
            "name": scheme.name,
            "description": scheme.description,
            "specUri": scheme.spec,
            "primary": index == 0,
        })
    });
    let mut config = json!({
        "schemas": [format!("{CORE}ServiceProviderConfig")],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": offer.max_body },
        "filter": { "supported": true, "maxResults": offer.max_results },
        "changePassword": { "supported": change_password },
        "sort": { "supported": offer.sort },
        "etag": { "supported": offer.etag },
        "authenticationSchemes": schemes.collect::<Vec<_>>(),
    });
    if let (Some(paging), Some(config)) = (&offer.pagination, config.as_object_mut()) {
        let mut pagination = json!({
            "cursor": paging.cursor,
            "index": paging.index,
            "defaultPaginationMethod": if paging.index { "index" } else { "cursor" },
        });
        for (name, number) in [
            ("defaultPageSize", paging.default_page_size),
            ("maxPageSize", paging.max_page_size),
            ("cursorTimeout", paging.cursor_timeout),
        ] {
            if let (Some(number), Some(pagination)) = (number, pagination.as_object_mut()) {
                pagination.insert(name.to_owned(), number.into());
            }
        }
        config.insert("pagination".to_owned(), pagination);
    }
    if let Some(config) = config.as_object_mut() {
        let location = format!("{base}/ServiceProviderConfig");
        let meta = json!({ "resourceType": "ServiceProviderConfig", "location": location });
        config.insert("meta".to_owned(), meta);
    }
    config
}

fn resource_type(facts: &TypeSource, extensions: &[(String, bool)], base: &Url) -> Value {
    let extensions: Vec<Value> =
        extensions.iter().map(|(uri, required)| json!({ "schema": uri, "required": required })).collect();
    let description = facts.schema.get("description").and_then(Value::as_str).unwrap_or(&facts.name);
    json!({
        "schemas": [format!("{CORE}ResourceType")],
        "id": facts.name,
        "name": facts.name,
        "description": description,
        "endpoint": format!("/{}", facts.endpoint),
        "schema": id(&facts.schema),
        "schemaExtensions": extensions,
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", facts.name) },
    })
}

/// Adds a schema with what the mapping leaves of it; false when that is nothing.
fn push_schema(
    schemas: &mut Vec<(String, String)>,
    document: &Value,
    mapping: &Mapping,
    pair: &Pair,
    parent: AttrId,
    base: &Url,
) -> bool {
    let uri = id(document);
    let attributes = attributes(document, "attributes", mapping, pair, parent);
    if attributes.is_empty() {
        return false;
    }
    if !schemas.iter().any(|(known, _)| *known == uri) {
        let schema = json!({
            "schemas": [format!("{CORE}Schema")],
            "id": uri,
            "name": document.get("name"),
            "description": document.get("description").cloned().unwrap_or_else(|| uri.clone().into()),
            "attributes": attributes,
            "meta": schema_meta(&uri, base),
        });
        schemas.push((uri, schema.to_string()));
    }
    true
}

fn schema_meta(uri: &str, base: &Url) -> Value {
    json!({ "resourceType": "Schema", "location": format!("{base}/Schemas/{uri}") })
}

/// The attributes of a document that the mapping reaches, as the IdP meets them.
fn attributes(document: &Value, key: &str, mapping: &Mapping, pair: &Pair, parent: AttrId) -> Vec<Value> {
    let all = document.get(key).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|attribute| {
        let name = attribute.get("name").and_then(Value::as_str)?;
        let attr = mapping.idp.lookup(parent, name.as_bytes());
        let reach = mapping.reach(pair, attr);
        if !(reach.read || reach.create || reach.update) {
            return None;
        }
        let mut shown = characteristics(attribute, reach);
        if attribute.get("subAttributes").is_some() {
            let parts = attributes(attribute, "subAttributes", mapping, pair, attr);
            if parts.is_empty() {
                return None;
            }
            shown.insert("subAttributes".to_owned(), parts.into());
        }
        Some(Value::Object(shown))
    })
    .collect()
}

/// All characteristics of an attribute (RFC 7643 section 2.2), defaults included, as far as the mapping goes.
fn characteristics(attribute: &Value, reach: Reach) -> Map<String, Value> {
    let word =
        |key: &str, default: &str| attribute.get(key).and_then(Value::as_str).unwrap_or(default).to_owned();
    let flag = |key: &str| attribute.get(key).and_then(Value::as_bool).unwrap_or(false);
    let (own, kind) = (word("mutability", "readWrite"), word("type", "string"));
    let mutability = match (reach.read, reach.create, reach.update) {
        (_, false, false) => "readOnly",
        (false, ..) => "writeOnly",
        (true, true, false) if own == "readWrite" => "immutable",
        _ => &own,
    };
    let returned = if reach.read { word("returned", "default") } else { "never".to_owned() };
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
    put("name", word("name", "").into());
    put("type", kind.clone().into());
    put("multiValued", flag("multiValued").into());
    put("description", word("description", &word("name", "")).into());
    put("required", (flag("required") || reach.required).into());
    for key in ["canonicalValues", "referenceTypes"] {
        if let Some(words) = attribute.get(key) {
            put(key, words.clone());
        }
    }
    if kind != "complex" {
        put("caseExact", (flag("caseExact") || kind == "binary" || kind == "reference").into());
    }
    put("mutability", mutability.into());
    put("returned", returned.into());
    put("uniqueness", word("uniqueness", "none").into());
    shown
}

fn id(document: &Value) -> String {
    document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::document::Document;
    use crate::repair::{Repaired, Repairs};
    use crate::schema::{Checker, Context, Vocabulary};
    use crate::{Gateway, HostFacts};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A route to a built-in profile.
    fn gateway(provider: &str, more: Value) -> Gateway {
        let profile = json!({ "extends": provider, "provider": more });
        let config = json!({
            "version": 1,
            "public_url": "http://127.0.0.1:8080",
            "routes": { "r": {
                "idp": { "profile": "generic", "path": "/scim", "open": true },
                "provider": { "profile": profile, "url": "https://app.example/api", "credential": { "bearer": "${C}" } },
                "deactivate": "reject",
            } },
        });
        let secrets = BTreeMap::from([("C".to_owned(), "secret".to_owned())]);
        Gateway::compile(&config.to_string(), &secrets, HostFacts::default()).unwrap()
    }

    // S-25, S-26, P-44: what discovery says is what the RFC's own schemas say it has to be
    #[test]
    fn discovery_keeps_to_its_own_schemas() {
        let source = |name: &str, endpoint: &str| TypeSource {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            schema: profile::standard_schema(&format!("{CORE}{name}")).unwrap(),
            extensions: Vec::new(),
        };
        let types = [
            source("ServiceProviderConfig", "ServiceProviderConfig"),
            source("ResourceType", "ResourceTypes"),
        ];
        let vocabulary = Vocabulary::build(&types).unwrap();
        let mut seen = 0;
        let emulated = json!({ "etag": "computed", "sort": false, "paging": { "max": 20 } });
        let built_in = profile::names().into_iter().map(|name| gateway(name, json!({})));
        for gateway in built_in.chain([gateway("generic", emulated)]) {
            let discovery = &gateway.routes[0].discovery;
            let texts = discovery.types.iter().map(|(_, text)| (1, text)).chain([(0, &discovery.config)]);
            for (of, text) in texts {
                let of = &vocabulary.types()[of];
                let mut document = Document::new();
                let root = document.read(text.clone().into_bytes(), &vocabulary, of.root, 9).unwrap();
                let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
                let mut checker = Checker::new(&vocabulary, &repairs, &mut repaired, Context::Response);
                checker.interop = true;
                checker.resource(&mut document, root, of);
                // There is one configuration, and it has no id; a route that is open has no way to authenticate.
                let exempt = ["id", "authenticationSchemes"];
                let config = &*of.name == "ServiceProviderConfig";
                checker.problems.retain(|problem| !config || !exempt.contains(&&*problem.path));
                assert_eq!(checker.problems, [], "{text}");
                seen += 1;
            }
        }
        assert!(seen > 2 * profile::names().len(), "{seen}");
    }

    // S-27: every attribute that is served is one the vocabulary has, with all of its characteristics
    #[test]
    fn schemas_are_complete() {
        let gateway = gateway("generic", json!({}));
        let route = &gateway.routes[0];
        let of = &route.mapping.idp.types()[0];
        let (_, text) = route.discovery.schemas.iter().find(|(uri, _)| **uri == *of.schema).unwrap();
        let schema: Value = serde_json::from_str(text).unwrap();
        let attributes = schema["attributes"].as_array().unwrap();
        assert_eq!(attributes.len(), 21);
        let mut all: Vec<&Value> = attributes.iter().collect();
        all.extend(attributes.iter().filter_map(|each| each["subAttributes"].as_array()).flatten());
        for attribute in all {
            for key in
                ["type", "multiValued", "description", "required", "mutability", "returned", "uniqueness"]
            {
                assert!(!attribute[key].is_null(), "{attribute} has no {key}");
            }
        }
        for uri in ["Schema", "ResourceType", "ServiceProviderConfig"].map(|name| format!("{CORE}{name}")) {
            assert!(route.discovery.answer("Schemas", Some(&uri)).is_some(), "{uri}");
        }
    }
}
