//! What was looked for, in what, and what could not be looked for for lack of evidence.

use std::collections::BTreeMap;

use blackrod_model::Timestamp;
use blackrod_model::coverage::{Coverage, Hole, LogSpan, Topic};

use crate::analytics::Analytic;

/// What is looked for, and the logs that it takes.
const TOPICS: &str = include_str!("../../../content/coverage/topics.toml");

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const TWO_DAYS: i64 = 2 * DAY;
/// A hole is a stretch without records whose chance, by the log's own rhythm, is below this.
const CHANCE: f64 = 1e-4;
/// Logs with fewer hours that hold records have no rhythm.
const MIN_HOURS: usize = 24;
/// A log that begins or ends this much after or before others is said to.
const SLACK: i64 = 2 * DAY;
/// Holes that are told of one log.
const MAX_HOLES: usize = 10;
/// No log is looked at over more hours: sixty years.
const MAX_HOURS: i64 = 60 * 366 * 24;

/// How many records a log has in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// The log's product.
    pub product: String,
    /// The log's channel.
    pub channel: String,
    /// Seconds since 1970 at which the hour begins.
    pub start: i64,
    /// Records.
    pub records: u64,
}

/// Whether a log is meant by a need: `windows/*`, `webserver/iis`; `*` means every log.
pub fn is_meant(need: &str, product: &str, channel: &str) -> bool {
    let Some((wanted_product, wanted_channel)) = need.split_once('/') else {
        return need == "*";
    };
    wanted_product.eq_ignore_ascii_case(product)
        && (wanted_channel == "*" || wanted_channel.eq_ignore_ascii_case(channel))
}

/// What `hours` of logs cover. `found` counts findings by code, `first_sign` is the time of the first of at least medium
/// severity.
pub fn coverage(
    hours: &[Hour],
    found: &BTreeMap<String, u64>,
    analytics: &[Analytic],
    first_sign: Timestamp,
) -> Coverage {
    let mut by_log: BTreeMap<(&str, &str), BTreeMap<i64, u64>> = BTreeMap::new();
    for hour in hours {
        let log = by_log.entry((&hour.product, &hour.channel)).or_default();
        *log.entry(hour.start).or_default() += hour.records;
    }
    let last_of_all = hours.iter().map(|hour| hour.start).max().unwrap_or_default();
    let logs: Vec<LogSpan> = by_log
        .iter()
        .map(|((product, channel), hours)| span(product, channel, hours, first_sign, last_of_all))
        .collect();
    let mut topics = topics(found);
    topics.extend(analytics.iter().map(|analytic| Topic {
        what: analytic.front.title.clone(),
        by: format!("analytic {}", analytic.id),
        needs: analytic.front.needs.clone(),
        ask_for: "Any of the logs that it needs.".to_owned(),
        findings: found.get(&analytic.id).copied().unwrap_or_default(),
        ..Topic::default()
    }));
    for topic in &mut topics {
        let had = logs.iter().filter(|log| {
            topic
                .needs
                .iter()
                .any(|need| is_meant(need, &log.product, &log.channel))
        });
        topic.had = had
            .map(|log| format!("{}/{}", log.product, log.channel))
            .collect();
    }
    Coverage {
        logs,
        topics,
        first_sign,
    }
}

