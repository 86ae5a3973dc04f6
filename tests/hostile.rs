//! Hostile input at the edge: whatever arrives ends in an answer, refused with a SCIM error or sent on as sound JSON.

#![cfg(not(target_family = "wasm"))]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, LazyLock};

use scimlock::{Call, Fault, Gateway, Headers, Response};
use serde_json::Value;

use support::{Answer, Delivery, IdpRequest, Outcome, drive, example, example_with, root};

const NOW: u64 = 1_767_225_600_000;
const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@acme.example","name":{"givenName":"Ad\u00e1","familyName":"Lindqvist"},"emails":[{"type":"work","value":"ada@acme.example","primary":true}],"active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"IT","manager":{"value":"7"}}}"#;
const PATCH: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@acme.example"},{"op":"Add","value":{"name.givenName":"A","active":"False"}},{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}]}"#;
const MEMBERS: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u-\"1"}]},{"op":"Add","path":"members","value":[{"value":"2"}]}]}"#;
const STORED: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"42","userName":"ada@acme.example","name":{"givenName":"Ada","familyName":"L"},"emails":[{"type":"work","value":"b@acme.example"}],"active":true,"meta":{"resourceType":"User"}}"#;
const SEARCH: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"a\"","attributes":["userName"],"startIndex":1,"count":10}"#;
const BULK: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":2,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"w@acme.example","name":{"givenName":"W","familyName":"W"},"emails":[{"type":"work","value":"w@acme.example"}]}},{"method":"DELETE","path":"/Users/bulkId:a"}]}"#;
const LISTED: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"42","userName":"w"}]}"#;
const MESSAGES: [(&str, &str, &str); 6] = [
    ("POST", "/scim/v2/Users", USER),
    ("PUT", "/scim/v2/Users/42", USER),
    ("PATCH", "/scim/v2/Users/42", PATCH),
    ("PATCH", "/scim/v2/Groups/42", MEMBERS),
    ("POST", "/scim/v2/Users/.search", SEARCH),
    ("POST", "/scim/v2/Bulk", BULK),
];

#[test]
fn every_prefix_of_a_body() -> Outcome<()> {
    for_each_message(|gateway, method, path, body| {
        for end in 0..body.len() {
            let status = survive(gateway, &request(method, path, body.as_bytes().get(..end)))?;
            assert!(status >= 400, "a body cut at {end} was taken: {method} {path}");
        }
        Ok(())
    })
}

#[test]
fn every_byte_changed() -> Outcome<()> {
    for_each_message(|gateway, method, path, body| {
        for at in 0..body.len() {
            for change in [0x01, 0x20, 0x80] {
                survive(gateway, &request(method, path, Some(&flipped(body.as_bytes(), at, change))))?;
            }
        }
        Ok(())
    })
}

#[test]
fn every_byte_left_out_or_doubled() -> Outcome<()> {
    for_each_message(|gateway, method, path, body| {
        for at in 0..body.len() {
            let (before, rest) = body.as_bytes().split_at(at);
            let without = [before, rest.get(1..).unwrap_or_default()].concat();
            let doubled = [before, rest.get(..1).unwrap_or_default(), rest].concat();
            survive(gateway, &request(method, path, Some(&without)))?;
            survive(gateway, &request(method, path, Some(&doubled)))?;
        }
        Ok(())
    })
}

#[test]
fn every_fault_in_a_providers_answer() {
    let queries = [
        request("GET", "/scim/v2/Users/42", None),
        request("GET", "/scim/v2/Users", None),
        request("GET", "/scim/v2", None),
        request("PATCH", "/scim/v2/Users/42", Some(PATCH.as_bytes())),
        request("PUT", "/scim/v2/Users/42", Some(USER.as_bytes())),
    ];
    for name in examples().unwrap() {
        let gateway = plain(&name).unwrap();
        for query in &queries {
            for at in 0..STORED.len().max(LISTED.len()) {
                for fault in [cut, |body: &[u8], at| flipped(body, at, 0x01)] {
                    let provider = |call: &Call| {
                        let Response { status, body, .. } = reply_to(call);
                        let body = if call.method == "GET" { fault(&body, at) } else { body };
                        json(status, body)
                    };
                    survive_with(&gateway, query, Delivery::Whole, provider).unwrap();
                }
            }
        }
    }
}

