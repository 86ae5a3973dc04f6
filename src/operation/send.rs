//! Sending a write that is ready: what the provider lacks, the requests one after the other, and the answer.

use std::collections::VecDeque;

use super::write::Change;
use super::{Kind, Operation, Result, Scene, State, Step, json, not_found};
use crate::adapt::{Ability, Lack, Part, Writer, same_but_case};
use crate::config::Deletion;
use crate::delta;
use crate::document::NodeId;
use crate::errand::Turn;
use crate::error::ScimError;
use crate::guard::{Act, Judged};
use crate::http::Response;
use crate::profile::{Capability, Effect, PatchAnswer, Verb, Way};
use crate::schema::AttrId;

/// The requests of one write.
#[derive(Debug, Default)]
pub(super) struct Sending {
    method: &'static str,
    parts: VecDeque<Part>,
    /// How many there are in all.
    total: usize,
    sent: usize,
    /// What those that were sent, but for the last one, have done.
    adds: usize,
    removals: usize,
    /// What the last one does, if it is done.
    last: (usize, usize),
}

impl Operation {
    /// Makes changes on the provider's side; `old` is the resource's state where it is known.
    pub(super) fn send(
        &mut self,
        scene: &mut Scene<'_>,
        changes: Vec<delta::Change>,
        old: Option<NodeId>,
    ) -> Result<Step> {
        if changes.is_empty() {
            return self.nothing_sent(scene);
        }
        let Some(changes) = self.permitted(scene, changes, old)? else { return self.nothing_sent(scene) };
        self.check_changes(scene, &changes)?;
        let act = self.act(scene, &changes)?;
        let ability = self.ability(scene)?;
        let vocabulary = &scene.route.mapping.provider;
        let parts = Writer { ability, vocabulary, document: &mut self.document }.parts(&changes);
        if scene.trace.is_on() {
            self.explain_parts(scene, &changes, &parts);
        }
        self.guarded(scene, "PATCH", parts, act)
    }

    /// Sends one request with this body.
    pub(super) fn send_one(
        &mut self,
        scene: &mut Scene<'_>,
        method: &'static str,
        body: Vec<u8>,
    ) -> Result<Step> {
        self.guarded(scene, method, vec![Part { body, ..Part::default() }], None)
    }

    /// Sends requests if the route's guard lets them.
    pub(super) fn guarded(
        &mut self,
        scene: &mut Scene<'_>,
        method: &'static str,
        parts: Vec<Part>,
        act: Option<Act>,
    ) -> Result<Step> {
        let total = parts.len();
        if total > 1 {
            scene.adapted("sent in several requests", "patch");
        }
        self.sending = Sending { method, parts: parts.into(), total, ..Sending::default() };
        match act.filter(|act| scene.route.guard.counts(*act)) {
            Some(act) => {
                let name = self.provider_type(scene).map_or("", |of| &of.name);
                let resource = format!("{name}/{}", self.request.id.as_deref().unwrap_or_default());
                self.on_guard(scene, act, scene.route.guard.judge(act, &resource, scene.now))
            }
            None => self.next_part(scene),
        }
    }

    /// Sends what waits for the guard, asks on, or gives the guard's refusal.
    pub(super) fn on_guard(&mut self, scene: &mut Scene<'_>, act: Act, turn: Turn<Judged>) -> Result<Step> {
        match turn {
            Turn::Ready(Ok(())) => self.next_part(scene),
            Turn::Ready(Err(error)) => {
                scene.audit.stopped(act.as_str());
                Err(error)
            }
            Turn::Need(need, resume) => {
                self.state = State::ExpectGuard(act, resume);
                Ok(Step::Ask(need))
            }
        }
    }

