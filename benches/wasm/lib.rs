//! What the benchmarks in JavaScript call: payloads through the engine in loops, so that the way into wasm does not
//! count. Each call copies the bytes it was given, as a host would.

use std::collections::BTreeMap;

use scimlock::{Gateway, HostFacts, bench};
use wasm_bindgen::prelude::wasm_bindgen;

/// Bytes of the largest PATCH.
const ROOM: usize = 64 * 1024;

/// A gateway and resources that were read.
#[wasm_bindgen]
pub struct Engine {
    gateway: Gateway,
    resources: Vec<bench::Resource>,
}

#[wasm_bindgen]
impl Engine {
    /// Compiles a configuration; nothing where it has errors.
    pub fn compile(config: &str, secret: &str) -> Option<Self> {
        let secrets = BTreeMap::from([("TOKEN".to_owned(), secret.to_owned())]);
        let gateway = Gateway::compile(config, &secrets, HostFacts::default()).ok()?;
        Some(Self { gateway, resources: Vec::new() })
    }

    /// Reads and validates a user; false where it is refused.
    pub fn check(&self, user: &[u8], loops: u32) -> bool {
        (0..loops).all(|_| bench::check(&self.gateway, user.to_vec()).is_ok())
    }

    /// What the provider gets of a new user: its length, of all loops.
    pub fn create(&self, user: &[u8], loops: u32) -> usize {
        let created = |_| bench::create(&self.gateway, user.to_vec()).map_or(0, |body| body.len());
        (0..loops).map(created).sum()
    }

    /// What the IdP sees of a list: its length, of all loops.
    pub fn list(&self, list: &[u8], loops: u32) -> usize {
        (0..loops).map(|_| bench::list(&self.gateway, list.to_vec()).map_or(0, |body| body.len())).sum()
    }

    /// Reads a group, and keeps so many copies of it.
    pub fn hold(&mut self, group: &[u8], copies: usize) -> bool {
        // The PATCH is read into the same text.
        let mut bytes = Vec::with_capacity(group.len() + ROOM);
        bytes.extend_from_slice(group);
        let resource = bench::Resource::read(&self.gateway, "Group", bytes);
        self.resources = resource.into_iter().flat_map(|each| vec![each; copies]).collect();
        self.resources.len() == copies
    }

    /// Applies a PATCH to one of the copies, which is used up; false where it is refused.
    pub fn patch(&mut self, patch: &[u8]) -> bool {
        let resource = self.resources.pop();
        resource.is_some_and(|mut resource| resource.patch(&self.gateway, patch.to_vec()).is_ok())
    }
}
