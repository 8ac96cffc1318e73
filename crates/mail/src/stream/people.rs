//! Whom mail goes to, and who of them belong together: by the estate's groups, and by the mail they get in common.

use std::collections::VecDeque;

use blackrod_model::Estate;
use blackrod_model::estate::{Enrichment, Hypergeometric, Index, Traits};
use blackrod_model::mail::hash;
use rustc_hash::{FxHashMap, FxHashSet};

/// Somebody who gets mail: their place among all who do. People of the estate come first.
pub(super) type Recipient = u32;

/// The people who get mail, and the circles they form.
pub(super) struct People<'e> {
    estate: &'e Estate,
    index: Index<'e>,
    traits: Traits<'e>,
    numbers: FxHashMap<u64, Recipient>,
    /// Everybody who got mail and counts as the estate's own.
    known: u32,
    circles: Circles,
    chance: Hypergeometric,
    /// The groups of each person of the estate, by number, and how many people are in each.
    groups_of: Vec<Vec<u64>>,
    in_group: Vec<usize>,
}

/// The most recipients that are told apart.
const MOST_RECIPIENTS: u32 = 1 << 20;

impl<'e> People<'e> {
    pub(super) fn new(estate: &'e Estate) -> Self {
        let mut numbers = FxHashMap::default();
        for (number, person) in estate.people.iter().enumerate() {
            for address in &person.addresses {
                numbers.insert(hash(address), number as Recipient);
            }
        }
        let known = estate.people.len() as u32;
        let (groups_of, in_group) = groups(estate);
        Self {
            estate,
            groups_of,
            in_group,
            index: Index::new(estate),
            traits: Traits::new(estate),
            numbers,
            known,
            circles: Circles::default(),
            chance: Hypergeometric::new(estate.people.len()),
        }
    }

    /// Whether a domain is the estate's own.
    pub(super) fn is_own_domain(&self, domain: &str) -> bool {
        self.index.is_own_domain(domain)
    }

    /// Whether the estate names the domain as one with which it writes often.
    pub(super) fn is_partner(&self, domain: &str) -> bool {
        let is_below = |of: &String| {
            domain
                .strip_suffix(of.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.estate
            .partners
            .iter()
            .flat_map(|partner| &partner.domains)
            .any(is_below)
    }

    /// Those of `addresses` who are the estate's: its people, and every address at its domains. Where the estate
    /// names no domain, everybody is.
    pub(super) fn own(&mut self, addresses: &[String], out: &mut Vec<Recipient>) {
        let has_domains = self
            .estate
            .organisations
            .iter()
            .any(|one| !one.domains.is_empty());
        for address in addresses {
            let key = hash(address);
            let number = match self.numbers.get(&key) {
                Some(number) => *number,
                None => {
                    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
                    let counts = !has_domains || self.index.is_own_domain(domain);
                    if !counts || self.known >= MOST_RECIPIENTS {
                        continue;
                    }
                    self.numbers.insert(key, self.known);
                    self.known += 1;
                    self.known - 1
                }
            };
            if !out.contains(&number) {
                out.push(number);
            }
        }
    }

    /// Remembers that the mail of `source` goes to `recipients`, so that those who get the same mail are known to belong
    /// together.
    pub(super) fn note(&mut self, source: u64, recipients: &[Recipient], now: u32) {
        self.circles.note(source, recipients, now, self.known);
    }

    /// The circles of which `recipients` hold more than chance would have it, least chance first; `before`: only
    /// circles known by then are asked, and none of `own_sources`. `looks`: how often this was asked of a growing set.
    pub(super) fn enriched(&mut self, recipients: &[Recipient], question: &Question<'_>) -> Vec<Enrichment> {
        let ids: Vec<&str> = recipients
            .iter()
            .filter_map(|number| self.estate.people.get(*number as usize))
            .map(|person| person.id.as_str())
            .collect();
        let limit = 0.05 / question.looks.max(1.0);
        let mut found = self.traits.enriched(&ids, limit);
        if self.chance.population() + self.chance.population() / 8 + 8 < self.known as usize {
            self.chance = Hypergeometric::new(self.known as usize + self.known as usize / 8);
        }
        // Circles are asked where no group that somebody wrote down explains the choice.
        let is_explained = found
            .first()
            .is_some_and(|best| best.p_corrected < 1e-4 && best.hit * 2 > best.drawn);
        if !is_explained {
            found.extend(
                self.circles
                    .enriched(recipients, question, &self.chance, self.traits.len(), limit),
            );
        }
        found.sort_by(|a, b| {
            a.p_corrected
                .total_cmp(&b.p_corrected)
                .then_with(|| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)))
        });
        for one in &mut found {
            one.p_corrected = (one.p_corrected * question.looks.max(1.0)).min(1.0);
        }
        found
    }

