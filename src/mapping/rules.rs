//! Reads the rules of one resource type: what each says, and whether its types and values fit both sides.

use serde_json::Value;

use super::paths::{Side, kind, takes, typed};
use super::spot::Spot;
use super::template::Template;
use super::{Rule, Source};
use crate::config::{self, Item, keys};
use crate::filter::Literal;
use crate::schema::{AttrId, Attribute, Mutability, Type};

/// What rules are read against.
pub(super) struct Reader<'a> {
    pub(super) idp: Side<'a>,
    pub(super) provider: Side<'a>,
}

impl Reader<'_> {
    /// The rules of a list, each with its place; none where one of them cannot be read.
    pub(super) fn rules<'i>(&self, item: &Item<'i>) -> Option<Vec<(Rule, Item<'i>)>> {
        let items = item.list()?.into_iter().enumerate();
        let rules: Vec<_> = items.map(|(index, item)| Some((self.rule(index + 1, &item)?, item))).collect();
        rules.into_iter().collect()
    }

    fn rule(&self, number: usize, item: &Item<'_>) -> Option<Rule> {
        let mut fields = item.fields_of(keys::RULE)?;
        let [idp, provider, values, other, value, default, drop, operations, direction] =
            ["idp", "provider", "values", "other", "value", "default", "drop", "operations", "direction"]
                .map(|key| fields.opt(key));
        fields.finish();
        if let Some(item) = drop.as_ref()
            && !item.boolean()?
        {
            item.error(config::RULE, "`drop: false` says nothing", "remove it");
            return None;
        }
        if [&values, &value, &default, &drop].iter().filter(|each| each.is_some()).count() > 1 {
            let remedy = "leave one of `values`, `value`, `default` and `drop`";
            item.error(config::RULE, "the rule has several sources", remedy);
            return None;
        }
        let carries = value.is_none() && default.is_none() && drop.is_none();
        if idp.is_some() != (carries || drop.is_some()) || provider.is_some() == drop.is_some() {
            let remedy = "write `idp` and `provider`; `provider` with `value` or `default`; or `idp` with `drop: true`";
            item.error(config::RULE, "the rule does not say what goes where", remedy);
            return None;
        }
        if let Some(other) = other.as_ref().filter(|_| values.is_none()) {
            other.error(
                config::RULE,
                "`other` says nothing without `values`",
                "add `values`, or remove `other`",
            );
        }
        if let Some(direction) = direction.as_ref().filter(|_| !carries) {
            let message = "`direction` says nothing here: only a rule with `idp` and `provider` has two";
            direction.error(config::RULE, message, "remove it");
        }
        let directions = [("both", (true, true)), ("to_provider", (true, false)), ("to_idp", (false, true))];
        let (to_provider, to_idp) =
            direction.and_then(|item| item.choice(&directions)).unwrap_or((true, true));
        let (create, update) = match operations.as_ref() {
            None => (true, true),
            Some(operations) => {
                let what = if drop.is_some() { "drop: true" } else { "direction: to_idp" };
                if drop.is_some() || !to_provider {
                    let message = format!("`operations` says nothing beside `{what}`");
                    operations.error(config::RULE, message, "remove it");
                }
                self::operations(operations)
            }
        };

        let spot = |item: Option<Item<'_>>, side: &Side<'_>| item.map(|item| spot(&item, side));
        let (idp, provider) = (spot(idp, &self.idp), spot(provider, &self.provider));
        let idp = if let Some(read) = idp { Some(read?) } else { None };
        let provider = if let Some(read) = provider { Some(read?) } else { None };
        let target = provider.as_ref().map(|spot| self.provider.leaf(spot));
        let source = match (values, value, default) {
            (Some(values), _, _) => {
                let back = to_provider && to_idp;
                self.values(&values, other.as_ref(), self.idp.leaf(idp.as_ref()?), target?, back)?
            }
            (_, Some(value), _) => self.constant(&value, target?)?,
            (_, _, Some(default)) => self.default(&default, target?)?,
            _ if drop.is_some() => Source::Drop,
            _ => Source::Copy,
        };
        let name = format!("{} rule {number}", self.idp.of.name).into();
        let rule =
            Rule { name, idp, provider, source, create, update, to_provider, to_idp: carries && to_idp };
        self.check(&rule, item);
        Some(rule)
    }

    fn values(
        &self,
        item: &Item<'_>,
        other: Option<&Item<'_>>,
        from: &Attribute,
        to: &Attribute,
        back: bool,
    ) -> Option<Source> {
        let written = item.entries()?;
        let entries = written.len();
        if written.is_empty() {
            let remedy = "write the words of both sides, as `{ Employee: E, Contractor: C }`";
            item.error(config::RULE, "`values` has no word", remedy);
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (word, item) in written {
            let literal = typed(from, Literal::String(word.into()));
            if let Err(expected) = takes(from, &literal) {
                let message = format!("`{word}` is not a value of `{}`", from.path);
                item.error(config::RULE_VALUE, message, expected);
            }
            if pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(word)) {
                let message = format!("the word `{word}` is there twice: case does not matter");
                item.error(config::RULE_CLASH, message, "keep one of the two");
            }
            let Some(theirs) = word_of(&item, to) else { continue };
            let same = pairs.iter().find(|(_, other)| other.eq_ignore_ascii_case(&theirs));
            if let Some((first, _)) = same.filter(|_| back && from.kind != Type::Boolean) {
                let message = format!(
                    "`{first}` and `{word}` become one word: the IdP reads `{first}` back and sends `{word}` again and again"
                );
                let remedy = "give each a word of its own, or say `direction: to_provider` so that nothing is read back";
                item.warn(config::RULE_VALUE, message, remedy);
            }
            pairs.push((word.to_owned(), theirs));
        }
        let other = match other {
            Some(item) => Some(word_of(item, to)?),
            None => None,
        };
        if from.kind == Type::Boolean && pairs.len() == entries {
            let word = |of: &str| {
                let pair = pairs.iter().find(|(word, _)| word.eq_ignore_ascii_case(of));
                pair.map(|(_, word)| word).or(other.as_ref())
            };
            let problem = match (word("true"), word("false")) {
                (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {
                    Some(("`true` and `false` become one word", "give each a word of its own"))
                }
                (Some(_), Some(_)) => None,
                (None, _) => Some(("`values` does not have `true`, which would be refused", "add `true`")),
                (_, None) => Some(("`values` does not have `false`, which would be refused", "add `false`")),
            };
            if let Some((message, remedy)) = problem {
                item.error(config::RULE_VALUE, message, remedy);
            }
        }
        Some(Source::Values { pairs, other })
    }

    fn constant(&self, item: &Item<'_>, to: &Attribute) -> Option<Source> {
        let literal = literal(item)?;
        fits(item, to, &literal)?;
        Some(Source::Constant(literal))
    }

    fn default(&self, item: &Item<'_>, to: &Attribute) -> Option<Source> {
        let text = item.text()?;
        let template = Template::parse(text, |path| self.idp.spot(path))
            .map_err(|(message, remedy)| item.error(config::RULE_PATH, message, remedy))
            .ok()?;
        if text.is_empty() {
            item.error(config::RULE, "the default is empty", "write a text, or remove the rule");
        }
        for input in template.inputs() {
            let attribute = self.idp.leaf(input);
            let list = attribute.multi_valued && !input.sub.is_known();
            if list || !matches!(kind(attribute.kind), "text" | "a number") {
                let message = format!("`{{{}}}` is neither text nor a number", input.path);
                item.error(config::RULE_VALUE, message, "name an attribute that is");
            }
        }
        match template.fixed() {
            Some(text) => fits(item, to, &Literal::String(text.into()))?,
            None if kind(to.kind) != "text" => {
                let message = format!("a default makes text, and `{}` is {}", to.path, kind(to.kind));
                item.error(config::RULE_VALUE, message, "map an attribute of that type");
            }
            None => {}
        }
        Some(Source::Default(template))
    }

    /// Whether the types of both ends fit, and may be written.
    fn check(&self, rule: &Rule, item: &Item<'_>) {
        if let Some(from) = &rule.idp
            && self.idp.is_fixed(from.attr)
        {
            let message = format!("`{}` is carried by the gateway itself and cannot be mapped", from.path);
            return item.error(config::RULE, message, "remove the rule");
        }
        let writable = |side: &Side<'_>, spot: &Spot, who: &str, remedy: &str| {
            let message = format!("`{}` is readOnly {who}", spot.path);
            let read_only = is_read_only(side, spot.leaf());
            if read_only {
                item.error(config::RULE, message, remedy);
            }
            !read_only
        };
        let Some(to) = &rule.provider else { return };
        if self.provider.vocabulary.is_within(to.attr, self.provider.of.schemas) {
            let message = "`schemas` follows from the data and cannot be mapped";
            return item.error(config::RULE, message, "remove the rule");
        }
        let remedy = match rule.source {
            Source::Copy | Source::Values { .. } => "say `direction: to_idp` or remove the rule",
            _ => "remove the rule",
        };
        if rule.to_provider && !writable(&self.provider, to, "at the provider", remedy) {
            return;
        }
        let target = self.provider.leaf(to);
        let list = |attribute: &Attribute, spot: &Spot| attribute.multi_valued && spot.slot.is_empty();
        let Some(from) = &rule.idp else {
            if list(target, to) {
                let remedy = "name one element, as in `emails[type eq \"work\"].value`";
                item.error(config::RULE, format!("`{}` has several elements", to.path), remedy);
            }
            return;
        };
        if rule.to_provider
            && !writable(&self.idp, from, "for the IdP, which never sends it", "say `direction: to_idp`")
        {
            return;
        }
        let source = self.idp.leaf(from);
        let complex = |attribute: &Attribute| attribute.kind == Type::Complex;
        let values = matches!(rule.source, Source::Values { .. });
        let shapes_differ = complex(source) != complex(target) || list(source, from) != list(target, to);
        if shapes_differ || (values && (complex(source) || list(source, from))) {
            let message = match shapes_differ {
                true => format!("`{}` and `{}` are not of one shape", from.path, to.path),
                false => format!("`values` needs a single value, and `{}` is none", from.path),
            };
            let remedy = "name a sub-attribute, or one element as in `emails[type eq \"work\"].value`";
            return item.error(config::RULE, message, remedy);
        }
        if values {
            return;
        }
        let remedy = match source.kind {
            Type::Complex | Type::Decimal => "map an attribute of the same type",
            _ => "translate with `values`, or map an attribute of the same type",
        };
        same_kind(rule, item, source, target, remedy);
        if complex(source) {
            for part in self.idp.vocabulary.children(from.leaf()) {
                let part = self.idp.vocabulary.attribute(part);
                let other = self.provider.vocabulary.lookup(to.leaf(), part.name.as_bytes());
                if other.is_known() {
                    let other = self.provider.vocabulary.attribute(other);
                    same_kind(rule, item, part, other, "write a rule for each part alone");
                }
            }
        }
    }
}

