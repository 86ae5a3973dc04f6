//! Filters on the elements of a list that rules and passing fill together.

use super::{Asker, Found, Test, absent, parts, rule_of, slot_filter};
use crate::filter::{Filter, Folded, Literal, Op};
use crate::mapping::asked::Asked;
use crate::mapping::spot::Spot;
use crate::mapping::{Claim, Rule, Unmapped};
use crate::path::AttrPath;
use crate::schema::{AttrId, Type, Vocabulary};

/// The rules that fill one slot of the IdP's.
type Slot<'a> = Vec<(&'a Spot, &'a Spot, &'a Rule)>;

impl<'a> Asker<'a> {
    pub(super) fn any_element(&self, list: AttrId) -> Found {
        let mut any = Vec::new();
        for slot in self.slots(list) {
            any.push(self.slot_there(&slot)?);
        }
        any.push(self.passed_any(list));
        Ok(Asked::or(any))
    }

    /// One element of a list matches that rules and passing fill together.
    pub(super) fn elements(&self, list: AttrId, filter: &Filter) -> Found {
        let mut any = Vec::new();
        for slot in self.slots(list) {
            any.push(self.slot(&slot, list, filter)?);
        }
        any.push(self.passed(list, filter));
        Ok(Asked::or(any))
    }

    /// The slots of a list, each with the rules that fill it.
    pub(super) fn slots(&self, list: AttrId) -> Vec<Slot<'a>> {
        let mut slots: Vec<Slot<'a>> = Vec::new();
        for rule in self.readable(list).filter(|(from, _, _)| from.attr == list && !from.slot.is_empty()) {
            match slots.iter_mut().find(|slot| slot.iter().any(|(from, _, _)| from.same_slot(rule.0))) {
                Some(slot) => slot.push(rule),
                None => slots.push(vec![rule]),
            }
        }
        slots
    }

    /// The slot's element is in the view.
    fn slot_there(&self, slot: &Slot<'a>) -> Found {
        let shown = |rule| {
            Ok(Asked::and(vec![
                self.guard(rule_of(rule))?,
                self.by_rule(rule, rule.0.leaf(), Test::Present)?,
            ]))
        };
        Ok(Asked::or(slot.iter().map(shown).collect::<Result<_, String>>()?))
    }

    /// A filter on a list's elements, asked of the one in a slot: its literals are known.
    fn slot(&self, slot: &Slot<'a>, list: AttrId, filter: &Filter) -> Found {
        let empty = |leaf: &Filter| {
            Ok(Asked::constant(self.literal(slot, list, leaf).unwrap_or_else(|| absent(leaf))))
        };
        let asked = joined(filter, &|leaf| match self.literal(slot, list, leaf) {
            Some(constant) => Ok(Asked::constant(constant)),
            None => self.part(slot, list, leaf),
        })?;
        // What also holds where there is no value needs the element to be there at all.
        match joined(filter, &empty)?.filter {
            Folded::Constant(false) => Ok(asked),
            _ => Ok(Asked::and(vec![self.slot_there(slot)?, asked])),
        }
    }

    /// What a leaf says of the slot's own literals; nothing where it asks for something else.
    fn literal(&self, slot: &Slot<'a>, list: AttrId, leaf: &Filter) -> Option<bool> {
        let (path, compared) = parts(leaf)?;
        let sub = self.mapping.idp.lookup(list, path.name.as_bytes());
        let (from, _, _) = slot.first()?;
        let (_, literal) = from.slot.iter().find(|(each, _)| *each == sub)?;
        let Some((op, value)) = compared else { return Some(true) };
        let case_exact = self.mapping.idp.attribute(sub).case_exact;
        Some(match (literal, value) {
            (_, Literal::Null) => op == Op::Ne,
            (Literal::String(a), Literal::String(b)) => op.texts(a, b, case_exact),
            (a, b) if op == Op::Ne => a != b,
            (a, b) => op == Op::Eq && a == b,
        })
    }

    /// A leaf on a part of the slot's element.
    fn part(&self, slot: &Slot<'a>, list: AttrId, leaf: &Filter) -> Found {
        let Some((path, compared)) = parts(leaf) else {
            return Err("a filter in brackets cannot hold another one".to_owned());
        };
        let sub = self.mapping.idp.lookup(list, path.name.as_bytes());
        let carries =
            |(from, _, _): &&(&'a Spot, &'a Spot, &'a Rule)| from.sub == sub || !from.sub.is_known();
        let rules: Vec<_> = slot.iter().filter(carries).copied().collect();
        if rules.is_empty() || !sub.is_known() {
            return Ok(Asked::constant(absent(leaf)));
        }
        let test = |test: Test<'_>| self.first_shown(&rules, |rule| self.by_rule(rule, sub, test));
        match compared {
            None => test(Test::Present),
            Some((Op::Ne, Literal::Null)) => test(Test::Present),
            Some((_, Literal::Null)) => test(Test::Present).map(Asked::not),
            Some((Op::Ne, value)) => {
                if let ([(_, to, rule)], true) = (rules.as_slice(), slot.len() == 1)
                    && rule.chain.is_empty()
                    && !rule.is_guarded()
                    && !to.slot.is_empty()
                {
                    return test(Test::Compare(Op::Ne, value));
                }
                test(Test::Compare(Op::Eq, value)).map(Asked::not)
            }
            Some((op, value)) => test(Test::Compare(op, value)),
        }
    }

    /// One of the elements matches that pass beside those of rules.
    pub(super) fn passed(&self, list: AttrId, filter: &Filter) -> Asked {
        let Some((path, target)) = self.passing_list(list) else { return Asked::constant(false) };
        let folded = match target.is_known() {
            true => narrowed(filter, &known_names(filter, target, &self.mapping.provider)),
            false => Folded::Filter(filter.clone()),
        };
        let inner = match folded {
            Folded::Constant(false) => return Asked::constant(false),
            Folded::Constant(true) => None,
            Folded::Filter(filter) => Some(filter),
        };
        let inside =
            |spot: &Spot, vocabulary| inner.as_ref().is_some_and(|filter| asks_for(filter, spot, vocabulary));
        if self.held_slots(list, target).any(|(spot, vocabulary)| inside(spot, vocabulary)) {
            return Asked::constant(false);
        }
        let hidden = self.hidden(list, target, inner.as_ref());
        let all: Vec<Filter> = inner.into_iter().chain(hidden).collect();
        match all.is_empty() {
            true => Asked::exactly(Filter::Present(path)),
            false => Asked::exactly(Filter::ValuePath { path, filter: Box::new(Filter::and(all)) }),
        }
    }

    fn passed_any(&self, list: AttrId) -> Asked {
        let Some((path, target)) = self.passing_list(list) else { return Asked::constant(false) };
        let hidden = self.hidden(list, target, None);
        match hidden.is_empty() {
            true => Asked::exactly(Filter::Present(path)),
            false => Asked::exactly(Filter::ValuePath { path, filter: Box::new(Filter::and(hidden)) }),
        }
    }

    /// The provider's list of which elements pass to one of the IdP's.
    pub(super) fn passing_list(&self, list: AttrId) -> Option<(AttrPath, AttrId)> {
        if !self.mapping.idp.attribute(list).multi_valued {
            return None;
        }
        if self.pair.unmapped != Unmapped::Pass || self.pair.idp_index.claim(list) == Claim::Whole {
            return None;
        }
        let target = self.pair.idp_index.same(list);
        if !target.is_known() {
            return Some((self.mapping.idp.attr_path(list), target));
        }
        let passes = self.pair.provider_index.claim(target) != Claim::Whole;
        passes.then(|| (self.mapping.provider.attr_path(target), target))
    }

    /// Not the elements that rules hold, on either side; those that the filter excludes need no word.
    fn hidden(&self, list: AttrId, target: AttrId, filter: Option<&Filter>) -> Vec<Filter> {
        let provider = &self.mapping.provider;
        let mut hidden = Vec::new();
        for (spot, vocabulary) in self.held_slots(list, target) {
            let known = |(sub, _): &(AttrId, Literal)| {
                !target.is_known() || provider.lookup(target, vocabulary.name(*sub).as_bytes()).is_known()
            };
            let apart = filter.is_some_and(|filter| excludes(filter, spot, vocabulary));
            let not = Filter::Not(Box::new(slot_filter(spot, vocabulary)));
            if spot.slot.iter().all(known) && !apart && !hidden.contains(&not) {
                hidden.push(not);
            }
        }
        hidden
    }

    /// The slots of rules in a list, on either side.
    fn held_slots(&self, list: AttrId, target: AttrId) -> impl Iterator<Item = (&'a Spot, &'a Vocabulary)> {
        let (pair, mapping) = (self.pair, self.mapping);
        let ours = pair.idp_index.rules_in(pair, list).filter_map(|rule| rule.idp.as_ref());
        let theirs = pair.provider_index.rules_in(pair, target).filter_map(|rule| rule.provider.as_ref());
        let ours = ours.filter(move |spot| spot.attr == list).map(|spot| (spot, &mapping.idp));
        let theirs = theirs.filter(move |spot| spot.attr == target).map(|spot| (spot, &mapping.provider));
        ours.chain(theirs).filter(|(spot, _)| !spot.slot.is_empty())
    }
}

