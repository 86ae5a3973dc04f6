//! Secrets, limits and verdicts through a route's access rules.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::*;
use crate::Headers;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn tokens_are_told_apart_by_digest_and_time() {
    let access = access();
    for (token, now, expected) in [
        ("first", 0, Verdict::Accepted(Some(0))),
        ("first", 999, Verdict::Accepted(Some(0))),
        ("first", 1000, Verdict::Refused(Refusal::Expired)),
        ("second", 499, Verdict::Refused(Refusal::NotYet)),
        ("second", 500, Verdict::Accepted(Some(1))),
        ("third", 1, Verdict::Accepted(Some(2))),
        ("fourth", 1, Verdict::Refused(Refusal::Unknown)),
        ("First", 1, Verdict::Refused(Refusal::Unknown)),
        ("firs", 1, Verdict::Refused(Refusal::Unknown)),
        ("first=", 1, Verdict::Refused(Refusal::Unknown)),
        ("password", 1, Verdict::Refused(Refusal::Unknown)),
    ] {
        assert_eq!(judge(&access, &format!("Bearer {token}"), now), expected, "{token} at {now}");
    }
    assert_eq!(access.way(&Verdict::Accepted(Some(1))).map(|way| way.name.as_str()), Some("name-second"));
    assert!(access.way(&Verdict::Accepted(Some(9))).is_none());
}

#[test]
fn passwords_go_with_their_user() {
    let access = access();
    for (pair, expected) in [
        ("YWRhOnBhc3N3b3Jk", Verdict::Accepted(Some(3))), // ada:password
        ("YWRhOnBhc3N3b3Jl", Verdict::Refused(Refusal::Unknown)), // ada:passwore
        ("ZXZlOnBhc3N3b3Jk", Verdict::Refused(Refusal::Unknown)), // eve:password
        ("QWRhOnBhc3N3b3Jk", Verdict::Refused(Refusal::Unknown)), // Ada:password
        ("OnBhc3N3b3Jk", Verdict::Refused(Refusal::Unknown)), // :password
        ("YWRhOmZpcnN0", Verdict::Refused(Refusal::Unknown)), // ada:first
        ("YWRhcGFzc3dvcmQ=", Verdict::Refused(Refusal::Malformed)), // adapassword
    ] {
        assert_eq!(judge(&access, &format!("Basic {pair}"), 0), expected, "{pair}");
    }
}

#[test]
fn a_digest_is_no_token_and_a_flipped_bit_is_refused() {
    let access = access();
    let hex: String = digest("first").iter().map(|byte| format!("{byte:02x}")).collect();
    let flipped = (0..40).map(|bit| {
        let mut token = b"first".to_vec();
        token[bit / 8] ^= 1 << (bit % 8);
        token
    });
    for token in flipped.chain([hex.into_bytes()]) {
        let mut request = request("");
        request.headers = Headers::new();
        request.headers.push("authorization", [b"Bearer ", token.as_slice()].concat());
        assert!(matches!(access.begin(&request, 0), Turn::Ready(Verdict::Refused(_))), "{token:?}");
    }
}

#[test]
fn an_open_route_needs_nothing_and_an_empty_one_lets_nobody_in() {
    let open = Arc::new(Access::open("r"));
    assert_eq!(judge(&open, "", 0), Verdict::Accepted(None));
    let empty = Arc::new(Access::new("r", false, Vec::new(), [0; 32]));
    assert_eq!(judge(&empty, "Bearer x", 0), Verdict::Refused(Refusal::Unknown));
}

