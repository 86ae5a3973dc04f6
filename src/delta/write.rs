//! Writing changes as a PatchOp message, one operation a change.

use super::{Change, Place};
use crate::document::Document;
use crate::message::PATCH_OP;
use crate::path::Path;
use crate::schema::Vocabulary;

/// The text of a PATCH request with these changes, paths in the vocabulary's spelling.
pub fn write(changes: &[Change], document: &Document, vocabulary: &Vocabulary) -> Vec<u8> {
    let mut out = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":"#).into_bytes();
    out.extend_from_slice(&operations(changes, document, vocabulary));
    out.push(b'}');
    out
}

/// The text of the operations alone.
pub fn operations(changes: &[Change], document: &Document, vocabulary: &Vocabulary) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, change) in changes.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_change(change, document, vocabulary, &mut out);
    }
    out.push(b']');
    out
}

/// Adds the text of one operation.
pub fn write_change(change: &Change, document: &Document, vocabulary: &Vocabulary, out: &mut Vec<u8>) {
    let path = match &change.place {
        Place::Attribute(attr) => vocabulary.path(*attr).to_owned(),
        Place::Elements { attr, filter, sub } => {
            let mut path = format!("{}[{filter}]", vocabulary.path(*attr));
            if sub.is_known() {
                path.push('.');
                path.push_str(vocabulary.name(*sub));
            }
            path
        }
        Place::Unknown(path @ (Path::Schema(_) | Path::Attribute { .. })) => path.to_string(),
    };
    let path = serde_json::Value::from(path);
    out.extend_from_slice(format!(r#"{{"op":"{}","path":{path}"#, change.op.as_str()).as_bytes());
    if let Some(value) = change.value {
        out.extend_from_slice(br#","value":"#);
        document.write_to(value, out);
    }
    out.push(b'}');
}
