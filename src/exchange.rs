//! One request of an IdP, from its head to the answer: what hosts drive.
//!
//! One input in, one action out; the host carries the action out before the next input. Effects are drained
//! after each `handle` and carried out before the action. Dropping an exchange cancels it.

use std::sync::Arc;

use crate::access::Verdict;
use crate::access::server::{self, Grant, Place, Server};
use crate::audit::Audit;
use crate::config::Mode;
use crate::credential::{Refused, Shown};
pub use crate::errand::Verify;
use crate::errand::{Asked, Need, Resume, Turn};
use crate::error::ScimError;
use crate::gateway::Route;
use crate::http::path::Target;
use crate::operation::{self, Operation, Scene, Step};
use crate::trace::Trace;
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
    Stored(crate::store::Stored),
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
    /// Read or write the store, then deliver `Stored`, or `Fault` where the store cannot be reached.
    Store(crate::store::StoreRequest),
    /// Verify a signature, then deliver `Verified`, or `Fault` where it could not be tried (only where
    /// [`HostFacts::verifies`](crate::HostFacts) names the algorithm).
    Verify(Verify),
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
    /// Set a gauge.
    Gauge {
        /// The metric's name.
        name: &'static str,
        /// As those of a counter.
        labels: Vec<(&'static str, String)>,
        /// What it is from now on.
        value: u64,
    },
    /// One step of an explanation, as one line of JSON; only when asked for.
    Trace(String),
}

/// One request of an IdP.
#[derive(Debug)]
pub struct Exchange {
    /// Random bytes of the host's.
    seed: [u8; 16],
    gateway: Arc<Gateway>,
    /// The request's id: in error details and in the audit record.
    id: String,
    state: State,
    audit: Audit,
    trace: Trace,
    effects: Vec<Effect>,
    /// Unix milliseconds at which the exchange is given up.
    deadline: u64,
}

#[derive(Debug)]
enum State {
    ExpectRequest,
    /// Access has asked for something before it judges the request for this route.
    ExpectVerdict(usize, Box<Request>, Asked, Resume<Verdict>),
    ExpectBody(Under, Vec<u8>),
    /// A form for the route's own authorization server.
    ExpectForm(usize, Place, Box<Request>, Vec<u8>),
    /// The authorization server has asked for something.
    ExpectGrant(usize, Asked, Resume<Grant>),
    /// The operation has asked for something.
    ExpectAnswer(Under, Asked),
    /// The credential has asked for something before a call is sent.
    ExpectShown(Under, Sending, Asked, Resume<Result<Shown, ScimError>>),
    /// A callout is under way.
    ExpectReply(Under),
    /// The request was forwarded.
    ExpectResponse(Under),
    ExpectResponseBody(Under, Response),
    Over,
}

/// An operation and its route's number.
#[derive(Debug)]
struct Under {
    route: usize,
    operation: Box<Operation>,
    /// The call that is under way, if its credential can be renewed: kept until its answer is accepted.
    sent: Option<Box<Sent>>,
}

/// A call that is about to be sent, without its credential.
#[derive(Debug)]
struct Sending {
    call: Call,
    /// It may be forwarded in place of the IdP's request.
    forward: bool,
    /// What the provider refused of it before.
    refused: Refused,
}

/// A call that was sent.
#[derive(Debug)]
struct Sent {
    call: Call,
    refused: Refused,
    shown: Shown,
}

impl Exchange {
    /// A new exchange; `seed` is 16 random bytes of the host's, from which ids are made.
    pub fn new(gateway: Arc<Gateway>, seed: [u8; 16]) -> Self {
        let id = format!("{:016x}", u128::from_be_bytes(seed) >> 64);
        let (audit, trace, effects) = (Audit::default(), Trace::default(), Vec::new());
        Self { gateway, id, seed, state: State::ExpectRequest, audit, trace, effects, deadline: 0 }
    }

    /// Explains every step by an [`Effect::Trace`]. Attribute values are masked, unless `values` asks for them:
    /// they are personal data.
    #[must_use]
    pub fn explained(mut self, values: bool) -> Self {
        self.trace.begin(values);
        self
    }

