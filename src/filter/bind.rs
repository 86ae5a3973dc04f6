//! Filters bound to the attributes of one side: names become numbers and literals get the attribute's type, once.
//!
//! What makes no sense is refused here (RFC 7644 §3.4.2.2, `invalidFilter`), so that matching cannot fail.

use std::fmt;

use super::order::Instant;
use super::{Filter, Literal, Op};
use crate::path::AttrPath;
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{AttrId, ResourceType, Returned, Type, Vocabulary};

/// Binds filters of one side.
#[derive(Debug)]
pub struct Binder<'a> {
    /// The side's attributes.
    pub vocabulary: &'a Vocabulary,
    /// What may be repaired.
    pub repairs: &'a Repairs,
    /// What was repaired.
    pub repaired: &'a mut Repaired,
    /// An attribute that the schema lacks is refused; otherwise it is unassigned.
    pub refuse_unknown: bool,
}

/// A filter that can be matched, see [`Bound::matches`].
#[derive(Clone, Debug)]
pub struct Bound {
    pub(super) node: Node,
    /// Names are looked up in elements.
    element: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare {
        place: Place,
        op: Op,
        value: Value,
    },
    /// Compared with `null`: assigned by `ne`, unassigned by `eq`.
    Assigned {
        place: Place,
        assigned: bool,
    },
    Present(Place),
    Elements {
        place: Place,
        filter: Box<Self>,
    },
    /// Asks for an attribute that the schema lacks.
    Unassigned(Filter),
}

/// The way from where names are looked up to an attribute: at most extension, attribute, sub-attribute.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) steps: Box<[AttrId]>,
    /// The attribute; also where there are no steps, because the element is itself the value.
    pub(super) attr: AttrId,
    pub(super) case_exact: bool,
}

/// A literal in the type of its attribute.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Box<str>),
    Number(Box<str>),
    Instant(Box<str>),
    Bool(bool),
}

/// Why a filter makes no sense for the schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BindError {
    /// The attribute.
    pub path: Box<str>,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Problem {
    Unknown,
    Secret,
    Elements,
    Complex,
    Operator(Op),
    Null,
    Literal(&'static str),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.problem {
            Problem::Unknown => write!(f, "`{path}` is not an attribute that the schema has"),
            Problem::Secret => write!(f, "`{path}` cannot be asked for"),
            Problem::Elements => write!(f, "`{path}` has no elements to choose from"),
            Problem::Complex => write!(f, "`{path}` can only be compared by one of its sub-attributes"),
            Problem::Operator(op) => write!(f, "`{path}` cannot be compared with `{op}`"),
            Problem::Null => write!(f, "`{path}` can only be compared with `null` by `eq` and `ne`"),
            Problem::Literal(expected) => write!(f, "`{path}` can only be compared with {expected}"),
        }
    }
}

impl std::error::Error for BindError {}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a ResourceType),
    Element(AttrId),
}

