//! What becomes of values on their way: steps in the order from the IdP to the provider, each with its way back and
//! with what a filter on its result asks of what it was made from.

mod date;

use std::borrow::Cow;

pub(super) use self::date::{Dates, Format};
use super::spot::Spot;
use crate::document::{Document, Kind, NodeId};
use crate::filter::{Literal, Op};
use crate::schema::{AttrId, Type, Vocabulary};

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    Lower,
    Upper,
    Trim,
    /// The provider's value begins with this.
    Prefix(Box<str>),
    /// The provider's value ends with this.
    Suffix(Box<str>),
    /// Word for word.
    Values(Values),
    /// Text that says `true` or `false`.
    Boolean,
    Date(Dates),
    /// The IdP's text is the provider's list.
    Split(Box<str>),
    /// The IdP's list is the provider's text.
    Join(Box<str>),
    /// Of the IdP's list the provider gets the first.
    First,
    /// Of the IdP's list the provider gets the primary one, or the first.
    Primary,
    /// The provider has a list of the one value.
    Wrap,
}

/// Words of the IdP with the provider's.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) pairs: Vec<(String, String)>,
    /// The provider's word for any other.
    pub(super) other: Option<String>,
}

/// How many values there are between two steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    One,
    List,
}

impl Step {
    /// What comes out for what goes in; nothing where the step does not take that.
    pub(super) const fn shape(&self, from: Shape) -> Option<Shape> {
        Some(match (self, from) {
            (Self::Split(_) | Self::Wrap, Shape::One) => Shape::List,
            (Self::Join(_) | Self::First | Self::Primary, Shape::List) => Shape::One,
            (Self::Split(_) | Self::Wrap | Self::Join(_) | Self::First | Self::Primary, _) => return None,
            (_, shape) => shape,
        })
    }

    /// The step's name in rules.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Trim => "trim",
            Self::Prefix(_) => "prefix",
            Self::Suffix(_) => "suffix",
            Self::Values(_) => "values",
            Self::Boolean => "boolean",
            Self::Date(_) => "date",
            Self::Split(_) => "split",
            Self::Join(_) => "join",
            Self::First => "first",
            Self::Primary => "primary",
            Self::Wrap => "wrap",
        }
    }

    /// True where the number of values changes.
    pub(super) const fn reshapes(&self) -> bool {
        matches!(self, Self::Split(_) | Self::Wrap | Self::Join(_) | Self::First | Self::Primary)
    }

    /// True where a text may become a value of another type.
    pub(super) const fn retypes(&self) -> bool {
        matches!(self, Self::Values(_) | Self::Boolean | Self::Date(_))
    }

    /// What the provider's value does not tell any more; nothing where all values come back.
    pub(super) fn loss(&self, case_exact: bool) -> Option<&'static str> {
        match self {
            Self::Lower | Self::Upper if case_exact => Some("case is lost, and the attribute is caseExact"),
            Self::Date(dates) if dates.loses_time() => Some("the time of day is lost"),
            Self::First | Self::Primary => Some("of several values only one reaches the provider"),
            Self::Values(Values { other: Some(_), .. }) => Some("words that become `other` do not come back"),
            _ => None,
        }
    }

    fn forward<'t>(&'t self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        Some(match self {
            Self::Lower => text.to_lowercase().into(),
            Self::Upper => text.to_uppercase().into(),
            Self::Trim => text.trim().to_owned().into(),
            Self::Prefix(prefix) => format!("{prefix}{text}").into(),
            Self::Suffix(suffix) => format!("{text}{suffix}").into(),
            Self::Values(values) => Cow::Borrowed(values.forward(&text)?),
            Self::Boolean => truth(&text)?.into(),
            Self::Date(dates) => dates.forward(&text)?.into(),
            Self::Split(_) | Self::Join(_) | Self::First | Self::Primary | Self::Wrap => text,
        })
    }

    /// The IdP's text for the provider's; nothing where the step cannot have made it.
    fn backward<'t>(&'t self, text: Cow<'t, str>, case_exact: bool) -> Option<Cow<'t, str>> {
        let same = |a: &str, b: &str| if case_exact { a == b } else { a.eq_ignore_ascii_case(b) };
        Some(match self {
            Self::Prefix(prefix) => {
                let (before, rest) = text.split_at_checked(prefix.len())?;
                if !same(before, prefix) || rest.is_empty() {
                    return None;
                }
                rest.to_owned().into()
            }
            Self::Suffix(suffix) => {
                let (rest, after) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
                if !same(after, suffix) || rest.is_empty() {
                    return None;
                }
                rest.to_owned().into()
            }
            Self::Values(values) => Cow::Borrowed(values.backward(&text, case_exact)?),
            Self::Boolean => truth(&text).filter(|word| same(&text, word))?.into(),
            Self::Date(dates) => dates.backward(&text)?.into(),
            Self::Lower | Self::Upper | Self::Trim => text,
            Self::Split(_) | Self::Join(_) | Self::First | Self::Primary | Self::Wrap => text,
        })
    }
}

