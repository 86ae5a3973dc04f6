//! What providers cannot do, made out of what they can.

mod ability;
mod compile;
mod dialect;
mod filter;
mod matching;
mod values;

pub(crate) use self::ability::{Ability, Lack};
pub(crate) use self::compile::{abilities, keys};
pub(crate) use self::dialect::{Part, Writer};
pub(crate) use self::filter::{Plan, Takes};
pub(crate) use self::matching::Key;
pub(crate) use self::values::same_but_case;
