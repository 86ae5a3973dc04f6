//! The rules of a configuration, and a provider profile's defaults, compiled against both sides' schemas.

use serde_json::Value;

use super::spot::Spot;
use super::template::Template;
use super::{Mapping, Pair, Rule, Source, Unmapped};
use crate::config::{self, Item, Part, Problems};
use crate::filter::{Literal, Syntax};
use crate::path::Path;
use crate::profile::Profile;
use crate::schema::{Mutability, ResourceType, Type, TypeSource, Vocabulary};

/// Compiles the mapping of a route: the profile's rules, and the route's in front of those it replaces.
pub(crate) fn compile(
    idp: &Profile,
    provider: &Profile,
    own: Option<&Part>,
    problems: &Problems<'_>,
    place: &Item<'_>,
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
    for index in 0..mapping.idp.types().len() {
        if let Some(pair) = pair(&mapping, index, defaults, own, problems) {
            mapping.pairs.push(pair);
        }
    }
    for part in defaults.into_iter().chain(own) {
        check_keys(&mapping, part, problems);
    }
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

fn pair(
    mapping: &Mapping,
    index: usize,
    defaults: Option<&Part>,
    own: Option<&Part>,
    problems: &Problems<'_>,
) -> Option<Pair> {
    let of = mapping.idp.types().get(index)?;
    let provider = mapping.provider.types().iter().position(|other| other.name == of.name);
    let mut pair =
        Pair { idp: index, provider, rules: Vec::new(), unmapped: Unmapped::Pass, identity: false };
    let Some(provider_type) = provider.and_then(|index| mapping.provider.types().get(index)) else {
        return Some(pair);
    };
    let member = |part: &Part, key: &str| part.value.get(key).cloned();
    let inherit =
        own.and_then(|own| member(own, "inherit")).and_then(|value| value.as_bool()).unwrap_or(true);
    let compiler = Compiler { mapping, of, provider: provider_type };
    let mut rules = own.map(|own| compiler.rules(own, problems)).unwrap_or_default();
    let inherited =
        defaults.filter(|_| inherit).map(|part| compiler.rules(part, problems)).unwrap_or_default();
    let own_count = rules.len();
    for rule in inherited {
        let replaced = rules.iter().take(own_count).any(|own: &Rule| {
            let same = |a: &Option<Spot>, b: &Option<Spot>| match (a, b) {
                (Some(a), Some(b)) => a.same(b),
                _ => false,
            };
            same(&own.provider, &rule.provider)
                || (matches!(own.source, Source::Drop) && same(&own.idp, &rule.idp))
        });
        if !replaced {
            rules.push(rule);
        }
    }
    for part in own.into_iter().chain(defaults) {
        if let Some(value) = member(part, "unmapped") {
            let item = Part { value, pointer: format!("{}/unmapped", part.pointer) };
            let words = [("pass", Unmapped::Pass), ("drop", Unmapped::Drop), ("reject", Unmapped::Reject)];
            pair.unmapped = item.item(problems).choice(&words).unwrap_or(Unmapped::Drop);
            break;
        }
    }
    let same = mapping.idp.is_same(&mapping.provider);
    pair.identity = same && rules.is_empty() && pair.unmapped == Unmapped::Pass;
    pair.rules = rules;
    Some(pair)
}

/// Unknown keys of a mapping: resource types and the three settings are known.
fn check_keys(mapping: &Mapping, part: &Part, problems: &Problems<'_>) {
    let settings = ["unmapped", "inherit"];
    for (key, item) in part.item(problems).entries().unwrap_or_default() {
        let types = mapping.idp.types().iter().map(|each| &*each.name);
        if !settings.contains(&key) && !types.clone().any(|name| name == key) {
            let known = config::nearest(key, types.chain(settings));
            let remedy =
                known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
            item.error(config::UNKNOWN_KEY, format!("the key `{key}` is not known here"), remedy);
        }
    }
}

struct Compiler<'a> {
    mapping: &'a Mapping,
    of: &'a ResourceType,
    provider: &'a ResourceType,
}

