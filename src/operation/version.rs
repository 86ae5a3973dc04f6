//! Versions of resources (RFC 7644 section 3.14, RFC 9110 section 13): who judges a condition, and the entity tag
//! and `meta.version` of what is shown, which always say the same.

use sha2::{Digest, Sha256};

use super::request::is_sound;
use super::{Kind, Operation, Result, Scene, State, Step, json, not_found};
use crate::document::NodeId;
use crate::error::ScimError;
use crate::http::Response;
use crate::profile::Versions;
use crate::schema::Projection;

/// Conditions of a request that the gateway judges itself.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    /// True when a version is what the client has already.
    fn known(&self, tag: &str) -> bool {
        self.if_none_match.as_deref().is_some_and(|list| lists(list, tag))
    }
}

/// Where the tag of a resource that is shown comes from.
#[derive(Clone, Copy)]
pub(super) enum Tagged<'a> {
    /// It is one of several: each has the version it says of itself.
    InList,
    /// It is the whole answer, which came with these header fields.
    Alone(&'a Response),
}

impl Operation {
    /// Begins, or asks for the state that a condition is judged by.
    pub(super) fn on_condition(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        let versions = scene.route.versions;
        if matches!(versions, Versions::Unsaid | Versions::Passed) {
            return self.start(scene, body);
        }
        let mut take = |name: &str| {
            let at = self.request.passed.iter().position(|(known, _)| *known == name)?;
            let (_, value) = self.request.passed.swap_remove(at);
            Some(String::from_utf8_lossy(&value).into_owned())
        };
        let (if_match, if_none_match) = (take("if-match"), take("if-none-match"));
        let writes = matches!(self.request.kind, Kind::Replace | Kind::Patch | Kind::Delete);
        if writes && if_none_match.is_some() {
            // RFC 9110 section 13.1.2: for what is there already the condition is false, whatever its version.
            return Err(ScimError::new(412, "`If-None-Match` is for reading; leave it out of changes"));
        }
        let if_match = if_match.filter(|list| writes && list.trim() != "*");
        match (if_match, versions) {
            (Some(list), Versions::Computed) => {
                self.conditions.if_match = Some(list);
                let call = self.call(scene, "GET", String::new(), Vec::new())?;
                self.state = State::ExpectCondition(body);
                Ok(Step::Call(call))
            }
            // A condition that is lost would make the write unconditional.
            (Some(_), _) => {
                let detail = "this route has no versions of resources; send the request without `If-Match`";
                Err(ScimError::new(412, detail))
            }
            (None, _) => {
                self.conditions.if_none_match = if_none_match.filter(|_| self.request.kind == Kind::Read);
                self.start(scene, body)
            }
        }
    }

    /// Goes on with the state that the condition is about.
    pub(super) fn judged(
        &mut self,
        scene: &mut Scene<'_>,
        body: Vec<u8>,
        mut response: Response,
    ) -> Result<Step> {
        self.succeeded(scene, &response)?;
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let state = std::mem::take(&mut response.body);
        let root = self.received(scene, response.status, state, of.root)?;
        self.same_resource(scene, root)?;
        let (_, tag) = self.view(scene, root, &Projection::default(), Tagged::Alone(&response))?;
        match (self.conditions.if_match.take(), tag) {
            (Some(list), Some(tag)) if lists(&list, &tag) => self.start(scene, body),
            _ => Err(ScimError::new(412, CHANGED)),
        }
    }

