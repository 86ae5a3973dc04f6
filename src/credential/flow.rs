//! Token flows: the requests that turn what is configured into the token a provider takes.
//!
//! OAuth 2.0 client credentials (RFC 6749 section 4.4) are a flow of one step. Profiles describe those of products that
//! want something else; a step may use the token of the step before, and sign an assertion (RFC 7523).

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::kept::{Fresh, TIMEOUT, Trouble};
use super::session::answered;
use super::sign::Signer;
use super::template::{Fill, Template};
use super::{Secret, basic, is_word};
use crate::config::moment;
use crate::errand::{Need, Turn};
use crate::error::ScimError;
use crate::http::url::Url;
use crate::http::{Call, Headers, Response};
use crate::store;
use std::sync::Arc;

/// An address that may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Its base.
    pub(crate) url: Url,
    /// What stands behind the base's path: nothing, or a path and a query from `/` on.
    pub(crate) rest: String,
    /// The Envoy cluster of its host, where the host needs one.
    pub(crate) cluster: Option<String>,
}

impl Endpoint {
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.url, self.rest)
    }

    /// A request without a method, fields and a body.
    pub(super) fn call(&self) -> Call {
        let path = format!("{}{}", self.url.path, self.rest);
        Call {
            method: "POST",
            scheme: self.url.scheme,
            authority: self.url.authority(),
            cluster: self.cluster.clone(),
            path: if path.is_empty() { "/".to_owned() } else { path },
            headers: Headers::new(),
            body: Vec::new(),
        }
    }
}

/// A token flow, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Flow(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    steps: Vec<Step>,
    digest: [u8; 32],
}

/// One request of a flow.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) endpoint: Endpoint,
    pub(crate) access: Access,
    pub(crate) body: Body,
    /// Fields that every request to the provider has.
    pub(crate) headers: Vec<(String, String)>,
    /// What is signed for this step.
    pub(crate) proof: Option<Proof>,
    /// The member of the answer that is the token.
    pub(crate) token: String,
    pub(crate) life: Life,
}

/// What a request of a flow is allowed by.
#[derive(Debug)]
pub(crate) enum Access {
    /// Something in its body.
    Body,
    /// User name and password.
    Basic(Template, Template),
    /// A token.
    Bearer(Template),
}

/// What a request of a flow carries.
#[derive(Debug)]
pub(crate) enum Body {
    None,
    /// `application/x-www-form-urlencoded`
    Form(Vec<(String, Template)>),
    /// `application/json`
    Json(Tree),
}

/// JSON with templates for texts.
#[derive(Debug)]
pub(crate) enum Tree {
    Text(Template),
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Other(Value),
}

/// A signed assertion (RFC 7523).
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) signer: Signer,
    /// Claims beside the times and the id.
    pub(crate) claims: Vec<(String, Template)>,
    /// Milliseconds it is good for, and by which its time of issue lies back, for clocks that differ.
    pub(crate) life: u64,
    pub(crate) back: u64,
}

/// How long a token is good.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// The member of the answer that says it, in seconds or as a moment (RFC 3339).
    pub(crate) member: Option<String>,
    /// Milliseconds where the answer does not say it.
    pub(crate) default: u64,
}

impl Flow {
    /// A flow of these steps; `identity` is everything that makes it another one, secrets included.
    pub(crate) fn new(steps: Vec<Step>, identity: &[&[u8]]) -> Self {
        Self(Arc::new(Inner { steps, digest: store::digest(identity) }))
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    pub(super) fn steps(&self) -> u64 {
        self.0.steps.len() as u64
    }

    /// Fetches a token; `seed` is a text that no other exchange has.
    pub(super) fn run(&self, now: u64, seed: &str) -> Turn<Result<Fresh, Trouble>> {
        let first = Fresh { value: Secret::default(), life: 0 };
        self.clone().step(now, seed.to_owned(), 0, first)
    }

    fn step(self, now: u64, seed: String, at: usize, fresh: Fresh) -> Turn<Result<Fresh, Trouble>> {
        let Some(step) = self.0.steps.get(at) else { return Turn::Ready(Ok(fresh)) };
        let Some(call) = step.call(now, &seed, at, fresh.value) else {
            return Turn::Ready(Err(Trouble::Unreadable));
        };
        Turn::ask(Need::Call(call, TIMEOUT), move |now, answer| {
            let read = answered(answer).and_then(|response| {
                self.0.steps.get(at).ok_or(Trouble::Broken).and_then(|step| step.read(now, response))
            });
            match read {
                Ok(fresh) => self.step(now, seed, at + 1, fresh),
                Err(trouble) => Turn::Ready(Err(trouble)),
            }
        })
    }

    pub(super) fn error(&self, trouble: Trouble) -> ScimError {
        let host = self.0.steps.first().map(|step| step.endpoint.url.authority()).unwrap_or_default();
        let why = match trouble {
            Trouble::Unreachable => format!("{host} cannot be reached"),
            Trouble::Timeout => format!("{host} did not answer in time"),
            Trouble::Broken => format!("{host} broke the connection"),
            Trouble::Unreadable => format!("{host} answered with something else than a token"),
            Trouble::Refused(status @ (400 | 401 | 403), reason) => {
                let reason =
                    REASONS.get(usize::from(reason)).map(|word| format!(" {word}")).unwrap_or_default();
                format!("{host} refused it ({status}{reason}); correct the credential of the route")
            }
            Trouble::Refused(status, _) => format!("{host} answered {status}"),
            Trouble::Waiting => "another request has been waiting for it for too long".to_owned(),
        };
        let detail =
            format!("the gateway could not fetch its token for the provider: {why}; nothing was sent");
        ScimError::new(503, detail).with("retry-after", "5")
    }
}

impl Step {
    fn call(&self, now: u64, seed: &str, at: usize, previous: Secret) -> Option<Call> {
        let assertion = match &self.proof {
            Some(proof) => Secret::new(proof.make(now, seed, at)?),
            None => Secret::default(),
        };
        let fill = Fill { previous, assertion };
        let mut headers: Headers =
            [("accept", "application/json"), ("accept-encoding", "identity")].into_iter().collect();
        for (name, value) in &self.headers {
            headers.push(name, value.as_str());
        }
        match &self.access {
            Access::Body => {}
            Access::Basic(user, password) => {
                headers.push("authorization", basic(&user.fill(&fill), &password.fill(&fill)));
            }
            Access::Bearer(token) => headers.push("authorization", format!("Bearer {}", token.fill(&fill))),
        }
        let body = match &self.body {
            Body::None => Vec::new(),
            Body::Form(fields) => {
                headers.push("content-type", "application/x-www-form-urlencoded");
                form(fields.iter().map(|(name, value)| (name.as_str(), value.fill(&fill)))).into_bytes()
            }
            Body::Json(tree) => {
                headers.push("content-type", "application/json");
                tree.fill(&fill).to_string().into_bytes()
            }
        };
        Some(Call { headers, body, ..self.endpoint.call() })
    }

