//! Replacing and changing resources: what is asked for, told as changes on the provider's side.

use super::{Bases, Operation, Result, Scene, State, Step, not_found};
use crate::adapt::{Part, Writer};
use crate::delta;
use crate::document::{Kind, NodeId};
use crate::error::ScimError;
use crate::http::Response;
use crate::mapping::{Fired, Mapped, Notes};
use crate::profile::{Readable, Verb};
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{AttrId, Checker, Context, Mutability, Problem, is_settled};

/// A write that waits for the resource's state; its values are in the operation's document.
#[derive(Debug)]
pub(super) enum Change {
    /// These changes of the IdP's view.
    Delta(Vec<delta::Change>),
    /// This whole resource of the IdP.
    Resource(NodeId),
    /// These changes on the provider's side: the state only says whether they may be made.
    Judged(Vec<delta::Change>),
    /// A deletion: the state only says whether it may be made.
    Deletion,
}

impl Operation {
    pub(super) fn replace(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let root = self.resource(scene, body)?;
        let ability = self.ability(scene)?;
        let provider = &scene.route.mapping.provider;
        let direct = self.pair(scene).is_some_and(|pair| pair.identity) && ability.can(Verb::Replace);
        let judged = ability.lacks_any_change() || self.guards(scene, root);
        if !direct || judged {
            scene.audit.adapted("replaced by the difference");
            // Replacing must not wipe what the IdP cannot see, nor do what the provider must not be asked for.
            return self.ask_state(scene, Change::Resource(root));
        }
        ability.fit(&mut self.document, root, provider);
        let body = self.document.write(root);
        self.send_one(scene, "PUT", body)
    }

