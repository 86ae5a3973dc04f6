//! Secrets that only their digests are kept of: bearer tokens (RFC 6750) and passwords (RFC 7617), or of passwords
//! that people choose a slow hash.
//!
//! Every digest of a route is compared in constant time and none is skipped, so that the time taken tells nothing
//! about which nearly matched, nor whether a user's name is known.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Refusal;
use super::password::Hash;
use super::presented::Presented;

/// A secret that is accepted, in its time.
#[derive(Clone)]
pub(crate) struct Secret {
    /// The SHA-256 of the user's name it goes with; none for a bearer token.
    user: Option<[u8; 32]>,
    proof: Proof,
    /// Unix milliseconds from which it counts.
    not_before: u64,
    /// Unix milliseconds from which it no longer counts.
    expires: u64,
}

/// What is kept of a secret.
#[derive(Clone)]
pub(crate) enum Proof {
    /// Its SHA-256. A fast hash suits generated secrets of at least 128 bits: nobody can guess those.
    Digest([u8; 32]),
    /// A slow hash of a password.
    Slow(Hash),
}

impl Secret {
    /// A bearer token, or, with a user's name, a password.
    pub(crate) fn new(user: Option<&str>, proof: impl Into<Proof>, not_before: u64, expires: u64) -> Self {
        let user = user.map(|user| Sha256::digest(user).into());
        Self { user, proof: proof.into(), not_before, expires }
    }

    /// True for a password.
    pub(super) const fn has_user(&self) -> bool {
        self.user.is_some()
    }

    /// Its digest, if that is what is kept.
    pub(crate) const fn digest(&self) -> Option<&[u8; 32]> {
        match &self.proof {
            Proof::Digest(digest) => Some(digest),
            Proof::Slow(_) => None,
        }
    }

    /// Its slow hash, if that is what is kept.
    pub(super) const fn hash(&self) -> Option<&Hash> {
        match &self.proof {
            Proof::Digest(_) => None,
            Proof::Slow(hash) => Some(hash),
        }
    }

    /// Unix milliseconds from which it no longer counts.
    pub(crate) const fn expires(&self) -> u64 {
        self.expires
    }

    /// True for the right one, whatever the time; of one with a slow hash only the host can tell.
    pub(super) fn is(&self, shown: &Shown) -> Choice {
        match &self.proof {
            Proof::Digest(digest) => self.is_of(shown) & digest.ct_eq(&shown.digest),
            Proof::Slow(_) => Choice::from(0),
        }
    }

    /// True where it would be the secret of who presents something: of the user of that name, or of nobody.
    pub(super) fn is_of(&self, shown: &Shown) -> Choice {
        match (&self.user, &shown.user) {
            (None, None) => Choice::from(1),
            (Some(user), Some(shown)) => user.ct_eq(shown),
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

impl From<[u8; 32]> for Proof {
    fn from(digest: [u8; 32]) -> Self {
        Self::Digest(digest)
    }
}

impl From<Hash> for Proof {
    fn from(hash: Hash) -> Self {
        Self::Slow(hash)
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

    /// What nothing else that is presented has.
    pub(super) fn mark(&self) -> [u8; 32] {
        match self.user {
            None => self.digest,
            Some(user) => Sha256::digest([user, self.digest].concat()).into(),
        }
    }
}
