//! Documents, good and bad, and every word said about them.

use serde_json::json;

use super::*;
use crate::credential::Refused;
use crate::errand::Turn;
use crate::{Headers, Peer, Request};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_whole_document() {
    let text = r#"{
        "version": 1,
        "public_url": "https://SCIM.acme.example/",
        "routes": {
            "acme-app": {
                "idp": {
                    "profile": "one",
                    "path": "/acme/scim/v2",
                    "accept": [
                        { "bearer": { "name": "old", "sha256": "${OLD}",
                                      "expires": "1970-01-02" } },
                        { "bearer": { "name": "new", "sha256": "${DIGEST}", "not_before": "1970-01-02", "expires": "1970-01-03T00:00:00.5Z" } }
                    ]
                },
                "provider": {
                    "profile": { "extends": "two", "x": ["${TOKEN}"] },
                    "url": "https://p.example:8443/scim/",
                    "credential": { "bearer": "${file:/run/secrets/token}", "expires": "1970-01-02" }
                },
                "mapping": { "User": [{ "idp": "userName" }] },
                "deactivate": "reject",
                "mode": "paused"
            },
            "other": {
                "idp": { "profile": "one", "path": "/acme/scim/v20", "accept": [
                    { "bearer": { "name": "n", "sha256": "0000000000000000000000000000000000000000000000000000000000000001", "expires": "2035-12-31" } } ] },
                "provider": { "profile": "two", "url": "http://127.0.0.1:1" }
            }
        },
        "limits": { "body": "2MiB", "response": "64KiB", "depth": 40, "time": "20s", "pages": 9, "resources": 800 },
        "envoy": { "host_mode": "buffered", "clusters": { "P.example:8443": "p", "127.0.0.1:1": "local" } }
    }"#;
    let secrets = secrets(&[
        ("OLD", "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"),
        ("DIGEST", "d8cc7aed3851ac3338fcc15df3b6807b89125837f77a75b9ecb13ed2afe3b49f"),
        ("TOKEN", "unused"),
        ("file:/run/secrets/token", "s3cret\r\n"),
    ]);
    let host = HostFacts { clusters: true, ..HostFacts::default() };
    let (config, warnings) = Config::parse(text, &secrets, host).unwrap();
    assert_eq!(warnings.0, []);
    assert_eq!(config.routes[0].idp.base.to_string(), "https://scim.acme.example/acme/scim/v2");
    let limits =
        Limits { body: 2 << 20, response: 64 << 10, depth: 40, time: 20_000, pages: 9, resources: 800 };
    assert_eq!(config.limits, limits);
    let [route, other] = config.routes.as_slice() else { panic!("two routes") };

    assert_eq!(
        (route.name.as_str(), route.mode, route.deactivate),
        ("acme-app", Mode::Paused, Deactivate::Reject)
    );
    assert_eq!(route.idp.path, "/acme/scim/v2");
    assert_eq!(route.idp.base.to_string(), "https://scim.acme.example/acme/scim/v2");
    assert_eq!(route.provider.url.to_string(), "https://p.example:8443/scim");
    assert_eq!(route.provider.cluster.as_deref(), Some("p"));
    assert_eq!(route.provider.profile.value, json!({ "extends": "two", "x": ["${TOKEN}"] }));
    assert_eq!(route.provider.profile.pointer, "/routes/acme-app/provider/profile");
    let mapping = route.mapping.as_ref().unwrap();
    assert_eq!(
        (mapping.pointer.as_str(), &mapping.value["User"][0]["idp"]),
        ("/routes/acme-app/mapping", &json!("userName"))
    );
    let Some(Shows::Credential(credential)) = &route.provider.credential else { panic!("a bearer token") };
    let Turn::Ready(Ok(shown)) = credential.show(0, "", true, Refused::default()) else {
        panic!("it is fixed")
    };
    let mut headers = Headers::new();
    shown.apply(&mut headers);
    assert_eq!(headers.get("authorization"), Some(&b"Bearer s3cret"[..]));

    let access = Arc::clone(&route.idp.access);
    let check = |token: &str, now| {
        let headers = [("authorization", format!("Bearer {token}"))].into_iter().collect();
        let (method, path) = (b"GET".to_vec(), b"/".to_vec());
        let request = Request { method, path, headers, end: true, peer: Peer::default() };
        let Turn::Ready(verdict) = access.begin(&request, now) else { panic!("nothing has to be asked") };
        access.way(&verdict).map_or_else(|| verdict.reason().unwrap().to_owned(), |way| way.name.clone())
    };
    const DAY: u64 = 86_400_000;
    assert_eq!([check("test", 2 * DAY - 1), check("test", 2 * DAY)], ["old", "expired"]);
    assert_eq!([check("123", 0), check("Test", 0)], ["unknown", "unknown"]);
    assert_eq!(check("token2", DAY - 1), "notYet");
    assert_eq!([check("token2", DAY), check("token2", 2 * DAY + 499)], ["new", "new"]);
    assert_eq!(check("token2", 2 * DAY + 500), "expired");

    assert_eq!(
        (other.mode, other.deactivate, other.mapping.is_none()),
        (Mode::Enforce, Deactivate::Carry, true)
    );
    assert!(other.provider.credential.is_none());
    let beginnings = (0..text.len()).filter_map(|end| text.get(..end));
    assert!(beginnings.into_iter().all(|text| Config::parse(text, &secrets, host).is_err()));
    assert_eq!(config.digest.len(), 16);
    assert_ne!(Config::parse(&text.replace("20s", "21s"), &secrets, host).unwrap().0.digest, config.digest);

    let shown = format!("{config:?}");
    for hidden in ["s3cret", "9F86D081", "9f86d081", "d8cc7aed", "159, 134, 208"] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
}

