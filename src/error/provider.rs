//! What a provider means by a refusal, whatever form it has: a SCIM error, one with a number for a status, a list
//! of codes, plain text, a page. Its words are not passed on, because they may hold values; what is taken from
//! them is an error type of RFC 7644 and names of attributes that its schema has.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ScimError;
use crate::schema::{AttrId, ResourceType, Uniqueness, Vocabulary};

/// A provider's refusal of a request, understood.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Refusal {
    scim_type: Option<&'static str>,
    /// Paths of attributes that it names, in the schema's spelling.
    names: BTreeSet<String>,
}

/// The largest body that is looked into.
const MOST: usize = 64 * 1024;

impl Refusal {
    /// Reads the body of an answer with this status.
    pub(crate) fn read(status: u16, body: &[u8], vocabulary: &Vocabulary, of: &ResourceType) -> Self {
        let mut said = Said::default();
        let body = body.get(..body.len().min(MOST)).unwrap_or_default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => said.gather("", &value),
            Err(_) => said.texts.extend(plain(&String::from_utf8_lossy(body))),
        }
        let known = |word: &String| TYPES.iter().find(|known| known.eq_ignore_ascii_case(word)).copied();
        let by_code = said.codes.iter().find_map(known).or_else(|| meaning(&said.codes, CODES));
        let by_status = match status {
            409 => Some("uniqueness"),
            422 => Some("invalidValue"),
            _ => None,
        };
        let scim_type = by_code.or_else(|| meaning(&said.texts, WORDS)).or(by_status);
        let named = said.names.iter().map(String::as_str);
        let quoted = said.texts.iter().flat_map(|text| quoted(text));
        let paths = Paths { vocabulary, of };
        let names = named.chain(quoted).filter_map(|word| paths.find(word)).take(8).collect();
        Self { scim_type, names }
    }

    /// The answer to the IdP.
    pub(crate) fn error(self, status: u16, vocabulary: &Vocabulary, of: &ResourceType) -> ScimError {
        let scim_type = self.scim_type;
        // RFC 7644 section 3.3: a duplicate is 409, whatever a provider makes of it; IdPs act upon it.
        let shown = match (status, scim_type) {
            (400 | 422, Some("uniqueness")) => 409,
            (422, _) => 400,
            (status, _) => status,
        };
        let kind = scim_type.map(|each| format!(" {each}")).unwrap_or_default();
        let mut detail = format!("the provider refused the request ({status}{kind})");
        let names = match (self.names.is_empty(), scim_type) {
            (true, Some("uniqueness")) => unique(vocabulary, of),
            _ => self.names.into_iter().collect(),
        };
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let about = match (scim_type, status) {
            (Some("uniqueness"), _) => "another resource there has the same value of what must be unique",
            (Some("mutability"), _) => "what cannot be changed there has to stay as it is",
            (Some("tooMany"), _) => "it finds too much; ask for less",
            (_, 412) => "the resource has another version than `If-Match` names; read it again",
            (_, 413) => "it is too large for it; send less at a time",
            _ if names.is_empty() => "",
            _ => "it speaks of",
        };
        match (about, names.is_empty()) {
            ("", _) => {}
            ("it speaks of", _) => detail.push_str(&format!("; it speaks of {names}")),
            (about, true) => detail.push_str(&format!(": {about}")),
            (about, false) => detail.push_str(&format!(": {about} ({names})")),
        }
        ScimError { scim_type, ..ScimError::new(shown, detail) }
    }
}

/// The error types of RFC 7644 section 3.12 and RFC 9865 section 2.1.
const TYPES: &[&str] = &[
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
];

/// What parts of codes mean, small letters and digits alone.
const CODES: &[(&str, &str)] = &[
    ("duplicate", "uniqueness"),
    ("alreadyexist", "uniqueness"),
    ("notunique", "uniqueness"),
    ("readonly", "mutability"),
    ("immutable", "mutability"),
    ("notupdat", "mutability"),
    ("invalidfilter", "invalidFilter"),
    ("malformed", "invalidSyntax"),
    ("parseerror", "invalidSyntax"),
    ("jsonparse", "invalidSyntax"),
    ("required", "invalidValue"),
    ("missing", "invalidValue"),
    ("invalid", "invalidValue"),
    ("toolong", "invalidValue"),
];

/// What parts of sentences mean: only what cannot mean anything else.
const WORDS: &[(&str, &str)] = &[
    ("alreadyexist", "uniqueness"),
    ("duplicate", "uniqueness"),
    ("alreadytaken", "uniqueness"),
    ("alreadyinuse", "uniqueness"),
    ("mustbeunique", "uniqueness"),
    ("notunique", "uniqueness"),
];

