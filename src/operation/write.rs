//! Creating, replacing and changing resources.

use super::{Bases, Operation, Result, Scene, State, Step, json, not_found};
use crate::delta;
use crate::document::{Kind, NodeId};
use crate::error::ScimError;
use crate::http::Response;
use crate::mapping::{Fired, Mapped, Notes};
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{AttrId, Checker, Context, Problem};

/// A change that waits for the resource's state; its values are in the operation's document.
#[derive(Debug)]
pub(super) enum Change {
    /// These changes of the IdP's view.
    Delta(Vec<delta::Change>),
    /// This whole resource of the IdP.
    Resource(NodeId),
}

impl Operation {
    pub(super) fn create(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let body = self.new_resource(scene, body)?;
        self.last(scene, "POST", body)
    }

    /// The provider's text of a resource that the IdP creates.
    pub(crate) fn new_resource(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Vec<u8>> {
        let root = self.resource(scene, body)?;
        let new = self.mapped(scene, root)?;
        Ok(self.document.write(new))
    }

    pub(super) fn replace(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let root = self.resource(scene, body)?;
        if self.pair(scene).is_some_and(|pair| pair.identity) {
            return self.last(scene, "PUT", self.document.write(root));
        }
        // Replacing must not wipe what the IdP cannot see.
        self.ask_state(scene, Change::Resource(root))
    }

    pub(super) fn patch(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let route = scene.route;
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(not_found());
        };
        let vocabulary = &route.mapping.idp;
        let received = scene.trace.is_on().then(|| body.clone());
        let root = self.document.read(body, vocabulary, vocabulary.patch_op, Self::read_depth(scene))?;
        let mut repaired = Repaired::default();
        let mut checker = Checker::new(vocabulary, &route.repairs, &mut repaired, Context::Patch);
        checker.interop = route.interop;
        let changes = delta::read(&mut self.document, root, of, &mut checker);
        let problems = checker.problems;
        scene.audit.repaired(&route.repairs, &repaired);
        if let Some(received) = received {
            self.explain_patch(scene, received, &repaired, &changes);
        }
        refuse(&problems)?;
        for change in &changes {
            let attr = match &change.place {
                delta::Place::Attribute(attr) | delta::Place::Elements { attr, .. } => *attr,
                delta::Place::Unknown(_) => AttrId::UNKNOWN,
            };
            scene.audit.attribute(vocabulary, attr);
            self.deactivation(scene, attr, change.value)?;
            if let Some(value) = change.value {
                self.rebase_to_provider(scene, value);
            }
        }
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let creates = route.repairs.allows(Repair::Upsert);
        let mapped = route.mapping.changes(
            pair,
            &mut self.document,
            &changes,
            creates,
            route.upsert,
            &mut fired,
            &mut problems,
        );
        refuse(&problems)?;
        match mapped {
            Mapped::NeedsState => self.ask_state(scene, Change::Delta(changes)),
            Mapped::Changes(changes) => {
                scene.audit.mapped(fired.names());
                if changes.is_empty() {
                    return Ok(Step::Done(json(204, Vec::new())));
                }
                self.send(scene, &changes)
            }
        }
    }

    /// Goes on once the provider has told the resource's state.
    pub(super) fn with_state(
        &mut self,
        scene: &mut Scene<'_>,
        change: Change,
        response: Response,
    ) -> Result<Step> {
        let route = scene.route;
        self.succeeded(scene, &response)?;
        let (Some(pair), Some(of)) = (self.pair(scene), self.provider_type(scene)) else {
            return Err(not_found());
        };
        let provider = &route.mapping.provider;
        let state = response.headers.get("etag").map(<[u8]>::to_vec);
        let (status, mut response) = (response.status, response);
        let body = std::mem::take(&mut response.body);
        let old = self.received(scene, status, body, of.root)?;
        if self.document.member(old, of.id).is_none() {
            return Err(ScimError::new(502, "the provider answered a resource without `id`"));
        }
        self.same_resource(scene, old)?;
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let (before, wanted) = match change {
            Change::Resource(wanted) => (None, wanted),
            Change::Delta(changes) => {
                let before = route.mapping.view(pair, &mut self.document, old);
                let state = self.document.copy(before);
                let creates = route.repairs.allows(Repair::Upsert);
                let applied = delta::apply(&changes, &mut self.document, state, &route.mapping.idp, creates);
                applied.map_err(|problem| ScimError::problems(&[problem]))?;
                (Some(before), state)
            }
        };
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = match pair.identity {
            true => wanted,
            false => route.mapping.put(pair, &mut self.document, before, wanted, old, notes),
        };
        refuse(&problems)?;
        scene.audit.mapped(fired.names());
        let changes = delta::diff(&mut self.document, old, new, provider, of);
        refuse(&delta::frozen(&changes, provider))?;
        if changes.is_empty() {
            // Nothing is to be done: the state that was read is the answer.
            return Ok(Step::Done(self.shown(scene, 200, old, &response)?));
        }
        let step = self.send(scene, &changes)?;
        let Step::Last(mut call) = step else { return Ok(step) };
        if let Some(etag) = state.filter(|_| call.headers.get("if-match").is_none()) {
            // Somebody else's change in between must not be overwritten.
            call.headers.push("if-match", etag);
            self.unchanged = true;
        }
        Ok(Step::Last(call))
    }