#[test]
fn answers_that_break_off() {
    for name in examples().unwrap() {
        let gateway = plain(&name).unwrap();
        for at in 0..STORED.len() {
            let provider = |_: &Call| json(200, cut(STORED.as_bytes(), at));
            let get = request("GET", "/scim/v2/Users/42", None);
            let status = survive_with(&gateway, &get, Delivery::Whole, provider).unwrap();
            assert_eq!(status, 502, "{name}: an answer cut at {at} passed");
        }
    }
}

#[test]
fn counts_that_no_list_can_have() {
    let gateway = example("generic-to-generic").unwrap();
    for count in ["18446744073709551615", "18446744073709551616", "-1", "1e30", "0.5", "\"1\"", "null", "[]"]
    {
        for field in ["totalResults", "startIndex", "itemsPerPage"] {
            let list = LISTED.replace(&format!("\"{field}\":1"), &format!("\"{field}\":{count}"));
            for path in ["/scim/v2/Users", "/scim/v2", "/scim/v2?startIndex=3&count=5"] {
                let provider = |_: &Call| json(200, list.clone().into());
                survive_with(&gateway, &request("GET", path, None), Delivery::Whole, provider).unwrap();
            }
        }
    }
}

#[test]
fn every_fault_of_a_provider() -> Outcome<()> {
    for_each_message(|gateway, method, path, body| {
        for fault in [Fault::Timeout, Fault::Reset, Fault::Unreachable, Fault::TooLarge] {
            let request = request(method, path, Some(body.as_bytes()));
            let mut called = false;
            let response = drive(gateway, NOW, &request, Delivery::Whole, |_| {
                called = true;
                Answer::Fault(fault)
            })?;
            check_answer(&response)?;
            // A bulk response is an answer; each of its operations has a status of its own.
            let own = path.ends_with("/Bulk") && response.status == 200;
            // 503: it was asked for what a write has to show first.
            let status = response.status;
            assert!(!called || own || matches!(status, 502..=504), "{fault:?}: {status}");
        }
        Ok(())
    })
}

#[test]
fn every_byte_of_a_token_counts() {
    let gateway = example("generic-to-generic").unwrap();
    let header = b"Bearer test";
    for at in 0..header.len() {
        for change in 1..=u8::MAX {
            let scheme_case = change == 0x20 && at < 6;
            let mut get = request("GET", "/scim/v2/Users/42", None);
            get.headers = [("authorization", flipped(header, at, change))].into_iter().collect();
            let status = survive(&gateway, &get).unwrap();
            assert_eq!(status == 401, !scheme_case, "byte {at} changed by {change}: {status}");
        }
    }
}

#[test]
fn every_byte_of_a_target() {
    let target = b"/scim/v2/Users/4%202?filter=userName%20eq%20%22a%22&count=1";
    let gateway = example("generic-to-generic").unwrap();
    for at in 0..target.len() {
        for value in 0..=u8::MAX {
            let mut get = request("GET", "", None);
            get.path = target.to_vec();
            if let Some(byte) = get.path.get_mut(at) {
                *byte = value;
            }
            survive(&gateway, &get).unwrap();
        }
    }
}

#[test]
fn targets_that_try_to_leave() {
    let gateway = example("generic-to-generic").unwrap();
    for target in [
        "",
        "*",
        "scim/v2/Users",
        "//evil.example/scim/v2/Users",
        "http://evil.example/scim/v2/Users",
        "/scim/v2/..",
        "/scim/v2/../../admin",
        "/scim/v2/Users/..",
        "/scim/v2/Users/../../../admin",
        "/scim/v2/%2e%2e/admin",
        "/scim/v2/Users/%2E%2e",
        "/scim/v2/Users/.%2e/x",
        "/scim/v2/Users/..%2fGroups",
        "/scim/v2/Users/..%5cGroups",
        "/scim/v2/Users/a%00b",
        "/scim/v2//Users",
        "/scim/v2/Users//42",
        "/scim/v2\\Users",
        "/scim/v2/Users;x=1/../..",
        "/scim/v2/Users/%",
        "/scim/v2/Users/%c0%ae%c0%ae",
        "/scim/v2/Users#x",
        "/scim/v2/Users/42\r\nx: y",
        "/scim/v2/Users/%0d%0ax",
        "/SCIM/V2/Users",
        "/scim/v2x/Users",
        "/scim/v2@evil.example/Users",
    ] {
        let status = survive(&gateway, &request("GET", target, None)).unwrap();
        assert!(status == 400 || status == 404, "{target:?} was answered {status}");
    }
}

