//! Points in time.

use std::fmt;

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC.
///
/// Always UTC; a reader converts local times or, where the zone is unknown, says so in its
/// documentation. [`Timestamp::UNKNOWN`] stands for a record that carries no usable time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Default for Timestamp {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl Timestamp {
    /// The record says nothing usable about when it happened. Sorts before every known time.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the Unix epoch; [`Timestamp::UNKNOWN`] when out of range.
    pub fn from_seconds(seconds: i64) -> Self {
        seconds.checked_mul(1_000_000).map_or(Self::UNKNOWN, Self)
    }

    /// From a Windows FILETIME: 100 ns ticks since 1601-01-01 UTC (MS-DTYP 2.3.3).
    pub const fn from_filetime(ticks: u64) -> Self {
        const EPOCH_DIFFERENCE_MICROS: i64 = 11_644_473_600_000_000;
        // A u64 divided by ten always fits an i64.
        Self((ticks / 10) as i64 - EPOCH_DIFFERENCE_MICROS)
    }

    /// From RFC 3339 text, also without a zone (taken as UTC) and with a blank instead of `T`:
    /// `2021-01-22T09:30:00Z`, `2021-01-22 09:30:00.123`, `2021-01-22T10:30:00+01:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        let instant = trimmed.parse::<jiff::Timestamp>().ok().or_else(|| {
            let local = trimmed.parse::<jiff::civil::DateTime>().ok()?;
            local
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp())
        })?;
        Some(Self(instant.as_microsecond()))
    }

    /// Now, by this machine's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Microseconds since the Unix epoch, or `None` for [`Timestamp::UNKNOWN`].
    pub const fn micros(self) -> Option<i64> {
        if self.0 == Self::UNKNOWN.0 {
            None
        } else {
            Some(self.0)
        }
    }

    /// The earlier of two points of time; one that is unknown never hides one that is known.
    pub fn earlier_known(self, other: Self) -> Self {
        match (self == Self::UNKNOWN, other == Self::UNKNOWN) {
            (true, _) => other,
            (_, true) => self,
            _ => self.min(other),
        }
    }

    /// Whole seconds since the Unix epoch, or `None` for [`Timestamp::UNKNOWN`].
    pub fn seconds(self) -> Option<i64> {
        self.micros().map(|micros| micros.div_euclid(1_000_000))
    }

    /// The UTC day, `2021-01-22`, or `unknown`.
    pub fn day(self) -> String {
        self.instant().map_or_else(
            || "unknown".to_owned(),
            |instant| instant.strftime("%Y-%m-%d").to_string(),
        )
    }

    fn instant(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.micros()?).ok()
    }
}

/// RFC 3339 with `Z`, or `unknown`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instant() {
            Some(instant) => write!(f, "{instant}"),
            None => f.write_str("unknown"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 3339 text, or `null` for [`Timestamp::UNKNOWN`]; microseconds where nobody is to read it.
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_i64(self.0);
        }
        match self.instant() {
            Some(instant) => serializer.collect_str(&instant),
            None => serializer.serialize_none(),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        match Option::<String>::deserialize(deserializer)? {
            None => Ok(Self::UNKNOWN),
            Some(text) => {
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not a time: {text:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms_as_one_instant() {
        let expected = Timestamp::from_seconds(1_611_307_800);
        for text in [
            "2021-01-22T09:30:00Z",
            "2021-01-22 09:30:00",
            "2021-01-22T10:30:00+01:00",
            " 2021-01-22T09:30:00.000Z ",
        ] {
            assert_eq!(Timestamp::parse(text), Some(expected), "{text}");
        }
        assert_eq!(Timestamp::from_filetime(132_557_814_000_000_000), expected);
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn extreme_values_do_not_panic() {
        for time in [
            Timestamp::UNKNOWN,
            Timestamp::from_micros(i64::MAX),
            Timestamp::from_filetime(u64::MAX),
            Timestamp::from_seconds(i64::MAX),
        ] {
            let _ = (time.to_string(), time.day(), time.seconds());
        }
    }
}
