//! How probable it is that a cluster of messages is a hostile campaign.
//!
//! The score is a sum of log-likelihood ratios, hostile campaign against ordinary new sender, set by hand from what is
//! known of campaigns and of bulk mail, and tempered: terms that tend to come together are small.

use blackrod_model::estate::Enrichment;
use blackrod_model::mail::Term;
use rustc_hash::FxHashSet;

use super::cluster::Cluster;
use super::history::{History, Kind};
use super::people::People;
use super::source::{Relation, Source, SourceId, Standing};
use super::targeting::{likelihood, targeting};
use super::terms::Terms;

/// A cluster's score and what it is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Scored {
    pub(super) score: f64,
    /// Its recipients belong together.
    pub(super) is_aimed: bool,
    /// Heaviest first.
    pub(super) terms: Vec<Term>,
    pub(super) targeting: Vec<Enrichment>,
}

/// What scoring looks at beside the cluster.
pub(super) struct Surroundings<'s, 'e> {
    pub(super) sources: &'s dyn Fn(SourceId) -> Option<&'s Source>,
    pub(super) history: &'s History,
    pub(super) people: &'s mut People<'e>,
}

/// The fewest of the estate's people that a campaign hits.
pub(super) const FEWEST: usize = 3;

/// Scores a cluster; none where it hits fewer than [`FEWEST`] people. `in_words`: whether the terms are to be read.
pub(super) fn score(cluster: &Cluster, around: &mut Surroundings<'_, '_>, in_words: bool) -> Option<Scored> {
    if cluster.recipients.len() < FEWEST {
        return None;
    }
    let sources: Vec<&Source> = cluster
        .sources
        .iter()
        .filter_map(|id| (around.sources)(*id))
        .collect();
    if sources.is_empty() {
        return None;
    }
    let look = Look {
        cluster,
        sources: &sources,
        history: around.history,
    };
    let mut terms = Terms::new(in_words);
    look.novelty(&mut terms);
    look.infrastructure(&mut terms);
    look.tracking(&mut terms);
    let identities = look.identities(&mut terms);
    look.impersonation(&mut terms);
    look.relation(&mut terms);
    look.correspondence(&mut terms);
    look.timing(identities, &mut terms);
    look.indicators(&mut terms);
    reach(cluster, identities, around.people.population(), &mut terms);
    let targeting = targeting(cluster, &sources, around.people, &mut terms);
    let (score, terms) = terms.finish();
    Some(Scored {
        score,
        is_aimed: targeting.first().is_some_and(|best| likelihood(best) > 0.0),
        terms,
        targeting,
    })
}

struct Look<'l> {
    cluster: &'l Cluster,
    sources: &'l [&'l Source],
    history: &'l History,
}

