//! What a provider takes when it is written to: operations, PATCH dialect, limits, what its answers and its
//! deletions mean.

use super::capability::{self, Unsupported};
use crate::config::{self, Fields, Item, Part};

/// What a profile says of writing to a provider. Names of resource types and paths are as written: they are
/// looked up when a route is compiled.
#[derive(Debug, Default)]
pub struct WriteFacts {
    /// The operations of each resource type; nothing said of a type: all.
    pub operations: Vec<(String, Vec<Verb>)>,
    /// How it takes PATCH.
    pub patch: PatchFacts,
    /// How much of its resources it shows.
    pub readable: Vec<(String, Readable)>,
    /// Where it does not show a group's members: the type of those and the attribute they are found by.
    pub(crate) memberships: Vec<(String, (String, Part))>,
    /// How many elements a list may have.
    pub(crate) limits: Vec<(Part, usize)>,
    /// How it changes the case of values.
    pub(crate) case: Vec<(Part, Case)>,
    /// Words that it shows where an attribute has no value.
    pub(crate) placeholders: Vec<(Part, Box<str>)>,
    /// What a deactivation does to a user.
    pub deactivation: Effect,
    /// What a deletion does to a user.
    pub deletion: Effect,
    /// Paths of the attributes that identify a user, asked for before one is created.
    pub(crate) matching: Vec<Part>,
    /// What it cannot do, and what happens instead.
    pub unsupported: Vec<Unsupported>,
}

/// An operation on a resource type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// POST.
    Create,
    /// GET by id.
    Read,
    /// GET of a list.
    List,
    /// PUT.
    Replace,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// How a provider takes PATCH; the default is RFC 7644 section 3.5.2.
#[derive(Clone, Debug)]
pub struct PatchFacts {
    /// A value path that selects nothing creates the element.
    pub upsert: bool,
    /// Operations have no path: attributes are members of the value.
    pub pathless: bool,
    /// It knows paths with filters.
    pub value_paths: bool,
    /// An attribute may be written once in a request, and an operation writes one.
    pub one_per_attribute: bool,
    /// The value of a change of members is `{"members": [...]}`.
    pub nested_members: bool,
    /// All members may be replaced or removed at once.
    pub replace_members: bool,
    /// Operations of one request.
    pub max_operations: Option<usize>,
    /// Members one request may add.
    pub max_member_adds: Option<usize>,
    /// Members one request may remove.
    pub max_member_removals: Option<usize>,
    /// Members one request may add and remove in all.
    pub max_member_changes: Option<usize>,
}

impl Default for PatchFacts {
    fn default() -> Self {
        Self {
            upsert: false,
            pathless: false,
            value_paths: true,
            one_per_attribute: false,
            nested_members: false,
            replace_members: true,
            max_operations: None,
            max_member_adds: None,
            max_member_removals: None,
            max_member_changes: None,
        }
    }
}

/// How much of a resource a provider shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Readable {
    /// Nothing is known.
    #[default]
    Unknown,
    /// All that was written, so that a resource that was read may be written back.
    Complete,
    /// Not all: members may be missing.
    Partial,
}

/// How a provider writes values that it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Case {
    /// In capitals.
    Upper,
    /// In small letters.
    Lower,
}

/// What happens to a user.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Effect {
    /// What the request's name says.
    #[default]
    AsNamed,
    /// Kept and shown as archived.
    Archive,
    /// Kept, without access, under another name.
    Suspend,
    /// Kept, without access.
    Deactivate,
    /// Gone.
    Delete,
}

impl Effect {
    /// The word in profiles.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsNamed => "as named",
            Self::Archive => "archive",
            Self::Suspend => "suspend",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
        }
    }
}

const VERBS: [(&str, Verb); 6] = [
    ("create", Verb::Create),
    ("read", Verb::Read),
    ("list", Verb::List),
    ("replace", Verb::Replace),
    ("patch", Verb::Patch),
    ("delete", Verb::Delete),
];

