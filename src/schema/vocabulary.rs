//! The attributes of one side (IdP or provider): every name has a number, found by parent and name.

use std::borrow::Cow;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::Relaxed;

use super::{AttrId, Attribute, Mutability, Parts, Returned, Takes, Type};

/// One kind of resource a side knows.
#[derive(Clone, Debug)]
pub struct ResourceType {
    /// `User`, `Group` …
    pub name: Box<str>,
    /// `Users`, `Groups` …: the path segment.
    pub endpoint: Box<str>,
    /// The URI of the core schema.
    pub schema: Box<str>,
    /// The attribute whose members are the resource's attributes.
    pub root: AttrId,
    /// The context of a ListResponse of such resources.
    pub list: AttrId,
    /// The roots of the extensions, and whether the extension is required.
    pub extensions: Vec<(AttrId, bool)>,
    /// `schemas` of the resource.
    pub schemas: AttrId,
    /// `id` of the resource.
    pub id: AttrId,
    /// `meta` of the resource.
    pub meta: AttrId,
    /// `meta.location` of the resource.
    pub location: AttrId,
}

/// All attributes of one side.
#[derive(Debug)]
pub struct Vocabulary {
    attributes: Vec<Attribute>,
    /// One for each attribute.
    hot: Vec<Hot>,
    /// Open addressing over (parent, name without case); 0 is a free place.
    table: Vec<u16>,
    types: Vec<ResourceType>,
    /// What is said of attributes that there are not.
    nothing: Attribute,
    /// The context of a PatchOp message.
    pub patch_op: AttrId,
}

/// What a reader needs of an attribute, side by side.
///
/// Peers repeat themselves, so that a reader can try the name that came next the last time: which came first in an
/// object of this attribute, and which followed it. It is a guess: nothing but speed depends on it.
#[derive(Debug, Default)]
pub(crate) struct Hot {
    /// The first bytes of the name in quotes with a colon, and a mask for those that count.
    head: u128,
    mask: u128,
    /// The bytes behind them.
    tail: Box<[u8]>,
    /// The length of the name; 0 for one that is not to be guessed.
    len: usize,
    /// What came first in an object, and what came behind the attribute: last, and before that.
    first: [AtomicU16; 2],
    then: [AtomicU16; 2],
    /// Where names of members are looked up (itself, but for lists of resources).
    pub(crate) context: AttrId,
    /// What a client may give as a member.
    pub(crate) takes: Takes,
    /// What a client may give as one of several values.
    pub(crate) takes_as_element: Takes,
}

impl Hot {
    const HEAD: usize = size_of::<u128>();

    fn new(id: AttrId, attribute: &Attribute) -> Self {
        let name = &attribute.name;
        let plain = !name.contains(['"', '\\']);
        let spelled = format!("\"{name}\":").into_bytes();
        let head = spelled.iter().take(Self::HEAD).rev();
        Self {
            head: head.clone().fold(0, |word, byte| word << 8 | u128::from(*byte)),
            mask: head.fold(0, |word, _| word << 8 | 0xff),
            tail: spelled.get(Self::HEAD..).unwrap_or_default().into(),
            len: if plain { name.len() } else { 0 },
            context: id,
            takes: Takes::member(attribute),
            takes_as_element: Takes::element(attribute),
            ..Self::default()
        }
    }

    /// The length of the attribute's name, when the text begins with it in quotes and a colon behind it.
    pub(crate) fn spelled(&self, text: &[u8]) -> Option<usize> {
        let head = text.first_chunk::<{ Self::HEAD }>()?;
        let same = u128::from_le_bytes(*head) & self.mask == self.head
            && (self.tail.is_empty()
                || text.get(Self::HEAD..).is_some_and(|text| text.starts_with(&self.tail)));
        (same && self.len > 0).then_some(self.len)
    }

    /// The member that may come first in an object of the attribute.
    pub(crate) fn first(&self) -> AttrId {
        AttrId(self.first[0].load(Relaxed))
    }

    /// The member that may come behind the attribute.
    pub(crate) fn then(&self) -> AttrId {
        AttrId(self.then[0].load(Relaxed))
    }
}

