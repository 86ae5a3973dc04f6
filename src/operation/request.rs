//! Which operation a request means: method, endpoint, id, and the rules of HTTP around them.

use crate::error::ScimError;
use crate::gateway::Route;
use crate::http::path::{self, Query, Target};
use crate::http::{self, media};

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Discovery,
    /// A query by GET, at an endpoint or at the base.
    List,
    /// A query by POST.
    Search,
    Bulk,
    Create,
    Read,
    Replace,
    Patch,
    Delete,
}

impl Kind {
    /// The name in audit records and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::List | Self::Search => "list",
            Self::Bulk => "bulk",
            Self::Create => "create",
            Self::Read => "read",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }

    /// The request's method.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Discovery | Self::List | Self::Read => "GET",
            Self::Search | Self::Bulk | Self::Create => "POST",
            Self::Replace => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// True for operations that have a body.
    pub(crate) const fn has_body(self) -> bool {
        matches!(self, Self::Create | Self::Replace | Self::Patch | Self::Search | Self::Bulk)
    }
}

/// A request, understood.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// The resource type, as a number of the mapping's pairs; none for discovery, bulk and queries at the base.
    pub(crate) pair: Option<usize>,
    pub(crate) endpoint: String,
    pub(crate) id: Option<String>,
    pub(crate) query: Query,
    /// Header fields that mean the same to the provider.
    pub(crate) passed: Vec<(&'static str, Vec<u8>)>,
}

/// What other servers might read as another method than the gateway judged.
const METHOD_OVERRIDES: &[&str] = &["x-http-method-override", "x-http-method", "x-method-override"];
/// The last segment of a query by POST.
const SEARCH: &str = ".search";
const BULK: &str = "Bulk";
const DISCOVERY: &[&str] = &["ServiceProviderConfig", "ResourceTypes", "Schemas"];

impl Request {
    /// Understands a request on a route; `rest` is what follows the route's path.
    pub(crate) fn parse(
        route: &Route,
        request: &http::Request,
        target: &Target<'_>,
        rest: &str,
    ) -> Result<Self, ScimError> {
        let refused = |bad: path::BadTarget| ScimError::new(400, bad.detail());
        if METHOD_OVERRIDES.iter().any(|name| request.headers.get(name).is_some()) {
            return Err(ScimError::new(
                400,
                "the method is the request's own; leave out method override headers",
            ));
        }
        let query = target.query().map_err(refused)?;
        let place = place(route, rest)?;
        let kind = place.kind(&request.method)?;
        check_media(request, kind)?;
        let mut passed = Vec::new();
        for name in ["if-match", "if-none-match"] {
            let mut fields = request.headers.all(name);
            let Some(value) = fields.next() else { continue };
            // A condition that is lost makes a write unconditional.
            if fields.next().is_some() || !is_sound(value) {
                return Err(ScimError::new(400, format!("`{name}` must be one field of visible ASCII")));
            }
            passed.push((name, value.to_vec()));
        }
        if let Some(trace) = request.headers.get("traceparent").filter(|value| is_trace(value)) {
            passed.push(("traceparent", trace.to_vec()));
        }
        let Place { pair, endpoint, id, .. } = place;
        Ok(Self { kind, pair, endpoint, id, query, passed })
    }

    /// The request that an operation of a bulk request stands for.
    pub(crate) fn inner(
        route: &Route,
        method: &str,
        path: &str,
        version: Option<&str>,
    ) -> Result<Self, ScimError> {
        let path = path.strip_prefix("/v2").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let target = Target::parse(path.as_bytes()).map_err(|bad| ScimError::new(400, bad.detail()))?;
        let rest = target.under("").ok_or_else(|| unknown("begin the path with `/`"))?;
        let place = place(route, rest)?;
        let kind = place.kind(method.as_bytes())?;
        if !matches!(kind, Kind::Create | Kind::Replace | Kind::Patch | Kind::Delete) {
            // RFC 7644 section 3.7: operations are POST, PUT, PATCH and DELETE.
            return Err(ScimError::typed(
                400,
                "invalidSyntax",
                "a bulk request creates, changes and deletes resources",
            ));
        }
        let passed = match version.map(str::as_bytes) {
            None => Vec::new(),
            Some(version) if is_sound(version) => vec![("if-match", version.to_vec())],
            Some(_) => return Err(ScimError::typed(400, "invalidValue", "`version` must be visible ASCII")),
        };
        Ok(Self {
            kind,
            pair: place.pair,
            endpoint: place.endpoint,
            id: place.id,
            query: Query::default(),
            passed,
        })
    }
}

