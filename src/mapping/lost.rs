//! Changes that reach nothing at the provider: done only where the mapping says so.

use super::changes::{Overlap, overlap};
use super::{Mapping, Pair, Rule, Source, Unmapped};
use crate::delta::{Change, Place};
use crate::schema::{AttrId, Problem, ProblemKind};

/// What becomes of one change.
enum Fate<'a> {
    /// The provider gets it.
    Carried,
    /// The mapping says that the provider does not get it.
    Declared,
    /// Only this rule, which goes the other way, has the attribute.
    ReadOnly(&'a Rule),
}

impl Mapping {
    /// What is wrong with changes of which nothing reaches the provider, unless all of it was declared:
    /// `drop: true`, `unmapped: drop` or `operations: [create]`.
    pub(super) fn lost(&self, pair: &Pair, changes: &[Change]) -> Option<Problem> {
        let mut lost = None;
        for change in changes {
            match self.fate(pair, change) {
                Fate::Carried => return None,
                Fate::Declared => {}
                Fate::ReadOnly(rule) => lost = lost.or(Some(rule)),
            }
        }
        let rule = lost?;
        Some(Problem {
            kind: ProblemKind::Mutability,
            path: rule.idp.as_ref().map_or_else(String::new, |spot| spot.path.to_string()),
            message: format!("cannot be changed: the rule says `direction: to_idp` ({})", rule.name),
        })
    }

    /// True for a change that, as the mapping says, the provider does not get.
    pub(super) fn is_declared_lost(&self, pair: &Pair, change: &Change) -> bool {
        !pair.identity && matches!(self.fate(pair, change), Fate::Declared)
    }

    fn fate<'a>(&self, pair: &'a Pair, change: &Change) -> Fate<'a> {
        let (attr, filter) = match &change.place {
            Place::Attribute(attr) => (*attr, None),
            Place::Elements { attr, filter, .. } => (*attr, Some(filter)),
            Place::Unknown(_) => (AttrId::UNKNOWN, None),
        };
        let mut fate = None;
        for rule in &pair.rules {
            let Some(from) = &rule.idp else { continue };
            if !self.idp.is_within(attr, from.attr) && !self.idp.is_within(from.attr, attr) {
                continue;
            }
            let slot = filter.filter(|_| !from.slot.is_empty());
            if slot.is_some_and(|filter| matches!(overlap(from, filter, &self.idp), Overlap::None)) {
                continue;
            }
            let dropped = matches!(rule.source, Source::Drop);
            if rule.to_provider && rule.update && !dropped {
                return Fate::Carried;
            }
            if from.attr != attr && pair.unmapped == Unmapped::Pass {
                return Fate::Carried;
            }
            match rule.to_provider {
                true => fate = Some(Fate::Declared),
                false => fate = fate.or(Some(Fate::ReadOnly(rule))),
            }
        }
        match (fate, pair.unmapped) {
            (Some(fate), _) => fate,
            (None, Unmapped::Drop) => Fate::Declared,
            (None, Unmapped::Pass | Unmapped::Reject) => Fate::Carried,
        }
    }
}
