//! What is fetched once and kept in the store until it ends: tokens and sessions.
//!
//! One exchange fetches under a lease, which ends by itself; the others use what is still good, or wait. What is
//! about to end is fetched anew while it is still used. After a failure nobody tries for a moment.

use std::sync::Arc;

use super::Secret;
use super::flow::Flow;
use super::session::Session;
use crate::errand::{Answer, Need, Turn};
use crate::error::ScimError;
use crate::store::{self, StoreClass, StoreOperation, StoreRequest, Stored};

/// Something that is fetched and kept.
#[derive(Debug)]
pub(crate) struct Kept {
    key: [u8; 32],
    source: Source,
}

/// How it is fetched.
#[derive(Debug)]
pub(super) enum Source {
    /// A token.
    Flow(Flow),
    /// A session of the credential with that digest.
    Session(Session, [u8; 32]),
}

/// What was fetched, and when (Unix milliseconds): that names it when it is refused.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(super) value: Secret,
    pub(super) at: u64,
}

/// What was fetched, and how many milliseconds it is good for.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) value: Secret,
    pub(super) life: u64,
}

/// Why nothing was fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    Unreachable,
    Timeout,
    Broken,
    /// The answer is not what it should be.
    Unreadable,
    /// It was refused, with this status and, by its place in the list of [`super::flow`], this reason.
    Refused(u16, u8),
    /// Another exchange has been fetching for too long.
    Waiting,
}

impl Trouble {
    fn code(self) -> [u8; 4] {
        let (kind, status, reason) = match self {
            Self::Unreachable => (1, 0, 0),
            Self::Timeout => (2, 0, 0),
            Self::Broken => (3, 0, 0),
            Self::Unreadable => (4, 0, 0),
            Self::Refused(status, reason) => (5, status, reason),
            Self::Waiting => (6, 0, 0),
        };
        let [high, low] = status.to_be_bytes();
        [kind, high, low, reason]
    }

    const fn of([kind, high, low, reason]: [u8; 4]) -> Option<Self> {
        Some(match kind {
            1 => Self::Unreachable,
            2 => Self::Timeout,
            3 => Self::Broken,
            4 => Self::Unreadable,
            5 => Self::Refused(u16::from_be_bytes([high, low]), reason),
            6 => Self::Waiting,
            _ => return None,
        })
    }
}

/// What the store has.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// When it was fetched, from when another is fetched, and when it ends.
    at: u64,
    renew: u64,
    end: u64,
    /// Until when one exchange has the right to fetch.
    lease: u64,
    /// Until when nobody tries again, and what went wrong.
    pause: u64,
    trouble: [u8; 4],
    /// Empty: there is none.
    value: Secret,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut number = || {
            let (first, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u64::from_be_bytes(*first))
        };
        let (at, renew, end, lease, pause) = (number()?, number()?, number()?, number()?, number()?);
        let (trouble, value) = rest.split_first_chunk()?;
        let value = Secret::new(str::from_utf8(value).ok()?);
        Some(Self { at, renew, end, lease, pause, trouble: *trouble, value })
    }

    fn write(&self) -> Vec<u8> {
        let numbers = [self.at, self.renew, self.end, self.lease, self.pause];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        bytes.extend(self.trouble);
        bytes.extend(self.value.expose().bytes());
        bytes
    }

    /// The value, if it is good still and not the refused one.
    fn good(&self, now: u64, refused: Option<u64>) -> Option<Got> {
        let there = !self.value.expose().is_empty() && now < self.end && refused != Some(self.at);
        there.then(|| Got { value: self.value.clone(), at: self.at })
    }
}

type Outcome = Result<Got, ScimError>;

/// What an exchange that wants the value brings along.
#[derive(Clone, Debug)]
struct Want {
    /// A text that no other exchange has.
    seed: String,
    /// The Authorization field a session is opened with.
    authorization: Option<Secret>,
    refused: Option<u64>,
    /// How often it is looked again.
    patience: u32,
}

impl Kept {
    pub(super) fn new(source: Source) -> Self {
        let key = match &source {
            Source::Flow(flow) => store::key("token", &flow.digest(), b""),
            Source::Session(session, owner) => store::key("session", &session.digest(), owner),
        };
        Self { key, source }
    }

    pub(super) const fn key(&self) -> [u8; 32] {
        self.key
    }

    /// The value: kept, or fetched now. `refused` is when the one was fetched that is no good.
    pub(super) fn get(
        self: &Arc<Self>,
        seed: &str,
        authorization: Option<Secret>,
        refused: Option<u64>,
    ) -> Turn<Outcome> {
        Arc::clone(self).look(Want { seed: seed.to_owned(), authorization, refused, patience: PATIENCE })
    }

