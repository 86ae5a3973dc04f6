//! What people are shown of the profiles that come with the engine, as JSON: the list, one in full, the matrix.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::effective::{Cell, effective};
use super::{PROFILES, Profile, extended};
use crate::config::{Part, Problems};
use crate::repair::Repair;

/// The profile that stands for any peer; what it says does not make another profile an IdP's or a provider's.
const ANY: &str = "generic";

/// All profiles: `name`, `title`, `version`, and whether each speaks of an `idp` and of a `provider`.
pub fn list() -> Value {
    let entry = |(name, text): &(&str, &str)| {
        let own: Value = serde_json::from_str(text).ok()?;
        let whole = whole(name)?;
        let roles = |role: &str| speaks_of(name, role);
        Some(json!({
            "name": name,
            "title": whole.get("title"),
            "version": whole.get("version"),
            "extends": own.get("extends"),
            "idp": roles("idp"),
            "provider": roles("provider"),
        }))
    };
    Value::Array(PROFILES.iter().filter_map(entry).collect())
}

/// One profile with everything it extends, and under `repairs` what each kind of repair is; nothing where there is
/// none of that name.
pub fn show(name: &str) -> Option<Value> {
    let mut shown = whole(name)?.as_object()?.clone();
    shown.insert("name".to_owned(), name.into());
    shown.insert("roles".to_owned(), json!(["idp", "provider"].map(|role| speaks_of(name, role))));
    let repairs = Repair::ALL.iter().map(|repair| {
        (
            repair.name().to_owned(),
            json!({ "text": repair.text(), "rfc": repair.rfc(), "always": repair.always() }),
        )
    });
    shown.insert("repairs".to_owned(), Value::Object(repairs.collect::<Map<_, _>>()));
    Some(Value::Object(shown))
}

/// What works between each IdP and each provider: one object a capability, with `idp`, `provider`, `capability`,
/// `state`, and `why` and `manual` where there is something to say.
pub fn matrix() -> Value {
    let secrets = BTreeMap::new();
    let problems = Problems::new(&secrets);
    let read = |name: &str| {
        Profile::read(&Part { value: name.into(), pointer: String::new() }, &problems)
            .map(|profile| (name.to_owned(), profile))
    };
    let side = |role: &str| -> Vec<(String, Profile)> {
        let names = PROFILES.iter().map(|(name, _)| *name).filter(|name| speaks_of(name, role));
        names.filter_map(read).collect()
    };
    let (idps, providers) = (side("idp"), side("provider"));
    let mut rows = Vec::new();
    for (idp, from) in &idps {
        for (provider, to) in &providers {
            for Cell { capability, state, why, manual } in effective(from, to) {
                let mut row = Map::new();
                let members = [
                    ("idp", Some(idp.clone())),
                    ("provider", Some(provider.clone())),
                    ("capability", Some(capability.as_str().to_owned())),
                    ("state", Some(state.as_str().to_owned())),
                    ("why", why),
                    ("manual", manual),
                ];
                row.extend(
                    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))),
                );
                rows.push(Value::Object(row));
            }
        }
    }
    Value::Array(rows)
}

/// The profile with everything it extends.
fn whole(name: &str) -> Option<Value> {
    let secrets = BTreeMap::new();
    let problems = Problems::new(&secrets);
    let part = Part { value: Value::Null, pointer: String::new() };
    extended(name.into(), &part.item(&problems), 0)
}

/// True where the profile, or one it extends beside that for any peer, has such a part.
fn speaks_of(name: &str, role: &str) -> bool {
    let Some((_, text)) = PROFILES.iter().find(|(known, _)| *known == name) else { return false };
    let Ok(own) = serde_json::from_str::<Value>(text) else { return false };
    let base = own.get("extends").and_then(Value::as_str).filter(|base| *base != ANY);
    own.get(role).is_some() || base.is_some_and(|base| speaks_of(base, role))
}
