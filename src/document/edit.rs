//! Editing a document: every change marks its ancestors, so that the writer knows which text still holds.

use super::{
    ADDED, CHANGED, Document, ENDS, KEY_ESCAPED, Kind, NONE, Node, NodeId, REMOVED, SOUND, Span,
    TEXT_ESCAPED, text,
};
use crate::filter::Literal;
use crate::schema::{AttrId, Vocabulary};

impl Document {
    /// Takes a node out of the object or array that holds it.
    pub fn remove(&mut self, id: NodeId) {
        if let Some(node) = self.node_mut(id) {
            node.flags |= REMOVED;
        }
        self.touch_parent(id);
    }

    /// A new string, not yet part of anything.
    pub fn new_string(&mut self, value: &str) -> NodeId {
        let span = self.append_text(value);
        let escaped = if span.len as usize == value.len() { 0 } else { TEXT_ESCAPED };
        self.push(Kind::String, span, escaped)
    }

    /// A new boolean.
    pub fn new_bool(&mut self, value: bool) -> NodeId {
        self.push(Kind::Bool(value), Span::default(), 0)
    }

    /// A new number with these digits.
    pub fn new_number(&mut self, digits: &str) -> NodeId {
        let span = self.append_text(digits);
        self.push(Kind::Number, span, 0)
    }

    /// A new value equal to a filter's literal.
    pub fn new_literal(&mut self, literal: &Literal) -> NodeId {
        match literal {
            Literal::String(text) => self.new_string(text),
            Literal::Number(digits) => self.new_number(digits),
            Literal::True => self.new_bool(true),
            Literal::False => self.new_bool(false),
            Literal::Null => self.new_null(),
        }
    }

    /// A new `null`.
    pub fn new_null(&mut self) -> NodeId {
        self.push(Kind::Null, Span::default(), 0)
    }

    /// A new empty object.
    pub fn new_object(&mut self) -> NodeId {
        self.push(Kind::Object, Span::default(), CHANGED)
    }

    /// A new empty array.
    pub fn new_array(&mut self) -> NodeId {
        self.push(Kind::Array, Span::default(), CHANGED)
    }

    /// Names a node that will become a member.
    pub fn set_key(&mut self, id: NodeId, name: &str) {
        let span = self.append_text(name);
        if let Some(node) = self.node_mut(id) {
            node.key = span;
            node.flags &= !KEY_ESCAPED;
            if span.len as usize != name.len() {
                node.flags |= KEY_ESCAPED;
            }
        }
        self.touch_parent(id);
    }

    /// Binds a node to an attribute, without touching what is below it.
    pub fn set_attr(&mut self, id: NodeId, attr: AttrId) {
        if let Some(node) = self.node_mut(id) {
            node.attr = attr;
            node.flags &= !(SOUND | ENDS);
        }
    }

    /// Adds a node as the last child.
    pub fn append(&mut self, parent: NodeId, id: NodeId) {
        let last = self.node(parent).map_or(NONE, |node| node.last);
        match super::some(last).and_then(|last| self.node_mut(last)) {
            Some(last) => last.next = id.0,
            None => {
                if let Some(parent) = self.node_mut(parent) {
                    parent.child = id.0;
                }
            }
        }
        if let Some(parent) = self.node_mut(parent) {
            parent.last = id.0;
        }
        if let Some(node) = self.node_mut(id) {
            node.parent = parent.0;
            node.next = NONE;
        }
        self.touch_parent(id);
    }

    /// Adds a node as the first child.
    pub fn prepend(&mut self, parent: NodeId, id: NodeId) {
        let Some(first) = self.node(parent).and_then(|node| super::some(node.child)) else {
            return self.append(parent, id);
        };
        if let Some(parent) = self.node_mut(parent) {
            parent.child = id.0;
        }
        if let Some(node) = self.node_mut(id) {
            node.parent = parent.0;
            node.next = first.0;
        }
        self.touch_parent(id);
    }

