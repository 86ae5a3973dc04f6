//! Filters (RFC 7644 §3.4.2.2) as a tree: what clients ask for, which elements a path means, and conditions of rules.

mod bind;
mod eval;
mod order;
mod parse;
mod print;

pub use self::bind::{BindError, Binder, Bound};
pub(crate) use self::order::{Instant, numbers};
pub(crate) use self::parse::Parser;
pub use self::parse::{Lenient, Limits, Syntax, SyntaxError};
use crate::path::AttrPath;

/// A filter. Its depth is bounded by [`Limits::depth`] when read, so walking it may recurse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Filter {
    /// All of them match; made by [`Filter::and`].
    And(Vec<Self>),
    /// One of them matches; made by [`Filter::or`].
    Or(Vec<Self>),
    /// It does not match.
    Not(Box<Self>),
    /// An attribute compared with a literal.
    Compare {
        /// The attribute.
        path: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// The attribute has a value.
    Present(AttrPath),
    /// One element of a multi-valued attribute matches: `emails[type eq "work"]`.
    ValuePath {
        /// The attribute, without sub-attribute.
        path: AttrPath,
        /// Names in here are sub-attributes, without schema; holds no value path.
        filter: Box<Self>,
    },
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// All operators.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The operator as written in a filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Compares texts as filters do, where case matters only if `exact`.
    pub(crate) fn texts(self, a: &str, b: &str, exact: bool) -> bool {
        order::text(a, self, b, exact)
    }

    /// The operator of that name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(name))
    }
}

/// What an attribute is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Literal {
    /// A string, decoded.
    String(Box<str>),
    /// A number, as written.
    Number(Box<str>),
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// A rewritten filter, or what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Folded {
    /// Matches everything, or nothing.
    Constant(bool),
    /// Has to be asked.
    Filter(Filter),
}

impl Filter {
    /// Reads a filter; also answers which leniences it took.
    ///
    /// # Errors
    /// The place and what was expected there.
    pub fn parse(text: &str, syntax: &Syntax<'_>) -> Result<(Self, Lenient), SyntaxError> {
        let mut parser = Parser::new(text, syntax)?;
        let filter = parser.filter()?;
        Ok((filter, parser.used()))
    }

    /// `attribute op value`
    pub fn compare(path: AttrPath, op: Op, value: Literal) -> Self {
        Self::Compare { path, op, value }
    }

    /// All of the filters (at least one), nested conjunctions taken apart.
    pub fn and(filters: Vec<Self>) -> Self {
        flat(filters, |filter| match filter {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, Self::And)
    }

    /// One of the filters (at least one), nested disjunctions taken apart.
    pub fn or(filters: Vec<Self>) -> Self {
        flat(filters, |filter| match filter {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, Self::Or)
    }

    /// Calls `visit` with every attribute path, and for names in a value filter also with its attribute.
    pub fn visit_paths<'a>(&'a self, visit: &mut impl FnMut(Option<&'a AttrPath>, &'a AttrPath)) {
        self.visit_below(None, visit);
    }

    fn visit_below<'a>(
        &'a self,
        parent: Option<&'a AttrPath>,
        visit: &mut impl FnMut(Option<&'a AttrPath>, &'a AttrPath),
    ) {
        match self {
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().for_each(|filter| filter.visit_below(parent, visit));
            }
            Self::Not(filter) => filter.visit_below(parent, visit),
            Self::Compare { path, .. } | Self::Present(path) => visit(parent, path),
            Self::ValuePath { path, filter } => {
                visit(parent, path);
                filter.visit_below(Some(path), visit);
            }
        }
    }

    /// Rewrites every comparison, presence test and value path, and folds the constants that come of it.
    ///
    /// # Errors
    /// The first error of `leaf`.
    pub fn fold<E>(&self, leaf: &mut impl FnMut(&Self) -> Result<Folded, E>) -> Result<Folded, E> {
        Ok(match self {
            Self::And(filters) => match fold_all(filters, false, leaf)? {
                None => Folded::Constant(false),
                Some(kept) if kept.is_empty() => Folded::Constant(true),
                Some(kept) => Folded::Filter(Self::and(kept)),
            },
            Self::Or(filters) => match fold_all(filters, true, leaf)? {
                None => Folded::Constant(true),
                Some(kept) if kept.is_empty() => Folded::Constant(false),
                Some(kept) => Folded::Filter(Self::or(kept)),
            },
            Self::Not(filter) => match filter.fold(leaf)? {
                Folded::Constant(constant) => Folded::Constant(!constant),
                Folded::Filter(filter) => Folded::Filter(Self::Not(Box::new(filter))),
            },
            Self::Compare { .. } | Self::Present(_) | Self::ValuePath { .. } => leaf(self)?,
        })
    }

    /// The pairs of `a eq x and b eq y …`, or nothing if the filter is anything else.
    pub fn as_conjunction_of_eq(&self) -> Option<Vec<(&AttrPath, &Literal)>> {
        let filters = match self {
            Self::And(filters) => filters.as_slice(),
            other => std::slice::from_ref(other),
        };
        filters
            .iter()
            .map(|filter| match filter {
                Self::Compare { path, op: Op::Eq, value } => Some((path, value)),
                _ => None,
            })
            .collect()
    }
}

