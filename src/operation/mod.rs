//! One SCIM operation, as a small state machine: what the provider is asked, and what the IdP is told.
//!
//! It knows nothing of hosts. A step is a call to the provider or the answer to the IdP; a call that is the
//! last one may be forwarded in place of the IdP's request.

mod answer;
mod bulk;
mod create;
mod explain;
mod gather;
mod list;
mod members;
mod observe;
mod query;
mod request;
mod search;
mod send;
mod version;
mod write;

pub(crate) use self::bulk::MAX_OPERATIONS;
pub(crate) use self::request::{Kind, Request};
use crate::audit::Audit;
use crate::config::Mode;
use crate::document::{Document, NodeId};
use crate::errand::{Answer, Need, Resume};
use crate::error::ScimError;
use crate::gateway::{Gateway, Route};
use crate::guard::{Act, Judged};
use crate::http::{Call, Headers, Response};
use crate::mapping::Pair;
use crate::message::SCIM_JSON;
use crate::profile::Versions;
use crate::schema::{AttrId, ResourceType};
use crate::trace::Trace;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask the provider; more calls may follow.
    Call(Call),
    /// Ask the provider; its answer ends the operation.
    Last(Call),
    /// Ask the host for something else, as the store; [`Operation::answered`] takes what comes back.
    Ask(Need),
    /// Answer the IdP.
    Done(Response),
}

/// An operation under way.
#[derive(Debug)]
pub(crate) struct Operation {
    request: Request,
    state: State,
    document: Document,
    /// The version of the state that a write was told from: it goes out on condition that it still holds.
    unchanged: Option<Vec<u8>>,
    /// The requests of the write under way.
    sending: send::Sending,
    /// A user whose creation was sent: it is looked up again if that fails.
    matching: Option<Box<create::Matching>>,
    /// The state of the resource lets it be written.
    judged: bool,
    /// A request went out in place of the IdP's.
    forwarded: bool,
    /// The resource was written and only has to be shown.
    written: bool,
    /// The IdP said that a group is to have no members.
    emptied: bool,
    /// Values as the IdP spells them, where the provider writes them otherwise.
    spellings: Vec<(AttrId, String)>,
    conditions: version::Conditions,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked yet.
    Begin,
    /// The provider is asked for the resource's state, so that a condition can be judged; then this body follows.
    ExpectCondition(Vec<u8>),
    /// The provider is asked for the resource's state, so that the change can be told from it.
    ExpectBefore(write::Change),
    /// The provider is asked who the members of the group are.
    ExpectMembers(Box<members::Members>),
    /// The provider is asked for users that may be the one to be created.
    ExpectMatch(Box<create::Matching>),
    /// A guard counts.
    ExpectGuard(Act, Resume<Judged>),
    /// The provider is asked to do a part of it.
    ExpectPart,
    /// The provider is asked to do it.
    ExpectAnswer,
    /// It is done, and the resource is asked for because the IdP wants to see it.
    ExpectResource,
    /// The provider is asked for a list that answers the query.
    ExpectList(list::Listing),
    /// The provider is asked for one page of many.
    ExpectPage(Box<gather::Gather>),
    /// One operation of a bulk request is under way.
    ExpectItem(Box<bulk::Bulk>),
    /// The request went on as it is; here is the operation that would have been, if its answer tells anything.
    ExpectUnchanged(Option<Box<Operation>>),
}

/// What an operation works with.
pub(crate) struct Scene<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) route: &'a Route,
    pub(crate) audit: &'a mut Audit,
    pub(crate) trace: &'a Trace,
    /// The request's id, for error details.
    pub(crate) id: &'a str,
    /// Unix time in milliseconds.
    pub(crate) now: u64,
}

impl Scene<'_> {
    /// Notes that something is done in another way than was asked for, because of a fact of the provider or the IdP.
    pub(crate) fn adapted(&mut self, how: &'static str, fact: &str) {
        self.audit.adapted(how);
        self.trace.adapted(how, fact);
    }
}

type Result<T> = std::result::Result<T, ScimError>;