fn truth(text: &str) -> Option<&'static str> {
    ["true", "false"].into_iter().find(|word| text.eq_ignore_ascii_case(word))
}

impl Values {
    fn forward(&self, text: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(idp, _)| idp.eq_ignore_ascii_case(text));
        pair.map(|(_, word)| word).or(self.other.as_ref()).map(String::as_str)
    }

    fn backward(&self, text: &str, case_exact: bool) -> Option<&str> {
        let same = |word: &str| if case_exact { word == text } else { word.eq_ignore_ascii_case(text) };
        let pair = self.pairs.iter().find(|(_, word)| same(word));
        pair.map(|(idp, _)| idp.as_str())
    }

    /// The words of the IdP that come back, each with the provider's.
    fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.pairs.iter().map(|(idp, word)| (idp.as_str(), word.as_str()));
        pairs.filter(|(idp, word)| self.backward(word, true) == Some(idp))
    }
}

/// What values look like at one end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    list: bool,
    /// The `value` of a complex element; unknown where the element is the value.
    value: AttrId,
    primary: AttrId,
    kind: Type,
    pub(super) case_exact: bool,
}

impl End {
    pub(super) fn of(spot: &Spot, vocabulary: &Vocabulary) -> Self {
        let attribute = vocabulary.attribute(spot.leaf());
        let list = attribute.multi_valued && spot.slot.is_empty();
        if attribute.kind != Type::Complex {
            let (kind, case_exact) = (attribute.kind, attribute.case_exact);
            return Self { list, kind, case_exact, ..Self::default() };
        }
        let (value, primary) =
            (vocabulary.lookup(spot.leaf(), b"value"), vocabulary.lookup(spot.leaf(), b"primary"));
        let inner = vocabulary.attribute(value);
        Self { list, value, primary, kind: inner.kind, case_exact: inner.case_exact }
    }

    pub(super) const fn shape(&self) -> Shape {
        if self.list { Shape::List } else { Shape::One }
    }
}

/// All steps of a rule.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) steps: Vec<Step>,
    pub(super) idp: End,
    pub(super) provider: End,
}

/// A value on its way.
struct Item {
    text: String,
    /// The element that it is the value of.
    element: Option<NodeId>,
    primary: bool,
}

/// A value for which the other side has none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unsayable;

impl Chain {
    /// True where values pass as they are.
    pub(super) const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// True where one value becomes several, or several one.
    pub(super) fn reshapes(&self) -> bool {
        self.steps.iter().any(Step::reshapes)
    }

    /// True where a list's elements may be hidden from the IdP, because the rule cannot have made them.
    pub(super) fn hides_elements(&self) -> bool {
        self.idp.list && self.provider.list && !self.is_empty() && self.present() != (Asks::Present, true)
    }

    /// True when the IdP sees an element of the provider's list.
    pub(super) fn shows(&self, document: &Document, element: NodeId) -> bool {
        item(document, element, &self.provider).is_some_and(|item| !self.back(vec![item]).is_empty())
    }

