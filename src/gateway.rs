//! The compiled configuration: everything requests need, looked up by nothing but numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::{Access, Kind};
use crate::adapt::{self, Ability, Key, Plan, Takes};
use crate::config::{
    self, Config, ConfigErrors, Deactivate, Deletion, Item, Limits, Mode, Part, Problems,
    Route as RouteConfig, Shows,
};
use crate::credential::{Credential, Endpoint};
use crate::discovery::{Discovery, Offer, Pagination};
use crate::filter::{Filter, Literal, Op};
use crate::guard::Guard;
use crate::http::url::Url;
use crate::mapping::{self, Mapping, Pair};
use crate::path::AttrPath;
use crate::profile::{PagingFacts, PatchAnswer, Profile, ProjectionFacts, SortFacts, Versions};
use crate::repair::Repairs;

/// What the host can do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HostFacts {
    /// The `shared` store class is one for all that serve the configuration in this process or beyond, and its
    /// puts with `expect` and its additions are atomic.
    pub atomic_store: bool,
    /// The signature algorithms (JWA names) that the host verifies itself, with
    /// [`Action::Verify`](crate::Action::Verify); the engine verifies the others.
    pub verifies: &'static [&'static str],
    /// The slow hashes of passwords (`argon2id`, `bcrypt`, `pbkdf2`) that the host computes with the same action; a
    /// configuration that has others is refused.
    pub passwords: &'static [&'static str],
    /// Calls go to named clusters (Envoy): every provider URL needs one.
    pub clusters: bool,
    /// Bodies can only be streamed: method, path and status are final before the body is read.
    pub streaming: bool,
}

/// What a configuration has to know of clients: a host need not find out the rest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PeerNeeds {
    /// Their addresses.
    pub address: bool,
    /// Their certificates.
    pub certificate: bool,
    /// Claims that the host verified: under which name it keeps them, and which are looked at.
    pub claims: Vec<(String, Vec<String>)>,
}

/// A compiled configuration.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) routes: Vec<Route>,
    pub(crate) limits: Limits,
    digest: String,
    warnings: ConfigErrors,
    peer_needs: PeerNeeds,
}

/// One route, compiled.
#[derive(Debug)]
pub(crate) struct Route {
    /// The name in logs, metrics and audit records.
    pub(crate) name: String,
    /// The raw path requests lie under.
    pub(crate) path: String,
    /// The base of every URL the IdP sees.
    pub(crate) base: Url,
    pub(crate) access: Arc<Access>,
    /// The IdP's repairs.
    pub(crate) repairs: Repairs,
    /// The base of the provider's endpoints.
    pub(crate) provider: Url,
    /// The provider's product name, for error texts.
    pub(crate) provider_title: String,
    pub(crate) cluster: Option<String>,
    pub(crate) credential: Option<Credential>,
    /// Fields of every request to the provider.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) upsert: bool,
    /// What the provider takes of queries.
    pub(crate) filters: Takes,
    pub(crate) paging: PagingFacts,
    /// The most resources of an answer that is put together of several.
    pub(crate) max_results: u64,
    pub(crate) sort: SortFacts,
    pub(crate) projection: ProjectionFacts,
    /// What the provider can do, for each pair of the mapping.
    pub(crate) abilities: Vec<Ability>,
    /// What users are looked up by before one is created, for each pair of the mapping.
    pub(crate) matching: Vec<Vec<Key>>,
    /// What may not happen too often.
    pub(crate) guard: Guard,
    /// What a deletion does to a user; nothing said: what the provider's profile says.
    pub(crate) delete: Option<Deletion>,
    /// What the IdP wants as the answer to a PATCH.
    pub(crate) patch_answer: Option<PatchAnswer>,
    pub(crate) mapping: Mapping,
    pub(crate) discovery: Discovery,
    /// Who has versions of resources.
    pub(crate) versions: Versions,
    /// The IdP keeps to the interoperability profile, and is kept to it.
    pub(crate) interop: bool,
    /// Deactivations cannot reach the provider and are refused.
    pub(crate) refuses_deactivation: bool,
    /// Whether requests are translated, passed as they are, or not at all.
    pub(crate) mode: Mode,
}

impl Gateway {
    /// Compiles a configuration document (JSON text). `secrets` holds the values of the `${…}` references it
    /// makes, under the reference's own text (`NAME`, `file:/path`): see [`crate::config::secret_names`].
    ///
    /// # Errors
    /// All problems found, each with code, place and remedy.
    pub fn compile(
        json: &str,
        secrets: &BTreeMap<String, String>,
        host: HostFacts,
    ) -> Result<Self, ConfigErrors> {
        let problems = Problems::new(secrets);
        let gateway = Config::read(json, host, &problems).map(|config| {
            let routes: Vec<Route> = {
                let compile = |route| compile(route, config.limits.body, &problems);
                config.routes.into_iter().filter_map(compile).collect()
            };
            let peer_needs = PeerNeeds::of(&routes);
            let (limits, digest, warnings) = (config.limits, config.digest, ConfigErrors::default());
            Self { routes, limits, digest, warnings, peer_needs }
        });
        let (gateway, warnings) = problems.finish(gateway)?;
        Ok(Self { warnings, ..gateway })
    }

