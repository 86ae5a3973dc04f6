//! Request targets: raw bytes in, a route's segments and query out, and the strict way back.
//!
//! Paths are compared raw, on segment boundaries; what two readers could understand in two ways (dot
//! segments, encoded slashes, doubled slashes, controls) is refused before anything is decoded. Segments are
//! decoded once and re-encoded strictly, so the provider sees the id the IdP meant and nothing else.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A request's target whose every byte was judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Target<'a> {
    path: &'a str,
    query: &'a str,
}

impl<'a> Target<'a> {
    /// Judges path and query as received; the error is a 400's detail.
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, BadTarget> {
        let raw = str::from_utf8(raw).map_err(|_| BadTarget::Characters)?;
        if !raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#') {
            return Err(BadTarget::Characters);
        }
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        if !path.starts_with('/') {
            return Err(BadTarget::Form);
        }
        if path.contains("//") {
            return Err(BadTarget::EmptySegment);
        }
        for byte in escapes(path) {
            match byte? {
                b'.' | b'/' | b'\\' => return Err(BadTarget::HiddenSeparator),
                control if control.is_ascii_control() => return Err(BadTarget::Characters),
                _ => {}
            }
        }
        if path.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(BadTarget::DotSegment);
        }
        for byte in escapes(query) {
            if byte?.is_ascii_control() {
                return Err(BadTarget::Characters);
            }
        }
        Ok(Self { path, query })
    }

    /// What follows a route's path: empty, or with a leading `/`; `None` where the target is not under it.
    pub(crate) fn under(&self, base: &str) -> Option<&'a str> {
        self.path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// True under the path of a route but for the version at its end: `/scim/v1/Users` for `/scim/v2`.
    pub(crate) fn of_another_version(&self, base: &str) -> bool {
        let is_version = |segment: &str| {
            let number = segment.strip_prefix(['v', 'V']).unwrap_or_default();
            number.starts_with(|c: char| c.is_ascii_digit())
                && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        let Some((above, version)) = base.rsplit_once('/').filter(|(_, version)| is_version(version)) else {
            return false;
        };
        let rest = self.path.strip_prefix(above).and_then(|rest| rest.strip_prefix('/'));
        let asked = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        is_version(asked) && asked != version
    }

    /// The decoded query.
    pub(crate) fn query(&self) -> Result<Query, BadTarget> {
        Query::parse(self.query)
    }
}

/// The decoded segments of what [`Target::under`] gave; one trailing slash says nothing.
pub(crate) fn segments(rest: &str) -> Result<Vec<String>, BadTarget> {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    rest.split('/').map(decode).collect()
}

/// One segment of a path to a provider; `None` where no encoding keeps it one segment.
pub(crate) fn encode_segment(segment: &str) -> Option<String> {
    // `%2E%2E` climbs as `..` does.
    let lost = matches!(segment, "" | "." | "..") || segment.contains(['/', '\\']);
    let lost = lost || segment.contains(|c: char| c.is_control());
    (!lost).then(|| encode(segment))
}

/// Adds a parameter to a query, which begins empty and has no `?`.
pub(crate) fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&encode(name));
    query.push('=');
    query.push_str(&encode(value));
}

/// The decoded parameters of a query, each name once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query: `+` and `%20` are blanks, `%2B` is a plus.
    pub(crate) fn parse(raw: &str) -> Result<Self, BadTarget> {
        let mut query = Self::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode_parameter(name)?, decode_parameter(value)?);
            // Which of two would count is anyone's guess, and the provider's may differ.
            if query.get(&name).is_some() {
                return Err(BadTarget::SameParameter);
            }
            query.0.push((name, value));
        }
        Ok(query)
    }

    /// Parameters that came another way, each name once.
    pub(crate) const fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// A parameter's value; names are compared without case, so that no filter is lost to a `Filter=`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadTarget {
    /// Controls, backslashes, `#`, blanks or bytes outside ASCII; or an encoding of a control.
    Characters,
    /// It does not begin with `/`.
    Form,
    /// `//`.
    EmptySegment,
    /// `.` or `..` as a segment.
    DotSegment,
    /// `%2e`, `%2f` or `%5c` in the path.
    HiddenSeparator,
    /// `%` without two hex digits, or an encoding that is no UTF-8.
    Encoding,
    /// A query parameter that is there twice.
    SameParameter,
}

impl BadTarget {
    /// What is wrong, for the answer's detail.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::Characters => "the request's URL has characters that are not allowed there",
            Self::Form => "the request's path does not begin with `/`",
            Self::EmptySegment => "the request's path has an empty segment (`//`)",
            Self::DotSegment => "the request's path has a segment `.` or `..`",
            Self::HiddenSeparator => "the request's path has an encoded dot, slash or backslash",
            Self::Encoding => "the request's URL is not percent-encoded UTF-8",
            Self::SameParameter => "a query parameter is there twice",
        }
    }
}

