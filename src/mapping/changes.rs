//! Patch changes through a mapping, without knowing the resource's state where that can be done.

use super::resource::unclaimed;
use super::spot::Spot;
use super::{Fired, Mapping, Pair, Rule, Source, Unmapped};
use crate::delta::{Change, Op, Place};
use crate::document::{Document, NodeId};
use crate::filter::{self, Filter, Literal};
use crate::path::{AttrPath, Path};
use crate::schema::{AttrId, Problem, ProblemKind, ResourceType, Vocabulary};

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
        let (Some(idp), Some(provider)) = (self.idp_type(pair), self.provider_type(pair)) else {
            return Mapped::NeedsState;
        };
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
        let mut mapper = Mapper {
            rules: &pair.rules,
            mapping: self,
            pair,
            idp,
            provider,
            document,
            upsert,
            fired,
            problems,
            out: Vec::new(),
        };
        for change in changes {
            if mapper.change(change, waits(change)).is_err() {
                return Mapped::NeedsState;
            }
        }
        Mapped::Changes(mapper.out)
    }
}

struct Mapper<'a> {
    rules: &'a [Rule],
    mapping: &'a Mapping,
    pair: &'a Pair,
    idp: &'a ResourceType,
    provider: &'a ResourceType,
    document: &'a mut Document,
    upsert: bool,
    fired: &'a mut Fired,
    problems: &'a mut Vec<Problem>,
    out: Vec<Change>,
}

