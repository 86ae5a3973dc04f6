//! What the server hands out: signed texts that say everything themselves, so that nothing has to be stored.
//!
//! Access tokens are JSON Web Tokens (RFC 9068) signed with HMAC (RFC 7518 section 3.2): they are made and judged by
//! the same route alone. Each kind of text has a key of its own, derived from the configured one, the route and the
//! client's own proof: a code is no token, and a client that is removed or gets a new secret takes all it had along.

use hmac::{Hmac, KeyInit, Mac};
use rsa::sha2::Sha256;
use serde_json::{Map, Value};

use crate::jose::{decode, encode};
use crate::json::parse;
use crate::store;

/// What a text is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Access,
    Code,
    Refresh,
}

/// Signs and verifies the texts of one client of one route.
pub(super) struct Seal([u8; 32]);

impl Seal {
    /// `key`: the route's; `client`: a digest of the client's name and proof.
    pub(super) fn new(key: &[u8; 32], client: &[u8; 32], purpose: Purpose) -> Self {
        let purpose: &[u8] = match purpose {
            Purpose::Access => b"access token",
            Purpose::Code => b"authorization code",
            Purpose::Refresh => b"refresh token",
        };
        Self(store::digest(&[b"scimlock grant", key, client, purpose]))
    }

    /// A signed text of these claims.
    pub(super) fn sign(&self, claims: &Map<String, Value>) -> String {
        let claims = Value::Object(claims.clone()).to_string();
        let message = format!("{}.{}", encode(HEADER.as_bytes()), encode(claims.as_bytes()));
        let mac = self.mac(message.as_bytes()).finalize().into_bytes();
        format!("{message}.{}", encode(&mac))
    }

    /// The claims of a text that was signed here.
    pub(super) fn open(&self, text: &str) -> Option<Map<String, Value>> {
        let (message, mac) = text.rsplit_once('.')?;
        self.mac(message.as_bytes()).verify_slice(&decode(mac)?).ok()?;
        claims_of(text)
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        // RFC 2104 section 2: a short key is filled up with zeros.
        let mut key = [0; 64];
        key.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(message);
        mac
    }
}

/// What a text says, before anything of it is proven; `None` where it cannot be one of ours.
pub(super) fn claims_of(text: &str) -> Option<Map<String, Value>> {
    let (header, rest) = text.split_once('.')?;
    let (claims, _) = rest.split_once('.')?;
    if text.len() > LONGEST || decode(header)? != HEADER.as_bytes() {
        return None;
    }
    match parse(&decode(claims)?)? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// The header of every text, letter by letter.
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;

/// The longest text in bytes.
const LONGEST: usize = 4096;
