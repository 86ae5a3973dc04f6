//! Who may use a route: compiled verifiers of the bearer tokens it accepts (RFC 6750), and its 401 challenge.
//!
//! Only digests of tokens are kept. Every configured digest is compared in constant time, and none is
//! skipped, so that the time taken tells nothing about which token nearly matched.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::discovery::AuthenticationScheme;
use crate::errand::Turn;
use crate::{Headers, Request};

/// The compiled access rules of a route.
#[derive(Debug)]
pub(crate) struct Access {
    realm: String,
    tokens: Vec<Token>,
    open: bool,
}

impl Access {
    /// A route that these tokens, and no others, may use.
    pub(crate) fn new(realm: &str, tokens: Vec<Token>) -> Self {
        Self { realm: realm.to_owned(), tokens, open: false }
    }

    /// A route that anyone may use: for a gateway on this machine only.
    pub(crate) fn open(realm: &str) -> Self {
        Self { realm: realm.to_owned(), tokens: Vec::new(), open: true }
    }

    /// Judges a request, at once or with what it asks for; `now` is Unix time in milliseconds.
    pub(crate) fn begin(&self, request: &Request, now: u64) -> Turn<Verdict> {
        Turn::Ready(self.check(&request.headers, now))
    }

    /// Judges a request's header fields.
    pub(crate) fn check(&self, headers: &Headers, now: u64) -> Verdict {
        if self.open {
            return Verdict::Accepted { token: None };
        }
        match presented(headers) {
            Ok(token) => self.judge(token, now),
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    /// How an IdP may authenticate, for ServiceProviderConfig.
    pub(crate) fn schemes(&self) -> Vec<&'static AuthenticationScheme> {
        if self.open { Vec::new() } else { vec![&AuthenticationScheme::BEARER] }
    }

    /// A token's name, as audit records show it.
    pub(crate) fn name(&self, token: usize) -> Option<&str> {
        self.tokens.get(token).map(|token| token.name.as_str())
    }

    /// The value of `WWW-Authenticate`: the scheme, and an error where a token was presented (RFC 6750 3).
    pub(crate) fn challenge(&self, refusal: Refusal) -> String {
        let error = if refusal == Refusal::Missing { "" } else { ", error=\"invalid_token\"" };
        format!("Bearer realm=\"{}\"{error}", self.realm)
    }

    fn judge(&self, token: &[u8], now: u64) -> Verdict {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = u32::MAX;
        for (index, token) in (0_u32..).zip(&self.tokens) {
            found.conditional_assign(&index, digest.ct_eq(&token.digest));
        }
        // From here on only the presenter of a right token can see a difference.
        let index = usize::try_from(found).unwrap_or(usize::MAX);
        match self.tokens.get(index) {
            None => Verdict::Refused(Refusal::Unknown),
            Some(token) if now < token.not_before => Verdict::Refused(Refusal::NotYet),
            Some(token) if now >= token.expires => Verdict::Refused(Refusal::Expired),
            Some(_) => Verdict::Accepted { token: Some(index) },
        }
    }
}

/// One accepted bearer token.
#[derive(Clone)]
pub(crate) struct Token {
    /// Its name, for people and audit records.
    pub(crate) name: String,
    /// Its SHA-256.
    pub(crate) digest: [u8; 32],
    /// Unix milliseconds from which it counts.
    pub(crate) not_before: u64,
    /// Unix milliseconds from which it no longer counts.
    pub(crate) expires: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Go on; which token it was, for [`Access::name`]; none on an open route.
    Accepted {
        /// The token's number.
        token: Option<usize>,
    },
    /// 401, and nothing is forwarded.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// No bearer token was presented.
    Missing,
    /// The Authorization field has no token that RFC 6750 allows.
    Malformed,
    /// There is more than one Authorization field, or a list in it.
    Several,
    /// No configured token.
    Unknown,
    /// A configured token after its expiry.
    Expired,
    /// A configured token before its first day.
    NotYet,
}

impl Refusal {
    /// The reason as metrics and audit records name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Several => "several",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::NotYet => "notYet",
        }
    }
}

