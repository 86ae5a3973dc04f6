//! What providers cannot do, made out of what they can.

mod ability;
mod compile;
mod cursor;
mod dialect;
mod filter;
mod matching;
mod order;
mod project;
mod values;
mod walk;

pub(crate) use self::ability::{Ability, Lack, Memberships};
pub(crate) use self::compile::{abilities, keys};
pub(crate) use self::cursor::{MAX_CURSOR, Place, QueryId};
pub(crate) use self::dialect::{Part, Writer};
pub(crate) use self::filter::{Plan, Takes, holds_unassigned};
pub(crate) use self::matching::Key;
pub(crate) use self::order::{Order, SortKey};
pub(crate) use self::project::project;
pub(crate) use self::values::same_but_case;
pub(crate) use self::walk::{Page, Walk, digest, page_size};
