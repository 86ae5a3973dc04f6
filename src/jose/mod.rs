//! JSON Web Tokens, strictly: compact serialisation (RFC 7515), keys (RFC 7517), algorithms (RFC 7518, RFC 8037).
//!
//! What two readers could understand in two ways is refused: duplicate members, base64url that is not canonical,
//! `crit`, keys that a token brings along. The cryptography is that of well-kept crates.

mod algorithm;
mod base64url;
mod key;
mod token;

pub(crate) use algorithm::Algorithm;
pub(crate) use base64url::{decode, encode, encode_basic, parse_basic};
pub(crate) use key::{Key, KeySet, NoKey};
pub(crate) use token::{Broken, Token, moment};

#[cfg(test)]
mod tests;
