//! Groups of findings → campaigns.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::{
    Campaign, CampaignId, Entity, EntityKind, Estate, Finding, Severity, Target, Tie, Timestamp,
};

use crate::entities::Entities;
use crate::link;
use crate::people::{People, short_host};
use crate::prior::prior;
use crate::rarity::inverse_frequency;
use crate::revision::Revisions;
use crate::score::{score, tactics};
use crate::title::title;

/// The most ties that are told of one campaign.
const MAX_TIES: usize = 50;

/// Groups `findings` into campaigns, strongest first.
///
/// A campaign has at least two findings, one of them of at least medium severity, or a single one
/// of at least high severity. Every finding is in at most one campaign. The result does not depend
/// on the order of `findings`; a finding that comes twice counts once.
pub fn campaigns(findings: &[Finding], estate: &Estate) -> Vec<Campaign> {
    revised_campaigns(findings, estate, &Revisions::default())
}

/// As [`campaigns`], with what people changed: what they joined or parted is one or several campaigns whatever ties its
/// findings, what they parted stands by itself however weak it is, and what they dismissed is left out.
pub fn revised_campaigns(findings: &[Finding], estate: &Estate, revisions: &Revisions) -> Vec<Campaign> {
    let mut ordered: Vec<&Finding> = findings.iter().collect();
    ordered.sort_by_key(|finding| (finding.time, finding.id));
    ordered.dedup_by_key(|finding| finding.id);

    let people = People::new(estate);
    let entities = Entities::new(&ordered, &people);
    let found = link::groups(&ordered, &entities)
        .into_iter()
        .filter(|group| is_campaign(group, &ordered))
        .collect();
    let mut campaigns: Vec<Campaign> = revisions
        .apply(found, &ordered)
        .into_iter()
        .filter_map(|revised| {
            let campaign = describe(&revised.findings, &ordered, &entities, &people)?;
            Some(Campaign {
                title: revised.title.unwrap_or(campaign.title),
                ..campaign
            })
        })
        .collect();
    campaigns.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score
            .then(a.first_seen.cmp(&b.first_seen))
            .then(a.id.cmp(&b.id))
    });
    campaigns
}

fn is_campaign(group: &[u32], ordered: &[&Finding]) -> bool {
    group.len() >= 2
        || group
            .iter()
            .any(|&rank| ordered[rank as usize].severity >= Severity::High)
}

fn describe(
    group: &[u32],
    ordered: &[&Finding],
    entities: &Entities<'_>,
    people: &People<'_>,
) -> Option<Campaign> {
    let members: Vec<&Finding> = group.iter().map(|&rank| ordered[rank as usize]).collect();
    // Findings of unknown time sort first, but the beginning is the earliest time that is known.
    let is_timed = |finding: &&&Finding| finding.time != Timestamp::UNKNOWN;
    let first = *members.iter().find(is_timed).or(members.first())?;
    let last = *members.last()?;

    let targets = targets(&members, people);
    let high_risk = high_risk_people(&members, people);
    let tactics = tactics(&members);
    let attack: BTreeSet<&String> = members.iter().flat_map(|finding| &finding.attack).collect();
    Some(Campaign {
        id: CampaignId::from_first(first.id),
        title: title(&members, &tactics, &targets, first.time, last.time),
        score: score(&members, &tactics, &targets, high_risk),
        first_seen: first.time,
        last_seen: last.time,
        findings: members.iter().map(|finding| finding.id).collect(),
        targets,
        ties: ties(group, entities),
        attack: attack.into_iter().cloned().collect(),
    })
}

/// The accounts, own addresses and hosts that the findings name, most findings first.
fn targets(members: &[&Finding], people: &People<'_>) -> Vec<Target> {
    let mut hosts: BTreeMap<&str, (&Entity, usize)> = BTreeMap::new();
    let mut others: BTreeMap<&Entity, usize> = BTreeMap::new();
    for finding in members {
        let named: BTreeSet<&Entity> = finding.entities.iter().collect();
        let mut hosts_named = BTreeSet::new();
        for entity in named.into_iter().filter(|entity| is_target(entity, people)) {
            if entity.kind != EntityKind::Host {
                *others.entry(entity).or_insert(0) += 1;
                continue;
            }
            let short = short_host(&entity.value);
            let host = hosts.entry(short).or_insert((entity, 0));
            host.0 = host.0.min(entity);
            host.1 += usize::from(hosts_named.insert(short));
        }
    }
    let mut targets: Vec<Target> = hosts
        .into_values()
        .chain(others)
        .map(|(entity, findings)| Target {
            entity: entity.clone(),
            person: person_index(entity, people)
                .and_then(|index| people.person(index))
                .map(|person| {
                    if person.name.is_empty() {
                        &person.id
                    } else {
                        &person.name
                    }
                })
                .cloned(),
            findings,
        })
        .collect();
    targets.sort_by(|a, b| b.findings.cmp(&a.findings).then_with(|| a.entity.cmp(&b.entity)));
    targets
}

/// Whether `entity` is somebody or something of the estate. Senders are not, nor are accounts that
/// every machine has, nor machines' own accounts beside their hosts.
fn is_target(entity: &Entity, people: &People<'_>) -> bool {
    match entity.kind {
        EntityKind::Host => prior(entity, people).weight > 0.0,
        EntityKind::Account => !entity.value.ends_with('$') && prior(entity, people).weight > 0.0,
        EntityKind::Address => {
            let domain = entity.value.rsplit_once('@').map(|(_, domain)| domain);
            people.by_address(&entity.value).is_some()
                || domain.is_some_and(|domain| people.is_own_domain(domain))
        }
        _ => false,
    }
}

fn person_index(entity: &Entity, people: &People<'_>) -> Option<u32> {
    match entity.kind {
        EntityKind::Account => people.by_account(&entity.value),
        EntityKind::Address => people.by_address(&entity.value),
        _ => None,
    }
}

fn high_risk_people(members: &[&Finding], people: &People<'_>) -> usize {
    let hit: BTreeSet<u32> = members
        .iter()
        .flat_map(|finding| &finding.entities)
        .filter_map(|entity| person_index(entity, people))
        .collect();
    hit.into_iter()
        .filter(|&index| people.person(index).is_some_and(|person| person.high_risk))
        .count()
}

/// What at least two of the group's findings share, strongest first.
fn ties(group: &[u32], entities: &Entities<'_>) -> Vec<Tie> {
    let mut shared: BTreeMap<u32, usize> = BTreeMap::new();
    for &rank in group {
        for &number in entities.of_finding(rank as usize) {
            *shared.entry(number).or_insert(0) += 1;
        }
    }
    let mut ties: Vec<Tie> = shared
        .into_iter()
        .filter(|&(_, findings)| findings >= 2)
        .filter_map(|(number, findings)| {
            let known = &entities.known[number as usize];
            Some(Tie {
                entity: known.entity?.clone(),
                findings,
                weight: known.prior.weight * inverse_frequency(known.places, entities.places),
            })
        })
        .collect();
    ties.sort_by(|a, b| {
        let by_weight = b.weight.total_cmp(&a.weight);
        by_weight
            .then(b.findings.cmp(&a.findings))
            .then_with(|| a.entity.cmp(&b.entity))
    });
    ties.truncate(MAX_TIES);
    ties
}
