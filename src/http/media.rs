//! Media types a SCIM peer may send and ask for (RFC 7644 3.1, 3.8): `application/scim+json` and
//! `application/json`, in UTF-8.

use crate::message::SCIM_JSON;

/// True for a Content-Type the gateway reads; no parameter but `charset=utf-8` is allowed.
pub(crate) fn is_readable(content_type: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(content_type) else { return false };
    let mut parts = split_outside_quotes(text, ';');
    let known = parts.next().is_some_and(|media| TYPES.iter().any(|known| known.eq_ignore_ascii_case(media)));
    known && parts.filter(|part| !part.is_empty()).all(is_utf8)
}

/// True where Accept fields (none, one or several) allow a type the gateway answers with. The answer is
/// always [`SCIM_JSON`], also for a peer that only knows `application/json`.
pub(crate) fn is_acceptable<'a>(fields: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut asked = false;
    // For each type: how closely the best range names it, and whether that range wants it.
    let mut best = [(0_u8, false); TYPES.len()];
    for field in fields {
        let Ok(field) = str::from_utf8(field) else { return false };
        for range in split_outside_quotes(field, ',').filter(|range| !range.is_empty()) {
            asked = true;
            let mut parts = split_outside_quotes(range, ';');
            let media = parts.next().unwrap_or_default();
            let Some(wanted) = is_wanted(parts) else { continue };
            for ((closeness, choice), known) in best.iter_mut().zip(TYPES) {
                let found = match media {
                    _ if known.eq_ignore_ascii_case(media) => 3,
                    _ if media.eq_ignore_ascii_case("application/*") => 2,
                    "*/*" | "*" => 1,
                    _ => 0,
                };
                if found > *closeness {
                    (*closeness, *choice) = (found, wanted);
                } else if found == *closeness && found > 0 {
                    *choice |= wanted;
                }
            }
        }
    }
    !asked || best.iter().any(|(_, wanted)| *wanted)
}

/// Whether a range's weight is above zero; `None` where the range cannot be met or read. Parameters other
/// than the weight and the charset say nothing about JSON and are passed over.
fn is_wanted<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<bool> {
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.eq_ignore_ascii_case("q") {
            let weight = is_weight(value).then_some(value)?;
            return Some(weight.bytes().any(|digit| (b'1'..=b'9').contains(&digit)));
        }
        if name.eq_ignore_ascii_case("charset") && !is_utf8(parameter) {
            return None;
        }
    }
    Some(true)
}

/// `0`, `1`, `0.5`, `1.000`: RFC 9110 12.4.2.
fn is_weight(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digit = if whole == "1" { b'0'..=b'0' } else { b'0'..=b'9' };
    matches!(whole, "0" | "1") && fraction.len() <= 3 && fraction.bytes().all(|byte| digit.contains(&byte))
}

fn is_utf8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    name.eq_ignore_ascii_case("charset") && quoted.unwrap_or(value).eq_ignore_ascii_case("utf-8")
}

/// The trimmed parts of a field; separators within quoted text do not count.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        let skip = escaped;
        escaped = quoted && !skip && c == '\\';
        quoted ^= c == '"' && !skip;
        !quoted && c == separator
    })
    .map(|part| part.trim_matches([' ', '\t']))
}

/// What the gateway reads and answers, best first.
const TYPES: [&str; 2] = [SCIM_JSON, "application/json"];

#[cfg(test)]
mod tests {
    use super::{is_acceptable, is_readable};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn content_types() {
        for (field, expected) in [
            ("application/scim+json", true),
            ("application/json", true),
            ("Application/SCIM+JSON; Charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json ; charset=utf-8 ;", true),
            ("", false),
            ("text/plain", false),
            ("application/xml", false),
            ("application/*", false),
            ("application/json2", false),
            ("application/json, application/json", false),
            ("application/json-patch+json", false),
            ("application/json; charset=iso-8859-1", false),
            ("application/json; charset=utf-16", false),
            ("application/json; charset", false),
            ("application/json; charset=", false),
            ("application/json; version=2", false),
            ("multipart/form-data; boundary=\"application/json\"", false),
        ] {
            assert_eq!(is_readable(field.as_bytes()), expected, "{field}");
        }
        assert!(!is_readable(b"application/json; charset=\xff"));
    }

    #[test]
    fn accept_fields() {
        for (fields, expected) in [
            (&[][..], true),
            (&[""], true),
            (&["*/*"], true),
            (&["*"], true),
            (&["application/*"], true),
            (&["APPLICATION/JSON"], true),
            (&["application/scim+json, application/json;q=0.9, */*;q=0.1"], true),
            (&["text/html", "application/json"], true),
            (&["text/html, */*;q=0.001"], true),
            (&["application/scim+json;charset=utf-8;q=0.5"], true),
            (&["application/json;odata=verbose"], true),
            (&["application/scim+json;q=0, application/json"], true),
            (&["application/*;q=0, application/json"], true),
            (&["text/html;x=\"application/json, */*\""], false),
            (&["text/html;x=\"\\\", */*, \\\"\""], false),
            (&["text/html"], false),
            (&["text/*, image/*"], false),
            (&["*/*;q=0"], false),
            (&["*/*;q=0.000"], false),
            (&["*/*, application/json;q=0, application/scim+json;q=0"], false),
            (&["*/*;q=2"], false),
            (&["*/*;q=1.1"], false),
            (&["*/*;q="], false),
            (&["*/*;q=0.0001"], false),
            (&["application/json;charset=utf-16"], false),
        ] {
            let found = is_acceptable(fields.iter().map(|field| field.as_bytes()));
            assert_eq!(found, expected, "{fields:?}");
        }
        assert!(!is_acceptable([&b"*/*\xff"[..]].into_iter()));
    }
}
