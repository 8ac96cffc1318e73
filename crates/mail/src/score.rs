//! What signals weigh: log-likelihood ratios in nats, set by hand, some moved towards a fit (`benches/README.md`), tempered, in
//! `content/mail/signals.toml`.
//!
//! Signals that tend to come together stand in one group, which counts its strongest one whole and the others in part: a
//! naive sum would count one trait several times.

use std::collections::BTreeMap;

use blackrod_model::mail::{Facts, Term};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::lists::table;

/// How much a signal counts that is not the strongest of its group.
const FURTHER: f64 = 0.4;
/// What speaks for a message is not believed beyond this: the sender chose it.
const LEAST: f64 = -2.0;

/// What a signal means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// As in [`Signal::code`](blackrod_model::mail::Signal::code).
    pub code: String,
    /// Signals of one group are counted together.
    pub group: String,
    /// What it is, in a few words.
    pub title: String,
    /// What an attacker gains by it.
    pub attack: String,
    /// What would make it innocent.
    pub innocent: String,
    /// Log-likelihood ratio, hostile against ordinary mail, in nats.
    pub weight: f64,
    /// Why the evaluation against mail of 2002 must not count it, where it tells the years apart by itself.
    #[serde(default)]
    pub era: Option<String>,
}

/// The weights of all signals. Immutable; shared by all threads.
pub struct Weights {
    by_code: FxHashMap<String, Meaning>,
    dropped: bool,
}

/// A score and what it is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// The sum of the terms' weights, in nats.
    pub score: f64,
    /// The signals that weigh something, heaviest first; `weight` is what counted, `words` what was seen.
    pub terms: Vec<Term>,
}

#[derive(Default, Deserialize)]
struct Signals {
    signal: Vec<Meaning>,
}

impl Weights {
    /// The built-in table.
    pub fn load() -> Self {
        let table: Signals = table(include_str!("../../../content/mail/signals.toml"));
        let by_code = table
            .signal
            .into_iter()
            .map(|meaning| (meaning.code.clone(), meaning))
            .collect();
        Self {
            by_code,
            dropped: false,
        }
    }

    /// The same without the signals that tell the years apart by themselves: for evaluations whose two
    /// sides are from different years.
    pub fn without_era(mut self) -> Self {
        self.dropped = true;
        self
    }

    /// What the signal `code` means.
    pub fn meaning(&self, code: &str) -> Option<&Meaning> {
        self.by_code.get(code)
    }

    /// All meanings, by their codes.
    pub fn meanings(&self) -> impl Iterator<Item = &Meaning> {
        let sorted: BTreeMap<&str, &Meaning> = self
            .by_code
            .iter()
            .map(|(code, meaning)| (code.as_str(), meaning))
            .collect();
        sorted.into_values()
    }

    /// How suspicious a message is by itself.
    pub fn score(&self, facts: &Facts) -> Scored {
        let mut groups: BTreeMap<&str, Vec<(&Meaning, &str)>> = BTreeMap::new();
        for signal in &facts.signals {
            let Some(meaning) = self.by_code.get(&signal.code) else {
                continue;
            };
            if meaning.weight == 0.0 || (self.dropped && meaning.era.is_some()) {
                continue;
            }
            let group = groups.entry(&meaning.group).or_default();
            if !group.iter().any(|(other, _)| other.code == meaning.code) {
                group.push((meaning, &signal.seen));
            }
        }
        let mut terms: Vec<Term> = groups.into_values().flat_map(tempered).collect();
        terms.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.code.cmp(&b.code)));
        let against: f64 = terms
            .iter()
            .map(|term| term.weight)
            .filter(|weight| *weight > 0.0)
            .sum();
        let in_favour: f64 = terms
            .iter()
            .map(|term| term.weight)
            .filter(|weight| *weight < 0.0)
            .sum();
        Scored {
            score: against + in_favour.max(LEAST),
            terms,
        }
    }
}

/// The terms of one group.
fn tempered(mut group: Vec<(&Meaning, &str)>) -> Vec<Term> {
    group.sort_by(|(a, _), (b, _)| b.weight.abs().total_cmp(&a.weight.abs()));
    let terms = group
        .into_iter()
        .enumerate()
        .map(|(place, (meaning, seen))| Term {
            code: meaning.code.clone(),
            weight: if place == 0 {
                meaning.weight
            } else {
                meaning.weight * FURTHER
            },
            words: if seen.is_empty() {
                meaning.title.clone()
            } else {
                format!("{}: {seen}", meaning.title)
            },
            innocent: meaning.innocent.clone(),
        });
    terms.collect()
}

#[cfg(test)]
mod tests {
    use blackrod_model::mail::Signal;

    use super::*;

    fn facts(codes: &[&str]) -> Facts {
        let signals = codes.iter().map(|code| Signal {
            code: (*code).to_owned(),
            seen: String::new(),
        });
        Facts {
            signals: signals.collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn a_group_counts_its_strongest_whole() {
        let weights = Weights::load();
        let score = |codes: &[&str]| weights.score(&facts(codes)).score;
        let brand = score(&["sender/name-of-brand"]);
        let person = score(&["sender/name-of-person"]);
        assert!(brand > 1.0 && person > 1.0);
        let both = score(&[
            "sender/name-of-person",
            "sender/name-of-brand",
            "sender/name-of-brand",
        ]);
        assert!((both - (brand.max(person) + FURTHER * brand.min(person))).abs() < 1e-9);
        let apart = score(&["sender/name-of-brand", "wording/prize"]);
        assert!((apart - brand - score(&["wording/prize"])).abs() < 1e-9);
        assert_eq!(score(&["unheard/of"]), 0.0);
    }

    #[test]
    fn what_tells_the_years_apart_can_be_left_out() {
        let mail = facts(&["auth/dmarc-fails"]);
        assert!(Weights::load().score(&mail).score > 0.0);
        assert_eq!(Weights::load().without_era().score(&mail).score, 0.0);
    }

    #[test]
    fn every_meaning_is_whole() {
        let weights = Weights::load();
        assert!(weights.meanings().count() > 150);
        for meaning in weights.meanings() {
            let texts = [&meaning.title, &meaning.attack, &meaning.innocent, &meaning.group];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", meaning.code);
            assert!((-2.0..=5.0).contains(&meaning.weight), "{}", meaning.code);
        }
    }
}
