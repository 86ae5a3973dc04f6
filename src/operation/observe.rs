//! `mode: observe`: the request goes on as it is and its answer back, and the record says what `enforce` would have
//! made of both.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::request::is_sound;
use super::{Kind, Operation, Result, Scene, State, Step, not_found};
use crate::audit::{Audit, Finding};
use crate::errand::Need;
use crate::error::ScimError;
use crate::http::path::{encode_segment, push_parameter};
use crate::http::url::rebase;
use crate::http::{Call, Headers, Response};
use crate::schema::{ResourceType, Vocabulary};

/// Header fields of the provider's that describe its answer.
const DESCRIBING: &[&str] = &["content-type", "content-encoding", "etag", "retry-after"];

impl Operation {
    /// Sends the request on with the body it has.
    pub(super) fn observe(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        let body = if self.request.kind.has_body() { body } else { Vec::new() };
        let call = self.unchanged(scene, body)?;
        let mut shadow = Self::new(self.request.clone());
        let (step, repairs) = quietly(scene, |scene| shadow.enforce(scene, call.body.clone()));
        let (result, status) = match &step {
            Ok(Step::Last(_)) => ("same", None),
            Ok(Step::Call(_)) => ("several requests", None),
            Ok(Step::Ask(Need::Store(_))) => ("counted by a guard", None),
            Ok(Step::Ask(_)) => ("asked for more", None),
            Ok(Step::Done(response)) => ("answered by the gateway", Some(response.status)),
            Err(_) => ("refused", None),
        };
        let mut finding = Finding { result, status, repairs, ..Finding::default() };
        match &step {
            Ok(Step::Last(made)) => {
                let parts = [("method", made.method != call.method), ("address", made.path != call.path)];
                finding
                    .changes
                    .extend(parts.iter().filter(|(_, other)| *other).map(|(part, _)| (*part).to_owned()));
                self.differences(scene, &call.body, &made.body, &mut finding);
            }
            Err(error) => finding.refuse(error),
            Ok(_) => {}
        }
        self.found(scene, "request", finding);
        let judges = matches!(step, Ok(Step::Last(_)));
        self.state = State::ExpectUnchanged(judges.then(|| Box::new(shadow)));
        Ok(Step::Last(call))
    }

    /// Passes the answer on with the body it has. One to the gateway, and not to the IdP, is no answer to pass.
    pub(super) fn observed(
        &self,
        scene: &mut Scene<'_>,
        shadow: Option<Box<Self>>,
        response: Response,
    ) -> Result<Step> {
        if matches!(response.status, 300..=303 | 305..=399 | 401 | 403) {
            self.succeeded(scene, &response)?;
        }
        if let Some(mut shadow) = shadow {
            let (step, repairs) = quietly(scene, |scene| shadow.resume(scene, response.clone()));
            let mut finding = Finding { result: "same", repairs, ..Finding::default() };
            match &step {
                Ok(Step::Done(made)) => {
                    if made.status != response.status {
                        finding.status = Some(made.status);
                        finding.changes.insert("status".into());
                    }
                    shadow.differences(scene, &response.body, &made.body, &mut finding);
                }
                Ok(_) => finding.result = "asked for more",
                Err(error) => finding.refuse(error),
            }
            shadow.found(scene, "answer", finding);
        }
        let mut headers = Headers::new();
        for name in DESCRIBING {
            if let Some(value) = response.headers.get(name).filter(|value| is_sound(value)) {
                headers.push(name, value);
            }
        }
        let location = response.headers.get("location").and_then(|value| str::from_utf8(value).ok());
        let moved = location.and_then(|there| rebase(&scene.route.provider, &scene.route.base, there));
        if let Some(moved) = moved {
            headers.push("location", moved);
        }
        headers.push("cache-control", "no-store");
        Ok(Step::Done(Response { headers, ..response }))
    }

