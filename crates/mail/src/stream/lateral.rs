//! Phishing from inside: an account of the estate that writes as its owner never did (after Ho et al., 2019).

use std::collections::VecDeque;

use blackrod_model::mail::Term;
use rustc_hash::FxHashMap;

use super::history::DAY;

/// Recipient sets kept of a sender.
const SETS: usize = 48;
/// Recipients kept of a set.
const RECIPIENTS: usize = 256;
/// The most senders kept.
const SENDERS: usize = 50_000;
/// How far back sets count: a month.
const MONTH: u32 = 30 * DAY;

/// Whom each of the estate's people has been writing to.
#[derive(Default)]
pub(super) struct Lateral {
    senders: FxHashMap<u64, VecDeque<(u32, Vec<u32>)>>,
}

/// A message from inside.
pub(super) struct Inside<'m> {
    pub(super) sender: u64,
    pub(super) now: u32,
    pub(super) recipients: &'m [String],
    /// For how many days the estate's mail has known the least known place that it leads to; none where it leads nowhere.
    pub(super) least_known_days: Option<f32>,
    /// Whether the estate's mail has been watched long enough for that to mean something.
    pub(super) is_watched: bool,
    /// It carries a file.
    pub(super) has_attachment: bool,
}

impl Lateral {
    /// What is unusual about a message, and remembers it.
    pub(super) fn look(&mut self, inside: &Inside<'_>) -> Vec<Term> {
        let mut set: Vec<u32> = inside
            .recipients
            .iter()
            .take(RECIPIENTS)
            .map(|address| blackrod_model::mail::hash(address) as u32)
            .collect();
        set.sort_unstable();
        set.dedup();
        if self.senders.len() >= SENDERS && !self.senders.contains_key(&inside.sender) {
            let limit = inside.now.saturating_sub(MONTH);
            self.senders
                .retain(|_, sets| sets.back().is_some_and(|(time, _)| *time >= limit));
            if self.senders.len() >= SENDERS {
                return Vec::new();
            }
        }
        let sets = self.senders.entry(inside.sender).or_default();
        while sets
            .front()
            .is_some_and(|(time, _)| time.saturating_add(MONTH) < inside.now)
        {
            sets.pop_front();
        }
        let terms = if inside.least_known_days.is_some() || inside.has_attachment {
            unusual(inside, &set, sets)
        } else {
            Vec::new()
        };
        if sets.len() >= SETS {
            sets.pop_front();
        }
        sets.push_back((inside.now, set));
        terms
    }
}

fn unusual(inside: &Inside<'_>, set: &[u32], sets: &VecDeque<(u32, Vec<u32>)>) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut add = |code: &str, weight: f64, words: String, innocent: &str| {
        terms.push(Term {
            code: format!("lateral/{code}"),
            weight,
            words,
            innocent: innocent.to_owned(),
        });
    };
    if sets.len() >= 5 {
        let nearest = sets
            .iter()
            .map(|(_, past)| jaccard(set, past))
            .fold(0.0, f64::max);
        if nearest < 0.15 {
            let words = format!(
                "none of the {} sets of people that the sender wrote to in a month is like this one",
                sets.len()
            );
            add(
                "unusual-recipients",
                1.5,
                words,
                "a new project or a round letter",
            );
        }
        let mut sizes: Vec<usize> = sets.iter().map(|(_, past)| past.len()).collect();
        sizes.sort_unstable();
        let usual = sizes.get(sizes.len() * 9 / 10).copied().unwrap_or(1).max(1);
        if set.len() >= 10 && set.len() >= usual * 4 {
            let words = format!(
                "it went to {} people; nine in ten of the sender's messages go to at most {usual}",
                set.len()
            );
            add("many-recipients", 1.5, words, "an announcement to a department");
        }
    }
    if let Some(days) = inside
        .least_known_days
        .filter(|days| *days < 1.0 && inside.is_watched)
    {
        let words = format!("it leads to a place that mail here has known for {days:.1} days");
        add(
            "unknown-place",
            1.5,
            words,
            "a new service or a new correspondent",
        );
    }
    terms
}

/// The share that two sorted sets have in common.
fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let common = a.iter().filter(|one| b.binary_search(one).is_ok()).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(lateral: &mut Lateral, now: u32, recipients: &[String], days: f32) -> f64 {
        let inside = Inside {
            sender: 1,
            now,
            recipients,
            least_known_days: Some(days),
            is_watched: true,
            has_attachment: false,
        };
        lateral.look(&inside).iter().map(|term| term.weight).sum()
    }

    #[test]
    fn a_round_letter_from_a_quiet_account_stands_out() {
        let mut lateral = Lateral::default();
        let usual = [String::from("a@x.example"), String::from("b@x.example")];
        for day in 0..10 {
            assert_eq!(look(&mut lateral, day * DAY, &usual, 100.0), 0.0);
        }
        let all: Vec<String> = (0..60).map(|number| format!("p{number}@x.example")).collect();
        assert_eq!(look(&mut lateral, 11 * DAY, &all, 0.0), 4.5);
        assert_eq!(look(&mut lateral, 11 * DAY, &usual, 100.0), 0.0);
    }
}