impl Operation {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            state: State::Begin,
            document: Document::new(),
            unchanged: None,
            sending: send::Sending::default(),
            matching: None,
            judged: false,
            forwarded: false,
            written: false,
            emptied: false,
            spellings: Vec::new(),
            conditions: version::Conditions::default(),
        }
    }

    /// Begins with the request's body.
    pub(crate) fn begin(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        match scene.route.mode {
            Mode::Observe => self.observe(scene, body),
            Mode::Enforce | Mode::Paused => self.enforce(scene, body),
        }
    }

    fn enforce(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        self.note_unknown_parameters(scene);
        self.projection(scene)?;
        self.on_condition(scene, body)
    }

    fn start(&mut self, scene: &mut Scene<'_>, body: Vec<u8>) -> Result<Step> {
        match self.request.kind {
            Kind::Discovery => self.discovery(scene),
            Kind::List => self.list(scene),
            Kind::Search => self.search(scene, body),
            Kind::Bulk => self.bulk(scene, body),
            Kind::Read => self.read(scene),
            Kind::Delete => self.delete(scene),
            Kind::Create => self.create(scene, body),
            Kind::Replace => self.replace(scene, body),
            Kind::Patch => self.patch(scene, body),
        }
    }

    /// Goes on with the provider's answer.
    pub(crate) fn resume(&mut self, scene: &mut Scene<'_>, response: Response) -> Result<Step> {
        let step = match std::mem::replace(&mut self.state, State::Begin) {
            State::ExpectCondition(body) => self.judged(scene, body, response),
            State::ExpectBefore(change) => self.with_state(scene, change, response),
            State::ExpectPart | State::ExpectAnswer if self.unchanged.is_some() && response.status == 412 => {
                let error =
                    "the resource was changed by somebody else meanwhile; nothing was changed, try again";
                Err(ScimError::new(503, error).with("retry-after", "1"))
            }
            State::ExpectMembers(members) => self.members_answered(scene, members, response),
            State::ExpectMatch(matching) => {
                let failed = matching.failed();
                self.match_answered(scene, *matching, response).map_err(|error| failed.unwrap_or(error))
            }
            State::ExpectPart => self.part_answered(scene, response),
            State::ExpectAnswer if response.status == 409 && self.matching.is_some() => {
                let error = self.succeeded(scene, &response).err().unwrap_or_else(not_found);
                self.look_again(scene, error)
            }
            State::ExpectAnswer => {
                let known = self.created_but_unseen(scene);
                self.finished(scene, response).or_else(|error| known.map(Step::Done).ok_or(error))
            }
            State::ExpectResource => self.resource_read(scene, Ok(response)),
            State::ExpectList(asked) => self.listed(scene, asked, response),
            State::ExpectPage(gather) => self.page(scene, gather, response),
            State::ExpectItem(bulk) => self.bulk_answer(scene, *bulk, Ok(response)),
            State::ExpectUnchanged(shadow) => self.observed(scene, shadow, response),
            State::Begin | State::ExpectGuard(..) => {
                Err(ScimError::new(500, "the gateway has lost track of this request"))
            }
        };
        step.map_err(|error| self.partly(error))
    }

    /// Goes on with the answer to [`Step::Ask`]: only an operation that asked gets one.
    pub(crate) fn answered(&mut self, scene: &mut Scene<'_>, answer: Answer) -> Result<Step> {
        match std::mem::replace(&mut self.state, State::Begin) {
            State::ExpectItem(bulk) => self.bulk_answered(scene, *bulk, answer),
            State::ExpectGuard(act, resume) => {
                let turn = resume.with(scene.now, answer);
                self.on_guard(scene, act, turn)
            }
            _ => Err(ScimError::new(500, "the gateway has lost track of this request")),
        }
    }

    /// Goes on when a call to the provider failed.
    pub(crate) fn fault(&mut self, scene: &mut Scene<'_>, error: ScimError) -> Result<Step> {
        match std::mem::replace(&mut self.state, State::Begin) {
            State::ExpectItem(bulk) => self.bulk_answer(scene, *bulk, Err(error)),
            State::ExpectResource => self.resource_read(scene, Err(error)),
            State::ExpectMatch(matching) => Err(matching.failed().unwrap_or(error)),
            State::ExpectAnswer if self.matching.is_some() => self.look_again(scene, error),
            State::ExpectPage(_) if error.status == 504 => {
                let detail = "the query takes longer than it may (`limits.time`); ask for fewer resources, or with a filter that the provider takes";
                Err(ScimError::new(504, detail))
            }
            _ => self.created_but_unseen(scene).map(Step::Done).ok_or_else(|| self.partly(error)),
        }
    }

    /// Reading by id: one call without a body.
    fn read(&mut self, scene: &Scene<'_>) -> Result<Step> {
        if self.pair(scene).is_none_or(|pair| pair.provider.is_none()) {
            return Err(not_found());
        }
        // A version is one of the whole resource, whatever of it is shown.
        let whole = scene.route.versions == Versions::Computed;
        let query = if whole { String::new() } else { self.read_query(scene)? };
        let call = self.call(scene, "GET", query, Vec::new())?;
        self.state = State::ExpectAnswer;
        Ok(Step::Last(call))
    }

    fn discovery(&self, scene: &Scene<'_>) -> Result<Step> {
        if self.request.query.get("filter").is_some() {
            // RFC 7644 section 4: "If a "filter" is provided, the service provider SHOULD respond with HTTP
            // status code 403".
            return Err(ScimError::new(403, "discovery endpoints take no filter; ask without it"));
        }
        let body = scene.route.discovery.answer(&self.request.endpoint, self.request.id.as_deref());
        Ok(Step::Done(json(200, body.ok_or_else(not_found)?)))
    }

    /// A call to the request's endpoint, complete but for the credential and the host's own fields.
    fn call(&self, scene: &Scene<'_>, method: &'static str, query: String, body: Vec<u8>) -> Result<Call> {
        let of = self.provider_type(scene).ok_or_else(not_found)?;
        let mut path = format!("{}/{}", scene.route.provider.path, of.endpoint);
        if let Some(id) = &self.request.id {
            let id = crate::http::path::encode_segment(id).ok_or_else(not_found)?;
            path.push('/');
            path.push_str(&id);
        }
        Ok(self.call_at(scene, method, path, &query, body))
    }

    fn call_at(
        &self,
        scene: &Scene<'_>,
        method: &'static str,
        mut path: String,
        query: &str,
        body: Vec<u8>,
    ) -> Call {
        if !query.is_empty() {
            path.push('?');
            path.push_str(query);
        }
        let mut headers = Headers::new();
        headers.push("accept", SCIM_JSON);
        headers.push("accept-encoding", "identity");
        if !body.is_empty() {
            headers.push("content-type", SCIM_JSON);
        }
        // A resource's state is read unconditionally: the condition belongs to the write that follows.
        let reads = matches!(self.request.kind, Kind::Read | Kind::List | Kind::Search);
        let before = method == "GET" && !reads;
        for (name, value) in self.request.passed.iter().filter(|(name, _)| !before || *name == "traceparent")
        {
            headers.push(name, value.as_slice());
        }
        for (name, value) in &scene.route.headers {
            headers.push(name, value.as_str());
        }
        Call {
            method,
            scheme: scene.route.provider.scheme,
            authority: scene.route.provider.authority(),
            cluster: scene.route.cluster.clone(),
            path,
            headers,
            body,
        }
    }

    fn pair<'a>(&self, scene: &Scene<'a>) -> Option<&'a Pair> {
        scene.route.mapping.pairs.get(self.request.pair?)
    }

    fn idp_type<'a>(&self, scene: &Scene<'a>) -> Option<&'a ResourceType> {
        scene.route.mapping.idp_type(self.pair(scene)?)
    }

    fn provider_type<'a>(&self, scene: &Scene<'a>) -> Option<&'a ResourceType> {
        scene.route.mapping.provider_type(self.pair(scene)?)
    }

    fn unsupported(&self, scene: &Scene<'_>) -> ScimError {
        let name = self.idp_type(scene).map_or("resource", |of| &of.name);
        let title = &scene.route.provider_title;
        let route = &scene.route.name;
        ScimError::new(
            501,
            format!(
                "{title} has no {name}s, so that route `{route}` cannot write them; turn off the provisioning of {name}s in the IdP"
            ),
        )
    }

    fn read_depth(scene: &Scene<'_>) -> u32 {
        u32::try_from(scene.gateway.limits.depth).unwrap_or(u32::MAX)
    }

    /// Rewrites every reference that lies under one base to the other.
    fn rebase(document: &mut Document, root: NodeId, vocabulary: &crate::schema::Vocabulary, way: Bases<'_>) {
        let mut moved = Vec::new();
        way.moved(document, root, vocabulary, &mut moved);
        for (node, text) in moved {
            let value = document.new_string(&text);
            document.assign(node, value);
        }
    }
}

