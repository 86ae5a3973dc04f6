//! The audit record of an exchange. It cannot hold attribute values: it is made of numbers, of names the
//! configuration and the schemas give, and of the resource's id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::bits::Bits;
use crate::calendar;
use crate::errand::Answer;
use crate::exchange::Fault;
use crate::mapping::Mapping;
use crate::repair::{Repaired, Repairs};
use crate::schema::{AttrId, Vocabulary};

/// What happened in an exchange, gathered as it goes.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) route: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) resource_type: Option<String>,
    pub(crate) id: Option<String>,
    /// Why access was refused, by reason code.
    pub(crate) refused: Option<&'static str>,
    /// One bit for each attribute of the IdP's side: the message has it.
    attributes: Bits,
    /// The message has attributes outside the schema.
    outside: bool,
    rules: BTreeMap<String, u64>,
    /// The mapping rules that were used, by pair.
    mapped: Vec<(usize, Bits)>,
    /// Calls made to the provider: method, and the status or fault it ended with.
    calls: Vec<(&'static str, Option<String>)>,
    /// What was answered as done and not done, by capability.
    pretended: Vec<&'static str>,
    /// The guard that stopped a write.
    stopped: Vec<&'static str>,
    /// What was done in another way than was asked for.
    adapted: Vec<&'static str>,
    /// Requests for tokens and sessions, in the same way.
    fetches: Vec<(&'static str, Option<String>)>,
    /// The operations of a bulk request.
    inner: Vec<Value>,
    /// What would have been made of the request and of the answer, had the route not been one that observes.
    observed: Vec<(&'static str, Finding)>,
}

/// What would have been made of one message.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) result: &'static str,
    /// The status of what would have been answered.
    pub(crate) status: Option<u16>,
    /// Why it would have been refused.
    pub(crate) detail: Option<String>,
    /// What would have been changed: parts of the message, and attributes that schemas know.
    pub(crate) changes: BTreeSet<String>,
    /// Which repairs would have been made, under the profile's rule ids.
    pub(crate) repairs: BTreeSet<String>,
}

impl Audit {
    /// An attribute of the message: the top one it belongs to is named; those outside the schema are only counted.
    pub(crate) fn attribute(&mut self, vocabulary: &Vocabulary, attr: AttrId) {
        self.member(if attr.is_known() { vocabulary.top(attr) } else { attr });
    }

    /// A member of the resource itself is in the message.
    #[inline]
    pub(crate) fn member(&mut self, attr: AttrId) {
        match attr.is_known() {
            true => self.attributes.insert(attr.index()),
            false => self.outside = true,
        }
    }

    /// The paths of the attributes of the message.
    fn paths<'v>(&self, vocabulary: Option<&'v Vocabulary>) -> impl Iterator<Item = &'v str> {
        vocabulary.into_iter().flat_map(|vocabulary| {
            let all = self.attributes.iter().filter_map(|number| vocabulary.id(number));
            all.map(|attr| vocabulary.path(attr))
        })
    }

    /// The repairs that were made, under the profile's rule ids.
    pub(crate) fn repaired(&mut self, repairs: &Repairs, repaired: &Repaired) {
        for (repair, _) in repaired.iter() {
            *self.rules.entry(repairs.id(repair).to_owned()).or_default() += 1;
        }
    }

    /// The mapping rules that were used.
    pub(crate) fn mapped(&mut self, pair: Option<usize>, rules: Bits) {
        self.mapped.extend(pair.map(|pair| (pair, rules)));
    }

    /// A call to the provider begins.
    pub(crate) fn call(&mut self, method: &'static str) {
        self.calls.push((method, None));
    }

    /// The last call ended.
    pub(crate) fn called(&mut self, outcome: impl Into<String>) {
        if let Some((_, last)) = self.calls.last_mut() {
            *last = Some(outcome.into());
        }
    }

    /// Something is answered as done, and not done.
    pub(crate) fn pretended(&mut self, capability: &'static str) {
        self.pretended.push(capability);
    }

    /// A guard stopped a write.
    pub(crate) fn stopped(&mut self, guard: &'static str) {
        self.stopped.push(guard);
    }

    /// The guards that stopped a write.
    pub(crate) fn stops(&self) -> impl Iterator<Item = &'static str> {
        self.stopped.iter().copied()
    }

    /// Something is done in another way than was asked for.
    pub(crate) fn adapted(&mut self, how: &'static str) {
        self.adapted.push(how);
    }

    /// What was answered as done and not done.
    pub(crate) fn pretences(&self) -> impl Iterator<Item = &'static str> {
        self.pretended.iter().copied()
    }

    /// A request for a token or a session begins.
    pub(crate) fn fetch(&mut self, method: &'static str) {
        self.fetches.push((method, None));
    }

    /// The last one ended.
    pub(crate) fn fetched(&mut self, answer: &Answer) {
        let outcome = match answer {
            Answer::Reply(response) => response.status.to_string(),
            Answer::Failed(Fault::TooLarge) => "too large".to_owned(),
            Answer::Failed(Fault::Unreachable) => "unreachable".to_owned(),
            Answer::Failed(Fault::Timeout) => "timeout".to_owned(),
            _ => "reset".to_owned(),
        };
        if let Some((_, last)) = self.fetches.last_mut() {
            *last = Some(outcome);
        }
    }

    /// One operation of a bulk request ended.
    pub(crate) fn inner(
        &mut self,
        operation: Option<&'static str>,
        resource_type: Option<String>,
        id: Option<String>,
        status: u16,
    ) {
        let mut record = Map::new();
        let members = [
            ("operation", operation.map(Value::from)),
            ("resourceType", resource_type.map(Value::from)),
            ("id", id.map(|id| short(&id).into())),
            ("status", Some(status.into())),
        ];
        record.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        self.inner.push(Value::Object(record));
    }

    /// What enforcing would have made of a message.
    pub(crate) fn observed(&mut self, message: &'static str, finding: Finding) {
        self.observed.push((message, finding));
    }

    /// The results of observing, by message.
    pub(crate) fn observations(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.observed.iter().map(|(message, finding)| (*message, finding.result))
    }

    /// How often each repair was made.
    pub(crate) fn repairs(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rules.iter().map(|(rule, count)| (rule.as_str(), *count))
    }

    /// The record as one line of JSON; `mapping` is the route's.
    pub(crate) fn line(
        &self,
        now: u64,
        request: &str,
        status: u16,
        digest: &str,
        mapping: Option<&Mapping>,
    ) -> String {
        let mut record = Map::new();
        record.insert("time".into(), rfc3339(now).into());
        record.insert("request".into(), request.into());
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                record.insert(name.into(), value);
            }
        };
        put("route", self.route.clone().map(Value::from));
        put("token", self.token.clone().map(Value::from));
        put("operation", self.operation.map(Value::from));
        put("resourceType", self.resource_type.clone().map(Value::from));
        put("id", self.id.as_deref().map(|id| short(id).into()));
        put("refused", self.refused.map(Value::from));
        let some = |list: Vec<Value>| (!list.is_empty()).then_some(Value::Array(list));
        let outside = self.outside.then_some("(outside the schema)");
        let attributes: BTreeSet<&str> =
            self.paths(mapping.map(|mapping| &mapping.idp)).chain(outside).collect();
        put("attributes", some(attributes.into_iter().map(Value::from).collect()));
        let repairs: Map<String, Value> =
            self.rules.iter().map(|(rule, count)| (rule.clone(), (*count).into())).collect();
        put("repairs", (!repairs.is_empty()).then_some(Value::Object(repairs)));
        let rules: BTreeSet<(usize, usize)> =
            self.mapped.iter().flat_map(|(pair, rules)| rules.iter().map(|rule| (*pair, rule))).collect();
        let name = |(pair, rule): (usize, usize)| mapping?.pairs.get(pair)?.rule_name(rule).map(Value::from);
        put("rules", some(rules.into_iter().filter_map(name).collect()));
        let lines = |calls: &[(&'static str, Option<String>)]| {
            let line = |(method, outcome): &(&'static str, Option<String>)| {
                Value::from(format!("{method} {}", outcome.as_deref().unwrap_or("unknown")))
            };
            some(calls.iter().map(line).collect())
        };
        put("credential", lines(&self.fetches));
        put("provider", lines(&self.calls));
        let words = |words: &[&'static str]| some(words.iter().map(|word| Value::from(*word)).collect());
        put("adapted", words(&self.adapted));
        put("pretended", words(&self.pretended));
        put("stopped", words(&self.stopped));
        put("operations", some(self.inner.clone()));
        let observed: Map<String, Value> =
            self.observed.iter().map(|(message, finding)| ((*message).to_owned(), finding.json())).collect();
        put("observed", (!observed.is_empty()).then_some(Value::Object(observed)));
        put("status", Some(status.into()));
        put("configuration", Some(digest.into()));
        Value::Object(record).to_string()
    }
}

impl Finding {
    pub(crate) fn json(&self) -> Value {
        let list = |list: &BTreeSet<String>| {
            (!list.is_empty()).then(|| list.iter().map(String::as_str).collect::<Value>())
        };
        let members = [
            ("result", Some(self.result.into())),
            ("status", self.status.map(Value::from)),
            ("detail", self.detail.as_deref().map(Value::from)),
            ("changes", list(&self.changes)),
            ("repairs", list(&self.repairs)),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// An id of no more than a line's length: an IdP may send anything as one.
fn short(id: &str) -> String {
    id.chars().take(128).collect()
}

/// Unix milliseconds as a dateTime in UTC.
fn rfc3339(now: u64) -> String {
    let (days, millis) = (now / 86_400_000, now % 86_400_000);
    let [year, month, day] = calendar::date(i64::try_from(days).unwrap_or_default());
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, millis) = (millis / 1_000 % 60, millis % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dates_are_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_600_123, "2026-01-01T00:00:00.123Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(millis), text);
        }
    }
}
