//! How values compare: text with and without case, numbers by their digits, dateTimes as instants.

use std::cmp::Ordering;

use super::Op;
use crate::calendar;

/// Up to this length a part is looked for at every place, without allocating.
const LONG: usize = 256;

/// Compares texts, where case matters only if `exact`.
pub(super) fn text(a: &str, op: Op, b: &str, exact: bool) -> bool {
    match (op, exact) {
        (Op::Eq, true) => a == b,
        (Op::Ne, true) => a != b,
        (Op::Co, true) => a.contains(b),
        (Op::Sw, true) => a.starts_with(b),
        (Op::Ew, true) => a.ends_with(b),
        (Op::Eq, false) => same(a, b),
        (Op::Ne, false) => !same(a, b),
        (Op::Co, false) => contains(a, b),
        (Op::Sw, false) => begins(folded(a), folded(b)),
        (Op::Ew, false) => begins(folded(a).rev(), folded(b).rev()),
        (Op::Gt | Op::Ge | Op::Lt | Op::Le, true) => holds(op, a.cmp(b)),
        (Op::Gt | Op::Ge | Op::Lt | Op::Le, false) => holds(op, folded(a).cmp(folded(b))),
    }
}

/// True when values in that order satisfy the operator.
pub(super) const fn holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && folded(a).eq(folded(b)))
}

fn contains(a: &str, b: &str) -> bool {
    if a.is_ascii() && a.len() <= LONG {
        let part = b.as_bytes();
        return part.is_empty()
            || a.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    }
    // Linear in the length, whatever is looked for.
    folded(a).collect::<String>().contains(&folded(b).collect::<String>())
}

fn begins(mut a: impl Iterator<Item = char>, mut b: impl Iterator<Item = char>) -> bool {
    b.all(|char| a.next() == Some(char))
}

fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Compares two JSON numbers by their digits; exponents beyond 18 digits count as equally large.
pub(crate) fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (Decimal::new(a), Decimal::new(b));
    match (a.sign(), b.sign()) {
        (Ordering::Less, Ordering::Less) => b.magnitude(&a),
        (Ordering::Greater, Ordering::Greater) => a.magnitude(&b),
        (a, b) => a.cmp(&b),
    }
}

/// A number as 0.digits × 10^exponent.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn new(text: &'a str) -> Self {
        const HUGE: i64 = 1_000_000_000_000_000_000;
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { -HUGE } else { HUGE });
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0');
        let significant = if whole.is_empty() { fraction.trim_start_matches('0') } else { fraction };
        // As many digits stand before the point, or as many zeros right behind it.
        let point = length(whole.len()) - length(fraction.len() - significant.len());
        Self { negative, whole, fraction: significant, exponent: exponent.clamp(-HUGE, HUGE) + point }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn sign(&self) -> Ordering {
        match (self.digits().next(), self.negative) {
            (None, _) => Ordering::Equal,
            (Some(_), true) => Ordering::Less,
            (Some(_), false) => Ordering::Greater,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| digits(self.digits(), other.digits()))
    }
}

/// Compares what stands behind a decimal point.
fn digits(mut a: impl Iterator<Item = u8>, mut b: impl Iterator<Item = u8>) -> Ordering {
    loop {
        let (next_a, next_b) = (a.next(), b.next());
        if next_a.is_none() && next_b.is_none() {
            return Ordering::Equal;
        }
        let order = next_a.unwrap_or(b'0').cmp(&next_b.unwrap_or(b'0'));
        if order.is_ne() {
            return order;
        }
    }
}

fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A point in time: xsd:dateTime (RFC 7643 §2.3.5), taken as UTC where it has no zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant<'a> {
    seconds: i64,
    fraction: &'a str,
}

impl<'a> Instant<'a> {
    pub(crate) fn new(text: &'a str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't'])?;
        let (before, date) = date.strip_prefix('-').map_or((false, date), |rest| (true, rest));
        let [year, month, day] = fields(date, '-')?;
        let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (time, zone) = time.split_at_checked(zone_at)?;
        let (time, fraction) = match time.split_once('.') {
            Some((time, fraction)) => (time, fraction),
            None => (time, "0"),
        };
        let [hour, minute, second] = fields(time, ':')?;
        let offset = match zone {
            "" | "Z" | "z" => 0,
            _ => {
                let (sign, zone) = zone.split_at_checked(1)?;
                let [hours, minutes] = fields(zone, ':')?;
                let seconds = (hours.value(2, 0..=14)? * 60 + minutes.value(2, 0..=59)?) * 60;
                match sign {
                    "+" => seconds,
                    "-" => -seconds,
                    _ => return None,
                }
            }
        };
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let year = year.value(4.max(year.0.len()), 0..=999_999_999)?;
        let year = if before { -year } else { year };
        let days = calendar::days([year, month.value(2, 1..=12)?, day.value(2, 1..=31)?])?;
        let seconds =
            (hour.value(2, 0..=24)? * 60 + minute.value(2, 0..=59)?) * 60 + second.value(2, 0..=60)?;
        Some(Self { seconds: days * 86_400 + seconds - offset, fraction })
    }
}

impl Ord for Instant<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.seconds.cmp(&other.seconds).then_with(|| digits(self.fraction.bytes(), other.fraction.bytes()))
    }
}

impl PartialOrd for Instant<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Instant<'_> {}