/// One change to a good document (without `is`: the key is taken out), and what is said about it, as
/// `code pointer: message: remedy`, or `-` for nothing.
#[test]
fn problems_name_place_and_remedy() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("problems.json")).unwrap();
    for case in cases {
        let (pointer, value) = (case["at"].as_str().unwrap(), case.get("is").cloned().unwrap_or(GONE));
        assert_eq!(said(pointer, value, HostFacts::default()), [case["says"].as_str().unwrap()], "{case}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let mut document = good();
    set(&mut document, "/public_url", json!("http://a.example"));
    set(&mut document, "/routes/r/idp/path", json!("x"));
    set(&mut document, "/routes/r/idp/accept/0/bearer/sha256", json!(12));
    set(&mut document, "/routes/r/provider/url", json!(null));
    set(&mut document, "/routes/bad name", json!({ "idp": {}, "x": "${NOT_SET}" }));
    set(&mut document, "/limits", json!({ "body": 1, "depth": "x" }));
    let mut codes: Vec<_> = said_of(&document.to_string(), HostFacts::default())
        .iter()
        .map(|line| line.split(": ").next().unwrap().to_owned())
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "SL0103 /routes/bad name/x",
            "SL0104 /routes/bad name",
            "SL0104 /routes/bad name/idp",
            "SL0104 /routes/bad name/idp",
            "SL0105 /limits/depth",
            "SL0105 /routes/r/idp/accept/0/bearer/sha256",
            "SL0105 /routes/r/provider/url",
            "SL0203 /routes/bad name/x",
            "SL0302 /public_url",
            "SL0303 /routes/r/idp/path",
            "SL0401 /routes/bad name",
            "SL0402 /routes/bad name/idp",
            "SL0501 /limits/body",
        ]
    );
    let errors = Config::parse(&document.to_string(), &BTreeMap::new(), HostFacts::default()).unwrap_err().0;
    let routes: Vec<_> = errors.iter().filter_map(|error| error.route.as_deref()).collect();
    assert!(routes.contains(&"r") && routes.contains(&"bad name"), "{routes:?}");
}