    /// Takes one input and answers one action. `now` is Unix time in milliseconds.
    ///
    /// Which input may come is fixed by the action before: the request's head first; `Body` after `Read` on
    /// the request side; `Reply` or `Fault` after `Callout`; `Stored` or `Fault` after `Store`; `Verified` or
    /// `Fault` after `Verify`; `Elapsed` after `Wait`; `Response` or `Fault` after `Forward`; `ResponseBody` or
    /// `Fault` after `Read` on the response side. Anything else is a misuse by the host and ends in an error,
    /// never in a forwarded request.
    pub fn handle(&mut self, now: u64, input: Input) -> Action {
        let gateway = Arc::clone(&self.gateway);
        let outcome = match (std::mem::replace(&mut self.state, State::Over), input) {
            (State::Over, _) => return Action::Done,
            (State::ExpectRequest, Input::Request(request)) => {
                self.deadline = now.saturating_add(gateway.limits.time);
                self.request(&gateway, now, &request)
            }
            (State::ExpectVerdict(index, request, asked, resume), input) => match asked.answer(input) {
                Some(answer) => self.judge(&gateway, now, index, request, resume.with(now, answer)),
                None => Err(lost()),
            },
            (State::ExpectAnswer(under, asked), input) => match asked.answer(input) {
                Some(answer) => {
                    self.progress(&gateway, now, under, |operation, scene| operation.answered(scene, answer))
                }
                None => Err(lost()),
            },
            (State::ExpectForm(index, place, request, body), Input::Body { bytes, last }) => {
                self.form(&gateway, now, index, place, request, body, bytes, last)
            }
            (State::ExpectGrant(index, asked, resume), input) => match asked.answer(input) {
                Some(answer) => self.granting(&gateway, now, index, resume.with(now, answer)),
                None => Err(lost()),
            },
            (State::ExpectShown(under, sending, asked, resume), input) => match asked.answer(input) {
                Some(answer) => {
                    if asked == Asked::Call {
                        self.audit.fetched(&answer);
                    }
                    self.send(&gateway, now, under, sending, resume.with(now, answer))
                }
                None => Err(lost()),
            },
            (State::ExpectBody(under, body), Input::Body { bytes, last }) => {
                self.body(&gateway, now, under, body, bytes, last)
            }
            (State::ExpectReply(under), Input::Reply(response)) => {
                self.audit.called(response.status.to_string());
                match Self::refused(&gateway, &under, response.status, &response.headers) {
                    Some(refused) => self.renew(&gateway, now, under, refused),
                    None => self.resume(&gateway, now, under, response),
                }
            }
            (State::ExpectResponse(under), Input::Response(head)) => {
                self.audit.called(head.status.to_string());
                let response = Response { status: head.status, headers: head.headers, body: Vec::new() };
                if let Some(refused) = Self::refused(&gateway, &under, response.status, &response.headers) {
                    self.renew(&gateway, now, under, refused)
                } else if head.end {
                    self.resume(&gateway, now, under, response)
                } else {
                    self.state = State::ExpectResponseBody(under, response);
                    Ok(Action::Read { whole: true })
                }
            }
            (State::ExpectResponseBody(under, response), Input::ResponseBody { bytes, last }) => {
                self.response_body(&gateway, now, under, response, bytes, last)
            }
            (State::ExpectBody(..) | State::ExpectForm(..), Input::Fault(fault)) => Err(match fault {
                Fault::TooLarge => ScimError::new(413, "the body is larger than the gateway can hold"),
                Fault::Timeout => ScimError::new(408, "the body did not arrive in time"),
                Fault::Unreachable | Fault::Reset => ScimError::new(400, "the body broke off"),
            }),
            (
                State::ExpectReply(under)
                | State::ExpectResponse(under)
                | State::ExpectResponseBody(under, _),
                Input::Fault(fault),
            ) => self.fault(&gateway, now, under, fault),
            _ => Err(lost()),
        };
        let action = outcome.unwrap_or_else(|error| self.respond(now, error.response(&self.id)));
        self.effects.extend(self.trace.take().into_iter().map(Effect::Trace));
        action
    }

    /// The host gives the exchange up before it is over, because the IdP has gone. The record of it is among
    /// the effects: what was under way at the provider may have happened.
    pub fn abandon(&mut self, now: u64) {
        if !matches!(self.state, State::Over | State::ExpectRequest) {
            self.record(now, ABANDONED);
        }
    }

