//! The exports of the engine to JavaScript: numbers and byte buffers, nothing else.
//!
//! The host writes a message into the input buffer ([`reserve`]), calls, and reads the answer where the returned
//! pointer says; an answer is valid until the next call. Numbers are 32 bits little-endian; a text or a list of
//! bytes is its length and then its bytes; header fields are their number and then name, value, name, value …
//! Every answer begins with its own length. No call traps on misuse: it answers [`MISUSE`], `0` or null.
//! One instance of the module serves one gateway.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::Arc;

use scimlock::config::{ConfigErrors, secret_names};
use scimlock::profile::catalogue;
use scimlock::store::{StoreClass, StoreOperation, StoreRequest, Stored};
use scimlock::{
    Action, Call, Certificate, Effect, Exchange, Fault, Gateway, Headers, HostFacts, Input, Peer, Request,
    Response, ResponseHead,
};
use wasm_bindgen::prelude::wasm_bindgen;

/// The kind of action that says: the host broke the rules of this interface.
const MISUSE: u32 = 255;

/// Buffers that grew over this for one message are given back at the next.
const KEPT_CAPACITY: usize = 256 * 1024;

/// What WebCrypto verifies everywhere.
const VERIFIES: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"];

/// The slow hashes that a host computes, by a number with a bit for each: argon2id, bcrypt, pbkdf2.
const PASSWORDS: [&[&str]; 8] = [
    &[],
    &["argon2id"],
    &["bcrypt"],
    &["argon2id", "bcrypt"],
    &["pbkdf2"],
    &["argon2id", "pbkdf2"],
    &["bcrypt", "pbkdf2"],
    &["argon2id", "bcrypt", "pbkdf2"],
];

thread_local! {
    static HOST: RefCell<Host> = const { RefCell::new(Host::new()) };
}

/// Makes room for a message of `length` bytes and says where to write it; null when there is no room.
#[wasm_bindgen]
pub fn reserve(length: u32) -> *mut u8 {
    with_host(ptr::null_mut(), |host| host.reserve(length).map_or(ptr::null_mut(), <[u8]>::as_mut_ptr))
}

/// Compiles the configuration. The input: whether the shared store is one for all and atomic, whether the host
/// verifies signatures, JSON text, then pairs of secret name and value up to the end.
/// Answers `1` when the gateway stands, else `0`, then the problems as JSON text, then what the rules of a standing
/// gateway do as JSON text.
#[wasm_bindgen]
pub fn compile() -> *const u8 {
    with_host(ptr::null(), |host| host.compile().as_ptr())
}

/// Answers the names of the secrets that the configuration (JSON text) makes references to.
#[wasm_bindgen]
pub fn secrets() -> *const u8 {
    with_host(ptr::null(), |host| host.secrets().as_ptr())
}

/// Answers, as JSON text, what is known of products: with an empty input the list of profiles, with `*` what works
/// between which, with a profile's name that profile (nothing where there is none).
#[wasm_bindgen]
pub fn profiles() -> *const u8 {
    with_host(ptr::null(), |host| host.profiles().as_ptr())
}

/// Opens an exchange; the input is 16 random bytes. `explain`: `0` not at all, `1` with values masked, `2` with
/// values. Answers its number, or `0` when it cannot.
#[wasm_bindgen]
pub fn open(explain: u32) -> u32 {
    with_host(0, |host| host.open(explain).unwrap_or(0))
}

/// Hands one input to an exchange. `now` is Unix time in milliseconds. Answers the effects, then the action.
#[wasm_bindgen]
pub fn handle(exchange: u32, now: f64, kind: u32) -> *const u8 {
    with_host(ptr::null(), |host| host.handle(exchange, now, kind).as_ptr())
}

