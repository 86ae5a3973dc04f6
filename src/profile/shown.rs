//! What a provider wants to be shown: header fields, a session's token with writes, and token flows of its own.

use crate::config::{self, Fields, Item, Named, Part, Problems, duration, headers, plain, signer};
use crate::credential::{
    Access, Body, Credential, Endpoint, Flow, Life, Proof, Session, Step, Template, Tree,
};
use crate::http::path::encode_segment;
use crate::http::url::Url;

/// What a provider wants to be shown.
#[derive(Debug, Default)]
pub(crate) struct ShownFacts {
    /// Fields of every request.
    pub(crate) headers: Vec<(String, String)>,
    /// Writes carry the token of a session.
    pub(crate) session: bool,
    /// Token flows by name.
    flows: Vec<(String, Part)>,
}

impl ShownFacts {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let flows = fields.opt("credentials").and_then(|item| item.entries()).unwrap_or_default();
        Self {
            headers: fields.opt("headers").map(|item| headers(&item)).unwrap_or_default(),
            session: fields.opt_bool("csrf").unwrap_or(false),
            flows: flows.into_iter().map(|(name, item)| (name.to_owned(), Part::of(&item))).collect(),
        }
    }

    /// The flow of that name for a provider at `place`, with the inputs that a route gives.
    pub(crate) fn flow(
        &self,
        named: &Named,
        place: &Endpoint,
        headers: &[(String, String)],
        problems: &Problems<'_>,
    ) -> Option<Credential> {
        let name_item = named.name.item(problems);
        let name = name_item.text()?;
        let Some((_, part)) = self.flows.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = self.flows.iter().map(|(name, _)| name.as_str()).collect();
            let remedy = match known.as_slice() {
                [] => "the provider's profile has none: use `bearer`, `basic` or `oauth`".to_owned(),
                known => format!("write {}", config::either(known.iter().copied())),
            };
            name_item.error(config::CREDENTIAL, format!("there is no token flow `{name}`"), remedy);
            return None;
        };
        let mut fields = part.item(problems).fields()?;
        let _ = fields.opt_text("title");
        let declared = fields.opt("inputs").and_then(|item| item.entries()).unwrap_or_default();
        let steps = fields.opt_list("steps");
        fields.finish();
        let inputs = inputs(&declared, named, &name_item, problems)?;
        let reader = Reader { inputs: &inputs, place, headers };
        let steps: Vec<Step> = steps.iter().map(|item| reader.step(item)).collect::<Option<_>>()?;
        if steps.is_empty() {
            part.item(problems).error(config::BAD_VALUE, "a token flow has at least one step", "add `steps`");
            return None;
        }
        let (text, url) = (part.value.to_string(), place.url.to_string());
        let mut identity: Vec<&[u8]> = vec![url.as_bytes(), text.as_bytes()];
        for (name, value) in &inputs {
            identity.extend([name.as_bytes(), value.0.as_bytes()]);
        }
        Some(Credential::fetched(Flow::new(steps, &identity), named.expires))
    }

    /// The session of a provider's writes, which reading the first of its users opens.
    pub(crate) fn opens(&self, place: &Endpoint, headers: &[(String, String)]) -> Option<Session> {
        self.session.then(|| Session::new(place.clone(), headers.to_vec()))
    }
}

/// An input's value and its place.
type Input<'a> = (String, Item<'a>);

/// The inputs of a flow: all that it declares, and no others.
fn inputs<'a>(
    declared: &[(&str, Item<'_>)],
    named: &'a Named,
    place: &Item<'_>,
    problems: &'a Problems<'a>,
) -> Option<Vec<(String, Input<'a>)>> {
    let given = named.with.as_ref().map(|part| part.item(problems).entries()).unwrap_or_default();
    let mut given = given.unwrap_or_default();
    let mut read = Vec::new();
    let mut complete = true;
    for (name, kind) in declared {
        let secret = kind.choice(&[("secret", true), ("text", false)])?;
        let Some(at) = given.iter().position(|(known, _)| known == name) else {
            let message = format!("the token flow needs `{name}`");
            place.error(config::CREDENTIAL, message, format!("add `{name}` to `with`"));
            complete = false;
            continue;
        };
        let (_, item) = given.remove(at);
        let Some(text) = item.text() else {
            complete = false;
            continue;
        };
        if secret {
            plain(&item);
        }
        read.push(((*name).to_owned(), (text.to_owned(), item)));
    }
    for (name, item) in given {
        let known = config::nearest(name, declared.iter().map(|(name, _)| *name));
        let remedy = known.map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
        item.error(config::UNKNOWN_KEY, format!("the token flow has no input `{name}`"), remedy);
        complete = false;
    }
    complete.then_some(read)
}

struct Reader<'a> {
    inputs: &'a [(String, Input<'a>)],
    place: &'a Endpoint,
    headers: &'a [(String, String)],
}

