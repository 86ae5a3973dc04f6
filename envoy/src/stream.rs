//! The state machine between Envoy's callbacks and the engine: plain data in, plain data out, no host call.
//!
//! A callback of Envoy's goes in with [`Stream::callback`], an action of the engine's with [`Stream::action`]; each
//! answers a [`Step`]: either what the engine is to be fed next, or the commands to run and how the callback ends.
//!
//! ```text
//! New ─head─► Request ─Forward─► Forwarded ─head─► Response ─Respond─► Delivered
//!                └─Respond─► Answered ◄─Respond, where nothing is there to replace─┘
//! ```
//!
//! What keeps the boundary tight:
//! - Head and body stay held until the engine has decided *and* the last byte has come, so a body callback answers
//!   `Pause` in every state but those in which the answer is on its way to the IdP.
//! - Trailers end the body: Envoy then never says `end` in a body callback. They are emptied, never passed on.
//! - A head is replaced as a whole and `content-length` belongs to the body that goes with it.
//! - A message without a body callback has no buffer to write to. A request that needs one goes out beside the
//!   stream (`Dispatch`); an answer that needs one becomes a local response.

use scimlock::store::StoreRequest;
use scimlock::{Action, Call, Fault, Headers, Input, Request, Response, ResponseHead, Verify};

/// What Envoy reports.
#[derive(Debug)]
pub(crate) enum Callback {
    /// The head of the request.
    RequestHead(Request),
    /// `size` bytes of the request's body are held now.
    RequestBody { size: usize, end: bool },
    /// The request ends with trailers.
    RequestTrailers,
    /// The head of an answer; `Err` where Envoy made it itself.
    ResponseHead { head: ResponseHead, origin: Result<(), Fault> },
    /// `size` bytes of the answer's body are held now.
    ResponseBody { size: usize, end: bool },
    /// The answer ends with trailers.
    ResponseTrailers,
    /// The answer to a `Dispatch`.
    Reply(Result<Response, Fault>),
    /// Time passed.
    Tick,
}

/// What is to be done next.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// Hand this to the engine and its answer to [`Stream::action`].
    Feed(Feed),
    /// Run the commands, then end the callback with the verdict.
    Run(Vec<Command>, Verdict),
}

/// An input for the engine.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Feed {
    /// As it stands.
    Input(Input),
    /// What the store answers to this.
    Stored(StoreRequest),
    /// Whether this signature is right.
    Verified(Verify),
    /// These bytes of the held request body.
    RequestBody { at: usize, len: usize, last: bool },
    /// These bytes of the held answer's body.
    ResponseBody { at: usize, len: usize, last: bool },
}

/// One host call.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// Replace the request's head, pseudo fields included.
    RequestHead(Headers),
    /// Replace the request's body.
    RequestBody(Vec<u8>),
    /// Empty the request's trailers.
    RequestTrailers,
    /// Let the held request go on, outside its own callbacks.
    ResumeRequest,
    /// Replace the answer's head, `:status` included.
    ResponseHead(Headers),
    /// Replace the answer's body.
    ResponseBody(Vec<u8>),
    /// Empty the answer's trailers.
    ResponseTrailers,
    /// Let the held answer go on, outside its own callbacks.
    ResumeResponse,
    /// Answer the IdP from here.
    Local(Response),
    /// Send a request beside the stream.
    Dispatch { call: Call, timeout: u64 },
    /// Break the connection to the IdP.
    Reset,
}

/// How a callback ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Envoy goes on with what the callback was about.
    Continue,
    /// Envoy holds it.
    Pause,
}

/// One HTTP stream of Envoy's.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    state: State,
    request: Side,
    response: Side,
    /// The request is a HEAD: its answer has a length but no body.
    head: bool,
    /// Where the answer did not come through the stream: its body.
    beside: Option<Vec<u8>>,
    /// The answer in the stream was made by Envoy.
    local: bool,
    /// Envoy ended the exchange with an answer of its own while the provider was being asked.
    cut: bool,
    /// The callback is about neither side: going on takes a command of its own.
    outside: bool,
    now: u64,
}

