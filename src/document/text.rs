//! JSON string text: decoding and escaping.

use std::borrow::Cow;

/// Decodes the content of a JSON string that the reader has checked.
pub fn decode(raw: &str, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    out.extend(Chars { rest: raw.as_bytes() });
    Cow::Owned(out)
}

/// How many bytes go before the first quote, backslash or control character.
pub(super) fn plain(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // Eight bytes at a time: the lowest of the marked bytes is one of them; those above it may be marked by a carry.
    let marks = |word: u64| {
        // With this bit turned over a quote comes right behind the control characters.
        let quote_or_control = word ^ (ONES * 0x02);
        let backslash = word ^ (ONES * 0x5c);
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
        (below(quote_or_control, 0x21) | below(backslash, 0x01)) & HIGH
    };
    let (words, rest) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// Appends the text of a JSON string, without quotes.
pub(super) fn escape(mut text: &str, out: &mut String) {
    while let Some((before, rest)) = text.split_at_checked(plain(text.as_bytes())) {
        out.push_str(before);
        let mut chars = rest.chars();
        match chars.next() {
            None => return,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                let digit = |value: u32| char::from_digit(value & 15, 16).unwrap_or('0');
                let code = u32::from(control);
                out.extend(['\\', 'u', '0', '0', digit(code >> 4), digit(code)]);
            }
        }
        text = chars.as_str();
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
