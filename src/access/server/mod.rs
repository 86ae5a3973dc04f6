//! A route's own authorization server, for IdPs that want one: OAuth 2.0 (RFC 6749) with client credentials,
//! assertions (RFC 7523), and codes with PKCE (RFC 7636) that an operator allows.
//!
//! It stores nothing: codes and tokens are signed and say everything themselves. Its tokens are for its route alone.
//! Not supported: public clients, implicit and password grants, dynamic registration, `plain` challenges.

mod form;
mod page;
mod seal;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use self::form::Error;
use self::page::Question;
use self::seal::{Purpose, Seal, claims_of};
use super::jwt::{Signed, judge_signed};
use super::secret::Shown;
use super::{Jwt, Refusal, Secret};
use crate::errand::Turn;
use crate::http::path::{Query, push_parameter};
use crate::http::url::Url;
use crate::http::{Headers, Request, Response};
use crate::jose::{Token, decode, encode, parse_basic};
use crate::store;

/// The compiled authorization server of a route.
#[derive(Debug)]
pub(crate) struct Server {
    realm: String,
    /// The issuer and the audience: the base that the IdP sees.
    issuer: String,
    key: [u8; 32],
    /// Milliseconds that an access token is good for.
    lifetime: u64,
    clients: Vec<Client>,
    /// Who may allow codes.
    operator: Option<Operator>,
    /// The algorithms (JWA names) that the host verifies.
    host: &'static [&'static str],
}

/// The operator's code.
#[derive(Clone, Debug)]
pub(crate) struct Operator(pub(crate) Secret);

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    /// What it calls itself (RFC 6749 section 2.2).
    pub(crate) id: String,
    /// How it proves itself.
    pub(crate) proof: Proof,
    /// Stands for the proof as configured: another proof is another client.
    pub(crate) digest: [u8; 32],
    /// Where browsers go with codes; none: it gets no codes.
    pub(crate) redirects: Vec<String>,
    /// Codes need a challenge (RFC 7636).
    pub(crate) pkce: bool,
    /// Milliseconds that a refresh token is good for.
    pub(crate) refresh: u64,
}

/// How a client proves itself.
#[derive(Debug)]
pub(crate) enum Proof {
    /// A secret, in the form or the Authorization field.
    Secret(Secret),
    /// A token that it, or somebody for it, signed (RFC 7523 section 2.2).
    Assertion(Box<Jwt>),
}

/// What a request at the server came to.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The answer.
    pub(crate) response: Response,
    /// The client's number, where it is known.
    pub(crate) client: Option<usize>,
    /// What happened, for metrics and audit records.
    pub(crate) result: &'static str,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Metadata,
    Token,
    Authorize,
}

/// What a token is made from beside the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Unix milliseconds.
    pub(crate) now: u64,
    /// Random bytes of the host's.
    pub(crate) seed: [u8; 16],
}