/// The one bearer token of a request: `Bearer 1*SP token68`, the scheme in any case.
fn presented(headers: &Headers) -> Result<&[u8], Refusal> {
    let mut fields = headers.all("authorization");
    let field = fields.next().ok_or(Refusal::Missing)?;
    // A host may have joined several fields with commas; a bearer token has none.
    if fields.next().is_some() || field.contains(&b',') {
        return Err(Refusal::Several);
    }
    let field = field.trim_ascii();
    let (scheme, rest) = field.split_at(field.iter().position(|byte| *byte == b' ').unwrap_or(field.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Refusal::Missing);
    }
    let token = rest.trim_ascii_start();
    let unpadded = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    if unpadded == 0 || !token.iter().take(unpadded).all(word) {
        return Err(Refusal::Malformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn header_rules() {
        for (fields, expected) in [
            (&[][..], Err(Refusal::Missing)),
            (&[("x-authorization", "Bearer abc")], Err(Refusal::Missing)),
            (&[("authorization", "Basic YTpi")], Err(Refusal::Missing)),
            (&[("authorization", "")], Err(Refusal::Missing)),
            (&[("authorization", "Bearerabc")], Err(Refusal::Missing)),
            (&[("authorization", "Bearer")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer  ")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer =")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a=b")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a b")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a\tb")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer ä")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer a\0")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer \"abc\"")], Err(Refusal::Malformed)),
            (&[("authorization", "Bearer abc, Bearer def")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc,")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc"), ("authorization", "Bearer abc")], Err(Refusal::Several)),
            (&[("Authorization", "Bearer abc"), ("AUTHORIZATION", "")], Err(Refusal::Several)),
            (&[("authorization", "Bearer abc")], Ok("abc")),
            (&[("authorization", " bEARER   abc-._~+/1== ")], Ok("abc-._~+/1==")),
        ] {
            let headers = headers(fields);
            assert_eq!(presented(&headers), expected.map(str::as_bytes), "{fields:?}");
        }
    }

    // P-46: several tokens at a time, each with an end
    #[test]
    fn tokens_are_told_apart_by_digest_and_time() {
        let access = access();
        for (token, now, expected) in [
            ("first", 0, Verdict::Accepted { token: Some(0) }),
            ("first", 999, Verdict::Accepted { token: Some(0) }),
            ("first", 1000, Verdict::Refused(Refusal::Expired)),
            ("second", 499, Verdict::Refused(Refusal::NotYet)),
            ("second", 500, Verdict::Accepted { token: Some(1) }),
            ("third", 1, Verdict::Accepted { token: Some(2) }),
            ("fourth", 1, Verdict::Refused(Refusal::Unknown)),
            ("First", 1, Verdict::Refused(Refusal::Unknown)),
            ("firs", 1, Verdict::Refused(Refusal::Unknown)),
            ("first=", 1, Verdict::Refused(Refusal::Unknown)),
        ] {
            let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
            assert_eq!(access.check(&headers, now), expected, "{token} at {now}");
        }
        assert_eq!(access.name(1), Some("name-second"));
        assert_eq!(access.name(3), None);
    }

    #[test]
    fn a_digest_is_no_token_and_a_flipped_bit_is_refused() {
        let access = access();
        let hex: String = digest("first").iter().map(|byte| format!("{byte:02x}")).collect();
        let flipped = (0..40).map(|bit| {
            let mut token = b"first".to_vec();
            token[bit / 8] ^= 1 << (bit % 8);
            token
        });
        for token in flipped.chain([hex.into_bytes()]) {
            let mut headers = Headers::new();
            headers.push("authorization", [b"Bearer ", token.as_slice()].concat());
            assert!(matches!(access.check(&headers, 0), Verdict::Refused(_)), "{token:?}");
        }
    }

    #[test]
    fn an_open_route_needs_nothing_and_an_empty_one_lets_nobody_in() {
        assert_eq!(Access::open("r").check(&Headers::new(), 0), Verdict::Accepted { token: None });
        let headers = headers(&[("authorization", "Bearer x")]);
        assert_eq!(Access::new("r", Vec::new()).check(&headers, 0), Verdict::Refused(Refusal::Unknown));
    }

    #[test]
    fn challenges() {
        let access = access();
        assert_eq!(access.challenge(Refusal::Missing), r#"Bearer realm="acme""#);
        for refusal in
            [Refusal::Malformed, Refusal::Several, Refusal::Unknown, Refusal::Expired, Refusal::NotYet]
        {
            assert_eq!(access.challenge(refusal), r#"Bearer realm="acme", error="invalid_token""#);
        }
    }

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(
            format!("{:?}", access().tokens),
            r#"[Token { name: "name-first", .. }, Token { name: "name-second", .. }, Token { name: "name-third", .. }]"#
        );
    }

    fn access() -> Access {
        let token = |name: &str, not_before, expires| Token {
            name: format!("name-{name}"),
            digest: digest(name),
            not_before,
            expires,
        };
        Access::new(
            "acme",
            vec![token("first", 0, 1000), token("second", 500, 1000), token("third", 0, u64::MAX)],
        )
    }

    fn digest(token: &str) -> [u8; 32] {
        Sha256::digest(token).into()
    }

    fn headers(fields: &[(&str, &str)]) -> Headers {
        fields.iter().map(|(name, value)| (name, *value)).collect()
    }
}
