//! Resources through a mapping: `create`, `view` and `put`.

use super::spot::Spot;
use super::{Claim, Fired, Mapping, Pair, Rule, Source, Unmapped};
use crate::document::{Document, Kind, NodeId};
use crate::schema::{AttrId, Mutability, Problem, ProblemKind, ResourceType, Vocabulary, schemas_in_use};

/// One of the two directions: where from, where to, and which spot of a rule is which.
struct Way<'a> {
    from: &'a Vocabulary,
    to: &'a Vocabulary,
    from_type: &'a ResourceType,
    to_type: &'a ResourceType,
    to_provider: bool,
}

impl<'a> Way<'a> {
    fn spots(&self, rule: &'a Rule) -> (Option<&'a Spot>, Option<&'a Spot>) {
        match self.to_provider {
            true => (rule.idp.as_ref(), rule.provider.as_ref().filter(|_| rule.to_provider)),
            false => (rule.provider.as_ref(), rule.idp.as_ref().filter(|_| rule.to_idp)),
        }
    }
}

impl Mapping {
    /// The provider's resource for a new resource of the IdP.
    pub(crate) fn create(
        &self,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        fired: &mut Fired,
        problems: &mut Vec<Problem>,
    ) -> NodeId {
        if pair.identity {
            return root;
        }
        let Some(way) = self.way(pair, true) else { return root };
        let new = document.new_object();
        for rule in pair.rules.iter().filter(|rule| rule.create) {
            self.carry(&way, rule, document, root, new, fired, problems);
        }
        self.pass(&way, pair, document, root, new, problems);
        self.defaults(&way, pair, document, root, new, fired);
        put_schemas(&way, document, new);
        new
    }

    /// The IdP's resource for one of the provider's. What cannot be said is left out.
    pub(crate) fn view(&self, pair: &Pair, document: &mut Document, root: NodeId) -> NodeId {
        if pair.identity {
            return root;
        }
        let Some(way) = self.way(pair, false) else { return root };
        let new = document.new_object();
        self.pass_one(&way, document, root, new, "id");
        let mut problems = Vec::new();
        for rule in pair.rules.iter().filter(|rule| rule.to_idp) {
            self.carry(&way, rule, document, root, new, &mut Fired::default(), &mut problems);
        }
        self.pass(&way, pair, document, root, new, &mut problems);
        self.pass_one(&way, document, root, new, "meta");
        put_schemas(&way, document, new);
        new
    }

    /// The provider's resource `old` with everything the IdP's resource says: what the IdP cannot see stays.
    pub(crate) fn put(
        &self,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        old: NodeId,
        fired: &mut Fired,
        problems: &mut Vec<Problem>,
    ) -> NodeId {
        let Some(way) = self.way(pair, true) else { return old };
        let new = document.copy(old);
        for rule in pair.rules.iter().filter(|rule| rule.update && rule.to_provider) {
            let (from, to) = way.spots(rule);
            let absent = from.is_some_and(|from| matches!(from.read(document, root, way.from), Ok(None)));
            match to {
                Some(to) if absent => to.clear(document, new, way.to),
                _ => self.carry(&way, rule, document, root, new, fired, problems),
            }
        }
        if pair.unmapped != Unmapped::Drop {
            self.clear_passed(&way, pair, document, root, new);
        }
        self.pass(&way, pair, document, root, new, problems);
        self.defaults(&way, pair, document, root, new, fired);
        put_schemas(&way, document, new);
        new
    }