impl Server {
    /// A server at the base that the IdP sees.
    pub(crate) fn new(
        realm: &str,
        base: &Url,
        key: &str,
        lifetime: u64,
        clients: Vec<Client>,
        operator: Option<Operator>,
        host: &'static [&'static str],
    ) -> Self {
        let issuer = base.to_string();
        let key = store::digest(&[b"scimlock authorization server", key.as_bytes(), issuer.as_bytes()]);
        Self { realm: realm.to_owned(), issuer, key, lifetime, clients, operator, host }
    }

    /// The place that a path below the route's means here.
    pub(crate) fn place(rest: &str) -> Option<Place> {
        match rest {
            "/oauth/token" => Some(Place::Token),
            "/oauth/authorize" => Some(Place::Authorize),
            _ => None,
        }
    }

    /// The methods of a place.
    pub(crate) const fn methods(place: Place) -> &'static str {
        match place {
            Place::Metadata => "GET",
            Place::Token => "POST",
            Place::Authorize => "GET, POST",
        }
    }

    /// The client whose token this is; `Err` where it is ours and no longer good.
    pub(crate) fn accepts(&self, token: &[u8], now: u64) -> Result<usize, Refusal> {
        let text = str::from_utf8(token).map_err(|_| Refusal::Unknown)?;
        let claims = claims_of(text).ok_or(Refusal::Unknown)?;
        let of = claims.get("client_id").and_then(Value::as_str).unwrap_or_default();
        // A name that is not known takes as long as one that is.
        let number = self.clients.iter().position(|client| client.id == of);
        let claims = self.open(number.unwrap_or(usize::MAX), Purpose::Access, text);
        let (number, claims) = (number.ok_or(Refusal::Unknown)?, claims.ok_or(Refusal::Signature)?);
        let is = |name: &str| claims.get(name).and_then(Value::as_str) == Some(&self.issuer);
        if !is("iss") || !is("aud") {
            return Err(Refusal::Audience);
        }
        let end = claims.get("exp").and_then(Value::as_u64).unwrap_or_default().saturating_mul(1000);
        if now >= end { Err(Refusal::Expired) } else { Ok(number) }
    }

    /// RFC 8414: what clients have to know.
    pub(crate) fn metadata(&self) -> Response {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let codes = self.operator.is_some();
        let mut metadata = json!({
            "issuer": self.issuer,
            "token_endpoint": at("/oauth/token"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": self.algorithms(),
        });
        if codes {
            add(&mut metadata, "authorization_endpoint", at("/oauth/authorize"));
            add(&mut metadata, "response_types_supported", json!(["code"]));
            let grants = json!(["client_credentials", "authorization_code", "refresh_token"]);
            add(&mut metadata, "grant_types_supported", grants);
            add(&mut metadata, "code_challenge_methods_supported", json!(["S256"]));
            add(&mut metadata, "authorization_response_iss_parameter_supported", true);
        }
        form::json(200, &metadata)
    }

    fn algorithms(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .clients
            .iter()
            .filter_map(|client| match &client.proof {
                Proof::Assertion(jwt) => Some(jwt.algorithms.iter().map(|algorithm| algorithm.as_str())),
                Proof::Secret(_) => None,
            })
            .flatten()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Answers a request at the token endpoint.
    pub(crate) fn token(self: &Arc<Self>, request: &Request, body: &[u8], moment: Moment) -> Turn<Grant> {
        let form = match form::read(&request.headers, body) {
            Ok(form) => form,
            Err(error) => return Turn::Ready(self.refused(None, error)),
        };
        let this = Arc::clone(self);
        self.client(&request.headers, &form, moment.now).then(moment.now, move |now, client| {
            Turn::Ready(match client {
                Ok(number) => this
                    .grant(number, &form, Moment { now, ..moment })
                    .unwrap_or_else(|error| this.refused(Some(number), error)),
                Err(error) => this.refused(None, error),
            })
        })
    }

    fn refused(&self, client: Option<usize>, error: Error) -> Grant {
        Grant { response: error.response(&self.realm), client, result: error.code() }
    }

    /// Which client it is. RFC 6749 section 2.3: it may prove itself in one way only.
    fn client(&self, headers: &Headers, form: &Query, now: u64) -> Turn<Result<usize, Error>> {
        let authorization: Vec<&[u8]> = headers.all("authorization").collect();
        let named = form.get("client_id");
        let secret = form.get("client_secret");
        let assertion = form.get("client_assertion");
        let kind = form.get("client_assertion_type");
        let ways = usize::from(!authorization.is_empty())
            + usize::from(secret.is_some())
            + usize::from(assertion.is_some());
        if authorization.len() > 1 || ways > 1 || assertion.is_some() != kind.is_some() {
            return Turn::Ready(Err(Error::Request(
                "the client proves itself in more than one way, or in half of one",
            )));
        }
        if let Some(assertion) = assertion {
            if kind != Some(JWT_BEARER) {
                return Turn::Ready(Err(Error::Request("`client_assertion_type` is not of RFC 7523")));
            }
            return self.asserted(assertion, named, now);
        }
        let pair = match (authorization.first(), named, secret) {
            (Some(field), named, None) => {
                parse_basic(field).filter(|(id, _)| named.is_none_or(|named| named == id))
            }
            (None, Some(id), Some(secret)) => Some((id.to_owned(), secret.to_owned())),
            _ => None,
        };
        Turn::Ready(pair.and_then(|(id, secret)| self.shown(&id, &secret, now)).ok_or(Error::Client))
    }

    /// The client of that name and secret; every one is compared, and none is skipped.
    fn shown(&self, id: &str, secret: &str, now: u64) -> Option<usize> {
        let shown = Shown::basic(id.as_bytes(), secret.as_bytes());
        let mut found = u32::MAX;
        for (index, client) in (0_u32..).zip(&self.clients) {
            if let Proof::Secret(secret) = &client.proof {
                found.conditional_assign(&index, secret.is(&shown));
            }
        }
        let index = usize::try_from(found).ok()?;
        match &self.clients.get(index)?.proof {
            Proof::Secret(secret) => secret.at(now).is_ok().then_some(index),
            Proof::Assertion(_) => None,
        }
    }

    /// The client that an assertion is of.
    fn asserted(&self, assertion: &str, named: Option<&str>, now: u64) -> Turn<Result<usize, Error>> {
        let Ok(token) = Token::parse(assertion.as_bytes()) else { return Turn::Ready(Err(Error::Client)) };
        let mut fit = self.clients.iter().enumerate().filter(|(_, client)| {
            let named = named.is_none_or(|named| named == client.id);
            named && matches!(&client.proof, Proof::Assertion(jwt) if jwt.judge(&token, now).is_ok())
        });
        let (Some((number, client)), None) = (fit.next(), fit.next()) else {
            return Turn::Ready(Err(Error::Client));
        };
        let Proof::Assertion(jwt) = &client.proof else { return Turn::Ready(Err(Error::Client)) };
        judge_signed(jwt, Arc::new(token), self.host, now).then(now, move |_, signed| {
            Turn::Ready(match signed {
                Signed::Right => Ok(number),
                Signed::Wrong(_) => Err(Error::Client),
                Signed::Unreachable => Err(Error::Unavailable),
            })
        })
    }

    /// What a client that proved itself gets.
    fn grant(&self, number: usize, form: &Query, moment: Moment) -> Result<Grant, Error> {
        let client = self.clients.get(number).ok_or(Error::Client)?;
        let refresh = match form.get("grant_type").ok_or(Error::Request("`grant_type` is missing"))? {
            "client_credentials" => false,
            "authorization_code" => {
                self.redeem(number, client, form, moment.now)?;
                true
            }
            "refresh_token" => {
                let token = form.get("refresh_token").ok_or(Error::Request("`refresh_token` is missing"))?;
                let claims = self.open(number, Purpose::Refresh, token);
                if claims.is_none_or(|claims| moment.now >= end_of(&claims)) {
                    return Err(Error::Grant("the refresh token is not one of this client, or is over"));
                }
                true
            }
            _ => return Err(Error::Unsupported),
        };
        let (now, id) = (moment.now / 1000, hex(&moment.seed));
        let claims = json!({
            "iss": self.issuer, "aud": self.issuer, "sub": client.id, "client_id": client.id,
            "iat": now, "exp": now + self.lifetime / 1000, "jti": id,
        });
        let mut answer = json!({
            "access_token": self.sign(number, Purpose::Access, claims),
            "token_type": "Bearer",
            "expires_in": self.lifetime / 1000,
        });
        if refresh {
            let claims = json!({ "client_id": client.id, "exp": now + client.refresh / 1000, "jti": id });
            add(&mut answer, "refresh_token", self.sign(number, Purpose::Refresh, claims));
        }
        Ok(Grant { response: form::json(200, &answer), client: Some(number), result: "granted" })
    }

    /// Judges a code: of this client, for this address, with the verifier of its challenge.
    fn redeem(&self, number: usize, client: &Client, form: &Query, now: u64) -> Result<(), Error> {
        let wrong = Error::Grant("the code is not one for this client, address and verifier, or is over");
        let code = form.get("code").ok_or(Error::Request("`code` is missing"))?;
        let claims = self.open(number, Purpose::Code, code).ok_or(wrong)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let redirect = form.get("redirect_uri").unwrap_or_default();
        if now >= end_of(&claims)
            || text("redirect_uri") != Some(redirect)
            || !client.redirects.iter().any(|known| known == redirect)
        {
            return Err(wrong);
        }
        match (text("challenge"), form.get("code_verifier")) {
            (Some(challenge), Some(verifier)) => {
                let digest = encode(&Sha256::digest(verifier));
                let right: bool = digest.as_bytes().ct_eq(challenge.as_bytes()).into();
                if right { Ok(()) } else { Err(wrong) }
            }
            (None, None) if !client.pkce => Ok(()),
            _ => Err(wrong),
        }
    }

    /// Answers a request at the authorization endpoint; `form` is the operator's decision.
    pub(crate) fn authorize(&self, parameters: &Query, form: Option<&Query>, moment: Moment) -> Grant {
        let asked = match self.asked(form.unwrap_or(parameters)) {
            Ok(asked) => asked,
            Err(why) => {
                return Grant { response: page::refusal(why), client: None, result: "invalid_request" };
            }
        };
        let number = Some(asked.number);
        let Some(operator) = &self.operator else {
            return Grant {
                response: page::refusal("this route gives no codes"),
                client: number,
                result: "invalid_request",
            };
        };
        if let Some(error) = asked.error {
            return Grant {
                response: asked.back(&self.issuer, "error", error),
                client: number,
                result: error,
            };
        }
        let Some(form) = form else {
            return Grant { response: self.question(&asked, false), client: number, result: "asked" };
        };
        if form.get("decision") == Some("deny") {
            return Grant {
                response: asked.back(&self.issuer, "error", "access_denied"),
                client: number,
                result: "access_denied",
            };
        }
        let shown = Shown::token(form.get("operator").unwrap_or_default().as_bytes());
        let right: Choice = operator.0.is(&shown);
        if !bool::from(right) || operator.0.at(moment.now).is_err() {
            return Grant { response: self.question(&asked, true), client: number, result: "wrong_operator" };
        }
        let mut claims = json!({
            "client_id": asked.client.id, "redirect_uri": asked.redirect,
            "exp": moment.now / 1000 + CODE_LIFETIME, "jti": hex(&moment.seed),
        });
        if let Some(challenge) = asked.challenge {
            add(&mut claims, "challenge", challenge);
        }
        let code = self.sign(asked.number, Purpose::Code, claims);
        Grant { response: asked.back(&self.issuer, "code", &code), client: number, result: "code" }
    }

    fn question(&self, asked: &Asked<'_>, wrong: bool) -> Response {
        let Asked { client, redirect, state, challenge, .. } = asked;
        let mut parameters =
            vec![("response_type", "code"), ("client_id", client.id.as_str()), ("redirect_uri", *redirect)];
        parameters.extend(state.map(|state| ("state", state)));
        if let Some(challenge) = challenge {
            parameters.extend([("code_challenge", *challenge), ("code_challenge_method", "S256")]);
        }
        Question { route: &self.realm, client: &client.id, redirect, parameters, wrong }.page()
    }

    /// What is asked for; the error is told to the person, for nobody else can be trusted yet.
    fn asked<'a>(&'a self, parameters: &'a Query) -> Result<Asked<'a>, &'static str> {
        let id = parameters.get("client_id").ok_or("the IdP did not say which client it is")?;
        let found = self.clients.iter().enumerate().find(|(_, client)| client.id == id);
        let (number, client) = found.ok_or("the gateway does not know this client")?;
        let redirect = parameters.get("redirect_uri").ok_or("the IdP did not say where to go afterwards")?;
        // RFC 9700 section 2.1: exact comparison.
        if !client.redirects.iter().any(|known| known == redirect) {
            return Err("the IdP wants to go somewhere else afterwards than the configuration allows");
        }
        let challenge = parameters.get("code_challenge");
        let method = parameters.get("code_challenge_method");
        let fits = challenge.is_none_or(|challenge| decode(challenge).is_some_and(|bytes| bytes.len() == 32));
        let error = match parameters.get("response_type") {
            Some("code") if !fits || challenge.is_some() != (method == Some("S256")) => {
                Some("invalid_request")
            }
            Some("code") if client.pkce && challenge.is_none() => Some("invalid_request"),
            Some("code") => None,
            _ => Some("unsupported_response_type"),
        };
        Ok(Asked { number, client, redirect, state: parameters.get("state"), challenge, error })
    }

    fn open(&self, number: usize, purpose: Purpose, text: &str) -> Option<Map<String, Value>> {
        let client = self.clients.get(number);
        let mark = client.map_or([0; 32], |client| self.mark(client));
        let claims = Seal::new(&self.key, &mark, purpose).open(text);
        let id = client?.id.as_str();
        claims.filter(|claims| claims.get("client_id").and_then(Value::as_str) == Some(id))
    }

    fn sign(&self, number: usize, purpose: Purpose, claims: Value) -> String {
        let mark = self.clients.get(number).map_or([0; 32], |client| self.mark(client));
        let claims = claims.as_object().cloned().unwrap_or_default();
        Seal::new(&self.key, &mark, purpose).sign(&claims)
    }

    fn mark(&self, client: &Client) -> [u8; 32] {
        store::digest(&[client.id.as_bytes(), &client.digest])
    }
}

