//! Sorting (RFC 7644 section 3.4.2.3) where the provider does not: the value a resource is sorted by, and the order.

use std::cmp::Ordering;

use crate::document::{Document, Kind, NodeId};
use crate::filter::{Instant, numbers};
use crate::schema::{AttrId, Type, Vocabulary};

/// What a query is sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Order {
    /// The attribute of the IdP's view.
    pub(crate) by: AttrId,
    pub(crate) descending: bool,
}

/// What one resource is sorted by; none: it has no value.
pub(crate) type SortKey = Option<String>;

impl Order {
    /// The value of a resource: of a list the primary element's, else the first one's.
    pub(crate) fn key(&self, document: &Document, root: NodeId, vocabulary: &Vocabulary) -> SortKey {
        let mut steps = vec![self.by];
        while let Some(last) = steps.last()
            && let parent = vocabulary.attribute(*last).parent
            && vocabulary.attribute(parent).parent.is_known()
        {
            steps.push(parent);
        }
        let mut node = root;
        for step in steps.into_iter().rev() {
            node = chosen(document, document.member(node, step)?, vocabulary.parts(step).primary)?;
        }
        let value = vocabulary.parts(self.by).value;
        if document.kind(node) == Kind::Object && value.is_known() {
            node = document.member(node, value)?;
        }
        match document.kind(node) {
            Kind::Bool(truth) => Some(truth.to_string()),
            Kind::Number => document.number(node).map(str::to_owned),
            Kind::String => {
                let text = document.string(node)?;
                Some(vocabulary.comparable(self.value(vocabulary), text).into_owned())
            }
            Kind::Null | Kind::Object | Kind::Array => None,
        }
    }

    /// The order of two resources. One without a value comes last, or first where the order is descending.
    pub(crate) fn compare(&self, a: &SortKey, b: &SortKey, vocabulary: &Vocabulary) -> Ordering {
        let ascending = match (a, b) {
            (Some(a), Some(b)) => match vocabulary.attribute(self.value(vocabulary)).kind {
                Type::Integer | Type::Decimal => numbers(a, b),
                Type::DateTime => match (Instant::new(a), Instant::new(b)) {
                    (Some(a), Some(b)) => a.cmp(&b),
                    _ => a.cmp(b),
                },
                _ => a.cmp(b),
            },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending { ascending.reverse() } else { ascending }
    }

    /// The attribute whose type decides.
    fn value(&self, vocabulary: &Vocabulary) -> AttrId {
        let value = vocabulary.parts(self.by).value;
        let complex = vocabulary.attribute(self.by).kind == Type::Complex;
        if complex && value.is_known() { value } else { self.by }
    }
}

/// The element of a list that stands for it.
fn chosen(document: &Document, node: NodeId, primary: AttrId) -> Option<NodeId> {
    if document.kind(node) != Kind::Array {
        return Some(node);
    }
    let is_primary = |element: &NodeId| {
        document.member(*element, primary).is_some_and(|node| document.kind(node) == Kind::Bool(true))
    };
    let mut elements = document.children(node).filter(|element| document.kind(*element) != Kind::Null);
    elements.clone().find(|element| primary.is_known() && is_primary(element)).or_else(|| elements.next())
}
