//! A rule's path, compiled: an attribute, or one element of a list that literals tell apart (a slot).

use std::sync::Arc;

use crate::document::{Document, Kind, NodeId};
use crate::filter::Literal;
use crate::schema::{AttrId, Vocabulary};

/// Where a rule reads and writes on one side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spot {
    /// The path as the rule has it.
    pub(super) path: Arc<str>,
    /// The attribute; with a slot the multi-valued attribute.
    pub(super) attr: AttrId,
    /// What tells the element apart: sub-attribute and value; empty without slot.
    pub(super) slot: Vec<(AttrId, Literal)>,
    /// The element's sub-attribute; unknown for the whole element or without slot.
    pub(super) sub: AttrId,
}

/// More than one element of the list fits the slot, and none of them is primary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ambiguous;

impl Spot {
    /// The attribute whose type the value has.
    pub(super) const fn leaf(&self) -> AttrId {
        if self.sub.is_known() { self.sub } else { self.attr }
    }

    /// The value in a resource.
    pub(super) fn read(
        &self,
        document: &Document,
        root: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<Option<NodeId>, Ambiguous> {
        match vocabulary.find(document, root, self.attr) {
            Some(node) => self.read_in(document, node, vocabulary),
            None => Ok(None),
        }
    }

    /// The value in the attribute's node.
    #[inline]
    pub(super) fn read_in(
        &self,
        document: &Document,
        node: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<Option<NodeId>, Ambiguous> {
        if self.slot.is_empty() {
            return Ok(Some(node).filter(|node| !document.is_unassigned(*node)));
        }
        let Some(element) = self.element(document, node, vocabulary)? else { return Ok(None) };
        let value = if self.sub.is_known() { document.member(element, self.sub) } else { Some(element) };
        Ok(value.filter(|node| !document.is_unassigned(*node)))
    }

    /// The value of the list's first element that fits, where several do.
    pub(super) fn read_first(
        &self,
        document: &Document,
        list: NodeId,
        vocabulary: &Vocabulary,
    ) -> Option<NodeId> {
        let element = document.elements(list).find(|element| self.holds(document, *element, vocabulary))?;
        if self.sub.is_known() { document.member(element, self.sub) } else { Some(element) }
    }

    /// True when both mean the same place.
    pub(super) fn same(&self, other: &Self) -> bool {
        (self.attr, &self.slot, self.sub) == (other.attr, &other.slot, other.sub)
    }

    /// True when whatever stands at the other place is a part of what stands at this one.
    pub(super) fn covers(&self, other: &Self, vocabulary: &Vocabulary) -> bool {
        match self.slot.is_empty() {
            true => vocabulary.is_within(other.attr, self.attr),
            false => {
                (self.attr, &self.slot) == (other.attr, &other.slot)
                    && [AttrId::UNKNOWN, other.sub].contains(&self.sub)
            }
        }
    }

    /// Puts a value (bound to this side) into a resource.
    pub(super) fn write(
        &self,
        document: &mut Document,
        root: NodeId,
        vocabulary: &Vocabulary,
        value: NodeId,
    ) -> Result<(), Ambiguous> {
        if self.slot.is_empty() {
            vocabulary.place(document, root, self.attr, value);
            return Ok(());
        }
        let element = self.holder(document, root, vocabulary)?;
        if !self.sub.is_known() {
            document.assign(element, value);
            return Ok(());
        }
        match document.member(element, self.sub) {
            Some(node) => document.assign(node, value),
            None => document.append_member(element, vocabulary, self.sub, value),
        }
        Ok(())
    }

    /// The object that has the value as a member (with a slot: the list's element), made where it is missing.
    pub(super) fn holder(
        &self,
        document: &mut Document,
        root: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<NodeId, Ambiguous> {
        if self.slot.is_empty() {
            return Ok(vocabulary.holder(document, root, self.attr));
        }
        let list = vocabulary.list(document, root, self.attr);
        if let Some(element) = self.element(document, list, vocabulary)? {
            return Ok(element);
        }
        let element = document.new_object();
        document.set_attr(element, self.attr);
        for (sub, literal) in &self.slot {
            let node = document.new_literal(literal);
            document.append_member(element, vocabulary, *sub, node);
        }
        document.append(list, element);
        Ok(element)
    }

    /// Takes the value out of a resource. Whether a slot's element goes, too, is for the rules to say together.
    pub(super) fn clear(
        &self,
        document: &mut Document,
        root: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<(), Ambiguous> {
        if self.slot.is_empty() {
            vocabulary.clear(document, root, self.attr);
            return Ok(());
        }
        let Some(element) = self.find_element(document, root, vocabulary)? else { return Ok(()) };
        let gone = if self.sub.is_known() { document.member(element, self.sub) } else { Some(element) };
        if let Some(gone) = gone {
            document.remove(gone);
        }
        self.drop_empty_list(document, root, vocabulary);
        Ok(())
    }

    /// The slot's element in a resource.
    pub(super) fn find_element(
        &self,
        document: &Document,
        root: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<Option<NodeId>, Ambiguous> {
        match vocabulary.find(document, root, self.attr) {
            Some(list) => self.element(document, list, vocabulary),
            None => Ok(None),
        }
    }

    /// Takes the list out where nothing is left in it.
    pub(super) fn drop_empty_list(&self, document: &mut Document, root: NodeId, vocabulary: &Vocabulary) {
        let list = vocabulary.find(document, root, self.attr);
        if list.is_some_and(|list| document.first(list).is_none()) {
            vocabulary.clear(document, root, self.attr);
        }
    }

    /// True when both are slots of one list with the same literals.
    pub(super) fn same_slot(&self, other: &Self) -> bool {
        !self.slot.is_empty() && (self.attr, &self.slot) == (other.attr, &other.slot)
    }

    /// True when the element is the slot's.
    pub(super) fn holds(&self, document: &Document, element: NodeId, vocabulary: &Vocabulary) -> bool {
        self.slot.iter().all(|(sub, literal)| {
            document.member(element, *sub).is_some_and(|node| {
                let case_exact = vocabulary.attribute(*sub).case_exact;
                match (literal, document.kind(node)) {
                    (Literal::String(text), Kind::String) => document.says(node, text, case_exact),
                    (Literal::Number(digits), Kind::Number) => document.number(node) == Some(digits),
                    (Literal::True, kind) => kind == Kind::Bool(true),
                    (Literal::False, kind) => kind == Kind::Bool(false),
                    _ => false,
                }
            })
        })
    }

    #[inline]
    fn element(
        &self,
        document: &Document,
        list: NodeId,
        vocabulary: &Vocabulary,
    ) -> Result<Option<NodeId>, Ambiguous> {
        let fitting = || document.elements(list).filter(|element| self.holds(document, *element, vocabulary));
        // Most slots are of one text.
        let (one, several) = match &*self.slot {
            [(sub, Literal::String(text))] => {
                document.element_that_says(list, *sub, text, vocabulary.attribute(*sub).case_exact)
            }
            _ => {
                let mut first = fitting();
                (first.next(), first.next().is_some())
            }
        };
        if !several {
            return Ok(one);
        }
        let primary = vocabulary.lookup(self.attr, b"primary");
        let is_primary = |element: &NodeId| {
            document.member(*element, primary).is_some_and(|node| document.kind(node) == Kind::Bool(true))
        };
        fitting().find(is_primary).map(Some).ok_or(Ambiguous)
    }
}