impl Compiler<'_> {
    fn rules(&self, part: &Part, problems: &Problems<'_>) -> Vec<Rule> {
        let entries = part.item(problems).entries().unwrap_or_default();
        let Some((_, item)) = entries.into_iter().find(|(key, _)| *key == &*self.of.name) else {
            return Vec::new();
        };
        let rules = item.list().unwrap_or_default();
        rules.iter().enumerate().filter_map(|(index, item)| self.rule(index + 1, item)).collect()
    }

    fn rule(&self, number: usize, item: &Item<'_>) -> Option<Rule> {
        let mut fields = item.fields()?;
        let idp = fields.opt("idp");
        let provider = fields.opt("provider");
        let source = self.source(&mut fields);
        let (mut create, mut update) = (true, true);
        if let Some(operations) = fields.opt("operations") {
            let words = [("create", true), ("update", false)];
            let chosen: Vec<bool> =
                operations.list().unwrap_or_default().iter().filter_map(|item| item.choice(&words)).collect();
            (create, update) = (chosen.contains(&true), chosen.contains(&false));
        }
        let directions = [("both", (true, true)), ("to_provider", (true, false)), ("to_idp", (false, true))];
        let (to_provider, to_idp) =
            fields.opt("direction").and_then(|item| item.choice(&directions)).unwrap_or((true, true));
        fields.finish();
        let idp = match idp {
            Some(item) => Some(self.spot(&item, &self.mapping.idp, self.of)?),
            None => None,
        };
        let provider = match provider {
            Some(item) => Some(self.spot(&item, &self.mapping.provider, self.provider)?),
            None => None,
        };
        let source = source?;
        let complete = match source {
            Source::Copy | Source::Values { .. } => idp.is_some() && provider.is_some(),
            Source::Constant(_) | Source::Default(_) => idp.is_none() && provider.is_some(),
            Source::Drop => idp.is_some() && provider.is_none(),
        };
        if !complete {
            let remedy = "write `idp` and `provider`; `provider` with `value` or `default`; or `idp` with `drop: true`";
            item.error(config::RULE, "the rule does not say what goes where", remedy);
            return None;
        }
        let rule = Rule {
            name: format!("{} rule {number}", self.of.name).into(),
            to_idp: to_idp && matches!(source, Source::Copy | Source::Values { .. }),
            idp,
            provider,
            source,
            create,
            update,
            to_provider,
        };
        self.check(&rule, item);
        Some(rule)
    }

    fn source(&self, fields: &mut config::Fields<'_>) -> Option<Source> {
        let values = fields.opt("values");
        let other = fields.opt_text("other").map(str::to_owned);
        let (constant, default, drop) = (fields.opt("value"), fields.opt("default"), fields.opt_bool("drop"));
        let chosen = [values.is_some(), constant.is_some(), default.is_some(), drop == Some(true)];
        if chosen.iter().filter(|each| **each).count() > 1 {
            let remedy = "leave one of `values`, `value`, `default` and `drop`";
            fields.item().error(config::RULE, "the rule has several sources", remedy);
            return None;
        }
        if let Some(values) = values {
            let pairs = values.entries()?;
            let pairs =
                pairs.iter().filter_map(|(idp, item)| Some(((*idp).to_owned(), item.text()?.to_owned())));
            return Some(Source::Values { pairs: pairs.collect(), other });
        }
        if let Some(constant) = constant {
            let literal = match constant.value {
                Value::Bool(true) => Literal::True,
                Value::Bool(false) => Literal::False,
                Value::Number(number) => Literal::Number(number.to_string().into()),
                _ => Literal::String(constant.text()?.into()),
            };
            return Some(Source::Constant(literal));
        }
        if let Some(default) = default {
            let text = default.text()?;
            let spot = |path: &str| self.compile_spot(path, &self.mapping.idp, self.of).ok();
            return match Template::parse(text, spot) {
                Ok(template) => Some(Source::Default(template)),
                Err(message) => {
                    let remedy = "write paths in braces, as in \"{name.givenName} {name.familyName}\"";
                    default.error(config::RULE_PATH, message, remedy);
                    None
                }
            };
        }
        Some(if drop == Some(true) { Source::Drop } else { Source::Copy })
    }

    fn check(&self, rule: &Rule, item: &Item<'_>) {
        let Some(to) = &rule.provider else { return };
        let target = self.mapping.provider.attribute(to.leaf());
        if rule.to_provider && target.mutability == Mutability::ReadOnly {
            let remedy = "say `direction: to_idp` or remove the rule";
            item.error(config::RULE, format!("`{}` is readOnly at the provider", to.path), remedy);
        }
        let Some(from) = &rule.idp else { return };
        let source = self.mapping.idp.attribute(from.leaf());
        let complex = |kind: Type| kind == Type::Complex;
        let lists = |spot: &Spot, attribute: &crate::schema::Attribute| {
            attribute.multi_valued && spot.slot.is_empty()
        };
        if complex(source.kind) != complex(target.kind) || lists(from, source) != lists(to, target) {
            let remedy = "name a sub-attribute, or one element as in `emails[type eq \"work\"].value`";
            item.error(
                config::RULE,
                format!("`{}` and `{}` are not of one shape", from.path, to.path),
                remedy,
            );
        }
    }

    fn spot(&self, item: &Item<'_>, vocabulary: &Vocabulary, of: &ResourceType) -> Option<Spot> {
        let text = item.text()?;
        match self.compile_spot(text, vocabulary, of) {
            Ok(spot) => Some(spot),
            Err((message, remedy)) => {
                item.error(config::RULE_PATH, message, remedy);
                None
            }
        }
    }

    fn compile_spot(
        &self,
        text: &str,
        vocabulary: &Vocabulary,
        of: &ResourceType,
    ) -> Result<Spot, (String, String)> {
        let known = |uri: &str| vocabulary.schema_root(of, uri).is_some();
        let (path, _) = Path::parse(text, &Syntax::strict(&known))
            .map_err(|error| (format!("the path cannot be read: {error}"), "write a SCIM path".to_owned()))?;
        let Path::Attribute { attribute, filter } = path else {
            return Err(("a whole extension cannot be mapped".into(), "name one of its attributes".into()));
        };
        let unknown = || {
            let names: Vec<&str> = vocabulary
                .children(of.root)
                .chain(of.extensions.iter().flat_map(|(extension, _)| vocabulary.children(*extension)))
                .map(|attr| vocabulary.path(attr))
                .collect();
            let remedy = match config::nearest(text, names) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "add it to a schema of the profile, or correct the path".to_owned(),
            };
            (format!("the schema of `{}` has no attribute `{attribute}`", of.name), remedy)
        };
        let attr = vocabulary.resolve(of, &attribute);
        if !attr.is_known() {
            return Err(unknown());
        }
        let above = vocabulary.attribute(attr).parent;
        let Some(filter) = filter else {
            if attribute.sub.is_some() && vocabulary.attribute(above).multi_valued {
                let remedy =
                    format!("say which element, as in `{}[type eq \"work\"].value`", vocabulary.path(above));
                return Err(("the attribute has several elements".into(), remedy));
            }
            return Ok(Spot { path: text.into(), attr, slot: Vec::new(), sub: Default::default() });
        };
        let list = if attribute.sub.is_some() { above } else { attr };
        if !vocabulary.attribute(list).multi_valued {
            return Err((
                "the attribute has a single value and takes no filter".into(),
                "remove the filter".into(),
            ));
        }
        let conjunction = filter.as_conjunction_of_eq().ok_or_else(|| {
            let remedy = "write `eq` comparisons joined by `and`, as in `[type eq \"work\"]`";
            ("a rule's filter names one element".to_owned(), remedy.to_owned())
        })?;
        let mut slot = Vec::new();
        for (path, literal) in conjunction {
            let sub = vocabulary.lookup(list, path.name.as_bytes());
            if !sub.is_known() {
                return Err((
                    format!("`{}` has no sub-attribute `{path}`", vocabulary.path(list)),
                    "correct it".into(),
                ));
            }
            slot.push((sub, literal.clone()));
        }
        let sub = if attribute.sub.is_some() { attr } else { Default::default() };
        Ok(Spot { path: text.into(), attr: list, slot, sub })
    }
}
