//! Paths of rules and templates, compiled against one side's schema.

use super::spot::Spot;
use crate::config;
use crate::filter::{Filter, Literal, Syntax};
use crate::path::{AttrPath, Path};
use crate::schema::{AttrId, Attribute, ResourceType, Type, Vocabulary, is_date_time};

/// Where a path is looked up: the attributes of a resource type on one side.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) of: &'a ResourceType,
}

/// What is wrong with a path, and the remedy.
pub(super) type Wrong = (String, String);

impl<'a> Side<'a> {
    /// The attribute whose type the value at a spot has.
    pub(super) fn leaf(&self, spot: &Spot) -> &'a Attribute {
        self.vocabulary.attribute(spot.leaf())
    }

    /// True for what the gateway itself carries from side to side.
    pub(super) fn is_fixed(&self, attr: AttrId) -> bool {
        [self.of.id, self.of.meta, self.of.schemas]
            .iter()
            .any(|fixed| self.vocabulary.is_within(attr, *fixed))
    }

    pub(super) fn spot(&self, text: &str) -> Result<Spot, Wrong> {
        let known = |uri: &str| self.vocabulary.schema_root(self.of, uri).is_some();
        let (path, _) = Path::parse(text, &Syntax::strict(&known))
            .map_err(|error| wrong(format!("the path cannot be read: {error}"), "write a SCIM path"))?;
        let Path::Attribute { attribute, filter } = path else {
            return Err(wrong("a whole extension cannot be mapped", "name one of its attributes"));
        };
        let attr = self.vocabulary.resolve(self.of, &attribute);
        if !attr.is_known() {
            return Err(self.unknown(text, &attribute));
        }
        let above = self.vocabulary.attribute(attr).parent;
        let Some(filter) = filter else {
            if attribute.sub.is_some() && self.vocabulary.attribute(above).multi_valued {
                let list = self.vocabulary.path(above);
                let remedy = format!("say which element, as in `{list}[type eq \"work\"].value`");
                return Err(wrong("the attribute has several elements", remedy));
            }
            return Ok(Spot { path: text.into(), attr, slot: Vec::new(), sub: AttrId::UNKNOWN });
        };
        let list = if attribute.sub.is_some() { above } else { attr };
        if !self.vocabulary.attribute(list).multi_valued {
            return Err(wrong("the attribute has a single value and takes no filter", "remove the filter"));
        }
        let sub = if attribute.sub.is_some() { attr } else { AttrId::UNKNOWN };
        Ok(Spot { path: text.into(), attr: list, slot: self.slot(list, sub, &filter)?, sub })
    }

    /// What tells one element apart, in the order of the schema.
    fn slot(&self, list: AttrId, read: AttrId, filter: &Filter) -> Result<Vec<(AttrId, Literal)>, Wrong> {
        let conjunction = filter.as_conjunction_of_eq().ok_or_else(|| {
            let remedy = "write `eq` comparisons joined by `and`, as in `[type eq \"work\"]`";
            wrong("a rule's filter names one element", remedy)
        })?;
        let mut slot: Vec<(AttrId, Literal)> = Vec::new();
        for (path, literal) in conjunction {
            let sub = self.vocabulary.lookup(list, path.name.as_bytes());
            if !sub.is_known() {
                let names: Vec<&str> =
                    self.vocabulary.children(list).map(|sub| self.vocabulary.name(sub)).collect();
                let message = format!("`{}` has no sub-attribute `{path}`", self.vocabulary.path(list));
                return Err(wrong(message, format!("write {}", config::either(names))));
            }
            if slot.iter().any(|(other, _)| *other == sub) {
                return Err(wrong(format!("the filter compares `{path}` twice"), "keep one of the two"));
            }
            if sub == read {
                let message = format!("the filter fixes `{path}`, which is what the rule carries");
                return Err(wrong(message, "tell the element apart by another sub-attribute"));
            }
            if let Err(expected) = takes(self.vocabulary.attribute(sub), literal) {
                return Err(wrong(format!("`{path}` never has this value"), expected));
            }
            slot.push((sub, literal.clone()));
        }
        slot.sort_by_key(|(sub, _)| *sub);
        Ok(slot)
    }

    fn unknown(&self, text: &str, attribute: &AttrPath) -> Wrong {
        let roots = [self.of.root].into_iter().chain(self.of.extensions.iter().map(|(root, _)| *root));
        let mut names: Vec<&str> = Vec::new();
        for attr in roots.flat_map(|root| self.vocabulary.children(root)) {
            names.push(self.vocabulary.path(attr));
            names.extend(self.vocabulary.children(attr).map(|sub| self.vocabulary.path(sub)));
        }
        let remedy = match config::nearest(text, names) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "add it to a schema of the profile, or correct the path".to_owned(),
        };
        wrong(format!("the schema of `{}` has no attribute `{attribute}`", self.of.name), remedy)
    }
}

/// Whether an attribute takes a value; if not, what to write.
pub(super) fn takes(attribute: &Attribute, literal: &Literal) -> Result<(), String> {
    let expected = match (attribute.kind, literal) {
        (Type::Complex, _) => "name a sub-attribute",
        (Type::Boolean, Literal::True | Literal::False) => return Ok(()),
        (Type::Boolean, _) => "write `true` or `false` without quotes",
        (Type::Integer, Literal::Number(digits)) if digits.parse::<i64>().is_ok() => return Ok(()),
        (Type::Integer, _) => "write a whole number without quotes",
        (Type::Decimal, Literal::Number(_)) => return Ok(()),
        (Type::Decimal, _) => "write a number without quotes",
        (Type::DateTime, Literal::String(text)) if is_date_time(text) => return Ok(()),
        (Type::DateTime, _) => "write a date and time, as \"2027-01-31T12:00:00Z\"",
        (Type::String | Type::Reference | Type::Binary, Literal::String(text)) => {
            let same = |word: &str| match attribute.case_exact {
                true => *word == **text,
                false => word.eq_ignore_ascii_case(text),
            };
            let words = || attribute.canonical_values.iter().map(|word| &**word);
            if attribute.closed && !words().any(same) {
                return Err(format!("write {}", config::either(words())));
            }
            return Ok(());
        }
        (Type::String | Type::Reference | Type::Binary, _) => "write text in quotes",
    };
    Err(expected.to_owned())
}

/// A text as a value of the attribute's type, where it can be read as one.
pub(super) fn typed(attribute: &Attribute, literal: Literal) -> Literal {
    let Literal::String(text) = &literal else { return literal };
    match attribute.kind {
        Type::Boolean if text.eq_ignore_ascii_case("true") => Literal::True,
        Type::Boolean if text.eq_ignore_ascii_case("false") => Literal::False,
        Type::Integer | Type::Decimal if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Literal::Number(text.clone())
        }
        _ => literal,
    }
}

/// What values of a type are, in words; types with the same word can be copied to each other.
pub(super) const fn kind(kind: Type) -> &'static str {
    match kind {
        Type::String | Type::DateTime | Type::Binary | Type::Reference => "text",
        Type::Boolean => "a boolean",
        Type::Decimal | Type::Integer => "a number",
        Type::Complex => "complex",
    }
}

fn wrong(message: impl Into<String>, remedy: impl Into<String>) -> Wrong {
    (message.into(), remedy.into())
}
