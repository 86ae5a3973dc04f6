//! Conditions of rules: SCIM filters over the IdP's resource.

use super::paths::{Side, Wrong};
use crate::document::{Document, NodeId};
use crate::filter::{Binder, Bound, Filter, Syntax};
use crate::repair::{Repaired, Repairs};
use crate::schema::AttrId;

/// A condition, bound to the IdP's side.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) filter: Filter,
    bound: Bound,
    /// The attributes it asks for.
    pub(super) inputs: Vec<AttrId>,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub(super) fn parse(text: &str, side: &Side<'_>) -> Result<Self, Wrong> {
        let vocabulary = side.vocabulary;
        let remedy = || "write a SCIM filter, as in `userType eq \"Employee\"`".to_owned();
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let (filter, _) = Filter::parse(text, &Syntax::strict(&known))
            .map_err(|error| (format!("the condition cannot be read: {error}"), remedy()))?;
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut binder =
            Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown: true };
        let bound = binder.resource(&filter, side.of).map_err(|error| (error.to_string(), remedy()))?;
        let filter = bound.to_filter(vocabulary);
        let mut inputs = Vec::new();
        filter.visit_paths(&mut |parent, path| {
            let attr = vocabulary.resolve(side.of, path);
            if parent.is_none() && attr.is_known() {
                inputs.push(attr);
            }
        });
        Ok(Self { filter, bound, inputs })
    }

    /// True when the IdP's resource meets it.
    pub(super) fn holds(&self, document: &Document, root: NodeId) -> bool {
        self.bound.matches(document, root)
    }
}
