//! A window of flows → what came in where.
//!
//! Three passes over the flows, each of which looks at fewer of them more closely: packets by a hash of the receiver's
//! network; packets by minute, receiver and kind in the networks that got most; ports and senders of what is kept.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use blackrod_model::{Cells, EvidenceId, Fact, Flow, Inrush, Position, Timestamp};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::kinds::Kind;
use crate::MINUTE;
use crate::inside::{Inside, network_bits};
use crate::sample::{Loudest, Sample, place};

/// Fewer packets of a kind within a window are not kept.
pub(super) const FLOOR: u64 = 200;

/// So many networks of a window are looked at closely: those that got most packets.
const CLOSELY: usize = 32;

/// So many of what came in within a window is kept: memory is bounded by what the window holds, the casebook by this.
const KEPT: usize = 2 * CLOSELY;

/// A flow that lasts longer is spread over this many minutes only.
const MAX_SPREAD: i64 = 60;

/// From so many addresses of one network on, none of which got half, the network is the victim.
const CARPET: usize = 16;

/// The length of a network of IPv6 that may be a victim as a whole.
const NETWORK_V6: u32 = 64;

/// Finds what came in within windows of flows, and keeps its room from window to window.
pub(crate) struct Inrushes {
    salt: u64,
    crowds: Crowds,
    /// What addresses of the crowded networks got and sent.
    sums: IndexMap<Key, Sum, FxBuildHasher>,
    /// Which flow brought packets to which of the sums.
    brought: Vec<(u32, u32)>,
}

/// What is counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    minute: i64,
    /// The receiver, or the network that it lies in, as [`Flow::bits`].
    receiver: u128,
    kind: Kind,
}

impl Key {
    #[inline]
    fn network(self) -> Self {
        Self {
            receiver: network_bits(self.receiver, NETWORK_V6),
            ..self
        }
    }
}

impl Hash for Key {
    /// Fewer rounds than for each field by itself.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Flow::folded(self.receiver));
        state.write_u64((self.minute as u64).rotate_left(32) ^ u64::from(self.kind.0));
    }
}

#[derive(Clone, Copy, Default)]
struct Sum {
    packets: u64,
    answering: u64,
}

impl Inrushes {
    pub(crate) fn new(salt: u64) -> Self {
        Self {
            salt,
            crowds: Crowds::new(salt),
            sums: IndexMap::default(),
            brought: Vec::new(),
        }
    }

    /// Adds what came in within these flows to `facts`. `place` is where the first of them stands.
    pub(crate) fn of(
        &mut self,
        flows: &[Flow],
        place: (EvidenceId, Position),
        inside: &Inside,
        facts: &mut Vec<Fact>,
    ) {
        self.crowds.find(flows);
        self.sums.clear();
        self.brought.clear();
        for (flow, index) in flows.iter().zip(0..) {
            self.sum_up(flow, index);
        }
        self.answer_openings();
        for mut inrush in self.inrushes(flows) {
            (inrush.evidence, inrush.at) = place;
            inrush.is_own = inrush.victim.is_some_and(|victim| inside.contains(victim));
            facts.extend(Fact::of(&inrush));
        }
    }

    #[inline]
    fn sum_up(&mut self, flow: &Flow, index: u32) {
        let (src, dst) = (Flow::bits(flow.src), Flow::bits(flow.dst));
        let (is_sender, is_receiver) = (self.crowds.has(src), self.crowds.has(dst));
        if !is_receiver && !is_sender {
            return;
        }
        let (first, minutes) = minutes(flow);
        let packets = share(flow.packets, minutes);
        for minute in first..first + minutes {
            if is_sender {
                self.sum(minute, src, Kind::asked_for(flow)).1.answer(packets);
            }
            if !is_receiver {
                continue;
            }
            let kind = Kind::of(flow);
            let (number, sum) = self.sum(minute, dst, kind);
            sum.packets = sum.packets.saturating_add(packets);
            let is_opening = flow.protocol == Flow::TCP && flow.tcp_flags & Flow::SYN != 0;
            if is_opening {
                // Whoever opens connections does not merely throw packets at it.
                match kind {
                    Kind::TCP => sum.answer(packets),
                    _ => self.sum(minute, dst, Kind::TCP).1.answer(packets),
                }
            }
            self.brought.push((index, number));
        }
    }

