//! Each mail campaign: why it is called one, whom it was after, what its messages load and lead to.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::mail::{CampaignMessage, LinkRole, MailCampaign, TemplateUse, Term, TokenUse, Variation};
use maud::{Markup, html};

use super::{heading, mail_map, parts};
use crate::tally::Tally;
use crate::{shown, words};

/// How many mail campaigns are told in full.
const MAX_IN_FULL: usize = 30;
const MAX_TERMS: usize = 20;
const MAX_TIES: usize = 12;
const MAX_TEMPLATES: usize = 12;
const MAX_SENDERS: usize = 20;
const MAX_MESSAGES: usize = 40;
const MAX_RECIPIENTS: usize = 5;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let campaigns = tally.view.mail_campaigns;
    let rest = campaigns.len().saturating_sub(MAX_IN_FULL);
    html! {
        section #mail aria-labelledby="mail-heading" {
            (heading("mail"))
            @if campaigns.is_empty() {
                p { "No messages are tied together strongly enough to be called one campaign." }
            } @else {
                p.intro {
                    "Messages that share what is rare in this estate's mail, from senders it did not know, to people who belong "
                    "together. A score is the sum of the weights below, in nats: each says how much more likely the "
                    "observation is in a hostile campaign than in ordinary mail."
                }
            }
            @for (index, campaign) in campaigns.iter().take(MAX_IN_FULL).enumerate() {
                (in_detail(index, campaign))
            }
            @if rest > 0 {
                p.note { "and " (words::counted(rest as u64, "more mail campaign")) ", in the case's table mail_campaigns" }
            }
        }
    }
}

fn in_detail(index: usize, campaign: &MailCampaign) -> Markup {
    let anchor = format!("mail-{index}");
    let people: BTreeSet<&str> = campaign
        .messages
        .iter()
        .flat_map(|message| message.recipients.iter().map(String::as_str))
        .collect();
    let first = campaign.messages.first().map(|message| message.time);
    let last = campaign.messages.last().map(|message| message.time);
    html! {
        article.campaign id=(anchor) aria-labelledby={ (anchor) "-heading" } {
            h3 id={ (anchor) "-heading" } { (parts::quoted(&campaign.title)) }
            p.campaign-meta {
                span.id { (shown::line_of(&campaign.key, 60)) }
                " · score " (format!("{:.1}", campaign.score))
                " · " (words::counted(campaign.messages.len() as u64, "message"))
                " to " (words::counted_as(people.len() as u64, "person", "people"))
                @if let (Some(first), Some(last)) = (first, last) { " · " (words::span(first, last)) }
            }
            p {
                "First called a campaign at its " (words::number(campaign.fired.messages as u64))
                (ordinal_ending(campaign.fired.messages)) " message, when it had reached "
                (words::counted_as(campaign.fired.recipients as u64, "person", "people"))
                ", on " (words::moment(campaign.fired.time)) "."
            }
            h4 { "Who was targeted, and why we think so" }
            (targeting(campaign))
            h4 { "Why it is called a campaign" }
            (terms(&campaign.terms, MAX_TERMS))
            (mail_map::figure(&anchor, campaign))
            div.pair {
                (senders(campaign))
                div.ties {
                    h4 { "What ties its messages" }
                    (terms(&campaign.ties, MAX_TIES))
                }
            }
            h4 { "What its messages load and lead to" }
            (templates(&campaign.templates))
            h4 { "Its messages" }
            (messages(campaign))
        }
    }
}

fn ordinal_ending(number: usize) -> &'static str {
    match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

fn targeting(campaign: &MailCampaign) -> Markup {
    html! {
        @if campaign.targeting.is_empty() {
            p { "Its recipients are from no group of the estate beyond chance." }
        } @else {
            ul.targeting {
                @for enrichment in campaign.targeting.iter().take(5) {
                    li { (parts::quoted(&enrichment.sentence("recipients"))) "." }
                }
            }
        }
    }
}

fn terms(terms: &[Term], limit: usize) -> Markup {
    let rest = terms.len().saturating_sub(limit);
    html! {
        ul.terms {
            @for term in terms.iter().take(limit) {
                li {
                    span.weight { (format!("{:+.1}", term.weight)) } " "
                    (parts::quoted(&term.words))
                    @if !term.innocent.is_empty() {
                        span.innocent { " Innocent if: " (parts::quoted(&term.innocent)) }
                    }
                }
            }
        }
        @if rest > 0 { p.note { "and " (words::number(rest as u64)) " more" } }
    }
}

