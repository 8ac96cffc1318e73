//! Whether what is too many is a flood or a crowd, and what is told of a flood.

use std::collections::HashSet;
use std::net::IpAddr;

use blackrod_model::flood::{Flood, Trait, Unit};
use blackrod_model::{
    Class, Entity, EntityKind, EvidenceId, Finding, FindingId, Position, Reason, Severity, Timestamp,
};

use super::case::{Case, Extent, loudest};
use super::chunk::{Dim, network};
use super::course::plot;
use super::filters;
use super::proposals::proposals;
use super::replay::Candidate;
use super::signs::signs;
use super::{CODE, sampled::Sampled};

/// From so many signs on it is a flood.
const SIGNS: u32 = 2;

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
        unit: Unit::Requests,
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
                usual: Some(*usual),
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

fn networks(sources: &Sampled<u32, super::replay::Source>) -> u64 {
    let known: HashSet<IpAddr> = sources
        .iter()
        .filter_map(|(_, source)| source.address.map(network))
        .collect();
    sources.scale(known.len()).min(sources.len())
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
                100.0 * part.usual.unwrap_or_default()
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
