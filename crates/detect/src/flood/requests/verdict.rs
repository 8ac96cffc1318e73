//! Whether what is too many is a flood or a crowd, and what is told of a flood.

use std::collections::HashSet;
use std::net::IpAddr;

use blackrod_model::flood::{Filter, Flood, Plot, Trait};
use blackrod_model::{
    Class, Entity, EntityKind, EvidenceId, Finding, FindingId, Position, Reason, Severity, Timestamp,
};

use super::chunk::{Dim, network};
use super::filters::{self, Condition};
use super::rates::{BIN, Service};
use super::replay::{Candidate, Ordinary};
use super::{CODE, sampled::Sampled};

/// From so many signs on it is a flood.
const SIGNS: u32 = 2;
/// Requests that there must be to call something a flood.
const ENOUGH: u64 = 300;
/// Bins that they must be spread over.
const BINS: usize = 3;
/// Addresses that a filter names, at most.
const MOST_ADDRESSES: usize = 8_192;
/// The share of a flood that the preferred filter should stop, at least.
const STOPS: f64 = 0.8;
/// The share of other requests that it should not reach.
const HARM: f64 = 0.001;
/// Seconds of the plot before and after a flood.
const MARGIN: i64 = 600;
/// Steps of a plot, at most.
const MOST_STEPS: i64 = 240;

/// What a verdict rests on.
pub(super) struct Case<'c> {
    pub(super) candidate: &'c Candidate,
    pub(super) ordinary: Option<&'c Ordinary>,
    pub(super) rates: Option<&'c Service>,
    pub(super) name: &'c str,
    /// Where each stretch begins.
    pub(super) places: &'c [(EvidenceId, Position)],
}

/// The flood, or `None` if it is a crowd, or too little.
pub(super) fn judge(case: &Case<'_>) -> Option<(Flood, Finding)> {
    let candidate = case.candidate;
    let extent = Extent::of(case)?;
    let (points, signs) = signs(case);
    if points < SIGNS {
        return None;
    }
    let expires = Timestamp::from_seconds(extent.end + filters::HOURS * 3_600);
    let (number, at) = candidate.first.map(|(_, number)| number).and_then(|number| {
        let place = case.places.get(number)?;
        Some((place.0, place.1))
    })?;
    let core: Vec<String> = candidate
        .pattern
        .traits
        .iter()
        .zip(&candidate.texts)
        .map(|((dim, ..), text)| format!("{}={}", dim.name(), text.as_deref().unwrap_or_default()))
        .collect();
    let id = FindingId::new(CODE, &core.join("\n"), number, at, &extent.start.to_string());
    let key: String = id
        .to_string()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let name = format!("flood_{key}");
    let filters = proposals(case, &name, expires);
    let usual = case.rates.and_then(|rates| rates.usual(extent.start));
    let sources = candidate.sources.len();
    let plot = plot(case, &extent, filters.first());
    let total = candidate.total();
    let flood = Flood {
        title: format!(
            "Flood of {total} requests from {sources} {} at {}: {}",
            if sources == 1 { "address" } else { "addresses" },
            case.name,
            brief(candidate)
        ),
        key: format!("F-{key}"),
        service: case.name.to_owned(),
        start: Timestamp::from_seconds(extent.start),
        end: Timestamp::from_seconds(extent.end),
        seen: Timestamp::from_seconds(extent.seen),
        requests: total,
        peak: extent.peak,
        usual: usual.map_or(0.0, |usual| usual.high / 60.0),
        learned_from: usual.map_or("", |usual| usual.learned_from).to_owned(),
        fingerprint: candidate
            .pattern
            .traits
            .iter()
            .zip(&candidate.texts)
            .map(|((dim, _, usual), text)| Trait {
                dimension: dim.name().to_owned(),
                value: text.clone().unwrap_or_default(),
                usual: *usual,
            })
            .collect(),
        sources,
        networks: networks(&candidate.sources),
        loudest: loudest(candidate, 20),
        signs,
        filters,
        plot,
    };
    let finding = finding(&flood, id, number, at, candidate);
    Some((flood, finding))
}

/// When a flood was.
struct Extent {
    start: i64,
    end: i64,
    seen: i64,
    peak: f64,
}

