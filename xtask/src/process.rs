//! Runs tools: output goes to a log that is shown when they fail, and nothing outlives the command.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::Place;

/// The longest that any one tool may take.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// How much of a failed tool's output is shown.
const TAIL: usize = 60;

/// What became of a tool.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// Both streams, in order.
    pub(crate) output: String,
}

/// Runs to the end, with the output in `target/xtask/NAME.log`.
pub(crate) fn capture(place: &Place, name: &str, command: &mut Command) -> Result<Outcome> {
    capture_within(place, name, command, LIMIT)
}

/// The same, stopped after `limit`.
pub(crate) fn capture_within(
    place: &Place,
    name: &str,
    command: &mut Command,
    limit: Duration,
) -> Result<Outcome> {
    let folder = place.root.join("target/xtask");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.log"));
    let log = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut group = Group::spawn(command)?;

    let mut reader = File::open(&path)?;
    let mut bytes = Vec::new();
    let start = Instant::now();
    let mut timed_out = false;
    let status = loop {
        let status = group.child.try_wait()?;
        let from = bytes.len();
        reader.read_to_end(&mut bytes)?;
        if place.verbose {
            std::io::stderr().write_all(&bytes[from..])?;
        }
        if status.is_some() || timed_out {
            break status;
        }
        if start.elapsed() > limit {
            group.stop();
            timed_out = true;
        }
        std::thread::sleep(Duration::from_millis(15));
    };
    let mut output = String::from_utf8_lossy(&bytes).into_owned();
    if timed_out {
        output.push_str(&format!("\nstopped after {} s\n", limit.as_secs()));
    }
    Ok(Outcome { success: !timed_out && status.is_some_and(|status| status.success()), output })
}

/// Runs a tool that has to succeed, and answers its output.
pub(crate) fn must(place: &Place, name: &str, command: &mut Command) -> Result<String> {
    let outcome = capture(place, name, command)?;
    if !outcome.success {
        bail!("{}", failure(place, name, &outcome.output));
    }
    Ok(outcome.output)
}

/// The end of a failed tool's output, and where the rest is.
pub(crate) fn failure(place: &Place, name: &str, output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let tail = if place.verbose { "" } else { &lines[lines.len().saturating_sub(TAIL)..].join("\n") };
    format!("{name} failed (all of it in target/xtask/{name}.log)\n{tail}")
}

/// The first line a tool prints, or nothing where there is no such tool.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The process groups that are alive.
static ALIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A child with all that it starts; stopped when dropped.
pub(crate) struct Group {
    pub(crate) child: Child,
    id: Option<Pid>,
}

impl Group {
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn().with_context(|| format!("cannot run `{program}`"))?;
        let id = Pid::from_raw(i32::try_from(child.id())?);
        alive().push(id);
        Ok(Self { child, id: Some(id) })
    }

    /// Ends the child and what it started; harmless when all is over.
    pub(crate) fn stop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let _ = killpg(id, Signal::SIGKILL);
        let _ = self.child.wait();
        alive().retain(|other| *other != id);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ctrl-C, termination and hang-up stop what is running, which gets a moment to tidy up, then this.
pub(crate) fn stop_children_when_interrupted() -> Result<()> {
    ctrlc::set_handler(|| {
        let groups = alive();
        for (signal, pause) in [(Signal::SIGTERM, 300), (Signal::SIGKILL, 0)] {
            for id in groups.iter() {
                let _ = killpg(*id, signal);
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        std::process::exit(130);
    })
    .context("cannot listen for Ctrl-C")
}

fn alive() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    ALIVE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
