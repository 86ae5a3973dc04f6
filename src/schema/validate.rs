//! Checking a value that is bound to a schema, and repairing it on the way where the peer's repairs allow it.
//!
//! All problems of a message are gathered, each with its SCIM path; none holds a value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{AttrId, Mutability, Parts, ResourceType, Returned, Type, Vocabulary};
use crate::document::{Document, Kind, NodeId};
use crate::path::is_name;
use crate::repair::{Repair, Repaired, Repairs};

/// What a value is for: what is required, and who may write what, depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Context {
    /// A resource that is created.
    Create,
    /// A resource that replaces another: what the client cannot know need not be there.
    Replace,
    /// The value of a patch operation.
    Patch,
    /// A resource as it is shown: readOnly attributes are there, what is never returned is not.
    Response,
}

/// One thing that is wrong with a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// The attribute's path.
    pub path: String,
    /// What is wrong, in words.
    pub message: String,
}

/// The sorts of problems, as RFC 7644 section 3.12 tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProblemKind {
    /// `invalidValue`
    Value,
    /// `mutability`
    Mutability,
    /// `invalidPath`
    Path,
    /// `noTarget`
    NoTarget,
    /// `invalidSyntax`
    Syntax,
}

/// Checks values against one vocabulary.
#[derive(Debug)]
pub struct Checker<'a> {
    /// The side's attributes.
    pub vocabulary: &'a Vocabulary,
    /// What may be repaired.
    pub repairs: &'a Repairs,
    /// What was repaired.
    pub repaired: &'a mut Repaired,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What the values are for.
    pub context: Context,
    /// The restrictions of the interoperability profile hold (draft-zollner-scim-interop-profile): nothing is
    /// taken that the schema does not have, every patch operation has a path, filters are of `eq` and `and`.
    pub interop: bool,
}

/// So few elements are compared each with each.
const FEW: usize = 8;

impl<'a> Checker<'a> {
    /// Nothing was checked yet.
    pub const fn new(
        vocabulary: &'a Vocabulary,
        repairs: &'a Repairs,
        repaired: &'a mut Repaired,
        context: Context,
    ) -> Self {
        Self { vocabulary, repairs, repaired, problems: Vec::new(), context, interop: false }
    }

    /// Checks a whole resource: its members, what is required, and `schemas`.
    pub fn resource(&mut self, document: &mut Document, root: NodeId, of: &ResourceType) {
        if document.kind(root) != Kind::Object {
            return self.problem(ProblemKind::Syntax, "", "the body must be a JSON object");
        }
        self.hoist(document, root, of);
        self.members(document, root, of.root);
        self.schemas(document, root, of);
    }

    /// Attributes of the core schema may stand in an object under its URN: they belong to the resource itself.
    fn hoist(&mut self, document: &mut Document, root: NodeId, of: &ResourceType) {
        let wrapped = document.bound(root).find(|(member, attr)| {
            !attr.is_known() && document.key(*member).eq_ignore_ascii_case(&of.schema)
        });
        let Some((wrapped, _)) = wrapped else { return };
        self.repaired.note(Repair::CoreUrn, &of.schema);
        document.remove(wrapped);
        document.bind(wrapped, self.vocabulary, of.root);
        let members: Vec<NodeId> = document.children(wrapped).collect();
        for member in members {
            if document.member_named(root, &document.key(member)).is_some() {
                let message = "has an attribute that the resource has too";
                self.problem(ProblemKind::Syntax, &of.schema, message);
            } else {
                let copy = document.copy(member);
                document.append(root, copy);
            }
        }
    }

