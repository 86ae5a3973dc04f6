//! What can be done to resources, as the capability matrix counts it, and what happens where a product cannot.

use crate::config::{self, Item, Part};

/// One thing that can be done.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Capability {
    /// A user is created.
    UserCreate,
    /// A user is read by id.
    UserRead,
    /// Users are found by a query.
    UserFind,
    /// A user's attributes are changed.
    UserUpdate,
    /// A user is made inactive.
    UserDeactivate,
    /// A user is made active again.
    UserReactivate,
    /// A user is deleted.
    UserDelete,
    /// A group is created.
    GroupCreate,
    /// Groups are read and found.
    GroupRead,
    /// A group's attributes, but not its members, are changed.
    GroupUpdate,
    /// A group is deleted.
    GroupDelete,
    /// Members are added to a group.
    MembersAdd,
    /// Members are removed from a group.
    MembersRemove,
    /// Entitlements of a user are changed.
    Entitlements,
}

impl Capability {
    /// All capabilities, in the order of the matrix.
    pub const ALL: [Self; 14] = [
        Self::UserCreate,
        Self::UserRead,
        Self::UserFind,
        Self::UserUpdate,
        Self::UserDeactivate,
        Self::UserReactivate,
        Self::UserDelete,
        Self::GroupCreate,
        Self::GroupRead,
        Self::GroupUpdate,
        Self::GroupDelete,
        Self::MembersAdd,
        Self::MembersRemove,
        Self::Entitlements,
    ];

    /// The name in profiles and configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserCreate => "user.create",
            Self::UserRead => "user.read",
            Self::UserFind => "user.find",
            Self::UserUpdate => "user.update",
            Self::UserDeactivate => "user.deactivate",
            Self::UserReactivate => "user.reactivate",
            Self::UserDelete => "user.delete",
            Self::GroupCreate => "group.create",
            Self::GroupRead => "group.read",
            Self::GroupUpdate => "group.update",
            Self::GroupDelete => "group.delete",
            Self::MembersAdd => "members.add",
            Self::MembersRemove => "members.remove",
            Self::Entitlements => "entitlements",
        }
    }

    /// The capability of a key in a profile or configuration; an unknown one is reported.
    pub(crate) fn read(name: &str, item: &Item<'_>) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|each| each.as_str() == name);
        if found.is_none() {
            let known = Self::ALL.map(Self::as_str);
            let remedy = match config::nearest(name, known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("write one of {}", config::either(known)),
            };
            item.error(config::UNKNOWN_KEY, format!("there is no capability `{name}`"), remedy);
        }
        found
    }

    /// True for what is done to users; everything else is done to groups.
    pub const fn of_user(self) -> bool {
        !matches!(
            self,
            Self::GroupCreate
                | Self::GroupRead
                | Self::GroupUpdate
                | Self::GroupDelete
                | Self::MembersAdd
                | Self::MembersRemove
        )
    }

    /// True where leaving it undone lets somebody keep access.
    pub const fn takes_access(self) -> bool {
        matches!(self, Self::UserDeactivate | Self::UserDelete | Self::MembersRemove | Self::Entitlements)
    }
}

/// How well an IdP uses a capability.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Support {
    /// It does not.
    Unsupported,
    /// In part.
    Limited,
    /// It does.
    Supported,
}

/// What is known of an IdP's use of one capability; an IdP of which nothing is said uses all of them.
#[derive(Clone, Debug)]
pub struct Use {
    /// The capability.
    pub capability: Capability,
    /// How well.
    pub support: Support,
    /// Why not better, for people.
    pub why: Option<String>,
    /// What an admin does instead.
    pub manual: Option<String>,
}

/// What happens where a provider lacks a capability.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// It is done by other calls.
    Emulate,
    /// It is refused with a SCIM error.
    Reject,
    /// It is answered as done, and not done.
    Pretend,
}

impl Way {
    const WORDS: [(&str, Self); 3] =
        [("emulate", Self::Emulate), ("reject", Self::Reject), ("pretend", Self::Pretend)];
}

/// A capability that a provider lacks.
#[derive(Clone, Debug)]
pub struct Unsupported {
    /// The capability.
    pub capability: Capability,
    /// What happens instead.
    pub way: Way,
    /// Why, for people.
    pub why: String,
    /// A filter of the provider's: only resources in this state.
    pub(crate) when: Option<Part>,
    /// Where it is said.
    pub(crate) place: Part,
}

/// Reads `capabilities` of an IdP.
pub(crate) fn uses(item: &Item<'_>) -> Vec<Use> {
    let words = [
        ("unsupported", Support::Unsupported),
        ("limited", Support::Limited),
        ("supported", Support::Supported),
    ];
    let one = |(name, item): (&str, Item<'_>)| {
        let capability = Capability::read(name, &item);
        let mut fields = item.fields()?;
        let support = fields.need("support").and_then(|item| item.choice(&words));
        let mut text = |key| fields.opt_text(key).map(str::to_owned);
        let (why, manual) = (text("why"), text("manual"));
        fields.finish();
        Some(Use { capability: capability?, support: support?, why, manual })
    };
    item.entries().unwrap_or_default().into_iter().filter_map(one).collect()
}

/// Reads `unsupported` of a provider or a route: `{ group.create: { pretend: why, when: filter } }`.
pub(crate) fn unsupported(item: &Item<'_>) -> Vec<Unsupported> {
    let one = |(name, item): (&str, Item<'_>)| {
        let capability = Capability::read(name, &item);
        let mut fields = item.fields()?;
        let mut ways = Vec::new();
        for (word, way) in Way::WORDS {
            ways.extend(fields.opt(word).map(|why| (way, why)));
        }
        let part = |item: &Item<'_>| Part { value: item.value.clone(), pointer: item.pointer.clone() };
        let when = fields.opt("when").map(|item| part(&item));
        fields.finish();
        let [(way, why)] = ways.as_slice() else {
            let message = "one of `emulate`, `reject` and `pretend` is meant here";
            item.error(config::BAD_VALUE, message, "write `{ reject: \"why\" }`");
            return None;
        };
        let reason = why.text()?;
        if reason.trim().len() < SHORTEST_REASON {
            let message = "the reason is missing";
            why.error(config::BAD_VALUE, message, "say in some words why the provider cannot do this");
        }
        Some(Unsupported {
            capability: capability?,
            way: *way,
            why: reason.to_owned(),
            when,
            place: part(&item),
        })
    };
    item.entries().unwrap_or_default().into_iter().filter_map(one).collect()
}

/// Bytes below which a text is no reason.
const SHORTEST_REASON: usize = 8;
