//! A table of tokens and headers that nobody may get in with, and of the good ones beside them.

use serde_json::{Value, json};

use super::signer::{Signer, claims, decode, encode, sha256};
use super::{NOW, SECONDS, alone, gateway, get, request};

/// A row: what is presented, and which reason the audit record gives.
struct Row {
    what: String,
    fields: Vec<(String, String)>,
    why: &'static str,
}

#[test]
fn nobody_gets_in_with_these() {
    let signer = Signer::new(1);
    let gateway = gateway(&accept(&signer), &json!({}));
    let rows = rows(&signer);
    assert!(rows.len() >= 150, "only {} rows", rows.len());
    for Row { what, fields, why } in rows {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let ended = alone(&gateway, NOW, get(&fields));
        assert_eq!(ended.who(), format!("401 {why}"), "{what}");
        assert!(
            ended.headers.get("www-authenticate").unwrap().starts_with(b"Bearer realm=\"main\""),
            "{what}"
        );
        assert!(ended.body.contains("\"status\":\"401\""), "{what}");
        for (_, secret) in fields.iter().filter(|(_, value)| value.len() > 24) {
            let token = secret.rsplit(' ').next().unwrap();
            assert!(!ended.body.contains(token) && !ended.audit.to_string().contains(token), "{what}");
        }
    }
}

#[test]
fn the_good_ones_get_in() {
    let signer = Signer::new(1);
    let gateway = gateway(&accept(&signer), &json!({}));
    let basic = encode_basic("ada", "correct-horse");
    let plain = json!({ "alg": "EdDSA", "kid": "ed-1" });
    for (authorization, name) in [
        ("Bearer static-token".to_owned(), "static"),
        ("bearer static-token".to_owned(), "static"),
        ("BEARER    static-token  ".to_owned(), "static"),
        (format!("Basic {basic}"), "person"),
        (format!("bAsIc {basic}"), "person"),
        (format!("Bearer {}", signer.good("RS256", &claims(json!({})))), "issuer"),
        (format!("Bearer {}", signer.good("ES256", &claims(json!({})))), "issuer"),
        (format!("Bearer {}", signer.good("EdDSA", &claims(json!({})))), "issuer"),
        (format!("Bearer {}", signer.token(&plain, &claims(json!({})))), "issuer"),
        (
            format!(
                "Bearer {}",
                signer.token(&json!({ "alg": "EdDSA", "typ": "at+JWT" }), &claims(json!({})))
            ),
            "issuer",
        ),
        (format!("Bearer {}", signer.good("EdDSA", &claims(json!({ "aud": ["x", "scim"] })))), "issuer"),
        (format!("Bearer {}", signer.good("EdDSA", &claims(json!({ "roles": "a scim b" })))), "issuer"),
        (format!("Bearer {}", signer.good("EdDSA", &claims(json!({ "exp": SECONDS - 29 })))), "issuer"),
        (format!("Bearer {}", signer.good("EdDSA", &claims(json!({ "nbf": SECONDS + 30 })))), "issuer"),
        (
            format!(
                "Bearer {}",
                signer.good("EdDSA", &claims(json!({ "exp": (SECONDS + 60) as f64 + 0.5 })))
            ),
            "issuer",
        ),
        (
            format!(
                "Bearer {}",
                signer.good("EdDSA", &claims(json!({ "iss": "https://issuer.example/", "aud": "reader" })))
            ),
            "reader",
        ),
    ] {
        let ended = alone(&gateway, NOW, get(&[("authorization", &authorization)]));
        assert_eq!((ended.status, ended.who().as_str()), (200, name), "{authorization}");
    }
    let reader = signer.good("EdDSA", &claims(json!({ "aud": "reader" })));
    let reader = format!("Bearer {reader}");
    for (method, path, status) in [
        ("GET", "/scim/v2/Users/1", 200),
        ("GET", "/scim/v2/Schemas", 200),
        ("GET", "/scim/v2/Groups/1", 403),
        ("GET", "/scim/v2?filter=x", 403),
        ("DELETE", "/scim/v2/Users/1", 403),
        ("DELETE", "/scim/v2/Groups/1", 403),
    ] {
        let ended = alone(&gateway, NOW, request(method, path, &[("authorization", &reader)]));
        assert_eq!(ended.status, status, "{method} {path}");
        if status == 403 {
            assert_eq!(ended.who(), "403 forbidden");
        }
    }
}

