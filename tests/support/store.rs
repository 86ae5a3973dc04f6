//! A store in memory, as a host of one process has it.
use std::collections::BTreeMap;

use scimlock::store::{StoreOperation, StoreRequest, Stored};

/// Values with version and end; what a case keeps from one request to the next.
#[derive(Default)]
pub(crate) struct Store {
    entries: BTreeMap<[u8; 32], (Vec<u8>, u64, u64)>,
    version: u64,
}

impl Store {
    pub(crate) fn carry_out(&mut self, now: u64, request: &StoreRequest) -> Stored {
        let found = self.entries.get(&request.key);
        let version = found.map_or(0, |(_, version, _)| *version);
        let live = found.filter(|(_, _, end)| *end > now).map(|(value, _, end)| (value.clone(), *end));
        let (value, end, answer) = match &request.operation {
            StoreOperation::Get => return Stored::Value { value: live.map(|(value, _)| value), version },
            StoreOperation::Put { expect, value, ttl } => {
                if expect.is_some_and(|expect| expect != version) {
                    return Stored::Put(false);
                }
                (value.clone(), now.saturating_add(*ttl), Stored::Put(true))
            }
            StoreOperation::Add { delta, ttl } => {
                let (old, end) = live.unwrap_or_else(|| (vec![0; 8], now.saturating_add(*ttl)));
                let old = old.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
                let number = old.saturating_add(*delta);
                (number.to_le_bytes().to_vec(), end, Stored::Number(number))
            }
        };
        self.version += 1;
        self.entries.insert(request.key, (value, self.version, end));
        answer
    }
}
