//! The proxy-wasm adapter of scimlock: Envoy's callbacks become inputs of the engine, its actions host calls.
//!
//! `stream` decides and is plain data, `host` makes the calls, `filter` connects both to the engine, `root` holds
//! what the streams of a VM share. There is no SCIM in here.

mod configure;
mod filter;
mod host;
mod metrics;
mod origin;
mod root;
mod store;
mod stream;
mod verify;