/// Forgets an exchange. Answers the effects of one that was not over.
#[wasm_bindgen]
pub fn close(exchange: u32, now: f64) -> *const u8 {
    with_host(ptr::null(), |host| host.close(exchange, now).as_ptr())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn millis(now: f64) -> u64 {
    now as u64
}

fn with_host<T>(misuse: T, call: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with(|host| host.try_borrow_mut().map_or(misuse, |mut host| call(&mut host)))
}

/// What lives behind the exports.
struct Host {
    input: Vec<u8>,
    output: Vec<u8>,
    gateway: Option<Arc<Gateway>>,
    exchanges: BTreeMap<u32, Exchange>,
    last: u32,
}

impl Host {
    const fn new() -> Self {
        Self { input: Vec::new(), output: Vec::new(), gateway: None, exchanges: BTreeMap::new(), last: 0 }
    }

    fn reserve(&mut self, length: u32) -> Option<&mut [u8]> {
        let length = usize::try_from(length).ok()?;
        self.input.clear();
        if length < KEPT_CAPACITY {
            self.input.shrink_to(KEPT_CAPACITY);
        }
        self.input.try_reserve(length).ok()?;
        self.input.resize(length, 0);
        Some(&mut self.input)
    }

    fn compile(&mut self) -> &[u8] {
        let Some((facts, json, secrets)) = read_compile(&self.input) else {
            return self.answer(|out| out.number(0));
        };
        self.exchanges.clear();
        self.gateway = None;
        let problems = match Gateway::compile(&json, &secrets, facts) {
            Ok(gateway) => {
                let warnings = gateway.warnings().clone();
                self.gateway = Some(Arc::new(gateway));
                warnings
            }
            Err(problems) => problems,
        };
        // The input held secrets.
        self.input.fill(0);
        let standing = u32::from(self.gateway.is_some());
        let rules = self.gateway.as_ref().map(|gateway| gateway.rules()).unwrap_or_default();
        self.answer(|out| {
            out.number(standing);
            out.bytes(problems_json(&problems).as_bytes());
            out.bytes(rules.as_bytes());
        })
    }

    fn secrets(&mut self) -> &[u8] {
        let names = Reader(&self.input).text().map(|json| secret_names(&json)).unwrap_or_default();
        self.answer(|out| {
            out.number(count(names.len()));
            for name in &names {
                out.bytes(name.as_bytes());
            }
        })
    }

    fn profiles(&mut self) -> &[u8] {
        let shown = match Reader(&self.input).text().unwrap_or_default().as_str() {
            "" => Some(catalogue::list()),
            "*" => Some(catalogue::matrix()),
            name => catalogue::show(name),
        };
        self.answer(|out| out.bytes(shown.map(|shown| shown.to_string()).unwrap_or_default().as_bytes()))
    }

    fn open(&mut self, explain: u32) -> Option<u32> {
        let seed = <[u8; 16]>::try_from(self.input.as_slice()).ok()?;
        let exchange = Exchange::new(Arc::clone(self.gateway.as_ref()?), seed);
        let exchange = match explain {
            0 => exchange,
            how => exchange.explained(how == 2),
        };
        self.last = self.last.wrapping_add(1).max(1);
        if self.exchanges.contains_key(&self.last) {
            return None;
        }
        self.exchanges.insert(self.last, exchange);
        Some(self.last)
    }

    fn handle(&mut self, exchange: u32, now: f64, kind: u32) -> &[u8] {
        let input = Reader(&self.input).input(kind);
        let step = self.exchanges.get_mut(&exchange).zip(input).map(|(exchange, input)| {
            let action = exchange.handle(millis(now), input);
            (exchange.effects(), action)
        });
        self.answer(|out| match step {
            Some((effects, action)) => {
                out.effects(&effects);
                out.action(&action);
            }
            None => {
                out.number(0);
                out.number(MISUSE);
            }
        })
    }

    fn close(&mut self, exchange: u32, now: f64) -> &[u8] {
        let effects = self.exchanges.remove(&exchange).map(|mut exchange| {
            exchange.abandon(millis(now));
            exchange.effects()
        });
        self.answer(|out| out.effects(&effects.unwrap_or_default()))
    }

    /// Writes an answer over the one before.
    fn answer(&mut self, write: impl FnOnce(&mut Writer)) -> &[u8] {
        let mut bytes = std::mem::take(&mut self.output);
        if bytes.len() < KEPT_CAPACITY {
            bytes.shrink_to(KEPT_CAPACITY);
        }
        bytes.clear();
        let mut out = Writer(bytes);
        out.number(0);
        write(&mut out);
        self.output = out.0;
        let length = count(self.output.len()).to_le_bytes();
        if let Some(first) = self.output.first_chunk_mut() {
            *first = length;
        }
        &self.output
    }
}

fn read_compile(input: &[u8]) -> Option<(HostFacts, String, BTreeMap<String, String>)> {
    let mut input = Reader(input);
    let atomic_store = input.flag()?;
    let verifies = if input.flag()? { VERIFIES } else { &[] };
    let passwords = PASSWORDS.get(usize::try_from(input.number()?).ok()?).copied().unwrap_or_default();
    let facts = HostFacts { atomic_store, verifies, passwords, clusters: false, streaming: false };
    let json = input.text()?;
    let mut secrets = BTreeMap::new();
    while !input.0.is_empty() {
        secrets.insert(input.text()?, input.text()?);
    }
    Some((facts, json, secrets))
}

fn problems_json(problems: &ConfigErrors) -> String {
    let list = problems.0.iter().map(|problem| {
        serde_json::json!({
            "code": problem.code,
            "pointer": problem.pointer,
            "route": problem.route,
            "message": problem.message,
            "remedy": problem.remedy,
            "warning": problem.warning,
        })
    });
    serde_json::Value::Array(list.collect()).to_string()
}

/// Lengths inside a module of 32-bit addresses fit; a larger one is cut off and read as broken.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads what the host wrote; `None` where it wrote something else.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*first))
    }

    fn flag(&mut self) -> Option<bool> {
        self.number().map(|number| number != 0)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    fn headers(&mut self) -> Option<Headers> {
        let mut headers = Headers::new();
        for _ in 0..self.number()? {
            headers.push(&self.text()?, self.bytes()?);
        }
        Some(headers)
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| one(self)).collect()
    }

    /// An address (empty: not known), and the certificate, as a list of none or one.
    fn peer(&mut self) -> Option<Peer> {
        let address = self.text()?;
        let certificates = self.list(|input| {
            let (subject, dns, uris) = (input.text()?, input.list(Self::text)?, input.list(Self::text)?);
            Some(Certificate { subject, dns, uris, sha256: input.bytes()?.try_into().ok() })
        })?;
        Some(Peer {
            address: address.parse().ok(),
            certificate: certificates.into_iter().next().map(Box::new),
            claims: Vec::new(),
        })
    }

    fn input(mut self, kind: u32) -> Option<Input> {
        let input = match kind {
            0 => Input::Request(Request {
                end: self.flag()?,
                method: self.bytes()?.to_vec(),
                path: self.bytes()?.to_vec(),
                headers: self.headers()?,
                peer: self.peer()?,
            }),
            1 => Input::Body { last: self.flag()?, bytes: self.bytes()?.to_vec() },
            2 => Input::Response(ResponseHead {
                end: self.flag()?,
                status: self.status()?,
                headers: self.headers()?,
            }),
            3 => Input::ResponseBody { last: self.flag()?, bytes: self.bytes()?.to_vec() },
            4 => Input::Reply(Response {
                status: self.status()?,
                headers: self.headers()?,
                body: self.bytes()?.to_vec(),
            }),
            5 => Input::Stored(match self.number()? {
                0 => {
                    let (there, value) = (self.flag()?, self.bytes()?);
                    Stored::Value { value: there.then(|| value.to_vec()), version: self.whole()? }
                }
                1 => Stored::Put(self.flag()?),
                2 => Stored::Number(self.whole()?.cast_signed()),
                _ => return None,
            }),
            6 => Input::Verified(self.flag()?),
            7 => Input::Elapsed,
            8 => Input::Fault(match self.number()? {
                0 => Fault::TooLarge,
                1 => Fault::Unreachable,
                2 => Fault::Timeout,
                3 => Fault::Reset,
                _ => return None,
            }),
            _ => return None,
        };
        self.0.is_empty().then_some(input)
    }

    /// A number of 64 bits, the lower half first.
    fn whole(&mut self) -> Option<u64> {
        let (low, high) = (self.number()?, self.number()?);
        Some(u64::from(high) << 32 | u64::from(low))
    }

    fn status(&mut self) -> Option<u16> {
        u16::try_from(self.number()?).ok()
    }
}

