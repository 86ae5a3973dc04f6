//! Who may use a route: the ways in that it accepts, judged one after the other, and its 401 challenge.
//!
//! Secrets are compared first, all of them and in constant time. Then come what the host verified, the tokens the
//! route issues itself, and at last tokens that take a signature or a question to judge, and passwords that take a slow
//! hash. The first way that accepts a request lets it in, and the audit record names it. Verdicts that were not had at
//! once are kept for a short time under a digest of everything the route accepts, so that none outlives its
//! configuration or counts elsewhere.

mod claims;
mod introspection;
mod jwt;
mod keys;
mod limits;
mod password;
mod peer;
mod presented;
mod secret;
pub(crate) mod server;

use std::net::IpAddr;
use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable};

pub(crate) use self::claims::{Claims, Requirement};
pub(crate) use self::introspection::Introspection;
pub(crate) use self::jwt::Jwt;
pub(crate) use self::keys::{Endpoint, Place, Source};
pub(crate) use self::limits::{Limits, Network, Rate};
pub(crate) use self::password::{BadHash, Hash};
pub(crate) use self::peer::{Client, Verified};
pub(crate) use self::secret::{Proof, Secret};

use self::introspection::Told;
use self::jwt::{Signed, judge_signed};
use self::presented::Presented;
use self::secret::Shown;
use self::server::Server;
use crate::discovery::AuthenticationScheme;
use crate::errand::{Answer, Need, Turn, Verify};
use crate::error::ScimError;
use crate::http::{Peer, Request};
use crate::jose::Token;
use crate::store::{self, StoreClass, StoreOperation, StoreRequest, Stored};

/// The compiled access rules of a route.
#[derive(Debug)]
pub(crate) struct Access {
    realm: String,
    open: bool,
    /// A token without a scheme counts as a bearer token.
    bare: bool,
    methods: Vec<Method>,
    /// The route's own authorization server.
    server: Option<Arc<Server>>,
    /// Stands for all of this in the store.
    digest: [u8; 32],
    /// The algorithms (JWA names) that the host verifies.
    host: &'static [&'static str],
}

/// One way in.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its name, for people and audit records.
    pub(crate) name: String,
    /// What it may be used for.
    pub(crate) limits: Limits,
    /// How it is judged.
    pub(crate) kind: Kind,
}

/// How a way in is judged.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A bearer token or a password.
    Secret(Secret),
    /// A client certificate.
    Client(Client),
    /// Claims that the host verified.
    Verified(Verified),
    /// A token that its issuer signed.
    Jwt(Box<Jwt>),
    /// A token that its issuer is asked about.
    Introspection(Box<Introspection>),
    /// A token that the route's own server gave to the client of that number.
    Issued(usize),
}

/// The outcome.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Go on; which way in it was, none on an open route.
    Accepted(Option<usize>),
    /// 401, and nothing is forwarded.
    Refused(Refusal),
    /// 429: the way in was used too often, or, without one, too many passwords were tried; come back after so many
    /// seconds.
    Busy(Option<usize>, u64),
    /// 503: whoever has to judge the token cannot be asked.
    Unavailable,
}

/// Why a request is refused: what comes later in the list says more about a token.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Refusal {
    /// Nothing was presented that could let anyone in.
    Missing,
    /// There is more than one Authorization field, or a list in it.
    Several,
    /// Nothing that is configured.
    Unknown,
    /// A token of another issuer.
    Issuer,
    /// A token for somebody else.
    Audience,
    /// A token without a claim that the route asks for.
    Claims,
    /// The Authorization field has no credential of its scheme, or a signed token is not of the form of one.
    Malformed,
    /// A token that never ends.
    Endless,
    /// A token signed with another algorithm than configured, or not at all.
    Algorithm,
    /// A token whose header asks for something that is not done.
    Header,
    /// A token made for another purpose.
    Type,
    /// A token signed with a key that its issuer does not have.
    Key,
    /// A token whose signature is wrong.
    Signature,
    /// Before its first moment.
    NotYet,
    /// After its last moment.
    Expired,
    /// From an address that it may not come from.
    Network,
}