fn senders(campaign: &MailCampaign) -> Markup {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for message in &campaign.messages {
        *counts.entry((&message.from, &message.from_name)).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|(who, count)| (std::cmp::Reverse(*count), *who));
    let rest = sorted.len().saturating_sub(MAX_SENDERS);
    html! {
        div.targets {
            h4 { "Who it claims to be" }
            table.compact {
                caption.visually-hidden { "Senders of this campaign" }
                thead { (parts::columns(&["Name shown", "Address", "#Messages"])) }
                tbody {
                    @for ((address, name), count) in sorted.into_iter().take(MAX_SENDERS) {
                        tr {
                            th scope="row" { (parts::quoted(name)) }
                            td { code { (parts::quoted(address)) } }
                            td.num { (words::number(count)) }
                        }
                    }
                }
            }
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more sender")) } }
        }
    }
}

fn templates(templates: &[TemplateUse]) -> Markup {
    let rest = templates.len().saturating_sub(MAX_TEMPLATES);
    let rows = html! {
        @for used in templates.iter().take(MAX_TEMPLATES) {
            tr {
                th scope="row" { code { (parts::quoted(&used.template)) } }
                td { (role_name(used.role)) }
                td { @for (index, token) in used.tokens.iter().enumerate() { @if index > 0 { "; " } (token_words(token)) } }
                td.num { (words::number(used.messages as u64)) }
            }
        }
    };
    html! {
        @if templates.is_empty() {
            p { "They share no address on the web." }
        } @else {
            (parts::table(
                "Templates of addresses that its messages share; what varies is in braces",
                &parts::columns(&["Template", "When it reports", "What varies", "#Messages"]),
                &rows,
            ))
            @if rest > 0 { p.note { "and " (words::counted(rest as u64, "more template")) } }
        }
    }
}

const fn role_name(role: LinkRole) -> &'static str {
    match role {
        LinkRole::Beacon => "when the message is opened",
        LinkRole::Click => "when it is clicked",
        LinkRole::Form => "when a form is sent",
        LinkRole::Unsubscribe => "when somebody unsubscribes",
    }
}

fn token_words(token: &TokenUse) -> Markup {
    let how = match token.variation {
        Variation::Constant => "the same for all",
        Variation::PerMessage => "another in each message",
        Variation::PerRecipient => "one for each recipient",
        Variation::Derived => "made from the recipient's address",
        Variation::Other => "varies",
    };
    html! {
        code { (parts::quoted(&token.place)) } " " (how)
        @if let Some(derived) = &token.derived { " (" (parts::quoted(derived)) ")" }
    }
}

fn messages(campaign: &MailCampaign) -> Markup {
    let rest = campaign.messages.len().saturating_sub(MAX_MESSAGES);
    let rows = html! {
        @for message in campaign.messages.iter().take(MAX_MESSAGES) { (message_row(message)) }
    };
    html! {
        (parts::table(
            "Messages of this campaign, earliest first",
            &parts::columns(&["Sent (UTC)", "From", "To", "Subject", "Record"]),
            &rows,
        ))
        p.note {
            @if rest > 0 { "and " (words::counted(rest as u64, "more message")) ", in the case's table messages. " }
            "Bodies are not kept in the case; `blackrod mail inspect` shows a message from the evidence, safely."
        }
    }
}

fn message_row(message: &CampaignMessage) -> Markup {
    let rest = message.recipients.len().saturating_sub(MAX_RECIPIENTS);
    html! {
        tr {
            td { (words::moment_short(message.time)) }
            td { (parts::quoted(&message.from_name)) " " code { (parts::quoted(&message.from)) } }
            td {
                @for (index, recipient) in message.recipients.iter().take(MAX_RECIPIENTS).enumerate() {
                    @if index > 0 { ", " } (parts::quoted(recipient))
                }
                @if rest > 0 { " and " (words::number(rest as u64)) " more" }
            }
            td { (parts::quoted(&message.subject)) }
            td.pointer { "record " (words::number(message.at.record)) ", byte " (words::number(message.at.offset)) }
        }
    }
}
