//! Creating resources. Where the provider makes doubles, or answers 409 to an IdP that does not look first, users
//! that may be the same are looked up before: one that is there is brought up to date and is the answer.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::write::Change;
use super::{Kind, Operation, Result, Scene, State, Step, json, not_found};
use crate::adapt::{Key, Part, Plan, Writer};
use crate::delta;
use crate::document::{Kind as Json, NodeId};
use crate::error::ScimError;
use crate::http::path::push_parameter;
use crate::http::{Headers, Response};
use crate::path::{AttrPath, is_name};
use crate::profile::{Capability, Verb, Way};
use crate::repair::{Repaired, Repairs};
use crate::schema::{Checker, Context, Mutability, ResourceType, Type};

/// A user that is looked up.
#[derive(Debug)]
pub(super) struct Matching {
    /// The IdP's resource.
    root: NodeId,
    /// The request that creates it.
    body: Vec<u8>,
    /// The value of each path that identifies a user; those the IdP's user does not have are left out.
    wanted: Vec<(usize, String)>,
    /// The queries that are still to be asked.
    asks: VecDeque<String>,
    found: Vec<Found>,
    /// The creation was tried, and failed with this.
    failed: Option<ScimError>,
}

/// A user of the provider's.
#[derive(Debug)]
struct Found {
    id: String,
    root: NodeId,
    /// Which of the wanted values it has.
    has: Vec<usize>,
}

impl Matching {
    /// What the creation failed with that this is the second look after.
    pub(super) fn failed(&self) -> Option<ScimError> {
        self.failed.clone()
    }
}

impl Operation {
    pub(super) fn create(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let root = self.resource(scene, body)?;
        let keys = self.keys(scene);
        // What the provider does not take may be cut from it, and still say who it is.
        let before = if keys.is_empty() { root } else { self.document.copy(root) };
        let new = self.mapped(scene, root)?;
        let ability = self.ability(scene)?;
        let unfitted = scene.trace.is_on().then(|| self.document.write(new));
        ability.fit_new(&mut self.document, new);
        ability.fit(&mut self.document, new, &scene.route.mapping.provider);
        if let Some(before) = unfitted {
            let what = "the provider takes fewer values, or spells them otherwise";
            scene.trace.adapted_from(what, "provider.limits", &before, &self.document.write(new));
        }
        let capability = if ability.is_user() { Capability::UserCreate } else { Capability::GroupCreate };
        if self.lacks(scene, capability, Some(new))? == Some(Way::Pretend) {
            return self.pretend_created(scene, before);
        }
        if !ability.can(Verb::Create) {
            return Err(self.lacking(scene, "create"));
        }
        let later =
            Writer { ability, vocabulary: &scene.route.mapping.provider, document: &mut self.document }
                .cut(new);
        let body = self.document.write(new);
        let vocabulary = &scene.route.mapping.idp;
        let value = |(index, key): (usize, &Key)| {
            let value = key.values(&self.document, before, vocabulary).into_iter().next()?;
            Some((index, value))
        };
        let wanted: Vec<(usize, String)> = keys.iter().enumerate().filter_map(value).collect();
        if let Some((adds, later)) = later {
            let first = Part { body, adds, removals: 0 };
            return self.guarded(scene, "POST", [vec![first], later].concat(), None);
        }
        if wanted.is_empty() {
            return self.send_one(scene, "POST", body);
        }
        scene.trace.adapted("users that may be the same are looked up before one is created", "match");
        let (asks, found) = (VecDeque::new(), Vec::new());
        let matching = Matching { root: before, body, wanted, asks, found, failed: None };
        self.look_up(scene, matching)
    }

