//! `cargo xtask demo`: an IdP's traffic through the gateway to a simulated provider, shown request by request.

use std::process::{ExitCode, Stdio};

use anyhow::Result;
use clap::ValueEnum;

use crate::process::Group;
use crate::{Place, build, setup};

/// Where the gateway runs.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Host {
    Envoy,
    Node,
}

/// Builds what the host needs and hands over to `xtask/demo/main.mjs`; nothing that it starts outlives this.
pub(crate) fn run(place: &Place, host: Host, keep: bool) -> Result<ExitCode> {
    setup::npm(place)?;
    let mut node = place.command("node");
    node.arg("xtask/demo/main.mjs");
    match host {
        Host::Envoy => {
            node.args(["--host", "envoy"]);
            node.env("SCIMLOCK_WASM", build::filter(place)?).env("SCIMLOCK_ENVOY", setup::envoy(place)?);
        }
        Host::Node => {
            node.args(["--host", "node"]);
            build::npm_package(place)?;
        }
    }
    if keep {
        node.arg("--keep");
    }
    let mut group = Group::spawn(node.stdin(Stdio::null()))?;
    let status = group.child.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
