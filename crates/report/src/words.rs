//! Numbers, times and lists, in words and figures for people.

use blackrod_model::{Technique, Timestamp};

/// `1,204,511`.
pub(crate) fn number(value: impl TryInto<u64>) -> String {
    let digits = value.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `2,000 records`; `word` takes an `s`.
pub(crate) fn counted(count: u64, word: &str) -> String {
    counted_as(count, word, &format!("{word}s"))
}

/// `1 entity`, `2 entities`.
pub(crate) fn counted_as(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `5.2 MB`, in powers of ten.
pub(crate) fn bytes(count: u64) -> String {
    let mut size = count as f64;
    let mut unit = "bytes";
    for larger in ["kB", "MB", "GB", "TB", "PB"] {
        if size < 1_000.0 {
            break;
        }
        size /= 1_000.0;
        unit = larger;
    }
    match unit {
        "bytes" => counted(count, "byte"),
        _ if size < 10.0 => format!("{size:.1} {unit}"),
        _ => format!("{size:.0} {unit}"),
    }
}

/// `22 January 2021, 09:30:12 UTC`; `time unknown`.
pub(crate) fn moment(time: Timestamp) -> String {
    format(time, "%-d %B %Y, %H:%M:%S UTC").unwrap_or_else(|| "time unknown".to_owned())
}

/// `2021-01-22 09:30:12`, for tables that say UTC in their heading; `unknown`.
pub(crate) fn moment_short(time: Timestamp) -> String {
    format(time, "%Y-%m-%d %H:%M:%S").unwrap_or_else(|| "unknown".to_owned())
}

/// From when to when, the day only once where it is one day.
pub(crate) fn span(first: Timestamp, last: Timestamp) -> String {
    if first == last {
        return moment(first);
    }
    let (Some(from), Some(to)) = (
        format(first, "%-d %B %Y, %H:%M:%S"),
        format(last, "%-d %B %Y, %H:%M:%S UTC"),
    ) else {
        return moment(last);
    };
    match format(last, "%H:%M:%S UTC") {
        Some(time_of_day) if first.day() == last.day() => format!("{from} – {time_of_day}"),
        _ => format!("{from} – {to}"),
    }
}

/// `time` by a pattern of `strftime`, in UTC; `None` where it is unknown.
pub(crate) fn format(time: Timestamp, pattern: &str) -> Option<String> {
    let instant = jiff::Timestamp::from_microsecond(time.micros()?).ok()?;
    Some(instant.strftime(pattern).to_string())
}

/// `T1078 Valid Accounts`; the id alone where the name is not known.
pub(crate) fn technique(id: &str) -> String {
    match Technique::parse(id).and_then(|technique| technique.name()) {
        Some(name) => format!("{id} {name}"),
        None => id.to_owned(),
    }
}

/// `High`, from `high`.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_named() {
        assert_eq!(number(0_u64), "0");
        assert_eq!(number(999_u64), "999");
        assert_eq!(number(1_204_511_u64), "1,204,511");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(5_230_000), "5.2 MB");
        assert_eq!(bytes(u64::MAX), "18447 PB");
    }

    #[test]
    fn spans_name_a_single_day_once() {
        let at = |text| Timestamp::parse(text).unwrap_or(Timestamp::UNKNOWN);
        let (nine, ten) = (at("2021-01-22T09:00:00Z"), at("2021-01-22T10:00:00Z"));
        assert_eq!(span(nine, ten), "22 January 2021, 09:00:00 – 10:00:00 UTC");
        assert_eq!(
            span(nine, at("2021-01-23T10:00:00Z")),
            "22 January 2021, 09:00:00 – 23 January 2021, 10:00:00 UTC"
        );
        assert_eq!(span(Timestamp::UNKNOWN, Timestamp::UNKNOWN), "time unknown");
    }
}
