//! Building a resource out of another: members that keep their text, under names the document takes in at once.

use super::edit::offset;
use super::{
    CHANGED, Document, KEY_ESCAPED, Kind, NONE, Node, NodeId, SOUND, Span, TEXT_ESCAPED, some, text,
};
use crate::schema::{AttrId, Takes, Vocabulary};

/// Names and texts that go into many documents.
#[derive(Debug, Default)]
pub(crate) struct Words(String);

/// One of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word(Span);

/// Where a document has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken(u32);

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
        let at = offset(self.text.len());
        self.text.push_str(&words.0);
        Taken(at)
    }

    /// A new object or array as the last child of another.
    pub(crate) fn build(
        &mut self,
        parent: NodeId,
        kind: Kind,
        attr: AttrId,
        key: Option<(Word, Taken)>,
    ) -> NodeId {
        let id = self.push(kind, Span::default(), 0);
        self.attach(parent, id, attr, key.map(|(word, taken)| word.within(taken)));
        id
    }

    /// A text.
    pub(crate) fn build_text(
        &mut self,
        parent: NodeId,
        vocabulary: &Vocabulary,
        attr: AttrId,
        (key, text): (Word, Word),
        taken: Taken,
    ) -> NodeId {
        let flags = soundness(vocabulary.takes(attr), Kind::String, text.0, 0);
        let id = self.push(Kind::String, text.within(taken), flags);
        self.attach(parent, id, attr, Some(key.within(taken)));
        id
    }

    /// A copy of a single value as the last member of another object; it keeps its name where none is given. `takes`
    /// is what the schema takes there. Nothing for a value that has parts.
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
        let last = self.take_in(parent, id)?;
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id;
        }
        let Node { kind, text, .. } = node;
        let parent = parent.0;
        self.nodes.push(Node { key, text, parent, child: NONE, last: NONE, next: NONE, attr, kind, flags });
        Some(NodeId(id))
    }

    /// Notes in an object or list that is being built that `id` is the last in it; answers which was.
    fn take_in(&mut self, parent: NodeId, id: u32) -> Option<u32> {
        let above = self.node_mut(parent)?;
        let last = std::mem::replace(&mut above.last, id);
        if last == NONE {
            above.child = id;
        }
        if above.text.len > 0 {
            self.touch(parent);
        }
        Some(last)
    }

    /// A new list of texts that the schema takes, not yet part of anything.
    pub(crate) fn build_list(&mut self, attr: AttrId) -> NodeId {
        let id = self.push(Kind::Array, Span::default(), SOUND);
        self.set_attr(id, attr);
        if let Some(node) = self.node_mut(id) {
            node.flags |= SOUND;
        }
        id
    }

    /// One more of its texts.
    pub(crate) fn build_element(&mut self, list: NodeId, text: &str) {
        let attr = self.attr(list);
        let id = self.new_string(text);
        self.attach(list, id, attr, None);
        if let Some(node) = self.node_mut(id) {
            node.flags |= SOUND;
        }
    }

    /// True for a resource that was built of what the schema takes, and of all that it must have: nothing of it needs
    /// a look. Of `schemas` that is so where [`put_schemas`](crate::schema::put_schemas) has written it.
    pub(crate) fn is_settled(&self, root: NodeId, vocabulary: &Vocabulary, of: AttrId) -> bool {
        let mut missing = vocabulary.required(of).len();
        let mut children = self.nodes_in(self.node(root).map_or(NONE, |root| root.child));
        let settled = children.all(|(_, child)| {
            let Some(hot) = vocabulary.hot(child.attr) else { return false };
            missing = missing.saturating_sub(usize::from(hot.takes.is_required()));
            child.attr.is_known() && child.flags & (SOUND | CHANGED) == SOUND
        });
        settled && missing == 0
    }

    /// Notes of an object or list that was built that the schema takes it, where that is so of all that is in it
    /// and nothing that it must have is missing.
    pub(crate) fn vouch(&mut self, id: NodeId, vocabulary: &Vocabulary) {
        let Some(node) = self.node(id) else { return };
        let Some(hot) = vocabulary.hot(node.attr) else { return };
        let element = self.node(NodeId(node.parent)).is_some_and(|above| above.kind == Kind::Array);
        if !(if element { hot.takes_as_element } else { hot.takes }).has(node.kind) {
            return;
        }
        let mut next = node.child;
        let mut missing = if node.kind == Kind::Object { vocabulary.required(node.attr).len() } else { 0 };
        while let Some(child) = some(next).and_then(|id| self.node(id)) {
            if child.flags & SOUND == 0 {
                return;
            }
            let required = vocabulary.hot(child.attr).is_some_and(|hot| hot.takes.is_required());
            missing = missing.saturating_sub(usize::from(required && node.kind == Kind::Object));
            next = child.next;
        }
        if let Some(node) = self.node_mut(id).filter(|_| missing == 0) {
            node.flags |= SOUND;
        }
    }

    /// Notes of a single value whether the schema takes it, as the reader does.
    pub(crate) fn judge(&mut self, id: NodeId, vocabulary: &Vocabulary) {
        if let Some(node) = self.node_mut(id) {
            node.flags |= soundness(vocabulary.takes(node.attr), node.kind, node.text, node.flags);
        }
    }

    /// Adds a node as the last child of one that is being built.
    fn attach(&mut self, parent: NodeId, id: NodeId, attr: AttrId, key: Option<Span>) {
        let Some(last) = self.take_in(parent, id.0) else { return };
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id.0;
        }
        if let Some(node) = self.node_mut(id) {
            (node.parent, node.attr) = (parent.0, attr);
            node.key = key.unwrap_or_default();
        }
    }
}

/// The reader's judgement of a single value: [`SOUND`] or nothing.
fn soundness(takes: Takes, kind: Kind, text: Span, flags: u8) -> u8 {
    let plain = kind != Kind::String || (flags & TEXT_ESCAPED == 0 && text.len > 0);
    if takes.has(kind) && plain { SOUND } else { 0 }
}
