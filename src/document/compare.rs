//! Comparing values: the order of members and the case of their names do not matter, numbers are their digits.

use std::collections::BTreeMap;

use super::{Document, Kind, NodeId, TEXT_ESCAPED, decode};
use crate::schema::AttrId;

/// The members of an object by name; ASCII case does not matter.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, NodeId>);

impl Names {
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<NodeId> {
        self.0.get(&name.to_ascii_lowercase()).copied()
    }

    /// Adds a member.
    pub fn insert(&mut self, name: &str, id: NodeId) {
        self.0.insert(name.to_ascii_lowercase(), id);
    }
}

impl Document {
    /// The members of an object by name: for objects that may be large.
    pub fn names(&self, id: NodeId) -> Names {
        Names(self.children(id).map(|child| (self.key(child).to_ascii_lowercase(), child)).collect())
    }

    /// True when two values are the same JSON value.
    pub fn same(&self, a: NodeId, b: NodeId) -> bool {
        match (self.kind(a), self.kind(b)) {
            (Kind::String, Kind::String) => self.string(a) == self.string(b),
            (Kind::Number, Kind::Number) => self.number(a) == self.number(b),
            (Kind::Array | Kind::Object, _) => {
                let all = |_: AttrId| true;
                self.fingerprint(a, &all) == self.fingerprint(b, &all)
            }
            (a, b) => a == b,
        }
    }

    /// True for a string of that text; where case does not matter, that of ASCII.
    pub(crate) fn says(&self, id: NodeId, text: &str, case_exact: bool) -> bool {
        let Some(node) = self.node(id).filter(|node| node.kind == Kind::String) else { return false };
        let same =
            |own: &[u8]| own == text.as_bytes() || !case_exact && own.eq_ignore_ascii_case(text.as_bytes());
        if node.flags & TEXT_ESCAPED == 0 {
            node.text.len as usize == text.len() && same(self.bytes(node.text))
        } else {
            same(decode(self.span(node.text), true).as_bytes())
        }
    }

    /// The first element of a list whose member of that attribute says a text, and whether there is another one.
    pub(crate) fn element_that_says(
        &self,
        list: NodeId,
        attr: AttrId,
        text: &str,
        case_exact: bool,
    ) -> (Option<NodeId>, bool) {
        let says = |element: &NodeId| {
            let mut members = self.bound(*element);
            members.find(|(_, of)| *of == attr).is_some_and(|(member, _)| self.says(member, text, case_exact))
        };
        // Leniently a single value is a list of one.
        let single = (self.kind(list) != Kind::Array).then_some(list);
        let mut found =
            self.bound(list).filter(|_| single.is_none()).map(|(element, _)| element).chain(single);
        let first = found.by_ref().find(says);
        (first, first.is_some() && found.any(|element| says(&element)))
    }

    /// True when two texts are not the same for certain, whether case matters or not: a cheap look at plain ASCII.
    pub(crate) fn differ(&self, a: NodeId, b: NodeId) -> bool {
        let plain = |id: NodeId| {
            let node =
                self.node(id).filter(|node| node.kind == Kind::String && node.flags & TEXT_ESCAPED == 0)?;
            Some(self.span(node.text)).filter(|text| text.is_ascii())
        };
        matches!((plain(a), plain(b)), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b))
    }

    /// Bytes that values share just when they are the same; members bound to attributes that do not `count` are
    /// left out. Comparing n values with each other takes n log n steps this way.
    pub fn fingerprint(&self, id: NodeId, count: &impl Fn(AttrId) -> bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.print(id, count, &mut out);
        out
    }

    fn print(&self, id: NodeId, count: &impl Fn(AttrId) -> bool, out: &mut Vec<u8>) {
        match self.kind(id) {
            Kind::Null => out.push(b'n'),
            Kind::Bool(truth) => out.push(if truth { b't' } else { b'f' }),
            Kind::Number => sized(b'#', self.number(id).unwrap_or_default().as_bytes(), out),
            Kind::String => sized(b'"', self.string(id).unwrap_or_default().as_bytes(), out),
            Kind::Array => {
                out.push(b'[');
                self.children(id).for_each(|child| self.print(child, count, out));
                out.push(b']');
            }
            Kind::Object => {
                let counted = |child: &NodeId| count(self.attr(*child));
                let members = self.children(id).filter(counted);
                let mut members: Vec<(String, NodeId)> =
                    members.map(|child| (self.key(child).to_ascii_lowercase(), child)).collect();
                members.sort_unstable();
                out.push(b'{');
                for (name, child) in members {
                    sized(b':', name.as_bytes(), out);
                    self.print(child, count, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// A text with its length before it, so that no text can look like the end of another.
fn sized(mark: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(mark);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text);
}
