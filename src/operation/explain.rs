//! What the trace shows of repairs: the place in the message before and after.

use super::{Operation, Scene};
use crate::adapt::Part;
use crate::delta::{self, Change};
use crate::document::{Document, Kind, NodeId};
use crate::filter::Filter;
use crate::mapping::{Dropped, Fired, Firing, Mapping};
use crate::repair::Repaired;
use crate::schema::{AttrId, Vocabulary};

impl Operation {
    /// The repairs of a PATCH: the operation as it was sent, and what it means.
    pub(super) fn explain_patch(
        &self,
        scene: &Scene<'_>,
        received: Vec<u8>,
        repaired: &Repaired,
        changes: &[Change],
    ) {
        let vocabulary = &scene.route.mapping.idp;
        let mut sent = Document::new();
        let root = sent.read(received, vocabulary, vocabulary.patch_op, Self::read_depth(scene)).ok();
        let list = root.and_then(|root| sent.member_named(root, "Operations"));
        let operations: Vec<NodeId> = list.into_iter().flat_map(|list| sent.children(list)).collect();
        scene.trace.repairs(&scene.route.repairs, repaired, |line, operation, _| {
            let Some(index) = operation else { return };
            line.number("operation", index as u64);
            line.node("before", &sent, operations.get(index).copied());
            let after = changes.get(repaired.changes(index, changes.len())).unwrap_or_default();
            line.json("after", &delta::operations(after, &self.document, vocabulary));
        });
    }

    /// The repairs of a resource: the attribute as it was sent, and as it is now.
    pub(super) fn explain_resource(
        &self,
        scene: &Scene<'_>,
        received: Vec<u8>,
        repaired: &Repaired,
        root: NodeId,
    ) {
        let vocabulary = &scene.route.mapping.idp;
        let mut sent = Document::new();
        let Some(of) = self.idp_type(scene) else { return };
        let Ok(before) = sent.read(received, vocabulary, of.root, Self::read_depth(scene)) else { return };
        scene.trace.repairs(&scene.route.repairs, repaired, |line, _, path| {
            line.node("before", &sent, found(&sent, before, vocabulary, path));
            line.node("after", &self.document, found(&self.document, root, vocabulary, path));
        });
    }

    /// A change in the provider's dialect, where that is not the standard's.
    pub(super) fn explain_parts(&self, scene: &Scene<'_>, changes: &[Change], parts: &[Part]) {
        let standard = delta::write(changes, &self.document, &scene.route.mapping.provider);
        if let [one] = parts {
            let what = "the provider takes PATCH in another form";
            scene.trace.adapted_from(what, "provider.patch", &standard, &one.body);
        }
    }

    /// What of a filter is asked of the provider.
    pub(super) fn explain_filter(
        scene: &Scene<'_>,
        wanted: &str,
        asked: &[Option<Filter>],
        judged_here: bool,
    ) {
        for filter in asked {
            scene.trace.step("filter", |line| {
                line.filter("before", wanted);
                match filter {
                    Some(filter) => line.filter("after", &filter.to_string()),
                    None => line.text("after", "(everything)"),
                }
            });
        }
        if asked.is_empty() {
            scene.trace.adapted("no resource can fit the filter: the provider is not asked", "mapping");
        }
        if asked.len() > 1 {
            let what = format!("the provider takes the filter in {} queries", asked.len());
            scene.trace.adapted(&what, "provider.filter");
        }
        if judged_here {
            scene.trace.adapted(
                "the provider cannot judge all of the filter: what it finds is judged here",
                "provider.filter",
            );
        }
    }

    /// The rules of the mapping that were used, and what they do not carry.
    pub(super) fn explain_rules(
        scene: &Scene<'_>,
        document: &Document,
        fired: &Fired,
        dropped: impl FnOnce(&Mapping) -> Vec<Dropped>,
    ) {
        if !scene.trace.is_on() {
            return;
        }
        for Firing { rule, from, to, before, after } in fired.steps() {
            scene.trace.step("rule", |line| {
                line.text("rule", rule);
                if let Some(from) = from {
                    line.text("from", from);
                }
                line.text("to", to);
                line.node("before", document, *before);
                line.node("after", document, *after);
            });
        }
        for Dropped { path, why, value } in dropped(&scene.route.mapping) {
            scene.trace.step("dropped", |line| {
                line.text("path", &path);
                line.text("why", &why);
                line.node("value", document, value);
            });
        }
    }
}

/// The member of that path, or the list it lies in; an attribute of an extension may stand beside it.
fn found(document: &Document, root: NodeId, vocabulary: &Vocabulary, path: &str) -> Option<NodeId> {
    let last = path.rsplit([':', '.']).next().unwrap_or(path);
    within(document, root, vocabulary, path).or_else(|| document.member_named(root, last))
}

fn within(document: &Document, object: NodeId, vocabulary: &Vocabulary, path: &str) -> Option<NodeId> {
    document.children(object).find_map(|member| {
        let attr = document.attr(member);
        let key = document.key(member);
        let here = if attr == AttrId::UNKNOWN { &*key } else { vocabulary.path(attr) };
        let rest = path.strip_prefix(here)?;
        match document.kind(member) {
            _ if rest.is_empty() => Some(member),
            _ if !rest.starts_with(['.', ':']) => None,
            Kind::Object => within(document, member, vocabulary, path),
            _ => Some(member),
        }
    })
}
