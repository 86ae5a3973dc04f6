//! The Gregorian calendar: days since 1970-01-01 and dates.

/// The days up to a date `[year, month, day]`; nothing where there is no such day.
pub(crate) fn days([year, month, day]: [i64; 3]) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // A year that begins in March has its leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (month * 153 + 2) / 5 + day - 1 - EPOCH)
}

/// The date `[year, month, day]` so many days after 1970-01-01.
pub(crate) const fn date(days: i64) -> [i64; 3] {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [era * 400 + year + if month <= 2 { 1 } else { 0 }, month, day]
}

/// Days from 0000-03-01, with which years begin here, to 1970-01-01.
const EPOCH: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::{date, days};

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn days_and_dates_are_each_others_way_back() {
        for (day, expected) in [
            (0, [1970, 1, 1]),
            (-1, [1969, 12, 31]),
            (10956, [1999, 12, 31]),
            (11016, [2000, 2, 29]),
            (47541, [2100, 3, 1]),
            (2_932_896, [9999, 12, 31]),
            (-719_468, [0, 3, 1]),
        ] {
            assert_eq!((date(day), days(expected)), (expected, Some(day)));
        }
        for day in (-800_000..3_000_000).step_by(37) {
            assert_eq!(days(date(day)), Some(day));
        }
        for none in [[2026, 2, 29], [1900, 2, 29], [2026, 4, 31], [2026, 13, 1], [2026, 0, 1], [2026, 1, 0]] {
            assert_eq!(days(none), None, "{none:?}");
        }
    }
}
