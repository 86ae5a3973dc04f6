//! Bulk requests (RFC 7644 section 3.7): each operation goes through the same pipeline as a request of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Operation, Request, Result, Scene, State, Step, json};
use crate::document::{Document, Kind as Json, NodeId};
use crate::errand::Answer;
use crate::error::ScimError;
use crate::http::Response;
use crate::message::{BULK_REQUEST, BULK_RESPONSE};
use crate::schema::AttrId;

/// Operations one request may hold.
pub(crate) const MAX_OPERATIONS: usize = 1000;

/// A bulk request under way.
#[derive(Debug)]
pub(super) struct Bulk {
    /// The request, with the data of its operations.
    document: Document,
    items: Vec<Item>,
    /// Which operation has a bulkId.
    named: BTreeMap<String, usize>,
    /// The operations that wait for no other, and all that are left.
    ready: BTreeSet<usize>,
    left: BTreeSet<usize>,
    /// The operation that is carried out.
    current: Option<(usize, Box<Operation>)>,
    /// How many failures end the request; none said: it is never ended.
    fail_on_errors: Option<u64>,
    errors: u64,
}

#[derive(Debug)]
struct Item {
    method: String,
    bulk_id: Option<String>,
    version: Option<String>,
    path: String,
    data: Option<NodeId>,
    /// The bulkIds the path and the data refer to.
    needs: BTreeSet<String>,
    /// How many of them have no outcome yet, and which operations wait for this one.
    open: usize,
    waiting: Vec<usize>,
    /// What it does, for the record: operation, resource type and id.
    record: (Option<&'static str>, Option<String>, Option<String>),
    /// The URL of the resource it is about, where that is known before it is carried out.
    location: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Debug)]
struct Outcome {
    status: u16,
    /// The id of the resource that came to be or was changed.
    id: Option<String>,
    location: Option<String>,
    version: Option<String>,
    /// The SCIM error, as text.
    error: Option<String>,
}

impl Operation {
    pub(super) fn bulk(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        let mut document = Document::new();
        let vocabulary = &scene.route.mapping.idp;
        let root = document.read(body, vocabulary, AttrId::UNKNOWN, Self::read_depth(scene))?;
        let bulk = read(document, root)?;
        self.advance(scene, bulk, None)
    }

    /// Goes on with the provider's answer to the operation under way.
    pub(super) fn bulk_answer(
        &mut self,
        scene: &mut Scene<'_>,
        mut bulk: Bulk,
        answer: Result<Response>,
    ) -> Result<Step> {
        let Some((index, mut operation)) = bulk.current.take() else {
            return Err(ScimError::new(500, "the gateway has lost track of this request"));
        };
        let step = match answer {
            Ok(response) => operation.resume(scene, response),
            Err(error) => operation.fault(scene, error),
        };
        self.advance(scene, bulk, Some((index, operation, step)))
    }

    /// Goes on with what the operation under way has asked for.
    pub(super) fn bulk_answered(
        &mut self,
        scene: &mut Scene<'_>,
        mut bulk: Bulk,
        answer: Answer,
    ) -> Result<Step> {
        let Some((index, mut operation)) = bulk.current.take() else {
            return Err(ScimError::new(500, "the gateway has lost track of this request"));
        };
        let step = operation.answered(scene, answer);
        self.advance(scene, bulk, Some((index, operation, step)))
    }

    /// Takes the outcome of a step, and begins operations until one has to wait for the provider.
    fn advance(
        &mut self,
        scene: &mut Scene<'_>,
        mut bulk: Bulk,
        mut under_way: Option<(usize, Box<Self>, Result<Step>)>,
    ) -> Result<Step> {
        loop {
            if let Some((index, operation, step)) = under_way.take() {
                match step {
                    Ok(Step::Call(call) | Step::Last(call)) => {
                        bulk.current = Some((index, operation));
                        self.state = State::ExpectItem(Box::new(bulk));
                        return Ok(Step::Call(call));
                    }
                    Ok(Step::Ask(need)) => {
                        bulk.current = Some((index, operation));
                        self.state = State::ExpectItem(Box::new(bulk));
                        return Ok(Step::Ask(need));
                    }
                    Ok(Step::Done(response)) => bulk.done(scene, index, &operation, &response),
                    Err(error) => bulk.failed(scene, index, &error),
                }
            }
            let Some(index) = bulk.next() else { return Ok(Step::Done(json(200, bulk.response()))) };
            match bulk.begin(index, scene) {
                Ok((operation, body)) => {
                    let mut operation = Box::new(operation);
                    let step = operation.begin(scene, body);
                    under_way = Some((index, operation, step));
                }
                Err(error) => bulk.failed(scene, index, &error),
            }
        }
    }
}

impl Bulk {
    /// The next operation whose references are resolved; with none left over, one that cannot be resolved.
    fn next(&mut self) -> Option<usize> {
        if self.fail_on_errors.is_some_and(|most| self.errors >= most) {
            return None;
        }
        let index = self.ready.first().or_else(|| self.left.first()).copied()?;
        self.ready.remove(&index);
        self.left.remove(&index);
        Some(index)
    }

