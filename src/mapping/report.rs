//! What each rule does, for people: its paths, its ways, and why it has not both.

use serde_json::{Map, Value, json};

use super::transform::Step;
use super::{Mapping, Rule, Source, Unmapped};

impl Mapping {
    /// The rules of every resource type, in the order in which they are asked.
    pub(crate) fn report(&self) -> Value {
        let mut types = Map::new();
        for pair in &self.pairs {
            if let (Some(of), Some(_)) = (self.idp_type(pair), pair.provider) {
                let rules: Vec<Value> = pair.rules.iter().map(rule).collect();
                let unmapped = match pair.unmapped {
                    Unmapped::Pass => "pass",
                    Unmapped::Drop => "drop",
                    Unmapped::Reject => "reject",
                };
                let only = pair.only().map(ToString::to_string);
                let report =
                    json!({ "unmapped": unmapped, "only": only, "identity": pair.identity, "rules": rules });
                types.insert(of.name.to_string(), report);
            }
        }
        Value::Object(types)
    }
}

fn rule(rule: &Rule) -> Value {
    let dropped = matches!(rule.source, Source::Drop);
    let class = match (dropped, rule.to_provider, rule.to_idp) {
        (true, ..) => "dropped",
        (_, true, true) => "two-way",
        (_, true, false) => "to-provider",
        (_, false, _) => "to-idp",
    };
    let why = match &rule.source {
        Source::Drop => Some("the rule says `drop: true`".to_owned()),
        Source::Constant(_) => Some("a constant has nothing to tell the IdP".to_owned()),
        Source::Computed(_) | Source::Default(_) => Some("a text is not taken apart again".to_owned()),
        Source::Copy if rule.to_provider && rule.to_idp => None,
        Source::Copy => rule.one_way.clone().or_else(|| {
            let way = if rule.to_provider { "to_provider" } else { "to_idp" };
            Some(format!("the rule says `direction: {way}`"))
        }),
    };
    let steps: Vec<&str> = rule.chain.steps.iter().map(Step::name).collect();
    let source = match &rule.source {
        Source::Constant(_) => Some("value"),
        Source::Computed(_) => Some("template"),
        Source::Default(_) => Some("default"),
        Source::Copy | Source::Drop => None,
    };
    let operations = match (rule.create, rule.update) {
        (true, false) => Some(["create"]),
        (false, true) => Some(["update"]),
        _ => None,
    };
    let members = [
        ("rule", Some(json!(&*rule.name))),
        ("idp", rule.idp.as_ref().map(|spot| json!(&*spot.path))),
        ("provider", rule.provider.as_ref().map(|spot| json!(&*spot.path))),
        ("source", source.map(Value::from)),
        ("transform", Some(steps).filter(|steps| !steps.is_empty()).map(Value::from)),
        ("when", rule.when.as_ref().map(|when| json!(when.filter.to_string()))),
        ("operations", operations.map(|list| json!(list))),
        ("class", Some(json!(class))),
        ("why", why.map(Value::from)),
        ("lossy", rule.loss().filter(|_| class == "two-way").map(Value::from)),
    ];
    Value::Object(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

impl Rule {
    /// What of the IdP's values does not come back.
    pub(super) fn loss(&self) -> Option<&'static str> {
        self.chain.steps.iter().find_map(|step| step.loss(self.chain.idp.case_exact))
    }
}
