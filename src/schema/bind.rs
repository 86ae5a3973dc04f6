//! Binding paths and filters to a vocabulary: names in the schema's spelling, literals of the schema's types.

use super::{AttrId, Checker, ResourceType, Type, Vocabulary};
use crate::filter::{Filter, Literal, Op};
use crate::path::AttrPath;
use crate::repair::Repair;

impl Vocabulary {
    /// The path of an attribute, as it stands in filters.
    pub fn attr_path(&self, attr: AttrId) -> AttrPath {
        let top = self.top(attr);
        let above = self.attribute(self.attribute(top).parent);
        AttrPath {
            schema: above.extension.then(|| above.name.clone()),
            name: self.name(top).into(),
            sub: (top != attr).then(|| self.name(attr).into()),
        }
    }

    /// The attribute a path means in a resource; unknown when the schema has none.
    pub fn resolve(&self, of: &ResourceType, path: &AttrPath) -> AttrId {
        let parent = match path.schema.as_deref() {
            None => of.root,
            Some(uri) if uri.eq_ignore_ascii_case(&of.schema) => of.root,
            Some(uri) => self.lookup(of.root, uri.as_bytes()),
        };
        self.sub(self.lookup(parent, path.name.as_bytes()), path)
    }

    fn sub(&self, attr: AttrId, path: &AttrPath) -> AttrId {
        path.sub.as_ref().map_or(attr, |sub| self.lookup(attr, sub.as_bytes()))
    }
}

impl Checker<'_> {
    /// The attribute a path means, with the repairs of the peer: an extension's attribute may come without URN.
    pub fn resolve(&mut self, of: &ResourceType, path: &AttrPath) -> AttrId {
        let found = self.vocabulary.resolve(of, path);
        if found.is_known() {
            if path.schema.as_deref().is_some_and(|uri| uri.eq_ignore_ascii_case(&of.schema)) {
                self.repaired.note(Repair::CoreUrn, self.vocabulary.path(found));
            }
            return found;
        }
        if path.schema.is_some() || !self.repairs.allows(Repair::BareExtension) {
            return AttrId::UNKNOWN;
        }
        let mut found = of
            .extensions
            .iter()
            .map(|(extension, _)| self.vocabulary.lookup(*extension, path.name.as_bytes()))
            .filter(|attr| attr.is_known());
        match (found.next(), found.next()) {
            (Some(attr), None) => {
                self.repaired.note(Repair::BareExtension, self.vocabulary.path(attr));
                self.vocabulary.sub(attr, path)
            }
            _ => AttrId::UNKNOWN,
        }
    }

    /// A filter on resources, bound: attributes the schema lacks stay as they are.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub fn filter(&mut self, of: &ResourceType, filter: &Filter) -> Result<Filter, String> {
        Ok(match filter {
            Filter::And(filters) => Filter::and(self.filters(of, filters)?),
            Filter::Or(filters) => Filter::or(self.filters(of, filters)?),
            Filter::Not(inner) => Filter::Not(Box::new(self.filter(of, inner)?)),
            Filter::Present(path) => match self.resolve(of, path) {
                AttrId::UNKNOWN => filter.clone(),
                attr => Filter::Present(self.vocabulary.attr_path(attr)),
            },
            Filter::Compare { path, op, value } => match self.resolve(of, path) {
                AttrId::UNKNOWN => filter.clone(),
                attr => {
                    let attr = self.compared(attr)?;
                    let value = self.literal(attr, *op, value)?;
                    Filter::compare(self.vocabulary.attr_path(attr), *op, value)
                }
            },
            Filter::ValuePath { path, filter: inner } => match self.resolve(of, path) {
                AttrId::UNKNOWN => filter.clone(),
                attr => Filter::ValuePath {
                    path: self.vocabulary.attr_path(attr),
                    filter: Box::new(self.filter_below(attr, inner)?),
                },
            },
        })
    }

    /// A filter on the elements of a multi-valued attribute, bound.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub fn filter_below(&mut self, attr: AttrId, filter: &Filter) -> Result<Filter, String> {
        let each = |this: &mut Self, filters: &[Filter]| {
            filters.iter().map(|filter| this.filter_below(attr, filter)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match filter {
            Filter::And(filters) => Filter::and(each(self, filters)?),
            Filter::Or(filters) => Filter::or(each(self, filters)?),
            Filter::Not(inner) => Filter::Not(Box::new(self.filter_below(attr, inner)?)),
            Filter::Present(path) => Filter::Present(self.below(attr, path)?.1),
            Filter::Compare { path, op, value } => {
                let (sub, path) = self.below(attr, path)?;
                Filter::compare(path, *op, self.literal(sub, *op, value)?)
            }
            Filter::ValuePath { .. } => return Err("a filter in brackets cannot hold another one".into()),
        })
    }

    fn filters(&mut self, of: &ResourceType, filters: &[Filter]) -> Result<Vec<Filter>, String> {
        filters.iter().map(|filter| self.filter(of, filter)).collect()
    }

    fn below(&self, attr: AttrId, path: &AttrPath) -> Result<(AttrId, AttrPath), String> {
        let sub = self.vocabulary.lookup(attr, path.name.as_bytes());
        if !sub.is_known() || path.schema.is_some() || path.sub.is_some() {
            return Err(format!("`{}` has no such sub-attribute", self.vocabulary.path(attr)));
        }
        Ok((sub, AttrPath::new(self.vocabulary.name(sub))))
    }

    /// A complex attribute is compared by its `value`.
    fn compared(&self, attr: AttrId) -> Result<AttrId, String> {
        if self.vocabulary.attribute(attr).kind != Type::Complex {
            return Ok(attr);
        }
        let value = self.vocabulary.lookup(attr, b"value");
        let path = self.vocabulary.path(attr);
        if value.is_known() {
            Ok(value)
        } else {
            Err(format!("`{path}` is complex; compare a sub-attribute"))
        }
    }

    fn literal(&mut self, attr: AttrId, op: Op, value: &Literal) -> Result<Literal, String> {
        let attribute = self.vocabulary.attribute(attr);
        let ordered = matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le);
        if ordered && matches!(attribute.kind, Type::Boolean | Type::Binary) {
            // RFC 7644 section 3.4.2.2, table 3.
            return Err(format!("`{}` cannot be compared with `{}`", attribute.path, op.as_str()));
        }
        if attribute.kind != Type::Boolean {
            return Ok(value.clone());
        }
        let Literal::String(text) = value else { return Ok(value.clone()) };
        let truth = match () {
            () if text.eq_ignore_ascii_case("true") => Literal::True,
            () if text.eq_ignore_ascii_case("false") => Literal::False,
            () => return Err(format!("`{}` is compared with true or false", attribute.path)),
        };
        if !self.repairs.allows(Repair::FilterBoolean) {
            return Err(format!("`{}` is compared with true or false without quotes", attribute.path));
        }
        self.repaired.note(Repair::FilterBoolean, &attribute.path);
        Ok(truth)
    }
}
