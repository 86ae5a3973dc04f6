//! What paths and filters mean to a schema: names become attributes, literals get the attribute's type.

use super::{AttrId, Checker, ResourceType, Vocabulary};
use crate::filter::{BindError, Binder, Filter, Lenient, Limits, Op, Syntax};
use crate::path::AttrPath;
use crate::repair::{Repair, Repairs};

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

    /// True for the URIs of schemas.
    pub fn knows_schema(&self, uri: &str) -> bool {
        self.types().iter().any(|of| self.schema_root(of, uri).is_some())
    }

    /// The attribute below which the attributes of a schema stand: the resource's root, or an extension's.
    pub fn schema_root(&self, of: &ResourceType, uri: &str) -> Option<AttrId> {
        if uri.eq_ignore_ascii_case(&of.schema) {
            return Some(of.root);
        }
        let extension = self.lookup(of.root, uri.as_bytes());
        self.attribute(extension).extension.then_some(extension)
    }

    /// The attribute a path means in a resource; unknown when the schema has none.
    pub fn resolve(&self, of: &ResourceType, path: &AttrPath) -> AttrId {
        self.resolve_for(of, path, &Repairs::default()).map_or(AttrId::UNKNOWN, |(attr, _)| attr)
    }

    /// [`Vocabulary::resolve`], also for paths that need one of the peer's repairs to mean something.
    pub(crate) fn resolve_for(
        &self,
        of: &ResourceType,
        path: &AttrPath,
        repairs: &Repairs,
    ) -> Option<(AttrId, Option<Repair>)> {
        let known = |attr: AttrId| attr.is_known().then_some(attr);
        let below = |parent: AttrId| known(self.lookup(parent, path.name.as_bytes()));
        let (attr, repair) = match &path.schema {
            Some(uri) => {
                let root = self.schema_root(of, uri)?;
                (below(root)?, (root == of.root).then_some(Repair::CoreUrn))
            }
            None => match below(of.root) {
                Some(attr) => (attr, None),
                None if repairs.allows(Repair::BareExtension) => {
                    let mut found = of.extensions.iter().filter_map(|(extension, _)| below(*extension));
                    let only = found.next().filter(|_| found.next().is_none());
                    (only?, Some(Repair::BareExtension))
                }
                None => return None,
            },
        };
        let attr = path.sub.as_ref().map_or(attr, |sub| self.lookup(attr, sub.as_bytes()));
        Some((known(attr)?, repair))
    }
}

impl Checker<'_> {
    /// The attribute a path means, with the repairs of the peer: an extension's attribute may come without URN.
    pub fn resolve(&mut self, of: &ResourceType, path: &AttrPath) -> AttrId {
        let Some((attr, repair)) = self.vocabulary.resolve_for(of, path, self.repairs) else {
            return AttrId::UNKNOWN;
        };
        if let Some(repair) = repair {
            self.repaired.note(repair, self.vocabulary.path(attr));
        }
        attr
    }

    /// A filter on resources as the peer wrote it, read and bound.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub fn read_filter(&mut self, of: &ResourceType, text: &str) -> Result<Filter, String> {
        let vocabulary = self.vocabulary;
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let syntax = Syntax { known: &known, lenient: self.lenient(), limits: Limits::default() };
        let (filter, used) =
            Filter::parse(text, &syntax).map_err(|error| format!("the filter cannot be read: {error}"))?;
        self.note_used(used, "filter");
        if let Some(word) = beyond_interop(&filter).filter(|_| self.interop) {
            return Err(format!(
                "the filter has `{word}`; the interoperability profile knows `eq` and `and`"
            ));
        }
        self.filter(of, &filter).map_err(|error| error.to_string())
    }

    /// What the peer's repairs take beyond the RFC's grammar of paths and filters.
    pub(crate) fn lenient(&self) -> Lenient {
        Lenient {
            sub_after_filter: self.repairs.allows(Repair::FilterSubAttribute),
            unquoted: self.repairs.allows(Repair::UnquotedLiteral),
        }
    }

    /// Notes what was taken of it.
    pub(crate) fn note_used(&mut self, used: Lenient, at: &str) {
        let each =
            [(used.sub_after_filter, Repair::FilterSubAttribute), (used.unquoted, Repair::UnquotedLiteral)];
        for (_, repair) in each.into_iter().filter(|(used, _)| *used) {
            self.repaired.note(repair, at);
        }
    }

    /// A filter on resources in the schema's spelling: attributes the schema lacks stay as they are.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub fn filter(&mut self, of: &ResourceType, filter: &Filter) -> Result<Filter, BindError> {
        Ok(self.binder(false).resource(filter, of)?.to_filter(self.vocabulary))
    }

    /// A filter on the elements of a multi-valued attribute in the schema's spelling.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub fn filter_below(&mut self, attr: AttrId, filter: &Filter) -> Result<Filter, BindError> {
        Ok(self.binder(true).element(filter, attr)?.to_filter(self.vocabulary))
    }

    fn binder(&mut self, refuse_unknown: bool) -> Binder<'_> {
        let Self { vocabulary, repairs, .. } = *self;
        Binder { vocabulary, repairs, repaired: self.repaired, refuse_unknown }
    }
}

