//! The repairs the engine knows: what a peer sends beside the RFCs and what is made of it. Which of them a peer
//! needs, and under which rule id they are reported, stands in its profile.

use std::collections::BTreeMap;

macro_rules! repairs {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $always:literal;)*) => {
        /// One kind of repair.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Repair {
            $($(#[$doc])* $variant,)*
        }

        impl Repair {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in profiles, and the rule id where a profile gives none.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// True for what every route accepts, because an RFC says or allows it.
            pub const fn always(self) -> bool {
                match self { $(Self::$variant => $always,)* }
            }
        }
    };
}

repairs! {
    /// A patch operation's name in other than lower case.
    OpCase = "opCase", true;
    /// `"True"` or `"False"` where the schema has a boolean.
    StringBoolean = "stringBoolean", false;
    /// `"True"` or `"False"` as the literal of a boolean attribute in a filter.
    FilterBoolean = "filterBoolean", false;
    /// A value path that selects nothing creates the element.
    Upsert = "upsert", false;
    /// `name.givenName` as a member name of a value without path.
    DottedKey = "dottedKey", false;
    /// An extension's URN and an attribute as a member name of a value without path.
    UrnKey = "urnKey", false;
    /// The core schema's URN before an attribute.
    CoreUrn = "coreUrn", true;
    /// A plain value for a complex attribute: its `value`.
    PlainValue = "plainValue", false;
    /// An empty value of a complex attribute clears it.
    EmptyValue = "emptyValue", false;
    /// An extension's attribute without its URN.
    BareExtension = "bareExtension", false;
    /// An array of one for a single value.
    SingleElement = "singleElement", false;
    /// `remove` with a path and the values to remove.
    RemoveValues = "removeValues", false;
    /// `remove` with an empty list of values: nothing to do.
    RemoveNothing = "removeNothing", false;
    /// `null` as an element or a member: not there.
    NullMember = "nullMember", true;
    /// `null` or `[]` for a multi-valued attribute that is replaced: emptied.
    ClearList = "clearList", true;
    /// `null` as a new value: the attribute is removed.
    ClearValue = "clearValue", true;
    /// readOnly attributes, nulls and empty lists in a resource that is written.
    Unwritable = "unwritable", true;
    /// A schema URI that stands for nothing.
    UnknownSchema = "unknownSchema", false;
    /// Data of an extension that `schemas` does not list.
    MissingSchema = "missingSchema", true;
    /// A schema URI without data.
    EmptySchema = "emptySchema", true;
    /// A sub-attribute after a value path in a filter.
    FilterSubAttribute = "filterSubAttribute", false;
    /// A filter's text without quotes.
    UnquotedLiteral = "unquotedLiteral", false;
    /// A value given as the text of a JSON object.
    JsonText = "jsonText", false;
    /// The same element twice.
    DuplicateElement = "duplicateElement", true;
    /// A query parameter that means nothing.
    UnknownParameter = "unknownParameter", true;
}

/// The repairs of one peer with the rule ids they are reported under.
#[derive(Clone, Debug, Default)]
pub struct Repairs {
    ids: BTreeMap<Repair, Box<str>>,
}

impl Repairs {
    /// The repair of that name becomes active, reported as `id`; false when there is none.
    pub fn enable(&mut self, name: &str, id: &str) -> bool {
        let found = Repair::ALL.iter().find(|each| each.name() == name);
        found.is_some_and(|repair| {
            self.ids.insert(*repair, id.into());
            true
        })
    }

    /// True when the repair is to be made.
    pub fn allows(&self, repair: Repair) -> bool {
        repair.always() || self.ids.contains_key(&repair)
    }

    /// The rule id the repair is reported under.
    pub fn id(&self, repair: Repair) -> &str {
        self.ids.get(&repair).map_or(repair.name(), |id| id)
    }
}

/// What was repaired in a message: each kind with the path of each place.
#[derive(Clone, Debug, Default)]
pub struct Repaired(Vec<(Repair, Box<str>)>);

impl Repaired {
    /// Notes one repair at an attribute's path.
    pub fn note(&mut self, repair: Repair, path: &str) {
        self.0.push((repair, path.into()));
    }

    /// All repairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (Repair, &str)> {
        self.0.iter().map(|(repair, path)| (*repair, &**path))
    }
}
