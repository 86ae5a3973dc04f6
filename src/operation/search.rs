//! Queries by POST (`.search`, RFC 7644 section 3.4.3) and queries at the base, which span resource types.

use super::gather::Source;
use super::{Operation, Result, Scene, Step};
use crate::adapt::holds_unassigned;
use crate::document::{Document, Kind as Json, NodeId};
use crate::error::ScimError;
use crate::filter::{Filter, Folded, Literal, Op};
use crate::http::path::Query;
use crate::message::SEARCH_REQUEST;
use crate::schema::{AttrId, ResourceType, Vocabulary};

impl Operation {
    /// A query whose parameters are the body.
    pub(super) fn search(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        let mut document = Document::new();
        let vocabulary = &scene.route.mapping.idp;
        let root = document.read(body, vocabulary, AttrId::UNKNOWN, Self::read_depth(scene))?;
        self.request.query = parameters(&document, root)?;
        self.list(scene)
    }

    /// What a query at the base asks of the provider: one resource type after the other.
    pub(super) fn span(&mut self, scene: &mut Scene<'_>, sources: &mut Vec<Source>) -> Result<()> {
        for number in 0..scene.route.mapping.pairs.len() {
            self.request.pair = Some(number);
            self.sources(scene, number, sources, &mut None)?;
        }
        Ok(())
    }
}

/// What a leaf of a filter says of all resources of one type: `meta.resourceType` is known, and an attribute
/// that the type's schema lacks is simply unassigned.
pub(super) fn of_type(leaf: &Filter, of: &ResourceType, vocabulary: &Vocabulary) -> Folded {
    let path = match leaf {
        Filter::Compare { path, .. } | Filter::Present(path) | Filter::ValuePath { path, .. } => path,
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return Folded::Filter(leaf.clone()),
    };
    let attr = vocabulary.resolve(of, path);
    if !attr.is_known() {
        return Folded::Constant(holds_unassigned(leaf));
    }
    match leaf {
        Filter::Compare { op: op @ (Op::Eq | Op::Ne), value: Literal::String(name), .. }
            if attr == vocabulary.lookup(of.meta, b"resourceType") =>
        {
            Folded::Constant((**name == *of.name) == (*op == Op::Eq))
        }
        _ => Folded::Filter(leaf.clone()),
    }
}

/// The parameters of a SearchRequest.
fn parameters(document: &Document, root: NodeId) -> Result<Query> {
    let refused = |detail: &str| ScimError::typed(400, "invalidSyntax", detail);
    if document.kind(root) != Json::Object {
        return Err(refused("the body must be a JSON object"));
    }
    let schemas = document.member_named(root, "schemas");
    let listed = schemas.is_some_and(|schemas| {
        document
            .elements(schemas)
            .any(|uri| document.string(uri).is_some_and(|uri| uri.eq_ignore_ascii_case(SEARCH_REQUEST)))
    });
    if !listed {
        return Err(refused(&format!("`schemas` must list `{SEARCH_REQUEST}`")));
    }
    let mut pairs = Vec::new();
    for member in document.children(root) {
        let name = document.key(member);
        let text = match (&*name, document.kind(member)) {
            ("schemas", _) => continue,
            ("attributes" | "excludedAttributes", Json::Array) => {
                let names: Option<Vec<_>> =
                    document.children(member).map(|each| document.string(each)).collect();
                names.ok_or_else(|| refused(&format!("`{name}` must be an array of strings")))?.join(",")
            }
            ("startIndex" | "count", Json::Number) => document.number(member).unwrap_or_default().to_owned(),
            ("filter" | "sortBy" | "sortOrder" | "cursor", Json::String) => {
                document.string(member).unwrap_or_default().into_owned()
            }
            _ => {
                return Err(refused(
                    "the search request has a member that it cannot have, or one of the wrong type",
                ));
            }
        };
        pairs.push((name.into_owned(), text));
    }
    Ok(Query::from_pairs(pairs))
}
