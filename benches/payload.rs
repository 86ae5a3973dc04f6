//! What a payload costs on its way through the engine, beside `serde_json::Value` in the same run.
//!
//! Absolute times depend on the machine; the ratios that are printed at the end carry over. The run fails when a way
//! is over its bar.
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

/// The digest of `test`.
const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const USER: &str = include_str!("user.json");
const NOW: u64 = 1_767_225_600_000;

/// One way through the engine.
struct Way<'a> {
    name: &'static str,
    /// The largest ratio to the baseline that is accepted.
    bar: f64,
    run: Box<dyn Fn(Vec<u8>) -> usize + 'a>,
}

impl<'a> Way<'a> {
    fn new(name: &'static str, bar: f64, run: impl Fn(Vec<u8>) -> usize + 'a) -> Self {
        Self { name, bar, run: Box::new(run) }
    }
}

/// What is measured on one input; the first is the baseline.
struct Group<'a> {
    name: &'static str,
    input: Vec<u8>,
    ways: Vec<Way<'a>>,
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
        for way in &group.ways {
            measured.bench_function(way.name, |bencher| {
                bencher.iter_batched(|| group.input.clone(), &way.run, BatchSize::SmallInput);
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
    let create = |gateway, body| bench::create(gateway, body).unwrap().len();
    let list_of = |gateway, body| bench::list(gateway, body).unwrap().len();
    vec![
        Group {
            name: "user of 1.8 KB",
            input: user.clone(),
            ways: vec![
                Way::new("serde_json parse", f64::MAX, |body| parsed(&body).as_object().unwrap().len()),
                Way::new("read, validate", 0.25, |body| {
                    bench::check(generic, body).unwrap();
                    0
                }),
            ],
        },
        Group {
            name: "user of 1.8 KB, sent on",
            input: user.clone(),
            ways: vec![
                Way::new("serde_json parse and serialise", f64::MAX, |body| written(&body)),
                Way::new("read, validate, write", 0.3, move |body| create(generic, body)),
                Way::new("read, validate, map, write", 0.25, move |body| create(mapped, body)),
                Way::new("whole exchange to the provider", f64::MAX, |body| {
                    exchange(generic, body, |plain| plain)
                }),
                Way::new("whole exchange to the provider, mapped", f64::MAX, |body| {
                    exchange(mapped, body, |plain| plain)
                }),
                Way::new("whole exchange, mapped and explained", f64::MAX, |body| {
                    exchange(mapped, body, |plain| plain.explained(false))
                }),
            ],
        },
        Group {
            name: "list of 1000 users",
            input: list(&user),
            ways: vec![
                Way::new("serde_json parse and serialise", f64::MAX, |body| written(&body)),
                Way::new("read, write", 0.3, move |body| list_of(generic, body)),
                Way::new("read, map, write", 0.25, move |body| list_of(mapped, body)),
            ],
        },
    ]
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn written(body: &[u8]) -> usize {
    serde_json::to_vec(&parsed(body)).unwrap().len()
}

/// From the request's head to what is forwarded.
fn exchange(gateway: &Arc<Gateway>, body: Vec<u8>, how: impl FnOnce(Exchange) -> Exchange) -> usize {
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
        Action::Forward { call, .. } => call.body.len(),
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

/// Prints a group's ratios, measured in turns so that a busy machine slows all of them alike; true when all are
/// within their bars.
fn report(group: &Group<'_>) -> bool {
    let loops = (2_000_000 / group.input.len()).max(1);
    let mut best = vec![f64::MAX; group.ways.len()];
    for _ in 0..30 {
        for (way, best) in group.ways.iter().zip(&mut best) {
            let inputs = vec![group.input.clone(); loops];
            let start = Instant::now();
            for input in inputs {
                black_box((way.run)(input));
            }
            *best = best.min(start.elapsed().as_secs_f64() / loops as f64);
        }
    }
    println!("\n{} ({} bytes)", group.name, group.input.len());
    let mut good = true;
    for (way, time) in group.ways.iter().zip(&best) {
        let (micros, rate, ratio) = (time * 1e6, group.input.len() as f64 / time / 1e6, time / best[0]);
        let over = ratio > way.bar;
        let said = if over { format!("  over the bar of {} ×", way.bar) } else { String::new() };
        println!("  {:<40} {micros:>9.2} µs {rate:>6.0} MB/s {ratio:>6.3} ×{said}", way.name);
        good &= !over;
    }
    good
}
