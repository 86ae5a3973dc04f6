//! The tables of the state machine: one row a callback or action, with the step it must lead to.

use super::*;
use scimlock::Peer;

#[test]
fn a_get_goes_through_head_by_head() {
    script(vec![
        (head("GET", true), fed_request("GET", true)),
        (forward(call("GET", "")), go(vec![Command::RequestHead(sent("GET", None))])),
        (response(200, false), fed_response(200, false)),
        (read(), hold(None)),
        (response_body(5, false), feed_response(0, 5, false)),
        (read(), hold(None)),
        (response_body(9, true), feed_response(5, 4, true)),
        (respond(200, "longer than nine"), go(replaced(200, Some("16"), "longer than nine"))),
        (response_body(16, true), pass()),
    ]);
}

#[test]
fn a_body_is_held_until_it_is_complete_and_replaced_with_its_true_length() {
    for (body, length) in [("", "0"), ("{}", "2"), ("longer than before", "18")] {
        script(vec![
            (head("PUT", false), fed_request("PUT", false)),
            (read(), hold(None)),
            (request_body(4, false), feed_request(0, 4, false)),
            (read(), hold(None)),
            (request_body(4, false), hold(None)),
            (request_body(7, false), feed_request(4, 3, false)),
            (read(), hold(None)),
            (request_body(7, true), feed_request(7, 0, true)),
            (forward(call("PATCH", body)), go(put("PATCH", length, body))),
        ]);
    }
}

#[test]
fn trailers_end_both_bodies_and_are_emptied() {
    let mut request = put("PATCH", "2", "{}");
    request.push(Command::RequestTrailers);
    let mut answer = replaced(200, Some("2"), "[]");
    answer.push(Command::ResponseTrailers);
    script(vec![
        (head("PATCH", false), fed_request("PATCH", false)),
        (read(), hold(None)),
        (request_body(4, false), feed_request(0, 4, false)),
        (read(), hold(None)),
        (at(Callback::RequestTrailers), feed_request(4, 0, true)),
        (forward(call("PATCH", "{}")), go(request)),
        (response(200, false), fed_response(200, false)),
        (read(), hold(None)),
        (response_body(3, false), feed_response(0, 3, false)),
        (read(), hold(None)),
        (at(Callback::ResponseTrailers), feed_response(3, 0, true)),
        (respond(200, "[]"), go(answer)),
    ]);
}

#[test]
fn a_body_nobody_reads_is_waited_for_and_replaced() {
    script(vec![
        (head("DELETE", false), fed_request("DELETE", false)),
        (forward(call("DELETE", "")), hold(None)),
        (request_body(9, false), hold(None)),
        (request_body(9, true), go(put("DELETE", "0", ""))),
    ]);
    let endless = Response::host_failure(413, "the request has a body that nobody asked for");
    script(vec![
        (head("DELETE", false), fed_request("DELETE", false)),
        (forward(call("DELETE", "")), hold(None)),
        (request_body(UNREAD, false), hold(None)),
        (request_body(UNREAD + 1, false), hold(Some(Command::Local(endless)))),
        (request_body(UNREAD + 1, true), hold(None)),
    ]);
}

#[test]
fn a_callout_holds_everything_until_its_reply() {
    let mut resumed = put("PUT", "2", "ab");
    resumed.push(Command::ResumeRequest);
    script(vec![
        (head("PUT", false), fed_request("PUT", false)),
        (callout(), dispatched("GET", "")),
        (request_body(4, false), hold(None)),
        (request_body(9, true), hold(None)),
        (at(Callback::Reply(Ok(answer(200, "{}")))), fed(Input::Reply(answer(200, "{}")))),
        (read(), feed_request(0, 9, true)),
        (forward(call("PUT", "ab")), go(resumed)),
    ]);
}

#[test]
fn a_callout_on_the_way_back_holds_the_answer() {
    let mut resumed = replaced(503, Some("7"), "refused");
    resumed.push(Command::ResumeResponse);
    forwarded_then(vec![
        (response(401, false), fed_response(401, false)),
        (callout(), dispatched("GET", "")),
        (response_body(3, true), hold(None)),
        (at(Callback::Reply(Err(Fault::Timeout))), fed(Input::Fault(Fault::Timeout))),
        (respond(503, "refused"), go(resumed)),
    ]);
}

