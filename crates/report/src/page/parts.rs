//! Pieces that several sections use.

use blackrod_model::{Campaign, EvidenceState, Finding, Severity, Technique};
use maud::{Markup, html};

use crate::tally::Tally;
use crate::{shown, words};

/// The shapes of severities: each has its own, so that colour is never all there is.
pub(crate) fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" width="0" height="0" focusable="false" {
            symbol id="sev-critical" viewBox="0 0 12 12" { path d="M6 .8 11.6 11H.4Z" {} }
            symbol id="sev-high" viewBox="0 0 12 12" { path d="M6 .3 11.7 6 6 11.7.3 6Z" {} }
            symbol id="sev-medium" viewBox="0 0 12 12" { circle cx="6" cy="6" r="4.6" {} }
            symbol id="sev-low" viewBox="0 0 12 12" {
                circle cx="6" cy="6" r="3.9" fill="none" stroke="currentColor" stroke-width="1.6" {}
            }
            symbol id="sev-informational" viewBox="0 0 12 12" { path d="M1.5 5h9v2h-9z" {} }
        }
    }
}

/// A severity as shape and word.
pub(crate) fn severity(severity: Severity) -> Markup {
    html! {
        span class={ "sev sev-" (severity.name()) } {
            svg aria-hidden="true" focusable="false" { use href={ "#sev-" (severity.name()) } {} }
            (severity.name())
        }
    }
}

/// `▲ 3 critical, ◆ 20 high`: how many findings of each severity, gravest first, none left out that
/// is not zero.
pub(crate) fn severity_counts(count: impl Fn(Severity) -> u64) -> Markup {
    let counted = Severity::ALL.into_iter().rev().map(|level| (level, count(level)));
    html! {
        ul.sev-counts {
            @for (level, number) in counted.filter(|(_, number)| *number > 0) {
                li { span.figure { (words::number(number)) } " " (severity(level)) }
            }
        }
    }
}

/// The anchor of a campaign's section. Its id is made of evidence digests, but kept to letters and
/// digits whatever the case's store says.
pub(crate) fn anchor(campaign: &Campaign) -> String {
    let id = campaign.id.as_str();
    let safe = id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40);
    std::iter::once("campaign-")
        .map(str::to_owned)
        .chain(safe.map(String::from))
        .collect()
}

/// Text from evidence within a sentence or a cell: kept apart from the direction of what surrounds it.
pub(crate) fn quoted(text: &str) -> Markup {
    html! { bdi { (shown::line(text)) } }
}

/// Where a finding's record stands.
pub(crate) fn pointer(tally: &Tally<'_>, finding: &Finding) -> Markup {
    html! {
        bdi.path { (shown::line(&tally.path(finding.evidence))) }
        @if finding.at.record > 0 { ", record " (words::number(finding.at.record)) }
        ", byte " (words::number(finding.at.offset))
    }
}

/// A finding with the fields that made its rule fire.
pub(crate) fn finding(tally: &Tally<'_>, finding: &Finding) -> Markup {
    html! {
        article.finding {
            p.finding-head {
                (severity(finding.severity))
                " " strong { (quoted(&finding.title)) }
            }
            p.finding-meta {
                (words::moment(finding.time))
                " · rule " (quoted(&finding.code)) " " (quoted(&finding.rule_id))
                @if !finding.attack.is_empty() { " · " (techniques(&finding.attack)) }
            }
            (reasons(finding))
            p.pointer { "In " (pointer(tally, finding)) }
        }
    }
}

/// How many of a finding's fields are shown.
pub(crate) const MAX_REASONS: usize = 20;

fn reasons(finding: &Finding) -> Markup {
    let rest = finding.reasons.len().saturating_sub(MAX_REASONS);
    html! {
        @if !finding.reasons.is_empty() {
            dl.fields {
                @for reason in finding.reasons.iter().take(MAX_REASONS) {
                    div {
                        dt { (quoted(&reason.field)) }
                        dd { code { (shown::block(&reason.value)) } }
                    }
                }
            }
        }
        @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more field")) } }
    }
}

/// Technique ids in one line.
pub(crate) fn techniques(ids: &[String]) -> Markup {
    const MAX: usize = 12;
    let shown_ids: Vec<String> = ids
        .iter()
        .take(MAX)
        .map(|id| shown::line_of(id, 40).into_owned())
        .collect();
    html! {
        (shown_ids.join(", "))
        @if ids.len() > MAX { " and " (ids.len() - MAX) " more" }
    }
}

/// A technique's name, where ATT&CK's table has it.
pub(crate) fn technique_name(id: &str) -> Option<&'static str> {
    Technique::parse(id)?.name()
}

/// How the reading of evidence ended, with a mark where something is left to look at.
pub(crate) fn state(state: EvidenceState) -> Markup {
    let is_whole = matches!(state, EvidenceState::Read | EvidenceState::Opened);
    html! {
        span.state .state-open[!is_whole] { (state.name()) }
    }
}

/// A table that scrolls by itself where the page is too narrow for it. `caption` names it.
pub(crate) fn table(caption: &str, head: &Markup, rows: &Markup) -> Markup {
    html! {
        div.table-wrap tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { (head) }
                tbody { (rows) }
            }
        }
    }
}

/// A row of column headings; those that begin with `#` head columns of figures.
pub(crate) fn columns(names: &[&str]) -> Markup {
    html! {
        tr {
            @for name in names {
                @match name.strip_prefix('#') {
                    Some(figures) => { th.num scope="col" { (figures) } }
                    None => { th scope="col" { (name) } }
                }
            }
        }
    }
}