    /// What hosts have to find out about clients.
    pub const fn peer_needs(&self) -> &PeerNeeds {
        &self.peer_needs
    }

    /// Stands for the configuration document in audit records: 16 hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What is allowed but worth a look.
    pub const fn warnings(&self) -> &ConfigErrors {
        &self.warnings
    }

    /// What the mapping rules of each route do, as JSON: `{ ROUTE: { TYPE: { unmapped, rules: [{ rule, idp, provider,
    /// class, why, … }] } } }`; `class` is `two-way`, `to-provider`, `to-idp` or `dropped`.
    pub fn rules(&self) -> String {
        let routes = self.routes.iter().map(|route| (route.name.clone(), route.mapping.report()));
        serde_json::Value::Object(routes.collect()).to_string()
    }

    /// The largest request body in bytes that is read.
    pub const fn max_body(&self) -> u64 {
        self.limits.body
    }

    /// The largest response body in bytes that is read.
    pub const fn max_response(&self) -> u64 {
        self.limits.response
    }
}

impl PeerNeeds {
    fn of(routes: &[Route]) -> Self {
        let ways = || routes.iter().flat_map(|route| route.access.methods());
        let claims = ways().filter_map(|way| match &way.kind {
            Kind::Verified(verified) => Some(verified),
            _ => None,
        });
        Self {
            address: ways().any(|way| !way.limits.networks.is_empty()),
            certificate: ways().any(|way| matches!(way.kind, Kind::Client(_))),
            claims: claims
                .map(|verified| (verified.payload.clone(), verified.names().map(str::to_owned).collect()))
                .collect(),
        }
    }
}

fn compile(route: RouteConfig, max_body: u64, problems: &Problems<'_>) -> Option<Route> {
    let idp = Profile::read(&route.idp.profile, problems);
    let provider = Profile::read(&route.provider.profile, problems);
    let (idp, provider) = (idp?, provider?);
    let place = route.provider.profile.item(problems);
    let mapping = mapping::compile(&idp, &provider, route.mapping.as_ref(), problems, &place)?;
    resources(&route.idp.resources, &mapping, problems);
    let carries = carries_active(&mapping);
    if !carries && route.deactivate == Deactivate::Carry {
        let place = route.mapping.as_ref().map_or_else(|| place.clone(), |part| part.item(problems));
        place.error(
            config::DEACTIVATION,
            "no rule carries `active` to the provider: a deactivated user would stay active there",
            "add a rule for `active`, or say `deactivate: reject` on the route",
        );
    }
    let headers = headers(&route.provider.headers, &provider.provider.shown.headers);
    let credential = credential(&route.provider, &headers, &provider, &mapping, problems)?;
    // The interoperability profile has no entity tags.
    let versions = if idp.interop { Versions::None } else { provider.provider.versions };
    let query = &provider.provider.query;
    // Smaller pages of the provider are put together.
    let max_results = query.paging.max.unwrap_or_default().max(MAX_RESULTS);
    let offer = Offer {
        max_body,
        max_results,
        sort: matches!(query.sort, SortFacts::Provider | SortFacts::Local),
        etag: matches!(versions, Versions::Passed | Versions::Computed),
        pagination: Some(Pagination {
            cursor: true,
            index: true,
            default_page_size: query.paging.default,
            max_page_size: query.paging.max.map(|_| max_results),
            cursor_timeout: None,
        }),
        schemes: route.idp.access.schemes(),
    };
    let discovery = Discovery::new(&mapping, &idp, &provider, &route.idp.base, &offer);
    let query = provider.provider.query;
    let filters = Takes::new(query.filter, &provider.provider.write, &mapping.provider, problems);
    let abilities = adapt::abilities(&route, &provider.provider.write, &mapping, problems);
    let matching = adapt::keys(&route, &provider.provider.write, &mapping, &filters, problems);
    check_matching(&mapping, &idp.matching, &filters, &place, problems);
    Some(Route {
        name: route.name,
        path: route.idp.path,
        base: route.idp.base,
        access: route.idp.access,
        repairs: idp.repairs,
        provider: route.provider.url,
        provider_title: provider.title,
        cluster: route.provider.cluster,
        credential,
        headers,
        upsert: provider.provider.write.patch.upsert,
        filters,
        paging: query.paging,
        max_results,
        sort: query.sort,
        projection: query.projection,
        matching,
        abilities,
        guard: route.guard,
        delete: route.delete,
        patch_answer: idp.patch_answer,
        mapping,
        discovery,
        versions,
        interop: idp.interop,
        refuses_deactivation: !carries || route.deactivate == Deactivate::Reject,
        mode: route.mode,
    })
}