    /// Checks the value of an attribute, single or list, as it stands in a resource or a patch operation.
    pub fn value(&mut self, document: &mut Document, node: NodeId, attr: AttrId) {
        let attribute = self.vocabulary.attribute(attr);
        match (attribute.multi_valued, document.kind(node)) {
            (true, Kind::Array) => self.list(document, node, attr),
            (true, _) => {
                if !self.repairs.allows(Repair::SingleElement) {
                    return self.value_problem(attr, "must be an array");
                }
                self.note(Repair::SingleElement, attr);
                let array = document.new_array();
                document.set_attr(array, attr);
                let element = document.copy(node);
                document.append(array, element);
                document.assign(node, array);
                self.list(document, node, attr);
            }
            (false, Kind::Array) => {
                let first = document.first(node);
                let single = first.filter(|first| document.sibling(*first).is_none());
                match single {
                    Some(first) if self.repairs.allows(Repair::SingleElement) => {
                        self.note(Repair::SingleElement, attr);
                        document.assign(node, first);
                        self.element(document, node, attr);
                    }
                    _ => self.value_problem(attr, "must be a single value"),
                }
            }
            (false, _) => self.element(document, node, attr),
        }
    }

    /// Checks one element of a multi-valued attribute, or a single value.
    pub fn element(&mut self, document: &mut Document, node: NodeId, attr: AttrId) {
        let attribute = self.vocabulary.attribute(attr);
        let kind = document.kind(node);
        let fault = match (attribute.kind, kind) {
            (Type::Complex, Kind::Object) => {
                self.json_text(document, node, attr);
                self.members(document, node, attr);
                None
            }
            (Type::Complex, Kind::String | Kind::Number | Kind::Bool(_)) => {
                let value = self.vocabulary.parts(attr).value;
                if !value.is_known() || !self.repairs.allows(Repair::PlainValue) {
                    Some("must be an object")
                } else {
                    self.wrap(document, node, attr, value);
                    self.json_text(document, node, attr);
                    self.members(document, node, attr);
                    None
                }
            }
            (Type::Boolean, Kind::Bool(_)) => None,
            (Type::Boolean, Kind::String) => self.boolean(document, node, attr),
            (Type::Integer, Kind::Number) => {
                let whole = document.number(node).is_some_and(|text| !text.contains(['.', 'e', 'E']));
                (!whole).then_some("must be a whole number")
            }
            (Type::Decimal, Kind::Number) => None,
            (Type::String, Kind::String) => None,
            (Type::Reference, Kind::String) => {
                let text = document.string(node).unwrap_or_default();
                if is_uri_reference(&text) && self.vocabulary.refers_to_another(attr, &text) {
                    let types = attribute.reference_types.join(" or ");
                    return self.value_problem(attr, &format!("must refer to a {types}"));
                }
                (!is_uri_reference(&text)).then_some("must be a URI")
            }
            (Type::DateTime, Kind::String) => {
                let valid = document.string(node).is_some_and(|text| is_date_time(&text));
                (!valid).then_some("must be a dateTime such as 2026-01-31T08:00:00Z")
            }
            (Type::Binary, Kind::String) => {
                let valid = document.string(node).is_some_and(|text| is_base64(&text));
                (!valid).then_some("must be base64")
            }
            (Type::Complex, _) => Some("must be an object"),
            (Type::Boolean, _) => Some("must be true or false"),
            (Type::Integer | Type::Decimal, _) => Some("must be a number"),
            (Type::String | Type::Reference | Type::DateTime | Type::Binary, _) => Some("must be a string"),
        };
        if let Some(fault) = fault {
            return self.value_problem(attr, fault);
        }
        if attribute.closed && kind == Kind::String {
            let text = document.string(node).unwrap_or_default();
            let same = |each: &str| {
                if attribute.case_exact { each == text } else { each.eq_ignore_ascii_case(&text) }
            };
            if !attribute.canonical_values.iter().any(|each| same(each)) {
                let values = attribute.canonical_values.join(", ");
                self.value_problem(attr, &format!("must be one of {values}"));
            }
        }
    }