#[test]
fn text_that_is_no_json_or_has_a_key_twice() {
    for (text, expected) in [
        (
            "",
            "SL0101 : not JSON: EOF while parsing a value at line 1 column 0: correct the document at this place",
        ),
        (
            "{\n\"version\": 01}",
            "SL0101 : not JSON: invalid number at line 2 column 13: correct the document at this place",
        ),
        (
            "{} {}",
            "SL0101 : not JSON: trailing characters at line 1 column 4: correct the document at this place",
        ),
    ] {
        assert_eq!(said_of(text, HostFacts::default()), [expected], "{text}");
    }
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert!(
        said_of(&deep, HostFacts::default())[0].starts_with("SL0101 : not JSON: recursion limit exceeded")
    );

    let twice = good().to_string().replacen(r#""mode":"#, r#""m\u006fde":"paused","mode":"#, 1);
    let twice = twice.replacen(r#""name":"#, r#""name":"z","name":"#, 1);
    assert_eq!(
        said_of(&twice, HostFacts::default()),
        [
            "SL0102 /routes/r/idp/accept/0/bearer/name: the key `name` is there twice: keep one of the two",
            "SL0102 /routes/r/mode: the key `mode` is there twice: keep one of the two",
        ]
    );
}

#[test]
fn paths_of_routes_do_not_overlap() {
    for (other, overlaps) in [
        ("/scim/v2", true),
        ("/scim", true),
        ("/scim/v2/x", true),
        ("/scim/v20", false),
        ("/scim/V2", false),
        ("/other", false),
    ] {
        let mut document = good();
        let mut route = document["routes"]["r"].clone();
        route["idp"]["path"] = json!(other);
        route["idp"]["accept"][0]["bearer"]["sha256"] = json!("1".repeat(64));
        document["routes"]["s"] = route;
        let expected = format!(
            "SL0304 /routes/s/idp/path: `{other}` and the path of route `r` are equal or lie in each other: \
             give each route a path of its own"
        );
        let said = said_of(&document.to_string(), HostFacts::default());
        assert_eq!(said, [if overlaps { expected } else { "-".to_owned() }]);
    }
}

#[test]
fn tokens_and_clusters_of_no_use_are_told() {
    let mut document = good();
    let mut route = document["routes"]["r"].clone();
    route["idp"]["path"] = json!("/other");
    route["idp"]["accept"][0]["bearer"]["name"] = json!("b");
    document["routes"]["s"] = route;
    set(&mut document, "/envoy/clusters/q.example", json!("q"));
    assert_eq!(
        said_of(&document.to_string(), HostFacts::default()),
        [
            "SL0404 /routes/s/idp/accept/0: `b` is also accepted on route `r`: give each route a token of its own",
            "SL0305 /envoy/clusters/q.example: no URL has this host: remove the entry, or correct the host",
        ]
    );
}

#[test]
fn open_routes_are_for_this_machine() {
    let open = |url: &str, accept: bool| {
        let mut document = good();
        set(&mut document, "/public_url", json!(url));
        set(&mut document, "/routes/r/idp/open", json!(true));
        if !accept {
            set(&mut document, "/routes/r/idp/accept", GONE);
        }
        said_of(&document.to_string(), HostFacts::default())
    };
    assert_eq!(open("http://localhost:8080", false), ["-"]);
    assert_eq!(open("https://[::1]", false), ["-"]);
    assert_eq!(
        open("https://scim.acme.example", false),
        [
            "SL0403 /routes/r/idp/open: anyone could use this route: remove `open` and name the tokens in `accept`"
        ]
    );
    assert_eq!(
        open("http://localhost:8080", true),
        ["SL0402 /routes/r/idp/accept: `accept` says nothing on an open route: remove `accept` or `open`"]
    );
}

#[test]
fn clusters_are_needed_where_the_host_has_them() {
    let host = HostFacts { clusters: true, ..HostFacts::default() };
    let missing = |key: &str| {
        format!(
            "SL0305 /routes/r/provider/url: the host `{key}` has no Envoy cluster: \
             add `{key}: CLUSTER` to `envoy.clusters`"
        )
    };
    for (url, expected) in [
        ("https://p.example/x", "-".to_owned()),
        ("https://p.example:443", "-".to_owned()),
        ("https://q.example", missing("q.example")),
        ("https://p.example:8443", missing("p.example:8443")),
        ("http://localhost", missing("localhost:80")),
    ] {
        assert_eq!(said("/routes/r/provider/url", json!(url), host), [expected], "{url}");
    }
    assert_eq!(said("/envoy", GONE, host), [missing("p.example")]);
    assert_eq!(said("/envoy", GONE, HostFacts::default()), ["-"]);
}

// P-47
#[test]
fn insecure_urls_have_to_be_asked_for() {
    let mut document = good();
    set(&mut document, "/routes/r/provider/url", json!("http://p.example"));
    set(&mut document, "/routes/r/provider/insecure", json!(true));
    set(&mut document, "/envoy", GONE);
    assert_eq!(said_of(&document.to_string(), HostFacts::default()), ["-"]);
}

/// Stands for a key that is taken out.
const GONE: Value = Value::String(String::new());

fn good() -> Value {
    json!({
        "version": 1,
        "public_url": "https://scim.acme.example",
        "routes": { "r": {
            "idp": { "profile": "one", "path": "/scim/v2", "accept": [
                { "bearer": { "name": "a", "sha256": "0".repeat(64), "expires": "2035-12-31" } } ] },
            "provider": { "profile": "two", "url": "https://p.example/x", "credential": { "bearer": "${TOKEN}" } },
            "mode": "enforce",
        } },
        "envoy": { "clusters": { "p.example": "p" } },
    })
}

fn said(pointer: &str, value: Value, host: HostFacts) -> Vec<String> {
    let mut document = good();
    set(&mut document, pointer, value);
    said_of(&document.to_string(), host)
}

fn said_of(text: &str, host: HostFacts) -> Vec<String> {
    let secrets = secrets(&[
        ("TOKEN", "t0ken"),
        ("LONG", "0123456789012345678901234567890123456789012"),
        ("SHORT", "s3cret"),
        ("URL", "https://from.environment.example"),
        ("BAD_URL", "s3cret://x"),
        ("EMPTY", "\n"),
        ("TWO_LINES", "s3cret\nx: y"),
        ("WITH_SCHEME", "Bearer s3cret"),
    ]);
    let problems = match Config::parse(text, &secrets, host) {
        Ok((_, warnings)) => {
            assert!(warnings.0.iter().all(|warning| warning.warning));
            warnings
        }
        Err(errors) => {
            assert!(errors.0.iter().any(|error| !error.warning), "refused without a word");
            errors
        }
    };
    assert!(!problems.to_string().contains("s3cret"), "{problems}");
    let line =
        |e: &crate::config::ConfigError| format!("{} {}: {}: {}", e.code, e.pointer, e.message, e.remedy);
    if problems.0.is_empty() { vec!["-".to_owned()] } else { problems.0.iter().map(line).collect() }
}

/// Puts a value at a pointer, adding the last key or element where it is missing.
fn set(document: &mut Value, pointer: &str, value: Value) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        *document = value;
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Array(items)) if key == items.len().to_string() => items.push(value),
        Some(Value::Array(items)) => items[key.parse::<usize>().unwrap()] = value,
        None => {
            set(document, parent, json!({}));
            set(document, pointer, value);
        }
        Some(parent) if value == GONE => drop(parent.as_object_mut().unwrap().remove(key)),
        Some(parent) => drop(parent.as_object_mut().unwrap().insert(key.to_owned(), value)),
    }
}

fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
