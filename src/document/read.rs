//! Reading: one pass that checks the whole JSON grammar (RFC 8259) and binds members to attributes.
//!
//! Refused: invalid UTF-8, trailing bytes, duplicate member names (after unescaping and without regard to
//! ASCII case, also in unknown objects), lone surrogates, nesting over the limit.

use super::edit::offset;
use super::{
    ADDED, Document, ENDS, Ending, KEY_ESCAPED, Kind, NONE, Node, NodeId, SOUND, Span, TEXT_ESCAPED, text,
};
use crate::schema::{AttrId, Hot, Parts, Takes, Vocabulary, is_uri_reference};

/// Why a text is not an acceptable JSON value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadError {
    /// What is wrong.
    pub kind: ReadErrorKind,
    /// At which byte of the message.
    pub at: usize,
}

/// The kinds of [`ReadError`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadErrorKind {
    /// The bytes are not UTF-8.
    Utf8,
    /// The text breaks the JSON grammar.
    Syntax,
    /// A value is followed by more text.
    Trailing,
    /// A member name occurs twice in an object.
    Duplicate,
    /// A `\u` escape is half of a surrogate pair.
    Surrogate,
    /// Objects and arrays are nested too deep.
    Depth,
    /// The document would be larger than 2 GiB.
    Size,
}

impl ReadError {
    /// The error in words, without any content of the message.
    pub fn message(&self) -> String {
        let at = self.at;
        match self.kind {
            ReadErrorKind::Utf8 => format!("the body is not UTF-8 (byte {at})"),
            ReadErrorKind::Syntax => format!("the body is not JSON (byte {at})"),
            ReadErrorKind::Trailing => format!("the body goes on after the JSON value (byte {at})"),
            ReadErrorKind::Duplicate => format!("an object has two members of the same name (byte {at})"),
            ReadErrorKind::Surrogate => format!("a string has half a surrogate pair (byte {at})"),
            ReadErrorKind::Depth => format!("the body is nested too deep (byte {at})"),
            ReadErrorKind::Size => "the body is larger than 2 GiB".to_owned(),
        }
    }
}

impl Document {
    /// Reads a JSON text into a new root, bound to `context`.
    ///
    /// # Errors
    /// The first place where the text cannot be accepted.
    pub fn read(
        &mut self,
        bytes: Vec<u8>,
        vocabulary: &Vocabulary,
        context: AttrId,
        depth: u32,
    ) -> Result<NodeId, ReadError> {
        let start = self.text.len();
        let text = String::from_utf8(bytes)
            .map_err(|error| ReadError { kind: ReadErrorKind::Utf8, at: error.utf8_error().valid_up_to() })?;
        if start + text.len() >= ADDED as usize {
            return Err(ReadError { kind: ReadErrorKind::Size, at: 0 });
        }
        // Those of the text, and some that are built of them.
        self.nodes.reserve(text.len() / 16 + 64);
        if start == 0 {
            self.text = text;
        } else {
            self.text.push_str(&text);
        }
        let text = std::mem::take(&mut self.text);
        let mut reader = Reader {
            text: &text,
            bytes: text.as_bytes(),
            at: start,
            document: std::mem::take(self),
            vocabulary,
            seen: vec![NONE; vocabulary.len()],
            respell: Vec::new(),
            names: Vec::new(),
        };
        let root = reader.root(context, depth).map_err(|kind| ReadError { kind, at: reader.at - start });
        let Reader { document, respell, .. } = reader;
        *self = document;
        self.text = text;
        let root = root?;
        for id in respell {
            let name = vocabulary.name(self.attr(id));
            self.set_key(id, name);
        }
        Ok(root)
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// What is read into, while it is read.
    document: Document,
    vocabulary: &'a Vocabulary,
    /// For each attribute the object that had it last.
    ///
    /// INVARIANT: no object lies within another one of the same context, so that the last one is enough to tell
    /// a duplicate.
    seen: Vec<u32>,
    /// Members whose name is not in the schema's spelling.
    respell: Vec<NodeId>,
    /// The unknown members of the objects that are being read.
    names: Vec<NodeId>,
}

/// A member's name, and the attribute it means.
struct Name {
    key: Span,
    /// [`KEY_ESCAPED`] or nothing.
    flags: u8,
    attr: AttrId,
}

/// Where a value belongs.
struct Place {
    parent: u32,
    /// The child of the same parent before it.
    last: u32,
    key: Span,
    flags: u8,
    attr: AttrId,
    /// What the schema takes there.
    takes: Takes,
}

/// A value that was read.
struct Value {
    id: u32,
    /// See [`SOUND`].
    sound: bool,
}

type Read<T> = Result<T, ReadErrorKind>;

/// So few names are compared each with each: that is faster than sorting copies.
const FEW: usize = 24;
/// So many elements are compared with each other at once.
const FEW_ELEMENTS: u32 = 8;
/// From so many elements on a list is worth an index.
const MANY: u32 = 32;

impl Reader<'_> {
    fn root(&mut self, context: AttrId, depth: u32) -> Read<NodeId> {
        self.blank();
        let place = Place {
            parent: NONE,
            last: NONE,
            key: Span::default(),
            flags: 0,
            attr: context,
            takes: Takes::all(),
        };
        let root = self.value(place, depth)?;
        self.blank();
        if self.at < self.text.len() { Err(ReadErrorKind::Trailing) } else { Ok(NodeId(root.id)) }
    }

