//! `cargo xtask build`: the Envoy filter in `dist/`, the npm package in `js/dist/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::process::must;
use crate::ui::{self, Working, paint};
use crate::{Place, setup, toolchain};

/// What was built.
pub(crate) struct Built {
    /// The Envoy filter.
    pub(crate) filter: PathBuf,
    /// The engine as the JavaScript hosts load it.
    pub(crate) engine: PathBuf,
}

/// Builds what is out of date and prints the sizes.
pub(crate) fn all(place: &Place) -> Result<()> {
    let built = quietly(place)?;
    for file in [&built.filter, &built.engine] {
        let bytes = fs::read(file)?;
        let size = format!("{:>7}, {:>6} gzip", ui::kilobytes(bytes.len()), ui::kilobytes(gzip(&bytes)?));
        let name = file.strip_prefix(&place.root).unwrap_or(file).display();
        anstream::eprintln!("{} {name:<24} {}", paint(ui::DIM, "built  "), paint(ui::DIM, size));
    }
    Ok(())
}

/// Builds what is out of date.
pub(crate) fn quietly(place: &Place) -> Result<Built> {
    Ok(Built { filter: filter(place)?, engine: npm_package(place)? })
}

/// The proxy-wasm module.
pub(crate) fn filter(place: &Place) -> Result<PathBuf> {
    let module = compile(place, "scimlock-envoy", toolchain::ENVOY)?;
    let output = place.root.join("dist/scimlock.wasm");
    if newest(&module)? > newest(&output)? {
        fs::create_dir_all(place.root.join("dist"))?;
        fs::copy(&module, &output).with_context(|| format!("cannot write `{}`", output.display()))?;
    }
    Ok(output)
}

/// The npm package: `js/build/` is the engine with its generated bindings, `js/dist/` what is published.
pub(crate) fn npm_package(place: &Place) -> Result<PathBuf> {
    let module = compile(place, "scimlock-js", toolchain::JS)?;
    let js = place.root.join("js");
    let (bindings, package) = (js.join("build"), js.join("dist"));
    let engine = bindings.join("engine_bg.wasm");
    if newest(&module)? > newest(&engine)? {
        let tools = setup::wasm_bindgen(place)?;
        let mut bindgen = place.command(tools.join("wasm-bindgen"));
        bindgen.args(["--target", "web", "--out-name", "engine", "--out-dir"]).arg(&bindings).arg(&module);
        must(place, "bindgen", &mut bindgen)?;
    }
    setup::npm(place)?;
    let stamp = bindings.join("package-built");
    let sources = newest_except(&js, &[&stamp, &package, &js.join("node_modules"), &js.join("test")])?;
    if newest(&package)?.is_none() || sources > newest(&stamp)? {
        let working = Working::start("build", "js/dist");
        must(place, "npm-build", place.command("npm").args(["run", "build"]).current_dir(&js))?;
        fs::write(&stamp, "")?;
        working.done("");
    }
    Ok(engine)
}

/// Compiles a package to wasm; cargo decides whether there is anything to do.
pub(crate) fn compile(place: &Place, package: &str, target: &str) -> Result<PathBuf> {
    let mut cargo = toolchain::cargo(place, "build")?;
    cargo.args(["--release", "--package", package, "--target", target]);
    let working = Working::start("build", &format!("{package} for {target}"));
    must(place, package, &mut cargo)?;
    working.done("");
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(toolchain::target_dir(place).join(target).join("release").join(file))
}

/// When anything at or below `path` last changed; nothing where there is no such path.
fn newest(path: &Path) -> Result<Option<SystemTime>> {
    newest_except(path, &[])
}

fn newest_except(path: &Path, except: &[&Path]) -> Result<Option<SystemTime>> {
    if except.contains(&path) || !path.exists() {
        return Ok(None);
    }
    if !path.is_dir() {
        return Ok(Some(fs::metadata(path)?.modified()?));
    }
    let mut latest = None;
    for entry in fs::read_dir(path)? {
        latest = latest.max(newest_except(&entry?.path(), except)?);
    }
    Ok(latest)
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::best());
    Ok(usize::try_from(std::io::copy(&mut encoder, &mut std::io::sink())?)?)
}
