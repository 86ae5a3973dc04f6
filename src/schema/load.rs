//! Schema documents (RFC 7643 section 7, as JSON) into a vocabulary.

use serde_json::Value;

use super::vocabulary::{ResourceType, Vocabulary};
use super::{AttrId, Attribute, Mutability, Returned, Type, Uniqueness};
use crate::path::is_name;

/// A schema document that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SchemaError {
    /// The attribute or schema at fault.
    pub at: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a resource type is made of.
#[derive(Clone, Debug)]
pub struct TypeSource {
    /// `User`, `Group` …
    pub name: String,
    /// The path segment.
    pub endpoint: String,
    /// The core schema's document.
    pub schema: Value,
    /// The extensions' documents, each with whether it is required.
    pub extensions: Vec<(Value, bool)>,
}

const COMMON: &str = include_str!("../schemas/common.json");

impl Vocabulary {
    /// Builds a vocabulary of these resource types.
    ///
    /// # Errors
    /// A document that is not a schema.
    pub fn build(types: &[TypeSource]) -> Result<Self, SchemaError> {
        let common: Value = serde_json::from_str(COMMON)
            .map_err(|error| SchemaError { at: "common".into(), message: error.to_string() })?;
        let mut vocabulary = Self::empty();
        for TypeSource { name, endpoint, schema: core, extensions } in types {
            let root = vocabulary.add_root(&format!("type {name}"));
            vocabulary.add_attributes(root, &common)?;
            vocabulary.add_attributes(root, core)?;
            let mut roots = Vec::new();
            for (document, required) in extensions {
                let extension = Attribute {
                    name: text(document, "id")?.into(),
                    kind: Type::Complex,
                    required: *required,
                    extension: true,
                    ..Attribute::default()
                };
                let extension = vocabulary.add(root, extension);
                vocabulary.add_attributes(extension, document)?;
                roots.push((extension, *required));
            }
            let list = vocabulary.add_list(root);
            let meta = vocabulary.lookup(root, b"meta");
            vocabulary.add_type(ResourceType {
                name: name.as_str().into(),
                endpoint: endpoint.as_str().into(),
                schema: text(core, "id")?.into(),
                root,
                list,
                extensions: roots,
                schemas: vocabulary.lookup(root, b"schemas"),
                id: vocabulary.lookup(root, b"id"),
                meta,
                location: vocabulary.lookup(meta, b"location"),
            });
        }
        Ok(vocabulary)
    }

    fn add_attributes(&mut self, parent: AttrId, holder: &Value) -> Result<(), SchemaError> {
        let key = if holder.get("subAttributes").is_some() { "subAttributes" } else { "attributes" };
        for each in holder.get(key).and_then(Value::as_array).into_iter().flatten() {
            let attribute = attribute(each)?;
            let complex = attribute.kind == Type::Complex;
            if complex && key == "subAttributes" {
                // RFC 7643 section 2.3.8: "A complex attribute MUST NOT contain sub-attributes that have
                // sub-attributes".
                return Err(fault(&attribute.name, "is complex inside of a complex attribute"));
            }
            let id = self.add(parent, attribute);
            if !id.is_known() {
                return Err(fault(text(each, "name")?, "is one attribute too many"));
            }
            if complex {
                self.add_attributes(id, each)?;
            }
        }
        Ok(())
    }
}

fn attribute(value: &Value) -> Result<Attribute, SchemaError> {
    let name = text(value, "name")?;
    if !is_name(name) {
        return Err(fault(name, "is not a name: a letter, then letters, digits, `$`, `-` and `_`"));
    }
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let kind = match word("type").unwrap_or("string") {
        "string" => Type::String,
        "boolean" => Type::Boolean,
        "decimal" => Type::Decimal,
        "integer" => Type::Integer,
        "dateTime" => Type::DateTime,
        "binary" => Type::Binary,
        "reference" => Type::Reference,
        "complex" => Type::Complex,
        other => return Err(fault(name, &format!("`{other}` is not a data type"))),
    };
    let mutability = match word("mutability").unwrap_or("readWrite") {
        "readOnly" => Mutability::ReadOnly,
        "readWrite" => Mutability::ReadWrite,
        "immutable" => Mutability::Immutable,
        "writeOnly" => Mutability::WriteOnly,
        other => return Err(fault(name, &format!("`{other}` is not a mutability"))),
    };
    let returned = match word("returned").unwrap_or("default") {
        "always" => Returned::Always,
        "never" => Returned::Never,
        "default" => Returned::Default,
        "request" => Returned::Request,
        other => return Err(fault(name, &format!("`{other}` is not a way to be returned"))),
    };
    let uniqueness = match word("uniqueness").unwrap_or("none") {
        "none" => Uniqueness::None,
        "server" => Uniqueness::Server,
        "global" => Uniqueness::Global,
        other => return Err(fault(name, &format!("`{other}` is not a uniqueness"))),
    };
    let words = |key: &str| -> Box<[Box<str>]> {
        let words = value.get(key).and_then(Value::as_array).into_iter().flatten();
        words.filter_map(Value::as_str).map(Into::into).collect()
    };
    Ok(Attribute {
        name: name.into(),
        kind,
        multi_valued: flag("multiValued"),
        required: flag("required"),
        // RFC 7643 sections 2.3.6 and 2.3.7: binary and reference values are case exact.
        case_exact: flag("caseExact") || matches!(kind, Type::Binary | Type::Reference),
        mutability,
        returned,
        uniqueness,
        reference_types: words("referenceTypes"),
        canonical_values: words("canonicalValues"),
        closed: flag("closed"),
        ..Attribute::default()
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, SchemaError> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| fault(key, "is missing or not text"))
}

fn fault(at: &str, message: &str) -> SchemaError {
    SchemaError { at: at.into(), message: message.into() }
}