    /// Reads a value into a new node.
    #[inline(always)]
    fn value(&mut self, place: Place, depth: u32) -> Read<Value> {
        // Most values are texts.
        if self.peek() != b'"' {
            return self.other_value(place, depth);
        }
        self.at += 1;
        let (text, escaped) = self.string()?;
        let takes = place.takes;
        let is_uri = || {
            let text = self.slice(text);
            takes.is_uri() && is_uri_reference(text) && !self.vocabulary.refers_to_another(place.attr, text)
        };
        let meant = text.len > 0 && (!escaped || self.is_no_json(text));
        let sound = meant && (takes.has(Kind::String) || (!escaped && is_uri()));
        let flags = if escaped { TEXT_ESCAPED } else { 0 };
        Ok(self.leaf(&place, Kind::String, text, flags, sound))
    }

    /// False for an escaped text that may be JSON of its own: some peers send such. An empty one may mean none.
    #[cold]
    fn is_no_json(&self, text: Span) -> bool {
        self.slice(text)
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_graphic() && !matches!(first, b'{' | b'\\'))
    }

    #[inline(never)]
    fn other_value(&mut self, place: Place, depth: u32) -> Read<Value> {
        let (kind, text) = match self.peek() {
            b'{' => return self.object(place, depth),
            b'[' => return self.array(place, depth),
            b't' => (self.word(b"true", Kind::Bool(true))?, Span::default()),
            b'f' => (self.word(b"false", Kind::Bool(false))?, Span::default()),
            b'n' => (self.word(b"null", Kind::Null)?, Span::default()),
            b'-' | b'0'..=b'9' => (Kind::Number, self.number()?),
            _ => return Err(ReadErrorKind::Syntax),
        };
        let sound = place.takes.has(kind);
        Ok(self.leaf(&place, kind, text, 0, sound))
    }

    #[inline]
    fn leaf(&mut self, place: &Place, kind: Kind, text: Span, flags: u8, sound: bool) -> Value {
        let id = self.open(place, kind, text, flags | if sound { SOUND } else { 0 });
        Value { id, sound }
    }

    fn object(&mut self, place: Place, depth: u32) -> Read<Value> {
        let depth = depth.checked_sub(1).ok_or(ReadErrorKind::Depth)?;
        let start = self.at;
        let object = self.open(&place, Kind::Object, Span::default(), 0);
        self.at += 1;
        self.blank();
        let vocabulary = self.vocabulary;
        let context = vocabulary.context(place.attr);
        let names = self.names.len();
        let (mut last, mut before) = (NONE, AttrId::UNKNOWN);
        let mut guess = vocabulary.hot(context).map_or(AttrId::UNKNOWN, Hot::first);
        let (mut sound, mut missing) = (place.takes.has(Kind::Object), vocabulary.required(context).len());
        let mut more = self.peek() != b'}';
        if !more {
            self.at += 1;
            sound = false;
        }
        while more {
            let key_at = self.at;
            let foreseen = vocabulary.hot(guess).and_then(|hot| Some((hot, hot.spelled(self.rest())?)));
            let (attr, hot, key, flags) = match foreseen {
                Some((hot, len)) => {
                    self.at += len + r#""":"#.len();
                    (guess, hot, Span { at: offset(key_at + 1), len: offset(len) }, 0)
                }
                None => {
                    let Name { key, flags, attr } = self.name(context, before)?;
                    (attr, vocabulary.hot(attr).ok_or(ReadErrorKind::Syntax)?, key, flags)
                }
            };
            self.blank();
            let takes = hot.takes;
            let value = self.value(Place { parent: object, last, key, flags, attr, takes }, depth)?;
            last = value.id;
            sound &= value.sound;
            missing = missing.saturating_sub(usize::from(takes.is_required()));
            if !attr.is_known() {
                self.names.push(NodeId(last));
            } else if let Some(seen) = self.seen.get_mut(attr.index()) {
                if *seen == object {
                    self.at = key_at;
                    return Err(ReadErrorKind::Duplicate);
                }
                *seen = object;
                (before, guess) = (attr, hot.then());
            }
            more = self.goes_on(b'}')?;
        }
        if self.names.len() > names {
            self.unknown_names(names)?;
        }
        self.close(object, last, start, sound && missing == 0);
        Ok(Value { id: object, sound: sound && missing == 0 })
    }

    fn array(&mut self, place: Place, depth: u32) -> Read<Value> {
        let depth = depth.checked_sub(1).ok_or(ReadErrorKind::Depth)?;
        let start = self.at;
        let array = self.open(&place, Kind::Array, Span::default(), 0);
        self.at += 1;
        self.blank();
        let attr = place.attr;
        let takes = self.vocabulary.hot(attr).map_or(Takes::default(), |hot| hot.takes_as_element);
        let (mut last, mut count, mut sound) = (NONE, 0_u32, place.takes.has(Kind::Array));
        let mut noted = false;
        let mut more = self.peek() != b']';
        if !more {
            self.at += 1;
        }
        while more {
            let element = Place { parent: array, last, key: Span::default(), flags: 0, attr, takes };
            let value = self.value(element, depth)?;
            last = value.id;
            sound &= value.sound;
            count += 1;
            if count >= MANY && (noted || count == MANY) {
                noted = self.note_endings(array, value.id, count == MANY);
            }
            more = self.goes_on(b']')?;
        }
        sound = sound
            && match count {
                0 => false,
                1 => self.tells_its_kind(attr, last),
                2..=FEW_ELEMENTS => self.tells_apart(array, self.vocabulary.parts(attr)),
                _ => false,
            };
        self.close(array, last, start, sound);
        if noted && let Some(node) = self.document.node_mut(NodeId(array)) {
            node.flags |= ENDS;
        }
        Ok(Value { id: array, sound })
    }

    /// Notes how the value of an element ends, or of `all` of the list; false where there is nothing to note, or
    /// where they would not be in order.
    #[inline(never)]
    fn note_endings(&mut self, list: u32, element: u32, all: bool) -> bool {
        let sub = self.vocabulary.parts(self.document.attr(NodeId(list))).value;
        let elements: Vec<NodeId> = match all {
            true => self.document.children(NodeId(list)).collect(),
            false => vec![NodeId(element)],
        };
        sub.is_known() && elements.into_iter().all(|element| self.note_ending(element, sub))
    }

    fn note_ending(&mut self, element: NodeId, sub: AttrId) -> bool {
        let value = self.document.member(element, sub).and_then(|value| self.document.node(value));
        let plain = value.filter(|value| value.kind == Kind::String && value.flags & TEXT_ESCAPED == 0);
        let ending = plain.map_or(Ending::ANY, |value| Ending::of(self.slice(value.text)));
        let ends = &mut self.document.ends;
        let ordered = ends.last().is_none_or(|(_, before)| *before < element);
        if ordered {
            ends.push((ending, element));
        }
        ordered
    }

    /// True when the element that was read last has a type, where the schema has one beside `primary`.
    fn tells_its_kind(&self, attr: AttrId, element: u32) -> bool {
        let parts = self.vocabulary.parts(attr);
        !parts.primary.is_known()
            || !parts.kind.is_known()
            || self.seen.get(parts.kind.index()).is_some_and(|object| *object == element)
    }

    /// True for a few elements of which no two have the same value, and not more than one is primary: a look at plain
    /// texts, which is enough for most.
    fn tells_apart(&self, list: u32, parts: Parts) -> bool {
        let mut texts = [""; FEW_ELEMENTS as usize];
        let (mut values, mut primary) = (0, false);
        // All that was read since the list began is in it, and nothing else has these sub-attributes.
        let within = self.document.nodes.get(list as usize..).unwrap_or_default();
        for node in within.iter().filter(|node| node.attr.is_known()) {
            if node.attr == parts.primary && node.kind == Kind::Bool(true) {
                if primary {
                    return false;
                }
                primary = true;
            }
            if node.attr != parts.value {
                continue;
            }
            let text = self.slice(node.text);
            let (before, here) = texts.split_at_mut(values);
            let Some(here) = here.first_mut() else { return false };
            if node.kind != Kind::String || node.flags & TEXT_ESCAPED != 0 || !text.is_ascii() {
                return false;
            }
            if before.iter().any(|other| other.eq_ignore_ascii_case(text)) {
                return false;
            }
            *here = text;
            values += 1;
        }
        true
    }

    /// Behind a member or element: true before the next one, false behind the end.
    fn goes_on(&mut self, end: u8) -> Read<bool> {
        self.blank();
        let byte = self.peek();
        if byte != b',' && byte != end {
            return Err(ReadErrorKind::Syntax);
        }
        self.at += 1;
        if byte == b',' {
            self.blank();
        }
        Ok(byte == b',')
    }

    /// A member's name that was not foreseen, and the colon behind it; `before` is the last known member before it.
    #[inline(never)]
    fn name(&mut self, context: AttrId, before: AttrId) -> Read<Name> {
        let other = self.vocabulary.guess(context, before);
        if let Some(len) = self.vocabulary.hot(other).and_then(|hot| hot.spelled(self.rest())) {
            let key = Span { at: offset(self.at + 1), len: offset(len) };
            self.at += len + r#""":"#.len();
            return Ok(Name { key, flags: 0, attr: other });
        }
        self.expect(b'"')?;
        let (key, escaped) = self.string()?;
        let attr = self.vocabulary.lookup(context, text::decode(self.slice(key), escaped).as_bytes());
        if attr.is_known() {
            if escaped || self.slice(key) != self.vocabulary.name(attr) {
                // The node that comes next.
                self.respell.push(NodeId(offset(self.document.nodes.len())));
            } else {
                self.vocabulary.learn(context, before, attr);
            }
        }
        self.blank();
        self.expect(b':')?;
        Ok(Name { key, flags: if escaped { KEY_ESCAPED } else { 0 }, attr })
    }

    /// Refuses equal names among an object's unknown members, in n log n comparisons.
    fn unknown_names(&mut self, from: usize) -> Read<()> {
        let names = self.names.get(from..).unwrap_or_default();
        let again = match names.len() {
            0 | 1 => None,
            2..=FEW => self.again_among_few(names),
            _ => self.again(names),
        };
        if let Some(again) = again {
            self.at = again.key.at as usize;
            return Err(ReadErrorKind::Duplicate);
        }
        self.names.truncate(from);
        Ok(())
    }

    fn again_among_few(&self, names: &[NodeId]) -> Option<Node> {
        let nodes = || names.iter().filter_map(|id| self.document.node(*id));
        if nodes().any(|node| node.flags & KEY_ESCAPED != 0) {
            return self.again(names);
        }
        let same = |a: &Node, b: &Node| self.slice(a.key).eq_ignore_ascii_case(self.slice(b.key));
        nodes()
            .enumerate()
            .find(|(index, node)| nodes().take(*index).any(|other| same(other, node)))
            .map(|(_, node)| *node)
    }

    fn again(&self, names: &[NodeId]) -> Option<Node> {
        let nodes = names.iter().filter_map(|id| Some((id, self.document.node(*id)?)));
        let mut keyed: Vec<_> = nodes
            .map(|(id, node)| {
                let name = text::decode(self.slice(node.key), node.flags & KEY_ESCAPED != 0);
                (name.to_ascii_lowercase(), *id)
            })
            .collect();
        keyed.sort_unstable();
        let mut pairs = keyed.iter().zip(keyed.iter().skip(1));
        let (_, (_, again)) = pairs.find(|((a, _), (b, _))| a == b)?;
        self.document.node(*again).copied()
    }

    /// A new node.
    #[inline]
    fn open(&mut self, place: &Place, kind: Kind, text: Span, flags: u8) -> u32 {
        let nodes = &mut self.document.nodes;
        let id = offset(nodes.len());
        let Place { parent, last, key, attr, .. } = *place;
        let flags = place.flags | flags;
        if last != NONE {
            if let Some(last) = nodes.get_mut(last as usize) {
                last.next = id;
            }
        } else if let Some(parent) = nodes.get_mut(parent as usize) {
            parent.child = id;
        }
        nodes.push(Node { key, text, parent, child: NONE, last: NONE, next: NONE, attr, kind, flags });
        id
    }

    /// The end of an object or array.
    fn close(&mut self, id: u32, last: u32, start: usize, sound: bool) {
        let text = Span { at: offset(start), len: offset(self.at - start) };
        if let Some(node) = self.document.node_mut(NodeId(id)) {
            node.text = text;
            node.last = last;
            node.flags |= if sound { SOUND } else { 0 };
        }
    }

    /// A string's content behind its opening quote, and whether it has escapes.
    #[inline(always)]
    fn string(&mut self) -> Read<(Span, bool)> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let plain = text::plain(rest);
        self.at += plain;
        let escaped = rest.get(plain) != Some(&b'"');
        if escaped {
            self.escapes()?;
        }
        let span = Span { at: offset(start), len: offset(self.at - start) };
        self.at += 1;
        Ok((span, escaped))
    }

    /// The rest of a string from its first escape on.
    #[cold]
    fn escapes(&mut self) -> Read<()> {
        loop {
            match self.peek() {
                b'"' => return Ok(()),
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                _ => return Err(ReadErrorKind::Syntax),
            }
            self.at += text::plain(self.bytes.get(self.at..).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Read<()> {
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let unit = self.unit(1)?;
                self.at += 5;
                if (0xdc00..0xe000).contains(&unit) {
                    return Err(ReadErrorKind::Surrogate);
                }
                if (0xd800..0xdc00).contains(&unit) {
                    let pair = self.bytes.get(self.at..self.at + 2) == Some(b"\\u".as_slice());
                    if !pair || !(0xdc00..0xe000).contains(&self.unit(2)?) {
                        return Err(ReadErrorKind::Surrogate);
                    }
                    self.at += 6;
                }
            }
            _ => return Err(ReadErrorKind::Syntax),
        }
        Ok(())
    }

    fn unit(&self, ahead: usize) -> Read<u32> {
        self.bytes.get(self.at + ahead..).and_then(text::hex4).ok_or(ReadErrorKind::Syntax)
    }

    fn number(&mut self) -> Read<Span> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Span { at: offset(start), len: offset(self.at - start) })
    }

    fn digits(&mut self) -> Read<()> {
        if !self.peek().is_ascii_digit() {
            return Err(ReadErrorKind::Syntax);
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Read<Kind> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(ReadErrorKind::Syntax);
        }
        self.at += word.len();
        Ok(kind)
    }

    fn blank(&mut self) {
        while self.peek() <= b' ' && matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek() != byte {
            return Err(ReadErrorKind::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// The text from the cursor on.
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The byte at the cursor; 0 at the end, which no rule of the grammar takes.
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.at as usize..(span.at + span.len) as usize).unwrap_or_default()
    }
}
