//! Which input may follow which action, and that nothing else leads to a forwarded request.

use std::collections::BTreeMap;

use super::*;
use crate::HostFacts;
use crate::errand::Answer;
use crate::store::{StoreClass, StoreOperation, StoreRequest, Stored};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const INPUTS: [&str; 9] =
    ["Request", "Body", "Response", "ResponseBody", "Reply", "Stored", "Verified", "Elapsed", "Fault"];

/// The table: after an action (and where it stands), the inputs that may come.
const TABLE: [(&str, &[&str]); 14] = [
    ("the start", &["Request"]),
    ("Read of the request", &["Body", "Fault"]),
    ("Callout", &["Reply", "Fault"]),
    ("Forward", &["Response", "Fault"]),
    ("Read of the response", &["ResponseBody", "Fault"]),
    ("Store for access", &["Stored", "Fault"]),
    ("Callout for access", &["Reply", "Fault"]),
    ("Verify for access", &["Verified", "Fault"]),
    ("Wait for access", &["Elapsed"]),
    ("Store for the credential", &["Stored", "Fault"]),
    ("Callout for the credential", &["Reply", "Fault"]),
    ("Wait for the credential", &["Elapsed"]),
    ("Store for the operation", &["Stored", "Fault"]),
    ("Wait for the operation", &["Elapsed"]),
];

#[test]
fn only_the_inputs_of_the_table_may_follow_an_action() {
    for (after, allowed) in TABLE {
        for name in INPUTS {
            let mut exchange = at(after);
            let Some(input) = input(name) else { continue };
            let action = exchange.handle(1, input);
            let misuse = matches!(&action, Action::Respond(response)
                if response.status == 500 && text(response).contains("lost track of this request"));
            // An operation that never asked does not know what to do with an answer either: it refuses, too.
            let taken = allowed.contains(&name) && !after.ends_with("the operation");
            assert_eq!(!misuse, taken, "{name} after {after}: {action:?}");
            if misuse {
                assert_eq!(exchange.handle(1, Input::Elapsed), Action::Done, "{name} after {after}");
            }
        }
    }
}

#[test]
fn access_asks_as_often_as_it_likes_and_then_the_request_goes_on() {
    let mut exchange = at("the start");
    exchange.handle(0, Input::Request(request()));
    let mut exchange = at("the start");
    exchange.deadline = 1000;
    let turn = Turn::ask(get(), |_, answer| {
        assert_eq!(answer, Answer::Stored(Stored::Value { value: None, version: 0 }));
        Turn::ask(Need::Wait(5000), |now, answer| {
            assert_eq!((now, answer), (300, Answer::Elapsed));
            Turn::Ready(())
        })
    })
    .then(0, |now, ()| {
        assert_eq!(now, 300);
        Turn::Ready(Verdict::Accepted(None))
    });
    let gateway = gateway();
    let action = exchange.judge(&gateway, 100, 0, Box::new(request()), turn).unwrap();
    assert!(matches!(action, Action::Store(_)), "{action:?}");
    let action = exchange.handle(200, Input::Stored(Stored::Value { value: None, version: 0 }));
    assert_eq!(action, Action::Wait(800), "no longer than the exchange may take");
    let action = exchange.handle(300, Input::Elapsed);
    assert!(matches!(action, Action::Forward { .. }), "{action:?}");
}

#[test]
fn access_that_asks_after_the_deadline_is_refused() {
    let mut exchange = at("the start");
    exchange.deadline = 1000;
    let turn = Turn::ask(get(), |_, _| Turn::Ready(Verdict::Accepted(None)));
    let error = exchange.judge(&gateway(), 1000, 0, Box::new(request()), turn).unwrap_err();
    assert_eq!(error.status, 504);
}

