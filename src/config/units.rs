//! Sizes (`1MiB`) and times (`50s`) of the configuration.

use std::ops::RangeInclusive;

use super::{Item, LIMIT};

/// A size in bytes.
pub(super) fn size(item: &Item<'_>, bounds: &RangeInclusive<u64>) -> Option<u64> {
    read(item, bounds, &[("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)], "a size", "1MiB")
}

/// A time in milliseconds.
pub(crate) fn duration(item: &Item<'_>, bounds: &RangeInclusive<u64>) -> Option<u64> {
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    read(item, bounds, &units, "a time", "50s")
}

fn read(
    item: &Item<'_>,
    bounds: &RangeInclusive<u64>,
    units: &[(&str, u64)],
    what: &str,
    example: &str,
) -> Option<u64> {
    if item.value.is_number() {
        let known: Vec<_> = units.iter().map(|(unit, _)| *unit).collect();
        item.error(
            LIMIT,
            "the unit is missing",
            format!("add one of: {}; as in `{example}`", known.join(", ")),
        );
        return None;
    }
    let text = item.text()?;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: Option<u64> = text.get(..digits).and_then(|number| number.parse().ok());
    let unit = text.get(digits..).unwrap_or_default().trim_start();
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let Some((number, factor)) = number.zip(factor) else {
        let known: Vec<_> = units.iter().map(|(unit, _)| *unit).collect();
        let remedy = format!("write a whole number and one of: {}; as in `{example}`", known.join(", "));
        item.error(LIMIT, format!("{} is not {what}", item.shown()), remedy);
        return None;
    };
    let value = number.checked_mul(factor).filter(|value| bounds.contains(value));
    if value.is_none() {
        let (low, high) = (written(*bounds.start(), units), written(*bounds.end(), units));
        item.error(
            LIMIT,
            format!("{} is out of bounds", item.shown()),
            format!("stay within {low} and {high}"),
        );
    }
    value
}

/// A value in the largest unit it is a whole number of.
fn written(value: u64, units: &[(&str, u64)]) -> String {
    match units.iter().find(|(_, factor)| value.is_multiple_of(*factor) && value >= *factor) {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::Problems;
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn sizes_and_times() {
        for (value, expected) in [
            (json!("1MiB"), Ok(1_048_576)),
            (json!("64 KiB"), Ok(65_536)),
            (json!("2048B"), Ok(2048)),
            (json!("1MB"), Err("`1MB` is not a size")),
            (json!("1.5MiB"), Err("`1.5MiB` is not a size")),
            (json!("-1MiB"), Err("`-1MiB` is not a size")),
            (json!("MiB"), Err("`MiB` is not a size")),
            (json!("99999999999999999999B"), Err("`99999999999999999999B` is not a size")),
            (json!("18446744073709551615MiB"), Err("`18446744073709551615MiB` is out of bounds")),
            (json!("65MiB"), Err("`65MiB` is out of bounds")),
            (json!("1023B"), Err("`1023B` is out of bounds")),
            (json!(1_048_576), Err("the unit is missing")),
            (json!(true), Err("text is meant here, this is `true` or `false`")),
        ] {
            assert_eq!(
                with(&value, |item| size(item, &(1024..=64 << 20))),
                expected.map_err(str::to_owned),
                "{value}"
            );
        }
        for (text, expected) in [
            ("50s", Ok(50_000)),
            ("1500ms", Ok(1500)),
            ("2m", Ok(120_000)),
            ("1h", Err("`1h` is out of bounds")),
            ("0s", Err("`0s` is out of bounds")),
            ("50", Err("`50` is not a time")),
            ("50 sec", Err("`50 sec` is not a time")),
        ] {
            let found = with(&json!(text), |item| duration(item, &(1000..=300_000)));
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn bounds_are_named_in_the_largest_unit() {
        assert_eq!(written(64 << 20, &[("MiB", 1 << 20), ("B", 1)]), "64MiB");
        assert_eq!(written(1500, &[("s", 1000), ("ms", 1)]), "1500ms");
    }

    fn with(value: &Value, read: impl Fn(&Item<'_>) -> Option<u64>) -> Result<u64, String> {
        let secrets = BTreeMap::new();
        let problems = Problems::new(&secrets);
        let found = read(&Item::new(value, "/x", &problems));
        problems.finish(found).map(|(value, _)| value).map_err(|errors| errors.0[0].message.clone())
    }
}
