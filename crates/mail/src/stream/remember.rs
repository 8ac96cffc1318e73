//! What was known of a message's traits before it came.

use blackrod_model::mail::{Facts, LinkRole, hash};

use super::history::{Kind, Seen};
use super::people::Recipient;
use super::sketch::mix;
use super::{Stream, known_days, source};

/// What was remembered of a message's traits before it came.
pub(super) struct Before {
    pub(super) address: Seen,
    pub(super) name: Seen,
    pub(super) named_address: Seen,
    pub(super) domain: Seen,
    /// The place it leads to or loads from that is known least: its hash and what was known.
    pub(super) least_known: Option<(u64, Seen)>,
    /// How many senders use the commonest place that it loads from, and that place.
    pub(super) commonest: Option<(u64, f32)>,
    /// The name or the domain is taken for somebody else's: how much that says, and what was seen.
    pub(super) claim: Option<(f64, String)>,
}

/// Of the places that a message loads from or leads to: the one known least, with what was known, and of those that it
/// loads from the one that most senders use.
#[derive(Default)]
pub(super) struct Places {
    pub(super) least_known: Option<(u64, Seen)>,
    pub(super) commonest: Option<(u64, f32)>,
}

impl Stream<'_> {
    /// Remembers what a message shows; gives back what was known of it before.
    pub(super) fn note_outside(&mut self, facts: &Facts, own: &[Recipient], now: u32) -> Before {
        let sender = hash(&facts.from);
        let recipients: Vec<u64> = own.iter().take(64).map(|one| u64::from(*one)).collect();
        let name = hash(&facts.from_name);
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut note = |kind: Kind, value: u64| self.history.note(kind, value, now, sender, &recipients);
        let before = Before {
            address: note(Kind::Address, sender),
            name: if facts.from_name.is_empty() {
                Seen::default()
            } else {
                note(Kind::Name, name)
            },
            named_address: note(Kind::NamedAddress, mix(name) ^ sender),
            domain: note(Kind::Domain, hash(source::organisation_domain(domain))),
            least_known: None,
            commonest: None,
            claim: None,
        };
        if let Some(account) = &facts.bulk.account {
            note(Kind::Account, hash(account));
        }
        for signer in facts.authentication.signers.iter().take(2) {
            note(Kind::Signer, hash(signer));
        }
        let home = source::organisation_domain(domain);
        let claim = match facts.from_name.is_empty() {
            true => None,
            false => self
                .claims
                .note(facts, home, &before.domain, &mut self.history, &recipients, now),
        };
        let places = self.note_places(facts, sender, &recipients, now);
        Before {
            least_known: places.least_known,
            commonest: places.commonest,
            claim,
            ..before
        }
    }

    /// Remembers the places that a message loads from or leads to.
    pub(super) fn note_places(&mut self, facts: &Facts, sender: u64, recipients: &[u64], now: u32) -> Places {
        let mut done: Vec<u64> = Vec::new();
        let mut places = Places::default();
        for link in facts
            .links
            .iter()
            .filter(|link| !link.domain.is_empty() && link.role != LinkRole::Unsubscribe)
        {
            let domain = hash(&link.domain);
            if done.len() >= 6 || done.contains(&domain) {
                continue;
            }
            done.push(domain);
            let seen = self
                .history
                .note(Kind::Infrastructure, domain, now, sender, recipients);
            if places
                .least_known
                .is_none_or(|(_, known)| known_days(&seen, now) < known_days(&known, now))
            {
                places.least_known = Some((domain, seen));
            }
            let senders = seen.senders.count();
            if link.role == LinkRole::Beacon && places.commonest.is_none_or(|(_, most)| senders > most) {
                places.commonest = Some((domain, senders));
            }
        }
        places
    }
}
