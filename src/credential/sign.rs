//! Signed assertions with which the gateway proves who it is (RFC 7523 section 2.2; RFC 7515 for the form).

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::signature::{SignatureEncoding, Signer as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// A private key and how it signs.
pub(crate) struct Signer {
    key: Key,
    /// The key's id, for servers that know several.
    kid: Option<String>,
}

enum Key {
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>),
    P256(Box<p256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadKey {
    /// Nothing that is read: not PEM, damaged, or of another kind.
    Unreadable,
    /// An RSA key of less than 2048 bits (RFC 7518 section 3.3).
    Short,
    /// The key does not belong to the algorithm.
    Algorithm,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads a private key in PEM: PKCS #8, or for RSA PKCS #1. Environments that hold no line breaks may have
    /// `\n` for each. `algorithm` is a JWA name; without one it is the key's own.
    pub(crate) fn read(pem: &str, algorithm: Option<&str>, kid: Option<&str>) -> Result<Self, BadKey> {
        let pem = pem.trim().replace("\\n", "\n");
        let key = if let Ok(key) = rsa::PrivateKey::from_pkcs8_pem(&pem)
            .map_err(drop)
            .or_else(|()| rsa::PrivateKey::from_pkcs1_pem(&pem).map_err(drop))
        {
            if rsa::traits::PublicKeyParts::size(&key) < 256 {
                return Err(BadKey::Short);
            }
            Key::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key)))
        } else if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_pem(&pem) {
            Key::P256(Box::new(key))
        } else if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem) {
            Key::Ed25519(Box::new(key))
        } else {
            return Err(BadKey::Unreadable);
        };
        let signer = Self { key, kid: kid.map(str::to_owned) };
        match algorithm {
            Some(name) if name != signer.algorithm() => Err(BadKey::Algorithm),
            _ => Ok(signer),
        }
    }

    /// The algorithm's JWA name.
    pub(crate) const fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    /// The claims as a signed JWT; `None` where the key cannot sign.
    pub(super) fn sign(&self, claims: Map<String, Value>) -> Option<String> {
        let mut header = json!({ "alg": self.algorithm(), "typ": "JWT" });
        if let (Some(kid), Some(header)) = (&self.kid, header.as_object_mut()) {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = match &self.key {
            Key::Rsa(key) => key.try_sign(message.as_bytes()).ok()?.to_vec(),
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message.as_bytes()).ok()?;
                signature.to_vec()
            }
            Key::Ed25519(key) => key.try_sign(message.as_bytes()).ok()?.to_vec(),
        };
        Some(format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature)))
    }
}

#[cfg(test)]
mod tests {
    use rsa::signature::Verifier as _;

    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const RSA: &str = include_str!("../../tests/keys/rsa.pem");
    const RSA_PKCS1: &str = include_str!("../../tests/keys/rsa-pkcs1.pem");
    const RSA_SHORT: &str = include_str!("../../tests/keys/rsa-short.pem");
    const P256: &str = include_str!("../../tests/keys/p256.pem");
    const ED25519: &str = include_str!("../../tests/keys/ed25519.pem");

    #[test]
    fn every_kind_of_key_signs_what_its_public_key_verifies() {
        let mut one_line = RSA.trim().replace('\n', "\\n");
        one_line.push_str("\\n");
        for (pem, algorithm) in
            [(RSA, "RS256"), (RSA_PKCS1, "RS256"), (&one_line, "RS256"), (P256, "ES256"), (ED25519, "EdDSA")]
        {
            let signer = Signer::read(pem, Some(algorithm), Some("k1")).unwrap();
            let claims = Map::from_iter([("iss".to_owned(), json!("me"))]);
            let token = signer.sign(claims).unwrap();
            let parts: Vec<&str> = token.split('.').collect();
            let [header, payload, signature] = parts.as_slice() else { panic!("{token}") };
            let decode = |part: &str| Base64UrlUnpadded::decode_vec(part).unwrap();
            let header_json: Value = serde_json::from_slice(&decode(header)).unwrap();
            assert_eq!(header_json, json!({ "alg": algorithm, "typ": "JWT", "kid": "k1" }));
            assert_eq!(decode(payload), b"{\"iss\":\"me\"}");
            let (message, signature) = (format!("{header}.{payload}"), decode(signature));
            assert!(verifies(&signer, message.as_bytes(), &signature), "{algorithm}");
            assert!(!verifies(&signer, b"other", &signature), "{algorithm}");
            assert!(!format!("{signer:?}").contains("PRIVATE"));
        }
    }

    #[test]
    fn keys_that_are_no_good_are_refused() {
        for (pem, algorithm, problem) in [
            ("", None, BadKey::Unreadable),
            ("secret", None, BadKey::Unreadable),
            ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", None, BadKey::Unreadable),
            (RSA_SHORT, None, BadKey::Short),
            (RSA, Some("ES256"), BadKey::Algorithm),
            (P256, Some("RS256"), BadKey::Algorithm),
            (ED25519, Some("ES256"), BadKey::Algorithm),
        ] {
            assert_eq!(Signer::read(pem, algorithm, None).err(), Some(problem), "{algorithm:?}");
        }
    }

    fn verifies(signer: &Signer, message: &[u8], signature: &[u8]) -> bool {
        match &signer.key {
            Key::Rsa(key) => {
                let signature = rsa::pkcs1v15::Signature::try_from(signature).unwrap();
                rsa::signature::Keypair::verifying_key(&**key).verify(message, &signature).is_ok()
            }
            Key::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).unwrap();
                key.verifying_key().verify(message, &signature).is_ok()
            }
            Key::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
                key.verifying_key().verify(message, &signature).is_ok()
            }
        }
    }
}