    /// Refuses what must never happen to a resource in this state.
    pub(super) fn protect(&self, scene: &mut Scene<'_>, old: Option<NodeId>, acts: bool) -> Result<()> {
        let ability = self.ability(scene)?;
        if !acts || self.judged || !ability.protects() {
            return Ok(());
        }
        if old.is_some_and(|old| !ability.is_protected(&self.document, old)) {
            return Ok(());
        }
        scene.audit.stopped("never");
        let detail = format!(
            "the guard `never` of route `{}` protects this user from being deactivated, deleted or taken for another; \
             nothing was sent; change the user at the provider, or change `guard.never`",
            scene.route.name
        );
        Err(ScimError::new(403, detail))
    }

    fn kept_from(&self, scene: &Scene<'_>, changes: &[delta::Change]) -> Result<bool> {
        let (ability, vocabulary) = (self.ability(scene)?, &scene.route.mapping.provider);
        Ok(changes.iter().any(|change| ability.is_kept_from(change, &self.document, vocabulary)))
    }

    /// Sends the next request.
    pub(super) fn next_part(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        let sending = &mut self.sending;
        let first = sending.sent == 0;
        // What follows a creation is a change of what it made.
        let method = if first || sending.method != "POST" { sending.method } else { "PATCH" };
        let Some(part) = sending.parts.pop_front() else { return Err(not_found()) };
        sending.adds += sending.last.0;
        sending.removals += sending.last.1;
        sending.last = (part.adds, part.removals);
        sending.sent += 1;
        let last = sending.parts.is_empty();
        if !first {
            // The condition was that of the first request, which has changed the resource.
            self.request.passed.retain(|(name, _)| *name != "if-match");
            self.unchanged = None;
        }
        let mut call = self.call(scene, method, String::new(), part.body)?;
        if call.headers.get("if-match").is_some() {
            self.unchanged = None;
        } else if let Some(etag) = &self.unchanged {
            // Somebody else's change in between must not be overwritten.
            call.headers.push("if-match", etag.as_slice());
        }
        match last {
            true => {
                self.state = State::ExpectAnswer;
                // A host takes one request in place of the IdP's.
                match std::mem::replace(&mut self.forwarded, true) {
                    false => Ok(Step::Last(call)),
                    true => Ok(Step::Call(call)),
                }
            }
            false => {
                self.state = State::ExpectPart;
                Ok(Step::Call(call))
            }
        }
    }

    /// Goes on with the answer to a request that was not the last one.
    pub(super) fn part_answered(&mut self, scene: &mut Scene<'_>, response: Response) -> Result<Step> {
        self.succeeded(scene, &response)?;
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let mut made = self.id_in(scene, &response);
        if !response.body.is_empty() {
            let root = self.received(scene, response.status, response.body, of.root)?;
            self.same_resource(scene, root)?;
            let id = self.document.member(root, of.id).and_then(|id| self.document.string(id));
            made = id.map(std::borrow::Cow::into_owned).or(made);
        }
        if self.request.id.is_none() {
            let unknown =
                "the provider created the resource but does not say where; it has a part of its members";
            self.request.id = Some(made.ok_or_else(|| ScimError::new(502, unknown))?);
        }
        self.next_part(scene)
    }

    /// An error of a request that others went before says what was done.
    pub(super) fn partly(&self, error: ScimError) -> ScimError {
        let Sending { sent, total, adds, removals, .. } = self.sending;
        if sent < 2 {
            return error;
        }
        if self.request.kind == Kind::Create {
            let detail = format!(
                "request {sent} of {total} that the creation takes failed: {}; the resource was made with {adds} of its \
                 members, and is there: find it and add the others; made again, it would be refused or be there twice",
                error.detail
            );
            if matches!(error.status, 429 | 503) {
                // Nobody is to be told to send the same again.
                return ScimError::new(502, detail);
            }
            return ScimError { detail, ..error };
        }
        let detail = format!(
            "request {sent} of {total} that the change takes failed: {}; those before were done ({adds} members added, \
             {removals} removed) and are not undone; send the same again, doing it twice does no harm",
            error.detail
        );
        ScimError { detail, ..error }
    }

