//! What a trace shows and what it masks.

use super::{Trace, mask};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn values_of_payloads_are_masked_and_the_rest_is_not() {
    let cases = [
        (
            r#"{"schemas":["urn:x"],"userName":"ada \" : ","active":true,"n":-12.5e3,"x":null}"#,
            r#"{"schemas":["urn:x"],"userName":"***","active":true,"n":0,"x":null}"#,
        ),
        (
            r#"{"Operations":[{"op":"Add","path":"emails[value eq \"a@b\"].type","value":{"a":["b",7]}}]}"#,
            r#"{"Operations":[{"op":"Add","path":"emails[value eq \"***\"].type","value":{"a":["***",0]}}]}"#,
        ),
        (
            r#"{"status":"404","detail":"there is no such resource"}"#,
            r#"{"status":"404","detail":"there is no such resource"}"#,
        ),
        (r#""Ada""#, r#""***""#),
        ("[]", "[]"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask::json(text, true), masked);
        assert!(serde_json::from_str::<serde_json::Value>(masked).is_ok());
    }
    assert_eq!(mask::json(r#"{"detail":"ada is known"}"#, false), r#"{"detail":"***"}"#);
}

#[test]
fn literals_of_filters_are_masked() {
    let cases = [
        (r#"userName eq "ada""#, r#"userName eq "***""#),
        (
            r#"a eq "b \" c" and (active eq true or n gt 5)"#,
            r#"a eq "***" and (active eq true or n gt "***")"#,
        ),
        ("displayName eq Ada Lovelace and active eq false", r#"displayName eq "***" and active eq false"#),
        (r#"members[value EQ "1"].display"#, r#"members[value EQ "***"].display"#),
        ("userName pr", "userName pr"),
        ("userName eq", "userName eq"),
        ("name.givenName", "name.givenName"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask::filter(text), masked);
    }
}

#[test]
fn nothing_is_made_when_nobody_asked() {
    let mut trace = Trace::default();
    let mut asked = false;
    trace.step("call", |_| asked = true);
    assert!(trace.take().is_empty() && !asked);
    trace.begin(false);
    trace.step("call", |line| line.json("body", b"no json"));
    assert_eq!(trace.take(), [r#"{"step":"call","body":"(7 bytes that are not JSON)"}"#]);
    assert!(trace.take().is_empty());
}
