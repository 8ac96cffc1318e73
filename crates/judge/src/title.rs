//! What a campaign is called.

use std::collections::BTreeSet;

use blackrod_model::{Class, EntityKind, Finding, Target, Timestamp};

use crate::people::short_host;
use crate::score::TacticWeights;

/// How many characters of a name that evidence chose are shown in a title.
const MAX_NAME: usize = 40;

/// A tactic is named in the title if it weighs at least this share of the heaviest one.
const MIN_SHARE: f64 = 0.25;

/// A title for a person: what, whom, when. "Credential access and lateral movement on WS-014 and
/// DC-1, 22 January 2021".
pub(crate) fn title(
    findings: &[&Finding],
    tactics: &TacticWeights,
    targets: &[Target],
    first: Timestamp,
    last: Timestamp,
) -> String {
    let mut title = what(findings, tactics);
    title.push_str(&whom(findings, targets));
    if let Some(dates) = dates(first, last) {
        title.push_str(", ");
        title.push_str(&dates);
    }
    title
}

/// The one or two tactics that weigh most, in the order of the kill chain; without any, the claim
/// of the gravest finding.
fn what(findings: &[&Finding], tactics: &TacticWeights) -> String {
    let mut heaviest: Vec<_> = tactics.iter().collect();
    heaviest.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
    let top = heaviest.first().map_or(0.0, |(_, weight)| **weight);
    let named: BTreeSet<_> = heaviest
        .iter()
        .take(2)
        .filter(|(_, weight)| **weight >= top * MIN_SHARE)
        .map(|(tactic, _)| **tactic)
        .collect();
    if named.is_empty() {
        let gravest = findings.iter().rev().max_by_key(|finding| finding.severity);
        return gravest.map_or_else(String::new, |finding| cut(&finding.title, 2 * MAX_NAME));
    }
    let names: Vec<&str> = named.into_iter().map(|tactic| tactic.name()).collect();
    capitalised(&names.join(" and "))
}

/// " on WS-014 and DC-1", " against Anna Berg and 11 others", or nothing.
fn whom(findings: &[&Finding], targets: &[Target]) -> String {
    let is_message = |finding: &&&Finding| finding.ocsf_class() == Class::EMAIL_ACTIVITY;
    let is_mostly_mail = findings.iter().filter(is_message).count() * 2 > findings.len();
    let people = || {
        (
            " against ",
            names(targets, |target| target.entity.kind != EntityKind::Host),
        )
    };
    let hosts = || {
        (
            " on ",
            names(targets, |target| target.entity.kind == EntityKind::Host),
        )
    };
    let (first, second) = if is_mostly_mail {
        (people(), hosts())
    } else {
        (hosts(), people())
    };
    let (preposition, named) = if first.1.is_empty() { second } else { first };
    if named.is_empty() {
        return String::new();
    }
    format!("{preposition}{}", enumerated(&named))
}

/// The names of the targets that are `wanted`, most findings first, each once.
fn names(targets: &[Target], wanted: impl Fn(&Target) -> bool) -> Vec<String> {
    let mut seen = BTreeSet::new();
    targets
        .iter()
        .filter(|target| wanted(target))
        .map(target_name)
        .filter(|name| seen.insert(name.clone()))
        .collect()
}

fn target_name(target: &Target) -> String {
    let value = target.entity.value.as_str();
    let name = match &target.person {
        Some(person) => person.clone(),
        None if target.entity.kind == EntityKind::Host => short_host(value).to_uppercase(),
        None => value.to_owned(),
    };
    cut(&name, MAX_NAME)
}

/// "A", "A and B", "A, B and C", "A, B and 7 others".
fn enumerated(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, others @ ..] => format!("{one}, {two} and {} others", others.len()),
    }
}

/// "22 January 2021", "22–24 January 2021", "30 January – 2 February 2021"; in UTC.
fn dates(first: Timestamp, last: Timestamp) -> Option<String> {
    let from = Date::of(first)?;
    let to = Date::of(last)?;
    let month = |date: &Date| MONTHS[date.month];
    Some(if from == to {
        format!("{} {} {}", to.day, month(&to), to.year)
    } else if (&from.year, from.month) == (&to.year, to.month) {
        format!("{}–{} {} {}", from.day, to.day, month(&to), to.year)
    } else if from.year == to.year {
        format!(
            "{} {} – {} {} {}",
            from.day,
            month(&from),
            to.day,
            month(&to),
            to.year
        )
    } else {
        format!(
            "{} {} {} – {} {} {}",
            from.day,
            month(&from),
            from.year,
            to.day,
            month(&to),
            to.year
        )
    })
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[derive(PartialEq)]
struct Date {
    year: String,
    /// From 0.
    month: usize,
    day: u8,
}

impl Date {
    fn of(time: Timestamp) -> Option<Self> {
        let text = time.day();
        let (rest, day) = text.rsplit_once('-')?;
        let (year, month) = rest.rsplit_once('-')?;
        Some(Self {
            year: year.to_owned(),
            month: month
                .parse::<usize>()
                .ok()?
                .checked_sub(1)
                .filter(|&month| month < MONTHS.len())?,
            day: day.parse().ok()?,
        })
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str) -> Option<String> {
        dates(Timestamp::parse(first)?, Timestamp::parse(last)?)
    }

    #[test]
    fn dates_are_written_as_a_person_writes_them() {
        for (first, last, expected) in [
            ("2021-01-22T09:00:00Z", "2021-01-22T23:00:00Z", "22 January 2021"),
            (
                "2021-01-22T09:00:00Z",
                "2021-01-24T09:00:00Z",
                "22–24 January 2021",
            ),
            (
                "2021-01-30T09:00:00Z",
                "2021-02-02T09:00:00Z",
                "30 January – 2 February 2021",
            ),
            (
                "2020-12-31T09:00:00Z",
                "2021-01-01T09:00:00Z",
                "31 December 2020 – 1 January 2021",
            ),
        ] {
            assert_eq!(span(first, last).as_deref(), Some(expected));
        }
        assert_eq!(dates(Timestamp::UNKNOWN, Timestamp::UNKNOWN), None);
    }

    #[test]
    fn long_lists_of_targets_are_counted() {
        let names: Vec<String> = ["A", "B", "C", "D"].map(str::to_owned).to_vec();
        assert_eq!(enumerated(&names[..3]), "A, B and C");
        assert_eq!(enumerated(&names), "A, B and 2 others");
    }
}
