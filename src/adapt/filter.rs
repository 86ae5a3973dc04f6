//! What a provider can be asked of a filter: the whole of it, a part that finds at least what is wanted, or
//! nothing. What could not be asked is left to be judged on the IdP's view of what comes.

use crate::config::{self, Problems};
use crate::filter::{Filter, Folded, Literal, Op};
use crate::mapping::{self, Mapping, Pair};
use crate::path::AttrPath;
use crate::profile::{FilterFacts, FormFacts, Logical, Readable, WriteFacts};
use crate::schema::{AttrId, ResourceType, Type, Vocabulary};

/// The filters a provider takes, with the attributes of its schemas.
#[derive(Debug)]
pub(crate) struct Takes {
    facts: FilterFacts,
    /// By the provider's resource types; none: every attribute.
    forms: Vec<Option<Vec<Form>>>,
    /// By the same: lists of such resources may come without their elements.
    partial: Vec<bool>,
}

/// Attributes that are asked for together, and the word of each where it is not its path.
#[derive(Debug)]
struct Form(Vec<(AttrId, Option<AttrPath>)>);

/// How a filter is answered.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Plan {
    /// Nothing can match.
    Empty,
    /// The provider is asked, and what comes is judged.
    Ask {
        /// What is asked: one filter, none (everything), or several whose findings are put together.
        asked: Vec<Option<Filter>>,
        /// The filter that what comes is judged by.
        rest: Option<Filter>,
    },
}

/// What can be asked of a filter.
struct Asked {
    /// One filter, or several whose findings together are those of the filter.
    filters: Vec<Filter>,
    /// It finds nothing else.
    exact: bool,
}

/// One of the filters that all have to match.
struct Part<'a> {
    idp: &'a Filter,
    /// For the provider, as the mapping says it.
    mapped: Option<Filter>,
    asked: Option<Asked>,
}

/// More calls are not made for one filter that says `or`.
const MOST_ALTERNATIVES: usize = 10;

impl Takes {
    /// Looks the profile's attributes up in the provider's schemas.
    pub(crate) fn new(
        facts: FilterFacts,
        write: &WriteFacts,
        vocabulary: &Vocabulary,
        problems: &Problems<'_>,
    ) -> Self {
        let find = |of: &ResourceType| {
            let (_, asked) = facts.attributes.iter().find(|(name, _)| **name == *of.name)?;
            Some(asked.forms.iter().filter_map(|form| Form::new(form, of, vocabulary, problems)).collect())
        };
        let forms = vocabulary.types().iter().map(find).collect();
        for (name, item) in &facts.attributes {
            if vocabulary.type_named(name).is_none() {
                let known = config::nearest(name, vocabulary.types().iter().map(|of| &*of.name));
                let remedy =
                    known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
                let message = format!("there is no resource type `{name}`");
                item.place.item(problems).error(config::BAD_VALUE, message, remedy);
            }
        }
        let partial = |of: &ResourceType| write.readable(&of.name) == Readable::Partial;
        Self { facts, forms, partial: vocabulary.types().iter().map(partial).collect() }
    }

    /// True when the provider answers 404 where a filter finds nothing.
    pub(crate) const fn not_found(&self) -> bool {
        self.facts.not_found
    }

    /// True when `eq` is among the operators.
    pub(crate) fn asks_eq(&self) -> bool {
        self.operator(Op::Eq)
    }