/// Writes what the host reads.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A time in milliseconds; nothing waits longer than 49 days.
    fn time(&mut self, milliseconds: u64) {
        self.number(u32::try_from(milliseconds).unwrap_or(u32::MAX));
    }

    /// A number of 64 bits, the lower half first.
    fn whole(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(count(bytes.len()));
        self.0.extend_from_slice(bytes);
    }

    fn headers(&mut self, headers: &Headers) {
        self.number(count(headers.iter().count()));
        for (name, value) in headers.iter() {
            self.bytes(name.as_bytes());
            self.bytes(value);
        }
    }

    fn call(&mut self, call: &Call, timeout: u64) {
        self.time(timeout);
        self.bytes(call.method.as_bytes());
        self.bytes(call.url().as_bytes());
        self.headers(&call.headers);
        self.bytes(&call.body);
    }

    fn store(&mut self, request: &StoreRequest) {
        self.bytes(&request.key);
        self.number(match request.class {
            StoreClass::Local => 0,
            StoreClass::Shared => 1,
        });
        self.number(u32::from(request.secret));
        match &request.operation {
            StoreOperation::Get => self.number(0),
            StoreOperation::Put { expect, value, ttl } => {
                self.number(1);
                self.number(u32::from(expect.is_some()));
                self.whole(expect.unwrap_or_default());
                self.bytes(value);
                self.whole(*ttl);
            }
            StoreOperation::Add { delta, ttl } => {
                self.number(2);
                self.whole(delta.cast_unsigned());
                self.whole(*ttl);
            }
        }
    }

    fn effects(&mut self, effects: &[Effect]) {
        self.number(count(effects.len()));
        for effect in effects {
            match effect {
                Effect::Audit(line) => {
                    self.number(0);
                    self.bytes(line.as_bytes());
                }
                Effect::Metric { name, labels, value } => self.metric(1, name, labels, *value),
                Effect::Trace(line) => {
                    self.number(2);
                    self.bytes(line.as_bytes());
                }
                Effect::Gauge { name, labels, value } => self.metric(3, name, labels, *value),
            }
        }
    }

    fn metric(&mut self, kind: u32, name: &str, labels: &[(&'static str, String)], value: u64) {
        self.number(kind);
        self.bytes(name.as_bytes());
        self.number(count(labels.len()));
        for (label, text) in labels {
            self.bytes(label.as_bytes());
            self.bytes(text.as_bytes());
        }
        self.whole(value);
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Read { .. } => self.number(0),
            Action::Callout { call, timeout } => {
                self.number(1);
                self.call(call, *timeout);
            }
            Action::Store(request) => {
                self.number(2);
                self.store(request);
            }
            Action::Verify(verify) => {
                self.number(3);
                for part in [verify.algorithm.as_bytes(), &verify.key, &verify.message, &verify.signature] {
                    self.bytes(part);
                }
            }
            Action::Wait(time) => {
                self.number(4);
                self.time(*time);
            }
            Action::Forward { call, timeout } => {
                self.number(5);
                self.call(call, *timeout);
            }
            Action::Emit { bytes, last } => {
                self.number(6);
                self.number(u32::from(*last));
                self.bytes(bytes);
            }
            Action::Respond(response) => {
                self.number(7);
                self.number(u32::from(response.status));
                self.headers(&response.headers);
                self.bytes(&response.body);
            }
            Action::Abort => self.number(8),
            Action::Done => self.number(9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of a message as the host writes them: numbers, and texts or bytes behind their lengths.
    enum Part<'a> {
        Number(u32),
        Bytes(&'a [u8]),
    }
    use Part::{Bytes, Number};

    #[test]
    fn inputs_are_read_as_they_are_written() {
        let headers = || Headers::from_iter([("a", b"1".as_slice()), ("b", b"\xff")]);
        let fields = [Number(2), Bytes(b"A"), Bytes(b"1"), Bytes(b"b"), Bytes(b"\xff")];
        let with_fields = |first: Vec<u8>| [first, message(&fields)].concat();
        let cases = [
            (
                0,
                [
                    with_fields(message(&[Number(1), Bytes(b"GET"), Bytes(b"/\xff")])),
                    message(&[Bytes(b"::1"), Number(1), Bytes(b"CN=a"), Number(1), Bytes(b"a.example")]),
                    message(&[Number(0), Bytes(&[7; 32])]),
                ]
                .concat(),
                Input::Request(Request {
                    method: b"GET".into(),
                    path: b"/\xff".into(),
                    headers: headers(),
                    end: true,
                    peer: Peer {
                        address: "::1".parse().ok(),
                        certificate: Some(Box::new(Certificate {
                            subject: "CN=a".into(),
                            dns: vec!["a.example".into()],
                            uris: Vec::new(),
                            sha256: Some([7; 32]),
                        })),
                        claims: Vec::new(),
                    },
                }),
            ),
            (1, message(&[Number(1), Bytes(b"{}")]), Input::Body { bytes: b"{}".into(), last: true }),
            (
                2,
                with_fields(message(&[Number(0), Number(200)])),
                Input::Response(ResponseHead { status: 200, headers: headers(), end: false }),
            ),
            (3, message(&[Number(0), Bytes(b"")]), Input::ResponseBody { bytes: Vec::new(), last: false }),
            (
                4,
                [with_fields(message(&[Number(201)])), message(&[Bytes(b"x")])].concat(),
                Input::Reply(Response { status: 201, headers: headers(), body: b"x".into() }),
            ),
            (
                5,
                message(&[Number(0), Number(0), Bytes(b""), Number(0), Number(0)]),
                Input::Stored(Stored::Value { value: None, version: 0 }),
            ),
            (
                5,
                message(&[Number(0), Number(1), Bytes(b"v"), Number(7), Number(1)]),
                Input::Stored(Stored::Value { value: Some(b"v".into()), version: (1 << 32) + 7 }),
            ),
            (5, message(&[Number(1), Number(1)]), Input::Stored(Stored::Put(true))),
            (5, message(&[Number(2), Number(u32::MAX), Number(u32::MAX)]), Input::Stored(Stored::Number(-1))),
            (6, message(&[Number(1)]), Input::Verified(true)),
            (7, Vec::new(), Input::Elapsed),
            (8, message(&[Number(2)]), Input::Fault(Fault::Timeout)),
        ];
        for (kind, bytes, input) in cases {
            assert_eq!(Reader(&bytes).input(kind), Some(input), "kind {kind}");
            for cut in 0..bytes.len() {
                assert_eq!(Reader(&bytes[..cut]).input(kind), None, "kind {kind}, {cut} bytes");
            }
            assert_eq!(Reader(&[bytes, vec![0]].concat()).input(kind), None, "kind {kind}, a byte too many");
        }
    }

    #[test]
    fn an_action_carries_its_parts_in_order() {
        let call = Call {
            method: "PUT",
            scheme: scimlock::Scheme::Https,
            authority: "a.example:1".into(),
            cluster: None,
            path: "/p?q".into(),
            headers: Headers::from_iter([("accept", "x")]),
            body: b"{}".into(),
        };
        let mut out = Writer(Vec::new());
        out.action(&Action::Forward { call, timeout: u64::MAX });
        let parts = [
            Number(5),
            Number(u32::MAX),
            Bytes(b"PUT"),
            Bytes(b"https://a.example:1/p?q"),
            Number(1),
            Bytes(b"accept"),
            Bytes(b"x"),
            Bytes(b"{}"),
        ];
        assert_eq!(out.0, message(&parts));
    }

    #[test]
    fn store_requests_and_signatures_carry_their_parts_in_order() {
        let store = |operation| {
            let mut out = Writer(Vec::new());
            out.action(&Action::Store(StoreRequest {
                key: [1; 32],
                class: StoreClass::Shared,
                secret: true,
                operation,
            }));
            out.0
        };
        let start = [Number(2), Bytes(&[1; 32]), Number(1), Number(1)];
        let with = |parts: &[Part<'_>]| [message(&start), message(parts)].concat();
        assert_eq!(store(StoreOperation::Get), with(&[Number(0)]));
        let put = StoreOperation::Put { expect: Some(5), value: b"v".into(), ttl: 1 << 32 };
        let parts = [Number(1), Number(1), Number(5), Number(0), Bytes(b"v"), Number(0), Number(1)];
        assert_eq!(store(put), with(&parts));
        let add = StoreOperation::Add { delta: -2, ttl: 9 };
        assert_eq!(
            store(add),
            with(&[Number(2), Number(u32::MAX - 1), Number(u32::MAX), Number(9), Number(0)])
        );
        let mut out = Writer(Vec::new());
        out.action(&Action::Verify(scimlock::Verify {
            algorithm: "ES256",
            key: b"k".into(),
            message: b"m".into(),
            signature: b"s".into(),
        }));
        assert_eq!(out.0, message(&[Number(3), Bytes(b"ES256"), Bytes(b"k"), Bytes(b"m"), Bytes(b"s")]));
    }

    #[test]
    fn misuse_answers_a_value() {
        let misuse = message(&[Number(12), Number(0), Number(MISUSE)]);
        let mut host = Host::new();
        host.reserve(16).unwrap();
        assert_eq!(host.open(0), None, "nothing was compiled");
        assert_eq!(host.handle(0, 0.0, 7), misuse, "no such exchange");
        assert_eq!(host.handle(7, f64::NAN, u32::MAX), misuse, "no such kind");
        host.reserve(3).unwrap();
        assert_eq!(host.compile(), message(&[Number(8), Number(0)]), "no message");
        assert_eq!(host.secrets(), message(&[Number(8), Number(0)]), "no message");
    }

    #[test]
    fn a_configuration_that_does_not_compile_says_why_and_leaves_no_gateway() {
        let mut host = Host::new();
        input(
            &mut host,
            &message(&[Number(0), Number(1), Number(0), Bytes(b"{\"version\":1,\"nonsense\":true}")]),
        );
        let answer = host.compile().to_vec();
        let mut answer = Reader(&answer[4..]);
        assert_eq!(answer.number(), Some(0));
        let problems: serde_json::Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        assert!(problems.as_array().unwrap().iter().any(|one| one["pointer"] == "/nonsense"), "{problems}");
        host.reserve(16).unwrap();
        assert_eq!(host.open(0), None);
    }

    #[test]
    fn buffers_are_given_back_after_a_large_message() {
        let mut host = Host::new();
        host.reserve(4 << 20).unwrap();
        host.reserve(1).unwrap();
        assert!(host.input.capacity() <= KEPT_CAPACITY);
        host.answer(|out| out.bytes(&[0; 4 << 20]));
        host.answer(|out| out.number(1));
        host.answer(|out| out.number(1));
        assert!(host.output.capacity() <= KEPT_CAPACITY);
    }

    fn message(parts: &[Part<'_>]) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        for part in parts {
            match part {
                Number(number) => out.number(*number),
                Bytes(bytes) => out.bytes(bytes),
            }
        }
        out.0
    }

    fn input(host: &mut Host, bytes: &[u8]) {
        host.reserve(count(bytes.len())).unwrap().copy_from_slice(bytes);
    }
}
