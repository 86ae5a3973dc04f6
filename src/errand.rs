//! An errand: a part of the engine that has to ask the host before it can go on, one question at a time.
//!
//! Access, credentials and guards are written as errands. Whoever runs one, the exchange above all, carries
//! [`Need`]s out and hands [`Answer`]s back until it is [`Turn::Ready`].

use std::fmt;

use crate::exchange::{Action, Fault, Input};
use crate::http::{Call, Response};
use crate::store::{StoreRequest, Stored};

/// What has to be asked of the host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Need {
    /// The store.
    Store(StoreRequest),
    /// A request to somebody else than the provider's SCIM endpoints; answered within so many milliseconds.
    Call(Call, u64),
    /// A signature or a password to verify.
    Verify(Verify),
    /// So many milliseconds to pass.
    Wait(u64),
}

/// A signature to verify, or a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verify {
    /// The algorithm (JWA name, RFC 7518 section 3.1); for a password `argon2id`, `bcrypt` or `pbkdf2`.
    pub algorithm: &'static str,
    /// The public key: SubjectPublicKeyInfo, DER (RFC 5280 section 4.1); for a password its hash, as a PHC string.
    pub key: Vec<u8>,
    /// What was signed, or the password.
    pub message: Vec<u8>,
    /// The signature, as JWS has it (RFC 7515): for ECDSA the two numbers one behind the other. Empty for a password.
    pub signature: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// From the store.
    Stored(Stored),
    /// To a request.
    Reply(Response),
    /// Whether the signature is right.
    Verified(bool),
    /// The time is over.
    Elapsed,
    /// What was asked failed.
    Failed(Fault),
}

/// Where an errand stands.
#[derive(Debug)]
pub(crate) enum Turn<T> {
    /// It is done.
    Ready(T),
    /// It has to ask, and goes on with the answer.
    Need(Need, Resume<T>),
}

/// How an errand goes on: with the time (Unix milliseconds) and what came back.
pub(crate) struct Resume<T>(Box<dyn FnOnce(u64, Answer) -> Turn<T> + Send + Sync>);

impl<T> fmt::Debug for Resume<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resume(…)")
    }
}

impl<T: 'static> Turn<T> {
    /// Asks, and goes on with `resume`.
    pub(crate) fn ask(need: Need, resume: impl FnOnce(u64, Answer) -> Self + Send + Sync + 'static) -> Self {
        Self::Need(need, Resume(Box::new(resume)))
    }

    /// Goes on with the outcome, at once where it is there; `now` is Unix time in milliseconds.
    pub(crate) fn then<U: 'static>(
        self,
        now: u64,
        next: impl FnOnce(u64, T) -> Turn<U> + Send + Sync + 'static,
    ) -> Turn<U> {
        match self {
            Self::Ready(outcome) => next(now, outcome),
            Self::Need(need, resume) => {
                Turn::ask(need, move |now, answer| resume.with(now, answer).then(now, next))
            }
        }
    }
}

impl<T> Resume<T> {
    /// Goes on with an answer to what was asked.
    pub(crate) fn with(self, now: u64, answer: Answer) -> Turn<T> {
        self.0(now, answer)
    }
}

/// Which kind of answer is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    Store,
    Call,
    Verify,
    Wait,
}

impl Need {
    /// The host's action for it, if `left` milliseconds are left, and what may answer it.
    pub(crate) fn action(self, left: u64) -> (Action, Asked) {
        match self {
            Self::Store(request) => (Action::Store(request), Asked::Store),
            Self::Call(call, timeout) => {
                (Action::Callout { call, timeout: timeout.min(left).max(1) }, Asked::Call)
            }
            Self::Verify(verify) => (Action::Verify(verify), Asked::Verify),
            Self::Wait(time) => (Action::Wait(time.min(left)), Asked::Wait),
        }
    }
}

impl Asked {
    /// The answer that an input is; `None` where it is none to what was asked.
    pub(crate) fn answer(self, input: Input) -> Option<Answer> {
        Some(match (self, input) {
            (Self::Store, Input::Stored(stored)) => Answer::Stored(stored),
            (Self::Call, Input::Reply(response)) if response.body.len() > LARGEST => {
                Answer::Failed(Fault::TooLarge)
            }
            (Self::Call, Input::Reply(response)) => Answer::Reply(response),
            (Self::Verify, Input::Verified(right)) => Answer::Verified(right),
            (Self::Wait, Input::Elapsed) => Answer::Elapsed,
            (Self::Store | Self::Call | Self::Verify, Input::Fault(fault)) => Answer::Failed(fault),
            _ => return None,
        })
    }
}

/// The largest answer in bytes that an errand reads: tokens and key sets are small.
const LARGEST: usize = 1 << 20;
