//! What a provider can do with resources of one type, compiled: paths are attributes, filters are bound.

use crate::config::{self, Part, Problems, Route};
use crate::delta::{Change, Op, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{Binder, Bound, Filter, Syntax};
use crate::mapping::{Mapping, Pair};
use crate::path::AttrPath;
use crate::profile::{Capability, Case, Effect, PatchFacts, Readable, Verb, Way, WriteFacts};
use crate::repair::{Repaired, Repairs};
use crate::schema::{AttrId, ResourceType, Type, Vocabulary};

/// What a provider can do with resources of one type.
#[derive(Debug, Default)]
pub(crate) struct Ability {
    verbs: Vec<Verb>,
    /// How it takes PATCH.
    pub(crate) patch: PatchFacts,
    /// How much of a resource it shows.
    pub(crate) readable: Readable,
    /// It takes no parts of values beside those that its schema has.
    pub(crate) closed: bool,
    /// How many elements lists may have.
    pub(crate) limits: Vec<(AttrId, usize)>,
    /// How it writes values that it was sent.
    pub(crate) case: Vec<(AttrId, Case)>,
    /// Words that stand where there is no value.
    placeholders: Vec<(AttrId, Box<str>)>,
    /// Attributes of the IdP's side whose values the provider writes otherwise.
    pub(crate) respelt: Vec<AttrId>,
    /// What says whether a user is active; unknown where resources are no users.
    pub(crate) active: AttrId,
    /// The members of a group; unknown where resources are no groups.
    pub(crate) members: AttrId,
    /// What else gives access: `entitlements` and `roles` of a user.
    grants: [AttrId; 2],
    user: bool,
    /// What a deactivation does.
    pub(crate) deactivation: Effect,
    /// What DELETE does.
    pub(crate) deletion: Effect,
    lacks: Vec<Lack>,
    /// The attribute of the IdP's side for members that reach the provider and are not shown by it; unknown where
    /// there is none.
    pub(crate) hidden: AttrId,
    /// How the members of a group are found that are not shown.
    pub(crate) memberships: Option<Memberships>,
    /// Users that are never deactivated or deleted.
    never: Option<Never>,
}

/// A query for the members of a group.
#[derive(Debug)]
pub(crate) struct Memberships {
    /// The endpoint of those who may be members.
    pub(crate) endpoint: Box<str>,
    /// The context of a list of them, and their `id`.
    pub(crate) list: AttrId,
    pub(crate) id: AttrId,
    /// What is asked for, by the group's id.
    pub(crate) by: AttrPath,
}

/// Users that are never deactivated or deleted.
#[derive(Debug)]
struct Never {
    filter: Bound,
    /// What they are known by: changing it would take the protection away.
    attrs: Vec<AttrId>,
}

/// A capability that the provider lacks, or the route does not use.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(crate) capability: Capability,
    /// The route says so.
    pub(crate) own: bool,
    pub(crate) way: Way,
    pub(crate) why: String,
    /// Only of resources in this state.
    pub(crate) when: Option<Bound>,
}

impl Ability {
    /// Compiles what a profile, and `unsupported` of the route before it, say of the provider's type of a pair.
    pub(crate) fn new(
        facts: &WriteFacts,
        route: &Route,
        mapping: &Mapping,
        pair: &Pair,
        problems: &Problems<'_>,
    ) -> Self {
        let Some(of) = mapping.provider_type(pair) else { return Self::default() };
        let vocabulary = &mapping.provider;
        let verbs = [Verb::Create, Verb::Read, Verb::List, Verb::Replace, Verb::Patch, Verb::Delete];
        let lookup = |name: &str| vocabulary.lookup(of.root, name.as_bytes());
        let user = lookup("userName").is_known();
        let active = mapping.idp_type(pair).map_or(AttrId::UNKNOWN, |idp| {
            let active = mapping.idp.lookup(idp.root, b"active");
            let path = mapping.carried_to(pair, active).filter(|_| active.is_known());
            path.map_or_else(|| lookup("active"), |path| vocabulary.resolve(of, &path))
        });
        let readable = facts.readable(&of.name);
        let hidden = mapping.idp_type(pair).filter(|_| readable == Readable::Partial);
        let hidden = hidden.map(|idp| mapping.idp.lookup(idp.root, b"members"));
        let hidden = hidden.filter(|attr| attr.is_known() && mapping.carried_to(pair, *attr).is_some());
        let mut lacks: Vec<Lack> = Vec::new();
        let own = route.unsupported.iter().map(|each| (true, each));
        for (own, each) in own.chain(facts.unsupported.iter().map(|each| (false, each))) {
            let known = lacks.iter().any(|lack| lack.capability == each.capability && lack.when.is_none());
            if known || each.capability.of_user() != user {
                continue;
            }
            let when = match &each.when {
                None => None,
                Some(part) => match bound(part, vocabulary, of, problems) {
                    Some(when) => Some(when),
                    None => continue,
                },
            };
            let (capability, way, why) = (each.capability, each.way, each.why.clone());
            lacks.push(Lack { capability, own, way, why, when });
        }
        let never = route.never.as_ref().filter(|_| user).and_then(|part| {
            let filter = bound(part, vocabulary, of, problems)?;
            let mut attrs = Vec::new();
            filter.to_filter(vocabulary).visit_paths(&mut |list, path| {
                if list.is_none() {
                    attrs.push(vocabulary.resolve(of, path));
                }
            });
            Some(Never { filter, attrs })
        });
        let case = resolved(&facts.case, vocabulary, of);
        Self {
            verbs: verbs.into_iter().filter(|verb| facts.can(&of.name, *verb)).collect(),
            patch: facts.patch.clone(),
            readable,
            closed: pair.drops() && !pair.identity,
            limits: resolved(&facts.limits, vocabulary, of),
            respelt: respelt(&case, mapping, pair, of),
            case,
            placeholders: resolved(&facts.placeholders, vocabulary, of),
            active: if user { active } else { AttrId::UNKNOWN },
            members: lookup("members"),
            grants: [lookup("entitlements"), lookup("roles")],
            user,
            deactivation: facts.deactivation,
            deletion: facts.deletion,
            lacks,
            hidden: hidden.unwrap_or(AttrId::UNKNOWN),
            memberships: memberships(facts, vocabulary, of, problems),
            never,
        }
    }