impl Stream {
    /// Takes a callback at `now` (Unix time in milliseconds).
    pub(crate) fn callback(&mut self, now: u64, callback: Callback) -> Step {
        self.now = now;
        self.outside = matches!(callback, Callback::Reply(_) | Callback::Tick);
        match callback {
            Callback::RequestHead(request) => self.request_head(request),
            Callback::RequestBody { size, end } => {
                self.request.body(size, end);
                self.request_grown()
            }
            Callback::RequestTrailers => {
                self.request.trailers();
                self.request_grown()
            }
            Callback::ResponseHead { head, origin } => self.response_head(head, origin),
            Callback::ResponseBody { size, end } => {
                self.response.body(size, end);
                self.response_grown()
            }
            Callback::ResponseTrailers => {
                self.response.trailers();
                self.response_grown()
            }
            Callback::Reply(reply) => self.reply(reply),
            Callback::Tick => self.tick(),
        }
    }

    /// Takes the engine's answer to what was fed.
    pub(crate) fn action(&mut self, action: Action) -> Step {
        match action {
            Action::Read { .. } => self.read(),
            Action::Callout { call, timeout } => {
                if !self.wait(Wait::Reply) {
                    return self.fail();
                }
                hold(Some(Command::Dispatch { call, timeout }))
            }
            // Both are answered at once.
            Action::Store(request) => Step::Feed(Feed::Stored(request)),
            Action::Verify(verify) => Step::Feed(Feed::Verified(verify)),
            Action::Wait(time) => {
                let until = self.now.saturating_add(time);
                if self.wait(Wait::Until(until)) { hold(None) } else { self.fail() }
            }
            Action::Forward { call, timeout } => match self.state {
                State::Request(_) if self.request.ended => self.forward(call, timeout),
                State::Request(_) => {
                    self.state = State::Request(Wait::EndToForward(Box::new(call), timeout));
                    hold(None)
                }
                _ => self.fail(),
            },
            Action::Respond(response) => self.respond(response),
            Action::Abort => {
                self.state = State::Answered;
                hold(Some(Command::Reset))
            }
            // Buffered hosts emit nothing, and an exchange ends with an answer, not with silence.
            Action::Emit { .. } | Action::Done => self.fail(),
        }
    }

    /// Ends the exchange with an answer of the host's own: something went wrong here.
    pub(crate) fn fail(&mut self) -> Step {
        self.answer(Response::host_failure(500, "internal error of the gateway; its log says more"))
    }

    /// True while the provider has, or may have, a request whose outcome nobody was told.
    pub(crate) fn unsettled(&self) -> bool {
        self.cut || matches!(self.state, State::Forwarded | State::Response(_)) || self.asks()
    }

    fn request_head(&mut self, request: Request) -> Step {
        if !matches!(self.state, State::New) {
            return self.fail();
        }
        self.request.ended = request.end;
        self.head = request.method == b"HEAD";
        self.state = State::Request(Wait::Engine);
        Step::Feed(Feed::Input(Input::Request(request)))
    }

    fn request_grown(&mut self) -> Step {
        match std::mem::take(&mut self.state) {
            State::Request(Wait::Body(until)) => {
                self.state = State::Request(Wait::Body(until));
                self.read()
            }
            State::Request(Wait::EndToForward(call, timeout)) if self.request.ended => {
                self.forward(*call, timeout)
            }
            State::Request(Wait::EndToForward(..)) if self.request.held > UNREAD => {
                self.answer(Response::host_failure(413, "the request has a body that nobody asked for"))
            }
            // Never Continue: it would release the held head together with what came so far.
            state => {
                self.state = state;
                hold(None)
            }
        }
    }

    fn response_head(&mut self, head: ResponseHead, origin: Result<(), Fault>) -> Step {
        let input = match (&self.state, origin) {
            (State::Forwarded, Ok(())) => Input::Response(head.clone()),
            (State::Forwarded, Err(fault)) => Input::Fault(fault),
            // Envoy cannot hold the request's body; anything else it says while a request is held is its own affair.
            (State::Request(_), Err(Fault::TooLarge)) => Input::Fault(Fault::TooLarge),
            (State::Request(_), _) => {
                self.cut = self.asks();
                self.state = State::Delivered;
                return pass();
            }
            // Before the filter saw a head, or the answer decided here passing by.
            (State::New | State::Answered | State::Delivered, _) => return pass(),
            (State::Response(_), _) => return self.fail(),
        };
        self.local = origin.is_err();
        self.response.ended = head.end;
        self.state = State::Response(Wait::Engine);
        Step::Feed(Feed::Input(input))
    }

