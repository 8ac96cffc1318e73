//! Dates as mail writes them.

use std::fmt::Write as _;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `Mon, 4 Jan 2021 09:30:00 +0100` (RFC 5322 3.3), `zone` in minutes east of UTC.
pub(crate) fn rfc5322(seconds: i64, zone: i32, out: &mut String) {
    let local = seconds + i64::from(zone) * 60;
    let (year, month, day) = civil(local.div_euclid(86_400));
    let weekday = DAYS[local.div_euclid(86_400).rem_euclid(7) as usize];
    let second = local.rem_euclid(86_400);
    let sign = if zone < 0 { '-' } else { '+' };
    let _ = write!(
        out,
        "{weekday}, {day} {} {year} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        MONTHS[month - 1],
        second / 3_600,
        second / 60 % 60,
        second % 60,
        zone.abs() / 60,
        zone.abs() % 60
    );
}

/// `Mon Jan  4 09:30:00 2021`: what the separator of an mbox says (RFC 4155), in UTC.
pub(crate) fn mbox(seconds: i64, out: &mut String) {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let weekday = DAYS[seconds.div_euclid(86_400).rem_euclid(7) as usize];
    let second = seconds.rem_euclid(86_400);
    let _ = write!(
        out,
        "{weekday} {} {day:2} {:02}:{:02}:{:02} {year}",
        MONTHS[month - 1],
        second / 3_600,
        second / 60 % 60,
        second % 60
    );
}

/// `20210104093000`.
pub(crate) fn compact(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!(
        "{year}{month:02}{day:02}{:02}{:02}{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, usize, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month as usize, doy - (153 * mp + 2) / 5 + 1)
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
