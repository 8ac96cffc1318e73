//! What is known of requests that are too many, and when that was.

use std::net::IpAddr;

use blackrod_model::{EvidenceId, Position};

use super::rates::{BIN, Service};
use super::replay::{Candidate, Ordinary};

/// Requests that there must be to call something a flood.
const ENOUGH: u64 = 300;
/// Bins that they must be spread over.
const BINS: usize = 3;

/// What a verdict rests on.
pub(super) struct Case<'c> {
    pub(super) candidate: &'c Candidate,
    pub(super) ordinary: Option<&'c Ordinary>,
    pub(super) rates: Option<&'c Service>,
    pub(super) name: &'c str,
    /// Where each stretch begins.
    pub(super) places: &'c [(EvidenceId, Position)],
}

/// When a flood was.
pub(super) struct Extent {
    pub(super) start: i64,
    pub(super) end: i64,
    /// When there was enough of it to be seen.
    pub(super) seen: i64,
    /// Requests a second, at most.
    pub(super) peak: f64,
}

impl Extent {
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
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

/// The addresses that sent most of it.
pub(super) fn loudest(candidate: &Candidate, most: usize) -> Vec<(String, u64)> {
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
