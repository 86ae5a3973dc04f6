//! Patch changes through a mapping, without knowing the resource's state where that can be done.

use super::filter::{filter_of, slot_filter};
use super::resource::{AMBIGUOUS, NO_VALUE, unclaimed};
use super::spot::Spot;
use super::transform::{Asks, Chain, Unsayable};
use super::{Claim, Fired, Mapping, Pair, Rule, Source, Unmapped};
use crate::delta::{Change, Op, Place};
use crate::document::{Document, NodeId};
use crate::filter::{self, Filter, Folded, Literal};
use crate::path::{AttrPath, Path};
use crate::schema::{AttrId, Problem, ProblemKind, Type, Vocabulary};

/// What became of a list of changes.
#[derive(Debug)]
pub(crate) enum Mapped {
    /// These changes on the provider's side say the same, whatever the state.
    Changes(Vec<Change>),
    /// The resource's state decides what is to be changed.
    NeedsState,
}

/// The state of the resource decides.
struct NeedsState;

type Step = Result<(), NeedsState>;

impl Mapping {
    /// Maps changes on the IdP's side to changes on the provider's side. `creates` says whether an element that
    /// a value path does not find is to be created, `upsert` whether the provider does that by itself.
    #[expect(clippy::too_many_arguments, reason = "each is one fact of the route or one result")]
    pub(crate) fn changes(
        &self,
        pair: &Pair,
        document: &mut Document,
        changes: &[Change],
        creates: bool,
        upsert: bool,
        fired: &mut Fired,
        problems: &mut Vec<Problem>,
    ) -> Mapped {
        let waits = |change: &Change| {
            let selects = matches!(change.place, Place::Elements { .. }) && change.value.is_some();
            selects && creates && !upsert
        };
        if pair.identity {
            return match changes.iter().any(waits) {
                true => Mapped::NeedsState,
                false => Mapped::Changes(changes.to_vec()),
            };
        }
        problems.extend(self.lost(pair, changes));
        let mut mapper = Mapper { mapping: self, pair, document, upsert, fired, problems, out: Vec::new() };
        for change in changes {
            if mapper.change(change, waits(change)).is_err() {
                return Mapped::NeedsState;
            }
        }
        Mapped::Changes(mapper.out)
    }
}

struct Mapper<'a> {
    mapping: &'a Mapping,
    pair: &'a Pair,
    document: &'a mut Document,
    upsert: bool,
    fired: &'a mut Fired,
    problems: &'a mut Vec<Problem>,
    out: Vec<Change>,
}

impl<'a> Mapper<'a> {
    fn change(&mut self, change: &Change, waits: bool) -> Step {
        if let Place::Attribute(attr) | Place::Elements { attr, .. } = &change.place
            && self.decides(*attr)
        {
            return Err(NeedsState);
        }
        match &change.place {
            Place::Attribute(attr) => self.attribute(change, *attr),
            Place::Elements { attr, filter, sub } => self.elements(change, *attr, filter, *sub, waits),
            Place::Unknown(_) => {
                match self.pair.unmapped {
                    Unmapped::Pass => self.out.push(change.clone()),
                    Unmapped::Drop => {}
                    Unmapped::Reject => self.problems.push(unclaimed("an attribute outside the schema")),
                }
                Ok(())
            }
        }
    }

    /// True when conditions or texts of rules hang on the attribute, together with others.
    fn decides(&self, attr: AttrId) -> bool {
        let vocabulary = &self.mapping.idp;
        let overlaps = |other| vocabulary.is_within(attr, other) || vocabulary.is_within(other, attr);
        if self.pair.only_inputs().iter().copied().any(overlaps) {
            return true;
        }
        self.pair.deciding.iter().filter_map(|index| self.pair.rules.get(*index)).any(|rule| {
            let own = rule.idp.as_ref().filter(|_| rule.when.is_some()).map(|spot| spot.attr);
            rule.inputs().chain(own).any(overlaps)
        })
    }

