//! What was looked for, in which logs, and what could not be looked for.

use blackrod_model::coverage::{LogSpan, Topic};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::words;

/// Logs and holes of one log that are listed.
const MAX_LOGS: usize = 200;
const MAX_HOLES: usize = 5;
/// Logs named for one topic.
const MAX_NAMED: usize = 4;
/// How long the intruders were in the UK's Electoral Commission before they were seen, in days: August 2021 to October 2022.
const KNOWN_DWELL_DAYS: i64 = 14 * 30;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let coverage = tally.view.coverage;
    let (possible, impossible): (Vec<&Topic>, Vec<&Topic>) =
        coverage.topics.iter().partition(|topic| topic.was_possible());
    html! {
        section #coverage aria-labelledby="coverage-heading" {
            (heading("coverage"))
            p.intro {
                "Silence about something says nothing where its log is missing. "
                (words::counted_as(possible.len() as u64, "question was", "questions were"))
                " asked of logs that are here; "
                (words::counted_as(impossible.len() as u64, "question", "questions"))
                " could not be asked for lack of evidence."
            }
            (not_asked(&impossible))
            (asked(&possible))
            (logs(tally))
        }
    }
}

fn not_asked(topics: &[&Topic]) -> Markup {
    let rows = html! {
        @for topic in topics {
            tr {
                th scope="row" { (parts::quoted(&topic.what)) span.sub { (parts::quoted(&topic.by)) } }
                td { (parts::quoted(&topic.needs.join(", "))) }
                td { (parts::quoted(&topic.ask_for)) }
            }
        }
    };
    html! {
        h3 { "What could not be looked for" }
        @if topics.is_empty() {
            p { "Everything that blackrod looks for has at least one of its logs here." }
        } @else {
            (parts::table(
                "Questions without a log",
                &parts::columns(&["Question", "Logs that any one would do", "What to ask for"]),
                &rows,
            ))
        }
    }
}

fn asked(topics: &[&Topic]) -> Markup {
    let rows = html! {
        @for topic in topics {
            @let rest = topic.had.len().saturating_sub(MAX_NAMED);
            tr {
                th scope="row" { (parts::quoted(&topic.what)) span.sub { (parts::quoted(&topic.by)) } }
                td {
                    (parts::quoted(&topic.had[..topic.had.len().min(MAX_NAMED)].join(", ")))
                    @if rest > 0 { " and " (words::counted(rest as u64, "more log")) }
                }
                td.num {
                    @if topic.findings > 0 { (words::number(topic.findings)) } @else { (nothing_own(topic)) }
                }
            }
        }
    };
    html! {
        h3 { "What was looked for" }
        @if topics.is_empty() {
            p { "No log is here that anything could be looked for in." }
        } @else {
            p.note {
                "Counted are the findings of detectors of the question's own. Where Sigma or YARA rules look for it too, see Findings."
            }
            (parts::table(
                "Questions and the logs that they were asked of",
                &parts::columns(&["Question", "In these logs", "#Findings"]),
                &rows,
            ))
        }
    }
}

/// What to say where no detector of a question's own found anything: rules that look for it as well may have.
fn nothing_own(topic: &Topic) -> &'static str {
    let has_rules = ["SIGMA", "YARA"].iter().any(|method| topic.by.contains(method));
    if has_rules { "see Findings" } else { "no sign" }
}

fn logs(tally: &Tally<'_>) -> Markup {
    let coverage = tally.view.coverage;
    let rest = coverage.logs.len().saturating_sub(MAX_LOGS);
    let reach = coverage
        .logs
        .iter()
        .filter_map(|log| Some(log.last.seconds()? - log.first.seconds()?))
        .max()
        .map_or(0, |seconds| seconds / 86_400);
    let rows = html! { @for log in coverage.logs.iter().take(MAX_LOGS) { (log_row(log)) } };
    html! {
        h3 { "Which logs there are, and their holes" }
        @if coverage.logs.is_empty() {
            p { "There are none with times." }
        } @else {
            @if reach < KNOWN_DWELL_DAYS {
                p.note {
                    "The longest log spans " (words::counted(reach.unsigned_abs(), "day")) ". In the break-in into the UK's Electoral Commission the "
                    "intruders were inside for 14 months before anybody saw them: what came before these logs begin cannot be "
                    "excluded by them."
                }
            }
            (parts::table(
                "Logs by product and channel",
                &parts::columns(&["Log", "#Records", "First", "Last", "To be noted"]),
                &rows,
            ))
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more log")) } }
        }
    }
}

fn log_row(log: &LogSpan) -> Markup {
    let rest = log.holes.len().saturating_sub(MAX_HOLES);
    html! {
        tr {
            th scope="row" {
                @if log.product.is_empty() && log.channel.is_empty() { "logs that name no product" } @else {
                    (parts::quoted(format!("{}/{}", log.product, log.channel).trim_matches('/')))
                }
            }
            td.num { (words::number(log.records)) }
            td { (words::moment_short(log.first)) }
            td { (words::moment_short(log.last)) }
            td {
                @if log.remarks.is_empty() && log.holes.is_empty() { "—" } @else {
                    ul.plain {
                        @for remark in &log.remarks { li { (parts::quoted(remark)) } }
                        @for hole in log.holes.iter().take(MAX_HOLES) {
                            li { "hole: " (words::moment_short(hole.from)) " to " (words::moment_short(hole.to)) }
                        }
                        @if rest > 0 { li { "and " (words::counted(rest as u64, "more hole")) } }
                    }
                }
            }
        }
    }
}
