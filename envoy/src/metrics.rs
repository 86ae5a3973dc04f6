//! Counters and gauges: names with their labels, defined in Envoy once.

use std::collections::BTreeMap;

use crate::host;

/// The metrics this VM knows.
#[derive(Default)]
pub(crate) struct Metrics(BTreeMap<String, u32>);

impl Metrics {
    /// Adds to a counter.
    pub(crate) fn count(&mut self, name: &str, labels: &[(&'static str, String)], by: u64) {
        self.tell(name, labels, host::counter, |counter| host::count(counter, by));
    }

    /// Sets a gauge.
    pub(crate) fn set(&mut self, name: &str, labels: &[(&'static str, String)], to: u64) {
        self.tell(name, labels, host::gauge, |gauge| host::set(gauge, to));
    }

    /// A metric that cannot be had is not worth a request.
    fn tell(
        &mut self,
        name: &str,
        labels: &[(&'static str, String)],
        define: impl FnOnce(&str) -> Result<u32, host::Failed>,
        tell: impl FnOnce(u32) -> Result<(), host::Failed>,
    ) {
        let name = full_name(name, labels);
        let known = self.0.get(&name).copied();
        if let Some(metric) = known.or_else(|| define(&name).ok()) {
            let _ = tell(metric);
            self.0.insert(name, metric);
        }
    }
}

/// Envoy's metrics have no labels: they stand in the name, `stats_tags` take them out again.
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