#[test]
fn methods_that_are_none() {
    let gateway = example("generic-to-generic").unwrap();
    for method in ["", "get", "TRACE", "CONNECT", "G\0T", "PATCH\r\nx: y", "OPTIONS", &"A".repeat(100_000)] {
        let status = survive(&gateway, &request(method, "/scim/v2/Users/42", None)).unwrap();
        assert_eq!(status, 405, "{method:.20}");
    }
}

#[test]
fn big_and_deep() {
    let keys: Vec<String> = (0..16_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let unknown = format!("{{\"userName\":\"w\",{}}}", keys.join(","));
    let repeated = format!("{{\"userName\":\"w\",{},\"k\\u0030\":1}}", keys.join(","));
    let inside = format!("{{\"userName\":\"w\",\"x\":[{{{},\"K15999\":1}}]}}", keys.join(","));
    let nested = |open: &str, close: &str| {
        format!("{{\"userName\":\"w\",\"x\":{}1{}}}", open.repeat(100), close.repeat(100))
    };
    let operations = format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{}]}}",
        vec![r#"{"op":"add","path":"title","value":"x"}"#; 2_000].join(",")
    );
    let parameters: Vec<String> = (0..6_000).map(|n| format!("a{n}=b")).collect();
    let filter = |text: String| format!("/scim/v2/Users?filter={text}");
    let gateway = example("generic-to-generic").unwrap();
    let long = "x".repeat(2 * 1024 * 1024);
    for (what, request, refused) in [
        ("unknown keys", request("POST", "/scim/v2/Users", Some(unknown.as_bytes())), None),
        ("a key twice, far apart", request("POST", "/scim/v2/Users", Some(repeated.as_bytes())), Some(400)),
        (
            "a key twice in an unknown object",
            request("POST", "/scim/v2/Users", Some(inside.as_bytes())),
            Some(400),
        ),
        ("deep arrays", request("POST", "/scim/v2/Users", Some(nested("[", "]").as_bytes())), Some(400)),
        (
            "deep objects",
            request("POST", "/scim/v2/Users", Some(nested("{\"a\":", "}").as_bytes())),
            Some(400),
        ),
        ("deep and open", request("POST", "/scim/v2/Users", Some("[".repeat(100_000).as_bytes())), Some(400)),
        ("many operations", request("PATCH", "/scim/v2/Users/42", Some(operations.as_bytes())), None),
        (
            "2 MiB of text",
            request("POST", "/scim/v2/Users", Some(format!("{{\"userName\":\"{long}\"}}").as_bytes())),
            Some(413),
        ),
        (
            "2 MiB of blanks",
            request("POST", "/scim/v2/Users", Some(" ".repeat(2 * 1024 * 1024).as_bytes())),
            Some(413),
        ),
        ("a long id", request("GET", &format!("/scim/v2/Users/{}", "a".repeat(100_000)), None), None),
        ("a long filter", request("GET", &filter(vec!["a%20pr"; 5_000].join("%20or%20")), None), None),
        ("a deep filter", request("GET", &filter("(".repeat(50_000)), None), Some(400)),
        ("many negations", request("GET", &filter("not%20(".repeat(20_000)), None), Some(400)),
        ("many parameters", request("GET", &format!("/scim/v2/Users?{}", parameters.join("&")), None), None),
        (
            "many attributes",
            request("GET", &format!("/scim/v2/Users?attributes={}", "a,".repeat(20_000)), None),
            None,
        ),
    ] {
        for delivery in [Delivery::Whole, Delivery::Parts(64 * 1024)] {
            let status = survive_in(&gateway, &request, delivery).unwrap();
            assert!(refused.is_none_or(|wanted| status == wanted), "{what}: {status}");
        }
    }
}

