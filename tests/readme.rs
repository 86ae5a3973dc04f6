//! The README's example is a golden case: what it shows is what the engine does.

#![cfg(not(target_family = "wasm"))]

use serde_json::Value;

#[test]
fn the_example_is_a_golden_case() {
    let readme = include_str!("../README.md");
    let shown: Vec<Value> = readme
        .split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let case: Value = serde_json::from_str(include_str!("traffic/entra-to-generic/00-readme.json")).unwrap();
    let step = |index: usize, pointer: &str| case["steps"][index].pointer(pointer).cloned().unwrap();
    assert_eq!(shown, [step(0, "/idp/body"), step(1, "/provider/expect/body")]);
}
