//! JSON Web Tokens as a way in (RFC 7519, RFC 8725): what a route says a token must be, and the token judged by it.

use super::Refusal;
use super::claims::Claims;
use super::keys::Source;
use crate::jose::{Algorithm, Broken, Token};

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

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Form => Self::Malformed,
            Broken::Algorithm => Self::Algorithm,
            Broken::Header => Self::Header,
        }
    }
}