#[test]
fn lists_without_end() {
    type Lists = fn(usize) -> Value;
    let lists: [(&str, Lists); 8] = [
        (
            "new cursors",
            |call| serde_json::json!({ "Resources": [{ "id": call.to_string() }], "nextCursor": call.to_string() }),
        ),
        ("empty pages", |call| serde_json::json!({ "Resources": [], "nextCursor": call.to_string() })),
        (
            "pages to and fro",
            |call| serde_json::json!({ "Resources": [{ "id": (call % 2).to_string() }], "nextCursor": call.to_string() }),
        ),
        (
            "a total that grows",
            |call| serde_json::json!({ "totalResults": call * 100 + 1000, "Resources": [{ "id": call.to_string() }] }),
        ),
        ("no total", |call| serde_json::json!({ "Resources": [{ "id": call.to_string() }] })),
        ("a total and nothing else", |_| serde_json::json!({ "totalResults": 1_000_000, "Resources": [] })),
        (
            "no ids",
            |call| serde_json::json!({ "totalResults": 1_000_000, "Resources": [{ "userName": call.to_string() }], "nextCursor": call.to_string() }),
        ),
        ("everything at once", |_| {
            let all: Vec<Value> =
                (0..6_000).map(|id| serde_json::json!({ "id": id.to_string(), "userName": "w" })).collect();
            serde_json::json!({ "totalResults": all.len(), "Resources": all })
        }),
    ];
    for style in ["index", "cursor", "none"] {
        let facts = serde_json::json!({ "filter": { "operators": ["eq"] }, "sort": false, "paging": { "style": style } });
        let profile = serde_json::json!({ "extends": "generic", "provider": facts });
        let patch = serde_json::json!({ "routes": { "directory": { "provider": { "profile": profile } } } });
        let gateway = example_with("generic-to-generic", &patch).unwrap();
        for query in [
            "Users",
            "Users?filter=title%20pr%20or%20userName%20pr",
            "Users?startIndex=3&count=1000000000",
            "Users?cursor",
            "Users?cursor=&count=100000&filter=userName%20pr",
            "Users?sortBy=userName&count=2",
            "?count=7",
        ] {
            for (what, list) in &lists {
                let mut calls = 0;
                let path = format!("/scim/v2/{query}");
                let response = drive(&gateway, NOW, &request("GET", &path, None), Delivery::Whole, |_| {
                    calls += 1;
                    Answer::Reply(json(200, list(calls).to_string().into_bytes()))
                })
                .unwrap();
                check_answer(&response).unwrap();
                assert!(calls <= 51, "{style} {query} {what}: {calls} calls");
                assert!(
                    matches!(response.status, 200 | 400 | 502),
                    "{style} {query} {what}: {}",
                    response.status
                );
                let body: Value = serde_json::from_slice(&response.body).unwrap();
                if response.status == 200 {
                    let resources = body["Resources"].as_array().unwrap();
                    assert_eq!(body["itemsPerPage"], resources.len(), "{style} {query} {what}");
                    let ids: BTreeSet<_> = resources.iter().filter_map(|each| each["id"].as_str()).collect();
                    assert!(*what == "no ids" || ids.len() == resources.len(), "{style} {query} {what}");
                }
            }
        }
    }
}

#[test]
fn headers_that_are_no_text() {
    let gateway = example("generic-to-generic").unwrap();
    for name in ["content-type", "accept", "if-match", "if-none-match", "traceparent", "x-unknown", "host"] {
        for value in [&b"\xff\xfe"[..], b"", b"\0", b"a\r\nx: y", "ü".as_bytes(), &[b'x'; 100_000]] {
            let mut post = request("POST", "/scim/v2/Users", Some(USER.as_bytes()));
            post.headers.push(name, value);
            survive(&gateway, &post).unwrap();
        }
    }
}

/// The folders of `examples/` that hold a configuration.
fn examples() -> Outcome<Vec<String>> {
    let names = fs::read_dir(root("examples"))?
        .map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()))
        .collect::<Outcome<Vec<String>>>()?;
    Ok(names.into_iter().filter(|name| root(&format!("examples/{name}/scimlock.yaml")).exists()).collect())
}

/// The paths of the providers' addresses in the examples, with a slash behind.
static BASES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let names = examples().unwrap_or_default().into_iter();
    let texts: Vec<String> = names
        .filter_map(|name| fs::read_to_string(root(&format!("examples/{name}/scimlock.yaml"))).ok())
        .collect();
    let urls = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("url: https://"));
    urls.map(|url| format!("/{}/", url.split_once('/').map_or("", |(_, path)| path))).collect()
});

/// The gateway of an example, with a token in place of a flow that fetches one: nothing else would be tried.
fn plain(name: &str) -> Outcome<Arc<Gateway>> {
    let config: Value =
        serde_saphyr::from_str(&fs::read_to_string(root(&format!("examples/{name}/scimlock.yaml")))?)?;
    let flows = config.get("routes").and_then(Value::as_object).into_iter().flatten();
    let flows = flows.filter(|(_, route)| route.pointer("/provider/credential/flow").is_some());
    let token = serde_json::json!({ "flow": null, "with": null, "bearer": "${PROVIDER_TOKEN}" });
    let routes: serde_json::Map<String, Value> = flows
        .map(|(name, _)| (name.clone(), serde_json::json!({ "provider": { "credential": token } })))
        .collect();
    example_with(name, &serde_json::json!({ "routes": routes }))
}

