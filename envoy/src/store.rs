//! The engine's store in Envoy's shared data: one for all workers of a process, with compare-and-set.
//!
//! Envoy keeps no life times and forgets nothing, so each value stands behind the time of its end. Both classes of
//! values live here; nothing leaves the process.

use scimlock::store::{StoreOperation, StoreRequest, Stored};

use crate::host::Failed;

/// Envoy's shared data.
pub(crate) trait Memory {
    /// A value and its version, which is never 0.
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Failed>;
    /// Writes a value if its version is still that, or if there is none; false where it is another. 0: in any case.
    fn set(&self, key: &str, value: &[u8], version: u32) -> Result<bool, Failed>;
}

/// Carries a request out at `now` (Unix milliseconds).
pub(crate) fn run(memory: &impl Memory, now: u64, request: &StoreRequest) -> Result<Stored, Failed> {
    let key: String = request.key.iter().map(|byte| format!("{byte:02x}")).collect();
    match &request.operation {
        StoreOperation::Get => {
            let found = memory.get(&key)?;
            let version = found.as_ref().map_or(0, |(_, version)| u64::from(*version));
            Ok(Stored::Value { value: found.and_then(|(value, _)| live(value, now)), version })
        }
        StoreOperation::Put { expect, value, ttl } => {
            let version = match expect {
                None => 0,
                Some(0) => NOTHING,
                // A version that Envoy cannot have had is not the one that is there.
                Some(version) => u32::try_from(*version).unwrap_or(NOTHING),
            };
            Ok(Stored::Put(memory.set(&key, &until(now.saturating_add(*ttl), value), version)?))
        }
        StoreOperation::Add { delta, ttl } => add(memory, now, &key, *delta, *ttl),
    }
}

fn add(memory: &impl Memory, now: u64, key: &str, delta: i64, ttl: u64) -> Result<Stored, Failed> {
    for _ in 0..TRIES {
        let (old, version) = match memory.get(key)? {
            Some((value, version)) => (value, version),
            None => (Vec::new(), NOTHING),
        };
        let end = end_of(&old).filter(|end| *end > now).unwrap_or(now.saturating_add(ttl));
        let number = live(old, now).and_then(|value| Some(i64::from_le_bytes(value.try_into().ok()?)));
        let number = number.unwrap_or(0).saturating_add(delta);
        if memory.set(key, &until(end, &number.to_le_bytes()), version)? {
            return Ok(Stored::Number(number));
        }
    }
    Err("set_shared_data")
}

/// The value, if its time is not over.
fn live(mut kept: Vec<u8>, now: u64) -> Option<Vec<u8>> {
    let end = end_of(&kept)?;
    kept.drain(..8);
    (end > now).then_some(kept)
}

fn end_of(kept: &[u8]) -> Option<u64> {
    kept.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

fn until(end: u64, value: &[u8]) -> Vec<u8> {
    [end.to_le_bytes().as_slice(), value].concat()
}

/// The version to expect where there is nothing: Envoy counts up from 1 and writes a new key whatever is expected.
const NOTHING: u32 = u32::MAX;

/// Workers that add at the same moment are few.
const TRIES: usize = 64;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use scimlock::store::StoreClass;

    use super::*;

    /// Behaves as Envoy's shared data does.
    #[derive(Default)]
    struct Shared(RefCell<(Values, u32)>);

    type Values = BTreeMap<String, (Vec<u8>, u32)>;

    impl Memory for Shared {
        fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Failed> {
            Ok(self.0.borrow().0.get(key).cloned())
        }

        fn set(&self, key: &str, value: &[u8], version: u32) -> Result<bool, Failed> {
            let (map, last) = &mut *self.0.borrow_mut();
            if map.get(key).is_some_and(|(_, is)| version != 0 && version != *is) {
                return Ok(false);
            }
            *last += 1;
            map.insert(key.to_owned(), (value.to_vec(), *last));
            Ok(true)
        }
    }

    #[test]
    fn the_store_keeps_its_contract() {
        let memory = Shared::default();
        let get = || StoreOperation::Get;
        let put = |expect, value: &str, ttl| StoreOperation::Put { expect, value: value.into(), ttl };
        let value = |value: Option<&str>, version| Stored::Value { value: value.map(Into::into), version };
        for (row, (now, operation, expected)) in [
            (0, get(), value(None, 0)),
            (0, put(Some(0), "a", 10), Stored::Put(true)),
            (0, put(Some(0), "b", 10), Stored::Put(false)),
            (9, get(), value(Some("a"), 1)),
            (10, get(), value(None, 1)),
            (10, put(Some(0), "b", 10), Stored::Put(false)),
            (10, put(Some(u64::MAX), "b", 10), Stored::Put(false)),
            (10, put(Some(1), "b", u64::MAX), Stored::Put(true)),
            (10, put(Some(1), "c", 10), Stored::Put(false)),
            (99, get(), value(Some("b"), 2)),
            (99, put(None, "", 1), Stored::Put(true)),
            (99, get(), value(Some(""), 3)),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(run(&memory, now, &request(1, operation)), Ok(expected), "row {row}");
        }
    }

    #[test]
    fn numbers_count_from_the_first_and_end_together() {
        let memory = Shared::default();
        for (now, delta, number) in [(0, 2, 2), (5, 3, 5), (9, -1, 4), (10, 1, 1), (19, 1, 2), (20, 7, 7)] {
            let add = StoreOperation::Add { delta, ttl: 10 };
            assert_eq!(run(&memory, now, &request(2, add)), Ok(Stored::Number(number)), "at {now}");
        }
    }

    fn request(key: u8, operation: StoreOperation) -> StoreRequest {
        StoreRequest { key: [key; 32], class: StoreClass::Shared, secret: false, operation }
    }
}
