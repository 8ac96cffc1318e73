//! Days, as publications are dated.

use jiff::ToSpan;
use jiff::civil::Date;

const EPOCH: Date = Date::constant(1970, 1, 1);

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

    /// `2021-03-08`; `unknown` beyond all calendars.
    pub fn to_iso(self) -> String {
        let date = EPOCH.checked_add(self.0.days());
        date.map_or_else(|_| "unknown".to_owned(), |date| date.to_string())
    }

    fn of_civil(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = Date::new(year, month, day).ok()?;
        let plausible = (1970..=2200).contains(&year);
        plausible.then(|| Self(date.duration_since(EPOCH).as_hours() / 24))
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

fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = name.get(..3)?.to_lowercase();
    let index = MONTHS.iter().position(|known| *known == start)?;
    i8::try_from(index + 1).ok()
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