    fn members(&mut self, document: &mut Document, object: NodeId, parent: AttrId) {
        let mut next = document.first_unsound(object);
        while let Some(member) = next {
            next = document.next_unsound(member);
            let attr = document.attr(member);
            if document.is_unassigned(member) {
                // RFC 7643 section 2.5: null, an empty array and an absent attribute are the same state.
                let name = self.member_path(document, member, parent);
                self.repaired.note(self.unassigned_repair(parent), &name);
                document.remove(member);
            } else if attr.is_known() && self.means_nothing(document, member, attr) {
                document.remove(member);
            } else if attr.is_known() {
                self.member(document, member, attr);
            } else if !is_member_name(&document.key(member)) {
                let root = !self.vocabulary.attribute(parent).parent.is_known();
                let (place, message) = match root {
                    true => ("", "the resource has a member whose name cannot be an attribute's"),
                    false => {
                        (self.vocabulary.path(parent), "has a member whose name cannot be an attribute's")
                    }
                };
                self.problem(ProblemKind::Syntax, place, message);
            } else if self.interop {
                self.unknown(document, member, parent);
            }
        }
        self.required(document, object, parent);
    }

    fn member(&mut self, document: &mut Document, member: NodeId, attr: AttrId) {
        let attribute = self.vocabulary.attribute(attr);
        let shown = self.context == Context::Response;
        if shown && attribute.returned == Returned::Never {
            return self.value_problem(attr, "must never be returned");
        }
        if attribute.mutability == Mutability::ReadOnly && !shown {
            // RFC 7644 sections 3.3 and 3.5.1: readOnly attributes of the request are ignored.
            self.note(Repair::Unwritable, attr);
            return document.remove(member);
        }
        self.value(document, member, attr);
        let emptied = document.is_unassigned(member)
            || self.is_empty_text(document, member, attr)
            || (attribute.kind == Type::Complex
                && document.kind(member) == Kind::Object
                && document.first(member).is_none());
        if emptied {
            self.note(Repair::Unwritable, attr);
            document.remove(member);
        }
    }

    fn list(&mut self, document: &mut Document, array: NodeId, attr: AttrId) {
        let mut next = document.first_unsound(array);
        while let Some(element) = next {
            next = document.next_unsound(element);
            match document.kind(element) {
                Kind::Null => {
                    self.note(Repair::NullMember, attr);
                    document.remove(element);
                }
                Kind::Array => self.value_problem(attr, "must not hold an array"),
                _ => {
                    self.element(document, element, attr);
                    if document.kind(element) == Kind::Object && document.first(element).is_none() {
                        self.note(Repair::NullMember, attr);
                        document.remove(element);
                    }
                }
            }
        }
        self.lone_element(document, array, attr);
        let parts = self.vocabulary.parts(attr);
        if parts.value.is_known() {
            for (first, second) in self.duplicates(document, array, parts) {
                // RFC 7643 section 2.4: the same (type, value) SHOULD NOT be returned more than once.
                self.note(Repair::DuplicateElement, attr);
                self.join(document, first, second);
            }
        }
        if parts.primary.is_known() {
            let is_primary = |element: &NodeId| {
                let node = document.member(*element, parts.primary);
                node.is_some_and(|node| document.kind(node) == Kind::Bool(true))
            };
            if document.children(array).filter(is_primary).nth(1).is_some() {
                self.value_problem(attr, "must have at most one primary element");
            }
        }
    }

    /// The elements that repeat type and value of an earlier one, each behind it, in n log n steps.
    fn duplicates(&self, document: &Document, array: NodeId, parts: Parts) -> Vec<(NodeId, NodeId)> {
        if document.first(array).and_then(|first| document.sibling(first)).is_none() {
            return Vec::new();
        }
        let text = |element: NodeId, part: AttrId| {
            let member = document.member(element, part).filter(|_| part.is_known())?;
            Some(self.vocabulary.comparable(part, document.string(member)?))
        };
        // Few elements are told apart by their values alone, without copies.
        if document.children(array).nth(FEW).is_none() {
            let values =
                || document.children(array).filter_map(|element| document.member(element, parts.value));
            let apart = |(place, value): (usize, NodeId)| {
                values().take(place).all(|other| document.differ(value, other))
            };
            if values().enumerate().all(apart) {
                return Vec::new();
            }
        }
        let keyed = document.children(array).enumerate().filter_map(|(place, element)| {
            Some((text(element, parts.value)?, text(element, parts.kind).unwrap_or_default(), place, element))
        });
        let mut keyed: Vec<_> = keyed.collect();
        keyed.sort_unstable();
        let same = keyed.chunk_by(|a, b| (&a.0, &a.1) == (&b.0, &b.1));
        same.flat_map(|group| {
            let mut elements = group.iter().map(|each| each.3);
            let first = elements.next();
            elements.filter_map(move |element| Some((first?, element)))
        })
        .collect()
    }