fn topics(found: &BTreeMap<String, u64>) -> Vec<Topic> {
    #[derive(serde::Deserialize, Default)]
    struct File {
        topic: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    struct Entry {
        what: String,
        by: Vec<String>,
        needs: Vec<String>,
        ask_for: String,
    }
    let file: File = toml::from_str(TOPICS).unwrap_or_default();
    let topic = |entry: Entry| {
        // The general methods look for everything; only what is named for a topic counts for it.
        let own = entry.by.iter().filter(|code| code.contains('/'));
        let is_of = |code: &str, by: &str| match by.strip_suffix('*') {
            Some(start) => code.starts_with(start),
            None => code == by,
        };
        let findings = own
            .flat_map(|by| found.iter().filter(move |(code, _)| is_of(code, by)))
            .map(|(_, count)| count)
            .sum();
        Topic {
            what: entry.what,
            by: entry.by.join(", "),
            needs: entry.needs,
            had: Vec::new(),
            findings,
            ask_for: entry.ask_for,
        }
    };
    file.topic.into_iter().map(topic).collect()
}

fn span(
    product: &str,
    channel: &str,
    hours: &BTreeMap<i64, u64>,
    first_sign: Timestamp,
    last_of_all: i64,
) -> LogSpan {
    let first = hours.keys().next().copied().unwrap_or_default();
    let last = hours.keys().next_back().copied().unwrap_or_default();
    let mut remarks = Vec::new();
    if let Some(sign) = first_sign.seconds() {
        if first > sign + HOUR {
            remarks.push(format!(
                "begins {} after the first sign of an intrusion",
                days(first - sign)
            ));
        } else if sign - first < 14 * DAY {
            remarks.push(format!(
                "reaches back {} before the first sign: too little to know what was usual",
                days(sign - first)
            ));
        }
    }
    if last_of_all - last > SLACK {
        remarks.push(format!("ends {} before the newest log", days(last_of_all - last)));
    }
    LogSpan {
        product: product.to_owned(),
        channel: channel.to_owned(),
        records: hours.values().sum(),
        first: Timestamp::from_seconds(first),
        last: Timestamp::from_seconds(last),
        holes: holes(hours, first, last),
        remarks,
    }
}

fn days(seconds: i64) -> String {
    match seconds {
        ..DAY => "less than a day".to_owned(),
        DAY..TWO_DAYS => "a day".to_owned(),
        _ => format!("{} days", seconds / DAY),
    }
}

/// Stretches without records that the log's own rhythm does not explain.
///
/// The rhythm is how often each hour of a working day and of a weekend day holds records. The chance of a stretch is the
/// product of the chances of its empty hours, times the number of places where it could have begun.
fn holes(hours: &BTreeMap<i64, u64>, first: i64, last: i64) -> Vec<Hole> {
    let count = (last - first) / HOUR + 1;
    if hours.len() < MIN_HOURS || count > MAX_HOURS {
        return Vec::new();
    }
    let slot = |start: i64| {
        // 1970-01-01 was a Thursday.
        let weekday = (start.div_euclid(DAY) + 3).rem_euclid(7);
        let hour = start.rem_euclid(DAY) / HOUR;
        (
            usize::from(weekday >= 5),
            usize::try_from(hour).unwrap_or_default(),
        )
    };
    let mut seen = [[0_u32; 24]; 2];
    let mut all = [[0_u32; 24]; 2];
    for number in 0..count {
        let start = first + number * HOUR;
        let (week, hour) = slot(start);
        all[week][hour] += 1;
        seen[week][hour] += u32::from(hours.contains_key(&start));
    }
    let ln_empty = |start: i64| {
        let (week, hour) = slot(start);
        let full = f64::from(seen[week][hour]) + 0.5;
        (1.0 - full / (f64::from(all[week][hour]) + 1.0)).ln()
    };
    let limit = CHANCE.ln() - (count as f64).ln();
    let mut found = Vec::new();
    let mut before = None;
    for &start in hours.keys() {
        if let Some(previous) = before
            && start - previous > HOUR
        {
            let empty = (start - previous) / HOUR - 1;
            let chance: f64 = (1..=empty).map(|number| ln_empty(previous + number * HOUR)).sum();
            if chance < limit {
                found.push((previous + HOUR, start));
            }
        }
        before = Some(start);
    }
    found.sort_by_key(|(from, to)| (from - to, *from));
    found.truncate(MAX_HOLES);
    let hole = |(from, to)| Hole {
        from: Timestamp::from_seconds(from),
        to: Timestamp::from_seconds(to),
    };
    found.into_iter().map(hole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_609_718_400;

    /// Records in every hour from 7 to 19 on working days, over four weeks.
    fn office_hours() -> Vec<Hour> {
        let mut hours = Vec::new();
        for day in (0..28).filter(|day| day % 7 < 5) {
            for hour in 7..19 {
                hours.push(Hour {
                    product: "windows".to_owned(),
                    channel: "Security".to_owned(),
                    start: MONDAY + day * DAY + hour * HOUR,
                    records: 10,
                });
            }
        }
        hours
    }

    #[test]
    fn nights_and_weekends_are_no_holes() {
        let covered = coverage(&office_hours(), &BTreeMap::new(), &[], Timestamp::UNKNOWN);
        assert_eq!(covered.logs.len(), 1);
        assert_eq!(covered.logs[0].holes, []);
        assert_eq!(covered.logs[0].records, 2_400);
    }

    #[test]
    fn a_day_that_is_missing_is_one() {
        let mut hours = office_hours();
        let wednesday = MONDAY + 9 * DAY;
        hours.retain(|hour| hour.start < wednesday || hour.start >= wednesday + DAY);
        let covered = coverage(&hours, &BTreeMap::new(), &[], Timestamp::UNKNOWN);
        assert_eq!(covered.logs[0].holes.len(), 1);
        assert!(
            covered.logs[0].holes[0]
                .from
                .seconds()
                .is_some_and(|from| from < wednesday)
        );
    }

    #[test]
    fn what_could_not_be_looked_for_is_said() {
        let covered = coverage(
            &office_hours(),
            &BTreeMap::new(),
            &[],
            Timestamp::from_seconds(MONDAY),
        );
        let topic = |word: &str| covered.topics.iter().find(|topic| topic.what.contains(word));
        assert!(topic("Passwords").is_some_and(Topic::was_possible));
        assert!(topic("ProxyLogon").is_some_and(|topic| !topic.was_possible() && !topic.ask_for.is_empty()));
        assert!(covered.logs[0].remarks[0].starts_with("begins less than a day after"));
    }

    #[test]
    fn needs_are_patterns() {
        assert!(is_meant("*", "windows", "Security"));
        assert!(is_meant("webserver/*", "webserver", "iis"));
        assert!(!is_meant("webserver/iis", "webserver", "access"));
    }
}
