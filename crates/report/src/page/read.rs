//! What was read and what was not.

use std::collections::BTreeMap;

use blackrod_model::{Evidence, EvidenceState};
use maud::{Markup, html};

use super::{findings::pager, heading, parts};
use crate::tally::{ReasonTotal, Tally};
use crate::{shown, words};

/// Up to how many items the table has all of them; beyond, it has those with something unread, and
/// a list of all is filled by the script.
const MAX_ITEMS: usize = 400;
const MAX_REASONS: usize = 200;
const MAX_PLACES: usize = 10;
const MAX_UNREAD: usize = 400;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    html! {
        section #read aria-labelledby="read-heading" {
            (heading("read"))
            @if tally.view.evidence.is_empty() {
                p { "There was no evidence." }
            } @else {
                p.intro {
                    (words::counted(tally.records_read, "record")) " were read and "
                    (words::number(tally.records_refused)) " refused, of "
                    (words::counted_as(tally.view.evidence.len() as u64, "item", "items"))
                    " that hold " (words::bytes(tally.bytes)) ". Items that are members of archives follow a "
                    code { "!" } " in their path."
                }
                (by_format(tally))
                (refusals(tally))
                (unread(tally))
                (items(tally))
            }
        }
    }
}

/// Whether there are too many items for a table of all.
pub(super) fn needs_list(tally: &Tally<'_>) -> bool {
    tally.view.evidence.len() > MAX_ITEMS
}

#[derive(Default)]
struct FormatTotal {
    items: u64,
    bytes: u64,
    read: u64,
    refused: u64,
}

fn by_format(tally: &Tally<'_>) -> Markup {
    let mut formats: BTreeMap<(&str, &str), FormatTotal> = BTreeMap::new();
    for evidence in tally.view.evidence {
        let total = formats
            .entry((&evidence.format, evidence.state.name()))
            .or_default();
        total.items += 1;
        total.bytes = total.bytes.saturating_add(evidence.size);
        total.read = total.read.saturating_add(evidence.records_read);
        total.refused = total.refused.saturating_add(evidence.records_refused);
    }
    let rows = html! {
        @for ((format, state), total) in &formats {
            tr {
                th scope="row" { (format_name(format)) }
                td { (state) }
                td.num { (words::number(total.items)) }
                td.num { (words::number(total.read)) }
                td.num { (words::number(total.refused)) }
                td.num { (words::bytes(total.bytes)) }
            }
        }
    };
    html! {
        h3 { "By format" }
        (parts::table(
            "Evidence by format and by how its reading ended",
            &parts::columns(&["Format", "State", "#Items", "#Records read", "#Refused", "#Content"]),
            &rows,
        ))
    }
}

fn format_name(format: &str) -> Markup {
    html! { @if format.is_empty() { "none known" } @else { (parts::quoted(format)) } }
}

fn refusals(tally: &Tally<'_>) -> Markup {
    let reasons = tally.refusals_by_reason();
    let rest = reasons.len().saturating_sub(MAX_REASONS);
    let rows = html! { @for total in reasons.iter().take(MAX_REASONS) { (reason_row(tally, total)) } };
    html! {
        h3 { "What could not be read, by reason" }
        @if reasons.is_empty() {
            p { "Nothing was refused." }
        } @else {
            (parts::table(
                "Refusals by reason",
                &parts::columns(&["Reason", "#Records", "#Times", "Where"]),
                &rows,
            ))
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more reason")) } }
        }
    }
}

fn reason_row(tally: &Tally<'_>, total: &ReasonTotal<'_>) -> Markup {
    let places = total
        .groups
        .iter()
        .flat_map(|group| group.examples.iter().map(|place| (group.evidence, *place)));
    let shown_places: Vec<_> = places.take(MAX_PLACES).collect();
    let rest = total.places.saturating_sub(shown_places.len() as u64);
    html! {
        tr {
            th scope="row" { (parts::quoted(total.reason)) }
            td.num { (words::number(total.records)) }
            td.num { (words::number(total.places)) }
            td {
                ul.plain {
                    @for (evidence, place) in &shown_places {
                        li {
                            bdi.path { (shown::line_of(&tally.path(*evidence), 300)) }
                            @if place.record > 0 { ", record " (words::number(place.record)) }
                            ", byte " (words::number(place.offset))
                        }
                    }
                    @if rest > 0 { li { "and " (words::counted(rest, "more place")) } }
                }
            }
        }
    }
}

/// Items that were not read to their end.
fn unread(tally: &Tally<'_>) -> Markup {
    let is_unread =
        |evidence: &&Evidence| !matches!(evidence.state, EvidenceState::Read | EvidenceState::Opened);
    let unread: Vec<_> = tally.view.evidence.iter().filter(is_unread).collect();
    let rest = unread.len().saturating_sub(MAX_UNREAD);
    html! {
        h3 { "Items not read, or not to their end" }
        @if unread.is_empty() {
            p { "There are none." }
        } @else {
            p.note {
                "Also an item of unknown format is compared by its digest with the indicators and searched by the YARA rules."
            }
            (table_of("Items not read, or not to their end", unread.iter().copied().take(MAX_UNREAD)))
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more item")) } }
        }
    }
}

fn items(tally: &Tally<'_>) -> Markup {
    html! {
        @if needs_list(tally) {
            div.interactive #evidence-list data-source="evidence-data" {
                h3 { "Every item" }
                div.filters role="search" aria-label="Evidence" {
                    div.field.wide {
                        label for="evidence-text" { "Words in path, format or digest" }
                        input #evidence-text type="search" autocomplete="off" spellcheck="false";
                    }
                }
                p.list-status role="status" { "Reading the list…" }
                ol.rows {}
                (pager("evidence"))
            }
            div.static-items {
                h3 { "Every item" }
                p.note {
                    "There are too many to print: the case's table of evidence has every one, and so has this file where it is "
                    "opened in a browser with JavaScript. The first " (MAX_ITEMS) ":"
                }
                (table_of("The first items", tally.view.evidence.iter().take(MAX_ITEMS)))
            }
        } @else {
            h3 { "Every item" }
            (table_of("Every item of evidence", tally.view.evidence.iter()))
        }
    }
}

fn table_of<'a>(caption: &str, items: impl Iterator<Item = &'a Evidence>) -> Markup {
    let rows = html! {
        @for evidence in items {
            tr {
                th.value scope="row" {
                    (parts::quoted(&evidence.path))
                    span.digest { "SHA-256 " (evidence.sha256) }
                }
                td { (format_name(&evidence.format)) }
                td { (parts::state(evidence.state)) }
                td.num { (words::number(evidence.records_read)) }
                td.num { (words::number(evidence.records_refused)) }
                td.num { (words::bytes(evidence.size)) }
            }
        }
    };
    parts::table(
        caption,
        &parts::columns(&["Path", "Format", "State", "#Read", "#Refused", "#Size"]),
        &rows,
    )
}
