//! The rules of a configuration, and a provider profile's defaults, compiled against both sides' schemas.

use serde_json::Value;

use super::check::Check;
use super::index::Index;
use super::paths::Side;
use super::plain::Plains;
use super::rules::Reader;
use super::when::Condition;
use super::{Mapping, Pair, Rule, Source, Unmapped, ways};
use crate::config::{self, Item, Part, Problems, keys};
use crate::profile::Profile;
use crate::schema::{TypeSource, Vocabulary};

/// Compiles the mapping of a route: the profile's rules, and the route's in front of those it replaces.
pub(crate) fn compile<'a>(
    idp: &Profile,
    provider: &'a Profile,
    own: Option<&'a Part>,
    problems: &'a Problems<'a>,
    place: &Item<'a>,
) -> Option<Mapping> {
    let build = |types: &[TypeSource], more: &[TypeSource]| {
        let sources: Vec<_> = types.iter().map(|each| source(each, more)).collect();
        Vocabulary::build(&sources)
            .map_err(|error| {
                let message = format!("the schema attribute `{}` {}", error.at, error.message);
                place.error(config::BAD_VALUE, message, "correct the profile's schema");
            })
            .ok()
    };
    let idp_side = build(&idp.types, &provider.types)?;
    let provider_side = build(&provider.types, &[])?;
    let mut mapping = Mapping { idp: idp_side, provider: provider_side, pairs: Vec::new() };
    let defaults = provider.provider.mapping.as_ref();
    let mut pairs = Vec::new();
    for index in 0..mapping.idp.types().len() {
        pairs.push(pair(&mapping, index, defaults, own, problems, place, (idp, provider)));
    }
    for (part, own) in defaults.map(|part| (part, false)).into_iter().chain(own.map(|part| (part, true))) {
        check_keys(&mapping, part, own, problems);
    }
    mapping.pairs = pairs.into_iter().collect::<Option<_>>()?;
    Some(mapping)
}

/// A type with its extensions, and the other side's: an IdP can send whatever extension the provider has.
fn source(facts: &TypeSource, more: &[TypeSource]) -> TypeSource {
    let mut extensions = facts.extensions.clone();
    let id = |document: &Value| document.get("id").and_then(Value::as_str).map(str::to_ascii_lowercase);
    for other in more.iter().filter(|other| other.name == facts.name) {
        for (document, _) in &other.extensions {
            if !extensions.iter().any(|(known, _)| id(known) == id(document)) {
                extensions.push((document.clone(), false));
            }
        }
    }
    TypeSource { extensions, ..facts.clone() }
}