impl Binder<'_> {
    /// Binds a filter over resources of a type.
    ///
    /// # Errors
    /// The first attribute that cannot be asked for as the filter does.
    pub fn resource(&mut self, filter: &Filter, of: &ResourceType) -> Result<Bound, BindError> {
        Ok(Bound { node: self.bind(filter, Scope::Resource(of))?, element: false })
    }

    /// Binds a filter over the elements of an attribute, as in `members[value eq "x"]`.
    ///
    /// # Errors
    /// The first sub-attribute that cannot be asked for as the filter does.
    pub fn element(&mut self, filter: &Filter, attr: AttrId) -> Result<Bound, BindError> {
        Ok(Bound { node: self.bind(filter, Scope::Element(attr))?, element: true })
    }

    fn bind(&mut self, filter: &Filter, scope: Scope<'_>) -> Result<Node, BindError> {
        Ok(match filter {
            Filter::And(filters) => Node::And(self.bind_all(filters, scope)?),
            Filter::Or(filters) => Node::Or(self.bind_all(filters, scope)?),
            Filter::Not(filter) => Node::Not(Box::new(self.bind(filter, scope)?)),
            Filter::Present(path) => match self.place(path, scope)? {
                Some(place) => Node::Present(place),
                None => Node::Unassigned(filter.clone()),
            },
            Filter::Compare { path, op, value } => match self.place(path, scope)? {
                Some(place) => self.compare(place, *op, value)?,
                None => Node::Unassigned(filter.clone()),
            },
            Filter::ValuePath { path, filter: inner } => match self.place(path, scope)? {
                Some(place) => {
                    let attribute = self.vocabulary.attribute(place.attr);
                    if !attribute.multi_valued && attribute.kind != Type::Complex {
                        return Err(self.error(place.attr, Problem::Elements));
                    }
                    let inner = self.bind(inner, Scope::Element(place.attr))?;
                    Node::Elements { place, filter: Box::new(inner) }
                }
                None => Node::Unassigned(filter.clone()),
            },
        })
    }

    fn bind_all(&mut self, filters: &[Filter], scope: Scope<'_>) -> Result<Vec<Node>, BindError> {
        filters.iter().map(|filter| self.bind(filter, scope)).collect()
    }

    fn place(&mut self, path: &AttrPath, scope: Scope<'_>) -> Result<Option<Place>, BindError> {
        let found = match scope {
            Scope::Resource(of) => self.vocabulary.resolve_for(of, path, self.repairs),
            // RFC 7643 §2.4: the value of an element that has no sub-attributes is called `value`.
            Scope::Element(attr)
                if self.vocabulary.attribute(attr).kind != Type::Complex
                    && path.same(&AttrPath::new("value")) =>
            {
                return Ok(Some(self.at(Vec::new(), attr)));
            }
            Scope::Element(attr) => {
                let sub = self.vocabulary.lookup(attr, path.name.as_bytes());
                (sub.is_known() && path.schema.is_none() && path.sub.is_none()).then_some((sub, None))
            }
        };
        let Some((attr, repair)) = found else {
            return if self.refuse_unknown {
                Err(BindError { path: path.to_string().into(), problem: Problem::Unknown })
            } else {
                Ok(None)
            };
        };
        if let Some(repair) = repair {
            self.repaired.note(repair, self.vocabulary.path(attr));
        }
        if self.vocabulary.attribute(attr).returned == Returned::Never {
            return Err(self.error(attr, Problem::Secret));
        }
        let top = match scope {
            Scope::Resource(of) => of.root,
            Scope::Element(attr) => attr,
        };
        let mut steps = vec![attr];
        while let Some(parent) = steps.last().map(|last| self.vocabulary.attribute(*last).parent)
            && parent != top
            && parent.is_known()
        {
            steps.push(parent);
        }
        steps.reverse();
        Ok(Some(self.at(steps, attr)))
    }

    fn at(&self, steps: Vec<AttrId>, attr: AttrId) -> Place {
        Place { steps: steps.into(), attr, case_exact: self.vocabulary.attribute(attr).case_exact }
    }

    fn compare(&mut self, mut place: Place, op: Op, literal: &Literal) -> Result<Node, BindError> {
        if *literal == Literal::Null {
            return match op {
                Op::Eq | Op::Ne => Ok(Node::Assigned { place, assigned: op == Op::Ne }),
                _ => Err(self.error(place.attr, Problem::Null)),
            };
        }
        if self.vocabulary.attribute(place.attr).kind == Type::Complex {
            // RFC 7644 §3.4.2.2: a complex attribute that is compared itself is compared by its `value`.
            let value = self.vocabulary.lookup(place.attr, b"value");
            if !value.is_known() {
                return Err(self.error(place.attr, Problem::Complex));
            }
            let steps = place.steps.iter().copied().chain([value]).collect();
            place = self.at(steps, value);
        }
        let kind = self.vocabulary.attribute(place.attr).kind;
        let ordered = matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le);
        let textual = matches!(op, Op::Co | Op::Sw | Op::Ew);
        let refused = match kind {
            Type::Boolean => ordered || textual,
            Type::Binary => ordered,
            Type::Integer | Type::Decimal => textual,
            Type::String | Type::DateTime | Type::Reference | Type::Complex => false,
        };
        if refused {
            return Err(self.error(place.attr, Problem::Operator(op)));
        }
        let value = self.value(place.attr, kind, textual, literal)?;
        Ok(Node::Compare { place, op, value })
    }

    fn value(
        &mut self,
        attr: AttrId,
        kind: Type,
        textual: bool,
        literal: &Literal,
    ) -> Result<Value, BindError> {
        let expected = match (kind, literal) {
            (Type::Boolean, Literal::True) => return Ok(Value::Bool(true)),
            (Type::Boolean, Literal::False) => return Ok(Value::Bool(false)),
            (Type::Boolean, Literal::String(text)) if self.repairs.allows(Repair::FilterBoolean) => {
                let truth = text.eq_ignore_ascii_case("true");
                if truth || text.eq_ignore_ascii_case("false") {
                    self.note(Repair::FilterBoolean, attr);
                    return Ok(Value::Bool(truth));
                }
                "`true` or `false`"
            }
            (Type::Boolean, _) => "`true` or `false`, without quotes",
            (Type::Integer | Type::Decimal, Literal::Number(text)) => return Ok(Value::Number(text.clone())),
            (Type::Integer | Type::Decimal, _) => "a number",
            (Type::DateTime, Literal::String(text)) if !textual => match Instant::new(text) {
                Some(_) => return Ok(Value::Instant(text.clone())),
                None => "a dateTime such as `\"2026-01-31T08:00:00Z\"`",
            },
            (_, Literal::String(text)) => return Ok(Value::Text(text.clone())),
            (_, Literal::Number(text)) if self.repairs.allows(Repair::UnquotedLiteral) => {
                self.note(Repair::UnquotedLiteral, attr);
                return Ok(Value::Text(text.clone()));
            }
            (_, _) => "a string in double quotes",
        };
        Err(self.error(attr, Problem::Literal(expected)))
    }

    fn note(&mut self, repair: Repair, attr: AttrId) {
        self.repaired.note(repair, self.vocabulary.path(attr));
    }

    fn error(&self, attr: AttrId, problem: Problem) -> BindError {
        BindError { path: self.vocabulary.path(attr).into(), problem }
    }
}

