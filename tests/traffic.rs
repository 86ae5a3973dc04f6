//! The native runner of the golden cases in `tests/traffic/`: each exchange byte for byte, with bodies whole and in parts.
//!
//! A case is described in `tests/runners/case.mjs`, which runs the same files on the other hosts. `UPDATE=1` writes
//! what really happened into the files and prints what changed; it is refused where `CI` is set. `ONLY=part` picks files.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/case.rs"]
mod case;
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scimlock::{Call, Fault, Gateway, Headers, Response};
use serde_json::{Map, Value, json};

use case::{Case, Idp, IdpExpect, Message, Provider, SCIM_JSON, latin1, pretty, put_body};
use support::store::Store;
use support::{Answer, Delivery, IdpRequest, Outcome, drive, drive_with, example_with, root};

const DELIVERIES: [Delivery; 3] = [Delivery::Whole, Delivery::Parts(1), Delivery::Parts(7)];
const DEFAULT_NOW: &str = "2026-01-01T00:00:00Z";
/// The fields an engine sets toward the IdP; in an expectation the first two have defaults.
const ENGINE_HEADERS: [&str; 7] =
    ["content-type", "cache-control", "location", "etag", "retry-after", "www-authenticate", "allow"];
const UNEXPECTED: &str = "unexpected request to the provider";
const MIN_CASES: usize = 300;

#[test]
fn golden_cases() {
    let update = env::var_os("UPDATE").is_some();
    assert!(
        !update || env::var_os("CI").is_none(),
        "UPDATE is for people: expectations are not rewritten in CI"
    );
    let only = env::var("ONLY").unwrap_or_default();
    let files: Vec<_> =
        case_files().into_iter().filter(|file| file.to_string_lossy().contains(&only)).collect();
    let mut gateways = BTreeMap::new();
    let mut failed = 0;
    for file in &files {
        let problems = run(file, &mut gateways, update).unwrap_or_else(|error| vec![error.to_string()]);
        if !problems.is_empty() {
            failed += 1;
            println!("{} {}", if update { "updated" } else { "FAILED" }, file.display());
            problems.iter().for_each(|problem| println!("    {problem}"));
        }
    }
    println!("native: {} passed, {failed} failed", files.len() - failed);
    assert!(update || failed == 0, "{failed} of {} cases failed", files.len());
    assert!(!only.is_empty() || files.len() >= MIN_CASES, "only {} cases", files.len());
}

fn case_files() -> Vec<PathBuf> {
    let mut files: Vec<_> = list(&root("tests/traffic"))
        .iter()
        .flat_map(|folder| list(folder))
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Runs one file; answers what differs from its expectations.
fn run(file: &Path, gateways: &mut BTreeMap<String, Arc<Gateway>>, update: bool) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(file)?;
    let case: Case = serde_json::from_str(&text)?;
    if case.hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|host| host == "native")) {
        return Ok(Vec::new());
    }
    if !names_a_rule(&case.note) {
        return Ok(vec!["the note names no rule (E01) or row (P-01)".to_owned()]);
    }
    let key = format!("{} {}", case.config, case.with);
    if !gateways.contains_key(&key) {
        gateways.insert(key.clone(), example_with(&case.config, &case.with)?);
    }
    let gateway = gateways.get(&key).ok_or("no gateway")?;
    let mut problems = Vec::new();
    let mut seen = None;
    for delivery in DELIVERIES {
        let happened = play(gateway, &case, delivery)?;
        problems.extend(happened.problems.iter().filter(|_| seen.is_none()).cloned());
        match &seen {
            None => seen = Some(happened),
            Some(first) if first.steps != happened.steps => {
                problems.push(format!("{delivery:?} ends otherwise"))
            }
            Some(_) => {}
        }
    }
    let seen = seen.ok_or("nothing ran")?;
    // What the provider would have answered to a request that the case does not know, only a person can say.
    let unknown = problems.iter().any(|problem| problem.starts_with(UNEXPECTED));
    if update && !unknown && !problems.is_empty() {
        let mut whole: Value = serde_json::from_str(&text)?;
        whole["steps"] = seen.rewritten(&whole["steps"]);
        fs::write(file, format!("{}\n", pretty(&whole, 0)))?;
    }
    Ok(problems)
}