/// What a route that observes records of a request, of what is sent on and answered meanwhile.
fn observed(method: &str, path: &str, body: &str, answer: &str) -> serde_json::Value {
    let rules = serde_json::json!([{ "idp": "userName", "provider": "userName", "transform": ["lower"] }]);
    let mut exchange = Exchange::new(compiled("observe", &rules), [7; 16]);
    let head = Request { method: method.into(), path: path.into(), end: body.is_empty(), ..request() };
    let mut action = exchange.handle(1, Input::Request(head));
    if !body.is_empty() {
        action = exchange.handle(1, Input::Body { bytes: body.into(), last: true });
    }
    let Action::Forward { call, .. } = action else { panic!("it is sent on: {action:?}") };
    assert_eq!((call.method, call.body.as_slice()), (method, body.as_bytes()));
    exchange.handle(1, Input::Response(ResponseHead { status: 200, headers: Headers::new(), end: false }));
    let Action::Respond(response) =
        exchange.handle(1, Input::ResponseBody { bytes: answer.into(), last: true })
    else {
        panic!("it is answered")
    };
    assert_eq!(text(&response), answer);
    let effects = exchange.effects();
    let record = effects.iter().find_map(|effect| match effect {
        Effect::Audit(line) => serde_json::from_str::<serde_json::Value>(line).ok(),
        _ => None,
    });
    let counted = effects.iter().any(|effect| matches!(effect, Effect::Metric { name: "observed", .. }));
    assert!(counted, "{effects:?}");
    record.unwrap()["observed"].take()
}

#[test]
fn a_route_that_observes_records_what_it_would_have_made_of_both_messages() {
    let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"mo","meta":{"location":"https://app.example/api/Users/1"}}"#;
    let here = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"mo","meta":{"location":"http://127.0.0.1:8080/scim/v2/Users/1"}}"#;
    let upper = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"MO","x-other":1}"#;
    let wrong = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"active":"secret"}"#;
    let same = serde_json::json!({ "result": "same" });

    let found = observed("GET", "/scim/v2/Users/1", "", here);
    assert_eq!(found, serde_json::json!({ "request": same, "answer": same }));
    let found = observed("GET", "/scim/v2/Users/1", "", user);
    assert_eq!(
        found,
        serde_json::json!({ "request": same, "answer": { "result": "changed", "changes": ["meta"] } })
    );
    let found = observed("POST", "/scim/v2/Users", upper, here);
    let (request, answer) = (&found["request"], &found["answer"]);
    assert_eq!(request["result"], "changed");
    assert_eq!(request["changes"], serde_json::json!(["userName"]));
    assert_eq!((&answer["status"], &answer["changes"]), (&201.into(), &serde_json::json!(["status"])));
    let found = observed("POST", "/scim/v2/Users", wrong, user);
    let request = &found["request"];
    assert_eq!((&request["result"], &request["status"]), (&"refused".into(), &400.into()));
    assert!(request["detail"].as_str().unwrap().contains("`active`"), "{found}");
    assert!(!found.to_string().contains("secret") && found.get("answer").is_none(), "{found}");
    let found = observed("GET", "/scim/v2/Schemas", "", "{}");
    assert_eq!(found["request"], serde_json::json!({ "result": "answered by the gateway", "status": 200 }));
}