    /// Adds a member with the schema's spelling and binds it.
    pub fn append_member(&mut self, object: NodeId, vocabulary: &Vocabulary, attr: AttrId, id: NodeId) {
        // A value that is copied often keeps its name.
        if self.key(id) != vocabulary.name(attr) {
            self.set_key(id, vocabulary.name(attr));
        }
        self.set_attr(id, attr);
        self.append(object, id);
    }

    /// Puts a node's value in the place of another's; name, place and binding stay.
    pub fn assign(&mut self, id: NodeId, value: NodeId) {
        let Some(new) = self.node(value).copied() else { return };
        if let Some(node) = self.node_mut(id) {
            node.kind = new.kind;
            node.text = new.text;
            node.child = new.child;
            node.last = new.last;
            node.flags = (node.flags & KEY_ESCAPED) | (new.flags & (TEXT_ESCAPED | CHANGED));
        }
        let mut next = new.child;
        while let Some(child) = super::some(next) {
            let Some(node) = self.node_mut(child) else { break };
            node.parent = id.0;
            next = node.next;
        }
        self.touch_parent(id);
    }

    /// A copy of a value with everything below it, bound as it is, not part of anything; the name is kept.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        let Some(node) = self.node(id).copied() else { return self.new_null() };
        let copy = self.push(node.kind, node.text, node.flags & !(REMOVED | SOUND | ENDS));
        if let Some(new) = self.node_mut(copy) {
            new.key = node.key;
            new.attr = node.attr;
        }
        let mut next = node.child;
        while let Some(child) = super::some(next) {
            let Some((following, removed)) =
                self.node(child).map(|node| (node.next, node.flags & REMOVED != 0))
            else {
                break;
            };
            if !removed {
                let child = self.copy(child);
                self.link(copy, child);
            }
            next = following;
        }
        copy
    }

    /// Binds a value and everything below it to `context`: members are looked up by name.
    pub fn bind(&mut self, id: NodeId, vocabulary: &Vocabulary, context: AttrId) {
        self.set_attr(id, context);
        let array = self.kind(id) == Kind::Array;
        let mut next = self.node(id).map_or(NONE, |node| node.child);
        while let Some(child) = super::some(next) {
            next = self.node(child).map_or(NONE, |node| node.next);
            if array {
                self.bind(child, vocabulary, context);
                continue;
            }
            let attr = vocabulary.lookup(vocabulary.context(context), self.key(child).as_bytes());
            self.bind(child, vocabulary, attr);
            if attr != AttrId::UNKNOWN && self.key(child) != vocabulary.name(attr) {
                self.set_key(child, vocabulary.name(attr));
            }
        }
    }

    /// Marks a container as differing from its text.
    pub(super) fn touch(&mut self, id: NodeId) {
        let mut next = Some(id);
        while let Some(node) = next.and_then(|id| self.node_mut(id)) {
            if node.flags & CHANGED != 0 {
                return;
            }
            node.flags |= CHANGED;
            next = super::some(node.parent);
        }
    }

    fn touch_parent(&mut self, id: NodeId) {
        if let Some(parent) = self.parent(id) {
            self.touch(parent);
        }
    }

    /// Appends a child without marking: only for copies, whose text is that of the original.
    fn link(&mut self, parent: NodeId, id: NodeId) {
        let changed = self.node(parent).is_some_and(|node| node.flags & CHANGED != 0);
        self.append(parent, id);
        if let (false, Some(node)) = (changed, self.node_mut(parent)) {
            node.flags &= !CHANGED;
        }
    }

    fn append_text(&mut self, value: &str) -> Span {
        let at = self.added.len();
        text::escape(value, &mut self.added);
        Span { at: ADDED + offset(at), len: offset(self.added.len() - at) }
    }

    pub(super) fn push(&mut self, kind: Kind, text: Span, flags: u8) -> NodeId {
        let id = offset(self.nodes.len());
        self.nodes.push(Node {
            key: Span::default(),
            text,
            parent: NONE,
            child: NONE,
            last: NONE,
            next: NONE,
            attr: AttrId::UNKNOWN,
            kind,
            flags,
        });
        NodeId(id)
    }
}

/// INVARIANT: limits on body sizes keep every text far below 2 GiB, and [`Document::read`] refuses more.
pub(super) const fn offset(value: usize) -> u32 {
    value as u32
}