impl PartialEq for Instant<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

#[derive(Clone, Copy, Default)]
struct Field<'a>(&'a str);

impl Field<'_> {
    fn value(self, length: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let digits = self.0.len() == length && self.0.bytes().all(|byte| byte.is_ascii_digit());
        if digits { self.0.parse().ok().filter(|value| range.contains(value)) } else { None }
    }
}

fn fields<const N: usize>(text: &str, between: char) -> Option<[Field<'_>; N]> {
    let mut parts = text.split(between);
    let mut fields = [Field(""); N];
    for field in &mut fields {
        *field = Field(parts.next()?);
    }
    parts.next().is_none().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // P-15
    #[test]
    fn texts() {
        for (a, op, b, any_case, exact) in [
            ("Bjensen", Op::Eq, "bJENSEN", true, false),
            ("JÜRGEN", Op::Eq, "jürgen", true, false),
            ("bjensen", Op::Eq, "bjensen", true, true),
            ("bjensen", Op::Eq, "bjense", false, false),
            ("bjensen", Op::Ne, "BJENSEN", false, true),
            ("a.b@Example.com", Op::Co, "@EXAMPLE", true, false),
            ("a.b@Example.com", Op::Co, "@Example", true, true),
            ("a.b@Example.com", Op::Co, "@example.org", false, false),
            ("Ärger", Op::Co, "ÄRG", true, false),
            ("short", Op::Co, "longer than short", false, false),
            ("x", Op::Co, "", true, true),
            ("Ärger", Op::Sw, "äR", true, false),
            ("ä", Op::Sw, "är", false, false),
            ("Ärger", Op::Ew, "GER", true, false),
            ("er", Op::Ew, "ger", false, false),
            ("a", Op::Lt, "B", true, false),
            ("abc", Op::Gt, "AB", true, true),
            ("abc", Op::Le, "ABC", true, false),
            ("abc", Op::Ge, "ABD", false, true),
        ] {
            assert_eq!((text(a, op, b, false), text(a, op, b, true)), (any_case, exact), "{a} {op} {b}");
        }
        let long = "x".repeat(1000) + "End";
        assert!(text(&long, Op::Co, "XeND", false) && !text(&long, Op::Co, "xend", true));
    }

    // P-14: numeric, never by way of a float
    #[test]
    fn decimals() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            ("1", "1.0", Equal),
            ("100", "1e2", Equal),
            ("0.001", "1E-3", Equal),
            ("10.50e-1", "1.05", Equal),
            ("-0", "0.0e9", Equal),
            ("0e5", "0e-5", Equal),
            ("2", "10", Less),
            ("-2", "-10", Greater),
            ("-1", "0.0", Less),
            ("0", "-0.001", Greater),
            ("0.09", "0.1", Less),
            ("9007199254740993", "9007199254740992", Greater),
            ("0.1000000000000000000001", "0.1", Greater),
            ("1e400", "1e399", Greater),
            ("1e99999999999999999999", "9e9", Greater),
            ("1e-99999999999999999999", "0", Greater),
            ("1e-99999999999999999999", "1e-9", Less),
        ] {
            assert_eq!(numbers(a, b), order, "{a} {b}");
            assert_eq!(numbers(b, a), order.reverse(), "{b} {a}");
        }
    }

    // S-07
    #[test]
    fn instants() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00", Equal),
            ("2011-05-13T04:42:34Z", "2011-05-12T23:12:34-05:30", Equal),
            ("2011-05-13T04:42:34.5Z", "2011-05-13T04:42:34.500000000000Z", Equal),
            ("2011-05-13T04:42:34.09Z", "2011-05-13T04:42:34.1Z", Less),
            ("2011-05-13T04:42:34.123456789012Z", "2011-05-13T04:42:34.123456789011Z", Greater),
            ("2011-05-13T04:42:34", "2011-05-13T04:42:34z", Equal),
            ("2023-12-31T24:00:00Z", "2024-01-01T00:00:00Z", Equal),
            ("2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z", Less),
            ("2023-02-28T24:00:00Z", "2023-03-01T00:00:00Z", Equal),
            ("1900-02-28T24:00:00Z", "1900-03-01T00:00:00Z", Equal),
            ("1999-12-31T23:30:00-01:00", "2000-01-01T00:30:00Z", Equal),
            ("-0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", Less),
            ("10000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", Greater),
        ] {
            let (first, second) = (Instant::new(a).expect(a), Instant::new(b).expect(b));
            assert_eq!((first.cmp(&second), second.cmp(&first)), (order, order.reverse()), "{a} {b}");
        }
        for text in [
            "",
            "2011-05-13",
            "04:42:34Z",
            "2011-05-13 04:42:34Z",
            "2011-05-13T04:42Z",
            "2011-5-13T04:42:34Z",
            "2011-13-13T04:42:34Z",
            "2011-05-13T25:42:34Z",
            "2011-05-13T04:42:34.Z",
            "2011-05-13T04:42:34.xZ",
            "2011-05-13T04:42:34ZZ",
            "2011-05-13T04:42:34+2",
            "2011-05-13T04:42:34Z02:00",
            "2011-05-13T04:42:34+15:00",
            "2011-05-13T04:42:34€",
            "99999999999999999999-05-13T04:42:34Z",
        ] {
            assert!(Instant::new(text).is_none(), "{text}");
        }
    }
}
