//! What a provider is shown: `credential`.

use super::super::{CREDENTIAL, DATE, Item, SECRET_PLAIN, keys, time};
use crate::credential::{Credential, Unsendable};

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

pub(super) fn date(item: &Item<'_>, read: fn(&str) -> Option<u64>) -> Option<u64> {
    let date = read(item.text()?);
    if date.is_none() {
        let remedy = "write `2027-01-31` (good all that day, UTC) or `2027-01-31T12:00:00Z`";
        item.error(DATE, format!("{} is not a date", item.shown()), remedy);
    }
    date
}