impl Verdict {
    /// Why nobody is let in, as metrics and audit records name it.
    pub(crate) const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Accepted(_) => None,
            Self::Refused(refusal) => Some(refusal.as_str()),
            Self::Busy(..) => Some("rate"),
            Self::Unavailable => Some("unavailable"),
        }
    }
}

impl Method {
    fn is_password(&self) -> bool {
        matches!(&self.kind, Kind::Secret(secret) if secret.has_user())
    }

    /// True shortly before its end, where the configuration says when that is.
    pub(crate) const fn ends_soon(&self, now: u64) -> bool {
        matches!(&self.kind, Kind::Secret(secret) if secret.expires() <= now.saturating_add(SOON))
    }
}

impl Refusal {
    /// The reason as metrics and audit records name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Several => "several",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Claims => "claims",
            Self::Endless => "endless",
            Self::Algorithm => "algorithm",
            Self::Header => "header",
            Self::Type => "type",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::NotYet => "notYet",
            Self::Expired => "expired",
            Self::Network => "network",
        }
    }
}

impl Access {
    /// A route that these ways in, and no others, lead to. `digest` stands for them as configured.
    pub(crate) fn new(realm: &str, bare: bool, methods: Vec<Method>, digest: [u8; 32]) -> Self {
        Self { realm: realm.to_owned(), open: false, bare, methods, server: None, digest, host: &[] }
    }

    /// A route that anyone may use: for a gateway on this machine only.
    pub(crate) fn open(realm: &str) -> Self {
        Self { open: true, ..Self::new(realm, false, Vec::new(), [0; 32]) }
    }