/// What a path below the route's means.
struct Place {
    pair: Option<usize>,
    endpoint: String,
    id: Option<String>,
    /// The path ends in `.search`.
    search: bool,
}

fn place(route: &Route, rest: &str) -> Result<Place, ScimError> {
    let segments = path::segments(rest).map_err(|bad| ScimError::new(400, bad.detail()))?;
    let mut segments = segments.into_iter().peekable();
    let endpoint = segments.next_if(|segment| segment != SEARCH);
    let id = segments.next_if(|segment| segment != SEARCH);
    let last = segments.next();
    let search = last.as_deref() == Some(SEARCH);
    if segments.next().is_some() || (last.is_some() && !search) || (search && id.is_some()) {
        return Err(unknown("a resource has no endpoints below it"));
    }
    let Some(endpoint) = endpoint else {
        return Ok(Place { pair: None, endpoint: String::new(), id, search });
    };
    if endpoint == "Me" {
        return Err(ScimError::new(
            501,
            "tokens of this gateway stand for no user, so that /Me is not offered",
        ));
    }
    let of = |pair| route.mapping.idp_type(pair).is_some_and(|of| *of.endpoint == *endpoint);
    let pair = route.mapping.pairs.iter().position(of);
    let alone = BULK == endpoint && id.is_none() && !search;
    if pair.is_none() && !alone && (search || !DISCOVERY.contains(&endpoint.as_str())) {
        return Err(unknown("see /ResourceTypes for the endpoints there are"));
    }
    Ok(Place { pair, endpoint, id, search })
}

impl Place {
    fn kind(&self, method: &[u8]) -> Result<Kind, ScimError> {
        let allowed: &[(&[u8], Kind)] = match (self.pair.is_some(), self.id.is_some()) {
            _ if self.search => &[(b"POST", Kind::Search)],
            (false, _) if self.endpoint == BULK => &[(b"POST", Kind::Bulk)],
            (false, _) if self.endpoint.is_empty() => &[(b"GET", Kind::List)],
            (false, _) => &[(b"GET", Kind::Discovery)],
            (true, false) => &[(b"GET", Kind::List), (b"POST", Kind::Create)],
            (true, true) => &[
                (b"GET", Kind::Read),
                (b"PUT", Kind::Replace),
                (b"PATCH", Kind::Patch),
                (b"DELETE", Kind::Delete),
            ],
        };
        if let Some((_, kind)) = allowed.iter().find(|(name, _)| *name == method) {
            return Ok(*kind);
        }
        let names: Vec<_> = allowed.iter().map(|(name, _)| String::from_utf8_lossy(name)).collect();
        let names = names.join(", ");
        Err(ScimError::new(405, format!("this endpoint takes {names}")).with("allow", names))
    }
}

fn check_media(request: &http::Request, kind: Kind) -> Result<(), ScimError> {
    let headers = &request.headers;
    if kind.has_body() && headers.all("content-type").any(|value| !media::is_readable(value)) {
        return Err(ScimError::new(
            415,
            "send the body as application/scim+json or application/json in UTF-8",
        ));
    }
    if headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity")) {
        return Err(ScimError::new(415, "send the body without content-encoding"));
    }
    if !media::is_acceptable(headers.all("accept")) {
        return Err(ScimError::new(406, "accept application/scim+json or application/json"));
    }
    Ok(())
}

fn unknown(remedy: &str) -> ScimError {
    ScimError::new(404, format!("there is no such endpoint; {remedy}"))
}

/// True for a header value that can go on as it is.
pub(super) fn is_sound(value: &[u8]) -> bool {
    value.iter().all(|byte| (0x20..0x7f).contains(byte)) && value.len() <= 1024
}

/// True for the form of W3C Trace Context.
fn is_trace(value: &[u8]) -> bool {
    let dash = |index: usize| matches!(index, 2 | 35 | 52);
    let fits =
        |(index, byte): (usize, &u8)| if dash(index) { *byte == b'-' } else { byte.is_ascii_hexdigit() };
    value.len() == 55 && value.iter().enumerate().all(fits)
}
