//! Queries: filters and parameters of the IdP as the provider's, and what is answered without asking.

use std::collections::BTreeSet;

use super::{Kind, Operation, Result, Scene, State, Step, json};
use crate::adapt::Plan;
use crate::error::ScimError;
use crate::filter::{Filter, Folded, Literal};
use crate::gateway::Route;
use crate::http::path::push_parameter;
use crate::http::url;
use crate::mapping::Pair;
use crate::message::list_response;
use crate::path::AttrPath;
use crate::repair::{Repair, Repaired};
use crate::schema::{AttrId, Checker, Context, Projection, ResourceType, Type};

impl Operation {
    pub(super) fn list(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(super::not_found());
        };
        let filter = self.asked(scene, of)?;
        self.projection(scene)?;
        if pair.provider.is_none() {
            // An IdP's probe must find an empty list, or it gives up on the whole connection.
            return Ok(Step::Done(json(200, list_response(&[]))));
        }
        let mut query = String::new();
        if let Some(filter) = filter {
            match self.provider_filter(scene, pair, &filter)? {
                Folded::Constant(false) => return Ok(Step::Done(json(200, list_response(&[])))),
                Folded::Constant(true) => {}
                Folded::Filter(filter) => push_parameter(&mut query, "filter", &filter.to_string()),
            }
        }
        self.paging(&mut query)?;
        self.sorting(scene, pair, of, &mut query)?;
        self.projected(pair, &mut query);
        let call = self.call(scene, "GET", query, Vec::new())?;
        self.state = State::ExpectAnswer;
        Ok(Step::Last(call))
    }

    /// The filter the IdP asked with, bound to its schema.
    pub(super) fn asked(&self, scene: &mut Scene<'_>, of: &ResourceType) -> Result<Option<Filter>> {
        let Some(text) = self.request.query.get("filter") else { return Ok(None) };
        let mut repaired = Repaired::default();
        let filter = filter(scene.route, of, text, &mut repaired)?;
        scene.audit.repaired(&scene.route.repairs, &repaired);
        scene.trace.repairs(&scene.route.repairs, &repaired, |line, _, _| {
            line.filter("before", text);
            line.filter("after", &filter.to_string());
        });
        note_attributes(scene, of, &filter);
        Ok(Some(rebased(scene.route, of, filter)))
    }

    /// The same asked of the provider, if it takes such filters.
    pub(super) fn provider_filter(&self, scene: &Scene<'_>, pair: &Pair, filter: &Filter) -> Result<Folded> {
        let refused = |detail: String| ScimError::typed(400, "invalidFilter", detail);
        let plan = scene.route.filters.plan(&scene.route.mapping, pair, filter).map_err(refused)?;
        match plan {
            Plan::Empty => Ok(Folded::Constant(false)),
            Plan::Ask { asked, rest: None } if asked.len() == 1 => {
                Ok(asked.into_iter().flatten().next().map_or(Folded::Constant(true), Folded::Filter))
            }
            Plan::Ask { .. } => Err(refused("the provider takes no filter like this".to_owned())),
        }
    }

    /// The query of a request for one resource.
    pub(super) fn read_query(&self, scene: &Scene<'_>) -> Result<String> {
        let mut query = String::new();
        if self.request.kind == Kind::Read {
            self.projection(scene)?;
            if let Some(pair) = self.pair(scene) {
                self.projected(pair, &mut query);
            }
        }
        Ok(query)
    }

    /// What the IdP asked to see.
    pub(super) fn projection(&self, scene: &Scene<'_>) -> Result<Projection> {
        let Some(of) = self.idp_type(scene) else { return Ok(Projection::default()) };
        let list = |name: &str| -> Option<Vec<AttrId>> {
            let text = self.request.query.get(name)?;
            let vocabulary = &scene.route.mapping.idp;
            let paths = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            let resolve = |text: &str| {
                if let Some(extension) = vocabulary.schema_root(of, text) {
                    return extension;
                }
                let path = AttrPath::parse(text, &|uri| vocabulary.knows_schema(uri));
                path.map_or(AttrId::UNKNOWN, |path| vocabulary.resolve(of, &path))
            };
            // Names that no schema knows show and hide nothing.
            let known: BTreeSet<AttrId> = paths.map(resolve).filter(|attr| attr.is_known()).collect();
            Some(known.into_iter().collect())
        };
        let (only, without) = (list("attributes"), list("excludedAttributes"));
        if only.is_some() && without.is_some() {
            // RFC 7644 section 3.9: the two parameters exclude each other.
            let detail = "ask for `attributes` or for `excludedAttributes`, not for both";
            return Err(ScimError::typed(400, "invalidValue", detail));
        }
        Ok(Projection { only, without: without.unwrap_or_default() })
    }

    /// The IdP's projection is the provider's where both speak of the same attributes; it is made here anyway.
    pub(super) fn projected(&self, pair: &Pair, query: &mut String) {
        for name in ["attributes", "excludedAttributes"] {
            if let Some(value) = self.request.query.get(name).filter(|_| pair.identity) {
                push_parameter(query, name, value);
            }
        }
    }

    fn paging(&self, query: &mut String) -> Result<()> {
        for (name, least) in [("startIndex", 1), ("count", 0)] {
            if let Some(number) = self.number(name, least)? {
                push_parameter(query, name, &number.to_string());
            }
        }
        if let Some(cursor) = self.request.query.get("cursor") {
            push_parameter(query, "cursor", cursor);
        }
        Ok(())
    }

    fn sorting(&self, scene: &Scene<'_>, pair: &Pair, of: &ResourceType, query: &mut String) -> Result<()> {
        let Some(text) = self.request.query.get("sortBy") else { return Ok(()) };
        let vocabulary = &scene.route.mapping.idp;
        let path = AttrPath::parse(text, &|uri| vocabulary.knows_schema(uri));
        let attr = path.map_or(AttrId::UNKNOWN, |path| vocabulary.resolve(of, &path));
        let Some(path) = scene.route.mapping.path(pair, attr).filter(|_| attr.is_known()) else {
            // RFC 7644 section 3.4.2.3 leaves it to the provider; an order nobody asked for would be worse.
            let detail = "`sortBy` names an attribute that the provider cannot sort by";
            return Err(ScimError::typed(400, "invalidPath", detail));
        };
        push_parameter(query, "sortBy", &path.to_string());
        match self.request.query.get("sortOrder") {
            None => Ok(()),
            Some(order @ ("ascending" | "descending")) => {
                push_parameter(query, "sortOrder", order);
                Ok(())
            }
            Some(_) => Err(ScimError::typed(400, "invalidValue", "`sortOrder` is ascending or descending")),
        }
    }

    /// Parameters that mean nothing to the operation are left out.
    pub(super) fn note_unknown_parameters(&self, scene: &mut Scene<'_>) {
        let known: &[&str] = match self.request.kind {
            Kind::List | Kind::Search => &[
                "cursor",
                "attributes",
                "excludedAttributes",
                "filter",
                "startIndex",
                "count",
                "sortBy",
                "sortOrder",
            ],
            Kind::Discovery => &["filter"],
            _ => &["attributes", "excludedAttributes"],
        };
        let mut repaired = Repaired::default();
        for (name, _) in self.request.query.iter() {
            if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                repaired.note(Repair::UnknownParameter, "query");
            }
        }
        scene.audit.repaired(&scene.route.repairs, &repaired);
    }
}

