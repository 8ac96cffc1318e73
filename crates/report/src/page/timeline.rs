//! A campaign's findings over time, drawn as SVG and told as a table.

use std::collections::BTreeMap;

use blackrod_model::{Finding, Severity, Tactic, Technique, Timestamp};
use maud::{Markup, html};

use super::campaigns::gravest_of;
use super::parts;
use crate::words;

const WIDTH: f64 = 760.0;
/// Where the lanes' names end and time begins.
const LEFT: f64 = 172.0;
const RIGHT: f64 = 14.0;
const LANE_HEIGHT: f64 = 26.0;
const AXIS_HEIGHT: f64 = 30.0;
const TOP: f64 = 6.0;
/// Into how many stretches of time the drawing is divided: findings of one stretch and lane are one
/// mark, so that a campaign of 10^5 findings draws no more than this many marks a lane.
const STRETCHES: usize = 90;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks that a reader can count in.
const STEPS: [i64; 22] = [
    SECOND,
    5 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    91 * DAY,
    365 * DAY,
];
const MAX_TICKS: i64 = 6;

/// The drawing with its alternatives in words; nothing where fewer than two times are known.
/// `anchor` makes ids unique.
pub(super) fn figure(anchor: &str, findings: &[&Finding]) -> Markup {
    let lanes = lanes(findings);
    let Some(axis) = Axis::over(findings) else {
        return html! {};
    };
    let height = TOP + LANE_HEIGHT * lanes.len() as f64 + AXIS_HEIGHT;
    let title_id = format!("{anchor}-timeline");
    html! {
        figure.timeline {
            div.scroll tabindex="0" role="region" aria-label={ "Timeline of " (anchor) } {
                svg role="img" aria-labelledby=(title_id) viewBox={ "0 0 " (WIDTH) " " (format!("{height:.0}")) } {
                    title id=(title_id) { (in_words(findings, &lanes)) }
                    (axis.ticks(height))
                    @for (row, lane) in lanes.iter().enumerate() {
                        (drawn_lane(&axis, row, lane))
                    }
                }
            }
            figcaption {
                "Findings over time, by what they serve; shape and shade tell the gravest of each mark. "
                (legend(findings))
            }
            details {
                summary { "The timeline as a table" }
                (as_table(&lanes))
            }
        }
    }
}

/// The findings that serve one tactic.
struct Lane<'a> {
    name: String,
    findings: Vec<&'a Finding>,
}

/// Findings by the first tactic of their techniques, in the order of the kill chain, the rest last.
fn lanes<'a>(findings: &[&'a Finding]) -> Vec<Lane<'a>> {
    let mut by_tactic: BTreeMap<Option<std::cmp::Reverse<Tactic>>, Vec<&'a Finding>> = BTreeMap::new();
    for finding in findings {
        let tactic = finding
            .attack
            .iter()
            .filter_map(|id| Technique::parse(id)?.tactics().first().copied())
            .min();
        by_tactic
            .entry(tactic.map(std::cmp::Reverse))
            .or_default()
            .push(finding);
    }
    // `None` sorts first and the last tactic before the first one, so the reverse is what is wanted.
    by_tactic
        .into_iter()
        .rev()
        .map(|(tactic, findings)| Lane {
            name: tactic.map_or_else(
                || "No tactic named".to_owned(),
                |tactic| words::capitalised(tactic.0.name()),
            ),
            findings,
        })
        .collect()
}

