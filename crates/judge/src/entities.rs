//! The entities of all findings, numbered, weighed and listed.

use std::collections::hash_map::Entry;

use blackrod_model::{Entity, EntityKind, EvidenceId, Finding, Position};
use rustc_hash::FxHashMap;

use crate::people::{People, short_host};
use crate::prior::{Prior, SAME_PERSON, SAME_RECORD, place, prior};
use crate::rarity::rarity;

/// The most entities of one finding that count, the most telling first: a message to ten thousand
/// recipients is not allowed to cost ten thousand comparisons each time it is compared.
const MAX_PER_FINDING: usize = 128;

/// An entity's number among those of the case.
pub(crate) type Number = u32;

/// What is known of all telling entities of the case. Findings are named by their rank: their place
/// in the order of time.
pub(crate) struct Entities<'a> {
    /// By number.
    pub(crate) known: Vec<Known<'a>>,
    /// In how many places (hosts, and records that name no host) there are findings.
    pub(crate) places: usize,
    /// The numbers of each finding's entities, ascending.
    of_finding: Lists,
    /// The ranks of each entity's findings, ascending.
    findings: Lists,
}

/// One entity of the case.
pub(crate) struct Known<'a> {
    /// It, or of several spellings the first in the order of [`Entity`]; `None` for a record,
    /// which ties its findings but is no entity.
    pub(crate) entity: Option<&'a Entity>,
    pub(crate) prior: Prior,
    /// In how many places it occurs.
    pub(crate) places: usize,
    /// Its prior weight times its rarity.
    pub(crate) strength: f64,
}

impl<'a> Entities<'a> {
    /// Numbers and weighs the entities of `findings`, which are in the order of time.
    pub(crate) fn new(findings: &[&'a Finding], people: &People<'_>) -> Self {
        let hash_places = places_of_hashes(findings);
        let mut numbers: FxHashMap<Key<'a>, Number> = FxHashMap::default();
        let mut known: Vec<Known<'a>> = Vec::new();
        let mut of_finding = Lists::default();
        let mut telling: Vec<Number> = Vec::new();

        for finding in findings {
            telling.clear();
            for (key, entity) in keys(finding, people) {
                let number = match numbers.entry(key) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        let number = known.len() as Number;
                        let prior = prior_of_key(&key, entity, people, &hash_places);
                        known.push(Known {
                            entity,
                            prior,
                            places: 0,
                            strength: 0.0,
                        });
                        *entry.insert(number)
                    }
                };
                let slot = &mut known[number as usize];
                if entity < slot.entity {
                    slot.entity = entity;
                }
                if slot.prior.weight > 0.0 {
                    telling.push(number);
                }
            }
            keep_most_telling(&mut telling, &known);
            of_finding.push(&telling);
        }

        let posted = of_finding.inverted(known.len());
        let mut entities = Self {
            known,
            places: 0,
            of_finding,
            findings: posted,
        };
        entities.weigh(&places_of_findings(findings));
        entities
    }

    /// The entities of the finding of this rank, ascending.
    pub(crate) fn of_finding(&self, rank: usize) -> &[Number] {
        self.of_finding.get(rank)
    }

    /// The ranks of the findings that name this entity, ascending.
    pub(crate) fn findings(&self, number: usize) -> &[u32] {
        self.findings.get(number)
    }

    /// Counts in how many places each entity occurs; `place_of` gives each finding's place.
    fn weigh(&mut self, place_of: &[u32]) {
        self.places = place_of.iter().max().map_or(0, |&last| last as usize + 1);
        let mut places: Vec<u32> = Vec::new();
        for (number, known) in self.known.iter_mut().enumerate() {
            places.clear();
            places.extend(
                self.findings
                    .get(number)
                    .iter()
                    .map(|&rank| place_of[rank as usize]),
            );
            places.sort_unstable();
            places.dedup();
            known.places = places.len();
            known.strength = known.prior.weight * rarity(known.places, self.places);
        }
    }
}

