//! Reads filters, and paths with filters in them (RFC 7644 §3.4.2.2 figure 1, §3.5.2 figure 7).
//!
//! Any number of spaces and tabs separates words; around brackets, parentheses and quotes none is needed.

use std::fmt;

use serde::de::IgnoredAny;

use super::{Filter, Literal, Op};
use crate::path::{AttrPath, Path, is_name};

/// How to read.
#[derive(Clone, Copy)]
pub struct Syntax<'a> {
    /// Tells, whatever the case, whether a text is the URI of a schema.
    pub known: &'a dyn Fn(&str) -> bool,
    /// What is taken beyond the RFC.
    pub lenient: Lenient,
    /// How much is taken.
    pub limits: Limits,
}

impl<'a> Syntax<'a> {
    /// The RFC's grammar, nothing else.
    pub fn strict(known: &'a dyn Fn(&str) -> bool) -> Self {
        Self { known, lenient: Lenient::default(), limits: Limits::default() }
    }
}

impl fmt::Debug for Syntax<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syntax")
            .field("lenient", &self.lenient)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What is taken beyond the RFC, and after reading: what of it was used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lenient {
    /// `emails[type eq "work"].value eq "x"` means `emails[type eq "work" and value eq "x"]`.
    pub sub_after_filter: bool,
    /// `externalId eq jyoung` means `externalId eq "jyoung"`.
    pub unquoted: bool,
}

/// How much is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of text.
    pub length: usize,
    /// Parentheses and brackets in one another.
    pub depth: usize,
    /// Comparisons and presence tests.
    pub terms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { length: 64 * 1024, depth: 16, terms: 1024 }
    }
}

/// Why a filter or a path cannot be read. Holds nothing of the text, because filters hold personal data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SyntaxError {
    position: usize,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reason {
    Expected(&'static str),
    Length(usize),
    Depth(usize),
    Terms(usize),
}

impl SyntaxError {
    /// Which character of the text, counted from 1.
    pub const fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn expected(text: &str, at: usize, expected: &'static str) -> Self {
        Self::new(text, at, Reason::Expected(expected))
    }

    fn new(text: &str, at: usize, reason: Reason) -> Self {
        let position = text.char_indices().take_while(|(index, _)| *index < at).count() + 1;
        Self { position, reason }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Expected(expected) => write!(f, "expected {expected} at character {}", self.position),
            Reason::Length(limit) => write!(f, "more than {limit} bytes"),
            Reason::Depth(limit) => {
                write!(
                    f,
                    "more than {limit} parentheses and brackets in one another at character {}",
                    self.position
                )
            }
            Reason::Terms(limit) => write!(f, "more than {limit} comparisons at character {}", self.position),
        }
    }
}

impl std::error::Error for SyntaxError {}

const NAME: &str = "an attribute's name";
const SUB: &str = "the name of one sub-attribute";
const OPERATOR: &str = "an operator: `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt`, `le` or `pr`";
const VALUE: &str = "a string in double quotes, a number, `true`, `false` or `null`";

/// Where names are looked up.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Scope {
    Resource,
    Element,
}