    /// Keeps an operation's outcome; what waited for it may begin.
    fn end(&mut self, scene: &mut Scene<'_>, index: usize, outcome: Outcome) {
        let Some(item) = self.items.get_mut(index) else { return };
        let (operation, resource_type, id) = item.record.clone();
        scene.audit.inner(operation, resource_type, outcome.id.clone().or(id), outcome.status);
        item.outcome = Some(outcome);
        for waiting in std::mem::take(&mut item.waiting) {
            let Some(other) = self.items.get_mut(waiting) else { continue };
            other.open = other.open.saturating_sub(1);
            if other.open == 0 && self.left.contains(&waiting) {
                self.ready.insert(waiting);
            }
        }
    }

    /// The operation of an item and its body, references resolved.
    fn begin(&mut self, index: usize, scene: &Scene<'_>) -> Result<(Operation, Vec<u8>)> {
        let item = self.items.get(index).ok_or_else(|| ScimError::new(500, "an operation is missing"))?;
        let mut ids = BTreeMap::new();
        for need in &item.needs {
            let Some(other) = self.named.get(need).and_then(|index| self.items.get(*index)) else {
                return Err(ScimError::typed(
                    400,
                    "invalidValue",
                    "refers to a bulkId that no operation has",
                ));
            };
            match &other.outcome {
                Some(Outcome { id: Some(id), .. }) => ids.insert(need.clone(), id.clone()),
                Some(_) => return Err(ScimError::new(409, "refers to an operation that failed")),
                // RFC 7644 section 3.7.1: the server resolves circular references, or answers 409.
                None => return Err(ScimError::new(409, "refers to an operation that refers back to it")),
            };
        }
        let mut path = item.path.clone();
        for (name, id) in &ids {
            if let Some(start) = path.strip_suffix(&format!("/bulkId:{name}")) {
                let Some(id) = crate::http::path::encode_segment(id) else {
                    return Err(ScimError::new(409, "refers to a resource whose id cannot stand in a path"));
                };
                path = format!("{start}/{id}");
            }
        }
        let request = Request::inner(scene.route, &item.method, &path, item.version.as_deref())?;
        let mapping = &scene.route.mapping;
        let of = request.pair.and_then(|pair| mapping.idp_type(mapping.pairs.get(pair)?));
        let location = request.id.as_deref().and_then(crate::http::path::encode_segment);
        let location = location.and_then(|id| Some(format!("{}/{}/{id}", scene.route.base, of?.endpoint)));
        let record = (Some(request.kind.as_str()), of.map(|of| of.name.to_string()), request.id.clone());
        let data = item.data;
        if let Some(item) = self.items.get_mut(index) {
            item.record = record;
            item.location = location;
        }
        let body = match data.filter(|_| request.kind.has_body()) {
            None => Vec::new(),
            Some(data) => {
                let copy = self.document.copy(data);
                resolve(&mut self.document, copy, &ids);
                self.document.write(copy)
            }
        };
        Ok((Operation::new(request), body))
    }

    fn done(&mut self, scene: &mut Scene<'_>, index: usize, operation: &Operation, response: &Response) {
        let header = |name: &str| {
            response.headers.get(name).and_then(|value| str::from_utf8(value).ok()).map(str::to_owned)
        };
        let outcome = Outcome {
            status: response.status,
            id: operation.id().map(str::to_owned),
            location: operation.location(scene),
            version: header("etag"),
            error: None,
        };
        self.end(scene, index, outcome);
    }

    fn failed(&mut self, scene: &mut Scene<'_>, index: usize, error: &ScimError) {
        self.errors += 1;
        let error_text = Some(error.body(scene.id));
        // RFC 7644 section 3.7: "REQUIRED in a response, except in the event of a POST failure."
        let location = self.items.get(index).and_then(|item| item.location.clone());
        let outcome = Outcome { status: error.status, id: None, location, version: None, error: error_text };
        self.end(scene, index, outcome);
    }

