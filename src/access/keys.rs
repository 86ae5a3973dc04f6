//! Where an issuer's keys come from: the configuration, a URL, or OpenID Connect Discovery 1.0 (section 4).
//!
//! Fetched keys live in the store. They are fetched anew when they are old, or when a token names a key they do not
//! have, but not more often than [`FLOOR`]; they outlive an issuer that cannot be reached by [`KEPT`]. One exchange
//! fetches, the others wait for it.

use std::sync::Arc;

use serde_json::Value;

use crate::errand::{Answer, Need, Turn};
use crate::http::url::Url;
use crate::http::{Call, Headers, Response};
use crate::jose::{Algorithm, Key, KeySet, NoKey};
use crate::json::parse;
use crate::store::{self, StoreClass, StoreOperation, StoreRequest, Stored};

/// An address that may be called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint {
    /// Its URL.
    pub(crate) url: Url,
    /// The Envoy cluster of its host, where the host needs one.
    pub(crate) cluster: Option<String>,
}

/// Where keys come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The configuration.
    Fixed(Arc<KeySet>),
    /// The issuer.
    Fetched(Arc<Fetched>),
}

/// How keys are fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    place: Place,
    /// Stands for this source in the store.
    owner: [u8; 32],
}

/// Which addresses are asked.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The key set's own.
    Keys(Endpoint),
    /// The issuer's metadata, which names the key set's.
    Discovery {
        /// The metadata.
        metadata: Endpoint,
        /// What it must say its issuer is.
        issuer: String,
        /// Bases of which the key set's address must have the origin.
        origins: Vec<Endpoint>,
    },
}

/// What came of looking for a key.
#[derive(Debug)]
pub(super) enum Found {
    Key(Box<Key>),
    /// The issuer's keys are known, and this is none of them.
    None,
    /// The issuer cannot be asked.
    Unreachable,
}

impl Source {
    /// Keys that are fetched.
    pub(crate) fn fetched(place: Place) -> Self {
        let owner = store::digest(&[format!("{place:?}").as_bytes()]);
        Self::Fetched(Arc::new(Fetched { place, owner }))
    }

    /// Looks for the key of a token.
    pub(super) fn find(&self, algorithm: Algorithm, kid: Option<String>) -> Turn<Found> {
        match self {
            Self::Fixed(keys) => Turn::Ready(match keys.choose(algorithm, kid.as_deref()) {
                Ok(key) => Found::Key(Box::new(key.clone())),
                Err(_) => Found::None,
            }),
            Self::Fetched(source) => source.find(Wanted { algorithm, kid }, PATIENCE),
        }
    }
}

/// Which key is looked for.
#[derive(Clone, Debug)]
struct Wanted {
    algorithm: Algorithm,
    kid: Option<String>,
}

/// What the store has of an issuer.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// When the keys were fetched, Unix milliseconds.
    fetched: u64,
    /// When that was tried last.
    tried: u64,
    /// The key set as it came; empty before it did.
    text: Vec<u8>,
}

impl Fetched {
    fn find(self: &Arc<Self>, wanted: Wanted, patience: u32) -> Turn<Found> {
        let this = Arc::clone(self);
        Turn::ask(self.store(b"keys", StoreOperation::Get), move |now, answer| {
            let entry = match answer {
                Answer::Stored(Stored::Value { value: Some(value), .. }) => Entry::read(&value),
                _ => None,
            };
            this.decide(now, wanted, entry.unwrap_or_default(), patience)
        })
    }

    fn decide(self: Arc<Self>, now: u64, wanted: Wanted, entry: Entry, patience: u32) -> Turn<Found> {
        let chosen = entry.choose(&wanted);
        let since = |then: u64| now.saturating_sub(then);
        let tried = since(entry.tried) < FLOOR;
        match chosen {
            Some(Ok(key)) if since(entry.fetched) < FRESH || tried => Turn::Ready(Found::Key(Box::new(key))),
            Some(Err(NoKey::Unfit)) if since(entry.fetched) < FRESH || tried => Turn::Ready(Found::None),
            // The last try failed: what the issuer's keys are now is not known.
            Some(Err(NoKey::Unknown)) if tried && entry.tried > entry.fetched => {
                Turn::Ready(Found::Unreachable)
            }
            Some(Err(NoKey::Unknown)) if tried => Turn::Ready(Found::None),
            None if since(entry.tried) < PAUSE => Turn::Ready(Found::Unreachable),
            _ => self.lead(wanted, entry, patience),
        }
    }

    /// Fetches the keys, or waits for the exchange that does.
    fn lead(self: Arc<Self>, wanted: Wanted, entry: Entry, patience: u32) -> Turn<Found> {
        let lease = self.store(b"lease", StoreOperation::Add { delta: 1, ttl: LEASE });
        Turn::ask(lease, move |_, answer| match answer {
            Answer::Stored(Stored::Number(number)) if number > 1 => {
                if patience == 0 {
                    return Turn::Ready(Found::Unreachable);
                }
                Turn::ask(Need::Wait(STEP), move |_, _| self.find(wanted, patience - 1))
            }
            _ => self.fetch(wanted, entry),
        })
    }

