//! Times as logs write them.

use blackrod_model::{Timestamp, Value};

/// The time that a value spells, in any of the forms that need no further hint:
///
/// - RFC 3339, also without a zone (taken as UTC);
/// - `/Date(1603018578799)/`, milliseconds since 1970 as Windows PowerShell's `ConvertTo-Json` has it;
/// - a number since 1970 in seconds, milliseconds, microseconds or nanoseconds, or a Windows
///   FILETIME. Which of them, its size tells: they do not meet between the years 1973 and 2286.
pub(crate) fn read_time(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Int(number) => from_number(*number),
        Value::Float(number) => from_float(*number),
        Value::Str(text) => from_text(text),
        Value::List(values) => values.first().and_then(read_time),
        Value::Null | Value::Bool(_) => None,
    }
}

fn from_text(text: &str) -> Option<Timestamp> {
    if let Some(time) = from_digits(text.as_bytes()) {
        return Some(time);
    }
    let trimmed = text.trim();
    if let Some(date) = trimmed.strip_prefix("/Date(") {
        let digits = date.split([')', '+']).next()?;
        let millis: i64 = digits.parse().ok()?;
        return millis.checked_mul(1_000).map(Timestamp::from_micros);
    }
    if let Ok(number) = trimmed.parse::<i64>() {
        return from_number(number);
    }
    if let Ok(number) = trimmed.parse::<f64>() {
        return from_float(number);
    }
    Timestamp::parse(trimmed)
}

/// `2021-01-22T09:30:00.123Z` or the same with a blank and without `Z`: nearly all logs.
fn from_digits(text: &[u8]) -> Option<Timestamp> {
    let (date_and_time, rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        o1,
        o2,
        b'-',
        d1,
        d2,
        b'T' | b' ',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
    ] = *date_and_time
    else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[o1, o2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    let fraction = match rest {
        [b'.', digits @ .., b'Z'] | [b'.', digits @ ..] => digits,
        [b'Z'] | [] => &[],
        _ => return None,
    };
    let micros = number(fraction.get(..6).unwrap_or(fraction))?;
    let micros = micros * 10_i64.pow(6 - fraction.len().min(6) as u32);
    let all_valid = fraction.iter().all(u8::is_ascii_digit)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !all_valid {
        // Rare days and everything odd are left to the library.
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_micros(seconds * 1_000_000 + micros))
}

/// The number that a few digits spell; `None` where another byte is among them.
#[inline]
pub(crate) fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `days_from_civil`), for years that are not negative.
pub(crate) const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let era = year_from_march.div_euclid(400);
    let year_of_era = year_from_march - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn from_number(number: i64) -> Option<Timestamp> {
    let magnitude = number.unsigned_abs();
    let micros = match magnitude {
        0..100_000_000_000 => number.checked_mul(1_000_000)?,
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000)?,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        // 10^17 FILETIME ticks are the year 1917, 10^18 the year 4769; in nanoseconds 10^18 are 2001.
        100_000_000_000_000_000..1_000_000_000_000_000_000 => {
            return u64::try_from(number).ok().map(Timestamp::from_filetime);
        }
        _ => number / 1_000,
    };
    Some(Timestamp::from_micros(micros))
}

fn from_float(number: f64) -> Option<Timestamp> {
    if !number.is_finite() {
        return None;
    }
    if number.abs() >= 1e11 {
        return from_number(number as i64);
    }
    Some(Timestamp::from_micros((number * 1e6).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_instant() {
        let expected = Timestamp::from_seconds(1_611_307_800);
        let texts = [
            "2021-01-22T09:30:00Z",
            "2021-01-22 09:30:00.000",
            "2021-01-22T10:30:00.0000000+01:00",
            "/Date(1611307800000)/",
            "/Date(1611307800000+0200)/",
            "1611307800",
            "1611307800.0",
            "1611307800000",
            "132557814000000000",
        ];
        for text in texts {
            assert_eq!(read_time(&text.into()), Some(expected), "{text}");
        }
        for number in [
            1_611_307_800,
            1_611_307_800_000,
            1_611_307_800_000_000,
            1_611_307_800_000_000_000,
        ] {
            assert_eq!(read_time(&Value::Int(number)), Some(expected), "{number}");
        }
        assert_eq!(read_time(&Value::Float(1_611_307_800.0)), Some(expected));
    }

    #[test]
    fn the_short_way_agrees_with_the_library() {
        for year in [1, 1600, 1900, 1970, 1999, 2000, 2020, 2024, 2100, 9998] {
            for month in 1..=12 {
                for day in [1, 15, 28, 29, 30, 31] {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:58.987654Z");
                    let ours = read_time(&text.as_str().into());
                    assert_eq!(ours, Timestamp::parse(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let texts = [
            "",
            "-",
            "yesterday",
            "2021-13-01T00:00:00Z",
            "2021-02-30 00:00:00",
            "2021-01-01T24:61:00Z",
        ];
        for text in texts
            .into_iter()
            .chain(["/Date(x)/", "2021-01-01T00:00:00.12x4Z", "NaN"])
        {
            assert_eq!(read_time(&text.into()), None, "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, -1e300, 1e300] {
            let _ = read_time(&Value::Float(number));
        }
        for number in [i64::MIN, i64::MAX, 0, -1] {
            let _ = read_time(&Value::Int(number)).map(|time| time.to_string());
        }
    }
}
