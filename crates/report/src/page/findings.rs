//! All findings: by rule, the gravest in full, and a list of all that can be searched.

use blackrod_model::{Finding, Severity};
use maud::{Markup, html};

use super::{heading, parts};
use crate::shown;
use crate::tally::{RuleTotal, Tally};
use crate::words;

/// How many rules the table has.
const MAX_RULES: usize = 1_000;
/// How many findings are told without JavaScript, and on paper.
const MAX_STATIC: usize = 300;
/// How many campaigns the filter offers.
const MAX_CAMPAIGN_OPTIONS: usize = 500;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let all = tally.all_findings();
    html! {
        section #findings aria-labelledby="findings-heading" {
            (heading("findings"))
            @if all == 0 {
                p { "No rule, indicator or detector fired." }
            } @else {
                @if tally.only_counted() > 0 {
                    p.note {
                        "So many findings are told by examples: of the rules that fire most, "
                        (words::number(tally.view.findings.len() as u64)) " findings spread evenly over time are listed, drawn "
                        "into campaigns and judged; " (words::counted(tally.only_counted(), "further finding"))
                        " of the same rules are counted in the table and can be asked for with " code { "blackrod hunt" } "."
                    }
                }
                (by_rule(tally))
                (searchable(tally))
                (gravest(tally))
            }
        }
    }
}

fn by_rule(tally: &Tally<'_>) -> Markup {
    let rules = tally.rules();
    let rest = rules.len().saturating_sub(MAX_RULES);
    let rows = html! { @for rule in rules.iter().take(MAX_RULES) { (rule_row(rule)) } };
    html! {
        h3 { "By rule" }
        (parts::table(
            "Findings by rule, gravest first",
            &parts::columns(&["Rule", "Severity", "#Findings", "First (UTC)", "Last (UTC)", "ATT&CK"]),
            &rows,
        ))
        @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more rule")) } }
    }
}

fn rule_row(rule: &RuleTotal<'_>) -> Markup {
    let finding = rule.first_finding;
    html! {
        tr {
            th scope="row" {
                (parts::quoted(&finding.title))
                span.sub { (parts::quoted(&finding.code)) " " (parts::quoted(&finding.rule_id)) }
            }
            td { (parts::severity(finding.severity)) }
            td.num { (words::number(rule.findings)) }
            td.time { (words::moment_short(rule.first)) }
            td.time { (words::moment_short(rule.last)) }
            td { (parts::techniques(&finding.attack)) }
        }
    }
}

/// The list that the script fills from the data at the end of the file.
fn searchable(tally: &Tally<'_>) -> Markup {
    let campaigns = tally.view.campaigns;
    html! {
        div.interactive #finding-list data-source="finding-data" {
            h3 #finding-list-heading { "All findings" }
            div.filters role="search" aria-label="Findings" {
                div.field.wide {
                    label for="finding-text" { "Words in title, rule, fields or path" }
                    input #finding-text type="search" autocomplete="off" spellcheck="false";
                }
                div.field {
                    label for="finding-severity" { "Severity" }
                    select #finding-severity {
                        option value="0" { "any" }
                        @for severity in &Severity::ALL[1..] {
                            option value=(*severity as u8) {
                                (severity.name()) @if *severity != Severity::Critical { " or graver" }
                            }
                        }
                    }
                }
                div.field {
                    label for="finding-campaign" { "Campaign" }
                    select #finding-campaign {
                        option value="any" { "any or none" }
                        option value="none" { "none" }
                        @for (index, campaign) in campaigns.iter().take(MAX_CAMPAIGN_OPTIONS).enumerate() {
                            option value=(index) { (shown::line_of(&campaign.title, 100)) }
                        }
                    }
                }
                div.field {
                    label for="finding-order" { "Order" }
                    select #finding-order {
                        option value="severity" { "gravest first" }
                        option value="time" { "earliest first" }
                        option value="latest" { "latest first" }
                    }
                }
            }
            p.list-status role="status" { "Reading the findings…" }
            ol.rows {}
            (pager("findings"))
        }
    }
}

/// Buttons to go through a list page by page.
pub(super) fn pager(what: &str) -> Markup {
    html! {
        nav.pager aria-label={ "Pages of " (what) } {
            button.previous type="button" { "Previous" }
            span.page {}
            button.next type="button" { "Next" }
        }
    }
}

/// The gravest findings as a table, for paper and for readers without JavaScript.
fn gravest(tally: &Tally<'_>) -> Markup {
    let mut by_gravity: Vec<&Finding> = tally.view.findings.iter().collect();
    let gravity = |finding: &&Finding| (std::cmp::Reverse(finding.severity), finding.time, finding.id);
    if by_gravity.len() > MAX_STATIC {
        by_gravity.select_nth_unstable_by_key(MAX_STATIC, gravity);
        by_gravity.truncate(MAX_STATIC);
    }
    by_gravity.sort_by_key(gravity);
    let all = tally.view.findings.len();
    html! {
        div.static-findings {
            h3 { @if by_gravity.len() < all { "The gravest findings" } @else { "All findings" } }
            @if by_gravity.len() < all {
                p.note {
                    (words::number(by_gravity.len() as u64)) " of " (words::number(all as u64))
                    " are printed. All can be searched where this file is opened in a browser with JavaScript, and in the case."
                }
            }
            @for finding in &by_gravity { (parts::finding(tally, finding)) }
        }
    }
}
