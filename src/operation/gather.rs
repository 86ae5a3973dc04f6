//! Queries that take several calls: long lists in pages, filters and orders that are finished here, several
//! resource types. What comes is judged and counted resource by resource, so that the numbers told are true.

use std::collections::BTreeSet;

use super::version::Tagged;
use super::{Operation, Result, Scene, State, Step, json, not_found};
use crate::adapt::{Order, Page, Place, QueryId, SortKey, Walk, digest, page_size};
use crate::document::{Document, NodeId};
use crate::error::ScimError;
use crate::filter::Bound;
use crate::http::Response;
use crate::http::path::push_parameter;
use crate::message::{Numbers, list_page};
use crate::schema::AttrId;

/// A query under way: what is asked, one source after the other, and what was found.
#[derive(Debug)]
pub(super) struct Gather {
    sources: Vec<Source>,
    /// The source that is asked.
    at: usize,
    way: Way,
    window: Window,
    order: Option<Order>,
    query: QueryId,
    /// The IdP pages by cursor.
    by_cursor: bool,
    found: Found,
    calls: u64,
    /// Resources that were looked at.
    read: u64,
    /// Those that were met, as digests: a source may have what another one had.
    met: BTreeSet<u64>,
    /// Where the IdP can go on.
    next: Option<Place>,
}

/// One query of the provider.
#[derive(Debug)]
pub(super) struct Source {
    /// The resource type, as a number of the mapping's pairs.
    pub(super) pair: usize,
    /// The filter the provider is asked with.
    pub(super) filter: Option<String>,
    /// The filter that what comes is judged by.
    pub(super) rest: Option<Bound>,
    /// What `rest` and the order look at.
    pub(super) needed: Vec<AttrId>,
    /// `sortBy` and `sortOrder` for the provider.
    pub(super) sort: Vec<(&'static str, String)>,
    /// The provider's numbers are those of the answer: it can be asked for any part of its list.
    pub(super) counted: bool,
}

/// The part that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Window {
    /// From a number on, so many resources or as many as come.
    Numbers { start: u64, count: Option<u64> },
    /// The next so many, however many there are.
    Next { count: u64 },
}

/// How the source at hand is read.
#[derive(Debug)]
enum Way {
    /// The part that is wanted: from this number on, so many.
    Part { number: u64, count: Option<u64> },
    /// Page by page.
    Walk(Walk),
}

/// What follows a page.
enum Turn {
    SameSource,
    NextSource,
    /// The IdP has got what it asked for.
    End,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    /// Resources that match, kept or not; of a list that is not read to its end what the provider says, if anything.
    total: Option<u64>,
    kept: Vec<(String, SortKey)>,
    /// Bytes of what is kept.
    size: u64,
    /// Nothing more is kept: it would leave a gap, or is too much for one answer.
    full: bool,
}

impl Found {
    fn add(&mut self, number: u64) {
        self.total = Some(self.total.unwrap_or_default().saturating_add(number));
    }

    /// Keeps a resource if there is room for it; false: there is not.
    fn keep(&mut self, text: &[u8], key: SortKey, room: u64) -> bool {
        self.size = self.size.saturating_add(text.len() as u64 + 1);
        self.full |= self.size > room;
        if !self.full {
            self.kept.push((String::from_utf8_lossy(text).into_owned(), key));
        }
        !self.full
    }
}

impl Gather {
    pub(super) fn new(sources: Vec<Source>, window: Window, order: Option<Order>, query: QueryId) -> Self {
        Self {
            sources,
            at: 0,
            way: Way::Part { number: 1, count: None },
            window,
            order,
            query,
            by_cursor: false,
            found: Found::default(),
            calls: 0,
            read: 0,
            met: BTreeSet::new(),
            next: None,
        }
    }

    /// How many more resources are wanted; none: as many as come.
    fn left(&self) -> Option<u64> {
        let count = match self.window {
            Window::Numbers { count, .. } => count,
            Window::Next { count } => Some(count),
        };
        match self.found.full {
            true => Some(0),
            false => count.map(|count| count.saturating_sub(self.found.kept.len() as u64)),
        }
    }

    /// Sets out for the next source; a place is where a cursor of the IdP's goes on.
    fn set_out(&mut self, scene: &Scene<'_>, place: Option<Place>) {
        self.way = match (self.window, self.sources.get(self.at)) {
            (Window::Numbers { start, .. }, Some(Source { counted: true, .. })) => {
                let before = self.found.total.unwrap_or_default();
                Way::Part { number: start.saturating_sub(before).max(1), count: None }
            }
            _ => Way::Walk(Walk::new(&scene.route.paging, place)),
        };
    }
}

