//! Who is let in: hostile tokens and headers beside good ones, issuers that change or fail, and what is kept meanwhile.

#![cfg(not(target_family = "wasm"))]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod hostile;
mod issuers;
mod signer;
#[path = "../support/store.rs"]
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use scimlock::{
    Action, Call, Effect, Exchange, Fault, Gateway, Headers, HostFacts, Input, Peer, Request, Response,
};
use serde_json::{Value, json};

use store::Store;

/// 2026-01-01, in milliseconds and in seconds.
const NOW: u64 = 1_767_225_600_000;
const SECONDS: u64 = NOW / 1000;

/// A gateway whose route `/scim/v2` accepts this, and a second route that accepts another.
fn gateway(accept: &Value, idp: &Value) -> Arc<Gateway> {
    let provider = json!({ "profile": "generic", "url": "https://app.example/scim", "credential": { "bearer": "${CREDENTIAL}" } });
    let mut route = json!({ "profile": "generic", "path": "/scim/v2", "accept": accept });
    route.as_object_mut().unwrap().extend(idp.as_object().unwrap().clone());
    let other = json!({ "profile": "generic", "path": "/other", "accept": [
        { "bearer": { "name": "other", "sha256": signer::sha256("other-token"), "expires": "2035-12-31" } },
    ]});
    let config = json!({ "version": 1, "public_url": "https://scim.acme.example", "routes": {
        "main": { "idp": route, "provider": provider },
        "other": { "idp": other, "provider": provider },
    }});
    let secrets = BTreeMap::from([
        ("CREDENTIAL".to_owned(), "provider-secret".to_owned()),
        ("ISSUER_SECRET".to_owned(), "s3cret&".to_owned()),
    ]);
    let host = HostFacts { atomic_store: true, ..HostFacts::default() };
    Arc::new(Gateway::compile(&config.to_string(), &secrets, host).unwrap())
}

/// How an exchange ended.
#[derive(Debug)]
struct Ended {
    /// The status; 200 where something went to the provider.
    status: u16,
    headers: Headers,
    body: String,
    audit: Value,
}

impl Ended {
    /// The name of the way in, or the reason why there was none.
    fn who(&self) -> String {
        let word = |name: &str| self.audit.get(name).and_then(Value::as_str);
        word("refused")
            .map(|why| format!("{} {why}", self.status))
            .or(word("token").map(str::to_owned))
            .unwrap()
    }
}

/// A request for a user with these fields.
fn get(headers: &[(&str, &str)]) -> Request {
    request("GET", "/scim/v2/Users/1", headers)
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| (name, *value)).collect();
    Request { method: method.into(), path: path.into(), headers, end: true, peer: Peer::default() }
}

fn bearer(token: &str) -> Request {
    get(&[("authorization", &format!("Bearer {token}"))])
}

/// Runs an exchange until it is over or goes to the provider; `issuer` answers what is asked beside.
fn run(
    gateway: &Arc<Gateway>,
    store: &mut Store,
    now: u64,
    request: Request,
    issuer: &mut dyn FnMut(&Call) -> Result<Response, Fault>,
) -> Ended {
    let mut exchange = Exchange::new(Arc::clone(gateway), [7; 16]);
    let mut audit = None;
    let (mut now, mut input) = (now, Input::Request(request));
    for _ in 0..1000 {
        let action = exchange.handle(now, input);
        for effect in exchange.effects() {
            if let Effect::Audit(line) = effect {
                audit = Some(serde_json::from_str(&line).unwrap());
            }
        }
        input = match action {
            Action::Store(request) => Input::Stored(store.carry_out(now, &request)),
            Action::Callout { call, timeout } => {
                assert!(timeout <= 5_000, "issuers are not waited for longer than that");
                issuer(&call).map_or_else(Input::Fault, Input::Reply)
            }
            Action::Wait(time) => {
                now += time;
                Input::Elapsed
            }
            Action::Forward { call, .. } => {
                let shown: Vec<_> = call.headers.all("authorization").collect();
                assert_eq!(shown, [b"Bearer provider-secret"]);
                exchange.abandon(now);
                for effect in exchange.effects() {
                    if let Effect::Audit(line) = effect {
                        audit = Some(serde_json::from_str(&line).unwrap());
                    }
                }
                let audit = audit.unwrap();
                return Ended { status: 200, headers: Headers::new(), body: String::new(), audit };
            }
            Action::Respond(Response { status, headers, body }) => {
                let body = String::from_utf8(body).unwrap();
                return Ended { status, headers, body, audit: audit.unwrap() };
            }
            other => panic!("unexpected action {other:?}"),
        };
    }
    panic!("the exchange does not end");
}

/// Runs an exchange in which nobody is asked.
fn alone(gateway: &Arc<Gateway>, now: u64, request: Request) -> Ended {
    run(gateway, &mut Store::default(), now, request, &mut |call| panic!("{} {}", call.method, call.url()))
}

fn ok(body: &Value) -> Result<Response, Fault> {
    let headers = Headers::from_iter([("content-type", "application/json")]);
    Ok(Response { status: 200, headers, body: body.to_string().into_bytes() })
}