/// Where references lie and where they are to lie.
#[derive(Clone, Copy)]
struct Bases<'a> {
    from: &'a crate::http::url::Url,
    to: &'a crate::http::url::Url,
}

impl Bases<'_> {
    /// The references below a node that lie elsewhere afterwards, and where.
    fn moved(
        self,
        document: &Document,
        root: NodeId,
        vocabulary: &crate::schema::Vocabulary,
        moved: &mut Vec<(NodeId, String)>,
    ) {
        for (node, attr) in document.bound(root).filter(|(_, attr)| vocabulary.has_references(*attr)) {
            if vocabulary.attribute(attr).kind == crate::schema::Type::Reference
                && let Some(text) = document.string(node)
                && let Some(other) = crate::http::url::rebase(self.from, self.to, &text)
                && *text != *other
            {
                moved.push((node, other));
            }
            self.moved(document, node, vocabulary, moved);
        }
    }
}

/// An answer with a body.
fn json(status: u16, body: Vec<u8>) -> Response {
    let mut headers = Headers::new();
    if !body.is_empty() {
        headers.push("content-type", SCIM_JSON);
    }
    headers.push("cache-control", "no-store");
    Response { status, headers, body }
}

fn not_found() -> ScimError {
    ScimError::new(404, "there is no such resource")
}
