//! `cargo xtask test [STEP…]`: everything that CI runs, one line a step, and which test proves which requirement.

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::{Outcome, capture, capture_within, failure};
use crate::ui::{self, Working, paint};
use crate::{Place, build, coverage, rules, setup, toolchain};

/// The longest that a comparison with software of others may take.
const PEERS_LIMIT: Duration = Duration::from_secs(6 * 60);

/// Tests passed and failed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

/// Runs the named steps, or all.
pub(crate) fn run(place: &Place, selected: &[String]) -> Result<ExitCode> {
    let steps = steps(place)?;
    if let Some(unknown) = selected.iter().find(|name| !steps.iter().any(|step| step.name == **name)) {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        bail!("no step `{unknown}`: the steps are {}", names.join(", "));
    }
    let bench = Bench { place, built: OnceCell::new() };
    let mut done: Vec<(&str, Count, Duration)> = Vec::new();
    for step in steps.iter().filter(|step| selected.is_empty() || selected.contains(&step.name)) {
        let start = Instant::now();
        let working = Working::start("test", &format!("{:<16}", step.name));
        let result = bench.run(step);
        let (count, problem) = match result {
            Ok((count, problem)) => (count, problem),
            Err(error) => (Count { passed: 0, failed: 1 }, Some(format!("{error:#}"))),
        };
        let style = if count.failed == 0 { ui::GREEN } else { ui::RED };
        working.done(&paint(style, format_args!("{:<24}", describe(count))));
        if let Some(problem) = problem {
            anstream::eprintln!("{problem}");
        }
        done.push((&step.name, count, start.elapsed()));
    }
    summary(place, &done)
}

enum Work {
    /// Passes or fails as a whole.
    Check(fn(&Place) -> Vec<Command>),
    /// A check of our own: answers what is wrong.
    Inspect(fn(&Bench<'_>) -> Result<Vec<String>>),
    /// Cargo's tests for this machine.
    Native,
    /// The golden cases through the engine itself.
    GoldenNative,
    /// The engine's tests, compiled to wasm and run in Node.
    Wasm,
    /// The npm package's own tests.
    Npm,
    /// One of the hosts that play the golden cases.
    Golden(PathBuf),
    /// A comparison with software of others, whose table is shown; `built`: it runs the gateway.
    Peers { file: &'static str, built: bool },
    /// A folder of test files for Node; `alone`: they need nothing that is built.
    Suite { files: Vec<PathBuf>, alone: bool },
}

struct Step {
    name: String,
    work: Work,
}

/// All steps, in order: cheap ones first.
fn steps(place: &Place) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut add = |name: &str, work| steps.push(Step { name: name.to_owned(), work });
    add(
        "format",
        Work::Check(|place| {
            let mut cargo = place.cargo();
            cargo.args(["fmt", "--all", "--check"]);
            vec![cargo]
        }),
    );
    add("names", Work::Inspect(|bench| rules::product_names(bench.place)));
    add("coverage", Work::Inspect(|bench| coverage::problems(bench.place)));
    add(
        "lints",
        Work::Check(|place| {
            let mut cargo = place.cargo_locked("clippy");
            cargo.args(["--workspace", "--all-targets", "--", "--deny", "warnings"]);
            vec![cargo]
        }),
    );
    add("native", Work::Native);
    add("wasm", Work::Wasm);
    add("build", Work::Inspect(|bench| bench.built().map(|_| Vec::new())));
    add("purity", Work::Inspect(|bench| rules::imports(bench.place, bench.built()?)));
    add("npm", Work::Npm);
    add("golden-native", Work::GoldenNative);
    for host in ["node", "workerd", "envoy"] {
        add(&format!("golden-{host}"), Work::Golden(format!("tests/runners/{host}.mjs").into()));
    }
    add("differential", Work::Peers { file: "tests/peers/differential.mjs", built: false });
    add("peers", Work::Peers { file: "tests/peers/main.mjs", built: true });
    for (name, files) in suites(place)? {
        let alone = name == "simulators";
        add(&name, Work::Suite { files, alone });
    }
    Ok(steps)
}

/// The folders of `tests/` that hold `*.test.mjs` files.
fn suites(place: &Place) -> Result<Vec<(String, Vec<PathBuf>)>> {
    let mut suites = Vec::new();
    for folder in fs::read_dir(place.root.join("tests"))? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let files = fs::read_dir(folder.path())?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
        let mut files: Vec<PathBuf> =
            files.into_iter().filter(|file| file.to_string_lossy().ends_with(".test.mjs")).collect();
        files.sort();
        if !files.is_empty() {
            suites.push((folder.file_name().to_string_lossy().into_owned(), files));
        }
    }
    suites.sort();
    Ok(suites)
}

/// What the steps share.
pub(crate) struct Bench<'a> {
    place: &'a Place,
    built: OnceCell<Result<build::Built, String>>,
}

