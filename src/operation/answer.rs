//! What the provider answered, as the IdP may see it.

use super::request::is_sound;
use super::version::Tagged;
use super::{Bases, Kind, Operation, Result, Scene, State, Step, json, not_found};
use crate::document::NodeId;
use crate::error::{Refusal, ScimError};
use crate::http::Response;
use crate::http::path::{self, encode_segment};
use crate::mapping::Fired;
use crate::message::ERROR;
use crate::profile::Versions;
use crate::schema::{Projection, put_schemas};

impl Operation {
    /// The answer to the IdP, from the provider's answer to the last call; or one call more.
    pub(super) fn answer(&mut self, scene: &mut Scene<'_>, mut response: Response) -> Result<Step> {
        let kind = self.request.kind;
        let conditional = self.request.passed.iter().any(|(name, _)| *name == "if-none-match");
        if kind == Kind::Read && response.status == 304 && conditional {
            return Ok(Step::Done(passed_tag(json(304, Vec::new()), scene, &response)));
        }
        self.succeeded(scene, &response)?;
        let status = response.status;
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let body = std::mem::take(&mut response.body);
        let answer = match kind {
            Kind::Delete => {
                let read =
                    self.document.read(body, &scene.route.mapping.provider, of.root, Self::read_depth(scene));
                // A body is of no interest here, unless it says that nothing was deleted.
                read.map_or(Ok(()), |root| self.no_error(root, status))?;
                json(204, Vec::new())
            }
            Kind::Patch | Kind::Replace if body.is_empty() => {
                passed_tag(json(204, Vec::new()), scene, &response)
            }
            Kind::Create if body.is_empty() => return self.created(scene, &response),
            Kind::Create
            | Kind::Read
            | Kind::Replace
            | Kind::Patch
            | Kind::Discovery
            | Kind::Bulk
            | Kind::List
            | Kind::Search => {
                let root = self.received(scene, status, body, of.root)?;
                self.same_resource(scene, root)?;
                let shown = if kind == Kind::Create { 201 } else { 200 };
                self.shown(scene, shown, root, &response)?
            }
        };
        Ok(Step::Done(answer))
    }

    /// A resource was created and not shown: it is read where the provider says it is.
    fn created(&mut self, scene: &Scene<'_>, response: &Response) -> Result<Step> {
        match self.id_in(scene, response).filter(|_| self.request.id.is_none()) {
            Some(id) => self.request.id = Some(id),
            None => {
                return Err(ScimError::new(502, "the provider created the resource but does not show it"));
            }
        }
        self.written = true;
        self.state = State::ExpectAnswer;
        Ok(Step::Call(self.call(scene, "GET", String::new(), Vec::new())?))
    }

    /// The id in the address of a resource that was created.
    pub(super) fn id_in(&self, scene: &Scene<'_>, response: &Response) -> Option<String> {
        let location = response.headers.get("location").and_then(|value| str::from_utf8(value).ok())?;
        let rest = scene.route.provider.rest_of(location)?;
        path::segments(rest.split('?').next()?).ok()?.pop()
    }

    /// What is known of a resource that was created when it cannot be read afterwards: it is there all the same.
    pub(super) fn created_but_unseen(&self, scene: &Scene<'_>) -> Option<Response> {
        let (id, of) =
            (self.id().filter(|_| self.written && self.request.kind == Kind::Create)?, self.idp_type(scene)?);
        let location = self.location(scene)?;
        let body = serde_json::json!({
            "schemas": [&*of.schema],
            "id": id,
            "meta": { "resourceType": &*of.name, "location": location },
        });
        let mut answer = json(201, body.to_string().into_bytes());
        answer.headers.push("location", location);
        Some(answer)
    }

