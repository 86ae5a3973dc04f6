//! The repairs the engine knows: what a peer sends beside the RFCs and what is made of it. Which of them a peer
//! needs, and under which rule id they are reported, stands in its profile.

use std::collections::BTreeMap;

macro_rules! repairs {
    ($(#[doc = $doc:literal] $variant:ident = $name:literal, $always:literal, $rfc:literal;)*) => {
        /// One kind of repair.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Repair {
            $(#[doc = $doc] $variant,)*
        }

        impl Repair {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in profiles, and the rule id where a profile gives none.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What a peer sends and what is made of it, in a sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim_ascii(),)* }
            }

            /// The section that says how it should be.
            pub const fn rfc(self) -> &'static str {
                match self { $(Self::$variant => $rfc,)* }
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
    OpCase = "opCase", true, "RFC 7644 section 3.5.2";
    /// `"True"` or `"False"` where the schema has a boolean.
    StringBoolean = "stringBoolean", false, "RFC 7643 section 2.3.2";
    /// `"True"` or `"False"` as the literal of a boolean attribute in a filter.
    FilterBoolean = "filterBoolean", false, "RFC 7644 section 3.4.2.2";
    /// A value path that selects nothing creates the element.
    Upsert = "upsert", false, "RFC 7644 section 3.5.2.3";
    /// `name.givenName` as a member name of a value without path.
    DottedKey = "dottedKey", false, "RFC 7644 section 3.10";
    /// An extension's URN and an attribute as a member name of a value without path.
    UrnKey = "urnKey", false, "RFC 7643 section 3.3";
    /// The core schema's URN before an attribute.
    CoreUrn = "coreUrn", true, "RFC 7644 section 3.10";
    /// A plain value for a complex attribute: its `value`.
    PlainValue = "plainValue", false, "RFC 7643 section 2.3.8";
    /// An empty value of a complex attribute clears it.
    EmptyValue = "emptyValue", false, "RFC 7643 section 2.5";
    /// An extension's attribute without its URN.
    BareExtension = "bareExtension", false, "RFC 7643 section 3.3";
    /// An array of one for a single value.
    SingleElement = "singleElement", false, "RFC 7643 section 2.4";
    /// `remove` with a path and the values to remove.
    RemoveValues = "removeValues", false, "RFC 7644 section 3.5.2.2";
    /// `remove` with an empty list of values: nothing to do.
    RemoveNothing = "removeNothing", false, "RFC 7644 section 3.5.2.2";
    /// `null` as an element or a member: not there.
    NullMember = "nullMember", true, "RFC 7643 section 2.5";
    /// `null` or `[]` for a multi-valued attribute that is replaced: emptied.
    ClearList = "clearList", true, "RFC 7643 section 2.5";
    /// `null` as a new value: the attribute is removed.
    ClearValue = "clearValue", true, "RFC 7643 section 2.5";
    /// readOnly attributes, nulls and empty lists in a resource that is written.
    Unwritable = "unwritable", true, "RFC 7644 section 3.3";
    /// A schema URI that stands for nothing.
    UnknownSchema = "unknownSchema", false, "RFC 7643 section 3";
    /// Data of an extension that `schemas` does not list.
    MissingSchema = "missingSchema", true, "RFC 7643 section 3";
    /// A schema URI without data.
    EmptySchema = "emptySchema", true, "RFC 7643 section 3";
    /// A sub-attribute after a value path in a filter.
    FilterSubAttribute = "filterSubAttribute", false, "RFC 7644 section 3.4.2.2";
    /// A filter's text without quotes.
    UnquotedLiteral = "unquotedLiteral", false, "RFC 7644 section 3.4.2.2";
    /// A value given as the text of a JSON object.
    JsonText = "jsonText", false, "RFC 7643 section 2.3.8";
    /// The same element twice.
    DuplicateElement = "duplicateElement", true, "RFC 7643 section 2.4";
    /// A writeOnly value that the peer made up, such as a password: left out.
    Secret = "secret", false, "RFC 7643 section 4.1.1";
    /// An empty text for an attribute that need not be there: not there.
    EmptyText = "emptyText", false, "RFC 7643 section 2.5";
    /// A list's only element without a type: the schema's first type, and primary.
    LoneElement = "loneElement", false, "RFC 7643 section 2.4";
    /// An element to add that a filter describes, without a value.
    AddByFilter = "addByFilter", false, "RFC 7644 section 3.5.2.1";
    /// A query parameter that means nothing.
    UnknownParameter = "unknownParameter", true, "RFC 7644 section 3.4.2";
}

/// The repairs of one peer with the rule ids they are reported under.
#[derive(Clone, Debug, Default)]
pub struct Repairs {
    ids: BTreeMap<Repair, Box<str>>,
    sources: BTreeMap<Repair, Box<str>>,
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

    /// Where it stands that the peer needs the repairs, by their names.
    pub(crate) fn explain<'a>(&mut self, source: impl Fn(&str) -> Option<&'a str>) {
        let sources = self.ids.keys().filter_map(|repair| Some((*repair, source(repair.name())?.into())));
        self.sources = sources.collect();
    }

    /// Where it stands that the peer needs the repair, if its profile says so.
    pub fn source(&self, repair: Repair) -> Option<&str> {
        self.sources.get(&repair).map(|source| &**source)
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
pub struct Repaired {
    places: Vec<(Repair, Box<str>)>,
    /// Where the patch operations begin: how many places and how many changes were before each.
    operations: Vec<(usize, usize)>,
}

impl Repaired {
    /// Notes one repair at an attribute's path.
    pub fn note(&mut self, repair: Repair, path: &str) {
        self.places.push((repair, path.into()));
    }

    /// The next patch operation begins; so many changes came of those before.
    pub(crate) fn operation(&mut self, changes: usize) {
        self.operations.push((self.places.len(), changes));
    }

    /// All repairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (Repair, &str)> {
        self.places.iter().map(|(repair, path)| (*repair, &**path))
    }

    /// All repairs in order, with the number of the patch operation they were made in.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (Repair, &str, Option<usize>)> {
        self.places.iter().enumerate().map(|(at, (repair, path))| {
            let begun = self.operations.iter().filter(|(before, _)| *before <= at).count();
            (*repair, &**path, begun.checked_sub(1))
        })
    }

    /// Which changes came of a patch operation, out of `all`.
    pub(crate) fn changes(&self, operation: usize, all: usize) -> std::ops::Range<usize> {
        let begin = |index: usize| self.operations.get(index).map_or(all, |(_, changes)| *changes);
        begin(operation)..begin(operation + 1)
    }
}
