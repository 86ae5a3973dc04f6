//! What of a message no rule carries to the other side, and why: for explanations.

use std::borrow::Cow;

use super::resource::Way;
use super::{Claim, Fired, Mapping, Pair, Rule, Source, Spot, Unmapped};
use crate::delta::{Change, Place};
use crate::document::{Document, Kind, NodeId};
use crate::schema::{AttrId, Vocabulary};

/// Something that stops here.
#[derive(Debug)]
pub(crate) struct Dropped {
    /// The attribute.
    pub(crate) path: String,
    /// The reason, in words of the configuration.
    pub(crate) why: Cow<'static, str>,
    /// What was there.
    pub(crate) value: Option<NodeId>,
}

impl Mapping {
    /// What of the resource `root` did not reach the other side; `fired` says what did.
    pub(crate) fn dropped(
        &self,
        pair: &Pair,
        document: &Document,
        root: NodeId,
        fired: &Fired,
        to_provider: bool,
    ) -> Vec<Dropped> {
        let Some(way) = self.way(pair, to_provider).filter(|_| !pair.identity) else { return Vec::new() };
        let taken = fired.steps().iter().filter_map(|step| step.before).collect();
        let mut walk = Walk { way, document, taken, found: Vec::new() };
        walk.members(root);
        walk.found
    }

    /// Which of the changes do not reach the provider.
    pub(crate) fn dropped_changes(&self, pair: &Pair, changes: &[Change]) -> Vec<Dropped> {
        let stops = changes.iter().filter(|change| self.is_declared_lost(pair, change));
        let dropped = |change: &Change| {
            let (path, attr) = match &change.place {
                Place::Attribute(attr) | Place::Elements { attr, .. } => (self.idp.path(*attr), *attr),
                Place::Unknown(_) => ("an attribute outside the schema", AttrId::UNKNOWN),
            };
            let rules = pair.rules.iter().filter(|rule| rule.idp.is_some());
            let why = because(rules.map(|rule| (rule, rule.idp.as_ref())), &self.idp, attr, pair.unmapped);
            Dropped { path: path.to_owned(), why, value: change.value }
        };
        stops.map(dropped).collect()
    }
}

struct Walk<'a> {
    way: Way<'a>,
    document: &'a Document,
    taken: Vec<NodeId>,
    found: Vec<Dropped>,
}

impl Walk<'_> {
    fn members(&mut self, object: NodeId) {
        let document = self.document;
        for member in document.children(object) {
            self.member(member);
        }
    }

    fn member(&mut self, member: NodeId) {
        let (document, way) = (self.document, &self.way);
        let attr = document.attr(member);
        let fixed = [way.from_type.id, way.from_type.meta, way.from_type.schemas];
        if self.taken.contains(&member) || (attr.is_known() && fixed.contains(&attr)) || self.is_input(attr) {
            return;
        }
        let claim = if attr.is_known() { way.index_from().claim(attr) } else { Claim::No };
        match claim {
            Claim::No if way.pair.unmapped == Unmapped::Pass => {}
            Claim::Parts if document.kind(member) == Kind::Object => self.members(member),
            Claim::Parts if !document.is_unassigned(member) => {
                for element in document.elements(member) {
                    self.element(element, attr);
                }
            }
            Claim::No | Claim::Whole => self.drop(member),
            Claim::Parts => {}
        }
    }

    /// One element of a list of which rules have slots.
    fn element(&mut self, element: NodeId, list: AttrId) {
        if self.taken.contains(&element) {
            return;
        }
        let (document, way) = (self.document, &self.way);
        let holding: Vec<&Rule> = way.holding(document, element, list, true).collect();
        if holding.is_empty() {
            if way.pair.unmapped != Unmapped::Pass {
                self.drop(element);
            }
            return;
        }
        let in_slot = |attr| {
            let slots = holding.iter().filter_map(|rule| way.from(rule)).flat_map(|spot| &spot.slot);
            slots.into_iter().any(|(sub, _)| *sub == attr)
        };
        let rest = document.children(element).filter(|part| !self.taken.contains(part));
        let rest: Vec<NodeId> = rest.filter(|part| !in_slot(document.attr(*part))).collect();
        for part in rest {
            self.drop(part);
        }
    }

    fn drop(&mut self, node: NodeId) {
        let way = &self.way;
        let attr = self.document.attr(node);
        let path = match attr.is_known() {
            true => way.from.path(attr).to_owned(),
            false => self.document.key(node).into_owned(),
        };
        let rules = way.pair.rules.iter().map(|rule| (rule, way.from(rule)));
        let why = because(rules, way.from, attr, way.pair.unmapped);
        self.found.push(Dropped { path, why, value: Some(node) });
    }

    /// True for what a text is made of.
    fn is_input(&self, attr: AttrId) -> bool {
        let way = &self.way;
        let template = |rule: &'_ Rule| match &rule.source {
            Source::Computed(template) | Source::Default(template) => {
                template.inputs().any(|spot| way.from.is_within(spot.attr, attr))
            }
            Source::Copy | Source::Constant(_) | Source::Drop => false,
        };
        way.to_provider && attr.is_known() && way.pair.rules.iter().any(template)
    }
}

/// Why an attribute stops, given the rules with their spots on its side.
fn because<'a>(
    rules: impl Iterator<Item = (&'a Rule, Option<&'a Spot>)> + Clone,
    vocabulary: &Vocabulary,
    attr: AttrId,
    unmapped: Unmapped,
) -> Cow<'static, str> {
    let within = |(_, spot): &(&Rule, Option<&Spot>)| {
        spot.is_some_and(|spot| attr.is_known() && vocabulary.is_within(attr, spot.attr))
    };
    if let Some((rule, _)) =
        rules.clone().filter(within).find(|(rule, _)| matches!(rule.source, Source::Drop))
    {
        return format!("{} says `drop: true`", rule.name).into();
    }
    if let Some((rule, spot)) = rules.clone().find(within) {
        let slot = spot.is_some_and(|spot| !spot.slot.is_empty());
        return match slot {
            true => "no rule takes this part of the list".into(),
            false => format!("{} does not carry it here", rule.name).into(),
        };
    }
    match unmapped {
        Unmapped::Pass => "no rule takes it".into(),
        Unmapped::Drop => "no rule takes it, and the route says `unmapped: drop`".into(),
        Unmapped::Reject => "no rule takes it, and the route says `unmapped: reject`".into(),
    }
}
