//! Applying changes to a resource (RFC 7644 section 3.5.2): all or nothing is the caller's, who drops the
//! document when a change cannot be made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Change, Op, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{Filter, Literal};
use crate::path::Path;
use crate::schema::{AttrId, Mutability, Problem, ProblemKind, Type, Vocabulary};

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
    let mut target = Target {
        document,
        root,
        vocabulary,
        upsert,
        lists: BTreeMap::new(),
        scanned: BTreeSet::new(),
        shrunk: BTreeSet::new(),
    };
    changes.iter().try_for_each(|change| target.change(change))?;
    // RFC 7644 section 3.5.2.2: a list without elements is unassigned.
    for attr in std::mem::take(&mut target.shrunk) {
        if target.find(attr).is_some_and(|list| target.document.first(list).is_none()) {
            if vocabulary.attribute(attr).required {
                return Err(target.mutability(attr, super::read::REQUIRED));
            }
            vocabulary.clear(target.document, root, attr);
        }
    }
    Ok(())
}

struct Target<'a> {
    document: &'a mut Document,
    root: NodeId,
    vocabulary: &'a Vocabulary,
    upsert: bool,
    /// The lists that changes look into, each read once.
    lists: BTreeMap<AttrId, Index>,
    /// The lists that one change has looked through, which costs less than an index: the next one makes it.
    scanned: BTreeSet<AttrId>,
    /// The lists that elements were taken out of.
    shrunk: BTreeSet<AttrId>,
}

/// The elements of a list by digests of what identifies them. Elements stay under the keys they had, and others may
/// have the same digest: whoever finds one here has to look at it again.
#[derive(Default)]
struct Index {
    /// Those that were there, sorted.
    read: Vec<(u64, NodeId)>,
    /// Those that came, or say something else since.
    entered: BTreeMap<u64, Vec<NodeId>>,
    primary: Vec<NodeId>,
}

impl Index {
    fn elements(&self, key: u64) -> Vec<NodeId> {
        let from = self.read.partition_point(|(other, _)| *other < key);
        let read = self.read.iter().skip(from).take_while(|(other, _)| *other == key).map(|(_, node)| *node);
        read.chain(self.entered.get(&key).into_iter().flatten().copied()).collect()
    }
}

