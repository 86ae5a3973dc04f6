//! The form of a golden case's file: types, bodies and headers in its notations, and how it is written.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scimlock::Headers;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::Outcome;

pub(crate) const SCIM_JSON: &str = "application/scim+json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) note: String,
    pub(crate) config: String,
    /// A JSON merge patch of the configuration.
    #[serde(default)]
    pub(crate) with: Value,
    #[serde(default)]
    pub(crate) now: Option<String>,
    #[serde(default)]
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) steps: Vec<Step>,
}

/// One of the three, and a time from which it holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    #[serde(default)]
    pub(crate) now: Option<String>,
    #[serde(default)]
    pub(crate) idp: Option<Idp>,
    #[serde(default)]
    pub(crate) provider: Option<Provider>,
    /// Whoever issues tokens.
    #[serde(default)]
    pub(crate) issuer: Option<Provider>,
}

impl Step {
    /// What somebody gets from the gateway, and does; and whether that is the issuer.
    pub(crate) fn asked(&self) -> Option<(&Provider, bool)> {
        let issuer = self.issuer.as_ref().map(|issuer| (issuer, true));
        self.provider.as_ref().map(|provider| (provider, false)).or(issuer)
    }
}

/// What the IdP sends, or gets back.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Idp {
    Expect(IdpExpect),
    Send(Message),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdpExpect {
    pub(crate) expect: Message,
}

/// What the provider gets, and does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    pub(crate) expect: Message,
    #[serde(default)]
    pub(crate) reply: Option<Message>,
    #[serde(default)]
    pub(crate) fault: Option<String>,
}

/// A request (method, path) or a response (status), sent or expected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    #[serde(default)]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    headers: Value,
    #[serde(default)]
    pub(crate) chunks: Option<usize>,
    #[serde(default, deserialize_with = "present")]
    body: Option<Value>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
}

// `body: null` is the JSON text null, not the absence of a body.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Message {
    pub(crate) fn bytes(&self) -> Outcome<Option<Vec<u8>>> {
        match (&self.body, &self.text, &self.base64) {
            (Some(body), None, None) => Ok(Some(body.to_string().into_bytes())),
            (None, Some(text), None) => Ok(Some(text.clone().into_bytes())),
            (None, None, Some(base64)) => Ok(Some(STANDARD.decode(base64)?)),
            (None, None, None) => Ok(None),
            _ => Err("one of `body`, `text` and `base64`".into()),
        }
    }

    /// `application/scim+json` where there is a `body`: what the content type is if nothing is said.
    pub(crate) fn default_type(&self) -> Option<&'static str> {
        self.body.as_ref().map(|_| SCIM_JSON)
    }

    /// The header fields as named: an object or a list of pairs; null stands for absent.
    pub(crate) fn fields(&self) -> Outcome<Vec<(String, Option<String>)>> {
        match &self.headers {
            Value::Null => Ok(Vec::new()),
            Value::Object(members) => {
                members.iter().map(|(name, value)| field(&name.as_str().into(), value)).collect()
            }
            Value::Array(pairs) => pairs.iter().map(|pair| field(&pair[0], &pair[1])).collect(),
            _ => Err("`headers` is an object or a list of pairs".into()),
        }
    }

    /// The header fields as sent.
    pub(crate) fn headers(&self) -> Outcome<Headers> {
        let mut headers = Headers::new();
        for (name, value) in self.fields()? {
            headers.push(&name, latin1(&value.unwrap_or_default()));
        }
        if let (Some(default), None) = (self.default_type(), headers.get("content-type")) {
            headers.push("content-type", default);
        }
        Ok(headers)
    }
}

fn field(name: &Value, value: &Value) -> Outcome<(String, Option<String>)> {
    let name = name.as_str().ok_or("a header's name is text")?.to_ascii_lowercase();
    if !value.is_string() && !value.is_null() {
        return Err(format!("header `{name}` is not text").into());
    }
    Ok((name, value.as_str().map(str::to_owned)))
}

// Cases name paths and header values as byte strings: one character a byte.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Adds a body in the notation that reads back as the same bytes.
pub(crate) fn put_body(described: &mut Value, body: &[u8]) {
    if body.is_empty() {
        return;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.to_string().as_bytes() == body => described["body"] = value,
        _ => match str::from_utf8(body) {
            Ok(text) => described["text"] = text.into(),
            Err(_) => described["base64"] = STANDARD.encode(body).into(),
        },
    }
}

/// JSON as the case files are written: on one line where it fits, else a member or element a line.
pub(crate) fn pretty(value: &Value, indent: usize) -> String {
    let line = one_line(value);
    if line.len() + indent <= 140 {
        return line;
    }
    let pad = " ".repeat(indent + 2);
    let end = " ".repeat(indent);
    match value {
        Value::Object(members) => {
            let lines: Vec<_> = members
                .iter()
                .map(|(name, member)| format!("{pad}{}: {}", json!(name), pretty(member, indent + 2)))
                .collect();
            format!("{{\n{}\n{end}}}", lines.join(",\n"))
        }
        Value::Array(elements) => {
            let lines: Vec<_> =
                elements.iter().map(|element| format!("{pad}{}", pretty(element, indent + 2))).collect();
            format!("[\n{}\n{end}]", lines.join(",\n"))
        }
        _ => line,
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", json!(name), one_line(member)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}
