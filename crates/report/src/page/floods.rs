//! Floods: their course, what their requests have in common, who sent them, what would keep them out.

use std::fmt::Write as _;

use blackrod_model::flood::{Filter, Flood, Unit};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::{shown, words};

/// How many floods are told in full.
const MAX_IN_FULL: usize = 30;
const MAX_SOURCES: usize = 20;
/// The longest text of a rule that is shown, in bytes.
const MAX_RULE: usize = 200_000;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let floods = tally.view.floods;
    let rest = floods.len().saturating_sub(MAX_IN_FULL);
    html! {
        section #floods aria-labelledby="floods-heading" {
            (heading("floods"))
            @if floods.is_empty() {
                p { "No service was flooded, as far as the logs show." }
            } @else {
                p.intro {
                    "More requests or packets than usual that have something in common which ordinary ones do not, and whose senders do not behave "
                    "like visitors. Each filter was replayed over what is known of ordinary traffic; it is "
                    "a proposal and has a time when it should go."
                }
            }
            @for (index, flood) in floods.iter().take(MAX_IN_FULL).enumerate() { (in_detail(index, flood)) }
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more flood")) ", in the case's table floods" } }
        }
    }
}

fn in_detail(index: usize, flood: &Flood) -> Markup {
    let anchor = format!("flood-{index}");
    html! {
        article.campaign id=(anchor) aria-labelledby={ (anchor) "-heading" } {
            h3 id={ (anchor) "-heading" } { (parts::quoted(&flood.title)) }
            p.campaign-meta {
                span.id { (shown::line_of(&flood.key, 60)) }
                " · " (words::counted(flood.requests, flood.unit.word()))
                " from " (words::counted_as(flood.sources, "address", "addresses"))
                " in " (words::counted(flood.networks, "network"))
                " · " (words::span(flood.start, flood.end))
            }
            p {
                "At most " (rate(flood.peak)) " " (flood.unit.word()) "s a second at " (parts::quoted(&flood.service))
                @if flood.learned_from.is_empty() { "; too little is known from before to say what is usual. " }
                @else { ", where up to " (rate(flood.usual)) " are usual, as learned from " (parts::quoted(&flood.learned_from)) ". " }
                "It began on " (words::moment(flood.start))
                "; by " (words::moment(flood.seen)) " there was enough of it to be seen."
            }
            (figure(&anchor, flood))
            h4 { "What its " (flood.unit.word()) "s have in common" }
            (fingerprint(flood))
            h4 { "Why it is no ordinary use" }
            ul { @for sign in flood.signs.iter().take(20) { li { (parts::quoted(sign)) } } }
            @if !flood.loudest.is_empty() {
                h4 { "Who sent most of it" }
                (sources(flood))
            }
            h4 { "What would keep it out" }
            @if flood.filters.is_empty() { p { "Nothing that is known when a request begins sets it apart." } }
            @for filter in &flood.filters { (proposal(filter, flood.unit)) }
        }
    }
}

fn rate(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.1}"),
        value => words::number(value.round() as u64),
    }
}

fn fingerprint(flood: &Flood) -> Markup {
    let rows = html! {
        @for part in flood.fingerprint.iter().take(20) {
            tr {
                th scope="row" { (parts::quoted(&part.dimension)) }
                td { code { (parts::quoted(&part.value)) } }
                td.num { @match part.usual { Some(usual) => (percent(usual)), None => "not known" } }
            }
        }
    };
    parts::table(
        "What nearly all of the flood has in common",
        &parts::columns(&["What", "Value", "#Of ordinary traffic"]),
        &rows,
    )
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        percent if percent > 0.0 && percent < 0.1 => format!("{percent:.4} %"),
        percent => format!("{percent:.1} %"),
    }
}

fn sources(flood: &Flood) -> Markup {
    let amount = match flood.unit {
        Unit::Requests => "#Requests",
        Unit::Packets => "#Packets",
    };
    let rows = html! {
        @for (address, count) in flood.loudest.iter().take(MAX_SOURCES) {
            tr { th scope="row" { code { (parts::quoted(address)) } } td.num { (words::number(*count)) } }
        }
    };
    parts::table(
        "The addresses that sent most of the flood",
        &parts::columns(&["Address", amount]),
        &rows,
    )
}

