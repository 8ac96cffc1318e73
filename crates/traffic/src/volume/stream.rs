//! Inrushes in the order of time → floods.

use std::collections::BTreeMap;
use std::net::IpAddr;

use blackrod_model::flood::Flood;
use blackrod_model::{Finding, Inrush};

use super::kinds::Kind;
use super::lasting::{Course, Lasting, Usual};
use super::past::Past;
use crate::MINUTE;
use crate::sample::{Loudest, Sample};

/// A flood is over after so many quiet minutes.
const QUIET: i64 = 5;

/// A minute counts from so many times the past's 95th percentile on.
const TIMES_PAST: u64 = 3;

/// Victims and kinds whose past is remembered.
const MAX_PASTS: usize = 100_000;

/// Victims whose last minutes are remembered.
const MAX_RECENT: usize = 10_000;

/// So many minutes before a flood are drawn.
const BEFORE: i64 = 10;

/// A victim (address or network, and how many of its bits count) and a kind.
pub(super) type Key = (IpAddr, u8, Kind);

/// Takes inrushes in the order of their times.
#[derive(Default)]
pub struct Stream {
    minute: i64,
    now: BTreeMap<Key, Inrush>,
    pasts: BTreeMap<Key, Past>,
    /// All that came to a victim in its last minutes.
    recent: BTreeMap<(IpAddr, u8), Course>,
    open: BTreeMap<Key, Lasting>,
    outcome: Outcome,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Floods, by time.
    pub floods: Vec<Flood>,
    /// A finding for each.
    pub findings: Vec<Finding>,
}

impl Stream {
    /// Takes an inrush.
    pub fn push(&mut self, inrush: &Inrush) {
        let Some(victim) = inrush.victim else {
            return;
        };
        let minute = inrush.time.micros().unwrap_or_default().div_euclid(MINUTE);
        if minute != self.minute {
            self.judge();
            self.minute = minute;
        }
        match self.now.entry((victim, inrush.length, Kind(inrush.kind))) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(inrush.clone());
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => merge(slot.get_mut(), inrush),
        }
    }

    /// All floods.
    pub fn finish(mut self) -> Outcome {
        self.judge();
        for (key, flood) in std::mem::take(&mut self.open) {
            self.tell(key, flood);
        }
        self.outcome
            .floods
            .sort_by(|left, right| (left.start, &left.key).cmp(&(right.start, &right.key)));
        self.outcome
    }

    /// Judges the minute that is over.
    fn judge(&mut self) {
        let over: Vec<Key> = self
            .open
            .iter()
            .filter(|(_, flood)| self.minute - flood.last() > QUIET)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            if let Some(flood) = self.open.remove(&key) {
                self.tell(key, flood);
            }
        }
        let now = std::mem::take(&mut self.now);
        let mut wholes: BTreeMap<(IpAddr, u8), u64> = BTreeMap::new();
        for ((victim, length, _), inrush) in &now {
            let whole = wholes.entry((*victim, *length)).or_default();
            *whole = whole.saturating_add(inrush.packets);
        }
        for (key, inrush) in now {
            let whole = wholes.get(&(key.0, key.1)).copied().unwrap_or_default();
            self.judge_one(key, inrush, whole);
        }
        self.remember(&wholes);
    }

    fn judge_one(&mut self, key: Key, inrush: Inrush, whole: u64) {
        let may_remember = self.pasts.len() < MAX_PASTS || self.pasts.contains_key(&key);
        let past = self.pasts.get(&key).and_then(Past::high);
        let is_usual = past.is_some_and(|past| inrush.packets < past.saturating_mul(TIMES_PAST));
        if is_usual || !looks_hostile(key, &inrush) {
            if may_remember {
                self.pasts.entry(key).or_default().add(inrush.packets);
            }
            return;
        }
        match self.open.get_mut(&key) {
            Some(flood) => flood.go_on(self.minute, &inrush, whole),
            None => {
                let recent = self.recent.get(&(key.0, key.1));
                let before = recent.map(|course| course.since(self.minute - BEFORE));
                let flood = Lasting::new(self.minute, inrush, whole, past, before.unwrap_or_default());
                self.open.insert(key, flood);
            }
        }
    }

    /// Keeps what came to each victim in this minute, for the courses of floods that begin later.
    fn remember(&mut self, wholes: &BTreeMap<(IpAddr, u8), u64>) {
        for (victim, whole) in wholes {
            if self.recent.len() >= MAX_RECENT && !self.recent.contains_key(victim) {
                let old = self.minute - BEFORE;
                self.recent.retain(|_, course| course.last() >= old);
                if self.recent.len() >= MAX_RECENT {
                    return;
                }
            }
            let course = self.recent.entry(*victim).or_default();
            *course = course.since(self.minute - BEFORE);
            course.add(self.minute, *whole, 0);
        }
    }

    fn tell(&mut self, key: Key, flood: Lasting) {
        let (victim, length, kind) = key;
        let all_kinds = (victim, length, Kind(0))..=(victim, length, Kind(u32::MAX));
        let ordinary = self.pasts.range(all_kinds);
        let usual = Usual {
            packets: ordinary.map(|(_, past)| past.packets()).sum(),
            of_its_kind: self.pasts.get(&(victim, length, kind)).map_or(0, Past::packets),
        };
        let (flood, finding) = flood.told(key, usual);
        self.outcome.floods.push(flood);
        self.outcome.findings.push(finding);
    }
}

