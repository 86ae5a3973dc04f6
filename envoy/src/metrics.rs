//! Counters: names with their labels, defined in Envoy once.

use std::collections::BTreeMap;

use crate::host;

/// The counters this VM knows.
#[derive(Default)]
pub(crate) struct Metrics(BTreeMap<String, u32>);

impl Metrics {
    /// Adds to a counter. A counter that cannot be had is not worth a request.
    pub(crate) fn count(&mut self, name: &str, labels: &[(&'static str, String)], by: u64) {
        let name = full_name(name, labels);
        let known = self.0.get(&name).copied();
        if let Some(counter) = known.or_else(|| host::counter(&name).ok()) {
            let _ = host::count(counter, by);
            self.0.insert(name, counter);
        }
    }
}

/// Envoy's counters have no labels: they stand in the name, `stats_tags` take them out again.
fn full_name(name: &str, labels: &[(&'static str, String)]) -> String {
    let labels: String = labels.iter().map(|(label, value)| format!("_{label}={value}")).collect();
    format!("scimlock_{name}{labels}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_name() {
        let labels = [("route", "acme-people".to_owned()), ("outcome", "ok".to_owned())];
        assert_eq!(full_name("requests", &labels), "scimlock_requests_route=acme-people_outcome=ok");
        assert_eq!(full_name("requests", &[]), "scimlock_requests");
    }
}