/// What makes two entities the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    /// An account or address of a person of the estate, whichever.
    Person(u32),
    /// A host, by its name without domain.
    Host(&'a str),
    /// Anything else, by its value.
    Value(EntityKind, &'a str),
    /// The record that a finding is about.
    Record(EvidenceId, Position),
}

fn keys<'a>(
    finding: &'a Finding,
    people: &People<'_>,
) -> impl Iterator<Item = (Key<'a>, Option<&'a Entity>)> {
    let record = (Key::Record(finding.evidence, finding.at), None);
    let named = finding.entities.iter().map(|entity| {
        let value = entity.value.as_str();
        let person = match entity.kind {
            EntityKind::Account => people.by_account(value),
            EntityKind::Address => people.by_address(value),
            _ => None,
        };
        let key = match (person, entity.kind) {
            (Some(person), _) => Key::Person(person),
            (None, EntityKind::Host) => Key::Host(short_host(value)),
            (None, kind) => Key::Value(kind, value),
        };
        (key, Some(entity))
    });
    std::iter::once(record).chain(named)
}

fn prior_of_key(
    key: &Key<'_>,
    entity: Option<&Entity>,
    people: &People<'_>,
    hash_places: &FxHashMap<&str, f64>,
) -> Prior {
    match (key, entity) {
        (Key::Person(_), _) => SAME_PERSON,
        (_, Some(entity)) => {
            let mut of_value = prior(entity, people);
            if entity.kind == EntityKind::Hash {
                of_value.weight *= hash_places.get(entity.value.as_str()).unwrap_or(&1.0);
            }
            of_value
        }
        (_, None) => SAME_RECORD,
    }
}

/// For each digest, how telling the programs and files are that it was seen with: the digest of
/// `cmd.exe` says no more than its path.
fn places_of_hashes<'a>(findings: &[&'a Finding]) -> FxHashMap<&'a str, f64> {
    let mut places = FxHashMap::default();
    for finding in findings {
        let of_kind = |wanted: fn(EntityKind) -> bool| {
            finding.entities.iter().filter(move |entity| wanted(entity.kind))
        };
        let files = of_kind(|kind| matches!(kind, EntityKind::Process | EntityKind::File));
        let Some(most_telling) = files.map(|entity| place(&entity.value)).reduce(f64::max) else {
            continue;
        };
        for hash in of_kind(|kind| kind == EntityKind::Hash) {
            let least = places.entry(hash.value.as_str()).or_insert(1.0_f64);
            *least = least.min(most_telling);
        }
    }
    places
}

/// The place of each finding: its host, or its record where it names none. Numbered from 0.
fn places_of_findings(findings: &[&Finding]) -> Vec<u32> {
    let mut numbers: FxHashMap<Key<'_>, u32> = FxHashMap::default();
    let mut place_of = Vec::with_capacity(findings.len());
    for finding in findings {
        let host = finding
            .entities
            .iter()
            .find(|entity| entity.kind == EntityKind::Host);
        let key = match host {
            Some(host) => Key::Host(short_host(&host.value)),
            None => Key::Record(finding.evidence, finding.at),
        };
        let next = numbers.len() as u32;
        place_of.push(*numbers.entry(key).or_insert(next));
    }
    place_of
}

fn keep_most_telling(numbers: &mut Vec<Number>, known: &[Known<'_>]) {
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() <= MAX_PER_FINDING {
        return;
    }
    let weight = |number: &Number| known[*number as usize].prior.weight;
    numbers.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.cmp(b)));
    numbers.truncate(MAX_PER_FINDING);
    numbers.sort_unstable();
}

/// Many short lists in one allocation.
#[derive(Default)]
struct Lists {
    /// Where each list ends in `items`.
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn push(&mut self, list: &[u32]) {
        self.items.extend_from_slice(list);
        self.ends.push(self.items.len() as u32);
    }

    fn get(&self, index: usize) -> &[u32] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start as usize..self.ends[index] as usize]
    }

    /// For each number below `count`, the indices of the lists that hold it, ascending.
    fn inverted(&self, count: usize) -> Self {
        let mut ends = vec![0_u32; count];
        for &item in &self.items {
            ends[item as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            let start = total;
            total += *end;
            // The start for now; each item written below moves it on, up to the list's end.
            *end = start;
        }
        let mut items = vec![0_u32; self.items.len()];
        for index in 0..self.ends.len() {
            for &item in self.get(index) {
                let next = &mut ends[item as usize];
                items[*next as usize] = index as u32;
                *next += 1;
            }
        }
        Self { ends, items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverting_lists_keeps_every_pair() {
        let mut lists = Lists::default();
        lists.push(&[0, 2]);
        lists.push(&[]);
        lists.push(&[2]);
        let inverted = lists.inverted(4);
        assert_eq!(inverted.get(0), [0]);
        assert_eq!(inverted.get(1), [0_u32; 0]);
        assert_eq!(inverted.get(2), [0, 2]);
        assert_eq!(inverted.get(3), [0_u32; 0]);
    }
}
