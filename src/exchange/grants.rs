//! Requests at a route's own authorization server: read, handed over, answered and recorded.

use super::{Action, Effect, Exchange, State, append, lost};
use crate::access::server::{Grant, Moment, Place, Server};
use crate::config::Mode;
use crate::errand::Turn;
use crate::error::ScimError;
use crate::gateway::Route;
use crate::http::path::{Query, Target};
use crate::{Gateway, Request};

impl Exchange {
    /// The metadata of the server of the route with this path (RFC 8414 section 3).
    pub(super) fn metadata(
        &mut self,
        gateway: &Gateway,
        now: u64,
        request: &Request,
        path: &str,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.iter().find(|route| route.path == path);
        let Some((route, server)) = route.and_then(|route| Some((route, route.access.server()?))) else {
            return Err(ScimError::new(404, "no route with this path has an authorization server"));
        };
        self.audit.route = Some(route.name.clone());
        self.audit.operation = Some("metadata");
        allowed(request, Place::Metadata)?;
        Ok(self.respond(now, server.metadata()))
    }

    /// A request at an endpoint of a route's server.
    pub(super) fn serve(
        &mut self,
        now: u64,
        (index, route): (usize, &Route),
        place: Place,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Action, ScimError> {
        self.audit.operation = Some(if place == Place::Token { "token" } else { "authorize" });
        allowed(request, place)?;
        if route.mode == Mode::Paused {
            let detail = format!("route `{}` is paused; nothing is forwarded", route.name);
            return Err(ScimError::new(503, detail).with("retry-after", "300"));
        }
        if place == Place::Authorize && request.method == b"GET" {
            let server = route.access.server().ok_or_else(lost)?;
            let query = target.query().map_err(|bad| ScimError::new(400, bad.detail()))?;
            let grant = server.authorize(&query, None, self.moment(now));
            return Ok(self.granted(now, route, grant));
        }
        let request = Box::new(request.clone());
        if request.end {
            return self.complete(now, index, route, place, &request, &[]);
        }
        self.state = State::ExpectForm(index, place, request, Vec::new());
        Ok(Action::Read { whole: true })
    }

    /// More of a form.
    #[expect(clippy::too_many_arguments, reason = "the parts of one state and one input")]
    pub(super) fn form(
        &mut self,
        gateway: &Gateway,
        now: u64,
        index: usize,
        place: Place,
        request: Box<Request>,
        mut body: Vec<u8>,
        bytes: Vec<u8>,
        last: bool,
    ) -> Result<Action, ScimError> {
        append(&mut body, bytes);
        if body.len() > LARGEST {
            return Err(ScimError::new(413, format!("the form is larger than {LARGEST} bytes")));
        }
        if last {
            let route = gateway.routes.get(index).ok_or_else(lost)?;
            return self.complete(now, index, route, place, &request, &body);
        }
        self.state = State::ExpectForm(index, place, request, body);
        Ok(Action::Read { whole: true })
    }

    /// The form is complete.
    fn complete(
        &mut self,
        now: u64,
        index: usize,
        route: &Route,
        place: Place,
        request: &Request,
        body: &[u8],
    ) -> Result<Action, ScimError> {
        let server = route.access.server().ok_or_else(lost)?;
        if place == Place::Authorize {
            let text =
                str::from_utf8(body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
            let form = text.and_then(|text| Query::parse(text).ok());
            let form = form.ok_or_else(|| ScimError::new(400, "the form cannot be read"))?;
            let grant = server.authorize(&form, Some(&form), self.moment(now));
            return Ok(self.granted(now, route, grant));
        }
        match server.token(request, body, self.moment(now)) {
            Turn::Ready(grant) => Ok(self.granted(now, route, grant)),
            Turn::Need(need, resume) => {
                let (action, asked) = self.ask(now, need)?;
                self.state = State::ExpectGrant(index, asked, resume);
                Ok(action)
            }
        }
    }

    /// Goes on with what the server had asked for.
    pub(super) fn granting(
        &mut self,
        gateway: &Gateway,
        now: u64,
        index: usize,
        turn: Turn<Grant>,
    ) -> Result<Action, ScimError> {
        match turn {
            Turn::Ready(grant) => {
                let route = gateway.routes.get(index).ok_or_else(lost)?;
                Ok(self.granted(now, route, grant))
            }
            Turn::Need(need, resume) => {
                let (action, asked) = self.ask(now, need)?;
                self.state = State::ExpectGrant(index, asked, resume);
                Ok(action)
            }
        }
    }

    fn granted(&mut self, now: u64, route: &Route, grant: Grant) -> Action {
        let client = grant.client.and_then(|client| route.access.client(client)).map(|way| way.name.clone());
        if !["granted", "code", "asked"].contains(&grant.result) {
            self.audit.refused = Some(grant.result);
        }
        let token = client.clone().unwrap_or_else(|| "none".to_owned());
        self.audit.token = client;
        let labels =
            vec![("route", route.name.clone()), ("token", token), ("result", grant.result.to_owned())];
        self.effects.push(Effect::Metric { name: "grants", labels, value: 1 });
        // The answer holds tokens: it is not for traces.
        self.record(now, grant.response.status);
        Action::Respond(grant.response)
    }

    const fn moment(&self, now: u64) -> Moment {
        Moment { now, seed: self.seed }
    }
}

fn allowed(request: &Request, place: Place) -> Result<(), ScimError> {
    let methods = Server::methods(place);
    if methods.split(", ").any(|method| method.as_bytes() == request.method) {
        return Ok(());
    }
    let detail = format!("this endpoint of the authorization server takes {methods}");
    Err(ScimError::new(405, detail).with("allow", methods))
}

/// The largest form in bytes.
const LARGEST: usize = 16 * 1024;
