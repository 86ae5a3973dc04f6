//! A resource of the IdP into one of the provider's: what the IdP sees of it becomes what the IdP says, all else stays.

use super::resource::{AMBIGUOUS, Way};
use super::spot::Spot;
use super::{Mapping, Notes, Pair, Rule, Source, Unmapped};
use crate::document::{Document, NodeId};
use crate::schema::{AttrId, ProblemKind, Type, put_schemas};

impl Mapping {
    /// The provider's resource `old` with what the IdP's resource `root` says. `before` is the IdP's view of `old`
    /// where `root` came from it by changes; without it `root` replaces the whole view.
    ///
    /// A rule writes only where the two views differ in what it reads, so that a view that is written back changes
    /// nothing, whatever the rule would have made of it.
    pub(crate) fn put(
        &self,
        pair: &Pair,
        document: &mut Document,
        before: Option<NodeId>,
        root: NodeId,
        old: NodeId,
        notes: &mut Notes<'_>,
    ) -> NodeId {
        let Some(way) = self.way(pair, true) else { return old };
        let replaces = before.is_none();
        let before = before.unwrap_or_else(|| self.view(pair, document, old));
        let new = document.copy(old);
        let views = Views { before, root };
        let mut cleared: Vec<(&Rule, &Spot)> = Vec::new();
        let concerned = pair.idp_index.concerned(document, &[before, root], way.from);
        for rules in way.targets(concerned.iter()) {
            let rules = rules.filter(|rule| rule.update);
            let touched = rules.clone().any(|rule| way.differs(rule, document, views));
            if !touched && !replaces {
                continue;
            }
            let unseen = if touched { way.unseen(rules.clone(), document, new) } else { Vec::new() };
            if !touched {
                way.enforce(rules, document, root, new, notes);
            } else if !way.carry_first(rules.clone(), document, root, new, notes)
                && let Some((rule, to)) = way.clear(rules, document, new, replaces, notes)
            {
                cleared.push((rule, to));
            }
            if let Some((to, _)) = unseen.first() {
                let list = way.to.list(document, new, to.attr);
                for (_, element) in &unseen {
                    let copy = document.copy(*element);
                    document.append(list, copy);
                }
            }
        }
        for (rule, to) in cleared {
            way.settle(rule, to, document, new, notes);
        }
        if pair.unmapped == Unmapped::Pass {
            way.strip(document, new);
        }
        way.pass(document, root, new, notes);
        put_schemas(document, new, way.to, way.to_type);
        new
    }
}

/// What the IdP saw, and what it is to see.
#[derive(Clone, Copy)]
struct Views {
    before: NodeId,
    root: NodeId,
}

impl<'a> Way<'a> {
    /// True when the two views differ in what decides what the rule writes.
    fn differs(&self, rule: &Rule, document: &Document, views: Views) -> bool {
        if let Some(when) = &rule.when {
            match (when.holds(document, views.before), when.holds(document, views.root)) {
                (false, false) => return false,
                (true, true) => {}
                _ => return true,
            }
        }
        let differs = |spot: &Spot| {
            let read = |root| spot.read(document, root, self.from).ok().flatten();
            match (read(views.before), read(views.root)) {
                (None, None) => false,
                (Some(a), Some(b)) => !document.same(a, b),
                _ => true,
            }
        };
        match &rule.source {
            Source::Copy => rule.idp.as_ref().is_some_and(differs),
            Source::Computed(template) => template.inputs().any(differs),
            Source::Constant(_) | Source::Default(_) | Source::Drop => false,
        }
    }

    /// The elements of a list that a rule hides from the IdP: they stay.
    fn unseen(
        &self,
        mut rules: impl Iterator<Item = &'a Rule>,
        document: &Document,
        new: NodeId,
    ) -> Vec<(&'a Spot, NodeId)> {
        let rule = rules.find(|rule| rule.to_idp && rule.chain.hides_elements());
        let Some((rule, to)) = rule.and_then(|rule| Some((rule, self.to(rule)?))) else { return Vec::new() };
        let Some(list) = self.to.find(document, new, to.attr) else { return Vec::new() };
        let hidden = document.elements(list).filter(|element| !rule.chain.shows(document, *element));
        hidden.map(|element| (to, element)).collect()
    }

