//! What a route says of itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 section 4), written
//! once when the configuration is compiled.

use serde_json::{Value, json};

use crate::http::url::Url;
use crate::mapping::{Mapping, Pair};
use crate::message::list_response;
use crate::operation::MAX_OPERATIONS;
use crate::profile::Profile;
use crate::schema::{AttrId, TypeSource};

/// The discovery resources of a route, as text.
#[derive(Debug)]
pub(crate) struct Discovery {
    config: String,
    types: Vec<(String, String)>,
    schemas: Vec<(String, String)>,
}

impl Discovery {
    pub(crate) fn new(
        mapping: &Mapping,
        idp: &Profile,
        provider: &Profile,
        base: &Url,
        max_body: u64,
    ) -> Self {
        let served: Vec<(&TypeSource, &Pair)> = mapping
            .pairs
            .iter()
            .filter(|pair| pair.provider.is_some())
            .filter_map(|pair| Some((idp.types.get(pair.idp)?, pair)))
            .collect();
        let types =
            served.iter().map(|(facts, _)| (facts.name.clone(), resource_type(facts, base).to_string()));
        let mut schemas = Vec::new();
        for (facts, pair) in &served {
            let Some(of) = mapping.idp_type(pair) else { continue };
            let provider = provider.types.iter().filter(|each| each.name == facts.name);
            let extensions = facts.extensions.iter().chain(provider.flat_map(|each| &each.extensions));
            let documents =
                std::iter::once((&facts.schema, of.root)).chain(extensions.map(|(document, _)| {
                    let uri = id(document);
                    (document, mapping.idp.lookup(of.root, uri.as_bytes()))
                }));
            for (document, parent) in documents {
                let schema = schema(document, mapping, pair, parent, base);
                let shown =
                    schema.get("attributes").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
                if shown && !schemas.iter().any(|(known, _): &(String, String)| *known == id(document)) {
                    schemas.push((id(document), schema.to_string()));
                }
            }
        }
        Self { config: service_provider_config(base, max_body).to_string(), types: types.collect(), schemas }
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

fn service_provider_config(base: &Url, max_body: u64) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": max_body },
        "filter": { "supported": true, "maxResults": 200 },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A bearer token in the Authorization header field",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

fn resource_type(facts: &TypeSource, base: &Url) -> Value {
    let extensions: Vec<Value> = facts
        .extensions
        .iter()
        .map(|(document, required)| json!({ "schema": id(document), "required": required }))
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": facts.name,
        "name": facts.name,
        "endpoint": format!("/{}", facts.endpoint),
        "schema": id(&facts.schema),
        "schemaExtensions": extensions,
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", facts.name) },
    })
}

/// A schema document with the attributes the mapping shows.
fn schema(document: &Value, mapping: &Mapping, pair: &Pair, parent: AttrId, base: &Url) -> Value {
    let uri = id(document);
    let attributes: Vec<&Value> = document
        .get("attributes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|attribute| {
            let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
            mapping.shows(pair, mapping.idp.lookup(parent, name.as_bytes()))
        })
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": uri,
        "name": document.get("name"),
        "description": document.get("description").cloned().unwrap_or_else(|| uri.clone().into()),
        "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{uri}") },
    })
}

fn id(document: &Value) -> String {
    document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
