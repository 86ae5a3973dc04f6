//! What providers cannot do, made out of what they can.

mod filter;

pub(crate) use self::filter::{Plan, Takes};
