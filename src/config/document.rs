//! The document itself: its keys, their types and what they mean together (one function an object).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    BAD_VALUE, CLUSTER, DUPLICATE_KEY, Item, NAME, PATH, PATH_OVERLAP, Problems, SYNTAX, URL, URL_HTTP,
    VERSION, keys, secret, units,
};
use crate::access::Access;
use crate::guard::{self, Guard};
use crate::http::url::{Url, plain_path};
use crate::json;
use crate::profile::{Unsupported, capability, write};
use crate::{HostFacts, Scheme};

mod access;
mod credential;
mod grant;

pub(crate) use credential::{Named, Shows, headers, plain, signer};

/// A checked configuration document. Profiles and mappings are still as written: see [`Part`].
#[derive(Debug)]
pub(crate) struct Config {
    /// The routes, in the document's order; no two paths lie in each other.
    pub(crate) routes: Vec<Route>,
    /// What one exchange may take.
    pub(crate) limits: Limits,
    /// 16 hex digits that stand for the document's text, secrets not resolved.
    pub(crate) digest: String,
}

/// One IdP in front of one provider.
#[derive(Debug)]
pub(crate) struct Route {
    /// The name in logs, metrics and audit records.
    pub(crate) name: String,
    /// The IdP's side.
    pub(crate) idp: Idp,
    /// The provider's side.
    pub(crate) provider: Provider,
    /// The route's own rules.
    pub(crate) mapping: Option<Part>,
    /// What happens to a deactivation that cannot reach the provider.
    pub(crate) deactivate: Deactivate,
    /// What a deletion does to a user at the provider; nothing said: what the profile says.
    pub(crate) delete: Option<Deletion>,
    /// Paths that identify a user; nothing said: what the profile says.
    pub(crate) matching: Option<Vec<Part>>,
    /// What the provider cannot do, before what the profile says.
    pub(crate) unsupported: Vec<Unsupported>,
    /// What may not happen too often.
    pub(crate) guard: Guard,
    /// A filter of the provider's: users that are never deactivated or deleted.
    pub(crate) never: Option<Part>,
    /// How the route works.
    pub(crate) mode: Mode,
}

/// The IdP's side of a route.
#[derive(Debug)]
pub(crate) struct Idp {
    /// A profile's name (text) or an object that extends one.
    pub(crate) profile: Part,
    /// The raw path requests must lie under: `/acme/scim/v2`.
    pub(crate) path: String,
    /// What the IdP sees as the base of everything: `public_url` and `path`.
    pub(crate) base: Url,
    /// Who may use the route.
    pub(crate) access: Arc<Access>,
    /// The names of resource types that its limits have.
    pub(crate) resources: Vec<Part>,
}

/// The provider's side of a route.
#[derive(Debug)]
pub(crate) struct Provider {
    /// A profile's name (text) or an object that extends one.
    pub(crate) profile: Part,
    /// The base of the provider's endpoints.
    pub(crate) url: Url,
    /// The Envoy cluster, where the host needs one.
    pub(crate) cluster: Option<String>,
    /// What the provider is shown.
    pub(crate) credential: Option<Shows>,
    /// Fields of every request to it.
    pub(crate) headers: Vec<(String, String)>,
}

/// A part of the document that another part of the engine reads, with its place: see [`Item::new`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Part {
    /// The value as written, references to secrets not resolved.
    pub(crate) value: Value,
    /// Its JSON pointer.
    pub(crate) pointer: String,
}

impl Part {
    pub(crate) fn of(item: &Item<'_>) -> Self {
        Self { value: item.value.clone(), pointer: item.pointer.clone() }
    }

    /// The value, ready to be read.
    pub(crate) fn item<'a>(&'a self, problems: &'a Problems<'a>) -> Item<'a> {
        Item::new(&self.value, self.pointer.as_str(), problems)
    }
}

/// What one exchange may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Bytes of a request's body.
    pub(crate) body: u64,
    /// Bytes of a response's body.
    pub(crate) response: u64,
    /// Levels of nesting in a message.
    pub(crate) depth: usize,
    /// Milliseconds for the whole exchange.
    pub(crate) time: u64,
    /// Calls to the provider for one query.
    pub(crate) pages: u64,
    /// Resources that are looked at for one query.
    pub(crate) resources: u64,
}

/// What happens to a deactivation that cannot reach the provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deactivate {
    /// The mapping must carry `active`.
    Carry,
    /// It is refused with a SCIM error.
    Reject,
    /// It is known that it deletes.
    Delete,
}

/// What a deletion by the IdP does to a user at the provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deletion {
    /// It deactivates.
    Deactivate,
    /// It deletes, whatever that means there.
    Delete,
    /// It is refused with a SCIM error.
    Reject,
}

