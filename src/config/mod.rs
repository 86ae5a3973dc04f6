//! The configuration document: JSON text in, checked types out.

mod codes;
mod document;
mod fields;
pub(crate) mod keys;
mod problems;
mod secret;
mod time;
mod units;

pub use codes::CODES;
pub(crate) use codes::*;
pub(crate) use document::{
    Config, Deactivate, Deletion, Limits, Mode, Named, Part, Provider, Route, Shows, headers, plain, signer,
};
pub(crate) use fields::{Fields, Item, either, nearest};
pub use keys::json_schema;
pub(crate) use problems::Problems;
pub use problems::{ConfigError, ConfigErrors};
pub use secret::secret_names;
pub(crate) use time::moment;
pub(crate) use units::duration;
