//! `cargo xtask bench`: the Criterion benches, as ratios to their baseline in the same run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Place;
use crate::process::must;
use crate::ui::{self, Working, paint};

/// The functions that others of their group are measured against.
const BASELINE: &str = "serde_json";

/// Runs all benches and prints each group: median time, and ratio to the baseline.
pub(crate) fn run(place: &Place) -> Result<ExitCode> {
    let results = place.root.join("target/criterion");
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let working = Working::start("bench", "measuring, a minute or two");
    let mut cargo = place.cargo_locked("bench");
    must(place, "bench", cargo.args(["--package", "scimlock", "--benches"]))?;
    working.done("");

    let mut groups = BTreeMap::new();
    read(&results, &mut groups)?;
    if groups.is_empty() {
        bail!("no bench was run");
    }
    for (group, functions) in groups {
        anstream::println!("{}", paint(ui::BOLD, group));
        let baseline = functions.iter().find(|(name, _)| name.starts_with(BASELINE)).map(|(_, time)| *time);
        for (name, time) in &functions {
            let ratio = baseline.map(|baseline| format!("{:>8.2} ×", time / baseline)).unwrap_or_default();
            println!("  {name:<40}{:>12}{ratio}", duration(*time));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Gathers the medians, in nanoseconds, by group and function.
fn read(folder: &Path, groups: &mut BTreeMap<String, BTreeMap<String, f64>>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.ends_with("new") {
            let (about, measured) = (json(path.join("benchmark.json"))?, json(path.join("estimates.json"))?);
            let text = |key| about.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let median = measured.pointer("/median/point_estimate").and_then(Value::as_f64);
            let median = median.with_context(|| format!("no median in `{}`", path.display()))?;
            let name = [text("function_id"), text("value_str")].join(" ").trim().to_owned();
            groups.entry(text("group_id")).or_default().insert(name, median);
        } else if path.is_dir() {
            read(&path, groups)?;
        }
    }
    Ok(())
}

fn json(path: PathBuf) -> Result<Value> {
    let bytes = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n >= 1e6 => format!("{:.2} ms", n / 1e6),
        n if n >= 1e3 => format!("{:.2} µs", n / 1e3),
        n => format!("{n:.0} ns"),
    }
}
