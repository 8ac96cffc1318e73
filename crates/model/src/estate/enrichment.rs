//! Whether a set of people is drawn from a group beyond chance.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Estate, Person};

/// A group, role, office or list of which a set of people holds more than chance would have it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Enrichment {
    /// What kind of trait it is: `group`, `role`, `office`, `organisation`, `high-risk`.
    pub kind: String,
    /// Its id in the estate.
    pub id: String,
    /// Its name, as people say it.
    pub name: String,
    /// How many of the hit have it.
    pub hit: usize,
    /// How many were hit.
    pub drawn: usize,
    /// How many people of the population have it.
    pub members: usize,
    /// How many people could have been hit.
    pub population: usize,
    /// The chance that as many or more are drawn by accident (hypergeometric tail).
    pub p: f64,
    /// The same, corrected for the number of traits that were tried (Bonferroni), at most 1.
    pub p_corrected: f64,
    /// The odds of having it among the hit over the odds among the others, 0.5 added to each cell
    /// (Haldane, 1956).
    pub odds_ratio: f64,
}

impl Enrichment {
    /// "9 of the 12 recipients are in China committee; 20 of 1,450 people are; chance 4e-14".
    pub fn sentence(&self, hit_are_called: &str) -> String {
        format!(
            "{} of the {} {hit_are_called} are in {}; {} of {} people are; chance {:.0e}",
            self.hit, self.drawn, self.name, self.members, self.population, self.p_corrected
        )
    }
}

/// The traits of an estate's people, counted once and asked many times.
#[derive(Debug)]
pub struct Traits<'e> {
    names: Vec<Named>,
    members: Vec<usize>,
    of_person: FxHashMap<&'e str, Vec<u32>>,
    population: usize,
    chance: Hypergeometric,
}

/// The chance of drawing so many of a kind, without putting back, from a population of fixed size.
#[derive(Clone, Debug, Default)]
pub struct Hypergeometric {
    population: usize,
    ln_factorials: Vec<f64>,
}

impl Hypergeometric {
    /// For draws from `population` people.
    pub fn new(population: usize) -> Self {
        Self {
            population,
            ln_factorials: ln_factorials(population),
        }
    }

    /// How many people there are to draw from.
    pub const fn population(&self) -> usize {
        self.population
    }

    /// The chance that of `drawn` people at least `hits` are among the `members` people of a group.
    pub fn tail(&self, hits: usize, drawn: usize, members: usize) -> f64 {
        let (drawn, all) = (drawn.min(self.population), self.population);
        let members = members.min(all);
        let choose = |n: usize, k: usize| -> f64 {
            let ln = |at: usize| self.ln_factorials.get(at).copied().unwrap_or(f64::INFINITY);
            if k > n {
                f64::NEG_INFINITY
            } else {
                ln(n) - ln(k) - ln(n - k)
            }
        };
        let most = drawn.min(members);
        let whole = choose(all, drawn);
        let sum: f64 = (hits..=most)
            .map(|k| (choose(members, k) + choose(all - members, drawn - k) - whole).exp())
            .sum();
        sum.clamp(0.0, 1.0)
    }
}

#[derive(Debug)]
struct Named {
    kind: &'static str,
    id: String,
    name: String,
}

impl<'e> Traits<'e> {
    /// Counts the traits of `estate`. A trait of fewer than two people or of all says nothing and is left out.
    pub fn new(estate: &'e Estate) -> Self {
        let mut found: FxHashMap<(&'static str, &str), FxHashSet<usize>> = FxHashMap::default();
        for (index, person) in estate.people.iter().enumerate() {
            for (kind, id) in traits_of(person) {
                found.entry((kind, id)).or_default().insert(index);
            }
        }
        let population = estate.people.len();
        let mut kept: Vec<_> = found
            .into_iter()
            .filter(|(_, people)| people.len() >= 2 && people.len() < population)
            .collect();
        kept.sort_by_key(|(key, _)| *key);
        let mut traits = Self {
            names: Vec::with_capacity(kept.len()),
            members: Vec::with_capacity(kept.len()),
            of_person: FxHashMap::default(),
            population,
            chance: Hypergeometric::new(population),
        };
        for ((kind, id), people) in kept {
            let number = u32::try_from(traits.names.len()).unwrap_or(u32::MAX);
            for person in people.iter().filter_map(|index| estate.people.get(*index)) {
                traits.of_person.entry(&person.id).or_default().push(number);
            }
            traits.members.push(people.len());
            traits.names.push(Named {
                kind,
                id: id.to_owned(),
                name: name_of(estate, kind, id),
            });
        }
        traits
    }

    /// How many traits there are.
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The traits of which the people `hit` (ids, each once) hold more than chance would have it, with a
    /// corrected chance below `limit`, least chance first. People whom the estate does not know are to be left out by the caller.
    pub fn enriched(&self, hit: &[&str], limit: f64) -> Vec<Enrichment> {
        let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
        for person in hit {
            for number in self.of_person.get(person).into_iter().flatten() {
                *counts.entry(*number).or_default() += 1;
            }
        }
        let tried = self.names.len().max(1) as f64;
        let mut found: Vec<Enrichment> = counts
            .into_iter()
            .filter(|(_, hits)| *hits >= 2)
            .filter_map(|(number, hits)| {
                let index = number as usize;
                let (named, members) = (self.names.get(index)?, *self.members.get(index)?);
                let p = self.chance.tail(hits, hit.len(), members);
                let p_corrected = (p * tried).min(1.0);
                (p_corrected < limit).then(|| Enrichment {
                    kind: named.kind.to_owned(),
                    id: named.id.clone(),
                    name: named.name.clone(),
                    hit: hits,
                    drawn: hit.len(),
                    members,
                    population: self.population,
                    p,
                    p_corrected,
                    odds_ratio: odds_ratio(hits, hit.len(), members, self.population),
                })
            })
            .collect();
        found.sort_by(|a, b| {
            a.p.total_cmp(&b.p)
                .then_with(|| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)))
        });
        found
    }
}

