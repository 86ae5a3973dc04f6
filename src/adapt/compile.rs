//! What a route's settings and its provider's profile say of writing, compiled.

use super::ability::check_paths;
use super::{Ability, Key, Plan, Takes};
use crate::config::{self, Deactivate, Part, Problems, Route};
use crate::mapping::{Mapping, Pair};
use crate::profile::{Effect, Way, WriteFacts};

/// What users are looked up by: paths of the route, else of the provider's profile.
pub(crate) fn keys(
    route: &Route,
    facts: &WriteFacts,
    mapping: &Mapping,
    filters: &Takes,
    problems: &Problems<'_>,
) -> Vec<Vec<Key>> {
    let paths = route.matching.as_ref().unwrap_or(&facts.matching);
    let keys = |pair: &Pair| {
        let Some(of) = mapping.idp_type(pair).filter(|_| pair.provider.is_some()) else { return Vec::new() };
        if !mapping.idp.lookup(of.root, b"userName").is_known() {
            return Vec::new();
        }
        let key = |part: &Part| {
            let key = Key::new(part, &mapping.idp, of, problems)?;
            let plan = filters.plan(mapping, pair, &key.filter("probe"));
            if !matches!(&plan, Ok(Plan::Ask { asked, .. }) if asked.iter().all(Option::is_some)) {
                let message = format!("users cannot be looked up by `{}` at the provider", key.text);
                let remedy =
                    "map it both ways to an attribute the provider filters by, or leave it out of `match`";
                part.item(problems).error(config::MATCHING, message, remedy);
            }
            Some(key)
        };
        paths.iter().filter_map(key).collect()
    };
    mapping.pairs.iter().map(keys).collect()
}

/// What the provider can do with the resources of each pair, and what is to be said of it.
pub(crate) fn abilities(
    route: &Route,
    facts: &WriteFacts,
    mapping: &Mapping,
    problems: &Problems<'_>,
) -> Vec<Ability> {
    check_paths(facts, &mapping.provider, problems);
    let compile = |pair| Ability::new(facts, route, mapping, pair, problems);
    let abilities: Vec<Ability> = mapping.pairs.iter().map(compile).collect();
    for each in route.unsupported.iter().chain(&facts.unsupported) {
        if each.way == Way::Pretend {
            let what = each.capability.as_str();
            let message = format!("`{what}` is answered as done and NOT EXECUTED: {}", each.why);
            each.place.item(problems).warn(config::PRETENDED, message, "do it at the provider by hand");
        }
    }
    let deletes = abilities.iter().any(|ability| ability.is_user() && ability.deactivation == Effect::Delete);
    if deletes && route.deactivate == Deactivate::Carry {
        route.provider.profile.item(problems).error(
            config::DEACTIVATION,
            "a deactivation deletes the user at this provider, and nothing brings it back",
            "say `deactivate: delete` on the route if that is what is meant, or `deactivate: reject`",
        );
    }
    abilities
}