    /// How a filter of the IdP's (bound to its vocabulary) is answered, never wider and never narrower.
    ///
    /// # Errors
    /// Why it cannot be; names attributes and rules, no values.
    pub(crate) fn plan(&self, mapping: &Mapping, pair: &Pair, filter: &Filter) -> Result<Plan, String> {
        let (Some(idp), Some(number)) = (mapping.idp_type(pair), pair.provider) else {
            return Ok(Plan::Empty);
        };
        let Some(of) = mapping.provider_type(pair) else { return Ok(Plan::Empty) };
        let forms = self.forms.get(number).and_then(Option::as_deref);
        let asker = Asker { takes: self, vocabulary: &mapping.provider, of, forms };
        if self.facts.refuse_unknown
            && let Some(path) = unknown(filter, &mapping.idp, idp)
        {
            return Err(format!("`{path}` is not an attribute that the schema has"));
        }
        let known = filter.fold(&mut |leaf| Ok::<_, String>(asker.outside(leaf, &mapping.idp, idp)))?;
        let filter = match known {
            Folded::Constant(false) => return Ok(Plan::Empty),
            Folded::Constant(true) => return Ok(Plan::Ask { asked: vec![None], rest: None }),
            Folded::Filter(filter) => filter,
        };
        let partial = self.partial.get(number).copied().unwrap_or(false);
        let unread = |filter: &Filter| unread(mapping, pair, idp, partial, filter);
        let (mut parts, mut empty) = (Vec::new(), false);
        for each in conjuncts(&filter) {
            let part = match mapping.filter(pair, each) {
                Ok(mapping::Asked { filter: Folded::Constant(false), .. }) => {
                    empty = true;
                    continue;
                }
                Ok(mapping::Asked { filter: Folded::Constant(true), exact: true }) => continue,
                Ok(mapping::Asked { filter: Folded::Constant(true), exact: false }) => {
                    Part { idp: each, mapped: None, asked: None }
                }
                Ok(mapping::Asked { filter: Folded::Filter(mapped), exact }) => {
                    let mut asked = asker.reduce(&mapped);
                    if let Some(asked) = &mut asked {
                        asked.exact &= exact;
                    }
                    Part { idp: each, mapped: Some(mapped).filter(|_| exact), asked }
                }
                Err(detail) if unread(each).is_some() => return Err(detail),
                Err(_) => Part { idp: each, mapped: None, asked: None },
            };
            parts.push(part);
        }
        if empty {
            return Ok(Plan::Empty);
        }
        let (asked, rest) = asker.choose(parts);
        if let Some(path) = rest.iter().find_map(|part| unread(part)) {
            return Err(format!(
                "`{path}` cannot be asked of the provider in this way, and the provider does not show it; ask by another attribute"
            ));
        }
        let rest = rest.into_iter().cloned().collect::<Vec<_>>();
        Ok(Plan::Ask { asked, rest: (!rest.is_empty()).then(|| Filter::and(rest)) })
    }

    fn operator(&self, op: Op) -> bool {
        self.facts.operators.as_ref().is_none_or(|operators| operators.listed.contains(&op))
    }

    fn joins(&self, logical: Logical) -> bool {
        self.facts.logical.as_ref().is_none_or(|list| list.contains(&logical))
    }
}

/// Asks one resource type.
struct Asker<'a> {
    takes: &'a Takes,
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
    forms: Option<&'a [Form]>,
}

