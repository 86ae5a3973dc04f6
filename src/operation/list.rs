//! The provider's lists: their numbers and resources, and a whole one as the IdP may see it.

use super::version::Tagged;
use super::{Operation, Result, Scene, Step, json};
use crate::adapt::{MAX_CURSOR, Page, Place, QueryId};
use crate::document::{Kind, NodeId};
use crate::error::ScimError;
use crate::http::Response;
use crate::message::{LIST_RESPONSE, list_response};

/// What the provider was asked for, in one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) start: Option<u64>,
    pub(super) count: Option<u64>,
    pub(super) filtered: bool,
    pub(super) query: QueryId,
}

/// More resources than any provider has.
const MOST: u64 = 1 << 40;

const KNOWN: [&str; 6] = ["schemas", "totalResults", "startIndex", "itemsPerPage", "Resources", "nextCursor"];

impl Operation {
    /// A list of the provider as a ListResponse: what it must not have is taken out, what it lacks is added, and
    /// its numbers are made those of the resources in it.
    pub(super) fn listed(&mut self, scene: &Scene<'_>, asked: Listing, response: Response) -> Result<Step> {
        if response.status == 404 && asked.filtered && scene.route.filters.not_found() {
            return Ok(Step::Done(json(200, list_response(&[]))));
        }
        self.succeeded(scene, &response)?;
        let Some(of) = self.provider_type(scene) else { return Err(super::not_found()) };
        let root = self.received(scene, response.status, response.body, of.list)?;
        let (page, mut resources) = self.read_page(root)?;
        let start = asked.start.unwrap_or(1);
        // The provider does not page: the part that was asked for is in there.
        let whole = start > 1 && page.start.is_some_and(|start| start < 2) && page.total == Some(page.len);
        let total = if whole {
            let before = usize::try_from(start - 1).unwrap_or(usize::MAX).min(resources.len());
            resources.drain(..before).for_each(|resource| self.document.remove(resource));
            page.len
        } else {
            page.starts_at(start)?;
            page.whole(start, asked.count)?
        };
        let count = asked.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
        let surplus = resources.split_off(count.min(resources.len()));
        surplus.into_iter().for_each(|resource| self.document.remove(resource));
        let projection = self.projection(scene)?;
        for resource in &resources {
            let (view, _) = self.seen(scene, *resource, Tagged::InList)?;
            self.finish(scene, view, &projection);
            if view != *resource {
                self.document.assign(*resource, view);
            }
        }
        let members: Vec<NodeId> = self.document.children(root).collect();
        for member in members {
            let key = self.document.key(member);
            let empty = self.document.kind(member) == Kind::Null;
            if empty || !KNOWN.iter().any(|known| key.eq_ignore_ascii_case(known)) {
                self.document.remove(member);
            }
        }
        self.put_number(root, "totalResults", total);
        if self.document.member_named(root, "startIndex").is_some() || start > 1 {
            self.put_number(root, "startIndex", start);
        }
        self.put_number(root, "itemsPerPage", resources.len() as u64);
        let next = self.document.member_named(root, "nextCursor");
        if let Some((node, cursor)) = next.zip(page.next) {
            // Whoever follows it asks the gateway.
            let cursor = Place::Page { cursor, skip: 0 }.write(asked.query);
            let cursor = self.document.new_string(&cursor);
            self.document.assign(node, cursor);
        }
        if self.document.member_named(root, "schemas").is_none() {
            let list = self.document.new_array();
            let uri = self.document.new_string(LIST_RESPONSE);
            self.document.append(list, uri);
            self.document.set_key(list, "schemas");
            self.document.prepend(root, list);
        }
        Ok(Step::Done(json(200, self.document.write(root))))
    }

    /// Sets a number of the list, if it is not there already.
    fn put_number(&mut self, root: NodeId, name: &str, number: u64) {
        let digits = number.to_string();
        let found = self.document.member_named(root, name);
        if found.is_some_and(|node| self.document.number(node) == Some(digits.as_str())) {
            return;
        }
        let node = self.document.new_number(&digits);
        match found {
            Some(found) => self.document.assign(found, node),
            None => {
                self.document.set_key(node, name);
                self.document.append(root, node);
            }
        }
    }

    /// What a list says of itself, and its resources as they came.
    pub(super) fn read_page(&self, root: NodeId) -> Result<(Page, Vec<NodeId>)> {
        let not_a_list =
            || ScimError::new(502, "the provider's answer to the query is not a list of resources");
        let total = self.list_number(root, "totalResults")?;
        let list = self.document.member_named(root, "Resources");
        let resources = match list.filter(|list| self.document.kind(*list) != Kind::Null) {
            None if total == Some(0) => Vec::new(),
            // RFC 7644 section 3.4.2: of a page without resources there may be no list.
            None if total.is_some() && self.document.member_named(root, "itemsPerPage").is_some() => {
                Vec::new()
            }
            None => return Err(not_a_list()),
            Some(list) if self.document.kind(list) == Kind::Array => self.document.children(list).collect(),
            Some(_) => return Err(not_a_list()),
        };
        if resources.iter().any(|resource| self.document.kind(*resource) != Kind::Object) {
            return Err(not_a_list());
        }
        let next = match self.document.member_named(root, "nextCursor") {
            Some(node) if self.document.kind(node) != Kind::Null => {
                let cursor = self.document.string(node).filter(|cursor| cursor.len() <= MAX_CURSOR);
                let Some(cursor) = cursor else {
                    let detail = "the provider's list has a `nextCursor` that is no text, or too long";
                    return Err(ScimError::new(502, detail));
                };
                (!cursor.is_empty()).then(|| cursor.into_owned())
            }
            _ => None,
        };
        let page =
            Page { total, start: self.list_number(root, "startIndex")?, next, len: resources.len() as u64 };
        Ok((page, resources))
    }

    /// A number of a list; providers write digits in quotes, too.
    fn list_number(&self, root: NodeId, name: &str) -> Result<Option<u64>> {
        let Some(node) = self.document.member_named(root, name) else { return Ok(None) };
        let digits = match self.document.kind(node) {
            Kind::Null => return Ok(None),
            Kind::String => self.document.string(node),
            _ => self.document.number(node).map(Into::into),
        };
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number @ 0..=MOST) => Ok(Some(number)),
            _ => Err(ScimError::new(502, format!("the provider's list has a `{name}` that cannot be"))),
        }
    }
}
