//! A window of flows → what came in where.

use std::net::IpAddr;

use blackrod_model::{EvidenceId, Fact, Flow, Inrush, Position, Timestamp};
use rustc_hash::FxHashMap;

use super::kinds::Kind;
use crate::MINUTE;
use crate::inside::{Inside, network};
use crate::sample::{Loudest, Sample, place};

/// Fewer packets of a kind within a window are not kept.
pub(super) const FLOOR: u64 = 200;

/// So many networks of a window are looked at closely: those that got most packets.
const CLOSELY: usize = 32;

/// A flow that lasts longer is spread over this many minutes only.
const MAX_SPREAD: i64 = 60;

/// From so many addresses of one network on, none of which got half, the network is the victim.
const CARPET: usize = 16;

/// The length of a network of IPv6 that may be a victim as a whole.
const NETWORK_V6: u32 = 64;

/// Packets by network.
pub(crate) type Packets = FxHashMap<IpAddr, u64>;

/// Adds what came in within these flows to `facts`. `place` is where the first of them stands; `scratch` keeps its room
/// from window to window.
pub(crate) fn of(
    flows: &[Flow],
    place: (EvidenceId, Position),
    salt: u64,
    inside: &Inside,
    scratch: &mut Packets,
    facts: &mut Vec<Fact>,
) {
    let crowded = crowded(flows, scratch);
    if crowded.is_empty() {
        return;
    }
    let mut details = Details {
        salt,
        table: FxHashMap::default(),
    };
    for flow in flows {
        details.flow(flow, &crowded);
    }
    let mut inrushes = details.inrushes();
    // Memory is bounded by what the window holds; the casebook by what is kept of it.
    inrushes.sort_by_key(|inrush| std::cmp::Reverse(inrush.packets));
    inrushes.truncate(2 * CLOSELY);
    for mut inrush in inrushes {
        (inrush.evidence, inrush.at) = place;
        inrush.is_own = inrush.victim.is_some_and(|victim| inside.contains(victim));
        facts.extend(Fact::of(&inrush));
    }
}

/// The networks that got most packets, at least [`FLOOR`] of them.
fn crowded(flows: &[Flow], packets: &mut Packets) -> FxHashMap<IpAddr, ()> {
    for flow in flows {
        *packets.entry(network(flow.dst, NETWORK_V6)).or_default() += flow.packets.min(1 << 40);
    }
    let mut crowded: Vec<(IpAddr, u64)> = packets.drain().filter(|(_, packets)| *packets >= FLOOR).collect();
    crowded.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    crowded.truncate(CLOSELY);
    crowded.into_iter().map(|(network, _)| (network, ())).collect()
}

/// Minute, receiver, kind.
type Key = (i64, IpAddr, Kind);

struct Details {
    salt: u64,
    table: FxHashMap<Key, Detail>,
}

#[derive(Default)]
struct Detail {
    packets: u64,
    bytes: u64,
    answering: u64,
    span: Option<(i64, i64)>,
    ports: Loudest<u16>,
    loudest: Loudest<IpAddr>,
    sample: Sample,
}