fn same_kind(rule: &Rule, item: &Item<'_>, from: &Attribute, to: &Attribute, remedy: &str) {
    let narrows = rule.to_provider && (from.kind, to.kind) == (Type::Decimal, Type::Integer);
    if kind(from.kind) != kind(to.kind) || narrows {
        let to_kind = if narrows { "a whole number" } else { kind(to.kind) };
        let message = format!(
            "`{}` is {} for the IdP, and `{}` is {to_kind} at the provider",
            from.path,
            kind(from.kind),
            to.path
        );
        item.error(config::RULE_VALUE, message, remedy);
    }
}

/// Create, update.
fn operations(item: &Item<'_>) -> (bool, bool) {
    let words = [("create", true), ("update", false)];
    let items = item.list();
    if items.as_ref().is_some_and(Vec::is_empty) {
        let remedy = "write `[create]` or `[update]`, or remove `operations`";
        item.error(config::RULE, "the rule would never do anything", remedy);
    }
    let chosen: Vec<bool> = items.unwrap_or_default().iter().filter_map(|item| item.choice(&words)).collect();
    (chosen.contains(&true), chosen.contains(&false))
}

fn spot(item: &Item<'_>, side: &Side<'_>) -> Option<Spot> {
    let text = item.text()?;
    side.spot(text).map_err(|(message, remedy)| item.error(config::RULE_PATH, message, remedy)).ok()
}

