//! The laws of mappings over schemas, rules, resources, changes and filters made by chance, the same natively and in
//! wasm. `LAWS=n` runs n mappings, natively.

mod make;

use std::collections::BTreeMap;

use serde_json::Value;

use self::make::Dice;
use super::spot::Spot;
use super::{Claim, Fired, Mapped, Mapping, Notes, Pair, Rule, Source, Unmapped};
use crate::delta::{self, Change, Place};
use crate::document::{Document, Kind, NodeId};
use crate::filter::{Binder, Filter, Folded, Syntax};
use crate::path::Path;
use crate::repair::{Repaired, Repairs};
use crate::schema::{AttrId, Problem, ProblemKind, ResourceType, Type, Vocabulary};
use crate::{Gateway, HostFacts};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// One mapping with the schemas of both sides, and a document for its resources.
struct World {
    gateway: Gateway,
    config: Value,
    idp: Vec<Value>,
    provider: Vec<Value>,
}

impl World {
    /// Nothing where the rules contradict each other.
    fn new(dice: &mut Dice) -> Option<Self> {
        let config = make::config(dice);
        let secrets = BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]);
        let gateway = Gateway::compile(&config.to_string(), &secrets, HostFacts::default()).ok()?;
        let attributes = |side: &str| {
            let list = &config["routes"]["r"][side]["profile"]["schemas"][0]["attributes"];
            list.as_array().unwrap().clone()
        };
        let (idp, provider) = (attributes("idp"), attributes("provider"));
        Some(Self { gateway, config, idp, provider })
    }

    fn mapping(&self) -> &Mapping {
        &self.gateway.routes[0].mapping
    }

    fn pair(&self) -> &Pair {
        &self.mapping().pairs[0]
    }

    fn idp_type(&self) -> &ResourceType {
        self.mapping().idp_type(self.pair()).unwrap()
    }

    fn provider_type(&self) -> &ResourceType {
        self.mapping().provider_type(self.pair()).unwrap()
    }

    fn rules(&self) -> String {
        self.config["routes"]["r"]["mapping"].to_string()
    }

    fn idp_user(&self, dice: &mut Dice, document: &mut Document) -> NodeId {
        let user = make::user(dice, &self.idp, false);
        document.read(user.to_string().into(), &self.mapping().idp, self.idp_type().root, 32).unwrap()
    }

    fn provider_user(&self, dice: &mut Dice, document: &mut Document) -> NodeId {
        let user = make::user(dice, &self.provider, true);
        document
            .read(user.to_string().into(), &self.mapping().provider, self.provider_type().root, 32)
            .unwrap()
    }

    /// What put makes; nothing where it is refused.
    fn put(
        &self,
        document: &mut Document,
        before: Option<NodeId>,
        root: NodeId,
        old: NodeId,
    ) -> Result<NodeId, Vec<Problem>> {
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let new = self.mapping().put(self.pair(), document, before, root, old, notes);
        if problems.is_empty() { Ok(new) } else { Err(problems) }
    }
}

/// A value as a set of facts: case, order and what is unassigned do not matter.
fn facts(document: &Document, node: NodeId) -> String {
    match document.kind(node) {
        Kind::Object => {
            let members = document.children(node).filter(|member| document.key(*member) != "schemas");
            let members =
                members.map(|member| (document.key(member).to_lowercase(), facts(document, member)));
            let members: BTreeMap<_, _> = members.filter(|(_, value)| !value.is_empty()).collect();
            if members.is_empty() { String::new() } else { format!("{members:?}") }
        }
        Kind::Array => {
            let mut list: Vec<String> = document.children(node).map(|child| facts(document, child)).collect();
            list.retain(|each| !each.is_empty());
            list.sort();
            if list.is_empty() { String::new() } else { format!("{list:?}") }
        }
        Kind::Null => String::new(),
        Kind::Bool(truth) => truth.to_string(),
        Kind::Number => document.number(node).unwrap().to_owned(),
        Kind::String => format!("'{}'", document.string(node).unwrap().to_lowercase()),
    }
}

fn text(document: &Document, node: NodeId) -> String {
    String::from_utf8(document.write(node)).unwrap()
}

