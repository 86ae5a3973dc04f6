//! Who may use a route: `accept`, `token` and `open`.

use std::cell::RefCell;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{
    ACCEPT, AUDIENCE, BAD_VALUE, Fields, HOST, Item, KEYS, LIMIT, NAME, OPEN, Part, SECRET_PLAIN, TOKEN,
    URL_HTTP, either, keys, nearest, time, units,
};
use super::credential::date;
use super::{NAME_REMEDY, Scene, Taken, grant, is_name, url};
use crate::Scheme;
use crate::access::{
    Access, BadHash, Claims, Client, Endpoint, Hash, Introspection, Jwt, Kind, Limits, Method, Network,
    Place, Proof, Rate, Requirement, Secret, Source, Verified,
};
use crate::credential;
use crate::http::url::Url;
use crate::jose::{Algorithm, KeySet, encode_basic};
use crate::profile;
use crate::store;

/// The access rules of a route: `accept`, or `open` on this machine.
pub(super) fn access(
    scene: &Scene<'_>,
    route: &str,
    fields: &mut Fields<'_>,
    (profile, base): (Option<&Item<'_>>, Option<&Url>),
    taken: &mut Taken,
) -> Option<Access> {
    let open = fields.opt("open");
    let accept = fields.opt("accept");
    let bare = fields.opt("token");
    let server = fields.opt("authorization");
    if let Some(item) = &open
        && item.boolean()?
    {
        if scene.public_url.is_some_and(|url| !url.loopback()) {
            item.error(OPEN, "anyone could use this route", "remove `open` and name the tokens in `accept`");
        }
        for (name, idle) in [("accept", accept), ("token", bare), ("authorization", server)] {
            if let Some(idle) = idle {
                let message = format!("`{name}` says nothing on an open route");
                idle.error(ACCEPT, message, format!("remove `{name}` or `open`"));
            }
        }
        return Some(Access::open(route));
    }
    if accept.is_none() && server.is_none() {
        fields.item().error(ACCEPT, "no one could use this route", "add `accept:` with a bearer token");
        return None;
    }
    let bare = bare.map(|item| item.choice(&[("bare", true)]));
    let items = match &accept {
        Some(accept) => accept.list()?,
        None => Vec::new(),
    };
    if let (Some(accept), true, None) = (&accept, items.is_empty(), &server) {
        accept.error(ACCEPT, "no one could use this route", "add a bearer token to `accept`");
    }
    let mut methods: Vec<Method> = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(method) = way_in(scene, &item, profile) else {
            complete = false;
            continue;
        };
        let own = |method: &Method| match &method.kind {
            Kind::Secret(secret) => secret.digest().copied(),
            _ => None,
        };
        let digest = own(&method);
        let same = |other: &&Method| other.name == method.name || digest.is_some() && own(other) == digest;
        if let Some(same) = methods.iter().find(same) {
            let message = format!("`{}` and `{}` have the same name or digest", same.name, method.name);
            item.error(TOKEN, message, "give each token a name and a digest of its own");
        }
        if let Some((other, _)) = taken.tokens.iter().find(|(_, known)| Some(*known) == digest) {
            let message = format!("`{}` is also accepted on route `{other}`", method.name);
            item.warn(TOKEN, message, "give each route a token of its own");
        }
        methods.push(method);
    }
    let issued = match (&server, base) {
        (Some(item), Some(base)) => Some(grant::authorization(scene, route, item, base)?),
        (Some(_), None) => return None,
        (None, _) => None,
    };
    let mut own = None;
    if let Some((server, clients)) = issued {
        for client in clients {
            if methods.iter().any(|other| other.name == client.name) {
                let message = format!("two ways in have the name `{}`", client.name);
                fields.item().error(TOKEN, message, "give each a name of its own");
            }
            methods.push(client);
        }
        own = Some(server);
    }
    let secrets = methods.iter().filter_map(|method| match &method.kind {
        Kind::Secret(secret) => secret.digest().map(|digest| (route.to_owned(), *digest)),
        _ => None,
    });
    taken.tokens.extend(secrets);
    let accepted = accept.map(|accept| accept.resolved().to_string()).unwrap_or_default();
    let digest = store::digest(&[route.as_bytes(), accepted.as_bytes()]);
    let access = Access::new(route, bare.unwrap_or(Some(false))?, methods, digest);
    let access = access.with_host(scene.host.verifies);
    complete.then(|| match own {
        Some(server) => access.with_server(server),
        None => access,
    })
}

