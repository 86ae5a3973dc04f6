//! Tokens and codes: who gets them, and what they are good for.

use sha2::{Digest, Sha256};

use super::*;
use crate::Peer;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: u64 = 1_767_225_600_000;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "https://idp.example/callback?tenant=a";

/// RFC 6749 sections 2.3.1, 4.4, 5.2: a token for who proves itself in one way, an error for everybody else.
#[test]
fn clients_prove_themselves() {
    let server = server("secret-1", 10);
    let basic = |text: &str| format!("Basic {}", base64(text));
    let plain = "grant_type=client_credentials";
    let with = |more: &str| format!("{plain}&{more}");
    for (authorization, form, expected) in [
        (basic("app:s3cret+%2F"), plain.to_owned(), "granted"),
        (basic("app:s3cret+%2F"), with("client_id=app&scope=x&resource=y"), "granted"),
        (String::new(), with("client_id=app&client_secret=s3cret%20%2F"), "granted"),
        (basic("app:s3cret+%2F"), with("client_id=other"), "invalid_client"),
        (basic("app:s3cret /"), plain.to_owned(), "granted"),
        (basic("app:S3cret+%2F"), plain.to_owned(), "invalid_client"),
        (basic("App:s3cret+%2F"), plain.to_owned(), "invalid_client"),
        (basic("app:"), plain.to_owned(), "invalid_client"),
        (basic("app"), plain.to_owned(), "invalid_client"),
        (basic("old:s3cret+%2F"), plain.to_owned(), "invalid_client"),
        ("Bearer s3cret".to_owned(), plain.to_owned(), "invalid_client"),
        (String::new(), plain.to_owned(), "invalid_client"),
        (String::new(), with("client_id=app"), "invalid_client"),
        (String::new(), with("client_secret=s3cret%20%2F"), "invalid_client"),
        (basic("app:s3cret+%2F"), with("client_secret=s3cret"), "invalid_request"),
        (basic("app:s3cret+%2F"), with("client_assertion=a.b.c"), "invalid_request"),
        (String::new(), with("client_assertion=a.b.c"), "invalid_request"),
        (String::new(), with("client_assertion=a.b.c&client_assertion_type=x"), "invalid_request"),
        (
            String::new(),
            with(&format!("client_assertion=a.b.c&client_assertion_type={JWT_BEARER}")),
            "invalid_client",
        ),
        (basic("app:s3cret+%2F"), with("grant_type=client_credentials"), "invalid_request"),
        (basic("app:s3cret+%2F"), "grant_type=password".to_owned(), "unsupported_grant_type"),
        (basic("app:s3cret+%2F"), String::new(), "invalid_request"),
        (basic("app:s3cret+%2F"), "grant_type=%zz".to_owned(), "invalid_request"),
        (basic("app:s3cret+%2F"), "grant_type=client_credentials\n".to_owned(), "invalid_request"),
        (basic("app:s3cret+%2F"), "grant_type=refresh_token&refresh_token=x".to_owned(), "invalid_grant"),
        (basic("app:s3cret+%2F"), "grant_type=authorization_code&code=x".to_owned(), "invalid_grant"),
    ] {
        let grant = token(&server, &authorization, &form, NOW);
        assert_eq!(grant.result, expected, "{authorization} {form}");
        let answer = body(&grant);
        assert_eq!(grant.response.headers.get("cache-control"), Some(&b"no-store"[..]));
        assert_eq!(grant.response.headers.get("content-type"), Some(&b"application/json"[..]));
        if expected == "granted" {
            assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
            assert!(answer.get("refresh_token").is_none());
            assert_eq!(server.accepts(answer["access_token"].as_str().unwrap().as_bytes(), NOW), Ok(0));
        } else {
            assert_eq!(answer["error"], expected, "{form}");
            let challenged = grant.response.headers.get("www-authenticate").is_some();
            assert_eq!(
                (grant.response.status == 401, challenged),
                (expected == "invalid_client", expected == "invalid_client")
            );
        }
    }
    let mut request = request("Basic x", plain);
    request.headers = Headers::from_iter([("content-type", "application/json")]);
    let Turn::Ready(grant) = server.token(&request, plain.as_bytes(), moment(NOW)) else { panic!() };
    assert_eq!(grant.result, "invalid_request");
}

