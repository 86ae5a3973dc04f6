//! `cargo xtask bench`: the benches, of which the ratios to a baseline of the same run are printed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::process::{capture, failure, must};
use crate::ui::{Working, error};
use crate::{Place, build, setup, toolchain};

/// Runs all benches; fails where one is over its bar.
pub(crate) fn run(place: &Place) -> Result<ExitCode> {
    let mut native = place.cargo_locked("bench");
    native.args(["--package", "scimlock", "--package", "scimlock-peers", "--benches"]);
    let folder = wasm(place)?;
    setup::npm(place)?;
    let mut node = place.command("node");
    node.arg("benches/engine.mjs").env("SCIMLOCK_BENCH", folder);
    build::npm_package(place)?;
    let mut package = place.command("node");
    package.arg("benches/package.mjs");
    let mut good = true;
    for (name, command) in [("bench-native", native), ("bench-wasm", node), ("bench-package", package)] {
        good &= measure(place, name, command)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one of them and shows its ratios; false where it fails.
fn measure(place: &Place, name: &str, mut command: Command) -> Result<bool> {
    let working = Working::start("bench", &format!("{name}, some minutes"));
    let outcome = capture(place, name, &mut command)?;
    working.done("");
    // Criterion's own report stays in the log; what follows are ratios, a group a paragraph.
    let ratios: Vec<&str> =
        outcome.output.split("\n\n").filter(|paragraph| paragraph.contains(" ×\n")).map(str::trim).collect();
    println!("{}\n", ratios.join("\n\n"));
    if !outcome.success {
        error(&anyhow::anyhow!("{}", failure(place, name, &outcome.output)));
    }
    Ok(outcome.success)
}

/// The engine in wasm for Node, with the exports of the benches.
fn wasm(place: &Place) -> Result<PathBuf> {
    let module = build::compile(place, "scimlock-bench", toolchain::JS)?;
    let folder = toolchain::target_dir(place).join("bench");
    fs::create_dir_all(&folder)?;
    let mut bindgen = place.command(setup::wasm_bindgen(place)?.join("wasm-bindgen"));
    bindgen.args(["--target", "nodejs", "--no-typescript", "--out-name", "engine", "--out-dir"]);
    must(place, "bindgen", bindgen.arg(&folder).arg(module))?;
    // Told apart from the modules of the package.
    fs::rename(folder.join("engine.js"), folder.join("engine.cjs"))
        .context("wasm-bindgen wrote no engine.js")?;
    Ok(folder)
}