/// The bytes that `%xx` stand for.
fn escapes(text: &str) -> impl Iterator<Item = Result<u8, BadTarget>> {
    text.split('%').skip(1).map(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(BadTarget::Encoding)
    })
}

fn decode(text: &str) -> Result<String, BadTarget> {
    // The crate leaves a bare `%` as it stands.
    escapes(text).try_for_each(|byte| byte.map(|_| ()))?;
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| BadTarget::Encoding)
}

fn decode_parameter(text: &str) -> Result<String, BadTarget> {
    decode(&text.replace('+', " "))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Everything but what RFC 3986 2.3 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn targets_are_matched_on_segments() {
        for (target, base, expected) in [
            ("/scim/v2", "/scim/v2", Some("")),
            ("/scim/v2/", "/scim/v2", Some("/")),
            ("/scim/v2?a=b", "/scim/v2", Some("")),
            ("/scim/v2/Users/42?a=/../b", "/scim/v2", Some("/Users/42")),
            ("/scim/v20/Users", "/scim/v2", None),
            ("/scim", "/scim/v2", None),
            ("/SCIM/v2/Users", "/scim/v2", None),
            ("/%73cim/v2/Users", "/scim/v2", None),
            ("/other/scim/v2", "/scim/v2", None),
        ] {
            assert_eq!(Target::parse(target.as_bytes()).unwrap().under(base), expected, "{target}");
        }
    }

    // P-42
    #[test]
    fn another_version_is_told_from_another_path() {
        for (target, base, expected) in [
            ("/scim/v1/Users", "/scim/v2", true),
            ("/scim/v1", "/scim/v2", true),
            ("/scim/v2.1/Users", "/scim/v2", true),
            ("/V3/Users", "/v2", true),
            ("/scim/v2/Users", "/scim/v2", false),
            ("/scim/vx/Users", "/scim/v2", false),
            ("/scim/v/Users", "/scim/v2", false),
            ("/scim/x/v1/Users", "/scim/v2", false),
            ("/scim/v1/Users", "/scim", false),
        ] {
            let parsed = Target::parse(target.as_bytes()).unwrap();
            assert_eq!(parsed.of_another_version(base), expected, "{target} {base}");
        }
    }

    #[test]
    fn ambiguous_targets_are_refused() {
        for (target, expected) in [
            (&b""[..], BadTarget::Form),
            (b"*", BadTarget::Form),
            (b"?a", BadTarget::Form),
            (b"https://other.example/Users", BadTarget::Form),
            (b"//Users", BadTarget::EmptySegment),
            (b"/Users//42", BadTarget::EmptySegment),
            (b"/Users/42//", BadTarget::EmptySegment),
            (b"/Users\\42", BadTarget::Characters),
            (b"/Users/4 2", BadTarget::Characters),
            (b"/Users/4\t2", BadTarget::Characters),
            (b"/Users/42\0", BadTarget::Characters),
            (b"/Users/42\x7f", BadTarget::Characters),
            (b"/Users/\xc3\xa9", BadTarget::Characters),
            (b"/Users/\xff", BadTarget::Characters),
            (b"/Users#42", BadTarget::Characters),
            (b"/Users?filter=a\\b", BadTarget::Characters),
            (b"/Users?filter=a b", BadTarget::Characters),
            (b"/Users?a#b", BadTarget::Characters),
            (b"/Users/.", BadTarget::DotSegment),
            (b"/./Users", BadTarget::DotSegment),
            (b"/Users/../Groups", BadTarget::DotSegment),
            (b"/Users/..", BadTarget::DotSegment),
            (b"/Users/%2e%2e", BadTarget::HiddenSeparator),
            (b"/Users/.%2E/x", BadTarget::HiddenSeparator),
            (b"/Users/a%2fb", BadTarget::HiddenSeparator),
            (b"/Users/a%2Fb", BadTarget::HiddenSeparator),
            (b"/Users/a%5cb", BadTarget::HiddenSeparator),
            (b"/Users/a%5Cb", BadTarget::HiddenSeparator),
            (b"/Users/a%00b", BadTarget::Characters),
            (b"/Users/a%0d%0ab", BadTarget::Characters),
            (b"/Users/a%7F", BadTarget::Characters),
            (b"/Users/%", BadTarget::Encoding),
            (b"/Users/%4", BadTarget::Encoding),
            (b"/Users/%4g", BadTarget::Encoding),
            (b"/Users/%+4", BadTarget::Encoding),
            (b"/Users/%%41", BadTarget::Encoding),
            (b"/Users?a=%", BadTarget::Encoding),
            (b"/Users?a=%zz", BadTarget::Encoding),
            (b"/Users?a=%00", BadTarget::Characters),
            (b"/Users?a=%0A", BadTarget::Characters),
        ] {
            assert_eq!(Target::parse(target), Err(expected), "{}", String::from_utf8_lossy(target));
        }
    }

    #[test]
    fn every_byte_is_judged_raw_and_encoded() {
        for byte in 0..=u8::MAX {
            let raw = [b"/Users/a".as_slice(), &[byte], b"b"].concat();
            let encoded = format!("/Users/a%{byte:02X}b");
            let fine = |target: &[u8]| {
                Target::parse(target)
                    .is_ok_and(|target| segments(target.under("/Users").unwrap_or("")).is_ok())
            };
            let separator = b"./\\".contains(&byte);
            assert_eq!(fine(&raw), byte.is_ascii_graphic() && !b"\\#%".contains(&byte), "raw {byte:#x}");
            assert_eq!(
                fine(encoded.as_bytes()),
                (b' '..0x7f).contains(&byte) && !separator,
                "encoded {byte:#x}"
            );
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        for (rest, expected) in [
            ("", Ok(vec![])),
            ("/", Ok(vec![])),
            ("/Users", Ok(vec!["Users"])),
            ("/Users/", Ok(vec!["Users"])),
            ("/Users/42", Ok(vec!["Users", "42"])),
            ("/Users/a%40b+c%2B", Ok(vec!["Users", "a@b+c+"])),
            ("/Users/%252e%252E", Ok(vec!["Users", "%2e%2E"])),
            ("/Users/%C3%A9", Ok(vec!["Users", "é"])),
            ("/Users/%C3", Err(BadTarget::Encoding)),
            ("/Users/%ED%A0%80", Err(BadTarget::Encoding)),
            ("/Users/%C0%AE", Err(BadTarget::Encoding)),
        ] {
            let expected =
                expected.map(|segments| segments.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(segments(rest), expected, "{rest}");
        }
    }

    #[test]
    fn what_is_taken_is_written_as_it_was_meant() {
        let mut state = 1_u64;
        let mut taken = 0;
        for _ in 0..20_000 {
            let noise = (0..8).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                PIECES[usize::try_from(state >> 33).unwrap() % PIECES.len()]
            });
            let target = format!("/x/{}", noise.collect::<String>());
            let Ok(read) = Target::parse(target.as_bytes()) else { continue };
            let Ok(ids) = segments(read.under("/x").unwrap()) else { continue };
            let written: Option<Vec<_>> = ids.iter().map(|id| encode_segment(id)).collect();
            let written = format!("/{}", written.unwrap().join("/"));
            assert_eq!(segments(&written), Ok(ids), "{target}");
            assert!(Target::parse(written.as_bytes()).is_ok(), "{target} as {written}");
            taken += 1;
        }
        assert!(taken > 1000, "{taken}");
    }

    const PIECES: [&str; 24] = [
        "a", "Z", "4", "-", "_", "~", "a.b", "%25", "%41", "%C3%A9", "%20", "@", "+", ";", "/", ".", "%2e",
        "%2F", "%5c", "%00", "\\", "%", "%7f", "?q",
    ];

    #[test]
    fn segments_are_encoded_strictly() {
        for (segment, expected) in [
            ("42", Some("42")),
            ("aZ09-._~", Some("aZ09-._~")),
            ("a@b c+d%2e?#[]é;=:", Some("a%40b%20c%2Bd%252e%3F%23%5B%5D%C3%A9%3B%3D%3A")),
            ("...", Some("...")),
            ("", None),
            (".", None),
            ("..", None),
            ("a/b", None),
            ("a\\b", None),
            ("a\nb", None),
        ] {
            assert_eq!(encode_segment(segment).as_deref(), expected, "{segment}");
        }
    }

    #[test]
    fn queries() {
        let query = Query::parse("filter=userName+eq%20%22a%2Bb%22&count=&&Attributes=x=y&flag&").unwrap();
        assert_eq!(query.get("filter"), Some("userName eq \"a+b\""));
        assert_eq!(query.get("attributes"), Some("x=y"));
        assert_eq!(query.get("count"), Some(""));
        assert_eq!(query.get("sortBy"), None);
        assert_eq!(query.iter().count(), 4);
        for (raw, expected) in [
            ("a=1&b=2&a=1", BadTarget::SameParameter),
            ("filter=x&%66ilter=y", BadTarget::SameParameter),
            ("filter=x&Filter=y", BadTarget::SameParameter),
            ("filter&filter", BadTarget::SameParameter),
            ("a=%4", BadTarget::Encoding),
            ("a=%FF", BadTarget::Encoding),
            ("%C3=a", BadTarget::Encoding),
        ] {
            assert_eq!(Query::parse(raw), Err(expected), "{raw}");
        }
    }

    #[test]
    fn queries_survive_the_way_there_and_back() {
        let parameters = [("filter", "emails[type eq \"work\"].value co \"a+b&c=d%20é/\""), ("a&b=c", "")];
        let mut query = String::new();
        for (name, value) in parameters {
            push_parameter(&mut query, name, value);
        }
        assert!(
            query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%&=".contains(&byte)),
            "{query}"
        );
        assert_eq!(Query::parse(&query).unwrap().iter().collect::<Vec<_>>(), parameters);
    }
}