/// Whether packets of this kind, so many, from so many, so little answered, are not use.
fn looks_hostile((_, _, kind): Key, inrush: &Inrush) -> bool {
    let senders = Sample::of(&inrush.sample).count();
    // Of `whole` packets, at most so many in a hundred.
    let answered_at_most =
        |percent: u64| inrush.answering.saturating_mul(100) <= inrush.packets.saturating_mul(percent);
    // What is common by itself on the Internet (scans, stray answers) comes to a network in this number anyway.
    let per_address = inrush.packets / u64::from(inrush.addresses.max(1));
    if inrush.addresses > 1 && per_address < 50 {
        return false;
    }
    if kind.reflected_from().is_some() {
        return senders >= 10 && answered_at_most(20);
    }
    match kind {
        Kind::SYN_ACK => senders >= 10 && inrush.packets >= 1_000 && answered_at_most(20),
        Kind::SYN => {
            // One sender and many ports is a scan.
            let most = inrush.ports.first().map_or(0, |(_, packets)| *packets);
            let is_aimed = most.saturating_mul(4) >= inrush.packets;
            inrush.packets >= 1_000
                && (senders >= 20 || is_aimed && inrush.packets >= 3_000)
                && answered_at_most(66)
        }
        _ => senders >= 50 && inrush.packets >= 3_000 && answered_at_most(5),
    }
}

pub(super) fn merge(sum: &mut Inrush, more: &Inrush) {
    sum.packets = sum.packets.saturating_add(more.packets);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.answering = sum.answering.saturating_add(more.answering);
    sum.span = (sum.span.0.min(more.span.0), sum.span.1.max(more.span.1));
    sum.addresses = sum.addresses.max(more.addresses);
    sum.ports = added(&sum.ports, &more.ports);
    sum.loudest = added(&sum.loudest, &more.loudest);
    let mut sample = Sample::of(&sum.sample);
    for (place, sender) in &more.sample {
        sample.add(*place, *sender);
    }
    sum.sample = sample.into_kept();
}

fn added<T: Copy + Ord>(a: &[(T, u64)], b: &[(T, u64)]) -> Vec<(T, u64)> {
    let mut sum = Loudest::default();
    for (what, count) in a.iter().chain(b) {
        sum.add(*what, *count);
    }
    sum.into_sorted()
}