/// One list with the inner lists of a kind taken apart; the filter itself where there is only one.
fn flat(
    filters: Vec<Filter>,
    open: impl Fn(Filter) -> Result<Vec<Filter>, Filter>,
) -> Result<Vec<Filter>, Filter> {
    let mut flat = Vec::with_capacity(filters.len());
    for filter in filters {
        match open(filter) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    match flat.pop() {
        Some(only) if flat.is_empty() => Err(only),
        Some(last) => {
            flat.push(last);
            Ok(flat)
        }
        None => Ok(flat),
    }
}

/// The filters that remain, or nothing where one is the constant that decides.
fn fold_all<E>(
    filters: &[Filter],
    deciding: bool,
    leaf: &mut impl FnMut(&Filter) -> Result<Folded, E>,
) -> Result<Option<Vec<Filter>>, E> {
    let mut kept = Some(Vec::with_capacity(filters.len()));
    for filter in filters {
        // All are asked even when one has decided: an error is an error wherever it stands.
        match filter.fold(leaf)? {
            Folded::Constant(constant) if constant == deciding => kept = None,
            Folded::Constant(_) => {}
            Folded::Filter(filter) => {
                if let Some(kept) = &mut kept {
                    kept.push(filter);
                }
            }
        }
    }
    Ok(kept)
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::bind::tests::vocabulary;
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(text: &str) -> Filter {
        Filter::parse(text, &Syntax::strict(&|_| false)).unwrap().0
    }

    #[test]
    fn paths_are_visited_with_their_parent() {
        let filter = read(r#"a.b eq 1 and not (emails[type eq "work" or value pr] or urn:x:y:c pr)"#);
        let mut seen = Vec::new();
        filter.visit_paths(&mut |parent, path| {
            seen.push(format!("{}{path}", parent.map(|parent| format!("{parent}/")).unwrap_or_default()));
        });
        assert_eq!(seen, ["a.b", "emails", "emails/type", "emails/value", "urn:x:y:c"]);
    }

    #[test]
    fn constants_fold() {
        for (filter, expected) in [
            ("yes pr and a pr", "a pr"),
            ("yes pr and yes pr", "true"),
            ("no pr and a pr", "false"),
            ("no pr or a pr", "a pr"),
            ("yes pr or a pr", "true"),
            ("no pr or no pr", "false"),
            ("not (no pr)", "true"),
            ("not (no pr or a pr)", "not (a pr)"),
            ("yes pr and (a pr and b pr) and (yes pr or c pr)", "a pr and b pr"),
            ("no pr and bad pr", "refused"),
        ] {
            let folded = read(filter).fold(&mut |leaf| match leaf.to_string().as_str() {
                "yes pr" => Ok(Folded::Constant(true)),
                "no pr" => Ok(Folded::Constant(false)),
                "bad pr" => Err("refused"),
                _ => Ok(Folded::Filter(leaf.clone())),
            });
            let found = match folded {
                Ok(Folded::Constant(constant)) => constant.to_string(),
                Ok(Folded::Filter(filter)) => filter.to_string(),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{filter}");
        }
    }

    #[test]
    fn conjunctions_of_eq() {
        for (filter, expected) in [
            (r#"type eq "work""#, Some(vec![r#"type="work""#])),
            (
                r#"type eq "work" and (primary eq true and n EQ 1.0)"#,
                Some(vec![r#"type="work""#, "primary=true", "n=1.0"]),
            ),
            (r#"type eq "work" or primary eq true"#, None),
            (r#"type eq "work" and value sw "a""#, None),
            (r#"type eq "work" and value pr"#, None),
            (r#"not (type eq "work")"#, None),
        ] {
            let filter = read(filter);
            let pairs = filter.as_conjunction_of_eq();
            let pairs = pairs
                .map(|pairs| pairs.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>());
            assert_eq!(pairs, expected.map(|pairs| pairs.into_iter().map(Into::into).collect()), "{filter}");
        }
    }
}