    /// The changes that may be made: those the provider lacks are refused, or left out where that was said.
    pub(super) fn permitted(
        &self,
        scene: &mut Scene<'_>,
        changes: Vec<delta::Change>,
        old: Option<NodeId>,
    ) -> Result<Option<Vec<delta::Change>>> {
        let ability = self.ability(scene)?;
        if !ability.lacks_any_change() && !ability.protects() {
            return Ok(Some(changes).filter(|changes| !changes.is_empty()));
        }
        let vocabulary = &scene.route.mapping.provider;
        let mut permitted = Vec::with_capacity(changes.len());
        for change in changes {
            let mut left_out = false;
            for capability in ability.needs(&change, &self.document, vocabulary) {
                left_out |= self.lacks(scene, capability, old)? == Some(Way::Pretend);
            }
            if !left_out {
                permitted.push(change);
            }
        }
        let kept = self.kept_from(scene, &permitted)?;
        self.protect(scene, old, kept)?;
        Ok(Some(permitted).filter(|permitted| !permitted.is_empty()))
    }

    /// What happens instead of something the provider lacks; refused where that is what happens.
    pub(super) fn lacks(
        &self,
        scene: &mut Scene<'_>,
        capability: Capability,
        old: Option<NodeId>,
    ) -> Result<Option<Way>> {
        let applies = |lack: &&Lack| match (&lack.when, old) {
            (None, _) => true,
            (Some(when), Some(old)) => when.matches(&self.document, old),
            (Some(_), None) => false,
        };
        let Some(lack) = self.ability(scene)?.lacks(capability).find(applies) else { return Ok(None) };
        match lack.way {
            Way::Reject => {
                let (capability, why) = (capability.as_str(), &lack.why);
                let detail = match lack.own {
                    true => format!("route `{}` does not do this (`{capability}`): {why}", scene.route.name),
                    false => format!("{} cannot do this (`{capability}`): {why}", scene.route.provider_title),
                };
                Err(ScimError::new(501, detail))
            }
            Way::Pretend => {
                scene.audit.pretended(capability.as_str());
                let what =
                    format!("answered as done, and not done (`{}`): {}", capability.as_str(), lack.why);
                scene.trace.adapted(&what, "unsupported");
                Ok(Some(Way::Pretend))
            }
            Way::Emulate => Ok(Some(Way::Emulate)),
        }
    }

    /// True when the resource's state decides whether the changes may be made.
    pub(super) fn judges_by_state(&self, scene: &Scene<'_>, changes: &[delta::Change]) -> Result<bool> {
        let ability = self.ability(scene)?;
        let vocabulary = &scene.route.mapping.provider;
        let depends = |change: &delta::Change| {
            ability.needs(change, &self.document, vocabulary).into_iter().any(|each| ability.depends(each))
        };
        let protects = ability.protects() && !self.judged;
        Ok(changes.iter().any(depends) || (protects && self.kept_from(scene, changes)?))
    }

    /// True when a guard wants to know what replacing by this resource changes.
    pub(super) fn guards(&self, scene: &Scene<'_>, root: NodeId) -> bool {
        let Ok(ability) = self.ability(scene) else { return false };
        let counts = [Act::Deactivate, Act::Delete].into_iter().any(|act| scene.route.guard.counts(act));
        let inactive = ability.is_inactive(&self.document, root, &scene.route.mapping.provider);
        ability.protects() || (counts && inactive)
    }

    /// What a guard calls these changes.
    pub(super) fn act(&self, scene: &Scene<'_>, changes: &[delta::Change]) -> Result<Option<Act>> {
        let ability = self.ability(scene)?;
        let vocabulary = &scene.route.mapping.provider;
        let deactivates =
            changes.iter().any(|change| ability.deactivates(change, &self.document, vocabulary));
        Ok(deactivates.then_some(match ability.deactivation {
            Effect::Delete => Act::Delete,
            _ => Act::Deactivate,
        }))
    }