    fn fetch(self: Arc<Self>, wanted: Wanted, entry: Entry) -> Turn<Found> {
        match &self.place {
            Place::Keys(endpoint) => {
                let call = Need::Call(get(endpoint, &endpoint.url.path), TIMEOUT);
                Turn::ask(call, move |now, answer| self.arrived(now, wanted, entry, answer))
            }
            Place::Discovery { metadata, .. } => {
                let call = Need::Call(get(metadata, &metadata.url.path), TIMEOUT);
                Turn::ask(call, move |now, answer| match self.key_address(answer) {
                    Some(call) => Turn::ask(Need::Call(call, TIMEOUT), move |now, answer| {
                        self.arrived(now, wanted, entry, answer)
                    }),
                    None => self.settle(now, wanted, entry, None),
                })
            }
        }
    }

    /// The request for the keys that an issuer's metadata lead to.
    fn key_address(&self, answer: Answer) -> Option<Call> {
        let Place::Discovery { issuer, origins, .. } = &self.place else { return None };
        let body = good(answer)?;
        let metadata = parse(&body)?;
        // OpenID Connect Discovery 1.0, section 4.3: the issuer MUST be the one that was asked.
        if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return None;
        }
        let address = metadata.get("jwks_uri").and_then(Value::as_str)?;
        let origin = origins.iter().find_map(|endpoint| {
            let origin = Url { path: String::new(), ..endpoint.url.clone() };
            let rest = origin.rest_of(address).filter(|rest| !rest.contains('#'))?;
            Some((endpoint, rest.to_owned()))
        });
        let (endpoint, path) = origin?;
        path.bytes().all(|byte| byte.is_ascii_graphic()).then(|| get(endpoint, &path))
    }

    fn arrived(self: Arc<Self>, now: u64, wanted: Wanted, entry: Entry, answer: Answer) -> Turn<Found> {
        let text = good(answer).filter(|text| KeySet::parse(text).is_some_and(|keys| !keys.is_empty()));
        self.settle(now, wanted, entry, text)
    }

    /// Keeps what came, or that nothing came, and looks once more.
    fn settle(self: Arc<Self>, now: u64, wanted: Wanted, entry: Entry, text: Option<Vec<u8>>) -> Turn<Found> {
        let failed = text.is_none();
        let entry = match text {
            Some(text) => Entry { fetched: now, tried: now, text },
            None if now.saturating_sub(entry.fetched) < KEPT => Entry { tried: now, ..entry },
            None => Entry { tried: now, ..Entry::default() },
        };
        let put = StoreOperation::Put { expect: None, value: entry.write(), ttl: KEPT };
        Turn::ask(self.store(b"keys", put), move |_, _| {
            Turn::Ready(match entry.choose(&wanted) {
                Some(Ok(key)) => Found::Key(Box::new(key)),
                Some(Err(_)) if !failed => Found::None,
                Some(Err(NoKey::Unfit)) => Found::None,
                Some(Err(NoKey::Unknown)) | None => Found::Unreachable,
            })
        })
    }

    fn store(&self, what: &[u8], operation: StoreOperation) -> Need {
        let key = store::key("issuer keys", &self.owner, what);
        Need::Store(StoreRequest { key, class: StoreClass::Local, secret: false, operation })
    }
}

impl Entry {
    fn choose(&self, wanted: &Wanted) -> Option<Result<Key, NoKey>> {
        let keys = KeySet::parse(&self.text)?;
        Some(keys.choose(wanted.algorithm, wanted.kid.as_deref()).cloned())
    }

    fn write(&self) -> Vec<u8> {
        [&self.fetched.to_le_bytes(), &self.tried.to_le_bytes(), self.text.as_slice()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (fetched, rest) = bytes.split_first_chunk()?;
        let (tried, text) = rest.split_first_chunk()?;
        Some(Self {
            fetched: u64::from_le_bytes(*fetched),
            tried: u64::from_le_bytes(*tried),
            text: text.to_vec(),
        })
    }
}

fn get(endpoint: &Endpoint, path: &str) -> Call {
    endpoint.call("GET", path, Headers::from_iter([("accept", "application/json")]), Vec::new())
}

impl Endpoint {
    /// A request to this address's host.
    pub(super) fn call(&self, method: &'static str, path: &str, mut headers: Headers, body: Vec<u8>) -> Call {
        headers.push("accept-encoding", "identity");
        Call {
            method,
            scheme: self.url.scheme,
            authority: self.url.authority(),
            cluster: self.cluster.clone(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            headers,
            body,
        }
    }
}

/// The body of a 200; redirects and everything else are failures.
fn good(answer: Answer) -> Option<Vec<u8>> {
    match answer {
        Answer::Reply(Response { status: 200, body, .. }) => Some(body),
        _ => None,
    }
}

/// Milliseconds for which keys are taken without asking again.
const FRESH: u64 = 15 * 60_000;

/// Milliseconds between two tries: an unknown key name is anybody's to invent.
const FLOOR: u64 = 30_000;

/// Milliseconds between two tries while there is no key at all.
const PAUSE: u64 = LEASE;

/// Milliseconds for which keys are good while the issuer cannot be reached.
const KEPT: u64 = 24 * 3_600_000;

/// Milliseconds for an answer of the issuer.
const TIMEOUT: u64 = 5_000;

/// Milliseconds after which another exchange may fetch, too: longer than two answers take.
const LEASE: u64 = 2 * TIMEOUT + 1_000;

/// Milliseconds between two looks at what another exchange fetches, and how many there are.
const STEP: u64 = 100;
const PATIENCE: u32 = 60;