impl Reader<'_> {
    fn step(&self, item: &Item<'_>) -> Option<Step> {
        let mut fields = item.fields()?;
        let path = fields.need("path");
        let basic = fields.opt("basic");
        let bearer = fields.opt("bearer");
        let form = fields.opt("form");
        let json = fields.opt("json");
        let sign = fields.opt("sign");
        let token = fields.text("token");
        let life = fields.opt("life").and_then(|item| life(&item));
        fields.finish();
        let access = match (basic, bearer) {
            (Some(item), None) => {
                let list = item.list()?;
                let [user, password] = list.as_slice() else {
                    item.error(config::BAD_VALUE, "this is a user's name and a password", "write two texts");
                    return None;
                };
                Access::Basic(self.text(user)?, self.text(password)?)
            }
            (None, Some(item)) => Access::Bearer(self.text(&item)?),
            (None, None) => Access::Body,
            (Some(item), Some(_)) => {
                item.error(config::BAD_VALUE, "a request has one Authorization field", "keep one of the two");
                return None;
            }
        };
        let body = match (form, json) {
            (Some(item), None) => {
                let fields = item.entries()?.into_iter();
                Body::Form(
                    fields
                        .map(|(name, item)| Some((name.to_owned(), self.text(&item)?)))
                        .collect::<Option<_>>()?,
                )
            }
            (None, Some(item)) => Body::Json(Tree::read(item.value, &mut |text| self.template(text, &item))?),
            (None, None) => Body::None,
            (Some(item), Some(_)) => {
                item.error(config::BAD_VALUE, "a request has one body", "keep one of `form` and `json`");
                return None;
            }
        };
        Some(Step {
            endpoint: self.endpoint(&path?)?,
            access,
            body,
            headers: self.headers.to_vec(),
            proof: match sign {
                Some(item) => Some(self.proof(&item)?),
                None => None,
            },
            token: token?.to_owned(),
            life: life.unwrap_or(Life { member: None, default: DEFAULT_LIFE }),
        })
    }

    /// A path on the provider's own host; inputs are segments of it.
    fn endpoint(&self, item: &Item<'_>) -> Option<Endpoint> {
        let text = item.text()?;
        let mut path = String::new();
        for (at, part) in text.split('/').enumerate() {
            if at > 0 {
                path.push('/');
            }
            match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => {
                    let found = self.inputs.iter().find(|(known, _)| known == name);
                    let Some((_, (value, place))) = found else {
                        self.unknown(item, name);
                        return None;
                    };
                    let Some(segment) = encode_segment(value) else {
                        place.error(config::CREDENTIAL, "this cannot stand in a path", "write the bare id");
                        return None;
                    };
                    path.push_str(&segment);
                }
                None => path.push_str(part),
            }
        }
        if !path.starts_with('/') || crate::http::path::Target::parse(path.as_bytes()).is_err() {
            item.error(config::BAD_VALUE, "this is not a path", "write it from `/` on");
            return None;
        }
        let url = Url { path: String::new(), ..self.place.url.clone() };
        Some(Endpoint { url, rest: path, cluster: self.place.cluster.clone() })
    }

    fn proof(&self, item: &Item<'_>) -> Option<Proof> {
        let mut fields = item.fields()?;
        let key = fields.need("key");
        let algorithm = fields.opt_text("algorithm");
        let claims = fields.opt("claims").and_then(|item| item.entries()).unwrap_or_default();
        let life = fields.opt("life").and_then(|item| duration(&item, &(10_000..=600_000)));
        let back = fields.opt("back").and_then(|item| duration(&item, &(0..=300_000)));
        fields.finish();
        let key = key?;
        let name = key.text()?;
        let Some((_, (pem, place))) = self.inputs.iter().find(|(known, _)| known == name) else {
            self.unknown(&key, name);
            return None;
        };
        let claims = claims.into_iter().map(|(name, item)| Some((name.to_owned(), self.text(&item)?)));
        Some(Proof {
            signer: signer(place, pem, algorithm, None)?,
            claims: claims.collect::<Option<_>>()?,
            life: life.unwrap_or(60_000),
            back: back.unwrap_or(0),
        })
    }

    fn text(&self, item: &Item<'_>) -> Option<Template> {
        self.template(item.text()?, item)
    }

    fn template(&self, text: &str, item: &Item<'_>) -> Option<Template> {
        let input = |name: &str| {
            self.inputs.iter().find(|(known, _)| known == name).map(|(_, (value, _))| value.clone())
        };
        Template::read(text, input).map_err(|name| self.unknown(item, &name)).ok()
    }

    fn unknown(&self, item: &Item<'_>, name: &str) {
        let known = self.inputs.iter().map(|(name, _)| name.as_str());
        let remedy = match config::nearest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "add it to the flow's `inputs`".to_owned(),
        };
        item.error(config::BAD_VALUE, format!("the token flow has no input `{name}`"), remedy);
    }
}

fn life(item: &Item<'_>) -> Option<Life> {
    let mut fields = item.fields()?;
    let member = fields.opt_text("member").map(str::to_owned);
    let default = fields.opt("default").and_then(|item| duration(&item, &(1_000..=LONGEST)));
    fields.finish();
    Some(Life { member, default: default.unwrap_or(DEFAULT_LIFE) })
}

/// Milliseconds a token is kept where nobody says how long it is good, and the longest that may be said.
const DEFAULT_LIFE: u64 = 60 * 60 * 1000;
const LONGEST: u64 = 400 * 24 * DEFAULT_LIFE;

/// The inputs that a flow declares, for tests: name, and whether it is a secret.
#[cfg(test)]
impl ShownFacts {
    pub(crate) fn declared(&self) -> Vec<(String, Vec<String>)> {
        let names = |part: &Part| {
            let inputs = part.value.get("inputs").and_then(serde_json::Value::as_object);
            inputs.map(|inputs| inputs.keys().cloned().collect()).unwrap_or_default()
        };
        self.flows.iter().map(|(name, part)| (name.clone(), names(part))).collect()
    }
}
