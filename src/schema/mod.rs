//! Schemas of one side, compiled: attributes with numbers, looked up by parent and name.

mod bind;
mod habits;
mod json_text;
mod load;
mod locate;
mod project;
mod takes;
mod validate;
mod vocabulary;

use std::sync::Arc;

pub use self::load::{SchemaError, TypeSource};
pub use self::project::Projection;
pub(crate) use self::takes::Takes;
pub use self::validate::{Checker, Context, Problem, ProblemKind};
pub(crate) use self::validate::{is_date_time, is_settled, is_uri_reference, put_schemas};
pub(crate) use self::vocabulary::Hot;
pub use self::vocabulary::{ResourceType, Vocabulary};

/// The number of an attribute in its vocabulary. The numbers of one vocabulary mean nothing in another.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct AttrId(u16);

impl AttrId {
    /// Not an attribute of the vocabulary.
    pub const UNKNOWN: Self = Self(0);

    /// The number.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// True for attributes the vocabulary has.
    pub const fn is_known(self) -> bool {
        self.0 != 0
    }
}

/// The data types of RFC 7643 section 2.3.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Type {
    /// Text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A whole number.
    Integer,
    /// `xsd:dateTime`.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// Sub-attributes.
    Complex,
}

/// Whether and when a client may write (RFC 7643 section 2.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mutability {
    /// Never.
    ReadOnly,
    /// Always.
    #[default]
    ReadWrite,
    /// Once.
    Immutable,
    /// Always, but it is never shown.
    WriteOnly,
}

/// Whether an attribute is shown (RFC 7643 section 2.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Returned {
    /// In every answer.
    Always,
    /// In no answer.
    Never,
    /// Unless excluded.
    #[default]
    Default,
    /// When asked for.
    Request,
}

/// Among which resources a value occurs once (RFC 7643 section 2.2): a hint, which the provider enforces.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Uniqueness {
    /// Any number of resources may have it.
    #[default]
    None,
    /// One resource of the provider.
    Server,
    /// One resource anywhere.
    Global,
}

/// One attribute with its characteristics.
#[derive(Clone, Debug, Default)]
pub struct Attribute {
    /// The name as the schema spells it; for the root of an extension its URN.
    pub name: Box<str>,
    /// The path from the resource, as it stands in filters and patch operations.
    pub path: Arc<str>,
    /// The attribute above; for attributes of the core schema the resource's root.
    pub parent: AttrId,
    /// The data type.
    pub kind: Type,
    /// A list of values.
    pub multi_valued: bool,
    /// Must have a value.
    pub required: bool,
    /// Case matters when values are compared.
    pub case_exact: bool,
    /// Whether a client may write.
    pub mutability: Mutability,
    /// Whether it is shown.
    pub returned: Returned,
    /// Among which resources a value occurs once.
    pub uniqueness: Uniqueness,
    /// What a reference may point to: names of resource types, `external` or `uri`; none said: anything.
    pub reference_types: Box<[Box<str>]>,
    /// The root of an extension schema.
    pub extension: bool,
    /// Suggested values; the only ones where `closed`.
    pub canonical_values: Box<[Box<str>]>,
    /// No value but the canonical ones is taken.
    pub closed: bool,
    /// Something below it is shown never or only when asked for.
    pub hides: bool,
    /// The attributes right below, in the order of the schema.
    children: Vec<AttrId>,
    /// Those of them that a client must give.
    required_children: Vec<AttrId>,
    /// Those of them that have a meaning by their name.
    parts: Parts,
    /// It or something below it is a reference.
    references: bool,
    /// Its values must be addresses of resources of certain types.
    refers: bool,
}

/// The sub-attributes that RFC 7643 section 2.4 gives a meaning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) value: AttrId,
    pub(crate) kind: AttrId,
    pub(crate) primary: AttrId,
    pub(crate) display: AttrId,
}

#[cfg(test)]
mod tests;