    /// The resource that was asked for, and no other, must have been answered.
    pub(super) fn same_resource(&self, scene: &Scene<'_>, root: NodeId) -> Result<()> {
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let id = self.document.member(root, of.id).and_then(|id| self.document.string(id));
        match (&self.request.id, id) {
            (Some(asked), Some(id)) if *asked != id => {
                Err(ScimError::new(502, "the provider answered with another resource than was asked for"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses what is not a success, in words that say whose fault it is.
    pub(super) fn succeeded(&self, scene: &Scene<'_>, response: &Response) -> Result<()> {
        let status = response.status;
        let route = &scene.route.name;
        let failed = |status: u16, text: String| Err(ScimError::new(status, text));
        match status {
            200 | 201 | 204 => Ok(()),
            202 => failed(502, "the provider will do it later (202); the outcome is unknown".to_owned()),
            401 | 403 => {
                let expired = scene.route.credential.as_ref().is_some_and(|each| each.expired(scene.now));
                let why = if expired { "; it has expired" } else { "" };
                let detail = format!("the gateway's credential for the provider was refused{why}");
                failed(503, format!("{detail}; renew the credential of route `{route}`"))
            }
            404 | 410 if self.request.id.is_some() => {
                failed(404, "the provider has no such resource".to_owned())
            }
            304 => failed(502, "the provider answered 304 where nothing was conditional".to_owned()),
            300..400 => failed(
                502,
                format!(
                    "the provider answered with a redirect, which is not followed; correct the url of route `{route}`"
                ),
            ),
            400 | 409 | 412 | 413 | 422 => {
                let Some(of) = self.provider_type(scene) else {
                    return failed(502, format!("the provider failed ({status})"));
                };
                let vocabulary = &scene.route.mapping.provider;
                Err(Refusal::read(status, &response.body, vocabulary, of).error(status, vocabulary, of))
            }
            429 | 503 => {
                let error =
                    ScimError::new(status, format!("the provider cannot take the request now ({status})"));
                let after = response.headers.get("retry-after").filter(|value| is_sound(value));
                let after = after.and_then(|value| str::from_utf8(value).ok());
                Err(match after {
                    Some(after) => error.with("retry-after", after),
                    None => error,
                })
            }
            405 | 501 => failed(501, format!("the provider cannot do this ({status})")),
            408 | 504 => {
                failed(504, format!("the provider did not do it in time ({status}); the outcome is unknown"))
            }
            _ => failed(502, format!("the provider failed ({status})")),
        }
    }

    /// Refuses a SCIM error message that came with the status of a success.
    pub(super) fn no_error(&self, root: NodeId, status: u16) -> Result<()> {
        let schemas = self.document.member_named(root, "schemas");
        let mut uris = schemas.into_iter().flat_map(|schemas| self.document.children(schemas));
        let is_error =
            |uri: NodeId| self.document.string(uri).is_some_and(|uri| uri.eq_ignore_ascii_case(ERROR));
        match uris.any(is_error) {
            true => Err(ScimError::new(502, format!("the provider answered an error with status {status}"))),
            false => Ok(()),
        }
    }

    /// One resource of the provider as an answer to the IdP.
    pub(super) fn shown(
        &mut self,
        scene: &Scene<'_>,
        status: u16,
        root: NodeId,
        from: &Response,
    ) -> Result<Response> {
        let projection = self.projection(scene)?;
        let (view, tag) = self.view(scene, root, &projection, Tagged::Alone(from))?;
        self.respell(scene, view);
        if let Some(of) = self.idp_type(scene)
            && self.request.kind == Kind::Create
            && let Some(id) = self.document.member(view, of.id).and_then(|id| self.document.string(id))
        {
            // The record names the resource that came to be.
            self.request.id = Some(id.into_owned());
        }
        let mut answer = json(status, self.document.write(view));
        if let Some(location) = self.location(scene).filter(|_| status == 201) {
            answer.headers.push("location", location);
        }
        Ok(self.with_tag(answer, tag))
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

    /// The IdP's view of a resource, nothing in it that must not be shown.
    pub(super) fn view(
        &mut self,
        scene: &Scene<'_>,
        root: NodeId,
        projection: &Projection,
        tagged: Tagged<'_>,
    ) -> Result<(NodeId, Option<String>)> {
        let (view, tag) = self.seen(scene, root, tagged)?;
        self.finish(scene, view, projection);
        Ok((view, tag))
    }

    /// The whole of it: mapped, its addresses the gateway's.
    pub(super) fn seen(
        &mut self,
        scene: &Scene<'_>,
        root: NodeId,
        tagged: Tagged<'_>,
    ) -> Result<(NodeId, Option<String>)> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(not_found());
        };
        let mapping = &scene.route.mapping;
        let mut fired = Fired::noting(scene.trace.is_on());
        let view = mapping.view_noting(pair, &mut self.document, root, &mut fired);
        Self::explain_rules(scene, &self.document, &fired, |mapping| {
            mapping.dropped(pair, &self.document, root, &fired, false)
        });
        if self.request.kind == Kind::Read && !pair.admits(&self.document, view) {
            return Err(not_found());
        }
        let vocabulary = &mapping.idp;
        let id = self.document.member(view, of.id).and_then(|id| self.document.string(id));
        let meta = self.document.member(view, of.meta);
        if let Some(id) = id.filter(|_| meta.is_some()).as_deref().and_then(encode_segment) {
            let location = format!("{}/{}/{id}", scene.route.base, of.endpoint);
            let said = vocabulary.find(&self.document, view, of.location);
            let same =
                said.and_then(|node| self.document.string(node)).is_some_and(|text| *text == *location);
            if !same {
                let location = self.document.new_string(&location);
                vocabulary.place(&mut self.document, view, of.location, location);
            }
        }
        let bases = Bases { from: &scene.route.provider, to: &scene.route.base };
        Self::rebase(&mut self.document, view, vocabulary, bases);
        let tag = self.tag(scene, view, meta, tagged);
        Ok((view, tag))
    }

    /// What of it the IdP may see and asked to see.
    pub(super) fn finish(&mut self, scene: &Scene<'_>, view: NodeId, projection: &Projection) {
        let (Some(of), vocabulary) = (self.idp_type(scene), &scene.route.mapping.idp) else { return };
        projection.apply(&mut self.document, view, vocabulary);
        if self.document.member(view, of.schemas).is_none() {
            // RFC 7643 section 3: every representation of a resource names its schemas.
            put_schemas(&mut self.document, view, vocabulary, of);
        }
    }
}

/// An answer without a body, with the provider's tag where the route has the provider's.
fn passed_tag(mut answer: Response, scene: &Scene<'_>, response: &Response) -> Response {
    let passed = matches!(scene.route.versions, Versions::Unsaid | Versions::Passed);
    if let Some(etag) = response.headers.get("etag").filter(|etag| passed && is_sound(etag)) {
        answer.headers.push("etag", etag);
    }
    answer
}
