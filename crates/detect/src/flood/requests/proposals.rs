//! Filters, and what they would have done.

use std::collections::HashSet;
use std::net::IpAddr;

use blackrod_model::Timestamp;
use blackrod_model::flood::Filter;

use super::case::Case;
use super::chunk::Dim;
use super::filters::{self, Condition};

/// Addresses that a filter names, at most.
const MOST_ADDRESSES: usize = 8_192;
/// The share of a flood that the preferred filter should stop, at least.
const STOPS: f64 = 0.8;
/// The share of other requests that it should not reach.
const HARM: f64 = 0.001;

/// Filters with what their replay came to; the one to prefer first.
pub(super) fn proposals(case: &Case<'_>, name: &str, expires: Timestamp) -> Vec<Filter> {
    let mut filters = Vec::new();
    filters.extend(by_traits(case, name, expires));
    filters.extend(by_source(case, name, expires));
    // What stops enough and blocks hardly anybody else comes first; of such the one that stops more.
    filters.sort_by(|left: &Filter, right: &Filter| {
        let is_bad = |filter: &Filter| filter.stops < STOPS || filter.harm() >= HARM;
        let gain = |filter: &Filter| filter.stops - 100.0 * filter.harm();
        is_bad(left)
            .cmp(&is_bad(right))
            .then(gain(right).total_cmp(&gain(left)))
    });
    filters
}

fn by_traits(case: &Case<'_>, name: &str, expires: Timestamp) -> Option<Filter> {
    let candidate = case.candidate;
    let text = |dim: Dim, value: u32| {
        let index = candidate
            .pattern
            .traits
            .iter()
            .position(|(known, of, _)| (*known, *of) == (dim, value))?;
        candidate.texts.get(index)?.as_deref()
    };
    let conditions: Vec<Condition<'_>> = candidate
        .filter
        .iter()
        .map(|(dim, value)| Some((*dim, text(*dim, *value)?)))
        .collect::<Option<_>>()?;
    if conditions.is_empty() {
        return None;
    }
    let stopped: u64 = candidate
        .stopped
        .iter()
        .zip(&candidate.matched)
        .map(|(stopped, matched)| u64::from(*stopped.min(matched)))
        .sum();
    let names: Vec<&str> = conditions.iter().map(|(dim, _)| dim.name()).collect();
    Some(Filter {
        by: names.join(", "),
        rules: filters::by_traits(name, &conditions, expires),
        expires,
        stops: stopped as f64 / candidate.total().max(1) as f64,
        replayed_requests: case.ordinary.map_or(0, |ordinary| ordinary.behaviour.requests),
        blocked_requests: candidate.blocked,
        replayed_clients: case.ordinary.map_or(0, |ordinary| ordinary.clients.len()),
        blocked_clients: candidate.blocked_clients.len(),
    })
}

/// Addresses that are known for nothing else: not from before, and not for other requests.
fn by_source(case: &Case<'_>, name: &str, expires: Timestamp) -> Option<Filter> {
    let candidate = case.candidate;
    let ordinary = case.ordinary?;
    let mut chosen: Vec<(u64, IpAddr)> = candidate
        .sources
        .iter()
        .filter(|(client, source)| source.matched >= 3 && ordinary.clients.get(*client).is_none())
        .filter_map(|(_, source)| Some((source.matched, source.address?)))
        .collect();
    chosen.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    chosen.truncate(MOST_ADDRESSES);
    if chosen.is_empty() {
        return None;
    }
    let addresses: HashSet<IpAddr> = chosen.iter().map(|(_, address)| *address).collect();
    let is_chosen = |client: u32| {
        let source = candidate.sources.get(client);
        source
            .and_then(|source| source.address)
            .is_some_and(|address| addresses.contains(&address))
    };
    let mut blocked_requests = 0;
    let mut blocked: HashSet<u32> = HashSet::new();
    let mut others: HashSet<u32> = HashSet::new();
    for ((client, _), visit) in candidate.visits.iter() {
        let rest = visit.others();
        if rest == 0 {
            continue;
        }
        others.insert(client);
        if is_chosen(client) {
            blocked_requests += u64::from(rest);
            blocked.insert(client);
        }
    }
    let stopped: u64 = chosen.iter().map(|(count, _)| count).sum();
    let list: Vec<IpAddr> = chosen.into_iter().map(|(_, address)| address).collect();
    Some(Filter {
        by: format!("{} addresses that sent nothing else", list.len()),
        rules: filters::by_source(name, &list, expires),
        expires,
        stops: stopped as f64 / candidate.total().max(1) as f64,
        replayed_requests: candidate.others,
        blocked_requests: candidate
            .visits
            .scale(usize::try_from(blocked_requests).unwrap_or(usize::MAX)),
        replayed_clients: candidate.visits.scale(others.len()),
        blocked_clients: candidate.visits.scale(blocked.len()),
    })
}
