//! What the native tests share: the examples' configurations, and a host that drives one exchange without a network.
pub(crate) mod store;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use scimlock::{
    Action, Call, Effect, Exchange, Fault, Gateway, Headers, HostFacts, Input, Peer, Request, Response,
    ResponseHead,
};
use serde_json::{Map, Value};

use store::Store;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the configurations' secrets are in tests: the digest of `test`, and one credential for all providers.
const TOKEN_SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// The digest of `login`, the token of a second IdP.
const LOGIN_TOKEN_SHA256: &str = "428821350e9691491f616b754cd8315fb86d797ab35d843479e732ef90665324";
const PROVIDER_CREDENTIAL: &str = "provider-secret";
const PRIVATE_KEY: &str = include_str!("../keys/rsa.pem");
/// More inputs than any exchange needs that ends.
const MAX_INPUTS: usize = 8 * 1024 * 1024;

/// What a provider does with a call.
pub(crate) enum Answer {
    Reply(Response),
    Fault(Fault),
}

/// A request of the IdP.
#[derive(Clone)]
pub(crate) struct IdpRequest {
    pub(crate) method: String,
    pub(crate) path: Vec<u8>,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Vec<u8>>,
}

/// How a host delivers bodies: at once, or in parts of that many bytes with the end told apart from them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    Whole,
    Parts(usize),
}

pub(crate) fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The gateway of a folder of `examples/`.
pub(crate) fn example(name: &str) -> Outcome<Arc<Gateway>> {
    example_with(name, &Value::Null)
}

/// The gateway of a folder of `examples/`, its configuration changed by a JSON merge patch (RFC 7396).
pub(crate) fn example_with(name: &str, patch: &Value) -> Outcome<Arc<Gateway>> {
    let file = root(&format!("examples/{name}/scimlock.yaml"));
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut config: Value = serde_saphyr::from_str(&text)?;
    if !patch.is_null() {
        merge(&mut config, patch);
    }
    let mut secrets = BTreeMap::new();
    collect_secrets(&config, &mut secrets);
    let host = HostFacts { atomic_store: true, ..HostFacts::default() };
    let gateway = Gateway::compile(&config.to_string(), &secrets, host)?;
    Ok(Arc::new(gateway))
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, value) in members {
        match value {
            Value::Null => drop(target.as_object_mut().map(|target| target.shift_remove(name))),
            _ => merge(&mut target[name.as_str()], value),
        }
    }
}

