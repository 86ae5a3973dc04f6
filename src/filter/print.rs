//! Filters as text, in the one spelling that every reader of RFC 7644 §3.4.2.2 takes.

use std::fmt::{self, Display, Formatter, Write};

use super::{Filter, Literal, Op};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => {
                list(f, filters, " and ", |part| matches!(part, Self::And(_) | Self::Or(_)))
            }
            Self::Or(filters) => list(f, filters, " or ", |part| matches!(part, Self::Or(_))),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Compare { path, op, value } => write!(f, "{path} {op} {value}"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::ValuePath { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
            Self::Number(text) => f.write_str(text),
            Self::True => f.write_str("true"),
            Self::False => f.write_str("false"),
            Self::Null => f.write_str("null"),
        }
    }
}

fn list(f: &mut Formatter<'_>, filters: &[Filter], between: &str, group: fn(&Filter) -> bool) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        if group(filter) {
            f.write_char('(')?;
            filter.fmt(f)?;
            f.write_char(')')?;
        } else {
            filter.fmt(f)?;
        }
    }
    Ok(())
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;

    use super::super::{Lenient, Limits, Syntax};
    use super::*;
    use crate::path::{AttrPath, Path};

    const KNOWN: &str = "urn:acme:ext:2.0";

    proptest! {
        // A case that failed once becomes a line of a table here, not a file of seeds.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // P-10 to P-13: what is printed is read again as the same tree
        #[test]
        fn filters_round_trip(filter in filter()) {
            let text = filter.to_string();
            prop_assert_eq!(Filter::parse(&text, &syntax()), Ok((filter, Lenient::default())), "{}", text);
        }

        // P-26
        #[test]
        fn paths_round_trip(path in path()) {
            let text = path.to_string();
            prop_assert_eq!(Path::parse(&text, &syntax()), Ok((path, Lenient::default())), "{}", text);
        }

        /// Whatever is sent: no panic, and what is taken prints as something that means the same.
        #[test]
        fn any_text_is_read_or_refused(text in r#"([a-z]{0,2}|\.|:|\[|\]|\(|\)|"|\\| |not|and| or | eq | pr|é|1|\PC){0,24}"#) {
            let lenient = Lenient { sub_after_filter: true, unquoted: true };
            for syntax in [syntax(), Syntax { lenient, ..syntax() }] {
                if let Ok((filter, _)) = Filter::parse(&text, &syntax) {
                    prop_assert_eq!(Filter::parse(&filter.to_string(), &syntax), Ok((filter, Lenient::default())));
                }
                if let Ok((path, _)) = Path::parse(&text, &syntax) {
                    prop_assert_eq!(Path::parse(&path.to_string(), &syntax), Ok((path, Lenient::default())));
                }
            }
        }
    }

    #[test]
    fn canonical_spelling() {
        for (text, printed) in [
            ("  a   EQ\t true ", "a eq true"),
            ("NOT(a PR)AND b pr", "not (a pr) and b pr"),
            ("((a pr)) or (b pr or c pr)", "a pr or b pr or c pr"),
            ("(a pr or b pr) and c pr", "(a pr or b pr) and c pr"),
            ("a pr or (b pr and c pr)", "a pr or b pr and c pr"),
            (r#"a eq "\u0041\/\n\u001f\ud83d\ude00é\"\\""#, r#"a eq "A/\n\u001f😀é\"\\""#),
            ("a gt -1.50E+2", "a gt -1.50E+2"),
        ] {
            let (filter, _) = Filter::parse(text, &syntax()).unwrap();
            assert_eq!(filter.to_string(), printed, "{text}");
        }
    }

    fn syntax() -> Syntax<'static> {
        let limits = Limits { depth: 64, ..Limits::default() };
        Syntax { limits, ..Syntax::strict(&|uri| uri.eq_ignore_ascii_case(KNOWN)) }
    }

    fn name() -> impl Strategy<Value = Box<str>> {
        prop_oneof![
            r"[a-zA-Z][a-zA-Z0-9$_-]{0,6}",
            prop::sample::select(vec!["$ref", "not", "and", "or", "pr", "eq", "true", "null",])
                .prop_map(String::from)
        ]
        .prop_map(Into::into)
    }

    fn attribute() -> impl Strategy<Value = AttrPath> {
        let schema = prop_oneof![
            Just(KNOWN.to_string()),
            r"urn:[a-z]{1,5}(:[a-zA-Z0-9.]{1,5}){1,3}",
            r"https?://[a-z]{1,5}\.example(:8443)?/[a-z.]{1,5}",
        ];
        (prop::option::of(schema), name(), prop::option::of(name()))
            .prop_map(|(schema, name, sub)| AttrPath { schema: schema.map(Into::into), name, sub })
            .prop_filter("a schema's URI is no attribute", |path| path.to_string() != KNOWN)
    }

    fn literal() -> impl Strategy<Value = Literal> {
        prop_oneof![
            any::<String>().prop_map(|text| Literal::String(text.into())),
            r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
                .prop_map(|text| Literal::Number(text.into())),
            prop::sample::select(vec![Literal::True, Literal::False, Literal::Null]),
        ]
    }

    fn tree(path: BoxedStrategy<AttrPath>, leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
        let op = prop::sample::select(Op::ALL.to_vec());
        prop_oneof![
            3 => (path.clone(), op, literal()).prop_map(|(path, op, value)| Filter::compare(path, op, value)),
            1 => path.prop_map(Filter::Present),
            1 => leaf,
        ]
        .prop_recursive(5, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::and),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
        .boxed()
    }

    fn inner() -> BoxedStrategy<Filter> {
        let names = name().prop_map(|name| AttrPath::new(&name)).boxed();
        tree(names.clone(), names.prop_map(Filter::Present).boxed())
    }

    fn filter() -> BoxedStrategy<Filter> {
        let value_path = (attribute(), inner()).prop_map(|(path, filter)| Filter::ValuePath {
            path: AttrPath { sub: None, ..path },
            filter: Box::new(filter),
        });
        let value_path = value_path.prop_filter(
            "a schema's URI is no attribute",
            |filter| !matches!(filter, Filter::ValuePath { path, .. } if path.to_string() == KNOWN),
        );
        tree(attribute().boxed(), value_path.boxed())
    }

    fn path() -> impl Strategy<Value = Path> {
        prop_oneof![
            Just(Path::Schema(KNOWN.into())),
            attribute().prop_map(Path::from),
            (attribute(), inner()).prop_map(|(attribute, filter)| Path::Attribute {
                attribute,
                filter: Some(Box::new(filter))
            }),
        ]
    }
}
