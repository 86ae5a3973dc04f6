//! A route's own authorization server: `authorization`.

use super::super::{BAD_VALUE, Fields, GRANT, Item, NAME, SECRET_PLAIN, URL_HTTP, keys, time, units};
use super::access::{self, digest, given, leeway, limits, name, require, shared, some_text, texts};
use super::credential::date;
use super::{Scene, url};
use crate::Scheme;
use crate::access::server::{Client, Operator, Proof, Server};
use crate::access::{Claims, Jwt, Kind, Method, Requirement, Secret};
use crate::http::url::Url;
use crate::store;

/// The server, and its clients as ways in.
pub(super) fn authorization(
    scene: &Scene<'_>,
    route: &str,
    item: &Item<'_>,
    base: &Url,
) -> Option<(Server, Vec<Method>)> {
    let mut fields = item.fields_of(keys::AUTHORIZATION)?;
    let key = fields.need("key").and_then(|item| key(&item));
    let lifetime = fields
        .opt("lifetime")
        .map_or(Some(LIFETIME), |item| units::duration(&item, &(3_600_000..=6 * 3_600_000)));
    let operator = fields.opt("operator").map(|item| operator(&item));
    let list = fields.need("clients");
    fields.finish();
    let operator = given(operator)?;
    let list = list?;
    let mut clients: Vec<Client> = Vec::new();
    let mut methods = Vec::new();
    let items = list.list()?;
    if items.is_empty() {
        list.error(GRANT, "no one could get a token", "add a client");
    }
    let count = items.len();
    for item in items {
        let Some((client, mut method)) = client(scene, &item, base, operator.is_some()) else { continue };
        if clients.iter().any(|other| other.id == client.id) {
            item.error(GRANT, format!("there are two clients `{}`", client.id), "give each an id of its own");
        }
        method.kind = Kind::Issued(clients.len());
        clients.push(client);
        methods.push(method);
    }
    if clients.len() != count {
        return None;
    }
    if operator.is_some() && clients.iter().all(|client| client.redirects.is_empty()) {
        let remedy = "add `redirect_uris` to a client, or remove `operator`";
        item.error(GRANT, "no client could get a code", remedy);
    }
    let server = Server::new(route, base, key?, lifetime?, clients, operator, scene.host.verifies);
    Some((server, methods))
}

/// A text with at least 256 random bits, by its length.
fn key<'a>(item: &Item<'a>) -> Option<&'a str> {
    let key = item.text()?;
    if item.is_literal() {
        let remedy = "write `${NAME}` and set it in the environment";
        item.warn(SECRET_PLAIN, "the key stands in the document", remedy);
    }
    if key.len() < 43 {
        let remedy = "make one of 32 random bytes, as `openssl rand -base64 32` does";
        item.error(GRANT, "the key is too short", remedy);
        return None;
    }
    Some(key)
}

fn operator(item: &Item<'_>) -> Option<Operator> {
    let mut fields = item.fields_of(keys::OPERATOR)?;
    let secret = timed(&mut fields, None);
    fields.finish();
    secret.map(Operator)
}

/// `sha256`, `expires` and `not_before`.
fn timed(fields: &mut Fields<'_>, user: Option<&str>) -> Option<Secret> {
    let digest = fields.need("sha256").and_then(|item| digest(&item));
    let expires = fields.need("expires").and_then(|item| date(&item, time::expiry));
    let start = fields.opt("not_before").map(|item| date(&item, time::start));
    let start = given(start)?.unwrap_or(0);
    Some(Secret::new(user, digest?, start, expires?))
}

