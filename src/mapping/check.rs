//! What the rules of a resource type mean together: contradictions, rules without effect, what no rule fills.

use super::paths::Side;
use super::spot::Spot;
use super::template::Template;
use super::{Claim, Pair, Rule, Source, Unmapped, ways};
use crate::config::{self, Item, Part};
use crate::schema::{AttrId, Mutability, Returned};

/// The rules of a type with their places.
pub(super) struct Check<'a> {
    pub(super) pair: &'a Pair,
    pub(super) items: &'a [Item<'a>],
    /// How many of them are the route's own: they come first.
    pub(super) own: usize,
    pub(super) idp: Side<'a>,
    pub(super) provider: Side<'a>,
    /// How many elements lists of the provider's may have.
    pub(super) limits: &'a [(Part, usize)],
    /// The IdP's product name.
    pub(super) title: &'a str,
}

/// When a rule writes to the provider.
#[derive(Clone, Copy)]
enum When {
    Create,
    Update,
}

impl When {
    const ALL: [Self; 2] = [Self::Create, Self::Update];

    const fn has(self, rule: &Rule) -> bool {
        let when = match self {
            Self::Create => rule.create,
            Self::Update => rule.update,
        };
        when && rule.to_provider && !matches!(rule.source, Source::Drop)
    }
}