/// Runs `law` on many worlds, a few times each.
fn on_many(times: u64, law: impl Fn(&World, &mut Dice) -> bool) {
    let cases = std::env::var("LAWS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let (mut worlds, mut said) = (0_u64, 0_u64);
    for seed in 0..cases {
        let mut dice = Dice::new(seed + 1);
        let Some(world) = World::new(&mut dice) else { continue };
        worlds += 1;
        for _ in 0..times {
            said += u64::from(law(&world, &mut dice));
        }
    }
    // Most of what is made makes sense, or the law says nothing.
    assert!(worlds * 4 > cases, "{worlds} of {cases} mappings");
    assert!(said * 4 > worlds * times, "{said} of {} cases", worlds * times);
}

/// put(view(p), p) = p
#[test]
fn what_was_read_and_is_written_back_changes_nothing() {
    on_many(10, |world, dice| {
        let mut document = Document::new();
        let old = world.provider_user(dice, &mut document);
        let view = world.mapping().view(world.pair(), &mut document, old);
        let again =
            document.read(document.write(view), &world.mapping().idp, world.idp_type().root, 32).unwrap();
        let told = || format!("{}\n{}\n{}", world.rules(), text(&document, old), text(&document, view));
        let told = told();
        let same = world.put(&mut document, Some(view), again, old).expect(&told);
        assert_eq!(facts(&document, same), facts(&document, old), "{told}");
        let new = world.put(&mut document, None, again, old).expect(&told);
        // What is always written, and defaults, are written by a replacement.
        for rule in world.pair().rules.iter().filter(|rule| !matches!(rule.source, Source::Copy)) {
            for root in [old, new] {
                if let Some(to) = &rule.provider {
                    clear(&mut document, root, to, &world.mapping().provider);
                }
            }
        }
        assert_eq!(facts(&document, new), facts(&document, old), "{told}");
        true
    });
}

/// Takes out what a rule writes without being told, and the element that it was alone in.
fn clear(document: &mut Document, root: NodeId, to: &Spot, provider: &Vocabulary) {
    to.clear(document, root, provider).unwrap();
    if let Ok(Some(element)) =
        to.find_element(document, root, provider).map(|found| found.filter(|_| !to.slot.is_empty()))
        && document.children(element).all(|part| to.slot.iter().any(|(sub, _)| *sub == document.attr(part)))
    {
        document.remove(element);
        to.drop_empty_list(document, root, provider);
    }
}

/// Compares what the IdP sees with what it is to see, in all that the mapping promises to carry.
fn agree(world: &World, document: &mut Document, seen: NodeId, wanted: NodeId, replaced: bool, told: &str) {
    let (mapping, pair, of) = (world.mapping(), world.pair(), world.idp_type());
    let idp = &mapping.idp;
    let holds =
        |rule: &Rule, document: &Document| rule.when.as_ref().is_none_or(|when| when.holds(document, wanted));
    for rule in pair.rules.iter().filter(|rule| rule.to_provider && rule.to_idp && rule.update && rule.create)
    {
        let (from, to) = (rule.idp.as_ref().unwrap(), rule.provider.as_ref().unwrap());
        let writers = pair
            .rules
            .iter()
            .filter(|other| other.to_provider && other.provider.as_ref().is_some_and(|spot| spot.same(to)));
        let guards = rule.guards.iter().any(|guard| holds(&pair.rules[*guard], document));
        let read = |root: NodeId| from.read(document, root, idp).ok().flatten();
        let (a, b) = (read(seen), read(wanted));
        let is_boolean = idp.attribute(from.leaf()).kind == Type::Boolean;
        // Others write there, or would show something in the same place.
        let shared = writers.count() > 1 && (b.is_none() || !std::ptr::eq(first_writer(pair, rule), rule));
        let twice = pair
            .rules
            .iter()
            .filter(|other| other.to_idp && other.idp.as_ref().is_some_and(|spot| spot.same(from)));
        if !holds(rule, document)
            || guards
            || shared
            || twice.count() > 1
            || (is_boolean && b.is_none() && replaced)
        {
            continue;
        }
        if rule.chain.reshapes()
            && b.is_some_and(|b| document.elements(b).count() > 1)
            && rule.loss().is_some()
        {
            continue;
        }
        if !rule.chain.is_empty() && idp.attribute(from.leaf()).multi_valued && from.slot.is_empty() {
            let values = |node: Option<NodeId>| {
                let value = idp.lookup(from.leaf(), b"value");
                let texts = node.into_iter().flat_map(|node| document.elements(node).collect::<Vec<_>>());
                let text =
                    |element| document.member(element, value).filter(|_| value.is_known()).unwrap_or(element);
                let mut texts: Vec<String> = texts.map(|element| facts(document, text(element))).collect();
                texts.sort();
                texts
            };
            assert_eq!(
                values(a),
                values(b),
                "{} {told}\n{}\n{}",
                rule.name,
                text(document, seen),
                text(document, wanted)
            );
            continue;
        }
        let said = |node: Option<NodeId>| node.map(|node| facts(document, node)).unwrap_or_default();
        assert_eq!(
            said(a),
            said(b),
            "{} {told}\nsees {}\nnot  {}",
            rule.name,
            text(document, seen),
            text(document, wanted)
        );
    }
    if pair.unmapped != Unmapped::Pass {
        return;
    }
    for attr in idp.children(world.idp_type().root).chain(idp.children(extension(idp, world.idp_type()))) {
        let same = pair.idp_index.same(attr);
        let free = pair.idp_index.claim(attr) == Claim::No && pair.provider_index.claim(same) == Claim::No;
        if free
            && !idp.attribute(attr).extension
            && same.is_known()
            && ![of.schemas, of.id, of.meta].contains(&attr)
        {
            let said =
                |root| idp.find(document, root, attr).map(|node| facts(document, node)).unwrap_or_default();
            assert_eq!(said(seen), said(wanted), "{} {told}", idp.path(attr));
        }
    }
}

fn first_writer<'a>(pair: &'a Pair, rule: &'a Rule) -> &'a Rule {
    let same = |other: &&Rule| {
        let spots = other.provider.as_ref().zip(rule.provider.as_ref());
        other.to_provider && spots.is_some_and(|(a, b)| a.same(b))
    };
    pair.rules.iter().find(same).unwrap_or(rule)
}

fn extension(vocabulary: &Vocabulary, of: &ResourceType) -> AttrId {
    vocabulary.lookup(of.root, make::EXTENSION.as_bytes())
}

/// view(put(i, p)) = i, and view(create(i)) = i
#[test]
fn what_was_written_is_read() {
    on_many(10, |world, dice| {
        let mut document = Document::new();
        let old = world.provider_user(dice, &mut document);
        let wanted = world.idp_user(dice, &mut document);
        let told = format!("{}\n{}", world.rules(), text(&document, old));
        let Ok(new) = world.put(&mut document, None, wanted, old) else { return false };
        let told = format!("{told}\n{}", text(&document, new));
        let seen = world.mapping().view(world.pair(), &mut document, new);
        agree(world, &mut document, seen, wanted, true, &told);
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let notes = &mut Notes { fired: &mut fired, problems: &mut problems };
        let made = world.mapping().create(world.pair(), &mut document, wanted, notes);
        if problems.is_empty() {
            let seen = world.mapping().view(world.pair(), &mut document, made);
            agree(world, &mut document, seen, wanted, true, &told);
        }
        true
    });
}

/// The change a patch operation makes; nothing where the schema does not have the attribute.
fn change(world: &World, dice: &mut Dice, document: &mut Document) -> Option<Change> {
    let (op, path, value) = make::change(dice);
    let (idp, of) = (&world.mapping().idp, world.idp_type());
    let known = |uri: &str| idp.knows_schema(uri);
    let (Path::Attribute { attribute, filter }, _) = Path::parse(path, &Syntax::strict(&known)).unwrap()
    else {
        panic!("{path}")
    };
    let attr = idp.resolve(of, &attribute);
    if !attr.is_known() || (op != "remove" && value.is_none()) {
        return None;
    }
    let op = match op {
        "add" => delta::Op::Add,
        "replace" => delta::Op::Replace,
        _ => delta::Op::Remove,
    };
    let value = value.map(|value| {
        let node = document.read(value.to_string().into(), idp, AttrId::UNKNOWN, 32).unwrap();
        document.bind(node, idp, attr);
        node
    });
    let place = match filter {
        None => Place::Attribute(attr),
        Some(filter) => {
            let list = idp.top(attr);
            let sub = if list == attr { AttrId::UNKNOWN } else { attr };
            Place::Elements { attr: list, filter: *filter, sub }
        }
    };
    Some(Change { op, place, value })
}

/// view(apply(map(d), p)) = apply(d, view(p))
#[test]
fn a_patch_does_what_it_says() {
    on_many(20, |world, dice| {
        let (mapping, pair) = (world.mapping(), world.pair());
        let mut document = Document::new();
        let old = world.provider_user(dice, &mut document);
        let before = mapping.view(pair, &mut document, old);
        let changes: Vec<Change> =
            (0..=dice.below(3)).filter_map(|_| change(world, dice, &mut document)).collect();
        let wanted = document.copy(before);
        if changes.is_empty() || delta::apply(&changes, &mut document, wanted, &mapping.idp, true).is_err() {
            return false;
        }
        let shown: Vec<String> = changes
            .iter()
            .map(|change| {
                let value = change.value.map(|value| text(&document, value)).unwrap_or_default();
                format!("{} {:?} {value}", change.op.as_str(), change.place)
            })
            .collect();
        let told = format!("{}\n{}\n{shown:#?}", world.rules(), text(&document, old));
        let (mut fired, mut problems) = (Fired::default(), Vec::new());
        let mapped = mapping.changes(pair, &mut document, &changes, true, true, &mut fired, &mut problems);
        if !problems.is_empty() {
            return false;
        }
        let new = match mapped {
            Mapped::Changes(changes) => {
                let new = document.copy(old);
                let applied = delta::apply(&changes, &mut document, new, &mapping.provider, true);
                // Elements of a list that the provider's schema lacks: it is for the provider to find them.
                if applied.as_ref().is_err_and(|problem| problem.kind == ProblemKind::Path) {
                    return false;
                }
                assert!(applied.is_ok(), "{told}\n{applied:?}");
                new
            }
            Mapped::NeedsState => match world.put(&mut document, Some(before), wanted, old) {
                Ok(new) => new,
                Err(_) => return false,
            },
        };
        let told = format!("{told}\n{}", text(&document, new));
        let seen = mapping.view(pair, &mut document, new);
        agree(world, &mut document, seen, wanted, false, &told);
        // What the IdP cannot see stays.
        let provider = &mapping.provider;
        for attr in provider.children(world.provider_type().root) {
            let hidden = pair.unmapped == Unmapped::Drop && pair.provider_index.claim(attr) == Claim::No;
            if hidden && attr != world.provider_type().schemas {
                let said = |root| provider.find(&document, root, attr).map(|node| facts(&document, node));
                assert_eq!(said(old), said(new), "{told}");
            }
        }
        true
    });
}

/// matches(map(f), p) = matches(f, view(p)); a filter that is wider misses nothing.
#[test]
fn a_filter_finds_what_it_asks_for() {
    on_many(30, |world, dice| {
        let (mapping, pair) = (world.mapping(), world.pair());
        let mut document = Document::new();
        let old = world.provider_user(dice, &mut document);
        let view = mapping.view(pair, &mut document, old);
        let asked = make::filter(dice, 2);
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut bind = |filter: &Filter, vocabulary: &Vocabulary, of: &ResourceType, refuse_unknown| {
            let mut binder =
                Binder { vocabulary, repairs: &repairs, repaired: &mut repaired, refuse_unknown };
            binder.resource(filter, of)
        };
        let known = |uri: &str| mapping.idp.knows_schema(uri);
        let (filter, _) = Filter::parse(&asked, &Syntax::strict(&known)).unwrap();
        let Ok(bound) = bind(&filter, &mapping.idp, world.idp_type(), true) else { return false };
        let matches = bound.matches(&document, view);
        let Ok(mapped) = mapping.filter(pair, &bound.to_filter(&mapping.idp)) else { return false };
        let told = || {
            format!(
                "{asked}\n{mapped:?}\n{}\n{}\n{}",
                world.rules(),
                text(&document, old),
                text(&document, view)
            )
        };
        let found = match &mapped.filter {
            Folded::Constant(constant) => *constant,
            Folded::Filter(filter) => {
                let bound = bind(filter, &mapping.provider, world.provider_type(), false);
                bound.unwrap_or_else(|error| panic!("{error} {}", told())).matches(&document, old)
            }
        };
        assert!(found == matches || (found && !mapped.exact), "{matches}, found {found}: {}", told());
        mapped.exact
    });
}
