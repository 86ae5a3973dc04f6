//! Issuers whose keys change, who cannot be reached or answer nonsense; and what is kept of them.

use std::cell::{Cell, RefCell};

use scimlock::{Call, Fault, Headers, Response};
use serde_json::{Value, json};

use super::signer::{Signer, claims};
use super::store::Store;
use super::{NOW, bearer, gateway, ok, run};

const MINUTE: u64 = 60_000;

/// An issuer, and how often it was asked.
struct Issuer {
    answers: RefCell<Result<Value, Fault>>,
    asked: Cell<u32>,
}

impl Issuer {
    fn new(signer: &Signer) -> Self {
        Self { answers: RefCell::new(Ok(signer.jwks())), asked: Cell::new(0) }
    }

    fn now(&self, answer: Result<Value, Fault>) {
        *self.answers.borrow_mut() = answer;
    }

    fn answer(&self, call: &Call) -> Result<Response, Fault> {
        assert_eq!((call.method, call.url().as_str()), ("GET", "https://issuer.example/keys"));
        assert_eq!(call.headers.get("accept"), Some(&b"application/json"[..]));
        assert!(call.headers.get("authorization").is_none());
        self.asked.set(self.asked.get() + 1);
        self.answers.borrow().clone().and_then(|body| ok(&body))
    }
}

fn accept(keys: Value) -> Value {
    let mut jwt = json!({
        "name": "issuer", "issuer": "https://issuer.example/", "audience": "scim", "algorithms": ["EdDSA", "RS256"],
    });
    jwt.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    json!([{ "jwt": jwt }])
}

/// Keys are fetched once, again when a token names a new one, but not for every name that somebody invents.
#[test]
fn keys_change() {
    let (old, new) = (Signer::new(1), Signer::new(2));
    let gateway = gateway(&accept(json!({ "keys": "https://issuer.example/keys" })), &json!({}));
    let (issuer, mut store) = (Issuer::new(&old), Store::default());
    let mut at = |now: u64, token: &str, expected: &str, asked: u32| {
        let ended = run(&gateway, &mut store, now, bearer(token), &mut |call| issuer.answer(call));
        assert_eq!(
            (ended.who().as_str(), issuer.asked.get()),
            (expected, asked),
            "at {}",
            (now - NOW) / 1000
        );
    };
    let (first, second) = (old.good("EdDSA", &claims(json!({}))), new.good("EdDSA", &claims(json!({}))));
    at(NOW, &first, "issuer", 1);
    at(NOW + 1, &first, "issuer", 1);
    at(NOW + 2, &old.good("RS256", &claims(json!({}))), "issuer", 1);
    // A key that the issuer does not have is asked for again after a while, and not before.
    at(NOW + 20_000, &second, "401 key", 1);
    issuer.now(Ok(new.jwks()));
    at(NOW + 29_999, &second, "401 key", 1);
    at(NOW + 30_000, &second, "issuer", 2);
    // The old key is no longer the issuer's; the verdict on its token lasts a few minutes.
    at(NOW + 40_000, &old.good("EdDSA", &claims(json!({ "sub": "x" }))), "401 key", 2);
    at(NOW + 4 * MINUTE, &first, "issuer", 2);
    at(NOW + 5 * MINUTE + 1, &first, "401 key", 3);
    // Old keys are fetched anew.
    at(NOW + 30 * MINUTE, &second, "issuer", 4);
}