    /// True where provider values are in the order of the IdP's.
    pub(super) fn keeps_order(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Prefix(_) | Step::Trim | Step::Lower | Step::Upper))
    }

    /// A new value for the other side, bound to nothing. What of the provider's cannot be said to the IdP is left out.
    ///
    /// # Errors
    /// A value of the IdP that the provider cannot be told.
    pub(super) fn carry(
        &self,
        document: &mut Document,
        node: NodeId,
        to: &Vocabulary,
        to_provider: bool,
    ) -> Result<Option<NodeId>, Unsayable> {
        if self.steps.is_empty() {
            return Ok(Some(document.copy(node)));
        }
        let (from, end) = if to_provider { (&self.idp, &self.provider) } else { (&self.provider, &self.idp) };
        let plain = |end: &End| !end.list && !end.value.is_known();
        if to_provider && plain(from) && plain(end) && !self.reshapes() {
            // One value for one, as most rules have it.
            let mut text = value_text(document, node).ok_or(Unsayable)?;
            for step in &self.steps {
                text = step.forward(text).ok_or(Unsayable)?;
            }
            let text = text.into_owned();
            return typed(document, &text, end.kind).map(Some).ok_or(Unsayable);
        }
        let mut items = Vec::new();
        let elements: Vec<NodeId> = if from.list { document.elements(node).collect() } else { vec![node] };
        for element in elements {
            match item(document, element, from) {
                Some(item) => items.push(item),
                None if to_provider => return Err(Unsayable),
                None => {}
            }
        }
        let items = if to_provider { self.there(items)? } else { self.back(items) };
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            match build(document, item, from, end, to) {
                Some(node) => made.push(node),
                None if to_provider => return Err(Unsayable),
                None => {}
            }
        }
        if made.is_empty() || !end.list {
            return Ok(made.first().copied());
        }
        let list = document.new_array();
        for node in made {
            document.append(list, node);
        }
        Ok(Some(list))
    }

    fn there(&self, mut items: Vec<Item>) -> Result<Vec<Item>, Unsayable> {
        for step in &self.steps {
            match step {
                Step::Split(between) => {
                    let parts = items.iter().flat_map(|item| item.text.split(&**between));
                    items = parts.filter(|part| !part.is_empty()).map(Item::plain).collect();
                }
                Step::Join(between) => {
                    if items.iter().any(|item| item.text.contains(&**between)) {
                        return Err(Unsayable);
                    }
                    items = join(&items, between);
                }
                Step::First => items.truncate(1),
                Step::Primary => {
                    let at = items.iter().position(|item| item.primary).unwrap_or_default();
                    items = items.into_iter().skip(at).take(1).collect();
                }
                Step::Wrap => {}
                step => {
                    for item in &mut items {
                        let text = step.forward(Cow::Borrowed(&item.text)).ok_or(Unsayable)?.into_owned();
                        item.text = text;
                    }
                }
            }
        }
        Ok(items)
    }

    fn back(&self, mut items: Vec<Item>) -> Vec<Item> {
        for step in self.steps.iter().rev() {
            match step {
                Step::Split(between) => items = join(&items, between),
                Step::Join(between) => {
                    let parts = items.iter().flat_map(|item| item.text.split(&**between));
                    items = parts.filter(|part| !part.is_empty()).map(Item::plain).collect();
                }
                Step::First => {}
                Step::Primary => items.iter_mut().for_each(|item| item.primary = true),
                Step::Wrap => items.truncate(1),
                step => {
                    let back = |mut item: Item| {
                        let exact = self.provider.case_exact;
                        let text = step.backward(Cow::Borrowed(&item.text), exact)?.into_owned();
                        item.text = text;
                        Some(item)
                    };
                    items = items.into_iter().filter_map(back).collect();
                }
            }
        }
        items
    }

    /// The provider's words for a literal, where it can be said.
    fn word(&self, text: &str) -> Option<String> {
        let items = self.there(vec![Item::plain(text)]).ok()?;
        items.into_iter().next().map(|item| item.text)
    }

    /// What a comparison with the IdP's value (never `ne`) asks of the provider's, and whether that is exact:
    /// else it may be wider.
    pub(super) fn compare(&self, op: Op, literal: &Literal) -> (Asks, bool) {
        let text = match literal {
            Literal::String(text) | Literal::Number(text) => text,
            Literal::True => "true",
            Literal::False => "false",
            Literal::Null => return (Asks::Never, true),
        };
        self.pull(Asks::Compare(op, text.into()))
    }

    /// What it takes for the IdP to see a value.
    pub(super) fn present(&self) -> (Asks, bool) {
        self.pull(Asks::Present)
    }

    /// The provider's value for one of the IdP's that is to be found again, as in a filter on elements.
    pub(super) fn same_word(&self, text: &str) -> Option<String> {
        let (asks, exact) = self.pull(Asks::Compare(Op::Eq, text.into()));
        match asks {
            Asks::Compare(Op::Eq, _) if exact => self.word(text),
            _ => None,
        }
    }

    fn pull(&self, mut asks: Asks) -> (Asks, bool) {
        let (mut exact, mut case_exact) = (true, self.idp.case_exact);
        for step in &self.steps {
            let (pulled, same) = asks.through(step, case_exact);
            (asks, exact) = (pulled, exact && same);
            case_exact = self.provider.case_exact;
        }
        (asks, exact)
    }
}

