//! Filters through a mapping: what a filter asks of the IdP's view, asked of the provider's attributes.

mod elements;

use self::elements::{known_names, narrowed};
use super::asked::Asked;
use super::spot::Spot;
use super::transform::{Asks, literal};
use super::{Claim, Mapping, Pair, Rule, Source, Unmapped};
use crate::filter::{Filter, Folded, Literal, Op};
use crate::path::AttrPath;
use crate::schema::{AttrId, Mutability, ResourceType, Returned, Type, Vocabulary};

impl Mapping {
    /// The provider's filter for one of the IdP's (bound to its vocabulary), never narrower, and wider only where
    /// it says so.
    ///
    /// # Errors
    /// Why it cannot be asked; names attributes and rules, no values.
    pub(crate) fn filter(&self, pair: &Pair, filter: &Filter) -> Result<Asked, String> {
        if pair.identity {
            return Ok(Asked::exactly(filter.clone()));
        }
        match self.asker(pair) {
            Some(asker) => asker.ask(filter),
            None => Ok(Asked::constant(false)),
        }
    }

    /// The provider's path of an attribute of the IdP's that orders resources alike: for sorting.
    pub(crate) fn path(&self, pair: &Pair, attr: AttrId) -> Option<AttrPath> {
        let asker = self.asker(pair)?;
        if let Some(path) = asker.passed_path(attr) {
            return Some(path);
        }
        let mut rules = asker.covering(attr);
        let (from, to, rule) = rules.next()?;
        let alone = rules.next().is_none() && !rule.is_guarded() && to.slot.is_empty();
        let target = self.provider.translate(&self.idp, attr, from.attr, to.attr);
        let alike = rule.chain.keeps_order() && target.is_known() && alone;
        alike.then(|| self.provider.attr_path(target))
    }

    /// The provider's attributes that the view of an attribute of the IdP's is made of: for projection. None: the
    /// IdP never sees it.
    pub(crate) fn paths(&self, pair: &Pair, attr: AttrId) -> Vec<AttrPath> {
        let Some(asker) = self.asker(pair) else { return Vec::new() };
        let mut found: Vec<AttrPath> = asker.passed_path(attr).into_iter().collect();
        if found.is_empty() {
            found.extend(asker.passing_list(self.idp.top(attr)).map(|(path, _)| path));
            found.extend(self.idp.children(attr).filter_map(|part| asker.passed_path(part)));
        }
        let mut wanted = vec![attr];
        while let Some(attr) = wanted.pop() {
            let near =
                |spot: &Spot| self.idp.is_within(attr, spot.attr) || self.idp.is_within(spot.attr, attr);
            for (_, to, rule) in asker.readable(attr).filter(|(from, _, _)| near(from)) {
                let path = self.provider.attr_path(to.attr);
                if !found.contains(&path) {
                    found.push(path);
                    // What decides whether the rule shows anything has to be there, too.
                    let guards = rule.guards.iter().filter_map(|index| pair.rules.get(*index));
                    let conditions = guards.chain([rule]).filter_map(|rule| rule.when.as_ref());
                    wanted.extend(conditions.flat_map(|when| when.inputs.iter().copied()));
                }
            }
        }
        found
    }

    /// The provider's attribute in which a change of one of the IdP's is seen, whatever a rule makes of its value.
    pub(crate) fn carried_to(&self, pair: &Pair, attr: AttrId) -> Option<AttrPath> {
        let asker = self.asker(pair)?;
        let mut rules = pair.idp_index.rules_in(pair, self.idp.top(attr));
        let rule = rules.find(|rule| {
            rule.to_provider && rule.update && rule.idp.as_ref().is_some_and(|spot| spot.leaf() == attr)
        });
        match rule.and_then(|rule| rule.provider.as_ref()) {
            Some(to) => Some(self.provider.attr_path(to.leaf())),
            None => asker.passed_path(attr),
        }
    }

    fn asker<'a>(&'a self, pair: &'a Pair) -> Option<Asker<'a>> {
        self.provider_type(pair)?;
        Some(Asker { mapping: self, pair, idp: self.idp_type(pair)? })
    }

