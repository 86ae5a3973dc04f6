//! Groups of one rule that copies a value to where nothing else writes: most rules are such. What they write is
//! built without a look at what is there; it is what all rules would write in their way.

use super::Source;
use super::resource::{Notes, Way};
use super::spot::{Ambiguous, Spot};
use crate::document::{Document, Kind, NodeId, Taken, Word, Words};
use crate::filter::Literal;
use crate::schema::{AttrId, Takes, Vocabulary};

/// The plain groups of a direction.
#[derive(Debug, Default)]
pub(super) struct Plains {
    /// One entry for each group.
    groups: Vec<Option<Plain>>,
    /// What they write into, each behind the one that holds it; the first is the resource.
    holders: Vec<Holder>,
    words: Words,
}

/// Where a plain group's value becomes a member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    /// The number of the object.
    holder: usize,
    attr: AttrId,
    /// What the schema takes there.
    takes: Takes,
    /// Its name where the other side has another one.
    name: Option<Word>,
    /// Its name.
    own_name: Word,
    /// The rule's number.
    rule: usize,
    /// Where the value comes from.
    pub(super) from: AttrId,
    /// It is all that stands there, and passes as it is.
    as_it_is: bool,
}

/// An object or list that plain groups write into.
#[derive(Debug)]
struct Holder {
    /// The number of what holds it.
    above: usize,
    attr: AttrId,
    kind: Kind,
    /// Its name; nothing for elements and the resource.
    name: Option<Word>,
    /// The schema takes one there.
    taken: bool,
    /// What tells an element from others: members with their names and texts.
    slot: Vec<((AttrId, Takes), (Word, Word))>,
    /// Only plain groups write into it: it is not there before one of them has written.
    own: bool,
    /// The elements of a list are told apart by their type, and none says that it is primary.
    told_apart: bool,
}

/// The nodes of holders, once they are there.
pub(super) struct Held<'a> {
    plains: &'a Plains,
    nodes: Vec<Option<NodeId>>,
    /// Where the document has the words.
    taken: Taken,
}

impl Plains {
    pub(super) fn find(way: &Way<'_>) -> Self {
        let mut finder = Finder { way, spots: Vec::new(), elements: Vec::new(), plains: Self::default() };
        let to = |number| way.rules(number).next().and_then(|rule| way.to(rule));
        let count = way.groups().len();
        let spots: Vec<Option<&Spot>> = (0..count).map(to).collect();
        for (number, spot) in spots.iter().enumerate() {
            let Some(spot) = *spot else { continue };
            let others = spots.iter().enumerate().filter(|(other, _)| *other != number);
            let alone = others.filter_map(|(_, other)| *other).all(|other| is_apart(spot, other, way.to));
            finder.spots.push((spot, alone && is_member(spot, way.to) && way.copies(number)));
        }
        let root = way.to_type.root;
        finder.plains.holders.push(Holder::new(0, root, Kind::Object, None, true));
        let plain = |number| finder.plain(number);
        let groups = (0..count).map(plain).collect();
        Self { groups, ..finder.plains }
    }

    pub(super) fn of(&self, group: usize) -> Option<&Plain> {
        self.groups.get(group).and_then(Option::as_ref)
    }
}

impl Holder {
    const fn new(above: usize, attr: AttrId, kind: Kind, name: Option<Word>, own: bool) -> Self {
        Self { above, attr, kind, name, taken: true, slot: Vec::new(), own, told_apart: true }
    }
}