/// What is asked of one value; values that are not there never match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asks {
    Never,
    Present,
    Compare(Op, Box<str>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Asks {
    /// The same, asked of what the step was given; false where that may be wider.
    fn through(self, step: &Step, case_exact: bool) -> (Self, bool) {
        let each = |list: Vec<Self>| {
            let pulled: Vec<(Self, bool)> =
                list.into_iter().map(|each| each.through(step, case_exact)).collect();
            let exact = pulled.iter().all(|(_, exact)| *exact);
            (pulled.into_iter().map(|(asks, _)| asks).collect::<Vec<_>>(), exact)
        };
        let (op, text) = match self {
            Self::Never => return (self, true),
            Self::All(list) => {
                let (list, exact) = each(list);
                return (Self::All(list), exact);
            }
            Self::Any(list) => {
                let (list, exact) = each(list);
                return (Self::Any(list), exact);
            }
            Self::Present => return present(step),
            Self::Compare(op, text) => (op, text),
        };
        let compare = |op, text: &str| Self::Compare(op, text.into());
        let (there, _) = present(step);
        let and = |asks: Self| match &there {
            Self::All(list) => Self::All(list.iter().cloned().chain([asks]).collect()),
            _ => asks,
        };
        match step {
            Step::Lower => (compare(op, &text.to_lowercase()), true),
            Step::Upper => (compare(op, &text.to_uppercase()), true),
            Step::Trim | Step::First | Step::Primary => (compare(op, &text), true),
            Step::Wrap => (compare(op, &text), false),
            Step::Prefix(_) | Step::Suffix(_) if op == Op::Eq && text.is_empty() => (Self::Never, true),
            Step::Prefix(prefix) => match op {
                Op::Eq => (compare(op, &format!("{prefix}{text}")), true),
                Op::Sw if !text.is_empty() => (compare(op, &format!("{prefix}{text}")), true),
                Op::Ne | Op::Sw => (and(compare(op, &format!("{prefix}{text}"))), true),
                Op::Co | Op::Ew => (and(compare(op, &text)), text.is_empty()),
                _ => (and(compare(op, &format!("{prefix}{text}"))), true),
            },
            Step::Suffix(suffix) => match op {
                Op::Eq => (compare(op, &format!("{text}{suffix}")), true),
                Op::Ew if !text.is_empty() => (compare(op, &format!("{text}{suffix}")), true),
                Op::Ne | Op::Ew => (and(compare(op, &format!("{text}{suffix}"))), true),
                Op::Co | Op::Sw => (and(compare(op, &text)), text.is_empty()),
                _ => (there, false),
            },
            Step::Values(values) => {
                let fits = |(idp, word): (&str, &str)| {
                    op.texts(idp, &text, case_exact).then(|| compare(Op::Eq, word))
                };
                (any(values.shown().filter_map(fits).collect()), true)
            }
            Step::Boolean => {
                let fits = |word: &&str| op.texts(word, &text, false);
                (
                    any(["true", "false"]
                        .iter()
                        .filter(|word| fits(word))
                        .map(|word| compare(Op::Eq, word))
                        .collect()),
                    true,
                )
            }
            Step::Date(dates) => match op {
                Op::Eq if !dates.comes_back(&text) => (Self::Never, true),
                Op::Eq => match dates.forward(&text) {
                    Some(word) => (compare(op, &word), true),
                    None => (Self::Never, true),
                },
                _ => (Self::Present, false),
            },
            Step::Split(between) => match op {
                Op::Eq if text.is_empty() => (Self::Never, true),
                Op::Eq => {
                    let parts = text.split(&**between).filter(|part| !part.is_empty());
                    (Self::All(parts.map(|part| compare(Op::Eq, part)).collect()), false)
                }
                _ => (Self::Present, false),
            },
            Step::Join(between) => match op {
                Op::Eq if text.contains(&**between) || text.is_empty() => (Self::Never, true),
                Op::Co | Op::Sw | Op::Ew if text.is_empty() => (Self::Present, false),
                Op::Eq | Op::Sw | Op::Ew | Op::Co => (compare(Op::Co, &text), false),
                _ => (Self::Present, false),
            },
        }
    }
}

fn any(mut list: Vec<Asks>) -> Asks {
    match (list.pop(), list.is_empty()) {
        (None, _) => Asks::Never,
        (Some(only), true) => only,
        (Some(last), false) => {
            list.push(last);
            Asks::Any(list)
        }
    }
}

/// What it takes for the step's result to be there.
fn present(step: &Step) -> (Asks, bool) {
    let compare = |op, text: &str| Asks::Compare(op, text.into());
    match step {
        Step::Prefix(text) => (Asks::All(vec![compare(Op::Sw, text), compare(Op::Ne, text)]), true),
        Step::Suffix(text) => (Asks::All(vec![compare(Op::Ew, text), compare(Op::Ne, text)]), true),
        Step::Values(values) => (any(values.shown().map(|(_, word)| compare(Op::Eq, word)).collect()), true),
        Step::Boolean => (Asks::Any(vec![compare(Op::Eq, "true"), compare(Op::Eq, "false")]), true),
        // What cannot be read as a date is not shown.
        Step::Date(_) => (Asks::Present, false),
        _ => (Asks::Present, true),
    }
}

impl Item {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), element: None, primary: false }
    }
}

