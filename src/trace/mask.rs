//! Payloads and filters without their values.

/// What stands for a value.
const MASK: &str = "***";
/// The members whose text says what a message is, not whom it is about.
const KEPT: &[&str] = &["schemas", "op", "method", "scimType", "resourceType"];
/// The members that hold a path or a filter.
const PATHS: &[&str] = &["path", "filter"];
/// Operators of filters that have a literal after them (RFC 7644 section 3.4.2.2).
const OPERATORS: &[&str] = &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

/// A JSON text that is known to be one, with its texts and numbers masked. The `detail` of an error is shown when
/// it is the gateway's `own`, which holds no values.
pub(super) fn json(text: &str, own: bool) -> String {
    let kept = |key: &str| {
        key == "status" || (own && key == "detail") || KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(key))
    };
    let mut out = String::with_capacity(text.len());
    let mut key = "";
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '-' | '0'..='9' => rest
                .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        if first != '"' && length == first.len_utf8() && !first.is_ascii_digit() {
            out.push(first);
        } else if first != '"' {
            // A status is the answer's own; any other number is a value.
            out.push_str(if key == "status" { token } else { "0" });
        } else if rest.trim_start().starts_with(':') {
            key = token.trim_matches('"');
            out.push_str(token);
        } else if kept(key) {
            out.push_str(token);
        } else if PATHS.contains(&key) {
            let path: String = serde_json::from_str(token).unwrap_or_default();
            out.push_str(&serde_json::Value::from(filter(&path)).to_string());
        } else {
            out.push('"');
            out.push_str(MASK);
            out.push('"');
        }
    }
    out
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A filter, or a path that may have one in it, with its literals masked, also where they lack their quotes.
pub(super) fn filter(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let Some((at, operator)) = next_operator(rest) else {
            out.push_str(rest);
            return out;
        };
        let (before, after) = rest.split_at_checked(at + operator.len() + 1).unwrap_or((rest, ""));
        out.push_str(before);
        let literal = after.trim_start();
        let length = match literal.starts_with('"') {
            true => string_length(literal),
            false => [" and ", " or ", ")", "]"]
                .iter()
                .filter_map(|end| literal.find(end))
                .min()
                .unwrap_or(literal.len()),
        };
        let (word, after) = literal.split_at_checked(length).unwrap_or((literal, ""));
        match word {
            "true" | "false" | "null" => out.push_str(word),
            _ => {
                out.push('"');
                out.push_str(MASK);
                out.push('"');
            }
        }
        rest = after;
    }
}

/// The next operator that has a literal: where it begins, and itself with the space before the literal not counted.
fn next_operator(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    text.split(' ').find_map(|word| {
        let here = at;
        at += word.len() + 1;
        let is = here > 0 && OPERATORS.iter().any(|operator| operator.eq_ignore_ascii_case(word));
        (is && at <= text.len()).then_some((here, word))
    })
}