    /// Gives a view its version: what is in `meta` and what is in the header are the same.
    pub(super) fn tag(
        &mut self,
        scene: &Scene<'_>,
        view: NodeId,
        meta: Option<NodeId>,
        tagged: Tagged<'_>,
    ) -> Option<String> {
        let of = self.idp_type(scene)?;
        let vocabulary = &scene.route.mapping.idp;
        let version = vocabulary.lookup(of.meta, b"version");
        let said = meta.and_then(|meta| self.document.member(meta, version));
        let versions = scene.route.versions;
        let tag = match (versions, tagged) {
            (Versions::Unsaid | Versions::Passed, Tagged::InList) => return None,
            (Versions::None, _) | (Versions::Computed, Tagged::InList) => None,
            (Versions::Computed, Tagged::Alone(_)) => {
                let print = self.document.fingerprint(view, &|attr| attr != of.meta);
                let digest: [u8; 32] = Sha256::digest(&print).into();
                let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
                Some(format!("W/\"{hex}\""))
            }
            (Versions::Unsaid | Versions::Passed, Tagged::Alone(response)) => {
                let header = response.headers.get("etag").filter(|etag| is_sound(etag));
                let header = header.and_then(|etag| str::from_utf8(etag).ok()).map(str::to_owned);
                let own = said.and_then(|said| self.document.string(said)).filter(|text| is_tag(text));
                match header {
                    Some(header) => Some(header),
                    // Only a provider that is known to have versions means one by what it calls so.
                    None if versions == Versions::Passed => own.map(std::borrow::Cow::into_owned),
                    None => return None,
                }
            }
        };
        let same = |document: &crate::document::Document, node: NodeId, tag: &str| {
            document.string(node).is_some_and(|text| opaque(&text) == opaque(tag))
        };
        match (&tag, said) {
            (None, Some(said)) => self.document.remove(said),
            (Some(tag), Some(said)) if !same(&self.document, said, tag) => {
                let node = self.document.new_string(tag);
                self.document.assign(said, node);
            }
            (Some(tag), None) if versions == Versions::Computed => {
                if let Some(meta) = meta {
                    let node = self.document.new_string(tag);
                    self.document.append_member(meta, vocabulary, version, node);
                }
            }
            _ => {}
        }
        tag
    }

    /// The answer with its tag, or without its body where the IdP has it already.
    pub(super) fn with_tag(&self, mut answer: Response, tag: Option<String>) -> Response {
        let Some(tag) = tag else { return answer };
        if self.request.kind == Kind::Read && self.conditions.known(&tag) {
            answer = json(304, Vec::new());
        }
        answer.headers.push("etag", tag);
        answer
    }
}

/// The detail of a 412.
pub(super) const CHANGED: &str =
    "the resource has another version than `If-Match` names; read it again, then repeat the change";

/// True when a list of entity tags has this one, compared weakly (RFC 9110 section 8.8.3.2).
fn lists(list: &str, tag: &str) -> bool {
    let mut rest = list.trim();
    if rest == "*" {
        return true;
    }
    while let Some((before, after)) = rest.split_once('"') {
        let Some((own, next)) = after.split_once('"') else { return false };
        if !matches!(before.trim_matches([' ', '\t', ',']), "" | "W/") {
            return false;
        }
        if own == opaque(tag) {
            return true;
        }
        rest = next;
    }
    false
}

/// What is between the quotes of an entity tag.
fn opaque(tag: &str) -> &str {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag)
}

/// True for `"x"` and `W/"x"`.
fn is_tag(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.contains('"')) && is_sound(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // P-43: weak comparison, in lists as people write them
    #[test]
    fn lists_of_tags() {
        for (list, tag, found) in [
            ("*", "W/\"a\"", true),
            ("\"a\"", "W/\"a\"", true),
            ("W/\"a\"", "\"a\"", true),
            ("\"x\", W/\"a\" ,\"y\"", "W/\"a\"", true),
            ("\"x,W/\\\", \"a\"", "W/\"a\"", true),
            ("\"ab\"", "W/\"a\"", false),
            ("a", "W/\"a\"", false),
            ("x\"a\"", "W/\"a\"", false),
            ("\"a", "W/\"a\"", false),
            ("", "W/\"a\"", false),
        ] {
            assert_eq!(lists(list, tag), found, "{list} {tag}");
        }
        assert!(is_tag("W/\"3694e05e9dff591\"") && is_tag("\"\""));
        assert!(!is_tag("3") && !is_tag("\"") && !is_tag("\"a\"b\""));
    }
}
