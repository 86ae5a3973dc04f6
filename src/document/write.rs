//! Writing a root: unchanged containers as spans, everything else piece by piece.

use super::{CHANGED, Document, Kind, NodeId};

impl Document {
    /// The JSON text of a node.
    pub fn write(&self, id: NodeId) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 64);
        self.write_to(id, &mut out);
        out
    }

    /// Appends the JSON text of a node.
    pub fn write_to(&self, id: NodeId, out: &mut Vec<u8>) {
        let Some(node) = self.node(id) else { return };
        match node.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Bool(true) => out.extend_from_slice(b"true"),
            Kind::Bool(false) => out.extend_from_slice(b"false"),
            Kind::Number => out.extend_from_slice(self.span(node.text).as_bytes()),
            Kind::String => {
                out.push(b'"');
                out.extend_from_slice(self.span(node.text).as_bytes());
                out.push(b'"');
            }
            Kind::Object | Kind::Array if node.flags & CHANGED == 0 && node.text.len > 0 => {
                out.extend_from_slice(self.span(node.text).as_bytes());
            }
            Kind::Object => self.write_children(id, b'{', b'}', out),
            Kind::Array => self.write_children(id, b'[', b']', out),
        }
    }

    fn write_children(&self, id: NodeId, open: u8, close: u8, out: &mut Vec<u8>) {
        out.push(open);
        for (index, child) in self.children(id).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if open == b'{' {
                out.push(b'"');
                out.extend_from_slice(self.node(child).map_or(&[], |node| self.span(node.key).as_bytes()));
                out.extend_from_slice(b"\":");
            }
            self.write_to(child, out);
        }
        out.push(close);
    }
}