/// A token is for its route, its client and its time; whatever changes any of them ends it.
#[test]
fn tokens_are_for_one_route_and_client() {
    let ours = server("secret-1", 10);
    let grant =
        token(&ours, &format!("Basic {}", base64("app:s3cret+%2F")), "grant_type=client_credentials", NOW);
    let access = body(&grant)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(ours.accepts(access.as_bytes(), NOW + 3_599_999), Ok(0));
    assert_eq!(ours.accepts(access.as_bytes(), NOW + 3_600_000), Err(Refusal::Expired));
    assert_eq!(
        server("secret-2", 10).accepts(access.as_bytes(), NOW),
        Err(Refusal::Signature),
        "another key"
    );
    assert_eq!(
        server("secret-1", 11).accepts(access.as_bytes(), NOW),
        Err(Refusal::Signature),
        "another proof"
    );
    let elsewhere = made("secret-1", 10, "https://scim.acme.example/other");
    assert_eq!(elsewhere.accepts(access.as_bytes(), NOW), Err(Refusal::Signature), "another route");
    for at in 0..access.len() {
        let mut changed = access.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        if changed != access.as_bytes() {
            assert!(ours.accepts(&changed, NOW).is_err(), "byte {at}");
        }
        assert!(ours.accepts(&access.as_bytes()[..at], NOW).is_err(), "cut at {at}");
    }
    for text in ["", "x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(ours.accepts(text.as_bytes(), NOW), Err(Refusal::Unknown), "{text}");
    }
}

/// RFC 6749 section 4.1, RFC 7636: an operator allows, the client redeems, and nobody else can.
#[test]
fn codes_are_bound() {
    let server = server("secret-1", 10);
    let challenge = encode(&Sha256::digest(VERIFIER));
    let code = allow(&server, &challenge);
    let redeem = |code: &str, client: &str, redirect: &str, verifier: &str, now: u64| {
        let mut form = "grant_type=authorization_code".to_owned();
        for (name, value) in [("code", code), ("redirect_uri", redirect), ("code_verifier", verifier)] {
            if !value.is_empty() {
                push_parameter(&mut form, name, value);
            }
        }
        token(&server, &format!("Basic {}", base64(client)), &form, now)
    };
    let (app, other) = ("app:s3cret+%2F", "other:0ther");
    for (code, client, redirect, verifier, now, expected) in [
        (code.as_str(), app, REDIRECT, VERIFIER, NOW + 59_999, "granted"),
        (&code, app, REDIRECT, VERIFIER, NOW + 60_000, "invalid_grant"),
        (&code, other, REDIRECT, VERIFIER, NOW, "invalid_grant"),
        (&code, app, "https://idp.example/callback", VERIFIER, NOW, "invalid_grant"),
        (&code, app, "", VERIFIER, NOW, "invalid_grant"),
        (&code, app, REDIRECT, "", NOW, "invalid_grant"),
        (&code, app, REDIRECT, &challenge, NOW, "invalid_grant"),
        (code.split_at(1).1, app, REDIRECT, VERIFIER, NOW, "invalid_grant"),
        ("", app, REDIRECT, VERIFIER, NOW, "invalid_request"),
    ] {
        assert_eq!(
            redeem(code, client, redirect, verifier, now).result,
            expected,
            "{client} {redirect} {verifier}"
        );
    }
    let answer = body(&redeem(&code, app, REDIRECT, VERIFIER, NOW));
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    // Each is good for its own purpose alone.
    assert_eq!(server.accepts(text("access_token").as_bytes(), NOW), Ok(0));
    assert_eq!(server.accepts(text("refresh_token").as_bytes(), NOW), Err(Refusal::Signature));
    assert_eq!(server.accepts(code.as_bytes(), NOW), Err(Refusal::Signature));
    let refresh = |refresh: &str, client: &str, now: u64| {
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        token(&server, &format!("Basic {}", base64(client)), &form, now).result
    };
    let day = 86_400_000;
    assert_eq!(refresh(&text("refresh_token"), app, NOW + 89 * day), "granted");
    assert_eq!(refresh(&text("refresh_token"), app, NOW + 90 * day), "invalid_grant");
    assert_eq!(refresh(&text("refresh_token"), other, NOW), "invalid_grant");
    assert_eq!(refresh(&text("access_token"), app, NOW), "invalid_grant");
    assert_eq!(refresh(&code, app, NOW), "invalid_grant");
}

