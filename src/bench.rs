//! For the benchmarks alone: a payload's way through the engine, without the access check and HTTP's rules.

use crate::audit::Audit;
use crate::error::ScimError;
use crate::http::path::Query;
use crate::operation::{Kind, Operation, Request, Scene, Step};
use crate::trace::Trace;
use crate::{Gateway, Headers, Response};

/// What of a new resource of the IdP is sent to the provider of the first route.
///
/// # Errors
/// The answer that refuses it.
pub fn create(gateway: &Gateway, body: Vec<u8>) -> Result<Vec<u8>, ScimError> {
    operate(gateway, Kind::Create, |operation, scene| operation.new_resource(scene, body))
}

/// Reads and validates a new resource of the IdP; the number of problems is always 0.
///
/// # Errors
/// The answer that refuses it.
pub fn check(gateway: &Gateway, body: Vec<u8>) -> Result<(), ScimError> {
    operate(gateway, Kind::Create, |operation, scene| operation.resource(scene, body).map(drop))
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

fn operate<T>(
    gateway: &Gateway,
    kind: Kind,
    run: impl FnOnce(&mut Operation, &mut Scene<'_>) -> Result<T, ScimError>,
) -> Result<T, ScimError> {
    let route = gateway.routes.first().ok_or_else(|| ScimError::new(404, "there is no route"))?;
    let request = Request {
        kind,
        pair: Some(0),
        endpoint: "Users".into(),
        id: None,
        query: Query::default(),
        passed: Vec::new(),
    };
    let (audit, trace) = (&mut Audit::default(), &Trace::default());
    run(&mut Operation::new(request), &mut Scene { gateway, route, audit, trace, id: "bench", now: 0 })
}
