//! Dates between two ways to write them: SCIM's dateTime, days, seconds since 1970, or a pattern.

use crate::calendar;

/// A moment in UTC, to the second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Moment {
    /// Since 1970-01-01.
    days: i64,
    /// Within the day.
    seconds: i64,
}

/// How dates are written on the two sides.
#[derive(Debug)]
pub(in super::super) struct Dates {
    idp: Format,
    provider: Format,
}

/// One way to write dates.
#[derive(Debug)]
pub(in super::super) enum Format {
    /// RFC 7643 section 2.3.5: `2026-01-31T08:00:00Z`.
    DateTime,
    /// Seconds since 1970, or milliseconds.
    Unix { millis: bool },
    /// Fields and what stands between them.
    Pattern(Vec<Piece>),
}

#[derive(Debug)]
pub(in super::super) enum Piece {
    Field(Field),
    Text(char),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

const FIELDS: [(&str, Field); 6] = [
    ("yyyy", Field::Year),
    ("MM", Field::Month),
    ("dd", Field::Day),
    ("HH", Field::Hour),
    ("mm", Field::Minute),
    ("ss", Field::Second),
];

impl Format {
    /// Reads a format; nothing where it does not say a day.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        match text {
            "dateTime" => return Some(Self::DateTime),
            "seconds" => return Some(Self::Unix { millis: false }),
            "milliseconds" => return Some(Self::Unix { millis: true }),
            _ => {}
        }
        let mut pieces = Vec::new();
        let mut rest = if text == "date" { "yyyy-MM-dd" } else { text };
        while let Some(first) = rest.chars().next() {
            match FIELDS.iter().find_map(|(word, field)| Some((rest.strip_prefix(word)?, *field))) {
                Some((after, field)) => {
                    pieces.push(Piece::Field(field));
                    rest = after;
                }
                None if first.is_ascii_alphanumeric() && first != 'T' && first != 'Z' => return None,
                None => {
                    pieces.push(Piece::Text(first));
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                }
            }
        }
        let count =
            |field| pieces.iter().filter(|piece| matches!(piece, Piece::Field(f) if *f == field)).count();
        let whole = [Field::Year, Field::Month, Field::Day].into_iter().all(|field| count(field) == 1);
        let once = [Field::Hour, Field::Minute, Field::Second].into_iter().all(|field| count(field) <= 1);
        (whole && once).then_some(Self::Pattern(pieces))
    }

    /// True when the time of day is written, too.
    fn has_time(&self) -> bool {
        match self {
            Self::DateTime | Self::Unix { .. } => true,
            Self::Pattern(pieces) => [Field::Hour, Field::Minute, Field::Second].into_iter().all(|field| {
                pieces.iter().any(|piece| matches!(piece, Piece::Field(other) if *other == field))
            }),
        }
    }

    fn read(&self, text: &str) -> Option<Moment> {
        match self {
            Self::DateTime => Moment::rfc3339(text),
            Self::Unix { millis } => {
                let number: i64 = text.parse().ok()?;
                let seconds = if *millis { number.div_euclid(1000) } else { number };
                Some(Moment { days: seconds.div_euclid(86_400), seconds: seconds.rem_euclid(86_400) })
            }
            Self::Pattern(pieces) => {
                let (mut rest, mut date, mut time) = (text, [0; 3], [0; 3]);
                for piece in pieces {
                    let field = match piece {
                        Piece::Text(text) => {
                            rest = rest.strip_prefix(*text)?;
                            continue;
                        }
                        Piece::Field(field) => *field,
                    };
                    let width = if field == Field::Year { 4 } else { 2 };
                    let number = digits(rest.get(..width)?)?;
                    rest = rest.get(width..)?;
                    let place = match field {
                        Field::Year => date.get_mut(0),
                        Field::Month => date.get_mut(1),
                        Field::Day => date.get_mut(2),
                        Field::Hour => time.get_mut(0),
                        Field::Minute => time.get_mut(1),
                        Field::Second => time.get_mut(2),
                    };
                    *place? = number;
                }
                if rest.is_empty() { Moment::of(date, time) } else { None }
            }
        }
    }

    fn write(&self, moment: Moment) -> Option<String> {
        let (date, time) = (calendar::date(moment.days), moment.time());
        let [year, month, day] = date;
        let [hour, minute, second] = time;
        if !(0..=9999).contains(&year) {
            return None;
        }
        Some(match self {
            Self::DateTime => {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
            }
            Self::Unix { millis } => {
                let seconds = moment.days * 86_400 + moment.seconds;
                (if *millis { seconds * 1000 } else { seconds }).to_string()
            }
            Self::Pattern(pieces) => {
                let mut out = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => out.push(*text),
                        Piece::Field(Field::Year) => out.push_str(&format!("{year:04}")),
                        Piece::Field(Field::Month) => out.push_str(&format!("{month:02}")),
                        Piece::Field(Field::Day) => out.push_str(&format!("{day:02}")),
                        Piece::Field(Field::Hour) => out.push_str(&format!("{hour:02}")),
                        Piece::Field(Field::Minute) => out.push_str(&format!("{minute:02}")),
                        Piece::Field(Field::Second) => out.push_str(&format!("{second:02}")),
                    }
                }
                out
            }
        })
    }
}

