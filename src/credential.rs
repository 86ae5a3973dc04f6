//! What the provider is shown: the gateway's own credential, which an IdP never sees.

use std::fmt;

use crate::Headers;

/// A provider's credential.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    /// The whole value of the Authorization field.
    authorization: Secret,
    /// Unix milliseconds from which the provider refuses it, where the configuration says so.
    expires: Option<u64>,
}

impl Credential {
    /// A bearer token (RFC 6750), which must be one word of visible ASCII: anything else could end the
    /// header field or begin another.
    pub(crate) fn bearer(token: &str, expires: Option<u64>) -> Result<Self, Unsendable> {
        let scheme = token.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("bearer"));
        if scheme && token.get(6..).is_some_and(|rest| rest.starts_with([' ', ':'])) {
            return Err(Unsendable::Scheme);
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Unsendable::Characters);
        }
        Ok(Self { authorization: Secret::new(format!("Bearer {token}")), expires })
    }

    /// Puts the credential into a request to the provider.
    pub(crate) fn apply(&self, headers: &mut Headers) {
        headers.push("authorization", self.authorization.expose());
    }

    /// True where the configuration says that the credential is no longer good: names the likely reason
    /// when the provider refuses it.
    pub(crate) fn expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

/// A text that never shows: not in `Debug`, not in messages.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a credential cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unsendable {
    /// It begins with the scheme's name.
    Scheme,
    /// It is empty or has characters that are no visible ASCII.
    Characters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_bearer_token_becomes_one_header_field() {
        let credential = Credential::bearer("abc~1.2:3=", Some(1000)).unwrap();
        let mut headers = Headers::new();
        credential.apply(&mut headers);
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("authorization", &b"Bearer abc~1.2:3="[..])]);
        assert!(!credential.expired(999));
        assert!(credential.expired(1000));
        assert!(!Credential::bearer("x", None).unwrap().expired(u64::MAX));
        assert!(!format!("{credential:?}").contains("abc"), "{credential:?}");
    }

    #[test]
    fn what_could_break_the_header_is_refused() {
        for (token, expected) in [
            ("", Unsendable::Characters),
            ("a b", Unsendable::Characters),
            ("a\r\nx-admin: 1", Unsendable::Characters),
            ("a\n", Unsendable::Characters),
            ("a\0", Unsendable::Characters),
            ("pässwort", Unsendable::Characters),
            ("Bearer abc", Unsendable::Scheme),
            ("bearer: abc", Unsendable::Scheme),
        ] {
            assert_eq!(Credential::bearer(token, None).err(), Some(expected), "{token:?}");
        }
        assert!(Credential::bearer("bearerness", None).is_ok());
    }
}
