//! What partners say of what a campaign left behind.

use blackrod_model::{Finding, PartnerSaid};
use maud::{Markup, html};

use super::parts;
use crate::{CaseView, shown, words};

/// How many objects are told of one campaign.
const MAX_SAID: usize = 20;

pub(super) fn of_campaign(view: &CaseView<'_>, findings: &[&Finding]) -> Markup {
    let said = crate::partners::of_findings(view.remarks, findings.iter().copied());
    html! {
        @if !said.is_empty() {
            h4 { "What partners say" }
            p.note {
                "Context, as partners gave it: no judgement rests on it. `blackrod assess add` takes a claim in as evidence, with a grade for its source."
            }
            ul.plain {
                @for one in said.iter().take(MAX_SAID) { li { (told(one)) } }
            }
            @if said.len() > MAX_SAID { p.note { "and " (words::number((said.len() - MAX_SAID) as u64)) " more" } }
        }
    }
}

fn told(said: &PartnerSaid) -> Markup {
    html! {
        strong { (shown::line_of(&words::capitalised(&said.kind.replace('-', " ")), 40)) }
        @if !said.name.is_empty() { " " (parts::quoted(&said.name)) }
        span.weight {
            " (" (shown::line_of(&said.source, 120))
            ", " (match said.confidence {
                Some(confidence) => format!("confidence {confidence} of 100"),
                None => "no confidence stated".to_owned(),
            })
            ", " (match said.tlp.as_str() {
                "" => "no TLP marking".to_owned(),
                tlp => format!("TLP:{}", tlp.to_uppercase()),
            })
            @if said.time.micros().is_some() { ", " (words::moment(said.time)) }
            ")"
        }
        @if !said.text.is_empty() { ": " (shown::line_of(&said.text, 600)) }
        " Hangs on " (shown::line_of(&words::listed(&said.values), 300)) "."
    }
}
