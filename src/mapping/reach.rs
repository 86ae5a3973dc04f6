//! What an IdP can do with an attribute through the rules: read it, give it to a new resource, change it.

use super::{Mapping, Pair, Rule, Source, Unmapped};
use crate::schema::AttrId;

/// What an IdP can do with an attribute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reach {
    /// It sees it.
    pub(crate) read: bool,
    /// A new resource gets it.
    pub(crate) create: bool,
    /// It can be changed later.
    pub(crate) update: bool,
    /// The provider takes no resource without it, and nothing but the IdP can give it.
    pub(crate) required: bool,
}

impl Mapping {
    /// What an IdP can do with an attribute of its side, or with anything below it.
    pub(crate) fn reach(&self, pair: &Pair, attr: AttrId) -> Reach {
        let all = Reach { read: true, create: true, update: true, required: false };
        if !attr.is_known() || !self.shows(pair, self.idp.top(attr)) {
            return Reach::default();
        }
        if pair.identity {
            return all;
        }
        let mut claimed = false;
        let mut reach = Reach::default();
        for rule in &pair.rules {
            let Some(spot) = &rule.idp else { continue };
            let leaf = spot.leaf();
            let list = spot.attr != leaf && self.idp.is_within(attr, spot.attr);
            claimed |= list || self.idp.is_within(leaf, attr) || self.idp.is_within(attr, leaf);
            // The literals of a slot are read and written with it.
            let touched = self.idp.is_within(leaf, attr)
                || self.idp.is_within(attr, leaf)
                || spot.slot.iter().any(|(sub, _)| *sub == attr);
            if !touched || matches!(rule.source, Source::Drop) {
                continue;
            }
            let written = rule.to_provider && rule.provider.is_some();
            reach.read |= rule.to_idp && rule.provider.is_some();
            reach.create |= written && rule.create;
            reach.update |= written && rule.update;
            reach.required |=
                self.idp.is_within(leaf, attr) && spot.slot.is_empty() && self.is_needed(pair, rule);
        }
        match (claimed, pair.unmapped) {
            (false, Unmapped::Pass) => all,
            _ => reach,
        }
    }

    /// True when the provider requires what a rule writes, and no other rule writes it.
    fn is_needed(&self, pair: &Pair, rule: &Rule) -> bool {
        let Some(to) = rule.provider.as_ref().filter(|_| rule.to_provider && rule.create) else {
            return false;
        };
        let same = |other: &Rule| other.provider.as_ref().is_some_and(|other| other.same(to));
        let mut attr = to.leaf();
        while attr.is_known() && self.provider.attribute(attr).required {
            attr = self.provider.attribute(attr).parent;
        }
        // Up to the resource or an extension, whose parent is no attribute that anything requires.
        let whole = !self.provider.attribute(attr).parent.is_known();
        whole && to.slot.is_empty() && pair.rules.iter().filter(|other| same(other)).count() == 1
    }
}
