//! Reads the steps of a `transform`.

use super::paths::{takes, typed};
use super::rules::word_of;
use super::transform::{Dates, Format, Step, Values};
use crate::config::{self, Item};
use crate::filter::Literal;
use crate::schema::{Attribute, Type};

/// What steps are read against.
pub(super) struct Steps<'a> {
    /// The attributes at both ends.
    pub(super) from: &'a Attribute,
    pub(super) to: &'a Attribute,
    /// Values come back.
    pub(super) back: bool,
}

/// The steps that are a word.
const WORDS: [&str; 7] = ["lower", "upper", "trim", "boolean", "first", "primary", "wrap"];

fn word(word: &str) -> Option<Step> {
    Some(match word {
        "lower" => Step::Lower,
        "upper" => Step::Upper,
        "trim" => Step::Trim,
        "boolean" => Step::Boolean,
        "first" => Step::First,
        "primary" => Step::Primary,
        "wrap" => Step::Wrap,
        _ => return None,
    })
}

/// The steps that take a value.
const KEYS: [&str; 6] = ["prefix", "suffix", "values", "split", "join", "date"];

impl Steps<'_> {
    /// One step, or a list of them in the order from the IdP to the provider.
    pub(super) fn read(&self, item: &Item<'_>) -> Option<Vec<Step>> {
        if !item.value.is_array() {
            return Some(vec![self.step(item, true, true)?]);
        }
        let items = item.list()?;
        if items.is_empty() {
            item.error(config::RULE, "`transform` has no step", "write steps, or remove it");
        }
        let last = items.len().saturating_sub(1);
        let steps: Vec<_> =
            items.iter().enumerate().map(|(at, item)| self.step(item, at == 0, at == last)).collect();
        steps.into_iter().collect()
    }

    fn step(&self, item: &Item<'_>, first: bool, last: bool) -> Option<Step> {
        if item.value.is_object() {
            return self.with_value(item, first, last);
        }
        let word = item.text()?;
        if let Some(step) = self::word(word) {
            return Some(step);
        }
        let (message, remedy) = match KEYS.contains(&word) {
            true => {
                (format!("the step `{word}` needs a value"), format!("write it as in `{{ {word}: \"…\" }}`"))
            }
            false => {
                let known = config::nearest(word, WORDS.into_iter().chain(KEYS));
                let all = || config::either(WORDS.into_iter().chain(KEYS));
                let remedy = known
                    .map_or_else(|| format!("write {}", all()), |known| format!("did you mean `{known}`?"));
                (format!("there is no step {}", item.shown()), remedy)
            }
        };
        item.error(config::RULE, message, remedy);
        None
    }

    fn with_value(&self, item: &Item<'_>, first: bool, last: bool) -> Option<Step> {
        let mut fields = item.fields()?;
        let [prefix, suffix, values, split, join, date] = KEYS.map(|key| fields.opt(key));
        let other = fields.opt("other");
        fields.finish();
        let given =
            [&prefix, &suffix, &values, &split, &join, &date].iter().filter(|each| each.is_some()).count();
        if given != 1 {
            let remedy = "write one step an entry, as in `[upper, { prefix: \"X_\" }]`";
            item.error(config::RULE, "an entry of `transform` is one step", remedy);
            return None;
        }
        if let Some(other) = other.as_ref().filter(|_| values.is_none()) {
            other.error(config::RULE, "`other` says nothing without `values`", "remove it");
        }
        let text = |item: Item<'_>| {
            let text = item.text()?;
            if text.is_empty() {
                item.error(config::RULE, "the step would change nothing", "write a text, or remove the step");
                return None;
            }
            Some(Box::<str>::from(text))
        };
        if let Some(values) = values {
            return self.values(&values, other.as_ref(), first, last);
        }
        match (prefix, suffix, split, join, date) {
            (Some(item), ..) => text(item).map(Step::Prefix),
            (_, Some(item), ..) => text(item).map(Step::Suffix),
            (_, _, Some(item), ..) => text(item).map(Step::Split),
            (_, _, _, Some(item), _) => text(item).map(Step::Join),
            (_, _, _, _, Some(item)) => dates(&item),
            _ => None,
        }
    }

    /// Words of both sides. The IdP's are those of the attribute where the step is the `first`, the provider's where
    /// it is the `last`.
    pub(super) fn values(
        &self,
        item: &Item<'_>,
        other: Option<&Item<'_>>,
        first: bool,
        last: bool,
    ) -> Option<Step> {
        let (from, to) = (Some(self.from).filter(|_| first), Some(self.to).filter(|_| last));
        let boolean = from.is_some_and(|from| from.kind == Type::Boolean);
        let written = item.entries()?;
        let entries = written.len();
        if written.is_empty() {
            let remedy = "write the words of both sides, as `{ Employee: E, Contractor: C }`";
            item.error(config::RULE, "`values` has no word", remedy);
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (word, item) in written {
            if let Some(from) = from
                && let Err(expected) = takes(from, &typed(from, Literal::String(word.into())))
            {
                let message = format!("`{word}` is not a value of `{}`", from.path);
                item.error(config::RULE_VALUE, message, expected);
            }
            if pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(word)) {
                let message = format!("the word `{word}` is there twice: case does not matter");
                item.error(config::RULE_CLASH, message, "keep one of the two");
            }
            let Some(theirs) = word_of(&item, to) else { continue };
            let same = pairs.iter().find(|(_, other)| other.eq_ignore_ascii_case(&theirs));
            if let Some((first, _)) = same.filter(|_| self.back && !boolean) {
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
        if boolean && pairs.len() == entries {
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
        Some(Step::Values(Values { pairs, other }))
    }
}

/// `date: FORMAT` says how the provider writes what the IdP sends as dateTime; `{ idp: …, provider: … }` names both.
fn dates(item: &Item<'_>) -> Option<Step> {
    let format = |item: &Item<'_>| {
        let format = Format::parse(item.text()?);
        if format.is_none() {
            let message = format!("{} is not a way to write dates", item.shown());
            let remedy = "write `dateTime`, `date`, `seconds`, `milliseconds`, or a pattern with `yyyy`, `MM` and `dd`";
            item.error(config::RULE, message, remedy);
        }
        format
    };
    if !item.value.is_object() {
        return Some(Step::Date(Dates::new(Format::DateTime, format(item)?)));
    }
    let mut fields = item.fields()?;
    let (idp, provider) = (fields.need("idp"), fields.need("provider"));
    fields.finish();
    Some(Step::Date(Dates::new(format(&idp?)?, format(&provider?)?)))
}
