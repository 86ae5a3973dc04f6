//! Building a resource out of another: members that keep their text, under names the document takes in at once.

use std::borrow::Cow;

use super::edit::offset;
use super::{ADDED, Document, KEY_ESCAPED, Kind, NONE, Node, NodeId, SOUND, Span, TEXT_ESCAPED, text};
use crate::schema::{AttrId, Takes};

/// Names and texts that go into many documents.
#[derive(Debug, Default)]
pub(crate) struct Words(String);

/// One of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word(Span);

/// Where a document has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken(u32);

/// Bytes for texts that are made beside the words.
const ROOM: usize = 256;

impl Words {
    /// One more; nothing for a text that needs escapes.
    pub(crate) fn add(&mut self, word: &str) -> Option<Word> {
        let plain = text::plain(word.as_bytes()) == word.len();
        let at = self.0.find(word).unwrap_or_else(|| {
            self.0.push_str(word);
            self.0.len() - word.len()
        });
        plain.then(|| Word(Span { at: offset(at), len: offset(word.len()) }))
    }
}

impl Word {
    const fn within(self, taken: Taken) -> Span {
        Span { at: self.0.at + taken.0, len: self.0.len }
    }
}

impl Document {
    /// Takes words in.
    pub(crate) fn take(&mut self, words: &Words) -> Taken {
        let at = ADDED + offset(self.added.len());
        self.added.reserve(words.0.len() + ROOM);
        self.added.push_str(&words.0);
        Taken(at)
    }

    /// A new resource. Like all that is built it is sound while everything is that is put into it, and while nothing is
    /// changed.
    pub(crate) fn build_root(&mut self) -> NodeId {
        self.push(Kind::Object, Span::default(), SOUND)
    }

    /// A new object or array as the last child of another; `taken`: the schema takes one there.
    pub(crate) fn build(
        &mut self,
        parent: NodeId,
        (kind, attr, taken): (Kind, AttrId, bool),
        key: Option<(Word, Taken)>,
    ) -> NodeId {
        let id = self.push(kind, Span::default(), if taken { SOUND } else { 0 });
        self.attach(parent, id, attr, key.map(|(word, taken)| word.within(taken)).unwrap_or_default());
        id
    }

    /// A text.
    pub(crate) fn build_text(
        &mut self,
        parent: NodeId,
        (attr, takes): (AttrId, Takes),
        (key, text): (Word, Word),
        taken: Taken,
    ) {
        let flags = soundness(takes, Kind::String, text.0, 0);
        let id = self.push(Kind::String, text.within(taken), flags);
        self.attach(parent, id, attr, key.within(taken));
    }

    /// A value that is not yet part of anything, under that name.
    pub(crate) fn build_value(
        &mut self,
        parent: NodeId,
        (attr, takes): (AttrId, Takes),
        value: NodeId,
        (key, taken): (Word, Taken),
    ) {
        if let Some(node) = self.node_mut(value) {
            node.flags &= !(KEY_ESCAPED | SOUND);
            node.flags |= soundness(takes, node.kind, node.text, node.flags);
        }
        self.attach(parent, value, attr, key.within(taken));
    }

    /// A copy of a single value as the last member of another object; it keeps its name where none is given. `takes`
    /// is what the schema takes there. Nothing for a value that has parts.
    #[inline(always)]
    pub(crate) fn build_copy(
        &mut self,
        parent: NodeId,
        (attr, takes): (AttrId, Takes),
        value: NodeId,
        key: Option<(Word, Taken)>,
    ) -> Option<NodeId> {
        let node = *self.node(value)?;
        if !matches!(node.kind, Kind::Bool(_) | Kind::Number | Kind::String) {
            return None;
        }
        let (key, escapes) = match key {
            Some((word, taken)) => (word.within(taken), TEXT_ESCAPED),
            None => (node.key, TEXT_ESCAPED | KEY_ESCAPED),
        };
        let flags = node.flags & escapes | soundness(takes, node.kind, node.text, node.flags);
        let id = offset(self.nodes.len());
        let last = self.take_in(parent, id, flags & SOUND != 0)?;
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id;
        }
        let Node { kind, text, .. } = node;
        let parent = parent.0;
        self.nodes.push(Node { key, text, parent, child: NONE, last: NONE, next: NONE, attr, kind, flags });
        Some(NodeId(id))
    }

    /// Notes in an object or list that is being built that `id` is the last in it; answers which was.
    fn take_in(&mut self, parent: NodeId, id: u32, sound: bool) -> Option<u32> {
        let above = self.node_mut(parent)?;
        let last = std::mem::replace(&mut above.last, id);
        if last == NONE {
            above.child = id;
        }
        if !sound {
            above.flags &= !SOUND;
        }
        if above.text.len > 0 {
            self.touch(parent);
        }
        Some(last)
    }

    /// Adds a node as the last child of one that is being built.
    fn attach(&mut self, parent: NodeId, id: NodeId, attr: AttrId, key: Span) {
        let Some(node) = self.node_mut(id) else { return };
        (node.parent, node.attr, node.key) = (parent.0, attr, key);
        let sound = node.flags & SOUND != 0;
        let Some(last) = self.take_in(parent, id.0, sound) else { return };
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id.0;
        }
    }

    /// All was put into an object or list; it is sound only if it is `complete`, too.
    pub(crate) fn settle(&mut self, id: NodeId, complete: bool) {
        let Some(node) = self.node_mut(id).filter(|node| !complete || node.flags & SOUND == 0) else {
            return;
        };
        node.flags &= !SOUND;
        let parent = NodeId(node.parent);
        if let Some(above) = self.node_mut(parent) {
            above.flags &= !SOUND;
        }
    }

    /// Says first in a resource which texts an attribute of it has; the schema takes them.
    pub(crate) fn build_first(&mut self, root: NodeId, (attr, name): (AttrId, &str), texts: &[Cow<'_, str>]) {
        let list = self.push(Kind::Array, Span::default(), SOUND);
        for text in texts {
            let id = self.new_string(text);
            if let Some(node) = self.node_mut(id) {
                node.flags |= SOUND;
            }
            self.attach(list, id, attr, Span::default());
        }
        self.set_key(list, name);
        let Some(above) = self.node_mut(root) else { return };
        let (first, has_text) = (std::mem::replace(&mut above.child, list.0), above.text.len > 0);
        if above.last == NONE {
            above.last = list.0;
        }
        if let Some(node) = self.node_mut(list) {
            (node.parent, node.attr, node.next) = (root.0, attr, first);
        }
        if has_text {
            self.touch(root);
        }
    }
}

/// The reader's judgement of a single value: [`SOUND`] or nothing. What has parts needs a look.
fn soundness(takes: Takes, kind: Kind, text: Span, flags: u8) -> u8 {
    let plain = match kind {
        Kind::String => flags & TEXT_ESCAPED == 0 && text.len > 0,
        Kind::Bool(_) | Kind::Number => true,
        Kind::Null | Kind::Object | Kind::Array => false,
    };
    if takes.has(kind) && plain { SOUND } else { 0 }
}
