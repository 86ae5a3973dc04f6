//! A SCIM payload as a tape: one text, and nodes that point into it.
//!
//! A message is read once; nodes carry spans of the text and the id of the schema attribute they are bound to.
//! Nothing borrows: a document can be kept in a state machine. Several roots (received, mapped, answered) may
//! share one document. Removal is a flag, new text is kept beside what was read, and only unchanged containers are copied as
//! spans when a root is written.

mod build;
mod compare;
mod edit;
mod read;
mod survey;
mod text;
mod write;

use std::borrow::Cow;

pub(crate) use self::build::{Taken, Word, Words};
pub use self::compare::Names;
pub use self::read::{ReadError, ReadErrorKind};
pub(crate) use self::survey::Survey;
pub use self::text::decode;
use crate::schema::AttrId;

/// A place in the text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    at: u32,
    len: u32,
}

/// A node's number in its document.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NodeId(u32);

/// The JSON kind of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, kept as text.
    Number,
    /// A string, kept as escaped text.
    String,
    /// An object.
    Object,
    /// An array.
    Array,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The member name without quotes, escaped as in the text; empty in arrays and at roots.
    key: Span,
    /// A string's content without quotes, a number's digits, a container's whole text (empty when built).
    text: Span,
    parent: u32,
    child: u32,
    last: u32,
    next: u32,
    attr: AttrId,
    kind: Kind,
    flags: u8,
}

const NONE: u32 = u32::MAX;
/// From here on a place is one in what was added.
const ADDED: u32 = 1 << 31;
/// This container or something below it differs from its text.
const CHANGED: u8 = 1;
/// Not part of the document any more.
const REMOVED: u8 = 2;
/// The key's text has escapes.
const KEY_ESCAPED: u8 = 4;
/// The string's text has escapes.
const TEXT_ESCAPED: u8 = 8;
/// The reader found that the schema it was bound to takes the value as it stands, with everything below it. Holds
/// until something below is changed or it is bound anew.
const SOUND: u8 = 16;
/// The reader noted how the `value` of each element of this list ends. Holds as [`SOUND`] does.
const ENDS: u8 = 32;

/// A text and its nodes.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// What was read.
    text: String,
    /// What was added; spans of it begin at [`ADDED`].
    added: String,
    nodes: Vec<Node>,
    /// The elements of lists that have [`ENDS`], in order, and how their `value` ends: see [`Ending`].
    ends: Vec<(Ending, NodeId)>,
}

/// The last bytes of a text, so that one of thousands is found without reading them all; anything where that does
/// not tell texts apart.
#[derive(Clone, Copy, Debug)]
struct Ending(u64);

impl Ending {
    const ANY: Self = Self(u64::MAX);
    const CASE: u64 = 0x2020_2020_2020_2020;
    const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

    fn of(text: &str) -> Self {
        let last = text.as_bytes();
        if let Some(last) = last.last_chunk() {
            return Self(u64::from_le_bytes(*last));
        }
        // No text has a zero in it.
        let short = last.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Self(short.swap_bytes())
    }

    /// False when the texts are two for certain, whether case matters or not: texts that are the same in lower case
    /// have the same last characters in lower case.
    const fn may_be(self, other: Self) -> bool {
        (self.0 | other.0) & Self::NOT_ASCII != 0 || (self.0 ^ other.0) & !Self::CASE == 0
    }
}

impl Document {
    /// An empty document.
    pub const fn new() -> Self {
        Self { text: String::new(), added: String::new(), nodes: Vec::new(), ends: Vec::new() }
    }

