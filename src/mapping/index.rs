//! What a message needs to know of the rules, found by the number of an attribute: the cost of a message grows with
//! the rules that fire, not with the rules there are.

use super::spot::Spot;
use super::{Claim, Mapping, Pair, Rule, Source};
use crate::bits::Bits;
use crate::document::{Document, NodeId, Survey};
use crate::schema::{AttrId, ResourceType, Vocabulary};

/// The rules of a pair by the attributes of one side.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// How rules claim each attribute.
    claims: Vec<Claim>,
    /// The attribute of the other side with the same path.
    same: Vec<AttrId>,
    /// For each top attribute the groups (of the other side's spots) that read in it.
    groups: Vec<Vec<usize>>,
    /// The groups that do not hang on an attribute of this side alone.
    always: Vec<usize>,
    /// The numbers of the rules with a spot in each top attribute.
    rules: Vec<Vec<usize>>,
}

/// The rules that write to one spot, in the order in which they are asked.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) rules: Vec<usize>,
}

impl Index {
    /// Of the IdP's side, or the provider's.
    pub(super) fn new(mapping: &Mapping, pair: &Pair, idp: bool) -> Self {
        let (Some(idp_type), Some(provider_type)) = (mapping.idp_type(pair), mapping.provider_type(pair))
        else {
            return Self::default();
        };
        let (own, other): ((&Vocabulary, &ResourceType), (&Vocabulary, &ResourceType)) = match idp {
            true => ((&mapping.idp, idp_type), (&mapping.provider, provider_type)),
            false => ((&mapping.provider, provider_type), (&mapping.idp, idp_type)),
        };
        let side = |rule: &Rule| if idp { rule.idp.clone() } else { rule.provider.clone() };
        let (vocabulary, of) = own;
        let size = vocabulary.len();
        let groups = if idp { &pair.to_provider } else { &pair.to_idp };
        let mut index = Self {
            claims: vec![Claim::No; size],
            same: vec![AttrId::UNKNOWN; size],
            groups: vec![Vec::new(); size],
            always: Vec::new(),
            rules: vec![Vec::new(); size],
        };
        for attr in vocabulary.ids().filter(|attr| vocabulary.is_within(*attr, of.root)) {
            let same = other.0.translate(vocabulary, attr, of.root, other.1.root);
            set(&mut index.same, attr, same);
            let spots = pair
                .rules
                .iter()
                .filter_map(|rule| if idp { rule.idp.as_ref() } else { rule.provider.as_ref() });
            set(&mut index.claims, attr, claim(vocabulary, attr, spots));
        }
        for (number, rule) in pair.rules.iter().enumerate() {
            if let Some(spot) = side(rule) {
                add(&mut index.rules, vocabulary.top(spot.attr), number);
            }
        }
        for (number, group) in groups.iter().enumerate() {
            let rules = || group.rules.iter().filter_map(|rule| pair.rules.get(*rule));
            let plain = |rule: &Rule| matches!(rule.source, Source::Copy) && (!idp || rule.when.is_none());
            if !rules().all(plain) {
                index.always.push(number);
                continue;
            }
            for spot in rules().filter_map(side) {
                add(&mut index.groups, vocabulary.top(spot.attr), number);
            }
        }
        index
    }

    pub(super) fn claim(&self, attr: AttrId) -> Claim {
        self.claims.get(attr.index()).copied().unwrap_or(Claim::No)
    }

    /// The other side's attribute with the same path.
    pub(super) fn same(&self, attr: AttrId) -> AttrId {
        self.same.get(attr.index()).copied().unwrap_or(AttrId::UNKNOWN)
    }

    /// The rules with a spot in a top attribute.
    pub(super) fn rules_in<'p>(
        &'p self,
        pair: &'p Pair,
        top: AttrId,
    ) -> impl Iterator<Item = &'p Rule> + Clone + use<'p> {
        let numbers = self.rules.get(top.index()).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| pair.rules.get(*number))
    }

    /// The groups that may have something to do for these resources of this side.
    pub(super) fn concerned(&self, document: &Document, roots: &[NodeId], vocabulary: &Vocabulary) -> Bits {
        let mut concerned = Bits::default();
        self.always.iter().for_each(|group| concerned.insert(*group));
        for root in roots {
            for member in document.children(*root) {
                let attr = document.attr(member);
                if vocabulary.attribute(attr).extension {
                    for inner in document.children(member) {
                        self.add(&mut concerned, document.attr(inner));
                    }
                } else {
                    self.add(&mut concerned, attr);
                }
            }
        }
        concerned
    }

    /// The groups that may have something to do for a resource, and where its attributes stand.
    pub(super) fn survey(&self, document: &Document, root: NodeId) -> (Bits, Survey) {
        let mut concerned = Bits::default();
        self.always.iter().for_each(|group| concerned.insert(*group));
        let survey = document.survey(root, self.groups.len(), &mut |attr| self.add(&mut concerned, attr));
        (concerned, survey)
    }

    fn add(&self, concerned: &mut Bits, attr: AttrId) {
        let groups = self.groups.get(attr.index()).into_iter().flatten();
        groups.for_each(|group| concerned.insert(*group));
    }
}

/// How spots of one side claim an attribute.
pub(super) fn claim<'s>(
    vocabulary: &Vocabulary,
    attr: AttrId,
    spots: impl Iterator<Item = &'s Spot>,
) -> Claim {
    let mut claim = Claim::No;
    for spot in spots {
        if spot.slot.is_empty() && vocabulary.is_within(attr, spot.attr) {
            return Claim::Whole;
        }
        if vocabulary.is_within(spot.attr, attr) {
            claim = Claim::Parts;
        }
    }
    claim
}

fn set<T>(list: &mut [T], attr: AttrId, value: T) {
    if let Some(place) = list.get_mut(attr.index()) {
        *place = value;
    }
}

fn add(list: &mut [Vec<usize>], attr: AttrId, number: usize) {
    if let Some(numbers) = list.get_mut(attr.index())
        && !numbers.contains(&number)
    {
        numbers.push(number);
    }
}
