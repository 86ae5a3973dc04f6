//! Where the attributes of a resource stand, found in one walk.

use super::{Document, Kind, NONE, NodeId, some};
use crate::schema::AttrId;

/// The nodes of a resource by attribute; of what stands in lists there is nothing.
#[derive(Debug)]
pub(crate) struct Survey(Vec<u32>);

impl Survey {
    /// What [`Vocabulary::find`](crate::schema::Vocabulary::find) finds.
    pub(crate) fn get(&self, attr: AttrId) -> Option<NodeId> {
        self.0.get(attr.index()).and_then(|id| some(*id))
    }
}

impl Document {
    /// Walks through a resource that is bound to a vocabulary of `len` numbers; `each` is told of every attribute.
    pub(crate) fn survey(&self, root: NodeId, len: usize, each: &mut impl FnMut(AttrId)) -> Survey {
        let mut survey = Survey(vec![NONE; len]);
        self.visit(root, &mut survey.0, each);
        survey
    }

    fn visit(&self, object: NodeId, nodes: &mut [u32], each: &mut impl FnMut(AttrId)) {
        for member in self.children(object) {
            let attr = self.attr(member);
            if let Some(node) = nodes.get_mut(attr.index()).filter(|node| attr.is_known() && **node == NONE) {
                *node = member.0;
                each(attr);
                if self.kind(member) == Kind::Object {
                    self.visit(member, nodes, each);
                }
            }
        }
    }
}