/// The `value` of an element, or everything it says, to be digested.
#[derive(Hash)]
enum Key<'a> {
    Value(&'a str),
    Whole(&'a [u8]),
}

impl Key<'_> {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl Target<'_> {
    fn change(&mut self, change: &Change) -> Result<(), Problem> {
        match (&change.place, change.value) {
            (Place::Attribute(attr), Some(value)) if change.op == Op::Add && self.is_list(*attr) => {
                self.insert(*attr, value);
                Ok(())
            }
            (Place::Attribute(attr), value) => {
                self.immutable(*attr, self.find(*attr), value)?;
                self.lists.retain(|list, _| !self.vocabulary.is_within(*list, *attr));
                match value {
                    None => self.vocabulary.clear(self.document, self.root, *attr),
                    Some(value) => {
                        let copy = self.document.copy(value);
                        self.vocabulary.place(self.document, self.root, *attr, copy);
                    }
                }
                Ok(())
            }
            (Place::Elements { attr, filter, sub }, value) => {
                self.elements(change.op, *attr, filter, *sub, value)
            }
            (Place::Unknown(path), value) => self.unknown(change.op, path, value),
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
        let matching = self.matching(attr, filter);
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
            self.shrunk.insert(attr);
            return Ok(());
        };
        if matching.is_empty() {
            return self.create(op, attr, filter, sub, value);
        }
        for element in &matching {
            self.immutable(sub, self.document.member(*element, sub).filter(|_| sub.is_known()), Some(value))?;
        }
        for element in matching {
            self.write(element, attr, sub, value);
        }
        Ok(())
    }

    /// RFC 7644 section 3.5.2: an immutable attribute takes a value where there was none, and keeps it.
    fn immutable(&self, attr: AttrId, old: Option<NodeId>, new: Option<NodeId>) -> Result<(), Problem> {
        if self.vocabulary.attribute(attr).mutability != Mutability::Immutable {
            return Ok(());
        }
        match (old.filter(|old| !self.document.is_unassigned(*old)), new) {
            (None, _) => Ok(()),
            (Some(old), Some(new)) if self.document.same(old, new) => Ok(()),
            _ => Err(self.mutability(attr, "is immutable and has another value")),
        }
    }

    fn mutability(&self, attr: AttrId, message: &str) -> Problem {
        let path = self.vocabulary.path(attr).into();
        Problem { kind: ProblemKind::Mutability, path, message: message.into() }
    }

    /// The elements that a filter selects; one that asks for a `value` is not asked of all elements.
    fn matching(&mut self, attr: AttrId, filter: &Filter) -> Vec<NodeId> {
        if self.find(attr).is_none() {
            return Vec::new();
        }
        let list = self.vocabulary.list(self.document, self.root, attr);
        let kind = self.vocabulary.attribute(self.value_of(attr)).kind;
        let literal =
            filter.as_conjunction_of_eq().filter(|_| matches!(kind, Type::String | Type::Reference));
        let value = literal.and_then(|pairs| {
            pairs.into_iter().find_map(|(path, literal)| match literal {
                Literal::String(text) if path.name.eq_ignore_ascii_case("value") => Some(text.clone()),
                _ => None,
            })
        });
        let candidates: Vec<NodeId> = match value {
            None => self.document.elements(list).collect(),
            Some(value) => {
                let sub = self.value_of(attr);
                let value = self.vocabulary.comparable(sub, Cow::Borrowed(&value));
                if !self.lists.contains_key(&attr) && self.scanned.insert(attr) {
                    self.document.elements_like(list, &value)
                } else {
                    self.index(attr).elements(Key::Value(&value).digest())
                }
            }
        };
        let bound = filter.elements(self.vocabulary, attr);
        let mut seen = BTreeSet::new();
        candidates
            .into_iter()
            .filter(|element| !self.document.is_removed(*element) && bound.matches(self.document, *element))
            .filter(|element| seen.insert(*element))
            .collect()
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
        let literals = filter.as_conjunction_of_eq().filter(|_| self.upsert && self.is_complex(attr));
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
        self.append(attr, element);
        self.write(element, attr, sub, value);
        Ok(())
    }

    /// Sets a sub-attribute of an element, or the parts of the element that the value has.
    fn write(&mut self, element: NodeId, attr: AttrId, sub: AttrId, value: NodeId) {
        if sub.is_known() {
            self.write_part(element, sub, value);
        } else if self.document.kind(value) != Kind::Object {
            let copy = self.document.copy(value);
            self.document.assign(element, copy);
        } else {
            let parts: Vec<NodeId> = self.document.children(value).collect();
            for part in parts {
                self.write_part(element, self.document.attr(part), part);
            }
        }
        self.enter(attr, element);
    }

    fn write_part(&mut self, element: NodeId, sub: AttrId, value: NodeId) {
        let copy = self.document.copy(value);
        let there = match sub.is_known() {
            true => self.document.member(element, sub),
            false => self.document.member_named(element, &self.document.key(value)),
        };
        match there {
            Some(node) => self.document.assign(node, copy),
            None if sub.is_known() => self.document.append_member(element, self.vocabulary, sub, copy),
            None => self.document.append(element, copy),
        }
    }

    /// Adds the elements that are not there yet.
    fn insert(&mut self, attr: AttrId, values: NodeId) {
        let values: Vec<NodeId> = self.document.elements(values).collect();
        for value in values {
            let key = self.key(attr, self.value_of(attr), value);
            let same = self.index(attr).elements(key);
            // RFC 7644 section 3.5.2.1: a value that is already there changes nothing.
            if same.iter().any(|old| !self.document.is_removed(*old) && covers(self.document, *old, value)) {
                continue;
            }
            let twin = |old: &&NodeId| {
                !self.document.is_removed(**old)
                    && are_twins(self.document, self.vocabulary, attr, **old, value)
            };
            // RFC 7643 section 2.4: the same value of the same type is there once; what is new about it is added.
            match same.iter().find(twin).copied() {
                Some(old) => self.join(attr, old, value),
                None => {
                    let copy = self.document.copy(value);
                    self.append(attr, copy);
                }
            }
        }
    }

    /// Adds to an element what another of the same value and type says.
    fn join(&mut self, attr: AttrId, old: NodeId, value: NodeId) {
        let parts: Vec<NodeId> = self.document.children(value).collect();
        for part in parts {
            let sub = self.document.attr(part);
            let fixed = self.vocabulary.attribute(sub).mutability == Mutability::Immutable;
            let there = self.document.member(old, sub).is_some_and(|_| sub.is_known());
            if sub != self.value_of(attr) && !(fixed && there) {
                self.write_part(old, sub, part);
            }
        }
        self.enter(attr, old);
    }

    /// Adds an element to a list.
    fn append(&mut self, attr: AttrId, element: NodeId) {
        self.index(attr);
        let list = self.vocabulary.list(self.document, self.root, attr);
        self.document.append(list, element);
        self.enter(attr, element);
    }

    /// Notes what an element says by now.
    fn enter(&mut self, attr: AttrId, element: NodeId) {
        let key = self.key(attr, self.value_of(attr), element);
        let primary = self.is_primary(attr, element);
        let index = self.index(attr);
        index.entered.entry(key).or_default().push(element);
        if !primary {
            return;
        }
        // RFC 7644 section 3.5.2: a new primary value makes all others not primary.
        let others = std::mem::replace(&mut index.primary, vec![element]);
        for other in others.into_iter().filter(|other| *other != element) {
            if self.is_primary(attr, other)
                && let Some(node) = self.document.member(other, self.vocabulary.lookup(attr, b"primary"))
            {
                let no = self.document.new_bool(false);
                self.document.assign(node, no);
            }
        }
    }

    /// The elements of a list, read when they are first asked for.
    fn index(&mut self, attr: AttrId) -> &mut Index {
        if !self.lists.contains_key(&attr) {
            let mut index = Index::default();
            if self.find(attr).is_some() {
                let list = self.vocabulary.list(self.document, self.root, attr);
                let (sub, primary) = (self.value_of(attr), self.vocabulary.lookup(attr, b"primary"));
                for element in self.document.elements(list) {
                    index.read.push((self.key(attr, sub, element), element));
                    if self.is_true(primary, element) {
                        index.primary.push(element);
                    }
                }
                index.read.sort_unstable();
            }
            self.lists.insert(attr, index);
        }
        self.lists.entry(attr).or_default()
    }

    /// What an element is found by; `sub` is what holds its value.
    fn key(&self, attr: AttrId, sub: AttrId, element: NodeId) -> u64 {
        match self.text(attr, sub, element) {
            Some(text) => Key::Value(&self.vocabulary.comparable(sub, text)).digest(),
            None => Key::Whole(&self.document.fingerprint(element, &|_| true)).digest(),
        }
    }

    fn text(&self, attr: AttrId, sub: AttrId, element: NodeId) -> Option<Cow<'_, str>> {
        let node = if sub == attr { Some(element) } else { self.document.member(element, sub) };
        node.and_then(|node| {
            self.document.string(node).or_else(|| self.document.number(node).map(Cow::Borrowed))
        })
    }

    /// The attribute that holds the value of an element: its `value`, or itself where it has no parts.
    fn value_of(&self, attr: AttrId) -> AttrId {
        if self.is_complex(attr) { self.vocabulary.lookup(attr, b"value") } else { attr }
    }

    fn is_primary(&self, attr: AttrId, element: NodeId) -> bool {
        self.is_true(self.vocabulary.lookup(attr, b"primary"), element)
    }

    fn is_true(&self, sub: AttrId, element: NodeId) -> bool {
        let node = self.document.member(element, sub).filter(|_| sub.is_known());
        node.is_some_and(|node| self.document.kind(node) == Kind::Bool(true))
    }

    fn is_list(&self, attr: AttrId) -> bool {
        self.vocabulary.attribute(attr).multi_valued
    }

    fn is_complex(&self, attr: AttrId) -> bool {
        self.vocabulary.attribute(attr).kind == Type::Complex
    }

    fn find(&self, attr: AttrId) -> Option<NodeId> {
        self.vocabulary.find(self.document, self.root, attr)
    }

    /// An attribute that the schema lacks: by name, at the root or in an extension's object.
    fn unknown(&mut self, op: Op, path: &Path, value: Option<NodeId>) -> Result<(), Problem> {
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
                _ if value.is_none() => return Ok(()),
                Some(_) => return Err(refused("is not in the schema and has no parts")),
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
                let kinds = (self.document.kind(node), self.document.kind(value));
                let copy = self.document.copy(value);
                match kinds {
                    // What looks like a list grows like one.
                    (Kind::Array, Kind::Array) if op == Op::Add => {
                        let there: BTreeSet<Vec<u8>> = self
                            .document
                            .children(node)
                            .map(|element| self.document.fingerprint(element, &|_| true))
                            .collect();
                        let added: Vec<NodeId> = self.document.children(copy).collect();
                        for element in added {
                            if !there.contains(&self.document.fingerprint(element, &|_| true)) {
                                let element = self.document.copy(element);
                                self.document.append(node, element);
                            }
                        }
                    }
                    _ => self.document.assign(node, copy),
                }
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

/// True for elements with the same value, as far as case counts, that are not of two types.
pub(super) fn are_twins(
    document: &Document,
    vocabulary: &Vocabulary,
    attr: AttrId,
    a: NodeId,
    b: NodeId,
) -> bool {
    let parts = vocabulary.parts(attr);
    let text = |element: NodeId, sub: AttrId| {
        Some(vocabulary.comparable(sub, document.string(document.member(element, sub)?)?))
    };
    let value = text(a, parts.value);
    value.is_some()
        && value == text(b, parts.value)
        && match (text(a, parts.kind), text(b, parts.kind)) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
}

/// True for attributes whose changes are made part by part.
pub(super) fn has_parts(vocabulary: &Vocabulary, attr: AttrId) -> bool {
    let attribute = vocabulary.attribute(attr);
    attribute.kind == Type::Complex && !attribute.multi_valued
}
