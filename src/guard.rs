//! Guards: how many resources may be deactivated or deleted in a time, counted over all instances of the gateway.
//!
//! What is counted are different resources: a request that comes again counts once. A write that then fails at the
//! provider has been counted all the same.

use crate::config::{self, Fields, Item, Part, duration};
use crate::errand::{Answer, Need, Turn};
use crate::error::ScimError;
use crate::store::{self, StoreClass, StoreOperation, StoreRequest, Stored};

/// What a guard counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    /// Access is taken, and can be given back.
    Deactivate,
    /// The resource is gone.
    Delete,
}

impl Act {
    /// The word in the configuration, records and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
        }
    }
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Most {
    /// Different resources.
    max: usize,
    /// Milliseconds.
    per: u64,
}

/// The counting guards of a route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    route: String,
    deactivate: Option<Most>,
    delete: Option<Most>,
}

/// A guard lets a write pass, or says why not.
pub(crate) type Judged = Result<(), ScimError>;

impl Guard {
    /// Reads `deactivate` and `delete` of a route's `guard`.
    pub(crate) fn read(route: &str, fields: &mut Fields<'_>, atomic: bool) -> Self {
        let mut most = |key| {
            let item = fields.opt(key)?;
            if !atomic {
                let message =
                    "instances of this host cannot count together, so that this guard would not hold";
                item.error(
                    config::GUARD,
                    message,
                    "give the host a store that all instances share, or remove it",
                );
            }
            most(&item)
        };
        Self { route: route.to_owned(), deactivate: most("deactivate"), delete: most("delete") }
    }

    fn most(&self, act: Act) -> Option<Most> {
        match act {
            Act::Deactivate => self.deactivate,
            Act::Delete => self.delete,
        }
    }

    /// True where something is counted.
    pub(crate) fn counts(&self, act: Act) -> bool {
        self.most(act).is_some()
    }

    /// Lets one resource be deactivated or deleted, if not too many others were. `resource` is its type and id, `now`
    /// Unix time in milliseconds.
    pub(crate) fn judge(&self, act: Act, resource: &str, now: u64) -> Turn<Judged> {
        let Some(most) = self.most(act) else { return Turn::Ready(Ok(())) };
        let numbers = [most.max as u64, most.per].map(u64::to_be_bytes).concat();
        let owner = store::digest(&[self.route.as_bytes(), act.as_str().as_bytes(), &numbers]);
        let [a, b, c, d, e, f, g, h, ..] = store::digest(&[resource.as_bytes()]);
        let count = Count {
            act,
            most,
            route: self.route.clone(),
            key: store::key("guard", &owner, b""),
            resource: [a, b, c, d, e, f, g, h],
            tries: 0,
        };
        count.read(now)
    }
}

fn most(item: &Item<'_>) -> Option<Most> {
    let mut fields = item.fields_of(config::keys::GUARD_MOST)?;
    let max = fields.need("max");
    let per = fields.need("per").and_then(|item| duration(&item, &(1000..=LONGEST)));
    fields.finish();
    let max = max?;
    let number = max.number()?;
    let number = usize::try_from(number).ok().filter(|number| *number <= HIGHEST);
    if number.is_none() {
        max.error(
            config::GUARD,
            format!("{} is out of bounds", max.shown()),
            format!("write at most {HIGHEST}"),
        );
    }
    Some(Most { max: number?, per: per? })
}

/// The count of one act on one route, for one resource more.
struct Count {
    act: Act,
    most: Most,
    route: String,
    key: [u8; 32],
    resource: Entry,
    tries: usize,
}

/// What stands for a resource.
type Entry = [u8; 8];

impl Count {
    fn ask(&self, operation: StoreOperation) -> Need {
        Need::Store(StoreRequest { key: self.key, class: StoreClass::Shared, secret: false, operation })
    }

    fn read(self, _now: u64) -> Turn<Judged> {
        let need = self.ask(StoreOperation::Get);
        Turn::ask(need, move |now, answer| match answer {
            Answer::Stored(Stored::Value { value, version }) => {
                self.add(now, &value.unwrap_or_default(), version)
            }
            _ => Turn::Ready(Err(self.blind())),
        })
    }

    fn add(self, now: u64, value: &[u8], version: u64) -> Turn<Judged> {
        let since = now.saturating_sub(self.most.per);
        let (entries, _) = value.as_chunks::<ENTRY>();
        let mut kept: Vec<(Entry, u64)> = Vec::with_capacity(entries.len() + 1);
        for [a, b, c, d, e, f, g, h, time @ ..] in entries {
            let time = u64::from_be_bytes(*time);
            if time > since {
                kept.push(([*a, *b, *c, *d, *e, *f, *g, *h], time));
            }
        }
        if kept.iter().any(|(resource, _)| *resource == self.resource) {
            return Turn::Ready(Ok(()));
        }
        if kept.len() >= self.most.max {
            let first = kept.iter().map(|(_, time)| *time).min().unwrap_or(now);
            return Turn::Ready(Err(self.refusal(first.saturating_add(self.most.per).saturating_sub(now))));
        }
        kept.push((self.resource, now));
        let mut value = Vec::with_capacity(kept.len() * ENTRY);
        for (resource, time) in kept {
            value.extend_from_slice(&resource);
            value.extend_from_slice(&time.to_be_bytes());
        }
        let need = self.ask(StoreOperation::Put { expect: Some(version), value, ttl: self.most.per });
        Turn::ask(need, move |now, answer| match answer {
            Answer::Stored(Stored::Put(true)) => Turn::Ready(Ok(())),
            // Another instance has counted meanwhile.
            Answer::Stored(Stored::Put(false)) if self.tries < MOST_TRIES => {
                Self { tries: self.tries + 1, ..self }.read(now)
            }
            _ => Turn::Ready(Err(self.blind())),
        })
    }