/// One entry of `accept`.
fn way_in(scene: &Scene<'_>, item: &Item<'_>, profile: Option<&Item<'_>>) -> Option<Method> {
    let mut fields = item.fields_of(keys::VERIFIER)?;
    let mut found = Vec::new();
    for name in ["bearer", "basic", "jwt", "introspection", "mtls", "envoy_jwt", "preset"] {
        found.extend(fields.opt(name).map(|item| (name, item)));
    }
    fields.finish();
    let [(name, method)] = found.as_slice() else {
        let words = either(keys::VERIFIER.iter().map(|key| key.name));
        let message =
            if found.is_empty() { "this entry says nothing" } else { "this entry says more than one" };
        item.error(ACCEPT, message, format!("write one of {words} in each entry"));
        return None;
    };
    match *name {
        "bearer" => secret(scene, method, false),
        "basic" => secret(scene, method, true),
        "jwt" => jwt(scene, method),
        "introspection" => introspection(scene, method),
        "mtls" => mtls(scene, method),
        "envoy_jwt" => envoy_jwt(scene, method),
        _ => preset(scene, method, profile),
    }
}

/// A bearer token, or a user's password.
fn secret(scene: &Scene<'_>, item: &Item<'_>, basic: bool) -> Option<Method> {
    let mut fields = item.fields_of(if basic { keys::BASIC } else { keys::BEARER })?;
    let name = name(&mut fields);
    let user = if basic { fields.need("user").map(|item| user(&item)) } else { None };
    let phc = if basic { fields.opt("phc") } else { None };
    let sha256 = if basic { fields.opt("sha256") } else { fields.need("sha256") };
    let expires = fields.need("expires").and_then(|item| date(&item, time::expiry));
    let start = fields.opt("not_before").map(|item| (date(&item, time::start), item));
    let limits = limits(scene, &mut fields);
    fields.finish();
    let proof = match (sha256, phc) {
        (Some(sha256), None) => digest(&sha256).map(Proof::from),
        (None, Some(phc)) => slow(scene, &phc).map(Proof::from),
        (None, None) if !basic => None,
        _ => {
            let remedy = "write `sha256` for a generated password, `phc` for one that somebody chose";
            item.error(TOKEN, "a password needs exactly one of `sha256` and `phc`", remedy);
            None
        }
    };
    let expires = expires?;
    let not_before = match start {
        None => 0,
        Some((read, item)) => {
            let start = read?;
            if start >= expires {
                item.error(TOKEN, "the token expires before it counts", "correct `not_before` or `expires`");
            }
            start
        }
    };
    let user = match user {
        Some(read) => Some(read?),
        None if basic => return None,
        None => None,
    };
    let secret = Secret::new(user.as_deref(), proof?, not_before, expires);
    Some(Method { name: name?, limits: limits?, kind: Kind::Secret(secret) })
}

/// A slow hash that this host can compute.
fn slow(scene: &Scene<'_>, item: &Item<'_>) -> Option<Hash> {
    let hash = match Hash::read(item.text()?) {
        Ok(hash) => hash,
        Err(BadHash::Form) => {
            let remedy = "write a hash of Argon2id, bcrypt or PBKDF2, as `scimlock hash --password` makes it";
            item.error(TOKEN, "this is no slow hash of a password", remedy);
            return None;
        }
        Err(BadHash::Costly) => {
            item.error(TOKEN, "this hash takes too long at every try", "make it with smaller parameters");
            return None;
        }
    };
    let algorithm = hash.algorithm();
    if !scene.host.passwords.contains(&algorithm) {
        let message = format!("this host does not compute slow hashes of passwords (`{algorithm}`)");
        let remedy = "write the `sha256` of a generated password; or run the gateway in Node, with `passwords` of \
                      `scimlock/node` and the package that it names for this hash";
        item.error(HOST, message, remedy);
        return None;
    }
    if let Some(more) = hash.weak() {
        item.warn(TOKEN, "this hash can be tried too quickly", format!("make it with {more}"));
    }
    Some(hash)
}

