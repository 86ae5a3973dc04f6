//! Values as a provider takes them: lists no longer than it takes, text in its case.

use std::cmp::Reverse;

use super::Ability;
use crate::delta::{Change, Place};
use crate::document::{Document, Kind, NodeId};
use crate::profile::Case;
use crate::schema::{AttrId, Vocabulary};

impl Ability {
    /// Makes a resource one that the provider takes.
    pub(crate) fn fit(&self, document: &mut Document, root: NodeId, vocabulary: &Vocabulary) {
        for (attr, most) in &self.limits {
            if let Some(list) = vocabulary.find(document, root, *attr) {
                shorten(document, list, *most, vocabulary, *attr);
            }
        }
        for (attr, case) in &self.case {
            if let Some(node) = vocabulary.find(document, root, *attr) {
                fold(document, node, *case);
            }
        }
    }

    /// Leaves out of a new resource the parts of values that the provider does not know.
    pub(crate) fn fit_new(&self, document: &mut Document, root: NodeId) {
        if self.closed {
            let known: Vec<_> =
                document.children(root).filter(|member| document.attr(*member).is_known()).collect();
            known.into_iter().for_each(|member| leave_out(document, member));
        }
    }

    /// Makes changes such that the provider takes their values.
    pub(crate) fn fit_changes(&self, document: &mut Document, changes: &[Change], vocabulary: &Vocabulary) {
        for change in changes {
            if let Some(value) =
                change.value.filter(|_| self.closed && !matches!(change.place, Place::Unknown(_)))
            {
                leave_out(document, value);
            }
            let (Place::Attribute(attr), Some(value)) = (&change.place, change.value) else { continue };
            if let Some(most) = self.limit(*attr) {
                shorten(document, value, most, vocabulary, *attr);
            }
            if let Some((_, case)) = self.case.iter().find(|(folded, _)| folded == attr) {
                fold(document, value, *case);
            }
        }
    }

    /// A value that differs from the provider's in nothing but its case is the provider's.
    pub(crate) fn keep_spelling(
        &self,
        document: &mut Document,
        old: NodeId,
        new: NodeId,
        vocabulary: &Vocabulary,
    ) {
        for (attr, _) in &self.case {
            let (Some(before), Some(after)) =
                (vocabulary.find(document, old, *attr), vocabulary.find(document, new, *attr))
            else {
                continue;
            };
            if same_but_case(document, before, after) {
                let copy = document.copy(before);
                document.assign(after, copy);
            }
        }
    }

    /// A text as the provider writes it.
    pub(crate) fn folded(&self, attr: AttrId, text: &str) -> String {
        match self.case.iter().find(|(folded, _)| *folded == attr) {
            Some((_, case)) => case.of(text),
            None => text.to_owned(),
        }
    }
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// True for two texts that differ in nothing but their case.
pub(crate) fn same_but_case(document: &Document, one: NodeId, other: NodeId) -> bool {
    match (document.string(one), document.string(other)) {
        (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
        _ => false,
    }
}

fn fold(document: &mut Document, node: NodeId, case: Case) {
    let folded = document.string(node).map(|text| case.of(&text));
    if let Some(folded) = folded.filter(|folded| document.string(node).as_deref() != Some(folded)) {
        let folded = document.new_string(&folded);
        document.assign(node, folded);
    }
}

/// Takes the parts that the schema does not have out of a complex value, or of each of a list.
fn leave_out(document: &mut Document, value: NodeId) {
    let object = document.kind(value) == Kind::Object;
    if !object && document.kind(value) != Kind::Array {
        return;
    }
    let mut next = document.first(value);
    while let Some(part) = next {
        next = document.sibling(part);
        if object && !document.attr(part).is_known() {
            document.remove(part);
        } else {
            leave_out(document, part);
        }
    }
}

/// Keeps the elements that matter most: the primary one, then those for work, then the first.
fn shorten(document: &mut Document, list: NodeId, most: usize, vocabulary: &Vocabulary, attr: AttrId) {
    let elements: Vec<NodeId> = document.children(list).collect();
    if document.kind(list) != Kind::Array || elements.len() <= most {
        return;
    }
    let parts = vocabulary.parts(attr);
    let rank = |element: &NodeId| {
        let part = |sub: AttrId| document.member(*element, sub).filter(|_| sub.is_known());
        let primary = part(parts.primary).is_some_and(|node| document.kind(node) == Kind::Bool(true));
        let work = part(parts.kind).and_then(|node| document.string(node));
        (Reverse(primary), Reverse(work.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))))
    };
    let mut ranked = elements;
    ranked.sort_by_key(rank);
    for element in ranked.into_iter().skip(most) {
        document.remove(element);
    }
}
