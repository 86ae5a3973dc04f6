//! The difference of two states of a resource as changes, as few and as small as can be said.

use super::apply::has_parts;
use super::{Change, Op, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{self, Filter, Literal};
use crate::path::{AttrPath, Path};
use crate::schema::{AttrId, Mutability, ResourceType, Vocabulary};

/// The changes that make `old` into `new`; readOnly attributes and `schemas` are not compared.
pub fn diff(
    document: &mut Document,
    old: NodeId,
    new: NodeId,
    vocabulary: &Vocabulary,
    of: &ResourceType,
) -> Vec<Change> {
    let mut differ = Differ { document, vocabulary, of, changes: Vec::new() };
    differ.object(old, new, &[]);
    differ.changes
}

struct Differ<'a> {
    document: &'a mut Document,
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
    changes: Vec<Change>,
}

impl Differ<'_> {
    fn object(&mut self, old: NodeId, new: NodeId, names: &[String]) {
        let members: Vec<NodeId> = self.document.children(new).collect();
        for member in members {
            let key = self.document.key(member).into_owned();
            match self.document.member_named(old, &key) {
                Some(before) if self.document.same(before, member) => {}
                before => self.member(before, member, names, &key),
            }
        }
        let gone: Vec<NodeId> = self.document.children(old).collect();
        for member in gone {
            let key = self.document.key(member).into_owned();
            if self.document.member_named(new, &key).is_none() && !self.is_fixed(member) {
                let place = self.place(member, names, &key);
                self.changes.push(Change { op: Op::Remove, place, value: None });
            }
        }
    }

    fn member(&mut self, old: Option<NodeId>, new: NodeId, names: &[String], key: &str) {
        if self.is_fixed(new) {
            return;
        }
        let attr = self.document.attr(new);
        let attribute = self.vocabulary.attribute(attr);
        let objects = |document: &Document, old: NodeId| {
            document.kind(old) == Kind::Object && document.kind(new) == Kind::Object
        };
        match old {
            Some(old) if has_parts(self.vocabulary, attr) && objects(self.document, old) => {
                let mut names = names.to_vec();
                names.push(key.to_owned());
                self.object(old, new, &names);
            }
            Some(old) if attribute.multi_valued && attr.is_known() => self.list(attr, old, new),
            None if attribute.extension && self.document.kind(new) == Kind::Object => {
                let empty = self.document.new_object();
                let names = [key.to_owned()];
                self.object(empty, new, &names);
            }
            _ => {
                let op = if old.is_none() { Op::Add } else { Op::Replace };
                let place = self.place(new, names, key);
                self.changes.push(Change { op, place, value: Some(new) });
            }
        }
    }

    /// A list: elements that are equal stay; others are paired by what tells them apart.
    fn list(&mut self, attr: AttrId, old: NodeId, new: NodeId) {
        let mut before: Vec<NodeId> = self.document.elements(old).collect();
        let mut after: Vec<NodeId> = self.document.elements(new).collect();
        let document = &*self.document;
        after.retain(|element| match before.iter().position(|other| document.same(*other, *element)) {
            Some(place) => {
                before.remove(place);
                false
            }
            None => true,
        });
        let mark = self.changes.len();
        if self.pair(attr, old, &mut before, &mut after).is_none() {
            self.changes.truncate(mark);
            let place = Place::Attribute(attr);
            self.changes.push(Change { op: Op::Replace, place, value: Some(new) });
        }
    }

    /// Says the difference element by element; nothing when an element cannot be told from the others.
    fn pair(
        &mut self,
        attr: AttrId,
        old: NodeId,
        before: &mut Vec<NodeId>,
        after: &mut Vec<NodeId>,
    ) -> Option<()> {
        for element in std::mem::take(before) {
            let telling = self.telling(attr, old, element);
            let fits = |filter: &Filter| {
                let bound = filter.elements(self.vocabulary, attr);
                after.iter().position(|other| bound.matches(self.document, *other))
            };
            let paired = telling.iter().find_map(|filter| Some((filter, fits(filter)?)));
            match paired {
                Some((filter, place)) => {
                    let changed = after.remove(place);
                    self.parts(attr, filter, element, changed);
                }
                None => {
                    let filter = telling.into_iter().next()?;
                    let place = Place::Elements { attr, filter, sub: AttrId::UNKNOWN };
                    self.changes.push(Change { op: Op::Remove, place, value: None });
                }
            }
        }
        if !after.is_empty() {
            let list = self.document.new_array();
            for element in std::mem::take(after) {
                let copy = self.document.copy(element);
                self.document.append(list, copy);
            }
            self.changes.push(Change { op: Op::Add, place: Place::Attribute(attr), value: Some(list) });
        }
        Some(())
    }

    fn parts(&mut self, attr: AttrId, filter: &Filter, old: NodeId, new: NodeId) {
        for sub in self.vocabulary.children(attr) {
            let (before, after) = (self.document.member(old, sub), self.document.member(new, sub));
            let op = match (before, after) {
                (None, None) => continue,
                (Some(before), Some(after)) if self.document.same(before, after) => continue,
                (_, None) => Op::Remove,
                (None, Some(_)) => Op::Add,
                (Some(_), Some(_)) => Op::Replace,
            };
            if self.vocabulary.attribute(sub).mutability == Mutability::ReadOnly {
                continue;
            }
            let place = Place::Elements { attr, filter: filter.clone(), sub };
            self.changes.push(Change { op, place, value: after });
        }
    }

    /// Filters that select this element of the old list and no other: by `type`, `value` or `primary`.
    fn telling(&self, attr: AttrId, list: NodeId, element: NodeId) -> Vec<Filter> {
        let filter = |name: &&str| {
            let sub = self.vocabulary.lookup(attr, name.as_bytes());
            let node = self.document.member(element, sub)?;
            let literal = match self.document.kind(node) {
                Kind::String => Literal::String(self.document.string(node)?.into_owned().into()),
                Kind::Bool(true) => Literal::True,
                _ => return None,
            };
            let filter = Filter::compare(AttrPath::new(name), filter::Op::Eq, literal);
            let bound = filter.elements(self.vocabulary, attr);
            let selected = self.document.elements(list).filter(|each| bound.matches(self.document, *each));
            (selected.count() == 1).then_some(filter)
        };
        ["type", "value", "primary"].iter().filter_map(filter).collect()
    }

    fn is_fixed(&self, member: NodeId) -> bool {
        let attr = self.document.attr(member);
        attr == self.of.schemas || self.vocabulary.attribute(attr).mutability == Mutability::ReadOnly
    }

    fn place(&self, member: NodeId, names: &[String], key: &str) -> Place {
        let attr = self.document.attr(member);
        if attr.is_known() {
            return Place::Attribute(attr);
        }
        match names {
            [] if key.starts_with("urn:") => Place::Unknown(Path::Schema(key.into())),
            [schema] => {
                Place::Unknown(AttrPath { schema: Some(schema.as_str().into()), ..AttrPath::new(key) }.into())
            }
            _ => Place::Unknown(AttrPath::new(key).into()),
        }
    }
}