fn join(items: &[Item], between: &str) -> Vec<Item> {
    let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
    if texts.is_empty() { Vec::new() } else { vec![Item::plain(&texts.join(between))] }
}

fn item(document: &Document, element: NodeId, end: &End) -> Option<Item> {
    let member = |attr: AttrId| document.member(element, attr).filter(|_| attr.is_known());
    let value = if end.value.is_known() { member(end.value)? } else { element };
    let text = value_text(document, value)?.into_owned();
    let primary = member(end.primary).is_some_and(|node| document.kind(node) == Kind::Bool(true));
    Some(Item { text, element: Some(element).filter(|_| end.value.is_known()), primary })
}

/// A single value as a text.
fn value_text(document: &Document, value: NodeId) -> Option<Cow<'_, str>> {
    match document.kind(value) {
        Kind::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
        Kind::Number => document.number(value).map(Cow::Borrowed),
        _ => document.string(value),
    }
}

/// The value of an item; nothing where its text is not of the type.
fn build(
    document: &mut Document,
    item: Item,
    from: &End,
    to: &End,
    vocabulary: &Vocabulary,
) -> Option<NodeId> {
    let value = typed(document, &item.text, to.kind)?;
    if !to.value.is_known() {
        return Some(value);
    }
    if let Some(element) = item.element {
        let copy = document.copy(element);
        if let Some(old) = document.member(copy, from.value) {
            document.assign(old, value);
        }
        return Some(copy);
    }
    let element = document.new_object();
    document.append_member(element, vocabulary, to.value, value);
    if item.primary && to.primary.is_known() {
        let yes = document.new_bool(true);
        document.append_member(element, vocabulary, to.primary, yes);
    }
    Some(element)
}

/// A text as a value of a type.
fn typed(document: &mut Document, text: &str, kind: Type) -> Option<NodeId> {
    Some(match kind {
        Type::Boolean => document.new_bool(truth(text)? == "true"),
        Type::Integer => document.new_number(text.parse::<i64>().ok().and(number(text))?),
        Type::Decimal => document.new_number(number(text)?),
        _ => document.new_string(text),
    })
}

/// A text as a literal of a type.
pub(super) fn literal(text: &str, kind: Type) -> Literal {
    match (kind, truth(text)) {
        (Type::Boolean, Some("true")) => Literal::True,
        (Type::Boolean, Some(_)) => Literal::False,
        (Type::Integer | Type::Decimal, _) if number(text).is_some() => Literal::Number(text.into()),
        _ => Literal::String(text.into()),
    }
}

/// The text, if it is a number of JSON (RFC 8259 section 6).
fn number(text: &str) -> Option<&str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let sound = digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    sound.then_some(text)
}