impl Asker<'_> {
    /// An attribute that the schema lacks is unassigned (RFC 7644 section 3.4.2.2), unless the provider may know it.
    fn outside(&self, leaf: &Filter, idp: &Vocabulary, of: &ResourceType) -> Folded {
        let unknown = path(leaf).is_some_and(|path| !idp.resolve(of, path).is_known());
        match unknown && self.forms.is_some() {
            true => Folded::Constant(holds_unassigned(leaf)),
            false => Folded::Filter(leaf.clone()),
        }
    }

    /// What the provider is asked of all the parts, and the parts that remain.
    fn choose<'f>(&self, parts: Vec<Part<'f>>) -> (Vec<Option<Filter>>, Vec<&'f Filter>) {
        let all: Vec<&Filter> = parts.iter().map(|part| part.idp).collect();
        if let Some((asked, used)) = self.together(&parts) {
            let rest = all.into_iter().enumerate().filter(|(index, _)| !used.contains(index));
            return (vec![Some(asked)], rest.map(|(_, part)| part).collect());
        }
        let (mut single, mut several, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part.asked {
                None => rest.push(part.idp),
                Some(Asked { filters, exact }) if filters.len() == 1 => {
                    single.push((part.idp, filters, exact))
                }
                Some(Asked { filters, exact }) => several.push((part.idp, filters, exact)),
            }
        }
        if !self.takes.joins(Logical::And) && single.len() > 1 {
            single.sort_by_key(|(_, filters, exact)| {
                std::cmp::Reverse((filters.iter().map(|filter| self.narrowness(filter)).max(), *exact))
            });
            rest.extend(single.drain(1..).map(|(part, ..)| part));
        }
        if single.is_empty() && !several.is_empty() {
            single.push(several.remove(0));
        }
        rest.extend(several.into_iter().map(|(part, ..)| part));
        rest.extend(single.iter().filter(|(.., exact)| !exact).map(|(part, ..)| *part));
        // In the order they were asked in.
        let rest =
            all.into_iter().filter(|part| rest.iter().any(|other| std::ptr::eq(*other, *part))).collect();
        let mut filters: Vec<Vec<Filter>> = single.into_iter().map(|(_, filters, _)| filters).collect();
        let asked = match (filters.pop(), filters.is_empty()) {
            (None, _) => vec![None],
            (Some(only), true) => only.into_iter().map(Some).collect(),
            (Some(last), false) => {
                filters.push(last);
                vec![Some(Filter::and(filters.into_iter().flatten().collect()))]
            }
        };
        (asked, rest)
    }

    /// How little a filter is likely to find: equality finds least, if it is of the id or of a text.
    fn narrowness(&self, filter: &Filter) -> u8 {
        match filter {
            Filter::Compare { op: Op::Eq, path, .. } if self.resolve(path) == self.of.id => 3,
            Filter::Compare { op: Op::Eq, value: Literal::String(_), .. } => 2,
            Filter::Compare { op: Op::Eq, .. } => 1,
            _ => 0,
        }
    }

    /// The largest set of attributes that the provider takes together, asked by its words, and the parts it is of.
    fn together(&self, parts: &[Part<'_>]) -> Option<(Filter, Vec<usize>)> {
        let mut found: Option<(Filter, Vec<usize>)> = None;
        for form in self.forms?.iter().filter(|form| form.0.len() > 1) {
            let (mut asked, mut used) = (Vec::new(), Vec::new());
            for (attr, word) in &form.0 {
                let equal = parts.iter().enumerate().find_map(|(index, part)| match &part.mapped {
                    Some(Filter::Compare { path, op: Op::Eq, value })
                        if *value != Literal::Null && self.resolve(path) == *attr =>
                    {
                        Some((index, value))
                    }
                    _ => None,
                });
                let Some((index, value)) = equal else { break };
                let path = word.clone().unwrap_or_else(|| self.vocabulary.attr_path(*attr));
                asked.push(Filter::compare(path, Op::Eq, value.clone()));
                used.push(index);
            }
            let larger = found.as_ref().is_none_or(|(_, before)| used.len() > before.len());
            if asked.len() == form.0.len() && larger {
                found = Some((Filter::and(asked), used));
            }
        }
        found
    }

    fn reduce(&self, filter: &Filter) -> Option<Asked> {
        match filter {
            Filter::Compare { .. } | Filter::Present(_) => self.leaf(filter).map(Asked::exactly),
            Filter::ValuePath { path, filter: inner } => self.value_path(filter, path, inner),
            Filter::And(filters) => {
                let mut exact = true;
                let mut kept = Vec::new();
                for each in filters {
                    match self.reduce(each) {
                        Some(mut asked) if asked.filters.len() == 1 => {
                            exact &= asked.exact;
                            kept.append(&mut asked.filters);
                        }
                        _ => exact = false,
                    }
                }
                if !self.takes.joins(Logical::And) {
                    exact &= kept.len() < 2;
                    kept.truncate(1);
                }
                (!kept.is_empty()).then(|| Asked { filters: vec![Filter::and(kept)], exact })
            }
            Filter::Or(filters) => {
                let each: Vec<Asked> = filters.iter().map(|each| self.reduce(each)).collect::<Option<_>>()?;
                let exact = each.iter().all(|asked| asked.exact);
                let filters: Vec<Filter> = each.into_iter().flat_map(|asked| asked.filters).collect();
                match self.takes.joins(Logical::Or) {
                    true => Some(Asked { filters: vec![Filter::or(filters)], exact }),
                    false => (filters.len() <= MOST_ALTERNATIVES).then_some(Asked { filters, exact }),
                }
            }
            Filter::Not(inner) => {
                let asked =
                    self.reduce(inner).filter(|asked| asked.exact && self.takes.joins(Logical::Not))?;
                let inner = Filter::or(asked.filters);
                Some(Asked::exactly(Filter::Not(Box::new(inner))))
            }
        }
    }

    fn value_path(&self, whole: &Filter, path: &AttrPath, inner: &Filter) -> Option<Asked> {
        let mut joined = true;
        let mut taken = true;
        let list = self.resolve(path);
        inner.visit_paths(&mut |_, sub| {
            taken &= self.form(self.vocabulary.lookup(list, sub.name.as_bytes())).is_some();
        });
        visit(inner, &mut |each| {
            joined &= match each {
                Filter::And(_) => self.takes.joins(Logical::And),
                Filter::Or(_) => self.takes.joins(Logical::Or),
                Filter::Not(_) => self.takes.joins(Logical::Not),
                other => self.compares(other),
            };
        });
        if !self.takes.facts.no_value_paths && joined && taken {
            return Some(Asked::exactly(whole.clone()));
        }
        // One element has to match all; that some elements match each finds more.
        let dotted = self.dotted(path, inner)?;
        let mut asked = self.reduce(&dotted)?;
        asked.exact &= !matches!(dotted, Filter::And(_)) && conjuncts(inner).len() == 1;
        Some(asked)
    }

    /// A filter on elements as one on the list: what says nothing of a single element is left out.
    fn dotted(&self, list: &AttrPath, inner: &Filter) -> Option<Filter> {
        let path = |sub: &AttrPath| AttrPath { sub: Some(sub.name.clone()), ..list.clone() };
        match inner {
            Filter::Compare { path: sub, op, value } if *op != Op::Ne && *value != Literal::Null => {
                Some(Filter::compare(path(sub), *op, value.clone()))
            }
            Filter::Present(sub) => Some(Filter::Present(path(sub))),
            Filter::And(filters) => {
                let kept: Vec<_> = filters.iter().filter_map(|each| self.dotted(list, each)).collect();
                (!kept.is_empty()).then(|| Filter::and(kept))
            }
            // Parts of an alternative that are left out would have to be left to be judged.
            Filter::Or(filters) if filters.iter().all(|each| !matches!(each, Filter::And(_))) => {
                filters.iter().map(|each| self.dotted(list, each)).collect::<Option<_>>().map(Filter::or)
            }
            _ => None,
        }
    }

    /// The comparison as the provider takes it.
    fn leaf(&self, leaf: &Filter) -> Option<Filter> {
        let attr = path(leaf).map_or(AttrId::UNKNOWN, |path| self.resolve(path));
        let word = self.form(attr).filter(|_| self.compares(leaf))?;
        let named = |path: &AttrPath| word.cloned().unwrap_or_else(|| path.clone());
        Some(match leaf {
            Filter::Compare { path, op, value } => Filter::compare(named(path), *op, value.clone()),
            Filter::Present(path) => Filter::Present(named(path)),
            other => other.clone(),
        })
    }

    /// True when the provider knows such comparisons.
    fn compares(&self, leaf: &Filter) -> bool {
        let Some(operators) = &self.takes.facts.operators else { return true };
        match leaf {
            // Who knows few operators cannot be trusted to know `null`.
            Filter::Compare { op, value, .. } => operators.listed.contains(op) && *value != Literal::Null,
            _ => operators.present,
        }
    }

    /// That the attribute may be asked for, and the word it is asked by.
    fn form(&self, attr: AttrId) -> Option<Option<&AttrPath>> {
        let Some(forms) = self.forms else { return Some(None) };
        forms.iter().find_map(|form| match form.0.as_slice() {
            [(one, Some(word))] if *one == attr => Some(Some(word)),
            [(one, None)] if attr.is_known() && self.vocabulary.is_within(attr, *one) => Some(None),
            _ => None,
        })
    }

    fn resolve(&self, path: &AttrPath) -> AttrId {
        self.vocabulary.resolve(self.of, path)
    }
}