/// A filter on elements, each leaf asked for itself.
fn joined(filter: &Filter, leaf: &impl Fn(&Filter) -> Found) -> Found {
    let all =
        |filters: &[Filter]| filters.iter().map(|each| joined(each, leaf)).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::And(filters) => Asked::and(all(filters)?),
        Filter::Or(filters) => Asked::or(all(filters)?),
        Filter::Not(inner) => joined(inner, leaf)?.not(),
        other => leaf(other)?,
    })
}

/// Whether a list of the provider's has a sub-attribute of the name.
pub(super) fn known_names(filter: &Filter, list: AttrId, provider: &Vocabulary) -> Vec<(Box<str>, bool)> {
    let complex = provider.attribute(list).kind == Type::Complex;
    let mut names: Vec<(Box<str>, bool)> = Vec::new();
    filter.visit_paths(&mut |_, path| {
        let known = match complex {
            true => provider.lookup(list, path.name.as_bytes()).is_known(),
            false => path.name.eq_ignore_ascii_case("value"),
        };
        names.push((path.name.clone(), known));
    });
    names
}

/// A filter on elements without what elements never have.
pub(super) fn narrowed(filter: &Filter, names: &[(Box<str>, bool)]) -> Folded {
    let folded = filter.fold(&mut |leaf| {
        let known = parts(leaf)
            .is_none_or(|(path, _)| names.iter().any(|(name, known)| *name == path.name && *known));
        Ok::<_, ()>(if known { Folded::Filter(leaf.clone()) } else { Folded::Constant(absent(leaf)) })
    });
    folded.unwrap_or(Folded::Constant(false))
}

