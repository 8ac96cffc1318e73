//! What people added to campaigns and changed of them.

use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::{Campaign, CampaignId, FindingId, Timestamp};
use maud::{Markup, html};

use super::parts;
use crate::{shown, words};

/// What was added to `campaign` or changed of it, events by their times, the rest as it was noted.
pub(super) fn of_campaign(remarks: &[Noted], campaign: &Campaign) -> Markup {
    let is_named = |id: &CampaignId| {
        *id == campaign.id
            || campaign
                .findings
                .iter()
                .any(|finding| CampaignId::from_first(*finding) == *id)
    };
    let has = |finding: &FindingId| campaign.findings.contains(finding);
    let mut events: Vec<(Timestamp, &str, &Noted)> = Vec::new();
    let mut others: Vec<(&'static str, &str, &Noted)> = Vec::new();
    for noted in remarks {
        match &noted.remark {
            Remark::Event { campaign, time, text } if is_named(campaign) => events.push((*time, text, noted)),
            Remark::Dissent { campaign, text } if is_named(campaign) => {
                others.push(("Judged otherwise", text, noted));
            }
            Remark::SignOff { campaign } if is_named(campaign) => {
                others.push(("Signed", "stands behind the judgement", noted));
            }
            Remark::Joined { campaigns, reason } if campaigns.iter().any(is_named) => {
                others.push(("Merged by hand", reason, noted));
            }
            Remark::Parted { findings, reason } if findings.iter().any(has) => {
                others.push(("Split off by hand", reason, noted));
            }
            Remark::Renamed { campaign, title } if is_named(campaign) => {
                others.push(("Named by hand", title, noted));
            }
            _ => {}
        }
    }
    events.sort_by_key(|(time, ..)| *time);
    html! {
        @if !events.is_empty() {
            h4 { "What no record holds" }
            ul.plain {
                @for (time, text, noted) in events {
                    li { strong { (words::moment(time)) } " " (shown::block(text)) " " (source(noted)) }
                }
            }
        }
        @if !others.is_empty() {
            h4 { "What people say" }
            ul.plain {
                @for (what, text, noted) in others {
                    li { strong { (what) } ": " (shown::block(text)) " " (source(noted)) }
                }
            }
        }
    }
}

/// Campaigns that somebody said are none.
pub(super) fn dismissed(remarks: &[Noted]) -> Markup {
    let dismissed: Vec<(&str, &str, &Noted)> = remarks
        .iter()
        .filter_map(|noted| match &noted.remark {
            Remark::Dismissed { title, reason, .. } => Some((title.as_str(), reason.as_str(), noted)),
            _ => None,
        })
        .collect();
    html! {
        @if !dismissed.is_empty() {
            h3 { "Dismissed" }
            p.intro { "Somebody looked and said that these are no campaigns. Their findings are still in the list." }
            ul.plain {
                @for (title, reason, noted) in dismissed {
                    li { (parts::quoted(title)) ": " (shown::block(reason)) " " (source(noted)) }
                }
            }
        }
    }
}

pub(super) fn source(noted: &Noted) -> Markup {
    html! {
        span.weight {
            "(" (shown::line_of(&noted.by, 80)) ", " (words::moment(noted.at)) ", remark " (noted.id) ")"
        }
    }
}