impl Operation {
    /// Begins to read sources for an IdP that pages by numbers.
    pub(super) fn gather(&mut self, scene: &Scene<'_>, mut gather: Gather) -> Result<Step> {
        gather.set_out(scene, None);
        self.next_call(scene, gather)
    }

    /// Begins to read sources for an IdP that pages by cursor.
    pub(super) fn gather_by_cursor(
        &mut self,
        scene: &Scene<'_>,
        mut gather: Gather,
        place: Option<Place>,
    ) -> Result<Step> {
        gather.by_cursor = true;
        gather.set_out(scene, place);
        self.next_call(scene, gather)
    }

    fn next_call(&mut self, scene: &Scene<'_>, mut gather: Gather) -> Result<Step> {
        let Some(source) = gather.sources.get(gather.at) else { return gathered(scene, gather) };
        self.request.pair = Some(source.pair);
        let mut query = String::new();
        if let Some(filter) = &source.filter {
            push_parameter(&mut query, "filter", filter);
        }
        let left = gather.left();
        match &mut gather.way {
            Way::Part { number, count } => {
                push_parameter(&mut query, "startIndex", &number.to_string());
                *count = left.map(|left| scene.route.paging.max.map_or(left, |max| left.min(max)));
                if let Some(count) = count {
                    push_parameter(&mut query, "count", &count.to_string());
                }
            }
            Way::Walk(walk) => {
                let size = page_size(&scene.route.paging);
                // A page that is taken as a whole need not be asked for again.
                let exactly = source.rest.is_none() && matches!(gather.window, Window::Next { .. });
                walk.ask(&mut query, left.filter(|_| exactly).map_or(size, |left| left.clamp(1, size)));
            }
        }
        for (name, value) in &source.sort {
            push_parameter(&mut query, name, value);
        }
        self.projected(scene, &source.needed, &mut query)?;
        gather.calls += 1;
        let call = self.call(scene, "GET", query, Vec::new())?;
        self.state = State::ExpectPage(Box::new(gather));
        Ok(Step::Call(call))
    }

    /// Goes on with a page.
    pub(super) fn page(
        &mut self,
        scene: &mut Scene<'_>,
        mut gather: Box<Gather>,
        response: Response,
    ) -> Result<Step> {
        // One page at a time is held.
        self.document = Document::new();
        let filtered = gather.sources.get(gather.at).is_some_and(|source| source.filter.is_some());
        let (page, resources) = if filtered && response.status == 404 && scene.route.filters.not_found() {
            (Page { total: Some(0), ..Page::default() }, Vec::new())
        } else {
            self.succeeded(scene, &response).map_err(|error| match error.scim_type {
                Some("invalidCursor" | "expiredCursor") if !gather.by_cursor => {
                    let detail = "the provider's cursor stopped working while its pages were read; try again";
                    ScimError::new(502, detail)
                }
                _ => error,
            })?;
            let Some(of) = self.provider_type(scene) else { return Err(not_found()) };
            let root = self.received(scene, response.status, response.body, of.list)?;
            self.read_page(root)?
        };
        let turn = match gather.way {
            Way::Part { number, count } => {
                self.part(scene, &mut gather, (number, count), &page, resources)?
            }
            Way::Walk(_) => self.walked(scene, &mut gather, &page, resources)?,
        };
        match turn {
            Turn::SameSource => {}
            Turn::NextSource => {
                gather.at += 1;
                gather.set_out(scene, None);
            }
            Turn::End => return gathered(scene, *gather),
        }
        self.next_call(scene, *gather)
    }

    /// Takes a part of a list whose numbers the provider tells.
    fn part(
        &mut self,
        scene: &Scene<'_>,
        gather: &mut Gather,
        (number, count): (u64, Option<u64>),
        page: &Page,
        resources: Vec<NodeId>,
    ) -> Result<Turn> {
        page.starts_at(number)?;
        let total = page.whole(number, count)?;
        let limits = &scene.gateway.limits;
        let projection = self.projection(scene)?;
        for resource in resources {
            if gather.left() == Some(0) {
                break;
            }
            let (view, _) = self.seen(scene, resource, Tagged::InList)?;
            self.finish(scene, view, &projection);
            gather.found.keep(&self.document.write(view), None, limits.response);
        }
        let next = number.saturating_add(page.len);
        let missing = next <= total && gather.left() != Some(0);
        if missing && page.len > 0 && gather.left().is_some() && gather.calls < limits.pages {
            gather.way = Way::Part { number: next, count: None };
            return Ok(Turn::SameSource);
        }
        // Nobody said how many are wanted, or the provider gives no more: what follows would leave a gap.
        gather.found.full |= missing;
        gather.found.add(total);
        Ok(Turn::NextSource)
    }