pub(crate) struct Parser<'a> {
    syntax: &'a Syntax<'a>,
    text: &'a str,
    at: usize,
    terms: usize,
    used: Lenient,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, syntax: &'a Syntax<'a>) -> Result<Self, SyntaxError> {
        if text.len() > syntax.limits.length {
            return Err(SyntaxError { position: 1, reason: Reason::Length(syntax.limits.length) });
        }
        Ok(Self { syntax, text, at: 0, terms: 0, used: Lenient::default() })
    }

    /// The leniences taken so far.
    pub(crate) const fn used(&self) -> Lenient {
        self.used
    }

    /// The whole text as a filter.
    pub(crate) fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let filter = self.or(0, Scope::Resource)?;
        self.end("`and`, `or` or the end of the filter")?;
        Ok(filter)
    }

    /// The whole text as a path.
    pub(crate) fn path(&mut self) -> Result<Path, SyntaxError> {
        self.space();
        let start = self.at;
        let token = self.word();
        if (self.syntax.known)(token) && self.peek() != Some(b'[') {
            self.end("`:` and an attribute, or the end of the path")?;
            return Ok(Path::Schema(token.into()));
        }
        let mut attribute = self.attribute(token, start, Scope::Resource)?;
        if self.peek() != Some(b'[') {
            self.end("the end of the path")?;
            return Ok(attribute.into());
        }
        let filter = self.brackets(&attribute, 0, Scope::Resource)?;
        if self.take(b'.') {
            attribute.sub = Some(self.sub()?.into());
        }
        self.end(if attribute.sub.is_some() {
            "the end of the path"
        } else {
            "`.` and a sub-attribute, or the end of the path"
        })?;
        Ok(Path::Attribute { attribute, filter: Some(Box::new(filter)) })
    }

    fn or(&mut self, depth: usize, scope: Scope) -> Result<Filter, SyntaxError> {
        let mut filters = vec![self.and(depth, scope)?];
        while self.keyword("or") {
            filters.push(self.and(depth, scope)?);
        }
        Ok(Filter::or(filters))
    }

    fn and(&mut self, depth: usize, scope: Scope) -> Result<Filter, SyntaxError> {
        let mut filters = vec![self.term(depth, scope)?];
        while self.keyword("and") {
            filters.push(self.term(depth, scope)?);
        }
        Ok(Filter::and(filters))
    }

    fn term(&mut self, depth: usize, scope: Scope) -> Result<Filter, SyntaxError> {
        self.space();
        if self.peek() == Some(b'(') {
            return self.group(depth, scope);
        }
        let start = self.at;
        let token = self.word();
        if token.eq_ignore_ascii_case("not") {
            let after = self.at;
            self.space();
            if self.peek() == Some(b'(') {
                return Ok(Filter::Not(Box::new(self.group(depth, scope)?)));
            }
            self.at = after;
        }
        let path = self.attribute(token, start, scope)?;
        if self.peek() != Some(b'[') {
            return self.comparison(path);
        }
        let mut filter = self.brackets(&path, depth, scope)?;
        if self.syntax.lenient.sub_after_filter && self.take(b'.') {
            let sub = AttrPath::new(self.sub()?);
            filter = Filter::and(vec![filter, self.comparison(sub)?]);
            self.used.sub_after_filter = true;
        }
        Ok(Filter::ValuePath { path, filter: Box::new(filter) })
    }

    fn group(&mut self, depth: usize, scope: Scope) -> Result<Filter, SyntaxError> {
        self.deeper(depth)?;
        self.at += 1;
        let filter = self.or(depth + 1, scope)?;
        self.space();
        if !self.take(b')') {
            return self.fail("`and`, `or` or `)`");
        }
        Ok(filter)
    }

    fn brackets(&mut self, path: &AttrPath, depth: usize, scope: Scope) -> Result<Filter, SyntaxError> {
        if scope == Scope::Element {
            return self.fail("an operator: a value filter holds no other value filter");
        }
        if path.sub.is_some() {
            return self.fail("an attribute without sub-attribute before `[`");
        }
        self.deeper(depth)?;
        self.at += 1;
        let filter = self.or(depth + 1, Scope::Element)?;
        self.space();
        if !self.take(b']') {
            return self.fail("`and`, `or` or `]`");
        }
        Ok(filter)
    }

    /// What follows an attribute: `pr`, or an operator and a literal.
    fn comparison(&mut self, path: AttrPath) -> Result<Filter, SyntaxError> {
        self.terms += 1;
        if self.terms > self.syntax.limits.terms {
            return Err(SyntaxError::new(self.text, self.at, Reason::Terms(self.syntax.limits.terms)));
        }
        self.space();
        let start = self.at;
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        match Op::from_name(word) {
            Some(op) => Ok(Filter::Compare { path, op, value: self.literal()? }),
            None => self.fail_at(start, OPERATOR),
        }
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        self.space();
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let start = self.at;
        let word = self.word();
        Ok(match word {
            "true" => Literal::True,
            "false" => Literal::False,
            "null" => Literal::Null,
            // `IgnoredAny` checks the grammar without making a float of the number.
            _ if word.starts_with(|first: char| first == '-' || first.is_ascii_digit())
                && serde_json::from_str::<IgnoredAny>(word).is_ok() =>
            {
                Literal::Number(word.into())
            }
            _ if self.syntax.lenient.unquoted && is_plain(word) => {
                self.used.unquoted = true;
                Literal::String(word.into())
            }
            _ => return self.fail_at(start, VALUE),
        })
    }

    fn string(&mut self) -> Result<Literal, SyntaxError> {
        let start = self.at;
        let mut escaped = false;
        let rest = self.text.as_bytes().iter().enumerate().skip(start + 1);
        let close = rest.map(|(at, byte)| (at, *byte)).find(|(_, byte)| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        });
        let Some((close, _)) = close else {
            return self.fail_at(self.text.len(), "the closing quote of a string");
        };
        self.at = close + 1;
        match serde_json::from_str(self.text.get(start..self.at).unwrap_or_default()) {
            Ok(text) => Ok(Literal::String(text)),
            Err(_) => self.fail_at(start, "a string with the escapes of JSON"),
        }
    }

    fn attribute(&self, token: &str, start: usize, scope: Scope) -> Result<AttrPath, SyntaxError> {
        match scope {
            Scope::Resource => AttrPath::split(token, self.syntax.known)
                .or_else(|(at, expected)| self.fail_at(start + at, expected)),
            Scope::Element if is_name(token) => Ok(AttrPath::new(token)),
            Scope::Element if token.is_empty() => self.fail_at(start, NAME),
            Scope::Element => self.fail_at(start, "the name of a sub-attribute alone"),
        }
    }

    fn sub(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        let name = self.word();
        if is_name(name) { Ok(name) } else { self.fail_at(start, SUB) }
    }

    /// The text up to the next space, bracket, parenthesis or quote.
    fn word(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find([' ', '\t', '(', ')', '[', ']', '"']).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Takes that word, and the spaces before it.
    fn keyword(&mut self, keyword: &str) -> bool {
        let start = self.at;
        self.space();
        if self.word().eq_ignore_ascii_case(keyword) {
            return true;
        }
        self.at = start;
        false
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn end(&mut self, expected: &'static str) -> Result<(), SyntaxError> {
        self.space();
        if self.at < self.text.len() { self.fail(expected) } else { Ok(()) }
    }

    fn deeper(&self, depth: usize) -> Result<(), SyntaxError> {
        if depth < self.syntax.limits.depth {
            return Ok(());
        }
        Err(SyntaxError::new(self.text, self.at, Reason::Depth(self.syntax.limits.depth)))
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, SyntaxError> {
        self.fail_at(self.at, expected)
    }

    fn fail_at<T>(&self, at: usize, expected: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError::expected(self.text, at, expected))
    }
}

/// Nothing that hints at another way of quoting.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && !word.chars().any(|char| char.is_control() || matches!(char, '\'' | '`' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

    fn syntax() -> Syntax<'static> {
        Syntax::strict(&|uri| uri.eq_ignore_ascii_case(USER))
    }

    /// The tree in a notation without precedence.
    fn shape(filter: &Filter) -> String {
        let all = |filters: &[Filter]| filters.iter().map(shape).collect::<Vec<_>>().join(" ");
        match filter {
            Filter::And(filters) => format!("and({})", all(filters)),
            Filter::Or(filters) => format!("or({})", all(filters)),
            Filter::Not(filter) => format!("not({})", shape(filter)),
            Filter::Compare { path, op, value } => format!("{path}.{op}.{value}"),
            Filter::Present(path) => path.to_string(),
            Filter::ValuePath { path, filter } => format!("{path}[{}]", shape(filter)),
        }
    }

    // P-10: precedence, case, spaces; P-11, P-12
    #[test]
    fn trees() {
        for (text, tree) in [
            ("a pr or b pr and c pr", "or(a and(b c))"),
            ("a pr and b pr or c pr", "or(and(a b) c)"),
            ("(a pr or b pr) and c pr", "and(or(a b) c)"),
            ("not (a pr) and b pr", "and(not(a) b)"),
            ("not(a pr and b pr) or c pr", "or(not(and(a b)) c)"),
            ("not ( not ( a pr ) )", "not(not(a))"),
            ("a Pr AND ( b eQ true oR Not(c PR) )", "and(a or(b.eq.true not(c)))"),
            ("a pr and (b pr and (c pr and d pr))", "and(a b c d)"),
            ("a eq 1 or a ne 1 or a co 1 or a sw 1 or a ew 1", "or(a.eq.1 a.ne.1 a.co.1 a.sw.1 a.ew.1)"),
            ("a gt 1 or a ge 1 or a lt 1 or a le 1", "or(a.gt.1 a.ge.1 a.lt.1 a.le.1)"),
            // words are operators by their place alone
            ("not pr and and eq 1 or or pr", "or(and(not and.eq.1) or)"),
            ("pr pr", "pr"),
            (r#"title pr and userType eq "Employee""#, r#"and(title userType.eq."Employee")"#),
            (
                r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
                r#"and(userType.eq."Employee" or(emails.co."example.com" emails.value.co."example.org"))"#,
            ),
            (
                r#"userType ne "Employee" and not (emails co "example.com")"#,
                r#"and(userType.ne."Employee" not(emails.co."example.com"))"#,
            ),
            (
                r#"emails[type eq "work" and value co "@x"] or ims[type eq "xmpp" or not (value pr)]"#,
                r#"or(emails[and(type.eq."work" value.co."@x")] ims[or(type.eq."xmpp" not(value))])"#,
            ),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName.sw."J""#,
            ),
            (
                r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
                r#"meta.lastModified.gt."2011-05-13T04:42:34Z""#,
            ),
        ] {
            let (filter, used) = Filter::parse(text, &syntax()).unwrap();
            assert_eq!((shape(&filter).as_str(), used), (tree, Lenient::default()), "{text}");
        }
    }

    // P-13, E25
    #[test]
    fn literals() {
        let string = |text: &str| Literal::String(text.into());
        let number = |text: &str| Literal::Number(text.into());
        for (text, expected) in [
            (r#""""#, string("")),
            (r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#, string("\"\\/\u{8}\u{c}\n\r\té😀")),
            (r#""ä) and ] or ( [""#, string("ä) and ] or ( [")),
            (r#""a&b+c'd_x#EXT#@y.example""#, string("a&b+c'd_x#EXT#@y.example")),
            ("true", Literal::True),
            ("false", Literal::False),
            ("null", Literal::Null),
            ("0", number("0")),
            ("-0.10", number("-0.10")),
            ("12345678901234567890.123456789e999", number("12345678901234567890.123456789e999")),
        ] {
            let filter = Filter::compare(AttrPath::new("a"), Op::Eq, expected);
            assert_eq!(
                Filter::parse(&format!("a eq {text}"), &syntax()),
                Ok((filter, Lenient::default())),
                "{text}"
            );
        }
        for text in [
            "True",
            "NULL",
            "abc",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "0x1",
            "Infinity",
            "'a'",
            "a.b",
            "2011-05-13",
        ] {
            assert_eq!(
                error(&format!("a eq {text}"), syntax()),
                format!("expected {VALUE} at character 6"),
                "{text}"
            );
        }
    }

    // P-10, P-12, P-13: place and expectation, never the values
    #[test]
    fn errors() {
        for (text, expected) in [
            ("", "expected an attribute's name at character 1"),
            ("a", &format!("expected {OPERATOR} at character 2")),
            ("a is 1", &format!("expected {OPERATOR} at character 3")),
            ("a eq", &format!("expected {VALUE} at character 5")),
            ("a eq \"x", "expected the closing quote of a string at character 8"),
            ("a eq \"x\\\"", "expected the closing quote of a string at character 10"),
            (r#"a eq "\x""#, "expected a string with the escapes of JSON at character 6"),
            (r#"a eq "\ud800""#, "expected a string with the escapes of JSON at character 6"),
            ("a eq \"x\ny\"", "expected a string with the escapes of JSON at character 6"),
            ("a eq \"é\" b", "expected `and`, `or` or the end of the filter at character 10"),
            ("a eq 1 xor b eq 2", "expected `and`, `or` or the end of the filter at character 8"),
            ("a pr and", "expected an attribute's name at character 9"),
            ("a pr)", "expected `and`, `or` or the end of the filter at character 5"),
            ("(a pr", "expected `and`, `or` or `)` at character 6"),
            ("()", "expected an attribute's name at character 2"),
            ("not [a pr]", &format!("expected {OPERATOR} at character 5")),
            ("not a pr", &format!("expected {OPERATOR} at character 5")),
            ("emails[type pr", "expected `and`, `or` or `]` at character 15"),
            ("emails[type pr) and a pr", "expected `and`, `or` or `]` at character 15"),
            ("emails [type pr]", &format!("expected {OPERATOR} at character 8")),
            (
                "emails[a[b pr]]",
                "expected an operator: a value filter holds no other value filter at character 9",
            ),
            ("emails.x[b pr]", "expected an attribute without sub-attribute before `[` at character 9"),
            ("emails[type pr].value pr", "expected `and`, `or` or the end of the filter at character 16"),
            ("emails[urn:a:b:c pr]", "expected the name of a sub-attribute alone at character 8"),
            ("a.b.c pr", "expected the name of one sub-attribute at character 3"),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User pr",
                "expected `:` and an attribute's name behind the schema's URI at character 43",
            ),
        ] {
            assert_eq!(error(text, syntax()), expected, "{text}");
        }
    }

    // E22, E23: off by default (see `errors`, `literals`), and told when used
    #[test]
    fn leniences() {
        let sub = Lenient { sub_after_filter: true, unquoted: false };
        let unquoted = Lenient { sub_after_filter: false, unquoted: true };
        for (text, lenient, printed) in [
            (r#"emails[type eq "work"].value eq "x""#, sub, r#"emails[type eq "work" and value eq "x"]"#),
            ("emails[a pr or b pr].value Pr", sub, "emails[(a pr or b pr) and value pr]"),
            ("not (emails[a pr].value pr) and c pr", sub, "not (emails[a pr and value pr]) and c pr"),
            ("externalId eq jyoung", unquoted, r#"externalId eq "jyoung""#),
            ("(a eq j.y@x.example)", unquoted, r#"a eq "j.y@x.example""#),
            ("emails[primary eq True]", unquoted, r#"emails[primary eq "True"]"#),
            ("a eq 007", unquoted, r#"a eq "007""#),
        ] {
            let all = Lenient { sub_after_filter: true, unquoted: true };
            let (filter, used) = Filter::parse(text, &Syntax { lenient: all, ..syntax() }).unwrap();
            assert_eq!((filter.to_string().as_str(), used), (printed, lenient), "{text}");
            assert!(Filter::parse(text, &syntax()).is_err(), "{text}");
        }
        let lenient = Lenient { sub_after_filter: true, unquoted: true };
        for (text, expected) in [
            ("a eq 'x'", format!("expected {VALUE} at character 6")),
            ("a eq x\\y", format!("expected {VALUE} at character 6")),
            ("a eq", format!("expected {VALUE} at character 5")),
            ("a eq John Doe", "expected `and`, `or` or the end of the filter at character 11".into()),
            ("emails[a pr].b.c pr", "expected the name of one sub-attribute at character 14".into()),
        ] {
            assert_eq!(error(text, Syntax { lenient, ..syntax() }), expected, "{text}");
        }
        let (path, used) =
            Path::parse("roles[primary eq True].value", &Syntax { lenient, ..syntax() }).unwrap();
        assert_eq!((path.to_string().as_str(), used), (r#"roles[primary eq "True"].value"#, unquoted));
    }

    #[test]
    fn limits() {
        let limits = |length, depth, terms| Syntax { limits: Limits { length, depth, terms }, ..syntax() };
        assert_eq!(error("a pr and b pr", limits(12, 9, 9)), "more than 12 bytes");
        assert_eq!(error("a pr and b pr", limits(99, 9, 1)), "more than 1 comparisons at character 11");
        for text in ["not ((a pr))", "(a[(b pr)])"] {
            let depth = text.matches(['(', '[']).count();
            assert!(Filter::parse(text, &limits(99, depth, 9)).is_ok(), "{text}");
            let expected =
                format!("more than {} parentheses and brackets in one another at character", depth - 1);
            assert!(error(text, limits(99, depth - 1, 9)).starts_with(&expected), "{text}");
        }
        let deep = "(".repeat(60_000);
        assert_eq!(
            error(&deep, syntax()),
            "more than 16 parentheses and brackets in one another at character 17"
        );
        let wide = vec!["a pr"; 1025].join(" or ");
        assert!(error(&wide, syntax()).starts_with("more than 1024 comparisons at character "));
    }

    fn error(text: &str, syntax: Syntax<'_>) -> String {
        Filter::parse(text, &syntax).expect_err(text).to_string()
    }
}
