//! The scimlock engine: a sans-I/O SCIM gateway that checks, repairs and translates SCIM messages.
//!
//! The engine does no I/O, reads no clock, draws no randomness and keeps no globals. A host feeds one
//! [`Input`] at a time into an [`Exchange`] and carries out the one [`Action`] it answers.
#![forbid(unsafe_code)]

mod access;
mod adapt;
mod audit;
#[doc(hidden)]
pub mod bench;
mod bits;
mod calendar;
pub mod config;
mod credential;
pub mod delta;
mod discovery;
pub mod document;
mod errand;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod gateway;
mod guard;
pub mod http;
mod jose;
mod json;
mod mapping;
pub mod message;
mod operation;
pub mod path;
pub mod profile;
pub mod repair;
pub mod schema;
pub mod store;
mod trace;

pub use exchange::{Action, Effect, Exchange, Fault, Input, ResponseHead, Verify};
pub use gateway::{Gateway, HostFacts, PeerNeeds};
pub use http::{Call, Certificate, Headers, Peer, Request, Response, Scheme};
