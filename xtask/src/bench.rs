//! `cargo xtask bench`: the benches, of which the ratios to a baseline of the same run are printed.

use std::process::ExitCode;

use anyhow::Result;

use crate::Place;
use crate::process::{capture, failure};
use crate::ui::{Working, error};

/// Runs all benches; fails where one is over its limit.
pub(crate) fn run(place: &Place) -> Result<ExitCode> {
    let working = Working::start("bench", "measuring, some minutes");
    let mut cargo = place.cargo_locked("bench");
    let outcome = capture(place, "bench", cargo.args(["--package", "scimlock", "--benches"]))?;
    working.done("");
    // Criterion's own report stays in the log; what follows are ratios, a group a paragraph.
    let ratios: Vec<&str> =
        outcome.output.split("\n\n").filter(|paragraph| paragraph.contains(" bytes)\n")).collect();
    println!("{}", ratios.join("\n\n"));
    if outcome.success {
        return Ok(ExitCode::SUCCESS);
    }
    error(&anyhow::anyhow!("{}", failure(place, "bench", &outcome.output)));
    Ok(ExitCode::FAILURE)
}
