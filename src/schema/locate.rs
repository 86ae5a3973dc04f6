//! Finding and making the place of an attribute in a resource.

use super::{AttrId, Vocabulary};
use crate::document::{Document, Kind, NodeId};

impl Vocabulary {
    /// The node of an attribute of the resource at `root`; attributes below a list have none.
    pub fn find(&self, document: &Document, root: NodeId, attr: AttrId) -> Option<NodeId> {
        document.member(self.find_holder(document, root, attr)?, attr)
    }

    /// Makes lists of what a peer says as `null` or as a single value where the schema has a list.
    pub fn make_lists(&self, document: &mut Document, node: NodeId) {
        let mut next = document.first(node);
        while let Some(child) = next {
            next = document.sibling(child);
            let list =
                self.attribute(document.attr(child)).multi_valued && document.kind(node) != Kind::Array;
            match document.kind(child) {
                Kind::Null if list || document.kind(node) == Kind::Array => {
                    document.remove(child);
                    continue;
                }
                _ if list && document.kind(child) != Kind::Array => {
                    let array = document.new_array();
                    let element = document.copy(child);
                    document.append(array, element);
                    document.assign(child, array);
                }
                Kind::Object | Kind::Array => {}
                _ => continue,
            }
            self.make_lists(document, child);
        }
    }

    /// The object that holds the attribute, made where it is missing. What stands in its way is replaced.
    pub fn holder(&self, document: &mut Document, root: NodeId, attr: AttrId) -> NodeId {
        let parent = self.attribute(attr).parent;
        if !self.attribute(parent).parent.is_known() {
            return root;
        }
        match self.find(document, root, parent) {
            Some(found) if document.kind(found) == Kind::Object => found,
            Some(other) => {
                let object = document.new_object();
                document.assign(other, object);
                other
            }
            None => {
                let above = self.holder(document, root, parent);
                let object = document.new_object();
                document.append_member(above, self, parent, object);
                object
            }
        }
    }

    /// The list of a multi-valued attribute, made where it is missing; a single value becomes its only element.
    pub fn list(&self, document: &mut Document, root: NodeId, attr: AttrId) -> NodeId {
        let found = self.find(document, root, attr);
        if let Some(list) = found.filter(|list| document.kind(*list) == Kind::Array) {
            return list;
        }
        let list = document.new_array();
        if let Some(single) = found.filter(|single| document.kind(*single) != Kind::Null) {
            let element = document.copy(single);
            document.append(list, element);
        }
        self.place(document, root, attr, list);
        self.find(document, root, attr).unwrap_or(list)
    }

    /// Puts a value in an attribute's place.
    pub fn place(&self, document: &mut Document, root: NodeId, attr: AttrId, value: NodeId) {
        match self.find(document, root, attr) {
            Some(node) => document.assign(node, value),
            None => {
                let holder = self.holder(document, root, attr);
                document.append_member(holder, self, attr, value);
            }
        }
    }

    /// Takes an attribute out, and the object that held it when nothing else is in there.
    pub fn clear(&self, document: &mut Document, root: NodeId, attr: AttrId) {
        let Some(node) = self.find(document, root, attr) else { return };
        document.remove(node);
        let holder = self.find_holder(document, root, attr);
        if let Some(holder) = holder.filter(|holder| *holder != root && document.first(*holder).is_none()) {
            document.remove(holder);
        }
    }

    fn find_holder(&self, document: &Document, root: NodeId, attr: AttrId) -> Option<NodeId> {
        let parent = self.attribute(attr).parent;
        if self.attribute(parent).parent.is_known() { self.find(document, root, parent) } else { Some(root) }
    }
}
