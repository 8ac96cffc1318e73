//! What speaks for a flood and against a crowd.

use super::case::{Case, loudest};
use super::chunk::Dim;
use super::collect::BROKEN_OFF;
use super::replay::{Candidate, Ordinary};

/// What speaks for a flood, in words, and how many points it is worth.
pub(super) fn signs(case: &Case<'_>) -> (u32, Vec<String>) {
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
        let is_reset = how == BROKEN_OFF && has_http2(candidate);
        let pattern = if is_reset {
            ", over HTTP/2: as in a flood of resets (CVE-2023-44487)"
        } else {
            ""
        };
        add(1, format!("its requests end as: {how}{pattern}"));
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

/// Whether all its requests came over HTTP/2.
fn has_http2(candidate: &Candidate) -> bool {
    let traits = candidate.pattern.traits.iter().zip(&candidate.texts);
    let mut versions = traits.filter(|((dim, ..), _)| *dim == Dim::VERSION);
    versions.any(|(_, text)| {
        text.as_deref()
            .is_some_and(|version| version.starts_with("HTTP/2"))
    })
}