    /// Looks at every resource of a page.
    fn walked(
        &mut self,
        scene: &Scene<'_>,
        gather: &mut Gather,
        page: &Page,
        resources: Vec<NodeId>,
    ) -> Result<Turn> {
        let limits = &scene.gateway.limits;
        let (Some(of), Way::Walk(walk)) = (self.idp_type(scene), &gather.way) else {
            return Err(not_found());
        };
        let skip = walk.skip();
        let open = matches!(gather.window, Window::Next { .. });
        let projection = self.projection(scene)?;
        let mut ids: Vec<String> = Vec::with_capacity(resources.len());
        let mut stopped = None;
        for (index, resource) in (0..).zip(resources) {
            let (view, _) = self.seen(scene, resource, Tagged::InList)?;
            let id = self.document.member(view, of.id).and_then(|id| self.document.string(id));
            let id = id.unwrap_or_default().into_owned();
            let met = !id.is_empty() && !gather.met.insert(digest([&*of.name, &id]));
            ids.push(id);
            if index < skip || met {
                continue;
            }
            if open && gather.left() == Some(0) {
                stopped = Some(index);
                break;
            }
            gather.read += 1;
            if gather.read > limits.resources {
                let most = limits.resources;
                return Err(too_many(&format!(
                    "has to look at more than {most} resources (`limits.resources`)"
                )));
            }
            let rest = gather.sources.get(gather.at).and_then(|source| source.rest.as_ref());
            if rest.is_some_and(|rest| !rest.matches(&self.document, view)) {
                continue;
            }
            let wanted = match gather.window {
                Window::Numbers { start, .. } => {
                    gather.found.add(1);
                    gather.order.is_some() || (gather.found.total >= Some(start) && gather.left() != Some(0))
                }
                Window::Next { .. } => true,
            };
            if !wanted {
                continue;
            }
            let key = gather.order.and_then(|by| by.key(&self.document, view, &scene.route.mapping.idp));
            self.finish(scene, view, &projection);
            if !gather.found.keep(&self.document.write(view), key, limits.response) {
                if gather.order.is_some() || gather.found.kept.is_empty() {
                    return Err(too_many("finds more than may be kept (`limits.response`)"));
                }
                if open {
                    stopped = Some(index);
                    break;
                }
            }
        }
        let Way::Walk(walk) = &mut gather.way else { return Err(not_found()) };
        if let Some(index) = stopped {
            walk.stop(index);
            gather.next = Some(walk.place().clone());
            return Ok(Turn::End);
        }
        if open && gather.sources.get(gather.at).is_some_and(|source| source.rest.is_none()) {
            gather.found.total = page.total;
        }
        let more = walk.turn(page, ids.iter().map(String::as_str))?;
        let place = walk.place().clone();
        if !more {
            return Ok(Turn::NextSource);
        }
        if open && (gather.left() == Some(0) || gather.calls >= limits.pages) {
            gather.next = Some(place);
            return Ok(Turn::End);
        }
        if gather.calls >= limits.pages {
            let most = limits.pages;
            return Err(too_many(&format!("takes more than {most} calls to the provider (`limits.pages`)")));
        }
        Ok(Turn::SameSource)
    }
}

/// The answer to the IdP.
fn gathered(scene: &Scene<'_>, gather: Gather) -> Result<Step> {
    let Gather { window, order, query, by_cursor, found, mut next, .. } = gather;
    let Found { total, mut kept, .. } = found;
    let mut numbers = Numbers { total, start: None };
    if let Window::Numbers { start, count } = window {
        if let Some(order) = order {
            kept.sort_by(|(_, a), (_, b)| order.compare(a, b, &scene.route.mapping.idp));
            let skip = usize::try_from(start - 1).unwrap_or(usize::MAX).min(kept.len());
            kept.drain(..skip);
            kept.truncate(count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        }
        let (total, behind) = (total.unwrap_or_default(), start.saturating_add(kept.len() as u64));
        if by_cursor && behind <= total {
            if kept.is_empty() {
                return Err(ScimError::new(502, "the provider's list breaks off before its `totalResults`"));
            }
            next = Some(Place::Number(behind));
        }
        numbers = Numbers { total: Some(total), start: (!by_cursor).then_some(start) };
    }
    let resources: Vec<String> = kept.into_iter().map(|(text, _)| text).collect();
    let next = next.map(|place| place.write(query));
    Ok(Step::Done(json(200, list_page(numbers, next.as_deref(), &resources))))
}

fn too_many(what: &str) -> ScimError {
    let detail = format!("the query {what}; ask with a filter that the provider takes, as by `eq`");
    ScimError::typed(400, "tooMany", detail)
}
