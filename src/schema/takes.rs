//! The kinds of JSON values an attribute takes whatever they say, so that a reader can tell what needs no look.

use super::{Attribute, Mutability, Returned, Type};
use crate::document::Kind;

/// A set of JSON kinds, and whether a client must give the attribute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Takes(u8);

impl Takes {
    const REQUIRED: u8 = 0x80;
    const URI: u8 = 0x40;

    /// Everything.
    pub(crate) const fn all() -> Self {
        Self(!(Self::REQUIRED | Self::URI))
    }

    /// What may be a member, be it given or shown.
    pub(super) fn member(attribute: &Attribute) -> Self {
        let required = if attribute.required { Self::REQUIRED } else { 0 };
        match attribute.mutability {
            Mutability::ReadOnly | Mutability::WriteOnly => Self::default(),
            _ if attribute.returned == Returned::Never => Self::default(),
            _ if attribute.multi_valued => Self(bit(Kind::Array) | required),
            _ => Self(Self::element(attribute).0 | required),
        }
    }

    /// What may be one of several values.
    pub(super) fn element(attribute: &Attribute) -> Self {
        match attribute.kind {
            Type::String if !attribute.closed => Self(bit(Kind::String)),
            Type::Boolean => Self(bit(Kind::Bool(true))),
            Type::Decimal => Self(bit(Kind::Number)),
            Type::Complex => Self(bit(Kind::Object)),
            Type::Reference => Self(Self::URI),
            // These need a look at the value.
            Type::String | Type::Integer | Type::DateTime | Type::Binary => Self::default(),
        }
    }

    /// True when every value of that kind is taken; of an object or array its parts may still be wrong.
    pub(crate) const fn has(self, kind: Kind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// True when a URI is taken that may refer to it.
    pub(crate) const fn is_uri(self) -> bool {
        self.0 & Self::URI != 0
    }

    /// True when a client must give the attribute.
    pub(crate) const fn is_required(self) -> bool {
        self.0 & Self::REQUIRED != 0
    }
}

const fn bit(kind: Kind) -> u8 {
    match kind {
        Kind::Null => 0x01,
        Kind::Bool(_) => 0x02,
        Kind::Number => 0x04,
        Kind::String => 0x08,
        Kind::Object => 0x10,
        Kind::Array => 0x20,
    }
}