/// How a route works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// As configured.
    Enforce,
    /// Bodies pass as they are, and what enforcing would have made of them is recorded.
    Observe,
    /// Every request is answered 503.
    Paused,
}

impl Config {
    /// Reads and checks a document; with the warnings, or all that is wrong.
    #[cfg(test)]
    pub(crate) fn parse(
        text: &str,
        secrets: &BTreeMap<String, String>,
        host: HostFacts,
    ) -> Result<(Self, super::ConfigErrors), super::ConfigErrors> {
        let problems = Problems::new(secrets);
        let config = Self::read(text, host, &problems);
        problems.finish(config)
    }

    /// Reads and checks a document for callers that have more to check: routes that could not be read are left out, so that the
    /// others' profiles and rules can still be judged. Good for use only if [`Problems::finish`] says so.
    pub(crate) fn read(text: &str, host: HostFacts, problems: &Problems<'_>) -> Option<Self> {
        let twice = |pointer: &str, key: &str| {
            let message = format!("the key `{key}` is there twice");
            problems.error(DUPLICATE_KEY, pointer, message, "keep one of the two");
        };
        let tree = match json::read(text.as_bytes(), twice) {
            Ok(tree) => tree,
            Err(error) => {
                let remedy = "correct the document at this place";
                problems.error(SYNTAX, "", format!("not JSON: {error}"), remedy);
                return None;
            }
        };
        secret::check(&tree, problems);
        let mut fields = Item::new(&tree, "", problems).fields_of(keys::DOCUMENT)?;
        if let Some(version) = fields.need("version")
            && version.number().is_some_and(|number| number != 1)
        {
            version.error(VERSION, format!("version {} is not known", version.shown()), "write `version: 1`");
        }
        let public_url = fields.need("public_url").and_then(|item| public_url(&item));
        let routes = fields.need("routes");
        let limits = fields.opt("limits").and_then(|item| limits(&item)).unwrap_or(DEFAULT_LIMITS);
        let envoy = fields.opt("envoy").and_then(|item| envoy(&item)).unwrap_or_default();
        fields.finish();

        let called = RefCell::default();
        let scene = Scene {
            public_url: public_url.as_ref(),
            clusters: &envoy.clusters,
            host,
            called: &called,
            resources: RefCell::default(),
        };
        let routes = routes.and_then(|item| scene.routes(&item)).unwrap_or_default();
        if !problems.failed() {
            let called = called.borrow();
            for (_, (_, item)) in envoy.clusters.iter().filter(|(place, _)| !called.contains(place)) {
                item.warn(CLUSTER, "no URL has this host", "remove the entry, or correct the host");
            }
        }
        public_url.as_ref()?;
        Some(Self {
            routes,
            limits,
            digest: Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// What routes are read against.
struct Scene<'s> {
    public_url: Option<&'s Url>,
    clusters: &'s Clusters<'s>,
    host: HostFacts,
    /// Host and port of every URL that is called.
    called: &'s RefCell<Vec<(String, u16)>>,
    /// The names of resource types in limits of the route's access.
    resources: RefCell<Vec<Part>>,
}

/// What routes may not share: their paths, and, with a warning, tokens.
#[derive(Default)]
struct Taken {
    paths: Vec<(String, String)>,
    tokens: Vec<(String, [u8; 32])>,
}

impl Scene<'_> {
    fn routes(&self, item: &Item<'_>) -> Option<Vec<Route>> {
        let entries = item.entries()?;
        if entries.is_empty() {
            item.error(BAD_VALUE, "there is no route", "add a route");
        }
        let mut taken = Taken::default();
        let mut routes = Vec::new();
        for (name, item) in entries {
            if !is_name(name) {
                item.error(NAME, format!("`{name}` cannot be a route's name"), NAME_REMEDY);
            }
            let route = self.route(name, &item, &mut taken);
            debug_assert!(route.is_some() || item.failed(), "route `{name}` was left out without a word");
            routes.extend(route);
        }
        Some(routes)
    }

    fn route(&self, name: &str, item: &Item<'_>, taken: &mut Taken) -> Option<Route> {
        let mut fields = item.fields_of(keys::ROUTE)?;
        let idp = fields.need("idp").and_then(|item| self.idp(name, &item, taken));
        let provider = fields.need("provider").and_then(|item| self.provider(&item));
        let mapping = fields.opt("mapping");
        let guard = fields.opt("guard").and_then(|item| guard::read(name, &item, self.host.atomic_store));
        let (guard, never) = guard.unwrap_or_default();
        let deactivate = fields
            .opt("deactivate")
            .and_then(|item| item.choice(&[("reject", Deactivate::Reject), ("delete", Deactivate::Delete)]));
        let words = [
            ("deactivate", Deletion::Deactivate),
            ("delete", Deletion::Delete),
            ("reject", Deletion::Reject),
        ];
        let delete = fields.opt("delete").and_then(|item| item.choice(&words));
        let matching = fields.opt("match").map(|item| write::paths(&item));
        let unsupported = fields.opt("unsupported").map(|item| capability::unsupported(&item));
        let mode = fields.opt("mode").map_or(Some(Mode::Enforce), |item| mode(&item));
        fields.finish();
        if let Some(mapping) = &mapping
            && !mapping.value.is_object()
        {
            mapping.wrong("an object", "write `User:` and a list of rules below `mapping:`");
        }
        Some(Route {
            name: name.to_owned(),
            idp: idp?,
            provider: provider?,
            mapping: mapping.as_ref().map(Part::of),
            deactivate: deactivate.unwrap_or(Deactivate::Carry),
            delete,
            matching,
            unsupported: unsupported.unwrap_or_default(),
            guard,
            never,
            mode: mode?,
        })
    }

    fn idp(&self, route: &str, item: &Item<'_>, taken: &mut Taken) -> Option<Idp> {
        let mut fields = item.fields_of(keys::IDP)?;
        let product = fields.need("profile");
        let profile = product.as_ref().and_then(profile);
        let path = fields.need("path").and_then(|item| idp_path(&item, route, &mut taken.paths));
        let base = self.public_url.zip(path.as_ref()).map(|(url, path)| url.join(path));
        let access = access::access(self, route, &mut fields, (product.as_ref(), base.as_ref()), taken);
        let resources = self.resources.take();
        fields.finish();
        let path = path?;
        let base = self.public_url?.join(&path);
        Some(Idp { profile: profile?, base, path, access: Arc::new(access?), resources })
    }

    fn provider(&self, item: &Item<'_>) -> Option<Provider> {
        let mut fields = item.fields_of(keys::PROVIDER)?;
        let profile = fields.need("profile").and_then(|item| profile(&item));
        let url_item = fields.need("url");
        let insecure = fields.opt_bool("insecure").unwrap_or(false);
        let credential = fields.opt("credential").map(|item| self.credential(&item));
        let headers = fields.opt("headers").map(|item| headers(&item)).unwrap_or_default();
        fields.finish();
        let url_item = url_item?;
        let url = url(&url_item)?;
        if url.scheme == Scheme::Http && !url.loopback() && !insecure {
            url_item.error(
                URL_HTTP,
                "the provider's URL is without TLS",
                "write `https://`, or add `insecure: true`",
            );
        }
        let cluster = self.cluster(&url_item, &url)?;
        let credential = match credential {
            Some(read) => Some(read?),
            None => None,
        };
        Some(Provider { profile: profile?, url, cluster, credential, headers })
    }
}

impl Scene<'_> {
    /// The Envoy cluster of a URL that is called, where the host needs one.
    fn cluster(&self, item: &Item<'_>, url: &Url) -> Option<Option<String>> {
        let place = (url.host.clone(), url.port);
        let found = self.clusters.get(&place);
        self.called.borrow_mut().push(place);
        if !self.host.clusters {
            return Some(None);
        }
        if found.is_none() {
            let key = cluster_key(url);
            let message = format!("the host `{key}` has no Envoy cluster");
            item.error(CLUSTER, message, format!("add `{key}: CLUSTER` to `envoy.clusters`"));
        }
        Some(Some(found?.0.clone()))
    }
}

/// Clusters by host and port, with their places.
type Clusters<'a> = BTreeMap<(String, u16), (String, Item<'a>)>;

