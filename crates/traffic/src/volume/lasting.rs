//! A flood while it lasts, and what is told of it then.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blackrod_model::flood::{Flood, Plot, Trait, Unit};
use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Inrush, Reason, Severity, Timestamp};

use super::forged::forged;
use super::kinds::Kind;
use super::stream::{Key, merge};
use super::{CODE, filters};
use crate::MINUTE;
use crate::inside::network;
use crate::sample::{SAMPLE, Sample};

/// Minutes that are remembered of a course, at most; a longer one is drawn as far as that.
const LONGEST: usize = 7 * 1_440;

/// Steps of a plot, at most.
const MOST_STEPS: i64 = 240;

/// Packets by minute: all that came to a victim, and those of a flood.
#[derive(Clone, Debug, Default)]
pub(super) struct Course(BTreeMap<i64, (u64, u64)>);

impl Course {
    pub(super) fn add(&mut self, minute: i64, all: u64, floods: u64) {
        if self.0.len() < LONGEST {
            self.0.insert(minute, (all, floods));
        }
    }

    /// Its part from a minute on.
    pub(super) fn since(&self, minute: i64) -> Self {
        Self(
            self.0
                .range(minute..)
                .map(|(at, counts)| (*at, *counts))
                .collect(),
        )
    }

    /// The last minute of which something is known.
    pub(super) fn last(&self) -> i64 {
        self.0.keys().next_back().copied().unwrap_or(i64::MIN)
    }

    /// As it is drawn; of what belongs to the flood, the filter leaves all but `stops`.
    fn plot(&self, usual: u64, stops: f64) -> Plot {
        let Some(first) = self.0.keys().next().copied() else {
            return Plot::default();
        };
        let step = (self.last() - first) / MOST_STEPS + 1;
        let mut plot = Plot {
            start: Timestamp::from_micros(first.saturating_mul(MINUTE)),
            step_seconds: u32::try_from(step * 60).unwrap_or(u32::MAX),
            ..Plot::default()
        };
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        for from in (first..=self.last()).step_by(usize::try_from(step).unwrap_or(1)) {
            let (mut all, mut stopped) = (0_u64, 0_u64);
            for (_, (whole, floods)) in self.0.range(from..from + step) {
                all = all.saturating_add(*whole);
                stopped = stopped.saturating_add((*floods as f64 * stops) as u64);
            }
            plot.rate.push(small(all));
            plot.usual.push(small(usual.saturating_mul(step.unsigned_abs())));
            plot.left.push(small(all.saturating_sub(stopped)));
        }
        plot
    }
}

/// Packets to a victim in minutes that were no flood, of the kinds that came in numbers.
pub(super) struct Usual {
    pub(super) packets: u64,
    pub(super) of_its_kind: u64,
}

/// A flood while it lasts.
pub(super) struct Lasting {
    sum: Inrush,
    last: i64,
    peak: (u64, u64),
    past: Option<u64>,
    course: Course,
}

impl Lasting {
    /// `whole` is all that came to the victim in this minute, `before` what came in those before it.
    pub(super) fn new(minute: i64, inrush: Inrush, whole: u64, past: Option<u64>, before: Course) -> Self {
        let mut course = before;
        course.add(minute, whole, inrush.packets);
        Self {
            peak: rates(&inrush),
            sum: inrush,
            last: minute,
            past,
            course,
        }
    }

    pub(super) fn go_on(&mut self, minute: i64, inrush: &Inrush, whole: u64) {
        self.last = minute;
        let (packets, bits) = rates(inrush);
        self.peak = (self.peak.0.max(packets), self.peak.1.max(bits));
        self.course.add(minute, whole, inrush.packets);
        merge(&mut self.sum, inrush);
    }

