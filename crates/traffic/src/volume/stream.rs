//! Inrushes in the order of time → floods.

use std::collections::BTreeMap;
use std::net::IpAddr;

use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Inrush, Reason, Severity, Timestamp};
use rustc_hash::FxHashMap;

use super::kinds::Kind;
use super::{CODE, filters};
use crate::MINUTE;
use crate::sample::{Loudest, SAMPLE, Sample};

/// A flood is over after so many quiet minutes.
const QUIET: i64 = 5;

/// So much of the past must be known, in minutes, before it is compared with.
const PAST: u64 = 60;

/// A minute counts from so many times the past's 95th percentile on.
const TIMES_PAST: u64 = 3;

/// Victims whose past is remembered.
const MAX_PASTS: usize = 100_000;

/// A victim and a kind.
type Key = (IpAddr, u8, Kind);

/// Takes inrushes in the order of their times.
#[derive(Default)]
pub struct Stream {
    minute: i64,
    now: BTreeMap<Key, Inrush>,
    pasts: FxHashMap<Key, Past>,
    open: BTreeMap<Key, Flood>,
    findings: Vec<Finding>,
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
    pub fn finish(mut self) -> Vec<Finding> {
        self.judge();
        for (key, flood) in std::mem::take(&mut self.open) {
            self.findings.push(flood.into_finding(key));
        }
        self.findings
    }

    /// Judges the minute that is over.
    fn judge(&mut self) {
        let over: Vec<Key> = self
            .open
            .iter()
            .filter(|(_, flood)| self.minute - flood.last > QUIET)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            if let Some(flood) = self.open.remove(&key) {
                self.findings.push(flood.into_finding(key));
            }
        }
        for (key, inrush) in std::mem::take(&mut self.now) {
            self.judge_one(key, inrush);
        }
    }

    fn judge_one(&mut self, key: Key, inrush: Inrush) {
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
            Some(flood) => flood.go_on(self.minute, &inrush),
            None => {
                self.open.insert(key, Flood::new(self.minute, inrush, past));
            }
        }
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