    /// How many of `recipients` are in each of their circles: groups of the estate, or, where it names none, sets of people who got the
    /// same mail before `before`.
    pub(super) fn hits(&self, recipients: &[Recipient], before: u32) -> FxHashMap<u64, usize> {
        let mut hits: FxHashMap<u64, usize> = FxHashMap::default();
        for recipient in recipients {
            if self.in_group.is_empty() {
                for list in self.circles.of(*recipient, before) {
                    *hits.entry(list).or_default() += 1;
                }
            }
            for group in self.groups_of.get(*recipient as usize).into_iter().flatten() {
                *hits.entry(*group).or_default() += 1;
            }
        }
        hits
    }

    /// How many circles [`People::hits`] chooses from.
    pub(super) fn circles(&self) -> usize {
        match self.in_group.len() {
            0 => self.circles.usable,
            groups => groups,
        }
    }

    /// The share of all people who are in a circle of [`People::hits`].
    pub(super) fn share_of(&self, circle: u64) -> f64 {
        let group = usize::try_from(circle).ok().and_then(|at| self.in_group.get(at));
        let members = group.copied().or_else(|| {
            let list = self.circles.lists.get(&circle)?;
            Some(list.members.len())
        });
        members.unwrap_or_default() as f64 / self.known.max(1) as f64
    }

    /// How many people there are.
    pub(super) fn population(&self) -> usize {
        self.known as usize
    }
}

/// The groups of each person, numbered, and the size of each. A group of most people is none.
fn groups(estate: &Estate) -> (Vec<Vec<u64>>, Vec<usize>) {
    let mut sizes: FxHashMap<&str, usize> = FxHashMap::default();
    for id in estate.people.iter().flat_map(|person| &person.groups) {
        *sizes.entry(id).or_default() += 1;
    }
    let mut kept: Vec<(&str, usize)> = sizes
        .into_iter()
        .filter(|(_, size)| *size >= 2 && *size * 2 < estate.people.len())
        .collect();
    kept.sort_unstable();
    let numbers: FxHashMap<&str, u64> = kept
        .iter()
        .zip(0..)
        .map(|((id, _), number)| (*id, number))
        .collect();
    let of_person = estate.people.iter().map(|person| {
        let own = person
            .groups
            .iter()
            .filter_map(|id| numbers.get(id.as_str()).copied());
        own.collect()
    });
    (
        of_person.collect(),
        kept.into_iter().map(|(_, size)| size).collect(),
    )
}

/// What is asked of the circles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    /// Only circles known before that time are asked.
    pub(super) before: u32,
    /// The sources whose own recipients these are: they are no circle.
    pub(super) own_sources: &'q [u64],
    /// How often the same was asked of a growing set of recipients.
    pub(super) looks: f64,
}

/// Sets of people who got the same mail: subscribers of one list, readers of one thread. They stand in for groups that
/// nobody wrote down. At most [`Circles::MOST`] are kept, the oldest goes first.
#[derive(Default)]
struct Circles {
    lists: FxHashMap<u64, Circle>,
    order: VecDeque<u64>,
    of_person: FxHashMap<Recipient, VecDeque<u64>>,
    /// How many of them have enough members and not too many.
    usable: usize,
}

#[derive(Default)]
struct Circle {
    members: FxHashSet<Recipient>,
    first: u32,
    /// It has grown beyond what tells its members from anybody else.
    is_everybody: bool,
}

impl Circles {
    const MOST: usize = 16_384;
    /// The most circles that one person is asked about, latest first.
    const OF_PERSON: usize = 64;
    /// The most recipients that are asked about.
    const ASKED: usize = 48;
    /// The fewest people who make a circle.
    const FEWEST: usize = 4;

    fn note(&mut self, source: u64, recipients: &[Recipient], now: u32, population: u32) {
        let largest = (population as usize / 8).clamp(12, 400);
        if !self.lists.contains_key(&source) {
            self.order.push_back(source);
            if self.order.len() > Self::MOST
                && let Some(oldest) = self.order.pop_front()
                && let Some(gone) = self.lists.remove(&oldest)
                && gone.members.len() >= Self::FEWEST
            {
                self.usable -= 1;
            }
        }
        let circle = self.lists.entry(source).or_insert_with(|| Circle {
            first: now,
            ..Circle::default()
        });
        if circle.is_everybody {
            return;
        }
        let had = circle.members.len();
        for recipient in recipients {
            if !circle.members.insert(*recipient) {
                continue;
            }
            let of_person = self.of_person.entry(*recipient).or_default();
            if of_person.len() >= Self::OF_PERSON {
                of_person.pop_front();
            }
            of_person.push_back(source);
        }
        let has = circle.members.len();
        if had < Self::FEWEST && has >= Self::FEWEST {
            self.usable += 1;
        }
        if has > largest {
            circle.is_everybody = true;
            circle.members = FxHashSet::default();
            self.usable -= 1;
        }
    }

