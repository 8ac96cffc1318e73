//! Which rules were at work, and which were not.

use blackrod_model::{RuleProblem, RuleSet};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::words;

/// How many rules are named in each list.
const MAX_NAMED: usize = 300;
/// Up to how many of them are printed on paper.
const MAX_PRINTED: usize = 25;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let sets = tally.view.rule_sets;
    html! {
        section #rules aria-labelledby="rules-heading" {
            (heading("rules"))
            @if sets.is_empty() {
                p { "No rules were in use." }
            } @else {
                (overview(sets))
                @for set in sets {
                    (problems(set, "could not be loaded", &set.refused))
                    (problems(set, "can never match this evidence", &set.idle))
                }
            }
        }
    }
}

fn overview(sets: &[RuleSet]) -> Markup {
    let rows = html! {
        @for set in sets {
            tr {
                th scope="row" {
                    (parts::quoted(&set.method))
                    span.digest { "SHA-256 " (set.digest) }
                }
                td.num { (words::number(set.loaded)) }
                td.num { (words::number(set.refused.len() as u64)) }
                td.num { (words::number(set.idle.len() as u64)) }
            }
        }
    };
    html! {
        p.intro {
            "A rule that could not be loaded, or that asks for a log that is not in the evidence, says nothing by its silence."
        }
        (parts::table(
            "Rules by method",
            &parts::columns(&["Method", "#At work", "#Not loaded", "#Without evidence to match"]),
            &rows,
        ))
    }
}

fn problems(set: &RuleSet, what: &str, problems: &[RuleProblem]) -> Markup {
    let rest = problems.len().saturating_sub(MAX_NAMED);
    let caption = format!("Rules of {} that {what}", crate::shown::line_of(&set.method, 60));
    html! {
        @if !problems.is_empty() {
            details.long[problems.len() > MAX_PRINTED] {
                summary { (caption) ": " (words::number(problems.len() as u64)) }
                div.table-wrap tabindex="0" role="region" aria-label=(caption) {
                    table {
                        caption.visually-hidden { (caption) }
                        thead { (parts::columns(&["Rule", "Why"])) }
                        tbody {
                            @for problem in problems.iter().take(MAX_NAMED) {
                                tr {
                                    th scope="row" {
                                        @if !problem.title.is_empty() { (parts::quoted(&problem.title)) }
                                        span.sub { (parts::quoted(&problem.rule)) }
                                    }
                                    td { (parts::quoted(&problem.reason)) }
                                }
                            }
                        }
                    }
                }
                @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more rule")) } }
            }
        }
    }
}
