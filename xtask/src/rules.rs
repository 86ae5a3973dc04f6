//! House rules that no compiler checks: products are data, and the wasm modules ask nothing unexpected of their hosts.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::Place;
use crate::build::Built;
use crate::process::must;

/// Words that are product names.
const PRODUCTS: &str = include_str!("../product-names.txt");
/// What the Envoy filter may import beside the `proxy_*` calls.
const SYSTEM: [&str; 6] =
    ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];
/// What the engine in JavaScript may import: a table of its own bindings.
const BINDINGS: &str = "__wbindgen_init_externref_table";

/// The places in source code that name a product.
pub(crate) fn product_names(place: &Place) -> Result<Vec<String>> {
    let mut products: Vec<String> =
        PRODUCTS.lines().filter(|line| !line.starts_with('#')).flat_map(words).collect();
    for profile in fs::read_dir(place.root.join("src/profiles")).into_iter().flatten() {
        let name =
            Path::new(&profile?.file_name()).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        products.push(name);
    }
    products.retain(|name| name != "generic");

    let files = must(
        place,
        "names",
        place.command("git").args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
            "js/src/*.ts",
        ]),
    )?;
    let mut found = Vec::new();
    for file in files.lines() {
        let Ok(text) = fs::read_to_string(place.root.join(file)) else { continue };
        for (line, text) in (1..).zip(text.lines()) {
            let hit = words(text).into_iter().find(|word| products.contains(word));
            found.extend(hit.map(|word| format!("{file}:{line} names a product: `{word}`")));
        }
    }
    Ok(found)
}

/// The words of a text in lower case; `camelCase` and `snake_case` are two each.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The imports of the built modules that are not on the lists.
pub(crate) fn imports(place: &Place, built: &Built) -> Result<Vec<String>> {
    let allowed = |module: &str, name: &str| match module {
        "env" => name.starts_with("proxy_"),
        "wasi_snapshot_preview1" => SYSTEM.contains(&name),
        _ => false,
    };
    let mut found = unexpected(place, &built.filter, allowed)?;
    found.extend(unexpected(place, &built.engine, |_, name| name == BINDINGS)?);
    Ok(found)
}

fn unexpected(place: &Place, module: &Path, allowed: impl Fn(&str, &str) -> bool) -> Result<Vec<String>> {
    const SCRIPT: &str = "const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
        console.log(JSON.stringify(WebAssembly.Module.imports(module)))";
    let list = must(place, "imports", place.command("node").args(["-e", SCRIPT]).arg(module))?;
    let list: Vec<Value> = serde_json::from_str(&list).context("the imports of a wasm module")?;
    let text =
        |import: &Value, key: &str| import.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pairs = list.iter().map(|import| (text(import, "module"), text(import, "name")));
    let file = module.strip_prefix(&place.root).unwrap_or(module).display();
    Ok(pairs
        .filter(|(from, name)| !allowed(from, name))
        .map(|(from, name)| {
            format!("{file} imports `{name}` from `{from}`: it may ask nothing of its host beyond its list")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_identifiers() {
        assert_eq!(
            words("fn fooBar_baz(Central) // x-Y2"),
            ["fn", "foo", "bar", "baz", "central", "x", "y2"]
        );
    }
}
