//! Tokens whose issuer is asked (RFC 7662).

use serde_json::{Map, Value};

use super::Refusal;
use super::claims::Claims;
use super::keys::Endpoint;
use crate::credential::Secret;
use crate::errand::{Answer, Need};
use crate::http::path::push_parameter;
use crate::http::{Headers, Response};
use crate::json::parse;

/// How an issuer is asked about a token.
#[derive(Clone, Debug)]
pub(crate) struct Introspection {
    /// The introspection endpoint.
    pub(crate) endpoint: Endpoint,
    /// The whole value of the Authorization field it is shown.
    pub(crate) authorization: Secret,
    /// What the answer must say.
    pub(crate) claims: Claims,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Told {
    /// Good until then (Unix milliseconds).
    Active(u64),
    Refused(Refusal),
    Unreachable,
}

impl Introspection {
    /// The request about a token.
    pub(super) fn ask(&self, token: &str) -> Need {
        let mut body = String::new();
        push_parameter(&mut body, "token", token);
        push_parameter(&mut body, "token_type_hint", "access_token");
        let mut headers = Headers::from_iter([
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
        ]);
        headers.push("authorization", self.authorization.expose());
        let call = self.endpoint.call("POST", &self.endpoint.url.path, headers, body.into_bytes());
        Need::Call(call, TIMEOUT)
    }

    /// What the answer says.
    pub(super) fn told(&self, now: u64, answer: Answer) -> Told {
        let Answer::Reply(Response { status: 200, body, .. }) = answer else { return Told::Unreachable };
        let Some(Value::Object(claims)) = parse(&body) else { return Told::Unreachable };
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Told::Refused(Refusal::Unknown),
            _ => return Told::Unreachable,
        }
        self.active(now, &claims)
    }

    fn active(&self, now: u64, claims: &Map<String, Value>) -> Told {
        match self.claims.judge(claims, now) {
            // Without an end it may be withdrawn at any time.
            Ok(None) => Told::Active(now.saturating_add(SHORT)),
            Ok(Some(expires)) => Told::Active(expires),
            Err(refusal) => Told::Refused(refusal),
        }
    }
}

/// Milliseconds for an answer of the issuer.
const TIMEOUT: u64 = 5_000;

/// Milliseconds for which an answer without an end is good.
const SHORT: u64 = 60_000;