fn literal(item: &Item<'_>) -> Option<Literal> {
    Some(match item.value {
        Value::Bool(true) => Literal::True,
        Value::Bool(false) => Literal::False,
        Value::Number(number) => Literal::Number(number.to_string().into()),
        _ => Literal::String(item.text()?.into()),
    })
}

/// The provider's word for one of the IdP's, as text.
fn word_of(item: &Item<'_>, to: &Attribute) -> Option<String> {
    let literal = typed(to, literal(item)?);
    fits(item, to, &literal)?;
    Some(match literal {
        Literal::String(text) | Literal::Number(text) => text.into_string(),
        Literal::True => "true".to_owned(),
        Literal::False | Literal::Null => "false".to_owned(),
    })
}

fn fits(item: &Item<'_>, to: &Attribute, literal: &Literal) -> Option<()> {
    let Err(expected) = takes(to, literal) else { return Some(()) };
    item.error(config::RULE_VALUE, format!("{} is not a value of `{}`", item.shown(), to.path), expected);
    None
}

/// True where the attribute, or what it is a part of, is not to be written.
fn is_read_only(side: &Side<'_>, mut attr: AttrId) -> bool {
    while attr.is_known() {
        let attribute = side.vocabulary.attribute(attr);
        if attribute.mutability == Mutability::ReadOnly {
            return true;
        }
        attr = attribute.parent;
    }
    false
}
