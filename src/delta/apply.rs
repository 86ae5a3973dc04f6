//! Applying changes to a resource (RFC 7644 section 3.5.2): all or nothing is the caller's, who drops the
//! document when a change cannot be made.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Op, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{self, Filter, Literal};
use crate::path::Path;
use crate::schema::{AttrId, Problem, ProblemKind, Type, Vocabulary};

/// Applies the changes, in order, to the resource at `root`. With `upsert` a value path that selects nothing
/// creates the element, where RFC 7644 section 3.5.2.3 answers `noTarget`.
///
/// # Errors
/// The first change that cannot be made.
pub fn apply(
    changes: &[Change],
    document: &mut Document,
    root: NodeId,
    vocabulary: &Vocabulary,
    upsert: bool,
) -> Result<(), Problem> {
    let mut target = Target { document, root, vocabulary, upsert };
    let mut rest = changes;
    while let Some((change, after)) = rest.split_first() {
        // Removals of single values are gathered: a group's members are walked once, not once a member.
        let run = rest.iter().take_while(|other| {
            removed_value(other).map(|(attr, _)| attr) == removed_value(change).map(|(attr, _)| attr)
        });
        let run = if removed_value(change).is_some() { run.count() } else { 0 };
        if run > 1 {
            let (batch, after) = rest.split_at(run);
            target.remove_values(batch);
            rest = after;
        } else {
            target.change(change)?;
            rest = after;
        }
    }
    Ok(())
}

/// The list and the value, when a change removes the elements of one value.
fn removed_value(change: &Change) -> Option<(AttrId, &str)> {
    match (&change.place, change.op) {
        (
            Place::Elements { attr, filter: Filter::Compare { path, op: filter::Op::Eq, value }, sub },
            Op::Remove,
        ) if !sub.is_known() && path.name.eq_ignore_ascii_case("value") => {
            if let Literal::String(text) = value { Some((*attr, text)) } else { None }
        }
        _ => None,
    }
}

struct Target<'a> {
    document: &'a mut Document,
    root: NodeId,
    vocabulary: &'a Vocabulary,
    upsert: bool,
}