/// What plain groups are found with.
struct Finder<'a> {
    way: &'a Way<'a>,
    /// Where groups write, and which of them are plain.
    spots: Vec<(&'a Spot, bool)>,
    /// The elements among the holders.
    elements: Vec<(usize, &'a Spot)>,
    plains: Plains,
}

impl<'a> Finder<'a> {
    fn plain(&mut self, number: usize) -> Option<Plain> {
        let rule = self.way.rules(number).next()?;
        let (from, to) = (self.way.from(rule)?, self.way.to(rule)?);
        self.spots.iter().find(|(spot, plain)| *plain && spot.same(to))?;
        let name = self.way.to.name(to.leaf());
        let own_name = self.plains.words.add(name)?;
        let name = (self.way.from.name(from.leaf()) != name).then_some(own_name);
        let holder = match to.slot.is_empty() {
            true => self.container(self.way.to.attribute(to.attr).parent, Kind::Object)?,
            false => self.element(to)?,
        };
        let as_it_is = from.slot.is_empty() && rule.chain.is_empty();
        let takes = self.way.to.takes(to.leaf());
        Some(Plain {
            holder,
            attr: to.leaf(),
            takes,
            name,
            own_name,
            rule: rule.number,
            from: from.attr,
            as_it_is,
        })
    }

    /// The number of the object or list of an attribute.
    fn container(&mut self, attr: AttrId, kind: Kind) -> Option<usize> {
        let elements = self.elements.iter().map(|(number, _)| *number);
        let is_element = |number: usize| elements.clone().any(|element| element == number);
        let known = self.plains.holders.iter().enumerate();
        let mut known = known.filter(|(number, holder)| holder.attr == attr && !is_element(*number));
        if let Some((number, _)) = known.next() {
            return Some(number);
        }
        let side = self.way.to;
        let above = self.container(side.attribute(attr).parent, Kind::Object)?;
        let name = self.plains.words.add(side.name(attr))?;
        let own_above = self.plains.holders.get(above)?.own;
        let within: Vec<_> = self.spots.iter().filter(|(spot, _)| side.is_within(spot.attr, attr)).collect();
        let own = own_above && within.iter().all(|(spot, plain)| *plain && spot.slot.iter().all(is_text));
        let parts = side.parts(attr);
        let by_type = |spot: &Spot| matches!(&*spot.slot, [(sub, _)] if *sub == parts.kind);
        let told_apart = within.iter().all(|(spot, _)| by_type(spot) && spot.sub != parts.primary);
        let taken = side.takes(attr).has(kind);
        let holder = Holder { told_apart, taken, ..Holder::new(above, attr, kind, Some(name), own) };
        Some(self.push(holder))
    }

    /// The number of the element of a slot.
    fn element(&mut self, to: &'a Spot) -> Option<usize> {
        if let Some((number, _)) = self.elements.iter().find(|(_, other)| other.same_slot(to)) {
            return Some(*number);
        }
        let above = self.container(to.attr, Kind::Array)?;
        let own = self.plains.holders.get(above)?.own;
        let mut slot = Vec::new();
        for (sub, literal) in to.slot.iter().filter(|_| own) {
            let Literal::String(text) = literal else { return None };
            let words = &mut self.plains.words;
            let name = words.add(self.way.to.name(*sub))?;
            slot.push(((*sub, self.way.to.takes(*sub)), (name, words.add(text)?)));
        }
        let taken = self.way.to.takes_as_element(to.attr).has(Kind::Object);
        let element = Holder { slot, taken, ..Holder::new(above, to.attr, Kind::Object, None, own) };
        let number = self.push(element);
        self.elements.push((number, to));
        Some(number)
    }

    fn push(&mut self, holder: Holder) -> usize {
        self.plains.holders.push(holder);
        self.plains.holders.len() - 1
    }
}

/// True for the member of an object that can be made by what the spot says.
fn is_member(spot: &Spot, vocabulary: &Vocabulary) -> bool {
    let mut above = vocabulary.attribute(spot.attr).parent;
    while above.is_known() {
        if vocabulary.attribute(above).multi_valued {
            return false;
        }
        above = vocabulary.attribute(above).parent;
    }
    spot.slot.is_empty() || (spot.sub.is_known() && !asks(spot, spot.sub))
}

fn asks(spot: &Spot, sub: AttrId) -> bool {
    spot.slot.iter().any(|(asked, _)| *asked == sub)
}

const fn is_text((_, literal): &(AttrId, Literal)) -> bool {
    matches!(literal, Literal::String(_))
}

/// True when what is written to one spot has nothing to do with what is written to the other.
fn is_apart(a: &Spot, b: &Spot, vocabulary: &Vocabulary) -> bool {
    if !vocabulary.is_within(a.attr, b.attr) && !vocabulary.is_within(b.attr, a.attr) {
        return true;
    }
    let members = a.attr == b.attr && a.sub.is_known() && b.sub.is_known();
    let slots = !a.slot.is_empty() && !b.slot.is_empty() && !asks(a, b.sub) && !asks(b, a.sub);
    let excludes = |(sub, literal): &(AttrId, Literal)| {
        b.slot.iter().any(|(other, said)| other == sub && differ(literal, said))
    };
    members && slots && if a.same_slot(b) { a.sub != b.sub } else { a.slot.iter().any(excludes) }
}

/// True for literals of which no value is both.
fn differ(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::String(a), Literal::String(b)) => !a.eq_ignore_ascii_case(b),
        (Literal::True, Literal::False) | (Literal::False, Literal::True) => true,
        _ => false,
    }
}

impl<'a> Held<'a> {
    /// Nothing but the resource.
    pub(super) fn new(plains: &'a Plains, document: &mut Document, new: NodeId) -> Self {
        let mut nodes = vec![None; plains.holders.len()];
        if let Some(root) = nodes.first_mut() {
            *root = Some(new);
        }
        Self { plains, nodes, taken: document.take(&plains.words) }
    }

