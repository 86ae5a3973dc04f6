//! Building a resource out of another: members that keep their text, under names the document takes in at once.

use super::edit::offset;
use super::{Document, KEY_ESCAPED, Kind, NONE, NodeId, SOUND, Span, TEXT_ESCAPED, some, text};
use crate::schema::{AttrId, Vocabulary};

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
        let flags = Self::soundness(vocabulary, attr, Kind::String, text.0, 0);
        let id = self.push(Kind::String, text.within(taken), flags);
        self.attach(parent, id, attr, Some(key.within(taken)));
        id
    }

    /// A copy of a single value, which keeps its name where none is given.
    pub(crate) fn build_copy(
        &mut self,
        parent: NodeId,
        vocabulary: &Vocabulary,
        attr: AttrId,
        value: NodeId,
        key: Option<(Word, Taken)>,
    ) -> NodeId {
        let Some(node) = self.node(value).copied() else { return self.new_null() };
        let escapes = TEXT_ESCAPED | if key.is_none() { KEY_ESCAPED } else { 0 };
        let flags =
            node.flags & escapes | Self::soundness(vocabulary, attr, node.kind, node.text, node.flags);
        let id = self.push(node.kind, node.text, flags);
        self.attach(parent, id, attr, Some(key.map_or(node.key, |(word, taken)| word.within(taken))));
        id
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

    /// The reader's judgement of a value: [`SOUND`] or nothing.
    fn soundness(vocabulary: &Vocabulary, attr: AttrId, kind: Kind, text: Span, flags: u8) -> u8 {
        let takes = vocabulary.hot(attr).is_some_and(|hot| hot.takes.has(kind));
        let plain = kind != Kind::String || (flags & TEXT_ESCAPED == 0 && text.len > 0);
        if takes && plain { SOUND } else { 0 }
    }

    /// Adds a node as the last child of one that is being built.
    fn attach(&mut self, parent: NodeId, id: NodeId, attr: AttrId, key: Option<Span>) {
        let Some(above) = self.node_mut(parent) else { return };
        let (last, has_text) = (above.last, above.text.len > 0);
        above.last = id.0;
        if last == NONE {
            above.child = id.0;
        }
        if let Some(last) = some(last).and_then(|last| self.node_mut(last)) {
            last.next = id.0;
        }
        if let Some(node) = self.node_mut(id) {
            (node.parent, node.attr) = (parent.0, attr);
            node.key = key.unwrap_or_default();
        }
        if has_text {
            self.touch(parent);
        }
    }
}