    /// The circles of a person that were known before `before`.
    fn of(&self, recipient: Recipient, before: u32) -> impl Iterator<Item = u64> + '_ {
        let lists = self.of_person.get(&recipient).into_iter().flatten();
        lists.copied().filter(move |source| {
            let circle = self.lists.get(source);
            circle.is_some_and(|circle| {
                !circle.is_everybody && circle.members.len() >= Self::FEWEST && circle.first < before
            })
        })
    }

    fn enriched(
        &self,
        recipients: &[Recipient],
        question: &Question<'_>,
        chance: &Hypergeometric,
        groups: usize,
        limit: f64,
    ) -> Vec<Enrichment> {
        let mut hits: FxHashMap<u64, usize> = FxHashMap::default();
        for recipient in recipients.iter().take(Self::ASKED) {
            for source in self.of_person.get(recipient).into_iter().flatten() {
                *hits.entry(*source).or_default() += 1;
            }
        }
        let tried = (self.usable + groups).max(1) as f64;
        let drawn = recipients.len().min(Self::ASKED);
        let mut found = Vec::new();
        for (source, hit) in hits {
            let Some(circle) = self.lists.get(&source) else {
                continue;
            };
            let is_usable = !circle.is_everybody
                && circle.members.len() >= Self::FEWEST
                && circle.first < question.before
                && !question.own_sources.contains(&source);
            if hit < 3 || !is_usable {
                continue;
            }
            let p = chance.tail(hit, drawn, circle.members.len());
            let p_corrected = (p * tried).min(1.0);
            if p_corrected >= limit {
                continue;
            }
            found.push(Enrichment {
                kind: "correspondents".to_owned(),
                id: format!("{source:016x}"),
                name: format!("{} people who get other mail in common", circle.members.len()),
                hit,
                drawn,
                members: circle.members.len(),
                population: chance.population(),
                p,
                p_corrected,
                odds_ratio: odds_ratio(hit, drawn, circle.members.len(), chance.population()),
            });
        }
        found.sort_by(|a, b| a.p.total_cmp(&b.p).then_with(|| a.id.cmp(&b.id)));
        found.truncate(3);
        found
    }
}

/// Haldane's, as for groups.
fn odds_ratio(hit: usize, drawn: usize, members: usize, population: usize) -> f64 {
    let cell = |count: usize| count as f64 + 0.5;
    let members_missed = members.saturating_sub(hit);
    let others_missed = population.saturating_sub(drawn).saturating_sub(members_missed);
    (cell(hit) / cell(drawn.saturating_sub(hit))) / (cell(members_missed) / cell(others_missed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blackrod_model::estate::{Organisation, Person};

    fn estate(people: usize) -> Estate {
        Estate {
            organisations: vec![Organisation {
                domains: vec!["own.example".to_owned()],
                ..Organisation::default()
            }],
            people: (0..people)
                .map(|number| Person {
                    id: format!("p{number}"),
                    addresses: vec![format!("p{number}@own.example")],
                    ..Person::default()
                })
                .collect(),
            ..Estate::default()
        }
    }

    #[test]
    fn people_who_get_the_same_mail_are_a_circle() {
        let estate = estate(500);
        let mut people = People::new(&estate);
        let circle: Vec<Recipient> = (100..120).collect();
        people.note(1, &circle, 10);
        let question = Question {
            before: 100,
            own_sources: &[],
            looks: 4.0,
        };
        let found = people.enriched(&[101, 105, 110, 119], &question);
        assert_eq!(found.first().map(|one| (one.hit, one.members)), Some((4, 20)));
        assert!(people.enriched(&[1, 2, 3, 4], &question).is_empty());
        let own = Question {
            own_sources: &[1],
            ..question
        };
        assert!(people.enriched(&[101, 105, 110, 119], &own).is_empty());
    }

    #[test]
    fn only_the_estates_own_count() {
        let estate = estate(3);
        let mut people = People::new(&estate);
        let mut out = Vec::new();
        let addresses = [
            "p1@own.example",
            "x@other.example",
            "new@own.example",
            "p1@own.example",
        ]
        .map(str::to_owned);
        people.own(&addresses, &mut out);
        assert_eq!(out, [1, 3]);
    }
}
