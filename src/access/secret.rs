//! Secrets that only their digests are kept of: bearer tokens (RFC 6750) and passwords (RFC 7617).
//!
//! Every digest of a route is compared in constant time and none is skipped, so that the time taken tells nothing
//! about which nearly matched, nor whether a user's name is known.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Refusal;
use super::presented::Presented;

/// A secret that is accepted, in its time.
#[derive(Clone)]
pub(crate) struct Secret {
    /// The SHA-256 of the user's name it goes with; none for a bearer token.
    user: Option<[u8; 32]>,
    /// Its own SHA-256. A fast hash suits generated secrets of at least 128 bits: nobody can guess those.
    digest: [u8; 32],
    /// Unix milliseconds from which it counts.
    not_before: u64,
    /// Unix milliseconds from which it no longer counts.
    expires: u64,
}

impl Secret {
    /// A bearer token, or, with a user's name, a password.
    pub(crate) fn new(user: Option<&str>, digest: [u8; 32], not_before: u64, expires: u64) -> Self {
        Self { user: user.map(|user| Sha256::digest(user).into()), digest, not_before, expires }
    }

    /// True for a password.
    pub(super) const fn has_user(&self) -> bool {
        self.user.is_some()
    }

    /// Its digest.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Unix milliseconds from which it no longer counts.
    pub(crate) const fn expires(&self) -> u64 {
        self.expires
    }

    /// True for the right one, whatever the time.
    pub(super) fn is(&self, shown: &Shown) -> Choice {
        match (&self.user, &shown.user) {
            (None, None) => self.digest.ct_eq(&shown.digest),
            (Some(user), Some(shown_user)) => user.ct_eq(shown_user) & self.digest.ct_eq(&shown.digest),
            _ => Choice::from(0),
        }
    }

    /// Whether it counts at that moment.
    pub(super) const fn at(&self, now: u64) -> Result<(), Refusal> {
        if now < self.not_before {
            return Err(Refusal::NotYet);
        }
        if now >= self.expires {
            return Err(Refusal::Expired);
        }
        Ok(())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What was presented, as digests.
pub(super) struct Shown {
    user: Option<[u8; 32]>,
    digest: [u8; 32],
}

impl Shown {
    pub(super) fn token(token: &[u8]) -> Self {
        Self { user: None, digest: Sha256::digest(token).into() }
    }

    pub(super) fn basic(user: &[u8], password: &[u8]) -> Self {
        Self { user: Some(Sha256::digest(user).into()), digest: Sha256::digest(password).into() }
    }

    /// Nothing where nothing was presented.
    pub(super) fn of(presented: &Presented) -> Option<Self> {
        match presented {
            Presented::Nothing => None,
            Presented::Token(token) => Some(Self::token(token)),
            Presented::Basic { user, password } => Some(Self::basic(user, password)),
        }
    }

    /// The digest of the token or password.
    pub(super) const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}