#[test]
fn a_request_without_a_buffer_that_needs_a_body_goes_beside_the_stream() {
    let start = || {
        vec![
            (head("DELETE", true), fed_request("DELETE", true)),
            (forward(call("PATCH", "{}")), dispatched("PATCH", "{}")),
        ]
    };
    let mut rows = start();
    rows.extend([
        (at(Callback::Reply(Ok(answer(200, "[1]")))), fed(Input::Response(answered(200, false)))),
        (read(), fed(Input::ResponseBody { bytes: b"[1]".to_vec(), last: true })),
        (respond(204, ""), local(204, "")),
        (response(204, true), pass()),
    ]);
    script(rows);

    let mut rows = start();
    rows.extend([
        (at(Callback::Reply(Err(Fault::Reset))), fed(Input::Fault(Fault::Reset))),
        (respond(502, "x"), local(502, "x")),
    ]);
    script(rows);

    // Trailers alone make no buffer either.
    script(vec![
        (head("DELETE", false), fed_request("DELETE", false)),
        (read(), hold(None)),
        (at(Callback::RequestTrailers), feed_request(0, 0, true)),
        (forward(call("PATCH", "{}")), dispatched("PATCH", "{}")),
    ]);
}

#[test]
fn an_answer_without_a_buffer_that_needs_a_body_becomes_a_local_response() {
    forwarded_then(vec![
        (response(204, true), fed_response(204, true)),
        (respond(200, "{}"), local(200, "{}")),
        (response(200, false), pass()),
        (response_body(2, true), pass()),
    ]);
}

#[test]
fn bodiless_answers_have_no_length_and_no_body() {
    for status in [204, 304] {
        forwarded_then(vec![
            (response(200, false), fed_response(200, false)),
            (read(), hold(None)),
            (response_body(4, true), feed_response(0, 4, true)),
            (respond(status, ""), go(replaced(status, None, ""))),
        ]);
    }
    for (body, length) in [("", None), ("{}", Some("2"))] {
        script(vec![
            (head("HEAD", true), fed_request("HEAD", true)),
            (forward(call("GET", "")), go(vec![Command::RequestHead(sent("GET", None))])),
            (response(200, true), fed_response(200, true)),
            (respond(200, body), go(vec![Command::ResponseHead(shown(200, length))])),
        ]);
    }
}

#[test]
fn a_refusal_holds_the_request_and_lets_the_refusal_pass() {
    script(vec![
        (head("POST", false), fed_request("POST", false)),
        (respond(401, "no"), local(401, "no")),
        (request_body(5, false), hold(None)),
        (request_body(9, true), hold(None)),
        (at(Callback::RequestTrailers), hold(None)),
        (response(401, false), pass()),
        (response_body(2, true), pass()),
    ]);
}

#[test]
fn an_early_answer_does_not_wait_for_the_providers_body() {
    forwarded_then(vec![
        (response(302, false), fed_response(302, false)),
        (respond(502, "redirected"), local(502, "redirected")),
    ]);
}

#[test]
fn answers_that_envoy_makes_are_faults() {
    forwarded_then(vec![
        (made_by_envoy(504, Fault::Timeout), fed(Input::Fault(Fault::Timeout))),
        (respond(504, "too slow"), hold(None)),
        (response_body(24, true), go(replaced(504, Some("8"), "too slow"))),
    ]);
    let start = || vec![(head("POST", false), fed_request("POST", false)), (read(), hold(None))];
    let mut rows = start();
    rows.extend([
        (made_by_envoy(413, Fault::TooLarge), fed(Input::Fault(Fault::TooLarge))),
        (respond(413, "too large"), hold(None)),
        (response_body(17, true), go(replaced(413, Some("9"), "too large"))),
    ]);
    script(rows);

    // Anything else that Envoy says while it holds the request is shown as it is.
    let mut rows = start();
    rows.extend([
        (made_by_envoy(408, Fault::Timeout), pass()),
        (response_body(14, true), pass()),
        (request_body(3, true), hold(None)),
    ]);
    script(rows);
}

#[test]
fn waiting_ends_in_time() {
    script(vec![
        (head("PUT", true), fed_request("PUT", true)),
        (act(Action::Wait(100)), hold(None)),
        (In::At(NOW + 99, Callback::Tick), hold(None)),
        (In::At(NOW + 100, Callback::Tick), fed(Input::Elapsed)),
        (forward(call("GET", "")), go(vec![Command::RequestHead(sent("GET", None)), Command::ResumeRequest])),
    ]);

    // A body of which nothing comes: without `allow_on_headers_stop_iteration` Envoy holds it back.
    let late = Response::host_failure(408, "the request's body did not reach the gateway in time");
    script(vec![
        (head("PUT", false), fed_request("PUT", false)),
        (read(), hold(None)),
        (In::At(NOW + FIRST_BYTE - 1, Callback::Tick), hold(None)),
        (In::At(NOW + FIRST_BYTE, Callback::Tick), hold(Some(Command::Local(late)))),
        (In::At(NOW + FIRST_BYTE, Callback::Tick), hold(None)),
    ]);
    // One that has begun is Envoy's to time out.
    script(vec![
        (head("PUT", false), fed_request("PUT", false)),
        (read(), hold(None)),
        (request_body(1, false), feed_request(0, 1, false)),
        (read(), hold(None)),
        (In::At(NOW + FIRST_BYTE, Callback::Tick), hold(None)),
    ]);
}

