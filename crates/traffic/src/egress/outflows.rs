//! A window of flows → what machines of the estate exchanged with the outside.

use std::net::IpAddr;

use blackrod_model::{EvidenceId, Fact, Flow, Outflow, Position, Timestamp};
use rustc_hash::FxHashMap;

use crate::DAY;
use crate::inside::{Inside, is_routed, network};

/// So many outer networks of a machine are kept of a window; the rest is summed up.
const PEERS: usize = 64;

/// The rest: an address that nobody has.
pub(super) const REST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// The length of an outer network of IPv6.
const NETWORK_V6: u32 = 48;

/// Adds what went out and came in within these flows to `facts`.
pub(crate) fn of(
    flows: &[Flow],
    (evidence, at): (EvidenceId, Position),
    inside: &Inside,
    facts: &mut Vec<Fact>,
) {
    // Day, machine, outer network: out, in, first.
    let mut sums: FxHashMap<(i64, IpAddr, IpAddr), (u64, u64, i64)> = FxHashMap::default();
    for flow in flows {
        let (host, peer, is_out) = match (inside.contains(flow.src), inside.contains(flow.dst)) {
            (true, false) => (flow.src, flow.dst, true),
            (false, true) => (flow.dst, flow.src, false),
            _ => continue,
        };
        let Some(time) = flow.start.micros().filter(|_| is_routed(peer)) else {
            continue;
        };
        let key = (time.div_euclid(DAY), host, network(peer, NETWORK_V6));
        let sum = sums.entry(key).or_insert((0, 0, time));
        match is_out {
            true => sum.0 = sum.0.saturating_add(flow.bytes),
            false => sum.1 = sum.1.saturating_add(flow.bytes),
        }
        sum.2 = sum.2.min(time);
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_unstable_by(
        |((day, host, peer), (out, ..)), ((day_b, host_b, peer_b), (out_b, ..))| {
            (day, host, std::cmp::Reverse(out), peer).cmp(&(day_b, host_b, std::cmp::Reverse(out_b), peer_b))
        },
    );
    for machine in
        rows.chunk_by(|((day, host, _), _), ((day_b, host_b, _), _)| (day, host) == (day_b, host_b))
    {
        let Some(((_, host, _), _)) = machine.first() else {
            continue;
        };
        let (largest, rest) = machine.split_at(machine.len().min(PEERS));
        let mut peers: Vec<(IpAddr, u64, u64)> = largest
            .iter()
            .map(|((_, _, peer), (out, back, _))| (*peer, *out, *back))
            .collect();
        if !rest.is_empty() {
            let sum = |pick: fn(&(u64, u64, i64)) -> u64| {
                rest.iter()
                    .map(|(_, sums)| pick(sums))
                    .fold(0, u64::saturating_add)
            };
            peers.push((REST, sum(|sums| sums.0), sum(|sums| sums.1)));
        }
        let first = machine
            .iter()
            .map(|(_, (.., first))| *first)
            .min()
            .unwrap_or_default();
        facts.extend(Fact::of(&Outflow {
            evidence,
            at,
            time: Timestamp::from_micros(first),
            host: Some(*host),
            peers,
        }));
    }
}