fn collect_secrets(value: &Value, secrets: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                let secret = match name {
                    "SCIM_TOKEN_SHA256" => TOKEN_SHA256,
                    "LOGIN_TOKEN_SHA256" => LOGIN_TOKEN_SHA256,
                    name if name.ends_with("_KEY") => PRIVATE_KEY,
                    _ => PROVIDER_CREDENTIAL,
                };
                secrets.insert(name.to_owned(), secret.to_owned());
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_secrets(element, secrets)),
        Value::Object(members) => members.values().for_each(|member| collect_secrets(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Drives one exchange to its end; `provider` answers its calls.
pub(crate) fn drive(
    gateway: &Arc<Gateway>,
    now: u64,
    request: &IdpRequest,
    delivery: Delivery,
    provider: impl FnMut(&Call) -> Answer,
) -> Outcome<Response> {
    drive_with(&mut Store::default(), gateway, now, request, delivery, provider)
}

/// The same with what the exchanges before left in the store.
pub(crate) fn drive_with(
    store: &mut Store,
    gateway: &Arc<Gateway>,
    now: u64,
    request: &IdpRequest,
    delivery: Delivery,
    mut provider: impl FnMut(&Call) -> Answer,
) -> Outcome<Response> {
    let mut exchange = Exchange::new(Arc::clone(gateway), *b"0123456789abcdef");
    let mut effects = Vec::new();
    let mut body = Body::new(request.body.clone().unwrap_or_default(), delivery);
    let mut forwarded = false;
    let mut input = Input::Request(Request {
        method: request.method.clone().into_bytes(),
        path: request.path.clone(),
        headers: request.headers.clone(),
        end: request.body.is_none() && delivery == Delivery::Whole,
        peer: Peer::default(),
    });
    for _ in 0..MAX_INPUTS {
        let action = exchange.handle(now, input);
        effects.extend(exchange.effects());
        input = match action {
            Action::Read { .. } => {
                let (bytes, last) = body.next()?;
                if forwarded { Input::ResponseBody { bytes, last } } else { Input::Body { bytes, last } }
            }
            Action::Callout { call, .. } => {
                check_call(&call)?;
                match provider(&call) {
                    Answer::Reply(reply) => Input::Reply(reply),
                    Answer::Fault(fault) => Input::Fault(fault),
                }
            }
            Action::Forward { call, .. } => {
                if forwarded {
                    return Err("forwarded twice".into());
                }
                check_call(&call)?;
                match provider(&call) {
                    Answer::Reply(Response { status, headers, body: bytes }) => {
                        forwarded = true;
                        let end = bytes.is_empty() && delivery == Delivery::Whole;
                        body = Body::new(bytes, delivery);
                        Input::Response(ResponseHead { status, headers, end })
                    }
                    Answer::Fault(fault) => Input::Fault(fault),
                }
            }
            Action::Wait(_) => Input::Elapsed,
            Action::Store(request) => Input::Stored(store.carry_out(now, &request)),
            Action::Respond(response) => {
                check_audit(&effects, &request.path)?;
                // Every address in the tests has an @: none may stand in an error.
                if response.status >= 400 && response.body.contains(&b'@') {
                    return Err("the error shows an attribute's value".into());
                }
                return Ok(response);
            }
            action @ (Action::Verify { .. } | Action::Emit { .. } | Action::Abort | Action::Done) => {
                return Err(format!("unexpected action {action:?}").into());
            }
        };
    }
    Err("the exchange does not end".into())
}

/// Headers that no provider may see, and the IdP's credential.
fn check_call(call: &Call) -> Outcome<()> {
    let session = call.headers.get("x-csrf-token").is_some();
    for (name, value) in call.headers.iter() {
        let forbidden = name == "cookie" && !session
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-http-method")
            || name == "x-method-override"
            || value.eq_ignore_ascii_case(b"bearer test")
            || value.eq_ignore_ascii_case(b"bearer login");
        if forbidden {
            return Err(format!("header `{name}` reached the provider").into());
        }
    }
    // What is fetched begins with this word in all cases; a form may hold the secret itself.
    let fixed = format!("Bearer {PROVIDER_CREDENTIAL}");
    let known = |value: &[u8]| {
        value == fixed.as_bytes()
            || ["Bearer fetched", "Bearer eyJ", "Basic "]
                .iter()
                .any(|start| value.starts_with(start.as_bytes()))
    };
    let form = call.headers.get("content-type") == Some(b"application/x-www-form-urlencoded");
    match call.headers.all("authorization").collect::<Vec<_>>().as_slice() {
        [value] if known(value) => Ok(()),
        [] if form => Ok(()),
        _ => Err("the provider's credential is missing".into()),
    }
}

/// One audit record an exchange, without any secret.
fn check_audit(effects: &[Effect], path: &[u8]) -> Outcome<()> {
    let records: Vec<_> = effects
        .iter()
        .filter_map(|effect| if let Effect::Audit(line) = effect { Some(line) } else { None })
        .collect();
    let [record] = records.as_slice() else {
        return Err(format!("{} audit records", records.len()).into());
    };
    serde_json::from_str::<Value>(record).map_err(|error| format!("audit record is not JSON: {error}"))?;
    // A resource's id may be in it, and an id may be anything.
    let path = String::from_utf8_lossy(path);
    let shows = record.contains('@') && !path.contains('@') && !path.contains("%40");
    if shows || record.contains(PROVIDER_CREDENTIAL) || record.contains('\n') {
        return Err("the audit record shows a credential or an attribute's value, or is not one line".into());
    }
    Ok(())
}

struct Body {
    bytes: Vec<u8>,
    at: usize,
    delivery: Delivery,
    ended: bool,
}

impl Body {
    fn new(bytes: Vec<u8>, delivery: Delivery) -> Self {
        Self { bytes, at: 0, delivery, ended: false }
    }

    // In parts, the end comes as an empty part of its own: that is how some hosts tell it.
    fn next(&mut self) -> Outcome<(Vec<u8>, bool)> {
        if self.ended {
            return Err("asked for a body that has ended".into());
        }
        let size = match self.delivery {
            Delivery::Whole => self.bytes.len(),
            Delivery::Parts(size) => size,
        };
        let part: Vec<u8> = self.bytes.iter().skip(self.at).take(size).copied().collect();
        self.at += part.len();
        self.ended = self.delivery == Delivery::Whole || part.is_empty();
        Ok((part, self.ended))
    }
}