    /// The answer to a write of which nothing has to reach the provider, when its state is known.
    pub(super) fn unchanged_answer(
        &mut self,
        scene: &mut Scene<'_>,
        old: NodeId,
        from: &Response,
    ) -> Result<Step> {
        Ok(Step::Done(match self.request.kind {
            Kind::Delete => json(204, Vec::new()),
            Kind::Create => self.shown(scene, 201, old, from)?,
            _ => self.shown(scene, 200, old, from)?,
        }))
    }

    /// The answer to a write of which nothing reaches the provider.
    pub(super) fn nothing_sent(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        match self.request.kind {
            Kind::Patch | Kind::Replace if self.wants_resource(scene) => self.ask_resource(scene),
            Kind::Create => self.ask_resource(scene),
            _ => Ok(Step::Done(json(204, Vec::new()))),
        }
    }

    /// Goes on with the answer to the last request of a write, or to a request that was the only one.
    pub(super) fn finished(&mut self, scene: &mut Scene<'_>, response: Response) -> Result<Step> {
        let kind = self.request.kind;
        let changed = matches!(kind, Kind::Patch | Kind::Replace) && (200..300).contains(&response.status);
        if changed && response.body.is_empty() && response.status != 202 && self.wants_resource(scene) {
            self.succeeded(scene, &response)?;
            return self.ask_resource(scene);
        }
        if kind == Kind::Create && self.request.id.is_some() && response.body.is_empty() {
            self.succeeded(scene, &response)?;
            return self.ask_resource(scene);
        }
        let step = self.answer(scene, response)?;
        Ok(match step {
            Step::Done(answer)
                if kind == Kind::Patch && answer.status == 200 && self.wants_nothing(scene) =>
            {
                let mut empty = json(204, Vec::new());
                if let Some(etag) = answer.headers.get("etag") {
                    empty.headers.push("etag", etag);
                }
                Step::Done(empty)
            }
            step => step,
        })
    }

    /// Reads the resource that was written, because the IdP wants to see it.
    fn ask_resource(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        self.written = true;
        scene.adapted("read for the answer", "answers");
        let done = || Ok(Step::Done(self.created_but_unseen(scene).unwrap_or_else(|| json(204, Vec::new()))));
        if !self.ability(scene)?.can(Verb::Read) {
            return done();
        }
        let call = self.call(scene, "GET", String::new(), Vec::new())?;
        self.state = State::ExpectResource;
        Ok(Step::Call(call))
    }

    /// The resource that was written; it was written all the same where it cannot be read.
    pub(super) fn resource_read(
        &mut self,
        scene: &mut Scene<'_>,
        response: Result<Response>,
    ) -> Result<Step> {
        let answered = response.and_then(|response| match response.body.is_empty() {
            true => Err(not_found()),
            false => self.answer(scene, response),
        });
        Ok(answered.unwrap_or_else(|_| {
            Step::Done(self.created_but_unseen(scene).unwrap_or_else(|| json(204, Vec::new())))
        }))
    }

    /// RFC 7644 sections 3.5.1 and 3.5.2: a replacement is answered with the resource, a change with `attributes`, too;
    /// else an IdP may want it anyway.
    fn wants_resource(&self, scene: &Scene<'_>) -> bool {
        self.request.kind == Kind::Replace
            || scene.route.patch_answer == Some(PatchAnswer::Resource)
            || self.request.query.get("attributes").is_some()
    }

    fn wants_nothing(&self, scene: &Scene<'_>) -> bool {
        scene.route.patch_answer == Some(PatchAnswer::Empty) && self.request.query.get("attributes").is_none()
    }