impl Extent {
    fn of(case: &Case<'_>) -> Option<Self> {
        let candidate = case.candidate;
        let start = candidate.window.start;
        let time = |bin: usize| start + bin as i64 * BIN;
        // What ordinary requests have of the pattern, in a bin.
        let share = candidate
            .pattern
            .core
            .iter()
            .filter_map(|(dim, value)| {
                let known = candidate.pattern.traits.iter();
                known
                    .clone()
                    .find(|(known, of, _)| known == dim && of == value)
                    .map(|found| found.2)
            })
            .fold(1.0, f64::min);
        let usual = case.rates.and_then(|rates| rates.usual(start.max(0)));
        let expected = usual.map_or(0.0, |usual| usual.middle / 6.0) * share;
        let limit = expected + 4.0 * expected.sqrt() + 3.0;
        let above: Vec<usize> = candidate
            .matched
            .iter()
            .enumerate()
            .filter(|(_, count)| f64::from(**count) > limit)
            .map(|(bin, _)| bin)
            .collect();
        // A bin by itself is chance.
        let is_joined = |bin: &&usize| {
            above.binary_search(&(**bin + 1)).is_ok()
                || bin
                    .checked_sub(1)
                    .is_some_and(|bin| above.binary_search(&bin).is_ok())
        };
        let joined: Vec<usize> = above.iter().filter(is_joined).copied().collect();
        let (first, last) = (*joined.first()?, *joined.last()?);
        let mut sum = 0;
        let mut seen = None;
        for (count, bin) in joined.iter().enumerate() {
            sum += u64::from(candidate.matched.get(*bin).copied().unwrap_or_default());
            if sum >= ENOUGH && count + 1 >= BINS {
                seen = Some(time(bin + 1));
                break;
            }
        }
        let most = candidate.matched.iter().max().copied().unwrap_or_default();
        Some(Self {
            start: time(first),
            end: time(last + 1),
            seen: seen?,
            peak: f64::from(most) / BIN as f64,
        })
    }
}

