//! Which operation a request means: method, endpoint, id, and the rules of HTTP around them.

use crate::error::ScimError;
use crate::gateway::Route;
use crate::http::path::{self, Query, Target};
use crate::http::{self, media};

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Discovery,
    List,
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
            Self::List => "list",
            Self::Create => "create",
            Self::Read => "read",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }

    /// True for operations that have a body.
    pub(crate) const fn has_body(self) -> bool {
        matches!(self, Self::Create | Self::Replace | Self::Patch)
    }
}

/// A request, understood.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// The resource type, as a number of the mapping's pairs.
    pub(crate) pair: Option<usize>,
    pub(crate) endpoint: String,
    pub(crate) id: Option<String>,
    pub(crate) query: Query,
    /// Header fields that mean the same to the provider.
    pub(crate) passed: Vec<(&'static str, Vec<u8>)>,
}

/// Endpoints of the protocol that this gateway does not offer.
const NOT_OFFERED: &[&str] = &["Me", "Bulk", ".search"];
/// What other servers might read as another method than the gateway judged.
const METHOD_OVERRIDES: &[&str] = &["x-http-method-override", "x-http-method", "x-method-override"];
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
        let segments = path::segments(rest).map_err(refused)?;
        let query = target.query().map_err(refused)?;
        let mut segments = segments.into_iter();
        let (endpoint, id, more) = (segments.next(), segments.next(), segments.next());
        let endpoint = endpoint.ok_or_else(|| unknown("name an endpoint such as /Users"))?;
        if more.is_some() {
            return Err(unknown("a resource has no endpoints below it"));
        }
        if NOT_OFFERED.contains(&endpoint.as_str()) || id.as_deref() == Some(".search") {
            return Err(ScimError::new(501, "this endpoint is not offered"));
        }
        let pair = route
            .mapping
            .pairs
            .iter()
            .position(|pair| route.mapping.idp_type(pair).is_some_and(|of| *of.endpoint == *endpoint));
        if pair.is_none() && !DISCOVERY.contains(&endpoint.as_str()) {
            return Err(unknown("see /ResourceTypes for the endpoints there are"));
        }
        let kind = kind(&request.method, pair.is_some(), id.is_some())?;
        check_media(request, kind)?;
        let passed = ["if-match", "if-none-match", "traceparent"]
            .into_iter()
            .filter_map(|name| Some((name, request.headers.get(name)?.to_vec())))
            .filter(|(name, value)| is_sound(name, value))
            .collect();
        Ok(Self { kind, pair, endpoint, id, query, passed })
    }
}

fn kind(method: &[u8], resources: bool, one: bool) -> Result<Kind, ScimError> {
    let allowed: &[(&[u8], Kind)] = match (resources, one) {
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

/// Header values go on only in the form their RFCs give them.
fn is_sound(name: &str, value: &[u8]) -> bool {
    let printable = value.iter().all(|byte| (0x20..0x7f).contains(byte)) && value.len() <= 1024;
    let trace = |value: &[u8]| {
        value.len() == 55 && value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
    };
    printable && (name != "traceparent" || trace(value))
}
