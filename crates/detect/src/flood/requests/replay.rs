//! Every request again: what a pattern holds, who sent it, and what a filter would have done to others.

use std::net::IpAddr;

use super::chunk::{Chunk, Dim, Row};
use super::rates::{BIN, Window};
use super::sampled::Sampled;
use super::search::Pattern;

/// A visit ends with these, in seconds.
const SLICE: i64 = 600;

/// A pattern found in a window, and what it comes to.
pub(super) struct Candidate {
    pub(super) window: Window,
    pub(super) pattern: Pattern,
    /// What a filter can go by.
    pub(super) filter: Vec<(Dim, u32)>,
    /// The texts of the pattern's values, in the order of its traits.
    pub(super) texts: Vec<Option<String>>,
    /// Requests in the window that have the pattern, by bin.
    pub(super) matched: Vec<u32>,
    /// Requests in the window that the filter stops, by bin.
    pub(super) stopped: Vec<u32>,
    pub(super) sources: Sampled<u32, Source>,
    pub(super) visits: Sampled<(u32, i64), Visit>,
    /// Of requests with the pattern.
    pub(super) behaviour: Behaviour,
    /// Requests of the window without it.
    pub(super) others: u64,
    /// Of ordinary requests, those that the filter would have stopped.
    pub(super) blocked: u64,
    pub(super) blocked_clients: Sampled<u32, ()>,
    /// The chunk with the first request that has the pattern.
    pub(super) first: Option<(i64, usize)>,
}

/// Who sent requests with a pattern.
#[derive(Default)]
pub(super) struct Source {
    pub(super) address: Option<IpAddr>,
    pub(super) matched: u64,
}

/// What a client did within a stretch of time.
#[derive(Default)]
pub(super) struct Visit {
    pub(super) matched: u32,
    requests: u32,
    paths: u64,
    pages: bool,
    assets: bool,
}

/// How requests of a kind look.
#[derive(Default)]
pub(super) struct Behaviour {
    pub(super) requests: u64,
    /// Those whose log says whether there was a referrer.
    pub(super) with_referrer_logged: u64,
    pub(super) referred: u64,
}

/// What is ordinary at a service: all outside its windows.
#[derive(Default)]
pub(super) struct Ordinary {
    pub(super) behaviour: Behaviour,
    pub(super) clients: Sampled<u32, u32>,
    pub(super) visits: Sampled<(u32, i64), Visit>,
}

/// How visits look, on the whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// The share of visits that fetch pages and what belongs to them.
    pub(super) with_assets: f64,
    /// How often a visit asks for the same path.
    pub(super) repeats: f64,
    pub(super) visits: f64,
}

impl Candidate {
    pub(super) fn new(window: Window, pattern: Pattern, filter: Vec<(Dim, u32)>) -> Self {
        let bins = ((window.end - window.start) / BIN).clamp(0, 1_000_000) as usize;
        Self {
            texts: vec![None; pattern.traits.len()],
            window,
            pattern,
            filter,
            matched: vec![0; bins],
            stopped: vec![0; bins],
            sources: Sampled::default(),
            visits: Sampled::default(),
            behaviour: Behaviour::default(),
            others: 0,
            blocked: 0,
            blocked_clients: Sampled::default(),
            first: None,
        }
    }

    /// Finds the texts of the pattern's values.
    pub(super) fn name_values(&mut self, chunk: &Chunk) {
        for ((dim, value, _), text) in self.pattern.traits.iter().zip(&mut self.texts) {
            if text.is_none() {
                *text = chunk.text(*dim, *value);
            }
        }
    }

    /// A request in the window; `number` is its chunk's.
    pub(super) fn add(&mut self, row: &Row, address: IpAddr, number: usize) {
        let bin = ((row.time - self.window.start) / BIN) as usize;
        let client = row.get(Dim::CLIENT);
        let matches = self.pattern.matches(row);
        if self.stops(row)
            && let Some(stopped) = self.stopped.get_mut(bin)
        {
            *stopped += 1;
        }
        if let Some(visit) = self.visits.entry((client, row.time.div_euclid(SLICE))) {
            visit.add(row);
            visit.matched += u32::from(matches);
        }
        if !matches {
            self.others += 1;
            return;
        }
        if let Some(matched) = self.matched.get_mut(bin) {
            *matched += 1;
        }
        if self.first.is_none_or(|(time, _)| row.time < time) {
            self.first = Some((row.time, number));
        }
        self.behaviour.add(row);
        if let Some(source) = self.sources.entry(client) {
            source.address = Some(address);
            source.matched += 1;
        }
    }

    /// A request outside all windows.
    pub(super) fn add_ordinary(&mut self, row: &Row) {
        if self.stops(row) {
            self.blocked += 1;
            self.blocked_clients.entry(row.get(Dim::CLIENT));
        }
    }

    fn stops(&self, row: &Row) -> bool {
        !self.filter.is_empty() && self.filter.iter().all(|(dim, value)| row.get(*dim) == *value)
    }

    pub(super) fn total(&self) -> u64 {
        self.matched.iter().map(|count| u64::from(*count)).sum()
    }

    /// How those who sent the pattern's requests look, by how many of these they sent.
    pub(super) fn manner(&self) -> Manner {
        Manner::of(
            self.visits
                .iter()
                .map(|(_, visit)| (visit, f64::from(visit.matched))),
        )
    }
}

impl Ordinary {
    pub(super) fn add(&mut self, row: &Row) {
        self.behaviour.add(row);
        let client = row.get(Dim::CLIENT);
        if let Some(requests) = self.clients.entry(client) {
            *requests += 1;
        }
        if let Some(visit) = self.visits.entry((client, row.time.div_euclid(SLICE))) {
            visit.add(row);
        }
    }

    pub(super) fn manner(&self) -> Manner {
        Manner::of(self.visits.iter().map(|(_, visit)| (visit, 1.0)))
    }
}

impl Visit {
    fn add(&mut self, row: &Row) {
        self.requests += 1;
        self.paths |= 1 << (row.get(Dim::PATH) % 64);
        self.assets |= row.is_asset;
        self.pages |= !row.is_asset;
    }

    /// Requests without the pattern.
    pub(super) fn others(&self) -> u32 {
        self.requests.saturating_sub(self.matched)
    }

    fn repeats(&self) -> f64 {
        (f64::from(self.requests) / f64::from(self.paths.count_ones().max(1))).min(20.0)
    }
}

impl Behaviour {
    fn add(&mut self, row: &Row) {
        self.requests += 1;
        self.with_referrer_logged += u64::from(row.get(Dim::REFERRER) != 0);
        self.referred += u64::from(row.has_referrer);
    }

    /// The share with a referrer; `None` where it is not logged.
    pub(super) fn referred(&self) -> Option<f64> {
        let is_logged = self.with_referrer_logged * 2 > self.requests;
        is_logged.then(|| self.referred as f64 / self.with_referrer_logged.max(1) as f64)
    }
}

impl Manner {
    fn of<'v>(visits: impl Iterator<Item = (&'v Visit, f64)>) -> Self {
        let mut sum = Self::default();
        for (visit, weight) in visits {
            sum.visits += weight;
            sum.with_assets += weight * f64::from(u8::from(visit.assets && visit.pages));
            sum.repeats += weight * visit.repeats();
        }
        let whole = sum.visits.max(1e-9);
        Self {
            with_assets: sum.with_assets / whole,
            repeats: sum.repeats / whole,
            visits: sum.visits,
        }
    }
}
