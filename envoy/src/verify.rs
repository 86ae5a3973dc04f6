//! Signatures that Envoy verifies: its foreign function `verify_signature` in the engine's terms.

use prost::encoding::{DecodeContext, WireType, bytes, decode_key, skip_field, string};
use scimlock::Verify;

/// The foreign function's name.
pub(crate) const FUNCTION: &str = "verify_signature";

/// What it verifies: RSA (PKCS #1 v1.5) and ECDSA.
pub(crate) const ALGORITHMS: &[&str] = &["RS256", "RS384", "RS512", "ES256", "ES384"];

/// Its arguments; `None` for what it does not verify.
pub(crate) fn arguments(verify: &Verify) -> Option<Vec<u8>> {
    let hash = match verify.algorithm.get(2..)? {
        "256" => "sha256",
        "384" => "sha384",
        "512" => "sha512",
        _ => return None,
    };
    let signature = match verify.algorithm.get(..2)? {
        "RS" => verify.signature.clone(),
        "ES" => ecdsa(&verify.signature)?,
        _ => return None,
    };
    let mut message = Vec::new();
    string::encode(1, &hash.to_owned(), &mut message);
    bytes::encode(2, &verify.key, &mut message);
    bytes::encode(3, &signature, &mut message);
    bytes::encode(4, &verify.message, &mut message);
    Some(message)
}

/// What it answers: a message whose first field says yes.
pub(crate) fn result(mut answer: &[u8]) -> bool {
    let mut right = false;
    while !answer.is_empty() {
        let Ok((tag, wire)) = decode_key(&mut answer) else { return false };
        let read = match (tag, wire) {
            (1, WireType::Varint) => {
                prost::encoding::decode_varint(&mut answer).map(|value| right = value == 1)
            }
            _ => skip_field(wire, tag, &mut answer, DecodeContext::default()),
        };
        if read.is_err() {
            return false;
        }
    }
    right
}

/// An ECDSA signature as X.509 has it (a DER sequence of two integers), from the two numbers of JWS.
fn ecdsa(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    if r.is_empty() || r.len() != s.len() || r.len() > 48 {
        return None;
    }
    let both = [integer(r)?, integer(s)?].concat();
    Some([&[0x30, u8::try_from(both.len()).ok()?], both.as_slice()].concat())
}

fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let first = number.iter().position(|byte| *byte != 0)?;
    let mut digits = number.get(first..)?.to_vec();
    // A leading bit would make it negative.
    if digits.first().is_some_and(|byte| *byte >= 0x80) {
        digits.insert(0, 0);
    }
    Some([&[0x02, u8::try_from(digits.len()).ok()?], digits.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecdsa_signatures_become_der() {
        for (signature, der) in [
            (&[1, 2][..], Some(&[0x30, 6, 2, 1, 1, 2, 1, 2][..])),
            (&[0, 1, 0x80, 0], Some(&[0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0])),
            (&[0, 0, 1, 1], None),
            (&[1, 2, 3], None),
            (&[], None),
            (&[1; 98], None),
        ] {
            assert_eq!(ecdsa(signature).as_deref(), der, "{signature:?}");
        }
        assert_eq!(ecdsa(&[0xff; 96]).map(|der| der.len()), Some(2 + 2 * (2 + 49)));
    }

    #[test]
    fn arguments_are_a_message_of_four_fields() {
        let verify = |algorithm| Verify {
            algorithm,
            key: b"K".to_vec(),
            message: b"M".to_vec(),
            signature: b"ab".to_vec(),
        };
        let rsa = b"\x0a\x06sha256\x12\x01K\x1a\x02ab\x22\x01M";
        assert_eq!(arguments(&verify("RS256")).as_deref(), Some(&rsa[..]));
        for algorithm in ALGORITHMS {
            assert!(arguments(&verify(algorithm)).is_some(), "{algorithm}");
        }
        for other in ["PS256", "EdDSA", "none", ""] {
            assert_eq!(arguments(&verify(other)), None, "{other}");
        }
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, right) in [
            (&[8, 1][..], true),
            (&[8, 1, 0x12, 2, b'o', b'k'], true),
            (&[8, 0], false),
            (&[8, 1, 8, 0], false),
            (&[8, 2], false),
            (&[0x12, 1, b'x'], false),
            (&[8, 1, 0x12, 9], false),
            (&[], false),
        ] {
            assert_eq!(result(answer), right, "{answer:?}");
        }
    }
}
