//! Resources through a mapping: `create`, `view` and `put`.

use super::index::{Group, Index};
use super::plain::Held;
use super::spot::Spot;
use super::transform::Unsayable;
use super::{Claim, Fired, Mapping, Pair, Rule, Source, Unmapped};
use crate::bits::Bits;
use crate::document::{Document, Kind, NodeId};
use crate::schema::{AttrId, Mutability, Problem, ProblemKind, ResourceType, Vocabulary, put_schemas};

/// One of the two directions: where from, where to, and which spot of a rule is which.
pub(super) struct Way<'a> {
    pub(super) pair: &'a Pair,
    pub(super) from: &'a Vocabulary,
    pub(super) to: &'a Vocabulary,
    pub(super) from_type: &'a ResourceType,
    pub(super) to_type: &'a ResourceType,
    pub(super) to_provider: bool,
}

impl<'a> Way<'a> {
    pub(super) fn from(&self, rule: &'a Rule) -> Option<&'a Spot> {
        if self.to_provider { rule.idp.as_ref() } else { rule.provider.as_ref() }
    }

    /// Where the rule writes in this direction.
    pub(super) fn to(&self, rule: &'a Rule) -> Option<&'a Spot> {
        match self.to_provider {
            true => rule.provider.as_ref().filter(|_| rule.to_provider),
            false => rule.idp.as_ref().filter(|_| rule.to_idp),
        }
    }

    /// The rules by the attributes where values come from, and where they go to.
    pub(super) fn index_from(&self) -> &'a Index {
        if self.to_provider { &self.pair.idp_index } else { &self.pair.provider_index }
    }

    fn index_to(&self) -> &'a Index {
        if self.to_provider { &self.pair.provider_index } else { &self.pair.idp_index }
    }

    fn claim_from(&self, attr: AttrId) -> Claim {
        self.index_from().claim(attr)
    }

    fn claim_to(&self, attr: AttrId) -> Claim {
        self.index_to().claim(attr)
    }
}

/// What happened on the way.
pub(crate) struct Notes<'a> {
    pub(crate) fired: &'a mut Fired,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Notes<'_> {
    pub(super) fn problem(&mut self, kind: ProblemKind, path: &str, message: String) {
        self.problems.push(Problem { kind, path: path.into(), message });
    }

    pub(super) fn ambiguous(&mut self, rule: &Rule, spot: &Spot) {
        self.problems.push(rule.problem(spot, AMBIGUOUS));
    }
}

impl Mapping {
    /// The provider's resource for a new resource of the IdP.
    pub(crate) fn create(
        &self,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        notes: &mut Notes<'_>,
    ) -> NodeId {
        let Some(way) = self.way(pair, true).filter(|_| !pair.identity) else { return root };
        let new = document.build_root();
        way.carry(document, root, new, notes, |rule| rule.create);
        way.pass(document, root, new, notes);
        put_schemas(document, new, way.to, way.to_type);
        new
    }

    /// The IdP's resource for one of the provider's. What cannot be said is left out.
    pub(crate) fn view(&self, pair: &Pair, document: &mut Document, root: NodeId) -> NodeId {
        self.view_noting(pair, document, root, &mut Fired::default())
    }

    /// The same, and which rules made it.
    pub(crate) fn view_noting(
        &self,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        fired: &mut Fired,
    ) -> NodeId {
        let Some(way) = self.way(pair, false).filter(|_| !pair.identity) else { return root };
        let mut problems = Vec::new();
        let notes = &mut Notes { fired, problems: &mut problems };
        let new = document.new_object();
        way.pass_fixed(document, root, new, way.from_type.id);
        let concerned = way.carry(document, root, new, notes, |rule| !rule.is_guarded());
        way.pass(document, root, new, notes);
        way.pass_fixed(document, root, new, way.from_type.meta);
        way.guarded(&concerned, document, root, new, notes);
        put_schemas(document, new, way.to, way.to_type);
        new
    }