fn traits_of(person: &Person) -> impl Iterator<Item = (&'static str, &str)> {
    let groups = person.groups.iter().map(|id| ("group", id.as_str()));
    let roles = person.roles.iter().map(|id| ("role", id.as_str()));
    let office = person.office.iter().map(|id| ("office", id.as_str()));
    let organisation = person.organisation.iter().map(|id| ("organisation", id.as_str()));
    let high_risk = person.high_risk.then_some(("high-risk", "high-risk"));
    groups
        .chain(roles)
        .chain(office)
        .chain(organisation)
        .chain(high_risk)
}

fn name_of(estate: &Estate, kind: &str, id: &str) -> String {
    let name = match kind {
        "group" => estate
            .groups
            .iter()
            .find(|group| group.id == id)
            .map(|group| group.name.clone()),
        "office" => estate
            .people
            .iter()
            .find(|person| person.id == id)
            .map(|person| format!("the office of {}", person.name)),
        "organisation" => estate
            .organisations
            .iter()
            .find(|one| one.id == id)
            .map(|one| one.name.clone()),
        "high-risk" => Some("the high-risk list".to_owned()),
        _ => None,
    };
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| id.to_owned())
}

fn odds_ratio(hits: usize, drawn: usize, members: usize, population: usize) -> f64 {
    let cell = |count: usize| count as f64 + 0.5;
    let others = population.saturating_sub(drawn);
    let members_among_others = members.saturating_sub(hits);
    (cell(hits) / cell(drawn.saturating_sub(hits)))
        / (cell(members_among_others) / cell(others.saturating_sub(members_among_others)))
}

fn ln_factorials(most: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let mut table = Vec::with_capacity(most + 1);
    table.push(0.0);
    for n in 1..=most {
        sum += (n as f64).ln();
        table.push(sum);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estate(population: usize, members: usize) -> Estate {
        let person = |index: usize| Person {
            id: format!("p{index}"),
            groups: if index < members {
                vec!["g".to_owned()]
            } else {
                Vec::new()
            },
            ..Person::default()
        };
        Estate {
            people: (0..population).map(person).collect(),
            ..Estate::default()
        }
    }

    fn p_of(population: usize, members: usize, hits: usize, drawn: usize) -> f64 {
        let estate = estate(population, members);
        let traits = Traits::new(&estate);
        let ids: Vec<String> = (0..hits)
            .chain(members..members + drawn - hits)
            .map(|index| format!("p{index}"))
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        traits.enriched(&ids, 2.0).first().map_or(1.0, |found| found.p)
    }

    /// The published table of exact values: population 1,500, group of 40, all drawn are members.
    #[test]
    fn the_chance_is_the_exact_hypergeometric_one() {
        for (drawn, expected) in [(2, 6.9e-4), (3, 1.8e-5), (4, 4.3e-7), (5, 1.0e-8)] {
            let p = p_of(1_500, 40, drawn, drawn);
            assert!((p / expected - 1.0).abs() < 0.05, "{drawn}: {p:e}");
        }
        let p = p_of(650, 100, 7, 7);
        assert!((p / 1.7e-6 - 1.0).abs() < 0.05, "{p:e}");
    }

    #[test]
    fn a_group_of_everybody_or_of_one_says_nothing() {
        assert!(Traits::new(&estate(10, 10)).names.is_empty());
        assert!(Traits::new(&estate(10, 1)).names.is_empty());
    }
}