    fn response_grown(&mut self) -> Step {
        match std::mem::take(&mut self.state) {
            State::Response(Wait::Body(until)) => {
                self.state = State::Response(Wait::Body(until));
                self.read()
            }
            State::Response(Wait::EndToRespond(response)) if self.response.ended => self.deliver(response),
            state @ (State::New | State::Answered | State::Delivered) => {
                self.state = state;
                pass()
            }
            state => {
                self.state = state;
                hold(None)
            }
        }
    }

    fn reply(&mut self, reply: Result<Response, Fault>) -> Step {
        match (&self.state, reply) {
            (State::Request(Wait::Reply) | State::Response(Wait::Reply), reply) => {
                Step::Feed(Feed::Input(reply.map_or_else(Input::Fault, Input::Reply)))
            }
            (State::Request(Wait::Provider), reply) => {
                self.state = State::Response(Wait::Engine);
                let (input, body) = match reply {
                    Ok(Response { status, headers, body }) => {
                        (Input::Response(ResponseHead { status, headers, end: body.is_empty() }), body)
                    }
                    Err(fault) => (Input::Fault(fault), Vec::new()),
                };
                self.beside = Some(body);
                Step::Feed(Feed::Input(input))
            }
            // The stream was answered meanwhile.
            _ => hold(None),
        }
    }

    fn tick(&mut self) -> Step {
        match self.state {
            State::Request(Wait::Until(until)) | State::Response(Wait::Until(until)) if until <= self.now => {
                Step::Feed(Feed::Input(Input::Elapsed))
            }
            // Not one body callback: Envoy holds the body back because the plugin lacks
            // `allow_on_headers_stop_iteration`, or the IdP sends none. Neither may wait for ever.
            State::Request(Wait::Body(until)) if !self.request.buffered && until <= self.now => self
                .answer(Response::host_failure(408, "the request's body did not reach the gateway in time")),
            _ => hold(None),
        }
    }

    /// Feeds what came since the last time, or waits for it.
    fn read(&mut self) -> Step {
        match self.state {
            State::Request(_) => {
                let Some((at, len, last)) = self.request.fresh() else {
                    let until = self.now.saturating_add(FIRST_BYTE);
                    self.wait(Wait::Body(until));
                    return hold(None);
                };
                self.state = State::Request(Wait::Engine);
                Step::Feed(Feed::RequestBody { at, len, last })
            }
            State::Response(_) => {
                self.state = State::Response(Wait::Engine);
                if let Some(body) = &mut self.beside {
                    return Step::Feed(Feed::Input(Input::ResponseBody {
                        bytes: std::mem::take(body),
                        last: true,
                    }));
                }
                let Some((at, len, last)) = self.response.fresh() else {
                    self.wait(Wait::Body(u64::MAX));
                    return hold(None);
                };
                Step::Feed(Feed::ResponseBody { at, len, last })
            }
            _ => self.fail(),
        }
    }

    fn forward(&mut self, call: Call, timeout: u64) -> Step {
        let Some(cluster) = call.cluster.as_deref() else { return self.fail() };
        if !self.request.buffered && !call.body.is_empty() {
            self.state = State::Request(Wait::Provider);
            return hold(Some(Command::Dispatch { call, timeout }));
        }
        let mut head = request_head(&call);
        head.push(PROTO, call.scheme.as_str());
        head.push(CLUSTER, cluster);
        head.push(TIMEOUT, timeout.to_string());
        if self.request.buffered || !call.body.is_empty() {
            head.push("content-length", call.body.len().to_string());
        }
        let mut commands = vec![Command::RequestHead(head)];
        if self.request.buffered {
            commands.push(Command::RequestBody(call.body));
        }
        if self.request.trailers {
            commands.push(Command::RequestTrailers);
        }
        self.state = State::Forwarded;
        if self.outside {
            commands.push(Command::ResumeRequest);
        }
        Step::Run(commands, Verdict::Continue)
    }

    fn respond(&mut self, response: Response) -> Step {
        match self.state {
            State::Response(_) if self.beside.is_some() => self.answer(response),
            State::Response(_) if self.response.ended => self.deliver(response),
            // Envoy's own answer is complete in a moment; what is left of a provider's is not waited for.
            State::Response(_) if self.local => {
                self.state = State::Response(Wait::EndToRespond(response));
                hold(None)
            }
            State::Request(_) | State::Response(_) => self.answer(response),
            _ => self.fail(),
        }
    }

