//! The difference of two states of a resource as changes, as few and as small as can be said.

use std::collections::BTreeMap;

use super::apply::{are_twins, covers, has_parts};
use super::{Change, Op, Place};
use crate::document::{Document, Kind, Names, NodeId};
use crate::filter::{self, Filter, Literal};
use crate::path::{AttrPath, Path};
use crate::schema::{AttrId, Mutability, Problem, ProblemKind, ResourceType, Vocabulary};

/// The changes that make `old` into `new`; readOnly attributes and `schemas` are not compared. An immutable
/// attribute that `new` leaves out keeps its value; one that it changes is for [`frozen`] to find.
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

/// What a difference would do to immutable attributes that have a value (RFC 7644 section 3.5.1: the values must
/// match).
pub fn frozen(changes: &[Change], vocabulary: &Vocabulary) -> Vec<Problem> {
    let fixed = changes.iter().filter_map(|change| match change.place {
        Place::Attribute(attr) if change.op != Op::Add && is_immutable(vocabulary, attr) => Some(attr),
        _ => None,
    });
    let problem = |attr| Problem {
        kind: ProblemKind::Mutability,
        path: vocabulary.path(attr).into(),
        message: "is immutable and has another value".into(),
    };
    fixed.map(problem).collect()
}

fn is_immutable(vocabulary: &Vocabulary, attr: AttrId) -> bool {
    vocabulary.attribute(attr).mutability == Mutability::Immutable
}

struct Differ<'a> {
    document: &'a mut Document,
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
    changes: Vec<Change>,
}