impl WriteFacts {
    /// Reads the keys of `provider` that are about writing.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut facts = Self::default();
        for (name, item) in entries(fields.opt("operations")) {
            let verbs = item.list().unwrap_or_default();
            facts
                .operations
                .push((name.to_owned(), verbs.iter().filter_map(|verb| verb.choice(&VERBS)).collect()));
        }
        if let Some(patch) = fields.opt("patch").and_then(|item| PatchFacts::read(&item)) {
            facts.patch = patch;
        }
        let words = [("complete", Readable::Complete), ("partial", Readable::Partial)];
        for (name, item) in entries(fields.opt("readable")) {
            facts.readable.extend(item.choice(&words).map(|word| (name.to_owned(), word)));
        }
        for (name, item) in entries(fields.opt("memberships")) {
            let mut of = item.entries().unwrap_or_default().into_iter();
            let (Some((of, by)), None) = (of.next(), of.next()) else {
                let remedy = "write one, as `User: groups.value`";
                item.error(config::BAD_VALUE, "members are found by one attribute of one type", remedy);
                continue;
            };
            let found = by.text().map(|_| (of.to_owned(), Part::of(&by)));
            facts.memberships.extend(found.map(|found| (name.to_owned(), found)));
        }
        for (path, item) in entries(fields.opt("limits")) {
            facts.limits.extend(count(&item).map(|count| (key(path, &item), count)));
        }
        let words = [("upper", Case::Upper), ("lower", Case::Lower)];
        for (path, item) in entries(fields.opt("case")) {
            facts.case.extend(item.choice(&words).map(|word| (key(path, &item), word)));
        }
        for (path, item) in entries(fields.opt("placeholders")) {
            facts.placeholders.extend(item.text().map(|word| (key(path, &item), word.into())));
        }
        if let Some(mut effects) = fields.opt("effects").and_then(|item| item.fields()) {
            let words = [Effect::Archive, Effect::Suspend, Effect::Deactivate, Effect::Delete];
            let words = words.map(|effect| (effect.as_str(), effect));
            let mut effect = |key| effects.opt(key).and_then(|item| item.choice(&words)).unwrap_or_default();
            facts.deactivation = effect("user.deactivate");
            facts.deletion = effect("user.delete");
            effects.finish();
        }
        facts.matching = fields.opt("match").map(|item| paths(&item)).unwrap_or_default();
        facts.unsupported =
            fields.opt("unsupported").map(|item| capability::unsupported(&item)).unwrap_or_default();
        facts
    }

    /// True when the provider has the operation for resources of that type.
    pub fn can(&self, resource_type: &str, verb: Verb) -> bool {
        let said = self.operations.iter().find(|(name, _)| name == resource_type);
        said.is_none_or(|(_, verbs)| verbs.contains(&verb))
    }

    /// How much of a type's resources is shown.
    pub fn readable(&self, resource_type: &str) -> Readable {
        let said = self.readable.iter().find(|(name, _)| name == resource_type);
        said.map(|(_, readable)| *readable).unwrap_or_default()
    }
}

impl PatchFacts {
    fn read(item: &Item<'_>) -> Option<Self> {
        let mut fields = item.fields()?;
        let default = Self::default();
        let mut flag = |key, default| fields.opt_bool(key).unwrap_or(default);
        let (upsert, value_paths) = (flag("upsert", default.upsert), flag("valuePaths", default.value_paths));
        let one_per_attribute = flag("onePerAttribute", default.one_per_attribute);
        let replace_members = flag("replaceMembers", default.replace_members);
        let mut word = |key, words: [(&str, bool); 2]| {
            fields.opt(key).and_then(|item| item.choice(&words)).unwrap_or(false)
        };
        let pathless = word("style", [("path", false), ("pathless", true)]);
        let nested_members = word("memberStyle", [("list", false), ("nested", true)]);
        let mut number = |key| fields.opt(key).and_then(|item| count(&item));
        let patch = Self {
            upsert,
            pathless,
            value_paths,
            one_per_attribute,
            nested_members,
            replace_members,
            max_operations: number("maxOperations"),
            max_member_adds: number("maxMemberAdds"),
            max_member_removals: number("maxMemberRemovals"),
            max_member_changes: number("maxMemberChanges"),
        };
        fields.finish();
        Some(patch)
    }
}

/// Reads a list of paths: `match` of a provider or a route.
pub(crate) fn paths(item: &Item<'_>) -> Vec<Part> {
    let part = |item: Item<'_>| Some(Part { value: item.text()?.into(), pointer: item.pointer.clone() });
    item.list().unwrap_or_default().into_iter().filter_map(part).collect()
}