    /// The token of an answer (RFC 6749 section 5.1), or why there is none (section 5.2).
    fn read(&self, now: u64, response: Response) -> Result<Fresh, Trouble> {
        let read: Option<Map<String, Value>> = serde_json::from_slice(&response.body).ok();
        if !matches!(response.status, 200 | 201) {
            let error = read.as_ref().and_then(|answer| answer.get("error")?.as_str());
            let reason = REASONS.iter().position(|word| Some(*word) == error);
            let reason = reason.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX);
            return Err(Trouble::Refused(response.status, reason));
        }
        let answer = read.ok_or(Trouble::Unreadable)?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let bearer = text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        let token = text(&self.token).filter(|token| bearer && is_word(token)).ok_or(Trouble::Unreadable)?;
        let said = self.life.member.as_deref().and_then(|name| answer.get(name));
        let life = match said {
            None | Some(Value::Null) => self.life.default,
            Some(Value::String(text)) => match text.parse::<u64>() {
                Ok(seconds) => seconds.saturating_mul(1000),
                Err(_) => moment(text).ok_or(Trouble::Unreadable)?.saturating_sub(now),
            },
            Some(number) => number.as_u64().ok_or(Trouble::Unreadable)?.saturating_mul(1000),
        };
        Ok(Fresh { value: Secret::new(token), life })
    }
}

impl Proof {
    fn make(&self, now: u64, seed: &str, at: usize) -> Option<String> {
        let seconds = now / 1000;
        let mut claims = Map::new();
        for (name, value) in &self.claims {
            claims.insert(name.clone(), value.fill(&Fill::default()).into());
        }
        claims.insert("iat".to_owned(), seconds.saturating_sub(self.back / 1000).into());
        claims.insert("exp".to_owned(), seconds.saturating_add(self.life / 1000).into());
        let digest = store::digest(&[seed.as_bytes(), &now.to_be_bytes(), &at.to_be_bytes()]);
        let mut id = String::new();
        for byte in digest.iter().take(16) {
            write!(id, "{byte:02x}").ok()?;
        }
        claims.insert("jti".to_owned(), id.into());
        self.signer.sign(claims)
    }
}

impl Tree {
    /// Reads JSON whose texts are templates.
    pub(crate) fn read(value: &Value, template: &mut impl FnMut(&str) -> Option<Template>) -> Option<Self> {
        Some(match value {
            Value::String(text) => Self::Text(template(text)?),
            Value::Object(members) => {
                let mut read = Vec::new();
                for (name, value) in members {
                    read.push((name.clone(), Self::read(value, template)?));
                }
                Self::Object(read)
            }
            Value::Array(elements) => {
                let mut read = Vec::new();
                for value in elements {
                    read.push(Self::read(value, template)?);
                }
                Self::Array(read)
            }
            other => Self::Other(other.clone()),
        })
    }

    fn fill(&self, with: &Fill) -> Value {
        match self {
            Self::Text(text) => text.fill(with).into(),
            Self::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.fill(with))).collect()
            }
            Self::Array(elements) => elements.iter().map(|value| value.fill(with)).collect(),
            Self::Other(value) => value.clone(),
        }
    }
}

/// A form's body (RFC 6749 appendix B).
fn form<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> String {
    let parts: Vec<String> =
        fields.map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(&value))).collect();
    parts.join("&")
}

/// A text as it stands in a form, and as a client's name and secret go into Basic (RFC 6749 section 2.3.1).
pub(crate) fn form_encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The reasons a token endpoint may give (RFC 6749 section 5.2, RFC 8707 section 2); other texts are not repeated.
const REASONS: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];