impl<'a> Mapper<'a> {
    fn change(&mut self, change: &Change, waits: bool) -> Step {
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

    fn attribute(&mut self, change: &Change, attr: AttrId) -> Step {
        let vocabulary = &self.mapping.idp;
        let mut claimed = false;
        for rule in self.rules {
            let Some(from) = &rule.idp else { continue };
            if from.slot.is_empty() && from.attr == attr {
                claimed = true;
                self.exact(rule, change, change.value)?;
            } else if from.slot.is_empty() && vocabulary.is_within(attr, from.attr) {
                claimed = true;
                self.part_of_whole(rule, change, from, attr)?;
            } else if vocabulary.is_within(from.attr, attr) {
                claimed = true;
                self.whole_of_part(rule, change, from, attr)?;
            }
        }
        if claimed { Ok(()) } else { self.unclaimed(change, attr) }
    }

    /// The change is to just what the rule reads.
    fn exact(&mut self, rule: &'a Rule, change: &Change, value: Option<NodeId>) -> Step {
        let Some((from, to)) = written(rule) else { return Ok(()) };
        let value = match value {
            None => None,
            Some(node) => match &rule.source {
                Source::Values { pairs, other } => {
                    let text = self.document.string(node).unwrap_or_default().into_owned();
                    let found = pairs.iter().find(|(idp, _)| idp.eq_ignore_ascii_case(&text));
                    let Some(word) = found.map(|(_, word)| word).or(other.as_ref()) else {
                        let message = "has a value that the rule's `values` do not have";
                        self.problems.push(rule.problem(from, message));
                        return Ok(());
                    };
                    Some(self.document.new_string(word))
                }
                _ => Some(self.document.copy(node)),
            },
        };
        self.set(rule, change.op, to, value)
    }

    fn set(&mut self, rule: &'a Rule, op: Op, to: &Spot, value: Option<NodeId>) -> Step {
        if self.has_default(to) && value.is_none() {
            return Err(NeedsState);
        }
        let place = match to.slot.is_empty() {
            true => Place::Attribute(to.attr),
            false if value.is_some() && !self.upsert => return Err(NeedsState),
            false => Place::Elements {
                attr: to.attr,
                filter: slot_filter(to, &self.mapping.provider),
                sub: to.sub,
            },
        };
        if value.is_none() && self.mapping.provider.attribute(to.leaf()).required {
            self.problems.push(Problem {
                kind: ProblemKind::Mutability,
                path: rule.idp.as_ref().map_or_else(String::new, |from| from.path.clone()),
                message: format!("cannot be removed: the provider requires `{}` ({})", to.path, rule.name),
            });
            return Ok(());
        }
        if let Some(value) = value {
            self.document.bind(value, &self.mapping.provider, to.leaf());
        }
        let op = if value.is_none() { Op::Remove } else { op };
        self.out.push(Change { op, place, value });
        self.fired.note(rule);
        Ok(())
    }

    /// The rule carries a whole complex attribute, the change is to a part of it.
    fn part_of_whole(&mut self, rule: &'a Rule, change: &Change, from: &Spot, attr: AttrId) -> Step {
        let Some((_, to)) = written(rule) else { return Ok(()) };
        if !to.slot.is_empty() {
            return Err(NeedsState);
        }
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        let part = provider.translate(idp, attr, from.attr, to.attr);
        if !part.is_known() {
            return Ok(());
        }
        if let Some(value) = change.value {
            self.document.bind(value, provider, part);
        }
        self.out.push(Change { op: change.op, place: Place::Attribute(part), value: change.value });
        self.fired.note(rule);
        Ok(())
    }

    /// The change is to a whole of which the rule carries a part: the list of a slot, or a complex attribute.
    fn whole_of_part(&mut self, rule: &'a Rule, change: &Change, from: &Spot, attr: AttrId) -> Step {
        let Some((_, to)) = written(rule) else { return Ok(()) };
        let Some(value) = change.value else { return self.set(rule, Op::Remove, to, None) };
        let resource = self.document.new_object();
        let copy = self.document.copy(value);
        self.mapping.idp.place(self.document, resource, attr, copy);
        match from.read(self.document, resource, &self.mapping.idp) {
            Ok(Some(node)) => self.exact(rule, &Change { op: Op::Replace, ..change.clone() }, Some(node)),
            Ok(None) if change.op == Op::Add => Ok(()),
            Ok(None) => self.set(rule, Op::Remove, to, None),
            Err(_) => {
                self.problems.push(rule.problem(from, "has several elements that fit, and none is primary"));
                Ok(())
            }
        }
    }

    fn elements(&mut self, change: &Change, attr: AttrId, filter: &Filter, sub: AttrId, waits: bool) -> Step {
        let vocabulary = &self.mapping.idp;
        let mut claimed = false;
        for rule in self.rules {
            let Some(from) = &rule.idp else { continue };
            if !vocabulary.is_within(from.attr, attr) {
                continue;
            }
            claimed = true;
            let Some((_, to)) = written(rule) else { continue };
            if from.slot.is_empty() {
                self.same_list(rule, change, to, filter, sub, waits)?;
                continue;
            }
            match overlap(from, filter, vocabulary) {
                Overlap::None => {}
                Overlap::Some => return Err(NeedsState),
                Overlap::Same => match (sub.is_known(), change.value) {
                    (true, _) if sub == from.sub => self.exact(rule, change, change.value)?,
                    (true, _) => {}
                    (false, None) => self.set(rule, Op::Remove, to, None)?,
                    (false, Some(element)) if from.sub.is_known() => {
                        if let Some(part) = self.document.member(element, from.sub) {
                            self.exact(rule, change, Some(part))?;
                        }
                    }
                    (false, Some(_)) => self.exact(rule, change, change.value)?,
                },
            }
        }
        if claimed {
            return Ok(());
        }
        match self.pair.unmapped {
            Unmapped::Drop => Ok(()),
            Unmapped::Reject => {
                self.problems.push(unclaimed(vocabulary.path(attr)));
                Ok(())
            }
            Unmapped::Pass if waits => Err(NeedsState),
            Unmapped::Pass => {
                let place = self.translated(attr, filter, sub);
                self.out.push(Change { place, ..change.clone() });
                Ok(())
            }
        }
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
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        if waits || !to.slot.is_empty() || !provider.attribute(to.attr).multi_valued {
            return Err(NeedsState);
        }
        let sub = if sub.is_known() { provider.lookup(to.attr, idp.name(sub).as_bytes()) } else { sub };
        let place = Place::Elements { attr: to.attr, filter: filter.clone(), sub };
        self.out.push(Change { place, ..change.clone() });
        self.fired.note(rule);
        Ok(())
    }

    fn unclaimed(&mut self, change: &Change, attr: AttrId) -> Step {
        match self.pair.unmapped {
            Unmapped::Drop => {}
            Unmapped::Reject => self.problems.push(unclaimed(self.mapping.idp.path(attr))),
            Unmapped::Pass => {
                let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
                let target = provider.translate(idp, attr, self.idp.root, self.provider.root);
                let place = match target.is_known() {
                    true => Place::Attribute(target),
                    false => Place::Unknown(idp.attr_path(attr).into()),
                };
                self.out.push(Change { place, ..change.clone() });
            }
        }
        Ok(())
    }

    fn translated(&self, attr: AttrId, filter: &Filter, sub: AttrId) -> Place {
        let (idp, provider) = (&self.mapping.idp, &self.mapping.provider);
        let target = provider.translate(idp, attr, self.idp.root, self.provider.root);
        if target.is_known() {
            let sub = if sub.is_known() { provider.lookup(target, idp.name(sub).as_bytes()) } else { sub };
            return Place::Elements { attr: target, filter: filter.clone(), sub };
        }
        let sub = sub.is_known().then(|| idp.name(sub).into());
        let attribute = AttrPath { sub, ..idp.attr_path(attr) };
        Place::Unknown(Path::Attribute { attribute, filter: Some(Box::new(filter.clone())) })
    }

    fn has_default(&self, to: &Spot) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(rule.source, Source::Default(_)) && rule.provider.as_ref() == Some(to))
    }
}

/// The rule's spots, when it writes to the provider on updates.
fn written(rule: &Rule) -> Option<(&Spot, &Spot)> {
    let writes = rule.update && rule.to_provider && !matches!(rule.source, Source::Drop);
    Some((rule.idp.as_ref()?, rule.provider.as_ref()?)).filter(|_| writes)
}

/// How the elements a filter selects relate to a slot's.
enum Overlap {
    /// They are never the same.
    None,
    /// They are the same.
    Same,
    /// It depends.
    Some,
}

fn overlap(slot: &Spot, filter: &Filter, vocabulary: &Vocabulary) -> Overlap {
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

/// The slot as a filter on elements.
pub(super) fn slot_filter(spot: &Spot, vocabulary: &Vocabulary) -> Filter {
    let each = |(sub, literal): &(AttrId, Literal)| {
        Filter::compare(AttrPath::new(vocabulary.name(*sub)), filter::Op::Eq, literal.clone())
    };
    Filter::and(spot.slot.iter().map(each).collect())
}