    /// The rules that may have to do with an attribute.
    fn rules(&self, attr: AttrId) -> Vec<&'a Rule> {
        let vocabulary = &self.mapping.idp;
        match vocabulary.attribute(attr).extension {
            true => self.pair.rules.iter().collect(),
            false => self.pair.idp_index.rules_in(self.pair, vocabulary.top(attr)).collect(),
        }
    }

    fn attribute(&mut self, change: &Change, attr: AttrId) -> Step {
        let vocabulary = &self.mapping.idp;
        let mut claim = Claim::No;
        for rule in self.rules(attr) {
            let Some(from) = &rule.idp else { continue };
            if from.slot.is_empty() && from.attr == attr {
                claim = Claim::Whole;
                self.exact(rule, change, change.value)?;
            } else if from.slot.is_empty() && vocabulary.is_within(attr, from.attr) {
                claim = Claim::Whole;
                self.part_of_whole(rule, change, from, attr)?;
            } else if vocabulary.is_within(from.attr, attr) {
                if claim == Claim::No {
                    claim = Claim::Parts;
                    self.rest(change, attr)?;
                }
                self.whole_of_part(rule, change, from, attr)?;
            }
        }
        if claim == Claim::No { self.unclaimed(change, attr) } else { Ok(()) }
    }

    /// What no rule carries of a whole that rules carry parts of.
    fn rest(&mut self, change: &Change, attr: AttrId) -> Step {
        match self.pair.unmapped {
            Unmapped::Drop => Ok(()),
            Unmapped::Pass => Err(NeedsState),
            Unmapped::Reject => {
                let elements: Vec<NodeId> =
                    change.value.map(|value| self.document.elements(value).collect()).unwrap_or_default();
                let slots = || {
                    self.rules(attr)
                        .into_iter()
                        .filter_map(|rule| rule.idp.as_ref())
                        .filter(move |spot| spot.attr == attr)
                };
                let held = |element: &NodeId| {
                    slots().any(|spot| spot.holds(self.document, *element, &self.mapping.idp))
                };
                if self.mapping.idp.attribute(attr).multi_valued && !elements.iter().all(held) {
                    self.problems.push(unclaimed(self.mapping.idp.path(attr)));
                }
                Ok(())
            }
        }
    }

    /// The change is to just what the rule reads.
    fn exact(&mut self, rule: &'a Rule, change: &Change, value: Option<NodeId>) -> Step {
        let Some((from, to)) = written(rule) else { return Ok(()) };
        let idp_list = self.mapping.idp.attribute(from.leaf()).multi_valued && from.slot.is_empty();
        let list = self.mapping.provider.attribute(to.leaf()).multi_valued && to.slot.is_empty();
        if rule.chain.reshapes() && idp_list && change.op == Op::Add {
            // What is added to the list is not all there is in it.
            return Err(NeedsState);
        }
        if rule.chain.hides_elements() && change.op != Op::Add {
            // What the IdP does not see in the list stays there.
            return Err(NeedsState);
        }
        let op = if list && !idp_list { Op::Replace } else { change.op };
        let value = match value {
            None => None,
            Some(node) => match rule.chain.carry(self.document, node, &self.mapping.provider, true) {
                Ok(value) => value,
                Err(Unsayable) => {
                    self.problems.push(rule.problem(from, NO_VALUE));
                    return Ok(());
                }
            },
        };
        self.set(rule, op, to, value, false)
    }

    /// Writes a value to a rule's place, or takes it away; `whole`: with everything in the slot of the IdP's.
    fn set(&mut self, rule: &'a Rule, op: Op, to: &'a Spot, value: Option<NodeId>, whole: bool) -> Step {
        // Of several rules for one place the first that has a value wins: that may take the whole resource.
        let mut writers =
            self.writers(to).filter(|other| other.provider.as_ref().is_some_and(|spot| spot.same(to)));
        let alone = match value {
            Some(_) => writers.next().is_none_or(|first| std::ptr::eq(first, rule)),
            None => writers.all(|other| std::ptr::eq(other, rule)),
        };
        if !alone {
            return Err(NeedsState);
        }
        let leaf = self.mapping.provider.attribute(to.leaf());
        let place = match (to.slot.is_empty(), value) {
            (true, _) => Place::Attribute(to.attr),
            (false, Some(_)) if !self.upsert => return Err(NeedsState),
            (false, Some(_)) => self.in_slot(to, to.sub),
            (false, None) => {
                let from = rule.idp.as_ref();
                let goes =
                    |other: &Rule| whole && other.idp.as_ref().zip(from).is_some_and(|(a, b)| a.same_slot(b));
                let mut others = self.writers(to).filter(|other| {
                    matches!(other.source, Source::Copy)
                        && !std::ptr::eq(*other, rule)
                        && other.provider.as_ref().is_some_and(|spot| spot.same_slot(to))
                });
                let is_value = &*leaf.name == "value" || !to.sub.is_known();
                if whole && others.clone().all(goes) {
                    self.in_slot(to, AttrId::UNKNOWN)
                } else if is_value && others.next().is_none() {
                    // Without its value a slot's element is gone.
                    self.in_slot(to, AttrId::UNKNOWN)
                } else if is_value || leaf.required {
                    // What else is in the element decides whether it goes, or whether it may.
                    return Err(NeedsState);
                } else {
                    self.in_slot(to, to.sub)
                }
            }
        };
        if value.is_none() && to.slot.is_empty() && leaf.required {
            self.problems.push(Problem {
                kind: ProblemKind::Mutability,
                path: rule.idp.as_ref().map_or_else(String::new, |from| from.path.to_string()),
                message: format!("cannot be removed: the provider requires `{}` ({})", to.path, rule.name),
            });
            return Ok(());
        }
        let op = if value.is_none() { Op::Remove } else { op };
        let value = value.map(|value| self.bound(value, to.leaf()));
        self.fired.step(rule, false, None, value);
        let change = Change { op, place, value };
        if value.is_some() || self.out.last() != Some(&change) {
            self.out.push(change);
        }
        Ok(())
    }

    /// The rules that write to the top attribute of a place when a resource is changed, in the order they are asked.
    fn writers(&self, to: &Spot) -> impl Iterator<Item = &'a Rule> + Clone + use<'a> {
        let pair = self.pair;
        let rules = pair.provider_index.rules_in(pair, self.mapping.provider.top(to.attr));
        let live =
            rules.filter(|rule| rule.to_provider && rule.update && !matches!(rule.source, Source::Drop));
        let is_default = |rule: &&Rule| matches!(rule.source, Source::Default(_));
        live.clone().filter(move |rule| !is_default(rule)).chain(live.filter(is_default))
    }

    fn in_slot(&self, to: &Spot, sub: AttrId) -> Place {
        Place::Elements { attr: to.attr, filter: slot_filter(to, &self.mapping.provider), sub }
    }

    /// The rule carries a whole complex attribute, the change is to a part of it.
    fn part_of_whole(&mut self, rule: &'a Rule, change: &Change, from: &Spot, attr: AttrId) -> Step {
        let Some((_, to)) = written(rule) else { return Ok(()) };
        if !to.slot.is_empty() || !rule.chain.is_empty() {
            return Err(NeedsState);
        }
        let part = self.mapping.provider.translate(&self.mapping.idp, attr, from.attr, to.attr);
        if part.is_known() {
            let value = change.value.map(|value| self.bound(value, part));
            self.out.push(Change { op: change.op, place: Place::Attribute(part), value });
            self.fired.note(rule);
        }
        Ok(())
    }

    /// The change is to a whole of which the rule carries a part: the list of a slot, or a complex attribute.
    fn whole_of_part(&mut self, rule: &'a Rule, change: &Change, from: &Spot, attr: AttrId) -> Step {
        let Some((_, to)) = written(rule) else { return Ok(()) };
        let Some(value) = change.value else { return self.set(rule, Op::Remove, to, None, true) };
        let resource = self.document.new_object();
        let copy = self.document.copy(value);
        self.mapping.idp.place(self.document, resource, attr, copy);
        match from.read(self.document, resource, &self.mapping.idp) {
            Ok(Some(node)) => self.exact(rule, &Change { op: Op::Replace, ..change.clone() }, Some(node)),
            Ok(None) if change.op == Op::Add => Ok(()),
            Ok(None) => self.set(rule, Op::Remove, to, None, false),
            Err(_) => {
                self.problems.push(rule.problem(from, AMBIGUOUS));
                Ok(())
            }
        }
    }

    fn elements(&mut self, change: &Change, attr: AttrId, filter: &Filter, sub: AttrId, waits: bool) -> Step {
        let vocabulary = &self.mapping.idp;
        let mut covered = false;
        // The slot's element is meant, but a part of it that no rule carries.
        let mut partly = false;
        for rule in self.rules(attr) {
            let Some(from) = &rule.idp else { continue };
            if !vocabulary.is_within(from.attr, attr) {
                continue;
            }
            if from.slot.is_empty() {
                covered = true;
                if let Some((_, to)) = written(rule) {
                    self.same_list(rule, change, to, filter, sub, waits)?;
                }
                continue;
            }
            match overlap(from, filter, vocabulary) {
                Overlap::None => {}
                Overlap::Some => return Err(NeedsState),
                Overlap::Same => {
                    let carried = self.slot(rule, change, from, sub)?;
                    covered |= carried;
                    partly |= !carried;
                }
            }
        }
        if covered {
            return Ok(());
        }
        if partly && self.pair.unmapped == Unmapped::Pass {
            self.nowhere(sub);
            return Ok(());
        }
        // Other elements of a list with slots are not claimed by the rules.
        let slots =
            self.rules(attr).iter().any(|rule| rule.idp.as_ref().is_some_and(|from| from.attr == attr));
        match self.pair.unmapped {
            Unmapped::Drop => Ok(()),
            Unmapped::Reject => {
                self.problems.push(unclaimed(vocabulary.path(attr)));
                Ok(())
            }
            Unmapped::Pass if waits || slots => Err(NeedsState),
            Unmapped::Pass => self.passed(change, attr, filter, sub),
        }
    }

    /// The change is to just the slot's element; false when the rule does not carry that part of it.
    fn slot(
        &mut self,
        rule: &'a Rule,
        change: &Change,
        from: &Spot,
        sub: AttrId,
    ) -> Result<bool, NeedsState> {
        let Some((_, to)) = written(rule) else { return Ok(true) };
        match change.value {
            _ if sub.is_known() && sub != from.sub => return Ok(false),
            Some(element) if !sub.is_known() && from.sub.is_known() => {
                if let Some(part) = self.document.member(element, from.sub) {
                    self.exact(rule, change, Some(part))?;
                }
            }
            None if !sub.is_known() => self.set(rule, Op::Remove, to, None, true)?,
            value => self.exact(rule, change, value)?,
        }
        Ok(true)
    }

    /// The rule carries the whole list to a list.
    fn same_list(
        &mut self,
        rule: &'a Rule,
        change: &Change,
        to: &Spot,
        filter: &Filter,
        sub: AttrId,
        waits: bool,
    ) -> Step {
        let list = to.slot.is_empty() && self.mapping.provider.attribute(to.attr).multi_valued;
        let others = self.writers(to).any(|other| {
            !std::ptr::eq(other, rule) && other.provider.as_ref().is_some_and(|spot| spot.same(to))
        });
        if waits
            || !list
            || others
            || rule.chain.reshapes()
            || (!rule.chain.is_empty() && (change.value.is_some() || sub.is_known()))
        {
            return Err(NeedsState);
        }
        self.other_list(change, to.attr, filter, sub, &rule.chain)?;
        self.fired.note(rule);
        Ok(())
    }

    /// The change, to the elements of a list of the provider's.
    fn other_list(
        &mut self,
        change: &Change,
        list: AttrId,
        filter: &Filter,
        sub: AttrId,
        chain: &Chain,
    ) -> Step {
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        let mut names_known = true;
        filter.visit_paths(&mut |_, path| {
            names_known &= provider.lookup(list, path.name.as_bytes()).is_known()
        });
        let filter = if chain.is_empty() { Some(filter.clone()) } else { seen(filter, chain) };
        let Some(filter) = filter.filter(|_| names_known) else { return Err(NeedsState) };
        let (place_sub, target) = match sub.is_known() {
            false => (AttrId::UNKNOWN, list),
            true => {
                let part = provider.lookup(list, idp.name(sub).as_bytes());
                if !part.is_known() {
                    self.nowhere(sub);
                    return Ok(());
                }
                (part, part)
            }
        };
        let value = change.value.map(|value| self.bound(value, target));
        let place = Place::Elements { attr: list, filter, sub: place_sub };
        self.out.push(Change { op: change.op, place, value });
        Ok(())
    }

    /// A change that no rule claims.
    fn unclaimed(&mut self, change: &Change, attr: AttrId) -> Step {
        let idp = &self.mapping.idp;
        match self.pair.unmapped {
            Unmapped::Drop => return Ok(()),
            Unmapped::Reject => {
                self.problems.push(unclaimed(idp.path(attr)));
                return Ok(());
            }
            Unmapped::Pass => {}
        }
        let target = self.pair.idp_index.same(attr);
        if !target.is_known() {
            let place = Place::Unknown(idp.attr_path(attr).into());
            let value = change.value.map(|value| self.bound(value, target));
            self.out.push(Change { op: change.op, place, value });
            return Ok(());
        }
        if self.pair.provider_index.claim(target) != Claim::No {
            return Err(NeedsState);
        }
        let value = change.value.map(|value| self.bound(value, target));
        self.out.push(Change { op: change.op, place: Place::Attribute(target), value });
        Ok(())
    }

    /// A change to elements of a list that no rule claims.
    fn passed(&mut self, change: &Change, attr: AttrId, filter: &Filter, sub: AttrId) -> Step {
        let idp = &self.mapping.idp;
        let target = self.pair.idp_index.same(attr);
        if !target.is_known() {
            let sub = sub.is_known().then(|| idp.name(sub).into());
            let attribute = AttrPath { sub, ..idp.attr_path(attr) };
            let place = Place::Unknown(Path::Attribute { attribute, filter: Some(Box::new(filter.clone())) });
            let value = change.value.map(|value| self.bound(value, target));
            self.out.push(Change { op: change.op, place, value });
            return Ok(());
        }
        match self.pair.provider_index.claim(target) {
            Claim::No => self.other_list(change, target, filter, sub, &Chain::default()),
            _ => Err(NeedsState),
        }
    }

    /// The provider has no place for the attribute, and nobody has said that it may be dropped.
    fn nowhere(&mut self, attr: AttrId) {
        let path = self.mapping.idp.path(attr).to_owned();
        let message = "has no place at the provider; map it, or say `drop: true` for it".to_owned();
        self.problems.push(Problem { kind: ProblemKind::Mutability, path, message });
    }

    /// A copy of a value, bound to the provider's side.
    fn bound(&mut self, value: NodeId, attr: AttrId) -> NodeId {
        let copy = self.document.copy(value);
        self.document.bind(copy, &self.mapping.provider, attr);
        copy
    }
}