impl Bench<'_> {
    /// The artefacts; built by the first step that asks.
    fn built(&self) -> Result<&build::Built> {
        let built =
            self.built.get_or_init(|| build::quietly(self.place).map_err(|error| format!("{error:#}")));
        built.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// The count, and what to show of the output.
    fn run(&self, step: &Step) -> Result<(Count, Option<String>)> {
        let place = self.place;
        let name = step.name.as_str();
        match &step.work {
            Work::Check(commands) => {
                let mut count = Count::default();
                for mut command in commands(place) {
                    let outcome = capture(place, name, &mut command)?;
                    if !outcome.success {
                        count.failed += 1;
                        return Ok((count, Some(failure(place, name, &outcome.output))));
                    }
                    count.passed += 1;
                }
                Ok((count, None))
            }
            Work::Inspect(inspect) => {
                let problems = inspect(self)?;
                let count = Count { passed: usize::from(problems.is_empty()), failed: problems.len() };
                Ok((count, (!problems.is_empty()).then(|| problems.join("\n"))))
            }
            Work::Native => {
                let mut cargo = place.cargo_locked("test");
                cargo.args(["--workspace", "--no-fail-fast"]);
                counted(place, name, capture(place, name, &mut cargo)?)
            }
            Work::GoldenNative => {
                let mut cargo = place.cargo_locked("test");
                cargo.args([
                    "--package",
                    "scimlock",
                    "--test",
                    "traffic",
                    "--",
                    "--nocapture",
                    "--test-threads=2",
                ]);
                let mut outcome = capture(place, name, &mut cargo)?;
                // All cases are one of cargo's tests: their own count is the one that matters.
                outcome.output = outcome.output.replace("test result:", "cargo's result:");
                counted(place, name, outcome)
            }
            Work::Wasm => {
                let mut cargo = toolchain::cargo(place, "test")?;
                let runner = setup::wasm_bindgen(place)?.join("wasm-bindgen-test-runner");
                cargo.args(["--package", "scimlock", "--lib", "--target", toolchain::JS]);
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
                counted(place, name, capture(place, name, &mut cargo)?)
            }
            Work::Npm => {
                self.built()?;
                let mut npm = place.command("npm");
                npm.arg("test").current_dir(place.root.join("js"));
                counted(place, name, capture(place, name, &mut npm)?)
            }
            Work::Golden(file) => {
                if !place.root.join(file).exists() {
                    bail!("there is no `{}`", file.display());
                }
                let mut node = self.node()?;
                node.arg(file);
                counted(place, name, capture(place, name, &mut node)?)
            }
            Work::Peers { file, built } => {
                setup::npm(place)?;
                let mut node = if *built { self.node()? } else { place.command("node") };
                node.arg(file).env("SCIMLOCK_PYTHON", setup::peers(place)?);
                let outcome = capture_within(place, name, &mut node, PEERS_LIMIT)?;
                let table = outcome.output.clone();
                let (count, problem) = counted(place, name, outcome)?;
                // What the gateway adds is worth showing when all is well, too.
                Ok((count, problem.or(Some(table))))
            }
            Work::Suite { files, alone } => {
                let mut node = if *alone { place.command("node") } else { self.node()? };
                node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]).args(files);
                counted(place, name, capture(place, name, &mut node)?)
            }
        }
    }

    /// Node, told where the real Envoy and the filter are.
    fn node(&self) -> Result<Command> {
        let mut node = self.place.command("node");
        node.env("SCIMLOCK_WASM", &self.built()?.filter).env("SCIMLOCK_ENVOY", setup::envoy(self.place)?);
        Ok(node)
    }
}