/// What speaks for a flood, in words, and how many points it is worth.
fn signs(case: &Case<'_>) -> (u32, Vec<String>) {
    let candidate = case.candidate;
    let mut points = 0;
    let mut signs = Vec::new();
    let mut add = |worth: u32, sign: String| {
        points += worth;
        signs.push(sign);
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let manner = candidate.manner();
    let usual = case.ordinary.map(Ordinary::manner).unwrap_or_default();
    let knows_manner = usual.visits >= 50.0;
    if knows_manner && usual.with_assets >= 0.15 && manner.with_assets < 0.25 * usual.with_assets {
        add(
            1,
            format!(
                "{} of its visits fetch what belongs to a page, of ordinary ones {}",
                percent(manner.with_assets),
                percent(usual.with_assets)
            ),
        );
    }
    if manner.repeats >= 4.0 && manner.repeats > 3.0 * usual.repeats {
        add(
            1,
            format!(
                "its visits ask for the same path {:.0} times, ordinary ones {:.1} times",
                manner.repeats, usual.repeats
            ),
        );
    }
    if let (Some(own), Some(of_others)) = (
        candidate.behaviour.referred(),
        case.ordinary.and_then(|ordinary| ordinary.behaviour.referred()),
    ) && of_others >= 0.2
        && own < 0.25 * of_others
    {
        add(
            1,
            format!(
                "{} of its requests come from another page, of ordinary ones {}",
                percent(own),
                percent(of_others)
            ),
        );
    }
    let traits = || candidate.pattern.traits.iter();
    if let Some((_, _, share)) = traits().find(|(dim, _, usual)| *dim == Dim::AGENT && *usual < 0.3) {
        add(
            1,
            format!(
                "it has one agent, which {} of ordinary requests have",
                percent(*share)
            ),
        );
    }
    if let Some((_, _, share)) = traits().find(|(dim, _, usual)| *dim == Dim::TLS && *usual < 0.3) {
        add(
            1,
            format!(
                "it has one TLS fingerprint, which {} of ordinary requests have",
                percent(*share)
            ),
        );
    }
    if let Some(index) = traits().position(|(dim, ..)| *dim == Dim::ENDED) {
        let how = candidate.texts.get(index).cloned().flatten().unwrap_or_default();
        add(1, format!("its requests end as: {how}"));
    }
    let total = candidate.total().max(1);
    if let Some((address, most)) = loudest(candidate, 1).pop()
        && most as f64 >= 0.3 * total as f64
    {
        add(
            1,
            format!(
                "{address} alone sent {} of it",
                percent(most as f64 / total as f64)
            ),
        );
    }
    (points, signs)
}

fn loudest(candidate: &Candidate, most: usize) -> Vec<(String, u64)> {
    let mut sources: Vec<(u64, IpAddr)> = candidate
        .sources
        .iter()
        .filter_map(|(_, source)| Some((source.matched, source.address?)))
        .collect();
    sources.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    sources.truncate(most);
    sources
        .into_iter()
        .map(|(count, address)| (address.to_string(), count))
        .collect()
}

fn networks(sources: &Sampled<u32, super::replay::Source>) -> u64 {
    let known: HashSet<IpAddr> = sources
        .iter()
        .filter_map(|(_, source)| source.address.map(network))
        .collect();
    sources.scale(known.len()).min(sources.len())
}

/// Filters with what their replay came to; the one to prefer first.
fn proposals(case: &Case<'_>, name: &str, expires: Timestamp) -> Vec<Filter> {
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

fn plot(case: &Case<'_>, extent: &Extent, filter: Option<&Filter>) -> Plot {
    let candidate = case.candidate;
    let window = candidate.window;
    let (from, to) = (extent.start - MARGIN, extent.end + MARGIN);
    let step = ((to - from) / MOST_STEPS / BIN + 1) * BIN;
    let by_traits = filter.is_some_and(|filter| !filter.by.contains("addresses"));
    let mut plot = Plot {
        start: Timestamp::from_seconds(from),
        step_seconds: u32::try_from(step).unwrap_or(u32::MAX),
        ..Plot::default()
    };
    let Some(rates) = case.rates else {
        return plot;
    };
    let mut time = from;
    while time < to {
        let bins = (0..step / BIN).map(|bin| time + bin * BIN);
        let rate: u32 = bins.clone().map(|time| rates.bin(time)).sum();
        let stopped: f64 = bins
            .filter(|time| window.contains(*time))
            .map(|time| {
                let bin = ((time - window.start) / BIN) as usize;
                let of = |counts: &[u32]| f64::from(counts.get(bin).copied().unwrap_or_default());
                match filter {
                    None => 0.0,
                    Some(_) if by_traits => of(&candidate.stopped),
                    Some(filter) => of(&candidate.matched) * filter.stops,
                }
            })
            .sum();
        let usual = rates
            .usual(time)
            .map_or(0.0, |usual| usual.high / 60.0 * step as f64);
        plot.rate.push(rate);
        plot.usual.push(usual.round() as u32);
        plot.left.push(rate.saturating_sub(stopped.round() as u32));
        time += step;
    }
    plot
}

/// The values that say most, in a line.
fn brief(candidate: &Candidate) -> String {
    let mut values: Vec<(&(Dim, u32, f64), &str)> = candidate
        .pattern
        .traits
        .iter()
        .zip(&candidate.texts)
        .filter_map(|(value, text)| Some((value, text.as_deref()?)))
        .collect();
    values.sort_by(|left, right| left.0.2.total_cmp(&right.0.2).then(left.0.0.cmp(&right.0.0)));
    let parts: Vec<String> = values
        .into_iter()
        .take(3)
        .map(|((dim, ..), text)| format!("{} {}", dim.name(), crate::clip(text, 60)))
        .collect();
    parts.join(", ")
}

fn finding(
    flood: &Flood,
    id: FindingId,
    evidence: EvidenceId,
    at: Position,
    candidate: &Candidate,
) -> Finding {
    let mut reasons = vec![
        Reason::new(
            "when",
            &format!(
                "{} to {}; enough to be seen by {}",
                flood.start, flood.end, flood.seen
            ),
        ),
        Reason::new(
            "rate",
            &format!(
                "at most {:.0} requests a second; usual are {:.1} (learned from {})",
                flood.peak, flood.usual, flood.learned_from
            ),
        ),
        Reason::new(
            "sources",
            &format!("{} addresses in {} networks", flood.sources, flood.networks),
        ),
    ];
    reasons.extend(flood.fingerprint.iter().map(|part| {
        Reason::new(
            part.dimension.clone(),
            &format!(
                "{} ({:.2} % of ordinary requests)",
                part.value,
                100.0 * part.usual
            ),
        )
    }));
    reasons.extend(flood.signs.iter().map(|sign| Reason::new("not a crowd", sign)));
    reasons.extend(flood.filters.first().map(|filter| {
        Reason::new(
            "filter",
            &format!(
                "by {}: stops {:.1} %, would have blocked {} of {} other requests",
                filter.by,
                100.0 * filter.stops,
                filter.blocked_requests,
                filter.replayed_requests
            ),
        )
    }));
    let ended_early = candidate
        .pattern
        .traits
        .iter()
        .any(|(dim, ..)| *dim == Dim::ENDED);
    let is_crawler = flood
        .fingerprint
        .iter()
        .any(|part| part.dimension == Dim::AGENT.name() && says_it_is_a_crawler(&part.value));
    Finding {
        id,
        code: CODE.to_owned(),
        rule_id: CODE.to_owned(),
        title: flood.title.clone(),
        severity: match flood.peak {
            _ if is_crawler => Severity::Low,
            peak if peak >= 3.0 * flood.usual.max(1.0) => Severity::High,
            _ => Severity::Medium,
        },
        time: flood.start,
        evidence,
        at,
        class: Class::HTTP_ACTIVITY.0,
        attack: vec![if ended_early { "T1499.001" } else { "T1499.002" }.to_owned()],
        reasons,
        entities: flood
            .loudest
            .iter()
            .filter_map(|(address, _)| Entity::new(EntityKind::Ip, address))
            .collect(),
    }
}

fn says_it_is_a_crawler(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    agent.contains("http") && ["bot", "crawl", "spider"].iter().any(|word| agent.contains(word))
}
