//! Dates of the configuration: `2027-01-31` (that day, UTC) or RFC 3339 with a time and an offset.

use crate::calendar;

/// A moment as Unix time in milliseconds: the first one that is after a token's life, or the last date's end.
///
/// A date alone means the end of that day for an expiry: the token is good all day.
pub(super) fn expiry(text: &str) -> Option<u64> {
    match date(text) {
        Some(days) => millis(days + 1, 0),
        None => moment(text),
    }
}

/// The moment from which something counts; a date alone means the beginning of that day.
pub(super) fn start(text: &str) -> Option<u64> {
    match date(text) {
        Some(days) => millis(days, 0),
        None => moment(text),
    }
}

/// RFC 3339 `date-time`; leap seconds are not taken.
pub(crate) fn moment(text: &str) -> Option<u64> {
    let days = date(text.get(..10)?)?;
    let clock = text.get(10..)?.strip_prefix(['T', 't'])?;
    let (hour, minute, second) =
        (number(clock.get(..2)?)?, number(clock.get(3..5)?)?, number(clock.get(6..8)?)?);
    if clock.get(2..3)? != ":" || clock.get(5..6)? != ":" || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = clock.get(8..)?;
    let mut fraction = 0;
    if let Some(digits) = rest.strip_prefix('.') {
        let end = digits.find(|c: char| !c.is_ascii_digit())?;
        let value = digits.get(..end)?;
        let padded = format!("{value:0<3}");
        fraction = number(padded.get(..3).filter(|_| !value.is_empty())?)?;
        rest = digits.get(end..)?;
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('+') { 1 } else { -1 };
            let (hours, minutes) = rest.strip_prefix(['+', '-'])?.split_once(':')?;
            if hours.len() != 2 || minutes.len() != 2 {
                return None;
            }
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes) * 60_000
        }
    };
    millis(days, ((hour * 60 + minute) * 60 + second) * 1000 + fraction - offset)
}

/// Days since 1970-01-01 of a strict `YYYY-MM-DD`.
fn date(text: &str) -> Option<i64> {
    if text.len() != 10 || text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    calendar::days([number(text.get(..4)?)?, number(text.get(5..7)?)?, number(text.get(8..)?)?])
}

fn number(digits: &str) -> Option<i64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn millis(days: i64, within: i64) -> Option<u64> {
    u64::try_from(days * 86_400_000 + within).ok()
}

#[cfg(test)]
mod tests {
    use super::{expiry, start};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const DAY: u64 = 86_400_000;

    #[test]
    fn dates_mean_whole_days() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1970-03-01", 59),
            ("1999-12-31", 10956),
            ("2000-02-29", 11016),
            ("2024-02-29", 19782),
            ("2027-01-31", 20849),
            ("2100-03-01", 47541),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(start(text), Some(days * DAY), "{text}");
            assert_eq!(expiry(text), Some((days + 1) * DAY), "{text}");
        }
    }

    #[test]
    fn moments_are_exact() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:01.5z", 1500),
            ("1970-01-01T00:00:00.123456789Z", 123),
            ("1970-01-01T02:30:00+02:30", 0),
            ("1969-12-31T23:00:00-01:00", 0),
            ("2027-01-31T23:59:59Z", 20_850 * DAY - 1000),
        ] {
            assert_eq!(expiry(text), Some(millis), "{text}");
            assert_eq!(start(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2027",
            "2027-1-31",
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-04-31",
            "2027-01-00",
            "27-01-31",
            "2027/01/31",
            "+027-01-31",
            "2027-01-31 ",
            " 2027-01-31",
            "1969-12-31T00:00:00Z",
            "2027-01-31T10:00Z",
            "2027-01-31 10:00:00Z",
            "2027-01-31T10:00:00",
            "2027-01-31T24:00:00Z",
            "2027-01-31T23:59:60Z",
            "2027-01-31T10:00:00.Z",
            "2027-01-31T10:00:00.5",
            "2027-01-31T10:00:00+2:00",
            "2027-01-31T10:00:00+02",
            "2027-01-31T10:00:00+24:00",
            "2027-01-31T+1:00:00Z",
            "２027-01-31",
            "31.01.2027",
        ] {
            assert_eq!(expiry(text), None, "{text}");
            assert_eq!(start(text), None, "{text}");
        }
    }
}
