//! Matches bound filters against resources and elements of a document.

use super::bind::{Bound, Node, Place, Value};
use super::order::{self, Instant};
use super::{Filter, Literal, Op};
use crate::document::{Document, Kind, NodeId};
use crate::schema::AttrId;

impl Bound {
    /// True when the filter matches the resource (or element) at `node`, bound to the same side's attributes.
    ///
    /// A multi-valued attribute matches if any of its values does. `null`, `[]` and an absent attribute are all
    /// unassigned (RFC 7643 §2.5): equal to `null`, not equal to anything else, and in no order to anything.
    pub fn matches(&self, document: &Document, node: NodeId) -> bool {
        self.node.matches(document, node)
    }
}

impl Node {
    fn matches(&self, document: &Document, at: NodeId) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.matches(document, at)),
            Self::Or(nodes) => nodes.iter().any(|node| node.matches(document, at)),
            Self::Not(node) => !node.matches(document, at),
            Self::Present(place) => place.any(document, at, &mut |leaf| is_present(document, leaf)),
            Self::Elements { place, filter } => {
                place.any(document, at, &mut |element| filter.matches(document, element))
            }
            Self::Assigned { place, assigned } => {
                let value = |leaf| document.kind(leaf) != Kind::Object || is_present(document, leaf);
                place.any(document, at, &mut |leaf| value(leaf)) == *assigned
            }
            Self::Compare { place, op, value } => {
                let mut assigned = false;
                let found = place.any(document, at, &mut |leaf| {
                    assigned = true;
                    value.compares(document, leaf, *op, place.case_exact)
                });
                found || (!assigned && *op == Op::Ne)
            }
            Self::Unassigned(Filter::Compare { op, value, .. }) => {
                *op == if *value == Literal::Null { Op::Eq } else { Op::Ne }
            }
            Self::Unassigned(_) => false,
        }
    }
}

impl Place {
    /// True when `test` holds for any assigned value at this place.
    fn any(&self, document: &Document, at: NodeId, test: &mut dyn FnMut(NodeId) -> bool) -> bool {
        any(document, at, &self.steps, test)
    }
}

fn any(document: &Document, at: NodeId, steps: &[AttrId], test: &mut dyn FnMut(NodeId) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return test(at) };
    let Some(member) = document.member(at, *step) else { return false };
    document
        .elements(member)
        .filter(|element| document.kind(*element) != Kind::Null)
        .any(|element| any(document, element, rest, test))
}

impl Value {
    fn compares(&self, document: &Document, leaf: NodeId, op: Op, case_exact: bool) -> bool {
        let order = match self {
            Self::Bool(truth) => return (document.kind(leaf) == Kind::Bool(*truth)) == (op == Op::Eq),
            Self::Text(text) => {
                return match document.string(leaf) {
                    Some(found) => order::text(&found, op, text, case_exact),
                    // Providers send numbers where the schema has text: their digits are the text.
                    None => order::text(document.number(leaf).unwrap_or_default(), op, text, case_exact),
                };
            }
            Self::Number(number) => document.number(leaf).map(|found| order::numbers(found, number)),
            Self::Instant(text) => {
                document.string(leaf).and_then(|found| Some(Instant::new(&found)?.cmp(&Instant::new(text)?)))
            }
        };
        // What is not of the attribute's type is equal to nothing.
        order.map_or(op == Op::Ne, |order| order::holds(op, order))
    }
}