    /// Whoever goes on after the first packet has opened a connection to use it: that answers openings.
    fn answer_openings(&mut self) {
        let sums = self.sums.iter();
        let of_connections = sums.filter(|(key, sum)| key.kind == Kind::TCP && sum.packets > 0);
        let gone_on: Vec<(Key, u64)> = of_connections.map(|(key, sum)| (*key, sum.packets)).collect();
        for (key, packets) in gone_on {
            self.sum(key.minute, key.receiver, Kind::SYN).1.answer(packets);
        }
    }

    #[inline]
    fn sum(&mut self, minute: i64, receiver: u128, kind: Kind) -> (u32, &mut Sum) {
        let entry = self.sums.entry(Key {
            minute,
            receiver,
            kind,
        });
        let number = u32::try_from(entry.index()).unwrap_or(u32::MAX);
        (number, entry.or_default())
    }

    /// The largest first.
    fn inrushes(&self, flows: &[Flow]) -> Vec<Inrush> {
        let (mut kept, which) = self.kept();
        for (index, number) in &self.brought {
            let whose = which.get(*number as usize).copied().flatten();
            let known = whose.and_then(|whose| kept.get_mut(usize::from(whose)));
            let (Some(kept), Some(flow)) = (known, flows.get(*index as usize)) else {
                continue;
            };
            let minute = self.sums.get_index(*number as usize).map(|(key, _)| key.minute);
            kept.detail.add(flow, minute.unwrap_or_default(), self.salt);
        }
        kept.into_iter().filter_map(Kept::into_inrush).collect()
    }

    /// What is kept of the sums, the largest first, and to which of it each of them belongs.
    fn kept(&self) -> (Vec<Kept>, Vec<Option<u8>>) {
        #[derive(Default)]
        struct Network {
            sum: Sum,
            most: u64,
            hit: usize,
        }
        let mut networks: FxHashMap<Key, Network> = FxHashMap::default();
        for (key, sum) in &self.sums {
            let whole = networks.entry(key.network()).or_default();
            whole.sum.packets = whole.sum.packets.saturating_add(sum.packets);
            whole.sum.answer(sum.answering);
            whole.most = whole.most.max(sum.packets);
            whole.hit += usize::from(sum.packets > 0);
        }
        networks.retain(|_, whole| whole.hit >= CARPET && whole.most < whole.sum.packets / 2);
        let carpets = networks.iter().map(|(key, whole)| (*key, whole.sum, whole.hit));
        let alone = self
            .sums
            .iter()
            .filter(|(key, _)| !networks.contains_key(&key.network()));
        let mut kept: Vec<(Key, Sum, usize)> = carpets
            .chain(alone.map(|(key, sum)| (*key, *sum, 1)))
            .filter(|(_, sum, _)| sum.packets >= FLOOR)
            .collect();
        kept.sort_unstable_by_key(|(key, sum, _)| (std::cmp::Reverse(sum.packets), *key));
        kept.truncate(KEPT);
        // An address and its network are never both kept.
        let place: FxHashMap<Key, u8> = kept.iter().map(|(key, ..)| *key).zip(0..).collect();
        let of = |key: &Key| {
            let whole = key.network();
            let is_carpet = networks.contains_key(&whole);
            place.get(if is_carpet { &whole } else { key }).copied()
        };
        let which = self.sums.keys().map(of).collect();
        let kept = kept.into_iter().map(|(key, sum, hit)| Kept {
            key,
            sum,
            hit,
            detail: Detail::default(),
        });
        (kept.collect(), which)
    }
}

impl Sum {
    #[inline]
    fn answer(&mut self, packets: u64) {
        self.answering = self.answering.saturating_add(packets);
    }
}

/// The first minute of a flow, and over how many it is spread.
#[inline]
fn minutes(flow: &Flow) -> (i64, i64) {
    let start = flow.start.micros().unwrap_or_default();
    let end = flow.end.micros().unwrap_or(start).max(start);
    let first = start.div_euclid(MINUTE);
    (
        first,
        (end.div_euclid(MINUTE) - first).clamp(0, MAX_SPREAD - 1) + 1,
    )
}

/// What falls to each minute: counters of long flows come at their end, and are no flood of that minute.
#[inline]
fn share(count: u64, minutes: i64) -> u64 {
    match minutes {
        1 => count,
        minutes => count.div_ceil(minutes.unsigned_abs().max(1)),
    }
}

