//! Queries by POST (`.search`, RFC 7644 section 3.4.3) and queries at the base, which span resource types.

use super::{Operation, Result, Scene, State, Step, json, not_found};
use crate::document::{Document, Kind as Json, NodeId};
use crate::error::ScimError;
use crate::filter::{Filter, Folded, Literal, Op};
use crate::http::Response;
use crate::http::path::{Query, push_parameter};
use crate::message::{SEARCH_REQUEST, list_page};
use crate::schema::{AttrId, ResourceType, Vocabulary};

/// A query at the base under way: one resource type after the other.
#[derive(Debug)]
pub(super) struct Span {
    /// The pair that is asked next.
    next: usize,
    /// Counted from 1, over all types.
    start: u64,
    /// How many resources are wanted; none said: as many as come.
    count: Option<u64>,
    /// Resources of the types before.
    total: u64,
    resources: Vec<String>,
    /// A provider's page was shorter than asked for: what follows would leave a gap.
    cut: bool,
}

impl Operation {
    /// A query whose parameters are the body.
    pub(super) fn search(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        let mut document = Document::new();
        let vocabulary = &scene.route.mapping.idp;
        let root = document.read(body, vocabulary, AttrId::UNKNOWN, Self::read_depth(scene))?;
        self.request.query = parameters(&document, root)?;
        match self.request.pair {
            Some(_) => self.list(scene),
            None => self.span(scene),
        }
    }

    /// A query at the base.
    pub(super) fn span(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        if self.request.query.get("sortBy").is_some() {
            let detail = "resources of several types cannot be sorted; ask one endpoint, such as /Users";
            return Err(ScimError::typed(400, "invalidValue", detail));
        }
        let start = self.number("startIndex", 1)?.unwrap_or(1);
        let count = self.number("count", 0)?;
        let span = Span { next: 0, start, count, total: 0, resources: Vec::new(), cut: false };
        self.next_type(scene, span)
    }

    /// Goes on with the answer of the type that was asked.
    pub(super) fn spanned(
        &mut self,
        scene: &mut Scene<'_>,
        mut span: Span,
        response: Response,
    ) -> Result<Step> {
        self.succeeded(scene, &response)?;
        let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
        let root = self.received(scene, response.status, response.body, of.list)?;
        let resources = self.resources(scene, root)?;
        let total = self.document.member_named(root, "totalResults");
        let total = match total.map(|node| self.document.number(node).and_then(|digits| digits.parse().ok()))
        {
            None => resources.len() as u64,
            Some(Some(total @ 0..=MOST)) => total,
            Some(_) => {
                return Err(ScimError::new(502, "the provider's list has a `totalResults` that cannot be"));
            }
        };
        let wanted = span.count.map_or(u64::MAX, |count| count.saturating_sub(span.resources.len() as u64));
        let there = (total + 1).saturating_sub(span.first()).min(wanted);
        span.cut |= (resources.len() as u64) < there;
        span.total = span.total.saturating_add(total);
        let room = usize::try_from(wanted).unwrap_or(usize::MAX);
        for resource in resources.into_iter().take(room) {
            let text = self.document.write(resource);
            span.resources.push(String::from_utf8_lossy(&text).into_owned());
        }
        self.next_type(scene, span)
    }

    fn next_type(&mut self, scene: &mut Scene<'_>, mut span: Span) -> Result<Step> {
        let mapping = &scene.route.mapping;
        while let Some(pair) = mapping.pairs.get(span.next) {
            self.request.pair = Some(span.next);
            span.next += 1;
            let (Some(of), Some(_)) = (mapping.idp_type(pair), pair.provider) else { continue };
            let mut query = String::new();
            if let Some(filter) = self.asked(scene, of)? {
                let known = filter.fold(&mut |leaf| Ok::<_, ScimError>(of_type(leaf, of, &mapping.idp)))?;
                let mapped = match known {
                    Folded::Filter(filter) => self.provider_filter(scene, pair, &filter)?,
                    constant => constant,
                };
                match mapped {
                    Folded::Constant(false) => continue,
                    Folded::Constant(true) => {}
                    Folded::Filter(filter) => push_parameter(&mut query, "filter", &filter.to_string()),
                }
            }
            push_parameter(&mut query, "startIndex", &span.first().to_string());
            let left = span.count.map(|count| count.saturating_sub(span.resources.len() as u64));
            if let Some(left) = left.map(|left| if span.cut { 0 } else { left }).or(span.cut.then_some(0)) {
                push_parameter(&mut query, "count", &left.to_string());
            }
            self.projected(pair, &mut query);
            let call = self.call(scene, "GET", query, Vec::new())?;
            self.state = State::ExpectType(span);
            return Ok(Step::Call(call));
        }
        Ok(Step::Done(json(200, list_page(span.total, span.start, &span.resources))))
    }

    /// A parameter that is a whole number, at least `least`.
    pub(super) fn number(&self, name: &str, least: u64) -> Result<Option<u64>> {
        let Some(text) = self.request.query.get(name) else { return Ok(None) };
        // RFC 7644 section 3.4.2.4: a startIndex below 1 means 1, a negative count means 0.
        let negative = text.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok());
        match text.parse::<u64>() {
            Ok(number) => Ok(Some(number.max(least))),
            Err(_) if negative => Ok(Some(least)),
            Err(_) => Err(ScimError::typed(400, "invalidValue", format!("`{name}` must be a whole number"))),
        }
    }
}

impl Span {
    /// The startIndex to ask the next type with.
    fn first(&self) -> u64 {
        self.start.saturating_sub(self.total).max(1)
    }
}

/// More resources than any provider has.
const MOST: u64 = 1 << 40;

/// What a leaf of a filter says of all resources of one type: `meta.resourceType` is known, and an attribute
/// that the type's schema lacks is simply unassigned.
fn of_type(leaf: &Filter, of: &ResourceType, vocabulary: &Vocabulary) -> Folded {
    let path = match leaf {
        Filter::Compare { path, .. } | Filter::Present(path) | Filter::ValuePath { path, .. } => path,
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return Folded::Filter(leaf.clone()),
    };
    let attr = vocabulary.resolve(of, path);
    if !attr.is_known() {
        return Folded::Constant(matches!(leaf, Filter::Compare { op: Op::Ne, .. }));
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
