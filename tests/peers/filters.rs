//! What it costs to read a filter, beside the Rust crates that can: each as strict as it is by itself.
//!
//! The run fails when the engine needs longer than the fastest of the others.
#![expect(
    clippy::disallowed_types,
    reason = "the clock is an input of the engine; here it measures the engine"
)]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is wrong, and prints what it measured"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use criterion::Criterion;
use scimlock::filter::{Filter, Syntax};

/// What IdPs send, and one of everything.
const FILTERS: [(&str, &str); 3] = [
    ("simple", r#"userName eq "ada.lindqvist@example.com""#),
    ("joined", r#"emails[type eq "work"] and active eq true"#),
    ("long", r#"(title pr and userType eq "Employee") or not (meta.lastModified gt "2026-01-01T00:00:00Z")"#),
];

/// One way to read a filter.
type Way = (&'static str, fn(&str));

const WAYS: [Way; 3] = [
    ("scimlock", |text| {
        black_box(
            Filter::parse(text, &Syntax::strict(&|uri| uri == "urn:ietf:params:scim:schemas:core:2.0:User"))
                .unwrap(),
        );
    }),
    ("scim_proto", |text| {
        black_box(text.parse::<scim_proto::filter::ScimFilter>().unwrap());
    }),
    ("scim_v2", |text| {
        black_box(text.parse::<scim_v2::filter::Filter>().unwrap());
    }),
];

fn main() -> ExitCode {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for (name, filter) in FILTERS {
        let mut group = criterion.benchmark_group(format!("filter, {name}"));
        for (peer, way) in WAYS {
            group.bench_function(peer, |bencher| bencher.iter(|| way(filter)));
        }
        group.finish();
    }
    criterion.final_summary();
    let slower = FILTERS.into_iter().filter(|(name, filter)| !report(name, filter)).count();
    if slower == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the ratios, measured in turns; true when none of the others is faster.
fn report(name: &str, filter: &str) -> bool {
    const LOOPS: u32 = 2_000;
    let mut best = [f64::MAX; WAYS.len()];
    for _ in 0..50 {
        for ((_, way), best) in WAYS.iter().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..LOOPS {
                way(black_box(filter));
            }
            *best = best.min(start.elapsed().as_secs_f64() / f64::from(LOOPS));
        }
    }
    let [ours, theirs @ ..] = best;
    println!("\nfilter, {name} ({} bytes)", filter.len());
    for ((peer, _), time) in WAYS.iter().zip(best) {
        println!("  {peer:<40} {:>9.3} µs {:>6.2} ×", time * 1e6, time / ours);
    }
    theirs.iter().all(|theirs| ours <= *theirs)
}
