//! Days, as publications are dated.

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day of `2021-03-08` or `2021-03-08T…`; `None` for what is neither.
    pub fn of_iso(text: &str) -> Option<Self> {
        let mut parts = text.get(..10)?.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next()?.parse().ok()?;
        let day = parts.next()?.parse().ok()?;
        Self::of_civil(year, month, day)
    }

    /// When the publication that ATT&CK cites like this was published: `Name. (2020, March 4). Title. Retrieved May 1,
    /// 2024.`; where only the year is given its middle, where there is no date the day it was retrieved.
    pub fn of_citation(text: &str) -> Option<Self> {
        let (published, retrieved) = match text.find("Retrieved") {
            Some(at) => (text.get(..at)?, text.get(at + "Retrieved".len()..)),
            None => (text, None),
        };
        let of_publication = || {
            published
                .match_indices('(')
                .find_map(|(at, _)| bracketed(published.get(at + 1..)?))
        };
        of_publication().or_else(|| {
            let words: Vec<&str> = retrieved?
                .split(['.', ',', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            let [name, day, year, ..] = words[..] else {
                return None;
            };
            Self::of_civil(year.parse().ok()?, month(name)?, day.parse().ok()?)
        })
    }

    /// `2021-03-08`.
    pub fn to_iso(self) -> String {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn of_civil(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(1970..=2200).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        Some(Self(era * 146_097 + of_era - 719_468))
    }
}

/// The date at the start of `2020, March 4). …`, of which month and day may be missing.
fn bracketed(text: &str) -> Option<Day> {
    let inside = text.split(')').next()?;
    let mut words = inside.split([',', ' ', '.']).filter(|word| !word.is_empty());
    let year = words.next().filter(|word| word.len() == 4)?.parse().ok()?;
    let month = words.next().and_then(month);
    let day = words.next().and_then(|word| word.parse().ok());
    match month {
        Some(month) => Day::of_civil(year, month, day.unwrap_or(15)),
        None => Day::of_civil(year, 7, 1),
    }
}

fn month(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = name.get(..3)?.to_lowercase();
    let index = MONTHS.iter().position(|known| *known == start)?;
    i64::try_from(index).ok().map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_dated() {
        for (text, expected) in [
            (
                "A. (2020, November 12). T. Retrieved May 24, 2021.",
                Some("2020-11-12"),
            ),
            ("A. (2020, Nov). T.", Some("2020-11-15")),
            ("A (NSA). (2019). T.", Some("2019-07-01")),
            ("A. (n.d.). T. Retrieved December 16, 2017.", Some("2017-12-16")),
            ("no date", None),
            ("(Citation: other)", None),
        ] {
            assert_eq!(
                Day::of_citation(text).map(Day::to_iso).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(Day::of_iso("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::of_iso("2021-03-08T10:00:00Z"), Some(Day(18_694)));
        assert_eq!(Day::of_iso("2021-13-08"), None);
    }
}