#[derive(Default)]
struct Envoy<'a> {
    clusters: Clusters<'a>,
}

fn envoy<'a>(item: &Item<'a>) -> Option<Envoy<'a>> {
    let mut fields = item.fields_of(keys::ENVOY)?;
    if let Some(mode) = fields.opt("host_mode")
        && mode.choice(&[("buffered", true), ("streaming", false)]) == Some(false)
    {
        mode.not_yet(
            "`host_mode: streaming`",
            "write `buffered`, and set `allow_on_headers_stop_iteration` in Envoy",
        );
    }
    let mut clusters = BTreeMap::new();
    for (key, item) in fields.opt("clusters").and_then(|item| item.entries()).unwrap_or_default() {
        let Ok(url) = Url::parse(&format!("https://{key}"))
            .map_err(|_| ())
            .and_then(|url| if url.path.is_empty() && !key.ends_with('/') { Ok(url) } else { Err(()) })
        else {
            item.error(
                CLUSTER,
                format!("`{key}` is not a host"),
                "write `host` or `host:port`, without a scheme",
            );
            continue;
        };
        let Some(cluster) = item.text() else { continue };
        if cluster.is_empty() || !cluster.bytes().all(|byte| byte.is_ascii_graphic()) {
            item.error(
                CLUSTER,
                format!("{} cannot be a cluster's name", item.shown()),
                "write visible ASCII only",
            );
        } else if clusters.contains_key(&(url.host.clone(), url.port)) {
            item.error(CLUSTER, format!("the host `{key}` is there twice"), "keep one of the two");
        } else {
            clusters.insert((url.host, url.port), (cluster.to_owned(), item));
        }
    }
    fields.finish();
    Some(Envoy { clusters })
}

