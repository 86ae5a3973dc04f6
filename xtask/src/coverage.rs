//! What the golden cases show: cases a folder, and the ids of `tests/scope.txt` that no case names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::Place;

/// Ids on a line.
const PER_LINE: usize = 20;

/// A few lines of text.
pub(crate) fn report(place: &Place) -> Result<String> {
    let scope = fs::read_to_string(place.root.join("tests/scope.txt"))?;
    let scope: Vec<(&str, &str)> =
        scope.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let mut cases = BTreeMap::new();
    let mut named = BTreeSet::new();
    read(&place.root.join("tests/traffic"), &mut cases, &mut named)?;

    let mut text = String::new();
    let total: usize = cases.values().sum();
    let folders: Vec<String> = cases.iter().map(|(folder, count)| format!("{folder} {count}")).collect();
    writeln!(text, "golden cases: {total} ({})", folders.join(", "))?;
    let (with, without): (Vec<_>, Vec<_>) = scope.iter().partition(|(id, _)| named.contains(*id));
    write!(text, "with a case:")?;
    for (number, (id, _)) in with.iter().enumerate() {
        let gap = if number % PER_LINE == 0 { "\n  " } else { " " };
        write!(text, "{gap}{id}")?;
    }
    if without.is_empty() {
        write!(text, "\nwithout a case: none")?;
    }
    for (id, title) in without {
        write!(text, "\nwithout a case: {id} {title}")?;
    }
    Ok(text)
}

/// Counts the cases below a folder and gathers the ids that their notes begin with.
fn read(folder: &Path, cases: &mut BTreeMap<String, usize>, named: &mut BTreeSet<String>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, cases, named)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let case: Value =
                serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
            let note = case.get("note").and_then(Value::as_str).unwrap_or_default();
            let words = note.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            named.extend(words.filter(|word| is_id(word)).map(str::to_owned));
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            *cases.entry(name).or_default() += 1;
        }
    }
    Ok(())
}

/// `E01`, `P-07`.
fn is_id(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_uppercase()).trim_start_matches('-');
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && number.len() == 2
        && number.bytes().all(|b| b.is_ascii_digit())
}
