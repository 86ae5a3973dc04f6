//! Signatures judged against Wycheproof's vectors, and tokens and keys that are not what they should be.

use serde_json::{Value, json};

use super::*;
use crate::json::parse;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// RFC 8037 appendix A: an Ed25519 key, and a token signed with it.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const SIGNED: (&str, &str) = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
);

#[test]
fn a_signature_is_for_its_message_alone() {
    let key = Key::read(&parse(ED25519.as_bytes()).unwrap()).unwrap();
    let signature = decode(SIGNED.1).unwrap();
    assert!(key.verify(Algorithm::EdDsa, SIGNED.0.as_bytes(), &signature));
    for at in 0..SIGNED.0.len() {
        let mut message = SIGNED.0.as_bytes().to_vec();
        message[at] ^= 1;
        assert!(!key.verify(Algorithm::EdDsa, &message, &signature), "byte {at}");
    }
    for bit in 0..signature.len() * 8 {
        let mut signature = signature.clone();
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.verify(Algorithm::EdDsa, SIGNED.0.as_bytes(), &signature), "bit {bit}");
    }
    for (_, algorithm) in Algorithm::ALL.iter().filter(|(_, algorithm)| *algorithm != Algorithm::EdDsa) {
        assert!(!key.verify(*algorithm, SIGNED.0.as_bytes(), &signature), "{algorithm:?}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_passed_over() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let (n, short) = (encode(&[0xff; 256]), encode(&[0xff; 255]));
    let coordinate = encode(&[1; 32]);
    for (key, good) in [
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), true),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "key_ops": ["verify"] }), true),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA" }), true),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "RS256" }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "HS256" }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": 1 }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": 1 }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": "enc" }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "key_ops": ["sign"] }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "d": x }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("{x}=") }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&[0; 32]) }), false),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&[1; 31]) }), false),
        (json!({ "kty": "OKP", "crv": "Ed448", "x": x }), false),
        (json!({ "kty": "okp", "crv": "Ed25519", "x": x }), false),
        (json!({ "kty": "oct", "k": x }), false),
        (json!({ "kty": "RSA", "n": n, "e": "AQAB" }), true),
        (json!({ "kty": "RSA", "n": short, "e": "AQAB" }), false),
        (json!({ "kty": "RSA", "n": encode(&[0xfe; 256]), "e": "AQAB" }), false),
        (json!({ "kty": "RSA", "n": encode(&[0xff; 1025]), "e": "AQAB" }), false),
        (json!({ "kty": "RSA", "n": n, "e": "AQ" }), false),
        (json!({ "kty": "RSA", "n": n, "e": "AAEAAQ" }), false),
        (json!({ "kty": "RSA", "n": n, "e": encode(&[1, 0, 0, 0, 1]) }), false),
        (json!({ "kty": "RSA", "n": encode(&[&[0][..], &[0xff; 256]].concat()), "e": "AQAB" }), false),
        (json!({ "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate }), false),
        (json!({ "kty": "EC", "crv": "P-521", "x": coordinate, "y": coordinate }), false),
        (json!([]), false),
    ] {
        assert_eq!(Key::read(&key).is_some(), good, "{key}");
    }
}

#[test]
fn a_key_is_chosen_by_name_and_kind() {
    let n = encode(&[0xff; 256]);
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let set = KeySet::read(&json!({ "keys": [
        { "kty": "RSA", "n": n, "e": "AQAB", "kid": "a", "alg": "RS256" },
        { "kty": "RSA", "n": n, "e": "AQAB", "kid": "b" },
        { "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a" },
        { "kty": "oct", "k": x, "kid": "secret" },
    ]}))
    .unwrap();
    for (algorithm, kid, expected) in [
        (Algorithm::Rs256, Some("a"), Ok("RSA")),
        (Algorithm::EdDsa, Some("a"), Ok("OKP")),
        (Algorithm::EdDsa, None, Ok("OKP")),
        (Algorithm::Rs512, Some("a"), Err(NoKey::Unfit)),
        (Algorithm::Rs512, Some("b"), Ok("RSA")),
        (Algorithm::Rs256, None, Err(NoKey::Unfit)),
        (Algorithm::Es256, Some("a"), Err(NoKey::Unfit)),
        (Algorithm::Es256, Some("c"), Err(NoKey::Unknown)),
        (Algorithm::Rs256, Some("secret"), Err(NoKey::Unknown)),
        (Algorithm::Rs256, Some("A"), Err(NoKey::Unknown)),
        (Algorithm::Rs256, Some(""), Err(NoKey::Unknown)),
    ] {
        let found = set.choose(algorithm, kid).map(|key| {
            // The object identifiers of RSA (RFC 8017) and Ed25519 (RFC 8410) in the key's DER.
            let der = key.spki().unwrap();
            let has = |oid: &[u8]| der.windows(oid.len()).any(|bytes| bytes == oid);
            let rsa = has(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]);
            assert!(rsa != has(&[0x2b, 0x65, 0x70]));
            if rsa { "RSA" } else { "OKP" }
        });
        assert_eq!(found, expected, "{algorithm:?} {kid:?}");
    }
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "not JSON"] {
        assert!(KeySet::parse(text.as_bytes()).is_none(), "{text}");
    }
    assert!(KeySet::parse(br#"{"keys":[1,{}]}"#).unwrap().is_empty());
}

#[test]
fn tokens_have_one_form() {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    let header = json!({ "alg": "RS256", "kid": "1", "typ": "JWT" });
    let good = format!("{}.{}.{}", part(&header), part(&json!({ "iss": "x" })), encode(b"signature"));
    let token = Token::parse(good.as_bytes()).unwrap();
    assert_eq!(
        (token.kid.as_deref(), token.typ.as_deref(), token.claims["iss"].as_str()),
        (Some("1"), Some("JWT"), Some("x"))
    );
    assert_eq!(token.signature, b"signature");
    assert_eq!(token.message, good.rsplit_once('.').unwrap().0.as_bytes());
    let with = |header: Value| format!("{}.{}.{}", part(&header), part(&json!({})), encode(b"s"));
    let raw = |header: &str, claims: &str| {
        format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(b"s"))
    };
    for (text, expected) in [
        (String::new(), Broken::Form),
        ("..".to_owned(), Broken::Form),
        ("a.b".to_owned(), Broken::Form),
        (format!("{good}."), Broken::Form),
        (format!("{good}.x.y"), Broken::Form),
        (format!("{good}="), Broken::Form),
        (good.rsplit_once('.').unwrap().0.to_owned() + ".", Broken::Form),
        (good.replace('.', "..").replacen("..", ".", 1), Broken::Form),
        (format!(" {good}"), Broken::Form),
        (with(json!({})), Broken::Form),
        (with(json!([])), Broken::Form),
        (with(json!({ "alg": 1 })), Broken::Form),
        (with(json!({ "alg": "RS256", "kid": 1 })), Broken::Form),
        (with(json!({ "alg": "RS256", "kid": "k".repeat(257) })), Broken::Form),
        (with(json!({ "alg": "RS256", "typ": [] })), Broken::Form),
        (with(json!({ "alg": "none" })), Broken::Algorithm),
        (with(json!({ "alg": "None" })), Broken::Algorithm),
        (with(json!({ "alg": "" })), Broken::Algorithm),
        (with(json!({ "alg": "HS256" })), Broken::Algorithm),
        (with(json!({ "alg": "rs256" })), Broken::Algorithm),
        (with(json!({ "alg": "RS256 " })), Broken::Algorithm),
        (with(json!({ "alg": "RSA1_5" })), Broken::Algorithm),
        (with(json!({ "alg": "RS256", "crit": ["exp"] })), Broken::Header),
        (with(json!({ "alg": "RS256", "crit": [] })), Broken::Header),
        (with(json!({ "alg": "RS256", "b64": false })), Broken::Header),
        (with(json!({ "alg": "RS256", "jwk": {} })), Broken::Header),
        (with(json!({ "alg": "RS256", "jku": "https://evil.example/keys" })), Broken::Header),
        (with(json!({ "alg": "RS256", "x5u": "https://evil.example/cert" })), Broken::Header),
        (with(json!({ "alg": "RS256", "enc": "A128GCM" })), Broken::Header),
        (with(json!({ "alg": "RS256", "zip": "DEF" })), Broken::Header),
        (with(json!({ "alg": "RS256", "cty": "JWT" })), Broken::Header),
        (raw(r#"{"alg":"RS256","alg":"RS256"}"#, "{}"), Broken::Form),
        (raw(r#"{"alg":"RS256","\u0061lg":"none"}"#, "{}"), Broken::Form),
        (raw(r#"{"alg":"RS256"}"#, r#"{"exp":1,"exp":9}"#), Broken::Form),
        (raw(r#"{"alg":"RS256"}"#, "[]"), Broken::Form),
        (raw(r#"{"alg":"RS256"}"#, "{}x"), Broken::Form),
        (raw("\u{feff}{\"alg\":\"RS256\"}", "{}"), Broken::Form),
        (with(json!({ "alg": "RS256", "x": "x".repeat(20_000) })), Broken::Form),
    ] {
        assert_eq!(Token::parse(text.as_bytes()).err(), Some(expected), "{text}");
    }
}

#[test]
fn moments_are_numbers() {
    for (value, expected) in [
        (json!(0), Ok(Some(0))),
        (json!(1_767_225_600), Ok(Some(1_767_225_600_000))),
        (json!(1.5), Ok(Some(1500))),
        (json!(u64::MAX), Ok(Some(u64::MAX))),
        (json!(-1), Err(Broken::Form)),
        (json!(-0.5), Err(Broken::Form)),
        (json!(1e300), Err(Broken::Form)),
        (json!("1767225600"), Err(Broken::Form)),
        (json!(null), Err(Broken::Form)),
        (json!([1]), Err(Broken::Form)),
    ] {
        let claims = json!({ "exp": value });
        assert_eq!(moment(claims.as_object().unwrap(), "exp"), expected, "{value}");
    }
    assert_eq!(moment(json!({}).as_object().unwrap(), "exp"), Ok(None));
}

#[cfg(not(target_family = "wasm"))]
mod wycheproof_vectors {
    use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

    use super::*;

    fn unpadded(number: &[u8]) -> String {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        encode(&number[zeros..])
    }

    fn judge(key: &Value, algorithm: Algorithm, tests: &[(u64, &[u8], &[u8], TestResult)]) -> usize {
        let key = Key::read(key).expect("the vectors' keys can be used");
        for (id, message, signature, result) in tests {
            let verified = key.verify(algorithm, message, signature);
            match result {
                TestResult::Valid => assert!(verified, "{algorithm:?} {id} is valid"),
                TestResult::Invalid => assert!(!verified, "{algorithm:?} {id} is invalid"),
                TestResult::Acceptable => {}
            }
        }
        tests.len()
    }

    macro_rules! tests_of {
        ($group:expr) => {
            $group
                .tests
                .iter()
                .map(|test| (u64::try_from(test.tc_id).unwrap(), &test.msg[..], &test.sig[..], test.result))
                .collect::<Vec<_>>()
        };
    }

    #[test]
    fn rsa_pkcs1() {
        use rsa_pkcs1_verify::{TestName, TestSet};
        let mut count = 0;
        for (name, algorithm) in [
            (TestName::Rsa2048Sha256, Algorithm::Rs256),
            (TestName::Rsa3072Sha256, Algorithm::Rs256),
            (TestName::Rsa4096Sha256, Algorithm::Rs256),
            (TestName::Rsa2048Sha384, Algorithm::Rs384),
            (TestName::Rsa3072Sha384, Algorithm::Rs384),
            (TestName::Rsa2048Sha512, Algorithm::Rs512),
            (TestName::Rsa4096Sha512, Algorithm::Rs512),
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = json!({ "kty": "RSA", "n": unpadded(&group.key.n), "e": unpadded(&group.key.e) });
                count += judge(&key, algorithm, &tests_of!(group));
            }
        }
        assert!(count > 1000, "{count}");
    }

    #[test]
    fn rsa_pss() {
        use rsa_pss_verify::{TestName, TestSet};
        let mut count = 0;
        for (name, algorithm) in [
            (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (TestName::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (TestName::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
            (TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
            (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = json!({ "kty": "RSA", "n": unpadded(&group.key.n), "e": unpadded(&group.key.e) });
                count += judge(&key, algorithm, &tests_of!(group));
            }
        }
        assert!(count > 400, "{count}");
    }

    #[test]
    fn ecdsa_in_the_form_of_tokens() {
        use ecdsa::{TestName, TestSet};
        let mut count = 0;
        for (name, algorithm, curve, length) in [
            (TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256, "P-256", 32),
            (TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384, "P-384", 48),
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let coordinate = |number: &[u8]| {
                    let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
                    encode(&[&vec![0; length - digits.len()][..], digits].concat())
                };
                let (x, y) = (coordinate(&group.key.affine_x), coordinate(&group.key.affine_y));
                let key = json!({ "kty": "EC", "crv": curve, "x": x, "y": y });
                count += judge(&key, algorithm, &tests_of!(group));
            }
        }
        assert!(count > 400, "{count}");
    }

    #[test]
    fn ed25519() {
        use eddsa::{TestName, TestSet};
        let mut count = 0;
        for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk) });
            count += judge(&key, Algorithm::EdDsa, &tests_of!(group));
        }
        assert!(count > 100, "{count}");
    }
}