/// RFC 7518: every algorithm that can be configured, and no other than the configured one.
#[test]
fn algorithms_are_the_configured_ones() {
    let signer = Signer::new(1);
    let all = ["RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"];
    for configured in all {
        let accept = json!([{ "jwt": {
            "name": "issuer", "issuer": "https://issuer.example/", "audience": "scim", "keys": signer.jwks(),
            "algorithms": [configured],
        }}]);
        let gateway = gateway(&accept, &json!({}));
        for presented in all {
            let token = signer.good(presented, &claims(json!({})));
            let ended = alone(&gateway, NOW, super::bearer(&token));
            let expected = if presented == configured { "issuer" } else { "401 algorithm" };
            assert_eq!(ended.who(), expected, "{presented} where {configured} is configured");
        }
    }
}

/// Every bit of a signature, and every byte of what is signed.
#[test]
fn a_changed_token_is_another() {
    let signer = Signer::new(1);
    let gateway = gateway(&accept(&signer), &json!({}));
    let token = signer.good("EdDSA", &claims(json!({})));
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        if changed != token {
            assert_eq!(alone(&gateway, NOW, super::bearer(&changed)).status, 401, "byte {at}");
        }
        assert_eq!(alone(&gateway, NOW, super::bearer(&token[..at])).status, 401, "cut at {at}");
    }
}

