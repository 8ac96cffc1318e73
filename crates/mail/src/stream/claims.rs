//! Names and domains that are taken for those of somebody whose mail is known here, learned from that mail.

use blackrod_model::mail::{Facts, hash};

use super::history::{DAY, History, Kind, Seen};
use crate::lookalike::{Kin, Lookalikes, Trick};

/// People here who get a sender's mail before the name counts as one that is known here.
const KNOWN_TO: f32 = 8.0;
/// People here who get a domain's mail before others are compared with it.
const FREQUENT_TO: f32 = 20.0;
/// The most domains that are compared with.
const MOST_DOMAINS: usize = 20_000;
/// Parts of a name that are asked.
const PARTS: usize = 3;
/// What a borrowed name and a look-alike domain say, in nats; and the whole name of somebody few people know, who may have
/// a namesake.
pub(super) const BORROWED: f64 = 2.5;
const NAMESAKE: f64 = 0.6;
/// A domain that differs from a known one by a letter: names of places and families do so by chance.
const TYPO: f64 = 1.2;

/// What imitations of newspapers are padded with: `courier-media`. Words that firms bear by right (`services`, `group`) are not
/// among them: who is called like a known firm and something is mostly somebody else.
const PADDING: [&str; 14] = [
    "news",
    "newsletter",
    "newsroom",
    "press",
    "media",
    "daily",
    "weekly",
    "online",
    "digest",
    "alerts",
    "editor",
    "desk",
    "info",
    "live",
];

/// The domains that many people here get mail from.
pub(super) struct Claims {
    frequent: Lookalikes,
    count: usize,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            frequent: Lookalikes::new(PADDING.map(str::to_owned)),
            count: 0,
        }
    }
}

impl Claims {
    /// Remembers a message's name, from `domain`, of which `known` was known before it; says whether it is somebody else's:
    /// how much that says, and what was seen.
    pub(super) fn note(
        &mut self,
        facts: &Facts,
        domain: &str,
        known: &Seen,
        history: &mut History,
        recipients: &[u64],
        now: u32,
    ) -> Option<(f64, String)> {
        let is_frequent = known.recipients.count() >= FREQUENT_TO && known.days >= 3;
        if is_frequent && known.messages.is_power_of_two() && self.count < MOST_DOMAINS {
            self.count += usize::from(!self.frequent.is_known(domain));
            self.frequent.add(domain, Kin::Correspondent);
        }
        let mut found: Option<(f64, String)> = None;
        let parts = parts(&facts.from_name);
        let sender = hash(domain);
        for part in &parts {
            let before = history.note(Kind::Claim, hash(part), now, sender, recipients);
            let is_of_others = before.messages >= 2
                && before.days >= 2
                && before.senders.count() <= 3.5
                && !before.senders.may_contain(sender);
            if !is_of_others {
                continue;
            }
            let is_known_here = before.recipients.count() >= KNOWN_TO;
            let is_its_own = letters(part) == letters(domain.split('.').next().unwrap_or_default());
            let weight = if is_known_here && !is_its_own {
                BORROWED
            } else {
                NAMESAKE
            };
            if found.as_ref().is_none_or(|(heaviest, _)| weight > *heaviest) {
                found = Some((
                    weight,
                    format!("{part} writes here from elsewhere, not from {domain}"),
                ));
            }
        }
        let is_new = known.messages == 0 || now.saturating_sub(known.first) < 14 * DAY;
        if is_new
            && found.as_ref().is_none_or(|(weight, _)| *weight < BORROWED)
            && let Some(like) = self.frequent.find(domain)
        {
            let weight = match like.trick {
                Trick::Typo => TYPO,
                _ => BORROWED,
            };
            found = Some((weight, format!("{domain} is made to be taken for {}", like.of)));
        }
        found
    }
}

/// The letters and digits of a name or a label.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// `Anna Berg | Daily Courier` is two names.
pub(super) fn parts(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let separated = lower
        .replace(" via ", "|")
        .replace(" at ", "|")
        .replace(" - ", "|")
        .replace(" – ", "|")
        .replace(" from ", "|");
    separated
        .split(['|', '(', ')', ',', '/', '@', '"'])
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|part| part.len() >= 5)
        .take(PARTS)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn note(claims: &mut Claims, history: &mut History, name: &str, domain: &str, day: u32) -> Option<f64> {
        let facts = Facts {
            from_name: name.to_owned(),
            ..Facts::default()
        };
        let recipients: Vec<u64> = (0..40).collect();
        let now = day * DAY;
        let known = history.note(Kind::Domain, hash(domain), now, 1, &recipients);
        claims
            .note(&facts, domain, &known, history, &recipients, now)
            .map(|(weight, _)| weight)
    }

    #[test]
    fn names_that_belong_to_others_are_recognised() {
        let (mut claims, mut history) = (Claims::default(), History::default());
        for day in 1..10 {
            assert_eq!(
                note(
                    &mut claims,
                    &mut history,
                    "Daily Courier",
                    "dailycourier.example",
                    day
                ),
                None
            );
        }
        assert_eq!(
            note(
                &mut claims,
                &mut history,
                "Anna Berg | Daily Courier",
                "webpost.example",
                11
            ),
            Some(BORROWED)
        );
        assert_eq!(
            note(&mut claims, &mut history, "Carl Dorn", "webpost.example", 11),
            None
        );
        assert_eq!(
            note(&mut claims, &mut history, "Eva Falk", "dailycouriers.example", 12),
            Some(TYPO)
        );
        assert_eq!(
            note(
                &mut claims,
                &mut history,
                "Ida Lund",
                "the-dailycourier.example",
                12
            ),
            Some(BORROWED)
        );
        assert_eq!(
            note(
                &mut claims,
                &mut history,
                "Jan Holm",
                "dailycourier-media.example",
                12
            ),
            Some(BORROWED)
        );
    }
}
