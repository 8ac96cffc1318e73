//! What is reported: campaigns, and the findings that they and single messages make.

use std::collections::BTreeMap;

use blackrod_model::mail::{CampaignMessage, Facts, Fired, LinkRole, MailCampaign, Term};
use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Reason, Severity};
use rustc_hash::FxHashMap;

use super::Judged;
use super::campaign::{Scored, words_of};
use super::cluster::Cluster;
use super::history::DAY;
use super::source::SourceId;
use super::tokens::templates_of;

/// The code of findings about messages of a campaign.
pub const RECONNAISSANCE: &str = "mail/reconnaissance";
/// The code of findings about single messages from outside.
pub const SPEAR: &str = "mail/spear-phishing";
/// The code of findings about messages from inside.
pub const LATERAL: &str = "mail/lateral-phishing";

/// The most recipients that a finding names.
const RECIPIENTS: usize = 40;
/// The most templates that a campaign names.
const TEMPLATES: usize = 24;
/// The most reasons that a finding gives.
const REASONS: usize = 12;

/// A cluster that fired, as it is reported; `is_kept`: whether a source is still remembered.
pub(super) fn campaign(
    cluster: &Cluster,
    scored: Scored,
    fired: Fired,
    is_kept: &dyn Fn(SourceId) -> bool,
) -> MailCampaign {
    let mut templates = templates_of(&cluster.messages);
    templates.truncate(TEMPLATES);
    let place: FxHashMap<&str, usize> = templates
        .iter()
        .enumerate()
        .map(|(place, template)| (template.template.as_str(), place))
        .collect();
    let messages: Vec<CampaignMessage> = cluster
        .messages
        .iter()
        .map(|message| {
            let mut used: Vec<usize> = message
                .links
                .iter()
                .filter_map(|link| place.get(link.template.as_str()).copied())
                .collect();
            used.sort_unstable();
            used.dedup();
            CampaignMessage {
                evidence: message.evidence,
                at: message.at,
                time: message.time,
                message_id: message.message_id.clone(),
                from_name: message.from_name.clone(),
                from: message.from.clone(),
                recipients: message.recipients.clone(),
                subject: message.subject.clone(),
                templates: used,
            }
        })
        .collect();
    MailCampaign {
        key: key_of(cluster),
        title: title(cluster, &scored),
        score: scored.score,
        terms: scored.terms,
        messages,
        targeting: scored.targeting,
        templates,
        ties: ties(cluster, is_kept),
        fired,
    }
}

/// `M-` and ten digits of its first message.
fn key_of(cluster: &Cluster) -> String {
    let Some(first) = cluster.messages.first() else {
        return "M-".to_owned();
    };
    let id = FindingId::new(RECONNAISSANCE, &first.message_id, first.evidence, first.at, "");
    let digits = id.to_string();
    format!("M-{}", digits.get(..10).unwrap_or(&digits))
}

fn title(cluster: &Cluster, scored: &Scored) -> String {
    let senders = match cluster.sources.len() {
        1 => "one sender".to_owned(),
        several => format!("{several} senders"),
    };
    let people = cluster.recipients.len();
    match scored.targeting.first() {
        Some(targeting) => format!(
            "{senders} to {people} people, {} of them in {}",
            targeting.hit, targeting.name
        ),
        None => format!("{senders} to {people} people"),
    }
}

fn ties(cluster: &Cluster, is_kept: &dyn Fn(SourceId) -> bool) -> Vec<Term> {
    let sender = |id: SourceId| {
        let known = is_kept(id).then_some(());
        let message = known.and_then(|()| cluster.messages.iter().find(|message| message.source == id));
        message.map_or_else(|| "another sender".to_owned(), |message| message.from.clone())
    };
    let mut ties: Vec<Term> = cluster
        .ties
        .iter()
        .map(|tie| Term {
            code: "tie".to_owned(),
            weight: (tie.weight * 100.0).round() / 100.0,
            words: format!(
                "{} and {} {}",
                sender(tie.sources.0),
                sender(tie.sources.1),
                words_of(&tie.shared)
            ),
            innocent: String::new(),
        })
        .collect();
    ties.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.words.cmp(&b.words)));
    ties
}