impl Asked {
    fn exactly(filter: Filter) -> Self {
        Self { filters: vec![filter], exact: true }
    }
}

impl Form {
    fn new(
        facts: &FormFacts,
        of: &ResourceType,
        vocabulary: &Vocabulary,
        problems: &Problems<'_>,
    ) -> Option<Self> {
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let parts = facts.0.iter().map(|(part, word)| {
            let text = part.value.as_str().unwrap_or_default();
            let path = AttrPath::parse(text, &known).ok();
            let attr = path.map_or(AttrId::UNKNOWN, |path| vocabulary.resolve(of, &path));
            if !attr.is_known() {
                let message = format!("the schema of `{}` has no attribute `{text}`", of.name);
                part.item(problems).error(config::BAD_VALUE, message, "write the path of an attribute");
                return None;
            }
            // RFC 7644 section 3.4.2.2: a complex attribute that is compared itself is compared by its `value`.
            let value = vocabulary.lookup(attr, b"value");
            let complex = vocabulary.attribute(attr).kind == Type::Complex && value.is_known();
            let named = !word.is_empty();
            Some((
                if complex && (named || facts.0.len() > 1) { value } else { attr },
                named.then(|| AttrPath::new(word)),
            ))
        });
        parts.collect::<Option<_>>().map(Self)
    }
}

