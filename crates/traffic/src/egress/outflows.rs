//! A window of flows → what machines of the estate exchanged with the outside.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use blackrod_model::{Cells, EvidenceId, Fact, Flow, Outflow, Position, Timestamp};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::DAY;
use crate::inside::{Inside, is_routed, network_bits};

/// An exchange of less weight within a window is not kept by itself, but summed up by machine.
const LEAST: u64 = 16_000;

/// So many exchanges of a window are kept, those of most weight.
const MOST: usize = 8_192;

/// The rest: an address that nobody has.
pub(super) const REST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// The length of an outer network of IPv6.
const NETWORK_V6: u32 = 48;

/// How much an exchange counts when only some can be kept: by what went out, and by what came in so far that nobody is
/// taken for one who only gives.
pub(super) fn weight(out: u64, back: u64) -> u64 {
    out.max(back / 16)
}

/// Sums up what went out and came in within windows of flows, and keeps its room from window to window.
#[derive(Default)]
pub(crate) struct Outflows {
    /// At least the weight of each exchange, in units of 16 bytes.
    cells: Cells,
    crossings: Vec<Crossing>,
    /// Exchanges that may count.
    pairs: FxHashMap<(i64, u128, u128), (u64, u64)>,
    /// The rest, by day and machine.
    rest: FxHashMap<(i64, u128), (u64, u64)>,
    /// The first time of each day.
    firsts: FxHashMap<i64, i64>,
}

/// A flow of a window, between a machine of the estate and the outside.
struct Crossing {
    index: u32,
    /// Of the exchange that it is part of.
    cell: u16,
    is_out: bool,
}

impl Outflows {
    /// Adds what went out and came in within these flows to `facts`, one for each day.
    pub(crate) fn of(
        &mut self,
        flows: &[Flow],
        (evidence, at): (EvidenceId, Position),
        inside: &Inside,
        facts: &mut Vec<Fact>,
    ) {
        self.cells.clear();
        self.crossings.clear();
        for (flow, index) in flows.iter().zip(0..) {
            let Some(is_out) = is_out(flow, inside) else {
                continue;
            };
            let (host, peer) = ends(flow, is_out);
            let cell = Cells::of(FxBuildHasher.hash_one((Flow::folded(host), Flow::folded(peer))));
            let unit = if is_out { 16 } else { 256 };
            self.cells.add(cell, flow.bytes.div_ceil(unit));
            self.crossings.push(Crossing { index, cell, is_out });
        }
        let mut latest = (i64::MIN, 0);
        for crossing in &self.crossings {
            let Some(flow) = flows.get(crossing.index as usize) else {
                continue;
            };
            let time = flow.start.micros().unwrap_or_default();
            let day = time.div_euclid(DAY);
            // Nearly all flows of a window are of one day, and in the order of time.
            if day != latest.0 || time < latest.1 {
                let first = self.firsts.entry(day).or_insert(time);
                *first = time.min(*first);
                latest = (day, *first);
            }
            let (host, peer) = ends(flow, crossing.is_out);
            let may_count = u64::from(self.cells.sum(crossing.cell)) >= LEAST / 16;
            let sum = match may_count {
                true => self.pairs.entry((day, host, peer)).or_default(),
                false => self.rest.entry((day, host)).or_default(),
            };
            let side = if crossing.is_out { &mut sum.0 } else { &mut sum.1 };
            *side = side.saturating_add(flow.bytes);
        }
        // A window of forged times may have as many days as flows.
        let mut days: BTreeMap<i64, Day> = BTreeMap::new();
        for ((day, host), (out, back)) in self.rest.drain() {
            days.entry(day).or_default().rest.insert(host, (out, back));
        }
        for ((day, host, peer), (out, back)) in self.pairs.drain() {
            days.entry(day).or_default().add(host, peer, out, back);
        }
        for (day, exchanges) in days {
            let first = self.firsts.get(&day).copied().map(Timestamp::from_micros);
            facts.extend(Fact::of(&Outflow {
                evidence,
                at,
                time: first.unwrap_or_default(),
                rows: exchanges.rows(),
            }));
        }
        self.firsts.clear();
    }
}

/// Whether a flow goes to the outside; `None` where it neither goes there nor comes from there at a known time.
#[inline]
fn is_out(flow: &Flow, inside: &Inside) -> Option<bool> {
    let (is_out, peer) = match (inside.contains(flow.src), inside.contains(flow.dst)) {
        (true, false) => (true, flow.dst),
        (false, true) => (false, flow.src),
        _ => return None,
    };
    (flow.start.micros().is_some() && is_routed(peer)).then_some(is_out)
}

/// The machine of the estate and the outer network, as [`Flow::bits`].
#[inline]
fn ends(flow: &Flow, is_out: bool) -> (u128, u128) {
    let (host, peer) = match is_out {
        true => (flow.src, flow.dst),
        false => (flow.dst, flow.src),
    };
    (Flow::bits(host), network_bits(Flow::bits(peer), NETWORK_V6))
}

/// What is known of a day; outer networks by machine.
#[derive(Default)]
struct Day {
    kept: Vec<(u128, u128, u64, u64)>,
    rest: FxHashMap<u128, (u64, u64)>,
}

impl Day {
    fn add(&mut self, host: u128, peer: u128, out: u64, back: u64) {
        match weight(out, back) >= LEAST {
            true => self.kept.push((host, peer, out, back)),
            false => self.sum_up(host, out, back),
        }
    }

    fn sum_up(&mut self, host: u128, out: u64, back: u64) {
        let sum = self.rest.entry(host).or_default();
        *sum = (sum.0.saturating_add(out), sum.1.saturating_add(back));
    }

    /// The exchanges that count, and the rest by machine, in the order of machines.
    fn rows(mut self) -> Vec<(IpAddr, IpAddr, u64, u64)> {
        if self.kept.len() > MOST {
            self.kept.sort_unstable_by_key(|(host, peer, out, back)| {
                (std::cmp::Reverse(weight(*out, *back)), *host, *peer)
            });
            for (host, _, out, back) in self.kept.split_off(MOST) {
                self.sum_up(host, out, back);
            }
        }
        let rest = self.rest.into_iter();
        self.kept
            .extend(rest.map(|(host, (out, back))| (host, Flow::bits(REST), out, back)));
        self.kept.sort_unstable();
        let rows = self.kept.into_iter();
        rows.map(|(host, peer, out, back)| (Flow::address(host), Flow::address(peer), out, back))
            .collect()
    }
}
