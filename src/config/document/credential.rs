//! What a route's provider is shown: `credential` and `headers`.

use super::super::{CREDENTIAL, DATE, Item, SECRET_PLAIN, keys, time, units};
use super::{Part, Scene, url};
use crate::Scheme;
use crate::credential::{
    Access, BadKey, Body, Credential, Endpoint, Flow, Life, Proof, Signer, Step, Template, Unsendable,
    form_encoded,
};

/// A credential as the document says it.
#[derive(Debug)]
pub(crate) enum Shows {
    /// Complete.
    Credential(Credential),
    /// One of the token flows of the provider's profile.
    Flow(Named),
}

/// A token flow of a profile, and what it is given.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its name, with its place.
    pub(crate) name: Part,
    /// Its inputs, with their places.
    pub(crate) with: Option<Part>,
    /// Unix milliseconds from which the provider refuses it.
    pub(crate) expires: Option<u64>,
}

impl Scene<'_> {
    /// What the provider is shown.
    pub(super) fn credential(&self, item: &Item<'_>) -> Option<Shows> {
        let mut fields = item.fields_of(keys::CREDENTIAL)?;
        let bearer = fields.opt("bearer");
        let basic = fields.opt("basic");
        let oauth = fields.opt("oauth");
        let flow = fields.opt("flow");
        let with = fields.opt("with");
        let expires = fields.opt("expires").map(|item| date(&item, time::expiry));
        fields.finish();
        let expires = match expires {
            Some(read) => Some(read?),
            None => None,
        };
        if let (Some(with), None) = (&with, &flow) {
            with.error(CREDENTIAL, "`with` says nothing without `flow`", "add `flow:`, or remove `with`");
        }
        match (bearer, basic, oauth, flow) {
            (Some(item), None, None, None) => bearer_token(&item, expires).map(Shows::Credential),
            (None, Some(item), None, None) => user_and_password(&item, expires).map(Shows::Credential),
            (None, None, Some(item), None) => {
                let flow = self.client_credentials(&item)?;
                Some(Shows::Credential(Credential::fetched(flow, expires)))
            }
            (None, None, None, Some(item)) => {
                item.text()?;
                Some(Shows::Flow(Named { name: Part::of(&item), with: with.as_ref().map(Part::of), expires }))
            }
            (None, None, None, None) => {
                let remedy = "add `bearer`, `basic`, `oauth` or `flow`";
                item.error(CREDENTIAL, "the credential is missing", remedy);
                None
            }
            _ => {
                let remedy = "keep one of `bearer`, `basic`, `oauth` and `flow`";
                item.error(CREDENTIAL, "the provider can be shown one credential only", remedy);
                None
            }
        }
    }

    /// OAuth 2.0 client credentials (RFC 6749 section 4.4), the client proven by a secret or a key (RFC 7523).
    fn client_credentials(&self, item: &Item<'_>) -> Option<Flow> {
        let mut fields = item.fields_of(keys::OAUTH)?;
        let token_url = fields.need("token_url");
        let client = fields.text("client_id");
        let secret = fields.opt("client_secret");
        let words = [("basic", true), ("body", false)];
        let in_basic = fields.opt("auth").map(|item| (item.choice(&words), item));
        let key = fields.opt("private_key");
        let algorithm = fields.opt_text("algorithm");
        let kid = fields.opt_text("key_id");
        let assertion_audience = fields.opt_text("assertion_audience");
        let mut form: Vec<(String, Template)> =
            vec![("grant_type".to_owned(), Template::plain("client_credentials"))];
        let mut said = Vec::new();
        for name in ["scope", "audience", "resource"] {
            if let Some(item) = fields.opt(name) {
                let text = item.text()?;
                form.push((name.to_owned(), Template::plain(text)));
                said.push(text);
            }
        }
        let life = fields.opt("life").map(|item| units::duration(&item, &(1_000..=DAY)));
        fields.finish();
        let token_url = token_url?;
        let endpoint = self.endpoint(&token_url)?;
        let client = client?;
        let default = match life {
            Some(life) => life?,
            None => HOUR,
        };
        let (mut access, mut proof) = (Access::Body, None);
        let secret_text = match (&secret, &key) {
            (Some(secret), None) => {
                let text = secret.text()?;
                plain(secret);
                match in_basic {
                    Some((Some(false), _)) => {
                        form.push(("client_id".to_owned(), Template::plain(client)));
                        form.push(("client_secret".to_owned(), Template::plain(text)));
                    }
                    Some((None, _)) => return None,
                    _ => {
                        let template = |text| Template::plain(form_encoded(text));
                        access = Access::Basic(template(client), template(text));
                    }
                }
                text
            }
            (None, Some(key)) => {
                if let Some((_, item)) = in_basic {
                    let remedy = "remove `auth`: a signed assertion goes into the body";
                    item.error(CREDENTIAL, "`auth` is about a secret", remedy);
                }
                let text = key.text()?;
                plain(key);
                let url = endpoint.url.to_string();
                let audience = assertion_audience.unwrap_or(&url);
                let claims = [("iss", client), ("sub", client), ("aud", audience)];
                proof = Some(Proof {
                    signer: signer(key, text, algorithm, kid)?,
                    claims: claims.map(|(name, text)| (name.to_owned(), Template::plain(text))).into(),
                    life: 60_000,
                    back: 0,
                });
                form.push(("client_id".to_owned(), Template::plain(client)));
                form.push((
                    "client_assertion_type".to_owned(),
                    Template::plain("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ));
                form.push(("client_assertion".to_owned(), Template::assertion()));
                text
            }
            _ => {
                let remedy = "give `client_secret` or `private_key`, as `${NAME}`";
                item.error(CREDENTIAL, "a client proves who it is by a secret or by a key", remedy);
                return None;
            }
        };
        let url = endpoint.url.to_string();
        let mut identity: Vec<&[u8]> = vec![url.as_bytes(), client.as_bytes(), secret_text.as_bytes()];
        identity.extend(said.iter().map(|text| text.as_bytes()));
        let step = Step {
            endpoint,
            access,
            body: Body::Form(form),
            headers: Vec::new(),
            proof,
            token: "access_token".to_owned(),
            life: Life { member: Some("expires_in".to_owned()), default },
        };
        Some(Flow::new(vec![step], &identity))
    }

    /// An address beside the provider's that may be called.
    fn endpoint(&self, item: &Item<'_>) -> Option<Endpoint> {
        let url = url(item)?;
        if url.scheme == Scheme::Http && !url.loopback() {
            item.error(super::URL_HTTP, "this URL is without TLS", "write `https://`: a secret goes there");
        }
        let cluster = self.cluster(item, &url)?;
        Some(Endpoint { url, rest: String::new(), cluster })
    }
}

/// Fields that every request to the provider has; those that the gateway answers for itself cannot be set.
pub(crate) fn headers(item: &Item<'_>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, item) in item.entries().unwrap_or_default() {
        let lower = name.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if lower.is_empty() || !lower.bytes().all(token) {
            item.error(
                CREDENTIAL,
                format!("`{name}` is not a header's name"),
                "write a name as `user-agent`",
            );
        } else if OWN.contains(&&*lower) || OWN_STARTS.iter().any(|start| lower.starts_with(start)) {
            let message = format!("the gateway itself answers for the header `{name}`");
            item.error(CREDENTIAL, message, "remove it");
        } else if headers.iter().any(|(known, _)| *known == lower) {
            item.error(CREDENTIAL, format!("the header `{name}` is there twice"), "keep one of the two");
        }
        let Some(text) = item.text() else { continue };
        let visible = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        if !visible || text.trim() != text || text.is_empty() {
            item.error(
                CREDENTIAL,
                "this cannot be a header's value",
                "write visible ASCII, without blanks around",
            );
        }
        headers.push((lower, text.to_owned()));
    }
    headers
}

fn bearer_token(item: &Item<'_>, expires: Option<u64>) -> Option<Credential> {
    let token = item.text()?;
    plain(item);
    match Credential::bearer(token, expires) {
        Ok(credential) => Some(credential),
        Err(Unsendable::Scheme) => {
            item.error(CREDENTIAL, "the credential begins with `Bearer`", "give the token alone");
            None
        }
        Err(Unsendable::Characters) => {
            item.error(
                CREDENTIAL,
                "the credential has blanks, line breaks or letters outside ASCII",
                "give the token alone, as the provider showed it",
            );
            None
        }
    }
}

fn user_and_password(item: &Item<'_>, expires: Option<u64>) -> Option<Credential> {
    let mut fields = item.fields_of(keys::USER)?;
    let user = fields.text("user");
    let password = fields.need("password");
    fields.finish();
    let password = password?;
    let text = password.text()?;
    plain(&password);
    let credential = Credential::basic(user?, text, expires);
    if credential.is_err() {
        let message = "the user's name is empty or has a colon, or there is a control character";
        item.error(CREDENTIAL, message, "give name and password as the provider showed them");
    }
    credential.ok()
}

/// A private key that signs.
pub(crate) fn signer(
    item: &Item<'_>,
    pem: &str,
    algorithm: Option<&str>,
    kid: Option<&str>,
) -> Option<Signer> {
    if let Some(name) = algorithm
        && !["RS256", "ES256", "EdDSA"].contains(&name)
    {
        item.error(
            CREDENTIAL,
            format!("the gateway does not sign with `{name}`"),
            "write RS256, ES256 or EdDSA",
        );
        return None;
    }
    let (message, remedy) = match Signer::read(pem, algorithm, kid) {
        Ok(signer) => return Some(signer),
        Err(BadKey::Unreadable) => (
            "this is not a private key that can be read",
            "give the PEM text of an RSA, P-256 or Ed25519 key without a password, lines kept or written as `\\n`",
        ),
        Err(BadKey::Short) => ("the RSA key is too short", "make one of 2048 bits or more"),
        Err(BadKey::Algorithm) => {
            ("the key does not belong to the algorithm", "correct `algorithm`, or leave it out")
        }
    };
    item.error(CREDENTIAL, message, remedy);
    None
}

/// Warns of a secret that stands in the document itself.
pub(crate) fn plain(item: &Item<'_>) {
    if item.is_literal() {
        item.warn(
            SECRET_PLAIN,
            "the credential stands in the document",
            "write `${NAME}` and set it in the environment",
        );
    }
}

/// A moment of the document's, as `read` understands it.
pub(super) fn date(item: &Item<'_>, read: fn(&str) -> Option<u64>) -> Option<u64> {
    let date = read(item.text()?);
    if date.is_none() {
        let remedy = "write `2027-01-31` (good all that day, UTC) or `2027-01-31T12:00:00Z`";
        item.error(DATE, format!("{} is not a date", item.shown()), remedy);
    }
    date
}

/// Header fields that a request has from elsewhere, or that change what it means.
const OWN: [&str; 18] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "traceparent",
    "upgrade",
    "x-csrf-token",
];
const OWN_STARTS: [&str; 7] =
    ["if-", "proxy-", "x-envoy-", "x-forwarded-", "x-http-method", "x-method-", "x-scimlock-"];

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * HOUR;