    /// True where words stand that are no values.
    pub(crate) const fn has_placeholders(&self) -> bool {
        !self.placeholders.is_empty()
    }

    /// Takes the words out of a resource that stand where there is no value.
    pub(crate) fn take_placeholders(
        &self,
        document: &mut Document,
        resource: NodeId,
        vocabulary: &Vocabulary,
    ) {
        for (attr, word) in &self.placeholders {
            let node = vocabulary.find(document, resource, *attr);
            if let Some(node) = node.filter(|node| document.string(*node).is_some_and(|text| *text == **word))
            {
                document.remove(node);
            }
        }
    }

    /// True when the provider has the operation.
    pub(crate) fn can(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb)
    }

    /// True for users.
    pub(crate) const fn is_user(&self) -> bool {
        self.user
    }

    /// How many elements a list may have.
    pub(crate) fn limit(&self, attr: AttrId) -> Option<usize> {
        self.limits.iter().find(|(limited, _)| *limited == attr).map(|(_, most)| *most)
    }

    /// What of a capability the provider lacks.
    pub(crate) fn lacks(&self, capability: Capability) -> impl Iterator<Item = &Lack> {
        self.lacks.iter().filter(move |lack| lack.capability == capability)
    }

    /// True where the state of a resource decides what may be done to it.
    pub(crate) fn depends(&self, capability: Capability) -> bool {
        self.lacks(capability).any(|lack| lack.when.is_some())
    }

    /// True where some users are never deactivated or deleted.
    pub(crate) const fn protects(&self) -> bool {
        self.never.is_some()
    }

    /// True for the state of a user that is never deactivated or deleted.
    pub(crate) fn is_protected(&self, document: &Document, root: NodeId) -> bool {
        self.never.as_ref().is_some_and(|never| never.filter.matches(document, root))
    }

    /// True for a change that such a user must not see: it makes inactive, or touches what the user is known by.
    pub(crate) fn is_kept_from(&self, change: &Change, document: &Document, vocabulary: &Vocabulary) -> bool {
        let attr = match &change.place {
            Place::Attribute(attr) | Place::Elements { attr, .. } => *attr,
            Place::Unknown(_) => return false,
        };
        let touches =
            |known: &AttrId| vocabulary.is_within(attr, *known) || vocabulary.is_within(*known, attr);
        self.never.as_ref().is_some_and(|never| never.attrs.iter().any(touches))
            || self.deactivates(change, document, vocabulary)
    }

    /// True when a change to resources of this type may be none of the provider's.
    pub(crate) fn lacks_any_change(&self) -> bool {
        self.lacks
            .iter()
            .any(|lack| !matches!(lack.capability, Capability::UserCreate | Capability::GroupCreate))
    }

    /// What a change of the provider's resource needs the provider to be capable of.
    pub(crate) fn needs(
        &self,
        change: &Change,
        document: &Document,
        vocabulary: &Vocabulary,
    ) -> Vec<Capability> {
        let attr = match &change.place {
            Place::Attribute(attr) | Place::Elements { attr, .. } => *attr,
            Place::Unknown(_) => AttrId::UNKNOWN,
        };
        let within = |of: AttrId| of.is_known() && vocabulary.is_within(attr, of);
        if within(self.active) {
            let on = change.value.is_some_and(|value| document.kind(value) == Kind::Bool(true));
            return vec![if on { Capability::UserReactivate } else { Capability::UserDeactivate }];
        }
        if within(self.members) {
            return match (&change.place, change.op) {
                (Place::Elements { sub, .. }, _) if sub.is_known() => vec![Capability::GroupUpdate],
                (_, Op::Add) => vec![Capability::MembersAdd],
                (_, Op::Remove) => vec![Capability::MembersRemove],
                (_, Op::Replace) => vec![Capability::MembersRemove, Capability::MembersAdd],
            };
        }
        match (self.grants.into_iter().any(within), self.user) {
            (true, true) => vec![Capability::Entitlements],
            (_, true) => vec![Capability::UserUpdate],
            _ => vec![Capability::GroupUpdate],
        }
    }

    /// True for a change that makes a user inactive. Where the attribute is no boolean, any value may do so.
    pub(crate) fn deactivates(&self, change: &Change, document: &Document, vocabulary: &Vocabulary) -> bool {
        let Place::Attribute(attr) = change.place else { return false };
        let boolean = vocabulary.attribute(self.active).kind == Type::Boolean;
        let on = change.value.is_some_and(|value| document.kind(value) == Kind::Bool(true));
        self.active.is_known() && attr == self.active && !(boolean && on)
    }

    /// True for a whole resource of an inactive user.
    pub(crate) fn is_inactive(&self, document: &Document, root: NodeId, vocabulary: &Vocabulary) -> bool {
        let active = vocabulary.find(document, root, self.active).filter(|_| self.active.is_known());
        active.is_some_and(|active| document.kind(active) == Kind::Bool(false))
    }
}