/// An exchange that waits for what the host does about an action.
fn at(after: &str) -> Exchange {
    let mut exchange = Exchange::new(gateway(), [7; 16]);
    exchange.deadline = u64::MAX;
    let under = || {
        let target = Target::parse(b"/scim/v2/Users/1").unwrap();
        let gateway = gateway();
        let request = operation::Request::parse(&gateway.routes[0], &request(), &target, "/Users/1").unwrap();
        Under { route: 0, operation: Box::new(Operation::new(request)), sent: None }
    };
    let access = |asked| {
        let resume = match Turn::ask(get(), |_, _| Turn::Ready(Verdict::Accepted(None))) {
            Turn::Need(_, resume) => resume,
            Turn::Ready(_) => panic!("it asks"),
        };
        State::ExpectVerdict(0, Box::new(request()), asked, resume)
    };
    let credential = |asked| {
        let Turn::Need(_, resume) = Turn::ask(get(), |_, _| Turn::Ready(Ok(Shown::default()))) else {
            panic!("it asks");
        };
        let call = gateway().routes[0].provider.clone();
        let call = Call {
            method: "GET",
            scheme: call.scheme,
            authority: call.authority(),
            cluster: None,
            path: "/api/Users/1".into(),
            headers: Headers::new(),
            body: Vec::new(),
        };
        let sending = Sending { call, forward: true, refused: Refused::default() };
        State::ExpectShown(under(), sending, asked, resume)
    };
    exchange.state = match after {
        "the start" => State::ExpectRequest,
        "Read of the request" => State::ExpectBody(under(), Vec::new()),
        "Callout" => State::ExpectReply(asked(under())),
        "Forward" => State::ExpectResponse(asked(under())),
        "Read of the response" => {
            let response = Response { status: 200, headers: Headers::new(), body: Vec::new() };
            State::ExpectResponseBody(asked(under()), response)
        }
        "Store for access" => access(Asked::Store),
        "Callout for access" => access(Asked::Call),
        "Verify for access" => access(Asked::Verify),
        "Wait for access" => access(Asked::Wait),
        "Store for the credential" => credential(Asked::Store),
        "Callout for the credential" => credential(Asked::Call),
        "Wait for the credential" => credential(Asked::Wait),
        "Store for the operation" => State::ExpectAnswer(under(), Asked::Store),
        "Wait for the operation" => State::ExpectAnswer(under(), Asked::Wait),
        other => panic!("no action {other}"),
    };
    exchange
}

/// The operation once it has asked the provider.
fn asked(mut under: Under) -> Under {
    let gateway = gateway();
    let (mut audit, mut trace) = (Audit::default(), Trace::default());
    let route = &gateway.routes[0];
    let mut scene = Scene { gateway: &gateway, route, audit: &mut audit, trace: &mut trace, id: "1", now: 0 };
    under.operation.begin(&mut scene, Vec::new()).unwrap();
    under
}

fn input(name: &str) -> Option<Input> {
    let response = || Response { status: 200, headers: Headers::new(), body: b"{\"id\":\"1\"}".to_vec() };
    Some(match name {
        "Request" => Input::Request(request()),
        "Body" => Input::Body { bytes: Vec::new(), last: true },
        "Response" => Input::Response(ResponseHead { status: 200, headers: Headers::new(), end: true }),
        "ResponseBody" => Input::ResponseBody { bytes: response().body, last: true },
        "Reply" => Input::Reply(response()),
        "Stored" => Input::Stored(Stored::Put(true)),
        "Verified" => Input::Verified(true),
        "Elapsed" => Input::Elapsed,
        "Fault" => Input::Fault(Fault::Reset),
        _ => return None,
    })
}

fn get() -> Need {
    Need::Store(StoreRequest {
        key: [0; 32],
        class: StoreClass::Local,
        secret: false,
        operation: StoreOperation::Get,
    })
}

fn request() -> Request {
    Request {
        method: b"GET".to_vec(),
        path: b"/scim/v2/Users/1".to_vec(),
        headers: Headers::new(),
        end: true,
        peer: crate::Peer::default(),
    }
}

fn gateway() -> Arc<Gateway> {
    static GATEWAY: std::sync::OnceLock<Arc<Gateway>> = std::sync::OnceLock::new();
    Arc::clone(GATEWAY.get_or_init(|| compiled("enforce", &serde_json::json!([]))))
}

fn compiled(mode: &str, rules: &serde_json::Value) -> Arc<Gateway> {
    let document = serde_json::json!({
        "version": 1,
        "public_url": "http://127.0.0.1:8080",
        "routes": { "main": {
            "idp": { "profile": "generic", "path": "/scim/v2", "open": true },
            "provider": { "profile": "generic", "url": "https://app.example/api" },
            "mapping": { "User": rules },
            "mode": mode,
        } },
    });
    let gateway = Gateway::compile(&document.to_string(), &BTreeMap::new(), HostFacts::default());
    Arc::new(gateway.unwrap())
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}
