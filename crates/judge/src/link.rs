//! Which findings hang together.

use blackrod_model::{Class, Finding, Severity};

use crate::entities::Entities;

/// How much two findings must share to belong together. A shared host within four hours is enough,
/// and so is an outside address within three weeks; an account alone is enough within eight hours.
const THRESHOLD: f64 = 0.5;

/// How many later findings of an entity each finding is compared with. More than one, so that a
/// finding in between that shares only this entity does not part two that share more.
const NEIGHBOURS: usize = 3;

/// How much what is the estate's own counts between two messages: everybody gets mail.
const BETWEEN_MESSAGES: f64 = 0.2;

/// How much anything counts where one of the two times is not known.
const TIME_UNKNOWN: f64 = 0.4;

const MICROS_PER_HOUR: f64 = 3.6e9;

/// Groups findings (in the order of time) that hang together. Gives the groups that hold a finding
/// of at least medium severity, each as ascending ranks, in the order of their first.
pub(crate) fn groups(findings: &[&Finding], entities: &Entities<'_>) -> Vec<Vec<u32>> {
    let linker = Linker { findings, entities };
    let mut sets = Sets::new(findings.len());
    linker.unite(&mut sets);
    linker.attach(&mut sets);

    let mut group_of_root = vec![u32::MAX; findings.len()];
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for rank in 0..findings.len() as u32 {
        let root = sets.root(rank) as usize;
        if group_of_root[root] == u32::MAX {
            group_of_root[root] = groups.len() as u32;
            groups.push(Vec::new());
        }
        groups[group_of_root[root] as usize].push(rank);
    }
    groups.retain(|group| group.iter().any(|&rank| linker.is_core(rank)));
    groups
}

struct Linker<'a> {
    findings: &'a [&'a Finding],
    entities: &'a Entities<'a>,
}

impl Linker<'_> {
    /// Findings of this severity tie others together; milder ones are only joined to them.
    fn is_core(&self, rank: u32) -> bool {
        self.findings[rank as usize].severity >= Severity::Medium
    }

    /// Unites core findings that share enough with a near neighbour.
    fn unite(&self, sets: &mut Sets) {
        let mut core: Vec<u32> = Vec::new();
        for number in self.linking_entities() {
            core.clear();
            core.extend(
                self.entities
                    .findings(number)
                    .iter()
                    .filter(|&&rank| self.is_core(rank)),
            );
            for (index, &earlier) in core.iter().enumerate() {
                for &later in core.iter().skip(index + 1).take(NEIGHBOURS) {
                    if sets.root(earlier) != sets.root(later) && self.tie(earlier, later) >= THRESHOLD {
                        sets.unite(earlier, later);
                    }
                }
            }
        }
    }

    /// Joins each other finding to the core finding it shares most with, if that is enough.
    fn attach(&self, sets: &mut Sets) {
        let mut nearest: Vec<Option<(f64, u32)>> = vec![None; self.findings.len()];
        for number in self.linking_entities() {
            let ranks = self.entities.findings(number);
            self.offer_cores(ranks.iter(), &mut nearest);
            self.offer_cores(ranks.iter().rev(), &mut nearest);
        }
        for (rank, best) in (0..).zip(nearest) {
            if let Some((_, core)) = best {
                sets.unite(core, rank);
            }
        }
    }

    /// Compares each mild finding with the core finding last passed on the way through `ranks`.
    fn offer_cores<'r>(&self, ranks: impl Iterator<Item = &'r u32>, nearest: &mut [Option<(f64, u32)>]) {
        let mut last_core = None;
        for &rank in ranks {
            if self.is_core(rank) {
                last_core = Some(rank);
                continue;
            }
            let Some(core) = last_core else { continue };
            let tie = self.tie(core, rank);
            let best = &mut nearest[rank as usize];
            let is_better =
                best.is_none_or(|(strongest, by)| tie > strongest || (tie == strongest && core < by));
            if tie >= THRESHOLD && is_better {
                *best = Some((tie, core));
            }
        }
    }

    /// The entities strong enough to take part in a tie worth looking for.
    fn linking_entities(&self) -> impl Iterator<Item = usize> {
        let known = &self.entities.known;
        (0..known.len()).filter(|&number| known[number].strength >= THRESHOLD / 4.0)
    }

    /// How much two findings share.
    fn tie(&self, a: u32, b: u32) -> f64 {
        let (first, second) = (self.findings[a as usize], self.findings[b as usize]);
        let hours = first
            .time
            .micros()
            .zip(second.time.micros())
            .map(|(one, other)| one.abs_diff(other) as f64 / MICROS_PER_HOUR);
        let is_message = |finding: &Finding| finding.ocsf_class() == Class::EMAIL_ACTIVITY;
        let both_messages = is_message(first) && is_message(second);

        let mut sum = 0.0;
        let numbers = (
            self.entities.of_finding(a as usize),
            self.entities.of_finding(b as usize),
        );
        for number in intersection(numbers.0, numbers.1) {
            let known = &self.entities.known[number as usize];
            let nearness = hours.map_or(TIME_UNKNOWN, |hours| (-hours / known.prior.decay_hours).exp());
            let own_factor = if both_messages && known.prior.own {
                BETWEEN_MESSAGES
            } else {
                1.0
            };
            sum += known.strength * nearness * own_factor;
        }
        sum
    }
}

/// What two ascending lists have in common.
fn intersection<'a>(a: &'a [u32], b: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    std::iter::from_fn(move || {
        loop {
            match left.peek()?.cmp(right.peek()?) {
                std::cmp::Ordering::Less => left.next(),
                std::cmp::Ordering::Greater => right.next(),
                std::cmp::Ordering::Equal => {
                    right.next();
                    return left.next().copied();
                }
            };
        }
    })
}

/// Disjoint sets with path halving; the root of a set is its smallest member.
struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self {
            parent: (0..count as u32).collect(),
        }
    }

    fn root(&mut self, mut member: u32) -> u32 {
        while self.parent[member as usize] != member {
            let above = self.parent[self.parent[member as usize] as usize];
            self.parent[member as usize] = above;
            member = above;
        }
        member
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (root_a, root_b) = (self.root(a), self.root(b));
        self.parent[root_a.max(root_b) as usize] = root_a.min(root_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersections_are_found_at_the_ends_too() {
        let common: Vec<u32> = intersection(&[1, 3, 5, 9], &[0, 1, 4, 5, 9]).collect();
        assert_eq!(common, [1, 5, 9]);
        assert_eq!(intersection(&[], &[1]).count(), 0);
    }

    #[test]
    fn united_sets_have_one_root() {
        let mut sets = Sets::new(4);
        sets.unite(3, 1);
        sets.unite(2, 3);
        assert_eq!(sets.root(2), 1);
        assert_eq!(sets.root(0), 0);
    }
}
