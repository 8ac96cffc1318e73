//! The plain ways of finding such campaigns, on the same facts.
//!
//! | | alerts once for each | when |
//! |---|---|---|
//! | B1 | tracking domain | 3 recipients were written to by new senders without `List-Unsubscribe:` |
//! | B2 | tracking domain | its recipients are enriched for a group |
//! | B3 | tracking domain and sender | the same |
//! | B4 | tracking domain and sender | the same, and the sender is new |
//! | B5 | as B4 on new tracking domains; known ones (shared services): all new senders of a day together | the same |
//!
//! A tracking domain is the registrable domain of what a message loads by a URL with a varying part. New is what was
//! first seen within the last 7 days. Enriched: one-sided hypergeometric test over all groups, 5 % for 2,000 looks a day and
//! the number of groups (Bonferroni).

use blackrod_model::Estate;
use blackrod_model::mail::{Facts, LinkRole, hash};
use rustc_hash::FxHashMap;

use crate::detector::Alert;

const NEW_SECONDS: i64 = 7 * 86_400;
const LOOKS_A_DAY: f64 = 2_000.0;
const ALPHA: f64 = 0.05;
const NAMES: [&str; 5] = [
    "B1 new sender, same tracker",
    "B2 enrichment per tracker",
    "B3 enrichment per tracker and sender",
    "B4 = B3, new senders only",
    "B5 = B4, new senders of a service pooled",
];

/// All five.
pub(crate) struct Baselines {
    groups: Vec<u32>,
    of_person: Vec<Vec<u16>>,
    people: FxHashMap<String, u32>,
    logarithms: Vec<f64>,
    /// When an address or a domain was first seen.
    first: FxHashMap<u64, i64>,
    clusters: [FxHashMap<u64, Cluster>; 5],
    starts: i64,
}

#[derive(Default)]
struct Cluster {
    people: Vec<u32>,
    in_group: FxHashMap<u16, u32>,
    messages: Vec<u64>,
    fired: Option<(i64, usize, f64)>,
}

