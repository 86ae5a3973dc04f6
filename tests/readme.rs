//! The README's example is a golden case: what it shows is what the engine does.

#![cfg(not(target_family = "wasm"))]

use std::fs;

use serde_json::Value;

#[test]
fn the_example_is_a_golden_case() {
    let readme = include_str!("../README.md");
    let shown: Vec<Value> = readme
        .split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let pairs = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traffic")).unwrap();
    let mut files = pairs.map(|pair| pair.unwrap().path().join("00-readme.json"));
    let case = fs::read_to_string(files.find(|file| file.exists()).unwrap()).unwrap();
    let case: Value = serde_json::from_str(&case).unwrap();
    let step = |index: usize, pointer: &str| case["steps"][index].pointer(pointer).cloned().unwrap();
    assert_eq!(shown, [step(0, "/idp/body"), step(1, "/provider/expect/body")]);
}