    /// Takes a second element out, but for the attributes that the first one lacks.
    fn join(&self, document: &mut Document, first: NodeId, second: NodeId) {
        let mut next = document.first(second);
        while let Some(member) = next {
            next = document.sibling(member);
            let attr = document.attr(member);
            if attr.is_known() && document.member(first, attr).is_none() {
                let copy = document.copy(member);
                document.append(first, copy);
            }
        }
        document.remove(second);
    }

    fn required(&mut self, document: &Document, object: NodeId, parent: AttrId) {
        // The value of a patch operation is a part of the resource, but for whole elements.
        if self.context == Context::Patch && !self.vocabulary.attribute(parent).multi_valued {
            return;
        }
        let is_due = |attr: &AttrId| {
            let attribute = self.vocabulary.attribute(*attr);
            match self.context {
                // What the client wrote it cannot read: there is no value it could write back.
                Context::Replace => attribute.mutability != Mutability::WriteOnly,
                Context::Response => !matches!(attribute.returned, Returned::Never | Returned::Request),
                Context::Create | Context::Patch => true,
            }
        };
        let missing = |attr: &AttrId| {
            let member = document.member(object, *attr);
            member.is_none_or(|node| document.says(node, "", true))
                && self.vocabulary.name(*attr) != "schemas"
        };
        let mut absent: Vec<AttrId> =
            self.vocabulary.required(parent).filter(is_due).filter(missing).collect();
        let shown = (self.context == Context::Response).then(|| self.vocabulary.children(parent));
        let read_only = shown.into_iter().flatten().filter(|attr| {
            let attribute = self.vocabulary.attribute(*attr);
            let always = attribute.required || attribute.returned == Returned::Always;
            always && attribute.mutability == Mutability::ReadOnly
        });
        absent.extend(read_only.filter(missing));
        for attr in absent {
            self.value_problem(attr, "is required");
        }
    }

    /// A member that the schema does not have, where nothing of that kind is taken.
    fn unknown(&mut self, document: &Document, member: NodeId, parent: AttrId) {
        let key = document.key(member).into_owned();
        // A name is no value; but what is as long as one of these is not shown.
        let shown = if is_name(&key) && key.len() <= 64 { key } else { "a member".to_owned() };
        let above = self.vocabulary.attribute(parent);
        let path = match (&*above.path, above.extension) {
            ("", _) => shown,
            (path, true) => format!("{path}:{shown}"),
            (path, false) => format!("{path}.{shown}"),
        };
        self.problem(ProblemKind::Syntax, &path, "is not in the schema");
    }

    fn wrap(&mut self, document: &mut Document, node: NodeId, attr: AttrId, value: AttrId) {
        self.note(Repair::PlainValue, attr);
        let object = document.new_object();
        document.set_attr(object, attr);
        let inner = document.copy(node);
        document.append_member(object, self.vocabulary, value, inner);
        document.assign(node, object);
    }