/// What of a filter goes beyond the interoperability profile.
fn beyond_interop(filter: &Filter) -> Option<&'static str> {
    match filter {
        Filter::And(filters) => filters.iter().find_map(beyond_interop),
        Filter::Compare { op: Op::Eq, .. } => None,
        Filter::Compare { op, .. } => Some(op.as_str()),
        Filter::Present(_) => Some("pr"),
        Filter::Or(_) => Some("or"),
        Filter::Not(_) => Some("not"),
        Filter::ValuePath { .. } => Some("[]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tests::vocabulary;
    use crate::path::Path;
    use crate::repair::Repaired;
    use crate::schema::Context;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // S-01, P-11: every attribute is found by its path, by its path in another case, and has that path
    #[test]
    fn every_attribute_has_a_path() {
        let vocabulary = vocabulary();
        let of = &vocabulary.types()[0];
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let mut attributes: Vec<_> = vocabulary.children(of.root).collect();
        let mut next = 0;
        while let Some(attr) = attributes.get(next).copied() {
            attributes.extend(vocabulary.children(attr));
            next += 1;
            if vocabulary.attribute(attr).extension {
                let uri = vocabulary.name(attr);
                assert_eq!(Path::parse(uri, &Syntax::strict(&known)).unwrap().0, Path::Schema(uri.into()));
                assert_eq!(vocabulary.schema_root(of, &uri.to_uppercase()), Some(attr));
                continue;
            }
            let path = vocabulary.attr_path(attr);
            assert_eq!(path.to_string(), vocabulary.path(attr));
            for text in [path.to_string(), path.to_string().to_uppercase()] {
                let path = AttrPath::parse(&text, &known).unwrap();
                assert_eq!(vocabulary.resolve(of, &path), attr, "{text}");
            }
        }
        assert!(next > 80, "{next}");
        let core = vocabulary.schema_root(of, "URN:ietf:params:scim:schemas:core:2.0:User");
        assert_eq!((core, known("userName"), known("emails")), (Some(of.root), false, false));
    }

    // E03, E22, E23, E24: read with the peer's repairs, which are told; P-13, P-14: refused without
    #[test]
    fn filters_are_read_as_the_peer_writes_them() {
        let vocabulary = vocabulary();
        let of = &vocabulary.types()[0];
        let mut repairs = Repairs::default();
        for (repair, id) in [
            (Repair::FilterSubAttribute, "E22"),
            (Repair::UnquotedLiteral, "E23"),
            (Repair::FilterBoolean, "E03"),
            (Repair::BareExtension, "E24"),
        ] {
            assert!(repairs.enable(repair.name(), id));
        }
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        for (text, read, noted, strict) in [
            (
                r#"emails[type eq "work"].value eq "a+b@x.example""#,
                r#"emails[type eq "work" and value eq "a+b@x.example"]"#,
                "E22 filter",
                "the filter cannot be read: expected `and`, `or` or the end of the filter at character 23",
            ),
            (
                "externalId eq jyoung",
                r#"externalId eq "jyoung""#,
                "E23 filter",
                "the filter cannot be read: expected a string in double quotes, a number, `true`, `false` or `null` \
                 at character 15",
            ),
            (
                r#"emails[primary eq "True"]"#,
                "emails[primary eq true]",
                "E03 emails.primary",
                "`emails.primary` can only be compared with `true` or `false`, without quotes",
            ),
            (
                r#"id eq "a" and manager eq "b""#,
                &format!(r#"id eq "a" and {manager}.value eq "b""#),
                &format!("E24 {manager}"),
                "",
            ),
        ] {
            let checked = |repairs: &Repairs| {
                let mut repaired = Repaired::default();
                let (vocabulary, context) = (&vocabulary, Context::Create);
                let mut checker = Checker::new(vocabulary, repairs, &mut repaired, context);
                let filter = checker.read_filter(of, text).map(|filter| filter.to_string());
                let notes = repaired.iter().map(|(repair, path)| format!("{} {path}", repairs.id(repair)));
                (filter, notes.collect::<Vec<_>>().join(", "))
            };
            assert_eq!(checked(&repairs), (Ok(read.to_owned()), noted.to_owned()), "{text}");
            let refused = checked(&Repairs::default()).0.err().unwrap_or_default();
            assert_eq!(refused, strict, "{text}");
        }
    }
}
