//! Where the attributes of a resource stand, found in one walk.

use super::{Document, Kind, NONE, Node, NodeId, some};
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
        if let Some(root) = self.node(root) {
            self.visit(root, &mut survey.0, each);
        }
        survey
    }

    fn visit(&self, object: &Node, nodes: &mut [u32], each: &mut impl FnMut(AttrId)) {
        for (id, member) in self.nodes_in(object.child) {
            let place = nodes.get_mut(member.attr.index());
            let place = place.filter(|place| member.attr.is_known() && **place == NONE);
            let Some(place) = place else { continue };
            *place = id.0;
            each(member.attr);
            if member.kind == Kind::Object {
                self.visit(member, nodes, each);
            }
        }
    }
}
