//! From the plugin's configuration to a compiled gateway, or to log lines that say what is wrong with it.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::{Struct, Value, value::Kind};
use scimlock::config::secret_names;
use scimlock::{Gateway, HostFacts};
use serde_json::{Map, Number, Value as Json};

/// Compiles the document for an Envoy that verifies signatures of these algorithms; `variable` looks up environment
/// variables. `Err` holds the lines for the log.
pub(crate) fn configure(
    bytes: &[u8],
    verifies: &'static [&'static str],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Gateway, Vec<String>> {
    let document = document(bytes).map_err(|problem| vec![problem.to_owned()])?;
    let (files, names): (Vec<_>, Vec<_>) =
        secret_names(&document).into_iter().partition(|name| name.starts_with("file:"));
    if !files.is_empty() {
        let problem = |name| {
            format!(
                "error: the secret `${{{name}}}` is a file, which a filter cannot read: hand the value over in \
                 `vm_config.environment_variables` and refer to it as `${{NAME}}`"
            )
        };
        return Err(files.into_iter().map(problem).collect());
    }
    let secrets: BTreeMap<String, String> =
        names.into_iter().filter_map(|name| variable(&name).map(|value| (name, value))).collect();
    // Shared data is one store for all workers, with compare-and-set.
    let facts = HostFacts { atomic_store: true, verifies, passwords: &[], clusters: true, streaming: false };
    Gateway::compile(&document, &secrets, facts)
        .map_err(|errors| errors.to_string().lines().map(str::to_owned).collect())
}

/// The document's JSON text. Envoy hands a `StringValue` over as it stands and a `Struct` as protobuf.
fn document(bytes: &[u8]) -> Result<String, &'static str> {
    if bytes.is_empty() {
        return Err("error: the plugin has no `configuration`: put the scimlock document there");
    }
    // A broken text goes on as it is: compiling it says where it is broken.
    match (std::str::from_utf8(bytes), Struct::decode(bytes)) {
        (Ok(text), _) if serde_json::from_str::<Json>(text).is_ok() => Ok(text.to_owned()),
        (_, Ok(document)) => Ok(object(document).to_string()),
        (Ok(text), Err(_)) => Ok(text.to_owned()),
        (Err(_), Err(_)) => Err("error: the plugin's `configuration` is neither JSON text nor a `Struct`"),
    }
}

fn object(document: Struct) -> Json {
    Json::Object(document.fields.into_iter().map(|(key, value)| (key, json(value))).collect::<Map<_, _>>())
}

fn json(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(flag)) => Json::Bool(flag),
        Some(Kind::NumberValue(number)) => Json::Number(whole(number)),
        Some(Kind::StringValue(text)) => Json::String(text),
        Some(Kind::ListValue(list)) => Json::Array(list.values.into_iter().map(json).collect()),
        Some(Kind::StructValue(members)) => object(members),
    }
}

/// Protobuf knows no whole numbers; a document does.
fn whole(number: f64) -> Number {
    let text = format!("{number}");
    text.parse::<i64>().map_or_else(|_| Number::from_f64(number).unwrap_or_else(|| 0.into()), Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_and_a_text_are_the_same_document() {
        let list = Kind::ListValue(prost_types::ListValue {
            values: vec![value(Kind::StringValue("a\"b".into())), value(Kind::NullValue(0))],
        });
        let fields = [
            ("version", Kind::NumberValue(1.0)),
            ("ratio", Kind::NumberValue(0.5)),
            ("open", Kind::BoolValue(true)),
            ("list", list),
            ("inner", Kind::StructValue(Struct { fields: [("x".to_owned(), Value::default())].into() })),
        ];
        let fields = fields.into_iter().map(|(key, kind)| (key.to_owned(), value(kind))).collect();
        let text = r#"{"inner":{"x":null},"list":["a\"b",null],"open":true,"ratio":0.5,"version":1}"#;
        assert_eq!(document(&Struct { fields }.encode_to_vec()).as_deref(), Ok(text));
        assert_eq!(document(text.as_bytes()).as_deref(), Ok(text));
    }

    #[test]
    fn a_broken_text_is_left_to_the_compiler_to_explain() {
        for text in ["{", "\n{\"version\": 1,}", "version: 1"] {
            assert_eq!(document(text.as_bytes()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_cannot_be_a_document_is_refused() {
        for (bytes, problem) in [
            (&b""[..], "error: the plugin has no `configuration`: put the scimlock document there"),
            (b"\xff{", "error: the plugin's `configuration` is neither JSON text nor a `Struct`"),
        ] {
            assert_eq!(document(bytes), Err(problem));
        }
    }

    #[test]
    fn a_file_is_no_secret_for_a_filter() {
        let problems = configure(br#"{"a": "${file:/run/token}"}"#, &[], |_| Some("x".to_owned()));
        let problems = problems.err().unwrap_or_default();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("error: the secret `${file:/run/token}` is a file, which a filter"));
    }

    fn value(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }
}
