//! Filters through a mapping: what a filter asks of the IdP's view, asked of the provider's attributes.

use super::changes::slot_filter;
use super::spot::Spot;
use super::{Claim, Mapping, Pair, Rule, Source, Unmapped};
use crate::filter::{Filter, Folded, Literal, Op};
use crate::path::AttrPath;
use crate::schema::{AttrId, Mutability, ResourceType, Returned, Type, Vocabulary};

/// What the provider is to be asked for a filter of the IdP's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    /// Everything, nothing, or what this filter of the provider's selects.
    pub(crate) filter: Folded,
    /// True where that is just what the IdP asked for. Else it may be more, never less: the IdP's filter has to be
    /// evaluated on the view of each resource that comes.
    pub(crate) exact: bool,
}

impl Asked {
    const fn exactly(filter: Folded) -> Self {
        Self { filter, exact: true }
    }
}

impl Mapping {
    /// The provider's filter for one of the IdP's (bound to its vocabulary), never narrower, and wider only where
    /// it says so.
    ///
    /// # Errors
    /// Why it cannot be asked; names attributes and rules, no values.
    pub(crate) fn filter(&self, pair: &Pair, filter: &Filter) -> Result<Asked, String> {
        if pair.identity {
            return Ok(Asked::exactly(Folded::Filter(filter.clone())));
        }
        let (Some(idp), Some(provider)) = (self.idp_type(pair), self.provider_type(pair)) else {
            return Ok(Asked::exactly(Folded::Constant(false)));
        };
        let asker = Asker { mapping: self, pair, idp, provider };
        filter.fold(&mut |leaf| asker.leaf(leaf)).map(Asked::exactly)
    }