    fn refusal(&self, wait: u64) -> ScimError {
        let Self { act, route, .. } = self;
        let (act, max) = (act.as_str(), self.most.max);
        let per = self.most.per / 1000;
        let detail = format!(
            "the guard `{act}` of route `{route}` lets {max} resources be {act}d in {per} s, and as many were; nothing was \
             sent; if this is meant, raise `guard.{act}.max`, else stop the provisioning in the IdP"
        );
        ScimError::new(429, detail).with("retry-after", wait.div_ceil(1000).max(1).to_string())
    }

    /// What cannot be counted is refused.
    fn blind(&self) -> ScimError {
        let detail = format!(
            "the guard `{}` of route `{}` could not count, because the store did not answer; nothing was sent",
            self.act.as_str(),
            self.route
        );
        ScimError::new(503, detail).with("retry-after", "5")
    }
}

/// Bytes of one resource in the store: what stands for it, and the time.
const ENTRY: usize = 16;
/// More are not counted: what a store keeps under one key is small.
const HIGHEST: usize = 2000;
/// A week.
const LONGEST: u64 = 7 * 24 * 3_600_000;
/// Others may come in between so often.
const MOST_TRIES: usize = 16;

/// Reads a route's `guard`: what is counted, and the filter of those who are never deactivated or deleted.
pub(crate) fn read(route: &str, item: &Item<'_>, atomic: bool) -> Option<(Guard, Option<Part>)> {
    let mut fields = item.fields_of(config::keys::GUARD)?;
    let guard = Guard::read(route, &mut fields, atomic);
    let never =
        fields.opt("never").map(|item| Part { value: item.value.clone(), pointer: item.pointer.clone() });
    fields.finish();
    Some((guard, never))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A store of one value that loses every so-manieth race.
    #[derive(Default)]
    struct Shelf {
        value: Option<Vec<u8>>,
        version: u64,
        lose: usize,
        dead: bool,
    }

    impl Shelf {
        fn run(&mut self, mut turn: Turn<Judged>, now: u64) -> Judged {
            loop {
                let (need, resume) = match turn {
                    Turn::Ready(judged) => return judged,
                    Turn::Need(need, resume) => (need, resume),
                };
                let Need::Store(request) = need else { panic!("{need:?}") };
                assert_eq!(request.class, StoreClass::Shared);
                let answer = match request.operation {
                    _ if self.dead => Answer::Failed(crate::Fault::Unreachable),
                    StoreOperation::Get => {
                        Answer::Stored(Stored::Value { value: self.value.clone(), version: self.version })
                    }
                    StoreOperation::Put { .. } if self.lose > 0 => {
                        self.lose -= 1;
                        Answer::Stored(Stored::Put(false))
                    }
                    StoreOperation::Put { expect, value, .. } => {
                        assert_eq!(expect, Some(self.version));
                        (self.value, self.version) = (Some(value), self.version + 1);
                        Answer::Stored(Stored::Put(true))
                    }
                    StoreOperation::Add { .. } => panic!("nothing is added"),
                };
                turn = resume.with(now, answer);
            }
        }
    }

    fn guard(max: usize) -> Guard {
        Guard { route: "r".to_owned(), delete: Some(Most { max, per: 60_000 }), ..Guard::default() }
    }

    // W-22
    #[test]
    fn different_resources_are_counted_in_a_window() {
        let (guard, mut shelf) = (guard(2), Shelf::default());
        let mut status = |id: &str, now| {
            let judged = shelf.run(guard.judge(Act::Delete, id, now), now);
            judged.map_or_else(|error| (error.status, error.headers), |()| (200, Vec::new()))
        };
        let fine = (200, Vec::new());
        assert_eq!(status("a", 1_000_000), fine);
        assert_eq!(status("b", 1_010_000), fine);
        assert_eq!(status("a", 1_020_000), fine);
        assert_eq!(status("c", 1_020_001), (429, vec![("retry-after", "40".to_owned())]));
        assert_eq!(status("c", 1_060_001), fine);
        assert_eq!(status("a", 1_060_002), (429, vec![("retry-after", "10".to_owned())]));
    }

    // W-22
    #[test]
    fn what_is_not_guarded_is_not_counted() {
        assert!(matches!(guard(0).judge(Act::Deactivate, "a", 1), Turn::Ready(Ok(()))));
        assert!(Shelf::default().run(guard(0).judge(Act::Delete, "a", 1), 1).is_err());
    }

    // W-22
    #[test]
    fn races_are_run_again_and_a_dead_store_lets_nothing_pass() {
        let judge = || guard(1).judge(Act::Delete, "a", 5);
        assert!(Shelf { lose: 3, ..Shelf::default() }.run(judge(), 5).is_ok());
        let lost = Shelf { lose: 100, ..Shelf::default() }.run(judge(), 5);
        assert_eq!(lost.unwrap_err().status, 503);
        assert_eq!(Shelf { dead: true, ..Shelf::default() }.run(judge(), 5).unwrap_err().status, 503);
        let odd = Shelf { value: Some(vec![1, 2, 3]), version: 7, ..Shelf::default() }.run(judge(), 5);
        assert!(odd.is_ok());
    }
}