    fn boolean(&mut self, document: &mut Document, node: NodeId, attr: AttrId) -> Option<&'static str> {
        let text = document.string(node).unwrap_or_default();
        let truth = match () {
            () if text.eq_ignore_ascii_case("true") => true,
            () if text.eq_ignore_ascii_case("false") => false,
            () => return Some("must be true or false"),
        };
        if !self.repairs.allows(Repair::StringBoolean) {
            return Some("must be true or false without quotes");
        }
        self.note(Repair::StringBoolean, attr);
        let value = document.new_bool(truth);
        document.assign(node, value);
        None
    }

    /// RFC 7643 section 3: `schemas` lists the core schema and the extensions in use, each once.
    fn schemas(&mut self, document: &mut Document, root: NodeId, of: &ResourceType) {
        let listed = document.member(root, of.schemas);
        let mut said = listed.and_then(|listed| document.first(listed));
        let mut says = |uri: &str| {
            let here = said.filter(|element| document.says(*element, uri, true));
            said = here.and_then(|element| document.sibling(element));
            here.is_some()
        };
        let all = schemas_in_use(document, root, self.vocabulary, of).all(|uri| says(&uri));
        if all && said.is_none() {
            return;
        }
        let in_use: Vec<Cow<'_, str>> = schemas_in_use(document, root, self.vocabulary, of).collect();
        // By their text without case: the place in the order of use, and whether it was listed.
        let mut uses: BTreeMap<String, (usize, bool)> = in_use
            .iter()
            .enumerate()
            .map(|(index, uri)| (uri.to_ascii_lowercase(), (index, false)))
            .collect();
        let mut next = listed.and_then(|listed| document.first(listed));
        while let Some(element) = next {
            next = document.sibling(element);
            let uri = document.string(element).unwrap_or_default().into_owned();
            let used = uses.get_mut(&uri.to_ascii_lowercase());
            if let Some((index, listed @ false)) = used {
                *listed = true;
                if let Some(spelled) = in_use.get(*index).filter(|spelled| **spelled != uri) {
                    let spelled = document.new_string(spelled);
                    document.assign(element, spelled);
                }
                continue;
            }
            if used.is_some() || self.vocabulary.schema_root(of, &uri).is_some() {
                self.repaired.note(Repair::EmptySchema, "schemas");
            } else if self.repairs.allows(Repair::UnknownSchema) {
                self.repaired.note(Repair::UnknownSchema, "schemas");
            } else {
                self.problem(ProblemKind::Value, "schemas", "names a schema that the route does not know");
                continue;
            }
            document.remove(element);
        }
        let mut missing: Vec<usize> =
            uses.into_values().filter(|(_, listed)| !listed).map(|(index, _)| index).collect();
        if missing.is_empty() {
            return;
        }
        missing.sort_unstable();
        self.repaired.note(Repair::MissingSchema, "schemas");
        let listed = listed.unwrap_or_else(|| {
            let array = document.new_array();
            document.set_key(array, "schemas");
            document.set_attr(array, of.schemas);
            document.prepend(root, array);
            array
        });
        for uri in missing.into_iter().filter_map(|index| in_use.get(index)) {
            let uri = document.new_string(uri);
            document.append(listed, uri);
        }
    }

    fn unassigned_repair(&self, parent: AttrId) -> Repair {
        let above = self.vocabulary.attribute(parent);
        if above.extension || !above.parent.is_known() { Repair::Unwritable } else { Repair::NullMember }
    }

    fn member_path(&self, document: &Document, member: NodeId, parent: AttrId) -> String {
        let attr = document.attr(member);
        if attr.is_known() { self.vocabulary.path(attr).into() } else { self.vocabulary.path(parent).into() }
    }

    fn note(&mut self, repair: Repair, attr: AttrId) {
        self.repaired.note(repair, self.vocabulary.path(attr));
    }

    fn value_problem(&mut self, attr: AttrId, message: &str) {
        self.problem(ProblemKind::Value, self.vocabulary.path(attr), message);
    }

    /// Notes a problem at a path.
    pub fn problem(&mut self, kind: ProblemKind, path: &str, message: &str) {
        self.problems.push(Problem { kind, path: path.into(), message: message.into() });
    }
}