    /// Lets the host verify signatures of these algorithms.
    pub(crate) fn with_host(self, host: &'static [&'static str]) -> Self {
        Self { host, ..self }
    }

    /// Adds the route's own authorization server, whose clients are ways in.
    pub(crate) fn with_server(self, server: Server) -> Self {
        Self { server: Some(Arc::new(server)), ..self }
    }

    /// The route's own authorization server.
    pub(crate) const fn server(&self) -> Option<&Arc<Server>> {
        self.server.as_ref()
    }

    /// The way in of a client of the route's own server.
    pub(crate) fn client(&self, number: usize) -> Option<&Method> {
        self.methods.iter().find(|method| matches!(method.kind, Kind::Issued(of) if of == number))
    }

    /// All ways in.
    pub(crate) fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// How an IdP may authenticate, for ServiceProviderConfig.
    pub(crate) fn schemes(&self) -> Vec<&'static AuthenticationScheme> {
        let token = |method: &Method| !method.is_password() && !matches!(method.kind, Kind::Client(_));
        let bearer = self.methods.iter().any(token).then_some(&AuthenticationScheme::BEARER);
        let basic = self.passwords().then_some(&AuthenticationScheme::BASIC);
        bearer.into_iter().chain(basic).collect()
    }

    /// True where a password could let somebody in.
    fn passwords(&self) -> bool {
        self.methods.iter().any(Method::is_password)
    }

    /// The value of `WWW-Authenticate`: the schemes, and an error where a token was presented (RFC 6750 3).
    pub(crate) fn challenge(&self, refusal: Refusal) -> String {
        let error = if refusal == Refusal::Missing { "" } else { ", error=\"invalid_token\"" };
        let realm = &self.realm;
        let basic = match self.passwords() {
            true => format!(", Basic realm=\"{realm}\""),
            false => String::new(),
        };
        format!("Bearer realm=\"{realm}\"{error}{basic}")
    }

    /// The way in that a verdict is about.
    pub(crate) fn way(&self, verdict: &Verdict) -> Option<&Method> {
        match verdict {
            Verdict::Accepted(number) => self.methods.get((*number)?),
            Verdict::Busy(number, _) => self.methods.get((*number)?),
            Verdict::Refused(_) | Verdict::Unavailable => None,
        }
    }

    /// What a verdict means: the way in, or the answer to the IdP.
    pub(crate) fn outcome(&self, verdict: &Verdict) -> Result<Option<&Method>, ScimError> {
        let realm = &self.realm;
        match verdict {
            Verdict::Accepted(_) => Ok(self.way(verdict)),
            Verdict::Refused(refusal) => {
                let bearer = |method: &Method| !matches!(method.kind, Kind::Client(_) | Kind::Verified(_));
                let what = if self.methods.iter().all(bearer) { "bearer token" } else { "credential" };
                let detail = format!("route `{realm}` needs a {what} that it accepts");
                Err(ScimError::new(401, detail).with("www-authenticate", self.challenge(*refusal)))
            }
            Verdict::Busy(number, seconds) => {
                let detail = match number {
                    Some(_) => format!("route `{realm}` is asked too often with this credential"),
                    None => format!("too many passwords were tried on route `{realm}`"),
                };
                Err(ScimError::new(429, detail).with("retry-after", seconds.to_string()))
            }
            Verdict::Unavailable => {
                let detail = format!("who judges credentials for route `{realm}` cannot be asked; try again");
                Err(ScimError::new(503, detail).with("retry-after", "10"))
            }
        }
    }

    /// Judges a request, at once or with what has to be asked for; `now` is Unix time in milliseconds.
    pub(crate) fn begin(self: &Arc<Self>, request: &Request, now: u64) -> Turn<Verdict> {
        if self.open {
            return Turn::Ready(Verdict::Accepted(None));
        }
        let presented = match Presented::read(&request.headers, self.bare) {
            Ok(presented) => presented,
            Err(refusal) => return Turn::Ready(Verdict::Refused(refusal)),
        };
        let peer = &request.peer;
        let shown = Shown::of(&presented);
        match (self.at_once(&presented, shown.as_ref(), peer, now), presented, shown) {
            (Ok(number), ..) => self.admit(number, peer),
            (Err(Refusal::Unknown), Presented::Token(token), Some(shown)) if self.asks() => {
                let case = Case {
                    token: Arc::from(token),
                    peer: peer.clone(),
                    reason: Refusal::Unknown,
                    down: false,
                };
                let mark = shown.mark();
                Arc::clone(self).recall(mark, peer, move |this, now| this.prove(now, case, mark))
            }
            (Err(Refusal::Unknown), Presented::Basic { password, .. }, Some(shown))
                if self.slow(0).is_some() =>
            {
                let tried =
                    Try { password, mark: shown.mark(), shown, peer: peer.clone(), found: None, down: false };
                Arc::clone(self).recall(tried.mark, peer, move |this, _| this.attempt(tried))
            }
            (Err(refusal), ..) => Turn::Ready(Verdict::Refused(refusal)),
        }
    }

    /// True where a token of others could let somebody in.
    fn asks(&self) -> bool {
        self.methods.iter().any(|method| matches!(method.kind, Kind::Jwt(_) | Kind::Introspection(_)))
    }

    /// The ways in that need nothing from elsewhere.
    fn at_once(
        &self,
        presented: &Presented,
        shown: Option<&Shown>,
        peer: &Peer,
        now: u64,
    ) -> Result<usize, Refusal> {
        let mut refusal = match presented {
            Presented::Nothing => Refusal::Missing,
            // A scheme that the route does not take is none.
            Presented::Basic { .. } if !self.passwords() => Refusal::Missing,
            Presented::Token(_) | Presented::Basic { .. } => Refusal::Unknown,
        };
        if let Some(shown) = shown {
            let mut found = u32::MAX;
            for (index, method) in (0_u32..).zip(&self.methods) {
                if let Kind::Secret(secret) = &method.kind {
                    found.conditional_assign(&index, secret.is(shown));
                }
            }
            // From here on only the presenter of a right secret can see a difference.
            let index = usize::try_from(found).unwrap_or(usize::MAX);
            if let Some(Method { kind: Kind::Secret(secret), .. }) = self.methods.get(index) {
                match secret.at(now) {
                    Ok(()) => return Ok(index),
                    Err(reason) => refusal = refusal.max(reason),
                }
            }
        }
        for (index, method) in self.methods.iter().enumerate() {
            let judged = match &method.kind {
                Kind::Client(client) => client.judge(peer),
                Kind::Verified(verified) => verified.judge(peer, now),
                Kind::Secret(_) | Kind::Jwt(_) | Kind::Introspection(_) | Kind::Issued(_) => continue,
            };
            match judged {
                Ok(()) => return Ok(index),
                Err(reason) => refusal = refusal.max(reason),
            }
        }
        if let (Some(server), Presented::Token(token)) = (&self.server, presented) {
            match server.accepts(token, now) {
                Ok(client) => {
                    let of = |method: &Method| matches!(method.kind, Kind::Issued(of) if of == client);
                    return self.methods.iter().position(of).ok_or(Refusal::Unknown);
                }
                Err(reason) => refusal = refusal.max(reason),
            }
        }
        Err(refusal)
    }

    /// Lets in by a way, within its limits.
    fn admit(&self, number: usize, peer: &Peer) -> Turn<Verdict> {
        let Some(method) = self.methods.get(number) else {
            return Turn::Ready(Verdict::Refused(Refusal::Unknown));
        };
        if !method.limits.admits(peer.address) {
            return Turn::Ready(Verdict::Refused(Refusal::Network));
        }
        let Some(rate) = method.limits.rate else {
            return Turn::Ready(Verdict::Accepted(Some(number)));
        };
        let key = store::key("rate", &self.digest, method.name.as_bytes());
        let accepted = move |_| Turn::Ready(Verdict::Accepted(Some(number)));
        within(rate, (key, StoreClass::Shared), Some(number), accepted)
    }

    /// Looks for a verdict that still counts on what has this mark, or judges it.
    fn recall(
        self: Arc<Self>,
        mark: [u8; 32],
        peer: &Peer,
        judge: impl FnOnce(Arc<Self>, u64) -> Turn<Verdict> + Send + Sync + 'static,
    ) -> Turn<Verdict> {
        let peer = peer.clone();
        Turn::ask(self.verdicts(&mark, StoreOperation::Get), move |now, answer| {
            let kept = match answer {
                Answer::Stored(Stored::Value { value: Some(value), .. }) => Kept::read(&value),
                _ => None,
            };
            match kept.filter(|kept| kept.mark == mark && now < kept.until) {
                Some(kept) => self.admit(kept.method, &peer),
                None => judge(self, now),
            }
        })
    }

    /// The next password with a slow hash, from that way in on.
    fn slow(&self, from: usize) -> Option<(usize, &Secret, &Hash)> {
        self.methods.iter().enumerate().skip(from).find_map(|(number, method)| match &method.kind {
            Kind::Secret(secret) => Some((number, secret, secret.hash()?)),
            _ => None,
        })
    }

    /// Tries a password, if not too many were tried. They are counted before the work is done: many at once are as
    /// many; one that is right is not tried again while its verdict is kept.
    fn attempt(self: Arc<Self>, tried: Try) -> Turn<Verdict> {
        let address = match tried.peer.address.map(|address| address.to_canonical()) {
            None => Vec::new(),
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            // One client has a whole network.
            Some(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
        };
        let local = |of: &[u8]| (store::key("tries", &self.digest, of), StoreClass::Local);
        let (own, all) = (local(&address), local(b"all"));
        within(TRIES_OF_ONE, own, None, move |_| {
            within(TRIES_OF_ALL, all, None, move |now| self.compare(now, 0, tried))
        })
    }

    /// Compares a password with all that have a slow hash, from that way in on: what takes time is the same whether
    /// the user's name is known or not.
    fn compare(self: Arc<Self>, now: u64, from: usize, mut tried: Try) -> Turn<Verdict> {
        let Some((number, _, hash)) = self.slow(from) else {
            let Some(Method { kind: Kind::Secret(secret), .. }) =
                tried.found.and_then(|at| self.methods.get(at))
            else {
                return Turn::Ready(match tried.down {
                    true => Verdict::Unavailable,
                    false => Verdict::Refused(Refusal::Unknown),
                });
            };
            let (number, expires) = (tried.found.unwrap_or_default(), secret.expires());
            return match secret.at(now) {
                Ok(()) => self.keep(now, number, expires, &tried.peer, tried.mark),
                Err(reason) => Turn::Ready(Verdict::Refused(reason)),
            };
        };
        let verify = Verify {
            algorithm: hash.algorithm(),
            key: hash.as_str().as_bytes().to_vec(),
            message: tried.password.clone(),
            signature: Vec::new(),
        };
        Turn::ask(Need::Verify(verify), move |now, answer| {
            match (answer, self.slow(number)) {
                (Answer::Verified(right), Some((_, secret, _))) => {
                    if bool::from(secret.is_of(&tried.shown) & Choice::from(u8::from(right))) {
                        tried.found = tried.found.or(Some(number));
                    }
                }
                _ => tried.down = true,
            }
            self.compare(now, number + 1, tried)
        })
    }

    /// Judges a token of others by every way in that takes one.
    fn prove(self: Arc<Self>, now: u64, mut case: Case, mark: [u8; 32]) -> Turn<Verdict> {
        // Any text may be a token for whoever is asked about it; one without a dot was never meant to be signed.
        let token = match Token::parse(&case.token) {
            Ok(token) => Some(Arc::new(token)),
            Err(broken) => {
                if case.token.contains(&b'.') {
                    case.note(broken.into());
                }
                None
            }
        };
        self.next(now, 0, case, token, mark)
    }

    /// Goes on with the way in of that number.
    fn next(
        self: Arc<Self>,
        now: u64,
        number: usize,
        mut case: Case,
        token: Option<Arc<Token>>,
        mark: [u8; 32],
    ) -> Turn<Verdict> {
        let Some(method) = self.methods.get(number) else {
            return Turn::Ready(match case.down {
                true => Verdict::Unavailable,
                false => Verdict::Refused(case.reason),
            });
        };
        match (&method.kind, &token) {
            (Kind::Jwt(jwt), Some(parsed)) => match jwt.judge(parsed, now) {
                Ok(expires) => {
                    let signed = judge_signed(jwt, Arc::clone(parsed), self.host, now);
                    signed.then(now, move |now, signed| {
                        match signed {
                            Signed::Right => return self.keep(now, number, expires, &case.peer, mark),
                            Signed::Wrong(reason) => case.note(reason),
                            Signed::Unreachable => case.down = true,
                        }
                        self.next(now, number + 1, case, token, mark)
                    })
                }
                Err(reason) => {
                    case.note(reason);
                    self.next(now, number + 1, case, token, mark)
                }
            },
            (Kind::Introspection(issuer), _) => {
                let text = String::from_utf8_lossy(&case.token);
                Turn::ask(issuer.ask(&text), move |now, answer| {
                    let told = match self.methods.get(number).map(|method| &method.kind) {
                        Some(Kind::Introspection(issuer)) => issuer.told(now, answer),
                        _ => Told::Unreachable,
                    };
                    match told {
                        Told::Active(until) => return self.keep(now, number, until, &case.peer, mark),
                        Told::Refused(reason) => case.note(reason),
                        Told::Unreachable => case.down = true,
                    }
                    self.next(now, number + 1, case, token, mark)
                })
            }
            _ => self.next(now, number + 1, case, token, mark),
        }
    }

    /// Keeps a good verdict, and lets in.
    fn keep(
        self: Arc<Self>,
        now: u64,
        number: usize,
        until: u64,
        peer: &Peer,
        mark: [u8; 32],
    ) -> Turn<Verdict> {
        let until = until.min(now.saturating_add(KEPT));
        let ttl = until.saturating_sub(now);
        if ttl == 0 {
            // Only the leeway holds it up: the next request asks again.
            return self.admit(number, peer);
        }
        let peer = peer.clone();
        let value = Kept { mark, method: number, until }.write();
        let put = StoreOperation::Put { expect: None, value, ttl };
        Turn::ask(self.verdicts(&mark, put), move |_, _| self.admit(number, &peer))
    }

    fn verdicts(&self, mark: &[u8; 32], operation: StoreOperation) -> Need {
        let key = store::key("verdict", &self.digest, &store::slot(mark, SLOTS));
        Need::Store(StoreRequest { key, class: StoreClass::Local, secret: true, operation })
    }
}