fn in_words(findings: &[&Finding], lanes: &[Lane<'_>]) -> String {
    let parts: Vec<String> = lanes
        .iter()
        .map(|lane| {
            format!(
                "{} {}",
                lane.name.to_lowercase(),
                words::number(lane.findings.len() as u64)
            )
        })
        .collect();
    let times = || {
        findings
            .iter()
            .map(|finding| finding.time)
            .filter(|time| *time != Timestamp::UNKNOWN)
    };
    let first = times().min().unwrap_or(Timestamp::UNKNOWN);
    let last = times().max().unwrap_or(Timestamp::UNKNOWN);
    format!(
        "Timeline of {}, {}. By tactic: {}.",
        words::counted(findings.len() as u64, "finding"),
        words::span(first, last),
        words::listed(&parts)
    )
}

/// Time on the drawing, in microseconds.
struct Axis {
    start: i64,
    end: i64,
}

impl Axis {
    /// From the first to the last known time, with a little room on both sides; `None` for fewer
    /// than two findings of known time.
    fn over(findings: &[&Finding]) -> Option<Self> {
        let mut times: Vec<i64> = findings
            .iter()
            .filter_map(|finding| finding.time.micros())
            .collect();
        times.sort_unstable();
        let (&first, &last) = (times.first()?, times.last()?);
        if times.len() < 2 {
            return None;
        }
        let margin = (last.saturating_sub(first) / 50).max(10 * SECOND);
        Some(Self {
            start: first.saturating_sub(margin),
            end: last.saturating_add(margin),
        })
    }

    fn length(&self) -> f64 {
        self.end as f64 - self.start as f64
    }

    fn x(&self, micros: i64) -> f64 {
        let share = (micros as f64 - self.start as f64) / self.length();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn stretch(&self, micros: i64) -> usize {
        let share = (micros as f64 - self.start as f64) / self.length();
        ((share * STRETCHES as f64) as usize).min(STRETCHES - 1)
    }

    fn ticks(&self, height: f64) -> Markup {
        let length = self.end.saturating_sub(self.start);
        let step = STEPS.into_iter().find(|step| length / step <= MAX_TICKS);
        // Beyond six years: as many years a step as give few enough ticks.
        let step = step.unwrap_or_else(|| (length / MAX_TICKS / (365 * DAY) + 1).saturating_mul(365 * DAY));
        let first = self.start.div_euclid(step).saturating_add(1).saturating_mul(step);
        let ticks: Vec<i64> = (0..=MAX_TICKS)
            .map(|index| first.saturating_add(index.saturating_mul(step)))
            .filter(|micros| (self.start..=self.end).contains(micros))
            .collect();
        let bottom = height - AXIS_HEIGHT;
        html! {
            g.axis {
                line x1=(LEFT) x2=(WIDTH - RIGHT) y1=(coordinate(bottom)) y2=(coordinate(bottom)) {}
                @for (index, micros) in ticks.iter().enumerate() {
                    @let x = coordinate(self.x(*micros));
                    line.tick x1=(x) x2=(x) y1=(TOP) y2=(coordinate(bottom + 4.0)) {}
                    text x=(x) y=(coordinate(bottom + 16.0)) text-anchor="middle" { (tick_label(*micros, step, index == 0)) }
                }
            }
        }
    }
}

fn tick_label(micros: i64, step: i64, is_first: bool) -> String {
    let is_midnight = micros.rem_euclid(DAY) == 0;
    let pattern = match step {
        step if step >= 91 * DAY => "%b %Y",
        step if step >= DAY && is_first => "%-d %b %Y",
        step if step >= DAY => "%-d %b",
        _ if is_midnight || (is_first && step >= HOUR) => "%-d %b %H:%M",
        step if step >= MINUTE => "%H:%M",
        _ => "%H:%M:%S",
    };
    words::format(Timestamp::from_micros(micros), pattern).unwrap_or_default()
}

/// Findings of one lane in one stretch of time.
struct Mark {
    /// The middle of their times.
    micros: i64,
    count: usize,
    severity: Severity,
}

fn marks(axis: &Axis, findings: &[&Finding]) -> Vec<Mark> {
    let mut by_stretch: BTreeMap<usize, (i64, i64, usize, Severity)> = BTreeMap::new();
    for finding in findings {
        let Some(micros) = finding.time.micros() else {
            continue;
        };
        let mark = by_stretch
            .entry(axis.stretch(micros))
            .or_insert((micros, micros, 0, finding.severity));
        mark.0 = mark.0.min(micros);
        mark.1 = mark.1.max(micros);
        mark.2 += 1;
        mark.3 = mark.3.max(finding.severity);
    }
    let mark = |(first, last, count, severity): (i64, i64, usize, Severity)| Mark {
        micros: first + last.saturating_sub(first) / 2,
        count,
        severity,
    };
    by_stretch.into_values().map(mark).collect()
}

fn drawn_lane(axis: &Axis, row: usize, lane: &Lane<'_>) -> Markup {
    let middle = TOP + LANE_HEIGHT * (row as f64 + 0.5);
    html! {
        g.lane {
            text x=(LEFT - 12.0) y=(coordinate(middle + 4.0)) text-anchor="end" { (lane.name) }
            line x1=(LEFT) x2=(WIDTH - RIGHT) y1=(coordinate(middle)) y2=(coordinate(middle)) {}
            @for mark in marks(axis, &lane.findings) {
                // One finding is 11 wide, a hundred 19.
                @let size = (11.0 + 4.0 * (mark.count as f64).log10()).min(22.0);
                use class={ "sev-" (mark.severity.name()) } href={ "#sev-" (mark.severity.name()) }
                    x=(coordinate(axis.x(mark.micros) - size / 2.0)) y=(coordinate(middle - size / 2.0))
                    width=(coordinate(size)) height=(coordinate(size)) {}
            }
        }
    }
}

fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

fn legend(findings: &[&Finding]) -> Markup {
    let present = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| findings.iter().any(|finding| finding.severity == *severity));
    html! {
        span.legend { @for severity in present { (parts::severity(severity)) " " } }
    }
}

fn as_table(lanes: &[Lane<'_>]) -> Markup {
    html! {
        table.compact {
            caption.visually-hidden { "Findings over time, by tactic" }
            thead { (parts::columns(&["Tactic", "#Findings", "Gravest", "First (UTC)", "Last (UTC)"])) }
            tbody {
                @for lane in lanes {
                    @let times = || lane.findings.iter().map(|finding| finding.time);
                    @let known = || times().filter(|time| *time != Timestamp::UNKNOWN);
                    tr {
                        th scope="row" { (lane.name) }
                        td.num { (words::number(lane.findings.len() as u64)) }
                        td { (parts::severity(gravest_of(&lane.findings))) }
                        td { (words::moment_short(known().min().unwrap_or(Timestamp::UNKNOWN))) }
                        td { (words::moment_short(known().max().unwrap_or(Timestamp::UNKNOWN))) }
                    }
                }
            }
        }
    }
}
