//! Reading: one pass that checks the whole JSON grammar (RFC 8259) and binds members to attributes.
//!
//! Refused: invalid UTF-8, trailing bytes, duplicate member names (after unescaping and without regard to
//! ASCII case, also in unknown objects), lone surrogates, nesting over the limit.

use super::edit::offset;
use super::{Document, KEY_ESCAPED, Kind, NodeId, Span, TEXT_ESCAPED, text};
use crate::schema::{AttrId, Vocabulary};

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
        if let Err(error) = str::from_utf8(&bytes) {
            return Err(ReadError { kind: ReadErrorKind::Utf8, at: error.valid_up_to() });
        }
        if start == 0 {
            self.text = bytes;
        } else {
            self.text.extend_from_slice(&bytes);
        }
        self.nodes.reserve(self.text.len() / 24);
        let text = std::mem::take(&mut self.text);
        let mut reader = Reader {
            text: &text,
            at: start,
            document: self,
            vocabulary,
            respell: Vec::new(),
            names: Vec::new(),
        };
        let root = reader.root(context, depth).map_err(|kind| ReadError { kind, at: reader.at - start });
        let respell = std::mem::take(&mut reader.respell);
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
    text: &'a [u8],
    at: usize,
    document: &'a mut Document,
    vocabulary: &'a Vocabulary,
    /// Members whose name is not in the schema's spelling.
    respell: Vec<NodeId>,
    /// The unknown members of the objects that are being read.
    names: Vec<NodeId>,
}

type Read<T> = Result<T, ReadErrorKind>;

