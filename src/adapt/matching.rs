//! The attributes that identify a user, as an IdP says them: what a new user is looked up by.

use std::borrow::Cow;

use crate::config::{self, Part, Problems};
use crate::document::{Document, NodeId};
use crate::filter::{Binder, Bound, Filter, Literal, Op, Syntax};
use crate::path::{AttrPath, Path};
use crate::repair::{Repaired, Repairs};
use crate::schema::{AttrId, ResourceType, Vocabulary};

/// One path that identifies a user, bound to the IdP's schema.
#[derive(Debug)]
pub(crate) struct Key {
    /// The path as written: for error texts.
    pub(crate) text: String,
    /// The attribute that holds the value.
    attr: AttrId,
    path: AttrPath,
    /// Where the value is one of a list's: the list and, maybe, which of its elements.
    list: Option<(AttrId, Option<(Filter, Bound)>)>,
}

impl Key {
    /// Reads a path of the IdP's side; what is wrong with it is reported.
    pub(crate) fn new(
        part: &Part,
        vocabulary: &Vocabulary,
        of: &ResourceType,
        problems: &Problems<'_>,
    ) -> Option<Self> {
        let item = part.item(problems);
        let text = item.text()?;
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let found = match Path::parse(text, &Syntax::strict(&known)) {
            Ok((Path::Attribute { attribute, filter }, _)) => {
                Self::bind(text, attribute, filter.map(|filter| *filter), vocabulary, of)
            }
            _ => None,
        };
        if found.is_none() {
            let message = format!("`{text}` is not the path of a value in the schema of the IdP's users");
            let remedy = "write a path as `userName` or `emails[type eq \"work\"].value`";
            item.error(config::MATCHING, message, remedy);
        }
        found
    }

    fn bind(
        text: &str,
        path: AttrPath,
        filter: Option<Filter>,
        vocabulary: &Vocabulary,
        of: &ResourceType,
    ) -> Option<Self> {
        let attr = vocabulary.resolve(of, &path);
        let parent = vocabulary.attribute(attr).parent;
        let listed = vocabulary.attribute(parent).multi_valued;
        if !attr.is_known() || vocabulary.attribute(attr).multi_valued || filter.is_some() && !listed {
            return None;
        }
        let elements = match filter {
            None => None,
            Some(filter) => {
                let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
                let repaired = &mut repaired;
                let mut binder = Binder { vocabulary, repairs: &repairs, repaired, refuse_unknown: true };
                let bound = binder.element(&filter, parent).ok()?;
                Some((filter, bound))
            }
        };
        let list = listed.then_some((parent, elements));
        Some(Self { text: text.to_owned(), attr, path, list })
    }

    /// The attribute.
    pub(crate) const fn attr(&self) -> AttrId {
        self.attr
    }

    /// The values that a resource of the IdP's side has there.
    pub(crate) fn values(&self, document: &Document, root: NodeId, vocabulary: &Vocabulary) -> Vec<String> {
        let text = |node: NodeId| document.string(node).map(Cow::into_owned);
        let Some((list, elements)) = &self.list else {
            return vocabulary.find(document, root, self.attr).and_then(text).into_iter().collect();
        };
        let Some(list) = vocabulary.find(document, root, *list) else { return Vec::new() };
        let chosen = |element: &NodeId| {
            elements.as_ref().is_none_or(|(_, elements)| elements.matches(document, *element))
        };
        let value = |element: NodeId| text(document.member(element, self.attr)?);
        document.elements(list).filter(chosen).filter_map(value).collect()
    }

    /// The filter that finds the users with that value.
    pub(crate) fn filter(&self, value: &str) -> Filter {
        let value = Literal::String(value.into());
        match &self.list {
            Some((_, Some((elements, _)))) => {
                let sub = AttrPath::new(self.path.sub.as_deref().unwrap_or("value"));
                let is = Filter::compare(sub, Op::Eq, value);
                let filter = Box::new(Filter::and(vec![elements.clone(), is]));
                Filter::ValuePath { path: AttrPath { sub: None, ..self.path.clone() }, filter }
            }
            _ => Filter::compare(self.path.clone(), Op::Eq, value),
        }
    }

    /// True when two values stand for the same user; where the provider changes the case of text, it does not matter.
    pub(crate) fn same(&self, one: &str, other: &str, vocabulary: &Vocabulary, any_case: bool) -> bool {
        let comparable = |text| vocabulary.comparable(self.attr, Cow::Borrowed(text));
        comparable(one) == comparable(other) || (any_case && one.to_lowercase() == other.to_lowercase())
    }
}
