//! What some peers send and do not mean, and what they leave out and mean: made-up secrets, empty texts, an address
//! without a type.

use super::{AttrId, Checker, Context, Mutability, Type};
use crate::document::{Document, Kind, NodeId};
use crate::repair::Repair;

impl Checker<'_> {
    /// True for a member that the peer sends and does not mean.
    pub(super) fn means_nothing(&mut self, document: &Document, member: NodeId, attr: AttrId) -> bool {
        let repair = match () {
            () if self.is_secret(attr) => Repair::Secret,
            () if self.is_empty_text(document, member, attr) => Repair::EmptyText,
            () => return false,
        };
        self.repaired.note(repair, self.vocabulary.path(attr));
        true
    }

    /// True for a writeOnly attribute, such as a password, that the peer makes up.
    pub(crate) fn is_secret(&self, attr: AttrId) -> bool {
        self.vocabulary.attribute(attr).mutability == Mutability::WriteOnly
            && self.repairs.allows(Repair::Secret)
    }

    /// True for an empty text by which the peer says that there is none.
    pub(crate) fn is_empty_text(&self, document: &Document, node: NodeId, attr: AttrId) -> bool {
        let attribute = self.vocabulary.attribute(attr);
        document.kind(node) == Kind::String
            && attribute.kind != Type::Complex
            && !attribute.required
            && self.repairs.allows(Repair::EmptyText)
            && document.string(node).is_some_and(|text| text.is_empty())
    }

    /// In a whole resource a list's only element gets the type that the schema names first, and is primary, where
    /// nothing was said.
    pub(super) fn lone_element(&mut self, document: &mut Document, array: NodeId, attr: AttrId) {
        let parts = self.vocabulary.parts(attr);
        let only = document.first(array).filter(|first| document.sibling(*first).is_none());
        let Some(only) = only.filter(|_| self.repairs.allows(Repair::LoneElement)) else { return };
        let whole = matches!(self.context, Context::Create | Context::Replace);
        if !whole || !parts.primary.is_known() || document.kind(only) != Kind::Object {
            return;
        }
        let first = self.vocabulary.attribute(parts.kind).canonical_values.first();
        let Some(first) = first.filter(|_| document.member(only, parts.kind).is_none()) else { return };
        self.repaired.note(Repair::LoneElement, self.vocabulary.path(attr));
        let kind = document.new_string(first);
        document.append_member(only, self.vocabulary, parts.kind, kind);
        if document.member(only, parts.primary).is_none() {
            let primary = document.new_bool(true);
            document.append_member(only, self.vocabulary, parts.primary, primary);
        }
    }
}
