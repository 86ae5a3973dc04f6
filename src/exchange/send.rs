//! A call on its way to the provider: shown with the credential, kept, and sent once more where that was refused.

use super::{Exchange, ScimError, Sending, Sent, State, Under, late, lost};
use crate::credential::{Refused, Shown};
use crate::errand::{Need, Turn};
use crate::{Action, Call, Effect, Gateway, Headers};

impl Exchange {
    /// Begins to send a call of the operation's; `forward`: it may go in place of the IdP's request.
    pub(super) fn begin_send(
        &mut self,
        gateway: &Gateway,
        now: u64,
        under: Under,
        call: Call,
        forward: bool,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.get(under.route).ok_or_else(lost)?;
        let sending = Sending { call, forward, refused: Refused::default() };
        let Some(credential) = &route.credential else {
            return self.send(gateway, now, under, sending, Turn::Ready(Ok(Shown::default())));
        };
        if credential.ends_soon(now) {
            let labels = vec![("route", route.name.clone())];
            self.effects.push(Effect::Metric { name: "credential_expiring", labels, value: 1 });
        }
        let turn = credential.show(now, &self.id, writes(&sending.call), sending.refused);
        self.send(gateway, now, under, sending, turn)
    }

    /// Goes on with what the credential asks for, or sends the call.
    pub(super) fn send(
        &mut self,
        gateway: &Gateway,
        now: u64,
        mut under: Under,
        sending: Sending,
        turn: Turn<Result<Shown, ScimError>>,
    ) -> Result<Action, ScimError> {
        let left = self.deadline.saturating_sub(now);
        let failed = match turn {
            Turn::Ready(Err(error)) => error,
            // What a credential leaves in the store, others may need; everything else takes time.
            Turn::Need(need, resume) if left > 0 || matches!(need, Need::Store(_)) => {
                if let Need::Call(call, _) = &need {
                    self.audit.fetch(call.method);
                }
                let (action, asked) = need.action(left);
                self.state = State::ExpectShown(under, sending, asked, resume);
                return Ok(action);
            }
            _ if left == 0 => late(),
            Turn::Need(..) => late(),
            Turn::Ready(Ok(shown)) => {
                let Sending { mut call, forward, refused } = sending;
                self.audit.call(call.method);
                self.trace.call(&call);
                let route = gateway.routes.get(under.route).ok_or_else(lost)?;
                let renews = route.credential.as_ref().is_some_and(|credential| credential.renews());
                under.sent =
                    renews.then(|| Box::new(Sent { call: call.clone(), refused, shown: shown.clone() }));
                shown.apply(&mut call.headers);
                return Ok(if forward {
                    self.state = State::ExpectResponse(under);
                    Action::Forward { call, timeout: left }
                } else {
                    self.state = State::ExpectReply(under);
                    Action::Callout { call, timeout: left }
                });
            }
        };
        self.progress(gateway, now, under, |operation, scene| operation.fault(scene, failed))
    }

    /// What an answer refuses of what the call was shown with, where fetching that anew may help: once.
    pub(super) fn refused(
        gateway: &Gateway,
        under: &Under,
        status: u16,
        headers: &Headers,
    ) -> Option<Refused> {
        let sent = under.sent.as_ref()?;
        let credential = gateway.routes.get(under.route)?.credential.as_ref()?;
        credential.refused(&sent.shown, status, headers).filter(|refused| !sent.refused.repeats(*refused))
    }

    /// Sends the call once more with what is fetched anew. The provider has refused it, so that nothing is done
    /// twice; what was forwarded is asked beside the exchange now, and the new answer takes the old one's place.
    pub(super) fn renew(
        &mut self,
        gateway: &Gateway,
        now: u64,
        mut under: Under,
        refused: Refused,
    ) -> Result<Action, ScimError> {
        let route = gateway.routes.get(under.route).ok_or_else(lost)?;
        let (Some(sent), Some(credential)) = (under.sent.take(), &route.credential) else {
            return Err(lost());
        };
        let sending = Sending { call: sent.call, forward: false, refused: sent.refused.and(refused) };
        let labels = vec![("route", route.name.clone())];
        self.effects.push(Effect::Metric { name: "credential_renewals", labels, value: 1 });
        let turn = credential.show(now, &self.id, writes(&sending.call), sending.refused);
        self.send(gateway, now, under, sending, turn)
    }
}

/// True for a call that changes something.
fn writes(call: &Call) -> bool {
    !matches!(call.method, "GET" | "HEAD" | "OPTIONS")
}