fn limits(item: &Item<'_>) -> Option<Limits> {
    let mut fields = item.fields_of(keys::LIMITS)?;
    let size = |item: Option<Item<'_>>, default| {
        item.map_or(Some(default), |item| units::size(&item, &(1024..=64 << 20)))
    };
    let body = size(fields.opt("body"), DEFAULT_LIMITS.body);
    let response = size(fields.opt("response"), DEFAULT_LIMITS.response);
    let depth = fields
        .opt("depth")
        .map_or(Some(DEFAULT_LIMITS.depth), |item| usize::try_from(number(&item, &(8..=100))?).ok());
    let time = fields
        .opt("time")
        .map_or(Some(DEFAULT_LIMITS.time), |item| units::duration(&item, &(1000..=300_000)));
    let pages = fields.opt("pages").map_or(Some(DEFAULT_LIMITS.pages), |item| number(&item, &(1..=1000)));
    let resources =
        fields.opt("resources").map_or(Some(DEFAULT_LIMITS.resources), |item| number(&item, &(1..=100_000)));
    fields.finish();
    Some(Limits {
        body: body?,
        response: response?,
        depth: depth?,
        time: time?,
        pages: pages?,
        resources: resources?,
    })
}

fn number(item: &Item<'_>, bounds: &RangeInclusive<u64>) -> Option<u64> {
    let number = item.number()?;
    if !bounds.contains(&number) {
        let remedy = format!("stay within {} and {}", bounds.start(), bounds.end());
        item.error(super::LIMIT, format!("{} is out of bounds", item.shown()), remedy);
    }
    Some(number)
}

fn public_url(item: &Item<'_>) -> Option<Url> {
    let url = url(item)?;
    if !url.path.is_empty() {
        item.error(
            URL,
            "`public_url` has a path",
            "write scheme and host only, the path goes to `idp.path` of each route",
        );
    }
    if url.scheme == Scheme::Http && !url.loopback() {
        item.error(
            URL_HTTP,
            "`public_url` is without TLS",
            "write `https://`: tokens would travel in the clear",
        );
    }
    Some(url)
}

fn url(item: &Item<'_>) -> Option<Url> {
    let text = item.text()?;
    match Url::parse(text) {
        Ok(url) => Some(url),
        Err(problem) => {
            // With an `@` there may be a password in it.
            let shown = if text.contains('@') { "this".to_owned() } else { item.shown() };
            item.error(
                URL,
                format!("{shown} is not a URL the gateway takes: {problem}"),
                "write `https://host/path`",
            );
            None
        }
    }
}

fn idp_path(item: &Item<'_>, route: &str, paths: &mut Vec<(String, String)>) -> Option<String> {
    let path = item.text()?;
    if let Err(problem) = plain_path(path) {
        item.error(
            PATH,
            format!("{} cannot be a route's path: {problem}", item.shown()),
            "write a path as `/scim/v2`",
        );
        return None;
    }
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some((other, _)) = paths.iter().find(|(_, taken)| within(path, taken) || within(taken, path)) {
        item.error(
            PATH_OVERLAP,
            format!("{} and the path of route `{other}` are equal or lie in each other", item.shown()),
            "give each route a path of its own",
        );
    }
    paths.push((route.to_owned(), path.to_owned()));
    Some(path.to_owned())
}

fn profile(item: &Item<'_>) -> Option<Part> {
    if !item.value.is_object() {
        item.text()?;
    }
    Some(Part::of(item))
}

fn mode(item: &Item<'_>) -> Option<Mode> {
    item.choice(&[("enforce", Mode::Enforce), ("observe", Mode::Observe), ("paused", Mode::Paused)])
}

/// How `envoy.clusters` names a URL's host: the port is there where it is not 443.
fn cluster_key(url: &Url) -> String {
    if url.port == 443 { url.host.clone() } else { format!("{}:{}", url.host, url.port) }
}

/// Names end up in logs, metric labels and header fields.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

const NAME_REMEDY: &str = "use letters, digits, `.`, `_` and `-`, at most 64";

/// The smallest host has 128 MiB in all; the least patient IdP gives up after 60 s.
/// Free plans of edge hosts end a request after 50 calls.
const DEFAULT_LIMITS: Limits =
    Limits { body: 1 << 20, response: 16 << 20, depth: 32, time: 50_000, pages: 50, resources: 5000 };

#[cfg(test)]
mod tests;