impl Look<'_> {
    fn share(&self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.cluster.marked.messages.max(1))
    }

    fn share_of_sources(&self, is_so: impl Fn(&Source) -> bool) -> f64 {
        self.sources.iter().filter(|source| is_so(source)).count() as f64 / self.sources.len().max(1) as f64
    }

    /// Nobody here knew these senders: as telling as new senders are rare in the estate's own mail.
    fn novelty(&self, terms: &mut Terms) {
        let new: Vec<&&Source> = self
            .sources
            .iter()
            .filter(|source| source.standing == Standing::New)
            .collect();
        let sum: f64 = new.iter().map(|source| source.novelty).sum();
        let mean = sum / self.sources.len() as f64;
        let words = || {
            format!(
                "{} of {} senders had never written here before",
                new.len(),
                self.sources.len()
            )
        };
        terms.add(
            "new-identities",
            mean.min(2.5),
            words,
            "an organisation that begins to write to the estate",
        );
        let turned = self.share_of_sources(|source| source.standing == Standing::Established);
        terms.add(
            "known-sender-new-place",
            2.2 * turned,
            || {
                "a known sender's mail loads from or leads to places that nobody's mail here did before"
                    .to_owned()
            },
            "the correspondent has moved to another mailing service",
        );
    }

    /// Hosts that only these messages use.
    fn infrastructure(&self, terms: &mut Terms) {
        let places = &self.cluster.marked.loads_from;
        let own: Vec<&(u64, String)> = places
            .iter()
            .filter(|(domain, _)| self.is_only_theirs(*domain))
            .collect();
        if own.is_empty() {
            let is_home = |domain: u64| self.sources.iter().any(|source| source.home == domain);
            let mut led_to = self.cluster.marked.leads_to.iter();
            let led_to = led_to.find(|(domain, _)| self.is_only_theirs(*domain) && !is_home(*domain));
            if let Some((_, host)) = led_to {
                let words = || {
                    format!(
                        "its links lead every recipient by another address to {host}, where no other mail here leads"
                    )
                };
                terms.add(
                    "new-link-target",
                    NEW_LINK_TARGET,
                    words,
                    "a small organisation with a web server of its own",
                );
            }
            if !places.is_empty() {
                let words = || "what it loads comes from places that others' mail uses too".to_owned();
                terms.add("known-infrastructure", -0.3, words, "");
            }
            return;
        }
        let is_home = own
            .iter()
            .any(|(domain, _)| self.sources.iter().any(|source| source.home == *domain));
        let words = || {
            let mut hosts: Vec<&str> = own.iter().map(|(_, host)| host.as_str()).collect();
            hosts.sort_unstable();
            hosts.truncate(3);
            format!(
                "it loads from {}, which no other mail here does",
                hosts.join(", ")
            )
        };
        // What lies on the sender's own domain is answered for.
        let weight = if is_home { -0.3 } else { 2.3 };
        terms.add(
            "new-infrastructure",
            weight,
            words,
            "a small organisation with a web server of its own",
        );
    }

    fn is_only_theirs(&self, domain: u64) -> bool {
        let Some(seen) = self.history.of(Kind::Infrastructure, domain) else {
            return true;
        };
        let began_here = seen.first.saturating_add(3_600) >= self.cluster.first;
        began_here && seen.senders.count() <= self.sources.len() as f32 * 1.15 + 0.6
    }

    /// What tells the sender who opened it, and whether the list can be left.
    fn tracking(&self, terms: &mut Terms) {
        let marked = &self.cluster.marked;
        let beacons = self.share(marked.loading);
        if marked.derived {
            let words = || "what it loads carries a value worked out from the recipient's address".to_owned();
            terms.add(
                "derived-tokens",
                1.0,
                words,
                "some mass-mail services do the same to count their readers",
            );
        } else if marked.varies {
            let words = || {
                "what it loads is another address for every recipient, so that opening it reports who did"
                    .to_owned()
            };
            terms.add(
                "recipient-tokens",
                0.8 * beacons,
                words,
                "mass-mail services count readers in this way",
            );
        } else {
            terms.add(
                "no-tokens",
                -1.0,
                || "nothing that it loads tells recipients apart".to_owned(),
                "",
            );
        }
        let with_exit = self.share(marked.unsubscribe);
        let words =
            || "it goes to many and tracks them, but has no means of leaving the list (RFC 2369)".to_owned();
        terms.add(
            "no-unsubscribe",
            0.9 * (1.0 - with_exit) * beacons,
            words,
            "mail written by hand with an office's tracker",
        );
        terms.add(
            "unsubscribe",
            -0.6 * with_exit,
            || "its recipients can leave the list (RFC 2369)".to_owned(),
            "",
        );
    }

    /// Several senders who are one: how many, and how sure.
    fn identities(&self, terms: &mut Terms) -> usize {
        let mut homes: FxHashSet<u64> = FxHashSet::default();
        for source in self.sources {
            homes.insert(if source.home_is_shared {
                source.key
            } else {
                source.home
            });
        }
        let identities = homes.len();
        if identities < 2 {
            return identities;
        }
        let ties = &self.cluster.ties;
        let sure: f64 =
            ties.iter().map(|tie| (tie.weight / 5.0).min(1.0)).sum::<f64>() / ties.len().max(1) as f64;
        let weight = sure * (1.0 + 1.2 * (identities as f64).log2()).min(5.5);
        let words = || {
            let heaviest = ties.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
            let how = heaviest.map(|tie| words_of(&tie.shared)).unwrap_or_default();
            format!("{identities} senders of different names or domains are one: they {how}")
        };
        terms.add(
            "many-identities",
            weight,
            words,
            "a press release that several organisations pass on",
        );
        identities
    }

    /// It says to be somebody whom it is not.
    fn impersonation(&self, terms: &mut Terms) {
        let Some((weight, seen)) = &self.cluster.marked.impersonation else {
            return;
        };
        let share = self.share(self.cluster.marked.impersonating);
        let words = || format!("it bears a name that is not its own: {seen}");
        terms.add(
            "impersonation",
            (weight * 1.2 * share.sqrt()).min(4.5),
            words,
            "a freelancer or branch office that writes from another domain",
        );
    }

    /// Whether its name, its account and its links belong together. A name that is claimed falsely is no sign of that.
    fn relation(&self, terms: &mut Terms) {
        let honest = 1.0 - self.share(self.cluster.marked.impersonating);
        let owned = self.share_of_sources(|source| source.relation == Relation::Owned);
        let unrelated = self.share_of_sources(|source| source.relation == Relation::None);
        let home = self.share(self.cluster.marked.leads_home);
        let words =
            || "nothing of the sender's name is found in the domain, the account or the links".to_owned();
        terms.add(
            "unrelated-name",
            1.0 * unrelated,
            words,
            "a person who writes through an organisation with another name",
        );
        let free =
            self.share_of_sources(|source| source.home_is_shared && source.relation != Relation::Owned);
        terms.add(
            "free-mailbox-in-bulk",
            1.0 * free * self.share(self.cluster.marked.loading),
            || "it counts its readers, but writes from a mailbox that anybody may have".to_owned(),
            "a person who writes with a mail-merge tool",
        );
        let letters = self.share_of_sources(|source| source.writes_anew() == Some(true));
        terms.add(
            "different-letters",
            -letters,
            || "each sender writes something else to every recipient".to_owned(),
            "",
        );
        let words = || "the sender's name is found in its own domain, account or links".to_owned();
        terms.add("related-name", -1.8 * owned * honest, words, "");
        terms.add(
            "leads-home",
            -0.7 * home * owned,
            || "its links lead to the sender's own pages".to_owned(),
            "",
        );
        let home_of = self.sources.first().map(|first| first.home);
        let is_one_house = self.sources.len() > 1
            && self
                .sources
                .iter()
                .all(|source| Some(source.home) == home_of && !source.home_is_shared);
        if is_one_house {
            terms.add(
                "colleagues",
                -1.2,
                || {
                    format!(
                        "its {} senders write from one organisation's domain",
                        self.sources.len()
                    )
                },
                "",
            );
        }
    }

    /// Whether anybody here ever wrote to them.
    fn correspondence(&self, terms: &mut Terms) {
        let answered = self.share_of_sources(|source| source.standing == Standing::Answered);
        let words = || "people here have written to the sender before".to_owned();
        terms.add("answered", -2.5 * answered, words, "");
        let new = self.share_of_sources(|source| source.standing == Standing::New);
        if self.history.outbound >= 100 {
            let words = || "nobody here has ever written to any of the senders".to_owned();
            terms.add(
                "no-relationship",
                0.3 * new,
                words,
                "newsletters are seldom answered",
            );
        }
    }

    /// A list is mailed in one go; campaigns are dealt out in portions, each identity's by itself. One person who writes to one after the other
    /// may be selling something.
    fn timing(&self, identities: usize, terms: &mut Terms) {
        let mut times = self.cluster.marked.times.clone();
        times.sort_unstable();
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return;
        };
        let people = self.cluster.recipients.len();
        let span = last.saturating_sub(*first);
        if people >= 5 && span < 1_800 {
            let words = || {
                format!(
                    "the first {} messages came within {} minutes",
                    times.len(),
                    span / 60 + 1
                )
            };
            terms.add("blast", -0.5, words, "");
        }
        let portions = times
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if b - a > 1_800))
            .count()
            + 1;
        let once_each = self.cluster.count as usize * 2 <= people * 3;
        if identities >= 2 && people >= 4 && portions >= 3 && once_each {
            let words = || {
                format!(
                    "its {people} recipients got it one after the other, in {portions} portions over {} hours",
                    span / 3_600
                )
            };
            terms.add("portions", 0.8, words, "letters written by hand");
        }
    }

    fn indicators(&self, terms: &mut Terms) {
        let Some(indicator) = &self.cluster.marked.indicator else {
            return;
        };
        terms.add(
            "indicator",
            5.0,
            || format!("it carries a known indicator of compromise: {indicator}"),
            "an outdated indicator",
        );
    }
}

/// What links say that lead to a place of the campaign's own, where its pictures lie with somebody who hosts anybody's.
const NEW_LINK_TARGET: f64 = 1.8;
/// A campaign picks its people; who writes to a tenth of the estate has a list.
fn reach(cluster: &Cluster, identities: usize, population: usize, terms: &mut Terms) {
    let people = cluster.recipients.len();
    if people > (population / 12).max(40) && identities < 3 {
        let words = || format!("it went to {people} of the estate's {population} people");
        terms.add("many-people", -1.5, words, "");
    }
}

/// What is shared, in words: "have nearly the same text and load from the same rare host".
pub(super) fn words_of(shared: &super::source::Shared) -> String {
    let mut sorted = shared.clone();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let all: Vec<&str> = sorted
        .iter()
        .take(3)
        .map(|(family, _)| family.manner().words)
        .collect();
    all.join(" and ")
}
