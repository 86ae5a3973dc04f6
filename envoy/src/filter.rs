//! One HTTP stream: drives the engine with what Envoy calls, and carries out what comes back.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};
use scimlock::{Effect, Exchange, Gateway, Input, Peer, Request};

use crate::host::{self, Failed};
use crate::metrics::Metrics;
use crate::stream::{Callback, Command, Feed, Step, Stream, Verdict};

/// A stream that its own callbacks and the root's tick share.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Rc<RefCell<Filter>>);

pub(crate) struct Filter {
    gateway: Option<Arc<Gateway>>,
    metrics: Rc<RefCell<Metrics>>,
    exchange: Option<Exchange>,
    stream: Stream,
}

impl Filter {
    /// Without a gateway every request is refused.
    pub(crate) fn new(gateway: Option<Arc<Gateway>>, metrics: Rc<RefCell<Metrics>>) -> Self {
        Self { gateway, metrics, exchange: None, stream: Stream::default() }
    }

    /// Takes a callback, or the reason why its data could not be read.
    pub(crate) fn drive(&mut self, callback: Result<Callback, Failed>) -> Action {
        let verdict =
            callback.and_then(|callback| self.run(callback)).unwrap_or_else(|failed| self.refuse(failed));
        match verdict {
            Verdict::Continue => Action::Continue,
            Verdict::Pause => Action::Pause,
        }
    }

    fn run(&mut self, callback: Callback) -> Result<Verdict, Failed> {
        if matches!(callback, Callback::RequestHead(_)) {
            let gateway = self.gateway.clone().ok_or("configuration")?;
            self.exchange = Some(Exchange::new(gateway, host::seed()?));
        }
        let now = host::now()?;
        let mut step = self.stream.callback(now, callback);
        for _ in 0..ROUNDS {
            match step {
                Step::Feed(feed) => {
                    let exchange = self.exchange.as_mut().ok_or("no exchange")?;
                    let action = exchange.handle(now, fetch(now, feed)?);
                    let effects = exchange.effects();
                    self.carry_out(effects);
                    step = self.stream.action(action);
                }
                Step::Run(commands, verdict) => {
                    for command in commands {
                        run(command)?;
                    }
                    return Ok(verdict);
                }
            }
        }
        Err("rounds")
    }

    /// Ends the stream: a host call failed, so nothing may pass.
    fn refuse(&mut self, failed: Failed) -> Verdict {
        host::log(LogLevel::Error, &format!("the host call `{failed}` failed: the request is refused"));
        let answered = match self.stream.fail() {
            Step::Run(commands, _) if !commands.is_empty() => commands.into_iter().try_for_each(run),
            // It was answered already: what is on its way cannot be trusted.
            _ => Err(failed),
        };
        if answered.is_err() {
            let _ = host::reset();
        }
        Verdict::Pause
    }

    fn carry_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Audit(line) => host::log(LogLevel::Info, &line),
                Effect::Trace(line) => host::log(LogLevel::Debug, &line),
                Effect::Metric { name, labels, value } => {
                    if let Ok(mut metrics) = self.metrics.try_borrow_mut() {
                        metrics.count(name, &labels, value);
                    }
                }
                Effect::Gauge { name, labels, value } => {
                    if let Ok(mut metrics) = self.metrics.try_borrow_mut() {
                        metrics.set(name, &labels, value);
                    }
                }
            }
        }
    }

    /// The stream is over. What the provider was asked must not go unrecorded because the IdP hung up.
    fn end(&mut self) {
        if let (true, Some(exchange), Ok(now)) =
            (self.stream.unsettled(), self.exchange.as_mut(), host::now())
        {
            exchange.abandon(now);
            let effects = exchange.effects();
            self.carry_out(effects);
        }
        self.exchange = None;
    }
}

/// Inputs the engine takes within one callback; more can only be a loop.
const ROUNDS: usize = 64;

fn fetch(now: u64, feed: Feed) -> Result<Input, Failed> {
    Ok(match feed {
        Feed::Input(input) => input,
        Feed::Stored(request) => Input::Stored(host::store(now, &request)?),
        Feed::Verified(verify) => host::verify(&verify).map_or_else(Input::Fault, Input::Verified),
        Feed::RequestBody { at, len, last } => Input::Body { bytes: host::request_body(at, len)?, last },
        Feed::ResponseBody { at, len, last } => {
            Input::ResponseBody { bytes: host::response_body(at, len)?, last }
        }
    })
}

fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::RequestHead(head) => host::set_request_head(&head),
        Command::RequestBody(body) => host::set_request_body(&body),
        Command::RequestTrailers => host::empty_request_trailers(),
        Command::ResumeRequest => host::resume_request(),
        Command::ResponseHead(head) => host::set_response_head(&head),
        Command::ResponseBody(body) => host::set_response_body(&body),
        Command::ResponseTrailers => host::empty_response_trailers(),
        Command::ResumeResponse => host::resume_response(),
        Command::Local(response) => host::answer(&response),
        Command::Dispatch { call, timeout } => host::dispatch(&call, timeout),
        Command::Reset => host::reset(),
    }
}

impl Handle {
    fn drive(&self, callback: Result<Callback, Failed>) -> Action {
        // Envoy calls one stream at a time and never from within a host call.
        self.0.try_borrow_mut().map_or(Action::Pause, |mut filter| filter.drive(callback))
    }
}

impl Handle {
    /// The head of the request, with what the configuration asks of its client.
    fn head(&self, end: bool) -> Result<Request, Failed> {
        let gateway = self.0.try_borrow().ok().and_then(|filter| filter.gateway.clone());
        let peer = gateway.map_or(Ok(Peer::default()), |gateway| host::peer(gateway.peer_needs()))?;
        host::request(end, peer)
    }
}

impl Context for Handle {
    fn on_http_call_response(&mut self, _token: u32, fields: usize, size: usize, _trailers: usize) {
        self.drive(host::reply(fields, size).map(Callback::Reply));
    }
}

impl HttpContext for Handle {
    fn on_http_request_headers(&mut self, _fields: usize, end: bool) -> Action {
        self.drive(self.head(end).map(Callback::RequestHead))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.drive(Ok(Callback::RequestBody { size, end }))
    }

    fn on_http_request_trailers(&mut self, _fields: usize) -> Action {
        self.drive(Ok(Callback::RequestTrailers))
    }

    fn on_http_response_headers(&mut self, _fields: usize, end: bool) -> Action {
        self.drive(host::response(end).map(|(head, origin)| Callback::ResponseHead { head, origin }))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.drive(Ok(Callback::ResponseBody { size, end }))
    }

    fn on_http_response_trailers(&mut self, _fields: usize) -> Action {
        self.drive(Ok(Callback::ResponseTrailers))
    }

    fn on_log(&mut self) {
        if let Ok(mut filter) = self.0.try_borrow_mut() {
            filter.end();
        }
    }
}