// `E12`, `S-04`, `SIM-X-7`: upper-case letters and dashes, then digits.
fn names_a_rule(note: &str) -> bool {
    note.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| {
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let named = |c: char| c.is_ascii_uppercase() || c == '-';
        name.len() < word.len()
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(named)
    })
}

/// What happened, a step each: `None` for steps that came to nothing, and for those of the IdP that only send.
struct Happened {
    steps: Vec<Option<Value>>,
    problems: Vec<String>,
}

impl Happened {
    /// The case's steps with these in place of what was expected; steps that never came are left out.
    fn rewritten(&self, steps: &Value) -> Value {
        let steps = steps.as_array().into_iter().flatten().zip(&self.steps);
        let rewritten = steps.filter_map(|(step, happened)| {
            let mut step = step.clone();
            let side = ["provider", "issuer"].into_iter().find(|side| step[side].is_object());
            match happened {
                Some(expect) => step[side.unwrap_or("idp")]["expect"] = expect.clone(),
                None if side.is_some() => return None,
                None => {}
            }
            Some(step)
        });
        Value::Array(rewritten.collect())
    }
}

fn play(gateway: &Arc<Gateway>, case: &Case, delivery: Delivery) -> Outcome<Happened> {
    let mut happened = Happened { steps: vec![None; case.steps.len()], problems: Vec::new() };
    let mut now = milliseconds(case.now.as_deref().unwrap_or(DEFAULT_NOW))?;
    let (mut answer, mut store) = (None, Store::default());
    for (at, step) in case.steps.iter().enumerate() {
        if let Some(time) = &step.now {
            now = milliseconds(time)?;
        }
        match (&step.idp, step.asked()) {
            (Some(Idp::Send(send)), None) if answer.is_none() => {
                let script = case
                    .steps
                    .iter()
                    .enumerate()
                    .skip(at + 1)
                    .map_while(|(at, step)| Some((at, step.asked()?)));
                answer = Some(send_one(
                    gateway,
                    &mut store,
                    now,
                    send,
                    delivery,
                    script.collect(),
                    &mut happened,
                )?);
            }
            (Some(Idp::Expect(IdpExpect { expect })), None) => {
                let response = answer.take().ok_or("an answer is expected before anything was sent")?;
                compare_answer(expect, &response, &mut happened.problems)?;
                set(&mut happened.steps, at, describe_answer(&response));
            }
            (None, Some(_)) if answer.is_some() => {}
            _ => return Err("steps go: idp sends, provider any times, idp expects".into()),
        }
    }
    if answer.is_some() {
        return Err("the last step is what the IdP gets".into());
    }
    Ok(happened)
}