impl Dates {
    pub(in super::super) const fn new(idp: Format, provider: Format) -> Self {
        Self { idp, provider }
    }

    /// The provider's text for the IdP's.
    pub(super) fn forward(&self, text: &str) -> Option<String> {
        self.provider.write(self.idp.read(text)?)
    }

    /// The IdP's text for the provider's.
    pub(super) fn backward(&self, text: &str) -> Option<String> {
        self.idp.write(self.provider.read(text)?)
    }

    /// True when the IdP's text says the moment that comes back from the provider's.
    pub(super) fn comes_back(&self, text: &str) -> bool {
        let back = |moment| self.provider.read(&self.provider.write(moment)?);
        self.idp.read(text).is_some_and(|moment| back(moment) == Some(moment) && !has_fraction(text))
    }

    /// True when the provider does not get the time of day.
    pub(super) fn loses_time(&self) -> bool {
        self.idp.has_time() && !self.provider.has_time()
    }
}

fn has_fraction(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).any(|digit| digit != b'0'))
}

impl Moment {
    fn of(date: [i64; 3], time: [i64; 3]) -> Option<Self> {
        let [hour, minute, second] = time;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = calendar::days(date)?;
        Some(Self { days, seconds: (hour * 60 + minute) * 60 + second })
    }

    fn rfc3339(text: &str) -> Option<Self> {
        let field = |from: usize, to: usize| digits(text.get(from..to)?);
        let mark = |at: usize, marks: &[u8]| text.as_bytes().get(at).is_some_and(|byte| marks.contains(byte));
        let marks = [(4, "-"), (7, "-"), (10, "Tt"), (13, ":"), (16, ":")];
        if !marks.iter().all(|(at, marks)| mark(*at, marks.as_bytes())) {
            return None;
        }
        let date = [field(0, 4)?, field(5, 7)?, field(8, 10)?];
        let local = Self::of(date, [field(11, 13)?, field(14, 16)?, field(17, 19)?])?;
        let rest = text.get(19..)?;
        let zone = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
            None => rest,
        };
        let offset = match zone {
            // RFC 7643 section 2.3.5 lets the zone be left out; UTC is what everybody means.
            "" | "Z" | "z" => 0,
            _ => {
                let (hours, minutes) = zone.get(1..)?.split_once(':')?;
                let minutes = digits(hours)? * 60 + digits(minutes)?;
                match zone.as_bytes().first()? {
                    b'+' => minutes,
                    b'-' => -minutes,
                    _ => return None,
                }
            }
        };
        let seconds = local.days * 86_400 + local.seconds - offset * 60;
        Some(Self { days: seconds.div_euclid(86_400), seconds: seconds.rem_euclid(86_400) })
    }

    const fn time(self) -> [i64; 3] {
        [self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60]
    }
}

fn digits(text: &str) -> Option<i64> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() && text.len() <= 4;
    if all { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dates_go_both_ways() {
        for (idp, provider, there, back) in [
            ("dateTime", "date", Some(("2024-02-29T23:59:58Z", "2024-02-29")), Some("2024-02-29T00:00:00Z")),
            (
                "dateTime",
                "date",
                Some(("2024-03-01T00:30:00+01:00", "2024-02-29")),
                Some("2024-02-29T00:00:00Z"),
            ),
            (
                "dateTime",
                "dd.MM.yyyy",
                Some(("1999-12-31T00:00:00Z", "31.12.1999")),
                Some("1999-12-31T00:00:00Z"),
            ),
            ("date", "yyyyMMdd", Some(("2026-01-05", "20260105")), Some("2026-01-05")),
            ("dateTime", "seconds", Some(("1970-01-02T00:00:01.5Z", "86401")), Some("1970-01-02T00:00:01Z")),
            (
                "dateTime",
                "milliseconds",
                Some(("1969-12-31T23:59:59Z", "-1000")),
                Some("1969-12-31T23:59:59Z"),
            ),
            (
                "yyyy-MM-dd HH:mm:ss",
                "dateTime",
                Some(("2026-01-05 06:07:08", "2026-01-05T06:07:08Z")),
                Some("2026-01-05 06:07:08"),
            ),
        ] {
            let dates = Dates::new(Format::parse(idp).unwrap(), Format::parse(provider).unwrap());
            let (from, to) = there.unwrap();
            assert_eq!(dates.forward(from).as_deref(), Some(to), "{idp} {provider}");
            assert_eq!(dates.backward(to).as_deref(), back, "{idp} {provider}");
        }
        for text in ["", "yyyy", "dd.MM", "yyyy-MM-dd-dd", "yyyy-MM-dd x"] {
            assert!(Format::parse(text).is_none(), "{text}");
        }
        let dates = Dates::new(Format::DateTime, Format::parse("date").unwrap());
        for text in ["2025-02-29T00:00:00Z", "2025-01-31", "2025-01-31T24:00:00Z", "x"] {
            assert_eq!(dates.forward(text), None, "{text}");
        }
        assert!(dates.comes_back("2025-01-31T00:00:00Z") && !dates.comes_back("2025-01-31T01:00:00Z"));
    }
}
