//! Who is at risk: those who were hit, and those who share what the hit have in common.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::assessment::PersonAtRisk;
use blackrod_model::estate::{Enrichment, Index, Person};
use blackrod_model::{Campaign, EntityKind, Estate};

/// Who was hit is likely to be tried again: a judgement (Norway's and New Zealand's members were).
const HIT_AGAIN: f64 = 0.8;

/// The most people that are listed beside those who were hit.
const MAX_OTHERS: usize = 200;

/// The people of the estate whom the campaign hit, each once, in the order of their ids.
pub(crate) fn hit<'e>(campaign: &Campaign, index: &Index<'e>) -> Vec<&'e Person> {
    let people: BTreeMap<&str, &Person> = campaign
        .targets
        .iter()
        .filter_map(|target| match target.entity.kind {
            EntityKind::Account => index.person_by_account(&target.entity.value),
            EntityKind::Address => index.person_by_address(&target.entity.value),
            _ => None,
        })
        .map(|person| (person.id.as_str(), person))
        .collect();
    people.into_values().collect()
}

/// Those who were hit, then those of enriched groups who were not seen to be.
pub(crate) fn at_risk(hit: &[&Person], targeting: &[Enrichment], estate: &Estate) -> Vec<PersonAtRisk> {
    let mut people: Vec<PersonAtRisk> = hit
        .iter()
        .map(|person| PersonAtRisk {
            person: person.id.clone(),
            name: person.name.clone(),
            was_hit: true,
            probability: HIT_AGAIN,
            why: "was among those who were hit".to_owned(),
            told: None,
        })
        .collect();
    let known: BTreeSet<&str> = hit.iter().map(|person| person.id.as_str()).collect();
    let mut others: BTreeMap<&str, PersonAtRisk> = BTreeMap::new();
    for enrichment in targeting {
        // Of the group's members so many were hit; half a person is added to each side (Jeffreys' prior).
        let probability = (enrichment.hit as f64 + 0.5) / (enrichment.members as f64 + 1.0);
        for person in estate
            .people
            .iter()
            .filter(|person| has(person, enrichment) && !known.contains(person.id.as_str()))
        {
            let why = format!(
                "belongs to {}, of whose {} people {} were hit",
                enrichment.name, enrichment.members, enrichment.hit
            );
            let entry = others.entry(&person.id).or_insert_with(|| PersonAtRisk {
                person: person.id.clone(),
                name: person.name.clone(),
                was_hit: false,
                probability: 0.0,
                why: String::new(),
                told: None,
            });
            if probability > entry.probability {
                entry.probability = probability;
                entry.why = why;
            }
        }
    }
    let mut others: Vec<PersonAtRisk> = others.into_values().collect();
    others.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then_with(|| a.person.cmp(&b.person))
    });
    others.truncate(MAX_OTHERS);
    people.extend(others);
    for person in &mut people {
        person.probability = person.probability.clamp(0.01, 0.99);
    }
    people
}

fn has(person: &Person, enrichment: &Enrichment) -> bool {
    let id = &enrichment.id;
    match enrichment.kind.as_str() {
        "group" => person.groups.contains(id),
        "role" => person.roles.contains(id),
        "office" => person.office.as_ref() == Some(id),
        "organisation" => person.organisation.as_ref() == Some(id),
        "high-risk" => person.high_risk,
        _ => false,
    }
}
