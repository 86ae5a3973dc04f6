//! What a provider takes of queries: filters, paging, sorting and projection.

use crate::config::{self, Item, Part};
use crate::filter::Op;

/// What a provider takes of queries; nothing said: everything, as RFC 7644 section 3.4.2 has it.
#[derive(Debug, Default)]
pub(crate) struct QueryFacts {
    pub(crate) filter: FilterFacts,
    pub(crate) paging: PagingFacts,
    pub(crate) sort: SortFacts,
    pub(crate) projection: ProjectionFacts,
}

/// The filters a provider takes.
#[derive(Debug, Default)]
pub(crate) struct FilterFacts {
    /// The operators; nothing said: all.
    pub(crate) operators: Option<Operators>,
    /// `and`, `or`, `not`; nothing said: all.
    pub(crate) logical: Option<Vec<Logical>>,
    /// What may be asked for, by resource type; all attributes of types that are not named.
    pub(crate) attributes: Vec<(String, TypeForms)>,
    /// It takes no `emails[type eq "work"]`.
    pub(crate) no_value_paths: bool,
    /// A filter with an attribute that the schema lacks is refused; else the attribute is unassigned.
    pub(crate) refuse_unknown: bool,
    /// It answers 404 where a filter finds nothing.
    pub(crate) not_found: bool,
}

/// Operators of comparisons.
#[derive(Debug)]
pub(crate) struct Operators {
    pub(crate) listed: Vec<Op>,
    pub(crate) present: bool,
}

/// How filters are joined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Logical {
    And,
    Or,
    Not,
}

/// What may be asked for of one resource type.
#[derive(Debug)]
pub(crate) struct TypeForms {
    pub(crate) place: Part,
    pub(crate) forms: Vec<FormFacts>,
}

/// Attributes that are asked for together, mostly one: the path of each, and the word it is asked by.
#[derive(Debug)]
pub(crate) struct FormFacts(pub(crate) Vec<(Part, String)>);

/// How a provider gives out long lists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct PagingFacts {
    pub(crate) style: Style,
    /// Resources of a page where nothing is asked.
    pub(crate) default: Option<u64>,
    /// The most resources of a page; without pages, of a list.
    pub(crate) max: Option<u64>,
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Style {
    /// By the number of its first resource (RFC 7644 section 3.4.2.4).
    #[default]
    Index,
    /// By a cursor (RFC 9865).
    Cursor,
    /// There is one page with everything.
    None,
}

/// What becomes of `sortBy`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum SortFacts {
    /// The provider sorts.
    #[default]
    Provider,
    /// The gateway sorts what it can read within its limits.
    Local,
    /// Nobody sorts (RFC 7644 section 3.4.2.3 makes it optional).
    Ignored,
    /// The IdP is told.
    Refused,
}

/// Which of `attributes` and `excludedAttributes` the provider takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProjectionFacts {
    pub(crate) attributes: bool,
    pub(crate) excluded: bool,
}

impl Default for ProjectionFacts {
    fn default() -> Self {
        Self { attributes: true, excluded: true }
    }
}

/// `filter`
pub(super) fn filter(item: &Item<'_>) -> FilterFacts {
    let mut facts = FilterFacts::default();
    let Some(mut fields) = item.fields() else { return facts };
    if let Some(item) = fields.opt("operators")
        && let Some(list) = item.list()
    {
        if list.is_empty() {
            let remedy = "name the operators, or remove the key: all";
            item.error(config::BAD_VALUE, "an IdP could find nothing", remedy);
        }
        let words = Op::ALL.map(|op| (op.as_str(), Some(op)));
        let words: Vec<_> = words.into_iter().chain([("pr", None)]).collect();
        let found: Vec<_> = list.iter().filter_map(|item| item.choice(&words)).collect();
        facts.operators = (!found.is_empty()).then(|| Operators {
            present: found.contains(&None),
            listed: found.into_iter().flatten().collect(),
        });
    }
    let words = [("and", Logical::And), ("or", Logical::Or), ("not", Logical::Not)];
    let logical = fields.opt("logical").and_then(|item| item.list());
    facts.logical = logical.map(|list| list.iter().filter_map(|item| item.choice(&words)).collect());
    for (name, item) in fields.opt("attributes").and_then(|item| item.entries()).into_iter().flatten() {
        let forms = item.list().unwrap_or_default().iter().filter_map(form).collect();
        let place = Part { value: item.value.clone(), pointer: item.pointer.clone() };
        facts.attributes.push((name.to_owned(), TypeForms { place, forms }));
    }
    facts.no_value_paths = !fields.opt_bool("valuePaths").unwrap_or(true);
    let unknown =
        fields.opt("unknown").and_then(|item| item.choice(&[("refused", true), ("unassigned", false)]));
    facts.refuse_unknown = unknown.unwrap_or(false);
    facts.not_found = fields.opt_bool("notFound").unwrap_or(false);
    fields.finish();
    facts
}