impl Filter {
    /// A filter that was bound before, over the elements of `attr`; one that makes no sense matches nothing.
    pub fn elements(&self, vocabulary: &Vocabulary, attr: AttrId) -> Bound {
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut binder =
            Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown: false };
        let node = binder.bind(self, Scope::Element(attr));
        Bound { node: node.unwrap_or(Node::Or(Vec::new())), element: true }
    }
}

impl Bound {
    /// The filter in the schema's spelling, with what was repaired and what was implied.
    pub fn to_filter(&self, vocabulary: &Vocabulary) -> Filter {
        self.node.to_filter(vocabulary, self.element)
    }
}

impl Node {
    fn to_filter(&self, vocabulary: &Vocabulary, element: bool) -> Filter {
        let all = |nodes: &[Self]| nodes.iter().map(|node| node.to_filter(vocabulary, element)).collect();
        match self {
            Self::And(nodes) => Filter::And(all(nodes)),
            Self::Or(nodes) => Filter::Or(all(nodes)),
            Self::Not(node) => Filter::Not(Box::new(node.to_filter(vocabulary, element))),
            Self::Compare { place, op, value } => {
                Filter::compare(place.to_path(vocabulary, element), *op, value.to_literal())
            }
            Self::Assigned { place, assigned } => {
                let op = if *assigned { Op::Ne } else { Op::Eq };
                Filter::compare(place.to_path(vocabulary, element), op, Literal::Null)
            }
            Self::Present(place) => Filter::Present(place.to_path(vocabulary, element)),
            Self::Elements { place, filter } => Filter::ValuePath {
                path: place.to_path(vocabulary, element),
                filter: Box::new(filter.to_filter(vocabulary, true)),
            },
            Self::Unassigned(filter) => filter.clone(),
        }
    }
}

impl Place {
    fn to_path(&self, vocabulary: &Vocabulary, element: bool) -> AttrPath {
        match (element, self.steps.last()) {
            (false, _) => vocabulary.attr_path(self.attr),
            (true, Some(sub)) => AttrPath::new(vocabulary.name(*sub)),
            (true, None) => AttrPath::new("value"),
        }
    }
}

