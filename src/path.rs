//! Attribute paths: `[URI:]attr[.sub]`, and PATCH's `attr[filter][.sub]` (RFC 7644 §3.10, §3.5.2).

use std::fmt;

use crate::filter::{Filter, Lenient, Parser, Syntax, SyntaxError};

/// What a PATCH operation or a mapping rule points at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Path {
    /// All attributes of one schema: the URI of an extension alone.
    Schema(Box<str>),
    /// An attribute, or one of its sub-attributes.
    Attribute {
        /// The attribute; in `emails[type eq "work"].value` this is `emails.value`.
        attribute: AttrPath,
        /// Which elements of the attribute; its names are the elements' sub-attributes.
        filter: Option<Box<Filter>>,
    },
}

impl Path {
    /// Reads a path; also answers which leniences it took.
    ///
    /// # Errors
    /// The place and what was expected there.
    pub fn parse(text: &str, syntax: &Syntax<'_>) -> Result<(Self, Lenient), SyntaxError> {
        let mut parser = Parser::new(text, syntax)?;
        let path = parser.path()?;
        Ok((path, parser.used()))
    }
}

impl From<AttrPath> for Path {
    fn from(attribute: AttrPath) -> Self {
        Self::Attribute { attribute, filter: None }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(uri) => f.write_str(uri),
            Self::Attribute { attribute, filter: None } => attribute.fmt(f),
            Self::Attribute { attribute, filter: Some(filter) } => {
                attribute.write_name(f)?;
                write!(f, "[{filter}]")?;
                attribute.write_sub(f)
            }
        }
    }
}

/// `[URI:]attr[.sub]`. Names keep the spelling they came in; compare them with [`AttrPath::same`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttrPath {
    /// The URI of the schema, where the path says one.
    pub schema: Option<Box<str>>,
    /// The attribute's name.
    pub name: Box<str>,
    /// The sub-attribute's name.
    pub sub: Option<Box<str>>,
}

impl AttrPath {
    /// An attribute without schema and sub-attribute.
    pub fn new(name: &str) -> Self {
        Self { schema: None, name: name.into(), sub: None }
    }

    /// Reads `[URI:]attr[.sub]`. `known` tells, whatever the case, whether a text is the URI of a schema.
    ///
    /// # Errors
    /// The place and what was expected there.
    pub fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, SyntaxError> {
        Self::split(text, known).map_err(|(at, expected)| SyntaxError::expected(text, at, expected))
    }

    /// [`AttrPath::parse`] with errors as byte offset and what was expected.
    pub(crate) fn split(token: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, (usize, &'static str)> {
        // A URI may hold colons and dots, a name neither: whatever comes before the last colon is the URI.
        // Only a text that is itself the URI of a schema has no name behind its last colon.
        if known(token) {
            return Err((token.len(), "`:` and an attribute's name behind the schema's URI"));
        }
        let (schema, names, offset) = match token.rsplit_once(':') {
            None => (None, token, 0),
            Some((uri, names)) => (Some(uri), names, uri.len() + 1),
        };
        let (name, sub) = match names.split_once('.') {
            None => (names, None),
            Some((name, sub)) => (name, Some(sub)),
        };
        if !is_name(name) {
            return Err((offset, "an attribute's name"));
        }
        if sub.is_some_and(|sub| !is_name(sub)) {
            return Err((offset + name.len() + 1, "the name of one sub-attribute"));
        }
        if schema.is_some_and(|uri| !is_uri(uri) && !known(uri)) {
            return Err((0, "the URI of a schema before the last colon"));
        }
        Ok(Self { schema: schema.map(Into::into), name: name.into(), sub: sub.map(Into::into) })
    }

    /// True when both are the same path but for the case of their letters.
    pub fn same(&self, other: &Self) -> bool {
        same(self.schema.as_deref(), other.schema.as_deref())
            && self.name.eq_ignore_ascii_case(&other.name)
            && same(self.sub.as_deref(), other.sub.as_deref())
    }

    fn write_name(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)
    }

    fn write_sub(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sub.iter().try_for_each(|sub| write!(f, ".{sub}"))
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_name(f)?;
        self.write_sub(f)
    }
}

/// True for `ALPHA *("$" / "-" / "_" / DIGIT / ALPHA)` (RFC 7643 §2.1), and for the one exception, `$ref`.
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(first) if first.is_ascii_alphabetic() => {
            bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'-' | b'_'))
        }
        _ => text.eq_ignore_ascii_case("$ref"),
    }
}

/// A scheme, a colon and something: enough to tell a URI from a mistyped name.
fn is_uri(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once(':').is_some_and(|(scheme, rest)| is_name(scheme) && !rest.is_empty())
}

