//! Reading a PatchOp message: names, paths and values are bound, checked and repaired.

use super::{Change, Op, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{Filter, Limits, Literal, Syntax};
use crate::message::PATCH_OP;
use crate::path::{AttrPath, Path};
use crate::repair::Repair;
use crate::schema::{AttrId, Checker, Mutability, ProblemKind, ResourceType, Type};

/// Reads the message at `root`, which is bound to [`crate::schema::Vocabulary::patch_op`]. Problems are left
/// in the checker; the changes are of use only when there are none.
pub fn read(
    document: &mut Document,
    root: NodeId,
    of: &ResourceType,
    checker: &mut Checker<'_>,
) -> Vec<Change> {
    let mut reader = Reader { document, of, checker, changes: Vec::new(), at: String::new() };
    reader.message(root);
    reader.changes
}

pub(super) const REQUIRED: &str = "is required and cannot be removed";
const IMMUTABLE: &str = "is immutable: a value that was set stays";

/// Operations one PATCH may have: each may have to look at a whole list.
const MAX_OPERATIONS: usize = 2000;

struct Reader<'a, 'c> {
    document: &'a mut Document,
    of: &'a ResourceType,
    checker: &'a mut Checker<'c>,
    changes: Vec<Change>,
    /// Which operation is read, for problems: `Operations[2]`.
    at: String,
}

impl Reader<'_, '_> {
    fn message(&mut self, root: NodeId) {
        if self.document.kind(root) != Kind::Object {
            return self.checker.problem(ProblemKind::Syntax, "", "the body must be a JSON object");
        }
        let schemas = self.document.member_named(root, "schemas");
        let listed = schemas.is_some_and(|schemas| {
            self.document
                .elements(schemas)
                .any(|uri| self.document.string(uri).is_some_and(|uri| uri.eq_ignore_ascii_case(PATCH_OP)))
        });
        if !listed {
            let message = format!("must list `{PATCH_OP}`");
            return self.checker.problem(ProblemKind::Syntax, "schemas", &message);
        }
        let operations = self.document.member_named(root, "Operations");
        let Some(operations) = operations.filter(|list| self.document.kind(*list) == Kind::Array) else {
            return self.checker.problem(ProblemKind::Syntax, "Operations", "must be an array");
        };
        if self.document.first(operations).is_none() {
            return self.checker.problem(ProblemKind::Syntax, "Operations", "must not be empty");
        }
        if self.document.children(operations).count() > MAX_OPERATIONS {
            let message = format!("must not have more than {MAX_OPERATIONS} operations; send them in parts");
            return self.checker.problem(ProblemKind::Value, "Operations", &message);
        }
        let mut next = self.document.first(operations);
        let mut index = 0;
        while let Some(operation) = next {
            next = self.document.sibling(operation);
            self.at = format!("Operations[{index}]");
            self.checker.repaired.operation(self.changes.len());
            index += 1;
            self.operation(operation);
        }
    }

    fn operation(&mut self, operation: NodeId) {
        if self.document.kind(operation) != Kind::Object {
            return self.syntax("must be an object");
        }
        let text = |document: &Document, name: &str| {
            let member = document.member_named(operation, name)?;
            Some(document.string(member).map(std::borrow::Cow::into_owned))
        };
        let Some(op) = text(self.document, "op").flatten() else {
            return self.syntax("must have an `op`");
        };
        let op = match op.to_ascii_lowercase().as_str() {
            known @ ("add" | "replace" | "remove") => {
                if op != known {
                    self.checker.repaired.note(Repair::OpCase, &self.at);
                }
                match known {
                    "add" => Op::Add,
                    "replace" => Op::Replace,
                    _ => Op::Remove,
                }
            }
            _ => return self.syntax("must have an `op` of add, remove or replace"),
        };
        let value = self.document.member_named(operation, "value");
        match text(self.document, "path") {
            Some(None) => self.problem(ProblemKind::Path, "the path must be a string"),
            Some(Some(path)) => self.with_path(op, &path, value),
            None if self.checker.interop => {
                self.problem(ProblemKind::Path, "must have a `path` (interoperability profile)");
            }
            None => self.without_path(op, value),
        }
    }

    fn with_path(&mut self, op: Op, text: &str, value: Option<NodeId>) {
        let Some(path) = self.parse(text) else { return };
        let path = match path {
            Path::Schema(uri) => {
                let root = self.checker.vocabulary.schema_root(self.of, &uri);
                return match root {
                    Some(root) => self.attribute(op, root, value),
                    None => self.unknown(op, Path::Schema(uri), value),
                };
            }
            Path::Attribute { attribute, filter } => (attribute, filter),
        };
        let (attribute, filter) = path;
        let sub = attribute.sub.clone();
        let top = AttrPath { sub: None, ..attribute.clone() };
        let attr = self.resolve(&top);
        if !attr.is_known() {
            return self.unknown(op, Path::Attribute { attribute, filter }, value);
        }
        let sub_attr = match &sub {
            None => AttrId::UNKNOWN,
            Some(name) => {
                let found = self.checker.vocabulary.lookup(attr, name.as_bytes());
                if !found.is_known() {
                    let message =
                        format!("`{}` has no such sub-attribute", self.checker.vocabulary.path(attr));
                    return self.problem(ProblemKind::Path, &message);
                }
                found
            }
        };
        match filter {
            Some(filter) => self.elements(op, attr, *filter, sub_attr, value),
            None if sub_attr.is_known() => self.sub_attribute(op, attr, sub_attr, value),
            None => self.attribute(op, attr, value),
        }
    }

    fn without_path(&mut self, op: Op, value: Option<NodeId>) {
        if op == Op::Remove {
            // RFC 7644 section 3.5.2.2: "If "path" is unspecified, the operation fails".
            return self.problem(ProblemKind::NoTarget, "a remove operation must have a path");
        }
        let Some(value) = value.filter(|value| self.document.kind(*value) == Kind::Object) else {
            return self.problem(ProblemKind::Value, "without a path the value must be an object");
        };
        let mut next = self.document.first(value);
        while let Some(member) = next {
            next = self.document.sibling(member);
            self.member(op, member);
        }
    }

    /// One member of a value without path.
    fn member(&mut self, op: Op, member: NodeId) {
        let key = self.document.key(member).into_owned();
        let vocabulary = self.checker.vocabulary;
        let attr = vocabulary.lookup(self.of.root, key.as_bytes());
        if attr.is_known() {
            let read_only = vocabulary.attribute(attr).mutability == Mutability::ReadOnly;
            if read_only || attr == self.of.schemas {
                return self.checker.repaired.note(Repair::Unwritable, &key);
            }
            return self.attribute(op, attr, Some(member));
        }
        if vocabulary.schema_root(self.of, &key) == Some(self.of.root) {
            self.checker.repaired.note(Repair::CoreUrn, &self.at);
            return self.without_path(op, Some(member));
        }
        let Some(path) = self.parse(&key) else { return };
        let Path::Attribute { attribute, .. } = &path else { return self.unknown(op, path, Some(member)) };
        let top = AttrPath { sub: None, ..attribute.clone() };
        let Some((attr, _)) = vocabulary.resolve_for(self.of, &top, self.checker.repairs) else {
            return self.unknown(op, path, Some(member));
        };
        // The schema knows the attribute: its name is a path where the peer may write one, else it is wrong.
        let repair = match &attribute.schema {
            Some(uri) if uri.eq_ignore_ascii_case(&self.of.schema) => Repair::CoreUrn,
            Some(_) => Repair::UrnKey,
            None if key == *vocabulary.name(attr) => Repair::BareExtension,
            None => Repair::DottedKey,
        };
        if !self.checker.repairs.allows(repair) {
            let message = format!("a value without path names `{}` by a path", vocabulary.path(attr));
            return self.problem(ProblemKind::Path, &message);
        }
        self.checker.repaired.note(repair, &self.at);
        self.with_path(op, &key, Some(member));
    }

    /// A change to an attribute of the resource or an extension, or to a whole extension.
    fn attribute(&mut self, op: Op, attr: AttrId, value: Option<NodeId>) {
        let attribute = self.checker.vocabulary.attribute(attr);
        if attr == self.of.schemas {
            // Schemas follow from the data; adding an extension's URI by itself changes nothing.
            return self.checker.repaired.note(Repair::EmptySchema, "schemas");
        }
        if attr == self.of.root {
            return match (op, value) {
                (Op::Remove, _) => {
                    self.problem(ProblemKind::NoTarget, "a whole resource cannot be removed by PATCH")
                }
                (_, value) => self.without_path(op, value),
            };
        }
        if attribute.mutability == Mutability::ReadOnly {
            return self.mutability(attr, "is readOnly");
        }
        match op {
            Op::Remove => self.remove(attr, value),
            Op::Add | Op::Replace => match value {
                None => self.problem(ProblemKind::Value, "must have a value"),
                Some(value) => self.set(op, attr, value),
            },
        }
    }

    fn remove(&mut self, attr: AttrId, value: Option<NodeId>) {
        let attribute = self.checker.vocabulary.attribute(attr);
        let Some(value) = value.filter(|_| attribute.multi_valued) else { return self.clear(attr) };
        if !self.checker.repairs.allows(Repair::RemoveValues) {
            return self.ambiguous();
        }
        if self.document.is_unassigned(value) {
            return self.checker.repaired.note(Repair::RemoveNothing, self.checker.vocabulary.path(attr));
        }
        self.document.bind(value, self.checker.vocabulary, attr);
        let sub = self.checker.vocabulary.lookup(attr, b"value");
        let elements: Vec<NodeId> = self.document.elements(value).collect();
        for element in elements {
            let id = match self.document.kind(element) {
                Kind::Object => {
                    self.document.member(element, sub).and_then(|value| self.document.string(value))
                }
                _ => self.document.string(element),
            };
            let Some(id) = id else {
                return self.problem(ProblemKind::Value, "each value to remove must have a `value`");
            };
            let filter = Filter::compare(
                AttrPath::new("value"),
                crate::filter::Op::Eq,
                Literal::String(id.into_owned().into()),
            );
            self.checker.repaired.note(Repair::RemoveValues, self.checker.vocabulary.path(attr));
            let place = Place::Elements { attr, filter, sub: AttrId::UNKNOWN };
            self.changes.push(Change { op: Op::Remove, place, value: None });
        }
    }

    fn clear(&mut self, attr: AttrId) {
        let attribute = self.checker.vocabulary.attribute(attr);
        if attribute.required {
            return self.mutability(attr, REQUIRED);
        }
        if attribute.mutability == Mutability::Immutable {
            return self.mutability(attr, IMMUTABLE);
        }
        self.changes.push(Change { op: Op::Remove, place: Place::Attribute(attr), value: None });
    }

    fn set(&mut self, op: Op, attr: AttrId, value: NodeId) {
        let attribute = self.checker.vocabulary.attribute(attr);
        if self.checker.is_secret(attr) {
            return self.checker.repaired.note(Repair::Secret, &attribute.path);
        }
        self.document.bind(value, self.checker.vocabulary, attr);
        let empty_text = self.checker.is_empty_text(self.document, value, attr);
        if empty_text || self.document.is_unassigned(value) {
            let repair = match (empty_text, attribute.multi_valued) {
                (true, _) => Repair::EmptyText,
                (_, true) => Repair::ClearList,
                _ => Repair::ClearValue,
            };
            // Adding nothing to a list adds nothing; it never empties the list.
            let cleared = self.document.kind(value) != Kind::Array && !attribute.multi_valued;
            if op == Op::Replace || cleared {
                self.checker.repaired.note(repair, &attribute.path);
                return self.clear(attr);
            }
            return self.checker.repaired.note(Repair::RemoveNothing, &attribute.path);
        }
        if attribute.required && self.document.string(value).is_some_and(|text| text.is_empty()) {
            return self.mutability(attr, REQUIRED);
        }
        if self.is_emptied(attr, value) {
            self.checker.repaired.note(Repair::EmptyValue, &attribute.path);
            return self.clear(attr);
        }
        if op == Op::Add && attribute.multi_valued && self.document.kind(value) != Kind::Array {
            let array = self.document.new_array();
            self.document.set_attr(array, attr);
            let element = self.document.copy(value);
            self.document.append(array, element);
            self.document.assign(value, array);
        }
        // A value such as `manager` belongs together: it is set as one.
        let whole = self.checker.vocabulary.lookup(attr, b"value").is_known();
        let parts = attribute.kind == Type::Complex && !attribute.multi_valued && !whole;
        if parts && op == Op::Replace {
            self.clear_parts(value);
        }
        let problems = self.checker.problems.len();
        self.checker.value(self.document, value, attr);
        if self.checker.problems.len() > problems {
            return;
        }
        if !parts {
            return self.changes.push(Change { op, place: Place::Attribute(attr), value: Some(value) });
        }
        let members: Vec<NodeId> = self.document.children(value).collect();
        for member in members {
            let sub = self.document.attr(member);
            let inner = self.checker.vocabulary.attribute(sub);
            if inner.kind == Type::Complex && sub.is_known() {
                self.set(op, sub, member);
            } else if sub.is_known() {
                self.changes.push(Change { op, place: Place::Attribute(sub), value: Some(member) });
            } else {
                let name = self.document.key(member).into_owned();
                let path = match attribute.extension {
                    true => AttrPath { schema: Some(attribute.name.clone()), ..AttrPath::new(&name) },
                    false => AttrPath { sub: Some(name.into()), ..self.checker.vocabulary.attr_path(attr) },
                };
                self.unknown(op, path.into(), Some(member));
            }
        }
    }

    /// The parts of a complex value that are null or empty lists: they are cleared.
    fn clear_parts(&mut self, value: NodeId) {
        let parts: Vec<NodeId> = self.document.children(value).collect();
        for part in parts {
            let attr = self.document.attr(part);
            let writable = self.checker.vocabulary.attribute(attr).mutability != Mutability::ReadOnly;
            if attr.is_known() && writable && self.document.is_unassigned(part) {
                self.checker.repaired.note(Repair::ClearValue, self.checker.vocabulary.path(attr));
                self.clear(attr);
                self.document.remove(part);
            }
        }
    }

    fn is_emptied(&self, attr: AttrId, value: NodeId) -> bool {
        let attribute = self.checker.vocabulary.attribute(attr);
        let sub = self.checker.vocabulary.lookup(attr, b"value");
        if attribute.kind != Type::Complex || attribute.multi_valued || !sub.is_known() {
            return false;
        }
        let inner = match self.document.kind(value) {
            Kind::Object => self.document.member(value, sub),
            _ => Some(value),
        };
        let empty =
            inner.is_some_and(|inner| self.document.string(inner).is_some_and(|text| text.is_empty()));
        empty && self.checker.repairs.allows(Repair::EmptyValue)
    }

    fn sub_attribute(&mut self, op: Op, attr: AttrId, sub: AttrId, value: Option<NodeId>) {
        if self.checker.vocabulary.attribute(attr).multi_valued {
            let message = format!(
                "`{}` has several elements; say which in brackets",
                self.checker.vocabulary.path(attr)
            );
            return self.problem(ProblemKind::Path, &message);
        }
        if self.checker.vocabulary.attribute(attr).mutability == Mutability::ReadOnly {
            return self.mutability(attr, "is readOnly");
        }
        self.attribute(op, sub, value);
    }

    fn elements(&mut self, op: Op, attr: AttrId, filter: Filter, sub: AttrId, value: Option<NodeId>) {
        let vocabulary = self.checker.vocabulary;
        let attribute = vocabulary.attribute(attr);
        if !attribute.multi_valued {
            let message = format!("`{}` has a single value and takes no filter", attribute.path);
            return self.problem(ProblemKind::Path, &message);
        }
        if attribute.mutability == Mutability::ReadOnly {
            return self.mutability(attr, "is readOnly");
        }
        let unassigned = value.is_some_and(|value| self.document.is_unassigned(value));
        if sub.is_known() {
            let part = vocabulary.attribute(sub);
            let removes = op == Op::Remove || (op == Op::Replace && unassigned);
            match part.mutability {
                Mutability::ReadOnly => return self.mutability(sub, "is readOnly"),
                // RFC 7644 section 3.5.2: a client may "add" a value where there was none, and nothing else.
                Mutability::Immutable if op != Op::Add => return self.mutability(sub, IMMUTABLE),
                _ if part.required && removes => return self.mutability(sub, REQUIRED),
                _ => {}
            }
        }
        let Some(filter) = self.bind_filter(attr, &filter) else { return };
        let place = Place::Elements { attr, filter, sub };
        match (op, value) {
            (Op::Remove, Some(_)) if !unassigned && !sub.is_known() => return self.ambiguous(),
            (Op::Remove, _) => return self.changes.push(Change { op, place, value: None }),
            (Op::Add, None) if !sub.is_known() => return self.add_by_filter(attr, &place),
            (_, None) => return self.problem(ProblemKind::Value, "must have a value"),
            (Op::Add, _) if unassigned => {
                return self.checker.repaired.note(Repair::RemoveNothing, &attribute.path);
            }
            (Op::Replace, _) if unassigned => {
                self.checker.repaired.note(Repair::ClearValue, &attribute.path);
                return self.changes.push(Change { op: Op::Remove, place, value: None });
            }
            _ => {}
        }
        let Some(value) = value else { return };
        let target = if sub.is_known() { sub } else { attr };
        self.document.bind(value, vocabulary, target);
        let problems = self.checker.problems.len();
        if sub.is_known() {
            self.checker.value(self.document, value, sub);
        } else {
            self.checker.element(self.document, value, attr);
        }
        if self.checker.problems.len() == problems {
            self.changes.push(Change { op, place, value: Some(value) });
        }
    }

    /// An element to add that nothing but the filter describes.
    fn add_by_filter(&mut self, attr: AttrId, place: &Place) {
        let vocabulary = self.checker.vocabulary;
        let Place::Elements { filter, .. } = place else { return };
        let literals =
            filter.as_conjunction_of_eq().filter(|_| self.checker.repairs.allows(Repair::AddByFilter));
        let Some(literals) = literals else {
            return self.problem(ProblemKind::Value, "must have a value");
        };
        let element = self.document.new_object();
        self.document.set_attr(element, attr);
        for (path, literal) in literals {
            let sub = vocabulary.lookup(attr, path.name.as_bytes());
            let value = self.document.new_literal(literal);
            self.document.append_member(element, vocabulary, sub, value);
        }
        let array = self.document.new_array();
        self.document.append(array, element);
        self.checker.repaired.note(Repair::AddByFilter, vocabulary.path(attr));
        self.set(Op::Add, attr, array);
    }

    /// The filter with the schema's spelling of names and booleans where the schema has them.
    fn bind_filter(&mut self, attr: AttrId, filter: &Filter) -> Option<Filter> {
        match self.checker.filter_below(attr, filter) {
            Ok(filter) => Some(filter),
            Err(error) => {
                self.problem(ProblemKind::Path, &error.to_string());
                None
            }
        }
    }

    fn parse(&mut self, text: &str) -> Option<Path> {
        let known = |uri: &str| self.checker.vocabulary.schema_root(self.of, uri).is_some();
        let syntax = Syntax { known: &known, lenient: self.checker.lenient(), limits: Limits::default() };
        match Path::parse(text, &syntax) {
            Ok(_) if text.trim() != text => {
                self.problem(ProblemKind::Path, "the path cannot be read: it begins or ends with a blank");
                None
            }
            Ok((path, used)) => {
                self.checker.note_used(used, &self.at);
                Some(path)
            }
            Err(error) => {
                self.problem(ProblemKind::Path, &format!("the path cannot be read: {error}"));
                None
            }
        }
    }

    fn resolve(&mut self, path: &AttrPath) -> AttrId {
        self.checker.resolve(self.of, path)
    }

    fn unknown(&mut self, op: Op, path: Path, value: Option<NodeId>) {
        if self.checker.interop {
            return self.problem(ProblemKind::Path, "names an attribute that is not in the schema");
        }
        let place = Place::Unknown(path);
        let assigned = value.filter(|value| !self.document.is_unassigned(*value));
        match (op, value, assigned) {
            (Op::Remove, _, Some(_)) => self.ambiguous(),
            (Op::Add | Op::Replace, None, _) => self.problem(ProblemKind::Value, "must have a value"),
            (Op::Add | Op::Replace, _, Some(value)) => {
                self.changes.push(Change { op, place, value: Some(value) });
            }
            (Op::Add, _, None) => self.checker.repaired.note(Repair::RemoveNothing, &self.at),
            (Op::Remove | Op::Replace, _, None) => {
                self.changes.push(Change { op: Op::Remove, place, value: None });
            }
        }
    }

    /// Read by the letter, the operation would remove more than its value names.
    fn ambiguous(&mut self) {
        let message = "a remove operation with a value is ambiguous; name the elements in the path";
        self.problem(ProblemKind::Value, message);
    }

    fn mutability(&mut self, attr: AttrId, message: &str) {
        self.checker.problem(ProblemKind::Mutability, self.checker.vocabulary.path(attr), message);
    }

    fn syntax(&mut self, message: &str) {
        self.problem(ProblemKind::Syntax, message);
    }

    fn problem(&mut self, kind: ProblemKind, message: &str) {
        self.checker.problem(kind, &self.at, message);
    }
}