    pub(super) fn patch(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.supported(scene)?;
        let route = scene.route;
        let Some(of) = self.idp_type(scene) else { return Err(not_found()) };
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
                self.note_spelling(scene, attr, value);
                self.rebase_to_provider(scene, value);
            }
        }
        self.change(scene, changes)
    }

    /// Makes changes of the IdP's view.
    pub(super) fn change(&mut self, scene: &mut Scene<'_>, changes: Vec<delta::Change>) -> Result<Step> {
        let route = scene.route;
        let Some(pair) = self.pair(scene) else { return Err(not_found()) };
        let (mut fired, mut problems) = (Fired::noting(scene.trace.is_on()), Vec::new());
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
        let Mapped::Changes(mapped) = mapped else {
            scene.audit.adapted("told from the state");
            return self.ask_state(scene, Change::Delta(changes));
        };
        let ability = self.ability(scene)?;
        let provider = &route.mapping.provider;
        let writer = Writer { ability, vocabulary: provider, document: &mut self.document };
        if !mapped.is_empty() && writer.needs_state(&mapped) {
            scene.audit.adapted("told from the state");
            return self.ask_state(scene, Change::Delta(changes));
        }
        scene.audit.mapped(self.request.pair, fired.rules());
        Self::explain_rules(scene, &self.document, &fired, |mapping| mapping.dropped_changes(pair, &changes));
        ability.fit_changes(&mut self.document, &mapped, provider);
        if pair.only().is_some() || self.judges_by_state(scene, &mapped)? {
            return self.ask_state(scene, Change::Judged(mapped));
        }
        self.send(scene, mapped, None)
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
        let etag = response.headers.get("etag").map(<[u8]>::to_vec);
        let (status, mut response) = (response.status, response);
        let body = std::mem::take(&mut response.body);
        let old = self.received(scene, status, body, of.root)?;
        if self.document.member(old, of.id).is_none() {
            return Err(ScimError::new(502, "the provider answered a resource without `id`"));
        }
        self.same_resource(scene, old)?;
        self.unchanged = etag;
        if pair.only().is_some() {
            let view = route.mapping.view(pair, &mut self.document, old);
            if !pair.admits(&self.document, view) {
                return Err(not_found());
            }
        }
        match self.hidden_members(scene, &change)? {
            true => self.ask_members(scene, change, old, response),
            false => self.told(scene, change, old, &response),
        }
    }

    /// Tells what is to be sent from the resource's state.
    pub(super) fn told(
        &mut self,
        scene: &mut Scene<'_>,
        change: Change,
        old: NodeId,
        response: &Response,
    ) -> Result<Step> {
        let route = scene.route;
        let (Some(pair), Some(of)) = (self.pair(scene), self.provider_type(scene)) else {
            return Err(not_found());
        };
        let provider = &route.mapping.provider;
        let ability = self.ability(scene)?;
        let (mut fired, mut problems) = (Fired::noting(scene.trace.is_on()), Vec::new());
        let (before, wanted) = match change {
            Change::Judged(changes) => return self.send(scene, changes, Some(old)),
            Change::Deletion => return self.delete_judged(scene, Some(old)),
            Change::Resource(wanted) => (None, wanted),
            Change::Delta(changes) => {
                let before = route.mapping.view(pair, &mut self.document, old);
                let state = self.document.copy(before);
                let creates = route.repairs.allows(Repair::Upsert);
                let applied = delta::apply(&changes, &mut self.document, state, &route.mapping.idp, creates);
                applied.map_err(|problem| ScimError::problems(&[problem]))?;
                self.admitted(scene, state)?;
                (Some(before), state)
            }
        };
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = match pair.identity {
            true => wanted,
            false => route.mapping.put(pair, &mut self.document, before, wanted, old, notes),
        };
        refuse(&problems)?;
        scene.audit.mapped(self.request.pair, fired.rules());
        Self::explain_rules(scene, &self.document, &fired, |mapping| match before {
            None => mapping.dropped(pair, &self.document, wanted, &fired, true),
            Some(_) => Vec::new(),
        });
        ability.fit(&mut self.document, new, provider);
        ability.keep_spelling(&mut self.document, old, new, provider);
        let changes = delta::diff(&mut self.document, old, new, provider, of);
        refuse(&delta::frozen(&changes, provider))?;
        if changes.is_empty() {
            // Nothing is to be done: the state that was read is the answer.
            return self.unchanged_answer(scene, old, response);
        }
        if !ability.can(Verb::Patch) {
            return self.put_whole(scene, changes, old, new);
        }
        let mut writer = Writer { ability, vocabulary: provider, document: &mut self.document };
        let changes = writer.explicit(changes, old, new);
        self.send(scene, changes, Some(old))
    }

    /// Replaces the whole resource at a provider without PATCH: on condition that it is still the one that was read,
    /// and only where reading shows all of it.
    fn put_whole(
        &mut self,
        scene: &mut Scene<'_>,
        changes: Vec<delta::Change>,
        old: NodeId,
        new: NodeId,
    ) -> Result<Step> {
        let (Some(of), ability) = (self.provider_type(scene), self.ability(scene)?) else {
            return Err(not_found());
        };
        let title = &scene.route.provider_title;
        if !ability.can(Verb::Replace) {
            return Err(self.lacking(scene, "change"));
        }
        if ability.readable != Readable::Complete {
            let detail = format!(
                "{title} takes no PATCH, and its {}s cannot be replaced, because it is not known to show all of them; \
                 nothing was changed; let the IdP send PUT",
                of.name
            );
            return Err(ScimError::new(501, detail));
        }
        let Some(changes) = self.permitted(scene, changes, Some(old))? else {
            return self.nothing_sent(scene);
        };
        scene
            .trace
            .adapted("the provider takes no PATCH: the whole resource is replaced", "provider.operations");
        let provider = &scene.route.mapping.provider;
        let members: Vec<NodeId> = self.document.children(new).collect();
        let body = self.document.copy(new);
        let members = members.into_iter().zip(self.document.children(body).collect::<Vec<_>>());
        for (member, copy) in members {
            let attr = self.document.attr(member);
            if provider.attribute(attr).mutability == Mutability::ReadOnly
                && attr != of.id
                && attr != of.schemas
            {
                self.document.remove(copy);
            }
        }
        let body = self.document.write(body);
        scene.audit.adapted("written back as a whole");
        let act = self.act(scene, &changes)?;
        self.guarded(scene, "PUT", vec![Part { body, ..Part::default() }], act)
    }

    pub(super) fn ask_state(&mut self, scene: &Scene<'_>, change: Change) -> Result<Step> {
        if !self.ability(scene)?.can(Verb::Read) {
            let title = &scene.route.provider_title;
            let detail =
                format!("{title} does not show the resource, and its state decides what is to be changed");
            return Err(ScimError::new(501, detail));
        }
        let (what, fact) = match &change {
            Change::Delta(_) => (
                "what the change means depends on the resource, which is read first",
                "RFC 7644 section 3.5.2",
            ),
            Change::Resource(_) => (
                "the IdP may not see all of the resource: it is read, and the difference is sent",
                "RFC 7644 section 3.5.1",
            ),
            Change::Judged(_) | Change::Deletion => {
                ("whether it may be done depends on the resource, which is read first", "unsupported")
            }
        };
        scene.trace.adapted(what, fact);
        let call = self.call(scene, "GET", String::new(), Vec::new())?;
        self.state = State::ExpectBefore(change);
        Ok(Step::Call(call))
    }

    /// Reads a resource of the IdP: bound, checked, repaired, its references on the provider's side.
    pub(super) fn resource(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<NodeId> {
        let route = scene.route;
        let Some(of) = self.idp_type(scene) else { return Err(not_found()) };
        let vocabulary = &route.mapping.idp;
        let received = scene.trace.is_on().then(|| body.clone());
        let root = self.document.read(body, vocabulary, of.root, Self::read_depth(scene))?;
        // An empty list is dropped as the absence it is; of members that nobody was shown it is told apart.
        let ability = self.ability(scene)?;
        let (hidden, respells) = (ability.hidden, !ability.respelt.is_empty());
        let members = self.document.member(root, hidden).filter(|_| hidden.is_known());
        self.emptied = members.is_some_and(|members| self.document.is_unassigned(members));
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
        self.admitted(scene, root)?;
        for (_, attr) in self.document.bound(root).filter(|(_, attr)| *attr != of.schemas) {
            scene.audit.member(attr);
        }
        if respells || route.refuses_deactivation {
            let members: Vec<_> = self.document.bound(root).collect();
            for (member, attr) in members {
                self.note_spelling(scene, attr, member);
                self.deactivation(scene, attr, Some(member))?;
            }
        }
        self.rebase_to_provider(scene, root);
        Ok(root)
    }

    /// The provider's resource for one of the IdP's, if the provider's schema takes it.
    pub(super) fn mapped(&mut self, scene: &mut Scene<'_>, root: NodeId) -> Result<NodeId> {
        let route = scene.route;
        let (Some(pair), Some(of)) = (self.pair(scene), self.provider_type(scene)) else {
            return Err(not_found());
        };
        if pair.identity {
            return Ok(root);
        }
        let (mut fired, mut problems) = (Fired::noting(scene.trace.is_on()), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = route.mapping.create(pair, &mut self.document, root, notes);
        refuse(&problems)?;
        scene.audit.mapped(self.request.pair, fired.rules());
        Self::explain_rules(scene, &self.document, &fired, |mapping| {
            mapping.dropped(pair, &self.document, root, &fired, true)
        });
        if !is_settled(&self.document, new, &route.mapping.provider, of) {
            check(&route.mapping.provider, Context::Create, |checker| {
                checker.resource(&mut self.document, new, of);
            })?;
        }
        Ok(new)
    }

    pub(super) fn supported(&self, scene: &Scene<'_>) -> Result<()> {
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

    /// What there would not be for the IdP it cannot make either.
    fn admitted(&self, scene: &Scene<'_>, root: NodeId) -> Result<()> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else { return Ok(()) };
        if pair.admits(&self.document, root) {
            return Ok(());
        }
        let detail = format!(
            "route `{}` has only {}s that `only` of its mapping selects, and this would not be one of them; change it \
             in the IdP, or change `only`",
            scene.route.name, of.name
        );
        Err(ScimError::typed(400, "invalidValue", detail))
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
        if let Ok(ability) = self.ability(scene)
            && ability.has_placeholders()
        {
            let list = self.document.member_named(root, "Resources");
            let listed = list.into_iter().flat_map(|list| self.document.elements(list));
            let resources: Vec<NodeId> = listed.chain([root]).collect();
            for resource in resources {
                ability.take_placeholders(&mut self.document, resource, provider);
            }
        }
        Ok(root)
    }

    /// Refuses changes whose values the provider's schema does not take.
    pub(super) fn check_changes(&mut self, scene: &Scene<'_>, changes: &[delta::Change]) -> Result<()> {
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
        Ok(())
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

pub(super) fn refuse(problems: &[Problem]) -> Result<()> {
    if problems.is_empty() { Ok(()) } else { Err(ScimError::problems(problems)) }
}
