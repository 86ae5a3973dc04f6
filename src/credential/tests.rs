//! Fixed credentials, and what is fetched, kept, shared, refused and renewed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::errand::{Answer, Need};
use crate::http::url::Url;
use crate::http::{Call, Response};
use crate::store::{StoreOperation, Stored};
use crate::{Fault, Scheme};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_bearer_token_becomes_one_header_field() {
    let credential = Credential::bearer("abc~1.2:3=", Some(SOON + 1000)).unwrap();
    assert_eq!(fixed(&credential), "Bearer abc~1.2:3=");
    assert!(!credential.expired(SOON + 999) && credential.expired(SOON + 1000));
    assert!(!credential.ends_soon(999) && credential.ends_soon(1000));
    assert!(!Credential::bearer("x", None).unwrap().expired(u64::MAX));
    assert!(!credential.renews());
    assert!(!format!("{credential:?}").contains("abc"), "{credential:?}");
}

#[test]
fn user_and_password_become_one_header_field() {
    // The example of RFC 7617 section 2.
    let credential = Credential::basic("Aladdin", "open sesame", None).unwrap();
    assert_eq!(fixed(&credential), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(fixed(&Credential::basic("test", "123\u{a3}", None).unwrap()), "Basic dGVzdDoxMjPCow==");
    assert!(Credential::basic("a", ":b:", None).is_ok());
    for (user, password) in [("", "x"), ("a:b", "x"), ("a\n", "x"), ("a", "x\r\n")] {
        assert!(Credential::basic(user, password, None).is_err(), "{user:?} {password:?}");
    }
}

#[test]
fn what_could_break_the_header_is_refused() {
    for (token, expected) in [
        ("", Unsendable::Characters),
        ("a b", Unsendable::Characters),
        ("a\r\nx-admin: 1", Unsendable::Characters),
        ("a\n", Unsendable::Characters),
        ("a\0", Unsendable::Characters),
        ("pässwort", Unsendable::Characters),
        ("Bearer abc", Unsendable::Scheme),
        ("bearer: abc", Unsendable::Scheme),
    ] {
        assert_eq!(Credential::bearer(token, None).err(), Some(expected), "{token:?}");
    }
    assert!(Credential::bearer("bearerness", None).is_ok());
}

#[test]
fn a_token_is_fetched_once_and_kept_until_it_is_about_to_end() {
    let (mut host, credential) = (Host::default(), oauth());
    host.issue(200, token("one", json!(3600)));
    assert_eq!(host.show(&credential, 0), Ok("Bearer one".to_owned()));
    assert_eq!(host.show(&credential, 3_300_000 - 1), Ok("Bearer one".to_owned()));
    assert_eq!(host.asked(), 1);
    // From five minutes before its end it is fetched anew; one that fails leaves the old one in use.
    host.fail(Fault::Timeout);
    assert_eq!(host.show(&credential, 3_300_000), Ok("Bearer one".to_owned()));
    assert_eq!(host.show(&credential, 3_300_999), Ok("Bearer one".to_owned()), "nobody tries for a second");
    host.issue(200, token("two", json!("3600")));
    assert_eq!(host.show(&credential, 3_301_000), Ok("Bearer two".to_owned()));
    assert_eq!(host.asked(), 2);
}

#[test]
fn the_request_for_a_token_is_that_of_rfc_6749() {
    let (mut host, credential) = (Host::default(), oauth());
    host.issue(200, token("one", Value::Null));
    host.show(&credential, 0).unwrap();
    let call = host.calls.pop().unwrap();
    assert_eq!((call.method, call.url().as_str()), ("POST", "https://login.example/token"));
    let fields: Vec<_> = call.headers.iter().map(|(name, value)| (name, text(value))).collect();
    assert_eq!(
        fields,
        [
            ("accept", "application/json".to_owned()),
            ("accept-encoding", "identity".to_owned()),
            ("authorization", "Basic Y2xpZW50OnMlM0FjcmV0".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ]
    );
    assert_eq!(text(&call.body), "grant_type=client_credentials&scope=a+b%2Bc");
}

#[test]
fn a_refused_token_is_fetched_anew_and_the_new_one_serves_all() {
    let (mut host, credential) = (Host::default(), oauth());
    host.issue(200, token("one", json!(3600)));
    let shown = host.shown(&credential, 5, Refused::default()).unwrap();
    assert_eq!(credential.refused(&shown, 403, &Headers::new()), None);
    let refused = credential.refused(&shown, 401, &Headers::new()).unwrap();
    host.issue(200, token("two", json!(3600)));
    let renewed = host.shown(&credential, 7, refused).unwrap();
    assert_eq!(renewed.fields[0].1.expose(), "Bearer two");
    let again = credential.refused(&renewed, 401, &Headers::new()).unwrap();
    assert!(refused.repeats(again), "once a call");
    // Another exchange whose call was refused with the old token takes the new one.
    assert_eq!(host.shown(&credential, 8, refused).unwrap().fields[0].1.expose(), "Bearer two");
    assert_eq!(host.asked(), 2);
}

#[test]
fn one_exchange_fetches_and_the_others_wait() {
    let (mut host, credential) = (Host::default(), oauth());
    let first = credential.show(0, "a", false, Refused::default());
    let (need, first) = host.until_call(0, first);
    assert!(matches!(need, Need::Call(..)));
    let second = credential.show(10, "b", false, Refused::default());
    let (need, second) = host.until_call(10, second);
    assert_eq!(need, Need::Wait(100), "the lease is the first one's");
    host.issue(200, token("one", json!(60)));
    let answer = Answer::Reply(host.answers.remove(0).unwrap());
    let first = first.with(60, answer);
    assert_eq!(host.finish(60, first).unwrap().fields[0].1.expose(), "Bearer one");
    assert_eq!(
        host.finish(110, second.with(110, Answer::Elapsed)).unwrap().fields[0].1.expose(),
        "Bearer one"
    );
}

#[test]
fn a_lease_ends_with_the_exchange_that_has_it() {
    let (mut host, credential) = (Host::default(), oauth());
    drop(host.until_call(0, credential.show(0, "a", false, Refused::default())));
    host.issue(200, token("one", json!(60)));
    assert_eq!(host.show(&credential, 10_100), Ok("Bearer one".to_owned()));
    // Waiting is bounded, too.
    let mut host = Host { clock_stands: true, ..Host::default() };
    drop(host.until_call(0, credential.show(0, "a", false, Refused::default())));
    let error = host.show(&credential, 1).unwrap_err();
    assert!(error.contains("503 ") && error.contains("waiting for it for too long"), "{error}");
}

/// What the token endpoint does, and what the IdP is told.
#[test]
fn what_goes_wrong_at_the_token_endpoint_is_said() {
    let json = |value: Value| value.to_string();
    let cases = [
        (Err(Fault::Unreachable), "login.example cannot be reached"),
        (Err(Fault::Timeout), "login.example did not answer in time"),
        (Err(Fault::Reset), "login.example broke the connection"),
        (Err(Fault::TooLarge), "login.example answered with something else than a token"),
        (Ok((200, String::new())), "answered with something else than a token"),
        (Ok((200, "<html>".to_owned())), "answered with something else than a token"),
        (Ok((200, "[]".to_owned())), "answered with something else than a token"),
        (Ok((200, json(json!({})))), "answered with something else than a token"),
        (Ok((200, json(json!({ "access_token": "" })))), "something else than a token"),
        (Ok((200, json(json!({ "access_token": "a b" })))), "something else than a token"),
        (Ok((200, json(json!({ "access_token": "a\r\nx: y" })))), "something else than a token"),
        (Ok((200, json(json!({ "access_token": 7 })))), "something else than a token"),
        (Ok((200, json(json!({ "access_token": "a", "token_type": "mac" })))), "something else"),
        (Ok((200, json(json!({ "access_token": "a", "expires_in": -1 })))), "something else"),
        (Ok((200, json(json!({ "access_token": "a", "expires_in": "soon" })))), "something else"),
        (
            Ok((400, json(json!({ "error": "invalid_client", "error_description": "hush" })))),
            "login.example refused it (400 invalid_client); correct the credential of the route",
        ),
        (Ok((401, json(json!({ "error": "hush" })))), "refused it (401); correct"),
        (Ok((403, String::new())), "refused it (403); correct"),
        (Ok((302, String::new())), "login.example answered 302"),
        (Ok((500, "hush".to_owned())), "login.example answered 500"),
    ];
    for (answer, expected) in cases {
        let (mut host, credential) = (Host::default(), oauth());
        match answer {
            Err(fault) => host.fail(fault),
            Ok((status, body)) => host.issue(status, body),
        }
        let error = host.show(&credential, 0).unwrap_err();
        assert!(error.starts_with("503 the gateway could not fetch its token for the provider: "), "{error}");
        assert!(error.contains(expected) && error.ends_with("; nothing was sent"), "{error}: {expected}");
        assert!(!error.contains("hush"), "{error}");
        // The next ones are told the same without asking; a second later it is tried again.
        assert_eq!(host.show(&credential, 999), Err(error));
        host.issue(200, token("late", Value::Null));
        assert_eq!(host.show(&credential, 1000), Ok("Bearer late".to_owned()));
    }
}

#[test]
fn tokens_of_other_credentials_are_other_tokens() {
    let mut host = Host::default();
    let (one, other) = (oauth(), oauth_with("other secret"));
    host.issue(200, token("one", json!(3600)));
    host.issue(200, token("two", json!(3600)));
    assert_eq!(host.show(&one, 0), Ok("Bearer one".to_owned()));
    assert_eq!(host.show(&other, 0), Ok("Bearer two".to_owned()));
    assert_eq!(host.show(&oauth(), 0), Ok("Bearer one".to_owned()), "the same credential again");
    let kept = format!("{:?} {one:?}", host.secret);
    assert!(host.secret.iter().all(|secret| *secret), "everything that is kept is marked secret");
    assert!(!kept.contains("secret other"), "{kept}");
}

#[test]
fn steps_use_what_came_before() {
    let step = |path: &str, access, token: &str| Step {
        endpoint: endpoint(path),
        access,
        body: Body::None,
        headers: vec![("user-agent".to_owned(), "scimlock".to_owned())],
        proof: None,
        token: token.to_owned(),
        life: Life { member: Some("expires_at".to_owned()), default: 1000 },
    };
    let previous = Template::read("{previous}", |_| None).unwrap();
    let steps = vec![
        step("/one", Access::Basic(Template::plain("a"), Template::plain("b")), "access_token"),
        step("/two", Access::Bearer(previous), "accessToken"),
    ];
    let credential = Credential::fetched(Flow::new(steps, &[b"x"]), None);
    let mut host = Host::default();
    host.issue(200, token("short", Value::Null));
    host.issue(201, json!({ "accessToken": "long", "expires_at": "1970-01-01T01:00:00Z" }).to_string());
    assert_eq!(host.show(&credential, 0), Ok("Bearer long".to_owned()));
    assert_eq!(host.show(&credential, 3_200_000), Ok("Bearer long".to_owned()));
    let second = host.calls.pop().unwrap();
    assert_eq!(second.headers.get("authorization").map(text).as_deref(), Some("Bearer short"));
    assert_eq!(second.headers.get("user-agent").map(text).as_deref(), Some("scimlock"));
    assert_eq!(second.url(), "https://login.example/two");
    // A step that fails ends the flow.
    host.issue(200, token("short", Value::Null));
    host.issue(403, String::new());
    assert!(host.show(&credential, 3_600_000).unwrap_err().contains("refused it (403)"));
}

#[test]
fn a_session_goes_with_writes_only_and_is_opened_anew_when_it_is_required() {
    let credential = Credential::basic("u", "p", None).unwrap();
    let session = Session::new(endpoint("/Users?count=1"), Vec::new());
    let credential = credential.with_session(session);
    let mut host = Host::default();
    let read = host.finish(0, credential.show(0, "a", false, Refused::default())).unwrap();
    assert_eq!(names(&read), ["authorization"]);
    host.answers.push(Ok(opened("t1", &["A=1; path=/; HttpOnly", "B=2==; Max-Age=0", "c=x=y", "=z"])));
    let write = host.finish(0, credential.show(0, "a", true, Refused::default())).unwrap();
    assert_eq!(names(&write), ["authorization", "x-csrf-token", "cookie"]);
    assert_eq!(write.fields[1].1.expose(), "t1");
    assert_eq!(write.fields[2].1.expose(), "A=1; c=x=y");
    let call = host.calls.pop().unwrap();
    assert_eq!((call.method, call.url().as_str()), ("GET", "https://login.example/Users?count=1"));
    assert_eq!(call.headers.get("x-csrf-token").map(text).as_deref(), Some("Fetch"));
    assert_eq!(call.headers.get("authorization").map(text).as_deref(), Some("Basic dTpw"));

    let answer = |value: &str| Headers::from_iter([("x-csrf-token", value)]);
    assert_eq!(credential.refused(&write, 403, &answer("abc")), None);
    assert_eq!(credential.refused(&write, 403, &Headers::new()), None);
    assert_eq!(credential.refused(&write, 401, &answer("Required")), None);
    assert_eq!(credential.refused(&read, 403, &answer("Required")), None);
    let refused = credential.refused(&write, 403, &answer(" required ")).unwrap();
    host.answers.push(Ok(opened("t2", &[])));
    let again = host.finish(9, credential.show(9, "a", true, refused)).unwrap();
    assert_eq!(names(&again), ["authorization", "x-csrf-token"]);
    assert_eq!(again.fields[1].1.expose(), "t2");
}

#[test]
fn a_session_that_is_not_opened_is_said() {
    for (answer, expected) in [
        (Ok(opened("Required", &[])), "its answer has no `x-csrf-token`"),
        (Ok(Response { status: 200, headers: Headers::new(), body: Vec::new() }), "has no `x-csrf-token`"),
        (
            Ok(Response { status: 401, headers: Headers::new(), body: Vec::new() }),
            "refused the gateway's cred",
        ),
        (Err(Fault::Timeout), "it did not answer in time"),
    ] {
        let session = Session::new(endpoint("/Users"), Vec::new());
        let credential = Credential::none().with_session(session);
        let mut host = Host::default();
        host.answers.push(answer);
        let error = host.finish(0, credential.show(0, "a", true, Refused::default())).unwrap_err();
        assert_eq!(error.status, 503);
        assert!(error.detail.contains(expected), "{}", error.detail);
    }
    // A token may come with an error of the request that fetched it.
    let session = Session::new(endpoint("/Users"), Vec::new());
    let credential = Credential::none().with_session(session);
    let mut host = Host::default();
    host.answers.push(Ok(Response { status: 400, ..opened("t", &[]) }));
    assert!(host.finish(0, credential.show(0, "a", true, Refused::default())).is_ok());
}

fn names(shown: &Shown) -> Vec<&str> {
    shown.fields.iter().map(|(name, _)| *name).collect()
}

fn opened(token: &str, cookies: &[&str]) -> Response {
    let mut headers = Headers::from_iter([("x-csrf-token", token)]);
    for cookie in cookies {
        headers.push("set-cookie", *cookie);
    }
    Response { status: 200, headers, body: Vec::new() }
}

/// The field of a credential that asks for nothing.
fn fixed(credential: &Credential) -> String {
    let Turn::Ready(Ok(shown)) = credential.show(0, "seed", true, Refused::default()) else {
        panic!("it is fixed");
    };
    let mut headers = Headers::new();
    shown.apply(&mut headers);
    let fields: Vec<_> = headers.iter().collect();
    let [("authorization", value)] = fields.as_slice() else { panic!("{fields:?}") };
    text(value)
}

fn oauth() -> Credential {
    oauth_with("s:cret")
}

fn oauth_with(secret: &str) -> Credential {
    let step = Step {
        endpoint: endpoint("/token"),
        access: Access::Basic(Template::plain("client"), Template::plain(form_encoded(secret))),
        body: Body::Form(vec![
            ("grant_type".to_owned(), Template::plain("client_credentials")),
            ("scope".to_owned(), Template::plain("a b+c")),
        ]),
        headers: Vec::new(),
        proof: None,
        token: "access_token".to_owned(),
        life: Life { member: Some("expires_in".to_owned()), default: 3_600_000 },
    };
    Credential::fetched(Flow::new(vec![step], &[secret.as_bytes()]), None)
}

fn endpoint(rest: &str) -> Endpoint {
    let url = Url { scheme: Scheme::Https, host: "login.example".into(), port: 443, path: String::new() };
    Endpoint { url, rest: rest.to_owned(), cluster: None }
}

fn token(token: &str, expires_in: Value) -> String {
    json!({ "access_token": token, "token_type": "bearer", "expires_in": expires_in }).to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A host in memory: a store, scripted answers, and a clock that waiting moves.
#[derive(Default)]
struct Host {
    store: BTreeMap<[u8; 32], (Vec<u8>, u64, u64)>,
    version: u64,
    secret: Vec<bool>,
    answers: Vec<Result<Response, Fault>>,
    calls: Vec<Call>,
    clock_stands: bool,
}

impl Host {
    fn issue(&mut self, status: u16, body: String) {
        self.answers.push(Ok(Response { status, headers: Headers::new(), body: body.into_bytes() }));
    }

    fn fail(&mut self, fault: Fault) {
        self.answers.push(Err(fault));
    }

    /// How many requests were answered since the last time.
    fn asked(&mut self) -> usize {
        std::mem::take(&mut self.calls).len()
    }

    fn show(&mut self, credential: &Credential, now: u64) -> Result<String, String> {
        self.shown(credential, now, Refused::default())
            .map(|shown| shown.fields[0].1.expose().to_owned())
            .map_err(|error| format!("{} {}", error.status, error.detail))
    }

    fn shown(&mut self, credential: &Credential, now: u64, refused: Refused) -> Result<Shown, ScimError> {
        self.finish(now, credential.show(now, "seed", false, refused))
    }

    fn finish(&mut self, now: u64, turn: Turn<Result<Shown, ScimError>>) -> Result<Shown, ScimError> {
        let (mut now, mut turn) = (now, turn);
        loop {
            turn = match turn {
                Turn::Ready(outcome) => return outcome,
                Turn::Need(need, resume) => {
                    let answer = match need {
                        Need::Store(request) => Answer::Stored(self.carry_out(now, request)),
                        Need::Call(call, timeout) => {
                            assert_eq!(timeout, 10_000);
                            self.calls.push(call);
                            match self.answers.remove(0) {
                                Ok(response) => Answer::Reply(response),
                                Err(fault) => Answer::Failed(fault),
                            }
                        }
                        Need::Wait(time) => {
                            now += if self.clock_stands { 0 } else { time };
                            Answer::Elapsed
                        }
                        Need::Verify(_) => panic!("nothing to verify"),
                    };
                    resume.with(now, answer)
                }
            };
        }
    }

    /// Answers the store until something else is asked for.
    fn until_call(
        &mut self,
        now: u64,
        turn: Turn<Result<Shown, ScimError>>,
    ) -> (Need, crate::errand::Resume<Result<Shown, ScimError>>) {
        let mut turn = turn;
        loop {
            turn = match turn {
                Turn::Need(Need::Store(request), resume) => {
                    resume.with(now, Answer::Stored(self.carry_out(now, request)))
                }
                Turn::Need(need, resume) => return (need, resume),
                Turn::Ready(outcome) => panic!("{outcome:?}"),
            };
        }
    }

    fn carry_out(&mut self, now: u64, request: crate::store::StoreRequest) -> Stored {
        self.secret.push(request.secret);
        let found = self.store.get(&request.key);
        let version = found.map_or(0, |(_, version, _)| *version);
        match request.operation {
            StoreOperation::Get => Stored::Value {
                value: found.filter(|(_, _, end)| *end > now).map(|(value, ..)| value.clone()),
                version,
            },
            StoreOperation::Put { expect, .. } if expect.is_some_and(|expect| expect != version) => {
                Stored::Put(false)
            }
            StoreOperation::Put { value, ttl, .. } => {
                self.version += 1;
                self.store.insert(request.key, (value, self.version, now + ttl));
                Stored::Put(true)
            }
            StoreOperation::Add { .. } => panic!("nothing is counted"),
        }
    }
}