fn same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn known(uri: &str) -> bool {
        [ENTERPRISE, "urn:acme:ext:2.0", "http://schemas.acme.example/2006/User", "AcmeExt"]
            .iter()
            .any(|schema| schema.eq_ignore_ascii_case(uri))
    }

    fn read(text: &str) -> Result<Path, String> {
        Path::parse(text, &Syntax::strict(&known)).map(|(path, _)| path).map_err(|error| error.to_string())
    }

    // P-11, P-26, S-02
    #[test]
    fn attribute_paths() {
        let u = ENTERPRISE;
        for (text, schema, name, sub) in [
            ("userName", None, "userName", None),
            ("name.familyName", None, "name", Some("familyName")),
            ("members.$ref", None, "members", Some("$ref")),
            ("x-1_y$z", None, "x-1_y$z", None),
            (&format!("{u}:department"), Some(u), "department", None),
            (&format!("{u}:manager.value"), Some(u), "manager", Some("value")),
            (&format!("{}:manager", u.to_lowercase()), Some(&*u.to_lowercase()), "manager", None),
            // no schema has this URI: the last colon decides
            ("urn:other:1.0:Thing:a.b", Some("urn:other:1.0:Thing"), "a", Some("b")),
            ("urn:acme:ext:2.0:level", Some("urn:acme:ext:2.0"), "level", None),
            (
                "http://schemas.acme.example/2006/User:a",
                Some("http://schemas.acme.example/2006/User"),
                "a",
                None,
            ),
            (
                "https://unknown.example:8443/x.y/User:a",
                Some("https://unknown.example:8443/x.y/User"),
                "a",
                None,
            ),
            ("acmeext:a.b", Some("acmeext"), "a", Some("b")),
        ] {
            let path =
                AttrPath { schema: schema.map(Into::into), name: name.into(), sub: sub.map(Into::into) };
            assert_eq!(AttrPath::parse(text, &known), Ok(path.clone()), "{text}");
            assert_eq!(path.to_string(), text);
            assert_eq!(read(text), Ok(path.into()), "{text}");
        }
    }

    // P-26
    #[test]
    fn whole_schemas() {
        for uri in [ENTERPRISE, "urn:acme:ext:2.0", "HTTP://schemas.acme.example/2006/User"] {
            assert_eq!(read(uri), Ok(Path::Schema(uri.into())));
            assert_eq!(Path::Schema(uri.into()).to_string(), uri);
        }
        assert_eq!(
            AttrPath::parse("urn:acme:ext:2.0", &known).unwrap_err().to_string(),
            "expected `:` and an attribute's name behind the schema's URI at character 17"
        );
    }

    // P-26: RFC 7644 figure 8, and prefixes
    #[test]
    fn value_paths() {
        for (text, attribute, printed) in [
            (r#"addresses[type eq "work"]"#, "addresses", ""),
            (r#"members[value eq "2819c223"].displayName"#, "members.displayName", ""),
            (r#"emails[type eq "work" and not (primary eq true)].value"#, "emails.value", ""),
            (r#"EMAILS[ Type EQ "w]rk" ].$ref"#, "EMAILS.$ref", r#"EMAILS[Type eq "w]rk"].$ref"#),
            (r#"urn:acme:ext:2.0:grants[value eq "a:b.c"].level"#, "urn:acme:ext:2.0:grants.level", ""),
        ] {
            let path = read(text).unwrap();
            let Path::Attribute { attribute: found, filter: Some(_) } = &path else {
                panic!("{text}: {path:?}")
            };
            assert_eq!(found.to_string(), attribute);
            let printed = if printed.is_empty() { text } else { printed };
            assert_eq!(path.to_string(), printed);
            assert_eq!(read(printed).as_ref(), Ok(&path));
        }
    }

    // P-26, S-02, P-12: place and expectation, and no word of what was sent
    #[test]
    fn errors() {
        for (text, error) in [
            ("", "expected an attribute's name at character 1"),
            ("1st", "expected an attribute's name at character 1"),
            ("$id", "expected an attribute's name at character 1"),
            ("größe", "expected an attribute's name at character 1"),
            ("name..givenName", "expected the name of one sub-attribute at character 6"),
            ("name.given.first", "expected the name of one sub-attribute at character 6"),
            ("foo:bar", "expected the URI of a schema before the last colon at character 1"),
            ("urn:acme:ext:2.0:", "expected an attribute's name at character 18"),
            ("http://unknown.example/User", "expected an attribute's name at character 6"),
            ("emails[type eq \"work\"", "expected `and`, `or` or `]` at character 22"),
            ("emails[]", "expected an attribute's name at character 8"),
            (
                "emails[type eq \"work\"]value",
                "expected `.` and a sub-attribute, or the end of the path at character 23",
            ),
            ("emails[type eq \"work\"].", "expected the name of one sub-attribute at character 24"),
            ("emails[type eq \"work\"].a.b", "expected the name of one sub-attribute at character 24"),
            (
                "emails.value[type eq \"work\"]",
                "expected an attribute without sub-attribute before `[` at character 13",
            ),
            (
                "emails[a[b pr] pr]",
                "expected an operator: a value filter holds no other value filter at character 9",
            ),
            ("emails[a.b pr]", "expected the name of a sub-attribute alone at character 8"),
            (
                "urn:acme:ext:2.0[a pr]",
                "expected `:` and an attribute's name behind the schema's URI at character 17",
            ),
            ("userName eq \"secret\"", "expected the end of the path at character 10"),
            ("a b", "expected the end of the path at character 3"),
        ] {
            assert_eq!(read(text), Err(error.to_string()), "{text}");
        }
    }

    // S-01
    #[test]
    fn same_whatever_the_case() {
        let path = |text| AttrPath::parse(text, &known).unwrap();
        assert!(path("Name.GivenName").same(&path("name.givenname")));
        assert!(path("urn:acme:ext:2.0:a").same(&path("URN:Acme:ext:2.0:A")));
        for (a, b) in [("name", "name.x"), ("name.y", "name.x"), ("urn:acme:ext:2.0:a", "a"), ("a", "b")] {
            assert!(!path(a).same(&path(b)), "{a} {b}");
        }
    }
}