impl Reader<'_> {
    fn root(&mut self, context: AttrId, depth: u32) -> Read<NodeId> {
        self.blank();
        let root = self.value(context, depth)?;
        self.blank();
        if self.at < self.text.len() { Err(ReadErrorKind::Trailing) } else { Ok(root) }
    }

    fn value(&mut self, attr: AttrId, depth: u32) -> Read<NodeId> {
        let id = match self.peek() {
            b'"' => {
                let (span, escaped) = self.string()?;
                self.document.push(Kind::String, span, if escaped { TEXT_ESCAPED } else { 0 })
            }
            b'{' => return self.object(attr, depth),
            b'[' => return self.array(attr, depth),
            b't' => self.word(b"true", Kind::Bool(true))?,
            b'f' => self.word(b"false", Kind::Bool(false))?,
            b'n' => self.word(b"null", Kind::Null)?,
            b'-' | b'0'..=b'9' => {
                let span = self.number()?;
                self.document.push(Kind::Number, span, 0)
            }
            _ => return Err(ReadErrorKind::Syntax),
        };
        self.document.set_attr(id, attr);
        Ok(id)
    }

    fn object(&mut self, attr: AttrId, depth: u32) -> Read<NodeId> {
        let depth = depth.checked_sub(1).ok_or(ReadErrorKind::Depth)?;
        let start = self.at;
        let object = self.document.push(Kind::Object, Span::default(), 0);
        self.document.set_attr(object, attr);
        self.at += 1;
        self.blank();
        let context = self.vocabulary.context(attr);
        let mut seen = Seen::default();
        let names = self.names.len();
        let mut last = None;
        if self.peek() == b'}' {
            self.at += 1;
        } else {
            loop {
                if self.peek() != b'"' {
                    return Err(ReadErrorKind::Syntax);
                }
                let key_at = self.at;
                let (key, escaped) = self.string()?;
                let (member, exact) = self.lookup(context, key, escaped);
                self.blank();
                self.expect(b':')?;
                self.blank();
                let value = self.value(member, depth)?;
                if let Some(node) = self.document.node_mut(value) {
                    node.key = key;
                    node.flags |= if escaped { KEY_ESCAPED } else { 0 };
                }
                self.chain(object, &mut last, value);
                if member == AttrId::UNKNOWN {
                    self.names.push(value);
                } else {
                    if !exact {
                        self.respell.push(value);
                    }
                    if !seen.insert(member) {
                        self.at = key_at;
                        return Err(ReadErrorKind::Duplicate);
                    }
                }
                self.blank();
                match self.next() {
                    b',' => self.blank(),
                    b'}' => break,
                    _ => {
                        self.at -= 1;
                        return Err(ReadErrorKind::Syntax);
                    }
                }
            }
        }
        self.unknown_names(names)?;
        self.close(object, start);
        Ok(object)
    }

    fn array(&mut self, attr: AttrId, depth: u32) -> Read<NodeId> {
        let depth = depth.checked_sub(1).ok_or(ReadErrorKind::Depth)?;
        let start = self.at;
        let array = self.document.push(Kind::Array, Span::default(), 0);
        self.document.set_attr(array, attr);
        self.at += 1;
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
        } else {
            let mut last = None;
            loop {
                let value = self.value(attr, depth)?;
                self.chain(array, &mut last, value);
                self.blank();
                match self.next() {
                    b',' => self.blank(),
                    b']' => break,
                    _ => {
                        self.at -= 1;
                        return Err(ReadErrorKind::Syntax);
                    }
                }
            }
        }
        self.close(array, start);
        Ok(array)
    }

    fn lookup(&self, context: AttrId, key: Span, escaped: bool) -> (AttrId, bool) {
        let raw = self.slice(key);
        if escaped {
            let name = text::decode(raw, true);
            return (self.vocabulary.lookup(context, name.as_bytes()), false);
        }
        let attr = self.vocabulary.lookup(context, raw);
        (attr, raw == self.vocabulary.name(attr).as_bytes())
    }

    /// Refuses equal names among an object's unknown members, in n log n comparisons.
    fn unknown_names(&mut self, from: usize) -> Read<()> {
        let mut names = self.names.split_off(from);
        if names.len() < 2 {
            return Ok(());
        }
        let mut keyed: Vec<(Vec<u8>, NodeId)> = names
            .drain(..)
            .filter_map(|id| {
                let node = self.document.node(id)?;
                let name = text::decode(self.slice(node.key), node.flags & KEY_ESCAPED != 0);
                Some((name.to_ascii_lowercase().into_bytes(), id))
            })
            .collect();
        keyed.sort_unstable();
        for pair in keyed.windows(2) {
            if let [(a, _), (b, id)] = pair
                && a == b
            {
                self.at = self.document.node(*id).map_or(self.at, |node| node.key.at as usize);
                return Err(ReadErrorKind::Duplicate);
            }
        }
        Ok(())
    }

    fn chain(&mut self, parent: NodeId, last: &mut Option<NodeId>, id: NodeId) {
        if let Some(node) = self.document.node_mut(id) {
            node.parent = parent.0;
        }
        let previous = match last {
            Some(last) => self.document.node_mut(*last).map(|node| &mut node.next),
            None => self.document.node_mut(parent).map(|node| &mut node.child),
        };
        if let Some(slot) = previous {
            *slot = id.0;
        }
        *last = Some(id);
        if let Some(node) = self.document.node_mut(parent) {
            node.last = id.0;
        }
    }

    fn close(&mut self, id: NodeId, start: usize) {
        let text = Span { at: offset(start), len: offset(self.at - start) };
        if let Some(node) = self.document.node_mut(id) {
            node.text = text;
        }
    }

    /// A string's content and whether it has escapes; stands after the closing quote.
    fn string(&mut self) -> Read<(Span, bool)> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                0..0x20 => return Err(ReadErrorKind::Syntax),
                _ => self.at += 1,
            }
        }
        let span = Span { at: offset(start), len: offset(self.at - start) };
        self.at += 1;
        Ok((span, escaped))
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
                    let pair = self.text.get(self.at..self.at + 2) == Some(b"\\u".as_slice());
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
        self.text.get(self.at + ahead..).and_then(text::hex4).ok_or(ReadErrorKind::Syntax)
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

    fn word(&mut self, word: &[u8], kind: Kind) -> Read<NodeId> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(ReadErrorKind::Syntax);
        }
        self.at += word.len();
        Ok(self.document.push(kind, Span::default(), 0))
    }

    fn blank(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
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

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// The byte at the cursor; 0 at the end, which no rule of the grammar takes.
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn slice(&self, span: Span) -> &[u8] {
        self.text.get(span.at as usize..(span.at + span.len) as usize).unwrap_or_default()
    }
}

/// The known members an object has had so far.
#[derive(Default)]
struct Seen {
    low: u64,
    rest: Vec<AttrId>,
}

impl Seen {
    /// False when the attribute was there already.
    fn insert(&mut self, attr: AttrId) -> bool {
        // Attributes of one parent have neighbouring numbers, so that 64 bits tell most of them apart.
        let bit = 1u64 << (attr.index() % 64);
        if self.low & bit != 0 {
            if self.rest.contains(&attr) {
                return false;
            }
        } else {
            self.low |= bit;
        }
        self.rest.push(attr);
        true
    }
}