fn send_one(
    gateway: &Arc<Gateway>,
    store: &mut Store,
    now: u64,
    send: &Message,
    delivery: Delivery,
    script: Vec<(usize, (&Provider, bool))>,
    happened: &mut Happened,
) -> Outcome<Response> {
    let request = IdpRequest {
        method: send.method.clone(),
        path: latin1(&send.path),
        headers: send.headers()?,
        body: send.bytes()?,
    };
    let delivery = send.chunks.map_or(delivery, Delivery::Parts);
    let mut script = script.into_iter();
    let mut failure = None;
    // Who is asked shows in the address: an issuer has one of its own.
    let mut provider = None;
    let response = drive_with(store, gateway, now, &request, delivery, |call| match script.next() {
        None => {
            happened.problems.push(format!("{UNEXPECTED}: {} {}", call.method, call.path));
            Answer::Fault(Fault::Unreachable)
        }
        Some((at, (Provider { expect, reply, fault }, issuer))) => {
            if !issuer && *provider.get_or_insert_with(|| call.authority.clone()) != call.authority
                || issuer && provider.as_ref() == Some(&call.authority)
            {
                happened
                    .problems
                    .push(format!("{UNEXPECTED}: {}: another one was to be asked", call.authority));
            }
            set(&mut happened.steps, at, describe_call(call, expect));
            let outcome = compare_call(expect, call, &mut happened.problems)
                .and_then(|()| answer_of(reply.as_ref(), fault.as_deref()));
            outcome.unwrap_or_else(|error| {
                failure = Some(error);
                Answer::Fault(Fault::Unreachable)
            })
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    for (_, (Provider { expect, .. }, _)) in script {
        happened.problems.push(format!("never sent to the provider: {} {}", expect.method, expect.path));
    }
    Ok(response)
}

fn answer_of(reply: Option<&Message>, fault: Option<&str>) -> Outcome<Answer> {
    match (reply, fault) {
        (Some(reply), None) => {
            let Message { status, .. } = *reply;
            Ok(Answer::Reply(Response {
                status,
                headers: reply.headers()?,
                body: reply.bytes()?.unwrap_or_default(),
            }))
        }
        (None, Some("timeout")) => Ok(Answer::Fault(Fault::Timeout)),
        (None, Some("reset" | "garbage")) => Ok(Answer::Fault(Fault::Reset)),
        _ => Err("a provider replies or has a fault: timeout, reset or garbage".into()),
    }
}

fn compare_call(expect: &Message, call: &Call, problems: &mut Vec<String>) -> Outcome<()> {
    let mut say = |what: &str, wanted: &str, got: &str| {
        problems.push(format!("to the provider: {what}: expected {wanted}, got {got}"))
    };
    if call.method != expect.method {
        say("method", &expect.method, call.method);
    }
    if call.path != expect.path {
        say("path", &expect.path, &call.path);
    }
    for (name, wanted) in expect.fields()? {
        let got = joined(&call.headers, &name).map(|value| without_tokens(&value));
        if got != wanted {
            say(&name, &format!("{wanted:?}"), &format!("{got:?}"));
        }
    }
    let wanted = expect.bytes()?.unwrap_or_default();
    let got = shown_body(call);
    if wanted != got {
        say("body", &readable(&wanted), &readable(&got));
    }
    Ok(())
}

fn compare_answer(expect: &Message, response: &Response, problems: &mut Vec<String>) -> Outcome<()> {
    let mut say = |what: &str, wanted: &str, got: &str| {
        problems.push(format!("to the IdP: {what}: expected {wanted}, got {got}"))
    };
    if response.status != expect.status {
        say("status", &expect.status.to_string(), &response.status.to_string());
    }
    let given: BTreeMap<_, _> = expect.fields()?.into_iter().collect();
    for name in ENGINE_HEADERS {
        let default = match name {
            "content-type" => expect.default_type().map(str::to_owned),
            "cache-control" => Some("no-store".to_owned()),
            _ => None,
        };
        let wanted = given.get(name).cloned().unwrap_or(default);
        let got = joined(&response.headers, name);
        if got != wanted {
            say(name, &format!("{wanted:?}"), &format!("{got:?}"));
        }
    }
    for (name, _) in response.headers.iter().filter(|(name, _)| !ENGINE_HEADERS.contains(name)) {
        say(name, "no such header", "one");
    }
    let wanted = expect.bytes()?.unwrap_or_default();
    let (wanted, got) = (without_ids(&readable(&wanted)), without_ids(&readable(&response.body)));
    if wanted != got {
        say("body", &wanted, &got);
    }
    Ok(())
}

fn describe_call(call: &Call, expect: &Message) -> Value {
    let mut described = json!({ "method": call.method, "path": call.path });
    let names = expect.fields().unwrap_or_default();
    let shown: Map<_, _> = names
        .into_iter()
        .map(|(name, _)| {
            (name.clone(), joined(&call.headers, &name).map(|value| without_tokens(&value)).into())
        })
        .collect();
    put_headers(&mut described, shown);
    put_body(&mut described, &shown_body(call));
    described
}

/// A call's body with `JWT` for signed tokens, which no two exchanges share.
fn shown_body(call: &Call) -> Vec<u8> {
    match str::from_utf8(&call.body) {
        Ok(text) if text.contains("eyJ") => without_tokens(text).into_bytes(),
        _ => call.body.clone(),
    }
}

/// The text with `JWT` for every signed token.
fn without_tokens(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, token) = rest.split_at(at);
        let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        let end = token.find(|c| !part(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        let signed = token.split('.').count() == 3
            && token.split('.').nth(1).is_some_and(|part| part.starts_with("eyJ"));
        shown.push_str(before);
        shown.push_str(if signed { "JWT" } else { token });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn describe_answer(response: &Response) -> Value {
    let mut content = json!({});
    put_body(&mut content, &response.body);
    let default_type = content.get("body").map(|_| SCIM_JSON.to_owned());
    let mut shown = Map::new();
    for name in ENGINE_HEADERS {
        let default = match name {
            "content-type" => default_type.clone(),
            "cache-control" => Some("no-store".to_owned()),
            _ => None,
        };
        let got = joined(&response.headers, name);
        if got != default {
            shown.insert(name.to_owned(), got.into());
        }
    }
    let mut described = json!({ "status": response.status });
    put_headers(&mut described, shown);
    put_body(&mut described, without_ids(&readable(&response.body)).as_bytes());
    described
}

fn put_headers(described: &mut Value, headers: Map<String, Value>) {
    if !headers.is_empty() {
        described["headers"] = Value::Object(headers);
    }
}

fn set(steps: &mut [Option<Value>], at: usize, value: Value) {
    if let Some(step) = steps.get_mut(at) {
        *step = Some(value);
    }
}

fn joined(headers: &Headers, name: &str) -> Option<String> {
    let all: Vec<_> = headers.all(name).map(readable).collect();
    if all.is_empty() { None } else { Some(all.join(" | ")) }
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text with every `(request <hex>)` as `(request ID)`.
fn without_ids(text: &str) -> String {
    let mut parts = text.split("(request ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let id = part.len() - rest.len() >= 16 && rest.starts_with(')');
        plain.push_str("(request ");
        plain.push_str(if id { "ID" } else { "" });
        plain.push_str(if id { rest } else { part });
    }
    plain
}

/// `2026-01-01T00:00:00Z` as Unix time in milliseconds (whole seconds, UTC).
fn milliseconds(time: &str) -> Outcome<u64> {
    let fields: Vec<u64> =
        time.trim_end_matches('Z').split(['-', 'T', ':']).map(str::parse).collect::<Result<_, _>>()?;
    let [year, month, day, hour, minute, second] = fields.as_slice() else {
        return Err(format!("`{time}` is not a time").into());
    };
    // Days since 1970-03-01 of years that begin in March, so that the leap day is the last.
    let (year, month) = if *month > 2 { (*year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Ok((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[test]
fn times_and_ids_are_read() {
    assert_eq!(milliseconds("1970-01-01T00:00:00Z").unwrap(), 0);
    assert_eq!(milliseconds("2026-01-01T00:00:00Z").unwrap(), 1_767_225_600_000);
    assert_eq!(milliseconds("2024-02-29T12:00:01Z").unwrap(), 1_709_208_001_000);
    assert_eq!(without_ids("a (request 0123456789abcdef), (request x)"), "a (request ID), (request x)");
}

/// What was repaired needs no second repair: the gateway's own output, sent through the same route, stays the same.
#[test]
fn repairs_are_made_once() {
    let mut gateways = BTreeMap::new();
    let mut compared = 0;
    for file in case_files() {
        // What a provider's dialect or rules make of a request is not what an IdP sends.
        let mut foreign = include_str!("support/dialects.txt").lines();
        if foreign.any(|folder| file.iter().any(|part| part == folder)) {
            continue;
        }
        let case: Case = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        // The first call of these is for a token.
        if case.steps.iter().any(|step| step.issuer.is_some()) {
            continue;
        }
        let gateway = gateways
            .entry(format!("{} {}", case.config, case.with))
            .or_insert_with(|| example_with(&case.config, &case.with).unwrap());
        let now = milliseconds(case.now.as_deref().unwrap_or(DEFAULT_NOW)).unwrap();
        let Some(Idp::Send(send)) = &case.steps[0].idp else { panic!("{} sends nothing", file.display()) };
        let state = case.steps.iter().find_map(|step| step.provider.as_ref()?.reply.as_ref());
        let write = |body: Vec<u8>| {
            let mut written = Vec::new();
            let (method, path) = (send.method.clone(), latin1(&send.path));
            let request = IdpRequest { method, path, headers: send.headers().unwrap(), body: Some(body) };
            drive(gateway, now, &request, Delivery::Whole, |call| {
                if call.method == "GET" {
                    return answer_of(state, None).unwrap();
                }
                written.push((call.method, readable(&call.body)));
                Answer::Reply(Response { status: 204, headers: Headers::new(), body: Vec::new() })
            })
            .unwrap();
            written
        };
        let Some(body) = send.bytes().unwrap() else { continue };
        let once = write(body);
        // One request became one request of its kind: not a bulk request, nor a replacement sent as a difference.
        let [(method, body)] = once.as_slice() else { continue };
        if *method == send.method {
            compared += 1;
            assert_eq!(write(body.clone().into_bytes()), once, "{}", file.display());
        }
    }
    assert!(compared > 50, "only {compared} cases send something on");
}