/// The first attribute of a filter that the IdP's view of a list does not have, or has not for certain.
fn unread(
    mapping: &Mapping,
    pair: &Pair,
    of: &ResourceType,
    partial: bool,
    filter: &Filter,
) -> Option<String> {
    let idp = &mapping.idp;
    let mut unread = None;
    filter.visit_paths(&mut |parent, path| {
        let attr = idp.resolve(of, path);
        if parent.is_none() && unread.is_none() && attr.is_known() {
            let missing = partial && idp.attribute(idp.top(attr)).multi_valued;
            unread = (missing || !mapping.reads(pair, attr)).then(|| path.to_string());
        }
    });
    unread
}

/// The first attribute of a filter that the schema lacks.
fn unknown(filter: &Filter, vocabulary: &Vocabulary, of: &ResourceType) -> Option<String> {
    let mut unknown = None;
    filter.visit_paths(&mut |parent, path| {
        let attr = match parent {
            None => vocabulary.resolve(of, path),
            Some(list) => vocabulary.lookup(vocabulary.resolve(of, list), path.name.as_bytes()),
        };
        if unknown.is_none() && !attr.is_known() {
            unknown = Some(path.to_string());
        }
    });
    unknown
}

/// The filters that all have to match.
fn conjuncts(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(filters) => filters,
        other => std::slice::from_ref(other),
    }
}

fn path(leaf: &Filter) -> Option<&AttrPath> {
    match leaf {
        Filter::Compare { path, .. } | Filter::Present(path) | Filter::ValuePath { path, .. } => Some(path),
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => None,
    }
}

/// What a comparison says of a resource that has no such attribute.
pub(crate) fn holds_unassigned(leaf: &Filter) -> bool {
    match leaf {
        Filter::Compare { op, value, .. } => *op == if *value == Literal::Null { Op::Eq } else { Op::Ne },
        _ => false,
    }
}

fn visit(filter: &Filter, each: &mut impl FnMut(&Filter)) {
    each(filter);
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().for_each(|inner| visit(inner, each)),
        Filter::Not(inner) => visit(inner, each),
        Filter::Compare { .. } | Filter::Present(_) | Filter::ValuePath { .. } => {}
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