/// An issuer that is away changes nothing for a day; without any key of it, nobody can say who is who.
#[test]
fn issuers_fail() {
    let signer = Signer::new(1);
    let gateway = gateway(&accept(json!({ "keys": "https://issuer.example/keys" })), &json!({}));
    let token = |sub: u64| {
        signer.good("EdDSA", &claims(json!({ "sub": sub.to_string(), "exp": NOW / 1000 + 200_000 })))
    };
    for failure in [
        Err(Fault::Unreachable),
        Err(Fault::Timeout),
        Err(Fault::Reset),
        Err(Fault::TooLarge),
        Ok(json!({})),
        Ok(json!([])),
        Ok(json!({ "keys": [] })),
        Ok(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
        Ok(json!("<html>")),
    ] {
        let (issuer, mut store) = (Issuer::new(&signer), Store::default());
        issuer.now(failure.clone());
        let mut at = |now: u64, token: &str| {
            let ended = run(&gateway, &mut store, now, bearer(token), &mut |call| issuer.answer(call));
            (ended.who(), issuer.asked.get())
        };
        let unavailable = || "503 unavailable".to_owned();
        assert_eq!(at(NOW, &token(0)), (unavailable(), 1), "{failure:?}");
        assert_eq!(at(NOW + 1_000, &token(0)), (unavailable(), 1), "not asked at once again");
        issuer.now(Ok(signer.jwks()));
        assert_eq!(at(NOW + 12_000, &token(0)), ("issuer".to_owned(), 2));
        issuer.now(failure.clone());
        let day = 24 * 60 * MINUTE;
        assert_eq!(at(NOW + 20 * MINUTE, &token(1)), ("issuer".to_owned(), 3), "{failure:?}");
        assert_eq!(at(NOW + 20 * MINUTE + 1, &token(2)), ("issuer".to_owned(), 3));
        // A key that is not known may be the issuer's new one.
        let unknown = Signer::new(2).good("EdDSA", &claims(json!({ "exp": NOW / 1000 + 200_000 })));
        assert_eq!(at(NOW + 20 * MINUTE + 2, &unknown), (unavailable(), 3));
        assert_eq!(at(NOW + 23 * 60 * MINUTE, &token(3)), ("issuer".to_owned(), 4));
        assert_eq!(at(NOW + day + 12_000, &token(4)), (unavailable(), 5), "{failure:?}");
    }
}

#[test]
fn an_answer_that_is_no_200_is_a_failure() {
    let signer = Signer::new(1);
    let gateway = gateway(&accept(json!({ "keys": "https://issuer.example/keys" })), &json!({}));
    for status in [204, 301, 302, 401, 403, 404, 429, 500, 503] {
        let location = Headers::from_iter([("location", "https://evil.example/keys")]);
        let body = signer.jwks().to_string().into_bytes();
        let mut asked = 0;
        let ended = run(
            &gateway,
            &mut Store::default(),
            NOW,
            bearer(&signer.good("EdDSA", &claims(json!({})))),
            &mut |_| {
                asked += 1;
                Ok(Response { status, headers: location.clone(), body: body.clone() })
            },
        );
        assert_eq!((ended.who().as_str(), asked), ("503 unavailable", 1), "{status}");
        assert_eq!(ended.headers.get("retry-after"), Some(&b"10"[..]));
    }
}

/// OpenID Connect Discovery 1.0: the issuer's metadata lead to its keys, on its own or a listed origin only.
#[test]
fn keys_are_discovered() {
    let signer = Signer::new(1);
    let accept = accept(json!({ "discovery": true, "origins": ["https://keys.example"] }));
    let gateway = gateway(&accept, &json!({}));
    let issuer = "https://issuer.example/";
    for (metadata, keys_at, expected) in [
        (
            json!({ "issuer": issuer, "jwks_uri": "https://issuer.example/certs" }),
            "https://issuer.example/certs",
            "issuer",
        ),
        (
            json!({ "issuer": issuer, "jwks_uri": "https://keys.example/a?b=c" }),
            "https://keys.example/a?b=c",
            "issuer",
        ),
        (json!({ "issuer": issuer, "jwks_uri": "https://evil.example/certs" }), "", "503 unavailable"),
        (
            json!({ "issuer": issuer, "jwks_uri": "https://issuer.example.evil.example/" }),
            "",
            "503 unavailable",
        ),
        (
            json!({ "issuer": issuer, "jwks_uri": "https://issuer.example@evil.example/" }),
            "",
            "503 unavailable",
        ),
        (json!({ "issuer": issuer, "jwks_uri": "https://issuer.example:8443/certs" }), "", "503 unavailable"),
        (json!({ "issuer": issuer, "jwks_uri": "ftp://issuer.example/certs" }), "", "503 unavailable"),
        (json!({ "issuer": issuer, "jwks_uri": "https://issuer.example/a b" }), "", "503 unavailable"),
        (json!({ "issuer": issuer, "jwks_uri": "/certs" }), "", "503 unavailable"),
        (
            json!({ "issuer": "https://evil.example/", "jwks_uri": "https://issuer.example/certs" }),
            "",
            "503 unavailable",
        ),
        (
            json!({ "issuer": "https://issuer.example", "jwks_uri": "https://issuer.example/certs" }),
            "",
            "503 unavailable",
        ),
        (json!({ "jwks_uri": "https://issuer.example/certs" }), "", "503 unavailable"),
        (json!({ "issuer": issuer }), "", "503 unavailable"),
        (json!([]), "", "503 unavailable"),
    ] {
        let mut asked = Vec::new();
        let token = signer.good("EdDSA", &claims(json!({})));
        let ended = run(&gateway, &mut Store::default(), NOW, bearer(&token), &mut |call| {
            asked.push(call.url());
            ok(if asked.len() == 1 { &metadata } else { &KEYS })
        });
        assert_eq!(ended.who(), expected, "{metadata}");
        assert_eq!(asked[0], "https://issuer.example/.well-known/openid-configuration");
        assert_eq!(asked[1..].iter().map(String::as_str).collect::<String>(), keys_at, "{metadata}");
    }
}

static KEYS: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Signer::new(1).jwks());