    /// The last minute that belongs to it.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn told(self, key: Key, usual: Usual) -> (Flood, Finding) {
        let (victim, length, kind) = key;
        let sum = &self.sum;
        let (start, end) = sum.span;
        let is_network = sum.addresses > 1;
        let named = match is_network {
            true => format!("{victim}/{length} ({} addresses)", sum.addresses),
            false => victim.to_string(),
        };
        let senders = Senders::of(kind, sum);
        let port = port(sum);
        let rule = format!("{CODE}/{}", kind.key());
        let id = FindingId::new(
            CODE,
            &rule,
            sum.evidence,
            sum.at,
            &format!("{victim}/{length} {start}"),
        );
        let expires = filters::expiry(start, end);
        let filters = filters::proposed(
            &filters::Against {
                kind,
                victim: format!("{victim}/{length}"),
                is_v6: victim.is_ipv6(),
                port: port.map(|(port, _)| port),
                reaches: port.map_or(1.0, |(_, share)| share),
            },
            &usual,
            expires,
        );
        let reached = filters.first().map_or(0.0, |filter| filter.stops);
        let hex: String = id
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(8)
            .collect();
        let flood = Flood {
            key: format!("F-{hex}"),
            title: format!(
                "{}{} against {named}: up to {} packets/s, {}",
                if is_network { "carpet bombing: " } else { "" },
                kind.name(),
                self.peak.0,
                bits(self.peak.1)
            ),
            unit: Unit::Packets,
            service: named,
            start: Timestamp::from_micros(start),
            end: Timestamp::from_micros(end),
            seen: Timestamp::from_micros((start.div_euclid(MINUTE) + 1) * MINUTE),
            requests: sum.packets,
            peak: self.peak.0 as f64,
            usual: self.past.unwrap_or_default() as f64 / 60.0,
            learned_from: match self.past {
                Some(_) => "95 of 100 minutes before".to_owned(),
                None => String::new(),
            },
            fingerprint: fingerprint(kind, port.map(|(port, _)| port), &usual),
            sources: senders.count,
            networks: senders.networks,
            loudest: match senders.are_forged {
                true => Vec::new(),
                false => sum
                    .loudest
                    .iter()
                    .map(|(from, count)| (from.to_string(), *count))
                    .collect(),
            },
            signs: vec![
                format!("senders: {}", senders.words),
                format!(
                    "asked for or answered: {} of {} packets",
                    sum.answering, sum.packets
                ),
            ],
            plot: self.course.plot(self.past.unwrap_or_default(), reached),
            filters,
        };
        let finding = Finding {
            id,
            code: CODE.to_owned(),
            rule_id: rule,
            title: flood.title.clone(),
            severity: if sum.is_own {
                Severity::High
            } else {
                Severity::Medium
            },
            time: flood.start,
            evidence: sum.evidence,
            at: sum.at,
            class: Class::NETWORK_ACTIVITY.0,
            attack: kind.techniques().iter().map(|id| (*id).to_owned()).collect(),
            reasons: self.reasons(&flood, kind, &senders),
            entities: entities(victim, &flood),
        };
        (flood, finding)
    }

    fn reasons(&self, flood: &Flood, kind: Kind, senders: &Senders) -> Vec<Reason> {
        let sum = &self.sum;
        let mut reasons = vec![
            Reason::new("kind", &kind.name()),
            Reason::new("victim", &flood.service),
        ];
        let mut reason = |field: &str, value: &str| reasons.push(Reason::new(field, value));
        for part in &flood.fingerprint {
            reason(&part.dimension, &part.value);
        }
        reason("start", &flood.start.to_string());
        reason("end", &flood.end.to_string());
        reason("size", &format!("{} packets, {} bytes", sum.packets, sum.bytes));
        reason("asked for or answered", &format!("{} packets", sum.answering));
        match self.past {
            Some(past) => reason("95 of 100 minutes before", &format!("at most {past} packets")),
            None => reason("past", "less than an hour of it is known"),
        }
        let about = if senders.count as usize >= SAMPLE {
            "about "
        } else {
            ""
        };
        reason("senders", &format!("{about}{}; {}", senders.count, senders.words));
        if !flood.loudest.is_empty() {
            let loudest: Vec<String> = flood
                .loudest
                .iter()
                .map(|(from, packets)| format!("{from} {packets}"))
                .collect();
            reason("loudest senders, packets", &loudest.join(", "));
        }
        for filter in &flood.filters {
            for rule in &filter.rules {
                reason(&format!("filter {}", rule.product), &rule.text);
            }
        }
        if let Some(filter) = flood.filters.first() {
            let replayed = match filter.replayed_requests {
                0 => "not known: there is nothing else to replay it over".to_owned(),
                all => format!(
                    "at most {} of {all} packets in quieter minutes",
                    filter.blocked_requests
                ),
            };
            reason("others that the filter would block", &replayed);
            reason("filters expire", &filter.expires.to_string());
        }
        reasons
    }
}

/// Who sent it.
struct Senders {
    count: u64,
    networks: u64,
    are_forged: bool,
    words: String,
}

impl Senders {
    fn of(kind: Kind, sum: &Inrush) -> Self {
        let sample = Sample::of(&sum.sample);
        let count = sample.count();
        let networks: BTreeSet<IpAddr> = sum
            .sample
            .iter()
            .map(|(_, sender)| network(*sender, NETWORK_V6))
            .collect();
        let share = networks.len() as f64 / sum.sample.len().max(1) as f64;
        let why = if kind.is_reflected() {
            None
        } else {
            forged(sum, count)
        };
        Self {
            count,
            networks: (count as f64 * share).round() as u64,
            are_forged: why.is_some(),
            words: match why {
                _ if kind.is_reflected() => {
                    "real machines that were asked in the victim's name: not the attacker's".to_owned()
                }
                Some(why) => format!("forged: {why}; blocking them blocks the innocent"),
                None => "no sign that they are forged".to_owned(),
            },
        }
    }
}

/// The length of a sender's network of IPv6.
const NETWORK_V6: u32 = 48;

/// The port of the victim that got at least half of it, with the share that it got.
fn port(sum: &Inrush) -> Option<(u16, f64)> {
    let (port, packets) = sum.ports.first()?;
    let share = *packets as f64 / sum.packets.max(1) as f64;
    (share >= 0.5 && *port != 0).then_some((*port, share.min(1.0)))
}

fn fingerprint(kind: Kind, port: Option<u16>, usual: &Usual) -> Vec<Trait> {
    let share = (usual.packets > 0).then(|| usual.of_its_kind as f64 / usual.packets as f64);
    let part = |dimension: &str, value: String, usual| Trait {
        dimension: dimension.to_owned(),
        value,
        usual,
    };
    let mut parts = vec![part("protocol", kind.protocol().into_owned(), None)];
    // What is ordinary is known by kind, not by protocol or port alone.
    parts.extend(
        kind.reflected_from()
            .map(|from| part("source port", from.to_string(), share)),
    );
    parts.extend(port.map(|port| part("port", port.to_string(), None)));
    parts.extend(
        kind.flags()
            .map(|flags| part("TCP flags", flags.to_owned(), share)),
    );
    parts
}

fn entities(victim: IpAddr, flood: &Flood) -> Vec<Entity> {
    let loudest = flood.loudest.iter().map(|(from, _)| from.clone());
    std::iter::once(victim.to_string())
        .chain(loudest)
        .filter_map(|address| Entity::new(EntityKind::Ip, &address))
        .collect()
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
