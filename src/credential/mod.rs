//! What the provider is shown: the gateway's own credential, which an IdP never sees.
//!
//! A credential is fixed, or fetched: by a flow of requests to a token endpoint ([`flow`]), kept in the store until
//! it ends ([`kept`]) and fetched once more where the provider refuses it. A provider may want its writes to carry
//! the token of a session, too ([`session`]).

mod flow;
mod kept;
mod session;
mod sign;
mod template;

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64, Encoding};

use crate::Headers;
use crate::errand::Turn;
use crate::error::ScimError;

pub(crate) use flow::{Access, Body, Endpoint, Flow, Life, Proof, Step, Tree, form_encoded};
pub(crate) use kept::Kept;
use kept::{Got, Source};
pub(crate) use session::Session;
pub(crate) use sign::{BadKey, Signer};
pub(crate) use template::Template;

/// A provider's credential.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    authorization: Authorization,
    /// Unix milliseconds from which the provider refuses it, where the configuration says so.
    expires: Option<u64>,
    /// The session that writes belong to.
    session: Option<Arc<Kept>>,
}

#[derive(Clone, Debug)]
enum Authorization {
    /// The provider knows who asks in another way.
    None,
    /// The whole value of the field.
    Fixed(Secret),
    /// A bearer token that is fetched.
    Fetched(Arc<Kept>),
}

/// The fields a call is shown with, and what of them was fetched when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    fields: Vec<(&'static str, Secret)>,
    token: Option<u64>,
    session: Option<u64>,
}

/// What a provider refused, so that it is fetched once more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Refused {
    /// The token that was fetched then.
    token: Option<u64>,
    /// The session that was opened then.
    session: Option<u64>,
}

impl Credential {
    /// A bearer token (RFC 6750), which must be one word of visible ASCII: anything else could end the
    /// header field or begin another.
    pub(crate) fn bearer(token: &str, expires: Option<u64>) -> Result<Self, Unsendable> {
        let scheme = token.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("bearer"));
        if scheme && token.get(6..).is_some_and(|rest| rest.starts_with([' ', ':'])) {
            return Err(Unsendable::Scheme);
        }
        if !is_word(token) {
            return Err(Unsendable::Characters);
        }
        Ok(Self::fixed(format!("Bearer {token}"), expires))
    }

    /// A user name and a password (RFC 7617).
    pub(crate) fn basic(user: &str, password: &str, expires: Option<u64>) -> Result<Self, Unsendable> {
        let control = |text: &str| text.chars().any(char::is_control);
        if user.contains(':') || user.is_empty() || control(user) || control(password) {
            return Err(Unsendable::Characters);
        }
        Ok(Self::fixed(basic(user, password), expires))
    }

    /// A token that is fetched.
    pub(crate) fn fetched(flow: Flow, expires: Option<u64>) -> Self {
        let kept = Kept::new(Source::Flow(flow));
        Self { authorization: Authorization::Fetched(Arc::new(kept)), expires, session: None }
    }

    /// No credential: the host shows one, as a client certificate, or nobody asks.
    pub(crate) const fn none() -> Self {
        Self { authorization: Authorization::None, expires: None, session: None }
    }

    const fn fixed(authorization: String, expires: Option<u64>) -> Self {
        Self { authorization: Authorization::Fixed(Secret(authorization)), expires, session: None }
    }

    /// Writes belong to a session, which is opened by that request.
    #[must_use]
    pub(crate) fn with_session(self, session: Session) -> Self {
        let owner = match &self.authorization {
            Authorization::None => [0; 32],
            Authorization::Fixed(secret) => crate::store::digest(&[secret.expose().as_bytes()]),
            Authorization::Fetched(kept) => kept.key(),
        };
        let kept = Kept::new(Source::Session(session, owner));
        Self { session: Some(Arc::new(kept)), ..self }
    }

    /// What a call is shown with. `seed` is a text that no other exchange has; `refused` is what the provider
    /// refused of what it was shown before.
    pub(crate) fn show(
        &self,
        now: u64,
        seed: &str,
        writes: bool,
        refused: Refused,
    ) -> Turn<Result<Shown, ScimError>> {
        let authorization = match &self.authorization {
            Authorization::None => Turn::Ready(Ok(Shown::default())),
            Authorization::Fixed(value) => Turn::Ready(Ok(Shown::new(value.clone(), None))),
            Authorization::Fetched(kept) => {
                kept.get(seed, None, refused.token).then(now, |_, got| Turn::Ready(got.map(Shown::bearer)))
            }
        };
        let Some(session) = self.session.as_ref().filter(|_| writes).map(Arc::clone) else {
            return authorization;
        };
        let seed = seed.to_owned();
        authorization.then(now, move |now, shown| match shown {
            Err(error) => Turn::Ready(Err(error)),
            Ok(shown) => {
                let authorization = shown.authorization().cloned();
                session
                    .get(&seed, authorization, refused.session)
                    .then(now, move |_, got| Turn::Ready(got.and_then(|got| session::show(shown, got))))
            }
        })
    }

    /// True where a refusal can be answered by fetching anew: then the call is kept until its answer is accepted.
    pub(crate) const fn renews(&self) -> bool {
        self.session.is_some() || matches!(self.authorization, Authorization::Fetched(_))
    }

    /// What of `shown` the provider refuses with an answer, if fetching that anew may help.
    pub(crate) fn refused(&self, shown: &Shown, status: u16, headers: &Headers) -> Option<Refused> {
        match status {
            401 if shown.token.is_some() => Some(Refused { token: shown.token, session: None }),
            403 if shown.session.is_some() && session::required(headers) => {
                Some(Refused { token: None, session: shown.session })
            }
            _ => None,
        }
    }

    /// True where the configuration says that the credential is no longer good: names the likely reason
    /// when the provider refuses it.
    pub(crate) fn expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// True in the last days of its life.
    pub(crate) fn ends_soon(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| now.saturating_add(SOON) >= expires)
    }
}

/// How long before its end a credential is warned of: time enough to order another one.
const SOON: u64 = 30 * 24 * 60 * 60 * 1000;

impl Shown {
    fn new(authorization: Secret, token: Option<u64>) -> Self {
        Self { fields: vec![("authorization", authorization)], token, session: None }
    }

    fn bearer(got: Got) -> Self {
        Self::new(Secret(format!("Bearer {}", got.value.expose())), Some(got.at))
    }

    fn authorization(&self) -> Option<&Secret> {
        self.fields.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value)
    }

    /// Puts the fields into a request to the provider.
    pub(crate) fn apply(&self, headers: &mut Headers) {
        for (name, value) in &self.fields {
            headers.push(name, value.expose());
        }
    }
}

impl Refused {
    /// Both, of two answers.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { token: self.token.or(other.token), session: self.session.or(other.session) }
    }

    /// True where something of `other` was refused before: then it is not fetched again.
    pub(crate) const fn repeats(self, other: Self) -> bool {
        self.token.is_some() && other.token.is_some() || self.session.is_some() && other.session.is_some()
    }
}

/// The value of an Authorization field of the Basic scheme.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
}

/// One word of visible ASCII.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A text that never shows: not in `Debug`, not in messages.
#[derive(Clone, Default, Eq, PartialEq)]
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
    /// It is empty or has characters that cannot stand in it.
    Characters,
}

#[cfg(test)]
mod tests;