fn accept(signer: &Signer) -> Value {
    let jwt = |name: &str, audience: &str, more: Value| {
        let mut jwt = json!({
            "name": name, "issuer": "https://issuer.example/", "audience": audience, "keys": signer.jwks(),
            "algorithms": ["RS256", "ES256", "EdDSA"],
            "require": { "tid": ["acme", "other"], "roles": { "contains": "scim" } },
        });
        jwt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "jwt": jwt })
    };
    json!([
        { "bearer": { "name": "static", "sha256": sha256("static-token"), "expires": "2035-12-31" } },
        { "bearer": { "name": "past", "sha256": sha256("past-token"), "expires": "2025-12-31" } },
        { "bearer": { "name": "future", "sha256": sha256("future-token"), "not_before": "2026-01-02", "expires": "2035-12-31" } },
        { "bearer": { "name": "inside", "sha256": sha256("inside-token"), "networks": ["10.0.0.0/8"], "expires": "2035-12-31" } },
        { "basic": { "name": "person", "user": "ada", "sha256": sha256("correct-horse"), "expires": "2035-12-31" } },
        { "basic": { "name": "gone", "user": "bob", "sha256": sha256("correct-horse-2"), "expires": "2025-12-31" } },
        { "mtls": { "name": "machine", "dns": "idp.acme.example" } },
        jwt("issuer", "scim", json!({})),
        jwt("reader", "reader", json!({ "read_only": true, "resources": ["User"] })),
    ])
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows(signer: &Signer) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut put = |what: &str, fields: &[(&str, &str)], why: &'static str| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        rows.push(Row { what: what.to_owned(), fields, why });
    };
    let a = "authorization";

    // Header fields.
    put("nothing", &[], "missing");
    put("an empty field", &[(a, "")], "missing");
    put("blanks", &[(a, "   ")], "missing");
    put("another field", &[("x-authorization", "Bearer static-token")], "missing");
    put("the proxy's field", &[("proxy-authorization", "Bearer static-token")], "missing");
    put("a cookie", &[("cookie", "authorization=Bearer static-token")], "missing");
    put("a certificate in a field", &[("x-forwarded-client-cert", "DNS=idp.acme.example")], "missing");
    put("claims in a field", &[("x-jwt-payload", "eyJpc3MiOiJhIn0")], "missing");
    put("an address in a field", &[(a, "Bearer inside-token"), ("x-forwarded-for", "10.0.0.1")], "network");
    put("an unknown scheme", &[(a, "Token static-token")], "missing");
    put("Digest", &[(a, "Digest username=\"ada\"")], "missing");
    put("Negotiate", &[(a, "Negotiate YII=")], "missing");
    put("DPoP", &[(a, "DPoP static-token")], "missing");
    put("no scheme", &[(a, "static-token")], "missing");
    put("no blank", &[(a, "Bearerstatic-token")], "missing");
    put("a tab for the blank", &[(a, "Bearer\tstatic-token")], "missing");
    put("a no-break space before", &[(a, "\u{a0}Bearer static-token")], "missing");
    put("a colon", &[(a, "Bearer: static-token")], "missing");
    put("an equals sign", &[(a, "Bearer=static-token")], "missing");
    put("Cyrillic letters", &[(a, "Ве\u{430}rer static-token")], "missing");
    put("full-width letters", &[(a, "Ｂｅａｒｅｒ static-token")], "missing");
    put("a dotless i in Basic", &[(a, "Basıc YWRhOmNvcnJlY3QtaG9yc2U=")], "missing");
    put("the scheme alone", &[(a, "Bearer")], "malformed");
    put("the scheme and blanks", &[(a, "Bearer    ")], "malformed");
    put("two fields", &[(a, "Bearer static-token"), (a, "Bearer static-token")], "several");
    put("a wrong and a right field", &[(a, "Bearer wrong"), (a, "Bearer static-token")], "several");
    put("a right and an empty field", &[(a, "Bearer static-token"), (a, "")], "several");
    put(
        "two fields of different case",
        &[("Authorization", "Bearer static-token"), ("AUTHORIZATION", "Bearer x")],
        "several",
    );
    put("Basic and Bearer", &[(a, "Basic YWRhOmNvcnJlY3QtaG9yc2U="), (a, "Bearer static-token")], "several");
    put("a list", &[(a, "Bearer static-token, Bearer x")], "several");
    put("a list with nothing", &[(a, "Bearer static-token,")], "several");
    put("a comma before", &[(a, ",Bearer static-token")], "several");
    put("parameters", &[(a, "Bearer realm=\"x\", token=\"static-token\"")], "several");
    for (what, token) in [
        ("quotes", "\"static-token\""),
        ("an angle bracket", "<static-token>"),
        ("a blank inside", "static -token"),
        ("two words", "static-token static-token"),
        ("the scheme twice", "Bearer static-token"),
        ("a tab behind", "static-token\t"),
        ("a line feed behind", "static-token\n"),
        ("a carriage return", "static-token\r"),
        ("a null byte behind", "static-token\0"),
        ("a null byte inside", "static\0-token"),
        ("a vertical tab", "\u{b}static-token"),
        ("a no-break space", "\u{a0}static-token"),
        ("a zero width space", "static\u{200b}-token"),
        ("a byte order mark", "\u{feff}static-token"),
        ("a right-to-left mark", "static-token\u{200f}"),
        ("a combining accent", "sta\u{301}tic-token"),
        ("a soft hyphen", "static\u{ad}-token"),
        ("a full-width letter", "ｓtatic-token"),
        ("a non-ASCII hyphen", "static\u{2010}token"),
        ("percent encoding", "static%2Dtoken"),
        ("a semicolon", "static-token;"),
        ("a star", "*"),
        ("padding alone", "="),
        ("padding inside", "static=-token"),
        ("a query", "static-token?x=1"),
        ("a backslash", "static\\-token"),
        ("an asterisk behind", "static-token*"),
        ("a dollar reference", "${CREDENTIAL}"),
    ] {
        put(what, &[(a, &format!("Bearer {token}"))], "malformed");
    }
    put("a very long token", &[(a, &format!("Bearer {}", "a".repeat(20_000)))], "malformed");

    // Secrets. With ways in by signed tokens, anything that is none of the secrets is looked at as such a token.
    for (what, token) in [
        ("an unknown token", "unknown-token"),
        ("another case", "Static-Token"),
        ("a byte less", "static-toke"),
        ("a byte more", "static-tokens"),
        ("padding behind", "static-token="),
        ("the token twice", "static-tokenstatic-token"),
        ("the digest", &sha256("static-token")),
        ("the digest in upper case", &sha256("static-token").to_uppercase()),
        ("the token of another route", "other-token"),
        ("the provider's credential", "provider-secret"),
        ("a password as a token", "correct-horse"),
        ("the name of a token", "static"),
        ("null", "null"),
        ("undefined", "undefined"),
    ] {
        put(what, &[(a, &format!("Bearer {token}"))], "unknown");
    }
    put("an old token", &[(a, "Bearer past-token")], "expired");
    put("a token of tomorrow", &[(a, "Bearer future-token")], "notYet");
    put("a token from outside", &[(a, "Bearer inside-token")], "network");
    let basic = |user: &str, password: &str| format!("Basic {}", encode_basic(user, password));
    for (what, value, why) in [
        ("a wrong password", basic("ada", "wrong"), "unknown"),
        ("an empty password", basic("ada", ""), "unknown"),
        ("another user's password", basic("ada", "correct-horse-2"), "unknown"),
        ("an unknown user", basic("eve", "correct-horse"), "unknown"),
        ("no user", basic("", "correct-horse"), "unknown"),
        ("the user in upper case", basic("ADA", "correct-horse"), "unknown"),
        ("a blank behind the user", basic("ada ", "correct-horse"), "unknown"),
        ("a blank behind the password", basic("ada", "correct-horse "), "unknown"),
        ("a line break behind the password", basic("ada", "correct-horse\n"), "unknown"),
        ("a null byte behind the password", basic("ada", "correct-horse\0"), "unknown"),
        ("the digest as a password", basic("ada", &sha256("correct-horse")), "unknown"),
        ("a token as a password", basic("static", "static-token"), "unknown"),
        ("an old password", basic("bob", "correct-horse-2"), "expired"),
        ("no colon", format!("Basic {}", encode(b"adacorrect-horse!")), "malformed"),
        ("no base64", "Basic ada:correct-horse".to_owned(), "malformed"),
        ("no padding", "Basic YWRhOmNvcnJlY3QtaG9yc2U".to_owned(), "malformed"),
        ("too much padding", "Basic YWRhOmNvcnJlY3QtaG9yc2U==".to_owned(), "malformed"),
        ("bits left over", "Basic YWRhOmNvcnJlY3QtaG9yc2V=".to_owned(), "malformed"),
        ("Basic alone", "Basic".to_owned(), "malformed"),
        ("Basic with two words", "Basic YWRh OmNvcnJlY3QtaG9yc2U=".to_owned(), "malformed"),
    ] {
        put(what, &[(a, &value)], why);
    }

    // Tokens whose form is wrong.
    let good = signer.good("RS256", &claims(json!({})));
    let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let mut token =
        |what: &str, token: &str, why: &'static str| put(what, &[(a, &format!("Bearer {token}"))], why);
    for (what, text) in [
        ("two parts", format!("{header}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as of an encrypted token", format!("{good}.x.y")),
        ("an empty signature", format!("{header}.{body}.")),
        ("an empty header", format!(".{body}.{signature}")),
        ("an empty body", format!("{header}..{signature}")),
        ("dots", "..".to_owned()),
        ("a dot before", format!(".{good}")),
        ("a dot behind", format!("{good}.")),
        ("padding behind", format!("{good}==")),
        (
            "a signature cut short by one letter of four",
            format!("{header}.{body}.{}", &signature[..signature.len() - 1]),
        ),
        ("a header in the other alphabet", format!("{}.{body}.{signature}", header.replace('-', "+") + "+")),
        ("a header that is no base64", format!("{header}A.{body}.{signature}")),
        ("the body twice", format!("{header}.{body}{body}.{signature}")),
        ("a header that is no JSON", signer.raw("alg", "{}", "RS256")),
        ("a header that is a list", signer.raw("[]", "{}", "RS256")),
        ("a header without algorithm", signer.token(&json!({ "kid": "rsa-1" }), &claims(json!({})))),
        ("an algorithm that is a number", signer.raw("{\"alg\":256}", "{}", "RS256")),
        ("an algorithm that is a list", signer.raw("{\"alg\":[\"RS256\"]}", "{}", "RS256")),
        ("a key's name that is a list", signer.raw("{\"alg\":\"RS256\",\"kid\":[\"rsa-1\"]}", "{}", "RS256")),
        (
            "a key's name of great length",
            signer.token(&json!({ "alg": "RS256", "kid": "k".repeat(300) }), &claims(json!({}))),
        ),
        ("a type that is a number", signer.raw("{\"alg\":\"RS256\",\"typ\":1}", "{}", "RS256")),
        ("an algorithm twice", signer.raw("{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}", "RS256")),
        (
            "an algorithm twice, once escaped",
            signer.raw("{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", "{}", "RS256"),
        ),
        ("a byte order mark before the header", signer.raw("\u{feff}{\"alg\":\"RS256\"}", "{}", "RS256")),
        ("something behind the header", signer.raw("{\"alg\":\"RS256\"}{}", "{}", "RS256")),
        ("claims that are a list", signer.raw("{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", "[]", "RS256")),
        ("claims that are text", signer.raw("{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", "\"x\"", "RS256")),
        ("claims that are nothing", signer.raw("{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", "null", "RS256")),
        (
            "claims of great depth",
            signer.raw(
                "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}",
                &format!("{{\"x\":{}1{}}}", "[".repeat(500), "]".repeat(500)),
                "RS256",
            ),
        ),
        ("a token of 20 KB", signer.good("EdDSA", &claims(json!({ "x": "x".repeat(15_000) })))),
    ] {
        token(what, &text, "malformed");
    }
    let twice = |name: &str, value: &str| {
        let text = claims(json!({})).to_string();
        signer.raw("{\"alg\":\"EdDSA\"}", &text.replacen('{', &format!("{{\"{name}\":{value},"), 1), "EdDSA")
    };
    token("an issuer twice", &twice("iss", "\"https://evil.example/\""), "malformed");
    token("an audience twice", &twice("aud", "\"evil\""), "malformed");
    token("an end twice", &twice("exp", "9999999999"), "malformed");
    token("a tenant twice, once escaped", &twice("t\\u0069d", "\"evil\""), "malformed");

    // Algorithms and keys.
    let signed = |header: Value| signer.token(&header, &claims(json!({})));
    for algorithm in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES512", "ES256K",
        "dir", "RSA1_5", "EdDSA\0", "Ed25519",
    ] {
        token(
            &format!("the algorithm `{algorithm}`"),
            &signed(json!({ "alg": algorithm, "kid": "rsa-1" })),
            "algorithm",
        );
    }
    let unsigned = format!("{}.{body}.", encode(b"{\"alg\":\"none\"}"));
    token("none, with nothing behind", &unsigned, "algorithm");
    // The classic: the public key as the secret of an HMAC.
    token(
        "HMAC with the public key",
        &signer.raw("{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}", &claims(json!({})).to_string(), "HS256"),
        "algorithm",
    );
    token(
        "a configured kind of key, another hash",
        &signed(json!({ "alg": "RS384", "kid": "rsa-1" })),
        "algorithm",
    );
    token("PSS for a key of PKCS #1", &signed(json!({ "alg": "PS256", "kid": "rsa-1" })), "algorithm");
    token(
        "an algorithm that is not configured",
        &signed(json!({ "alg": "ES384", "kid": "p384-1" })),
        "algorithm",
    );
    for (what, header) in [
        ("another key's name", json!({ "alg": "EdDSA", "kid": "ed-2" })),
        ("an empty key's name", json!({ "alg": "EdDSA", "kid": "" })),
        ("a key's name in upper case", json!({ "alg": "EdDSA", "kid": "ED-1" })),
        ("a key's name with a path", json!({ "alg": "EdDSA", "kid": "../../dev/null" })),
        ("a key's name with SQL", json!({ "alg": "EdDSA", "kid": "x' UNION SELECT 'a" })),
        ("a key's name with a URL", json!({ "alg": "EdDSA", "kid": "https://evil.example/key" })),
        ("a key's name with a null byte", json!({ "alg": "EdDSA", "kid": "ed-1\0" })),
        ("an RSA key for EdDSA", json!({ "alg": "EdDSA", "kid": "rsa-1" })),
        ("an Ed25519 key for RS256", json!({ "alg": "RS256", "kid": "ed-1" })),
        ("an Ed25519 key for ES256", json!({ "alg": "ES256", "kid": "ed-1" })),
        ("a P-384 key for ES256", json!({ "alg": "ES256", "kid": "p384-1" })),
    ] {
        token(what, &signed(header), "key");
    }
    for (what, header) in [
        (
            "a key of its own",
            json!({ "alg": "EdDSA", "kid": "ed-1", "jwk": Signer::new(2).jwks()["keys"][3] }),
        ),
        (
            "a key set of its own",
            json!({ "alg": "EdDSA", "kid": "ed-1", "jku": "https://evil.example/keys" }),
        ),
        (
            "the issuer's key set, named",
            json!({ "alg": "EdDSA", "kid": "ed-1", "jku": "https://issuer.example/keys" }),
        ),
        ("a certificate's URL", json!({ "alg": "EdDSA", "kid": "ed-1", "x5u": "https://evil.example/cert" })),
        ("a critical extension", json!({ "alg": "EdDSA", "kid": "ed-1", "crit": ["exp"], "exp": 1 })),
        ("an empty list of extensions", json!({ "alg": "EdDSA", "kid": "ed-1", "crit": [] })),
        (
            "a payload that is not encoded",
            json!({ "alg": "EdDSA", "kid": "ed-1", "b64": false, "crit": ["b64"] }),
        ),
        ("a compressed payload", json!({ "alg": "EdDSA", "kid": "ed-1", "zip": "DEF" })),
        ("a token in a token", json!({ "alg": "EdDSA", "kid": "ed-1", "cty": "JWT" })),
        ("an encrypted token's header", json!({ "alg": "EdDSA", "kid": "ed-1", "enc": "A256GCM" })),
    ] {
        token(what, &signed(header), "header");
    }
    for typ in ["secevent+jwt", "logout+jwt", "dpop+jwt", "id_token", "jwt ", "application/json", ""] {
        token(
            &format!("the type `{typ}`"),
            &signed(json!({ "alg": "EdDSA", "kid": "ed-1", "typ": typ })),
            "type",
        );
    }

    // Signatures.
    let stranger = Signer::new(2);
    for algorithm in ["ES256", "EdDSA"] {
        let kind = if algorithm == "ES256" { "p256-1" } else { "ed-1" };
        let forged = stranger.token(&json!({ "alg": algorithm, "kid": kind }), &claims(json!({})));
        token(&format!("a stranger's {algorithm}"), &forged, "signature");
        let [header, body, signature] = forged.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let bytes = decode(signature);
        for (what, bytes) in [
            ("of zeros", vec![0; bytes.len()]),
            ("of ones", vec![0xff; bytes.len()]),
            ("of one byte", vec![1]),
            ("too short", bytes[1..].to_vec()),
            ("too long", [&bytes[..], &[0]].concat()),
            ("twice as long", [&bytes[..], &bytes[..]].concat()),
        ] {
            token(
                &format!("{algorithm}, a signature {what}"),
                &format!("{header}.{body}.{}", encode(&bytes)),
                "signature",
            );
        }
    }
    let bytes = decode(signature);
    for (what, bytes) in [
        ("of zeros", vec![0; 256]),
        ("of the modulus' length too short", bytes[1..].to_vec()),
        ("with a zero before", [&[0], &bytes[..]].concat()),
        ("with a byte behind", [&bytes[..], &[0]].concat()),
        ("of one", [vec![0; 255], vec![1]].concat()),
    ] {
        token(
            &format!("RS256, a signature {what}"),
            &format!("{header}.{body}.{}", encode(&bytes)),
            "signature",
        );
    }
    let other = signer.good("RS256", &claims(json!({ "sub": "somebody" })));
    let other: Vec<_> = other.split('.').collect();
    token("the claims of another token", &format!("{header}.{}.{signature}", other[1]), "signature");
    token("the signature of another token", &format!("{header}.{body}.{}", other[2]), "signature");
    let other = signer.token(&json!({ "alg": "RS256", "kid": "rsa-1" }), &claims(json!({})));
    let other: Vec<_> = other.split('.').collect();
    token("the header of another token", &format!("{}.{body}.{signature}", other[0]), "signature");

    // Claims.
    for (what, change, why) in [
        ("expired", json!({ "exp": SECONDS - 30 }), "expired"),
        ("expired long ago", json!({ "exp": 0 }), "expired"),
        ("no end", json!({ "exp": "GONE" }), "endless"),
        ("an end of nothing", json!({ "exp": null }), "malformed"),
        ("an end that is text", json!({ "exp": "9999999999" }), "malformed"),
        ("an end before 1970", json!({ "exp": -1 }), "malformed"),
        ("an end beyond all", json!({ "exp": 1e30 }), "malformed"),
        ("an end in a list", json!({ "exp": [SECONDS + 60] }), "malformed"),
        ("not yet", json!({ "nbf": SECONDS + 31 }), "notYet"),
        ("a beginning that is text", json!({ "nbf": "0" }), "malformed"),
        ("made tomorrow", json!({ "iat": SECONDS + 86_400 }), "notYet"),
        ("made at no time", json!({ "iat": null }), "malformed"),
        ("milliseconds for seconds", json!({ "iat": NOW }), "notYet"),
        ("another issuer", json!({ "iss": "https://evil.example/" }), "issuer"),
        ("the issuer without its slash", json!({ "iss": "https://issuer.example" }), "issuer"),
        ("the issuer with more path", json!({ "iss": "https://issuer.example//" }), "issuer"),
        ("the issuer in upper case", json!({ "iss": "https://ISSUER.example/" }), "issuer"),
        ("the issuer with a user", json!({ "iss": "https://issuer.example@evil.example/" }), "issuer"),
        ("the issuer in a list", json!({ "iss": ["https://issuer.example/"] }), "issuer"),
        ("a blank behind the issuer", json!({ "iss": "https://issuer.example/ " }), "issuer"),
        ("an issuer with a look-alike letter", json!({ "iss": "https://iss\u{438}er.example/" }), "issuer"),
        ("no issuer", json!({ "iss": "GONE" }), "issuer"),
        ("an issuer of nothing", json!({ "iss": null }), "issuer"),
        ("another audience", json!({ "aud": "other" }), "audience"),
        ("the audience of another route", json!({ "aud": "https://scim.acme.example/other" }), "audience"),
        ("no audience", json!({ "aud": "GONE" }), "audience"),
        ("an empty audience", json!({ "aud": "" }), "audience"),
        ("an empty list of audiences", json!({ "aud": [] }), "audience"),
        ("a list of other audiences", json!({ "aud": ["a", "b"] }), "audience"),
        ("a list in a list", json!({ "aud": [["scim"]] }), "audience"),
        ("an audience beside a number", json!({ "aud": ["scim", 1] }), "audience"),
        ("an object for an audience", json!({ "aud": { "scim": true } }), "audience"),
        ("an audience of two words", json!({ "aud": "scim other" }), "audience"),
        ("an audience with a star", json!({ "aud": "*" }), "audience"),
        ("an audience in upper case", json!({ "aud": "SCIM" }), "audience"),
        ("another tenant", json!({ "tid": "evil" }), "claims"),
        ("no tenant", json!({ "tid": "GONE" }), "claims"),
        ("a list of tenants", json!({ "tid": ["acme"] }), "claims"),
        ("a tenant in upper case", json!({ "tid": "ACME" }), "claims"),
        ("a tenant of nothing", json!({ "tid": null }), "claims"),
        ("a tenant that is true", json!({ "tid": true }), "claims"),
        ("other roles", json!({ "roles": ["admin"] }), "claims"),
        ("roles in one text of a list", json!({ "roles": ["admin scim"] }), "claims"),
        ("a role with more letters", json!({ "roles": "scimitar" }), "claims"),
        ("roles in an object", json!({ "roles": { "scim": true } }), "claims"),
        ("no roles", json!({ "roles": "GONE" }), "claims"),
    ] {
        token(what, &signer.good("EdDSA", &claims(change)), why);
    }
    rows
}

/// `user:password` in base64, with padding.
fn encode_basic(user: &str, password: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:{password}"))
}
