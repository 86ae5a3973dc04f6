//! Requests and answers of the token endpoint (RFC 6749 sections 3.2, 5): forms in, JSON out.

use serde_json::{Value, json};

use crate::http::path::Query;
use crate::http::{Headers, Response};

/// Why the token endpoint refuses (RFC 6749 section 5.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Error {
    Request(&'static str),
    Client,
    Grant(&'static str),
    Unsupported,
    /// Whoever has to judge the client's assertion cannot be asked.
    Unavailable,
}

impl Error {
    /// The code of RFC 6749.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Client => "invalid_client",
            Self::Grant(_) => "invalid_grant",
            Self::Unsupported => "unsupported_grant_type",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    /// The answer; `realm` is the route's name.
    pub(super) fn response(self, realm: &str) -> Response {
        let (status, text) = match self {
            Self::Request(text) | Self::Grant(text) => (400, text),
            Self::Client => (401, "the client is not known, or did not prove itself"),
            Self::Unsupported => {
                (400, "`grant_type` is client_credentials, authorization_code or refresh_token here")
            }
            Self::Unavailable => (503, "the issuer of the assertion cannot be asked; try again"),
        };
        let mut response = json(status, &json!({ "error": self.code(), "error_description": text }));
        match self {
            Self::Client => {
                response.headers.push("www-authenticate", format!("Basic realm=\"{realm}\""));
            }
            Self::Unavailable => response.headers.push("retry-after", "10"),
            _ => {}
        }
        response
    }
}

/// The parameters of a form. RFC 6749 section 3.2: none may be there twice.
pub(super) fn read(headers: &Headers, body: &[u8]) -> Result<Query, Error> {
    let content_type = headers.get("content-type").unwrap_or_default();
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if !essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        return Err(Error::Request("send a form: `content-type: application/x-www-form-urlencoded`"));
    }
    let text = str::from_utf8(body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let text = text.ok_or(Error::Request("the form has characters that are not encoded"))?;
    Query::parse(text).map_err(|_| Error::Request("the form cannot be read, or names a parameter twice"))
}

/// An answer in JSON that nobody may keep.
pub(super) fn json(status: u16, body: &Value) -> Response {
    let fields = [("content-type", "application/json"), ("cache-control", "no-store")];
    Response { status, headers: Headers::from_iter(fields), body: body.to_string().into_bytes() }
}