fn for_each_message(test: impl Fn(&Arc<Gateway>, &str, &str, &str) -> Outcome<()>) -> Outcome<()> {
    for name in examples()? {
        let gateway = plain(&name)?;
        for (method, path, body) in MESSAGES {
            test(&gateway, method, path, body).map_err(|error| format!("{name} {method} {path}: {error}"))?;
        }
    }
    Ok(())
}

fn survive(gateway: &Arc<Gateway>, request: &IdpRequest) -> Outcome<u16> {
    survive_in(gateway, request, Delivery::Whole)
}

fn survive_in(gateway: &Arc<Gateway>, request: &IdpRequest, delivery: Delivery) -> Outcome<u16> {
    survive_with(gateway, request, delivery, reply_to)
}

/// Drives one exchange; what reaches the provider and what the IdP gets are both sound.
fn survive_with(
    gateway: &Arc<Gateway>,
    request: &IdpRequest,
    delivery: Delivery,
    provider: impl Fn(&Call) -> Response,
) -> Outcome<u16> {
    let mut problem = None;
    let response = drive(gateway, NOW, request, delivery, |call| {
        problem = problem.take().or_else(|| check_call(call).err());
        Answer::Reply(provider(call))
    })?;
    if let Some(problem) = problem {
        return Err(problem);
    }
    check_answer(&response)?;
    Ok(response.status)
}

/// What a provider in order answers.
fn reply_to(call: &Call) -> Response {
    let resource = call.path.split('?').next().is_some_and(|path| path.ends_with("/42"));
    match (call.method, resource) {
        ("DELETE" | "PATCH", _) => json(204, Vec::new()),
        ("POST", _) => json(201, STORED.into()),
        ("GET", false) => json(200, LISTED.into()),
        _ => json(200, STORED.into()),
    }
}

fn cut(body: &[u8], at: usize) -> Vec<u8> {
    body.iter().take(at).copied().collect()
}

fn check_call(call: &Call) -> Outcome<()> {
    let path = call.path.as_str();
    if !BASES.iter().any(|base| path.starts_with(base))
        || !path.bytes().all(|byte| byte.is_ascii_graphic())
        || path.split('?').next().is_some_and(|path| path.contains(".."))
    {
        return Err(format!("a call to {path}").into());
    }
    for (name, value) in call.headers.iter() {
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return Err(format!("header `{name}` is not text").into());
        }
    }
    if !call.body.is_empty() {
        let value: Value = serde_json::from_slice(&call.body)?;
        if !value.is_object() {
            return Err("a body that is no object".into());
        }
    }
    Ok(())
}

fn check_answer(response: &Response) -> Outcome<()> {
    if response.body.is_empty() {
        return if response.status == 204 {
            Ok(())
        } else {
            Err(format!("{} without a body", response.status).into())
        };
    }
    let body: Value = serde_json::from_slice(&response.body)?;
    let error = response.status >= 400;
    let schema = body.pointer("/schemas/0").and_then(Value::as_str)
        == Some("urn:ietf:params:scim:api:messages:2.0:Error");
    let status = body.get("status").and_then(Value::as_str) == Some(&response.status.to_string());
    if error && !(schema && status && body.get("detail").is_some_and(Value::is_string)) {
        return Err(format!("{} is no SCIM error", response.status).into());
    }
    if response.status >= 500 && !matches!(response.status, 501..=504) {
        return Err(format!("answered {}", response.status).into());
    }
    Ok(())
}

fn request(method: &str, path: &str, body: Option<&[u8]>) -> IdpRequest {
    let mut headers = Headers::new();
    headers.push("authorization", "Bearer test");
    if body.is_some() {
        headers.push("content-type", "application/scim+json");
    }
    IdpRequest {
        method: method.to_owned(),
        path: path.as_bytes().to_vec(),
        headers,
        body: body.map(<[u8]>::to_vec),
    }
}

fn json(status: u16, body: Vec<u8>) -> Response {
    Response { status, headers: [("content-type", "application/scim+json")].into_iter().collect(), body }
}

fn flipped(bytes: &[u8], at: usize, change: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= change;
    }
    changed
}