impl Check<'_> {
    /// Reports what is wrong; what concerns no single rule at `place`.
    pub(super) fn run(&self, place: &Item<'_>) {
        let mut idle = Vec::new();
        for writers in self.writers() {
            if !self.contradict(&writers) {
                self.idle(&writers, &mut idle);
            }
        }
        self.overlaps();
        self.drops();
        self.inputs();
        self.cycles(&idle);
        self.limits(place);
        if !self.pair.identity {
            let root = self.provider.of.root;
            self.required(root, place);
            for (extension, required) in &self.provider.of.extensions {
                if *required || self.partly_written(*extension) {
                    self.required(*extension, place);
                }
            }
        }
    }

    /// The numbers of the rules that write to each spot of the provider's, in the order they are asked.
    fn writers(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let is_default = |rule: &Rule| matches!(rule.source, Source::Default(_));
        for defaults in [false, true] {
            for (index, rule) in self.pair.rules.iter().enumerate() {
                let Some(to) = rule.provider.as_ref().filter(|_| rule.to_provider) else { continue };
                if is_default(rule) != defaults {
                    continue;
                }
                let same = |group: &&mut Vec<usize>| {
                    group.iter().any(|other| {
                        self.rule(*other)
                            .and_then(|rule| rule.provider.as_ref())
                            .is_some_and(|spot| spot.same(to))
                    })
                };
                match groups.iter_mut().find(same) {
                    Some(group) => group.push(index),
                    None => groups.push(vec![index]),
                }
            }
        }
        groups
    }

    /// Constants beside others for one spot.
    fn contradict(&self, writers: &[usize]) -> bool {
        for when in When::ALL {
            let live = || {
                writers.iter().copied().filter(|index| self.rule(*index).is_some_and(|rule| when.has(rule)))
            };
            let is_constant = |index: &usize| {
                self.rule(*index)
                    .is_some_and(|rule| matches!(rule.source, Source::Constant(_)) && rule.when.is_none())
            };
            let mut constants = live().filter(is_constant);
            let Some(first) = constants.next() else { continue };
            let path = self.rule(first).and_then(|rule| rule.provider.as_ref()).map_or("", |spot| &spot.path);
            if let Some(second) = constants.next() {
                let message = format!("two rules always write `{path}`");
                self.error(second, config::RULE_CLASH, &message, "keep one of the two");
                return true;
            }
            let other = live().find(|index| self.rule(*index).is_some_and(|rule| rule.idp.is_some()));
            if let (When::Update, Some(other)) = (when, other) {
                let name = self.name(other);
                let message =
                    format!("the constant and {name} both write `{path}` when a resource is changed");
                let remedy = "say `operations: [create]` for the constant, or remove one of the two";
                self.error(first, config::RULE_CLASH, &message, remedy);
                return true;
            }
        }
        false
    }

    /// Rules that are never asked, since one before them always has a value when they would have one.
    fn idle(&self, writers: &[usize], idle: &mut Vec<usize>) {
        for (place, index) in writers.iter().enumerate() {
            let Some(rule) = self.rule(*index) else { continue };
            let wins = |when: When, other: usize| {
                self.rule(other).is_some_and(|other| when.has(other) && self.wins(other, rule))
            };
            let before = || writers.iter().copied().take(place);
            let winner = |when: When| before().find(|other| wins(when, *other));
            let lost = When::ALL.into_iter().filter(|when| when.has(rule)).map(winner);
            let Some(winners) = lost.collect::<Option<Vec<_>>>() else { continue };
            let Some(winner) = winners.first() else { continue };
            let message = format!("the rule never writes: {} always does before", self.name(*winner));
            let remedy = match rule.source {
                Source::Copy if rule.to_idp || rule.one_way.is_some() => {
                    "say `direction: to_idp`, remove one of the two, or change their order"
                }
                _ => "remove one of the two, or change their order",
            };
            idle.push(*index);
            if let Some(item) = self.items.get(*index) {
                item.warn(config::RULE_IDLE, message, remedy);
            }
        }
    }

    /// True when a rule has a value whenever another has one.
    fn wins(&self, rule: &Rule, other: &Rule) -> bool {
        if rule.when.is_some() {
            return false;
        }
        match (&rule.source, &rule.idp) {
            (Source::Constant(_), _) => true,
            (Source::Default(template), _) => template.fixed().is_some(),
            (Source::Copy, Some(from)) => {
                self.always_there(from) || other.idp.as_ref().is_some_and(|spot| spot.same(from))
            }
            _ => false,
        }
    }

    /// True when every resource of the IdP has the attribute.
    fn always_there(&self, from: &Spot) -> bool {
        let mut attr = from.attr;
        while attr.is_known() && attr != self.idp.of.root {
            let attribute = self.idp.vocabulary.attribute(attr);
            if !attribute.required {
                return false;
            }
            attr = attribute.parent;
        }
        from.slot.is_empty()
    }

    /// Rules that write a whole and a part of it.
    fn overlaps(&self) {
        for (index, rule) in self.pair.rules.iter().enumerate() {
            for (earlier, other) in self.pair.rules.iter().enumerate().take(index) {
                let both = When::ALL.iter().any(|when| when.has(rule) && when.has(other));
                let overlap = |a: Option<&Spot>, b: Option<&Spot>, side: &Side<'_>| match (a, b) {
                    (Some(a), Some(b)) if !a.same(b) => {
                        a.covers(b, side.vocabulary) || b.covers(a, side.vocabulary)
                    }
                    _ => false,
                };
                let to_provider =
                    both && overlap(rule.provider.as_ref(), other.provider.as_ref(), &self.provider);
                let to_idp =
                    rule.to_idp && other.to_idp && overlap(rule.idp.as_ref(), other.idp.as_ref(), &self.idp);
                if !to_provider && !to_idp {
                    continue;
                }
                // The one that can be changed: the route's own.
                let (at, with) = match index >= self.own && earlier < self.own {
                    true => (earlier, self.name(index)),
                    false => (index, self.name(earlier)),
                };
                let path = |rule: &Rule| {
                    let spot = if to_provider { &rule.provider } else { &rule.idp };
                    spot.as_ref().map_or_else(String::new, |spot| spot.path.to_string())
                };
                let paths = (path(rule), path(other));
                let message = format!("`{}` and `{}` overlap ({with})", paths.1, paths.0);
                self.error(
                    at,
                    config::RULE_CLASH,
                    &message,
                    "write rules for the parts alone, or for the whole alone",
                );
            }
        }
    }

    /// `drop: true` for what another rule carries.
    fn drops(&self) {
        for (index, rule) in self.pair.rules.iter().enumerate() {
            let Some(dropped) = rule.idp.as_ref().filter(|_| matches!(rule.source, Source::Drop)) else {
                continue;
            };
            let carries = |other: &&Rule| {
                let overlap = |from: &Spot| {
                    from.covers(dropped, self.idp.vocabulary) || dropped.covers(from, self.idp.vocabulary)
                };
                other.to_provider
                    && !matches!(other.source, Source::Drop)
                    && other.idp.as_ref().is_some_and(overlap)
            };
            if let Some((other, _)) = self.pair.rules.iter().enumerate().find(|(_, rule)| carries(rule)) {
                let other = self.name(other);
                let message = format!("`{}` is dropped here, and carried by {other}", dropped.path);
                self.error(index, config::RULE_CLASH, &message, "keep one of the two");
            }
        }
    }

    /// What a text is made of, and what a condition asks, must be readable: a later change could not decide it again.
    fn inputs(&self) {
        let vocabulary = self.idp.vocabulary;
        for (index, rule) in self.pair.rules.iter().enumerate() {
            let template = match &rule.source {
                Source::Default(template) | Source::Computed(template) => Some(template),
                _ => None,
            };
            let texts = template.into_iter().flat_map(Template::inputs).map(Spot::leaf);
            let conditions = rule.when.iter().flat_map(|when| when.inputs.iter().copied());
            let is_shown = |input: &AttrId| ways::is_shown(self.pair, &self.idp, &self.provider, *input);
            let hidden = texts.chain(conditions).find(|input| !is_shown(input));
            if let Some(input) = hidden.filter(|_| rule.update && rule.to_provider) {
                let message = format!(
                    "`{{{}}}` cannot be read back from the provider when a resource is changed",
                    vocabulary.path(input)
                );
                let remedy = "say `operations: [create]`, or map the attribute both ways";
                self.error(index, config::RULE, &message, remedy);
            }
        }
    }

    /// Slots beyond what a list of the provider's may hold.
    fn limits(&self, place: &Item<'_>) {
        for (part, most) in self.limits {
            let Some(list) = part.value.as_str().and_then(|text| self.provider.spot(text).ok()) else {
                continue;
            };
            let slots = self.created().filter(|spot| spot.attr == list.attr && !spot.slot.is_empty());
            let mut several: Vec<&Spot> = Vec::new();
            for spot in slots {
                if !several.iter().any(|other| other.same_slot(spot)) {
                    several.push(spot);
                }
            }
            if several.len() > *most {
                let count = several.len();
                let message =
                    format!("rules fill {count} elements of `{}`, and the provider takes {most}", list.path);
                place.warn(config::RULE_LIMIT, message, "map fewer elements: the others would be left out");
            }
        }
    }

    /// Rules whose values the IdP reads back in another way than it sent them, or not at all: it compares and sends
    /// them again, in every cycle.
    fn cycles(&self, idle: &[usize]) {
        let rules = self.pair.rules.iter().enumerate();
        for (index, rule) in rules.filter(|(index, _)| !idle.contains(index)) {
            let Some(from) = rule.idp.as_ref().filter(|_| rule.to_provider) else { continue };
            let attribute = self.idp.leaf(from);
            let looked_at =
                attribute.returned != Returned::Never && attribute.mutability != Mutability::WriteOnly;
            let shown = self.pair.rules.iter().any(|other| {
                other.to_idp && other.idp.as_ref().is_some_and(|spot| spot.covers(from, self.idp.vocabulary))
            });
            let (message, remedy) = match (&rule.one_way, rule.loss()) {
                (Some(why), _) if looked_at && !shown => (
                    format!("`{}` is written and not shown back: {why}", from.path),
                    "map it so that it can be read back, or let the IdP not send it",
                ),
                (None, Some(loss)) if rule.to_idp => (
                    format!("`{}` does not always come back as it was sent: {loss}", from.path),
                    "let the IdP send what can come back",
                ),
                _ => continue,
            };
            if let Some(item) = self.items.get(index) {
                let message = format!("{message}; {} sends it again in every cycle", self.title);
                item.warn(config::RULE_CYCLE, message, remedy);
            }
        }
    }

    /// The attributes below one that the provider requires and nothing fills on creation.
    fn required(&self, parent: AttrId, place: &Item<'_>) {
        for attr in self.provider.vocabulary.children(parent) {
            let attribute = self.provider.vocabulary.attribute(attr);
            if attribute.extension
                || attribute.mutability == Mutability::ReadOnly
                || self.provider.is_fixed(attr)
            {
                continue;
            }
            if attribute.multi_valued {
                self.required_in_slots(attr, place);
            } else if self.partly_written(attr) {
                self.required(attr, place);
                continue;
            }
            if attribute.required && !self.is_filled(attr) {
                self.missing(&attribute.path, attr, place);
            }
        }
    }

    /// The same for the elements that rules make.
    fn required_in_slots(&self, list: AttrId, place: &Item<'_>) {
        let spots: Vec<&Spot> =
            self.created().filter(|spot| spot.attr == list && !spot.slot.is_empty()).collect();
        for (index, spot) in spots.iter().enumerate() {
            if spots.iter().take(index).any(|other| other.slot == spot.slot) {
                continue;
            }
            for sub in self.provider.vocabulary.children(list) {
                let attribute = self.provider.vocabulary.attribute(sub);
                let written = spots
                    .iter()
                    .any(|other| other.slot == spot.slot && (other.sub == sub || !other.sub.is_known()));
                let due = attribute.required && attribute.mutability != Mutability::ReadOnly;
                if due && !written && spot.slot.iter().all(|(fixed, _)| *fixed != sub) {
                    let path = spot.path.rsplit_once(']').map_or(&*spot.path, |(element, _)| element);
                    self.missing(&format!("{path}].{}", attribute.name), sub, place);
                }
            }
        }
    }

    fn missing(&self, path: &str, attr: AttrId, place: &Item<'_>) {
        let message = format!(
            "the provider requires `{path}`, and no rule fills it when a `{}` is created",
            self.provider.of.name
        );
        let remedy = "add a rule for it, or one with `value` or `default`";
        // Where everything passes, the IdP may send what its schema does not have.
        match self.pair.unmapped == Unmapped::Pass && !self.source(attr).is_known() {
            true => place.warn(config::REQUIRED, message, remedy),
            false => place.error(config::REQUIRED, message, remedy),
        }
    }

    /// Where rules write on creation, whatever conditions say.
    fn surely(&self) -> impl Iterator<Item = &Spot> {
        let rules = self.pair.rules.iter().filter(|rule| When::Create.has(rule) && rule.when.is_none());
        rules.filter_map(|rule| rule.provider.as_ref())
    }

    /// Where rules write on creation.
    fn created(&self) -> impl Iterator<Item = &Spot> {
        self.pair.rules.iter().filter(|rule| When::Create.has(rule)).filter_map(|rule| rule.provider.as_ref())
    }

    /// True when a part of the attribute is written, but not the attribute as a whole.
    fn partly_written(&self, attr: AttrId) -> bool {
        self.created().any(|spot| spot.attr != attr && self.provider.vocabulary.is_within(spot.attr, attr))
    }

    fn is_filled(&self, attr: AttrId) -> bool {
        let vocabulary = self.provider.vocabulary;
        self.passes(attr)
            || self
                .surely()
                .any(|spot| vocabulary.is_within(spot.attr, attr) || vocabulary.is_within(attr, spot.attr))
    }

    /// True when the IdP's attribute of the same name passes to this one.
    fn passes(&self, attr: AttrId) -> bool {
        let source = self.source(attr);
        self.pair.unmapped == Unmapped::Pass
            && source.is_known()
            && self.pair.idp_index.claim(source) == Claim::No
            && self.pair.provider_index.claim(attr) == Claim::No
    }

    /// The IdP's attribute of the same name.
    fn source(&self, attr: AttrId) -> AttrId {
        let provider = self.provider.vocabulary;
        self.idp.vocabulary.translate(provider, attr, self.provider.of.root, self.idp.of.root)
    }

    /// The rule's name; the profile's rules have numbers of their own.
    fn name(&self, index: usize) -> String {
        let name = self.rule(index).map_or("", |rule| &rule.name);
        if index < self.own { name.to_owned() } else { format!("the profile's {name}") }
    }

    fn rule(&self, index: usize) -> Option<&Rule> {
        self.pair.rules.get(index)
    }

    fn error(&self, index: usize, code: &'static str, message: &str, remedy: &str) {
        if let Some(item) = self.items.get(index) {
            item.error(code, message, remedy);
        }
    }
}
