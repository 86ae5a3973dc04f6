//! The session that a provider's writes belong to: a token against forged requests, and the cookies it goes with.
//!
//! It is fetched with a reading request and the field `x-csrf-token: Fetch`; a write that carries another token than
//! the session's is refused with 403 and `x-csrf-token: Required`. What is in the cookies is nobody's business here.

use super::flow::Endpoint;
use super::kept::{Fresh, Got, TIMEOUT, Trouble};
use super::{Secret, Shown, is_word};
use crate::errand::{Answer, Need, Turn};
use crate::error::ScimError;
use crate::http::{Call, Headers, Response};
use crate::message::SCIM_JSON;
use crate::store;

/// Where and how a session is opened.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    endpoint: Endpoint,
    /// Fields that every request to the provider has.
    headers: Vec<(String, String)>,
}

impl Session {
    /// A session that reading this address opens.
    pub(crate) const fn new(endpoint: Endpoint, headers: Vec<(String, String)>) -> Self {
        Self { endpoint, headers }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        store::digest(&[self.endpoint.url().as_bytes()])
    }

    pub(super) fn open(&self, _now: u64, authorization: Option<&Secret>) -> Turn<Result<Fresh, Trouble>> {
        let mut headers: Headers =
            [("accept", SCIM_JSON), ("accept-encoding", "identity"), (FIELD, "Fetch")].into_iter().collect();
        for (name, value) in &self.headers {
            headers.push(name, value.as_str());
        }
        if let Some(authorization) = authorization {
            headers.push("authorization", authorization.expose());
        }
        let call = Call { method: "GET", headers, ..self.endpoint.call() };
        Turn::ask(Need::Call(call, TIMEOUT), |_, answer| Turn::Ready(opened(answer)))
    }

    pub(super) fn error(&self, trouble: Trouble) -> ScimError {
        let why = match trouble {
            Trouble::Unreachable => "it cannot be reached",
            Trouble::Timeout => "it did not answer in time",
            Trouble::Broken => "it broke the connection",
            Trouble::Unreadable => "its answer has no `x-csrf-token`",
            Trouble::Refused(..) => "it refused the gateway's credential; renew the credential of the route",
            Trouble::Waiting => "another request has been waiting for it for too long",
        };
        let detail = format!("the provider gave no token for writes: {why}; nothing was sent");
        ScimError::new(503, detail).with("retry-after", "5")
    }
}

fn opened(answer: Answer) -> Result<Fresh, Trouble> {
    let Response { status, headers, .. } = answered(answer)?;
    let text = |value: &[u8]| str::from_utf8(value).ok().map(str::to_owned);
    let token = headers.get(FIELD).and_then(text).filter(|token| is_word(token));
    let token = token.filter(|token| !["required", "fetch"].contains(&&*token.to_ascii_lowercase()));
    match token {
        // A token may come with an error, too: what was read is of no interest.
        Some(token) => {
            let cookies: Vec<String> =
                headers.all("set-cookie").filter_map(|field| cookie(&text(field)?)).collect();
            Ok(Fresh { value: Secret::new(format!("{token}\n{}", cookies.join("; "))), life: LIFE })
        }
        None if matches!(status, 401 | 403) => Err(Trouble::Refused(status, 0)),
        None => Err(Trouble::Unreadable),
    }
}

/// The answer to a request for something that is kept.
pub(super) fn answered(answer: Answer) -> Result<Response, Trouble> {
    use crate::Fault;
    match answer {
        Answer::Reply(response) => Ok(response),
        Answer::Failed(Fault::Unreachable) => Err(Trouble::Unreachable),
        Answer::Failed(Fault::Timeout) => Err(Trouble::Timeout),
        Answer::Failed(Fault::TooLarge) => Err(Trouble::Unreadable),
        _ => Err(Trouble::Broken),
    }
}

/// Name and value of a Set-Cookie field (RFC 6265 section 5.2); `None` for what is no cookie or takes one away.
fn cookie(field: &str) -> Option<String> {
    let mut parts = field.split(';').map(str::trim);
    let pair = parts.next()?;
    let (name, _) = pair.split_once('=')?;
    let gone = parts.any(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case("max-age") && value.trim().parse::<i64>().is_ok_and(|age| age <= 0)
    });
    let sound = pair.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    (sound && !name.trim().is_empty() && !gone).then(|| pair.to_owned())
}

/// Adds a session to what is shown.
pub(super) fn show(mut shown: Shown, got: Got) -> Result<Shown, ScimError> {
    let (token, cookies) = got
        .value
        .expose()
        .split_once('\n')
        .ok_or_else(|| ScimError::new(500, "the gateway has lost the session of the provider"))?;
    shown.fields.push((FIELD, Secret::new(token)));
    if !cookies.is_empty() {
        shown.fields.push(("cookie", Secret::new(cookies)));
    }
    shown.session = Some(got.at);
    Ok(shown)
}

/// True where a refusal is about the session.
pub(super) fn required(headers: &Headers) -> bool {
    headers.get(FIELD).is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"required"))
}

const FIELD: &str = "x-csrf-token";

/// Milliseconds a session is used for; servers commonly end them after 30 minutes without a request.
const LIFE: u64 = 25 * 60_000;