impl Target<'_> {
    fn change(&mut self, change: &Change) -> Result<(), Problem> {
        match (&change.place, change.value) {
            (Place::Attribute(attr), None) => {
                self.vocabulary.clear(self.document, self.root, *attr);
                Ok(())
            }
            (Place::Attribute(attr), Some(value)) => {
                let grows = self.vocabulary.attribute(*attr).multi_valued && change.op == Op::Add;
                match self.find(*attr).filter(|_| grows) {
                    Some(list) => self.insert(*attr, list, value),
                    None => {
                        let copy = self.document.copy(value);
                        self.vocabulary.place(self.document, self.root, *attr, copy);
                    }
                }
                Ok(())
            }
            (Place::Elements { attr, filter, sub }, value) => {
                self.elements(change.op, *attr, filter, *sub, value)
            }
            (Place::Unknown(path), value) => self.unknown(path, value),
        }
    }

    /// Changes that [`removed_value`] has found, all of one list.
    fn remove_values(&mut self, changes: &[Change]) {
        let Some((attr, _)) = changes.first().and_then(removed_value) else { return };
        let sub = self.vocabulary.lookup(attr, b"value");
        let exact = self.vocabulary.attribute(sub).case_exact;
        let folded = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
        let gone: BTreeSet<String> =
            changes.iter().filter_map(removed_value).map(|(_, text)| folded(text)).collect();
        let Some(list) = self.find(attr) else { return };
        let elements: Vec<NodeId> = self.document.elements(list).collect();
        for element in elements {
            let value = self.document.member(element, sub).and_then(|node| self.document.string(node));
            if value.is_some_and(|value| gone.contains(&folded(&value))) {
                self.document.remove(element);
            }
        }
        if self.document.first(list).is_none() {
            self.vocabulary.clear(self.document, self.root, attr);
        }
    }

    fn elements(
        &mut self,
        op: Op,
        attr: AttrId,
        filter: &Filter,
        sub: AttrId,
        value: Option<NodeId>,
    ) -> Result<(), Problem> {
        let list = self.find(attr);
        let bound = filter.elements(self.vocabulary, attr);
        let matching: Vec<NodeId> = list
            .into_iter()
            .flat_map(|list| self.document.elements(list).collect::<Vec<_>>())
            .filter(|element| bound.matches(self.document, *element))
            .collect();
        let Some(value) = value else {
            for element in matching {
                let gone = if sub.is_known() { self.document.member(element, sub) } else { Some(element) };
                if let Some(gone) = gone {
                    self.document.remove(gone);
                }
                if self.document.kind(element) == Kind::Object && self.document.first(element).is_none() {
                    self.document.remove(element);
                }
            }
            if let Some(list) = list.filter(|list| self.document.first(*list).is_none()) {
                self.document.remove(list);
            }
            return Ok(());
        };
        if matching.is_empty() {
            return self.create(op, attr, filter, sub, value);
        }
        for element in matching {
            self.write(element, attr, sub, value);
        }
        Ok(())
    }

    /// A new element with what the filter says of it.
    fn create(
        &mut self,
        op: Op,
        attr: AttrId,
        filter: &Filter,
        sub: AttrId,
        value: NodeId,
    ) -> Result<(), Problem> {
        let literals = filter.as_conjunction_of_eq().filter(|_| self.upsert);
        let Some(literals) = literals else {
            return Err(Problem {
                kind: ProblemKind::NoTarget,
                path: self.vocabulary.path(attr).into(),
                message: format!("has no element that the filter of the {} operation selects", op.as_str()),
            });
        };
        let element = self.document.new_object();
        self.document.set_attr(element, attr);
        for (path, literal) in literals {
            let name = self.vocabulary.lookup(attr, path.name.as_bytes());
            let node = self.document.new_literal(literal);
            self.document.append_member(element, self.vocabulary, name, node);
        }
        self.write(element, attr, sub, value);
        let list = self.vocabulary.list(self.document, self.root, attr);
        self.document.append(list, element);
        Ok(())
    }

    /// Sets a sub-attribute of an element, or the parts of the element that the value has.
    fn write(&mut self, element: NodeId, attr: AttrId, sub: AttrId, value: NodeId) {
        if sub.is_known() {
            return self.write_part(element, attr, sub, value);
        }
        let parts: Vec<NodeId> = self.document.children(value).collect();
        for part in parts {
            let sub = self.document.attr(part);
            if sub.is_known() {
                self.write_part(element, attr, sub, part);
            }
        }
    }

    fn write_part(&mut self, element: NodeId, attr: AttrId, sub: AttrId, value: NodeId) {
        let copy = self.document.copy(value);
        match self.document.member(element, sub) {
            Some(node) => self.document.assign(node, copy),
            None => self.document.append_member(element, self.vocabulary, sub, copy),
        }
        let primary = self.vocabulary.lookup(attr, b"primary");
        if sub == primary && self.document.kind(value) == Kind::Bool(true) {
            self.single_primary(attr, element);
        }
    }

    /// RFC 7644 section 3.5.2: a new primary value makes all others not primary.
    fn single_primary(&mut self, attr: AttrId, element: NodeId) {
        let primary = self.vocabulary.lookup(attr, b"primary");
        let others: Vec<NodeId> = self
            .find(attr)
            .into_iter()
            .flat_map(|list| self.document.children(list).collect::<Vec<_>>())
            .filter(|other| *other != element)
            .filter_map(|other| self.document.member(other, primary))
            .filter(|node| self.document.kind(*node) == Kind::Bool(true))
            .collect();
        for other in others {
            let no = self.document.new_bool(false);
            self.document.assign(other, no);
        }
    }

    /// Adds the elements that are not there yet.
    fn insert(&mut self, attr: AttrId, list: NodeId, values: NodeId) {
        let sub = self.vocabulary.lookup(attr, b"value");
        let key = |document: &Document, element: NodeId| {
            let node = if sub.is_known() { document.member(element, sub) } else { Some(element) };
            node.and_then(|node| document.string(node)).map(|text| text.into_owned())
        };
        let mut present: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for element in self.document.elements(list) {
            if let Some(key) = key(self.document, element) {
                present.entry(key).or_default().push(element);
            }
        }
        let values: Vec<NodeId> = self.document.elements(values).collect();
        let nameless: Vec<NodeId> =
            self.document.elements(list).filter(|element| key(self.document, *element).is_none()).collect();
        for value in values {
            if key(self.document, value).is_none()
                && nameless.iter().any(|old| covers(self.document, *old, value))
            {
                continue;
            }
            let same = key(self.document, value).and_then(|key| present.get(&key)).is_some_and(|same| {
                // RFC 7644 section 3.5.2.1: a value that is already there changes nothing.
                same.iter().any(|old| covers(self.document, *old, value))
            });
            if same {
                continue;
            }
            let copy = self.document.copy(value);
            self.document.append(list, copy);
            let primary = self.vocabulary.lookup(attr, b"primary");
            let is_primary = self.document.member(copy, primary);
            if is_primary.is_some_and(|node| self.document.kind(node) == Kind::Bool(true)) {
                self.single_primary(attr, copy);
            }
        }
    }

    fn find(&self, attr: AttrId) -> Option<NodeId> {
        self.vocabulary.find(self.document, self.root, attr)
    }

    /// An attribute that the schema lacks: by name, at the root or in an extension's object.
    fn unknown(&mut self, path: &Path, value: Option<NodeId>) -> Result<(), Problem> {
        let refused = |message: &str| Problem {
            kind: ProblemKind::Path,
            path: match path {
                Path::Schema(uri) => uri.to_string(),
                Path::Attribute { attribute, .. } => attribute.to_string(),
            },
            message: message.into(),
        };
        let names: Vec<&str> = match path {
            Path::Schema(uri) => vec![uri],
            Path::Attribute { attribute, filter: None } => attribute
                .schema
                .as_deref()
                .into_iter()
                .chain([&*attribute.name])
                .chain(attribute.sub.as_deref())
                .collect(),
            Path::Attribute { filter: Some(_), .. } => {
                return Err(refused("is not in the schema, so that its elements cannot be selected"));
            }
        };
        let Some((last, above)) = names.split_last() else { return Ok(()) };
        let mut holder = self.root;
        for name in above {
            holder = match self.document.member_named(holder, name) {
                Some(found) if self.document.kind(found) == Kind::Object => found,
                Some(_) => return Err(refused("is not in the schema and has no parts")),
                None if value.is_none() => return Ok(()),
                None => {
                    let object = self.document.new_object();
                    self.document.set_key(object, name);
                    self.document.append(holder, object);
                    object
                }
            };
        }
        match (self.document.member_named(holder, last), value) {
            (Some(node), None) => self.document.remove(node),
            (Some(node), Some(value)) => {
                let copy = self.document.copy(value);
                self.document.assign(node, copy);
            }
            (None, Some(value)) => {
                let copy = self.document.copy(value);
                self.document.set_key(copy, last);
                self.document.append(holder, copy);
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// True when the element has everything the value says.
pub(super) fn covers(document: &Document, element: NodeId, value: NodeId) -> bool {
    if document.kind(value) != Kind::Object {
        return document.same(element, value);
    }
    document.children(value).all(|part| {
        let other = document.member_named(element, &document.key(part));
        other.is_some_and(|other| document.same(other, part))
    })
}

/// True for attributes whose changes are made part by part.
pub(super) fn has_parts(vocabulary: &Vocabulary, attr: AttrId) -> bool {
    let attribute = vocabulary.attribute(attr);
    attribute.kind == Type::Complex && !attribute.multi_valued
}