    /// The call that says what the request says, at the provider's address.
    fn unchanged(&self, scene: &Scene<'_>, body: Vec<u8>) -> Result<Call> {
        let of = self.provider_type(scene);
        if self.request.pair.is_some() && of.is_none() {
            return Err(not_found());
        }
        let mut path = scene.route.provider.path.clone();
        let endpoint = of.map_or(self.request.endpoint.as_str(), |of| &of.endpoint);
        let search = (self.request.kind == Kind::Search).then_some(".search");
        for segment in [Some(endpoint), self.request.id.as_deref(), search].into_iter().flatten() {
            path.push('/');
            if !segment.is_empty() {
                path.push_str(&encode_segment(segment).ok_or_else(not_found)?);
            }
        }
        let mut query = String::new();
        for (name, value) in self.request.query.iter() {
            push_parameter(&mut query, name, value);
        }
        Ok(self.call_at(scene, self.request.kind.method(), path, &query, body))
    }

    fn found(&self, scene: &mut Scene<'_>, message: &'static str, mut finding: Finding) {
        if finding.result == "same" && !finding.changes.is_empty() {
            finding.result = "changed";
        }
        scene.trace.step("observed", |line| {
            line.text("what", message);
            line.json("finding", finding.json().to_string().as_bytes());
        });
        scene.audit.observed(message, finding);
    }

    /// What is another in two messages, by the names that the schemas of both sides have.
    fn differences(&self, scene: &Scene<'_>, before: &[u8], after: &[u8], finding: &mut Finding) {
        if before == after {
            return;
        }
        let (Ok(before), Ok(after)) = (serde_json::from_slice(before), serde_json::from_slice(after)) else {
            finding.changes.insert("body".into());
            return;
        };
        let mut names = BTreeSet::new();
        differ(&before, &after, &mut names);
        let mapping = &scene.route.mapping;
        let sides = [
            self.idp_type(scene).map(|of| (&mapping.idp, of)),
            self.provider_type(scene).map(|of| (&mapping.provider, of)),
        ];
        let known = |name: &str| {
            let has = |(side, of): &(&Vocabulary, &ResourceType)| {
                let messages = [of.root, of.list, side.patch_op];
                messages.into_iter().any(|message| side.lookup(message, name.as_bytes()).is_known())
            };
            sides.iter().flatten().any(has)
        };
        let named = |name: String| if known(&name) { name } else { "(outside the schema)".to_owned() };
        finding.changes.extend(names.into_iter().map(named));
    }
}

impl Finding {
    fn refuse(&mut self, error: &ScimError) {
        self.result = "refused";
        self.status = Some(error.status);
        self.detail = Some(error.detail.clone());
    }
}

/// Does something that the record of the exchange must not tell as done; with it comes which repairs were made.
fn quietly<T>(scene: &mut Scene<'_>, go: impl FnOnce(&mut Scene<'_>) -> T) -> (T, BTreeSet<String>) {
    let Scene { gateway, route, trace, id, now, .. } = *scene;
    let mut audit = Audit::default();
    let done = go(&mut Scene { gateway, route, audit: &mut audit, trace, id, now });
    let repairs = audit.repairs().map(|(rule, _)| rule.to_owned()).collect();
    (done, repairs)
}

/// The names of the members that are not the same in both.
fn differ(before: &Value, after: &Value, names: &mut BTreeSet<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => differing(before, after, names),
        _ if before == after => {}
        _ => {
            names.insert("body".to_owned());
        }
    }
}

fn differing(before: &Map<String, Value>, after: &Map<String, Value>, names: &mut BTreeSet<String>) {
    for name in before.keys().chain(after.keys()) {
        match (before.get(name), after.get(name)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(Value::Array(one)), Some(Value::Array(other)))
                if name == "Resources" && one.len() == other.len() =>
            {
                one.iter().zip(other).for_each(|(one, other)| differ(one, other, names));
            }
            _ => {
                names.insert(name.clone());
            }
        }
    }
}