fn proposal(filter: &Filter, unit: Unit) -> Markup {
    let other = format!("other {}", unit.word());
    html! {
        p {
            strong { "By " (parts::quoted(&filter.by)) } ": stops " (percent(filter.stops)) " of the flood. "
            @if filter.replayed_requests == 0 { "Nothing else is known there to replay it over. " }
            @else {
                "Replayed over " (words::counted(filter.replayed_requests, &other)) " it would have blocked "
                (words::number(filter.blocked_requests)) " (" (percent(filter.harm())) ")"
                @if filter.replayed_clients > 0 {
                    ", of " (words::number(filter.blocked_clients)) " among "
                    (words::counted(filter.replayed_clients, "other client"))
                }
                ". "
            }
            "Expires on " (words::moment(filter.expires)) "."
        }
        @for rule in filter.rules.iter().take(6) {
            details {
                summary { (parts::quoted(&rule.product)) }
                pre { code { (shown::block_of(&rule.text, MAX_RULE)) } }
            }
        }
    }
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 60.0;
const FOOT: f64 = 24.0;

/// The course of a flood: all requests, what is usual, what the preferred filter leaves.
fn figure(anchor: &str, flood: &Flood) -> Markup {
    let plot = &flood.plot;
    let all = format!("{}s a second", words::capitalised(flood.unit.word()));
    let most = plot
        .rate
        .iter()
        .chain(&plot.usual)
        .max()
        .copied()
        .unwrap_or(0)
        .max(1);
    let steps = plot.rate.len();
    let a_second = |count: f64| rate(count / f64::from(plot.step_seconds.max(1)));
    let time = |step: usize| {
        let since = i64::try_from(step).unwrap_or(0) * i64::from(plot.step_seconds);
        let start = plot.start.seconds().unwrap_or_default();
        blackrod_model::Timestamp::from_seconds(start + since)
    };
    let foot = HEIGHT - FOOT;
    html! {
        @if steps > 1 {
            figure.flood {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby={ (anchor) "-plot" } {
                    title id={ (anchor) "-plot" } {
                        (all) ": all, what is usual, and what the first filter leaves; at most " (a_second(f64::from(most)))
                    }
                    @for part in [0.0, 0.5, 1.0] {
                        @let y = foot - part * (foot - 8.0);
                        line.flood-grid x1=(px(LEFT)) x2=(px(WIDTH)) y1=(px(y)) y2=(px(y)) {}
                        text.flood-tick x=(px(LEFT - 6.0)) y=(px(y + 4.0)) text-anchor="end" { (a_second(part * f64::from(most))) }
                    }
                    @for (part, anchored) in [(0.0, "start"), (0.5, "middle"), (1.0, "end")] {
                        text.flood-tick x=(px(LEFT + part * (WIDTH - LEFT))) y=(px(HEIGHT - 6.0)) text-anchor=(anchored) {
                            (words::moment_short(time((part * steps as f64) as usize)))
                        }
                    }
                    path.flood-rate d=(course(&plot.rate, most, true)) {}
                    path.flood-left d=(course(&plot.left, most, false)) {}
                    path.flood-usual d=(course(&plot.usual, most, false)) {}
                }
                figcaption {
                    (all) ": the area is all of them, the solid line what the first filter leaves, the dashed line what is usual. Steps of "
                    (words::counted(u64::from(plot.step_seconds), "second")) "."
                }
            }
        }
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn course(counts: &[u32], most: u32, closed: bool) -> String {
    let foot = HEIGHT - FOOT;
    let step = (WIDTH - LEFT) / (counts.len().max(2) - 1) as f64;
    let mut path = String::new();
    for (index, count) in counts.iter().enumerate() {
        let x = LEFT + step * index as f64;
        let y = foot - f64::from(*count) / f64::from(most) * (foot - 8.0);
        let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
    }
    if closed {
        let _ = write!(path, "L{WIDTH} {foot}L{LEFT} {foot}Z");
    }
    path
}
