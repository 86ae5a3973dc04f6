//! Who may use a route, and what its provider is shown: `accept`, `open` and `credential`.

use sha2::{Digest, Sha256};

use super::super::{ACCEPT, CREDENTIAL, DATE, Fields, Item, NAME, OPEN, SECRET_PLAIN, TOKEN, keys, time};
use super::{NAME_REMEDY, is_name};
use crate::access::{Access, Token};
use crate::credential::{Credential, Unsendable};
use crate::http::url::Url;

/// The access rules of a route: `accept`, or `open` on this machine.
/// `taken` holds the tokens of the routes before.
pub(super) fn access(
    route: &str,
    fields: &mut Fields<'_>,
    public_url: Option<&Url>,
    taken: &mut Vec<(String, [u8; 32])>,
) -> Option<Access> {
    let open = fields.opt("open");
    let accept = fields.opt("accept");
    if let Some(item) = &open
        && item.boolean()?
    {
        if public_url.is_some_and(|url| !url.loopback()) {
            item.error(OPEN, "anyone could use this route", "remove `open` and name the tokens in `accept`");
        }
        if let Some(accept) = accept {
            accept.error(ACCEPT, "`accept` says nothing on an open route", "remove `accept` or `open`");
        }
        return Some(Access::open(route));
    }
    let Some(accept) = accept else {
        fields.item().error(ACCEPT, "no one could use this route", "add `accept:` with a bearer token");
        return None;
    };
    let items = accept.list()?;
    if items.is_empty() {
        accept.error(ACCEPT, "no one could use this route", "add a bearer token to `accept`");
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(token) = verifier(&item) else {
            complete = false;
            continue;
        };
        if let Some(same) =
            tokens.iter().find(|other| other.name == token.name || other.digest == token.digest)
        {
            let message = format!("`{}` and `{}` have the same name or digest", same.name, token.name);
            item.error(TOKEN, message, "give each token a name and a digest of its own");
        }
        if let Some((other, _)) = taken.iter().find(|(_, digest)| *digest == token.digest) {
            let message = format!("`{}` is also accepted on route `{other}`", token.name);
            item.warn(TOKEN, message, "give each route a token of its own");
        }
        tokens.push(token);
    }
    taken.extend(tokens.iter().map(|token| (route.to_owned(), token.digest)));
    complete.then(|| Access::new(route, tokens))
}

/// What the provider is shown.
pub(super) fn credential(item: &Item<'_>) -> Option<Credential> {
    let mut fields = item.fields_of(keys::CREDENTIAL)?;
    for later in ["oauth", "basic", "header"] {
        if let Some(item) = fields.opt(later) {
            item.not_yet(later, "use `bearer`");
        }
    }
    let bearer = fields.need("bearer");
    let expires = fields.opt("expires").map(|item| date(&item, time::expiry));
    fields.finish();
    let bearer = bearer?;
    let token = bearer.text()?;
    if bearer.is_literal() {
        bearer.warn(
            SECRET_PLAIN,
            "the credential stands in the document",
            "write `${NAME}` and set it in the environment",
        );
    }
    let expires = match expires {
        Some(read) => Some(read?),
        None => None,
    };
    match Credential::bearer(token, expires) {
        Ok(credential) => Some(credential),
        Err(Unsendable::Scheme) => {
            bearer.error(CREDENTIAL, "the credential begins with `Bearer`", "give the token alone");
            None
        }
        Err(Unsendable::Characters) => {
            bearer.error(
                CREDENTIAL,
                "the credential has blanks, line breaks or letters outside ASCII",
                "give the token alone, as the provider showed it",
            );
            None
        }
    }
}

fn verifier(item: &Item<'_>) -> Option<Token> {
    let mut fields = item.fields_of(keys::VERIFIER)?;
    for later in ["jwt", "introspection", "basic", "mtls"] {
        if let Some(item) = fields.opt(later) {
            item.not_yet(later, "use `bearer`");
            return None;
        }
    }
    let bearer = fields.need("bearer");
    fields.finish();
    bearer_token(&bearer?)
}

fn bearer_token(item: &Item<'_>) -> Option<Token> {
    let mut fields = item.fields_of(keys::BEARER)?;
    let name = fields.need("name");
    let sha256 = fields.need("sha256");
    let expires = fields.need("expires").and_then(|item| date(&item, time::expiry));
    let start = fields.opt("not_before").map(|item| (date(&item, time::start), item));
    fields.finish();
    let name = name.and_then(|item| {
        let name = item.text()?;
        if !is_name(name) {
            item.error(NAME, format!("{} cannot be a token's name", item.shown()), NAME_REMEDY);
        }
        Some(name.to_owned())
    });
    let digest = sha256.and_then(|item| digest(&item));
    let expires = expires?;
    let not_before = match start {
        None => 0,
        Some((read, item)) => {
            let start = read?;
            if start >= expires {
                item.error(TOKEN, "the token expires before it counts", "correct `not_before` or `expires`");
            }
            start
        }
    };
    Some(Token { name: name?, digest: digest?, not_before, expires })
}

/// 64 hex digits. What stands there is never quoted: it may be the token itself.
fn digest(item: &Item<'_>) -> Option<[u8; 32]> {
    let remedy = "write the 64 hex digits of `printf %s \"$TOKEN\" | sha256sum`";
    let text = item.text()?;
    let Some(digest) = hex(text) else {
        item.error(TOKEN, "this is not a SHA-256 digest", remedy);
        return None;
    };
    if digest == <[u8; 32]>::from(Sha256::digest("")) {
        item.error(TOKEN, "this is the digest of an empty text", remedy);
    }
    Some(digest)
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Some(digest)
}

fn date(item: &Item<'_>, read: fn(&str) -> Option<u64>) -> Option<u64> {
    let date = read(item.text()?);
    if date.is_none() {
        let remedy = "write `2027-01-31` (good all that day, UTC) or `2027-01-31T12:00:00Z`";
        item.error(DATE, format!("{} is not a date", item.shown()), remedy);
    }
    date
}