/// Reads and binds a filter of the provider's; what is wrong with it is reported.
pub(crate) fn bound(
    part: &Part,
    vocabulary: &Vocabulary,
    of: &ResourceType,
    problems: &Problems<'_>,
) -> Option<Bound> {
    let item = part.item(problems);
    let known = |uri: &str| vocabulary.knows_schema(uri);
    let said = match Filter::parse(item.text()?, &Syntax::strict(&known)) {
        Err(error) => error.to_string(),
        Ok((filter, _)) => {
            let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
            let repaired = &mut repaired;
            let mut binder = Binder { vocabulary, repairs: &repairs, repaired, refuse_unknown: true };
            match binder.resource(&filter, of) {
                Ok(bound) => return Some(bound),
                Err(error) => error.to_string(),
            }
        }
    };
    item.error(config::WRITING, said, "write a filter of the provider's attributes, as `userName eq \"x\"`");
    None
}

/// Reports the paths of a profile that are in the schema of none of its types.
pub(crate) fn check_paths(facts: &WriteFacts, vocabulary: &Vocabulary, problems: &Problems<'_>) {
    let paths = facts.limits.iter().map(|(part, _)| part);
    let paths = paths.chain(facts.case.iter().map(|(part, _)| part));
    let paths = paths.chain(facts.placeholders.iter().map(|(part, _)| part));
    for part in paths {
        let text = part.value.as_str().unwrap_or_default();
        if !vocabulary.types().iter().any(|of| attribute(text, vocabulary, of).is_known()) {
            let message = format!("no schema of the profile has an attribute `{text}`");
            part.item(problems).error(config::WRITING, message, "write the path of an attribute");
        }
    }
}

/// How the members of groups of a type are found.
fn memberships(
    facts: &WriteFacts,
    vocabulary: &Vocabulary,
    of: &ResourceType,
    problems: &Problems<'_>,
) -> Option<Memberships> {
    let (_, (name, part)) = facts.memberships.iter().find(|(name, _)| **name == *of.name)?;
    let item = part.item(problems);
    let Some(member) = vocabulary.type_named(name) else {
        item.error(
            config::BAD_VALUE,
            format!("there is no resource type `{name}`"),
            "name one of the profile's",
        );
        return None;
    };
    let path = AttrPath::parse(item.text()?, &|uri| vocabulary.knows_schema(uri)).ok();
    let Some(by) = path.filter(|path| vocabulary.resolve(member, path).is_known()) else {
        let message = format!("a {name} has no attribute that is called this");
        item.error(config::WRITING, message, "write the path of an attribute, as `groups.value`");
        return None;
    };
    Some(Memberships { endpoint: member.endpoint.clone(), list: member.list, id: member.id, by })
}

/// The IdP's attributes that these of the provider are for.
fn respelt(case: &[(AttrId, Case)], mapping: &Mapping, pair: &Pair, of: &ResourceType) -> Vec<AttrId> {
    let Some(idp) = mapping.idp_type(pair) else { return Vec::new() };
    let folded = |attr: &AttrId| {
        let path = mapping.path(pair, *attr);
        let to = path.map(|path| mapping.provider.resolve(of, &path));
        to.is_some_and(|to| case.iter().any(|(folded, _)| *folded == to))
    };
    mapping.idp.children(idp.root).filter(folded).collect()
}

fn resolved<T: Clone>(facts: &[(Part, T)], vocabulary: &Vocabulary, of: &ResourceType) -> Vec<(AttrId, T)> {
    let one = |(part, fact): &(Part, T)| {
        let attr = attribute(part.value.as_str()?, vocabulary, of);
        attr.is_known().then(|| (attr, fact.clone()))
    };
    facts.iter().filter_map(one).collect()
}

fn attribute(text: &str, vocabulary: &Vocabulary, of: &ResourceType) -> AttrId {
    let path = AttrPath::parse(text, &|uri| vocabulary.knows_schema(uri));
    path.map_or(AttrId::UNKNOWN, |path| vocabulary.resolve(of, &path))
}