    /// A holder's node, made where it is missing.
    fn get(
        &mut self,
        number: usize,
        to: &Spot,
        document: &mut Document,
        new: NodeId,
        side: &Vocabulary,
    ) -> Result<NodeId, Ambiguous> {
        if let Some(Some(node)) = self.nodes.get(number) {
            return Ok(*node);
        }
        let plains = self.plains;
        let node = match plains.holders.get(number).filter(|holder| holder.own) {
            None => to.holder(document, new, side)?,
            Some(holder) => {
                let above = self.get(holder.above, to, document, new, side)?;
                let name = holder.name.map(|name| (name, self.taken));
                let node = document.build(above, (holder.kind, holder.attr, holder.taken), name);
                for (place, words) in &holder.slot {
                    document.build_text(node, *place, *words, self.taken);
                }
                node
            }
        };
        if let Some(place) = self.nodes.get_mut(number) {
            *place = Some(node);
        }
        Ok(node)
    }

    /// Spares the check of the whole a look at what was built of values that the schema takes.
    pub(super) fn settle(&self, document: &mut Document, side: &Vocabulary) {
        let built = self.plains.holders.iter().zip(&self.nodes).skip(1).rev();
        for (holder, node) in built {
            let Some(node) = node.filter(|_| holder.own) else { continue };
            let complete = match holder.kind {
                Kind::Object => side.required(holder.attr).all(|attr| document.member(node, attr).is_some()),
                _ => holder.told_apart,
            };
            document.settle(node, complete);
        }
    }
}

impl<'a> Way<'a> {
    /// True for a group of one rule that copies what there is, whatever else there is.
    fn copies(&self, group: usize) -> bool {
        let mut rules = self.rules(group);
        let (Some(rule), None) = (rules.next(), rules.next()) else { return false };
        let always = if self.to_provider { rule.create && rule.when.is_none() } else { !rule.is_guarded() };
        always && matches!(rule.source, Source::Copy) && self.from(rule).is_some()
    }

    /// Copies a single value that passes as it is to an object that is there; false where there is more to do.
    #[inline(always)]
    pub(super) fn copy_plain(
        &self,
        plain: &Plain,
        document: &mut Document,
        node: NodeId,
        held: &Held<'_>,
        notes: &mut Notes<'_>,
    ) -> bool {
        if !plain.as_it_is {
            return false;
        }
        let Some(Some(holder)) = held.nodes.get(plain.holder) else { return false };
        let name = plain.name.map(|name| (name, held.taken));
        let Some(after) = document.build_copy(*holder, (plain.attr, plain.takes), node, name) else {
            return false;
        };
        if let Some(rule) =
            notes.fired.wants_steps(plain.rule).then(|| self.pair.rules.get(plain.rule)).flatten()
        {
            notes.fired.step(rule, !self.to_provider, Some(node), Some(after));
        }
        true
    }

    /// Writes what a plain group's rule makes of the attribute in that node.
    #[inline(never)]
    pub(super) fn carry_plain(
        &self,
        plain: &Plain,
        document: &mut Document,
        (node, new, held): (NodeId, NodeId, &mut Held<'_>),
        notes: &mut Notes<'_>,
    ) {
        let Some(rule) = self.pair.rules.get(plain.rule) else { return };
        let (Some(from), Some(to)) = (self.from(rule), self.to(rule)) else { return };
        let place = (plain.attr, plain.takes);
        let single = |kind| matches!(kind, Kind::Bool(_) | Kind::Number | Kind::String);
        let (before, value) = if plain.as_it_is && single(document.kind(node)) {
            (node, node)
        } else {
            let Some(node) = self.said(rule, from, document, node, notes) else { return };
            let copies = rule.chain.is_empty() && single(document.kind(node));
            let carried = if copies { Some(node) } else { self.carried(rule, from, document, node, notes) };
            let Some(value) = carried else { return };
            (node, value)
        };
        let Ok(holder) = held.get(plain.holder, to, document, new, self.to) else {
            return notes.ambiguous(rule, to);
        };
        let name = plain.name.map(|name| (name, held.taken));
        let copy = if before == value { document.build_copy(holder, place, value, name) } else { None };
        let after = copy.unwrap_or_else(|| {
            document.bind(value, self.to, plain.attr);
            document.build_value(holder, place, value, (plain.own_name, held.taken));
            value
        });
        notes.fired.step(rule, !self.to_provider, Some(before), Some(after));
    }
}