/// What was let in counts for its own configuration alone: another one does not know of it.
#[test]
fn a_verdict_does_not_outlive_its_configuration() {
    let signer = Signer::new(1);
    let mut store = Store::default();
    let fixed = |more: Value| {
        let mut keys = json!({ "keys": signer.jwks() });
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        accept(keys)
    };
    let token = signer.good("EdDSA", &claims(json!({})));
    let mut who = |accept: &Value, path: &str, now: u64| {
        let mut request = bearer(&token);
        request.path = path.into();
        run(&gateway(accept, &json!({})), &mut store, now, request, &mut |_| panic!("nobody is asked")).who()
    };
    assert_eq!(who(&fixed(json!({})), "/scim/v2/Users/1", NOW), "issuer");
    assert_eq!(who(&fixed(json!({})), "/scim/v2/Users/1", NOW), "issuer");
    assert_eq!(who(&fixed(json!({})), "/other/Users/1", NOW), "401 unknown");
    assert_eq!(who(&fixed(json!({ "audience": "other" })), "/scim/v2/Users/1", NOW), "401 audience");
    assert_eq!(who(&fixed(json!({ "keys": Signer::new(2).jwks() })), "/scim/v2/Users/1", NOW), "401 key");
    assert_eq!(
        who(&fixed(json!({ "issuer": "https://new.example/" })), "/scim/v2/Users/1", NOW),
        "401 issuer"
    );
    assert_eq!(who(&fixed(json!({ "require": { "tid": "other" } })), "/scim/v2/Users/1", NOW), "401 claims");
    // Nor does it outlive the token.
    assert_eq!(who(&fixed(json!({})), "/scim/v2/Users/1", NOW + 3_631_000), "401 expired");
}

