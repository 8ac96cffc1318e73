//! Sources that are one sender, and what their messages show taken together.

use blackrod_model::mail::Fired;
use rustc_hash::FxHashSet;

use super::people::Recipient;
use super::source::{Kept, Marks, Shared, SourceId};

/// Ties kept of a cluster.
const TIES: usize = 64;

/// Sources that are one sender.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) sources: Vec<SourceId>,
    /// The first messages, all where they are few.
    pub(super) messages: Vec<Kept>,
    /// How many there were.
    pub(super) count: u32,
    pub(super) recipients: FxHashSet<Recipient>,
    pub(super) marked: Marked,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) ties: Vec<Tie>,
    pub(super) fired: Option<Fired>,
    /// How many recipients it had when it was last scored.
    pub(super) scored_at: usize,
    /// How often it was scored.
    pub(super) looks: u32,
    /// Whether it was aimed at a circle when it was last scored; none where it had few recipients.
    pub(super) aimed: Option<bool>,
    /// The highest score that it had.
    pub(super) peak: f64,
}

/// The marks of a cluster's messages, added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Marked {
    pub(super) messages: u32,
    pub(super) unsubscribe: u32,
    pub(super) leads_home: u32,
    pub(super) loading: u32,
    pub(super) impersonating: u32,
    /// The heaviest impersonation and what was seen.
    pub(super) impersonation: Option<(f64, String)>,
    pub(super) indicator: Option<String>,
    /// Where it loads from: at most [`PLACES`].
    pub(super) loads_from: Vec<(u64, String)>,
    /// Where its links lead that differ between recipients: at most [`PLACES`].
    pub(super) leads_to: Vec<(u64, String)>,
    /// The varying parts of what it loads, each with a value and a recipient who got it: at most [`PLACES`].
    tokens: Vec<(u64, u64, Recipient)>,
    /// A beacon differs between recipients.
    pub(super) varies: bool,
    /// A beacon follows from the recipient's address.
    pub(super) derived: bool,
    /// When the first of them came, at most [`TIMES`].
    pub(super) times: Vec<u32>,
}

/// Hosts and token places of a cluster that are watched.
const PLACES: usize = 32;
/// Times of a cluster that are kept.
const TIMES: usize = 96;

impl Marked {
    pub(super) fn add(&mut self, marks: &Marks) {
        self.messages += 1;
        self.unsubscribe += u32::from(marks.unsubscribe);
        self.leads_home += u32::from(marks.leads_home);
        self.loading += u32::from(!marks.loads_from.is_empty());
        self.impersonating += u32::from(marks.impersonation.is_some());
        self.claim(marks.impersonation.as_ref());
        if self.indicator.is_none() {
            self.indicator.clone_from(&marks.indicator);
        }
        for place in &marks.loads_from {
            self.loads(place);
        }
        for place in &marks.leads_to {
            self.leads(place);
        }
        self.derived |= marks.derived;
        let Some(recipient) = marks.own.first() else {
            return;
        };
        for (place, value) in &marks.tokens {
            match self.tokens.iter().find(|(known, ..)| known == place) {
                Some((_, other, owner)) => self.varies |= other != value && owner != recipient,
                None if self.tokens.len() < PLACES => self.tokens.push((*place, *value, *recipient)),
                None => {}
            }
        }
        if self.times.len() < TIMES {
            self.times.push(marks.time);
        }
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.messages += other.messages;
        self.unsubscribe += other.unsubscribe;
        self.leads_home += other.leads_home;
        self.loading += other.loading;
        self.impersonating += other.impersonating;
        self.claim(other.impersonation.as_ref());
        self.indicator = self.indicator.take().or(other.indicator);
        for place in &other.loads_from {
            self.loads(place);
        }
        for place in &other.leads_to {
            self.leads(place);
        }
        self.derived |= other.derived;
        self.varies |= other.varies;
        for (place, value, recipient) in other.tokens {
            match self.tokens.iter().find(|(known, ..)| *known == place) {
                Some((_, known, owner)) => self.varies |= *known != value && *owner != recipient,
                None if self.tokens.len() < PLACES => self.tokens.push((place, value, recipient)),
                None => {}
            }
        }
        self.times.extend(other.times);
        self.times.sort_unstable();
        self.times.truncate(TIMES);
    }

    fn claim(&mut self, claim: Option<&(f64, String)>) {
        let Some((weight, seen)) = claim else { return };
        if self
            .impersonation
            .as_ref()
            .is_none_or(|(known, _)| weight > known)
        {
            self.impersonation = Some((*weight, seen.clone()));
        }
    }

    fn leads(&mut self, place: &(u64, String)) {
        if self.leads_to.len() < PLACES && !self.leads_to.contains(place) {
            self.leads_to.push(place.clone());
        }
    }

    fn loads(&mut self, place: &(u64, String)) {
        if self.loads_from.len() < PLACES && !self.loads_from.contains(place) {
            self.loads_from.push(place.clone());
        }
    }
}

/// Why two sources are taken for one.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    pub(super) sources: (SourceId, SourceId),
    pub(super) shared: Shared,
    /// Net weight in nats.
    pub(super) weight: f64,
}

impl Cluster {
    pub(super) fn absorb(&mut self, other: Self, tie: Tie) {
        self.sources.extend(other.sources);
        self.messages.extend(other.messages);
        self.messages
            .sort_by_key(|message| (message.time, message.evidence.0, message.at));
        self.count = self.count.saturating_add(other.count);
        self.recipients.extend(other.recipients);
        self.marked.absorb(other.marked);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.ties.extend(other.ties);
        self.ties.push(tie);
        if self.ties.len() > TIES {
            self.ties.sort_by(|a, b| b.weight.total_cmp(&a.weight));
            self.ties.truncate(TIES);
        }
        self.fired = match (self.fired.take(), other.fired) {
            (Some(a), Some(b)) => Some(if a.time <= b.time { a } else { b }),
            (a, b) => a.or(b),
        };
        self.looks = self.looks.max(other.looks);
        self.aimed = self.aimed.or(other.aimed);
        self.peak = self.peak.max(other.peak);
        self.scored_at = 0;
    }
}