/// True when a filter on elements cannot select the slot's.
fn excludes(filter: &Filter, slot: &Spot, vocabulary: &Vocabulary) -> bool {
    slot.slot.iter().any(|part| compared(filter, part, vocabulary).any(|same| !same))
}

/// True when a filter on elements selects none but the slot's.
fn asks_for(filter: &Filter, slot: &Spot, vocabulary: &Vocabulary) -> bool {
    slot.slot.iter().all(|part| compared(filter, part, vocabulary).any(|same| same))
}

/// Whether what a filter on elements compares with a part of a slot is the same.
fn compared<'f>(
    filter: &'f Filter,
    (sub, literal): &'f (AttrId, Literal),
    vocabulary: &'f Vocabulary,
) -> impl Iterator<Item = bool> + use<'f> {
    let leaves = match filter {
        Filter::And(filters) => filters.as_slice(),
        one => std::slice::from_ref(one),
    };
    leaves.iter().filter_map(move |leaf| match leaf {
        Filter::Compare { path, op: Op::Eq, value }
            if path.name.eq_ignore_ascii_case(vocabulary.name(*sub)) =>
        {
            Some(match (literal, value) {
                (Literal::String(a), Literal::String(b)) => {
                    Op::Eq.texts(a, b, vocabulary.attribute(*sub).case_exact)
                }
                (a, b) => a == b,
            })
        }
        _ => None,
    })
}