    /// One rule's value from one side to the other.
    #[expect(clippy::too_many_arguments, reason = "both documents are one; a struct would only rename this")]
    fn carry(
        &self,
        way: &Way<'_>,
        rule: &Rule,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        fired: &mut Fired,
        problems: &mut Vec<Problem>,
    ) {
        let (from, to) = way.spots(rule);
        let Some(to) = to else { return };
        let value = match &rule.source {
            Source::Constant(literal) if way.to_provider => Some(document.new_literal(literal)),
            Source::Constant(_) | Source::Drop | Source::Default(_) => None,
            Source::Copy | Source::Values { .. } => {
                let Some(from) = from else { return };
                match from.read(document, root, way.from) {
                    Ok(Some(node)) => self.value(way, rule, from, document, node, problems),
                    Ok(None) => None,
                    Err(_) => {
                        problems
                            .push(rule.problem(from, "has several elements that fit, and none is primary"));
                        None
                    }
                }
            }
        };
        if let Some(value) = value {
            // The first rule that assigns wins.
            if way.to_provider || matches!(to.read(document, new, way.to), Ok(None)) {
                document.bind(value, way.to, to.leaf());
                to.write(document, new, way.to, value);
                fired.note(rule);
            }
        }
    }

    fn value(
        &self,
        way: &Way<'_>,
        rule: &Rule,
        from: &Spot,
        document: &mut Document,
        node: NodeId,
        problems: &mut Vec<Problem>,
    ) -> Option<NodeId> {
        let Source::Values { pairs, other } = &rule.source else { return Some(document.copy(node)) };
        let text = document.string(node)?.into_owned();
        let found = pairs.iter().find_map(|(idp, provider)| match way.to_provider {
            true => idp.eq_ignore_ascii_case(&text).then_some(provider),
            false => provider.eq_ignore_ascii_case(&text).then_some(idp),
        });
        match found.or(other.as_ref().filter(|_| way.to_provider)) {
            Some(word) => {
                let word = word.clone();
                Some(document.new_string(&word))
            }
            None => {
                problems.push(rule.problem(from, "has a value that the rule's `values` do not have"));
                None
            }
        }
    }

    /// Attributes that no rule claims.
    fn pass(
        &self,
        way: &Way<'_>,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        problems: &mut Vec<Problem>,
    ) {
        let members: Vec<NodeId> = document.children(root).collect();
        for member in members {
            let attr = document.attr(member);
            let fixed = [way.from_type.id, way.from_type.meta, way.from_type.schemas].contains(&attr);
            if attr.is_known() && fixed {
                continue;
            }
            self.pass_member(way, pair, document, member, new, problems);
        }
    }

    fn pass_member(
        &self,
        way: &Way<'_>,
        pair: &Pair,
        document: &mut Document,
        member: NodeId,
        new: NodeId,
        problems: &mut Vec<Problem>,
    ) {
        let attr = document.attr(member);
        let claim = match attr.is_known() {
            true => pair.claim(way.from, attr, |rule| way.spots(rule).0),
            false => Claim::No,
        };
        match (claim, pair.unmapped) {
            (Claim::Whole, _) | (_, Unmapped::Drop) => {}
            (Claim::Parts, _) if document.kind(member) == Kind::Object => {
                let parts: Vec<NodeId> = document.children(member).collect();
                for part in parts {
                    self.pass_member(way, pair, document, part, new, problems);
                }
            }
            (Claim::Parts, unmapped) => {
                let claimed = |document: &Document, element: NodeId| {
                    pair.rules.iter().filter_map(|rule| way.spots(rule).0).any(|spot| {
                        spot.attr == attr && !spot.slot.is_empty() && spot.holds(document, element, way.from)
                    })
                };
                let rest: Vec<NodeId> =
                    document.elements(member).filter(|element| !claimed(document, *element)).collect();
                if rest.is_empty() {
                    return;
                }
                if unmapped == Unmapped::Reject && way.to_provider {
                    return problems.push(unclaimed(way.from.path(attr)));
                }
                let list = document.new_array();
                for element in rest {
                    let copy = document.copy(element);
                    document.append(list, copy);
                }
                self.place(way, document, attr, list, new);
            }
            (Claim::No, Unmapped::Reject) if way.to_provider => {
                let path =
                    if attr.is_known() { way.from.path(attr) } else { "an attribute outside the schema" };
                problems.push(unclaimed(path));
            }
            (Claim::No, _) => {
                let copy = document.copy(member);
                if attr.is_known() {
                    self.place(way, document, attr, copy, new);
                } else if document.member_named(new, &document.key(member)).is_none() {
                    document.append(new, copy);
                }
            }
        }
    }