    /// The node's kind.
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).map_or(Kind::Null, |node| node.kind)
    }

    /// The attribute the node is bound to; an element of a multi-valued attribute is bound to that attribute.
    pub fn attr(&self, id: NodeId) -> AttrId {
        self.node(id).map_or(AttrId::UNKNOWN, |node| node.attr)
    }

    /// The node that holds this one.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).and_then(|node| some(node.parent))
    }

    /// The member name, decoded; empty for array elements and roots.
    pub fn key(&self, id: NodeId) -> Cow<'_, str> {
        self.node(id)
            .map_or(Cow::Borrowed(""), |node| decode(self.span(node.key), node.flags & KEY_ESCAPED != 0))
    }

    /// The value of a string, decoded.
    pub fn string(&self, id: NodeId) -> Option<Cow<'_, str>> {
        let node = self.node(id)?;
        (node.kind == Kind::String).then(|| decode(self.span(node.text), node.flags & TEXT_ESCAPED != 0))
    }

    /// A number's digits as written.
    pub fn number(&self, id: NodeId) -> Option<&str> {
        let node = self.node(id)?;
        (node.kind == Kind::Number).then(|| self.span(node.text))
    }

    /// The elements of an array or members of an object, in order; nothing for other kinds.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children { document: self, next: self.node(id).map_or(NONE, |node| node.child) }
    }

    /// The same, each with the attribute it is bound to.
    pub(crate) fn bound(&self, id: NodeId) -> impl Iterator<Item = (NodeId, AttrId)> {
        let nodes = self.nodes_in(self.node(id).map_or(NONE, |node| node.child));
        nodes.map(|(id, node)| (id, node.attr))
    }

    /// The first child; with [`Document::sibling`] a way through children that are edited meanwhile.
    pub fn first(&self, id: NodeId) -> Option<NodeId> {
        self.children(id).next()
    }

    /// The next child of the same parent.
    pub fn sibling(&self, id: NodeId) -> Option<NodeId> {
        Children { document: self, next: self.node(id).map_or(NONE, |node| node.next) }.next()
    }

    /// The member bound to that attribute.
    pub fn member(&self, id: NodeId, attr: AttrId) -> Option<NodeId> {
        let mut next = self.node(id)?.child;
        while let Some(id) = some(next) {
            let node = self.node(id)?;
            if node.attr == attr && node.flags & REMOVED == 0 {
                return Some(id);
            }
            next = node.next;
        }
        None
    }

    /// The member of that name (ASCII case does not matter).
    pub fn member_named(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.children(id).find(|child| self.key(*child).eq_ignore_ascii_case(name))
    }

    /// The elements of a multi-valued attribute's node, be it an array or (leniently) a single value.
    pub fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let array = self.kind(id) == Kind::Array;
        self.children(id).filter(move |_| array).chain((!array).then_some(id))
    }

    /// The elements of a list whose `value` may be this text: all but those of which it is known that it is not.
    pub(crate) fn elements_like(&self, list: NodeId, text: &str) -> Vec<NodeId> {
        let wanted = Ending::of(text);
        let Some(node) = self.node(list).filter(|node| node.flags & (ENDS | CHANGED) == ENDS) else {
            return self.elements(list).collect();
        };
        let at = |id: u32| self.ends.partition_point(|(_, other)| other.0 < id);
        let known = self.ends.get(at(node.child)..at(node.last.saturating_add(1))).unwrap_or_default();
        let like = known.iter().filter(|(end, _)| end.may_be(wanted)).map(|(_, element)| *element);
        like.filter(|element| self.parent(*element) == Some(list)).collect()
    }

    /// True for `null`, `[]`, and an array of nothing but nulls: the unassigned state (RFC 7643 section 2.5).
    pub fn is_unassigned(&self, id: NodeId) -> bool {
        match self.kind(id) {
            Kind::Null => true,
            Kind::Array => self.children(id).all(|child| self.kind(child) == Kind::Null),
            Kind::Bool(_) | Kind::Number | Kind::String | Kind::Object => false,
        }
    }

    /// True when the schema the value was read with takes it as it stands, with everything below it.
    pub(crate) fn is_sound(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| node.flags & (SOUND | CHANGED) == SOUND)
    }

    /// The first child that is not sound; with [`Document::next_unsound`] a way through those that need a look.
    pub(crate) fn first_unsound(&self, id: NodeId) -> Option<NodeId> {
        self.unsound_from(self.node(id).map_or(NONE, |node| node.child))
    }

    /// The next child of the same parent that is not sound.
    pub(crate) fn next_unsound(&self, id: NodeId) -> Option<NodeId> {
        self.unsound_from(self.node(id).map_or(NONE, |node| node.next))
    }

    fn unsound_from(&self, child: u32) -> Option<NodeId> {
        let mut nodes = self.nodes_in(child);
        nodes.find(|(_, node)| node.flags & (SOUND | CHANGED) != SOUND).map(|(id, _)| id)
    }

    /// True when the node was taken out of what held it.
    pub(crate) fn is_removed(&self, id: NodeId) -> bool {
        self.node(id).is_none_or(|node| node.flags & REMOVED != 0)
    }

    /// The nodes from that child on that are not removed.
    fn nodes_in(&self, mut next: u32) -> impl Iterator<Item = (NodeId, &Node)> {
        std::iter::from_fn(move || {
            loop {
                let node = self.nodes.get(next as usize)?;
                let id = NodeId(std::mem::replace(&mut next, node.next));
                if node.flags & REMOVED == 0 {
                    return Some((id, node));
                }
            }
        })
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)
    }

    fn span(&self, span: Span) -> &str {
        let (text, at) = self.place(span);
        text.get(at..at + span.len as usize).unwrap_or_default()
    }

    /// The same without a look at where characters begin.
    fn bytes(&self, span: Span) -> &[u8] {
        let (text, at) = self.place(span);
        text.as_bytes().get(at..at + span.len as usize).unwrap_or_default()
    }

    const fn place(&self, span: Span) -> (&String, usize) {
        match span.at.checked_sub(ADDED) {
            None => (&self.text, span.at as usize),
            Some(at) => (&self.added, at as usize),
        }
    }
}

const fn some(id: u32) -> Option<NodeId> {
    if id == NONE { None } else { Some(NodeId(id)) }
}

/// The children of a node that are not removed.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    document: &'a Document,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        while let Some(id) = some(self.next) {
            let node = self.document.node(id)?;
            self.next = node.next;
            if node.flags & REMOVED == 0 {
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