/// A path, or an object: the word each path is asked by.
fn form(item: &Item<'_>) -> Option<FormFacts> {
    let part = |path: &str, pointer: &str| Part { value: path.into(), pointer: pointer.to_owned() };
    if !item.value.is_object() {
        let path = item.text()?;
        return Some(FormFacts(vec![(part(path, &item.pointer), String::new())]));
    }
    let entries = item.entries()?;
    if entries.is_empty() {
        item.error(config::BAD_VALUE, "no attribute is named", "write a path and the word it is asked by");
        return None;
    }
    let words = entries.iter().map(|(path, item)| {
        let word = item.text()?;
        let sound = !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._$-".contains(&byte));
        if !sound {
            let message = format!("{} cannot stand in a filter", item.shown());
            item.error(config::BAD_VALUE, message, "write the word the provider knows the attribute by");
        }
        sound.then(|| (part(path, &item.pointer), word.to_owned()))
    });
    words.collect::<Option<Vec<_>>>().map(FormFacts)
}

/// `paging`
pub(super) fn paging(item: &Item<'_>) -> PagingFacts {
    let mut facts = PagingFacts::default();
    let Some(mut fields) = item.fields() else { return facts };
    let words = [("index", Style::Index), ("cursor", Style::Cursor), ("none", Style::None)];
    let style = fields.opt("style").and_then(|item| item.choice(&words));
    facts.style = style.unwrap_or_default();
    let mut size = |key: &'static str| {
        let item = fields.opt(key)?;
        let size = item.number()?;
        if size == 0 {
            item.error(config::BAD_VALUE, "a page without resources", "write how many it may have");
        }
        if style == Some(Style::None) && key == "default" {
            item.error(config::BAD_VALUE, "there are no pages", "remove the size, or change `style`");
        }
        Some(size).filter(|size| *size > 0)
    };
    facts.default = size("default");
    facts.max = size("max");
    fields.finish();
    facts
}

/// `sort`
pub(super) fn sort(item: &Item<'_>) -> SortFacts {
    match item.value.as_bool() {
        Some(true) => SortFacts::Provider,
        Some(false) => SortFacts::Local,
        None if item.value.is_string() => {
            let words = [("ignored", SortFacts::Ignored), ("refused", SortFacts::Refused)];
            item.choice(&words).unwrap_or_default()
        }
        None => {
            item.wrong("`true`, `false`, `ignored` or `refused`", "write `true` if the provider sorts");
            SortFacts::default()
        }
    }
}

/// `projection`
pub(super) fn projection(item: &Item<'_>) -> ProjectionFacts {
    if let Some(all) = item.value.as_bool() {
        return ProjectionFacts { attributes: all, excluded: all };
    }
    if !item.value.is_array() {
        item.wrong("`true`, `false` or a list of parameters", "write `true` if the provider takes both");
        return ProjectionFacts::default();
    }
    let words = [("attributes", true), ("excludedAttributes", false)];
    let list = item.list().unwrap_or_default();
    let list: Vec<bool> = list.iter().filter_map(|item| item.choice(&words)).collect();
    ProjectionFacts { attributes: list.contains(&true), excluded: list.contains(&false) }
}
