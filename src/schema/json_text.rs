//! The repair of an element whose `value` is the text of a JSON object: mappings of some IdPs hand on a whole
//! assignment that way, such as `{"id":"7a0f","value":"auditor","displayName":"Auditor"}`.

use super::{AttrId, Checker, Parts};
use crate::document::{Document, Kind, NodeId};
use crate::repair::Repair;

/// An assignment is flat; a text that is nested deeper than this is no assignment.
const DEPTH: u32 = 2;

impl Checker<'_> {
    /// Takes `value` and `display` of an element out of the text.
    pub(super) fn json_text(&mut self, document: &mut Document, element: NodeId, attr: AttrId) {
        let Parts { value, display, .. } = self.vocabulary.parts(attr);
        if !self.vocabulary.attribute(attr).multi_valued
            || !value.is_known()
            || !self.repairs.allows(Repair::JsonText)
        {
            return;
        }
        let Some(node) = document.member(element, value) else { return };
        let Some(text) = document.string(node).filter(|text| text.trim_start().starts_with('{')) else {
            return;
        };
        let text = text.into_owned().into_bytes();
        let Ok(assignment) = document.read(text, self.vocabulary, AttrId::UNKNOWN, DEPTH) else { return };
        let text = |name: &str| {
            document.member_named(assignment, name).filter(|member| document.kind(*member) == Kind::String)
        };
        let Some(inner) = text("value") else { return };
        let shown = text("display").or_else(|| text("displayName"));
        document.assign(node, inner);
        if let Some(shown) =
            shown.filter(|_| display.is_known() && document.member(element, display).is_none())
        {
            let shown = document.copy(shown);
            document.append_member(element, self.vocabulary, display, shown);
        }
        self.repaired.note(Repair::JsonText, self.vocabulary.path(attr));
    }
}