    /// True when the IdP's view of a resource in a list has the attribute: it has a way back, and the provider
    /// shows it without being asked to.
    pub(crate) fn reads(&self, pair: &Pair, attr: AttrId) -> bool {
        let Some(asker) = self.asker(pair) else { return false };
        if pair.identity {
            return is_listed(&self.idp, attr) && is_listed(&self.provider, attr);
        }
        let fixed = [asker.idp.id, asker.idp.meta].contains(&self.idp.top(attr));
        if !is_listed(&self.idp, attr) || fixed {
            return is_listed(&self.idp, attr);
        }
        let near = |spot: &Spot| self.idp.is_within(attr, spot.attr) || self.idp.is_within(spot.attr, attr);
        let mut carried = asker.readable(attr).filter(|(from, _, _)| near(from));
        let claimed = pair.idp_index.claim(attr) != Claim::No;
        carried.any(|(_, to, _)| is_listed(&self.provider, to.attr))
            || (!claimed
                && pair.unmapped == Unmapped::Pass
                && is_listed(&self.provider, pair.idp_index.same(attr)))
    }
}

/// True when an attribute is shown without being asked for.
fn is_listed(vocabulary: &Vocabulary, mut attr: AttrId) -> bool {
    while attr.is_known() {
        let attribute = vocabulary.attribute(attr);
        if !matches!(attribute.returned, Returned::Default | Returned::Always)
            || attribute.mutability == Mutability::WriteOnly
        {
            return false;
        }
        attr = attribute.parent;
    }
    true
}

struct Asker<'a> {
    mapping: &'a Mapping,
    pair: &'a Pair,
    idp: &'a ResourceType,
}

