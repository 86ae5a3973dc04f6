//! The proxy-wasm adapter of scimlock.
