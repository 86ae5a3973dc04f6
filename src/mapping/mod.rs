//! The mapping of a route, compiled: rules between the IdP's side and the provider's side of each resource
//! type, for bodies in both directions, patch changes and filters.
//!
//! Three functions carry resources: `create` (IdP → provider), `view` (provider → IdP) and `put` (a resource of
//! the IdP into one of the provider, keeping what the IdP cannot see). Laws: `view(put(i, p)) = i` on two-way
//! paths, `put(view(p), p) = p`.

mod asked;
mod changes;
mod check;
mod compile;
mod dropped;
mod filter;
mod fired;
mod index;
#[cfg(test)]
mod laws;
mod lost;
mod paths;
mod plain;
mod put;
mod reach;
mod report;
mod resource;
mod rules;
mod spot;
mod steps;
mod template;
mod transform;
mod ways;
mod when;

pub(crate) use self::asked::Asked;
pub(crate) use self::changes::Mapped;
pub(crate) use self::compile::compile;
pub(crate) use self::dropped::Dropped;
pub(crate) use self::fired::{Fired, Firing};
pub(crate) use self::reach::Reach;
pub(crate) use self::resource::Notes;
use std::sync::Arc;

use self::index::{Group, Index};
use self::plain::Plains;
use self::spot::Spot;
use self::template::Template;
use self::transform::Chain;
use self::when::Condition;
use crate::document::{Document, NodeId};
use crate::filter::{Filter, Literal};
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
    /// The rules that write to each spot, on either side.
    to_provider: Vec<Group>,
    to_idp: Vec<Group>,
    plain_to_provider: Plains,
    plain_to_idp: Plains,
    /// The rules by the attributes of each side.
    idp_index: Index,
    provider_index: Index,
    /// The rules that write to the provider's resource by what several attributes say.
    deciding: Vec<usize>,
    unmapped: Unmapped,
    /// Which resources there are for the IdP.
    only: Option<Condition>,
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
    /// Its place among the rules of the pair.
    number: usize,
    idp: Option<Spot>,
    provider: Option<Spot>,
    /// What is written where the IdP side has nothing, or instead of it.
    source: Source,
    /// What becomes of a copied value on its way.
    chain: Chain,
    /// Over the IdP's resource.
    when: Option<Condition>,
    create: bool,
    update: bool,
    to_provider: bool,
    to_idp: bool,
    /// The numbers of rules for the same place at the provider whose conditions, where one holds, keep this one
    /// from the way back.
    guards: Vec<usize>,
    /// Why values go one way only, where the rule does not say so itself.
    one_way: Option<String>,
}

#[derive(Debug)]
enum Source {
    /// The value of the other side.
    Copy,
    /// Always this value.
    Constant(Literal),
    /// Always this text.
    Computed(Template),
    /// This text, where nothing else was written.
    Default(Template),
    /// Nothing: the IdP's attribute is declared as not wanted.
    Drop,
}

impl Rule {
    /// True when the view has to be known, but for such rules, before it is known what this one shows.
    fn is_guarded(&self) -> bool {
        self.when.is_some() || !self.guards.is_empty()
    }

    /// The attributes of the IdP's side, besides the rule's own, that decide what is written.
    fn inputs(&self) -> impl Iterator<Item = AttrId> {
        let template = match &self.source {
            Source::Computed(template) => Some(template),
            _ => None,
        };
        let texts = template.into_iter().flat_map(Template::inputs).map(|spot| spot.attr);
        texts.chain(self.when.iter().flat_map(|when| when.inputs.iter().copied()))
    }
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

impl Pair {
    /// The filter that selects the resources there are for the IdP; none: all.
    pub(crate) fn only(&self) -> Option<&Filter> {
        self.only.as_ref().map(|only| &only.filter)
    }

    /// The attributes it asks for.
    pub(crate) fn only_inputs(&self) -> &[AttrId] {
        self.only.as_ref().map_or(&[], |only| &only.inputs)
    }

    /// True for a resource of the IdP, or the IdP's view of one, that there is for it.
    pub(crate) fn admits(&self, document: &Document, root: NodeId) -> bool {
        self.only.as_ref().is_none_or(|only| only.holds(document, root))
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
    /// The name of the rule of that number.
    pub(crate) fn rule_name(&self, number: usize) -> Option<&str> {
        self.rules.get(number).map(|rule| &*rule.name)
    }

    /// True when what no rule names is left out.
    pub(crate) fn drops(&self) -> bool {
        self.unmapped == Unmapped::Drop
    }

    /// Gathers the rules that write to the same spot.
    fn group(&mut self) {
        let rules = &self.rules;
        let groups = |spot: &dyn Fn(&Rule) -> Option<&Spot>, last: &dyn Fn(&Rule) -> bool| {
            let mut groups: Vec<(&Spot, Vec<usize>)> = Vec::new();
            for (index, rule) in rules.iter().enumerate() {
                let Some(to) = spot(rule) else { continue };
                match groups.iter_mut().find(|(other, _)| other.same(to)) {
                    Some((_, group)) => group.push(index),
                    None => groups.push((to, vec![index])),
                }
            }
            let sorted = |(_, mut group): (&Spot, Vec<usize>)| {
                group.sort_by_key(|index| rules.get(*index).is_some_and(last));
                Group { rules: group }
            };
            groups.into_iter().map(sorted).collect()
        };
        // A default is for what no other rule has said.
        let to_provider = groups(&|rule| rule.provider.as_ref().filter(|_| rule.to_provider), &|rule| {
            matches!(rule.source, Source::Default(_))
        });
        let to_idp = groups(&|rule| rule.idp.as_ref().filter(|_| rule.to_idp), &Rule::is_guarded);
        let decides = |rule: &Rule| rule.update && rule.to_provider && rule.inputs().next().is_some();
        let numbered = rules.iter().enumerate();
        self.deciding = numbered.filter(|(_, rule)| decides(rule)).map(|(index, _)| index).collect();
        (self.to_provider, self.to_idp) = (to_provider, to_idp);
    }

    /// The rules of a group, in the order in which they are asked.
    fn rules_of<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a Rule> + Clone + use<'a> {
        group.rules.iter().filter_map(|index| self.rules.get(*index))
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
                && (rule.create
                    && rule.update
                    && rule.to_provider
                    && rule.provider.is_some()
                    && rule.when.is_none())
                && first((index, rule))
        };
        match pair.idp_index.claim(attr) {
            Claim::No => pair.unmapped == Unmapped::Pass,
            _ => pair.rules.iter().enumerate().any(writes),
        }
    }

    /// True when the IdP sees anything of the attribute.
    pub(crate) fn shows(&self, pair: &Pair, attr: AttrId) -> bool {
        pair.identity || pair.unmapped == Unmapped::Pass || pair.idp_index.claim(attr) != Claim::No
    }
}

#[cfg(test)]
mod tests;