#[test]
fn challenges() {
    let bearer = Access::new("acme", false, Vec::new(), [0; 32]);
    assert_eq!(bearer.challenge(Refusal::Missing), r#"Bearer realm="acme""#);
    assert_eq!(bearer.challenge(Refusal::Expired), r#"Bearer realm="acme", error="invalid_token""#);
    assert_eq!(access().challenge(Refusal::Missing), r#"Bearer realm="acme", Basic realm="acme""#);
}

#[test]
fn debug_shows_names_only() {
    let shown = format!("{:?}", access());
    assert!(shown.contains("name-first") && shown.contains("Secret(…)"), "{shown}");
    assert!(!shown.contains("digest: [1"), "{shown}");
}

#[test]
fn addresses_and_counts_limit_a_way_in() {
    let secret = Kind::Secret(Secret::new(None, digest("t"), 0, u64::MAX));
    let limits = Limits {
        networks: vec![Network::parse("192.0.2.0/24").unwrap()],
        rate: Some(Rate { max: 2, per: 60_000 }),
        ..Limits::default()
    };
    let method = Method { name: "t".into(), limits, kind: secret };
    let access = Arc::new(Access::new("r", false, vec![method], [0; 32]));
    let mut request = request("Bearer t");
    assert_eq!(ready(access.begin(&request, 0)), Verdict::Refused(Refusal::Network));
    request.peer.address = Some([198, 51, 100, 1].into());
    assert_eq!(ready(access.begin(&request, 0)), Verdict::Refused(Refusal::Network));
    request.peer.address = Some([192, 0, 2, 1].into());
    for (answer, expected) in [
        (Answer::Stored(Stored::Number(1)), Verdict::Accepted(Some(0))),
        (Answer::Stored(Stored::Number(2)), Verdict::Accepted(Some(0))),
        (Answer::Stored(Stored::Number(3)), Verdict::Busy(Some(0), 60)),
        (Answer::Stored(Stored::Number(-1)), Verdict::Busy(Some(0), 60)),
        (Answer::Stored(Stored::Put(true)), Verdict::Unavailable),
        (Answer::Failed(crate::Fault::Unreachable), Verdict::Unavailable),
    ] {
        let Turn::Need(Need::Store(asked), resume) = access.begin(&request, 0) else { panic!("it counts") };
        assert_eq!(asked.operation, StoreOperation::Add { delta: 1, ttl: 60_000 });
        assert_eq!(ready(resume.with(0, answer)), expected);
    }
}

fn access() -> Arc<Access> {
    let method = |name: &str, user, not_before, expires| Method {
        name: format!("name-{name}"),
        limits: Limits::default(),
        kind: Kind::Secret(Secret::new(user, digest(name), not_before, expires)),
    };
    let methods = vec![
        method("first", None, 0, 1000),
        method("second", None, 500, 1000),
        method("third", None, 0, u64::MAX),
        method("password", Some("ada"), 0, u64::MAX),
    ];
    Arc::new(Access::new("acme", false, methods, [0; 32]))
}

fn judge(access: &Arc<Access>, authorization: &str, now: u64) -> Verdict {
    ready(access.begin(&request(authorization), now))
}

fn ready(turn: Turn<Verdict>) -> Verdict {
    let Turn::Ready(verdict) = turn else { panic!("nothing has to be asked") };
    verdict
}

fn request(authorization: &str) -> Request {
    let headers = Headers::from_iter([("authorization", authorization)]);
    Request { method: b"GET".to_vec(), path: b"/".to_vec(), headers, end: true, peer: Peer::default() }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// What passwords with slow hashes ask for: every need with its answer, until there is a verdict.
fn judged(
    access: &Arc<Access>,
    authorization: &str,
    now: u64,
    right: &[&str],
    asked: &mut Vec<String>,
) -> Verdict {
    let mut turn = access.begin(&request(authorization), now);
    loop {
        let (need, resume) = match turn {
            Turn::Ready(verdict) => return verdict,
            Turn::Need(need, resume) => (need, resume),
        };
        let answer = match need {
            Need::Store(StoreRequest { operation: StoreOperation::Get, .. }) => {
                asked.push("get".to_owned());
                Answer::Stored(Stored::Value { value: None, version: 0 })
            }
            Need::Store(StoreRequest { operation: StoreOperation::Add { .. }, class, .. }) => {
                assert_eq!(class, StoreClass::Local);
                asked.push("add".to_owned());
                Answer::Stored(Stored::Number(1))
            }
            Need::Store(StoreRequest { operation: StoreOperation::Put { ttl, .. }, .. }) => {
                asked.push(format!("put {ttl}"));
                Answer::Stored(Stored::Put(true))
            }
            Need::Verify(verify) => {
                let (hash, password) =
                    (String::from_utf8(verify.key).unwrap(), String::from_utf8(verify.message).unwrap());
                asked.push(format!("{} {password}", verify.algorithm));
                Answer::Verified(right.iter().any(|right| hash.contains(right)))
            }
            other => panic!("{other:?}"),
        };
        turn = resume.with(now, answer);
    }
}

fn slow_access() -> Arc<Access> {
    let hash = |salt: &str| {
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG")
    };
    let method = |user, expires| Method {
        name: format!("slow-{user}"),
        limits: Limits::default(),
        kind: Kind::Secret(Secret::new(Some(user), Hash::read(&hash(user)).unwrap(), 0, expires)),
    };
    Arc::new(Access::new("r", false, vec![method("ada0", 100_000), method("bob0", u64::MAX)], [0; 32]))
}

#[test]
fn every_slow_hash_is_computed_whoever_asks() {
    let access = slow_access();
    let basic = |user: &str| format!("Basic {}", Base64::encode_string(format!("{user}:secret").as_bytes()));
    let work = ["get", "add", "add", "argon2id secret", "argon2id secret"];
    for (user, right, now, expected, put) in [
        ("ada0", vec!["ada0"], 0, Verdict::Accepted(Some(0)), Some("put 100000")),
        ("bob0", vec!["bob0"], 0, Verdict::Accepted(Some(1)), Some("put 300000")),
        // The password of somebody else, of nobody, and after its end.
        ("bob0", vec!["ada0"], 0, Verdict::Refused(Refusal::Unknown), None),
        ("eve0", vec!["ada0", "bob0"], 0, Verdict::Refused(Refusal::Unknown), None),
        ("ada0", vec![], 0, Verdict::Refused(Refusal::Unknown), None),
        ("ada0", vec!["ada0"], 100_000, Verdict::Refused(Refusal::Expired), None),
    ] {
        let mut asked = Vec::new();
        assert_eq!(judged(&access, &basic(user), now, &right, &mut asked), expected, "{user} {right:?}");
        assert_eq!(asked, work.into_iter().chain(put).collect::<Vec<_>>(), "{user} {right:?}");
    }
    let mut asked = Vec::new();
    assert_eq!(
        judged(&access, "Bearer secret", 0, &["ada0"], &mut asked),
        Verdict::Refused(Refusal::Unknown)
    );
    assert!(asked.is_empty(), "a token is no password: {asked:?}");
}

#[test]
fn passwords_are_tried_so_often_and_a_host_that_cannot_judge_lets_nobody_in() {
    let access = slow_access();
    let begin = || {
        let turn = access.begin(&request("Basic YWRhMDpzZWNyZXQ="), 0);
        let Turn::Need(Need::Store(_), recalled) = turn else { panic!("it recalls") };
        recalled.with(0, Answer::Stored(Stored::Value { value: None, version: 0 }))
    };
    let next = |turn: Turn<Verdict>, answer: Answer| {
        let Turn::Need(_, resume) = turn else { panic!("it asks") };
        resume.with(0, answer)
    };
    let number = |number| Answer::Stored(Stored::Number(number));
    assert_eq!(ready(next(begin(), number(11))), Verdict::Busy(None, 60));
    assert_eq!(ready(next(next(begin(), number(10)), number(101))), Verdict::Busy(None, 60));
    assert_eq!(ready(next(begin(), Answer::Failed(crate::Fault::Unreachable))), Verdict::Unavailable);
    let verifies = || next(next(begin(), number(10)), number(100));
    let fault = || Answer::Failed(crate::Fault::Unreachable);
    assert_eq!(ready(next(next(verifies(), fault()), fault())), Verdict::Unavailable);
    let error = access.outcome(&Verdict::Busy(None, 60)).unwrap_err();
    assert_eq!((error.status, &*error.detail), (429, "too many passwords were tried on route `r`"));
}
