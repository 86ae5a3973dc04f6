//! What of a resource is shown: `attributes`, `excludedAttributes` and the schema's `returned`
//! (RFC 7643 section 2.2, RFC 7644 section 3.9).

use super::{AttrId, Returned, Vocabulary};
use crate::document::{Document, Kind, NodeId};

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
        if document.kind(node) != Kind::Array {
            return self.apply(document, node, vocabulary);
        }
        let mut next = document.first(node);
        while let Some(element) = next {
            next = document.sibling(element);
            self.apply(document, element, vocabulary);
            if document.kind(element) == Kind::Object && document.first(element).is_none() {
                document.remove(element);
            }
        }
    }

    fn shows(&self, vocabulary: &Vocabulary, attr: AttrId) -> Shown {
        let attribute = vocabulary.attribute(attr);
        let above =
            |list: &[AttrId]| list.iter().any(|each| each.is_known() && vocabulary.is_within(attr, *each));
        let below = |list: &[AttrId]| list.iter().any(|each| vocabulary.is_within(*each, attr));
        match attribute.returned {
            Returned::Never => return Shown::No,
            Returned::Request if self.only.is_none() => return Shown::No,
            _ => {}
        }
        let always = attribute.returned == Returned::Always;
        let whole = if attribute.hides { Shown::Parts } else { Shown::Whole };
        match &self.only {
            Some(only) if always || above(only) => whole,
            Some(only) if attr.is_known() && below(only) => Shown::Parts,
            Some(_) => Shown::No,
            None if !always && above(&self.without) => Shown::No,
            None if attr.is_known() && !self.without.contains(&attr) && below(&self.without) => Shown::Parts,
            None => whole,
        }
    }
}

enum Shown {
    No,
    Whole,
    Parts,
}
