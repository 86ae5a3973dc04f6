//! Queries: filters and parameters of the IdP as the provider's, and what is answered without asking.

use std::collections::BTreeSet;

use super::gather::{Gather, Source, Window};
use super::list::Listing;
use super::search::of_type;
use super::{Kind, Operation, Result, Scene, State, Step, json};
use crate::adapt::{Order, Place, Plan, QueryId, page_size, project};
use crate::error::ScimError;
use crate::filter::{Binder, Bound, Filter, Folded, Literal};
use crate::gateway::Route;
use crate::http::path::push_parameter;
use crate::http::url::{self, Url};
use crate::mapping::Pair;
use crate::message::list_response;
use crate::path::AttrPath;
use crate::profile::{SortFacts, Style};
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{AttrId, Checker, Context, Projection, ResourceType, Type, Vocabulary};

/// How the IdP pages.
enum Paging {
    Numbers { start: Option<u64>, count: Option<u64> },
    Cursor { cursor: String, count: Option<u64> },
}

/// Who sorts.
enum Sorting {
    Nobody,
    /// The provider, by these parameters.
    Provider(Vec<(&'static str, String)>),
    Here(Order),
}

impl Operation {
    /// A query at an endpoint, or at the base, which spans resource types.
    pub(super) fn list(&mut self, scene: &mut Scene<'_>) -> Result<Step> {
        let paging = self.paging()?;
        let (mut sources, mut order) = (Vec::new(), None);
        match self.request.pair {
            Some(pair) => self.sources(scene, pair, &mut sources, &mut order)?,
            None => self.span(scene, &mut sources)?,
        }
        let facts = &scene.route.paging;
        let Some(source) = sources.first() else {
            // An IdP's probe must find an empty list, or it gives up on the whole connection.
            return Ok(Step::Done(json(200, list_response(&[]))));
        };
        let query = self.query_id(scene, &sources);
        let alone = sources.len() == 1;
        match paging {
            Paging::Numbers { start, count } => {
                let fits = |count| facts.max.is_none_or(|max| count <= max);
                if alone && source.counted && self.endpoint_query() && count.is_none_or(fits) {
                    let filtered = source.filter.is_some();
                    let call = self.one_call(scene, source, start, count)?;
                    self.state = State::ExpectList(Listing { start, count, filtered, query });
                    return Ok(Step::Last(call));
                }
                // Nobody said how many: of several lists the provider's own pages are enough.
                let counted = sources.iter().all(|source| source.counted);
                let most = scene.route.max_results;
                let count = count.or((!counted).then_some(most)).map(|count| count.min(most));
                let window = Window::Numbers { start: start.unwrap_or(1), count };
                self.gather(scene, Gather::new(sources, window, order, query))
            }
            Paging::Cursor { cursor, count } => {
                let place = match cursor.as_str() {
                    "" => None,
                    cursor => Some(Place::read(cursor, query).ok_or_else(|| {
                        let detail = "this cursor is none of the gateway's, or of another query; begin with an empty `cursor` and keep the other parameters";
                        ScimError::typed(400, "invalidCursor", detail)
                    })?),
                };
                let count = count.or(facts.default).unwrap_or_else(|| page_size(facts));
                let count = count.min(scene.route.max_results);
                let (window, place) = match place {
                    place if alone && order.is_none() => (Window::Next { count }, place),
                    Some(Place::Number(start)) => (Window::Numbers { start, count: Some(count) }, None),
                    _ => (Window::Numbers { start: 1, count: Some(count) }, None),
                };
                self.gather_by_cursor(scene, Gather::new(sources, window, order, query), place)
            }
        }
    }

    /// Adds what is asked of the provider for resources of one type.
    pub(super) fn sources(
        &mut self,
        scene: &mut Scene<'_>,
        number: usize,
        sources: &mut Vec<Source>,
        order: &mut Option<Order>,
    ) -> Result<()> {
        let (Some(pair), Some(of)) = (self.pair(scene), self.idp_type(scene)) else {
            return Err(super::not_found());
        };
        let filter = match (self.asked(scene, of)?, pair.only()) {
            (Some(asked), Some(only)) => Some(Filter::and(vec![only.clone(), asked])),
            (asked, only) => asked.or_else(|| only.cloned()),
        };
        self.projection(scene)?;
        if pair.provider.is_none() {
            return Ok(());
        }
        let several = |asked: &[Option<Filter>]| asked.len() > 1;
        let wanted = filter.as_ref().filter(|_| scene.trace.is_on()).map(ToString::to_string);
        let (asked, rest) = match filter {
            None => (vec![None], None),
            Some(filter) => match self.plan(scene, pair, of, filter)? {
                Plan::Empty => (Vec::new(), None),
                Plan::Ask { asked, rest } => (asked, rest),
            },
        };
        let mut needed: Vec<AttrId> = Vec::new();
        let vocabulary = &scene.route.mapping.idp;
        if let Some(rest) = &rest {
            rest.visit_paths(&mut |parent, path| {
                let attr = vocabulary.resolve(of, path);
                if parent.is_none() && attr.is_known() && !needed.contains(&attr) {
                    needed.push(attr);
                }
            });
        }
        let sort = match self.sorting(scene, pair, of, several(&asked))? {
            Sorting::Nobody => Vec::new(),
            Sorting::Provider(parameters) => parameters,
            Sorting::Here(by) => {
                needed.push(by.by);
                *order = Some(by);
                Vec::new()
            }
        };
        if let Some(wanted) = wanted {
            Self::explain_filter(scene, &wanted, &asked, rest.is_some());
        }
        if order.is_some() {
            scene
                .trace
                .adapted("the provider does not sort like this: its answer is sorted here", "provider.sort");
        }
        let counted =
            rest.is_none() && order.is_none() && !several(&asked) && scene.route.paging.style == Style::Index;
        let rest = rest.map(|rest| bound(vocabulary, of, &rest)).transpose()?;
        sources.extend(asked.into_iter().map(|filter| Source {
            pair: number,
            filter: filter.map(|filter| filter.to_string()),
            rest: rest.clone(),
            needed: needed.clone(),
            sort: sort.clone(),
            counted,
        }));
        Ok(())
    }

    /// The filter the IdP asked with, bound to its schema.
    fn asked(&self, scene: &mut Scene<'_>, of: &ResourceType) -> Result<Option<Filter>> {
        let Some(text) = self.request.query.get("filter") else { return Ok(None) };
        let mut repaired = Repaired::default();
        let filter = filter(scene.route, of, text, &mut repaired)?;
        scene.audit.repaired(&scene.route.repairs, &repaired);
        scene.trace.repairs(&scene.route.repairs, &repaired, |line, _, _| {
            line.filter("before", text);
            line.filter("after", &filter.to_string());
        });
        note_attributes(scene, of, &filter);
        Ok(Some(filter))
    }

    /// How it is answered.
    fn plan(&self, scene: &Scene<'_>, pair: &Pair, of: &ResourceType, filter: Filter) -> Result<Plan> {
        let route = scene.route;
        let refused = |detail: String| ScimError::typed(400, "invalidFilter", detail);
        let filter = match self.endpoint_query() {
            true => Folded::Filter(filter),
            false => filter.fold(&mut |leaf| Ok::<_, ScimError>(of_type(leaf, of, &route.mapping.idp)))?,
        };
        let filter = match filter {
            Folded::Constant(false) => return Ok(Plan::Empty),
            Folded::Constant(true) => return Ok(Plan::Ask { asked: vec![None], rest: None }),
            Folded::Filter(filter) => rebased(route, (&route.base, &route.provider), of, filter),
        };
        Ok(match route.filters.plan(&route.mapping, pair, &filter).map_err(refused)? {
            Plan::Empty => Plan::Empty,
            Plan::Ask { asked, rest } => {
                let back = |rest| rebased(route, (&route.provider, &route.base), of, rest);
                Plan::Ask { asked, rest: rest.map(back) }
            }
        })
    }

    /// True when the query is about resources of one type.
    fn endpoint_query(&self) -> bool {
        !self.request.endpoint.is_empty()
    }

    /// Stands for the query: what makes a cursor another query's.
    fn query_id(&self, scene: &Scene<'_>, sources: &[Source]) -> QueryId {
        let query = &self.request.query;
        let style = match scene.route.paging.style {
            Style::Index => "index",
            Style::Cursor => "cursor",
            Style::None => "none",
        };
        let mut parts = vec![scene.route.name.as_str(), self.request.endpoint.as_str(), style];
        parts.extend(["filter", "sortBy", "sortOrder"].map(|name| query.get(name).unwrap_or_default()));
        parts.extend(sources.iter().map(|source| source.filter.as_deref().unwrap_or_default()));
        QueryId::new(parts)
    }

    fn one_call(
        &self,
        scene: &Scene<'_>,
        source: &Source,
        start: Option<u64>,
        count: Option<u64>,
    ) -> Result<crate::http::Call> {
        let mut query = String::new();
        if let Some(filter) = &source.filter {
            push_parameter(&mut query, "filter", filter);
        }
        for (name, number) in [("startIndex", start), ("count", count)] {
            if let Some(number) = number {
                push_parameter(&mut query, name, &number.to_string());
            }
        }
        for (name, value) in &source.sort {
            push_parameter(&mut query, name, value);
        }
        self.projected(scene, &source.needed, &mut query)?;
        self.call(scene, "GET", query, Vec::new())
    }

    /// The query of a request for one resource.
    pub(super) fn read_query(&self, scene: &Scene<'_>) -> Result<String> {
        let mut query = String::new();
        if self.request.kind == Kind::Read {
            let needed = self.pair(scene).map_or(&[][..], Pair::only_inputs);
            self.projected(scene, needed, &mut query)?;
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

    /// Asks the provider for what the IdP is to see and for what is `needed` here. It is made here anyway.
    pub(super) fn projected(&self, scene: &Scene<'_>, needed: &[AttrId], query: &mut String) -> Result<()> {
        let projection = self.projection(scene)?;
        let Some(pair) = self.pair(scene) else { return Ok(()) };
        let facts = scene.route.projection;
        if pair.identity && needed.is_empty() {
            // The provider may know attributes that no schema tells of.
            for (name, takes) in [("attributes", facts.attributes), ("excludedAttributes", facts.excluded)] {
                if let Some(value) = self.request.query.get(name).filter(|_| takes) {
                    push_parameter(query, name, value);
                }
            }
            return Ok(());
        }
        if let Some((name, value)) = project(&scene.route.mapping, pair, facts, &projection, needed) {
            push_parameter(query, name, &value);
        }
        Ok(())
    }

    fn paging(&self) -> Result<Paging> {
        let Some(cursor) = self.request.query.get("cursor") else {
            let (start, count) = (self.number("startIndex", 1)?, self.number("count", 0)?);
            return Ok(Paging::Numbers { start, count });
        };
        if self.request.query.get("startIndex").is_some() {
            let detail = "page by `cursor` or by `startIndex`, not by both";
            return Err(ScimError::typed(400, "invalidValue", detail));
        }
        let count = self.request.query.get("count").map(|text| match text.parse() {
            Ok(count @ 1u64..) => Ok(count),
            // RFC 9865 section 2: "A positive integer."
            _ => Err(ScimError::typed(400, "invalidCount", "`count` must be a whole number from 1 on")),
        });
        Ok(Paging::Cursor { cursor: cursor.to_owned(), count: count.transpose()? })
    }

    /// A parameter that is a whole number, at least `least`.
    fn number(&self, name: &str, least: u64) -> Result<Option<u64>> {
        let Some(text) = self.request.query.get(name) else { return Ok(None) };
        // RFC 7644 section 3.4.2.4: a startIndex below 1 means 1, a negative count means 0.
        let negative = text.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok());
        match text.parse::<u64>() {
            Ok(number) => Ok(Some(number.max(least))),
            Err(_) if negative => Ok(Some(least)),
            Err(_) => Err(ScimError::typed(400, "invalidValue", format!("`{name}` must be a whole number"))),
        }
    }

    fn sorting(&self, scene: &Scene<'_>, pair: &Pair, of: &ResourceType, several: bool) -> Result<Sorting> {
        let Some(text) = self.request.query.get("sortBy") else { return Ok(Sorting::Nobody) };
        let refused = |detail: &str| Err(ScimError::typed(400, "invalidValue", detail));
        let descending = match self.request.query.get("sortOrder") {
            None | Some("ascending") => false,
            Some("descending") => true,
            Some(_) => return refused("`sortOrder` is ascending or descending"),
        };
        if !self.endpoint_query() {
            return refused("resources of several types cannot be sorted; ask one endpoint, such as /Users");
        }
        match scene.route.sort {
            SortFacts::Ignored => return Ok(Sorting::Nobody),
            SortFacts::Refused => return refused("lists of this route are not sorted; leave `sortBy` out"),
            SortFacts::Provider | SortFacts::Local => {}
        }
        let mapping = &scene.route.mapping;
        let path = AttrPath::parse(text, &|uri| mapping.idp.knows_schema(uri));
        let by = path.map_or(AttrId::UNKNOWN, |path| mapping.idp.resolve(of, &path));
        let local = scene.route.sort == SortFacts::Local || several;
        match mapping.path(pair, by).filter(|_| by.is_known() && !local) {
            Some(path) => {
                let order = self.request.query.get("sortOrder").map(|order| ("sortOrder", order.to_owned()));
                Ok(Sorting::Provider([("sortBy", path.to_string())].into_iter().chain(order).collect()))
            }
            None if by.is_known() && mapping.reads(pair, by) => Ok(Sorting::Here(Order { by, descending })),
            None => {
                // RFC 7644 section 3.4.2.3 leaves it to the provider; an order nobody asked for would be worse.
                let detail = "`sortBy` names an attribute that lists cannot be sorted by";
                Err(ScimError::typed(400, "invalidPath", detail))
            }
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

/// A filter that matches resources of a type.
fn bound(vocabulary: &Vocabulary, of: &ResourceType, filter: &Filter) -> Result<Bound> {
    let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
    let mut binder = Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown: false };
    binder.resource(filter, of).map_err(|error| ScimError::typed(400, "invalidFilter", error.to_string()))
}

/// References under one base in a filter are put under the other.
fn rebased(route: &Route, (from, to): (&Url, &Url), of: &ResourceType, filter: Filter) -> Filter {
    let vocabulary = &route.mapping.idp;
    match filter {
        Filter::And(filters) => {
            Filter::And(filters.into_iter().map(|each| rebased(route, (from, to), of, each)).collect())
        }
        Filter::Or(filters) => {
            Filter::Or(filters.into_iter().map(|each| rebased(route, (from, to), of, each)).collect())
        }
        Filter::Not(inner) => Filter::Not(Box::new(rebased(route, (from, to), of, *inner))),
        Filter::Compare { path, op, value: Literal::String(text) } => {
            let reference = vocabulary.attribute(vocabulary.resolve(of, &path)).kind == Type::Reference;
            let moved = url::rebase(from, to, &text).filter(|_| reference);
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