fn merge(sum: &mut Inrush, more: &Inrush) {
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

/// How many packets a minute there were: a histogram by halves of powers of two.
#[derive(Default)]
struct Past {
    minutes: u64,
    counts: BTreeMap<u8, u64>,
}

impl Past {
    fn add(&mut self, packets: u64) {
        self.minutes += 1;
        *self.counts.entry(bucket(packets)).or_default() += 1;
    }

    /// The 95th percentile, once enough is known.
    fn high(&self) -> Option<u64> {
        if self.minutes < PAST {
            return None;
        }
        let mut left = self.minutes.div_ceil(20);
        for (bucket, count) in self.counts.iter().rev() {
            if *count >= left {
                return Some(upper(*bucket));
            }
            left -= count;
        }
        None
    }
}

fn bucket(packets: u64) -> u8 {
    ((packets.max(1) as f64).log2() * 2.0).ceil() as u8
}

fn upper(bucket: u8) -> u64 {
    2_f64.powf(f64::from(bucket) / 2.0) as u64
}

/// A flood while it lasts.
struct Flood {
    sum: Inrush,
    last: i64,
    minutes: u64,
    peak: (u64, u64),
    past: Option<u64>,
}

impl Flood {
    fn new(minute: i64, inrush: Inrush, past: Option<u64>) -> Self {
        Self {
            peak: rates(&inrush),
            sum: inrush,
            last: minute,
            minutes: 1,
            past,
        }
    }

    fn go_on(&mut self, minute: i64, inrush: &Inrush) {
        self.last = minute;
        self.minutes += 1;
        let (packets, bits) = rates(inrush);
        self.peak = (self.peak.0.max(packets), self.peak.1.max(bits));
        merge(&mut self.sum, inrush);
    }

    fn into_finding(self, (victim, length, kind): Key) -> Finding {
        let sum = &self.sum;
        let sample = Sample::of(&sum.sample);
        let senders = sample.count();
        let (start, end) = sum.span;
        let is_network = sum.addresses > 1;
        let named = match is_network {
            true => format!("{victim}/{length} ({} addresses)", sum.addresses),
            false => victim.to_string(),
        };
        let port = sum
            .ports
            .first()
            .filter(|(_, most)| most.saturating_mul(2) >= sum.packets);
        let port = port.map(|(port, _)| *port).filter(|port| *port != 0);
        let forged = if kind.is_reflected() {
            None
        } else {
            forged(sum, senders)
        };
        let carpet = if is_network { "carpet bombing: " } else { "" };
        let title = format!(
            "{carpet}{} against {named}: up to {} packets/s, {}",
            kind.name(),
            self.peak.0,
            bits(self.peak.1)
        );
        let senders_are = match (kind.is_reflected(), &forged) {
            (true, _) => "real machines that were asked in the victim's name: not the attacker's".to_owned(),
            (false, Some(why)) => format!("forged: {why}; blocking them blocks the innocent"),
            (false, None) => "no sign that they are forged".to_owned(),
        };
        let mut reasons = vec![
            Reason::new("kind", &kind.name()),
            Reason::new("protocol", &kind.protocol()),
            Reason::new("victim", &named),
        ];
        let mut reason = |field: &str, value: &str| reasons.push(Reason::new(field, value));
        if let Some(source) = kind.reflected_from() {
            reason("source port", &source.to_string());
        }
        if let Some(port) = port {
            reason("port", &port.to_string());
        }
        reason("start", &Timestamp::from_micros(start).to_string());
        reason("end", &Timestamp::from_micros(end).to_string());
        reason("size", &format!("{} packets, {} bytes", sum.packets, sum.bytes));
        reason("asked for or answered", &format!("{} packets", sum.answering));
        match self.past {
            Some(past) => reason("95 of 100 minutes before", &format!("at most {past} packets")),
            None => reason("past", "less than an hour of it is known"),
        }
        let about = if senders as usize >= SAMPLE { "about " } else { "" };
        reason("senders", &format!("{about}{senders}; {senders_are}"));
        if forged.is_none() {
            let loudest: Vec<String> = sum
                .loudest
                .iter()
                .map(|(sender, packets)| format!("{sender} {packets}"))
                .collect();
            reason("loudest senders, packets", &loudest.join(", "));
        }
        for (name, filter) in filters::proposed(kind, &format!("{victim}/{length}"), victim.is_ipv6(), port) {
            reason(name, &filter);
        }
        reason("filters expire", &filters::expiry(start, end).to_string());
        let mut entities: Vec<Entity> = Entity::new(EntityKind::Ip, &victim.to_string())
            .into_iter()
            .collect();
        if forged.is_none() {
            let loudest = sum
                .loudest
                .iter()
                .filter_map(|(sender, _)| Entity::new(EntityKind::Ip, &sender.to_string()));
            entities.extend(loudest);
        }
        let rule = format!("{CODE}/{}", kind.key());
        Finding {
            id: FindingId::new(
                CODE,
                &rule,
                sum.evidence,
                sum.at,
                &format!("{victim}/{length} {start}"),
            ),
            code: CODE.to_owned(),
            rule_id: rule,
            title,
            severity: if sum.is_own {
                Severity::High
            } else {
                Severity::Medium
            },
            time: Timestamp::from_micros(start),
            evidence: sum.evidence,
            at: sum.at,
            class: Class::NETWORK_ACTIVITY.0,
            attack: kind.techniques().iter().map(|id| (*id).to_owned()).collect(),
            reasons,
            entities,
        }
    }
}

/// Packets and bits a second, over what the packets span, at least a second.
fn rates(inrush: &Inrush) -> (u64, u64) {
    let span = (inrush.span.1 - inrush.span.0)
        .clamp(1_000_000, MINUTE)
        .unsigned_abs();
    let rate =
        |count: u64| u64::try_from(u128::from(count) * 1_000_000 / u128::from(span)).unwrap_or(u64::MAX);
    (rate(inrush.packets), rate(inrush.bytes.saturating_mul(8)))
}

fn bits(rate: u64) -> String {
    match rate {
        0..1_000_000 => format!("{} kbit/s", rate / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} Mbit/s", rate as f64 / 1e6),
        _ => format!("{:.1} Gbit/s", rate as f64 / 1e9),
    }
}

/// Why the senders cannot be whom they say they are.
fn forged(inrush: &Inrush, senders: u64) -> Option<String> {
    let v4: Vec<[u8; 4]> = inrush
        .sample
        .iter()
        .filter_map(|(_, sender)| match sender {
            IpAddr::V4(v4) => Some(v4.octets()),
            IpAddr::V6(_) => None,
        })
        .collect();
    // A forged sender is used once or a few times.
    if v4.len() < 64 || inrush.packets / senders.max(1) > 20 {
        return None;
    }
    let silent = v4.iter().filter(|octets| is_silent(octets[0])).count();
    if silent * 33 >= v4.len() && silent >= 3 {
        return Some(format!(
            "{silent} of {} sampled lie in networks that send nothing to the Internet",
            v4.len()
        ));
    }
    let mut octets: Vec<u8> = v4.iter().map(|octets| octets[0]).collect();
    octets.sort_unstable();
    octets.dedup();
    // Drawn evenly from the 220 first octets of addresses that machines have, so many different ones are expected.
    let expected = 220.0 * (1.0 - (1.0 - 1.0 / 220.0_f64).powi(i32::try_from(v4.len()).unwrap_or(i32::MAX)));
    (octets.len() as f64 >= 0.85 * expected).then(|| {
        format!(
            "{} sampled begin with {} different octets, where even chance gives {expected:.0} and real clients far fewer",
            v4.len(),
            octets.len()
        )
    })
}

/// Whether no packets come from networks with this first octet: reserved, or never announced.
fn is_silent(octet: u8) -> bool {
    matches!(octet, 0 | 127 | 224..|22| 26 | 28..=30 | 33 | 55 | 214 | 215)
}