/// The most resources of an answer, unless the provider gives more at a time.
const MAX_RESULTS: u64 = 200;

/// The route's header fields and those of the profile, which stand behind.
fn headers(own: &[(String, String)], profile: &[(String, String)]) -> Vec<(String, String)> {
    let mut own = own.to_vec();
    for (name, value) in profile {
        if own.iter().all(|(known, _)| known != name) {
            own.push((name.clone(), value.clone()));
        }
    }
    own
}

/// What the provider is shown; the outer `None` says that it cannot be.
#[expect(clippy::option_option, reason = "a provider may be shown nothing")]
fn credential(
    route: &config::Provider,
    headers: &[(String, String)],
    provider: &Profile,
    mapping: &Mapping,
    problems: &Problems<'_>,
) -> Option<Option<Credential>> {
    let shown = &provider.provider.shown;
    let at = |rest| Endpoint { url: route.url.clone(), rest, cluster: route.cluster.clone() };
    let credential = match &route.credential {
        None => None,
        Some(Shows::Credential(credential)) => Some(credential.clone()),
        Some(Shows::Flow(named)) => Some(shown.flow(named, &at(String::new()), headers, problems)?),
    };
    let first = mapping.pairs.iter().find_map(|pair| mapping.provider_type(pair));
    let rest = first.map(|of| format!("/{}?count=1", of.endpoint)).unwrap_or_default();
    Some(match shown.opens(&at(rest), headers) {
        Some(session) => Some(credential.unwrap_or_else(Credential::none).with_session(session)),
        None => credential,
    })
}

/// True when a user's `active` reaches the provider on every route there is for users.
fn carries_active(mapping: &Mapping) -> bool {
    mapping.pairs.iter().all(|pair| {
        let (Some(of), Some(_)) = (mapping.idp_type(pair), pair.provider) else { return true };
        let active = mapping.idp.lookup(of.root, b"active");
        !active.is_known() || pair.identity || mapping.writes(pair, active)
    })
}

/// What limits of the access name must be resource types that the IdP has.
fn resources(named: &[Part], mapping: &Mapping, problems: &Problems<'_>) {
    for item in named.iter().map(|part| part.item(problems)) {
        let Some(name) = item.text().filter(|name| mapping.idp.type_named(name).is_none()) else { continue };
        let types = || mapping.idp.types().iter().map(|of| &*of.name);
        let remedy = match config::nearest(name, types()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("name one of {}", types().collect::<Vec<_>>().join(", ")),
        };
        item.error(config::BAD_VALUE, format!("the IdP has no resource type `{name}`"), remedy);
    }
}

/// The attributes an IdP finds resources by must be readable and filterable through the mapping.
fn check_matching(
    mapping: &Mapping,
    matching: &[(String, Part)],
    filters: &Takes,
    place: &Item<'_>,
    problems: &Problems<'_>,
) {
    for (name, part) in matching {
        let is = |pair: &&Pair| mapping.idp_type(pair).is_some_and(|of| *of.name == **name);
        let Some(pair) = mapping.pairs.iter().find(is) else { continue };
        let (Some(of), Some(text)) = (mapping.idp_type(pair), part.value.as_str()) else { continue };
        let known = |uri: &str| mapping.idp.schema_root(of, uri).is_some();
        let path = match AttrPath::parse(text, &known) {
            Ok(path) if mapping.idp.resolve(of, &path).is_known() => path,
            _ => {
                let message = format!("the schema of `{name}` has no attribute `{text}`");
                part.item(problems).error(config::MATCHING, message, "write the path of an attribute");
                continue;
            }
        };
        if pair.provider.is_none() {
            continue;
        }
        let probe = Filter::compare(path.clone(), Op::Eq, Literal::String("probe".into()));
        let plan = filters.plan(mapping, pair, &probe);
        // A superset will do: what comes of it is few, and judged again.
        if !matches!(&plan, Ok(Plan::Ask { asked, .. }) if asked.iter().all(Option::is_some)) {
            let message = format!("the IdP finds {name}s by `{path}`, which cannot be asked of the provider");
            let remedy = match plan {
                _ if !filters.asks_eq() => "let the provider's `filter.operators` have `eq`".to_owned(),
                Ok(Plan::Ask { .. }) => {
                    "let the provider's `filter.attributes` have the attribute it is mapped to".to_owned()
                }
                _ => format!("map `{path}` both ways"),
            };
            place.error(config::MATCHING, message, remedy);
        }
    }
}

#[cfg(test)]
mod tests;
