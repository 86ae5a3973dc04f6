//! What works between an IdP and a provider: what the one uses, the other can do, or the gateway makes up for.

use serde_json::Value;

use super::Profile;
use super::capability::{Capability, Support, Use, Way};
use super::write::{Effect, Readable, Verb};
use crate::schema::TypeSource;

/// How a capability works between two products.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// As it is meant.
    Supported,
    /// By other calls of the gateway.
    Emulated,
    /// In part, or otherwise than its name says.
    Limited,
    /// Not at all: the IdP does not ask for it, or is told that it cannot be done.
    Unsupported,
    /// Answered as done, and not done.
    NotExecuted,
}

impl State {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Emulated => "emulated",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
            Self::NotExecuted => "not executed",
        }
    }
}

/// One capability between two products.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The capability.
    pub capability: Capability,
    /// How it works.
    pub state: State,
    /// Why not better, for people.
    pub why: Option<String>,
    /// What an admin does instead.
    pub manual: Option<String>,
}

/// All capabilities between two products.
pub fn effective(idp: &Profile, provider: &Profile) -> Vec<Cell> {
    Capability::ALL.into_iter().map(|capability| cell(capability, idp, provider)).collect()
}

fn cell(capability: Capability, idp: &Profile, provider: &Profile) -> Cell {
    let used = idp.uses.iter().find(|each| each.capability == capability);
    let manual = used.and_then(|each| each.manual.clone());
    let of = |side: &Profile, why: &str| format!("{}: {why}", side.title);
    let made = |state, why, manual| Cell { capability, state, why, manual };
    if let Some(Use { support: Support::Unsupported, why, .. }) = used {
        let why = why.as_deref().unwrap_or("does not do this");
        return made(State::Unsupported, Some(of(idp, why)), manual);
    }
    let (state, why) = at(provider, capability);
    let why = why.map(|why| of(provider, &why));
    match used {
        Some(Use { support: Support::Limited, why: limit, .. })
            if state == State::Supported || state == State::Emulated =>
        {
            let limit = of(idp, limit.as_deref().unwrap_or("does this in part"));
            made(State::Limited, Some(why.map_or(limit.clone(), |why| format!("{limit}; {why}"))), manual)
        }
        _ => made(state, why, manual),
    }
}

/// What becomes of a capability at the provider.
fn at(provider: &Profile, capability: Capability) -> (State, Option<String>) {
    use Capability::{
        Entitlements, GroupCreate, GroupDelete, GroupRead, GroupUpdate, MembersAdd, MembersRemove,
        UserCreate, UserDeactivate, UserDelete, UserFind, UserReactivate, UserRead, UserUpdate,
    };
    let facts = &provider.provider.write;
    let said = facts.unsupported.iter().find(|each| each.capability == capability);
    if let Some(said) = said {
        let state = match said.way {
            Way::Emulate => State::Emulated,
            // Only for some of the resources.
            Way::Reject | Way::Pretend if said.when.is_some() => State::Limited,
            Way::Reject => State::Unsupported,
            Way::Pretend => State::NotExecuted,
        };
        return (state, Some(said.why.clone()));
    }
    let (name, verbs): (&str, &[Verb]) = match capability {
        UserCreate => ("User", &[Verb::Create]),
        UserRead => ("User", &[Verb::Read]),
        UserFind => ("User", &[Verb::List]),
        UserUpdate | UserDeactivate | UserReactivate | Entitlements => {
            ("User", &[Verb::Patch, Verb::Replace])
        }
        UserDelete => ("User", &[Verb::Delete]),
        GroupCreate => ("Group", &[Verb::Create]),
        GroupRead => ("Group", &[Verb::Read]),
        GroupUpdate | MembersAdd | MembersRemove => ("Group", &[Verb::Patch, Verb::Replace]),
        GroupDelete => ("Group", &[Verb::Delete]),
    };
    if !provider.types.iter().any(|of| of.name == name) {
        return (State::Unsupported, Some(format!("has no {name}s")));
    }
    if capability == Entitlements && !provider.types.iter().any(grants) {
        return (State::Unsupported, Some("its users have neither roles nor entitlements".to_owned()));
    }
    let operations = facts.operations.iter().find(|(known, _)| known == name);
    let able = |verb: &Verb| operations.is_none_or(|(_, known)| known.contains(verb));
    if capability == UserDelete && !able(&Verb::Delete) {
        return (State::Emulated, Some("deletes no users: a deletion is made a deactivation".to_owned()));
    }
    if !verbs.iter().any(able) {
        return (State::Unsupported, Some("has no such operation".to_owned()));
    }
    match (capability, facts.deactivation, facts.deletion) {
        (UserDeactivate, Effect::Deactivate | Effect::AsNamed, _) => (State::Supported, None),
        (UserDeactivate, effect, _) => {
            (State::Supported, Some(format!("a deactivation is {}", effect.told())))
        }
        (UserReactivate, Effect::Delete, _) => {
            (State::Unsupported, Some("a deactivated user is gone and has to be created again".to_owned()))
        }
        (UserDelete, _, Effect::Delete | Effect::AsNamed) => (State::Supported, None),
        (UserDelete, _, effect) => (State::Limited, Some(format!("a deletion is {}", effect.told()))),
        _ if verbs.contains(&Verb::Patch) && !able(&Verb::Patch) => {
            let readable = facts.readable.iter().find(|(known, _)| known == name);
            match readable {
                Some((_, Readable::Complete)) => {
                    let why = "takes no PATCH: the resource is read, changed and replaced";
                    (State::Emulated, Some(why.to_owned()))
                }
                _ => (State::Limited, Some("takes no PATCH: only where the IdP sends PUT".to_owned())),
            }
        }
        _ => (State::Supported, None),
    }
}

/// True for resources that show what somebody may do: by `roles`, `entitlements` or an attribute named like them.
fn grants(of: &TypeSource) -> bool {
    let named = |attribute: &Value| {
        let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        name.contains("role") || name.contains("entitlement")
    };
    let has = |schema: &Value| {
        schema.get("attributes").and_then(Value::as_array).is_some_and(|list| list.iter().any(named))
    };
    has(&of.schema) || of.extensions.iter().any(|(schema, _)| has(schema))
}

impl Effect {
    /// What happens to the user, in words.
    const fn told(self) -> &'static str {
        match self {
            Self::AsNamed => "what its name says",
            Self::Archive => "an archiving: the user is kept and shown as archived",
            Self::Suspend => "a suspension: the user is kept without access, under another name",
            Self::Deactivate => "a deactivation: the user is kept without access",
            Self::Delete => "a deletion: the user is gone",
        }
    }
}