fn pair<'a>(
    mapping: &Mapping,
    index: usize,
    defaults: Option<&'a Part>,
    own: Option<&'a Part>,
    problems: &'a Problems<'a>,
    place: &Item<'a>,
    (idp_profile, provider_profile): (&Profile, &Profile),
) -> Option<Pair> {
    let of = mapping.idp.types().get(index)?;
    let provider = mapping.provider.types().iter().position(|other| other.name == of.name);
    let mut pair = Pair {
        idp: index,
        provider,
        rules: Vec::new(),
        to_provider: Vec::new(),
        to_idp: Vec::new(),
        plain_to_provider: Plains::default(),
        plain_to_idp: Plains::default(),
        idp_index: Index::default(),
        provider_index: Index::default(),
        deciding: Vec::new(),
        unmapped: Unmapped::Pass,
        only: None,
        identity: false,
    };
    let Some(provider_type) = provider.and_then(|index| mapping.provider.types().get(index)) else {
        return Some(pair);
    };
    let idp = Side { vocabulary: &mapping.idp, of };
    let provider = Side { vocabulary: &mapping.provider, of: provider_type };
    let reader = Reader { idp, provider };
    let inherit = own.and_then(|own| member(own, "inherit", problems)?.boolean()).unwrap_or(true);
    let own_list = own.and_then(|own| member(own, &of.name, problems));
    let read = |item: Option<&Item<'a>>| item.map_or_else(|| Some(Vec::new()), |item| reader.rules(item));
    let own_rules = read(own_list.as_ref());
    let inherited = defaults.filter(|_| inherit).and_then(|part| member(part, &of.name, problems));
    let inherited = read(inherited.as_ref());
    let mut rules = own_rules?;
    let own_count = rules.len();
    for (rule, item) in inherited? {
        if !rules.iter().take(own_count).any(|(own, _)| replaces(own, &rule, &mapping.idp)) {
            rules.push((rule, item));
        }
    }
    let words = [("pass", Unmapped::Pass), ("drop", Unmapped::Drop), ("reject", Unmapped::Reject)];
    let unmapped = own.into_iter().chain(defaults).find_map(|part| member(part, "unmapped", problems));
    pair.unmapped = unmapped.map_or(Some(Unmapped::Pass), |item| item.choice(&words))?;
    let only = own.into_iter().chain(defaults.filter(|_| inherit)).find_map(|part| {
        let (_, item) =
            member(part, "only", problems)?.entries()?.into_iter().find(|(name, _)| *name == &*of.name)?;
        Some(item)
    });
    let only = match only {
        Some(item) => {
            let condition = Condition::parse(item.text()?, &idp);
            let condition =
                condition.map_err(|(message, remedy)| item.error(config::RULE_PATH, message, remedy));
            Some((condition.ok()?, item))
        }
        None => None,
    };
    let items: Vec<Item<'_>>;
    let numbered = rules.into_iter().enumerate();
    (pair.rules, items) = numbered.map(|(number, (rule, item))| (Rule { number, ..rule }, item)).unzip();
    ways::settle(&mut pair, &idp, &provider);
    if let Some((only, item)) = only {
        if let Some(input) = only.inputs.iter().find(|input| !ways::is_shown(&pair, &idp, &provider, **input))
        {
            let message = format!(
                "`{}` cannot be read back from the provider: nobody could tell which resources there are",
                mapping.idp.path(*input)
            );
            item.error(config::RULE, message, "ask for an attribute that is mapped both ways");
        }
        pair.only = Some(only);
    }
    pair.group();
    (pair.idp_index, pair.provider_index) =
        (Index::new(mapping, &pair, true), Index::new(mapping, &pair, false));
    let plains =
        |to_provider| mapping.way(&pair, to_provider).map(|way| Plains::find(&way)).unwrap_or_default();
    (pair.plain_to_provider, pair.plain_to_idp) = (plains(true), plains(false));
    let same = mapping.idp.is_same(&mapping.provider);
    pair.identity = same && pair.rules.is_empty() && pair.unmapped == Unmapped::Pass && pair.only.is_none();
    let (title, limits) = (&*idp_profile.title, provider_profile.provider.write.limits.as_slice());
    let place = own_list.unwrap_or_else(|| own.map_or_else(|| place.clone(), |own| own.item(problems)));
    Check { pair: &pair, items: &items, own: own_count, idp, provider, limits, title }.run(&place);
    Some(pair)
}

/// A member of a mapping.
fn member<'a>(part: &'a Part, key: &str, problems: &'a Problems<'a>) -> Option<Item<'a>> {
    let entries = part.item(problems).entries()?;
    entries.into_iter().find(|(name, _)| *name == key).map(|(_, item)| item)
}

/// True where a route's own rule takes the place of one of the profile's.
fn replaces(own: &Rule, inherited: &Rule, idp: &Vocabulary) -> bool {
    let same = match (&own.provider, &inherited.provider) {
        (Some(own), Some(inherited)) => own.same(inherited),
        _ => false,
    };
    let dropped = match (&own.source, &own.idp, &inherited.idp) {
        (Source::Drop, Some(own), Some(inherited)) => own.covers(inherited, idp),
        _ => false,
    };
    same || dropped
}

/// The keys of a mapping: settings, and resource types that both sides have.
fn check_keys(mapping: &Mapping, part: &Part, own: bool, problems: &Problems<'_>) {
    let settings: Vec<&str> =
        keys::MAPPING.iter().map(|key| key.name).filter(|key| own || *key != "inherit").collect();
    for (key, item) in part.item(problems).entries().unwrap_or_default() {
        let has = |vocabulary: &Vocabulary| vocabulary.type_named(key).is_some();
        let side = match (has(&mapping.idp), has(&mapping.provider)) {
            _ if key == "only" => {
                for (name, item) in item.entries().unwrap_or_default() {
                    if mapping.idp.type_named(name).is_none() {
                        let known = config::nearest(name, mapping.idp.types().iter().map(|each| &*each.name));
                        let remedy = known.map_or_else(
                            || "remove it".to_owned(),
                            |known| format!("did you mean `{known}`?"),
                        );
                        item.error(
                            config::UNKNOWN_KEY,
                            format!("there is no resource type `{name}`"),
                            remedy,
                        );
                    }
                }
                continue;
            }
            _ if settings.contains(&key) => continue,
            (true, true) => continue,
            (false, true) if !own => continue,
            (false, true) => "IdP",
            (true, false) => "provider",
            (false, false) => {
                let types = mapping.provider.types().iter().map(|each| &*each.name);
                let known = config::nearest(key, types.chain(settings.iter().copied()));
                let remedy =
                    known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
                item.error(config::UNKNOWN_KEY, format!("the key `{key}` is not known here"), remedy);
                continue;
            }
        };
        let message = format!("the {side}'s profile has no resource type `{key}`");
        item.error(config::RULE, message, "remove the rules, or add the type to the profile");
    }
}