/// A test run whose own closing lines are believed only as far as its exit code allows.
fn counted(place: &Place, name: &str, outcome: Outcome) -> Result<(Count, Option<String>)> {
    let mut count = count(&outcome.output);
    let nothing = count.passed + count.failed == 0;
    if count.failed == 0 && (nothing || !outcome.success) {
        count.failed = 1;
    }
    let mut problem = (count.failed > 0).then(|| failure(place, name, &outcome.output));
    if nothing && outcome.success {
        problem = Some(format!("{name} ran no test (see target/xtask/{name}.log)"));
    }
    Ok((count, problem))
}

/// Adds up the closing lines of cargo, Node's test runner and our own runners.
fn count(output: &str) -> Count {
    let mut total = Count::default();
    for line in output.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result:") {
            total.passed += number_before(rest, " passed");
            total.failed += number_before(rest, " failed");
        } else if let Some(number) = line.strip_prefix("ℹ pass ").or_else(|| line.strip_prefix("# pass ")) {
            total.passed += number.parse().unwrap_or(0);
        } else if let Some(number) = line.strip_prefix("ℹ fail ").or_else(|| line.strip_prefix("# fail ")) {
            total.failed += number.parse().unwrap_or(0);
        } else if is_closing_line(line) {
            total.passed += number_before(line, " passed");
            total.failed += number_before(line, " failed");
        }
    }
    total
}

/// `83 passed, 0 failed`, after a name with a colon or alone.
fn is_closing_line(line: &str) -> bool {
    let counts =
        line.split_once(": ").map_or(line, |(name, rest)| if name.contains(' ') { line } else { rest });
    let mut words = counts.split([' ', ',']).filter(|word| !word.is_empty());
    let mut number = || words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let first = number();
    first && counts.contains(" passed, ") && counts.contains(" failed")
}

fn number_before(text: &str, word: &str) -> usize {
    let number = text.split(word).next().and_then(|before| before.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn describe(count: Count) -> String {
    match count {
        Count { passed, failed: 0 } => format!("{passed} passed"),
        Count { passed, failed } => format!("{passed} passed, {failed} failed"),
    }
}

/// The table, what the tests prove, and the closing line.
fn summary(place: &Place, done: &[(&str, Count, Duration)]) -> Result<ExitCode> {
    println!("\n{:<18}{:>8}{:>8}{:>10}", "step", "passed", "failed", "time");
    let mut total = Count::default();
    for (name, count, time) in done {
        total.passed += count.passed;
        total.failed += count.failed;
        println!("{name:<18}{:>8}{:>8}{:>10}", count.passed, count.failed, ui::seconds(*time));
    }
    if done.iter().any(|(name, ..)| *name == "coverage") {
        println!("\n{}", coverage::report(place).context("cannot say what the tests prove")?);
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_closing_lines() {
        for (output, passed, failed) in [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                12,
                0,
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored\ntest result: ok. 1 passed; 0 failed", 4, 2),
            ("ℹ tests 9\nℹ pass 7\nℹ fail 2\n", 7, 2),
            ("# pass 7\n# fail 0\n", 7, 0),
            ("83 passed, 1 failed", 83, 1),
            ("envoy: 80 passed, 2 failed (3 are for other hosts)", 80, 2),
            ("FAILED 01-a.json: 3 passed, 4 failed is what the note says", 0, 0),
            ("nothing here", 0, 0),
        ] {
            let count = count(output);
            assert_eq!((count.passed, count.failed), (passed, failed), "{output}");
        }
    }
}
