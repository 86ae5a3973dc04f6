//! Which rules have a way back to the IdP, and under which conditions.

use super::paths::Side;
use super::spot::Spot;
use super::{Claim, Pair, Rule, Source, Unmapped, index};
use crate::schema::{AttrId, Attribute, Mutability, Returned};

/// Decides about the rules that go both ways: what cannot be shown is not, and of several rules for one place at
/// the provider only the one that holds is.
pub(super) fn settle(pair: &mut Pair, idp: &Side<'_>, provider: &Side<'_>) {
    for rule in pair.rules.iter_mut().filter(|rule| is_two_way(rule)) {
        let hidden = rule.provider.as_ref().is_some_and(|spot| !is_readable(provider.leaf(spot)));
        if hidden {
            one_way(rule, "the provider never shows it".to_owned());
        }
    }
    loop {
        owners(&mut pair.rules);
        let unreadable = pair.rules.iter().enumerate().find_map(|(number, rule)| {
            let when = rule.when.as_ref().filter(|_| is_two_way(rule))?;
            let input = when.inputs.iter().find(|input| !is_shown(pair, idp, provider, **input))?;
            Some((number, *input))
        });
        let Some((number, input)) = unreadable else { break };
        let path = idp.vocabulary.path(input).to_owned();
        if let Some(rule) = pair.rules.get_mut(number) {
            one_way(rule, format!("its condition asks for `{path}`, which the provider does not show"));
        }
    }
}

const fn is_two_way(rule: &Rule) -> bool {
    rule.to_provider && rule.to_idp
}

fn one_way(rule: &mut Rule, why: String) {
    rule.to_idp = false;
    rule.one_way = Some(why);
}

/// The first rule for a place at the provider owns the way back; a rule with a condition only where that holds.
fn owners(rules: &mut [Rule]) {
    rules.iter_mut().for_each(|rule| rule.guards.clear());
    for number in 0..rules.len() {
        let mut guards = Vec::new();
        let mut owner = None;
        let Some((rule, to)) = rules
            .get(number)
            .filter(|rule| is_two_way(rule))
            .and_then(|rule| Some((rule, rule.provider.as_ref()?)))
        else {
            continue;
        };
        for (earlier, other) in rules.iter().enumerate().take(number) {
            if !is_two_way(other) || !other.provider.as_ref().is_some_and(|spot| spot.same(to)) {
                continue;
            }
            // What is shown in the same place may as well be shown by the other.
            let alike = match (&rule.idp, &other.idp) {
                (Some(a), Some(b)) => a.same(b),
                _ => false,
            };
            match other.when {
                Some(_) if !alike => guards.push(earlier),
                Some(_) => {}
                None => {
                    owner = Some(other.name.clone());
                    break;
                }
            }
        }
        if let Some(rule) = rules.get_mut(number) {
            match owner {
                Some(owner) => one_way(rule, format!("{owner} owns the way back from `{}`", path(rule))),
                None => rule.guards = guards,
            }
        }
    }
}

fn path(rule: &Rule) -> &str {
    rule.provider.as_ref().map_or("", |spot| &spot.path)
}

fn is_readable(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::WriteOnly && attribute.returned != Returned::Never
}

/// True when the view has the attribute, whatever conditions say.
pub(super) fn is_shown(pair: &Pair, idp: &Side<'_>, provider: &Side<'_>, attr: AttrId) -> bool {
    let shows = |spot: &Spot| {
        idp.vocabulary.is_within(attr, spot.leaf()) || idp.vocabulary.is_within(spot.leaf(), attr)
    };
    let mut guarded = pair.rules.iter().filter(|rule| rule.to_idp && rule.is_guarded());
    if guarded.any(|rule| rule.idp.as_ref().is_some_and(shows)) {
        return false;
    }
    let ruled = pair.rules.iter().filter(|rule| rule.to_idp && !rule.is_guarded()).any(|rule| {
        let readable = rule.provider.as_ref().is_some_and(|spot| is_readable(provider.leaf(spot)));
        matches!(rule.source, Source::Copy) && readable && rule.idp.as_ref().is_some_and(shows)
    });
    ruled || idp.is_fixed(attr) || passes(pair, idp, provider, attr)
}

/// True when the IdP's attribute passes by its name.
pub(super) fn passes(pair: &Pair, idp: &Side<'_>, provider: &Side<'_>, attr: AttrId) -> bool {
    let target = provider.vocabulary.translate(idp.vocabulary, attr, idp.of.root, provider.of.root);
    let claim = |side: &Side<'_>, attr, spot: &dyn Fn(&Rule) -> Option<Spot>| {
        let spots: Vec<Spot> = pair.rules.iter().filter_map(spot).collect();
        index::claim(side.vocabulary, attr, spots.iter())
    };
    pair.unmapped == Unmapped::Pass
        && target.is_known()
        && is_readable(provider.vocabulary.attribute(target))
        && claim(idp, attr, &|rule| rule.idp.clone()) == Claim::No
        && claim(provider, target, &|rule| rule.provider.clone()) == Claim::No
}