fn user(item: &Item<'_>) -> Option<String> {
    let user = item.text()?;
    if user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()) {
        item.error(TOKEN, "this cannot be a user's name", "write it without a colon and control characters");
        return None;
    }
    Some(user.to_owned())
}

fn jwt(scene: &Scene<'_>, item: &Item<'_>) -> Option<Method> {
    let mut fields = item.fields_of(keys::JWT)?;
    let name = name(&mut fields);
    let issuer = fields.need("issuer").and_then(|item| Some((some_text(&item)?, item)));
    let audience = fields.need("audience").and_then(|item| Some((texts(&item)?, item)));
    let signed = shared(scene, item, &mut fields, issuer.as_ref());
    let types = fields.opt("types").map(|item| {
        let list = item.list()?;
        list.iter().map(|item| Some(kind_of_token(some_text(item)?))).collect::<Option<Vec<_>>>()
    });
    let require = require(&mut fields, true);
    let leeway = leeway(&mut fields);
    let limits = limits(scene, &mut fields);
    fields.finish();
    let (audiences, place) = audience?;
    let require = require?;
    shared_audiences(&audiences, &require, &place);
    let claims = Claims { issuer: Some(issuer?.0.to_owned()), audiences, require, leeway: leeway? };
    let types = match types {
        None => Vec::new(),
        Some(read) => read?,
    };
    let (algorithms, keys) = signed?;
    let jwt = Jwt { algorithms, types, claims, keys };
    Some(Method { name: name?, limits: limits?, kind: Kind::Jwt(Box::new(jwt)) })
}

