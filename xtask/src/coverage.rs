//! Which tests prove which requirement row: the rows of `tests/scope.txt` against the golden cases and tests that name them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Place;

/// Rows on a line of the table.
const PER_LINE: usize = 8;

/// Every row of these series must stand in the scope: none can be forgotten.
const SERIES: [(&str, u32); 5] = [("E", 30), ("O", 16), ("S-", 30), ("P-", 53), ("W-", 26)];
/// Of these golden cases have to show every row: what IdPs send.
const SENT: [&str; 2] = ["E", "O"];

/// What is wrong: rows that no test names, names that are no row, and rows that are missing in the scope.
pub(crate) fn problems(place: &Place) -> Result<Vec<String>> {
    let coverage = Coverage::read(place)?;
    let mut problems: Vec<String> = SERIES
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number:02}")))
        .filter(|id| !coverage.rows.iter().any(|row| row.id == *id))
        .map(|id| format!("tests/scope.txt does not list {id}"))
        .collect();
    problems.extend(coverage.rows.iter().filter_map(|row| match (row.state, coverage.proofs.get(&row.id)) {
        (State::Due, None) => Some(format!("no test names {}: {}", row.id, row.text)),
        (State::Exempt, Some(_)) => Some(format!("{} is said not to apply, and a test names it", row.id)),
        _ => None,
    }));
    let is_sent = |row: &&Row| {
        let series = row.id.trim_end_matches(|c: char| c.is_ascii_digit());
        row.state == State::Due && SENT.contains(&series)
    };
    let unseen = coverage.rows.iter().filter(is_sent);
    let unseen = unseen.filter(|row| coverage.proofs.get(&row.id).is_some_and(|proof| proof.cases == 0));
    problems.extend(unseen.map(|row| format!("no golden case names {}: {}", row.id, row.text)));
    let stray = coverage.proofs.iter().filter(|(id, _)| !coverage.rows.iter().any(|row| row.id == **id));
    problems.extend(stray.map(|(id, proof)| format!("{} names {id}, which is no row", proof.first)));
    Ok(problems)
}

/// The table, as a few lines of text.
pub(crate) fn report(place: &Place) -> Result<String> {
    let coverage = Coverage::read(place)?;
    let folders: Vec<String> =
        coverage.folders.iter().map(|(folder, count)| format!("{folder} {count}")).collect();
    let mut text = format!(
        "golden cases: {} ({})\nrows, each with golden cases + other tests that name it:",
        coverage.folders.values().sum::<usize>(),
        folders.join(", ")
    );
    let due: Vec<&Row> = coverage.rows.iter().filter(|row| row.state == State::Due).collect();
    for (number, row) in due.iter().enumerate() {
        let proof = coverage.proofs.get(&row.id);
        let count = proof.map_or("none".to_owned(), |proof| format!("{}+{}", proof.cases, proof.tests));
        let gap = if number % PER_LINE == 0 { "\n  " } else { "" };
        write!(text, "{gap}{:<5}{count:<8}", row.id)?;
    }
    for row in &coverage.rows {
        match (row.state, coverage.proofs.get(&row.id)) {
            (State::Due, None) => write!(text, "\nnot proved: {} {}", row.id, row.text)?,
            (State::Due, Some(_)) => {}
            (State::Pending, _) => write!(text, "\npending: {} {}", row.id, row.text)?,
            (State::Exempt, _) => write!(text, "\nnot for a gateway: {} {}", row.id, row.text)?,
        }
    }
    let proved = due.iter().filter(|row| coverage.proofs.contains_key(&row.id)).count();
    write!(text, "\n{proved} of {} rows are proved", coverage.rows.len())?;
    Ok(text)
}

struct Coverage {
    rows: Vec<Row>,
    proofs: BTreeMap<String, Proof>,
    /// Golden cases a folder.
    folders: BTreeMap<String, usize>,
}

struct Row {
    id: String,
    text: String,
    state: State,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    /// A test has to name it.
    Due,
    /// Not built yet.
    Pending,
    /// It does not apply to a gateway.
    Exempt,
}

/// How often a row is named, and where first.
struct Proof {
    cases: usize,
    tests: usize,
    first: String,
}

impl Coverage {
    fn read(place: &Place) -> Result<Self> {
        let scope = fs::read_to_string(place.root.join("tests/scope.txt"))?;
        let rows = scope.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(row);
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let mut coverage = Self { rows, proofs: BTreeMap::new(), folders: BTreeMap::new() };
        files(&place.root.join("tests/traffic"), &mut |path| coverage.case(place, path))?;
        for folder in ["src", "tests", "envoy/src", "js/test"] {
            files(&place.root.join(folder), &mut |path| coverage.tests(place, path))?;
        }
        Ok(coverage)
    }