/// RFC 7644 §3.4.2.2: a non-empty value, or a non-empty node of a complex attribute.
fn is_present(document: &Document, node: NodeId) -> bool {
    match document.kind(node) {
        Kind::Null => false,
        Kind::Bool(_) | Kind::Number => true,
        Kind::String => document.string(node).is_some_and(|text| !text.is_empty()),
        Kind::Object | Kind::Array => document.children(node).any(|child| is_present(document, child)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bind::tests::{bind, vocabulary};
    use super::*;
    use crate::filter::{Binder, Syntax};
    use crate::repair::{Repaired, Repairs};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const USER: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "Aa1", "externalId": "ext", "USERNAME": "BJensen\u00C4@example.com", "title": "", "nickName": null,
        "active": false, "name": { "familyName": "O'Malley \"x\" \\ \u20ac", "givenName": null }, "ims": [], "photos": [null],
        "emails": [
            { "value": "bj@example.com", "type": "work", "primary": true },
            { "value": "Babs@home.example", "type": "home" },
            { "value": "bare@other.example" }
        ],
        "addresses": [{}], "roles": [{ "value": "admin" }], "profileUrl": "https://example.com/BJ",
        "meta": { "lastModified": "2011-05-13T04:42:34.500Z" },
        "unknown": "x",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": 701984, "manager": {} },
        "urn:acme:ext:2.0": { "level": 10, "score": 0.10, "since": "2024-01-01T00:00:00+01:00", "blob": "QUJD", "tags": ["Red", "blue"] }
    }"#;

    const E: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn resources() {
        let vocabulary = vocabulary();
        let mut document = Document::new();
        let root = document.read(USER.into(), &vocabulary, vocabulary.types()[0].root, 32).unwrap();
        for (filter, matches) in [
            // P-15: caseExact decides
            (r#"userName eq "bjensenä@EXAMPLE.com""#, true),
            (r#"userName ne "bjensenä@EXAMPLE.com""#, false),
            (r#"userName sw "BJENSENÄ" and userName ew "Ä@Example.COM" and userName co "\u00e4@""#, true),
            (r#"id eq "Aa1""#, true),
            (r#"id eq "aa1" or id co "A1" or externalId sw "E""#, false),
            (r#"profileUrl eq "https://example.com/bj""#, false),
            (r#"name.familyName eq "o'malley \"X\" \\ €""#, true),
            // P-14: strings, numbers and dateTimes have their own order
            (r#"userName gt "A" and userName lt "c" and not (userName ge "C")"#, true),
            ("urn:acme:ext:2.0:level gt 9 and urn:acme:ext:2.0:level le 10.0", true),
            ("urn:acme:ext:2.0:level lt 9", false),
            ("urn:acme:ext:2.0:score eq 1e-1 and urn:acme:ext:2.0:score ge 0.1", true),
            ("urn:acme:ext:2.0:score ne 0.1000", false),
            (r#"urn:acme:ext:2.0:since eq "2023-12-31T23:00:00Z""#, true),
            (
                r#"meta.lastModified gt "2011-05-13T04:42:34Z" and meta.lastModified lt "2011-05-13T06:42:34.51+02:00""#,
                true,
            ),
            (r#"meta.lastModified sw "2011-05-13""#, true),
            (r#"urn:acme:ext:2.0:blob eq "qujd""#, false),
            (r#"urn:acme:ext:2.0:blob eq "QUJD""#, true),
            // any value of a multi-valued attribute; P-17: `value` where no sub-attribute is named
            (r#"emails eq "BABS@home.example""#, true),
            (r#"emails.type eq "work" and emails ne "bj@example.com""#, true),
            (r#"roles ne "ADMIN""#, false),
            (r#"urn:acme:ext:2.0:tags eq "red" and urn:acme:ext:2.0:tags eq "BLUE""#, true),
            (r#"urn:acme:ext:2.0:tags[value eq "red" and value sw "b"]"#, false),
            (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#, true),
            // P-12: one element must match all
            (r#"emails[type eq "work" and value co "@EXAMPLE"]"#, true),
            (r#"emails[type eq "home" and value co "@example"]"#, false),
            (r#"emails[type eq "home"].value sw "babs""#, true),
            (r#"emails[type ne "work" and value sw "bare"]"#, true),
            (r#"emails[type eq null and not (primary eq true)]"#, true),
            (r#"emails[primary ne true and type pr]"#, true),
            (r#"not (emails[type eq "other"])"#, true),
            // booleans
            ("active eq false and active ne true and active pr", true),
            ("active eq true", false),
            // S-13: unassigned is null, [] and absent; pr asks for more than an empty value
            ("title pr or nickName pr or ims pr or photos pr or addresses pr or displayName pr", false),
            ("name pr and emails pr and emails.type pr", true),
            (
                "title ne null and nickName eq null and ims eq null and photos eq null and displayName eq null",
                true,
            ),
            ("addresses eq null and name.givenName eq null and name ne null", true),
            (r#"nickName ne "x" and ims ne "x" and name.givenName ne "x""#, true),
            (r#"nickName lt "x" or nickName ge "x" or nickName co "" or displayName eq """#, false),
            (r#"title eq "" and title ne "x""#, true),
            (&format!(r#"{E}:manager ne "x" and {E}:manager eq null"#), true),
            (&format!("{E}:manager pr"), false),
            // a number in the place of text
            (&format!(r#"{E}:employeeNumber eq "701984""#), true),
            // P-16: what the schema lacks is unassigned
            (r#"unknown eq "x" or unknown pr or unknown[a pr] or urn:x:y:z lt 3 or emails[foo pr]"#, false),
            (r#"unknown ne "x" and unknown eq null and emails[foo ne 1]"#, true),
            // P-10
            (r#"title pr or active eq false and id pr"#, true),
            (r#"(title pr or active eq false) and nickName pr"#, false),
            (r#"not (title pr) and id pr"#, true),
        ] {
            let (bound, _) = bind(&vocabulary, filter, &Repairs::default(), false).expect(filter);
            assert_eq!(bound.matches(&document, root), matches, "{filter}");
            let again = bound.to_filter(&vocabulary).to_string();
            let (again, _) = bind(&vocabulary, &again, &Repairs::default(), false).expect(&again);
            assert_eq!(again.matches(&document, root), matches, "{filter}");
        }
    }

    // P-26
    #[test]
    fn elements() {
        let vocabulary = vocabulary();
        let of = &vocabulary.types()[0];
        let mut document = Document::new();
        let root = document.read(USER.into(), &vocabulary, of.root, 32).unwrap();
        let emails = vocabulary.lookup(of.root, b"emails");
        for (filter, count) in [
            ("value pr", 3),
            (r#"type eq "WORK""#, 1),
            (r#"type ne "work""#, 2),
            ("primary eq true", 1),
            ("foo pr", 0),
        ] {
            let (filter, _) = Filter::parse(filter, &Syntax::strict(&|_| false)).unwrap();
            let mut binder = Binder {
                vocabulary: &vocabulary,
                repairs: &Repairs::default(),
                repaired: &mut Repaired::default(),
                refuse_unknown: false,
            };
            let bound = binder.element(&filter, emails).unwrap();
            let list = document.member(root, emails).unwrap();
            let found = document.elements(list).filter(|element| bound.matches(&document, *element)).count();
            assert_eq!(found, count, "{filter}");
            assert_eq!(bound.to_filter(&vocabulary), filter);
        }
    }
}