/// What is asked of one attribute. Values that are not there never match.
#[derive(Clone, Copy)]
enum Test<'f> {
    Present,
    /// Not by `ne`, nor with `null`.
    Compare(Op, &'f Literal),
    /// One element of the list matches.
    Elements(&'f Filter),
}

type Found = Result<Asked, String>;

impl<'a> Asker<'a> {
    fn ask(&self, filter: &Filter) -> Found {
        let all =
            |filters: &[Filter]| filters.iter().map(|each| self.ask(each)).collect::<Result<Vec<_>, _>>();
        match filter {
            Filter::And(filters) => Ok(Asked::and(all(filters)?)),
            Filter::Or(filters) => Ok(Asked::or(all(filters)?)),
            Filter::Not(inner) => {
                let asked = self.ask(inner)?;
                if asked.exact { Ok(asked.not()) } else { self.ask_not(inner) }
            }
            leaf => self.leaf(leaf),
        }
    }

    /// What does not match: where a part cannot be asked exactly the others still can.
    fn ask_not(&self, filter: &Filter) -> Found {
        let all =
            |filters: &[Filter]| filters.iter().map(|each| self.ask_not(each)).collect::<Result<Vec<_>, _>>();
        match filter {
            Filter::And(filters) => Ok(Asked::or(all(filters)?)),
            Filter::Or(filters) => Ok(Asked::and(all(filters)?)),
            Filter::Not(inner) => self.ask(inner),
            leaf => self.leaf(leaf).map(Asked::not),
        }
    }

    fn leaf(&self, leaf: &Filter) -> Found {
        let (path, compared) = match leaf {
            Filter::Compare { path, op, value } => (path, Some((*op, value))),
            Filter::Present(path) | Filter::ValuePath { path, .. } => (path, None),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return self.ask(leaf),
        };
        let idp = &self.mapping.idp;
        let attr = idp.resolve(self.idp, path);
        if !attr.is_known() {
            return Ok(self.outside(leaf));
        }
        if let Some(path) = self.passed_path(attr) {
            return Ok(Asked::exactly(with_path(leaf, path)));
        }
        match (leaf, compared) {
            (Filter::ValuePath { filter, .. }, _) => self.test(attr, Test::Elements(filter)),
            (_, None) => self.test(attr, Test::Present),
            (_, Some((op, Literal::Null))) => {
                let assigned = self.test(attr, Test::Present)?;
                Ok(if op == Op::Ne { assigned } else { assigned.not() })
            }
            (_, Some((Op::Ne, value))) => self.differs(attr, value),
            (_, Some((op, value))) => self.test(attr, Test::Compare(op, value)),
        }
    }

    /// `ne`: another value, or none.
    fn differs(&self, attr: AttrId, value: &Literal) -> Found {
        if let Some((path, Some(rule))) = self.plain(attr)
            && rule.chain.is_empty()
        {
            return Ok(Asked::exactly(Filter::compare(path, Op::Ne, value.clone())));
        }
        let list = self.mapping.idp.top(attr);
        if !self.mapping.idp.attribute(list).multi_valued {
            return self.test(attr, Test::Compare(Op::Eq, value)).map(Asked::not);
        }
        let passes =
            self.passed(list, &Filter::Present(AttrPath::new("value"))).filter != Folded::Constant(false);
        if self.slots(list).len() == 1 && !passes && self.covering(attr).next().is_none() {
            return self.test(attr, Test::Compare(Op::Eq, value)).map(Asked::not);
        }
        let name = AttrPath::new(if attr == list { "value" } else { self.mapping.idp.name(attr) });
        let there = Filter::Present(name.clone());
        let other = Filter::and(vec![there.clone(), Filter::compare(name, Op::Ne, value.clone())]);
        let none = self.test(list, Test::Elements(&there))?.not();
        Ok(Asked::or(vec![self.test(list, Test::Elements(&other))?, none]))
    }

    fn test(&self, attr: AttrId, test: Test<'_>) -> Found {
        let rules: Vec<_> = self.covering(attr).collect();
        if !rules.is_empty() {
            return self.first_shown(&rules, |rule| self.by_rule(rule, attr, test));
        }
        let idp = &self.mapping.idp;
        let list = idp.top(attr);
        let claim = self.pair.idp_index.claim(list);
        let passes = self.pair.unmapped == Unmapped::Pass;
        if idp.attribute(list).multi_valued {
            if self.slots(list).is_empty() && (!passes || claim == Claim::Whole) {
                return Err(no_way(idp.path(attr)));
            }
            let name = || AttrPath::new(if attr == list { "value" } else { idp.name(attr) });
            return match test {
                Test::Elements(filter) => self.elements(list, filter),
                Test::Compare(op, value) => self.elements(list, &Filter::compare(name(), op, value.clone())),
                Test::Present if attr == list => self.any_element(list),
                Test::Present => self.elements(list, &Filter::Present(name())),
            };
        }
        // A complex attribute of which rules carry parts, or the provider has parts for other rules.
        let mut parts = idp.children(attr).peekable();
        if parts.peek().is_none() || !matches!(test, Test::Present) {
            return Err(no_way(idp.path(attr)));
        }
        let present = |part| match self.passed_path(part) {
            Some(path) => Some(Asked::exactly(Filter::Present(path))),
            None => self.test(part, Test::Present).ok(),
        };
        let each: Vec<Asked> = parts.filter_map(present).collect();
        if each.is_empty() { Err(no_way(idp.path(attr))) } else { Ok(Asked::or(each)) }
    }

    /// Of several rules for one place the first shows its value that has one.
    fn first_shown(
        &self,
        rules: &[(&'a Spot, &'a Spot, &'a Rule)],
        asks: impl Fn(&(&'a Spot, &'a Spot, &'a Rule)) -> Found,
    ) -> Found {
        let mut found = Vec::new();
        let mut before: Vec<Asked> = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let guard = self.guard(rule.2)?;
            let asked = asks(rule)?;
            found.push(Asked::and(before.iter().cloned().chain([guard.clone(), asked]).collect()));
            if place + 1 < rules.len() {
                before.push(Asked::and(vec![guard, self.by_rule(rule, rule.0.leaf(), Test::Present)?]).not());
            }
        }
        Ok(Asked::or(found))
    }

    /// What must hold for a rule to show anything at all.
    fn guard(&self, rule: &Rule) -> Found {
        let mut all = Vec::new();
        if let Some(when) = &rule.when {
            all.push(self.ask(&when.filter)?);
        }
        for guard in rule.guards.iter().filter_map(|index| self.pair.rules.get(*index)?.when.as_ref()) {
            all.push(self.ask(&guard.filter)?.not());
        }
        Ok(Asked::and(all))
    }

    /// A test of what one rule shows of an attribute.
    fn by_rule(
        &self,
        (from, to, rule): &(&'a Spot, &'a Spot, &'a Rule),
        attr: AttrId,
        test: Test<'_>,
    ) -> Found {
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        let whole = attr == from.leaf();
        let name = idp.name(attr);
        if !rule.chain.is_empty() {
            return Ok(match test {
                _ if !whole && name != "value" => Asked::ANYTHING,
                Test::Present => self.at(to, rule.chain.present()),
                Test::Compare(op, value) => self.at(to, rule.chain.compare(op, value)),
                Test::Elements(Filter::Compare { path, op, value })
                    if &*path.name == "value" && *op != Op::Ne && *value != Literal::Null =>
                {
                    self.at(to, rule.chain.compare(*op, value))
                }
                Test::Elements(_) => self.at(to, rule.chain.present()).wider(),
            });
        }
        // What the rule carries as a whole has the same parts at the provider.
        let target = if whole { to.leaf() } else { provider.lookup(to.leaf(), name.as_bytes()) };
        if !target.is_known() {
            return if to.slot.is_empty() { Err(no_way(idp.path(attr))) } else { Ok(Asked::constant(false)) };
        }
        Ok(match (test, to.slot.is_empty()) {
            (Test::Elements(filter), _) => {
                let names_known = known_names(filter, to.attr, provider);
                match narrowed(filter, &names_known) {
                    Folded::Constant(false) => Asked::constant(false),
                    Folded::Constant(true) => Asked::exactly(Filter::Present(provider.attr_path(to.attr))),
                    Folded::Filter(filter) => {
                        let path = provider.attr_path(to.attr);
                        Asked::exactly(Filter::ValuePath { path, filter: Box::new(filter) })
                    }
                }
            }
            (Test::Present, true) => Asked::exactly(Filter::Present(provider.attr_path(target))),
            (Test::Compare(op, value), true) => {
                Asked::exactly(Filter::compare(provider.attr_path(target), op, value.clone()))
            }
            (Test::Present, false) if target == to.attr => Asked::exactly(Filter::ValuePath {
                path: provider.attr_path(to.attr),
                filter: Box::new(slot_filter(to, provider)),
            }),
            (Test::Present, false) => {
                Asked::exactly(in_slot(to, Filter::Present(named(provider, target)), provider))
            }
            (Test::Compare(op, value), false) => {
                let name = if target == to.attr { AttrPath::new("value") } else { named(provider, target) };
                Asked::exactly(in_slot(to, Filter::compare(name, op, value.clone()), provider))
            }
        })
    }

    /// What a transform asks of the provider's value.
    fn at(&self, to: &Spot, (asks, exact): (Asks, bool)) -> Asked {
        let provider = &self.mapping.provider;
        let complex = provider.attribute(to.leaf()).kind == Type::Complex;
        let value = if complex { provider.lookup(to.leaf(), b"value") } else { to.leaf() };
        let kind = provider.attribute(value).kind;
        let path = match to.slot.is_empty() {
            true => provider.attr_path(value),
            false => named(provider, value),
        };
        // Of a list each comparison asks for any element, not all for the same.
        let several = provider.attribute(to.leaf()).multi_valued && to.slot.is_empty();
        let exact = exact && !(several && has_all(&asks));
        let asked = match filter_of(&asks, &path, kind) {
            Folded::Filter(filter) if !to.slot.is_empty() => Asked::exactly(in_slot(to, filter, provider)),
            Folded::Filter(filter) => Asked::exactly(filter),
            Folded::Constant(constant) => Asked::constant(constant),
        };
        if exact { asked } else { asked.wider() }
    }

    /// The path of an attribute that passes as a whole, under its own name.
    fn passed_path(&self, attr: AttrId) -> Option<AttrPath> {
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        if [self.idp.id, self.idp.meta].contains(&idp.top(attr)) {
            return Some(idp.attr_path(attr));
        }
        if self.pair.unmapped != Unmapped::Pass || !self.is_free(attr) {
            return None;
        }
        let target = self.pair.idp_index.same(attr);
        if !target.is_known() {
            return Some(idp.attr_path(attr));
        }
        let list = provider.top(target);
        let claims = [target, list].map(|attr| self.pair.provider_index.claim(attr));
        let list = if provider.attribute(list).multi_valued {
            claims == [Claim::No; 2]
        } else {
            claims[0] == Claim::No
        };
        list.then(|| provider.attr_path(target))
    }

    /// True when no rule of the IdP's side has to do with the attribute or the list that it is a part of.
    fn is_free(&self, attr: AttrId) -> bool {
        let idp = &self.mapping.idp;
        let list = idp.top(attr);
        let claim = |attr| self.pair.idp_index.claim(attr) == Claim::No;
        claim(attr) && (!idp.attribute(list).multi_valued || claim(list))
    }

    /// The provider's path of an attribute that one rule carries, whatever else holds.
    fn plain(&self, attr: AttrId) -> Option<(AttrPath, Option<&'a Rule>)> {
        let mut rules = self.covering(attr);
        let (from, to, rule) = rules.next()?;
        let target = self.mapping.provider.translate(&self.mapping.idp, attr, from.attr, to.attr);
        let plain = rules.next().is_none() && !rule.is_guarded() && to.slot.is_empty() && target.is_known();
        plain.then(|| (self.mapping.provider.attr_path(target), Some(rule)))
    }

    /// The rules that show an attribute, alone or as a part of what they show; those without a condition first.
    fn covering(&self, attr: AttrId) -> impl Iterator<Item = (&'a Spot, &'a Spot, &'a Rule)> {
        let idp = &self.mapping.idp;
        let rules = self.readable(attr);
        let covers = move |(from, _, _): &(&Spot, &Spot, &Rule)| {
            from.slot.is_empty() && idp.is_within(attr, from.attr)
        };
        let rules = rules.filter(covers);
        let guarded = |(_, _, rule): &(&Spot, &Spot, &Rule)| rule.is_guarded();
        rules.clone().filter(move |rule| !guarded(rule)).chain(rules.filter(guarded))
    }

    /// The rules in the top attribute of `attr` whose value comes back to the IdP.
    fn readable(
        &self,
        attr: AttrId,
    ) -> impl Iterator<Item = (&'a Spot, &'a Spot, &'a Rule)> + Clone + use<'a> {
        let rules = self.pair.idp_index.rules_in(self.pair, self.mapping.idp.top(attr));
        let shown = rules.filter(|rule| rule.to_idp && matches!(rule.source, Source::Copy));
        shown.filter_map(|rule| Some((rule.idp.as_ref()?, rule.provider.as_ref()?, rule)))
    }

    /// RFC 7644 section 3.4.2.2: an attribute that the schema lacks is simply unassigned.
    fn outside(&self, leaf: &Filter) -> Asked {
        match self.pair.unmapped {
            Unmapped::Pass => Asked::exactly(leaf.clone()),
            Unmapped::Drop | Unmapped::Reject => Asked::constant(absent(leaf)),
        }
    }
}

const fn rule_of<'a>(rule: &(&'a Spot, &'a Spot, &'a Rule)) -> &'a Rule {
    rule.2
}

/// The path of a comparison or presence test, and what is compared.
fn parts(leaf: &Filter) -> Option<(&AttrPath, Option<(Op, &Literal)>)> {
    match leaf {
        Filter::Compare { path, op, value } => Some((path, Some((*op, value)))),
        Filter::Present(path) => Some((path, None)),
        _ => None,
    }
}

/// What a leaf says of an attribute without a value.
const fn absent(leaf: &Filter) -> bool {
    match leaf {
        Filter::Compare { op, value: Literal::Null, .. } => matches!(op, Op::Eq),
        Filter::Compare { op, .. } => matches!(op, Op::Ne),
        _ => false,
    }
}

/// The slot as a filter on elements.
pub(super) fn slot_filter(spot: &Spot, vocabulary: &Vocabulary) -> Filter {
    let each = |(sub, literal): &(AttrId, Literal)| {
        Filter::compare(AttrPath::new(vocabulary.name(*sub)), Op::Eq, literal.clone())
    };
    Filter::and(spot.slot.iter().map(each).collect())
}

/// A filter on the element of a slot at the provider.
fn in_slot(to: &Spot, inner: Filter, provider: &Vocabulary) -> Filter {
    let filter = Filter::and(vec![slot_filter(to, provider), inner]);
    Filter::ValuePath { path: provider.attr_path(to.attr), filter: Box::new(filter) }
}

fn named(vocabulary: &Vocabulary, attr: AttrId) -> AttrPath {
    AttrPath::new(vocabulary.name(attr))
}

fn with_path(leaf: &Filter, path: AttrPath) -> Filter {
    match leaf {
        Filter::Compare { op, value, .. } => Filter::compare(path, *op, value.clone()),
        Filter::ValuePath { filter, .. } => Filter::ValuePath { path, filter: filter.clone() },
        _ => Filter::Present(path),
    }
}

fn has_all(asks: &Asks) -> bool {
    match asks {
        Asks::All(list) => list.len() > 1,
        Asks::Any(list) => list.iter().any(has_all),
        Asks::Never | Asks::Present | Asks::Compare(..) => false,
    }
}

pub(super) fn filter_of(asks: &Asks, path: &AttrPath, kind: Type) -> Folded {
    let all =
        |list: &[Asks]| -> Vec<Folded> { list.iter().map(|each| filter_of(each, path, kind)).collect() };
    let filters = |list: Vec<Folded>| -> Vec<Filter> {
        let filter = |each| match each {
            Folded::Filter(filter) => Some(filter),
            Folded::Constant(_) => None,
        };
        list.into_iter().filter_map(filter).collect()
    };
    match asks {
        Asks::Never => Folded::Constant(false),
        Asks::Present => Folded::Filter(Filter::Present(path.clone())),
        Asks::Compare(op, text) => Folded::Filter(Filter::compare(path.clone(), *op, literal(text, kind))),
        Asks::All(list) => {
            let list = all(list);
            if list.contains(&Folded::Constant(false)) || list.is_empty() {
                return Folded::Constant(false);
            }
            Folded::Filter(Filter::and(filters(list)))
        }
        Asks::Any(list) => {
            let list = filters(all(list));
            if list.is_empty() { Folded::Constant(false) } else { Folded::Filter(Filter::or(list)) }
        }
    }
}

fn no_way(path: &str) -> String {
    format!("`{path}` is not mapped to an attribute of the provider that can be read")
}
