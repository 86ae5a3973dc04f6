//! What a PATCH request changes (RFC 7644 section 3.5.2), freed of dialect: an ordered list of changes, each to
//! one attribute or to the elements a filter selects.

mod apply;
mod diff;
mod read;
mod write;

pub use self::apply::apply;
pub use self::diff::{diff, frozen};
pub use self::read::read;
pub use self::write::{operations, write, write_change};
use crate::document::NodeId;
use crate::filter::Filter;
use crate::path::Path;
use crate::schema::AttrId;

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Op {
    /// Lists grow, single values are set.
    Add,
    /// Lists and single values are set.
    Replace,
    /// Nothing is left.
    Remove,
}

impl Op {
    /// The operation's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// Where it is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// An attribute of the resource or of an extension, or a sub-attribute of a single complex one.
    Attribute(AttrId),
    /// The elements of a multi-valued attribute that match, or one sub-attribute of each.
    Elements {
        /// The multi-valued attribute.
        attr: AttrId,
        /// Names in it are sub-attributes of `attr`.
        filter: Filter,
        /// The sub-attribute; unknown for the element itself.
        sub: AttrId,
    },
    /// An attribute that the schema does not have.
    Unknown(Path),
}

/// One change. A complex value is taken apart: its parts are changes of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What is done.
    pub op: Op,
    /// Where.
    pub place: Place,
    /// The new value, in the delta's document; nothing for `remove`.
    pub value: Option<NodeId>,
}

#[cfg(test)]
mod tests;