    /// The provider's paths that the IdP's attribute is made of: for projection. Nothing: none has a way there.
    #[expect(dead_code, reason = "projections are made on the view by now")]
    pub(crate) fn paths(&self, pair: &Pair, attr: AttrId) -> Vec<AttrPath> {
        let (Some(idp), Some(provider)) = (self.idp_type(pair), self.provider_type(pair)) else {
            return Vec::new();
        };
        let asker = Asker { mapping: self, pair, idp, provider };
        if let Ok(Some((path, _))) = asker.plain(attr) {
            return vec![path];
        }
        let mut paths: Vec<AttrPath> = Vec::new();
        for (from, to, _) in asker.readable() {
            if !self.idp.is_within(from.attr, attr) && !self.idp.is_within(attr, from.attr) {
                continue;
            }
            let path = self.provider.attr_path(to.attr);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    /// The provider's path of an attribute of the IdP's that orders resources alike: for sorting.
    pub(crate) fn path(&self, pair: &Pair, attr: AttrId) -> Option<AttrPath> {
        let (idp, provider) = (self.idp_type(pair)?, self.provider_type(pair)?);
        Asker { mapping: self, pair, idp, provider }.plain(attr).ok().flatten().map(|(path, _)| path)
    }

    /// True when the IdP's view of a resource in a list has the attribute: it has a way back, and the provider
    /// shows it without being asked to.
    pub(crate) fn reads(&self, pair: &Pair, attr: AttrId) -> bool {
        let (Some(idp), Some(provider)) = (self.idp_type(pair), self.provider_type(pair)) else {
            return false;
        };
        if pair.identity {
            return is_listed(&self.idp, attr) && is_listed(&self.provider, attr);
        }
        let top = self.idp.top(attr);
        if !is_listed(&self.idp, attr) || [idp.id, idp.meta].contains(&top) {
            return is_listed(&self.idp, attr);
        }
        let asker = Asker { mapping: self, pair, idp, provider };
        let carried = asker.readable().any(|(from, to, _)| {
            (self.idp.is_within(attr, from.attr) || self.idp.is_within(from.attr, attr))
                && is_listed(&self.provider, to.attr)
        });
        let claimed = pair.claim(&self.idp, attr, |rule| rule.idp.as_ref()) != Claim::No;
        let same = self.provider.translate(&self.idp, attr, idp.root, provider.root);
        carried || (!claimed && pair.unmapped == Unmapped::Pass && is_listed(&self.provider, same))
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
    provider: &'a ResourceType,
}

impl<'a> Asker<'a> {
    fn leaf(&self, leaf: &Filter) -> Result<Folded, String> {
        match leaf {
            Filter::Compare { path, op, value } => self.compare(leaf, path, *op, value),
            Filter::Present(path) => self.present(leaf, path),
            Filter::ValuePath { path, filter } => self.value_path(leaf, path, filter),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => Ok(Folded::Filter(leaf.clone())),
        }
    }

    fn compare(&self, leaf: &Filter, path: &AttrPath, op: Op, value: &Literal) -> Result<Folded, String> {
        let attr = self.mapping.idp.resolve(self.idp, path);
        if !attr.is_known() {
            return Ok(self.outside(leaf));
        }
        if let Some((path, rule)) = self.plain(attr)? {
            return self.compared(path, rule, op, value);
        }
        // Parts of a list's elements: one of the slots, or none. Without an element there is no value, which is
        // what `ne` and `eq null` ask for too.
        let list = self.mapping.idp.top(attr);
        let name = AttrPath::new(if attr == list { "value" } else { self.mapping.idp.name(attr) });
        let null = *value == Literal::Null;
        let asks_for_none = if null { op == Op::Eq } else { op == Op::Ne };
        if !asks_for_none {
            return self.slots(list, &Filter::compare(name, op, value.clone()));
        }
        let slots = self.readable().filter(|(from, _, _)| from.attr == list && !from.slot.is_empty());
        let mut slots: Vec<_> = slots.map(|(from, _, _)| from.slot.as_slice()).collect();
        slots.dedup();
        let positive = match null {
            true => self.present(leaf, path)?,
            false if slots.len() == 1 => self.slots(list, &Filter::compare(name, Op::Eq, value.clone()))?,
            false => return Err(format!("`{path}` has several elements; say which in brackets")),
        };
        Ok(match positive {
            Folded::Constant(constant) => Folded::Constant(!constant),
            Folded::Filter(filter) => Folded::Filter(Filter::Not(Box::new(filter))),
        })
    }

    fn present(&self, leaf: &Filter, path: &AttrPath) -> Result<Folded, String> {
        let attr = self.mapping.idp.resolve(self.idp, path);
        if !attr.is_known() {
            return Ok(self.outside(leaf));
        }
        if let Some((path, rule)) = self.plain(attr)? {
            return Ok(Folded::Filter(shown(rule, path)));
        }
        let spots = self.readable().filter(|(from, _, _)| self.mapping.idp.is_within(from.attr, attr));
        let each: Vec<Filter> =
            spots.map(|(_, to, rule)| self.at(to, |path| shown(Some(rule), path))).collect();
        Ok(if each.is_empty() { Folded::Constant(false) } else { Folded::Filter(Filter::or(each)) })
    }

    fn value_path(&self, leaf: &Filter, path: &AttrPath, inner: &Filter) -> Result<Folded, String> {
        let attr = self.mapping.idp.resolve(self.idp, path);
        if !attr.is_known() {
            return Ok(self.outside(leaf));
        }
        match self.plain(attr)? {
            Some((path, _)) => {
                Ok(Folded::Filter(Filter::ValuePath { path, filter: Box::new(inner.clone()) }))
            }
            None => self.slots(attr, inner),
        }
    }

    /// A filter on a list's elements, asked of each slot that rules fill: the slot's own literals are known.
    fn slots(&self, list: AttrId, filter: &Filter) -> Result<Folded, String> {
        let idp = &self.mapping.idp;
        let mut asked: Vec<Filter> = Vec::new();
        let mut done: Vec<&[(AttrId, Literal)]> = Vec::new();
        for (from, _, _) in self.readable().filter(|(from, _, _)| from.attr == list && !from.slot.is_empty())
        {
            if done.contains(&from.slot.as_slice()) {
                continue;
            }
            done.push(&from.slot);
            let slot: Vec<_> = self
                .readable()
                .filter(|(other, _, _)| other.attr == list && other.slot == from.slot)
                .collect();
            let folded = filter.fold(&mut |leaf| {
                let (path, compared) = match leaf {
                    Filter::Compare { path, op, value } => (path, Some((*op, value))),
                    Filter::Present(path) => (path, None),
                    _ => return Err("a filter in brackets cannot hold another one".to_owned()),
                };
                let sub = idp.lookup(list, path.name.as_bytes());
                if let Some((_, literal)) = from.slot.iter().find(|(each, _)| *each == sub) {
                    return constant(literal, compared, idp.attribute(sub).case_exact, path);
                }
                match slot.iter().find(|(each, _, _)| each.sub == sub) {
                    Some((_, to, rule)) => match compared {
                        Some((op, value)) => self.compared_at(to, rule, op, value),
                        None => Ok(Folded::Filter(self.at(to, |path| shown(Some(rule), path)))),
                    },
                    None => Ok(Folded::Constant(matches!(compared, Some((Op::Ne, _))))),
                }
            })?;
            let present = || {
                let each =
                    |(_, to, rule): &(&Spot, &Spot, &Rule)| self.at(to, |path| shown(Some(rule), path));
                slot.iter().map(each).collect::<Vec<_>>()
            };
            match folded {
                Folded::Constant(false) => {}
                Folded::Constant(true) => asked.push(Filter::or(present())),
                // A comparison that also holds where there is no value needs the element to be there at all.
                Folded::Filter(filter) if holds_without_value(&filter) => {
                    asked.push(Filter::and(vec![Filter::or(present()), filter]));
                }
                Folded::Filter(filter) => asked.push(filter),
            }
        }
        Ok(if asked.is_empty() { Folded::Constant(false) } else { Folded::Filter(Filter::or(asked)) })
    }

    /// The provider's path of an attribute that is one attribute there too; nothing for parts of slots.
    fn plain(&self, attr: AttrId) -> Result<Option<(AttrPath, Option<&'a Rule>)>, String> {
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        if [self.idp.id, self.idp.meta].contains(&idp.top(attr)) {
            return Ok(Some((idp.attr_path(attr), None)));
        }
        let mut found =
            self.readable().filter(|(from, _, _)| from.slot.is_empty() && idp.is_within(attr, from.attr));
        if let Some((from, to, rule)) = found.next() {
            let target = provider.translate(idp, attr, from.attr, to.attr);
            if to.slot.is_empty() && target.is_known() {
                return Ok(Some((provider.attr_path(target), Some(rule))));
            }
            return match to.slot.is_empty() {
                true => Err(no_way(idp.path(attr))),
                false => Err(format!("`{}` cannot be asked of the provider ({})", idp.path(attr), rule.name)),
            };
        }
        let slots = self.readable().any(|(from, _, _)| {
            (!from.slot.is_empty() && idp.is_within(attr, from.attr)) || idp.is_within(from.attr, attr)
        });
        if slots {
            return Ok(None);
        }
        let claimed = self.pair.claim(idp, attr, |rule| rule.idp.as_ref()) != Claim::No;
        if claimed || self.pair.unmapped != Unmapped::Pass {
            return Err(no_way(idp.path(attr)));
        }
        let target = provider.translate(idp, attr, self.idp.root, self.provider.root);
        let path = if target.is_known() { provider.attr_path(target) } else { idp.attr_path(attr) };
        Ok(Some((path, None)))
    }

    fn compared(
        &self,
        path: AttrPath,
        rule: Option<&Rule>,
        op: Op,
        value: &Literal,
    ) -> Result<Folded, String> {
        let Some(Source::Values { pairs, .. }) = rule.map(|rule| &rule.source) else {
            return Ok(Folded::Filter(Filter::compare(path, op, value.clone())));
        };
        let rule = rule.map_or("", |rule| &rule.name);
        let (Op::Eq | Op::Ne, Literal::String(text)) = (op, value) else {
            return Err(format!("`{path}` can only be compared by eq and ne ({rule})"));
        };
        let found = pairs.iter().find(|(idp, word)| {
            // The view shows the first word that a provider's word stands for, and no other.
            let first = pairs.iter().find(|(_, other)| other.eq_ignore_ascii_case(word));
            idp.eq_ignore_ascii_case(text) && first.is_some_and(|(first, _)| first == idp)
        });
        Ok(match found {
            Some((_, word)) => {
                Folded::Filter(Filter::compare(path, op, Literal::String(word.as_str().into())))
            }
            None => Folded::Constant(op == Op::Ne),
        })
    }

    fn compared_at(&self, to: &Spot, rule: &Rule, op: Op, value: &Literal) -> Result<Folded, String> {
        let leaf = self.mapping.provider.attr_path(to.leaf());
        Ok(match self.compared(leaf, Some(rule), op, value)? {
            Folded::Filter(Filter::Compare { op, value, .. }) => {
                Folded::Filter(self.at(to, |path| Filter::compare(path, op, value)))
            }
            other => other,
        })
    }

    /// A filter on the value at a provider's spot.
    fn at(&self, to: &Spot, leaf: impl FnOnce(AttrPath) -> Filter) -> Filter {
        let provider = &self.mapping.provider;
        if to.slot.is_empty() {
            let value = provider.lookup(to.attr, b"value");
            let complex = provider.attribute(to.attr).kind == Type::Complex && value.is_known();
            return leaf(provider.attr_path(if complex { value } else { to.attr }));
        }
        let name = if to.sub.is_known() { provider.name(to.sub) } else { "value" };
        let inner = Filter::and(vec![slot_filter(to, provider), leaf(AttrPath::new(name))]);
        Filter::ValuePath { path: provider.attr_path(to.attr), filter: Box::new(inner) }
    }

    /// The rules whose value comes back to the IdP.
    fn readable(&self) -> impl Iterator<Item = (&'a Spot, &'a Spot, &'a Rule)> {
        self.pair
            .rules
            .iter()
            .filter(|rule| rule.to_idp)
            .filter_map(|rule| Some((rule.idp.as_ref()?, rule.provider.as_ref()?, rule)))
    }

    /// RFC 7644 section 3.4.2.2: an attribute that the schema lacks is simply unassigned.
    fn outside(&self, leaf: &Filter) -> Folded {
        match (self.pair.unmapped, leaf) {
            (Unmapped::Pass, _) => Folded::Filter(leaf.clone()),
            (_, Filter::Compare { op: Op::Ne, .. }) => Folded::Constant(true),
            _ => Folded::Constant(false),
        }
    }
}

/// A comparison with a slot's own literal.
fn constant(
    literal: &Literal,
    compared: Option<(Op, &Literal)>,
    case_exact: bool,
    path: &AttrPath,
) -> Result<Folded, String> {
    let Some((op, value)) = compared else { return Ok(Folded::Constant(true)) };
    let equal = match (literal, value) {
        (Literal::String(a), Literal::String(b)) if !case_exact => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    match op {
        Op::Eq => Ok(Folded::Constant(equal)),
        Op::Ne => Ok(Folded::Constant(!equal)),
        _ => Err(format!("`{path}` can only be compared by eq and ne here")),
    }
}

/// That the IdP sees a value: of a rule with `values` only the words the table has.
fn shown(rule: Option<&Rule>, path: AttrPath) -> Filter {
    let Some(Source::Values { pairs, .. }) = rule.map(|rule| &rule.source) else {
        return Filter::Present(path);
    };
    let word = |(_, word): &(String, String)| {
        Filter::compare(path.clone(), Op::Eq, Literal::String(word.as_str().into()))
    };
    Filter::or(pairs.iter().map(word).collect())
}

/// True when the filter may match where none of its attributes has a value.
fn holds_without_value(filter: &Filter) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(holds_without_value),
        Filter::Or(filters) => filters.iter().any(holds_without_value),
        Filter::Not(_) => true,
        Filter::Compare { op, value, .. } => *op == Op::Ne || *value == Literal::Null,
        Filter::Present(_) | Filter::ValuePath { .. } => false,
    }
}

fn no_way(path: &str) -> String {
    format!("`{path}` is not mapped to an attribute of the provider that can be read")
}