impl Vocabulary {
    pub(super) fn empty() -> Self {
        let mut this = Self {
            attributes: vec![Attribute::default()],
            hot: vec![Hot::default()],
            table: vec![0; 256],
            types: Vec::new(),
            nothing: Attribute::default(),
            patch_op: AttrId::UNKNOWN,
        };
        this.patch_op = this.add_root("PatchOp");
        for name in ["schemas", "Operations"] {
            this.add(this.patch_op, Attribute { name: name.into(), multi_valued: true, ..message(name) });
        }
        let operations = this.lookup(this.patch_op, b"Operations");
        for name in ["op", "path", "value"] {
            this.add(operations, message(name));
        }
        // A patch value is bound when its path is known.
        let value = this.lookup(operations, b"value");
        this.set_context(value, AttrId::UNKNOWN);
        this
    }

    /// How many numbers there are, with that of the unknown attribute.
    pub(crate) fn len(&self) -> usize {
        self.attributes.len()
    }

    /// The resource types, in the order of the schema data.
    pub fn types(&self) -> &[ResourceType] {
        &self.types
    }

    /// The resource type of that name.
    pub fn type_named(&self, name: &str) -> Option<&ResourceType> {
        self.types.iter().find(|each| &*each.name == name)
    }

    /// The attribute; the one of number 0 has neither name nor characteristics.
    pub fn attribute(&self, id: AttrId) -> &Attribute {
        self.attributes.get(id.index()).unwrap_or(&self.nothing)
    }

    /// The attribute's name in the schema's spelling.
    pub fn name(&self, id: AttrId) -> &str {
        &self.attribute(id).name
    }

