//! The HTTP messages that cross the boundary between host and engine.

pub(crate) mod media;
pub(crate) mod path;
pub(crate) mod url;

use std::net::IpAddr;

use serde_json::{Map, Value};

/// Header fields in order. Names are lower case; values are bytes, because HTTP does not promise UTF-8.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field; the name is lower-cased.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// The value of the first field of that (lower-case) name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice())
    }

    /// The values of all fields of that (lower-case) name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_slice())
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl<N: AsRef<str>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(fields: T) -> Self {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.push(name.as_ref(), value);
        }
        headers
    }
}

/// The head of a request from the IdP, as the host received it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method as sent.
    pub method: Vec<u8>,
    /// Path and query, raw bytes as sent, beginning with `/`.
    pub path: Vec<u8>,
    /// All header fields; several fields of one name stay apart.
    pub headers: Headers,
    /// True when the host knows that no body follows.
    pub end: bool,
    /// What the host itself found out about the client.
    pub peer: Peer,
}

/// What a host itself found out about the client: from the connection or from filters before it, never from header
/// fields, which anybody can send. Whatever it does not know stays empty, and lets nobody in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Peer {
    /// The address at the connection's other end.
    pub address: Option<IpAddr>,
    /// The certificate that the client showed, if the host verified it.
    pub certificate: Option<Box<Certificate>>,
    /// Claims of tokens that the host verified, each under the name it keeps them by.
    pub claims: Vec<(String, Map<String, Value>)>,
}

/// A verified client certificate (RFC 5280).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Certificate {
    /// The subject, as the host writes it.
    pub subject: String,
    /// The DNS names among the alternative names.
    pub dns: Vec<String>,
    /// The URIs among the alternative names.
    pub uris: Vec<String>,
    /// The SHA-256 of the certificate in DER.
    pub sha256: Option<[u8; 32]>,
}

/// `https`, or `http` where the configuration allows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme's name in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port a URL means where it names none.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A request that the gateway sends: complete, so that the host sends these header fields and no others
/// (but for its own hop fields, `host` and `content-length`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The scheme of the configured URL.
    pub scheme: Scheme,
    /// `host` or `host:port` of the configured URL.
    pub authority: String,
    /// The Envoy cluster of this authority (only where [`HostFacts::clusters`](crate::HostFacts) is set).
    pub cluster: Option<String>,
    /// Path and query, percent-encoded.
    pub path: String,
    /// The complete set of header fields.
    pub headers: Headers,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Call {
    /// The whole URL.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme.as_str(), self.authority, self.path)
    }
}

/// A complete response: to the IdP, or from a provider as a callout's reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The complete set of header fields (`content-length` is the host's).
    pub headers: Headers,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Response {
    /// The SCIM error of a host that cannot drive an exchange on: what went wrong lies outside the engine.
    /// `detail` is one of the host's own constant texts.
    pub fn host_failure(status: u16, detail: &'static str) -> Self {
        let body = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.to_string(),
            "detail": detail,
        });
        let headers = [("content-type", crate::message::SCIM_JSON), ("cache-control", "no-store")];
        Self { status, headers: headers.into_iter().collect(), body: body.to_string().into_bytes() }
    }
}