fn entries<'a>(item: Option<Item<'a>>) -> Vec<(&'a str, Item<'a>)> {
    item.and_then(|item| item.entries()).unwrap_or_default()
}

/// A path that is a key, with the place of its value.
fn key(path: &str, item: &Item<'_>) -> Part {
    Part { value: path.into(), pointer: item.pointer.clone() }
}

fn count(item: &Item<'_>) -> Option<usize> {
    let count = item.number()?;
    if count == 0 {
        item.error(config::BAD_VALUE, "none at all is no limit", "write a number of at least 1");
    }
    usize::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Problems;
    use crate::profile::{Capability, Way};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The facts, or what is said against them.
    fn read(value: &Value) -> Result<WriteFacts, Vec<String>> {
        let secrets = BTreeMap::new();
        let problems = Problems::new(&secrets);
        let facts = Item::new(value, "", &problems).fields().map(|mut fields| {
            let facts = WriteFacts::read(&mut fields);
            fields.finish();
            facts
        });
        let said = problems.finish(facts);
        said.map(|(facts, _)| facts)
            .map_err(|errors| errors.0.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn nothing_said_is_the_rfc() {
        let facts = read(&json!({})).unwrap();
        assert!(facts.can("User", Verb::Patch) && facts.patch.value_paths && facts.patch.replace_members);
        assert_eq!((facts.readable("User"), facts.deletion), (Readable::Unknown, Effect::AsNamed));
    }

    #[test]
    fn facts_are_read() {
        let facts = read(&json!({
            "operations": { "Group": ["create", "read", "list", "patch", "delete"] },
            "patch": { "style": "pathless", "valuePaths": false, "memberStyle": "nested", "maxMemberChanges": 100 },
            "readable": { "User": "complete", "Group": "partial" },
            "memberships": { "Group": { "User": "groups.value" } },
            "limits": { "emails": 1 },
            "case": { "userName": "upper" },
            "placeholders": { "locale": "unknown" },
            "effects": { "user.delete": "archive" },
            "match": ["userName"],
            "unsupported": { "group.create": { "reject": "roles are made in the product" } },
        }))
        .unwrap();
        assert!(!facts.can("Group", Verb::Replace) && facts.can("User", Verb::Replace));
        assert!(facts.patch.pathless && facts.patch.nested_members && !facts.patch.value_paths);
        assert_eq!(facts.patch.max_member_changes, Some(100));
        assert_eq!(facts.readable("Group"), Readable::Partial);
        let [(group, (user, by))] = facts.memberships.as_slice() else { panic!("{:?}", facts.memberships) };
        assert_eq!((&**group, &**user, by.value.as_str()), ("Group", "User", Some("groups.value")));
        assert_eq!((facts.limits.len(), facts.case.len(), facts.matching.len()), (1, 1, 1));
        let [(path, word)] = facts.placeholders.as_slice() else { panic!("{:?}", facts.placeholders) };
        assert_eq!((path.value.as_str(), &**word), (Some("locale"), "unknown"));
        assert_eq!((facts.deactivation, facts.deletion), (Effect::AsNamed, Effect::Archive));
        let [unsupported] = facts.unsupported.as_slice() else { panic!("{:?}", facts.unsupported) };
        assert_eq!((unsupported.capability, unsupported.way), (Capability::GroupCreate, Way::Reject));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (value, said) in [
            (json!({ "operations": { "User": ["merge"] } }), "`merge` is not known here"),
            (json!({ "patch": { "style": "flat" } }), "`flat` is not known here"),
            (json!({ "patch": { "maxOperations": 0 } }), "none at all is no limit"),
            (json!({ "memberships": { "Group": {} } }), "members are found by one attribute of one type"),
            (
                json!({ "unsupported": { "group.make": { "reject": "no such thing" } } }),
                "there is no capability `group.make`",
            ),
            (json!({ "unsupported": { "group.create": { "pretend": "" } } }), "the reason is missing"),
            (
                json!({ "unsupported": { "group.create": { "ignore": "they live there" } } }),
                "the key `ignore` is not known here; one of `emulate`, `reject` and `pretend` is meant here",
            ),
            (json!({ "effects": { "group.delete": "archive" } }), "the key `group.delete` is not known here"),
        ] {
            assert_eq!(read(&value).unwrap_err().join("; "), said, "{value}");
        }
    }
}