    /// A value of the attribute such that equal values are equal texts: `caseExact` decides (RFC 7643 section 2.2).
    pub(crate) fn comparable<'a>(&self, id: AttrId, value: Cow<'a, str>) -> Cow<'a, str> {
        let lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        match self.attribute(id).case_exact || value.bytes().all(lower) {
            true => value,
            false => value.chars().flat_map(char::to_lowercase).collect(),
        }
    }

    /// True when both have the same attributes under the same numbers.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&Attribute, &Attribute)| {
            a.name == b.name
                && (a.parent, a.kind, a.multi_valued, a.mutability, a.extension)
                    == (b.parent, b.kind, b.multi_valued, b.mutability, b.extension)
        };
        self.attributes.len() == other.attributes.len()
            && self.attributes.iter().zip(&other.attributes).all(same)
    }

    /// The attribute's path from its resource.
    pub fn path(&self, id: AttrId) -> &str {
        &self.attribute(id).path
    }

    /// Where the names of members below `attr` are looked up.
    pub fn context(&self, attr: AttrId) -> AttrId {
        self.hot(attr).map_or(AttrId::UNKNOWN, |hot| hot.context)
    }

    fn set_context(&mut self, attr: AttrId, context: AttrId) {
        if let Some(hot) = self.hot.get_mut(attr.index()) {
            hot.context = context;
        }
    }

    /// What a reader needs of an attribute.
    pub(crate) fn hot(&self, attr: AttrId) -> Option<&Hot> {
        self.hot.get(attr.index())
    }

    /// What a client may give as a member of that attribute.
    pub(crate) fn takes(&self, attr: AttrId) -> Takes {
        self.hot(attr).map_or(Takes::default(), |hot| hot.takes)
    }

    /// What a client may give as one of several values of that attribute.
    pub(crate) fn takes_as_element(&self, attr: AttrId) -> Takes {
        self.hot(attr).map_or(Takes::default(), |hot| hot.takes_as_element)
    }

    /// The attribute of that name (ASCII case does not matter) below `parent`.
    pub fn lookup(&self, parent: AttrId, name: &[u8]) -> AttrId {
        if !parent.is_known() {
            return AttrId::UNKNOWN;
        }
        let mask = self.table.len() - 1;
        let mut slot = hash(parent, name) & mask;
        loop {
            let id = AttrId(self.table.get(slot).copied().unwrap_or(0));
            if !id.is_known() {
                return AttrId::UNKNOWN;
            }
            let attribute = self.attribute(id);
            let here = attribute.name.as_bytes();
            if attribute.parent == parent && (here == name || here.eq_ignore_ascii_case(name)) {
                return id;
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Another member that may come behind `before`, or first in an object of `context`.
    pub(crate) fn guess(&self, context: AttrId, before: AttrId) -> AttrId {
        let [_, guess] = match (before.is_known(), self.hot(before), self.hot(context)) {
            (true, Some(hot), _) => &hot.then,
            (_, _, Some(hot)) => &hot.first,
            _ => return AttrId::UNKNOWN,
        };
        AttrId(guess.load(Relaxed))
    }

    /// Notes which member came behind `before`, or first in an object of `context`.
    pub(crate) fn learn(&self, context: AttrId, before: AttrId, attr: AttrId) {
        let next = match before.is_known() {
            true => self.hot(before).map(|hot| &hot.then),
            false => self.hot(context).map(|hot| &hot.first),
        };
        if let Some([last, before]) = next {
            before.store(last.swap(attr.0, Relaxed), Relaxed);
        }
    }

    /// The attributes right below `parent`, in the order of the schema.
    pub fn children(&self, parent: AttrId) -> impl Iterator<Item = AttrId> {
        self.attribute(parent).children.iter().copied()
    }

    /// Those of them that a client must give.
    pub fn required(&self, parent: AttrId) -> impl ExactSizeIterator<Item = AttrId> {
        self.attribute(parent).required_children.iter().copied()
    }

    /// The sub-attributes of `attr` that have a meaning by their name.
    pub(crate) fn parts(&self, attr: AttrId) -> Parts {
        self.attribute(attr).parts
    }

    /// True when `attr` or something below it is a reference.
    pub(crate) fn has_references(&self, attr: AttrId) -> bool {
        self.attribute(attr).references
    }

    /// True when a reference names a resource of a type it must not point to (RFC 7643 section 7,
    /// `referenceTypes`). What does not look like the address of a resource may be one elsewhere.
    pub(crate) fn refers_to_another(&self, attr: AttrId, text: &str) -> bool {
        let attribute = self.attribute(attr);
        if !attribute.refers {
            return false;
        }
        let types = &attribute.reference_types;
        let bytes = text.as_bytes();
        let end = bytes.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(bytes.len());
        let segments = bytes.get(..end).unwrap_or_default().rsplit(|byte| *byte == b'/');
        let Some(endpoint) = segments.skip_while(|segment| segment.is_empty()).nth(1) else { return false };
        let of = self.types().iter().find(|of| of.endpoint.as_bytes() == endpoint);
        of.is_some_and(|of| !types.iter().any(|each| **each == *of.name))
    }

    /// True when `id` is `ancestor` or lies below it.
    pub fn is_within(&self, mut id: AttrId, ancestor: AttrId) -> bool {
        while id.is_known() {
            if id == ancestor {
                return true;
            }
            id = self.attribute(id).parent;
        }
        false
    }

    /// The top attribute that `id` belongs to: a member of the resource or of an extension's root.
    pub fn top(&self, mut id: AttrId) -> AttrId {
        loop {
            let parent = self.attribute(id).parent;
            let above = self.attribute(parent);
            if !parent.is_known() || above.extension || !above.parent.is_known() {
                return id;
            }
            id = parent;
        }
    }

    /// The attribute of another vocabulary's `id` in this one, found by names from `root` down.
    pub fn translate(&self, other: &Self, id: AttrId, other_root: AttrId, root: AttrId) -> AttrId {
        if id == other_root {
            return root;
        }
        let attribute = other.attribute(id);
        if !attribute.parent.is_known() {
            return AttrId::UNKNOWN;
        }
        let parent = self.translate(other, attribute.parent, other_root, root);
        self.lookup(parent, attribute.name.as_bytes())
    }

    /// The attribute of that number.
    pub(crate) fn id(&self, number: usize) -> Option<AttrId> {
        let number = u16::try_from(number).ok().filter(|_| (1..self.attributes.len()).contains(&number));
        number.map(AttrId)
    }

    /// All attributes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = AttrId> + use<> {
        (1..self.attributes.len()).filter_map(|index| u16::try_from(index).ok()).map(AttrId)
    }

    pub(super) fn add_root(&mut self, name: &str) -> AttrId {
        self.add(AttrId::UNKNOWN, Attribute { kind: Type::Complex, ..message(name) })
    }

    /// Adds an attribute below `parent` and sets its path. The first of two equal names stays.
    pub(super) fn add(&mut self, parent: AttrId, mut attribute: Attribute) -> AttrId {
        let known = self.lookup(parent, attribute.name.as_bytes());
        if known.is_known() {
            return known;
        }
        let Ok(number) = u16::try_from(self.attributes.len()) else { return AttrId::UNKNOWN };
        let id = AttrId(number);
        if !matches!(attribute.returned, Returned::Always | Returned::Default) {
            self.hides(parent);
        }
        let above = self.attribute(parent);
        attribute.path = if !parent.is_known() {
            "".into()
        } else if attribute.extension || !above.parent.is_known() {
            attribute.name.as_ref().into()
        } else if above.extension {
            format!("{}:{}", above.name, attribute.name).into()
        } else {
            format!("{}.{}", above.path, attribute.name).into()
        };
        attribute.parent = parent;
        let required = attribute.required && attribute.mutability != Mutability::ReadOnly;
        let name = attribute.name.to_ascii_lowercase();
        // The URIs of schemas are the same everywhere.
        let types = &attribute.reference_types;
        attribute.refers =
            !types.is_empty() && !types.iter().any(|each| matches!(&**each, "external" | "uri"));
        attribute.references = attribute.kind == Type::Reference && name != "schemas";
        let mut above = if attribute.references { parent } else { AttrId::UNKNOWN };
        self.hot.push(Hot::new(id, &attribute));
        self.attributes.push(attribute);
        if let Some(above) = self.attributes.get_mut(parent.index()).filter(|_| parent.is_known()) {
            above.children.push(id);
            if required {
                above.required_children.push(id);
            }
            match name.as_str() {
                "value" => above.parts.value = id,
                "type" => above.parts.kind = id,
                "primary" => above.parts.primary = id,
                "display" => above.parts.display = id,
                _ => {}
            }
        }
        while let Some(attribute) = self.attributes.get_mut(above.index()).filter(|_| above.is_known()) {
            attribute.references = true;
            above = attribute.parent;
        }
        if self.attributes.len() * 2 > self.table.len() {
            self.table = vec![0; self.table.len() * 2];
            for id in self.ids().collect::<Vec<_>>() {
                self.enter(id);
            }
        } else {
            self.enter(id);
        }
        id
    }

    /// Notes that something below is not always shown.
    fn hides(&mut self, mut id: AttrId) {
        while let Some(attribute) = self.attributes.get_mut(id.index()).filter(|_| id.is_known()) {
            attribute.hides = true;
            id = attribute.parent;
        }
    }

    pub(super) fn add_list(&mut self, root: AttrId) -> AttrId {
        let list = self.add_root("ListResponse");
        for name in ["schemas", "totalResults", "startIndex", "itemsPerPage", "Resources"] {
            self.add(list, message(name));
        }
        let resources = self.lookup(list, b"Resources");
        self.set_context(resources, root);
        list
    }

    pub(super) fn add_type(&mut self, of: ResourceType) {
        self.types.push(of);
    }

    fn enter(&mut self, id: AttrId) {
        let attribute = self.attribute(id);
        let mask = self.table.len() - 1;
        let mut slot = hash(attribute.parent, attribute.name.as_bytes()) & mask;
        while self.table.get(slot).is_some_and(|taken| *taken != 0) {
            slot = (slot + 1) & mask;
        }
        if let Some(free) = self.table.get_mut(slot) {
            *free = id.0;
        }
    }
}

/// Spreads names by their first and last eight letters and their length. Schemas are trusted, so nothing can be
/// made to collide.
fn hash(parent: AttrId, name: &[u8]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    // Letters differ by this bit alone from those of the other case.
    const CASE: u64 = 0x2020_2020_2020_2020;
    let word = |bytes: Option<&[u8; 8]>| u64::from_le_bytes(bytes.copied().unwrap_or_default());
    let (first, last) = match name.len() {
        8.. => (word(name.first_chunk()), word(name.last_chunk())),
        _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let letters = (first | CASE) ^ (last | CASE).rotate_left(29);
    let mixed = (letters ^ (parent.index() as u64) << 32 ^ name.len() as u64).wrapping_mul(ODD);
    usize::try_from(mixed >> 33).unwrap_or_default()
}

fn message(name: &str) -> Attribute {
    Attribute { name: name.into(), mutability: Mutability::ReadWrite, ..Attribute::default() }
}