    fn look(self: Arc<Self>, want: Want) -> Turn<Outcome> {
        Turn::ask(self.store(StoreOperation::Get), move |now, answer| match answer {
            Answer::Stored(Stored::Value { value, version }) => {
                let entry = value.and_then(|value| Entry::read(&value)).unwrap_or_default();
                self.decide(now, want, entry, version)
            }
            // Without a store everybody fetches.
            _ => self.fetch(now, want, Entry::default()),
        })
    }

    fn decide(self: Arc<Self>, now: u64, want: Want, entry: Entry, version: u64) -> Turn<Outcome> {
        let good = entry.good(now, want.refused);
        let paused = entry.pause > now;
        match good {
            Some(got) if now < entry.renew || entry.lease > now || paused => Turn::Ready(Ok(got)),
            None if paused => {
                let trouble = Trouble::of(entry.trouble).unwrap_or(Trouble::Broken);
                Turn::Ready(Err(self.error(trouble)))
            }
            None if entry.lease > now => self.wait(want),
            good => {
                let leased = Entry { lease: now.saturating_add(self.lease()), ..entry };
                let put = self.put(now, Some(version), &leased);
                Turn::ask(put, move |now, answer| match (answer, good) {
                    (Answer::Stored(Stored::Put(false)), Some(got)) => Turn::Ready(Ok(got)),
                    (Answer::Stored(Stored::Put(false)), None) => self.wait(want),
                    _ => self.fetch(now, want, leased),
                })
            }
        }
    }

    fn wait(self: Arc<Self>, mut want: Want) -> Turn<Outcome> {
        if want.patience == 0 {
            return Turn::Ready(Err(self.error(Trouble::Waiting)));
        }
        want.patience -= 1;
        Turn::ask(Need::Wait(STEP), move |_, _| self.look(want))
    }

    fn fetch(self: Arc<Self>, now: u64, want: Want, leased: Entry) -> Turn<Outcome> {
        let fetched = match &self.source {
            Source::Flow(flow) => flow.run(now, &want.seed),
            Source::Session(session, _) => session.open(now, want.authorization.as_ref()),
        };
        fetched.then(now, move |now, fetched| {
            let (entry, outcome) = match fetched {
                Ok(Fresh { value, life }) => {
                    let life = life.max(SHORTEST);
                    let renew = now.saturating_add(life - (life / 5).min(EARLY));
                    let end = now.saturating_add(life - (life / 10).min(SKEW));
                    let got = Got { value: value.clone(), at: now };
                    (Entry { at: now, renew, end, value, ..Entry::default() }, Ok(got))
                }
                Err(trouble) => {
                    let old = leased.good(now, want.refused);
                    let pause = now.saturating_add(PAUSE);
                    let entry = Entry { lease: 0, pause, trouble: trouble.code(), ..leased };
                    (entry, old.ok_or_else(|| self.error(trouble)))
                }
            };
            Turn::ask(self.put(now, None, &entry), move |_, _| Turn::Ready(outcome))
        })
    }

    /// How long the right to fetch lasts: longer than fetching may take.
    fn lease(&self) -> u64 {
        let steps = match &self.source {
            Source::Flow(flow) => flow.steps(),
            Source::Session(..) => 1,
        };
        steps * TIMEOUT + STEP
    }

    fn put(&self, now: u64, expect: Option<u64>, entry: &Entry) -> Need {
        let end = entry.end.max(entry.lease).max(entry.pause);
        let ttl = end.saturating_sub(now).max(1);
        self.store(StoreOperation::Put { expect, value: entry.write(), ttl })
    }

    fn store(&self, operation: StoreOperation) -> Need {
        Need::Store(StoreRequest { key: self.key, class: StoreClass::Local, secret: true, operation })
    }

    fn error(&self, trouble: Trouble) -> ScimError {
        match &self.source {
            Source::Flow(flow) => flow.error(trouble),
            Source::Session(session, _) => session.error(trouble),
        }
    }
}

/// Milliseconds one request for a token may take.
pub(super) const TIMEOUT: u64 = 10_000;

/// Milliseconds between two looks at what another exchange fetches, and how often it is looked.
const STEP: u64 = 100;
const PATIENCE: u32 = 120;

/// Milliseconds for which nobody tries again after a failure.
const PAUSE: u64 = 1_000;

/// Milliseconds before its end from which a value is fetched anew, and in which it is no longer used.
const EARLY: u64 = 5 * 60_000;
const SKEW: u64 = 10_000;

/// Whatever a server says of a life time, something lives as long as one request takes.
const SHORTEST: u64 = 1_000;
