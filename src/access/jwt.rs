//! JSON Web Tokens as a way in (RFC 7519, RFC 8725): what a route says a token must be, and the token judged by it.

use std::sync::Arc;

use super::Refusal;
use super::claims::Claims;
use super::keys::{Found, Source};
use crate::errand::{Answer, Need, Turn};
use crate::exchange::Verify;
use crate::jose::{Algorithm, Broken, Key, Token};

/// What a token must be.
#[derive(Clone, Debug)]
pub(crate) struct Jwt {
    /// The algorithms it may be signed with.
    pub(crate) algorithms: Vec<Algorithm>,
    /// Its kinds (`typ`), in lower case and without `application/`; none: a plain or an access token.
    pub(crate) types: Vec<String>,
    /// What its claims must say.
    pub(crate) claims: Claims,
    /// Whose keys verify it.
    pub(crate) keys: Source,
}

impl Jwt {
    /// Judges all but the signature, and answers when the token ends (Unix milliseconds).
    pub(super) fn judge(&self, token: &Token, now: u64) -> Result<u64, Refusal> {
        let expires = self.claims.judge(&token.claims, now)?.ok_or(Refusal::Endless)?;
        if !self.algorithms.contains(&token.algorithm) {
            return Err(Refusal::Algorithm);
        }
        if !self.takes(token.typ.as_deref()) {
            return Err(Refusal::Type);
        }
        Ok(expires)
    }

    /// RFC 8725 section 3.11: what was made for one purpose is not taken for another.
    fn takes(&self, typ: Option<&str>) -> bool {
        let typ = typ.map(str::to_ascii_lowercase);
        let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
        match typ {
            _ if !self.types.is_empty() => typ.is_some_and(|typ| self.types.iter().any(|known| known == typ)),
            None => true,
            Some(typ) => ["jwt", "at+jwt"].contains(&typ),
        }
    }
}

/// What a token's signature is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signed {
    Right,
    Wrong(Refusal),
    /// Whose key it would be cannot be asked.
    Unreachable,
}

/// Judges the signature, in the host where it verifies that algorithm (`host`: JWA names), else here.
pub(super) fn judge_signed(
    jwt: &Jwt,
    token: Arc<Token>,
    host: &'static [&'static str],
    now: u64,
) -> Turn<Signed> {
    jwt.keys.find(token.algorithm, token.kid.clone()).then(now, move |now, found| match found {
        Found::Key(key) => verify(*key, &token, host).then(now, |_, right| {
            Turn::Ready(if right { Signed::Right } else { Signed::Wrong(Refusal::Signature) })
        }),
        Found::None => Turn::Ready(Signed::Wrong(Refusal::Key)),
        Found::Unreachable => Turn::Ready(Signed::Unreachable),
    })
}

fn verify(key: Key, token: &Arc<Token>, host: &[&str]) -> Turn<bool> {
    let name = token.algorithm.as_str();
    let spki = host.contains(&name).then(|| key.spki()).flatten();
    let here = Arc::clone(token);
    let engine = move || Turn::Ready(key.verify(here.algorithm, &here.message, &here.signature));
    let Some(spki) = spki else { return engine() };
    let verify = Verify {
        algorithm: name,
        key: spki,
        message: token.message.clone(),
        signature: token.signature.clone(),
    };
    Turn::ask(Need::Verify(verify), move |_, answer| match answer {
        Answer::Verified(right) => Turn::Ready(right),
        _ => engine(),
    })
}

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Form => Self::Malformed,
            Broken::Algorithm => Self::Algorithm,
            Broken::Header => Self::Header,
        }
    }
}
