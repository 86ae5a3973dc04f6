//! Public keys (RFC 7517): read from a key set, chosen for a token, and what they say to a signature.

use ed25519_dalek::VerifyingKey as Ed25519;
use p256::ecdsa::VerifyingKey as P256;
use p384::ecdsa::VerifyingKey as P384;
use rsa::pkcs8::EncodePublicKey;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::Verifier;
use rsa::{BoxedUint, PublicKey as Rsa, pkcs1v15, pss};
use serde_json::{Map, Value};

use super::{Algorithm, decode};
use crate::json::parse;

/// The keys of an issuer that can be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

/// One public key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Its name in its set.
    kid: Option<String>,
    /// The one algorithm it says it is for.
    algorithm: Option<Algorithm>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Rsa(Box<Rsa>),
    P256(P256),
    P384(P384),
    Ed25519(Ed25519),
}

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoKey {
    /// No key has the name the token gives: a newer set may.
    Unknown,
    /// A key of that name is there and is not for this algorithm, or several are and the token does not say which.
    Unfit,
}

impl KeySet {
    /// Reads a key set. Keys of kinds that are not known, private and symmetric ones and those not meant for
    /// signatures are passed over (RFC 7517 section 5); `None` where it is no key set.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        Self::read(&parse(text)?)
    }

    /// The same of a value that was read.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let keys = value.as_object()?.get("keys")?.as_array()?;
        Some(Self { keys: keys.iter().filter_map(Key::read).take(MOST).collect() })
    }

    /// True without any key that can be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The algorithms that some key is for.
    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    /// The one key for a token of that algorithm and key name.
    pub(crate) fn choose(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&Key, NoKey> {
        let named = |key: &&Key| kid.is_none() || key.kid.as_deref() == kid;
        let mut fit = self.keys.iter().filter(named).filter(|key| key.fits(algorithm));
        match (fit.next(), fit.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(NoKey::Unfit),
            (None, _) if self.keys.iter().any(|key| named(&key)) => Err(NoKey::Unfit),
            (None, _) => Err(NoKey::Unknown),
        }
    }
}

impl Key {
    /// Reads a public key; `None` where it cannot be used.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let text = |name: &str| members.get(name).map(Value::as_str);
        // A set that shows private keys is nobody's any more.
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        let private = private.iter().any(|name| members.contains_key(*name));
        let purpose = text("use").is_none_or(|purpose| purpose == Some("sig"));
        let operations = members.get("key_ops").is_none_or(|list| {
            list.as_array().is_some_and(|list| list.iter().any(|each| each.as_str() == Some("verify")))
        });
        if private || !purpose || !operations {
            return None;
        }
        let algorithm = match text("alg") {
            None => None,
            Some(name) => Some(Algorithm::named(name?)?),
        };
        let kid = match text("kid") {
            None => None,
            Some(name) => Some(name?.to_owned()),
        };
        let key = Self { kid, algorithm, kind: kind(members)? };
        key.algorithm.is_none_or(|algorithm| key.suits(algorithm)).then_some(key)
    }

    /// The key as a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1), for hosts that verify.
    pub(crate) fn spki(&self) -> Option<Vec<u8>> {
        let der = match &self.kind {
            Kind::Rsa(key) => key.to_public_key_der(),
            Kind::P256(key) => key.to_public_key_der(),
            Kind::P384(key) => key.to_public_key_der(),
            Kind::Ed25519(key) => key.to_public_key_der(),
        };
        der.ok().map(|der| der.as_bytes().to_vec())
    }

    /// What the key says to a signature over a message.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let good = match (&self.kind, algorithm) {
            (Kind::Rsa(key), _) => return rsa(key, algorithm, message, signature),
            (Kind::P256(key), Algorithm::Es256) => p256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature)),
            (Kind::P384(key), Algorithm::Es384) => p384::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature)),
            (Kind::Ed25519(key), Algorithm::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature)),
            _ => return false,
        };
        good.is_ok()
    }

    /// True where the key says nothing against this algorithm.
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.suits(algorithm)
    }

    /// True where the algorithm works with this kind of key.
    fn suits(&self, algorithm: Algorithm) -> bool {
        match self.kind {
            Kind::Rsa(_) => !matches!(algorithm, Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa),
            Kind::P256(_) => algorithm == Algorithm::Es256,
            Kind::P384(_) => algorithm == Algorithm::Es384,
            Kind::Ed25519(_) => algorithm == Algorithm::EdDsa,
        }
    }
}

fn kind(members: &Map<String, Value>) -> Option<Kind> {
    let text = |name: &str| members.get(name)?.as_str();
    let bytes = |name: &str| decode(text(name)?);
    match (text("kty")?, text("crv")) {
        ("RSA", None) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            // RFC 7518 section 6.3.1.1: no leading zero octets; section 3.3: 2048 bits at the least.
            if n.first() == Some(&0) || e.first() == Some(&0) || e.len() > 4 {
                return None;
            }
            let (modulus, exponent) =
                (BoxedUint::from_be_slice_vartime(&n), BoxedUint::from_be_slice_vartime(&e));
            let key = Rsa::new_with_size_limits(modulus, exponent, SIZES).ok()?;
            Some(Kind::Rsa(Box::new(key)))
        }
        ("EC", Some(curve)) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            // RFC 7518 section 6.2.1.2: the full length of a coordinate. The point must be on the curve.
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            match (curve, x.len(), y.len()) {
                ("P-256", 32, 32) => P256::from_sec1_bytes(&point).ok().map(Kind::P256),
                ("P-384", 48, 48) => P384::from_sec1_bytes(&point).ok().map(Kind::P384),
                _ => None,
            }
        }
        ("OKP", Some("Ed25519")) => {
            let point = <[u8; 32]>::try_from(bytes("x")?).ok()?;
            Ed25519::from_bytes(&point).ok().filter(|key| !key.is_weak()).map(Kind::Ed25519)
        }
        _ => None,
    }
}

fn rsa(key: &Rsa, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let pkcs = || pkcs1v15::Signature::try_from(signature);
    let pss = || pss::Signature::try_from(signature);
    let key = key.clone();
    match algorithm {
        Algorithm::Rs256 => {
            pkcs().is_ok_and(|of| pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &of).is_ok())
        }
        Algorithm::Rs384 => {
            pkcs().is_ok_and(|of| pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &of).is_ok())
        }
        Algorithm::Rs512 => {
            pkcs().is_ok_and(|of| pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &of).is_ok())
        }
        // RFC 7518 section 3.5: the salt is as long as the hash.
        Algorithm::Ps256 => {
            pss().is_ok_and(|of| pss::VerifyingKey::<Sha256>::new(key).verify(message, &of).is_ok())
        }
        Algorithm::Ps384 => {
            pss().is_ok_and(|of| pss::VerifyingKey::<Sha384>::new(key).verify(message, &of).is_ok())
        }
        Algorithm::Ps512 => {
            pss().is_ok_and(|of| pss::VerifyingKey::<Sha512>::new(key).verify(message, &of).is_ok())
        }
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => false,
    }
}

/// Bits of an RSA modulus: more only takes time.
const SIZES: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Keys of a set that are looked at.
const MOST: usize = 64;
