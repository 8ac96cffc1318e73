//! Each campaign: when, whom, what holds it together, how, and its gravest findings.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::{Campaign, Entity, EntityKind, Finding, Severity, Tactic, Technique};
use maud::{Markup, html};

use super::{heading, partners, parts, remarks, summary, timeline};
use crate::tally::Tally;
use crate::{shown, words};

/// How many campaigns are told in full; the others are lines of a table.
const MAX_IN_FULL: usize = 30;
/// How many campaigns that table has.
const MAX_IN_TABLE: usize = 500;
const MAX_TARGETS: usize = 15;
const MAX_TIES: usize = 8;
const MAX_FINDINGS: usize = 8;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let campaigns = tally.view.campaigns;
    let (in_full, others) = campaigns.split_at(campaigns.len().min(MAX_IN_FULL));
    html! {
        section #campaigns aria-labelledby="campaigns-heading" {
            (heading("campaigns"))
            @if campaigns.is_empty() {
                p { "No findings are tied together strongly enough to be called one operation." }
            } @else {
                p.intro {
                    "Findings that share something rare, close in time, are taken to be one operation. Strength rises with "
                    "the severity and variety of its findings and with whom it hit; only the order means something."
                }
            }
            @for (index, campaign) in in_full.iter().enumerate() {
                (in_detail(tally, index, campaign))
            }
            @if !others.is_empty() { (further(tally, others)) }
            (remarks::dismissed(tally.view.remarks))
        }
    }
}

fn in_detail(tally: &Tally<'_>, index: usize, campaign: &Campaign) -> Markup {
    let findings = tally.findings_of(campaign);
    let anchor = parts::anchor(campaign);
    let of_severity = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count() as u64
    };
    html! {
        article.campaign id=(anchor) aria-labelledby={ (anchor) "-heading" } {
            h3 id={ (anchor) "-heading" } { (parts::quoted(&campaign.title)) }
            p.campaign-meta {
                span.id { (shown::line_of(campaign.id.as_str(), 60)) }
                " · strength " (format!("{:.0}", campaign.score))
                " · " (words::span(campaign.first_seen, campaign.last_seen))
            }
            (parts::severity_counts(of_severity))
            (timeline::figure(&anchor, &findings))
            (remarks::of_campaign(tally.view.remarks, campaign))
            (partners::of_campaign(&tally.view, &findings))
            div.pair {
                (targets(campaign))
                (ties(campaign))
            }
            (techniques(&findings))
            (gravest(tally, index, campaign, &findings))
        }
    }
}

fn targets(campaign: &Campaign) -> Markup {
    let rest = campaign.targets.len().saturating_sub(MAX_TARGETS);
    html! {
        div.targets {
            h4 { "Whom and what it hit" }
            @if campaign.targets.is_empty() {
                p { "No account, address or host of the estate is named." }
            } @else {
                table.compact {
                    caption.visually-hidden { "Targets of this campaign" }
                    thead { (parts::columns(&["Target", "Person", "#Findings"])) }
                    tbody {
                        @for target in campaign.targets.iter().take(MAX_TARGETS) {
                            tr {
                                th scope="row" {
                                    span.kind { (kind_name(target.entity.kind)) }
                                    " " (parts::quoted(&target.entity.value))
                                }
                                td { @if let Some(person) = &target.person { (parts::quoted(person)) } }
                                td.num { (words::number(target.findings as u64)) }
                            }
                        }
                    }
                }
                @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more target")) } }
            }
        }
    }
}

fn ties(campaign: &Campaign) -> Markup {
    let rest = campaign.ties.len().saturating_sub(MAX_TIES);
    html! {
        div.ties {
            h4 { "What holds it together" }
            @if campaign.ties.is_empty() {
                p { "A single finding, grave enough to be told by itself." }
            } @else {
                ul {
                    @for tie in campaign.ties.iter().take(MAX_TIES) {
                        li {
                            (words::counted(tie.findings as u64, "finding")) " share the "
                            (in_words(&tie.entity))
                            span.weight { " (" (strength_of_tie(tie.weight)) ")" }
                        }
                    }
                }
                @if rest > 0 { p.note { "and " (words::counted_as(rest as u64, "weaker tie", "weaker ties")) } }
            }
        }
    }
}

fn in_words(entity: &Entity) -> Markup {
    html! { (kind_name(entity.kind)) " " code { (parts::quoted(&entity.value)) } }
}

/// An entity's kind as a reader calls it.
pub(super) fn kind_name(kind: EntityKind) -> String {
    match kind {
        EntityKind::Address => "mail address".to_owned(),
        EntityKind::Hash => "file digest".to_owned(),
        EntityKind::Ip => "IP address".to_owned(),
        EntityKind::Url => "URL".to_owned(),
        EntityKind::MessageId => "Message-ID".to_owned(),
        other => other.name().replace('_', " "),
    }
}