impl Differ<'_> {
    fn object(&mut self, old: NodeId, new: NodeId, names: &[String]) {
        // Null, an empty list and no attribute at all are the same state.
        let assigned = |document: &Document, id: NodeId| -> Vec<NodeId> {
            document.children(id).filter(|member| !document.is_unassigned(*member)).collect()
        };
        let (before, after) = (assigned(self.document, old), assigned(self.document, new));
        let named = |document: &Document, members: &[NodeId]| {
            let mut names = Names::default();
            members.iter().for_each(|member| names.insert(&document.key(*member), *member));
            names
        };
        let (old_names, new_names) = (named(self.document, &before), named(self.document, &after));
        for member in after {
            let key = self.document.key(member).into_owned();
            match old_names.get(&key) {
                Some(before) if self.document.same(before, member) => {}
                before => self.member(before, member, names, &key),
            }
        }
        for member in before {
            let key = self.document.key(member).into_owned();
            let kept = is_immutable(self.vocabulary, self.document.attr(member));
            if new_names.get(&key).is_none() && !self.is_fixed(member) && !kept {
                let extension = self.vocabulary.attribute(self.document.attr(member)).extension;
                if extension && self.document.kind(member) == Kind::Object {
                    // RFC 7644 section 3.5.2 has no path for an extension, only for its attributes.
                    let empty = self.document.new_object();
                    self.object(member, empty, &[key]);
                    continue;
                }
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
            Some(_) if attribute.mutability == Mutability::Immutable => {
                let place = Place::Attribute(attr);
                self.changes.push(Change { op: Op::Replace, place, value: Some(new) });
            }
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
                let elements: Vec<NodeId> = self.document.elements(new).collect();
                let kept = !attribute.multi_valued || self.are_news(attr, new, &elements).is_some();
                let op = if old.is_none() && kept { Op::Add } else { Op::Replace };
                let place = self.place(new, names, key);
                self.changes.push(Change { op, place, value: Some(new) });
            }
        }
    }

    /// A list: elements that are equal stay; others are paired by what tells them apart, or the whole list is
    /// replaced where an element cannot be told from the others.
    fn list(&mut self, attr: AttrId, old: NodeId, new: NodeId) {
        let mark = self.changes.len();
        if self.elements(attr, old, new).is_none() {
            self.changes.truncate(mark);
            let place = Place::Attribute(attr);
            self.changes.push(Change { op: Op::Replace, place, value: Some(new) });
        }
    }

    /// Says the difference element by element: removals, then changes, then additions. Operations take effect
    /// one after another, so each filter must select its element alone at the time it is applied.
    fn elements(&mut self, attr: AttrId, old: NodeId, new: NodeId) -> Option<()> {
        let telling = Telling::new(self.vocabulary, attr);
        let kind = self.vocabulary.lookup(attr, b"type");
        let mut there = Selected::default();
        let mut before: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for element in self.document.elements(old) {
            there.add(&telling.keys(self.document, element));
            before.entry(telling.identity(self.document, element)).or_default().push(element);
        }
        let mut after = Vec::new();
        for element in self.document.elements(new) {
            let same = before.get_mut(&telling.identity(self.document, element)).and_then(|candidates| {
                let place = candidates.iter().position(|other| self.document.same(*other, element))?;
                Some(candidates.swap_remove(place))
            });
            if same.is_none() {
                after.push(element);
            }
        }
        // Pairs have a key in common, `value` before `type` before `primary`.
        let mut free: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, element) in after.iter().enumerate() {
            for (key, _) in telling.keys(self.document, *element) {
                free.entry(key).or_default().push(index);
            }
        }
        let mut taken = vec![false; after.len()];
        let mut pairs = Vec::new();
        for element in self.document.elements(old) {
            let identity = telling.identity(self.document, element);
            if !before.get(&identity).is_some_and(|left| left.contains(&element)) {
                continue;
            }
            let keys = telling.keys(self.document, element);
            let found = keys.iter().filter(|(key, _)| telling.pairs(key)).find_map(|(key, _)| {
                free.get(key)?.iter().copied().find(|index| taken.get(*index) == Some(&false))
            });
            match found {
                Some(place) => {
                    if let Some(taken) = taken.get_mut(place) {
                        *taken = true;
                    }
                    pairs.push((element, *after.get(place)?));
                }
                None => {
                    let filter = telling.filter(keys.iter().find(|key| there.is_alone(key))?);
                    there.take(&keys);
                    let place = Place::Elements { attr, filter, sub: AttrId::UNKNOWN };
                    self.changes.push(Change { op: Op::Remove, place, value: None });
                }
            }
        }
        for (old, new) in pairs {
            let (keys, new_keys) = (telling.keys(self.document, old), telling.keys(self.document, new));
            let stays = |key: &Key| new_keys.iter().any(|(other, _)| other == key);
            let mut telling_keys = keys.iter().filter(|key| stays(&key.0) && there.is_alone(key));
            // The type says best which element is meant; the value may be what changes next.
            let key = telling_keys.clone().find(|key| key.0.0 == kind).or_else(|| telling_keys.next())?;
            self.parts(attr, &telling.filter(key), old, new);
            there.take(&keys);
            there.add(&new_keys);
        }
        let added = after.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(element, _)| *element);
        let added: Vec<NodeId> = added.collect();
        if !added.is_empty() {
            self.are_news(attr, new, &added)?;
            let list = self.document.new_array();
            for element in added {
                let copy = self.document.copy(element);
                self.document.append(list, copy);
            }
            self.changes.push(Change { op: Op::Add, place: Place::Attribute(attr), value: Some(list) });
        }
        Some(())
    }

    /// Nothing when an addition would be taken for a value that is already there.
    fn are_news(&self, attr: AttrId, new: NodeId, added: &[NodeId]) -> Option<()> {
        let value = self.vocabulary.lookup(attr, b"value");
        let text = |element| {
            let text = self.document.string(self.document.member(element, value)?)?;
            Some(self.vocabulary.comparable(value, text))
        };
        let mut same: BTreeMap<_, Vec<NodeId>> = BTreeMap::new();
        for element in self.document.elements(new) {
            if let Some(text) = text(element) {
                same.entry(text).or_default().push(element);
            }
        }
        let there = |element: NodeId| {
            let others = text(element).and_then(|text| same.get(&text));
            others.is_some_and(|others| {
                others.iter().any(|other| {
                    let twins = are_twins(self.document, self.vocabulary, attr, *other, element);
                    *other != element && (twins || covers(self.document, *other, element))
                })
            })
        };
        (!added.iter().any(|element| there(*element))).then_some(())
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
            match self.vocabulary.attribute(sub).mutability {
                Mutability::ReadOnly => continue,
                // An element keeps what it was born with.
                Mutability::Immutable if before.is_some() => continue,
                _ => {}
            }
            let place = Place::Elements { attr, filter: filter.clone(), sub };
            self.changes.push(Change { op, place, value: after });
        }
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
        let (schema, above) = match names {
            [] if key.starts_with("urn:") => return Place::Unknown(Path::Schema(key.into())),
            [schema, above @ ..] if schema.contains(':') => (Some(schema.as_str().into()), above),
            above => (None, above),
        };
        let (name, sub) = match above {
            [name, ..] => (name.as_str(), Some(key.into())),
            [] => (key, None),
        };
        Place::Unknown(AttrPath { schema, name: name.into(), sub }.into())
    }
}