    pub(super) fn way<'a>(&'a self, pair: &'a Pair, to_provider: bool) -> Option<Way<'a>> {
        let (idp, provider) = (self.idp_type(pair)?, self.provider_type(pair)?);
        let (from, to, from_type, to_type) = match to_provider {
            true => (&self.idp, &self.provider, idp, provider),
            false => (&self.provider, &self.idp, provider, idp),
        };
        Some(Way { pair, from, to, from_type, to_type, to_provider })
    }
}

impl<'a> Way<'a> {
    /// The rules of each of the groups, in order: the first that has a value wins.
    pub(super) fn targets(
        &self,
        groups: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = impl Iterator<Item = &'a Rule> + Clone> {
        let (pair, all) = (self.pair, self.groups());
        groups.filter_map(|number| all.get(number)).map(|group| pair.rules_of(group))
    }

    pub(super) fn groups(&self) -> &'a [Group] {
        if self.to_provider { &self.pair.to_provider } else { &self.pair.to_idp }
    }

    /// The rules of a group.
    pub(super) fn rules(&self, group: usize) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let (pair, group) = (self.pair, self.groups().get(group));
        group.into_iter().flat_map(|group| pair.rules_of(group))
    }

    /// Writes what the rules of each group say that are asked; which groups may have something to say.
    fn carry(
        &self,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        notes: &mut Notes<'_>,
        asked: impl Fn(&Rule) -> bool,
    ) -> Bits {
        let (concerned, survey) = self.index_from().survey(document, root);
        let pair = self.pair;
        let plains = if self.to_provider { &pair.plain_to_provider } else { &pair.plain_to_idp };
        let mut held = Held::new(plains, document, new);
        for group in concerned.iter() {
            match plains.of(group) {
                Some(plain) => {
                    let Some(node) = survey.get(plain.from) else { continue };
                    if !self.copy_plain(plain, document, node, &held, notes) {
                        self.carry_plain(plain, document, (node, new, &mut held), notes);
                    }
                }
                None => {
                    let rules = self.rules(group).filter(|rule| asked(rule));
                    self.carry_first(rules, document, root, new, notes);
                }
            }
        }
        held.settle(document, self.to);
        concerned
    }

    /// What is shown only where conditions hold in the rest of the view.
    fn guarded(
        &self,
        concerned: &Bits,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        notes: &mut Notes<'_>,
    ) {
        let holds = |rule: &Rule| rule.when.as_ref().is_none_or(|when| when.holds(document, new));
        let kept = |rule: &Rule| {
            let mut guards = rule.guards.iter().filter_map(|index| self.pair.rules.get(*index));
            guards.any(holds)
        };
        let shown = |rule: &&Rule| rule.is_guarded() && holds(rule) && !kept(rule);
        let groups = self.targets(concerned.iter());
        let rules: Vec<Vec<&Rule>> = groups.map(|rules| rules.filter(shown).collect()).collect();
        for rules in rules {
            let there =
                rules.first().and_then(|rule| rule.idp.as_ref()).map(|to| to.read(document, new, self.to));
            if matches!(there, Some(Ok(None))) {
                self.carry_first(rules.into_iter(), document, root, new, notes);
            }
        }
    }

    /// Writes the value of the first rule that has one; false when none has.
    pub(super) fn carry_first(
        &self,
        rules: impl Iterator<Item = &'a Rule>,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        notes: &mut Notes<'_>,
    ) -> bool {
        for rule in rules {
            let Some(to) = self.to(rule) else { continue };
            if self.to_provider && rule.when.as_ref().is_some_and(|when| !when.holds(document, root)) {
                continue;
            }
            let problems = notes.problems.len();
            if let Some((before, value)) = self.value(rule, document, root, notes) {
                document.bind(value, self.to, to.leaf());
                if to.write(document, new, self.to, value).is_err() {
                    notes.ambiguous(rule, to);
                }
                notes.fired.step(rule, !self.to_provider, before, Some(value));
                return true;
            }
            if notes.problems.len() > problems {
                return true;
            }
        }
        false
    }

    /// What a rule has to say, and what that was made from; nothing, or a problem is noted.
    fn value(
        &self,
        rule: &'a Rule,
        document: &mut Document,
        root: NodeId,
        notes: &mut Notes<'_>,
    ) -> Option<(Option<NodeId>, NodeId)> {
        match &rule.source {
            Source::Constant(literal) => self.to_provider.then(|| (None, document.new_literal(literal))),
            Source::Computed(template) | Source::Default(template) if self.to_provider => {
                let text = template.render(document, root, self.from)?;
                Some((None, document.new_string(&text)))
            }
            Source::Computed(_) | Source::Default(_) | Source::Drop => None,
            Source::Copy => {
                let from = self.from(rule)?;
                let node = self.from.find(document, root, from.attr)?;
                let node = self.said(rule, from, document, node, notes)?;
                Some((Some(node), self.carried(rule, from, document, node, notes)?))
            }
        }
    }

    /// What a rule's source says in the attribute's node; nothing, or a problem is noted.
    #[inline]
    pub(super) fn said(
        &self,
        rule: &Rule,
        from: &Spot,
        document: &Document,
        node: NodeId,
        notes: &mut Notes<'_>,
    ) -> Option<NodeId> {
        match from.read_in(document, node, self.from) {
            Ok(value) => value,
            // What the provider says twice the IdP sees once.
            Err(_) if !self.to_provider => from.read_first(document, node, self.from),
            Err(_) => {
                notes.ambiguous(rule, from);
                None
            }
        }
    }

    /// The value as the other side has it; nothing, or a problem is noted.
    pub(super) fn carried(
        &self,
        rule: &Rule,
        from: &Spot,
        document: &mut Document,
        node: NodeId,
        notes: &mut Notes<'_>,
    ) -> Option<NodeId> {
        rule.chain.carry(document, node, self.to, self.to_provider).unwrap_or_else(|Unsayable| {
            notes.problems.push(rule.problem(from, NO_VALUE));
            None
        })
    }

    /// Attributes that no rule claims, from one side to the other.
    pub(super) fn pass(&self, document: &mut Document, root: NodeId, new: NodeId, notes: &mut Notes<'_>) {
        let fixed = [self.from_type.id, self.from_type.meta, self.from_type.schemas];
        if self.pair.unmapped == Unmapped::Drop
            || (self.pair.unmapped == Unmapped::Reject && !self.to_provider)
        {
            return;
        }
        let members: Vec<NodeId> = document.children(root).collect();
        for member in members {
            let attr = document.attr(member);
            if !attr.is_known() || !fixed.contains(&attr) {
                self.pass_member(document, member, new, AttrId::UNKNOWN, notes);
            }
        }
    }

    /// One member; `above` is the attribute of the other side it belongs to, unknown for the resource itself.
    fn pass_member(
        &self,
        document: &mut Document,
        member: NodeId,
        new: NodeId,
        above: AttrId,
        notes: &mut Notes<'_>,
    ) {
        let attr = document.attr(member);
        let claim = if attr.is_known() { self.claim_from(attr) } else { Claim::No };
        let object = document.kind(member) == Kind::Object;
        match claim {
            Claim::Whole => {}
            Claim::Parts if object => {
                let target = self.target(attr);
                if !target.is_known() {
                    return self.pass_rest(document, member, new, above, notes);
                }
                let parts: Vec<NodeId> = document.children(member).collect();
                for part in parts {
                    self.pass_member(document, part, new, target, notes);
                }
            }
            Claim::Parts if document.is_unassigned(member) => {}
            Claim::Parts => {
                let held = |document: &Document, element: NodeId| self.held(document, element, attr, true);
                let rest: Vec<NodeId> =
                    document.elements(member).filter(|element| !held(document, *element)).collect();
                if !rest.is_empty() {
                    self.pass_value(document, member, Some(rest), new, above, notes);
                }
            }
            Claim::No => self.pass_value(document, member, None, new, above, notes),
        }
    }

    /// A complex value that the other side does not know, without the parts that rules claim.
    fn pass_rest(
        &self,
        document: &mut Document,
        member: NodeId,
        new: NodeId,
        above: AttrId,
        notes: &mut Notes<'_>,
    ) {
        let copy = document.copy(member);
        let parts: Vec<NodeId> = document.children(copy).collect();
        for part in parts {
            let attr = document.attr(part);
            if attr.is_known() && self.claim_from(attr) != Claim::No {
                document.remove(part);
            }
        }
        if document.first(copy).is_some() {
            self.pass_value(document, copy, None, new, above, notes);
        }
    }

    /// A value that no rule claims; for a list perhaps only some of its elements.
    fn pass_value(
        &self,
        document: &mut Document,
        member: NodeId,
        elements: Option<Vec<NodeId>>,
        new: NodeId,
        above: AttrId,
        notes: &mut Notes<'_>,
    ) {
        let attr = document.attr(member);
        match self.pair.unmapped {
            Unmapped::Pass => {}
            Unmapped::Reject if self.to_provider => {
                let path =
                    if attr.is_known() { self.from.path(attr) } else { "an attribute outside the schema" };
                return notes.problems.push(unclaimed(path));
            }
            Unmapped::Drop | Unmapped::Reject => return,
        }
        let target = match attr.is_known() {
            true => self.target(attr),
            false => {
                let parent = if above.is_known() { above } else { self.to_type.root };
                self.to.lookup(parent, document.key(member).as_bytes())
            }
        };
        if !target.is_known() {
            let Some(elements) = elements else { return self.pass_unknown(document, member, new, above) };
            let list = document.new_array();
            let key = document.key(member).into_owned();
            document.set_key(list, &key);
            for element in elements {
                let copy = document.copy(element);
                document.append(list, copy);
            }
            return self.pass_unknown(document, list, new, above);
        }
        match self.claim_to(target) {
            Claim::Whole => self.overruled(target, notes),
            Claim::Parts if document.kind(member) == Kind::Object => {
                let parts: Vec<NodeId> = document.children(member).collect();
                for part in parts {
                    self.pass_value(document, part, None, new, target, notes);
                }
            }
            claim => {
                let list = match elements {
                    Some(elements) => elements,
                    None if claim == Claim::Parts => document.elements(member).collect(),
                    None => {
                        let copy = document.copy(member);
                        document.bind(copy, self.to, target);
                        return self.to.place(document, new, target, copy);
                    }
                };
                self.append(document, list, target, new, notes);
            }
        }
    }

    /// Adds elements to a list that rules may have written to.
    fn append(
        &self,
        document: &mut Document,
        elements: Vec<NodeId>,
        target: AttrId,
        new: NodeId,
        notes: &mut Notes<'_>,
    ) {
        let list = self.to.list(document, new, target);
        for element in elements {
            let copy = document.copy(element);
            document.bind(copy, self.to, target);
            if self.held(document, copy, target, false) {
                self.overruled(target, notes);
            } else {
                document.append(list, copy);
            }
        }
    }

    fn overruled(&self, target: AttrId, notes: &mut Notes<'_>) {
        if self.to_provider {
            let message = "is written by a rule and cannot be passed; map it, or say `drop: true` for it";
            notes.problem(ProblemKind::Value, self.to.path(target), message.into());
        }
    }

    /// An attribute that neither schema has, under its own name.
    fn pass_unknown(&self, document: &mut Document, member: NodeId, new: NodeId, above: AttrId) {
        let copy = document.copy(member);
        document.bind(copy, self.to, AttrId::UNKNOWN);
        let holder = match above.is_known() {
            false => new,
            true => match self.to.find(document, new, above) {
                Some(found) => found,
                None => {
                    let object = document.new_object();
                    self.to.place(document, new, above, object);
                    self.to.find(document, new, above).unwrap_or(object)
                }
            },
        };
        // Names are unique on each side, and what was there before was stripped.
        if document.kind(holder) == Kind::Object {
            document.append(holder, copy);
        }
    }

    /// Before `pass` writes into an old resource: what the IdP sees of it by passing is taken out, so that
    /// nothing of that stays which the IdP has left out. What it cannot see is kept.
    pub(super) fn strip(&self, document: &mut Document, node: NodeId) {
        let members: Vec<NodeId> = document.children(node).collect();
        for member in members {
            let attr = document.attr(member);
            let fixed =
                attr == self.to_type.schemas || self.to.attribute(attr).mutability == Mutability::ReadOnly;
            let seen_as = self.index_to().same(attr);
            let claim = |known: bool, claim: &dyn Fn() -> Claim| if known { claim() } else { Claim::No };
            let here = claim(attr.is_known(), &|| self.claim_to(attr));
            let there = claim(seen_as.is_known(), &|| self.claim_from(seen_as));
            match (here, there) {
                _ if fixed => {}
                (Claim::Whole, _) | (_, Claim::Whole) => {}
                (Claim::No, Claim::No) => document.remove(member),
                _ if document.kind(member) == Kind::Object => self.strip(document, member),
                _ => {
                    let elements: Vec<NodeId> = document.elements(member).collect();
                    for element in elements {
                        let view = document.copy(element);
                        document.bind(view, self.from, seen_as);
                        let hidden = self.held(document, element, attr, false)
                            || self.held(document, view, seen_as, true);
                        if !hidden {
                            document.remove(element);
                        }
                    }
                    if document.first(member).is_none() {
                        document.remove(member);
                    }
                }
            }
        }
    }

    /// True when a slot of a rule holds the element.
    fn held(&self, document: &Document, element: NodeId, attr: AttrId, from: bool) -> bool {
        self.holding(document, element, attr, from).next().is_some()
    }

    /// The rules whose slots hold the element.
    pub(super) fn holding(
        &self,
        document: &Document,
        element: NodeId,
        attr: AttrId,
        from: bool,
    ) -> impl Iterator<Item = &'a Rule> {
        let idp = from == self.to_provider;
        let (vocabulary, index) = match from {
            true => (self.from, self.index_from()),
            false => (self.to, self.index_to()),
        };
        index.rules_in(self.pair, attr).filter(move |rule| {
            let spot = if idp { rule.idp.as_ref() } else { rule.provider.as_ref() };
            spot.is_some_and(|spot| {
                spot.attr == attr && !spot.slot.is_empty() && spot.holds(document, element, vocabulary)
            })
        })
    }

    fn target(&self, attr: AttrId) -> AttrId {
        self.index_from().same(attr)
    }

    fn pass_fixed(&self, document: &mut Document, root: NodeId, new: NodeId, attr: AttrId) {
        if let Some(node) = document.member(root, attr) {
            let (copy, target) = (document.copy(node), self.target(attr));
            document.bind(copy, self.to, target);
            self.to.place(document, new, target, copy);
        }
    }
}

impl Rule {
    pub(super) fn problem(&self, spot: &Spot, message: &str) -> Problem {
        Problem {
            kind: ProblemKind::Value,
            path: spot.path.to_string(),
            message: format!("{message} ({})", self.name),
        }
    }
}

pub(super) fn unclaimed(path: &str) -> Problem {
    Problem {
        kind: ProblemKind::Value,
        path: path.into(),
        message: "is not mapped and the route says `unmapped: reject`".into(),
    }
}

pub(super) const AMBIGUOUS: &str = "has several elements that fit, and none is primary";
pub(super) const NO_VALUE: &str = "has a value that the rule cannot carry";
