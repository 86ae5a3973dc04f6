//! The compiled configuration: everything requests need, looked up by nothing but numbers.

use std::collections::BTreeMap;

use crate::config::ConfigErrors;

/// What the host can do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HostFacts {
    /// The `shared` store class is atomic (compare-and-set).
    pub atomic_store: bool,
    /// The host verifies signatures itself, without waiting.
    pub sync_crypto: bool,
    /// Calls go to named clusters (Envoy): every provider URL needs one.
    pub clusters: bool,
    /// Bodies can only be streamed: method, path and status are final before the body is read.
    pub streaming: bool,
}

/// A compiled configuration.
#[derive(Debug)]
pub struct Gateway {}

impl Gateway {
    /// Compiles a configuration document (JSON text). `secrets` holds the values of the `${…}` references it
    /// makes, under the reference's own text (`NAME`, `file:/path`): see [`crate::config::secret_names`].
    ///
    /// # Errors
    /// All problems found, each with code, place and remedy.
    pub fn compile(
        json: &str,
        secrets: &BTreeMap<String, String>,
        host: HostFacts,
    ) -> Result<Self, ConfigErrors> {
        let _ = (json, secrets, host);
        Ok(Self {})
    }
}