/// RFC 7643 section 2.1: a letter, then letters, digits, `$`, `-` and `_`; or the URI of an extension.
fn is_member_name(name: &str) -> bool {
    is_name(name) || (name.contains(':') && name.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// The schema URIs a resource's members call for: the core schema first, then the extensions of the type, then those
/// that nobody knows.
fn schemas_in_use<'a>(
    document: &Document,
    root: NodeId,
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
) -> impl Iterator<Item = Cow<'a, str>> {
    let extensions = of.extensions.iter().map(|(extension, _)| *extension);
    let known = extensions.filter(move |extension| document.member(root, *extension).is_some());
    let unknown = document.bound(root).filter(|(_, attr)| !attr.is_known()).filter_map(|(member, _)| {
        let key = document.key(member);
        key.starts_with("urn:").then(|| Cow::Owned(key.into_owned()))
    });
    let known = known.map(|extension| Cow::Borrowed(vocabulary.name(extension)));
    std::iter::once(Cow::Borrowed(&*of.schema)).chain(known).chain(unknown)
}

/// Says in a resource which schemas are in use: first, where nothing was said.
pub(crate) fn put_schemas(document: &mut Document, root: NodeId, vocabulary: &Vocabulary, of: &ResourceType) {
    let uris: Vec<Cow<'_, str>> = schemas_in_use(document, root, vocabulary, of).collect();
    match document.member(root, of.schemas) {
        Some(node) => {
            let list = document.new_array();
            for uri in uris {
                let uri = document.new_string(&uri);
                document.append(list, uri);
            }
            document.assign(node, list);
        }
        None => document.build_first(root, (of.schemas, "schemas"), &uris),
    }
}

/// True for a resource that was built of what the schema takes and has all that it must have: nothing of it needs a
/// look. [`put_schemas`] has written `schemas`.
pub(crate) fn is_settled(
    document: &Document,
    root: NodeId,
    vocabulary: &Vocabulary,
    of: &ResourceType,
) -> bool {
    document.is_sound(root) && vocabulary.required(of.root).all(|attr| document.member(root, attr).is_some())
}

/// `xsd:dateTime`: date and time are required, fraction and zone optional (RFC 7643 section 2.3.5).
pub(crate) fn is_date_time(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let mut number = |digits: usize, after: u8, range: std::ops::RangeInclusive<u32>| {
        let Some((number, tail)) = rest.split_at_checked(digits) else { return false };
        let value = str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        let good = number.iter().all(u8::is_ascii_digit) && value.is_some_and(|value| range.contains(&value));
        match (after, tail.split_first()) {
            (0, _) => rest = tail,
            (after, Some((byte, tail))) if *byte == after => rest = tail,
            _ => return false,
        }
        good
    };
    let date = number(4, b'-', 0..=9999) && number(2, b'-', 1..=12) && number(2, b'T', 1..=31);
    if !(date && number(2, b':', 0..=23) && number(2, b':', 0..=59) && number(2, 0, 0..=59)) {
        return false;
    }
    if let Some((b'.', fraction)) = rest.split_first() {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    match rest {
        [] | [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit())
                && *m1 < b'6'
                && (*h1, *h2, *m1, *m2) <= (b'1', b'4', b'0', b'0')
        }
        _ => false,
    }
}

/// RFC 7643 section 2.3.7: "The value MUST be the absolute or relative URI of the target resource."
/// Letters beyond ASCII are let pass: providers take them for what they stand for.
pub(crate) fn is_uri_reference(text: &str) -> bool {
    const FOREIGN: u8 = 1;
    const ESCAPE: u8 = 2;
    #[expect(clippy::indexing_slicing, reason = "within bounds, and said when it is compiled")]
    const SIGNS: [u8; 256] = {
        let mut signs = [0; 256];
        let mut byte = 0;
        while byte < signs.len() {
            signs[byte] = match byte as u8 {
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7f => FOREIGN,
                b'%' => ESCAPE,
                _ => 0,
            };
            byte += 1;
        }
        signs
    };
    let found = text.bytes().fold(0, |found, byte| found | SIGNS.get(usize::from(byte)).unwrap_or(&0));
    let (found, escapes) = (found & FOREIGN != 0, found & ESCAPE != 0);
    let encoded = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    !found && (!escapes || text.split('%').skip(1).all(encoded))
}

/// Base64 of RFC 4648 section 4 or 5, padding optional.
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    body.bytes().all(alphabet)
        && body.len() % 4 != 1
        && (padding == 0 || text.len().is_multiple_of(4))
        && padding <= 2
}
