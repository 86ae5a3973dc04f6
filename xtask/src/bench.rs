//! `cargo xtask bench`: the benches, of which the ratios to a baseline of the same run are printed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::process::{capture, failure, must};
use crate::ui::{Working, error};
use crate::{Place, build, setup, toolchain};

/// The benches, in order.
const PARTS: [&str; 5] = ["native", "wasm", "package", "tokens", "envoy"];

/// Runs the named benches, or all; fails where one is over its bar.
pub(crate) fn run(place: &Place, selected: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = selected.iter().find(|name| !PARTS.contains(&name.as_str())) {
        bail!("no benches `{unknown}`: there are {}", PARTS.join(", "));
    }
    let mut good = true;
    for name in PARTS.into_iter().filter(|name| selected.is_empty() || selected.iter().any(|one| one == name))
    {
        let command = match name {
            "native" => native(place),
            "wasm" => wasm(place)?,
            "package" => package(place, "benches/package.mjs")?,
            "tokens" => {
                setup::npm(place)?;
                package(place, "benches/tokens.mjs")?
            }
            _ => envoy(place)?,
        };
        good &= measure(place, &format!("bench-{name}"), command)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The engine on this machine, and Rust crates of others.
fn native(place: &Place) -> Command {
    let mut cargo = place.cargo_locked("bench");
    cargo.args(["--package", "scimlock", "--package", "scimlock-peers", "--benches"]);
    cargo
}

/// The engine in wasm, and V8.
fn wasm(place: &Place) -> Result<Command> {
    let folder = engine(place)?;
    setup::npm(place)?;
    let mut node = place.command("node");
    node.arg("benches/engine.mjs").env("SCIMLOCK_BENCH", folder);
    Ok(node)
}

/// The npm package as a whole.
fn package(place: &Place, bench: &str) -> Result<Command> {
    build::npm_package(place)?;
    let mut node = place.command("node");
    node.arg(bench);
    Ok(node)
}

/// The filter in the real Envoy, and a filter of Envoy's own.
fn envoy(place: &Place) -> Result<Command> {
    setup::npm(place)?;
    let mut node = place.command("node");
    node.arg("benches/envoy.mjs");
    node.env("SCIMLOCK_WASM", build::filter(place)?).env("SCIMLOCK_ENVOY", setup::envoy(place)?);
    Ok(node)
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
fn engine(place: &Place) -> Result<PathBuf> {
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
