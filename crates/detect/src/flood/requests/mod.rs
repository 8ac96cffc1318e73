//! Floods of requests in web servers' logs.
//!
//! [`Collector`] keeps, on every thread, a few bytes of each request in stretches of one log ([`Requests`]): the case
//! stores these as facts. [`find`] then goes three times over the stretches of the whole case: for the rates and what is
//! usual; for samples of what is too many and of what is ordinary, in which patterns are searched; and for an exact count of
//! these patterns with a replay of the filters. Its memory does not depend on how many requests there are.

mod case;
mod chunk;
mod collect;
mod course;
mod filters;
mod proposals;
mod rates;
mod replay;
mod sampled;
mod search;
mod shape;
mod signs;
#[cfg(test)]
mod tests;
mod verdict;

use std::ops::Range;

use blackrod_model::flood::Flood;
use blackrod_model::{EvidenceId, Finding};
use rustc_hash::FxHashMap;

pub use chunk::Requests;
use chunk::{Chunk, Dim, Request, Row, Salt};
pub(crate) use collect::Collector;
use rates::{Rates, Window};
use replay::{Candidate, Ordinary};
use search::{Pattern, Sample};

/// What the findings of this module carry.
pub const CODE: &str = "flood/requests";

/// What the detector of this module finds and misses.
pub const EXPLAIN: &str = include_str!("explain.md");

/// Requests of a window that a pattern is searched in.
const WINDOW_SAMPLE: u64 = 60_000;
/// Ordinary requests of a service that they are compared with.
const ORDINARY_SAMPLE: u64 = 150_000;
/// A filter that would have blocked a smaller share of the sample of ordinary requests is not made narrower.
const NARROW: f64 = 1e-5;

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Floods, by service and time.
    pub floods: Vec<Flood>,
    /// A finding for each.
    pub findings: Vec<Finding>,
    /// Times with more requests than usual that are not floods.
    pub crowds: usize,
}

/// Looks for floods in the stretches that `each` hands out, all of them each time it is called, always in the same order.
/// `label` names a log, for requests whose host is not logged.
///
/// # Errors
///
/// Those of `each`.
pub fn find<E>(
    each: impl Fn(&mut dyn FnMut(&Requests)) -> Result<(), E>,
    label: &dyn Fn(EvidenceId) -> String,
) -> Result<Outcome, E> {
    let mut salt = None;
    let open = |requests: &Requests, salt: Salt| Chunk::open(requests, salt, label(requests.evidence));

    let mut rates = Rates::default();
    each(&mut |requests| {
        let salt = *salt.get_or_insert_with(|| Salt::of(requests.evidence));
        if let Some(chunk) = open(requests, salt) {
            rates.add(&chunk);
        }
    })?;
    let windows = rates.windows();
    let (Some(salt), false) = (salt, windows.is_empty()) else {
        return Ok(Outcome::default());
    };

    let mut samples = Samples::new(&windows, &rates);
    each(&mut |requests| {
        if let Some(chunk) = open(requests, salt) {
            chunk.each_request(&mut |request| samples.add(&chunk, request));
        }
    })?;
    let mut candidates = samples.candidates(&rates);
    drop(samples);
    let windows_of = ranges(&windows, |window| window.service);
    let candidates_of = ranges(&candidates, |candidate| candidate.window.service);

    let mut ordinary: FxHashMap<u32, Ordinary> = FxHashMap::default();
    let mut names: FxHashMap<u32, String> = FxHashMap::default();
    let mut places = Vec::new();
    each(&mut |requests| {
        let number = places.len();
        places.push((requests.evidence, requests.at));
        let Some(chunk) = open(requests, salt) else {
            return;
        };
        for candidate in &mut candidates {
            candidate.name_values(&chunk);
            let service = candidate.window.service;
            if !names.contains_key(&service)
                && let Some(name) = chunk.service_name(service)
            {
                names.insert(service, name.to_owned());
            }
        }
        chunk.each_request(&mut |request| {
            let Some((row, address)) = chunk.row(request) else {
                return;
            };
            let row = &row;
            let Some(own) = windows_of.get(&row.service) else {
                return;
            };
            let own = windows.get(own.clone()).unwrap_or_default();
            let is_inside = own.iter().any(|window| window.contains(row.time));
            if !is_inside {
                ordinary.entry(row.service).or_default().add(row);
            }
            let own = candidates_of.get(&row.service).cloned().unwrap_or_default();
            for candidate in candidates.get_mut(own).unwrap_or_default() {
                if candidate.window.contains(row.time) {
                    candidate.add(row, address, number);
                } else if !is_inside {
                    candidate.add_ordinary(row);
                }
            }
        });
    })?;

    let mut outcome = Outcome::default();
    for candidate in &candidates {
        let service = candidate.window.service;
        let judged = verdict::judge(&case::Case {
            candidate,
            ordinary: ordinary.get(&service),
            rates: rates.service(service),
            name: names.get(&service).map_or("", String::as_str),
            places: &places,
        });
        match judged {
            Some((flood, finding)) => {
                outcome.floods.push(flood);
                outcome.findings.push(finding);
            }
            None => outcome.crowds += 1,
        }
    }
    outcome
        .floods
        .sort_by(|left, right| (left.start, &left.key).cmp(&(right.start, &right.key)));
    outcome.findings.sort_by_key(|finding| (finding.time, finding.id));
    Ok(outcome)
}

