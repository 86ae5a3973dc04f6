//! Texts with paths in braces: `{name.givenName} {name.familyName}`; `{{` and `}}` stand for single braces.

use super::paths::Wrong;
use super::spot::Spot;
use crate::document::{Document, NodeId};
use crate::schema::Vocabulary;

/// A text with holes.
#[derive(Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Value(Spot),
}

impl Template {
    /// Reads a template; `spot` compiles a path of the IdP's side.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub(super) fn parse(
        text: &str,
        mut spot: impl FnMut(&str) -> Result<Spot, Wrong>,
    ) -> Result<Self, Wrong> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.extend(from.chars().next());
                rest = after;
                continue;
            }
            let Some((path, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                let remedy = "write paths in braces, as in \"{name.givenName} {name.familyName}\"";
                return Err(("a brace has no counterpart".into(), remedy.into()));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            let of_path = |(message, remedy)| (format!("`{{{path}}}`: {message}"), remedy);
            pieces.push(Piece::Value(spot(path).map_err(of_path)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The paths in it.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Spot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(spot) => Some(spot),
            Piece::Text(_) => None,
        })
    }

    /// The text, where there is no path in it.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text for a resource; nothing when a path in it has no value.
    pub(super) fn render(
        &self,
        document: &Document,
        root: NodeId,
        vocabulary: &Vocabulary,
    ) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(spot) => {
                    let node = spot.read(document, root, vocabulary).ok().flatten()?;
                    match document.number(node) {
                        Some(digits) => out.push_str(digits),
                        None => out.push_str(&document.string(node)?),
                    }
                }
            }
        }
        Some(out)
    }
}
