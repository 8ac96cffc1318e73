//! What calls for a measure: accounts and hosts that were hit, the institution as a whole, mail campaigns.

use std::collections::BTreeSet;
use std::net::IpAddr;

use blackrod_model::mail::MailCampaign;
use blackrod_model::{Campaign, EntityKind, Finding};

use crate::measures::Measure;

/// How much of a text from evidence is told, in characters.
const MAX_TEXT: usize = 120;

/// Something a measure is to be taken on.
pub(crate) struct Call<'a> {
    /// What names it.
    pub(crate) subject: String,
    /// What a person calls it.
    pub(crate) shown: String,
    pub(crate) why: String,
    pub(crate) findings: Vec<&'a Finding>,
}

/// The mail campaigns that `findings` are about.
pub(crate) fn mail_campaigns_of<'a>(
    findings: &[&Finding],
    all: &'a [MailCampaign],
) -> impl Iterator<Item = &'a MailCampaign> {
    let named: BTreeSet<String> = findings
        .iter()
        .flat_map(|finding| &finding.entities)
        .filter(|entity| entity.kind == EntityKind::MailCampaign)
        .map(|entity| entity.value.to_ascii_lowercase())
        .collect();
    all.iter()
        .filter(move |campaign| named.contains(&campaign.key.to_ascii_lowercase()))
}

/// Accounts or hosts that the campaign hit, named by findings that call for `measure`; those with the gravest first.
pub(crate) fn on_targets<'a>(
    measure: &Measure,
    campaign: &Campaign,
    findings: &[&'a Finding],
    kind: EntityKind,
) -> Vec<Call<'a>> {
    let calling: Vec<&'a Finding> = calling(measure, findings);
    let targets = campaign
        .targets
        .iter()
        .filter(|target| target.entity.kind == kind);
    let mut calls: Vec<Call<'a>> = targets
        .filter_map(|target| {
            let named: Vec<&'a Finding> = calling
                .iter()
                .copied()
                .filter(|finding| finding.entities.contains(&target.entity))
                .collect();
            let gravest = named.first()?;
            Some(Call {
                subject: target.entity.value.clone(),
                shown: match &target.person {
                    Some(person) => format!("{} ({})", cut(&target.entity.value), cut(person)),
                    None => cut(&target.entity.value),
                },
                why: because(&named, gravest),
                findings: named,
            })
        })
        .collect();
    calls.sort_by_key(|call| std::cmp::Reverse(call.findings.first().map(|finding| finding.severity)));
    calls
}

pub(crate) fn on_estate<'a>(measure: &Measure, findings: &[&'a Finding]) -> Option<Call<'a>> {
    let calling = calling(measure, findings);
    let gravest = calling.first()?;
    Some(Call {
        subject: String::new(),
        shown: String::new(),
        why: because(&calling, gravest),
        findings: calling,
    })
}

pub(crate) fn on_mail<'a>(campaign: &MailCampaign) -> Call<'a> {
    let recipients: BTreeSet<&str> = campaign
        .messages
        .iter()
        .flat_map(|message| &message.recipients)
        .map(String::as_str)
        .collect();
    Call {
        subject: campaign.key.clone(),
        shown: campaign.key.clone(),
        why: format!(
            "{} messages to {} addresses: {}",
            campaign.messages.len(),
            recipients.len(),
            cut(&campaign.title)
        ),
        findings: Vec::new(),
    }
}

fn calling<'a>(measure: &Measure, findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let calls = |finding: &&&Finding| finding.attack.iter().any(|technique| measure.answers(technique));
    findings.iter().filter(calls).copied().collect()
}

fn because(findings: &[&Finding], gravest: &Finding) -> String {
    let title = cut(&gravest.title);
    match findings.len() {
        1 => format!("“{title}”"),
        2 => format!("“{title}” and one more finding of high severity or above"),
        more => format!(
            "“{title}” and {} more findings of high severity or above",
            more - 1
        ),
    }
}

/// Whether an address can be reached from elsewhere at all.
pub(crate) fn is_routed(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast())
        }
    }
}

pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