    /// A replacement says nothing new of the place: what is always written is, and a default where nothing is.
    fn enforce(
        &self,
        rules: impl Iterator<Item = &'a Rule> + Clone,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        notes: &mut Notes<'_>,
    ) {
        let is_copy = |rule: &Rule| matches!(rule.source, Source::Copy);
        let empty = rules.clone().next().and_then(|rule| rule.provider.as_ref());
        let empty = empty.is_some_and(|to| matches!(to.read(document, new, self.to), Ok(None)));
        if !rules.clone().any(is_copy) || empty {
            let due = |rule: &&Rule| match rule.source {
                Source::Constant(_) | Source::Computed(_) => true,
                Source::Default(_) => empty,
                Source::Copy | Source::Drop => false,
            };
            self.carry_first(rules.filter(due), document, root, new, notes);
        }
    }

    /// Nothing is left of what the IdP saw: neither is at the provider. Answers the slot that lost a part.
    fn clear(
        &self,
        mut rules: impl Iterator<Item = &'a Rule>,
        document: &mut Document,
        new: NodeId,
        replaces: bool,
        notes: &mut Notes<'_>,
    ) -> Option<(&'a Rule, &'a Spot)> {
        let rule = rules.next()?;
        let to = self.to(rule)?;
        let attribute = self.to.attribute(to.leaf());
        let old = to.read(document, new, self.to);
        // A boolean that is left out is whatever the provider takes it for: `active` would be true again.
        if matches!(old, Ok(None)) || (replaces && attribute.kind == Type::Boolean) {
            return None;
        }
        if attribute.required && to.slot.is_empty() {
            self.required(rule, to, notes);
            return None;
        }
        if to.clear(document, new, self.to).is_err() {
            notes.problems.push(rule.problem(to, AMBIGUOUS));
        }
        notes.fired.step(rule, false, old.ok().flatten(), None);
        (!to.slot.is_empty()).then_some((rule, to))
    }

    /// Decides about a slot's element that lost a part: it goes when its value is gone and rules say nothing else of it.
    fn settle(&self, rule: &Rule, to: &Spot, document: &mut Document, new: NodeId, notes: &mut Notes<'_>) {
        let Ok(Some(element)) = to.find_element(document, new, self.to) else { return };
        let spots = || {
            let rules = self.pair.provider_index.rules_in(self.pair, self.to.top(to.attr));
            let live =
                rules.filter(|rule| rule.update && rule.to_provider && matches!(rule.source, Source::Copy));
            live.filter_map(|rule| rule.provider.as_ref()).filter(|spot| spot.same_slot(to))
        };
        let has = |document: &Document, sub: AttrId| document.member(element, sub).is_some();
        let value = self.to.lookup(to.attr, b"value");
        let ruled = spots().any(|spot| spot.sub.is_known() && has(document, spot.sub));
        let value_is_ruled = spots().any(|spot| spot.sub == value);
        let bare = document
            .children(element)
            .all(|member| to.slot.iter().any(|(sub, _)| *sub == document.attr(member)));
        if bare || (!ruled && value_is_ruled) {
            document.remove(element);
            to.drop_empty_list(document, new, self.to);
        } else if self.to.attribute(to.leaf()).required && !has(document, to.sub) {
            self.required(rule, to, notes);
        }
    }

    fn required(&self, rule: &Rule, to: &Spot, notes: &mut Notes<'_>) {
        let path = rule.idp.as_ref().map_or("", |from| &from.path);
        let message = format!("cannot be removed: the provider requires `{}` ({})", to.path, rule.name);
        notes.problem(ProblemKind::Mutability, path, message);
    }
}
