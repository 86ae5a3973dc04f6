//! For the benchmarks alone: a payload's way through the engine, without the access check and HTTP's rules.

use crate::audit::Audit;
use crate::delta;
use crate::document::{Document, NodeId};
use crate::error::ScimError;
use crate::gateway::Route;
use crate::http::path::Query;
use crate::operation::{Kind, Operation, Request, Scene, Step};
use crate::repair::Repaired;
use crate::schema::{Checker, Context};
use crate::trace::Trace;
use crate::{Gateway, Headers, Response};

/// What of a new resource of the IdP is sent to the provider of the first route.
///
/// # Errors
/// The answer that refuses it.
pub fn create(gateway: &Gateway, body: Vec<u8>) -> Result<Vec<u8>, ScimError> {
    operate(gateway, Kind::Create, |operation, scene| operation.new_resource(scene, body))
}

/// Reads and validates a new user of the IdP.
///
/// # Errors
/// What is wrong with it.
pub fn check(gateway: &Gateway, body: Vec<u8>) -> Result<(), ScimError> {
    let route = first(gateway)?;
    let vocabulary = &route.mapping.idp;
    let of = vocabulary.types().first().ok_or_else(|| ScimError::new(404, "there is no resource type"))?;
    let mut document = Document::new();
    let root = document.read(body, vocabulary, of.root, DEPTH)?;
    let mut repaired = Repaired::default();
    let mut checker = Checker::new(vocabulary, &route.repairs, &mut repaired, Context::Create);
    checker.resource(&mut document, root, of);
    if checker.problems.is_empty() { Ok(()) } else { Err(ScimError::problems(&checker.problems)) }
}

/// What of the provider's list the IdP of the first route sees.
///
/// # Errors
/// The answer that refuses it.
pub fn list(gateway: &Gateway, body: Vec<u8>) -> Result<Vec<u8>, ScimError> {
    let response = Response { status: 200, headers: Headers::new(), body };
    let step = operate(gateway, Kind::List, |operation, scene| {
        operation.begin(scene, Vec::new())?;
        operation.resume(scene, response)
    })?;
    match step {
        Step::Done(response) => Ok(response.body),
        Step::Call(_) | Step::Last(_) | Step::Ask(_) => {
            Err(ScimError::new(500, "the provider is asked once more"))
        }
    }
}

/// A resource of the IdP that was read.
#[derive(Clone, Debug)]
pub struct Resource {
    document: Document,
    root: NodeId,
    of: usize,
}

/// Deeper than anything the benchmarks have.
const DEPTH: u32 = 32;

impl Resource {
    /// Reads a resource of that type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(gateway: &Gateway, of: &str, body: Vec<u8>) -> Result<Self, ScimError> {
        let vocabulary = &first(gateway)?.mapping.idp;
        let none = || ScimError::new(404, "there is no such resource type");
        let (of, found) =
            vocabulary.types().iter().enumerate().find(|(_, each)| *each.name == *of).ok_or_else(none)?;
        let mut document = Document::new();
        let root = document.read(body, vocabulary, found.root, DEPTH)?;
        Ok(Self { document, root, of })
    }

    /// Reads a PATCH and applies it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn patch(&mut self, gateway: &Gateway, patch: Vec<u8>) -> Result<(), ScimError> {
        let route = first(gateway)?;
        let vocabulary = &route.mapping.idp;
        let Some(of) = vocabulary.types().get(self.of) else { return Ok(()) };
        let document = &mut self.document;
        let message = document.read(patch, vocabulary, vocabulary.patch_op, DEPTH)?;
        let mut repaired = Repaired::default();
        let mut checker = Checker::new(vocabulary, &route.repairs, &mut repaired, Context::Patch);
        let changes = delta::read(document, message, of, &mut checker);
        if !checker.problems.is_empty() {
            return Err(ScimError::problems(&checker.problems));
        }
        let applied = delta::apply(&changes, document, self.root, vocabulary, false);
        applied.map_err(|problem| ScimError::problems(&[problem]))
    }
}

fn first(gateway: &Gateway) -> Result<&Route, ScimError> {
    gateway.routes.first().ok_or_else(|| ScimError::new(404, "there is no route"))
}

fn operate<T>(
    gateway: &Gateway,
    kind: Kind,
    run: impl FnOnce(&mut Operation, &mut Scene<'_>) -> Result<T, ScimError>,
) -> Result<T, ScimError> {
    let route = first(gateway)?;
    let request = Request {
        kind,
        pair: Some(0),
        // A new resource goes to the type's own.
        endpoint: if kind == Kind::List { "Users".to_owned() } else { String::new() },
        id: None,
        query: Query::default(),
        passed: Vec::new(),
    };
    let (audit, trace) = (&mut Audit::default(), &Trace::default());
    run(&mut Operation::new(request), &mut Scene { gateway, route, audit, trace, id: "bench", now: 0 })
}
