//! PATCH as a provider takes it: which changes it cannot be told without the resource's state, and the requests
//! that say the others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Ability;
use crate::delta::{self, Change, Op, Place};
use crate::document::{Document, NodeId};
use crate::filter::{self, Filter, Literal};
use crate::message::PATCH_OP;
use crate::path::AttrPath;
use crate::profile::{PatchFacts, Verb};
use crate::schema::{AttrId, Vocabulary};

/// One request of a change, with what it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// How many members it adds.
    pub(crate) adds: usize,
    /// How many members it removes.
    pub(crate) removals: usize,
}

/// Says changes in a provider's dialect.
pub(crate) struct Writer<'a> {
    pub(crate) ability: &'a Ability,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) document: &'a mut Document,
}

/// What a change does to the members of a group.
enum Members {
    Add(Vec<NodeId>),
    Replace(Vec<NodeId>),
    /// Those of these ids.
    Remove(Vec<Box<str>>),
    /// All.
    Clear,
}

impl Writer<'_> {
    /// True when changes can only be told from the resource's state.
    pub(crate) fn needs_state(&self, changes: &[Change]) -> bool {
        if !self.ability.can(Verb::Patch) {
            return true;
        }
        let patch = &self.ability.patch;
        let mut written: BTreeSet<AttrId> = BTreeSet::new();
        changes.iter().any(|change| {
            if let Some(members) = self.members(change) {
                let whole = matches!(members, Members::Replace(_) | Members::Clear);
                return whole && (!patch.replace_members || limits_removals(patch));
            }
            match &change.place {
                Place::Elements { attr, .. } => {
                    !patch.value_paths || patch.one_per_attribute || self.ability.limit(*attr).is_some()
                }
                Place::Attribute(attr) => {
                    let grows = change.op == Op::Add && self.ability.limit(*attr).is_some();
                    grows || (patch.one_per_attribute && !written.insert(*attr))
                }
                Place::Unknown(_) => false,
            }
        })
    }

    /// Changes that were told from two states, in words that the dialect has: lists are replaced where an element
    /// cannot be told, members are added and removed one by one where they cannot be replaced.
    pub(crate) fn explicit(&mut self, changes: Vec<Change>, old: NodeId, new: NodeId) -> Vec<Change> {
        let patch = &self.ability.patch;
        let lists = !patch.value_paths || patch.one_per_attribute;
        let members = !patch.value_paths || !patch.replace_members || limits_removals(patch);
        let mut done: BTreeSet<AttrId> = BTreeSet::new();
        let mut out = Vec::new();
        for change in changes {
            let attr = match &change.place {
                Place::Elements { attr, .. } | Place::Attribute(attr) => *attr,
                Place::Unknown(_) => AttrId::UNKNOWN,
            };
            if attr.is_known() && attr == self.ability.members && members {
                if done.insert(attr) {
                    self.member_changes(old, new, &mut out);
                }
                continue;
            }
            if matches!(change.place, Place::Elements { .. }) && (lists || self.ability.limit(attr).is_some())
            {
                if done.insert(attr) {
                    let value = self.vocabulary.find(self.document, new, attr);
                    let value = value.filter(|value| !self.document.is_unassigned(*value));
                    let op = if value.is_some() { Op::Replace } else { Op::Remove };
                    out.push(Change { op, place: Place::Attribute(attr), value });
                }
                continue;
            }
            if done.contains(&attr) {
                // The whole list was said already.
                continue;
            }
            out.push(change);
        }
        out
    }

    /// Who joins and who leaves, by id.
    fn member_changes(&mut self, old: NodeId, new: NodeId, out: &mut Vec<Change>) {
        let attr = self.ability.members;
        let value = self.vocabulary.parts(attr).value;
        let ids = |document: &Document, root: NodeId| -> Vec<(String, String, NodeId)> {
            let list = self.vocabulary.find(document, root, attr);
            let elements = list.into_iter().flat_map(|list| document.elements(list));
            let id = |element: NodeId| {
                let text = document.string(document.member(element, value)?)?.into_owned();
                let key = self.vocabulary.comparable(value, Cow::Borrowed(&text)).into_owned();
                Some((key, text, element))
            };
            elements.filter_map(id).collect()
        };
        let (before, after) = (ids(self.document, old), ids(self.document, new));
        let keys = |members: &[(String, String, NodeId)]| -> BTreeSet<String> {
            members.iter().map(|(key, ..)| key.clone()).collect()
        };
        let (was, stays) = (keys(&before), keys(&after));
        for (key, id, _) in before {
            if !stays.contains(&key) {
                let id = Literal::String(id.into());
                let filter = Filter::compare(AttrPath::new("value"), filter::Op::Eq, id);
                let place = Place::Elements { attr, filter, sub: AttrId::UNKNOWN };
                out.push(Change { op: Op::Remove, place, value: None });
            }
        }
        let list = self.document.new_array();
        let mut added: BTreeSet<String> = BTreeSet::new();
        for (key, _, element) in after {
            if !was.contains(&key) && added.insert(key) {
                let copy = self.document.copy(element);
                self.document.append(list, copy);
            }
        }
        if !added.is_empty() {
            let joins = Change { op: Op::Add, place: Place::Attribute(attr), value: Some(list) };
            self.ability.fit_changes(self.document, std::slice::from_ref(&joins), self.vocabulary);
            out.push(joins);
        }
    }

    /// Cuts from a new resource the members that one request does not take, and answers how many are left and the
    /// requests that add the others.
    pub(crate) fn cut(&mut self, new: NodeId) -> Option<(usize, Vec<Part>)> {
        let (attr, patch) = (self.ability.members, &self.ability.patch);
        let most = [patch.max_member_adds, patch.max_member_changes].into_iter().flatten().min()?;
        let list = self.vocabulary.find(self.document, new, attr).filter(|_| attr.is_known())?;
        let later: Vec<NodeId> = self.document.elements(list).skip(most).collect();
        if later.is_empty() || !self.ability.can(Verb::Patch) {
            return None;
        }
        let others = self.document.new_array();
        for member in later {
            let copy = self.document.copy(member);
            self.document.append(others, copy);
            self.document.remove(member);
        }
        let change = Change { op: Op::Add, place: Place::Attribute(attr), value: Some(others) };
        Some((most, self.parts(&[change])))
    }

    /// The requests that say the changes, in order.
    pub(crate) fn parts(&mut self, changes: &[Change]) -> Vec<Part> {
        let mut parts = Parts { patch: &self.ability.patch, done: Vec::new(), part: Part::default(), ops: 0 };
        let mut object = None;
        let mut leaving: Vec<Box<str>> = Vec::new();
        for change in changes {
            let members = self.members(change);
            if !matches!(members, Some(Members::Remove(_))) {
                self.leave(&mut parts, std::mem::take(&mut leaving));
            }
            if members.is_some() || !self.joins(object.as_ref(), change) {
                self.flush(&mut parts, &mut object);
            }
            match members {
                None => self.plain(&mut parts, &mut object, change),
                Some(Members::Add(members)) => self.join(&mut parts, Op::Add, &members),
                Some(Members::Replace(members)) => self.join(&mut parts, Op::Replace, &members),
                Some(Members::Remove(ids)) => leaving.extend(ids),
                Some(Members::Clear) => parts.push(br#"{"op":"remove","path":"members"}"#, 0, 0),
            }
        }
        self.leave(&mut parts, leaving);
        self.flush(&mut parts, &mut object);
        parts.finish()
    }

    /// What a change does to members, where it is about them.
    fn members(&self, change: &Change) -> Option<Members> {
        let members = self.ability.members;
        let elements = |value: NodeId| self.document.elements(value).collect::<Vec<NodeId>>();
        match (&change.place, change.value) {
            _ if !members.is_known() => None,
            (Place::Attribute(attr), Some(value)) if *attr == members => Some(match change.op {
                Op::Add => Members::Add(elements(value)),
                _ => Members::Replace(elements(value)),
            }),
            (Place::Attribute(attr), None) if *attr == members => Some(Members::Clear),
            (Place::Elements { attr, filter, sub }, None) if *attr == members && !sub.is_known() => {
                let pairs = filter.as_conjunction_of_eq()?;
                let [(path, Literal::String(id))] = pairs.as_slice() else { return None };
                path.name.eq_ignore_ascii_case("value").then(|| Members::Remove(vec![id.clone()]))
            }
            _ => None,
        }
    }

    /// True when a change may be a member of the object that is gathered.
    fn joins(&self, object: Option<&Object>, change: &Change) -> bool {
        let (Some(object), Place::Attribute(attr)) = (object, &change.place) else { return false };
        let parent = self.vocabulary.attribute(*attr).parent;
        !self.ability.patch.one_per_attribute
            && change.value.is_some()
            && object.op == self.pathless_op(change, *attr)
            && !object.attrs.contains(attr)
            && !object.attrs.contains(&parent)
    }

    /// Adding to what is no list is replacing.
    fn pathless_op(&self, change: &Change, attr: AttrId) -> Op {
        if self.vocabulary.attribute(attr).multi_valued { change.op } else { Op::Replace }
    }

    fn plain(&mut self, parts: &mut Parts<'_>, object: &mut Option<Object>, change: &Change) {
        let Some((attr, value)) = self.pathless(change) else {
            let mut out = Vec::new();
            delta::write_change(change, self.document, self.vocabulary, &mut out);
            return parts.push(&out, 0, 0);
        };
        let op = self.pathless_op(change, attr);
        let gathered =
            object.get_or_insert_with(|| Object { op, root: self.document.new_object(), attrs: Vec::new() });
        let copy = self.document.copy(value);
        self.vocabulary.place(self.document, gathered.root, attr, copy);
        gathered.attrs.push(attr);
    }

    fn pathless(&self, change: &Change) -> Option<(AttrId, NodeId)> {
        match (&change.place, change.value) {
            (Place::Attribute(attr), Some(value)) if self.ability.patch.pathless => Some((*attr, value)),
            _ => None,
        }
    }

    fn flush(&self, parts: &mut Parts<'_>, object: &mut Option<Object>) {
        let Some(object) = object.take() else { return };
        let mut out = format!(r#"{{"op":"{}","value":"#, object.op.as_str()).into_bytes();
        self.document.write_to(object.root, &mut out);
        out.push(b'}');
        parts.push(&out, 0, 0);
    }

    /// Adds members; `op` is that of the first request, all others add.
    fn join(&self, parts: &mut Parts<'_>, op: Op, members: &[NodeId]) {
        let mut op = op;
        let mut left = members;
        loop {
            let room = parts.room(|patch| patch.max_member_adds, |part| part.adds).min(left.len());
            let (now, later) = left.split_at(room);
            let value = |out: &mut Vec<u8>| {
                for (index, member) in now.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.document.write_to(*member, out);
                }
            };
            let text = self.member_operation(op, value);
            parts.push(&text, now.len(), 0);
            if later.is_empty() {
                return;
            }
            (op, left) = (Op::Add, later);
        }
    }

    /// Removes members.
    fn leave(&self, parts: &mut Parts<'_>, ids: Vec<Box<str>>) {
        let id = |id: &str| serde_json::Value::from(id).to_string();
        if self.ability.patch.value_paths && !self.ability.patch.nested_members {
            for each in ids {
                let path = format!("members[value eq {}]", id(&each));
                let text = format!(r#"{{"op":"remove","path":{}}}"#, serde_json::Value::from(path));
                parts.room(|patch| patch.max_member_removals, |part| part.removals);
                parts.push(text.as_bytes(), 0, 1);
            }
            return;
        }
        let mut left = ids.as_slice();
        while !left.is_empty() {
            let room = parts.room(|patch| patch.max_member_removals, |part| part.removals).min(left.len());
            let (now, later) = left.split_at(room);
            let texts: Vec<String> = now.iter().map(|each| format!(r#"{{"value":{}}}"#, id(each))).collect();
            let value = |out: &mut Vec<u8>| out.extend_from_slice(texts.join(",").as_bytes());
            let text = self.member_operation(Op::Remove, value);
            parts.push(&text, 0, now.len());
            left = later;
        }
    }

    fn member_operation(&self, op: Op, value: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = format!(r#"{{"op":"{}","path":"members","value":"#, op.as_str()).into_bytes();
        let nested = self.ability.patch.nested_members;
        out.extend_from_slice(if nested { br#"{"members":["#.as_slice() } else { b"[" });
        value(&mut out);
        out.extend_from_slice(if nested { b"]}}".as_slice() } else { b"]}" });
        out
    }
}

/// Removing is limited, so that nobody knows how much a replacement would remove.
const fn limits_removals(patch: &PatchFacts) -> bool {
    patch.max_member_removals.is_some() || patch.max_member_changes.is_some()
}

/// Attributes that are the value of one operation without a path.
struct Object {
    op: Op,
    root: NodeId,
    attrs: Vec<AttrId>,
}

/// Requests as they are filled.
struct Parts<'a> {
    patch: &'a PatchFacts,
    done: Vec<Part>,
    part: Part,
    /// Operations in the last one.
    ops: usize,
}

impl Parts<'_> {
    /// How many members the request can still take, at least one: a full one is ended.
    fn room(&mut self, most: impl Fn(&PatchFacts) -> Option<usize>, count: impl Fn(&Part) -> usize) -> usize {
        let room = |part: &Part| {
            let own = most(self.patch).map_or(usize::MAX, |most| most.saturating_sub(count(part)));
            let all = self.patch.max_member_changes;
            let all = all.map_or(usize::MAX, |most| most.saturating_sub(part.adds + part.removals));
            own.min(all)
        };
        match room(&self.part) {
            0 => {
                let fresh = room(&Part::default());
                self.end();
                fresh
            }
            room => room,
        }
    }

    fn push(&mut self, operation: &[u8], adds: usize, removals: usize) {
        if self.patch.max_operations.is_some_and(|most| self.ops >= most) {
            self.end();
        }
        if self.ops == 0 {
            self.part.body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":["#).into_bytes();
        } else {
            self.part.body.push(b',');
        }
        self.part.body.extend_from_slice(operation);
        self.part.adds += adds;
        self.part.removals += removals;
        self.ops += 1;
    }

    fn end(&mut self) {
        if self.ops > 0 {
            self.part.body.extend_from_slice(b"]}");
            self.done.push(std::mem::take(&mut self.part));
            self.ops = 0;
        }
    }

    fn finish(mut self) -> Vec<Part> {
        self.end();
        self.done
    }
}