/// Reads a filter and binds it to the IdP's schema.
fn filter(route: &Route, of: &ResourceType, text: &str, repaired: &mut Repaired) -> Result<Filter> {
    let mut checker = Checker::new(&route.mapping.idp, &route.repairs, repaired, Context::Patch);
    checker.interop = route.interop;
    checker.read_filter(of, text).map_err(|detail| ScimError::typed(400, "invalidFilter", detail))
}

/// References of the gateway's in a filter are the provider's.
fn rebased(route: &Route, of: &ResourceType, filter: Filter) -> Filter {
    let vocabulary = &route.mapping.idp;
    match filter {
        Filter::And(filters) => {
            Filter::And(filters.into_iter().map(|each| rebased(route, of, each)).collect())
        }
        Filter::Or(filters) => Filter::Or(filters.into_iter().map(|each| rebased(route, of, each)).collect()),
        Filter::Not(inner) => Filter::Not(Box::new(rebased(route, of, *inner))),
        Filter::Compare { path, op, value: Literal::String(text) } => {
            let reference = vocabulary.attribute(vocabulary.resolve(of, &path)).kind == Type::Reference;
            let moved = url::rebase(&route.base, &route.provider, &text).filter(|_| reference);
            Filter::Compare { path, op, value: Literal::String(moved.map_or(text, Into::into)) }
        }
        other => other,
    }
}

fn note_attributes(scene: &mut Scene<'_>, of: &ResourceType, filter: &Filter) {
    let vocabulary = &scene.route.mapping.idp;
    filter.visit_paths(&mut |parent, path| {
        if parent.is_none() {
            scene.audit.attribute(vocabulary, vocabulary.resolve(of, path));
        }
    });
}
