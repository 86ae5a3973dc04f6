//! Writing a root: unchanged containers as spans, everything else piece by piece.

use super::{CHANGED, Document, Kind, Node, NodeId};

/// What is between the content of a member's name and that of a string.
const COLON: &[u8] = b"\":\"";

impl Document {
    /// The JSON text of a node.
    pub fn write(&self, id: NodeId) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + self.added.len() + 64);
        self.write_to(id, &mut out);
        out
    }

    /// Appends the JSON text of a node.
    pub fn write_to(&self, id: NodeId, out: &mut Vec<u8>) {
        if let Some(node) = self.node(id) {
            self.write_node(node, out);
        }
    }

    fn write_node(&self, node: &Node, out: &mut Vec<u8>) {
        match node.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Bool(true) => out.extend_from_slice(b"true"),
            Kind::Bool(false) => out.extend_from_slice(b"false"),
            Kind::Number => out.extend_from_slice(self.bytes(node.text)),
            Kind::String => {
                out.push(b'"');
                out.extend_from_slice(self.bytes(node.text));
                out.push(b'"');
            }
            Kind::Object | Kind::Array if node.flags & CHANGED == 0 && node.text.len > 0 => {
                out.extend_from_slice(self.bytes(node.text));
            }
            Kind::Object => {
                let mut before = b'{';
                for (_, member) in self.nodes_in(node.child) {
                    out.push(before);
                    before = b',';
                    match self.member_text(member) {
                        Some(text) => out.extend_from_slice(text),
                        None => self.write_member(member, out),
                    }
                }
                if before == b'{' {
                    out.push(before);
                }
                out.push(b'}');
            }
            Kind::Array => {
                let mut before = b'[';
                for (_, element) in self.nodes_in(node.child) {
                    out.push(before);
                    before = b',';
                    self.write_node(element, out);
                }
                if before == b'[' {
                    out.push(before);
                }
                out.push(b']');
            }
        }
    }

    fn write_member(&self, member: &Node, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.bytes(member.key));
        if member.kind == Kind::String {
            out.extend_from_slice(COLON);
            out.extend_from_slice(self.bytes(member.text));
            return out.push(b'"');
        }
        out.extend_from_slice(b"\":");
        self.write_node(member, out);
    }

    /// A member that is a string and stands in the text as it is to be written: its name, a colon, its value.
    #[inline]
    fn member_text(&self, node: &Node) -> Option<&[u8]> {
        let (key, value) = (node.key, node.text);
        let between = key.at as usize + key.len as usize;
        if node.kind != Kind::String || value.at as usize != between + COLON.len() {
            return None;
        }
        let text = self.text.as_bytes();
        let member = text.get((key.at as usize).checked_sub(1)?..=value.at as usize + value.len as usize)?;
        (text.get(between..value.at as usize)? == COLON && member.first() == Some(&b'"')).then_some(member)
    }
}