impl Value {
    fn to_literal(&self) -> Literal {
        match self {
            Self::Text(text) | Self::Instant(text) => Literal::String(text.clone()),
            Self::Number(text) => Literal::Number(text.clone()),
            Self::Bool(true) => Literal::True,
            Self::Bool(false) => Literal::False,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::filter::{Lenient, Syntax};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    /// Users with the enterprise extension and one that has an attribute of every type.
    pub(crate) fn vocabulary() -> Vocabulary {
        let schema = |text| serde_json::from_str::<Json>(text).unwrap();
        let acme = json!({ "id": "urn:acme:ext:2.0", "attributes": [
            { "name": "level", "type": "integer" },
            { "name": "score", "type": "decimal" },
            { "name": "since", "type": "dateTime" },
            { "name": "blob", "type": "binary" },
            { "name": "tags", "type": "string", "multiValued": true },
            { "name": "plain", "type": "complex", "subAttributes": [{ "name": "x", "type": "string" }] },
            { "name": "department", "type": "string" },
        ] });
        let user = schema(include_str!("../schemas/user.json"));
        let enterprise = schema(include_str!("../schemas/enterprise-user.json"));
        let extensions = vec![(enterprise, false), (acme, false)];
        Vocabulary::build(&[crate::schema::TypeSource {
            name: "User".into(),
            endpoint: "Users".into(),
            schema: user,
            extensions,
        }])
        .unwrap()
    }

    pub(in crate::filter) fn bind(
        vocabulary: &Vocabulary,
        text: &str,
        repairs: &Repairs,
        refuse_unknown: bool,
    ) -> Result<(Bound, Vec<String>), String> {
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let lenient = Lenient { sub_after_filter: true, unquoted: true };
        let (filter, _) = Filter::parse(text, &Syntax { lenient, ..Syntax::strict(&known) }).unwrap();
        let mut repaired = Repaired::default();
        let mut binder = Binder { vocabulary, repairs, repaired: &mut repaired, refuse_unknown };
        let bound = binder.resource(&filter, &vocabulary.types()[0]).map_err(|error| error.to_string())?;
        Ok((bound, repaired.iter().map(|(repair, path)| format!("{} {path}", repair.name())).collect()))
    }

    fn all_repairs() -> Repairs {
        let mut repairs = Repairs::default();
        Repair::ALL.iter().for_each(|repair| assert!(repairs.enable(repair.name(), repair.name())));
        repairs
    }

    // S-01, P-11, P-17, E03, E07, E23, E24
    #[test]
    fn the_schema_s_spelling() {
        let vocabulary = vocabulary();
        let manager = format!("{ENTERPRISE}:manager.value");
        for (text, printed, repaired) in [
            (r#"USERNAME eq "A""#, r#"userName eq "A""#, ""),
            (
                "Name.FAMILYname pr and not (emails[TYPE pr])",
                "name.familyName pr and not (emails[type pr])",
                "",
            ),
            (r#"emails co "x""#, r#"emails.value co "x""#, ""),
            ("emails pr and emails eq null", "emails pr and emails eq null", ""),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:user:title sw "x""#,
                r#"title sw "x""#,
                "coreUrn title",
            ),
            (r#"active eq "True""#, "active eq true", "filterBoolean active"),
            (r#"roles[primary ne "FALSE"]"#, "roles[primary ne false]", "filterBoolean roles.primary"),
            (r#"displayName eq "True""#, r#"displayName eq "True""#, ""),
            ("externalId eq 123", r#"externalId eq "123""#, "unquotedLiteral externalId"),
            (
                r#"manager eq "b""#,
                &format!(r#"{manager} eq "b""#),
                &format!("bareExtension {ENTERPRISE}:manager"),
            ),
            (
                &format!(r#"{}:MANAGER eq "b""#, ENTERPRISE.to_uppercase()),
                &format!(r#"{manager} eq "b""#),
                "",
            ),
            (r#"schemas[value eq "x"]"#, r#"schemas[value eq "x"]"#, ""),
            ("urn:acme:ext:2.0:level ge 3", "urn:acme:ext:2.0:level ge 3", ""),
            // two extensions have it: which is meant cannot be told
            (r#"department eq "x""#, r#"department eq "x""#, ""),
            ("urn:unknown:x:y.z pr or emails[foo eq 1]", "urn:unknown:x:y.z pr or emails[foo eq 1]", ""),
        ] {
            let (bound, notes) = bind(&vocabulary, text, &all_repairs(), false).unwrap();
            assert_eq!(bound.to_filter(&vocabulary).to_string(), printed, "{text}");
            assert_eq!(notes.join(", "), repaired, "{text}");
        }
    }

    // P-14, P-16, S-21
    #[test]
    fn refused() {
        let vocabulary = vocabulary();
        for (text, message) in [
            ("active gt true", "`active` cannot be compared with `gt`"),
            (r#"active co "tru""#, "`active` cannot be compared with `co`"),
            (r#"x509Certificates le "MII=""#, "`x509Certificates.value` cannot be compared with `le`"),
            ("urn:acme:ext:2.0:level sw 1", "`urn:acme:ext:2.0:level` cannot be compared with `sw`"),
            (r#"active eq "True""#, "`active` can only be compared with `true` or `false`, without quotes"),
            (
                r#"urn:acme:ext:2.0:score lt "1""#,
                "`urn:acme:ext:2.0:score` can only be compared with a number",
            ),
            ("userName eq 1", "`userName` can only be compared with a string in double quotes"),
            ("userName eq true", "`userName` can only be compared with a string in double quotes"),
            (
                r#"meta.created gt "yesterday""#,
                "`meta.created` can only be compared with a dateTime such as `\"2026-01-31T08:00:00Z\"`",
            ),
            ("userName gt null", "`userName` can only be compared with `null` by `eq` and `ne`"),
            (r#"name eq "x""#, "`name` can only be compared by one of its sub-attributes"),
            (r#"userName[value eq "x"]"#, "`userName` has no elements to choose from"),
            (r#"password sw "a""#, "`password` cannot be asked for"),
            ("password pr", "`password` cannot be asked for"),
            ("manager pr", "`manager` is not an attribute that the schema has"),
            ("emails[foo pr]", "`foo` is not an attribute that the schema has"),
            ("userName.foo pr", "`userName.foo` is not an attribute that the schema has"),
        ] {
            let error = bind(&vocabulary, text, &Repairs::default(), true).map(|_| ());
            assert_eq!(error, Err(message.to_string()), "{text}");
        }
    }
}