fn client(scene: &Scene<'_>, item: &Item<'_>, base: &Url, codes: bool) -> Option<(Client, Method)> {
    let mut fields = item.fields_of(keys::CLIENT)?;
    let name = name(&mut fields);
    let id = fields.need("client_id").and_then(|item| client_id(&item));
    let secret = fields.opt("secret");
    let assertion = fields.opt("assertion");
    let redirects = fields.opt("redirect_uris");
    let pkce = fields.opt("pkce").map(|item| item.choice(&[("required", true), ("optional", false)]));
    let refresh = fields.opt("refresh").map(|item| units::duration(&item, &(3_600_000..=8760 * 3_600_000)));
    let limits = limits(scene, &mut fields);
    fields.finish();
    for (key, idle) in [("redirect_uris", &redirects)] {
        if let (Some(idle), false) = (idle, codes) {
            let message = format!("`{key}` says nothing without `operator`");
            idle.error(GRANT, message, "add `operator`, whose code allows codes, or remove this");
        }
    }
    let redirects = given(redirects.map(|item| redirect_uris(&item)))?.unwrap_or_default();
    let id = id?;
    let (proof, of) = match (secret, assertion) {
        (Some(item), None) => {
            let mut fields = item.fields_of(keys::OPERATOR)?;
            let secret = timed(&mut fields, Some(&id));
            fields.finish();
            (Proof::Secret(secret?), item)
        }
        (None, Some(item)) => (Proof::Assertion(Box::new(assertion_of(scene, &item, base)?)), item),
        (both, _) => {
            let message = if both.is_some() { "two ways" } else { "no way" };
            let message = format!("the client has {message} to prove itself");
            item.error(GRANT, message, "write one of `secret` and `assertion`");
            return None;
        }
    };
    let digest = store::digest(&[of.resolved().to_string().as_bytes()]);
    let (pkce, refresh) = (given(pkce)?.unwrap_or(true), given(refresh)?.unwrap_or(REFRESH));
    let client = Client { id, proof, digest, redirects, pkce, refresh };
    Some((client, Method { name: name?, limits: limits?, kind: Kind::Issued(0) }))
}

fn client_id(item: &Item<'_>) -> Option<String> {
    let id = item.text()?;
    if id.is_empty() || id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        item.error(NAME, "this cannot be a client's id", "use visible ASCII without blanks, at most 256");
        return None;
    }
    Some(id.to_owned())
}

fn redirect_uris(item: &Item<'_>) -> Option<Vec<String>> {
    let list = item.list()?;
    list.iter()
        .map(|item| {
            let text = item.text()?;
            let (plain, _) = text.split_once('?').unwrap_or((text, ""));
            let whole = serde_json::Value::from(plain);
            let at = url(&item.instead(&whole))?;
            if at.scheme == Scheme::Http && !at.loopback() {
                item.error(
                    URL_HTTP,
                    "this URL is without TLS",
                    "write `https://`: codes would travel in the clear",
                );
            }
            if text.contains('#') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                item.error(BAD_VALUE, "this cannot be an address to go to", "write a URL without a fragment");
            }
            Some(text.to_owned())
        })
        .collect()
}

/// RFC 7523 section 3: what a client's assertion must be.
fn assertion_of(scene: &Scene<'_>, item: &Item<'_>, base: &Url) -> Option<Jwt> {
    let mut fields = item.fields_of(keys::ASSERTION)?;
    let issuer = fields.need("issuer").and_then(|item| Some((some_text(&item)?, item)));
    let subject = fields.need("subject").and_then(|item| some_text(&item));
    let audience = fields.opt("audience").map(|item| (texts(&item), item));
    let signed = shared(scene, item, &mut fields, issuer.as_ref());
    let require = require(&mut fields, true);
    let leeway = leeway(&mut fields);
    fields.finish();
    let mut require = require?;
    require.push(("sub".to_owned(), Requirement::OneOf(vec![subject?.into()])));
    let audiences = match audience {
        None => vec![base.to_string(), format!("{base}/oauth/token")],
        Some((read, item)) => {
            let audiences = read?;
            access::shared_audiences(&audiences, &require, &item);
            audiences
        }
    };
    let (algorithms, keys) = signed?;
    let claims = Claims { issuer: Some(issuer?.0.to_owned()), audiences, require, leeway: leeway? };
    Some(Jwt { algorithms, types: Vec::new(), claims, keys })
}

/// Milliseconds that a token is good for if nothing is said: an hour.
const LIFETIME: u64 = 3_600_000;

/// Milliseconds that a refresh token is good for if nothing is said: 90 days.
const REFRESH: u64 = 90 * 86_400_000;