/// Where those of each service stand among items that are ordered by service.
fn ranges<T>(items: &[T], service: impl Fn(&T) -> u32) -> FxHashMap<u32, Range<usize>> {
    let mut from = 0;
    let parts = items.chunk_by(|left, right| service(left) == service(right));
    parts
        .filter_map(|part| {
            let range = from..from + part.len();
            from = range.end;
            Some((service(part.first()?), range))
        })
        .collect()
}

/// Every so many requests of each window, and of the rest of its service.
struct Samples {
    windows: Vec<(Window, Part)>,
    windows_of: FxHashMap<u32, Range<usize>>,
    ordinary: FxHashMap<u32, Part>,
}

/// Every `step`th request.
struct Part {
    seen: u64,
    step: u64,
    rows: Vec<Row>,
}

impl Part {
    fn of(total: u64, most: u64) -> Self {
        Self {
            seen: 0,
            step: total.div_ceil(most).max(1),
            rows: Vec::new(),
        }
    }

    fn add(&mut self, chunk: &Chunk, request: Request) {
        if self.seen.is_multiple_of(self.step) {
            self.rows.extend(chunk.row(request).map(|(row, _)| row));
        }
        self.seen += 1;
    }
}

impl Samples {
    fn new(windows: &[Window], rates: &Rates) -> Self {
        let mut ordinary = FxHashMap::default();
        let parts = windows.iter().map(|window| {
            let service = rates.service(window.service);
            let minutes = service.map(|service| service.minutes.range(window.start / 60..window.end / 60));
            let inside: u64 = minutes
                .into_iter()
                .flatten()
                .flat_map(|(_, bins)| bins)
                .map(|bin| u64::from(*bin))
                .sum();
            let total = service.map_or(0, |service| service.total);
            ordinary
                .entry(window.service)
                .or_insert_with(|| Part::of(total, ORDINARY_SAMPLE));
            (*window, Part::of(inside, WINDOW_SAMPLE))
        });
        Self {
            windows: parts.collect(),
            windows_of: ranges(windows, |window| window.service),
            ordinary,
        }
    }

    fn add(&mut self, chunk: &Chunk, request: Request) {
        let Some(service) = chunk.service(request.kind) else {
            return;
        };
        let Some(own) = self.windows_of.get(&service) else {
            return;
        };
        let mut is_inside = false;
        for (window, part) in self.windows.get_mut(own.clone()).unwrap_or_default() {
            if window.contains(request.time) {
                part.add(chunk, request);
                is_inside = true;
            }
        }
        if !is_inside && let Some(part) = self.ordinary.get_mut(&service) {
            part.add(chunk, request);
        }
    }

    fn candidates(&self, rates: &Rates) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (window, part) in &self.windows {
            let Some(ordinary) = self
                .ordinary
                .get(&window.service)
                .filter(|part| !part.rows.is_empty())
            else {
                continue;
            };
            let sample = Sample {
                window: &part.rows,
                weight: part.seen as f64 / part.rows.len().max(1) as f64,
                ordinary: &ordinary.rows,
                expected: expected(*window, rates),
            };
            for pattern in sample.patterns() {
                let filter = filter(&pattern, &ordinary.rows);
                candidates.push(Candidate::new(*window, pattern, filter));
            }
        }
        candidates
    }
}

/// How many requests are usual in a window.
fn expected(window: Window, rates: &Rates) -> f64 {
    let minutes = (window.start..window.end).step_by(60);
    let usual = |time| rates.service(window.service)?.usual(time);
    minutes
        .filter_map(|time| {
            usual(time)
                .or_else(|| usual(window.start))
                .or_else(|| usual(window.end))
        })
        .map(|usual| usual.middle)
        .sum()
}

/// What a filter goes by: as few of a pattern's values as keep it off ordinary requests.
fn filter(pattern: &Pattern, ordinary: &[Row]) -> Vec<(Dim, u32)> {
    let mut values: Vec<&(Dim, u32, f64)> = pattern
        .traits
        .iter()
        .filter(|(dim, ..)| filters::KNOWN_IN_TIME.contains(dim))
        .collect();
    // Those that set the flood apart come first.
    values.sort_by(|left, right| left.2.total_cmp(&right.2).then(left.0.cmp(&right.0)));
    let mut rest: Vec<&Row> = ordinary.iter().collect();
    let mut chosen = Vec::new();
    for (dim, value, _) in values {
        let before = rest.len();
        let is_narrow = before as f64 <= NARROW * ordinary.len() as f64;
        if is_narrow && !chosen.is_empty() {
            break;
        }
        rest.retain(|row| row.get(*dim) == *value);
        if rest.len() < before || chosen.is_empty() {
            chosen.push((*dim, *value));
        }
    }
    chosen
}