/// The page: what cannot be trusted is told to the person, the rest to the IdP; nothing of a request becomes markup.
#[test]
fn an_operator_is_asked() {
    let server = server("secret-1", 10);
    let challenge = encode(&Sha256::digest(VERIFIER));
    let good = parameters(&challenge);
    for (name, value, expected) in [
        ("client_id", "app", "asked"),
        ("client_id", "nobody", "invalid_request"),
        ("client_id", "other", "invalid_request"),
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("redirect_uri", "https://idp.example/callback?tenant=b", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
    ] {
        let mut pairs = good.clone();
        pairs.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.to_owned());
        let grant = server.authorize(&Query::from_pairs(pairs), None, moment(NOW));
        assert_eq!(grant.result, expected, "{name} {value}");
        let page = String::from_utf8(grant.response.body.clone()).unwrap();
        assert!(!page.contains("<script") && !page.contains("\"><"), "{page}");
        let told = grant.response.headers.get("location").is_some();
        assert_eq!(
            told,
            ["response_type", "code_challenge_method", "code_challenge"].contains(&name),
            "{name}"
        );
    }
    let mut wrong = good.clone();
    wrong.push(("operator".to_owned(), "guess".to_owned()));
    let wrong = Query::from_pairs(wrong);
    assert_eq!(server.authorize(&wrong, Some(&wrong), moment(NOW)).result, "wrong_operator");
    let mut denied = good;
    denied.push(("decision".to_owned(), "deny".to_owned()));
    let denied = Query::from_pairs(denied);
    let denied = server.authorize(&denied, Some(&denied), moment(NOW));
    let location = String::from_utf8(denied.response.headers.get("location").unwrap().to_vec()).unwrap();
    assert_eq!(
        location,
        "https://idp.example/callback?tenant=a&error=access_denied&state=%22%3E%3Cscript%3E&iss=https%3A%2F%2Fscim.acme.example%2Fscim%2Fv2"
    );
}

/// RFC 8414.
#[test]
fn metadata_name_the_endpoints() {
    let response = server("secret-1", 10).metadata();
    let metadata: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(metadata["issuer"], "https://scim.acme.example/scim/v2");
    assert_eq!(metadata["token_endpoint"], "https://scim.acme.example/scim/v2/oauth/token");
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!((Server::place("/oauth/token"), Server::place("/oauth/token/")), (Some(Place::Token), None));
}

fn server(key: &str, proof: u8) -> Arc<Server> {
    made(key, proof, "https://scim.acme.example/scim/v2")
}

fn made(key: &str, proof: u8, base: &str) -> Arc<Server> {
    let secret = |user: Option<&str>, text: &str, expires| {
        Secret::new(user, <[u8; 32]>::from(Sha256::digest(text)), 0, expires)
    };
    let client = |id: &str, text: &str, expires, redirects: &[&str]| Client {
        id: id.to_owned(),
        proof: Proof::Secret(secret(Some(id), text, expires)),
        digest: [proof; 32],
        redirects: redirects.iter().map(|text| (*text).to_owned()).collect(),
        pkce: true,
        refresh: 90 * 86_400_000,
    };
    let clients = vec![
        client("app", "s3cret /", u64::MAX, &[REDIRECT]),
        client("other", "0ther", u64::MAX, &[]),
        client("old", "s3cret /", 1, &[]),
    ];
    let operator = Operator(secret(None, "operator's code", u64::MAX));
    let base = Url::parse(base).unwrap();
    Arc::new(Server::new("main", &base, key, 3_600_000, clients, Some(operator), &[]))
}

fn parameters(challenge: &str) -> Vec<(String, String)> {
    [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", REDIRECT),
        ("state", "\"><script>"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn allow(server: &Arc<Server>, challenge: &str) -> String {
    let mut pairs = parameters(challenge);
    pairs.push(("operator".to_owned(), "operator's code".to_owned()));
    pairs.push(("decision".to_owned(), "allow".to_owned()));
    let form = Query::from_pairs(pairs);
    let grant = server.authorize(&form, Some(&form), moment(NOW));
    assert_eq!((grant.result, grant.response.status), ("code", 303));
    let location = String::from_utf8(grant.response.headers.get("location").unwrap().to_vec()).unwrap();
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    code.to_owned()
}

fn token(server: &Arc<Server>, authorization: &str, form: &str, now: u64) -> Grant {
    let Turn::Ready(grant) = server.token(&request(authorization, form), form.as_bytes(), moment(now)) else {
        panic!("nothing has to be asked")
    };
    grant
}

fn request(authorization: &str, _form: &str) -> Request {
    let mut headers =
        Headers::from_iter([("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
    if !authorization.is_empty() {
        headers.push("authorization", authorization);
    }
    Request { method: b"POST".to_vec(), path: b"/".to_vec(), headers, end: false, peer: Peer::default() }
}

fn body(grant: &Grant) -> Value {
    serde_json::from_slice(&grant.response.body).unwrap()
}

fn moment(now: u64) -> Moment {
    Moment { now, seed: [7; 16] }
}

fn base64(text: &str) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(text.as_bytes())
}