/// The rule's spots, when it writes to the provider on updates.
fn written(rule: &Rule) -> Option<(&Spot, &Spot)> {
    let writes = rule.update && rule.to_provider && !matches!(rule.source, Source::Drop);
    Some((rule.idp.as_ref()?, rule.provider.as_ref()?)).filter(|_| writes)
}

/// The same, of the elements that the rule shows.
fn seen(filter: &Filter, chain: &Chain) -> Option<Filter> {
    let filter = chained(filter, chain)?;
    match chain.present() {
        (Asks::Present, true) => Some(filter),
        (asks, true) => match filter_of(&asks, &AttrPath::new("value"), Type::String) {
            Folded::Filter(shown) => Some(Filter::and(vec![filter, shown])),
            Folded::Constant(_) => None,
        },
        (_, false) => None,
    }
}

/// A filter on the elements of a list whose values the rule changes; nothing where that cannot be said.
fn chained(filter: &Filter, chain: &Chain) -> Option<Filter> {
    let all =
        |filters: &[Filter]| filters.iter().map(|filter| chained(filter, chain)).collect::<Option<Vec<_>>>();
    Some(match filter {
        Filter::And(filters) => Filter::and(all(filters)?),
        Filter::Or(filters) => Filter::or(all(filters)?),
        Filter::Not(filter) => Filter::Not(Box::new(chained(filter, chain)?)),
        Filter::Compare {
            path,
            op: op @ (filter::Op::Eq | filter::Op::Ne),
            value: Literal::String(text),
        } if path.name.eq_ignore_ascii_case("value") => {
            Filter::compare(path.clone(), *op, Literal::String(chain.same_word(text)?.into()))
        }
        Filter::Compare { path, .. } | Filter::Present(path) if path.name.eq_ignore_ascii_case("value") => {
            return None;
        }
        other => other.clone(),
    })
}

/// How the elements a filter selects relate to a slot's.
pub(super) enum Overlap {
    /// They are never the same.
    None,
    /// They are the same.
    Same,
    /// It depends.
    Some,
}

pub(super) fn overlap(slot: &Spot, filter: &Filter, vocabulary: &Vocabulary) -> Overlap {
    let Some(pairs) = filter.as_conjunction_of_eq() else { return Overlap::Some };
    let mut same = pairs.len() == slot.slot.len();
    for (sub, literal) in &slot.slot {
        let name = vocabulary.name(*sub);
        let other =
            pairs.iter().find(|(path, _)| path.name.eq_ignore_ascii_case(name)).map(|(_, other)| *other);
        match other {
            Some(other) if equal(literal, other) => {}
            Some(_) => return Overlap::None,
            None => same = false,
        }
    }
    if same { Overlap::Same } else { Overlap::Some }
}

fn equal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::String(a), Literal::String(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}