/// Whose keys verify a token, and by which algorithms: `keys` or `discovery`, and `algorithms`.
pub(super) fn shared(
    scene: &Scene<'_>,
    item: &Item<'_>,
    fields: &mut Fields<'_>,
    issuer: Option<&(&str, Item<'_>)>,
) -> Option<(Vec<Algorithm>, Source)> {
    let fixed = fields.opt("keys");
    let discovers = fields.opt("discovery").map(|item| item.boolean());
    let origins = fields.opt("origins");
    let algorithms = fields.need("algorithms").and_then(|item| algorithms(&item));
    let discovers = given(discovers)?.unwrap_or(false);
    if let (Some(origins), false) = (&origins, discovers) {
        origins.error(
            BAD_VALUE,
            "`origins` says nothing without `discovery: true`",
            "remove it, or add that",
        );
    }
    let source = match (fixed, discovers) {
        (Some(keys), false) => source(scene, &keys, algorithms.as_ref()?),
        (None, true) => discover(scene, issuer?, origins.as_ref()),
        (Some(keys), true) => {
            keys.error(KEYS, "there are two sources of keys", "remove `keys` or `discovery`");
            None
        }
        (None, false) => {
            item.error(KEYS, "no key could verify a token", "add `keys:` or `discovery: true`");
            None
        }
    };
    Some((algorithms?, source?))
}

/// `typ` values are media types, of which `application/` may be left out (RFC 7515 section 4.1.9).
fn kind_of_token(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    text.strip_prefix("application/").map_or(text.clone(), str::to_owned)
}

/// Many tenants of one product get tokens for the same audience: what tells them apart must be asked for.
pub(super) fn shared_audiences(audiences: &[String], require: &[(String, Requirement)], item: &Item<'_>) {
    for (audience, claims) in profile::shared_audiences() {
        let exact = |claim: &&String| {
            require.iter().any(|(name, rule)| name == *claim && matches!(rule, Requirement::OneOf(_)))
        };
        let missing: Vec<&str> = claims.iter().filter(|claim| !exact(claim)).map(String::as_str).collect();
        if audiences.contains(&audience) && !missing.is_empty() {
            let missing = missing.iter().map(|claim| format!("`{claim}`")).collect::<Vec<_>>().join(" and ");
            item.error(
                AUDIENCE,
                format!("tokens of other tenants have the audience `{audience}`, too"),
                format!("add {missing} to `require`"),
            );
        }
    }
}

fn algorithms(item: &Item<'_>) -> Option<Vec<Algorithm>> {
    let list = item.list()?;
    if list.is_empty() {
        item.error(BAD_VALUE, "no token could be verified", "name the algorithms the issuer signs with");
    }
    list.iter().map(|item| item.choice(&Algorithm::ALL)).collect()
}

/// A key set, or the URL of one.
fn source(scene: &Scene<'_>, item: &Item<'_>, algorithms: &[Algorithm]) -> Option<Source> {
    let keys = match item.value {
        Value::Object(_) => KeySet::read(item.value),
        _ => {
            let text = item.text()?;
            if !text.trim_start().starts_with('{') {
                return endpoint(scene, item).map(|endpoint| Source::fetched(Place::Keys(endpoint)));
            }
            KeySet::parse(text.as_bytes())
        }
    };
    let Some(keys) = keys else {
        item.error(KEYS, "this is not a key set", "write `keys: { keys: [ … ] }` (RFC 7517) or a URL");
        return None;
    };
    if keys.is_empty() {
        let remedy = "give public RSA keys of 2048 bits and more, or keys of P-256, P-384 or Ed25519";
        item.error(KEYS, "none of the keys can verify a signature", remedy);
        return None;
    }
    for algorithm in algorithms.iter().filter(|algorithm| !keys.serves(**algorithm)) {
        let message = format!("none of the keys is for `{}`", algorithm.as_str());
        item.error(KEYS, message, "correct `algorithms`, or add a key of its kind");
    }
    Some(Source::Fixed(keys.into()))
}

fn discover(
    scene: &Scene<'_>,
    (issuer, place): &(&str, Item<'_>),
    origins: Option<&Item<'_>>,
) -> Option<Source> {
    let at = place.instead(place.value);
    let own = endpoint(scene, &at)?;
    let mut all = vec![own.clone()];
    if let Some(origins) = origins {
        for item in origins.list()? {
            all.push(endpoint(scene, &item)?);
        }
    }
    let metadata = Endpoint { url: own.url.join("/.well-known/openid-configuration"), ..own };
    Some(Source::fetched(Place::Discovery { metadata, issuer: (*issuer).to_owned(), origins: all }))
}

fn introspection(scene: &Scene<'_>, item: &Item<'_>) -> Option<Method> {
    let mut fields = item.fields_of(keys::INTROSPECTION)?;
    let name = name(&mut fields);
    let endpoint = fields.need("url").and_then(|item| endpoint(scene, &item));
    let client = fields.need("client_id").and_then(|item| some_text(&item).map(str::to_owned));
    let secret = fields.need("client_secret").and_then(|item| {
        if item.is_literal() {
            let remedy = "write `${NAME}` and set it in the environment";
            item.warn(SECRET_PLAIN, "the secret stands in the document", remedy);
        }
        some_text(&item).map(str::to_owned)
    });
    let issuer = fields.opt("issuer").map(|item| some_text(&item).map(str::to_owned));
    let audience = fields.opt("audience").map(|item| texts(&item));
    let require = require(&mut fields, true);
    let leeway = leeway(&mut fields);
    let limits = limits(scene, &mut fields);
    fields.finish();
    let claims = Claims {
        issuer: given(issuer)?,
        audiences: given(audience)?.unwrap_or_default(),
        require: require?,
        leeway: leeway?,
    };
    let authorization = credential::Secret::new(encode_basic(&client?, &secret?));
    let introspection = Introspection { endpoint: endpoint?, authorization, claims };
    Some(Method { name: name?, limits: limits?, kind: Kind::Introspection(Box::new(introspection)) })
}

fn mtls(scene: &Scene<'_>, item: &Item<'_>) -> Option<Method> {
    let mut fields = item.fields_of(keys::MTLS)?;
    let name = name(&mut fields);
    let mut text = |key| given(fields.opt(key).map(|item| some_text(&item).map(str::to_owned)));
    let (subject, dns, uri) = (text("subject"), text("dns"), text("uri"));
    let sha256 = fields.opt("sha256").map(|item| match item.value {
        Value::Array(_) => item.list()?.iter().map(digest).collect::<Option<Vec<_>>>(),
        _ => digest(&item).map(|digest| vec![digest]),
    });
    let limits = limits(scene, &mut fields);
    fields.finish();
    let sha256 = given(sha256)?.unwrap_or_default();
    let client = Client { subject: subject?, dns: dns?, uri: uri?, sha256 };
    if client == Client::default() {
        item.error(TOKEN, "any certificate would do", "say its `subject`, `dns`, `uri` or `sha256`");
    }
    Some(Method { name: name?, limits: limits?, kind: Kind::Client(client) })
}

fn envoy_jwt(scene: &Scene<'_>, item: &Item<'_>) -> Option<Method> {
    let mut fields = item.fields_of(keys::ENVOY_JWT)?;
    let name = name(&mut fields);
    let payload = fields.need("payload").and_then(|item| some_text(&item).map(str::to_owned));
    let issuer = fields.need("issuer").and_then(|item| some_text(&item).map(str::to_owned));
    let audience = fields.opt("audience").map(|item| (texts(&item), item));
    let require = require(&mut fields, false);
    let limits = limits(scene, &mut fields);
    fields.finish();
    if !scene.host.clusters {
        item.warn(HOST, "only Envoy has such claims", "elsewhere this lets nobody in: use `jwt`");
    }
    let audiences = match audience {
        None => Vec::new(),
        Some((read, item)) => {
            let audiences = read?;
            shared_audiences(&audiences, require.as_deref().unwrap_or_default(), &item);
            audiences
        }
    };
    let claims = Claims { issuer: Some(issuer?), audiences, require: require?, leeway: DEFAULT_LEEWAY };
    let verified = Verified { payload: payload?, claims };
    Some(Method { name: name?, limits: limits?, kind: Kind::Verified(verified) })
}

/// A way in that the IdP's profile describes, with words in braces to fill in.
fn preset(scene: &Scene<'_>, item: &Item<'_>, profile: Option<&Item<'_>>) -> Option<Method> {
    let mut fields = item.fields_of(keys::PRESET)?;
    let of = fields.need("use").and_then(|item| Some((item.text()?, item)));
    let name = name(&mut fields);
    let with = fields.opt("with").map(|item| item.entries());
    // These go over into what the preset stands for.
    let passed: Vec<_> = ["read_only", "resources", "networks", "rate"]
        .into_iter()
        .filter_map(|key| Some((key, fields.opt(key)?.value.clone())))
        .collect();
    fields.finish();
    let ((of, place), name) = (of?, name?);
    let whole = profile::whole(profile?)?;
    let presets = whole.pointer("/idp/access").and_then(Value::as_object).cloned().unwrap_or_default();
    let Some(template) = presets.get(of) else {
        let known = nearest(of, presets.keys().map(String::as_str));
        let remedy = match known {
            Some(known) => format!("did you mean `{known}`?"),
            None if presets.is_empty() => "this profile has none: write `jwt` or `bearer`".to_owned(),
            None => format!("write {}", either(presets.keys().map(String::as_str))),
        };
        place.error(BAD_VALUE, format!("the IdP's profile has no way in `{of}`"), remedy);
        return None;
    };
    let words = given(with)?.unwrap_or_default();
    let used = RefCell::new(Vec::new());
    let values: Vec<(&str, &str)> =
        words.iter().map(|(word, item)| Some((*word, item.text()?))).collect::<Option<_>>()?;
    let mut filled = fill(template, &values, &used, item)?;
    for (word, item) in &words {
        if !used.borrow().iter().any(|used| used == word) {
            item.error(BAD_VALUE, format!("the preset has no `{{{word}}}`"), "remove it");
        }
    }
    let inner = filled.as_object_mut()?.values_mut().next()?.as_object_mut()?;
    inner.insert("name".to_owned(), name.into());
    inner.extend(passed.into_iter().map(|(key, value)| (key.to_owned(), value)));
    way_in(scene, &item.instead(&filled), None)
}

/// The template with its words in braces replaced.
fn fill(
    template: &Value,
    values: &[(&str, &str)],
    used: &RefCell<Vec<String>>,
    item: &Item<'_>,
) -> Option<Value> {
    Some(match template {
        Value::String(text) => {
            let mut text = text.clone();
            for (word, value) in values {
                let hole = format!("{{{word}}}");
                if text.contains(&hole) {
                    text = text.replace(&hole, value);
                    used.borrow_mut().push((*word).to_owned());
                }
            }
            if let Some((_, rest)) = text.split_once('{') {
                let word = rest.split('}').next().unwrap_or_default();
                item.error(
                    BAD_VALUE,
                    format!("the preset needs `{word}`"),
                    format!("add `with: {{ {word}: … }}`"),
                );
                return None;
            }
            Value::String(text)
        }
        Value::Array(list) => {
            let list = list.iter().map(|each| fill(each, values, used, item));
            Value::Array(list.collect::<Option<_>>()?)
        }
        Value::Object(members) => {
            let members =
                members.iter().map(|(key, each)| Some((key.clone(), fill(each, values, used, item)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

/// An address that is called: with TLS, or on this machine.
fn endpoint(scene: &Scene<'_>, item: &Item<'_>) -> Option<Endpoint> {
    let url = url(item)?;
    if url.scheme == Scheme::Http && !url.loopback() {
        item.error(URL_HTTP, "this URL is without TLS", "write `https://`: anybody could answer for it");
    }
    let cluster = scene.cluster(item, &url)?;
    Some(Endpoint { url, cluster })
}

pub(super) fn require(fields: &mut Fields<'_>, lists: bool) -> Option<Vec<(String, Requirement)>> {
    let Some(item) = fields.opt("require") else { return Some(Vec::new()) };
    let entries = item.entries()?;
    let read = entries.iter().map(|(name, item)| Some(((*name).to_owned(), requirement(item, lists)?)));
    read.collect()
}

fn requirement(item: &Item<'_>, lists: bool) -> Option<Requirement> {
    let scalar = |item: &Item<'_>| match item.value {
        Value::String(_) => Some(Value::String(some_text(item)?.to_owned())),
        Value::Bool(_) | Value::Number(_) => Some(item.value.clone()),
        _ => {
            item.wrong("text, a number, `true` or `false`", "write the value the claim must have");
            None
        }
    };
    match item.value {
        Value::Object(_) => {
            let mut fields = item.fields()?;
            let word = fields.need("contains").and_then(|item| some_text(&item).map(str::to_owned));
            fields.finish();
            if !lists {
                let remedy = "let `jwt_authn` judge it, or use `jwt`";
                item.error(BAD_VALUE, "Envoy does not hand lists of claims on as text", remedy);
            }
            word.map(Requirement::Contains)
        }
        Value::Array(_) => {
            let list = item.list()?;
            if list.is_empty() {
                item.error(BAD_VALUE, "no value would do", "name the values the claim may have");
            }
            list.iter().map(scalar).collect::<Option<Vec<_>>>().map(Requirement::OneOf)
        }
        _ => scalar(item).map(|value| Requirement::OneOf(vec![value])),
    }
}

pub(super) fn limits(scene: &Scene<'_>, fields: &mut Fields<'_>) -> Option<Limits> {
    let read_only = fields.opt("read_only").map(|item| item.boolean());
    let resources = fields.opt("resources").map(|item| {
        let list = item.list()?;
        if list.is_empty() {
            item.error(BAD_VALUE, "it could be used for nothing", "name resource types, as `User`");
        }
        scene.resources.borrow_mut().extend(list.iter().map(Part::of));
        list.iter().map(|item| some_text(item).map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    let networks = fields.opt("networks").map(|item| {
        let list = item.list()?;
        if list.is_empty() {
            item.error(BAD_VALUE, "it could be used from nowhere", "name networks, as `10.0.0.0/8`");
        }
        list.iter().map(network).collect::<Option<Vec<_>>>()
    });
    let rate = fields.opt("rate").map(|item| rate(scene, &item));
    Some(Limits {
        read_only: given(read_only)?.unwrap_or(false),
        resources: given(resources)?.unwrap_or_default(),
        networks: given(networks)?.unwrap_or_default(),
        rate: given(rate)?,
    })
}

fn network(item: &Item<'_>) -> Option<Network> {
    let network = Network::parse(item.text()?);
    if network.is_none() {
        let remedy = "write `10.0.0.0/8`, `2001:db8::/32` or one address, with zeros behind the length";
        item.error(BAD_VALUE, format!("{} is not a network", item.shown()), remedy);
    }
    network
}

fn rate(scene: &Scene<'_>, item: &Item<'_>) -> Option<Rate> {
    let mut fields = item.fields_of(keys::LIMIT_RATE)?;
    let max = fields.need("max").and_then(|item| {
        let max = item.number()?;
        if !(1..=1_000_000).contains(&max) {
            item.error(LIMIT, format!("{} is out of bounds", item.shown()), "stay within 1 and 1000000");
            return None;
        }
        Some(max)
    });
    let per = fields.need("per").and_then(|item| units::duration(&item, &(1000..=3_600_000)));
    fields.finish();
    let rate = Rate { max: max?, per: per? };
    if !scene.host.atomic_store {
        let message = "this host counts for each of its instances alone";
        item.warn(HOST, message, "several instances together let more through than `max`");
    }
    Some(rate)
}

pub(super) fn leeway(fields: &mut Fields<'_>) -> Option<u64> {
    fields.opt("leeway").map_or(Some(DEFAULT_LEEWAY), |item| units::duration(&item, &(0..=300_000)))
}

pub(super) fn name(fields: &mut Fields<'_>) -> Option<String> {
    let item = fields.need("name")?;
    let name = item.text()?;
    if !is_name(name) {
        item.error(NAME, format!("{} cannot be a token's name", item.shown()), NAME_REMEDY);
    }
    Some(name.to_owned())
}

/// A text, or a list of texts; none of them empty.
pub(super) fn texts(item: &Item<'_>) -> Option<Vec<String>> {
    match item.value {
        Value::Array(_) => {
            let list = item.list()?;
            if list.is_empty() {
                item.error(BAD_VALUE, "nothing would do", "name what is accepted");
            }
            list.iter().map(|item| some_text(item).map(str::to_owned)).collect()
        }
        _ => some_text(item).map(|text| vec![text.to_owned()]),
    }
}

pub(super) fn some_text<'a>(item: &Item<'a>) -> Option<&'a str> {
    let text = item.text()?;
    if text.is_empty() {
        item.error(BAD_VALUE, "the text is empty", "write what is meant, or remove the key");
        return None;
    }
    Some(text)
}

/// What was read of a key that may be missing: `None` where it is there and wrong.
pub(super) fn given<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// 64 hex digits. What stands there is never quoted: it may be the token itself.
pub(super) fn digest(item: &Item<'_>) -> Option<[u8; 32]> {
    let remedy = "write the 64 hex digits of `printf %s \"$TOKEN\" | sha256sum`";
    let text = item.text()?;
    let Some(digest) = hex(text) else {
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let message = match text.len() {
            32 | 40 if hex => "this looks like an MD5 or SHA-1 digest, which are too weak",
            _ => "this is not a SHA-256 digest",
        };
        item.error(TOKEN, message, remedy);
        return None;
    };
    if digest == <[u8; 32]>::from(Sha256::digest("")) {
        item.error(TOKEN, "this is the digest of an empty text", remedy);
    }
    let guessed = |word: &&&str| item.is_literal() && digest == <[u8; 32]>::from(Sha256::digest(word));
    if GUESSES.iter().any(|word| guessed(&word)) {
        let remedy = "make a token of at least 128 random bits, as `scimlock token` does";
        item.warn(TOKEN, "this is the digest of a word that anybody would try", remedy);
    }
    Some(digest)
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Some(digest)
}

/// By how many milliseconds clocks may differ.
const DEFAULT_LEEWAY: u64 = 30_000;

/// What people write before they write something better.
const GUESSES: [&str; 8] = ["test", "token", "secret", "password", "changeme", "admin", "scim", "12345678"];