#[test]
fn the_store_and_signatures_are_answered_at_once_on_both_sides() {
    let store = || {
        let operation = scimlock::store::StoreOperation::Get;
        StoreRequest { key: [1; 32], class: scimlock::store::StoreClass::Local, secret: true, operation }
    };
    let verify = || Verify {
        algorithm: "RS256",
        key: b"key".into(),
        message: b"message".into(),
        signature: b"signature".into(),
    };
    script(vec![
        (head("PUT", false), fed_request("PUT", false)),
        (act(Action::Store(store())), Step::Feed(Feed::Stored(store()))),
        (act(Action::Verify(verify())), Step::Feed(Feed::Verified(verify()))),
        (read(), hold(None)),
        (request_body(2, true), feed_request(0, 2, true)),
        (act(Action::Store(store())), Step::Feed(Feed::Stored(store()))),
        (forward(call("PUT", "ab")), go(put("PUT", "2", "ab"))),
        (response(401, false), fed_response(401, false)),
        (act(Action::Store(store())), Step::Feed(Feed::Stored(store()))),
        (act(Action::Wait(5)), hold(None)),
        (response_body(2, true), hold(None)),
        (In::At(NOW + 5, Callback::Tick), fed(Input::Elapsed)),
        (callout(), dispatched("GET", "")),
    ]);
}

#[test]
fn a_wrong_action_is_refused_and_never_forwarded() {
    let refused = || {
        let response = Response::host_failure(500, "internal error of the gateway; its log says more");
        hold(Some(Command::Local(response)))
    };
    let emit = || act(Action::Emit { bytes: Vec::new(), last: true });
    for wrong in [act(Action::Done), emit(), forward(Call { cluster: None, ..call("GET", "") })] {
        script(vec![
            (head("GET", true), fed_request("GET", true)),
            (wrong, refused()),
            (response(500, false), pass()),
        ]);
    }
    for wrong in [act(Action::Done), emit(), forward(call("GET", ""))] {
        forwarded_then(vec![(response(200, true), fed_response(200, true)), (wrong, refused())]);
    }
    // A body before any head is held; a second head is a mistake.
    script(vec![(request_body(3, true), hold(None)), (response(400, true), pass())]);
    script(vec![(head("GET", true), fed_request("GET", true)), (head("GET", true), refused())]);
}

#[test]
fn an_abort_breaks_the_connection() {
    script(vec![
        (head("GET", true), fed_request("GET", true)),
        (act(Action::Abort), hold(Some(Command::Reset))),
        (at(Callback::Reply(Err(Fault::Reset))), hold(None)),
    ]);
}

#[test]
fn only_what_the_provider_may_have_seen_is_unsettled() {
    let started = || (head("GET", true), false);
    for rows in [
        vec![
            started(),
            (forward(call("GET", "")), true),
            (response(200, true), true),
            (respond(204, ""), false),
        ],
        vec![started(), (forward(call("PATCH", "{}")), true), (made_by_envoy(504, Fault::Timeout), true)],
        vec![
            started(),
            (callout(), true),
            (at(Callback::Reply(Err(Fault::Reset))), true),
            (respond(502, ""), false),
        ],
        vec![started(), (made_by_envoy(408, Fault::Timeout), false)],
    ] {
        let mut stream = Stream::default();
        for (row, (input, unsettled)) in rows.into_iter().enumerate() {
            step(&mut stream, input);
            assert_eq!(stream.unsettled(), unsettled, "row {row}");
        }
    }
}

/// Runs a script against a fresh stream; a failing row is named by its number.
#[track_caller]
fn script(rows: Vec<(In, Step)>) {
    let mut stream = Stream::default();
    for (row, (input, expected)) in rows.into_iter().enumerate() {
        assert_eq!(step(&mut stream, input), expected, "row {row}");
    }
}

/// The same, after a GET went to the provider.
#[track_caller]
fn forwarded_then(rows: Vec<(In, Step)>) {
    let start = [
        (head("GET", true), fed_request("GET", true)),
        (forward(call("GET", "")), go(vec![Command::RequestHead(sent("GET", None))])),
    ];
    script(start.into_iter().chain(rows).collect());
}