/// The networks of a window that got most packets.
struct Crowds {
    salt: u64,
    /// Packets by a salted hash of the network.
    cells: Cells,
    packets: FxHashMap<u128, u64>,
    crowded: FxHashSet<u128>,
}

impl Crowds {
    fn new(salt: u64) -> Self {
        Self {
            salt: salt | 1,
            cells: Cells::default(),
            packets: FxHashMap::default(),
            crowded: FxHashSet::default(),
        }
    }

    /// Finds those with at least [`FLOOR`] packets.
    fn find(&mut self, flows: &[Flow]) {
        self.cells.clear();
        for flow in flows {
            let cell = self.cell(network_bits(Flow::bits(flow.dst), NETWORK_V6));
            self.cells.add(cell, flow.packets);
        }
        self.packets.clear();
        for flow in flows {
            let network = network_bits(Flow::bits(flow.dst), NETWORK_V6);
            if self.may_have(network) {
                let packets = self.packets.entry(network).or_default();
                *packets = packets.saturating_add(flow.packets);
            }
        }
        let mut crowded: Vec<(u128, u64)> = self
            .packets
            .drain()
            .filter(|(_, packets)| *packets >= FLOOR)
            .collect();
        crowded.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        crowded.truncate(CLOSELY);
        self.crowded.clear();
        self.crowded
            .extend(crowded.into_iter().map(|(network, _)| network));
    }

    /// Whether an address lies in one of them.
    #[inline]
    fn has(&self, address: u128) -> bool {
        let network = network_bits(address, NETWORK_V6);
        self.may_have(network) && self.crowded.contains(&network)
    }

    #[inline]
    fn may_have(&self, network: u128) -> bool {
        u64::from(self.cells.sum(self.cell(network))) >= FLOOR
    }

    #[inline]
    fn cell(&self, network: u128) -> u16 {
        let salted = Flow::folded(network) ^ self.salt.rotate_left(32);
        Cells::of(salted.wrapping_mul(self.salt))
    }
}

/// What came in that is kept.
struct Kept {
    key: Key,
    sum: Sum,
    /// Addresses that got some of it.
    hit: usize,
    detail: Detail,
}

impl Kept {
    fn into_inrush(self) -> Option<Inrush> {
        let Key {
            minute,
            receiver,
            kind,
        } = self.key;
        let victim = Flow::address(receiver);
        let is_network = self.hit >= CARPET;
        Some(Inrush {
            time: Timestamp::from_micros(minute * MINUTE),
            victim: Some(victim),
            length: match (is_network, victim) {
                (true, IpAddr::V4(_)) => 24,
                (true, IpAddr::V6(_)) => 64,
                (false, IpAddr::V4(_)) => 32,
                (false, IpAddr::V6(_)) => 128,
            },
            kind: kind.0,
            span: self.detail.span?,
            packets: self.sum.packets,
            bytes: self.detail.bytes,
            answering: self.sum.answering,
            ports: self.detail.ports.into_sorted(),
            loudest: self.detail.loudest.into_sorted(),
            sample: self.detail.sample.into_kept(),
            addresses: u32::try_from(self.hit).unwrap_or(u32::MAX),
            ..Inrush::default()
        })
    }
}

#[derive(Default)]
struct Detail {
    bytes: u64,
    span: Option<(i64, i64)>,
    ports: Loudest<u16>,
    loudest: Loudest<IpAddr>,
    sample: Sample,
}

impl Detail {
    /// Takes the part of a flow that falls to a minute.
    fn add(&mut self, flow: &Flow, minute: i64, salt: u64) {
        let start = flow.start.micros().unwrap_or_default();
        let end = flow.end.micros().unwrap_or(start).max(start);
        let (_, minutes) = minutes(flow);
        let packets = share(flow.packets, minutes);
        self.bytes = self.bytes.saturating_add(share(flow.bytes, minutes));
        let from = start.max(minute * MINUTE);
        let until = end.min((minute + 1) * MINUTE - 1).max(from);
        let span = self.span.get_or_insert((from, until));
        *span = (span.0.min(from), span.1.max(until));
        self.ports.add(flow.dst_port, packets);
        self.loudest.add(flow.src, packets);
        self.sample.add(place(salt, flow.src), flow.src);
    }
}
