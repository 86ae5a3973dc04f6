//! JSON string text: decoding and escaping.

use std::borrow::Cow;

/// Decodes the content of a JSON string that the reader has checked.
pub fn decode(raw: &[u8], escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return String::from_utf8_lossy(raw);
    }
    let mut out = String::with_capacity(raw.len());
    out.extend(Chars { rest: raw });
    Cow::Owned(out)
}

/// Appends the text of a JSON string, without quotes.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                const HEX: [u8; 16] = *b"0123456789abcdef";
                let digit = |value: u8| HEX.get(usize::from(value & 15)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            }
            _ => out.push(byte),
        }
    }
}

/// The four hex digits at the start of `rest`.
pub(super) fn hex4(rest: &[u8]) -> Option<u32> {
    let digits = rest.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// The characters of a checked JSON string's content.
struct Chars<'a> {
    rest: &'a [u8],
}

impl Chars<'_> {
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let first = *self.rest.first()?;
        if first != b'\\' {
            let len = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            let char = str::from_utf8(self.rest.get(..len)?).ok()?.chars().next()?;
            self.skip(len);
            return Some(char);
        }
        let escape = *self.rest.get(1)?;
        if escape != b'u' {
            self.skip(2);
            return Some(match escape {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                other => char::from(other),
            });
        }
        let unit = hex4(self.rest.get(2..)?)?;
        self.skip(6);
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        let low = hex4(self.rest.get(2..)?)?;
        self.skip(6);
        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + low.checked_sub(0xdc00)?)
    }
}
