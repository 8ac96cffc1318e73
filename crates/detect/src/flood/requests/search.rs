//! What the requests that are too many have in common and ordinary ones do not.

use rustc_hash::FxHashMap;

use super::chunk::{Dim, Row};

/// Values that a pattern is built from, at most.
const MOST_PARTS: usize = 6;
/// Single values from which a search starts.
const MOST_SEEDS: usize = 8;
/// Patterns of one window, at most.
const MOST_PATTERNS: usize = 5;
/// The share of the excess that must have a value for it to be part of the fingerprint.
const COMMON: f64 = 0.93;
/// A value that more of the ordinary requests have says nothing.
const ORDINARY: f64 = 0.8;

/// What a pattern asks for: values of traits.
type Parts = Vec<(Dim, u32)>;

/// Requests that have all of some values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pattern {
    /// Values that together make the requests stand out.
    pub(super) core: Vec<(Dim, u32)>,
    /// All that nearly all of the excess has, the core included, with the share of ordinary requests that have it.
    pub(super) traits: Vec<(Dim, u32, f64)>,
}

impl Pattern {
    pub(super) fn matches(&self, row: &Row) -> bool {
        self.core.iter().all(|(dim, value)| row.get(*dim) == *value)
    }
}

/// Samples of requests: of a window, and of the rest of the service's log.
pub(super) struct Sample<'r> {
    pub(super) window: &'r [Row],
    /// How many requests each row of `window` stands for.
    pub(super) weight: f64,
    pub(super) ordinary: &'r [Row],
    /// How many ordinary requests were to be expected in the window.
    pub(super) expected: f64,
}

/// Rows of both sides.
#[derive(Clone)]
struct Side<'r> {
    window: Vec<&'r Row>,
    ordinary: Vec<&'r Row>,
}

impl<'r> Side<'r> {
    fn with(&self, dim: Dim, value: u32) -> Self {
        let has = |row: &&&'r Row| row.get(dim) == value;
        Self {
            window: self.window.iter().filter(has).copied().collect(),
            ordinary: self.ordinary.iter().filter(has).copied().collect(),
        }
    }
}

impl Sample<'_> {
    /// Patterns, each of what the ones before leave, until nothing is too much any more.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let mut side = Side {
            window: self.window.iter().collect(),
            ordinary: self.ordinary.iter().collect(),
        };
        let mut found = Vec::new();
        while found.len() < MOST_PATTERNS {
            let Some(pattern) = self.best(&side) else {
                break;
            };
            side.window.retain(|row| !pattern.matches(row));
            found.push(pattern);
        }
        found
    }

    fn best(&self, side: &Side<'_>) -> Option<Pattern> {
        let least = (0.05 * self.expected).max(300.0).max(10.0 * self.expected.sqrt());
        let mut seeds = self.scores(side);
        seeds.truncate(MOST_SEEDS);
        let mut best: Option<(f64, Parts, Side<'_>)> = None;
        for (score, dim, value) in seeds {
            let mut parts = vec![(dim, value)];
            let mut inside = side.with(dim, value);
            let mut reached = score;
            while parts.len() < MOST_PARTS {
                let Some((score, dim, value)) = self.scores(&inside).into_iter().next() else {
                    break;
                };
                if score <= reached * 1.002 || parts.iter().any(|(known, _)| *known == dim) {
                    break;
                }
                inside = inside.with(dim, value);
                parts.push((dim, value));
                reached = score;
            }
            if best.as_ref().is_none_or(|(best, ..)| reached > *best) {
                best = Some((reached, parts, inside));
            }
        }
        let (_, core, inside) = best?;
        (self.excess(inside.window.len(), inside.ordinary.len()) >= least).then(|| Pattern {
            traits: self.traits(&core, &inside),
            core,
        })
    }

    fn observed(&self, rows: usize) -> f64 {
        rows as f64 * self.weight
    }

    fn expected(&self, rows: usize) -> f64 {
        self.expected * rows as f64 / self.ordinary.len().max(1) as f64
    }

    fn excess(&self, window: usize, ordinary: usize) -> f64 {
        let expected = self.expected(ordinary);
        self.observed(window) - expected - 3.0 * expected.sqrt()
    }

    /// How many rows of both sides have each value.
    fn counts(side: &Side<'_>) -> FxHashMap<(Dim, u32), (usize, usize)> {
        let mut counts: FxHashMap<(Dim, u32), (usize, usize)> = FxHashMap::default();
        for row in &side.window {
            for dim in Dim::all() {
                counts.entry((dim, row.get(dim))).or_default().0 += 1;
            }
        }
        for row in &side.ordinary {
            for dim in Dim::all() {
                if let Some(count) = counts.get_mut(&(dim, row.get(dim))) {
                    count.1 += 1;
                }
            }
        }
        counts.retain(|(_, value), _| *value != 0);
        counts
    }

    /// Values by how much of the excess they hold and how little else: the excess times the share of it in what has the
    /// value. Best first.
    fn scores(&self, side: &Side<'_>) -> Vec<(f64, Dim, u32)> {
        let mut scores: Vec<(f64, Dim, u32)> = Self::counts(side)
            .into_iter()
            .filter_map(|((dim, value), (window, ordinary))| {
                let excess = self.excess(window, ordinary);
                let score = excess * excess / self.observed(window).max(1.0);
                (excess > 0.0).then_some((score, dim, value))
            })
            .collect();
        scores.sort_by(|left, right| {
            right
                .0
                .total_cmp(&left.0)
                .then_with(|| (left.1, left.2).cmp(&(right.1, right.2)))
        });
        scores
    }

    fn traits(&self, core: &[(Dim, u32)], inside: &Side<'_>) -> Vec<(Dim, u32, f64)> {
        let whole = self.observed(inside.window.len()) - self.expected(inside.ordinary.len());
        let mut ordinary: FxHashMap<(Dim, u32), usize> = FxHashMap::default();
        for row in self.ordinary {
            for dim in Dim::all() {
                *ordinary.entry((dim, row.get(dim))).or_default() += 1;
            }
        }
        let usual = |dim, value| {
            let count = ordinary.get(&(dim, value)).copied().unwrap_or_default();
            count as f64 / self.ordinary.len().max(1) as f64
        };
        let mut traits: Vec<(Dim, u32, f64)> = core
            .iter()
            .map(|(dim, value)| (*dim, *value, usual(*dim, *value)))
            .collect();
        for ((dim, value), (window, expected)) in Self::counts(inside) {
            let held = self.observed(window) - self.expected(expected);
            let is_new = !core.iter().any(|(known, _)| *known == dim);
            if is_new && held >= COMMON * whole && usual(dim, value) < ORDINARY {
                traits.push((dim, value, usual(dim, value)));
            }
        }
        // A shape says nothing that the value itself does not.
        for (value, shape) in [
            (Dim::PATH, Dim::PATH_SHAPE),
            (Dim::ARGUMENTS, Dim::ARGUMENTS_SHAPE),
            (Dim::AGENT, Dim::AGENT_FAMILY),
            (Dim::CLIENT, Dim::NETWORK),
        ] {
            if traits.iter().any(|(dim, ..)| *dim == value) {
                traits.retain(|(dim, ..)| *dim != shape);
            }
        }
        traits.sort_by_key(|(dim, value, _)| (*dim, *value));
        traits
    }
}
