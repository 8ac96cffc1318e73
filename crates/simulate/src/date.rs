//! Dates as mail writes them.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `Mon, 4 Jan 2021 09:30:00 +0100` (RFC 5322 3.3), `zone` in minutes east of UTC.
pub(crate) fn rfc5322(seconds: i64, zone: i32, out: &mut String) {
    let local = civil(seconds + i64::from(zone) * 60);
    let sign = if zone < 0 { '-' } else { '+' };
    let _ = write!(
        out,
        "{} {sign}{:02}{:02}",
        local.strftime("%a, %-d %b %Y %H:%M:%S"),
        zone.abs() / 60,
        zone.abs() % 60
    );
}

/// `Mon Jan  4 09:30:00 2021`: what the separator of an mbox says (RFC 4155), in UTC.
pub(crate) fn mbox(seconds: i64, out: &mut String) {
    let _ = write!(out, "{}", civil(seconds).strftime("%a %b %e %H:%M:%S %Y"));
}

/// `20210104093000`.
pub(crate) fn compact(seconds: i64) -> String {
    civil(seconds).strftime("%Y%m%d%H%M%S").to_string()
}

/// The date and time in UTC.
fn civil(seconds: i64) -> DateTime {
    let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    Offset::UTC.to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        let mut out = String::new();
        rfc5322(1_609_752_600, 60, &mut out);
        assert_eq!(out, "Mon, 4 Jan 2021 10:30:00 +0100");
        assert_eq!(compact(1_709_164_800), "20240229000000");
        out.clear();
        mbox(1_709_164_800, &mut out);
        assert_eq!(out, "Thu Feb 29 00:00:00 2024");
        out.clear();
        rfc5322(1_709_164_800, -300, &mut out);
        assert_eq!(out, "Wed, 28 Feb 2024 19:00:00 -0500");
    }
}
