//! The compiler for WebAssembly: rustup's where its targets can be had, else Debian's with a private sysroot.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::Place;
use crate::process::{capture, capture_within, failure, first_line};
use crate::ui::Working;

/// What the Envoy filter and the npm package are compiled for.
pub(crate) const ENVOY: &str = "wasm32-wasip1";
pub(crate) const JS: &str = "wasm32-unknown-unknown";
const TARGETS: [&str; 2] = [ENVOY, JS];

/// The recipe for machines that cannot reach rustup's server.
const DEBIAN: &str = include_str!("debian-wasm.sh");
const PACKAGES: &str = "rustc-web rust-web-src wasi-libc";

/// A compiler that has the wasm targets; it is set up when there is none.
pub(crate) fn compiler(place: &Place) -> Result<OsString> {
    if let Some(found) = find(place) {
        return Ok(found);
    }
    let _lock = place.lock()?;
    if let Some(found) = find(place) {
        return Ok(found);
    }
    if add_with_rustup(place)?
        && let Some(found) = find(place)
    {
        return Ok(found);
    }
    build_from_debian(place)?;
    find(place).context("the wasm targets were installed but the compiler does not find them")
}

/// A cargo that builds for wasm, in a target folder of its own: the compiler need not be the native one.
pub(crate) fn cargo(place: &Place, subcommand: &str) -> Result<Command> {
    let compiler = compiler(place)?;
    let mut cargo = place.cargo_locked(subcommand);
    cargo.env("RUSTC", compiler).env("CARGO_TARGET_DIR", target_dir(place));
    Ok(cargo)
}

/// Where wasm modules are compiled.
pub(crate) fn target_dir(place: &Place) -> PathBuf {
    place.root.join("target/wasm")
}

fn find(place: &Place) -> Option<OsString> {
    let usual = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let private = sysroot(place).join("bin/rustc");
    if has_targets(Path::new(&usual)) {
        Some(usual)
    } else if is_current(place) && has_targets(&private) {
        Some(private.into())
    } else {
        None
    }
}

fn sysroot(place: &Place) -> PathBuf {
    place.cache.join("wasm-sysroot")
}

/// A compiler can build for a target when its folder holds a core library.
fn has_targets(compiler: &Path) -> bool {
    TARGETS.iter().all(|target| {
        let mut ask = Command::new(compiler);
        ask.args(["--print", "target-libdir", "--target", target]);
        let entries = first_line(&mut ask).and_then(|folder| std::fs::read_dir(folder).ok());
        entries.is_some_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

/// The private sysroot belongs to the compiler that is installed now.
fn is_current(place: &Place) -> bool {
    let stamp = std::fs::read_to_string(sysroot(place).join(".stamp")).unwrap_or_default();
    let version = Command::new("/usr/bin/rustc").arg("-vV").output();
    version.is_ok_and(|output| {
        let version = String::from_utf8_lossy(&output.stdout).replace('\n', ";");
        output.status.success() && stamp.starts_with(&version)
    })
}

/// False where rustup is missing or cannot download.
fn add_with_rustup(place: &Place) -> Result<bool> {
    if first_line(Command::new("rustup").arg("--version")).is_none() {
        return Ok(false);
    }
    let working = Working::start("setup", "wasm targets: rustup target add");
    let mut rustup = place.command("rustup");
    rustup.args(["target", "add"]).args(TARGETS).env("RUSTUP_MAX_RETRIES", "1");
    let outcome = capture_within(place, "rustup", &mut rustup, Duration::from_secs(180))?;
    working.done(if outcome.success { "" } else { "not to be had" });
    Ok(outcome.success)
}

fn build_from_debian(place: &Place) -> Result<()> {
    if first_line(Command::new("apt-get").arg("--version")).is_none() {
        bail!("no wasm targets: run `rustup target add {}`", TARGETS.join(" "));
    }
    let what = format!("wasm targets: standard library from Debian's {PACKAGES}, in a private sysroot");
    let working = Working::start("setup", &what);
    let script = place.cache.join("debian-wasm.sh");
    std::fs::write(&script, DEBIAN)?;
    let mut bash = place.command("bash");
    bash.arg(script).arg(sysroot(place)).args(TARGETS);
    bash.env("PACKAGES", PACKAGES).env("CARGO", place.cargo().get_program());
    let outcome = capture(place, "debian-wasm", &mut bash)?;
    working.done(if outcome.success { "built once" } else { "failed" });
    if !outcome.success {
        bail!("{}", failure(place, "debian-wasm", &outcome.output));
    }
    Ok(())
}