    /// Puts a passed value where the other side has the attribute of that name, or under its name.
    fn place(&self, way: &Way<'_>, document: &mut Document, attr: AttrId, value: NodeId, new: NodeId) {
        let target = way.to.translate(way.from, attr, way.from_type.root, way.to_type.root);
        if target.is_known() {
            document.bind(value, way.to, target);
            return way.to.place(document, new, target, value);
        }
        let name = way.from.name(attr).to_owned();
        if document.member_named(new, &name).is_none() {
            document.set_key(value, &name);
            document.append(new, value);
        }
    }

    fn pass_one(&self, way: &Way<'_>, document: &mut Document, root: NodeId, new: NodeId, name: &str) {
        let attr = way.from.lookup(way.from_type.root, name.as_bytes());
        if let Some(node) = document.member(root, attr) {
            let copy = document.copy(node);
            self.place(way, document, attr, copy, new);
        }
    }

    /// For `put`: attributes the IdP can see and has left out are cleared.
    fn clear_passed(&self, way: &Way<'_>, pair: &Pair, document: &mut Document, root: NodeId, new: NodeId) {
        let members: Vec<NodeId> = document.children(new).collect();
        for member in members {
            let attr = document.attr(member);
            let fixed =
                attr == way.to_type.schemas || way.to.attribute(attr).mutability == Mutability::ReadOnly;
            let claim = match attr.is_known() {
                true => pair.claim(way.to, attr, |rule| rule.provider.as_ref()),
                false => Claim::No,
            };
            let here = document.member_named(root, &document.key(member)).is_some();
            if !fixed && claim == Claim::No && !here {
                document.remove(member);
            }
        }
    }

    fn defaults(
        &self,
        way: &Way<'_>,
        pair: &Pair,
        document: &mut Document,
        root: NodeId,
        new: NodeId,
        fired: &mut Fired,
    ) {
        for rule in &pair.rules {
            let (Source::Default(template), Some(to)) = (&rule.source, &rule.provider) else { continue };
            if !matches!(to.read(document, new, way.to), Ok(None)) {
                continue;
            }
            if let Some(text) = template.render(document, root, way.from) {
                let value = document.new_string(&text);
                to.write(document, new, way.to, value);
                fired.note(rule);
            }
        }
    }

    fn way(&self, pair: &Pair, to_provider: bool) -> Option<Way<'_>> {
        let (idp, provider) = (self.idp_type(pair)?, self.provider_type(pair)?);
        Some(match to_provider {
            true => {
                Way { from: &self.idp, to: &self.provider, from_type: idp, to_type: provider, to_provider }
            }
            false => {
                Way { from: &self.provider, to: &self.idp, from_type: provider, to_type: idp, to_provider }
            }
        })
    }
}

impl Rule {
    pub(super) fn problem(&self, spot: &Spot, message: &str) -> Problem {
        Problem {
            kind: ProblemKind::Value,
            path: spot.path.clone(),
            message: format!("{message} ({})", self.name),
        }
    }
}

/// `schemas` follows from the data: first in the resource.
fn put_schemas(way: &Way<'_>, document: &mut Document, root: NodeId) {
    let uris = schemas_in_use(document, root, way.to, way.to_type);
    let list = document.new_array();
    for uri in uris {
        let uri = document.new_string(&uri);
        document.append(list, uri);
    }
    match document.member(root, way.to_type.schemas) {
        Some(node) => document.assign(node, list),
        None => {
            document.set_key(list, "schemas");
            document.set_attr(list, way.to_type.schemas);
            document.prepend(root, list);
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
