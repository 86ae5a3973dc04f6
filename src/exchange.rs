//! One request of an IdP, from its head to the answer: what hosts drive.
//!
//! One input in, one action out; the host carries the action out before the next input. Effects are drained
//! after each `handle` and carried out before the action. Dropping an exchange cancels it.

use std::sync::Arc;

use crate::{Call, Gateway, Headers, Request, Response};

/// The head of a provider's answer to a forwarded request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// All header fields.
    pub headers: Headers,
    /// True when the host knows that no body follows.
    pub end: bool,
}

/// What a host feeds in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input {
    /// The request's head: the first input of every exchange.
    Request(Request),
    /// Bytes of the request's body, after `Read`.
    Body {
        /// The bytes.
        bytes: Vec<u8>,
        /// No more will come (trailers count as the end and are not passed on).
        last: bool,
    },
    /// The head of the provider's answer, after `Forward`.
    Response(ResponseHead),
    /// Bytes of the provider's answer, after `Read` on the response side.
    ResponseBody {
        /// The bytes.
        bytes: Vec<u8>,
        /// No more will come.
        last: bool,
    },
    /// The complete answer to a `Callout`.
    Reply(Response),
    /// The result of a `Store` action.
    Stored(Option<Vec<u8>>),
    /// The result of a `Verify` action.
    Verified(bool),
    /// The time of a `Wait` action is over.
    Elapsed,
    /// What the host was doing failed.
    Fault(Fault),
}

/// What can go wrong in a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A body is over what the host can hold.
    TooLarge,
    /// No connection to the provider.
    Unreachable,
    /// The provider did not answer in time.
    Timeout,
    /// The provider's connection broke.
    Reset,
}

/// What the host is to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Deliver the body (of the request, or of the response once its head was delivered). `whole`: hold
    /// everything back until it was read completely. A host may deliver it at once or in parts.
    Read {
        /// Hold head and body back until the last byte was read.
        whole: bool,
    },
    /// Send this request beside the exchange and deliver `Reply` or `Fault`. Redirects are not followed.
    Callout {
        /// The request.
        call: Call,
        /// Milliseconds until `Fault(Timeout)`.
        timeout: u64,
    },
    /// Read or write the store, then deliver `Stored`.
    Store(crate::store::StoreRequest),
    /// Verify a signature, then deliver `Verified`.
    Verify {
        /// The algorithm (JWA name).
        algorithm: &'static str,
        /// The public key, as a JWK.
        key: Vec<u8>,
        /// What was signed.
        message: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    },
    /// Deliver `Elapsed` after so many milliseconds.
    Wait(u64),
    /// Send this request to the provider in place of the IdP's, and deliver the answer's head as `Response`.
    Forward {
        /// The request, body included.
        call: Call,
        /// Milliseconds until `Fault(Timeout)`.
        timeout: u64,
    },
    /// Pass these bytes on to the peer (streaming hosts).
    Emit {
        /// The bytes.
        bytes: Vec<u8>,
        /// No more will come.
        last: bool,
    },
    /// Answer the IdP; on the response side this replaces the provider's answer. The exchange is over.
    Respond(Response),
    /// Break the connection to the IdP: an answer had begun and cannot be completed. The exchange is over.
    Abort,
    /// Nothing is left to do.
    Done,
}

/// Fire-and-forget values for the host: logs, metrics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// One record an exchange, as one line of JSON.
    Audit(String),
    /// Add to a counter.
    Metric {
        /// The metric's name.
        name: &'static str,
        /// Label names and values, from the configuration's and the engine's own words only.
        labels: Vec<(&'static str, String)>,
        /// What to add.
        value: u64,
    },
    /// One step of an explanation, as one line of JSON; only when asked for.
    Trace(String),
}

/// One request of an IdP.
#[derive(Debug)]
pub struct Exchange {
    gateway: Arc<Gateway>,
}

impl Exchange {
    /// A new exchange; `seed` is 16 random bytes of the host's, from which ids are made.
    pub fn new(gateway: Arc<Gateway>, seed: [u8; 16]) -> Self {
        let _ = seed;
        Self { gateway }
    }

    /// Takes one input and answers one action. `now` is Unix time in milliseconds.
    pub fn handle(&mut self, now: u64, input: Input) -> Action {
        let _ = (now, input, &self.gateway);
        Action::Done
    }

    /// Takes the effects gathered since the last call.
    pub fn effects(&mut self) -> Vec<Effect> {
        Vec::new()
    }
}