fn meaning(texts: &[String], table: &[(&str, &'static str)]) -> Option<&'static str> {
    let plain = |text: &String| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let plain: Vec<String> = texts.iter().map(plain).collect();
    let found = table.iter().find(|(part, _)| plain.iter().any(|text| text.contains(part)));
    found.map(|(_, kind)| *kind)
}

/// What a body says, by what the members are called.
#[derive(Default)]
struct Said {
    codes: Vec<String>,
    texts: Vec<String>,
    names: Vec<String>,
}

impl Said {
    fn gather(&mut self, name: &str, value: &Value) {
        let name = name.to_ascii_lowercase();
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| self.gather(name, value)),
            Value::Array(elements) => elements.iter().for_each(|value| self.gather(&name, value)),
            Value::String(text) => match name.as_str() {
                "scimtype" => self.codes.insert(0, text.clone()),
                "schemas" | "schema" => {}
                _ if ["code", "error", "type", "reason"].iter().any(|each| name.ends_with(each)) => {
                    // Some put a whole sentence there.
                    if text.contains(' ') { &mut self.texts } else { &mut self.codes }.push(text.clone());
                }
                _ if [
                    "field",
                    "fields",
                    "attribute",
                    "attributes",
                    "path",
                    "property",
                    "target",
                    "location",
                ]
                .contains(&name.as_str()) =>
                {
                    self.names.push(text.clone());
                }
                _ => self.texts.extend(plain(text)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Text that is for reading; a page of markup is not.
fn plain(text: &str) -> Option<String> {
    (!text.trim_start().starts_with('<')).then(|| text.to_owned())
}

/// The words of a text that stand in quotes, and those that are written like a name: `userName`, `name.givenName`.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let quotes: Vec<&str> = text.split(['"', '\'', '`', '[', ']', '‘', '’', '“', '”']).collect();
    let words = text.split(|c: char| c.is_whitespace() || "\"'`,;()[]".contains(c));
    let like_a_name = |word: &&str| {
        let inner = word.get(1..).unwrap_or_default();
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && (inner.contains(|c: char| c.is_ascii_uppercase()) || inner.contains('.'))
    };
    quotes
        .into_iter()
        .enumerate()
        .filter(|(index, _)| index % 2 == 1)
        .map(|(_, word)| word)
        .chain(words.map(|word| word.trim_matches(['.', ':', '/'])).filter(like_a_name))
        .filter(|word| word.len() <= 128)
}

struct Paths<'a> {
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
}

impl Paths<'_> {
    /// The path of the attribute that a word names; nothing where it names none.
    fn find(&self, word: &str) -> Option<String> {
        let word = word.trim().trim_start_matches('/').replace('/', ".");
        let known = |uri: &str| self.vocabulary.knows_schema(uri);
        let path = crate::path::AttrPath::parse(&word, &known).ok()?;
        let attr = self.vocabulary.resolve(self.of, &path);
        attr.is_known().then(|| self.vocabulary.path(attr).to_owned())
    }
}

/// The paths of attributes whose values no two resources share; `id` is the provider's own business.
fn unique(vocabulary: &Vocabulary, of: &ResourceType) -> Vec<String> {
    let is = |attr: &AttrId| vocabulary.attribute(*attr).uniqueness != Uniqueness::None && *attr != of.id;
    vocabulary.children(of.root).filter(is).map(|attr| vocabulary.path(attr).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tests::vocabulary;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // P-41, P-06: the shapes that providers of the field answer with, and what is made of them
    #[test]
    fn bodies_of_any_shape() {
        let unique = "another resource there has the same value of what must be unique";
        for (status, body, shown, scim_type, detail) in [
            // RFC 7644
            (
                409,
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"x"}"#,
                409,
                "uniqueness",
                format!("(409 uniqueness): {unique} (`userName`)"),
            ),
            (
                400,
                r#"{"scimType":"INVALIDVALUE","detail":"Attribute 'name.familyName' is bad: mira@x.example"}"#,
                400,
                "invalidValue",
                "(400 invalidValue); it speaks of `name.familyName`".to_owned(),
            ),
            (400, r#"{"scimType":"invalidCursor"}"#, 400, "invalidCursor", "(400 invalidCursor)".to_owned()),
            // `schema` for `schemas`, a status that is a number
            (
                400,
                r#"{"schema":"urn:ietf:params:scim:api:messages:2.0:Error","schemas":[],"detail":"displayName: required","status":400}"#,
                400,
                "",
                "(400); it speaks of `displayName`".to_owned(),
            ),
            (
                409,
                r#"{"message":"Conflict","status":409}"#,
                409,
                "uniqueness",
                format!("(409 uniqueness): {unique} (`userName`)"),
            ),
            // a list of codes
            (
                400,
                r#"[{"message":"duplicate value found: Username duplicates value on record 005","errorCode":"DUPLICATE_VALUE","fields":["userName"]}]"#,
                409,
                "uniqueness",
                format!("(400 uniqueness): {unique} (`userName`)"),
            ),
            (
                400,
                r#"{"Errors":[{"description":"Required fields are missing: [emails]","code":400,"errorCode":"REQUIRED_FIELD_MISSING"}]}"#,
                400,
                "invalidValue",
                "(400 invalidValue); it speaks of `emails`".to_owned(),
            ),
            (
                400,
                r#"{"error":{"code":"PropertyNotUpdatable","target":"/name/givenName"}}"#,
                400,
                "mutability",
                "(400 mutability): what cannot be changed there has to stay as it is (`name.givenName`)"
                    .to_owned(),
            ),
            // text, a page, nothing
            (
                400,
                "User mira@x.example already exists",
                409,
                "uniqueness",
                format!("(400 uniqueness): {unique} (`userName`)"),
            ),
            (400, "Processing error", 400, "", "(400)".to_owned()),
            (400, "<html><body>duplicate</body></html>", 400, "", "(400)".to_owned()),
            (400, "", 400, "", "(400)".to_owned()),
            (422, r#"{"errors":["x"]}"#, 400, "invalidValue", "(422 invalidValue)".to_owned()),
            (
                412,
                "",
                412,
                "",
                "(412): the resource has another version than `If-Match` names; read it again".to_owned(),
            ),
            (413, "", 413, "", "(413): it is too large for it; send less at a time".to_owned()),
        ] {
            let vocabulary = vocabulary();
            let of = &vocabulary.types()[0];
            let error =
                Refusal::read(status, body.as_bytes(), &vocabulary, of).error(status, &vocabulary, of);
            let said = format!("the provider refused the request {detail}");
            assert_eq!(
                (error.status, error.scim_type.unwrap_or_default(), &error.detail),
                (shown, scim_type, &said),
                "{body}"
            );
            assert!(!error.detail.contains("mira"), "{}", error.detail);
        }
    }
}