/// A digest in one place of a thousand weighs about 20, a host about 7.
fn strength_of_tie(weight: f64) -> &'static str {
    match weight {
        weight if weight >= 12.0 => "a strong tie",
        weight if weight >= 5.0 => "a moderate tie",
        _ => "a weak tie",
    }
}

fn techniques(findings: &[&Finding]) -> Markup {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for id in findings.iter().flat_map(|finding| &finding.attack) {
        *counts.entry(id).or_insert(0) += 1;
    }
    let mut by_tactic: BTreeMap<Tactic, Vec<(&str, u64)>> = BTreeMap::new();
    let mut elsewhere: Vec<(&str, u64)> = Vec::new();
    for (id, count) in counts {
        let tactics = Technique::parse(id).map_or(&[][..], |technique| technique.tactics());
        match tactics.first() {
            Some(tactic) => by_tactic.entry(*tactic).or_default().push((id, count)),
            None => elsewhere.push((id, count)),
        }
    }
    html! {
        @if !by_tactic.is_empty() || !elsewhere.is_empty() {
            h4 { "How: MITRE ATT&CK techniques" }
            dl.tactics {
                @for (tactic, techniques) in &by_tactic {
                    div { dt { (words::capitalised(tactic.name())) } dd { (technique_list(techniques)) } }
                }
                @if !elsewhere.is_empty() {
                    div { dt { "Of no known tactic" } dd { (technique_list(&elsewhere)) } }
                }
            }
        }
    }
}

fn technique_list(techniques: &[(&str, u64)]) -> Markup {
    html! {
        ul {
            @for (id, count) in techniques {
                li {
                    span.id { (shown::line_of(id, 40)) }
                    " " (parts::technique_name(id).unwrap_or_default())
                    span.weight { " · " (words::counted(*count, "finding")) }
                }
            }
        }
    }
}

/// The gravest findings, each rule once before any comes twice.
fn gravest(tally: &Tally<'_>, index: usize, campaign: &Campaign, findings: &[&Finding]) -> Markup {
    let chosen = choose(findings);
    let all = campaign.findings.len();
    html! {
        h4 { @if chosen.len() < all { "Its gravest findings" } @else { "Its findings" } }
        @for finding in &chosen { (parts::finding(tally, finding)) }
        @if chosen.len() < all {
            p.note {
                (words::number(chosen.len() as u64)) " of " (words::number(all as u64)) " are shown. "
                a.show-campaign href="#findings" data-campaign=(index) {
                    "All findings of this campaign"
                }
            }
        }
    }
}

fn choose<'a>(findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut by_gravity = findings.to_vec();
    by_gravity.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.time, finding.id));
    let mut rules_seen = BTreeSet::new();
    let (once, again): (Vec<_>, Vec<_>) = by_gravity
        .into_iter()
        .partition(|finding| rules_seen.insert((&finding.code, &finding.rule_id)));
    let mut chosen: Vec<_> = once.into_iter().chain(again).take(MAX_FINDINGS).collect();
    chosen.sort_by_key(|finding| (finding.time, finding.id));
    chosen
}

fn further(tally: &Tally<'_>, campaigns: &[Campaign]) -> Markup {
    let strongest = tally
        .view
        .campaigns
        .first()
        .map_or(1.0, |campaign| campaign.score.max(f64::MIN_POSITIVE));
    let rest = campaigns.len().saturating_sub(MAX_IN_TABLE);
    let rows = html! {
        @for campaign in campaigns.iter().take(MAX_IN_TABLE) {
            tr id=(parts::anchor(campaign)) {
                th scope="row" { (parts::quoted(&campaign.title)) }
                td { (summary::strength(campaign.score, strongest)) }
                td.num { (words::number(campaign.findings.len() as u64)) }
                td { (words::moment_short(campaign.first_seen)) }
            }
        }
    };
    html! {
        h3 { "Further campaigns" }
        (parts::table(
            "Campaigns that are weaker than those above",
            &parts::columns(&["Campaign", "Strength", "#Findings", "First seen (UTC)"]),
            &rows,
        ))
        @if rest > 0 {
            p.note { "and " (words::counted(rest as u64, "more campaign")) ", in the case's table of campaigns" }
        }
    }
}

/// The severity that findings of a list have at most.
pub(super) fn gravest_of(findings: &[&Finding]) -> Severity {
    findings
        .iter()
        .map(|finding| finding.severity)
        .max()
        .unwrap_or(Severity::Informational)
}