    /// What the provider can do with resources of the request's type.
    pub(super) fn ability<'a>(&self, scene: &Scene<'a>) -> Result<&'a Ability> {
        let ability = self.request.pair.and_then(|pair| scene.route.abilities.get(pair));
        ability.ok_or_else(not_found)
    }

    /// The refusal of an operation that the provider does not have.
    pub(super) fn lacking(&self, scene: &Scene<'_>, verb: &str) -> ScimError {
        let name = self.provider_type(scene).map_or("resource", |of| &of.name);
        let title = &scene.route.provider_title;
        ScimError::new(501, format!("{title} cannot {verb} {name}s; nothing was changed; do it there"))
    }

    /// Deletes, or does what stands for it.
    pub(super) fn delete(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        self.supported(scene)?;
        let capability = self.deletion(scene)?;
        let ability = self.ability(scene)?;
        let only = self.pair(scene).is_some_and(|pair| pair.only().is_some());
        match only || ability.depends(capability) || ability.protects() {
            true => self.ask_state(scene, Change::Deletion),
            false => self.delete_judged(scene, None),
        }
    }

    fn deletion(&self, scene: &Scene<'_>) -> Result<Capability> {
        Ok(if self.ability(scene)?.is_user() { Capability::UserDelete } else { Capability::GroupDelete })
    }

    pub(super) fn delete_judged(&mut self, scene: &mut Scene<'_>, old: Option<NodeId>) -> Result<Step> {
        let ability = self.ability(scene)?;
        self.protect(scene, old, true)?;
        self.judged = old.is_some();
        let said = scene.route.delete.filter(|_| ability.is_user());
        let emulates = match said {
            Some(Deletion::Delete) => false,
            Some(Deletion::Deactivate) => true,
            Some(Deletion::Reject) => {
                let detail =
                    "this route deletes no users (`delete: reject`); deactivate the user, or delete it there";
                return Err(ScimError::typed(403, "mutability", detail));
            }
            None => match self.lacks(scene, self.deletion(scene)?, old)? {
                Some(Way::Pretend) => return Ok(Step::Done(json(204, Vec::new()))),
                Some(_) => ability.is_user(),
                None => ability.is_user() && !ability.can(Verb::Delete),
            },
        };
        if emulates {
            return self.deactivate(scene);
        }
        if !ability.can(Verb::Delete) {
            return Err(self.lacking(scene, "delete"));
        }
        let act = match (ability.is_user(), ability.deletion) {
            (true, Effect::Archive | Effect::Suspend | Effect::Deactivate) => Act::Deactivate,
            _ => Act::Delete,
        };
        self.guarded(scene, "DELETE", vec![Part::default()], Some(act))
    }

    /// A deletion that is made a deactivation.
    fn deactivate(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        let Some(of) = self.idp_type(scene) else { return Err(not_found()) };
        let active = scene.route.mapping.idp.lookup(of.root, b"active");
        if !active.is_known() || scene.route.refuses_deactivation {
            return Err(self.lacking(scene, "delete or deactivate"));
        }
        scene.audit.adapted("deactivated instead of deleted");
        scene.trace.adapted("a deletion is made a deactivation", "delete");
        let value = Some(self.document.new_bool(false));
        let place = delta::Place::Attribute(active);
        self.change(scene, vec![delta::Change { op: delta::Op::Replace, place, value }])
    }

    /// Keeps how the IdP spells a value that the provider writes otherwise.
    pub(super) fn note_spelling(&mut self, scene: &Scene<'_>, attr: AttrId, value: NodeId) {
        let Ok(ability) = self.ability(scene) else { return };
        if ability.respelt.contains(&attr)
            && let Some(text) = self.document.string(value)
        {
            self.spellings.push((attr, text.into_owned()));
        }
    }

    /// The IdP sees the value it has just written in its own spelling: another one would be a difference to it.
    pub(super) fn respell(&mut self, scene: &Scene<'_>, view: NodeId) {
        let vocabulary = &scene.route.mapping.idp;
        for (attr, text) in std::mem::take(&mut self.spellings) {
            let Some(shown) = vocabulary.find(&self.document, view, attr) else { continue };
            let said = self.document.new_string(&text);
            if same_but_case(&self.document, shown, said) {
                self.document.assign(shown, said);
            }
        }
    }
}
