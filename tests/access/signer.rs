//! Makes tokens, good and bad, with keys that are for tests alone.

use ed25519_dalek::ed25519::signature::Signer as _;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey, pkcs1v15};
use serde_json::{Value, json};

use super::SECONDS;

/// The keys of one issuer.
pub(crate) struct Signer {
    rsa: PrivateKey,
    p256: p256::ecdsa::SigningKey,
    p384: p384::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
    number: u8,
}

impl Signer {
    /// Two signers of different numbers have different keys, but for RSA.
    pub(crate) fn new(number: u8) -> Self {
        let jwk: Value = serde_json::from_str(include_str!("rsa.json")).unwrap();
        let part = |name: &str| BoxedUint::from_be_slice_vartime(&decode(jwk[name].as_str().unwrap()));
        let primes = vec![part("p"), part("q")];
        Self {
            rsa: PrivateKey::from_components(part("n"), part("e"), part("d"), primes).unwrap(),
            p256: p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap(),
            p384: p384::ecdsa::SigningKey::from_slice(&[number; 48]).unwrap(),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&[number; 32]),
            number,
        }
    }

    /// A key's name.
    pub(crate) fn kid(&self, kind: &str) -> String {
        format!("{kind}-{}", self.number)
    }

    /// The public keys.
    pub(crate) fn jwks(&self) -> Value {
        let public = self.rsa.as_ref();
        let (n, e) = (trimmed(&public.n().to_be_bytes()), trimmed(&public.e().to_be_bytes()));
        let point = |point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            (encode(x), encode(y))
        };
        let (x256, y256) = point(self.p256.verifying_key().to_sec1_point(false).as_bytes());
        let (x384, y384) = point(self.p384.verifying_key().to_sec1_point(false).as_bytes());
        json!({ "keys": [
            { "kty": "RSA", "use": "sig", "kid": self.kid("rsa"), "n": encode(&n), "e": encode(&e) },
            { "kty": "EC", "crv": "P-256", "kid": self.kid("p256"), "x": x256, "y": y256 },
            { "kty": "EC", "crv": "P-384", "kid": self.kid("p384"), "x": x384, "y": y384 },
            { "kty": "OKP", "crv": "Ed25519", "kid": self.kid("ed"), "x": encode(self.ed25519.verifying_key().as_bytes()) },
        ]})
    }

    /// A token of that header and claims, signed as the header's `alg` says.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        self.raw(&header.to_string(), &claims.to_string(), header["alg"].as_str().unwrap_or_default())
    }

    /// The same of any texts.
    pub(crate) fn raw(&self, header: &str, claims: &str, algorithm: &str) -> String {
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        format!("{message}.{}", encode(&self.sign(algorithm, message.as_bytes())))
    }

    /// A token with the usual header of a kind of key.
    pub(crate) fn good(&self, algorithm: &str, claims: &Value) -> String {
        let kind = match algorithm {
            "ES256" => "p256",
            "ES384" => "p384",
            "EdDSA" => "ed",
            _ => "rsa",
        };
        self.token(&json!({ "alg": algorithm, "kid": self.kid(kind), "typ": "JWT" }), claims)
    }

    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let rsa = || self.rsa.clone();
        match algorithm {
            "RS256" => {
                let signature: pkcs1v15::Signature = pkcs1v15::SigningKey::<Sha256>::new(rsa()).sign(message);
                Box::<[u8]>::from(signature).to_vec()
            }
            "RS384" => {
                let signature: pkcs1v15::Signature = pkcs1v15::SigningKey::<Sha384>::new(rsa()).sign(message);
                Box::<[u8]>::from(signature).to_vec()
            }
            "RS512" => {
                let signature: pkcs1v15::Signature = pkcs1v15::SigningKey::<Sha512>::new(rsa()).sign(message);
                Box::<[u8]>::from(signature).to_vec()
            }
            "ES256" => {
                let signature: p256::ecdsa::Signature = self.p256.sign(message);
                signature.to_bytes().to_vec()
            }
            "ES384" => {
                let signature: p384::ecdsa::Signature = self.p384.sign(message);
                signature.to_bytes().to_vec()
            }
            "EdDSA" => self.ed25519.sign(message).to_bytes().to_vec(),
            _ => b"signature".to_vec(),
        }
    }
}

/// Claims that the tests' routes accept, with changes; null takes one away.
pub(crate) fn claims(change: Value) -> Value {
    let mut claims = json!({
        "iss": "https://issuer.example/", "aud": "scim", "sub": "idp", "tid": "acme", "roles": ["scim"],
        "iat": SECONDS - 10, "nbf": SECONDS - 10, "exp": SECONDS + 3600,
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let claims = claims.as_object().unwrap().clone();
    claims.into_iter().filter(|(_, value)| *value != json!("GONE")).collect()
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()
}

/// 64 hex digits.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn trimmed(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}