/// A finding for each message of a campaign.
pub(super) fn findings(campaign: &MailCampaign) -> Vec<Finding> {
    let beacons: Vec<&str> = campaign
        .templates
        .iter()
        .filter(|template| template.role == LinkRole::Beacon)
        .filter_map(|template| host_of(&template.template))
        .collect();
    let reasons: Vec<Reason> = reasons(&campaign.terms);
    campaign
        .messages
        .iter()
        .map(|message| {
            let mut entities = Entities::default();
            entities.add(EntityKind::MailCampaign, &campaign.key);
            entities.add(EntityKind::Address, &message.from);
            entities.add(EntityKind::MessageId, &message.message_id);
            message
                .recipients
                .iter()
                .take(RECIPIENTS)
                .for_each(|one| entities.add(EntityKind::Address, one));
            let own = message
                .templates
                .iter()
                .filter_map(|place| campaign.templates.get(*place));
            own.filter_map(|template| host_of(&template.template))
                .filter(|host| beacons.contains(host))
                .for_each(|host| entities.add(EntityKind::Domain, host));
            Finding {
                id: FindingId::new(RECONNAISSANCE, &campaign.key, message.evidence, message.at, ""),
                code: RECONNAISSANCE.to_owned(),
                rule_id: campaign.key.clone(),
                title: format!("Part of a campaign that finds out who reads: {}", campaign.title),
                severity: Severity::High,
                time: message.time,
                evidence: message.evidence,
                at: message.at,
                class: Class::EMAIL_ACTIVITY.0,
                attack: vec!["T1598.003".to_owned()],
                reasons: reasons.clone(),
                entities: entities.0,
            }
        })
        .collect()
}

#[derive(Default)]
struct Entities(Vec<Entity>);

impl Entities {
    fn add(&mut self, kind: EntityKind, value: &str) {
        if let Some(entity) = Entity::new(kind, value).filter(|entity| !self.0.contains(entity)) {
            self.0.push(entity);
        }
    }
}

fn reasons(terms: &[Term]) -> Vec<Reason> {
    terms
        .iter()
        .filter(|term| term.weight > 0.0)
        .take(REASONS)
        .map(|term| {
            Reason::new(
                term.code.clone(),
                &format!("{} ({:+.1})", term.words, term.weight),
            )
        })
        .collect()
}

fn host_of(template: &str) -> Option<&str> {
    let (_, rest) = template.split_once("://")?;
    rest.split(['/', '?', '#', ':'])
        .next()
        .filter(|host| !host.is_empty() && !host.contains('{'))
}

/// The messages of each day that stand out most, no more than the budget.
pub(super) struct Alerts {
    budget: usize,
    days: BTreeMap<(u32, &'static str), Vec<(f32, Finding)>>,
}

impl Alerts {
    pub(super) const fn new(budget: usize) -> Self {
        Self {
            budget,
            days: BTreeMap::new(),
        }
    }

    /// A message that might be reported.
    pub(super) fn note(&mut self, code: &'static str, facts: &Facts, judged: &Judged, now: u32) {
        let budget = self.budget;
        let day = self.days.entry((now / DAY, code)).or_default();
        let weakest = day.last().map_or(f32::MIN, |(score, _)| *score);
        if budget == 0 || (day.len() >= budget && judged.score <= weakest) {
            return;
        }
        day.push((judged.score, finding(code, facts, judged)));
        day.sort_by(|(a, one), (b, other)| {
            b.total_cmp(a)
                .then_with(|| (one.evidence.0, one.at).cmp(&(other.evidence.0, other.at)))
        });
        day.truncate(budget);
    }

    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.days.into_values().flatten().map(|(_, finding)| finding)
    }
}

fn finding(code: &'static str, facts: &Facts, judged: &Judged) -> Finding {
    let mut entities = Entities::default();
    entities.add(EntityKind::Address, &facts.from);
    entities.add(EntityKind::MessageId, &facts.message_id);
    facts
        .recipients
        .iter()
        .take(RECIPIENTS)
        .for_each(|one| entities.add(EntityKind::Address, one));
    facts
        .links
        .iter()
        .filter(|link| link.role != LinkRole::Unsubscribe && !link.host.is_empty())
        .take(8)
        .for_each(|link| entities.add(EntityKind::Domain, &link.host));
    let is_link = facts.attachments.is_empty();
    let (title, attack) = match (code, is_link) {
        (LATERAL, _) => ("A message from inside that its sender would not write", "T1534"),
        (_, true) => ("A message that stands out among the day's mail", "T1566.002"),
        (_, false) => (
            "A message with a file that stands out among the day's mail",
            "T1566.001",
        ),
    };
    Finding {
        id: FindingId::new(code, "", facts.evidence, facts.at, ""),
        code: code.to_owned(),
        rule_id: code.to_owned(),
        title: format!("{title}: {}", facts.subject),
        severity: if judged.score >= 9.0 {
            Severity::High
        } else {
            Severity::Medium
        },
        time: facts.time,
        evidence: facts.evidence,
        at: facts.at,
        class: Class::EMAIL_ACTIVITY.0,
        attack: vec![attack.to_owned()],
        reasons: reasons(&judged.reasons),
        entities: entities.0,
    }
}
