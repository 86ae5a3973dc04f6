//! What a request presents in its Authorization field (RFC 9110 section 11.6.2): one credential, or nothing.

use base64ct::{Base64, Encoding};

use super::Refusal;
use crate::Headers;

/// The one credential of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Presented {
    /// No credential of a scheme that is known.
    Nothing,
    /// A bearer token (RFC 6750 section 2.1).
    Token(Vec<u8>),
    /// A user's name and password (RFC 7617).
    Basic { user: Vec<u8>, password: Vec<u8> },
}

impl Presented {
    /// Reads the field; `bare`: a token without a scheme counts as a bearer token.
    pub(super) fn read(headers: &Headers, bare: bool) -> Result<Self, Refusal> {
        let mut fields = headers.all("authorization");
        let Some(field) = fields.next() else { return Ok(Self::Nothing) };
        // A host may have joined several fields with commas; no credential that is taken has one.
        if fields.next().is_some() || field.contains(&b',') {
            return Err(Refusal::Several);
        }
        let field = trimmed(field);
        let blank = field.iter().position(|byte| *byte == b' ');
        let (scheme, rest) = field.split_at(blank.unwrap_or(field.len()));
        let credential = trimmed(rest);
        let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
        if is("bearer") {
            token(credential).map(|token| Self::Token(token.to_vec()))
        } else if is("basic") {
            basic(credential)
        } else if bare && blank.is_none() && !field.is_empty() {
            token(field).map(|token| Self::Token(token.to_vec()))
        } else {
            Ok(Self::Nothing)
        }
    }
}

/// Blanks around a value are no part of it (RFC 9110 section 5.5); other white space is.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}

/// `token68` (RFC 9110 section 11.2).
fn token(text: &[u8]) -> Result<&[u8], Refusal> {
    let unpadded = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let word = |byte: &u8| WORD.get(usize::from(*byte)) == Some(&true);
    if unpadded == 0 || text.len() > LONGEST || !text.iter().take(unpadded).all(word) {
        return Err(Refusal::Malformed);
    }
    Ok(text)
}

/// Which bytes a `token68` may have before its padding.
const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut rest: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
    while let [byte, others @ ..] = rest {
        if let Some((_, [place, ..])) = word.split_at_mut_checked(*byte as usize) {
            *place = true;
        }
        rest = others;
    }
    word
};

fn basic(text: &[u8]) -> Result<Presented, Refusal> {
    let text = str::from_utf8(token(text)?).map_err(|_| Refusal::Malformed)?;
    let pair = Base64::decode_vec(text).map_err(|_| Refusal::Malformed)?;
    if Base64::encode_string(&pair) != text {
        return Err(Refusal::Malformed);
    }
    let colon = pair.iter().position(|byte| *byte == b':').ok_or(Refusal::Malformed)?;
    let (user, password) = pair.split_at(colon);
    Ok(Presented::Basic { user: user.to_vec(), password: password.get(1..).unwrap_or_default().to_vec() })
}

/// The longest credential that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn one_credential_or_none() {
        let token = |text: &str| Ok(Presented::Token(text.into()));
        let basic = |user: &str, password: &str| {
            Ok(Presented::Basic { user: user.into(), password: password.into() })
        };
        let long = format!("Bearer {}", "a".repeat(LONGEST + 1));
        for (fields, expected) in [
            (&[][..], Ok(Presented::Nothing)),
            (&[("x-authorization", "Bearer abc")], Ok(Presented::Nothing)),
            (&[("authorization", "")], Ok(Presented::Nothing)),
            (&[("authorization", "Bearerabc")], Ok(Presented::Nothing)),
            (&[("authorization", "Digest abc")], Ok(Presented::Nothing)),
            (&[("authorization", "\u{a0}Bearer abc")], Ok(Presented::Nothing)),
            (&[("authorization", "Bearer\tabc")], Ok(Presented::Nothing)),
            (&[("authorization", "Bearer")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer  ")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer =")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a=b")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a b")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a\tb")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer abc\t")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer ä")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a\0")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer \"abc\"")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer Bearer abc")], Err(Refusal::Malformed)),
            (&[("authorization", &long)], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer abc, Bearer def")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc,")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc"), ("authorization", "Bearer abc")], Err(Refusal::Several)),
            (&[("Authorization", "Bearer abc"), ("AUTHORIZATION", "")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc")], token("abc")),
            (&[("authorization", " bEARER   abc-._~+/1== ")], token("abc-._~+/1==")),
            (&[("authorization", "Basic YTpi")], basic("a", "b")),
            (&[("authorization", "bAsIc YTpi")], basic("a", "b")),
            (&[("authorization", "Basic YTpiOmM=")], basic("a", "b:c")),
            (&[("authorization", "Basic Og==")], basic("", "")),
            (&[("authorization", "Basic YWI=")], Err(Refusal::Malformed)),
            (&[("authorization", "Basic YTpi=")], Err(Refusal::Malformed)),
            (&[("authorization", "Basic YTpiOmM")], Err(Refusal::Malformed)),
            (&[("authorization", "Basic YTpiOmN=")], Err(Refusal::Malformed)),
            (&[("authorization", "Basic a:b")], Err(Refusal::Malformed)),
            (&[("authorization", "Basic")], Err(Refusal::Malformed)),
        ] {
            assert_eq!(Presented::read(&headers(fields), false), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_bare_token_counts_where_the_route_says_so() {
        for (field, expected) in [
            ("abc", Ok(Presented::Token(b"abc".into()))),
            (" abc= ", Ok(Presented::Token(b"abc=".into()))),
            ("Bearer abc", Ok(Presented::Token(b"abc".into()))),
            ("Token abc", Ok(Presented::Nothing)),
            ("bearer", Err(Refusal::Malformed)),
            ("", Ok(Presented::Nothing)),
            ("a:b", Err(Refusal::Malformed)),
            ("a,b", Err(Refusal::Several)),
        ] {
            assert_eq!(Presented::read(&headers(&[("authorization", field)]), true), expected, "{field}");
        }
        assert_eq!(Presented::read(&headers(&[("authorization", "abc")]), false), Ok(Presented::Nothing));
    }

    fn headers(fields: &[(&str, &str)]) -> Headers {
        fields.iter().map(|(name, value)| (name, *value)).collect()
    }
}