/// A sub-attribute's value that may tell an element from others, case folded where case does not matter, and
/// the value as it is.
type Key = (AttrId, String);

/// What elements of one list are told apart by.
struct Telling<'a> {
    vocabulary: &'a Vocabulary,
    subs: Vec<AttrId>,
}

impl<'a> Telling<'a> {
    fn new(vocabulary: &'a Vocabulary, attr: AttrId) -> Self {
        let sub = |name: &&str| Some(vocabulary.lookup(attr, name.as_bytes())).filter(|sub| sub.is_known());
        Self { vocabulary, subs: ["value", "type", "primary"].iter().filter_map(sub).collect() }
    }

    /// True for keys that one element may have before a change and after it. Where the value cannot change,
    /// elements of other values are other elements.
    fn pairs(&self, (sub, _): &Key) -> bool {
        let value = self.subs.first().filter(|sub| self.vocabulary.name(**sub) == "value");
        value.is_none_or(|value| value == sub || !is_immutable(self.vocabulary, *value))
    }

    fn keys(&self, document: &Document, element: NodeId) -> Vec<(Key, Literal)> {
        let key = |sub: &AttrId| {
            let node = document.member(element, *sub)?;
            if document.kind(node) == Kind::Bool(true) {
                return Some(((*sub, String::new()), Literal::True));
            }
            let text = document.string(node)?;
            let folded = match self.vocabulary.attribute(*sub).case_exact {
                true => text.clone().into_owned(),
                false => text.to_lowercase(),
            };
            Some(((*sub, folded), Literal::String(text.into_owned().into())))
        };
        self.subs.iter().filter_map(key).collect()
    }

    /// Elements that are equal have the same one.
    fn identity(&self, document: &Document, element: NodeId) -> String {
        let value = self.vocabulary.lookup(document.attr(element), b"value");
        let node = document.member(element, value).unwrap_or(element);
        document.string(node).map(|text| text.into_owned()).unwrap_or_default()
    }

    fn filter(&self, ((sub, _), literal): &(Key, Literal)) -> Filter {
        Filter::compare(AttrPath::new(self.vocabulary.name(*sub)), filter::Op::Eq, literal.clone())
    }
}

/// How many elements of the list, as it is by now, have each key.
#[derive(Default)]
struct Selected(BTreeMap<Key, usize>);

impl Selected {
    fn add(&mut self, keys: &[(Key, Literal)]) {
        for (key, _) in keys {
            *self.0.entry(key.clone()).or_default() += 1;
        }
    }

    fn take(&mut self, keys: &[(Key, Literal)]) {
        for (key, _) in keys {
            if let Some(count) = self.0.get_mut(key) {
                *count = count.saturating_sub(1);
            }
        }
    }

    fn is_alone(&self, (key, _): &(Key, Literal)) -> bool {
        self.0.get(key) == Some(&1)
    }
}
