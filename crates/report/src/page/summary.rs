//! What a person needs to know in ten seconds.

use blackrod_model::{Campaign, EvidenceState};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::{shown, words};

/// How many campaigns, and reasons why something was not read, are named here.
const MAX_LINES: usize = 5;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    html! {
        section #summary aria-labelledby="summary-heading" {
            (heading("summary"))
            p.lead { (in_one_sentence(tally)) }
            div.facts {
                (read(tally))
                (found(tally))
                (not_read(tally))
            }
            (top_campaigns(tally))
        }
    }
}

fn in_one_sentence(tally: &Tally<'_>) -> Markup {
    let campaigns = tally.view.campaigns;
    let findings = tally.all_findings();
    html! {
        @match campaigns {
            [] if findings == 0 => { "Nothing hostile was found in what was read." }
            [] => {
                "There " (if findings == 1 { "is " } else { "are " }) (words::counted(findings, "finding"))
                ", and nothing that ties them to one operation."
            }
            [strongest, others @ ..] => {
                @if others.is_empty() { "One campaign was found: " }
                @else { (words::counted(campaigns.len() as u64, "campaign")) " were found. The strongest: " }
                a href={ "#" (parts::anchor(strongest)) } { (parts::quoted(&strongest.title)) }
                "."
            }
        }
    }
}

fn read(tally: &Tally<'_>) -> Markup {
    html! {
        div.fact {
            h3 { "Read" }
            p.big { (words::number(tally.records_read)) }
            p {
                (if tally.records_read == 1 { "record" } else { "records" }) " in "
                (words::counted_as(tally.view.evidence.len() as u64, "item of evidence", "items of evidence"))
                ", "
                // The figure and its unit stay on one line.
                (words::bytes(tally.bytes).replace(' ', "\u{a0}"))
            }
        }
    }
}

fn found(tally: &Tally<'_>) -> Markup {
    html! {
        div.fact {
            h3 { "Found" }
            p.big { (words::number(tally.all_findings())) }
            p { (if tally.all_findings() == 1 { "finding" } else { "findings" }) }
            (parts::severity_counts(|severity| tally.of_severity(severity)))
        }
    }
}

fn not_read(tally: &Tally<'_>) -> Markup {
    let states = [
        (EvidenceState::Failed, "could not be opened"),
        (EvidenceState::Partial, "read only in part"),
        (EvidenceState::Unknown, "of unknown format"),
    ];
    let items = states.map(|(state, words)| (tally.in_state(state), words));
    let is_everything_read = tally.records_refused == 0
        && tally.view.refusals.is_empty()
        && items.iter().all(|(count, _)| *count == 0);
    html! {
        div.fact {
            h3 { "Not read" }
            p.big { (words::number(tally.records_refused)) }
            p { (if tally.records_refused == 1 { "record" } else { "records" }) }
            @if is_everything_read {
                p { "Every record of every item was read." }
            } @else {
                ul.plain {
                    @for (count, words) in items.into_iter().filter(|(count, _)| *count > 0) {
                        li { (words::counted(count, "item")) " " (words) }
                    }
                    li { a href="#read" { "What, where and why" } }
                }
            }
        }
    }
}

fn top_campaigns(tally: &Tally<'_>) -> Markup {
    let campaigns = tally.view.campaigns;
    let strongest = campaigns
        .first()
        .map_or(1.0, |campaign| campaign.score.max(f64::MIN_POSITIVE));
    html! {
        @if !campaigns.is_empty() {
            h3 { "Campaigns by strength" }
            ol.top {
                @for campaign in campaigns.iter().take(MAX_LINES) {
                    li { (top_campaign(tally, campaign, strongest)) }
                }
            }
            @if campaigns.len() > MAX_LINES {
                p { a href="#campaigns" { "All " (words::number(campaigns.len() as u64)) " campaigns" } }
            }
        }
    }
}

fn top_campaign(tally: &Tally<'_>, campaign: &Campaign, strongest: f64) -> Markup {
    let findings = tally.findings_of(campaign);
    let people = people(campaign);
    html! {
        p.top-title { a href={ "#" (parts::anchor(campaign)) } { (parts::quoted(&campaign.title)) } }
        p.top-meta {
            (strength(campaign.score, strongest))
            " " (words::counted(campaign.findings.len() as u64, "finding"))
            @if let Some(gravest) = findings.iter().map(|finding| finding.severity).max() {
                ", the gravest " (parts::severity(gravest))
            }
            @if !people.is_empty() { " · " (people) }
        }
    }
}

/// A bar whose length is the campaign's strength beside the strongest one's, and the figure.
pub(super) fn strength(score: f64, strongest: f64) -> Markup {
    const WIDTH: f64 = 60.0;
    let length = (score / strongest * WIDTH).clamp(1.0, WIDTH);
    html! {
        span.strength {
            svg aria-hidden="true" focusable="false" viewBox="0 0 60 6" width="60" height="6" {
                rect.track x="0" y="0" width="60" height="6" {}
                rect.bar x="0" y="0" width=(format!("{length:.1}")) height="6" {}
            }
            "strength " (format!("{score:.0}"))
        }
    }
}

fn people(campaign: &Campaign) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in campaign
        .targets
        .iter()
        .filter_map(|target| target.person.as_deref())
    {
        let name_shown = shown::line_of(name, 80).into_owned();
        if !names.contains(&name_shown) {
            names.push(name_shown);
        }
        if names.len() == 4 {
            names[3] = "others".to_owned();
            break;
        }
    }
    words::listed(&names)
}
