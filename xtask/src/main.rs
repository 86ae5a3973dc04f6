//! The developer commands of scimlock: `cargo xtask setup | build | demo | test | bench`.
#![expect(
    clippy::disallowed_types,
    reason = "the clock is an input of the engine; here it only times the steps"
)]

mod bench;
mod build;
mod coverage;
mod demo;
mod process;
mod rules;
mod setup;
mod test;
mod toolchain;
mod ui;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The developer commands of scimlock")]
struct Args {
    /// Show the output of every tool, not only of those that fail.
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing: wasm targets, wasm-bindgen, Envoy, npm packages (all other commands do this too).
    Setup,
    /// Build dist/scimlock.wasm (Envoy filter) and js/dist/ (npm package).
    Build,
    /// Replay an IdP's traffic through the gateway to a simulated provider, and show what became of it.
    Demo {
        /// Where the gateway runs.
        #[arg(long, value_enum, default_value = "envoy")]
        host: demo::Host,
        /// Leave it running, with commands to try.
        #[arg(long)]
        keep: bool,
    },
    /// Measure, and print ratios to a baseline of the same run: all, or `native`, `wasm`, `package`, `tokens`, `envoy`.
    Bench {
        /// Which benches.
        names: Vec<String>,
    },
    /// Run all tests, or the named steps.
    Test {
        /// Steps, as the table at the end names them.
        steps: Vec<String>,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            ui::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let place = Place::find(args.verbose)?;
    process::stop_children_when_interrupted()?;
    match &args.command {
        Task::Setup => setup::all(&place).map(|()| ExitCode::SUCCESS),
        Task::Build => build::all(&place).map(|()| ExitCode::SUCCESS),
        Task::Demo { host, keep } => demo::run(&place, *host, *keep),
        Task::Bench { names } => bench::run(&place, names),
        Task::Test { steps } => test::run(&place, steps),
    }
}

/// Where everything is.
struct Place {
    /// The checkout.
    root: PathBuf,
    /// Tools that are installed once a machine.
    cache: PathBuf,
    verbose: bool,
}

impl Place {
    fn find(verbose: bool) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in a checkout")?;
        let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        let cache = base.context("set HOME or XDG_CACHE_HOME: tools are cached there")?.join("scimlock");
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot make `{}`", cache.display()))?;
        Ok(Self { root: root.to_owned(), cache, verbose })
    }

    /// A command that runs in the checkout.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs this.
    fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// The cargo that runs this, kept to the lock file in CI.
    fn cargo_locked(&self, subcommand: &str) -> Command {
        let mut command = self.cargo();
        command.arg(subcommand);
        if std::env::var_os("CI").is_some() {
            command.arg("--locked");
        }
        command
    }

    /// Holds while tools are installed, so that two commands at once do not install the same thing.
    fn lock(&self) -> Result<std::fs::File> {
        let file = std::fs::File::create(self.cache.join("lock"))?;
        file.lock()?;
        Ok(file)
    }
}
