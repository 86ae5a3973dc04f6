//! A JSON Web Token in compact serialisation, taken apart; nothing of it is proven before its signature is.

use serde_json::{Map, Value};

use super::{Algorithm, decode};
use crate::json::parse;

/// A token, taken apart.
#[derive(Debug)]
pub(crate) struct Token {
    /// The algorithm it says it is signed with, one that can be configured.
    pub(crate) algorithm: Algorithm,
    /// Which key it says it is signed with.
    pub(crate) kid: Option<String>,
    /// What kind of token it says it is.
    pub(crate) typ: Option<String>,
    /// The claims.
    pub(crate) claims: Map<String, Value>,
    /// The bytes that are signed.
    pub(crate) message: Vec<u8>,
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

/// Why a text is no token that can be judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Broken {
    /// Not of the form of a signed token, or of two readings.
    Form,
    /// It is signed with an algorithm that nobody can configure, or not at all.
    Algorithm,
    /// Its header asks for something that is not done: critical extensions, keys of its own, nesting.
    Header,
}

impl Token {
    /// Takes a token apart.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Broken> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= LONGEST).ok_or(Broken::Form)?;
        let (message, signature) = text.rsplit_once('.').ok_or(Broken::Form)?;
        let (header, claims) = message.split_once('.').ok_or(Broken::Form)?;
        let Some(Value::Object(header)) = decode(header).and_then(|json| parse(&json)) else {
            return Err(Broken::Form);
        };
        let name = header.get("alg").and_then(Value::as_str).ok_or(Broken::Form)?;
        let algorithm = Algorithm::named(name).ok_or(Broken::Algorithm)?;
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err(Broken::Header);
        }
        let text_of = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= 256 => Ok(Some(text.clone())),
            Some(_) => Err(Broken::Form),
        };
        let Some(Value::Object(claims)) = decode(claims).and_then(|json| parse(&json)) else {
            return Err(Broken::Form);
        };
        let signature = decode(signature).filter(|bytes| !bytes.is_empty()).ok_or(Broken::Form)?;
        Ok(Self {
            algorithm,
            kid: text_of("kid")?,
            typ: text_of("typ")?,
            claims,
            message: message.as_bytes().to_vec(),
            signature,
        })
    }
}

/// A claim that is a moment (RFC 7519 section 2: seconds, fractions allowed) as Unix milliseconds; `None` where it
/// is there and is no moment.
pub(crate) fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Broken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(seconds.saturating_mul(1000)));
    }
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds)).ok_or(Broken::Form)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    Ok(Some((seconds * 1000.0) as u64))
}

/// The longest token in bytes. Header fields are bounded by hosts, at more than this.
const LONGEST: usize = 16 * 1024;

/// The year 9999.
const LATEST: f64 = 253_402_300_799.0;

/// Header parameters that would have to be acted on (RFC 7515 section 4.1, RFC 7516, RFC 7797): a key may come from
/// nowhere but the configuration.
const REFUSED: [&str; 8] = ["crit", "b64", "jwk", "jku", "x5u", "enc", "zip", "cty"];
