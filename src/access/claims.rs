//! What claims must say (RFC 7519 section 4.1): issuer, audience, time, and whatever a route asks for beside.

use serde_json::{Map, Value};

use super::Refusal;
use crate::jose::moment;

/// What claims must say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// The issuer, compared letter by letter.
    pub(crate) issuer: Option<String>,
    /// Audiences, of which one must be named; none: not looked at.
    pub(crate) audiences: Vec<String>,
    /// Further claims.
    pub(crate) require: Vec<(String, Requirement)>,
    /// Milliseconds by which clocks may differ.
    pub(crate) leeway: u64,
}

/// What one claim must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Requirement {
    /// One of these texts, numbers or booleans.
    OneOf(Vec<Value>),
    /// A list with this element, or a text of words with this word (as `scope`, RFC 8693 section 4.2).
    Contains(String),
}

impl Claims {
    /// Judges claims at a time, and answers when they end (Unix milliseconds) where they say so.
    pub(super) fn judge(&self, claims: &Map<String, Value>, now: u64) -> Result<Option<u64>, Refusal> {
        if self.issuer.is_some() && claims.get("iss").and_then(Value::as_str) != self.issuer.as_deref() {
            return Err(Refusal::Issuer);
        }
        if !self.audiences.is_empty() && !self.audience(claims.get("aud")) {
            return Err(Refusal::Audience);
        }
        if !self.require.iter().all(|(name, requirement)| requirement.met(claims.get(name))) {
            return Err(Refusal::Claims);
        }
        let time = |name| moment(claims, name).map_err(|_| Refusal::Malformed);
        let expires = time("exp")?;
        if expires.is_some_and(|expires| now >= expires.saturating_add(self.leeway)) {
            return Err(Refusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if time(name)?.is_some_and(|start| start > now.saturating_add(self.leeway)) {
                return Err(Refusal::NotYet);
            }
        }
        Ok(expires)
    }

    /// RFC 7519 section 4.1.3: a text, or a list of texts. A list with anything else in it is none.
    fn audience(&self, value: Option<&Value>) -> bool {
        let known = |text: &str| self.audiences.iter().any(|audience| audience == text);
        match value {
            Some(Value::String(text)) => known(text),
            Some(Value::Array(list)) => {
                list.iter().all(Value::is_string) && list.iter().filter_map(Value::as_str).any(known)
            }
            _ => false,
        }
    }
}

impl Requirement {
    fn met(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (_, None) => false,
            (Self::OneOf(values), Some(value)) => values.contains(value),
            (Self::Contains(word), Some(Value::Array(list))) => {
                list.iter().any(|element| element.as_str() == Some(word))
            }
            (Self::Contains(word), Some(Value::String(words))) => words.split(' ').any(|each| each == word),
            (Self::Contains(_), Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn claims_are_judged() {
        let rule = Claims {
            issuer: Some("https://i.example/".into()),
            audiences: vec!["a".into(), "b".into()],
            require: vec![
                ("tid".into(), Requirement::OneOf(vec![json!("t"), json!(7)])),
                ("roles".into(), Requirement::Contains("scim".into())),
            ],
            leeway: 30_000,
        };
        let good = json!({ "iss": "https://i.example/", "aud": "a", "exp": 1000, "nbf": 900, "iat": 900, "tid": "t", "roles": ["x", "scim"] });
        let judge = |change: Value, now: u64| {
            let mut claims = good.clone();
            for (name, value) in change.as_object().unwrap() {
                claims[name] = value.clone();
            }
            rule.judge(claims.as_object().unwrap(), now * 1000)
        };
        for (change, now, expected) in [
            (json!({}), 950, Ok(Some(1_000_000))),
            (json!({}), 1029, Ok(Some(1_000_000))),
            (json!({}), 1030, Err(Refusal::Expired)),
            (json!({}), 870, Ok(Some(1_000_000))),
            (json!({}), 869, Err(Refusal::NotYet)),
            (json!({ "iat": 1 }), 950, Ok(Some(1_000_000))),
            (json!({ "iat": 2000 }), 950, Err(Refusal::NotYet)),
            (json!({ "nbf": 2000 }), 950, Err(Refusal::NotYet)),
            (json!({ "nbf": "900" }), 950, Err(Refusal::Malformed)),
            (json!({ "exp": "1000" }), 950, Err(Refusal::Malformed)),
            (json!({ "exp": null }), 950, Err(Refusal::Malformed)),
            (json!({ "exp": -1 }), 950, Err(Refusal::Malformed)),
            (json!({ "iss": "https://i.example" }), 950, Err(Refusal::Issuer)),
            (json!({ "iss": "HTTPS://i.example/" }), 950, Err(Refusal::Issuer)),
            (json!({ "iss": ["https://i.example/"] }), 950, Err(Refusal::Issuer)),
            (json!({ "iss": null }), 950, Err(Refusal::Issuer)),
            (json!({ "aud": ["x", "b"] }), 950, Ok(Some(1_000_000))),
            (json!({ "aud": [] }), 950, Err(Refusal::Audience)),
            (json!({ "aud": ["x"] }), 950, Err(Refusal::Audience)),
            (json!({ "aud": ["a", 1] }), 950, Err(Refusal::Audience)),
            (json!({ "aud": "A" }), 950, Err(Refusal::Audience)),
            (json!({ "aud": "a b" }), 950, Err(Refusal::Audience)),
            (json!({ "aud": { "a": true } }), 950, Err(Refusal::Audience)),
            (json!({ "aud": null }), 950, Err(Refusal::Audience)),
            (json!({ "tid": 7 }), 950, Ok(Some(1_000_000))),
            (json!({ "tid": "7" }), 950, Err(Refusal::Claims)),
            (json!({ "tid": ["t"] }), 950, Err(Refusal::Claims)),
            (json!({ "tid": null }), 950, Err(Refusal::Claims)),
            (json!({ "roles": "x scim" }), 950, Ok(Some(1_000_000))),
            (json!({ "roles": "xscim" }), 950, Err(Refusal::Claims)),
            (json!({ "roles": ["x scim"] }), 950, Err(Refusal::Claims)),
            (json!({ "roles": { "scim": 1 } }), 950, Err(Refusal::Claims)),
        ] {
            assert_eq!(judge(change.clone(), now), expected, "{change} at {now}");
        }
        assert_eq!(Claims::default().judge(&Map::new(), 5), Ok(None));
    }
}