/// A token of others under judgement.
#[derive(Debug)]
struct Case {
    token: Arc<[u8]>,
    peer: Peer,
    /// Why it is refused so far.
    reason: Refusal,
    /// Somebody who had to be asked could not be.
    down: bool,
}

impl Case {
    /// The reason that says most is the one to report.
    fn note(&mut self, reason: Refusal) {
        self.reason = self.reason.max(reason);
    }
}

/// A password under judgement.
struct Try {
    password: Vec<u8>,
    shown: Shown,
    mark: [u8; 32],
    peer: Peer,
    /// The way in that it is right for.
    found: Option<usize>,
    /// The host could not say whether it is right.
    down: bool,
}

/// Goes on where something was not done too often; it counts as done from now on. `number`: with which way in.
fn within(
    Rate { max, per }: Rate,
    (key, class): ([u8; 32], StoreClass),
    number: Option<usize>,
    next: impl FnOnce(u64) -> Turn<Verdict> + Send + Sync + 'static,
) -> Turn<Verdict> {
    let operation = StoreOperation::Add { delta: 1, ttl: per };
    let request = StoreRequest { key, class, secret: false, operation };
    Turn::ask(Need::Store(request), move |now, answer| match answer {
        Answer::Stored(Stored::Number(count)) if u64::try_from(count).is_ok_and(|count| count <= max) => {
            next(now)
        }
        Answer::Stored(Stored::Number(_)) => Turn::Ready(Verdict::Busy(number, per.div_ceil(1000))),
        // What cannot be counted cannot be limited.
        _ => Turn::Ready(Verdict::Unavailable),
    })
}