    /// Sends changes on the provider's side, if its schema takes them.
    fn send(&mut self, scene: &mut Scene<'_>, changes: &[delta::Change]) -> Result<Step> {
        let provider = &scene.route.mapping.provider;
        let identity = self.pair(scene).is_some_and(|pair| pair.identity);
        for change in changes.iter().filter(|_| !identity) {
            let attr = match &change.place {
                delta::Place::Attribute(attr) => *attr,
                delta::Place::Elements { sub, .. } => *sub,
                delta::Place::Unknown(_) => continue,
            };
            if let Some(value) = change.value.filter(|_| attr.is_known()) {
                let copy = self.document.copy(value);
                check(provider, Context::Patch, |checker| checker.value(&mut self.document, copy, attr))?;
            }
        }
        let body = delta::write(changes, &self.document, provider);
        self.last(scene, "PATCH", body)
    }

    fn ask_state(&mut self, scene: &Scene<'_>, change: Change) -> Result<Step> {
        let call = self.call(scene, "GET", String::new(), Vec::new())?;
        self.state = State::ExpectBefore(change);
        Ok(Step::Call(call))
    }

    fn last(&mut self, scene: &Scene<'_>, method: &'static str, body: Vec<u8>) -> Result<Step> {
        let call = self.call(scene, method, String::new(), body)?;
        self.state = State::ExpectAnswer;
        Ok(Step::Last(call))
    }

    /// Reads a resource of the IdP: bound, checked, repaired, its references on the provider's side.
    fn resource(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<NodeId> {
        let route = scene.route;
        let Some(of) = self.idp_type(scene) else { return Err(not_found()) };
        let vocabulary = &route.mapping.idp;
        let received = scene.trace.is_on().then(|| body.clone());
        let root = self.document.read(body, vocabulary, of.root, Self::read_depth(scene))?;
        let mut repaired = Repaired::default();
        let context =
            if self.request.kind == super::Kind::Replace { Context::Replace } else { Context::Create };
        let mut checker = Checker::new(vocabulary, &route.repairs, &mut repaired, context);
        checker.interop = route.interop;
        checker.resource(&mut self.document, root, of);
        let problems = checker.problems;
        scene.audit.repaired(&route.repairs, &repaired);
        if let Some(received) = received {
            self.explain_resource(scene, received, &repaired, root);
        }
        refuse(&problems)?;
        let mut next = self.document.first(root);
        while let Some(member) = next {
            next = self.document.sibling(member);
            let attr = self.document.attr(member);
            if attr != of.schemas {
                scene.audit.attribute(vocabulary, attr);
            }
            self.deactivation(scene, attr, Some(member))?;
        }
        self.rebase_to_provider(scene, root);
        Ok(root)
    }

    /// The provider's resource for one of the IdP's, if the provider's schema takes it.
    fn mapped(&mut self, scene: &mut Scene<'_>, root: NodeId) -> Result<NodeId> {
        let route = scene.route;
        let (Some(pair), Some(of)) = (self.pair(scene), self.provider_type(scene)) else {
            return Err(not_found());
        };
        if pair.identity {
            return Ok(root);
        }
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = route.mapping.create(pair, &mut self.document, root, notes);
        refuse(&problems)?;
        scene.audit.mapped(fired.names());
        check(&route.mapping.provider, Context::Create, |checker| {
            checker.resource(&mut self.document, new, of);
        })?;
        Ok(new)
    }

    fn supported(&self, scene: &Scene<'_>) -> Result<()> {
        match self.pair(scene) {
            Some(pair) if pair.provider.is_some() => Ok(()),
            _ => Err(self.unsupported(scene)),
        }
    }

    /// A deactivation that cannot reach the provider is refused, never answered as done.
    fn deactivation(&self, scene: &Scene<'_>, attr: AttrId, value: Option<NodeId>) -> Result<()> {
        let Some(of) = self.idp_type(scene).filter(|_| scene.route.refuses_deactivation) else {
            return Ok(());
        };
        let active = scene.route.mapping.idp.lookup(of.root, b"active");
        let stays = value.is_some_and(|value| self.document.kind(value) == Kind::Bool(true));
        if attr != active || !attr.is_known() || stays {
            return Ok(());
        }
        let detail = "`active` is not mapped to the provider: deactivate the user there, or map `active`";
        Err(ScimError::typed(400, "mutability", detail))
    }

    fn rebase_to_provider(&mut self, scene: &Scene<'_>, root: NodeId) {
        let bases = Bases { from: &scene.route.base, to: &scene.route.provider };
        Self::rebase(&mut self.document, root, &scene.route.mapping.idp, bases);
    }

    /// Reads what the provider sent.
    pub(super) fn received(
        &mut self,
        scene: &Scene<'_>,
        status: u16,
        body: Vec<u8>,
        context: AttrId,
    ) -> Result<NodeId> {
        let provider = &scene.route.mapping.provider;
        let read = self.document.read(body, provider, context, Self::read_depth(scene));
        let root = read.ok().filter(|root| self.document.kind(*root) == Kind::Object);
        let unreadable = "the provider's answer is not a JSON object that can be read";
        let root = root.ok_or_else(|| ScimError::new(502, unreadable))?;
        self.no_error(root, status)?;
        provider.make_lists(&mut self.document, root);
        Ok(root)
    }
}

/// Checks a value against the provider's schema. Nothing is repaired here: the mapping has to get it right.
fn check(
    vocabulary: &crate::schema::Vocabulary,
    context: Context,
    run: impl FnOnce(&mut Checker<'_>),
) -> Result<()> {
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut checker = Checker::new(vocabulary, &repairs, &mut repaired, context);
    run(&mut checker);
    let problems: Vec<Problem> = checker
        .problems
        .into_iter()
        .map(|problem| Problem { message: format!("{} at the provider", problem.message), ..problem })
        .collect();
    refuse(&problems)
}

fn refuse(problems: &[Problem]) -> Result<()> {
    if problems.is_empty() { Ok(()) } else { Err(ScimError::problems(problems)) }
}