enum In {
    At(u64, Callback),
    Action(Action),
}

fn step(stream: &mut Stream, input: In) -> Step {
    match input {
        In::At(now, callback) => stream.callback(now, callback),
        In::Action(action) => stream.action(action),
    }
}

const NOW: u64 = 1_000;

fn at(callback: Callback) -> In {
    In::At(NOW, callback)
}

fn act(action: Action) -> In {
    In::Action(action)
}

fn request(method: &str, end: bool) -> Request {
    Request {
        method: method.into(),
        path: b"/scim/v2/Users/1".to_vec(),
        headers: Headers::new(),
        end,
        peer: Peer::default(),
    }
}

fn head(method: &str, end: bool) -> In {
    at(Callback::RequestHead(request(method, end)))
}

fn request_body(size: usize, end: bool) -> In {
    at(Callback::RequestBody { size, end })
}

fn response_head(status: u16, end: bool) -> ResponseHead {
    ResponseHead { status, headers: Headers::new(), end }
}

fn response(status: u16, end: bool) -> In {
    at(Callback::ResponseHead { head: response_head(status, end), origin: Ok(()) })
}

fn made_by_envoy(status: u16, fault: Fault) -> In {
    at(Callback::ResponseHead { head: response_head(status, false), origin: Err(fault) })
}

fn response_body(size: usize, end: bool) -> In {
    at(Callback::ResponseBody { size, end })
}

fn read() -> In {
    act(Action::Read { whole: true })
}

fn callout() -> In {
    act(Action::Callout { call: call("GET", ""), timeout: 7 })
}

fn forward(call: Call) -> In {
    act(Action::Forward { call, timeout: 7 })
}

fn respond(status: u16, body: &str) -> In {
    act(Action::Respond(answer(status, body)))
}

fn call(method: &'static str, body: &str) -> Call {
    Call {
        method,
        scheme: scimlock::Scheme::Https,
        authority: "provider.example".into(),
        cluster: Some("provider".into()),
        path: "/Users/1".into(),
        headers: [("accept", "application/scim+json")].into_iter().collect(),
        body: body.into(),
    }
}

fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: [("cache-control", "no-store")].into_iter().collect(), body: body.into() }
}

/// The same as a head.
fn answered(status: u16, end: bool) -> ResponseHead {
    ResponseHead { headers: answer(status, "").headers, ..response_head(status, end) }
}

/// The head that replaces the request's.
fn sent(method: &str, length: Option<&str>) -> Headers {
    let fields = [
        (":method", method),
        (":scheme", "https"),
        (":authority", "provider.example"),
        (":path", "/Users/1"),
        ("accept", "application/scim+json"),
        ("x-forwarded-proto", "https"),
        ("x-scimlock-cluster", "provider"),
        ("x-envoy-upstream-rq-timeout-ms", "7"),
    ];
    fields.into_iter().chain(length.map(|length| ("content-length", length))).collect()
}

fn put(method: &str, length: &str, body: &str) -> Vec<Command> {
    vec![Command::RequestHead(sent(method, Some(length))), Command::RequestBody(body.into())]
}

/// The head that replaces the answer's.
fn shown(status: u16, length: Option<&str>) -> Headers {
    let status = status.to_string();
    let fields = [(":status", status.as_str()), ("cache-control", "no-store")];
    fields.into_iter().chain(length.map(|length| ("content-length", length))).collect()
}

fn replaced(status: u16, length: Option<&str>, body: &str) -> Vec<Command> {
    vec![Command::ResponseHead(shown(status, length)), Command::ResponseBody(body.into())]
}

fn go(commands: Vec<Command>) -> Step {
    Step::Run(commands, Verdict::Continue)
}

fn local(status: u16, body: &str) -> Step {
    hold(Some(Command::Local(answer(status, body))))
}

fn dispatched(method: &'static str, body: &str) -> Step {
    hold(Some(Command::Dispatch { call: call(method, body), timeout: 7 }))
}

fn fed(input: Input) -> Step {
    Step::Feed(Feed::Input(input))
}

fn fed_request(method: &str, end: bool) -> Step {
    fed(Input::Request(request(method, end)))
}

fn fed_response(status: u16, end: bool) -> Step {
    fed(Input::Response(response_head(status, end)))
}

fn feed_request(at: usize, len: usize, last: bool) -> Step {
    Step::Feed(Feed::RequestBody { at, len, last })
}

fn feed_response(at: usize, len: usize, last: bool) -> Step {
    Step::Feed(Feed::ResponseBody { at, len, last })
}
