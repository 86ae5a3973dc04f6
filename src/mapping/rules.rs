//! Reads the rules of one resource type: what each says, and whether its types and values fit both sides.

use serde_json::Value;

use super::paths::{Side, kind, takes, typed};
use super::spot::Spot;
use super::steps::Steps;
use super::template::Template;
use super::transform::{Chain, End, Shape, Step};
use super::when::Condition;
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
        let [idp, provider, values, other, transform] =
            ["idp", "provider", "values", "other", "transform"].map(|key| fields.opt(key));
        let [value, default, drop, when, operations, direction] =
            ["value", "default", "drop", "when", "operations", "direction"].map(|key| fields.opt(key));
        fields.finish();
        if let Some(item) = drop.as_ref()
            && !item.boolean()?
        {
            item.error(config::RULE, "`drop: false` says nothing", "remove it");
            return None;
        }
        let changed = if values.is_some() { &values } else { &transform };
        if [changed, &value, &default, &drop].iter().filter(|each| each.is_some()).count() > 1 {
            let remedy = "leave one of `values`, `transform`, `value`, `default` and `drop`";
            item.error(config::RULE, "the rule has several sources", remedy);
            return None;
        }
        let carries = value.is_none() && default.is_none() && drop.is_none();
        if idp.is_some() != (carries || drop.is_some()) || provider.is_some() == drop.is_some() {
            let remedy = "write `idp` and `provider`; `provider` with `value` or `default`; or `idp` with `drop: true`";
            item.error(config::RULE, "the rule does not say what goes where", remedy);
            return None;
        }
        if let Some(item) = transform.as_ref().filter(|_| values.is_some()) {
            let remedy = "write `{ values: { … } }` among the steps of `transform`";
            item.error(config::RULE, "`values` and `transform` do not say which comes first", remedy);
        }
        if let Some(item) = when.as_ref().filter(|_| drop.is_some()) {
            item.error(
                config::RULE,
                "`drop` has no conditions: what is dropped is dropped always",
                "remove `when`",
            );
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
        let mut chain = Chain::default();
        if let (Some(from), Some(to)) = (&idp, &provider) {
            chain.idp = End::of(from, self.idp.vocabulary);
            chain.provider = End::of(to, self.provider.vocabulary);
            let ends = (self.value_of(&self.idp, from), self.value_of(&self.provider, to));
            let steps = Steps { from: ends.0, to: ends.1, back: to_provider && to_idp };
            chain.steps = match (&values, &transform) {
                (Some(values), _) => vec![steps.values(values, other.as_ref(), true, true)?],
                (None, Some(transform)) => steps.read(transform)?,
                (None, None) => Vec::new(),
            };
        }
        let when = match when.filter(|_| drop.is_none()) {
            Some(item) => Some(self.condition(&item)?),
            None => None,
        };
        let source = match (value, default) {
            (Some(value), _) => self.constant(&value, target?)?,
            (_, Some(default)) => Source::Default(self.template(&default, target?)?),
            _ if drop.is_some() => Source::Drop,
            _ => Source::Copy,
        };
        let name = format!("{} rule {number}", self.idp.of.name).into();
        let rule = Rule {
            number: 0,
            name,
            idp,
            provider,
            source,
            chain,
            when,
            create,
            update,
            to_provider,
            to_idp: carries && to_idp,
            guards: Vec::new(),
            one_way: None,
        };
        self.check(&rule, item);
        Some(rule)
    }

    /// The attribute that a transform works on: of a list of complex values their `value`.
    fn value_of<'s>(&self, side: &Side<'s>, spot: &Spot) -> &'s Attribute {
        let leaf = side.leaf(spot);
        let inner = side.vocabulary.lookup(spot.leaf(), b"value");
        match leaf.kind == Type::Complex && leaf.multi_valued && spot.slot.is_empty() && inner.is_known() {
            true => side.vocabulary.attribute(inner),
            false => leaf,
        }
    }

    fn condition(&self, item: &Item<'_>) -> Option<Condition> {
        let condition = Condition::parse(item.text()?, &self.idp)
            .map_err(|(message, remedy)| item.error(config::RULE_PATH, message, remedy))
            .ok()?;
        condition.inputs.iter().for_each(|input| self.is_sent(item, *input));
        Some(condition)
    }

    /// Reports what is asked of an attribute that the IdP never sends.
    fn is_sent(&self, item: &Item<'_>, attr: AttrId) {
        if is_read_only(&self.idp, attr) && !self.idp.is_fixed(attr) {
            let path = self.idp.vocabulary.path(attr);
            let message = format!("`{path}` is readOnly for the IdP, which never sends it with the resource");
            let remedy = match self.idp.vocabulary.name(self.idp.vocabulary.top(attr)) {
                "groups" => {
                    "who is in a group is told with the group, not with its members: let the IdP send what the \
                     rule needs with the user, as in `roles` or `userType`"
                }
                _ => "ask for an attribute that the IdP sends",
            };
            item.error(config::RULE, message, remedy);
        }
    }

    fn constant(&self, item: &Item<'_>, to: &Attribute) -> Option<Source> {
        if item.value.as_str().is_some_and(|text| text.contains(['{', '}']) && item.is_literal()) {
            let template = self.template(item, to)?;
            return Some(match template.fixed() {
                Some(text) => Source::Constant(Literal::String(text.into())),
                None => Source::Computed(template),
            });
        }
        let literal = literal(item)?;
        fits(item, to, &literal)?;
        Some(Source::Constant(literal))
    }

    fn template(&self, item: &Item<'_>, to: &Attribute) -> Option<Template> {
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
            self.is_sent(item, input.leaf());
        }
        match template.fixed() {
            Some(text) => fits(item, to, &Literal::String(text.into()))?,
            None if kind(to.kind) != "text" => {
                let message = format!("a template makes text, and `{}` is {}", to.path, kind(to.kind));
                item.error(config::RULE_VALUE, message, "map an attribute of that type");
            }
            None => {}
        }
        Some(template)
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
            Source::Copy => "say `direction: to_idp` or remove the rule",
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
        let remedy = "name a sub-attribute, or one element as in `emails[type eq \"work\"].value`";
        if !rule.chain.is_empty() {
            return self.check_steps(rule, item, (from, to));
        }
        if complex(source) != complex(target) || list(source, from) != list(target, to) {
            let message = format!("`{}` and `{}` are not of one shape", from.path, to.path);
            let more = match (list(source, from), list(target, to)) {
                (true, false) => {
                    "; or say which value with `transform: primary`, `first` or `{ join: \", \" }`"
                }
                (false, true) => "; or make a list with `transform: wrap` or `{ split: \",\" }`",
                _ => "",
            };
            return item.error(config::RULE, message, format!("{remedy}{more}"));
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

    /// Whether the steps of a rule lead from one end to the other.
    fn check_steps(&self, rule: &Rule, item: &Item<'_>, (from, to): (&Spot, &Spot)) {
        for (side, spot) in [(&self.idp, from), (&self.provider, to)] {
            if self.value_of(side, spot).kind == Type::Complex {
                let message = format!("`{}` is complex, and steps work on single values", spot.path);
                return item.error(config::RULE, message, "name a sub-attribute");
            }
        }
        let mut shape = rule.chain.idp.shape();
        for step in &rule.chain.steps {
            let Some(next) = step.shape(shape) else {
                let given = if shape == Shape::List { "a list" } else { "a single value" };
                let message = format!("`{}` does not take {given}", step.name());
                return item.error(config::RULE, message, "correct the order of the steps, or the paths");
            };
            shape = next;
        }
        if shape != rule.chain.provider.shape() {
            let is = |shape| if shape == Shape::List { "a list" } else { "a single value" };
            let wanted = is(rule.chain.provider.shape());
            let message =
                format!("the steps make {} of `{}`, and `{}` is {wanted}", is(shape), from.path, to.path);
            let remedy = match shape {
                Shape::List => "add `first`, `primary` or `{ join: \", \" }`",
                Shape::One => "add `wrap` or `{ split: \",\" }`",
            };
            return item.error(config::RULE, message, remedy);
        }
        if !rule.chain.steps.iter().any(Step::retypes) {
            let (source, target) = (self.value_of(&self.idp, from), self.value_of(&self.provider, to));
            same_kind(rule, item, source, target, "translate with `values`, `boolean` or `date`");
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

pub(super) fn literal(item: &Item<'_>) -> Option<Literal> {
    Some(match item.value {
        Value::Bool(true) => Literal::True,
        Value::Bool(false) => Literal::False,
        Value::Number(number) => Literal::Number(number.to_string().into()),
        _ => Literal::String(item.text()?.into()),
    })
}

/// The provider's word for one of the IdP's, as text.
pub(super) fn word_of(item: &Item<'_>, to: Option<&Attribute>) -> Option<String> {
    let mut literal = literal(item)?;
    if let Some(to) = to {
        literal = typed(to, literal);
        fits(item, to, &literal)?;
    }
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
