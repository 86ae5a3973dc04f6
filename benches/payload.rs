//! What a payload costs on its way through the engine, beside `serde_json::Value` in the same run.
//!
//! Absolute times depend on the machine; the ratios that are printed at the end carry over. The run fails when a
//! payload costs more than `MOST` of parsing and serialising it as a `Value`.
#![expect(
    clippy::disallowed_types,
    reason = "the clock is an input of the engine; here it measures the engine"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is wrong, and prints what it measured"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use scimlock::{Action, Exchange, Gateway, HostFacts, Input, Peer, Request, bench};
use serde_json::{Value, json};

/// The largest ratio that is accepted.
const MOST: f64 = 0.4;
/// The digest of `test`.
const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const USER: &str = include_str!("user.json");
const NOW: u64 = 1_767_225_600_000;

/// One way through the engine.
type Way<'a> = Box<dyn Fn(Vec<u8>) -> Vec<u8> + 'a>;

/// What is measured on one input; the first is the baseline.
struct Group<'a> {
    name: &'static str,
    input: Vec<u8>,
    ways: Vec<(&'static str, Way<'a>)>,
}

fn main() -> ExitCode {
    let (generic, mapped) = (gateway("plain"), gateway("mapped"));
    let groups = groups(&generic, &mapped);
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for group in &groups {
        let mut measured = criterion.benchmark_group(group.name);
        measured.throughput(Throughput::Bytes(group.input.len() as u64));
        for (name, way) in &group.ways {
            measured.bench_function(*name, |bencher| {
                bencher.iter_batched(|| group.input.clone(), way, BatchSize::SmallInput);
            });
        }
        measured.finish();
    }
    criterion.final_summary();
    let beyond = groups.iter().filter(|group| !report(group)).count();
    if beyond == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn groups<'a>(generic: &'a Arc<Gateway>, mapped: &'a Arc<Gateway>) -> Vec<Group<'a>> {
    let user = USER.trim_end().as_bytes().to_vec();
    vec![
        Group {
            name: "user of 1.8 KB",
            input: user.clone(),
            ways: vec![
                ("serde_json parse and serialise", Box::new(value)),
                ("read, validate, write", Box::new(|body| bench::create(generic, body).unwrap())),
                ("read, validate, map, write", Box::new(|body| bench::create(mapped, body).unwrap())),
                ("whole exchange to the provider", Box::new(|body| exchange(generic, body, |plain| plain))),
                (
                    "whole exchange to the provider, mapped",
                    Box::new(|body| exchange(mapped, body, |plain| plain)),
                ),
                (
                    "whole exchange, mapped and explained",
                    Box::new(|body| exchange(mapped, body, |plain| plain.explained(false))),
                ),
            ],
        },
        Group {
            name: "list of 1000 users",
            input: list(&user),
            ways: vec![
                ("serde_json parse and serialise", Box::new(value)),
                ("read, write", Box::new(|body| bench::list(generic, body).unwrap())),
                ("read, map, write", Box::new(|body| bench::list(mapped, body).unwrap())),
            ],
        },
    ]
}

fn value(body: Vec<u8>) -> Vec<u8> {
    serde_json::to_vec(&serde_json::from_slice::<Value>(&body).unwrap()).unwrap()
}

/// From the request's head to what is forwarded.
fn exchange(gateway: &Arc<Gateway>, body: Vec<u8>, how: impl FnOnce(Exchange) -> Exchange) -> Vec<u8> {
    let mut exchange = how(Exchange::new(Arc::clone(gateway), [7; 16]));
    let fields = [
        ("host", "scim.acme.example"),
        ("authorization", "Bearer test"),
        ("accept", "application/scim+json"),
        ("content-type", "application/scim+json"),
        ("user-agent", "benchmark"),
    ];
    let head = Request {
        method: b"POST".to_vec(),
        path: b"/scim/v2/Users".to_vec(),
        headers: fields.into_iter().collect(),
        end: false,
        peer: Peer::default(),
    };
    exchange.handle(NOW, Input::Request(head));
    match exchange.handle(NOW, Input::Body { bytes: body, last: true }) {
        Action::Forward { call, .. } => call.body,
        other => panic!("not forwarded: {other:?}"),
    }
}

fn list(user: &[u8]) -> Vec<u8> {
    let users: Vec<Value> = (0..1000)
        .map(|number| {
            let mut user: Value = serde_json::from_slice(user).unwrap();
            user["id"] = format!("{number:08}-6090-4610-87e4-49d8ca9f808d").into();
            user["userName"] = format!("user.{number}@acme.example").into();
            user
        })
        .collect();
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": users.len(),
        "startIndex": 1,
        "itemsPerPage": users.len(),
        "Resources": users,
    });
    serde_json::to_vec(&list).unwrap()
}

/// A gateway in front of the provider that `providers.json` names.
fn gateway(provider: &str) -> Arc<Gateway> {
    let providers: Value = serde_json::from_str(include_str!("providers.json")).unwrap();
    let config = json!({
        "version": 1,
        "public_url": "https://scim.acme.example",
        "routes": { "bench": {
            "idp": {
                "profile": "generic",
                "path": "/scim/v2",
                "accept": [{ "bearer": { "name": "bench", "sha256": TOKEN, "expires": "2035-12-31" } }],
            },
            "provider": {
                "profile": providers[provider],
                "url": "https://app.example/api/scim",
                "credential": { "bearer": "${TOKEN}" },
            },
        } },
    });
    let secrets = BTreeMap::from([("TOKEN".to_owned(), "secret".to_owned())]);
    let gateway = Gateway::compile(&config.to_string(), &secrets, HostFacts::default());
    Arc::new(gateway.unwrap_or_else(|errors| panic!("{errors}")))
}

/// Prints a group's ratios, measured in turns so that a busy machine slows all of them alike; true when payloads
/// are within the limit.
fn report(group: &Group<'_>) -> bool {
    let loops = (2_000_000 / group.input.len()).max(1);
    let mut best = vec![f64::MAX; group.ways.len()];
    for _ in 0..30 {
        for ((_, way), best) in group.ways.iter().zip(&mut best) {
            let inputs = vec![group.input.clone(); loops];
            let start = Instant::now();
            for input in inputs {
                black_box(way(input));
            }
            *best = best.min(start.elapsed().as_secs_f64() / loops as f64);
        }
    }
    println!("\n{} ({} bytes)", group.name, group.input.len());
    for ((name, _), time) in group.ways.iter().zip(&best) {
        let (micros, rate) = (time * 1e6, group.input.len() as f64 / time / 1e6);
        println!("  {name:<40} {micros:>9.2} µs {rate:>6.0} MB/s {:>6.3} ×", time / best[0]);
    }
    group.ways.iter().zip(&best).all(|((name, _), time)| !name.starts_with("read") || time / best[0] <= MOST)
}
