//! The engine for the differential tests: reads one case a line, answers one line each. Filters are also read by the
//! crate `scim_v2`, which is Rust too.
//!
//! `{"do":"filter","filter":…,"resource":…}`, `{"do":"patch","patch":…,"resource":…}` and
//! `{"do":"create","resource":…}`, all on users; `{"refused":[[PATH, MESSAGE]…]}` where the engine takes the case for
//! wrong.
#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a member it lacks")]

use std::io::{BufRead as _, Write as _};

use scimlock::delta;
use scimlock::document::{Document, NodeId};
use scimlock::filter::{Binder, Filter, Syntax};
use scimlock::repair::{Repaired, Repairs};
use scimlock::schema::{AttrId, Checker, Context, ResourceType, TypeSource, Vocabulary};
use serde_json::{Value, json};

const DEPTH: u32 = 32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let user = TypeSource {
        name: "User".into(),
        endpoint: "Users".into(),
        schema: serde_json::from_str(include_str!("../../src/schemas/user.json"))?,
        extensions: vec![(
            serde_json::from_str(include_str!("../../src/schemas/enterprise-user.json"))?,
            false,
        )],
    };
    let vocabulary = Vocabulary::build(&[user]).map_err(|error| error.message)?;
    let of = vocabulary.type_named("User").ok_or("there is no User")?;
    let engine = Engine { vocabulary: &vocabulary, of };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let answer = match case["do"].as_str() {
            Some("filter") => engine.filter(&case),
            Some("patch") => engine.patch(&case),
            _ => engine.create(&case),
        };
        writeln!(out, "{}", answer.unwrap_or_else(|refused| json!({ "refused": refused })))?;
    }
    Ok(())
}

struct Engine<'a> {
    vocabulary: &'a Vocabulary,
    of: &'a ResourceType,
}

type Problems = Vec<(String, String)>;
type Answer = Result<Value, Problems>;

impl Engine<'_> {
    fn filter(&self, case: &Value) -> Answer {
        let known = |uri: &str| self.vocabulary.knows_schema(uri);
        let text = case["filter"].as_str().unwrap_or_default();
        let read = |text: &str| Filter::parse(text, &Syntax::strict(&known)).map(|(filter, _)| filter);
        let theirs = |text: &str| text.parse::<scim_v2::filter::Filter>().ok();
        if case["by"] == "scim_v2" {
            // What each makes of what the other writes must be what it made of the text.
            let (ours, theirs) = (read(text).ok(), theirs(text));
            let again = |filter: &scim_v2::filter::Filter| read(&filter.to_string()).ok();
            let same = match (&ours, &theirs) {
                (Some(ours), Some(theirs)) => again(theirs).as_ref() == Some(ours),
                _ => ours.is_some() == theirs.is_some(),
            };
            let back = ours.as_ref().and_then(|ours| ours.to_string().parse().ok());
            let kept = back == theirs || ours.is_none() || theirs.is_none();
            return Ok(
                json!({ "same": same, "kept": kept, "ours": ours.is_some(), "theirs": theirs.is_some() }),
            );
        }
        let filter = read(text).map_err(said)?;
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut binder = Binder {
            vocabulary: self.vocabulary,
            repairs: &repairs,
            repaired: &mut repaired,
            refuse_unknown: false,
        };
        let bound = binder.resource(&filter, self.of).map_err(said)?;
        let mut document = Document::new();
        let root = self.read(&mut document, &case["resource"], self.of.root)?;
        Ok(json!({ "printed": filter.to_string(), "matches": bound.matches(&document, root) }))
    }

    fn patch(&self, case: &Value) -> Answer {
        let mut document = Document::new();
        let old = self.read(&mut document, &case["resource"], self.of.root)?;
        let message = self.read(&mut document, &case["patch"], self.vocabulary.patch_op)?;
        let changes =
            self.checked(Context::Patch, |checker| delta::read(&mut document, message, self.of, checker))?;
        let new = document.copy(old);
        delta::apply(&changes, &mut document, new, self.vocabulary, false)
            .map_err(|problem| vec![(problem.path, problem.message)])?;
        let difference = delta::diff(&mut document, old, new, self.vocabulary, self.of);
        Ok(json!({
            "resource": parsed(&document.write(new)),
            "written": parsed(&delta::write(&changes, &document, self.vocabulary)),
            "difference": parsed(&delta::write(&difference, &document, self.vocabulary)),
        }))
    }

    fn create(&self, case: &Value) -> Answer {
        let mut document = Document::new();
        let root = self.read(&mut document, &case["resource"], self.of.root)?;
        self.checked(Context::Create, |checker| checker.resource(&mut document, root, self.of))?;
        Ok(json!({}))
    }

    fn read(&self, document: &mut Document, value: &Value, context: AttrId) -> Result<NodeId, Problems> {
        document
            .read(value.to_string().into_bytes(), self.vocabulary, context, DEPTH)
            .map_err(|error| said(error.message()))
    }

    fn checked<T>(&self, context: Context, run: impl FnOnce(&mut Checker<'_>) -> T) -> Result<T, Problems> {
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let mut checker = Checker::new(self.vocabulary, &repairs, &mut repaired, context);
        let result = run(&mut checker);
        let problems = checker.problems;
        match problems.is_empty() {
            true => Ok(result),
            false => Err(problems.into_iter().map(|each| (each.path, each.message)).collect()),
        }
    }
}

fn said(error: impl ToString) -> Problems {
    vec![(String::new(), error.to_string())]
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_default()
}
