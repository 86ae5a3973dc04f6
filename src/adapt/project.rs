//! Projection (RFC 7644 section 3.9) asked of the provider, so that it does not send what nobody wants to see.

use crate::mapping::{Mapping, Pair};
use crate::profile::ProjectionFacts;
use crate::schema::{AttrId, Projection, Vocabulary};

/// The parameter that asks the provider for what the IdP is to see (or to have left out) and for what is `needed`
/// to judge resources by; nothing where the provider has to send everything.
pub(crate) fn project(
    mapping: &Mapping,
    pair: &Pair,
    facts: ProjectionFacts,
    projection: &Projection,
    needed: &[AttrId],
) -> Option<(&'static str, String)> {
    if let Some(only) = projection.only.as_ref().filter(|_| facts.attributes) {
        let mut paths: Vec<String> = Vec::new();
        for attr in only.iter().chain(needed) {
            add(mapping, pair, *attr, &mut paths);
        }
        let whole = paths.clone();
        paths.retain(|path| !whole.iter().any(|other| other != path && part(path, other)));
        if paths.is_empty() {
            paths.push(mapping.provider.path(mapping.provider_type(pair)?.id).to_owned());
        }
        return Some(("attributes", paths.join(",")));
    }
    if projection.without.is_empty() || !facts.excluded {
        return None;
    }
    let idp = &mapping.idp;
    let mut kept: Vec<String> = Vec::new();
    let mut top = Vec::new();
    below(idp, mapping.idp_type(pair)?.root, &mut top);
    let overlaps = |a: AttrId, b: AttrId| idp.is_within(a, b) || idp.is_within(b, a);
    let shown =
        top.iter().filter(|attr| !projection.without.iter().any(|without| overlaps(**attr, *without)));
    for attr in shown.chain(needed) {
        add(mapping, pair, *attr, &mut kept);
    }
    let mut left_out: Vec<String> = Vec::new();
    for attr in
        projection.without.iter().filter(|attr| !needed.iter().any(|needed| overlaps(**attr, *needed)))
    {
        add(mapping, pair, *attr, &mut left_out);
    }
    // What another attribute is made of has to come.
    left_out.retain(|path| !kept.iter().any(|kept| part(kept, path) || part(path, kept)));
    (!left_out.is_empty()).then(|| ("excludedAttributes", left_out.join(",")))
}

/// True when one path is the other, or lies below it.
fn part(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
}

/// Adds the provider's paths that an attribute is made of.
fn add(mapping: &Mapping, pair: &Pair, attr: AttrId, paths: &mut Vec<String>) {
    if mapping.idp.attribute(attr).extension {
        return mapping.idp.children(attr).for_each(|child| add(mapping, pair, child, paths));
    }
    for path in mapping.paths(pair, attr) {
        let path = path.to_string();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
}

/// The attributes of a resource, those of extensions too.
fn below(vocabulary: &Vocabulary, root: AttrId, found: &mut Vec<AttrId>) {
    for attr in vocabulary.children(root) {
        match vocabulary.attribute(attr).extension {
            true => below(vocabulary, attr, found),
            false => found.push(attr),
        }
    }
}