    fn response(&self) -> Vec<u8> {
        let entries: Vec<String> = self.items.iter().filter_map(entry).collect();
        format!(r#"{{"schemas":["{BULK_RESPONSE}"],"Operations":[{}]}}"#, entries.join(",")).into_bytes()
    }
}

/// One entry of the answer; operations that were not begun have none.
fn entry(item: &Item) -> Option<String> {
    let outcome = item.outcome.as_ref()?;
    let mut members = Vec::new();
    let mut text = |name: &str, value: Option<&String>| {
        members.extend(value.map(|value| format!("\"{name}\":{}", Value::from(value.as_str()))));
    };
    text("location", outcome.location.as_ref());
    text("method", Some(&item.method));
    text("bulkId", item.bulk_id.as_ref());
    text("version", outcome.version.as_ref());
    text("status", Some(&outcome.status.to_string()));
    members.extend(outcome.error.as_ref().map(|error| format!("\"response\":{error}")));
    Some(format!("{{{}}}", members.join(",")))
}

fn read(document: Document, root: NodeId) -> Result<Bulk> {
    let refused = |detail: &str| ScimError::typed(400, "invalidSyntax", detail);
    let schemas = document.member_named(root, "schemas");
    let listed = schemas.is_some_and(|schemas| {
        document
            .elements(schemas)
            .any(|uri| document.string(uri).is_some_and(|uri| uri.eq_ignore_ascii_case(BULK_REQUEST)))
    });
    if document.kind(root) != Json::Object || !listed {
        return Err(refused(&format!("the body must be an object whose `schemas` lists `{BULK_REQUEST}`")));
    }
    let fail_on_errors = match document.member_named(root, "failOnErrors") {
        None => None,
        Some(node) => match document.number(node).and_then(|digits| digits.parse().ok()) {
            Some(number @ 1_u64..) => Some(number),
            _ => return Err(refused("`failOnErrors` must be a whole number of at least 1")),
        },
    };
    let operations =
        document.member_named(root, "Operations").filter(|node| document.kind(*node) == Json::Array);
    let Some(operations) = operations else { return Err(refused("`Operations` must be an array")) };
    let nodes: Vec<NodeId> = document.children(operations).collect();
    if nodes.len() > MAX_OPERATIONS {
        return Err(ScimError::new(413, format!("a bulk request may have {MAX_OPERATIONS} operations")));
    }
    let mut items: Vec<Item> = Vec::with_capacity(nodes.len());
    let mut named = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let item =
            item(&document, *node).map_err(|message| refused(&format!("`Operations[{index}]` {message}")))?;
        if let Some(bulk_id) = &item.bulk_id
            && named.insert(bulk_id.clone(), index).is_some()
        {
            return Err(refused(&format!("`Operations[{index}]` has the bulkId of another operation")));
        }
        items.push(item);
    }
    let mut ready = BTreeSet::new();
    for index in 0..items.len() {
        let Some(item) = items.get_mut(index) else { break };
        if let Some(data) = item.data {
            references(&document, data, &named, &mut item.needs);
        }
        let others: Vec<usize> = item.needs.iter().filter_map(|need| named.get(need)).copied().collect();
        item.open = others.len();
        if others.is_empty() {
            ready.insert(index);
        }
        for other in others {
            if let Some(other) = items.get_mut(other) {
                other.waiting.push(index);
            }
        }
    }
    let left = (0..items.len()).collect();
    Ok(Bulk { document, items, named, ready, left, current: None, fail_on_errors, errors: 0 })
}

fn item(document: &Document, node: NodeId) -> std::result::Result<Item, &'static str> {
    let text = |name: &str| match document.member_named(node, name) {
        None => Ok(None),
        Some(member) => match document.string(member) {
            Some(text) => Ok(Some(text.into_owned())),
            None => Err("has a `method`, `bulkId`, `version` or `path` that is not a string"),
        },
    };
    let method = text("method")?.ok_or("must have a `method`")?.to_ascii_uppercase();
    let path = text("path")?.ok_or("must have a `path`")?;
    let bulk_id = text("bulkId")?;
    if method == "POST" && bulk_id.is_none() {
        // RFC 7644 section 3.7: bulkId is required when the method is POST.
        return Err("must have a `bulkId`, because it creates a resource");
    }
    let data = document.member_named(node, "data");
    if data.is_none() && matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        return Err("must have `data`");
    }
    let needs = path.rsplit_once("/bulkId:").map(|(_, name)| name.to_owned()).into_iter().collect();
    let version = text("version")?;
    let record = (None, None, None);
    Ok(Item {
        method,
        bulk_id,
        version,
        path,
        data,
        needs,
        open: 0,
        waiting: Vec::new(),
        record,
        location: None,
        outcome: None,
    })
}

/// The bulkIds that strings of a value refer to: those of the request, and in a `value` or `$ref` any.
fn references(
    document: &Document,
    node: NodeId,
    named: &BTreeMap<String, usize>,
    found: &mut BTreeSet<String>,
) {
    if let Some(name) = document.string(node).as_deref().and_then(|text| text.strip_prefix("bulkId:"))
        && (named.contains_key(name) || matches!(&*document.key(node), "value" | "$ref"))
    {
        found.insert(name.to_owned());
    }
    for child in document.children(node) {
        references(document, child, named, found);
    }
}

/// Puts the ids in the place of the references.
fn resolve(document: &mut Document, node: NodeId, ids: &BTreeMap<String, String>) {
    let id = document
        .string(node)
        .as_deref()
        .and_then(|text| text.strip_prefix("bulkId:"))
        .and_then(|name| ids.get(name));
    if let Some(id) = id {
        let id = document.new_string(id);
        return document.assign(node, id);
    }
    let mut next = document.first(node);
    while let Some(child) = next {
        next = document.sibling(child);
        resolve(document, child, ids);
    }
}
