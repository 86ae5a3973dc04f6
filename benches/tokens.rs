//! What judging a token costs: one that was judged before, one that is judged now, and a plain secret beside them.
//!
//! `cargo bench --bench tokens` prints microseconds and ratios of one run; a verdict that is known may cost
//! [`MOST`] at most.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints and may panic"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use scimlock::store::{StoreOperation, Stored};
use scimlock::{Action, Exchange, Gateway, Headers, HostFacts, Input, Peer, Request};
use serde_json::json;

/// The most microseconds that a token with a known verdict may cost beyond a plain secret.
const MOST: f64 = 2.0;
const NOW: u64 = 1_767_225_600_000;
const ROUNDS: usize = 40;

/// A token of 1 KB as large IdPs make them, signed with RS256, and its issuer's key: `{"token":…,"keys":…}`.
const SIGNED: &str = include_str!("token.json");

fn main() -> ExitCode {
    let signed: serde_json::Value = serde_json::from_str(SIGNED).unwrap();
    let token = signed["token"].as_str().unwrap();
    let config = json!({ "version": 1, "public_url": "https://scim.example", "routes": { "bench": {
        "idp": { "profile": "generic", "path": "/scim/v2", "accept": [
            { "bearer": {
                "name": "secret",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "expires": "2099-12-31",
            } },
            { "jwt": {
                "name": "token", "issuer": "https://issuer.example/", "audience": "scim",
                "algorithms": ["RS256"], "keys": signed["keys"],
            } },
        ] },
        "provider": { "profile": "generic", "url": "https://app.example", "credential": { "bearer": "${X}" } },
    } } });
    let secrets = BTreeMap::from([("X".to_owned(), "secret".to_owned())]);
    let gateway = Arc::new(Gateway::compile(&config.to_string(), &secrets, HostFacts::default()).unwrap());
    let kept = judge(&gateway, token, None).expect("the token is good");
    type Way<'a> = (&'static str, Box<dyn Fn() + 'a>);
    let ways: [Way<'_>; 3] = [
        ("a plain secret", Box::new(|| assert!(judge(&gateway, "test", None).is_none()))),
        ("a token with a known verdict", Box::new(|| assert!(judge(&gateway, token, Some(&kept)).is_none()))),
        ("a token that is verified (RS256)", Box::new(|| assert!(judge(&gateway, token, None).is_some()))),
    ];
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for ((_, way), best) in ways.iter().zip(&mut best) {
            #[expect(clippy::disallowed_types, reason = "a bench measures")]
            let start = std::time::Instant::now();
            for _ in 0..200 {
                way();
            }
            *best = best.min(start.elapsed().as_secs_f64() * 1e6 / 200.0);
        }
    }
    println!("token of one request ({} bytes)", token.len());
    for ((name, _), time) in ways.iter().zip(best) {
        println!("  {name:<40}{time:>9.2} µs {:>7.2} ×", time / best[0]);
    }
    let beyond = best[1] - best[0];
    println!("  a known verdict costs {beyond:.2} µs beyond a plain secret; {MOST:.1} are allowed");
    if beyond <= MOST { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Judges a request's token up to the point where its body is wanted; answers what the store is given to keep.
fn judge(gateway: &Arc<Gateway>, token: &str, kept: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    let mut exchange = Exchange::new(Arc::clone(gateway), [7; 16]);
    let fields =
        [("authorization", format!("Bearer {token}")), ("content-type", "application/scim+json".into())];
    let headers: Headers = fields.into_iter().collect();
    let (method, path) = (b"POST".to_vec(), b"/scim/v2/Users".to_vec());
    let mut input = Input::Request(Request { method, path, headers, end: false, peer: Peer::default() });
    let mut put = None;
    loop {
        input = match exchange.handle(NOW, input) {
            Action::Store(request) => match request.operation {
                StoreOperation::Get => Input::Stored(Stored::Value { value: kept.cloned(), version: 1 }),
                StoreOperation::Put { value, .. } => {
                    put = Some(value);
                    Input::Stored(Stored::Put(true))
                }
                StoreOperation::Add { .. } => panic!("nothing is counted"),
            },
            Action::Read { .. } => return black_box(put),
            other => panic!("not let in: {other:?}"),
        };
    }
}