    /// Takes the effects gathered since the last call; they come before the last action.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn request(&mut self, gateway: &Gateway, now: u64, request: &Request) -> Result<Action, ScimError> {
        self.trace.step("request", |line| {
            line.text("method", &String::from_utf8_lossy(&request.method));
            let path = String::from_utf8_lossy(&request.path);
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            line.text("path", path);
            line.query(query);
        });
        let target = Target::parse(&request.path).map_err(|bad| ScimError::new(400, bad.detail()))?;
        if let Some(path) = target.under(server::WELL_KNOWN) {
            return self.metadata(gateway, now, request, path);
        }
        let mut routes = gateway.routes.iter().enumerate();
        let found = routes.find(|(_, route)| target.under(&route.path).is_some());
        // RFC 7644 section 3.13: a version that is not offered is refused as such, by the route of the others.
        let other_version =
            || gateway.routes.iter().enumerate().find(|(_, route)| target.of_another_version(&route.path));
        let Some((index, route)) = found.or_else(other_version) else {
            return Err(ScimError::new(404, "no route of the gateway has this path"));
        };
        self.audit.route = Some(route.name.clone());
        let place = target.under(&route.path).and_then(Server::place);
        if let (Some(_), Some(place)) = (route.access.server(), place) {
            return self.serve(now, (index, route), place, request, &target);
        }
        match route.access.begin(request, now) {
            Turn::Ready(verdict) => self.judged(gateway, now, index, request, verdict),
            Turn::Need(need, resume) => {
                let (action, asked) = self.ask(now, need)?;
                self.state = State::ExpectVerdict(index, Box::new(request.clone()), asked, resume);
                Ok(action)
            }
        }
    }

    /// Goes on with access, which had asked for something.
    fn judge(
        &mut self,
        gateway: &Gateway,
        now: u64,
        index: usize,
        request: Box<Request>,
        turn: Turn<Verdict>,
    ) -> Result<Action, ScimError> {
        match turn {
            Turn::Ready(verdict) => self.judged(gateway, now, index, &request, verdict),
            Turn::Need(need, resume) => {
                let (action, asked) = self.ask(now, need)?;
                self.state = State::ExpectVerdict(index, request, asked, resume);
                Ok(action)
            }
        }
    }

    /// What an errand asks of the host, while there is time.
    fn ask(&self, now: u64, need: Need) -> Result<(Action, Asked), ScimError> {
        match self.deadline.saturating_sub(now) {
            0 => Err(ScimError::new(504, "the time for this request is over (`limits.time`)")),
            left => Ok(need.action(left)),
        }
    }

    /// Lets the request in, or refuses it.
    fn judged(
        &mut self,
        gateway: &Gateway,
        now: u64,
        index: usize,
        request: &Request,
        verdict: Verdict,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.get(index).ok_or_else(lost)?;
        let way = match route.access.outcome(&verdict) {
            Ok(way) => way,
            Err(error) => {
                self.admission(route, &verdict, now);
                return Err(error);
            }
        };
        self.admission(route, &verdict, now);
        if route.mode == Mode::Paused {
            let detail = format!("route `{}` is paused; nothing is forwarded", route.name);
            return Err(ScimError::new(503, detail).with("retry-after", "300"));
        }
        let target = Target::parse(&request.path).map_err(|bad| ScimError::new(400, bad.detail()))?;
        let rest = target.under(&route.path).ok_or_else(|| {
            let version = route.path.rsplit('/').next().unwrap_or_default();
            let detail =
                format!("this address offers `{version}` and no other version; correct it in the IdP");
            ScimError::typed(400, "invalidVers", detail)
        })?;
        let parsed = operation::Request::parse(route, request, &target, rest)?;
        self.audit.operation = Some(parsed.kind.as_str());
        self.audit.id.clone_from(&parsed.id);
        self.audit.resource_type = parsed
            .pair
            .and_then(|pair| route.mapping.idp_type(route.mapping.pairs.get(pair)?))
            .map(|of| of.name.to_string());
        let resource = self.audit.resource_type.as_deref();
        if let Some(why) = way.and_then(|way| way.limits.forbids(parsed.kind, resource)) {
            self.audit.refused = Some("forbidden");
            let name = way.map(|way| way.name.as_str()).unwrap_or_default();
            let detail = format!("the credential `{name}` of route `{}` {why}", route.name);
            return Err(ScimError::new(403, detail));
        }
        let declared = request.headers.get("content-length").and_then(|value| str::from_utf8(value).ok());
        if declared
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|length| length > gateway.limits.body)
        {
            return Err(too_large(gateway));
        }
        let under = Under { route: index, operation: Box::new(Operation::new(parsed)), sent: None };
        if request.end {
            return self.begin(gateway, now, under, Vec::new());
        }
        self.state = State::ExpectBody(under, Vec::new());
        Ok(Action::Read { whole: true })
    }

    /// Notes who was let in, or why nobody was.
    fn admission(&mut self, route: &Route, verdict: &Verdict, now: u64) {
        let way = route.access.way(verdict);
        self.audit.token = way.map(|way| way.name.clone());
        self.audit.refused = verdict.reason();
        let name = way.map_or("none", |way| &way.name);
        let labels = |more: Option<(&'static str, &str)>| {
            let route = ("route", route.name.clone());
            let own = [route, ("token", name.to_owned())].into_iter();
            own.chain(more.map(|(label, text)| (label, text.to_owned()))).collect()
        };
        let result = ("result", verdict.reason().unwrap_or("accepted"));
        self.effects.push(Effect::Metric { name: "access", labels: labels(Some(result)), value: 1 });
        if verdict.reason().is_none() {
            let value = now / 1000;
            self.effects.push(Effect::Gauge { name: "access_last_used", labels: labels(None), value });
        }
        if way.is_some_and(|way| way.ends_soon(now)) {
            self.effects.push(Effect::Metric { name: "access_expiring", labels: labels(None), value: 1 });
        }
    }

    fn body(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        mut body: Vec<u8>,
        bytes: Vec<u8>,
        last: bool,
    ) -> Result<Action, ScimError> {
        append(&mut body, bytes);
        if body.len() as u64 > gateway.limits.body {
            return Err(too_large(gateway));
        }
        if last {
            return self.begin(gateway, now, under, body);
        }
        self.state = State::ExpectBody(under, body);
        Ok(Action::Read { whole: true })
    }

    fn response_body(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        mut response: Response,
        bytes: Vec<u8>,
        last: bool,
    ) -> Result<Action, ScimError> {
        append(&mut response.body, bytes);
        if last || response.body.len() as u64 > gateway.limits.response {
            return self.resume(gateway, now, under, response);
        }
        self.state = State::ExpectResponseBody(under, response);
        Ok(Action::Read { whole: true })
    }

    fn begin(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        body: Vec<u8>,
    ) -> Result<Action, ScimError> {
        if !body.is_empty() {
            self.trace.step("message", |line| line.json("body", &body));
        }
        self.progress(gateway, now, under, |operation, scene| operation.begin(scene, body))
    }

    /// Lets the operation go on, and carries out what it asks for.
    fn progress(
        &mut self,
        gateway: &Gateway,
        now: u64,
        mut under: Under,
        go: impl FnOnce(&mut Operation, &mut Scene<'_>) -> Result<Step, ScimError>,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.get(under.route).ok_or_else(lost)?;
        let mut scene =
            Scene { gateway, route, audit: &mut self.audit, trace: &self.trace, id: &self.id, now };
        let step = go(&mut under.operation, &mut scene)?;
        if let Some(id) = under.operation.id() {
            self.audit.id = Some(id.to_owned());
        }
        self.step(gateway, now, under, step)
    }

    fn resume(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        response: Response,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.get(under.route).ok_or_else(lost)?;
        self.trace.reply(response.status, &response.body);
        if response.body.len() as u64 > gateway.limits.response {
            let detail = format!("{} answered with more than the gateway may read", route.provider_title);
            return Err(ScimError::new(
                502,
                format!("{detail}; raise `limits.response` or ask for fewer resources"),
            ));
        }
        self.progress(gateway, now, under, |operation, scene| operation.resume(scene, response))
    }

    fn step(
        &mut self,
        gateway: &Gateway,
        now: u64,
        mut under: Under,
        mut step: Step,
    ) -> Result<Action, ScimError> {
        let timeout = self.deadline.saturating_sub(now);
        while timeout == 0 && !matches!(step, Step::Done(_)) {
            // The IdP has given up and may have asked again: a late write would race with that one.
            let route = gateway.routes.get(under.route).ok_or_else(lost)?;
            let mut scene =
                Scene { gateway, route, audit: &mut self.audit, trace: &self.trace, id: &self.id, now };
            step = under.operation.fault(&mut scene, late())?;
        }
        match step {
            Step::Last(call) => self.begin_send(gateway, now, under, call, true),
            Step::Call(call) => self.begin_send(gateway, now, under, call, false),
            Step::Ask(need) => {
                let (action, asked) = need.action(timeout);
                self.state = State::ExpectAnswer(under, asked);
                Ok(action)
            }
            Step::Done(response) => Ok(self.respond(now, response)),
        }
    }

    fn fault(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        fault: Fault,
    ) -> Result<Action, ScimError> {
        let (word, status, text) = match fault {
            Fault::TooLarge => {
                ("too large", 502, "the provider answered with more than the gateway can hold")
            }
            Fault::Unreachable => ("unreachable", 502, "the provider cannot be reached; nothing was changed"),
            Fault::Timeout => ("timeout", 504, "the provider did not answer in time; the outcome is unknown"),
            Fault::Reset => ("reset", 502, "the provider broke the connection; the outcome is unknown"),
        };
        self.audit.called(word);
        self.progress(gateway, now, under, |operation, scene| {
            operation.fault(scene, ScimError::new(status, text))
        })
    }

    fn respond(&mut self, now: u64, response: Response) -> Action {
        self.trace.answer(response.status, &response.body);
        self.record(now, response.status);
        Action::Respond(response)
    }

    /// Ends the exchange and records it.
    fn record(&mut self, now: u64, status: u16) {
        self.state = State::Over;
        let route = self.audit.route.clone().unwrap_or_default();
        let operation = self.audit.operation.unwrap_or("none").to_owned();
        let labels = vec![("route", route.clone()), ("operation", operation), ("status", status.to_string())];
        self.effects.push(Effect::Metric { name: "requests", labels, value: 1 });
        for (message, result) in self.audit.observations() {
            let labels = vec![
                ("route", route.clone()),
                ("message", message.to_owned()),
                ("result", result.to_owned()),
            ];
            self.effects.push(Effect::Metric { name: "observed", labels, value: 1 });
        }
        for (rule, count) in self.audit.repairs() {
            let labels = vec![("route", route.clone()), ("rule", rule.to_owned())];
            self.effects.push(Effect::Metric { name: "repairs", labels, value: count });
        }
        for guard in self.audit.stops() {
            let labels = vec![("route", route.clone()), ("guard", guard.to_owned())];
            self.effects.push(Effect::Metric { name: "guard", labels, value: 1 });
        }
        for capability in self.audit.pretences() {
            let labels = vec![("route", route.clone()), ("capability", capability.to_owned())];
            self.effects.push(Effect::Metric { name: "pretended", labels, value: 1 });
        }
        let under = self.gateway.routes.iter().find(|each| each.name == route);
        let mapping = under.map(|route| &route.mapping);
        let line = self.audit.line(now, &self.id, status, self.gateway.digest(), mapping);
        self.effects.push(Effect::Audit(line));
    }
}

/// The status in the record of an exchange whose IdP did not wait for the answer.
const ABANDONED: u16 = 499;

/// The first part of a body is taken as it is: most bodies come in one.
fn append(body: &mut Vec<u8>, mut bytes: Vec<u8>) {
    if body.is_empty() {
        *body = bytes;
    } else {
        body.append(&mut bytes);
    }
}

fn too_large(gateway: &Gateway) -> ScimError {
    ScimError::new(413, format!("the body is larger than {} bytes (`limits.body`)", gateway.limits.body))
}

fn late() -> ScimError {
    ScimError::new(504, "the time for this request is over (`limits.time`); the change was not sent")
}

fn lost() -> ScimError {
    ScimError::new(500, "the gateway has lost track of this request")
}

mod grants;
mod send;
#[cfg(test)]
mod tests;
