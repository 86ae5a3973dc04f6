//! Base64url without padding (RFC 7515 section 2), in its one canonical spelling.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

use crate::http::path::{Query, push_parameter};

/// The bytes; `None` for padding, other alphabets, blanks, and bits left over at the end that are not zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    // One spelling a value: what is signed is the text, and a second text for it would be a second token.
    (encode(&bytes) == text).then_some(bytes)
}

/// The text of some bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The value of an Authorization field with a client's name and secret (RFC 6749 section 2.3.1).
pub(crate) fn encode_basic(client: &str, secret: &str) -> String {
    let form = |text: &str| {
        let mut encoded = String::new();
        push_parameter(&mut encoded, "", text);
        encoded.split_off(1)
    };
    format!("Basic {}", Base64::encode_string(format!("{}:{}", form(client), form(secret)).as_bytes()))
}

/// A client's name and secret from the value of an Authorization field (RFC 6749 section 2.3.1).
pub(crate) fn parse_basic(field: &[u8]) -> Option<(String, String)> {
    let field = str::from_utf8(field).ok()?.trim_ascii();
    let (scheme, rest) = field.split_once(' ')?;
    let pair = Base64::decode_vec(rest.trim_ascii()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(pair).ok()?;
    let (client, secret) = pair.split_once(':')?;
    let form = |text: &str| Query::parse(&format!("x={}", text.replace('&', "%26"))).ok();
    let text = |text: &str| form(text).and_then(|form| form.get("x").map(str::to_owned));
    Some((text(client)?, text(secret)?))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn there_is_one_spelling() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("AA", Some(&b"\0"[..])),
            ("AAA", Some(&b"\0\0"[..])),
            ("-_8", Some(&b"\xfb\xff"[..])),
            ("AB", None),
            ("AAB", None),
            ("A", None),
            ("AAAAA", None),
            ("AA==", None),
            ("+/8", None),
            ("AA\n", None),
            (" AA", None),
            ("A.A", None),
            ("ÄÄ", None),
        ] {
            assert_eq!(decode(text).as_deref(), bytes, "{text:?}");
            if let Some(bytes) = bytes {
                assert_eq!(encode(bytes), text);
            }
        }
    }
}