impl Details {
    fn flow(&mut self, flow: &Flow, crowded: &FxHashMap<IpAddr, ()>) {
        let is_receiver = crowded.contains_key(&network(flow.dst, NETWORK_V6));
        let is_sender = crowded.contains_key(&network(flow.src, NETWORK_V6));
        if !is_receiver && !is_sender {
            return;
        }
        let start = flow.start.micros().unwrap_or_default();
        let end = flow.end.micros().unwrap_or(start).max(start);
        let first = start.div_euclid(MINUTE);
        let minutes = (end.div_euclid(MINUTE) - first).clamp(0, MAX_SPREAD - 1) + 1;
        // Counters of long flows come at their end, and are no flood of that minute.
        let share = |count: u64| count.div_ceil(minutes.unsigned_abs().max(1));
        for minute in first..first + minutes {
            if is_sender {
                let key = (minute, flow.src, Kind::asked_for(flow));
                self.answer(key, share(flow.packets));
            }
            if !is_receiver {
                continue;
            }
            let kind = Kind::of(flow);
            if kind == Kind::TCP {
                // Whoever goes on after the first packet has opened a connection to use it.
                self.answer((minute, flow.dst, Kind::SYN), share(flow.packets));
            }
            if flow.protocol == Flow::TCP && flow.tcp_flags & Flow::SYN != 0 {
                // And whoever opens connections does not merely throw packets at it.
                self.answer((minute, flow.dst, Kind::TCP), share(flow.packets));
            }
            let detail = self.table.entry((minute, flow.dst, kind)).or_default();
            let packets = share(flow.packets);
            detail.packets = detail.packets.saturating_add(packets);
            detail.bytes = detail.bytes.saturating_add(share(flow.bytes));
            let from = start.max(minute * MINUTE);
            let until = end.min((minute + 1) * MINUTE - 1).max(from);
            let span = detail.span.get_or_insert((from, until));
            *span = (span.0.min(from), span.1.max(until));
            detail.ports.add(flow.dst_port, packets);
            detail.loudest.add(flow.src, packets);
            detail.sample.add(place(self.salt, flow.src), flow.src);
        }
    }

    fn answer(&mut self, key: Key, packets: u64) {
        let detail = self.table.entry(key).or_default();
        detail.answering = detail.answering.saturating_add(packets);
    }

    fn inrushes(self) -> Vec<Inrush> {
        type Members = Vec<(IpAddr, Detail)>;
        let mut networks: FxHashMap<Key, Members> = FxHashMap::default();
        for ((minute, victim, kind), detail) in self.table {
            let members = networks
                .entry((minute, network(victim, NETWORK_V6), kind))
                .or_default();
            members.push((victim, detail));
        }
        let mut inrushes = Vec::new();
        for ((minute, network, kind), members) in networks {
            let packets: u64 = members.iter().map(|(_, detail)| detail.packets).sum();
            let most = members
                .iter()
                .map(|(_, detail)| detail.packets)
                .max()
                .unwrap_or_default();
            let hit = members.iter().filter(|(_, detail)| detail.packets > 0).count();
            if hit >= CARPET && most < packets / 2 {
                let mut whole = Detail::default();
                for (_, detail) in members {
                    whole.merge(detail);
                }
                let length = if network.is_ipv4() { 24 } else { 64 };
                inrushes.extend(whole.into_inrush(minute, (network, length), kind, hit));
                continue;
            }
            for (victim, detail) in members {
                let length = if victim.is_ipv4() { 32 } else { 128 };
                inrushes.extend(detail.into_inrush(minute, (victim, length), kind, 1));
            }
        }
        inrushes
    }
}

impl Detail {
    fn merge(&mut self, other: Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.answering = self.answering.saturating_add(other.answering);
        if let Some((from, until)) = other.span {
            let span = self.span.get_or_insert((from, until));
            *span = (span.0.min(from), span.1.max(until));
        }
        for (port, packets) in other.ports.into_sorted() {
            self.ports.add(port, packets);
        }
        for (sender, packets) in other.loudest.into_sorted() {
            self.loudest.add(sender, packets);
        }
        for (place, sender) in other.sample.kept() {
            self.sample.add(*place, *sender);
        }
    }

    fn into_inrush(
        self,
        minute: i64,
        (victim, length): (IpAddr, u8),
        kind: Kind,
        hit: usize,
    ) -> Option<Inrush> {
        let span = self.span.filter(|_| self.packets >= FLOOR)?;
        Some(Inrush {
            time: Timestamp::from_micros(minute * MINUTE),
            victim: Some(victim),
            length,
            kind: kind.0,
            span,
            packets: self.packets,
            bytes: self.bytes,
            answering: self.answering,
            ports: self.ports.into_sorted(),
            loudest: self.loudest.into_sorted(),
            sample: self.sample.into_kept(),
            addresses: u32::try_from(hit).unwrap_or(u32::MAX),
            ..Inrush::default()
        })
    }
}