    /// Puts the response in the place of the one that is held.
    fn deliver(&mut self, response: Response) -> Step {
        let bodiless = self.head || matches!(response.status, 204 | 304);
        if !self.response.buffered && !response.body.is_empty() && !bodiless {
            return self.answer(response);
        }
        let mut head = Headers::new();
        head.push(":status", response.status.to_string());
        for (name, value) in response.headers.iter() {
            head.push(name, value);
        }
        if !bodiless || self.head && !response.body.is_empty() {
            head.push("content-length", response.body.len().to_string());
        }
        let mut commands = vec![Command::ResponseHead(head)];
        if self.response.buffered {
            commands.push(Command::ResponseBody(if bodiless { Vec::new() } else { response.body }));
        }
        if self.response.trailers {
            commands.push(Command::ResponseTrailers);
        }
        self.state = State::Delivered;
        if self.outside {
            commands.push(Command::ResumeResponse);
        }
        Step::Run(commands, Verdict::Continue)
    }

    /// Answers from here; whatever is held stays held.
    fn answer(&mut self, response: Response) -> Step {
        if matches!(self.state, State::Answered | State::Delivered) {
            return hold(None);
        }
        self.state = State::Answered;
        hold(Some(Command::Local(response)))
    }

    /// A request beside the stream is under way.
    fn asks(&self) -> bool {
        matches!(self.state, State::Request(Wait::Reply | Wait::Provider))
    }

    /// Waits on the side that is held; false where none is.
    fn wait(&mut self, wait: Wait) -> bool {
        self.state = match self.state {
            State::Request(_) => State::Request(wait),
            State::Response(_) => State::Response(wait),
            _ => return false,
        };
        true
    }
}

/// The head of a request as Envoy wants it: pseudo fields first.
pub(crate) fn request_head(call: &Call) -> Headers {
    let mut head = Headers::new();
    head.push(":method", call.method);
    head.push(":scheme", call.scheme.as_str());
    head.push(":authority", call.authority.as_str());
    head.push(":path", call.path.as_str());
    for (name, value) in call.headers.iter() {
        head.push(name, value);
    }
    head
}

#[derive(Debug, Default)]
enum State {
    /// No head came yet.
    #[default]
    New,
    /// The request is held.
    Request(Wait),
    /// The request went to the provider.
    Forwarded,
    /// The answer is held.
    Response(Wait),
    /// A local response was sent: the request stays held, the response callbacks show that response.
    Answered,
    /// The answer in the stream is the right one.
    Delivered,
}

#[derive(Debug)]
enum Wait {
    /// For the engine's action.
    Engine,
    /// For more of the body; the first of it until then.
    Body(u64),
    /// For the answer to a callout.
    Reply,
    /// For the answer to a forwarded request that went beside the stream.
    Provider,
    /// For a point in time.
    Until(u64),
    /// For the rest of a body nobody reads, to put this request in its place.
    EndToForward(Box<Call>, u64),
    /// For the rest of a body nobody reads, to put this response in its place.
    EndToRespond(Response),
}

/// What is known of one direction's body.
#[derive(Debug, Default)]
struct Side {
    /// Envoy has a buffer: a body callback came.
    buffered: bool,
    /// No more will come.
    ended: bool,
    trailers: bool,
    held: usize,
    fed: usize,
}

impl Side {
    fn body(&mut self, size: usize, end: bool) {
        self.buffered = true;
        self.held = size;
        self.ended |= end;
    }

    fn trailers(&mut self) {
        self.trailers = true;
        self.ended = true;
    }

    /// Position and length of what was not fed yet, and whether it is the last.
    fn fresh(&mut self) -> Option<(usize, usize, bool)> {
        let (at, len) = (self.fed, self.held.saturating_sub(self.fed));
        if len == 0 && !self.ended {
            return None;
        }
        self.fed = self.held;
        Some((at, len, self.ended))
    }
}

fn hold(command: Option<Command>) -> Step {
    Step::Run(command.into_iter().collect(), Verdict::Pause)
}

fn pass() -> Step {
    Step::Run(Vec::new(), Verdict::Continue)
}

/// The route takes the cluster from here, and removes the field.
const CLUSTER: &str = "x-scimlock-cluster";

/// Without this field Envoy finds no route; the route removes it.
const PROTO: &str = "x-forwarded-proto";

/// Envoy's router takes the time limit from here and removes the field.
const TIMEOUT: &str = "x-envoy-upstream-rq-timeout-ms";

/// Milliseconds until a request body that does not even begin is given up.
const FIRST_BYTE: u64 = 10_000;

/// Bytes that are held of a body nobody reads.
const UNREAD: usize = 1 << 20;

#[cfg(test)]
mod tests;
