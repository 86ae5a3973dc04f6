//! What the provider answered, as the IdP may see it.

use super::{Bases, Kind, Operation, Result, Scene, json, not_found};
use crate::document::{Kind as Json, NodeId};
use crate::error::ScimError;
use crate::http::path::encode_segment;
use crate::http::{Response, url};

impl Operation {
    /// The answer to the IdP, from the provider's answer to the last call.
    pub(super) fn answer(&mut self, scene: &mut Scene<'_>, response: Response) -> Result<Response> {
        let kind = self.request.kind;
        if kind == Kind::Read && response.status == 304 {
            return Ok(with_etag(json(304, Vec::new()), &response));
        }
        self.succeeded(scene, &response)?;
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let answer = match kind {
            Kind::Delete => return Ok(json(204, Vec::new())),
            Kind::List | Kind::Search => {
                let root = self.received(scene, response.body.clone(), of.list)?;
                self.listed(scene, root)?
            }
            Kind::Patch | Kind::Replace if response.body.is_empty() => json(204, Vec::new()),
            Kind::Create | Kind::Read | Kind::Replace | Kind::Patch | Kind::Discovery | Kind::Bulk => {
                let root = self.received(scene, response.body.clone(), of.root)?;
                let status = if kind == Kind::Create { 201 } else { 200 };
                self.shown(scene, status, root, response.headers.get("location"))?
            }
        };
        Ok(with_etag(answer, &response))
    }

    /// Refuses what is not a success, in words that say whose fault it is.
    pub(super) fn succeeded(&self, scene: &Scene<'_>, response: &Response) -> Result<()> {
        let status = response.status;
        let route = &scene.route.name;
        let failed = |status: u16, text: String| Err(ScimError::new(status, text));
        match status {
            200..300 => Ok(()),
            401 | 403 => {
                let expired = scene.route.credential.as_ref().is_some_and(|each| each.expired(scene.now));
                let why = if expired { "; it has expired" } else { "" };
                let detail = format!("the gateway's credential for the provider was refused{why}");
                failed(503, format!("{detail}; renew the credential of route `{route}`"))
            }
            404 if self.request.id.is_some() => failed(404, "the provider has no such resource".to_owned()),
            304 => failed(502, "the provider answered 304 where nothing was conditional".to_owned()),
            300..400 => failed(
                502,
                format!(
                    "the provider answered with a redirect, which is not followed; correct the url of route `{route}`"
                ),
            ),
            400 | 409 | 412 | 413 => {
                let scim_type = scim_type(&response.body).or((status == 409).then_some("uniqueness"));
                let kind = scim_type.map(|each| format!(" {each}")).unwrap_or_default();
                Err(ScimError {
                    scim_type,
                    ..ScimError::new(status, format!("the provider refused the request ({status}{kind})"))
                })
            }
            429 | 503 => {
                let error =
                    ScimError::new(status, format!("the provider cannot take the request now ({status})"));
                let after = response.headers.get("retry-after").and_then(|value| str::from_utf8(value).ok());
                Err(match after {
                    Some(after) => error.with("retry-after", after),
                    None => error,
                })
            }
            501 => failed(501, "the provider cannot do this (501)".to_owned()),
            _ => failed(502, format!("the provider failed ({status})")),
        }
    }

    /// One resource of the provider as an answer to the IdP.
    pub(super) fn shown(
        &mut self,
        scene: &Scene<'_>,
        status: u16,
        root: NodeId,
        location: Option<&[u8]>,
    ) -> Result<Response> {
        let view = self.view(scene, root)?;
        if let Some(of) = self.idp_type(scene)
            && self.request.kind == Kind::Create
            && let Some(id) = self.document.member(view, of.id).and_then(|id| self.document.string(id))
        {
            // The record names the resource that came to be.
            self.request.id = Some(id.into_owned());
        }
        let mut answer = json(status, self.document.write(view));
        if status == 201 {
            let location = self.location(scene).or_else(|| {
                url::rebase(&scene.route.provider, &scene.route.base, str::from_utf8(location?).ok()?)
            });
            if let Some(location) = location {
                answer.headers.push("location", location);
            }
        }
        Ok(answer)
    }

    /// The URL of the resource the operation is about, as the IdP sees it.
    pub(super) fn location(&self, scene: &Scene<'_>) -> Option<String> {
        let (id, of) = (encode_segment(self.request.id.as_deref()?)?, self.idp_type(scene)?);
        Some(format!("{}/{}/{id}", scene.route.base, of.endpoint))
    }

    /// The id of the resource the operation is about.
    pub(crate) fn id(&self) -> Option<&str> {
        self.request.id.as_deref()
    }

    fn listed(&mut self, scene: &Scene<'_>, root: NodeId) -> Result<Response> {
        self.resources(scene, root)?;
        Ok(json(200, self.document.write(root)))
    }

    /// The resources of a provider's list, each made the IdP's view in its place.
    pub(super) fn resources(&mut self, scene: &Scene<'_>, root: NodeId) -> Result<Vec<NodeId>> {
        let Some(list) = self.document.member_named(root, "Resources") else { return Ok(Vec::new()) };
        let resources: Vec<NodeId> = self.document.elements(list).collect();
        for resource in &resources {
            if self.document.kind(*resource) != Json::Object {
                let detail = "the provider's list holds something that is not a resource";
                return Err(ScimError::new(502, detail));
            }
            let view = self.view(scene, *resource)?;
            if view != *resource {
                self.document.assign(*resource, view);
            }
        }
        Ok(resources)
    }

    /// The IdP's view of a resource: mapped, its addresses the gateway's, nothing in it that must not be shown.
    fn view(&mut self, scene: &Scene<'_>, root: NodeId) -> Result<NodeId> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(not_found());
        };
        let mapping = &scene.route.mapping;
        let view = mapping.view(pair, &mut self.document, root);
        let vocabulary = &mapping.idp;
        if pair.identity {
            self.document.bind(view, vocabulary, of.root);
        }
        let id = self
            .document
            .member(view, of.id)
            .and_then(|id| self.document.string(id))
            .map(|id| id.into_owned());
        if let Some(id) = id.as_deref().and_then(encode_segment) {
            let location = format!("{}/{}/{id}", scene.route.base, of.endpoint);
            let said = vocabulary.find(&self.document, view, of.location);
            let same =
                said.and_then(|node| self.document.string(node)).is_some_and(|text| *text == *location);
            if !same && self.document.member(view, of.meta).is_some() {
                let location = self.document.new_string(&location);
                vocabulary.place(&mut self.document, view, of.location, location);
            }
        }
        let bases = Bases { from: &scene.route.provider, to: &scene.route.base };
        Self::rebase(&mut self.document, view, vocabulary, bases);
        self.projection(scene)?.apply(&mut self.document, view, vocabulary);
        Ok(view)
    }
}

fn with_etag(mut answer: Response, response: &Response) -> Response {
    if let Some(etag) = response.headers.get("etag") {
        answer.headers.push("etag", etag);
    }
    answer
}

/// The scimType of a provider's error, where RFC 7644 knows it.
fn scim_type(body: &[u8]) -> Option<&'static str> {
    const KNOWN: &[&str] = &[
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
    ];
    let error: serde_json::Value = serde_json::from_slice(body).ok()?;
    let word = error.get("scimType")?.as_str()?;
    KNOWN.iter().find(|known| **known == word).copied()
}
