//! SCIM errors (RFC 7644 section 3.12): the one place where causes become status, scimType and detail.

mod provider;

pub(crate) use self::provider::Refusal;
use crate::document::ReadError;
use crate::http::{Headers, Response};
use crate::message::{ERROR, SCIM_JSON};
use crate::schema::{Problem, ProblemKind};

/// An answer that refuses. Its text names places, rules and remedies, never values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// The SCIM error type, where RFC 7644 defines one.
    pub scim_type: Option<&'static str>,
    /// What is wrong and what to do.
    pub detail: String,
    /// Header fields beside the usual ones, such as `allow` or `www-authenticate`.
    pub headers: Vec<(&'static str, String)>,
}

impl ScimError {
    /// An error without scimType.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), headers: Vec::new() }
    }

    /// An error with scimType.
    pub fn typed(status: u16, scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self { scim_type: Some(scim_type), ..Self::new(status, detail) }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// All problems of a message in one error; the scimType is that of the first.
    pub fn problems(problems: &[Problem]) -> Self {
        let scim_type = match problems.first().map(|problem| problem.kind) {
            Some(ProblemKind::Mutability) => "mutability",
            Some(ProblemKind::Path) => "invalidPath",
            Some(ProblemKind::NoTarget) => "noTarget",
            Some(ProblemKind::Syntax) => "invalidSyntax",
            Some(ProblemKind::Value) | None => "invalidValue",
        };
        let mut texts: Vec<String> = problems
            .iter()
            .map(|problem| match &*problem.path {
                "" => problem.message.clone(),
                path => format!("`{path}` {}", problem.message),
            })
            .collect();
        texts.dedup();
        let more = texts.len().saturating_sub(MOST);
        texts.truncate(MOST);
        if more > 0 {
            texts.push(format!("and {more} more"));
        }
        Self::typed(400, scim_type, texts.join("; "))
    }

    /// The error message; `request` is the id that stands in logs too.
    pub fn body(&self, request: &str) -> String {
        let scim_type = self.scim_type.map(|each| format!("\"scimType\":\"{each}\",")).unwrap_or_default();
        let detail = serde_json::Value::from(format!("{} (request {request})", self.detail));
        let status = self.status;
        format!(r#"{{"schemas":["{ERROR}"],"status":"{status}",{scim_type}"detail":{detail}}}"#)
    }

    /// The response.
    pub fn response(&self, request: &str) -> Response {
        let mut headers: Headers =
            [("content-type", SCIM_JSON), ("cache-control", "no-store")].into_iter().collect();
        for (name, value) in &self.headers {
            headers.push(name, value.as_bytes());
        }
        Response { status: self.status, headers, body: self.body(request).into_bytes() }
    }
}

/// Problems one answer lists at the most.
const MOST: usize = 20;

impl From<ReadError> for ScimError {
    fn from(error: ReadError) -> Self {
        Self::typed(400, "invalidSyntax", error.message())
    }
}
