//! What of a resource is shown: `attributes`, `excludedAttributes` and the schema's `returned`
//! (RFC 7643 section 2.2, RFC 7644 section 3.9).

use super::{AttrId, Returned, Vocabulary};
use crate::document::{Document, NodeId};

/// What a client asked to see.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// Only these, and what is always returned.
    pub only: Option<Vec<AttrId>>,
    /// Everything but these.
    pub without: Vec<AttrId>,
}

impl Projection {
    /// Takes out of a resource what is not to be shown.
    pub fn apply(&self, document: &mut Document, root: NodeId, vocabulary: &Vocabulary) {
        let mut next = document.first(root);
        while let Some(member) = next {
            next = document.sibling(member);
            let attr = document.attr(member);
            match self.shows(vocabulary, attr) {
                Shown::No => document.remove(member),
                Shown::Whole => {}
                Shown::Parts => {
                    self.parts(document, member, vocabulary);
                    if document.first(member).is_none() {
                        document.remove(member);
                    }
                }
            }
        }
    }

    fn parts(&self, document: &mut Document, node: NodeId, vocabulary: &Vocabulary) {
        if document.kind(node) != crate::document::Kind::Array {
            return self.apply(document, node, vocabulary);
        }
        let mut next = document.first(node);
        while let Some(element) = next {
            next = document.sibling(element);
            self.apply(document, element, vocabulary);
        }
    }

    fn shows(&self, vocabulary: &Vocabulary, attr: AttrId) -> Shown {
        let attribute = vocabulary.attribute(attr);
        let above =
            |list: &[AttrId]| list.iter().any(|each| each.is_known() && vocabulary.is_within(attr, *each));
        let below = |list: &[AttrId]| list.iter().any(|each| vocabulary.is_within(*each, attr));
        match attribute.returned {
            Returned::Never => return Shown::No,
            Returned::Always if !vocabulary.children(attr).any(|_| true) => return Shown::Whole,
            Returned::Request if self.only.is_none() => return Shown::No,
            _ => {}
        }
        match &self.only {
            Some(only) if above(only) => Shown::Whole,
            Some(only) if attr.is_known() && below(only) => Shown::Parts,
            Some(_) => Shown::No,
            None if above(&self.without) => Shown::No,
            None if attr.is_known() && below(&self.without) => Shown::Parts,
            None => Shown::Whole,
        }
    }
}

enum Shown {
    No,
    Whole,
    Parts,
}
