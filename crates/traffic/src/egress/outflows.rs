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

/// Day, machine and outer network: out, in.
pub(crate) type Sums = FxHashMap<(i64, IpAddr, IpAddr), (u64, u64)>;

/// How much an exchange counts when only some can be kept: by what went out, and by what came in so far that nobody is
/// taken for one who only gives.
pub(super) fn weight(out: u64, back: u64) -> u64 {
    out.max(back / 16)
}

/// Adds what went out and came in within these flows to `facts`, one for each day. `scratch` keeps its room from window
/// to window.
pub(crate) fn of(
    flows: &[Flow],
    (evidence, at): (EvidenceId, Position),
    inside: &Inside,
    scratch: &mut Sums,
    facts: &mut Vec<Fact>,
) {
    let mut firsts: BTreeMap<i64, i64> = BTreeMap::new();
    for flow in flows {
        let (host, peer, is_out) = match (inside.contains(flow.src), inside.contains(flow.dst)) {
            (true, false) => (flow.src, flow.dst, true),
            (false, true) => (flow.dst, flow.src, false),
            _ => continue,
        };
        let Some(time) = flow.start.micros().filter(|_| is_routed(peer)) else {
            continue;
        };
        let day = time.div_euclid(DAY);
        let first = firsts.entry(day).or_insert(time);
        *first = time.min(*first);
        let sum = scratch.entry((day, host, network(peer, NETWORK_V6))).or_default();
        let side = if is_out { &mut sum.0 } else { &mut sum.1 };
        *side = side.saturating_add(flow.bytes);
    }
    for (day, first) in firsts {
        facts.extend(Fact::of(&Outflow {
            evidence,
            at,
            time: Timestamp::from_micros(first),
            rows: rows(scratch, day),
        }));
    }
    scratch.clear();
}

/// The exchanges of a day that count, and the rest by machine, in the order of machines.
fn rows(sums: &Sums, day: i64) -> Vec<(IpAddr, IpAddr, u64, u64)> {
    let mut kept = Vec::new();
    let mut rest: FxHashMap<IpAddr, (u64, u64)> = FxHashMap::default();
    let mut sum_up = |host: IpAddr, out: u64, back: u64| {
        let sum = rest.entry(host).or_default();
        *sum = (sum.0.saturating_add(out), sum.1.saturating_add(back));
    };
    for ((_, host, peer), (out, back)) in sums.iter().filter(|((of, ..), _)| *of == day) {
        match weight(*out, *back) >= LEAST {
            true => kept.push((*host, *peer, *out, *back)),
            false => sum_up(*host, *out, *back),
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