/// A request for a code.
struct Asked<'a> {
    number: usize,
    client: &'a Client,
    redirect: &'a str,
    state: Option<&'a str>,
    challenge: Option<&'a str>,
    /// What the IdP is told instead of a code.
    error: Option<&'static str>,
}

impl Asked<'_> {
    /// Sends the browser back (RFC 6749 section 4.1.2), with the issuer's name (RFC 9207).
    fn back(&self, issuer: &str, name: &str, value: &str) -> Response {
        let mut query = String::new();
        push_parameter(&mut query, name, value);
        if let Some(state) = self.state {
            push_parameter(&mut query, "state", state);
        }
        push_parameter(&mut query, "iss", issuer);
        let joint = if self.redirect.contains('?') { '&' } else { '?' };
        let location = format!("{}{joint}{query}", self.redirect);
        let fields = [
            ("location", location.as_str()),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ];
        Response { status: 303, headers: Headers::from_iter(fields), body: Vec::new() }
    }
}

fn add(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

fn end_of(claims: &Map<String, Value>) -> u64 {
    claims.get("exp").and_then(Value::as_u64).unwrap_or_default().saturating_mul(1000)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 8414 section 3.1: the issuer's path goes behind this.
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that a code is good for: a browser takes it straight to the IdP.
const CODE_LIFETIME: u64 = 60;

#[cfg(test)]
mod tests;
