//! Checks schema documents of a profile (RFC 7643 section 7): keys, words and names.

use crate::config::{self, Item};
use crate::path::is_name;

/// Reports what is wrong with a profile's schemas; false when they cannot be used.
pub(super) fn check(schemas: &[Item<'_>]) -> bool {
    let mut ids: Vec<&str> = Vec::new();
    let mut good = true;
    for item in schemas {
        good &= schema(item, &mut ids).is_some();
    }
    good
}

fn schema<'a>(item: &Item<'a>, ids: &mut Vec<&'a str>) -> Option<()> {
    let mut fields = item.fields()?;
    let id = fields.need("id");
    for key in ["name", "description"] {
        let _ = fields.opt_text(key);
    }
    // Documents come as providers serve them.
    let (_, _) = (fields.opt("schemas"), fields.opt("meta"));
    let attributes = fields.need("attributes");
    fields.finish();
    let (id, attributes) = (id?, attributes?);
    let uri = id.text()?;
    if !uri.contains(':') || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        id.error(config::SCHEMA, format!("{} is not a URI", id.shown()), "write it as `urn:example:User`");
        return None;
    }
    if ids.iter().any(|other| other.eq_ignore_ascii_case(uri)) {
        id.error(config::SCHEMA, "there are two schemas of this URI", "keep one of the two");
        return None;
    }
    ids.push(uri);
    attribute_list(&attributes, Level::Top)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Level {
    Top,
    Sub,
}

fn attribute_list(item: &Item<'_>, level: Level) -> Option<()> {
    let items = item.list()?;
    if items.is_empty() {
        item.error(config::SCHEMA, "there is no attribute", "add one");
    }
    let mut names: Vec<&str> = Vec::new();
    let mut good = !items.is_empty();
    for item in &items {
        match attribute(item, level) {
            Some(name) if names.iter().any(|other| other.eq_ignore_ascii_case(name)) => {
                let message = format!("there are two attributes `{name}`");
                item.error(config::SCHEMA, message, "keep one of the two: case does not matter");
                good = false;
            }
            Some(name) => names.push(name),
            None => good = false,
        }
    }
    good.then_some(())
}

fn attribute<'a>(item: &Item<'a>, level: Level) -> Option<&'a str> {
    let mut fields = item.fields()?;
    let name = fields.need("name");
    let _ = fields.opt_text("description");
    let kind = fields.opt("type");
    for (key, words) in WORDS {
        if let Some(item) = fields.opt(key) {
            let words: Vec<_> = words.iter().map(|word| (*word, ())).collect();
            item.choice(&words)?;
        }
    }
    for key in ["multiValued", "required", "caseExact"] {
        if let Some(item) = fields.opt(key) {
            item.boolean()?;
        }
    }
    let closed = fields.opt("closed");
    let words = fields.opt("canonicalValues");
    let references = fields.opt("referenceTypes");
    let parts = fields.opt("subAttributes");
    fields.finish();

    let name_item = name?;
    let name = name_item.text()?;
    if !is_name(name) {
        let remedy = "write a letter, then letters, digits, `$`, `-` and `_`";
        name_item.error(
            config::SCHEMA,
            format!("{} cannot be an attribute's name", name_item.shown()),
            remedy,
        );
        return None;
    }
    if level == Level::Top && COMMON.iter().any(|common| common.eq_ignore_ascii_case(name)) {
        let message = format!("`{name}` is an attribute of every resource");
        name_item.error(config::SCHEMA, message, "remove it: it is known already");
        return None;
    }
    let complex = match kind {
        Some(item) => {
            let words = TYPES.map(|word| (word, word));
            item.choice(&words)? == "complex"
        }
        None => false,
    };
    if level == Level::Sub && complex {
        // RFC 7643 section 2.3.8: "A complex attribute MUST NOT contain sub-attributes that have sub-attributes".
        item.error(
            config::SCHEMA,
            "a complex attribute within a complex one",
            "give it a simple type, or move it up",
        );
        return None;
    }
    for item in words.iter().chain(&references).filter_map(Item::list).flatten() {
        item.text()?;
    }
    let has_words = words.as_ref().and_then(Item::list).is_some_and(|words| !words.is_empty());
    if let Some(closed) = closed
        && closed.boolean()?
        && !has_words
    {
        closed.error(config::SCHEMA, "no value would be taken", "add `canonicalValues`, or remove `closed`");
        return None;
    }
    if let Some(parts) = parts {
        if !complex {
            let message = format!("`{name}` is not complex, and has sub-attributes");
            parts.error(config::SCHEMA, message, "write `\"type\": \"complex\"`, or remove them");
            return None;
        }
        attribute_list(&parts, Level::Sub)?;
    }
    Some(name)
}

/// What `src/schemas/common.json` says of every resource.
const COMMON: [&str; 4] = ["schemas", "id", "externalId", "meta"];

const TYPES: [&str; 8] =
    ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];

const WORDS: [(&str, &[&str]); 3] = [
    ("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"]),
    ("returned", &["always", "never", "default", "request"]),
    ("uniqueness", &["none", "server", "global"]),
];
