//! Members of groups that the provider does not show: who they are is found by a query, or cannot be told.

use std::collections::BTreeSet;

use serde_json::json;

use super::write::Change;
use super::{Operation, Result, Scene, State, Step, not_found};
use crate::adapt::{Memberships, Page, Walk, page_size};
use crate::delta;
use crate::document::NodeId;
use crate::error::ScimError;
use crate::filter::{Filter, Literal, Op};
use crate::http::Response;
use crate::http::path::push_parameter;
use crate::schema::AttrId;

/// A change that waits for the members of its group.
#[derive(Debug)]
pub(super) struct Members {
    change: Change,
    /// The group, as it was read.
    old: NodeId,
    from: Response,
    ids: BTreeSet<String>,
    walk: Walk,
    calls: u64,
}

impl Operation {
    /// True for a change that can only be told from members the provider does not show; refused where they cannot be
    /// found either.
    pub(super) fn hidden_members(&self, scene: &Scene<'_>, change: &Change) -> Result<bool> {
        let ability = self.ability(scene)?;
        let members = ability.hidden;
        if !members.is_known() {
            return Ok(false);
        }
        let (about, by_id) = match change {
            // A group without the word leaves its members as they are: that is how it was shown.
            Change::Resource(wanted) => {
                (self.emptied || self.document.member(*wanted, members).is_some(), true)
            }
            Change::Delta(changes) => {
                let about: Vec<&delta::Change> =
                    changes.iter().filter(|change| tells(change, members)).collect();
                (!about.is_empty(), about.into_iter().all(by_id))
            }
            Change::Judged(_) | Change::Deletion => (false, true),
        };
        match about && (ability.memberships.is_none() || !by_id) {
            true => Err(unreadable(scene)),
            false => Ok(about),
        }
    }

    /// Asks who the members are.
    pub(super) fn ask_members(
        &mut self,
        scene: &mut Scene<'_>,
        change: Change,
        old: NodeId,
        from: Response,
    ) -> Result<Step> {
        scene.adapted("members found by a query", "memberships");
        let walk = Walk::new(&scene.route.paging, None);
        self.ask_page(scene, Box::new(Members { change, old, from, ids: BTreeSet::new(), walk, calls: 0 }))
    }

    fn ask_page(&mut self, scene: &Scene<'_>, mut members: Box<Members>) -> Result<Step> {
        let Memberships { endpoint, by, .. } = self.memberships(scene)?;
        let id = Literal::String(self.request.id.as_deref().unwrap_or_default().into());
        let mut query = String::new();
        push_parameter(&mut query, "filter", &Filter::compare(by.clone(), Op::Eq, id).to_string());
        members.walk.ask(&mut query, page_size(&scene.route.paging));
        members.calls += 1;
        self.state = State::ExpectMembers(members);
        let path = format!("{}/{endpoint}", scene.route.provider.path);
        Ok(Step::Call(self.call_at(scene, "GET", path, &query, Vec::new())))
    }

    /// Goes on with some of the members.
    pub(super) fn members_answered(
        &mut self,
        scene: &mut Scene<'_>,
        mut members: Box<Members>,
        response: Response,
    ) -> Result<Step> {
        let Memberships { list, id, .. } = self.memberships(scene)?;
        let (page, ids) = if response.status == 404 && scene.route.filters.not_found() {
            (Page::default(), Vec::new())
        } else {
            self.succeeded(scene, &response).map_err(unfound)?;
            let root = self.received(scene, response.status, response.body, *list)?;
            let (page, resources) = self.read_page(root)?;
            let text = |resource| {
                let id = self.document.member(resource, *id).and_then(|id| self.document.string(id));
                id.map(std::borrow::Cow::into_owned)
            };
            let ids: Option<Vec<String>> = resources.into_iter().map(text).collect();
            (page, ids.ok_or_else(|| ScimError::new(502, "the provider answered a resource without `id`"))?)
        };
        let more = members.walk.turn(&page, ids.iter().map(String::as_str)).map_err(unfound)?;
        members.ids.extend(ids);
        let limits = &scene.gateway.limits;
        if members.ids.len() as u64 > limits.resources || (more && members.calls >= limits.pages) {
            let detail = "the group has more members than may be read (`limits.resources`, `limits.pages`); nothing was \
                          changed; add and remove members by name, in operations of their own";
            return Err(ScimError::new(501, detail));
        }
        if more {
            return self.ask_page(scene, members);
        }
        let Members { change, old, from, ids, .. } = *members;
        self.put_members(scene, old, ids)?;
        self.told(scene, change, old, &from)
    }

    /// Completes the state of a group.
    fn put_members(&mut self, scene: &Scene<'_>, group: NodeId, ids: BTreeSet<String>) -> Result<()> {
        let (Some(of), ability) = (self.provider_type(scene), self.ability(scene)?) else {
            return Err(not_found());
        };
        let list: Vec<_> = ids.into_iter().map(|id| json!({ "value": id })).collect();
        let text = json!({ "members": list }).to_string().into_bytes();
        let vocabulary = &scene.route.mapping.provider;
        let root = self.document.read(text, vocabulary, of.root, Self::read_depth(scene))?;
        if let Some(list) = self.document.member(root, ability.members) {
            let list = self.document.copy(list);
            vocabulary.place(&mut self.document, group, ability.members, list);
        }
        Ok(())
    }

    fn memberships<'a>(&self, scene: &Scene<'a>) -> Result<&'a Memberships> {
        self.ability(scene)?.memberships.as_ref().ok_or_else(not_found)
    }
}

/// True for a change of members whose outcome depends on who is one.
fn tells(change: &delta::Change, members: AttrId) -> bool {
    match &change.place {
        delta::Place::Attribute(attr) => *attr == members && change.op != delta::Op::Add,
        delta::Place::Elements { attr, .. } => *attr == members,
        delta::Place::Unknown(_) => false,
    }
}

/// Nothing but the id is known of a member.
fn by_id(change: &delta::Change) -> bool {
    let delta::Place::Elements { filter, sub, .. } = &change.place else { return true };
    let mut known = !sub.is_known();
    filter.visit_paths(&mut |_, path| known &= path.name.eq_ignore_ascii_case("value"));
    known
}

fn unreadable(scene: &Scene<'_>) -> ScimError {
    let title = &scene.route.provider_title;
    let detail = format!(
        "{title} does not show who is a member, so that a whole list of members cannot be told as the changes it takes; \
         nothing was changed; add and remove members by name, in operations of their own"
    );
    ScimError::new(501, detail)
}

/// What was refused is the gateway's question, not the IdP's request.
fn unfound(error: ScimError) -> ScimError {
    let status = if error.status < 500 && error.status != 429 { 502 } else { error.status };
    let detail = format!(
        "the provider did not tell who the members of the group are: {}; nothing was changed; add and remove members by \
         name, in operations of their own",
        error.detail
    );
    ScimError { status, scim_type: None, detail, ..error }
}