/// A verdict in the store.
struct Kept {
    /// The mark of what was presented.
    mark: [u8; 32],
    /// By which way it was let in.
    method: usize,
    /// Until when that counts, Unix milliseconds.
    until: u64,
}

impl Kept {
    fn write(&self) -> Vec<u8> {
        let method = u64::try_from(self.method).unwrap_or(u64::MAX);
        [self.mark.as_slice(), &method.to_le_bytes(), &self.until.to_le_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_first_chunk()?;
        let (method, rest) = rest.split_first_chunk()?;
        let until = u64::from_le_bytes(rest.try_into().ok()?);
        let method = usize::try_from(u64::from_le_bytes(*method)).ok()?;
        Some(Self { mark: *mark, method, until })
    }
}

/// Milliseconds for which a verdict is kept at the most: a key that is withdrawn counts no longer than that.
const KEPT: u64 = 5 * 60_000;

/// How many passwords may be tried from one address, and on one route: a slow hash of each is computed.
const TRIES_OF_ONE: Rate = Rate { max: 10, per: 60_000 };
const TRIES_OF_ALL: Rate = Rate { max: 100, per: 60_000 };

/// Milliseconds before its end from which a secret is counted as ending soon: two weeks.
const SOON: u64 = 14 * 86_400_000;

/// Verdicts of a route that are kept at a time.
const SLOTS: u32 = 256;

#[cfg(test)]
mod tests;