/// RFC 7662: the issuer is asked about a token, and not again for a while.
#[test]
fn issuers_are_asked_about_tokens() {
    let accept = json!([{ "introspection": {
        "name": "asked", "url": "https://issuer.example/introspect", "client_id": "gate way", "client_secret": "${ISSUER_SECRET}",
        "audience": "scim", "require": { "scope": { "contains": "scim.write" } },
    }}]);
    let gateway = gateway(&accept, &json!({}));
    let good =
        json!({ "active": true, "aud": "scim", "scope": "scim.read scim.write", "exp": NOW / 1000 + 120 });
    let with = |name: &str, value: Value| {
        let mut good = good.clone();
        good[name] = value;
        good
    };
    for (answer, expected) in [
        (ok(&good), "asked"),
        (ok(&with("exp", json!(NOW / 1000 - 60))), "401 expired"),
        (ok(&with("exp", json!("soon"))), "401 malformed"),
        (ok(&with("aud", json!("other"))), "401 audience"),
        (ok(&with("scope", json!("scim.writer"))), "401 claims"),
        (ok(&json!({ "active": false })), "401 unknown"),
        (ok(&with("active", json!("true"))), "503 unavailable"),
        (ok(&with("active", json!(1))), "503 unavailable"),
        (ok(&json!({})), "503 unavailable"),
        (ok(&json!([true])), "503 unavailable"),
        (Ok(Response { status: 401, headers: Headers::new(), body: Vec::new() }), "503 unavailable"),
        (
            Ok(Response {
                status: 200,
                headers: Headers::new(),
                body: b"{\"active\":true,\"active\":true}".to_vec(),
            }),
            "503 unavailable",
        ),
        (Err(Fault::Timeout), "503 unavailable"),
    ] {
        let mut store = Store::default();
        let mut asked = 0;
        let mut at = |now: u64| {
            let ended = run(&gateway, &mut store, now, bearer("opaque/token+1="), &mut |call| {
                asked += 1;
                assert_eq!((call.method, call.url().as_str()), ("POST", "https://issuer.example/introspect"));
                assert_eq!(call.body, b"token=opaque%2Ftoken%2B1%3D&token_type_hint=access_token");
                assert_eq!(
                    call.headers.get("authorization"),
                    Some(&b"Basic Z2F0ZSUyMHdheTpzM2NyZXQlMjY="[..])
                );
                answer.clone()
            });
            (ended.who(), asked)
        };
        assert_eq!(at(NOW), (expected.to_owned(), 1), "{answer:?}");
        if expected == "asked" {
            assert_eq!(at(NOW + 119_999), (expected.to_owned(), 1));
            assert_eq!(at(NOW + 120_000), (expected.to_owned(), 2), "within the leeway");
        }
    }
}

/// Many requests at once fetch an issuer's keys once.
#[test]
fn one_exchange_fetches_for_all() {
    use std::sync::Arc;

    use scimlock::{Action, Exchange, Input};

    let signer = Signer::new(1);
    let gateway = gateway(&accept(json!({ "keys": "https://issuer.example/keys" })), &json!({}));
    let mut store = Store::default();
    let mut fetching = Vec::new();
    let mut waiting = Vec::new();
    for number in 0..5 {
        let mut exchange = Exchange::new(Arc::clone(&gateway), [number; 16]);
        let token = signer.good("EdDSA", &claims(json!({ "sub": number.to_string() })));
        let mut action = exchange.handle(NOW, Input::Request(bearer(&token)));
        while let Action::Store(request) = &action {
            action = exchange.handle(NOW, Input::Stored(store.carry_out(NOW, request)));
        }
        match action {
            Action::Callout { .. } => fetching.push(exchange),
            Action::Wait(_) => waiting.push(exchange),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((fetching.len(), waiting.len()), (1, 4));
    let reply = ok(&signer.jwks()).unwrap();
    let first = fetching.pop().map(|exchange| (exchange, Input::Reply(reply)));
    for (mut exchange, input) in
        first.into_iter().chain(waiting.into_iter().map(|each| (each, Input::Elapsed)))
    {
        let mut action = exchange.handle(NOW + 100, input);
        while let Action::Store(request) = &action {
            action = exchange.handle(NOW + 100, Input::Stored(store.carry_out(NOW + 100, request)));
        }
        assert!(matches!(action, Action::Forward { .. }), "{action:?}");
    }
}
