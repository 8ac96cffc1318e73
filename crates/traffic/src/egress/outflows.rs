//! A window of flows → what machines of the estate exchanged with the outside.

use std::collections::BTreeMap;
use std::net::IpAddr;

use blackrod_model::{EvidenceId, Fact, Flow, Outflow, Position, Timestamp};
use rustc_hash::FxHashMap;

use crate::DAY;
use crate::inside::{Inside, is_routed, network};

/// An exchange of less weight within a window is not kept by itself, but summed up by machine.
const LEAST: u64 = 16_000;

/// So many exchanges of a window are kept, those of most weight.
const MOST: usize = 8_192;

/// The rest: an address that nobody has.
pub(super) const REST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// The length of an outer network of IPv6.
const NETWORK_V6: u32 = 48;

/// Machine and outer network: out, in.
type Sums = FxHashMap<(IpAddr, IpAddr), (u64, u64)>;

/// How much an exchange counts when only some can be kept: by what went out, and by what came in so far that nobody is
/// taken for one who only gives.
pub(super) fn weight(out: u64, back: u64) -> u64 {
    out.max(back / 16)
}

/// Adds what went out and came in within these flows to `facts`, one for each day.
pub(crate) fn of(
    flows: &[Flow],
    (evidence, at): (EvidenceId, Position),
    inside: &Inside,
    facts: &mut Vec<Fact>,
) {
    let mut days: BTreeMap<i64, (i64, Sums)> = BTreeMap::new();
    for flow in flows {
        let (host, peer, is_out) = match (inside.contains(flow.src), inside.contains(flow.dst)) {
            (true, false) => (flow.src, flow.dst, true),
            (false, true) => (flow.dst, flow.src, false),
            _ => continue,
        };
        let Some(time) = flow.start.micros().filter(|_| is_routed(peer)) else {
            continue;
        };
        let (first, sums) = days
            .entry(time.div_euclid(DAY))
            .or_insert_with(|| (time, Sums::default()));
        *first = time.min(*first);
        let sum = sums.entry((host, network(peer, NETWORK_V6))).or_default();
        let side = if is_out { &mut sum.0 } else { &mut sum.1 };
        *side = side.saturating_add(flow.bytes);
    }
    for (first, sums) in days.into_values() {
        facts.extend(Fact::of(&Outflow {
            evidence,
            at,
            time: Timestamp::from_micros(first),
            rows: rows(sums),
        }));
    }
}

/// The exchanges that count, and the rest by machine, in the order of machines.
fn rows(sums: Sums) -> Vec<(IpAddr, IpAddr, u64, u64)> {
    let mut kept = Vec::new();
    let mut rest: FxHashMap<IpAddr, (u64, u64)> = FxHashMap::default();
    let mut sum_up = |host: IpAddr, out: u64, back: u64| {
        let sum = rest.entry(host).or_default();
        *sum = (sum.0.saturating_add(out), sum.1.saturating_add(back));
    };
    for ((host, peer), (out, back)) in sums {
        match weight(out, back) >= LEAST {
            true => kept.push((host, peer, out, back)),
            false => sum_up(host, out, back),
        }
    }
    if kept.len() > MOST {
        kept.sort_unstable_by_key(|(host, peer, out, back)| {
            (std::cmp::Reverse(weight(*out, *back)), *host, *peer)
        });
        for (host, _, out, back) in kept.split_off(MOST) {
            sum_up(host, out, back);
        }
    }
    kept.extend(
        rest.into_iter()
            .map(|(host, (out, back))| (host, REST, out, back)),
    );
    kept.sort_unstable();
    kept
}