    /// A golden case proves what its note begins with.
    fn case(&mut self, place: &Place, path: &Path) -> Result<()> {
        if path.extension() != Some(OsStr::new("json")) {
            return Ok(());
        }
        let case: Value =
            serde_json::from_slice(&fs::read(path)?).with_context(|| path.display().to_string())?;
        let note = case.get("note").and_then(Value::as_str).unwrap_or_default();
        for id in ids(note.split(':').next().unwrap_or_default()) {
            self.proof(id, place, path).cases += 1;
        }
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        *self.folders.entry(folder.to_string_lossy().into_owned()).or_default() += 1;
        Ok(())
    }

    /// A test proves what its comments, or for JavaScript its name, say. What only supports tests proves nothing.
    fn tests(&mut self, place: &Place, path: &Path) -> Result<()> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let supports = ["support", "simulators", "peers"].iter().any(|name| {
            path.strip_prefix(&place.root).is_ok_and(|path| path.iter().any(|part| part == *name))
        });
        if supports || !(file.ends_with(".rs") || file.ends_with(".test.mjs")) {
            return Ok(());
        }
        let text = fs::read_to_string(path)?;
        let text = if file.ends_with(".rs") { tested(path, &text) } else { &text };
        for line in text.lines().map(str::trim) {
            let comment = line.starts_with("//") && !line.starts_with("//!");
            let named = file.ends_with(".mjs") && line.starts_with("test(");
            if comment || named {
                for id in ids(line) {
                    self.proof(id, place, path).tests += 1;
                }
            }
        }
        Ok(())
    }

    fn proof(&mut self, id: String, place: &Place, path: &Path) -> &mut Proof {
        self.proofs.entry(id).or_insert_with(|| {
            let first = path.strip_prefix(&place.root).unwrap_or(path).display().to_string();
            Proof { cases: 0, tests: 0, first }
        })
    }
}

/// `S-01 what it says`; `? P-18 …` is pending, `! P-99 …: why` does not apply.
fn row(line: &str) -> Result<Row> {
    let (state, rest) = match line.split_once(' ') {
        Some(("?", rest)) => (State::Pending, rest),
        Some(("!", rest)) => (State::Exempt, rest),
        _ => (State::Due, line),
    };
    match rest.split_once(' ') {
        Some((id, text)) if is_id(id) => Ok(Row { id: id.to_owned(), text: text.to_owned(), state }),
        _ => bail!("tests/scope.txt: `{line}` is no row"),
    }
}

/// The part of a Rust file that tests: all of a file of tests, or what follows the head of the module of tests.
fn tested<'a>(path: &Path, text: &'a str) -> &'a str {
    let whole = path.iter().any(|part| part == "tests" || part == "tests.rs");
    if whole {
        return text;
    }
    let start = text.find("\nmod tests {").or_else(|| text.find("\npub(crate) mod tests {"));
    start.and_then(|start| text.get(start..)).unwrap_or_default()
}

/// The ids in a text; `P-24 to P-31` names all of them.
fn ids(text: &str) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let mut ids = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| is_id(word)) {
        ids.push((*word).to_owned());
        if let [_, "to", last, ..] = words.get(at..).unwrap_or_default()
            && is_id(last)
        {
            let (series, first) = word.split_at(word.len() - 2);
            let number = |text: &str| text.parse::<u32>().unwrap_or_default();
            let last = number(last.get(series.len()..).unwrap_or_default());
            ids.extend((number(first) + 1..last).map(|number| format!("{series}{number:02}")));
        }
    }
    ids
}

/// `E01`, `P-07`.
fn is_id(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_uppercase()).trim_start_matches('-');
    matches!(word.len() - number.len(), 1 | 2)
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && number.len() == 2
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Visits every file below a folder, in order.
fn files(folder: &Path, visit: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true if path.file_name() == Some(OsStr::new("node_modules")) => {}
            true => files(&path, visit)?,
            false => visit(&path)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rows_are_found() {
        for (text, found) in [
            ("P-24 to P-27, E01: x", &["P-24", "P-25", "P-26", "P-27", "E01"][..]),
            ("S-04 and P-100, p-01, P-1, UTF-16, XP-01", &["S-04"]),
            ("nothing", &[]),
        ] {
            assert_eq!(ids(text), found, "{text}");
        }
    }

    #[test]
    fn rows_say_what_they_wait_for() {
        let is = |line, state| row(line).is_ok_and(|row| row.state == state && row.id == "P-18");
        assert!(is("P-18 a", State::Due) && is("? P-18 a", State::Pending) && is("! P-18 a", State::Exempt));
        assert!(row("P-18").is_err() && row("a P-18 b").is_err());
    }
}
