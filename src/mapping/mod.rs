//! The mapping of a route, compiled: rules between the IdP's side and the provider's side of each resource
//! type, for bodies in both directions, patch changes and filters.
//!
//! Three functions carry resources: `create` (IdP → provider), `view` (provider → IdP) and `put` (a resource of
//! the IdP into one of the provider, keeping what the IdP cannot see). Laws: `view(put(i, p)) = i` on two-way
//! paths, `put(view(p), p) = p`.

mod changes;
mod check;
mod compile;
mod filter;
mod lost;
mod paths;
mod reach;
mod resource;
mod rules;
mod spot;
mod template;

pub(crate) use self::changes::Mapped;
pub(crate) use self::compile::compile;
pub(crate) use self::filter::Asked;
pub(crate) use self::reach::Reach;
pub(crate) use self::resource::Notes;
use std::sync::Arc;

use self::spot::Spot;
use self::template::Template;
use crate::filter::Literal;
use crate::schema::{AttrId, ResourceType, Vocabulary};

/// Both sides of a route.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// The IdP's side: canonical SCIM.
    pub(crate) idp: Vocabulary,
    /// The provider's side.
    pub(crate) provider: Vocabulary,
    /// One entry for each resource type of the IdP's side.
    pub(crate) pairs: Vec<Pair>,
}

/// The rules of one resource type.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The type's number on the IdP's side.
    pub(crate) idp: usize,
    /// The type's number on the provider's side; none where the provider has no such resources.
    pub(crate) provider: Option<usize>,
    rules: Vec<Rule>,
    /// The numbers of the rules that write to each spot, on either side.
    to_provider: Vec<Vec<usize>>,
    to_idp: Vec<Vec<usize>>,
    unmapped: Unmapped,
    /// No rules, everything passes and both sides have the same schemas: bodies pass as they are.
    pub(crate) identity: bool,
}

/// What happens to attributes that no rule claims.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unmapped {
    Pass,
    Drop,
    Reject,
}

/// One rule, compiled.
#[derive(Debug)]
struct Rule {
    /// The name in errors, audit records and explanations: `User rule 3`.
    name: Arc<str>,
    idp: Option<Spot>,
    provider: Option<Spot>,
    /// What is written where the IdP side has nothing, or instead of it.
    source: Source,
    create: bool,
    update: bool,
    to_provider: bool,
    to_idp: bool,
}

#[derive(Debug)]
enum Source {
    /// The value of the other side.
    Copy,
    /// The value of the other side, word for word; `other` is written for any other word.
    Values { pairs: Vec<(String, String)>, other: Option<String> },
    /// Always this value.
    Constant(Literal),
    /// This text, where nothing else was written.
    Default(Template),
    /// Nothing: the IdP's attribute is declared as not wanted.
    Drop,
}

impl Mapping {
    /// The IdP's resource type of a pair.
    pub(crate) fn idp_type(&self, pair: &Pair) -> Option<&ResourceType> {
        self.idp.types().get(pair.idp)
    }

    /// The provider's resource type of a pair.
    pub(crate) fn provider_type(&self, pair: &Pair) -> Option<&ResourceType> {
        self.provider.types().get(pair.provider?)
    }
}

/// What the rules of a pair did, for audit records: rule names in order of first use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fired(Vec<Arc<str>>);

impl Fired {
    fn note(&mut self, rule: &Rule) {
        if !self.0.iter().any(|name| Arc::ptr_eq(name, &rule.name)) {
            if self.0.is_empty() {
                self.0.reserve(16);
            }
            self.0.push(Arc::clone(&rule.name));
        }
    }

    /// The names.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.0
    }
}

/// How an attribute of the IdP's side is claimed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Claim {
    /// By no rule.
    No,
    /// By a rule, as a whole.
    Whole,
    /// Rules claim parts of it.
    Parts,
}

impl Pair {
    /// Gathers the rules that write to the same spot.
    fn group(&mut self) {
        let groups = |spot: &dyn Fn(&Rule) -> Option<&Spot>| {
            let mut groups: Vec<(&Spot, Vec<usize>)> = Vec::new();
            for (index, rule) in self.rules.iter().enumerate() {
                let Some(to) = spot(rule) else { continue };
                match groups.iter_mut().find(|(other, _)| other.same(to)) {
                    Some((_, group)) => group.push(index),
                    None => groups.push((to, vec![index])),
                }
            }
            let is_default = |index: &usize| {
                self.rules.get(*index).is_some_and(|rule| matches!(rule.source, Source::Default(_)))
            };
            let sorted = |(_, mut group): (&Spot, Vec<usize>)| {
                // A default is for what no other rule has said.
                group.sort_by_key(is_default);
                group
            };
            groups.into_iter().map(sorted).collect()
        };
        let to_provider = groups(&|rule| rule.provider.as_ref().filter(|_| rule.to_provider));
        let to_idp = groups(&|rule| rule.idp.as_ref().filter(|_| rule.to_idp));
        (self.to_provider, self.to_idp) = (to_provider, to_idp);
    }

    /// How rules claim an attribute on one side.
    fn claim<'a>(
        &'a self,
        vocabulary: &Vocabulary,
        attr: AttrId,
        side: impl Fn(&'a Rule) -> Option<&'a Spot>,
    ) -> Claim {
        let mut claim = Claim::No;
        for spot in self.rules.iter().filter_map(side) {
            if spot.slot.is_empty() && vocabulary.is_within(attr, spot.attr) {
                return Claim::Whole;
            }
            if vocabulary.is_within(spot.attr, attr) {
                claim = Claim::Parts;
            }
        }
        claim
    }
}

impl Mapping {
    /// True when the attribute reaches the provider, when a resource is created and when it is changed.
    pub(crate) fn writes(&self, pair: &Pair, attr: AttrId) -> bool {
        // A rule before it for the same place would have the first word.
        let first = |(index, rule): (usize, &Rule)| {
            let same = |other: &Rule| match (&other.provider, &rule.provider) {
                (Some(a), Some(b)) => {
                    other.to_provider && !matches!(other.source, Source::Default(_)) && a.same(b)
                }
                _ => false,
            };
            !pair.rules.iter().take(index).any(same)
        };
        let writes = |(index, rule): (usize, &Rule)| {
            rule.idp.as_ref().is_some_and(|from| from.attr == attr)
                && (rule.create && rule.update && rule.to_provider && rule.provider.is_some())
                && first((index, rule))
        };
        match pair.claim(&self.idp, attr, |rule| rule.idp.as_ref()) {
            Claim::No => pair.unmapped == Unmapped::Pass,
            _ => pair.rules.iter().enumerate().any(writes),
        }
    }

    /// True when the IdP sees anything of the attribute.
    pub(crate) fn shows(&self, pair: &Pair, attr: AttrId) -> bool {
        pair.identity
            || pair.unmapped == Unmapped::Pass
            || pair.claim(&self.idp, attr, |rule| rule.idp.as_ref()) != Claim::No
    }
}