impl Baselines {
    pub(crate) fn new(estate: &Estate, starts: i64) -> Self {
        let number: FxHashMap<&str, u16> = estate
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| (group.id.as_str(), index as u16))
            .collect();
        let of_person: Vec<Vec<u16>> = estate
            .people
            .iter()
            .map(|person| {
                person
                    .groups
                    .iter()
                    .filter_map(|id| number.get(id.as_str()).copied())
                    .collect()
            })
            .collect();
        let mut groups = vec![0; estate.groups.len()];
        of_person
            .iter()
            .flatten()
            .for_each(|group| groups[usize::from(*group)] += 1);
        let mut logarithms = vec![0.0; of_person.len() + 2];
        for n in 1..logarithms.len() {
            logarithms[n] = logarithms[n - 1] + (n as f64).ln();
        }
        Self {
            groups,
            of_person,
            people: mailboxes(estate)
                .into_iter()
                .map(|(address, number)| (address.to_owned(), number))
                .collect(),
            logarithms,
            first: FxHashMap::default(),
            clusters: Default::default(),
            starts,
        }
    }

    pub(crate) fn push(&mut self, facts: &Facts) {
        let now = facts.time.seconds().unwrap_or_default();
        let sender = hash(&facts.from);
        let is_new_sender =
            now - *self.first.entry(sender).or_insert(now) < NEW_SECONDS && now >= self.starts;
        let tracker = facts
            .links
            .iter()
            .find(|link| link.role == LinkRole::Beacon && !link.tokens.is_empty() && !link.domain.is_empty());
        let Some(tracker) = tracker.map(|link| hash(&link.domain)) else {
            return;
        };
        let is_new_tracker =
            now - *self.first.entry(tracker ^ 1).or_insert(now) < NEW_SECONDS && now >= self.starts;
        let people: Vec<u32> = facts
            .recipients
            .iter()
            .filter_map(|address| self.people.get(address).copied())
            .collect();
        let both = tracker.rotate_left(32) ^ sender;
        let pooled = tracker ^ (now.div_euclid(86_400) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let keys = [
            (is_new_sender && !facts.bulk.unsubscribe).then_some(tracker),
            Some(tracker),
            Some(both),
            is_new_sender.then_some(both),
            is_new_sender.then_some(if is_new_tracker { both } else { pooled }),
        ];
        for (index, key) in keys.into_iter().enumerate() {
            if let Some(key) = key {
                self.add(index, key, &people, now, facts.at.record);
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<(&'static str, Vec<Alert>)> {
        let alerts = |clusters: FxHashMap<u64, Cluster>| {
            let alert = |cluster: Cluster| {
                let (seconds, recipients, score) = cluster.fired?;
                Some(Alert {
                    seconds,
                    score,
                    messages: cluster.messages,
                    recipients,
                    title: String::new(),
                    is_called: true,
                    peak: score,
                })
            };
            clusters.into_values().filter_map(alert).collect()
        };
        NAMES
            .into_iter()
            .zip(self.clusters)
            .map(|(name, clusters)| (name, alerts(clusters)))
            .collect()
    }

    fn add(&mut self, index: usize, key: u64, people: &[u32], now: i64, message: u64) {
        const NAIVE_RECIPIENTS: usize = 3;
        let cluster = self.clusters[index].entry(key).or_default();
        cluster.messages.push(message);
        let mut touched: Vec<u16> = Vec::new();
        for person in people {
            if cluster.people.contains(person) {
                continue;
            }
            cluster.people.push(*person);
            for group in &self.of_person[*person as usize] {
                *cluster.in_group.entry(*group).or_default() += 1;
                touched.push(*group);
            }
        }
        if cluster.fired.is_some() || now < self.starts {
            return;
        }
        if index == 0 {
            if cluster.people.len() >= NAIVE_RECIPIENTS {
                cluster.fired = Some((now, cluster.people.len(), cluster.people.len() as f64));
            }
            return;
        }
        let drawn = cluster.people.len();
        let least = touched
            .iter()
            .filter(|group| cluster.in_group[group] >= 2)
            .map(|group| {
                tail(
                    &self.logarithms,
                    self.of_person.len(),
                    self.groups[usize::from(*group)] as usize,
                    drawn,
                    cluster.in_group[group] as usize,
                )
            })
            .fold(1.0, f64::min);
        if least * LOOKS_A_DAY * (self.groups.len() as f64) < ALPHA {
            cluster.fired = Some((now, drawn, -least.ln()));
        }
    }
}

/// The chance that at least `hits` of `drawn` people out of `all` belong to a group of `members`.
fn tail(logarithms: &[f64], all: usize, members: usize, drawn: usize, hits: usize) -> f64 {
    let choose = |n: usize, k: usize| logarithms[n] - logarithms[k] - logarithms[n - k];
    let most = members.min(drawn);
    (hits..=most)
        .filter(|k| drawn - k <= all - members)
        .map(|k| (choose(members, k) + choose(all - members, drawn - k) - choose(all, drawn)).exp())
        .sum()
}

/// Who a mailbox belongs to.
fn mailboxes(estate: &Estate) -> FxHashMap<&str, u32> {
    let people = estate.people.iter().enumerate();
    people
        .flat_map(|(number, person)| {
            person
                .addresses
                .iter()
                .map(move |address| (address.as_str(), number as u32))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_that_of_the_hypergeometric_distribution() {
        let mut logarithms = vec![0.0; 1_502];
        for n in 1..logarithms.len() {
            logarithms[n] = logarithms[n - 1] + (n as f64).ln();
        }
        // From exact fractions: 1,500 people, 40 in the group.
        let three = tail(&logarithms, 1_500, 40, 3, 3);
        assert!((three / 1.76e-5 - 1.0).abs() < 0.01, "{three}");
        let all = tail(&logarithms, 1_500, 40, 5, 0);
        assert!((all - 1.0).abs() < 1e-9, "{all}");
    }
}