    /// The provider's text of a resource that the IdP creates.
    pub(crate) fn new_resource(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Vec<u8>> {
        let root = self.resource(scene, body)?;
        let new = self.mapped(scene, root)?;
        Ok(self.document.write(new))
    }

    /// What users are looked up by.
    fn keys<'a>(&self, scene: &Scene<'a>) -> &'a [Key] {
        let of = self.request.pair.and_then(|pair| scene.route.matching.get(pair));
        of.map(Vec::as_slice).unwrap_or_default()
    }

    /// Asks the provider for users that may be the same.
    fn look_up(&mut self, scene: &mut Scene<'_>, mut matching: Matching) -> Result<Step> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(not_found());
        };
        for (index, value) in &matching.wanted {
            let Some(key) = self.keys(scene).get(*index) else { continue };
            let filter = bound(scene, of, &key.filter(value).to_string())?;
            let refused = |detail: String| ScimError::typed(400, "invalidValue", detail);
            let plan = scene.route.filters.plan(&scene.route.mapping, pair, &filter).map_err(refused)?;
            let Plan::Ask { asked, .. } = plan else { continue };
            for filter in asked.into_iter().flatten() {
                let mut query = String::new();
                push_parameter(&mut query, "filter", &self.folded(scene, filter)?.to_string());
                if !matching.asks.contains(&query) {
                    matching.asks.push_back(query);
                }
            }
        }
        self.look_on(scene, matching)
    }

    fn look_on(&mut self, scene: &mut Scene<'_>, mut matching: Matching) -> Result<Step> {
        let all = |found: &Found| found.has.len() == matching.wanted.len();
        if matching.found.iter().any(all) {
            // What identifies a user belongs to one.
            matching.asks.clear();
        }
        let Some(query) = matching.asks.pop_front() else { return self.matched(scene, matching) };
        let call = self.call(scene, "GET", query, Vec::new())?;
        self.state = State::ExpectMatch(Box::new(matching));
        Ok(Step::Call(call))
    }

    /// Goes on with the users that the provider found.
    pub(super) fn match_answered(
        &mut self,
        scene: &mut Scene<'_>,
        mut matching: Matching,
        response: Response,
    ) -> Result<Step> {
        if response.status == 404 && scene.route.filters.not_found() {
            return self.look_on(scene, matching);
        }
        self.succeeded(scene, &response)?;
        let (Some(pair), Some(of)) = (self.pair(scene), self.provider_type(scene)) else {
            return Err(not_found());
        };
        let list = self.received(scene, response.status, response.body, of.list)?;
        let resources = self.document.member_named(list, "Resources");
        let resources: Vec<NodeId> =
            resources.into_iter().flat_map(|list| self.document.elements(list)).collect();
        let mapping = &scene.route.mapping;
        let ability = self.ability(scene)?;
        for root in resources {
            let id = self.document.member(root, of.id).and_then(|id| self.document.string(id));
            let Some(id) = id.map(std::borrow::Cow::into_owned) else { continue };
            let copy = self.document.copy(root);
            let view = mapping.view(pair, &mut self.document, copy);
            // What the provider finds is judged: it may find more than was asked for.
            let has = |(at, (index, wanted)): (usize, &(usize, String))| {
                let key = self.keys(scene).get(*index)?;
                let any_case = ability.respelt.contains(&key.attr());
                let values = key.values(&self.document, view, &mapping.idp);
                values.iter().any(|value| key.same(value, wanted, &mapping.idp, any_case)).then_some(at)
            };
            let has: Vec<usize> = matching.wanted.iter().enumerate().filter_map(has).collect();
            if !has.is_empty() && !matching.found.iter().any(|found| found.id == id) {
                matching.found.push(Found { id, root, has });
            }
        }
        self.look_on(scene, matching)
    }

    /// All that may be the same are known.
    fn matched(&mut self, scene: &mut Scene<'_>, mut matching: Matching) -> Result<Step> {
        let several = matching.found.len() > 1;
        let Some(found) = matching.found.pop() else {
            if let Some(error) = matching.failed {
                return Err(error);
            }
            let body = std::mem::take(&mut matching.body);
            let step = self.send_one(scene, "POST", body)?;
            self.matching = Some(Box::new(matching));
            return Ok(step);
        };
        if several {
            let keys = self.keys(scene);
            let names: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
            let detail = format!(
                "{} has different users with these values of `{}`; nothing was sent; correct the users there, or the \
                 values in the IdP",
                scene.route.provider_title,
                names.join("` and `")
            );
            return Err(ScimError::typed(409, "uniqueness", detail));
        }
        self.request.id = Some(found.id);
        let all = found.has.len() == self.keys(scene).len() && found.has.len() > 1;
        if all {
            scene.audit.adapted("matched, nothing to create");
            scene.trace.adapted("the provider has this user: nothing is created", "match");
            let from = Response { status: 200, headers: Headers::new(), body: Vec::new() };
            return self.unchanged_answer(scene, found.root, &from);
        }
        scene.audit.adapted("matched, updated instead of created");
        scene.trace.adapted("the provider has this user: it is updated, and none is created", "match");
        let mut changes = Vec::new();
        self.said(scene, matching.root, matching.root, &mut changes);
        self.ask_state(scene, Change::Delta(changes))
    }

    /// What a resource says, as changes of another: what it does not say stays.
    fn said(&self, scene: &Scene<'_>, top: NodeId, node: NodeId, changes: &mut Vec<delta::Change>) {
        let vocabulary = &scene.route.mapping.idp;
        for member in self.document.children(node) {
            let attr = self.document.attr(member);
            let attribute = vocabulary.attribute(attr);
            let place = match attr.is_known() {
                true if attribute.mutability == Mutability::ReadOnly || &*attribute.name == "schemas" => {
                    continue;
                }
                true if self.document.kind(member) == Json::Object
                    && (attribute.kind == Type::Complex && !attribute.multi_valued
                        || attribute.extension) =>
                {
                    self.said(scene, top, member, changes);
                    continue;
                }
                true => delta::Place::Attribute(attr),
                // Of what no schema knows, only the names at the top can be said.
                false if node == top => {
                    let name = self.document.key(member);
                    match is_name(&name) {
                        true => delta::Place::Unknown(AttrPath::new(&name).into()),
                        false => continue,
                    }
                }
                false => continue,
            };
            changes.push(delta::Change { op: delta::Op::Replace, place, value: Some(member) });
        }
    }

    /// A creation failed in a way that may mean that the user is there by now: somebody else's, or ours, whose answer was
    /// lost. It is not sent again without a look.
    pub(super) fn look_again(&mut self, scene: &mut Scene<'_>, error: ScimError) -> Result<Step> {
        match self.matching.take().filter(|_| self.request.kind == Kind::Create) {
            Some(mut matching) => {
                matching.failed = Some(error);
                self.look_up(scene, *matching)
            }
            None => Err(error),
        }
    }

    /// A filter of the provider's, its texts in the provider's case.
    fn folded(&self, scene: &Scene<'_>, filter: crate::filter::Filter) -> Result<crate::filter::Filter> {
        use crate::filter::{Filter, Literal};
        let (Some(of), ability) = (self.provider_type(scene), self.ability(scene)?) else {
            return Err(not_found());
        };
        Ok(match filter {
            Filter::Compare { path, op, value: Literal::String(text) } => {
                let attr = scene.route.mapping.provider.resolve(of, &path);
                Filter::Compare { path, op, value: Literal::String(ability.folded(attr, &text).into()) }
            }
            other => other,
        })
    }

    /// The answer to a creation that is not made: the resource, with an id that is made of it.
    fn pretend_created(&mut self, scene: &mut Scene<'_>, root: NodeId) -> Result<Step> {
        let Some(of) = self.idp_type(scene) else { return Err(not_found()) };
        let digest = Sha256::digest(self.document.fingerprint(root, &|_| true));
        let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let id = format!("pretended-{id}");
        let node = self.document.new_string(&id);
        scene.route.mapping.idp.place(&mut self.document, root, of.id, node);
        self.request.id = Some(id);
        let mut answer = json(201, self.document.write(root));
        if let Some(location) = self.location(scene) {
            answer.headers.push("location", location);
        }
        Ok(Step::Done(answer))
    }
}

/// A filter that the gateway makes itself, bound to the IdP's schema.
fn bound(scene: &Scene<'_>, of: &ResourceType, text: &str) -> Result<crate::filter::Filter> {
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut checker = Checker::new(&scene.route.mapping.idp, &repairs, &mut repaired, Context::Patch);
    checker.read_filter(of, text).map_err(|detail| ScimError::typed(400, "invalidValue", detail))
}
