//! What is normal here: counts with decay of who runs what, where, from what and when.
//!
//! Counts are whole numbers per week and key, so that adding them up gives the same in any order and
//! [`Baseline::merge`] of two baselines equals one that saw both. A count fades by half in four weeks and is
//! forgotten after eight.
//!
//! Memory is bounded: beyond [`Baseline::CAPACITY`] keys (40 bytes each, in a table that may be half empty) the rarest quarter moves into a count-min
//! sketch (Cormode and Muthukrishnan, 2005) of 4 rows by 2^17 columns a week. A count out of it is never too small, and
//! too large by more than e/2^17 (two in 100,000) of what the sketch holds with a probability below e^-4 (2 %).

mod sketch;

use blackrod_model::Timestamp;
use rustc_hash::FxHashMap;

use sketch::Sketch;

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Baseline {
    cells: FxHashMap<u64, Cell>,
    tail: Sketch,
    /// Days with any event, as days since 1970.
    days: std::collections::BTreeSet<u32>,
    capacity: Option<usize>,
}

/// What was known of a key before it was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Met {
    /// How often it was seen lately.
    pub seen: f32,
    /// How often there was anything new of its kind; only asked where it was seen less than [`SELDOM`].
    pub new: f32,
    /// Whether it was never seen.
    pub is_new: bool,
}

/// What was seen less often than this, faded, is as good as new.
pub const SELDOM: f32 = 0.3;

/// One key's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Cell {
    /// The key that counts how often something like this was new; 0 where nobody counts.
    novelty: u64,
    /// The week that it was first seen in.
    first: u16,
    /// The latest week that it was seen in.
    top: u16,
    /// Counts of that week and the seven before it, by week modulo eight.
    counts: [u16; WEEKS],
}

/// The most days that are remembered; the latest.
const MOST_DAYS: usize = 1_000;

const WEEKS: usize = 8;
const WEEK_MICROS: i64 = 7 * DAY_MICROS;
const DAY_MICROS: i64 = 86_400_000_000;

/// What a count of so many weeks ago still counts: half after four weeks.
const FADE: [f32; WEEKS] = [
    1.0,
    0.840_9,
    std::f32::consts::FRAC_1_SQRT_2,
    0.594_6,
    0.5,
    0.420_4,
    0.353_6,
    0.297_3,
];

impl Baseline {
    /// The most keys that are counted exactly: about 350 MB with everything, half as much again while the table grows.
    pub const CAPACITY: usize = 4_000_000;

    /// Empty, and counting at most `capacity` keys exactly.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity: Some(capacity.max(16)),
            ..Self::default()
        }
    }

    /// Counts `key` once.
    pub fn add(&mut self, key: u64, time: Timestamp) {
        self.meet(key, 0, time);
    }

    /// Counts `key` once, and `novelty` where it is new: how often there is anything new of its kind. Says what was known
    /// before.
    pub fn meet(&mut self, key: u64, novelty: u64, time: Timestamp) -> Met {
        let week = week_of(time);
        let before = self.cells.len();
        let cell = self.cells.entry(key).or_insert_with(|| Cell::new(novelty, week));
        let exact = cell.faded(week);
        cell.add(week, 1);
        cell.first = cell.first.min(week);
        let is_unknown = self.cells.len() > before;
        let seen = match self.tail.is_empty() {
            true => exact,
            false => exact + self.tail.faded(key, week),
        };
        let new = match seen < SELDOM && novelty != 0 {
            true => self.count(novelty, time),
            false => 0.0,
        };
        if is_unknown && novelty != 0 {
            self.add(novelty, time);
        }
        if is_unknown && self.cells.len() > self.capacity() {
            self.shrink();
        }
        Met {
            seen,
            new,
            is_new: is_unknown && seen == 0.0,
        }
    }

    /// Asks the memory for the counts of these keys, which are far apart in it: asked for together they arrive together,
    /// one after the other each would be waited for.
    pub(super) fn fetch(&self, keys: &[u64]) {
        let known = keys.iter().filter(|key| self.cells.contains_key(key)).count();
        std::hint::black_box(known);
    }

    /// Notes that something happened on this day.
    pub fn note_day(&mut self, time: Timestamp) {
        let day = day_of(time);
        if day > 0 && self.days.insert(day) {
            self.forget_days();
        }
    }

    /// How often `key` was seen lately, as of `now`.
    pub fn count(&self, key: u64, now: Timestamp) -> f32 {
        let week = week_of(now);
        let exact = self.cells.get(&key).map_or(0.0, |cell| cell.faded(week));
        if self.tail.is_empty() {
            return exact;
        }
        exact + self.tail.faded(key, week)
    }

    /// On how many days there was anything.
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// How many keys are counted exactly.
    pub fn keys(&self) -> usize {
        self.cells.len()
    }

    /// Adds everything that `other` counted. Equals one baseline that saw both, as long as neither grew beyond its
    /// capacity.
    pub fn merge(&mut self, other: &Self) {
        for (key, cell) in &other.cells {
            self.cells
                .entry(*key)
                .or_insert_with(|| Cell::new(cell.novelty, cell.first))
                .merge(cell);
        }
        // What both knew is new only once: counted again from what there is.
        let new: Vec<(u64, u16)> = self
            .cells
            .values()
            .filter(|cell| cell.novelty != 0)
            .map(|cell| (cell.novelty, cell.first))
            .collect();
        for (novelty, _) in &new {
            self.cells.remove(novelty);
        }
        for (novelty, week) in new {
            let cell = self.cells.entry(novelty).or_insert_with(|| Cell::new(0, week));
            cell.first = cell.first.min(week);
            cell.add(week, 1);
        }
        self.tail.merge(&other.tail);
        self.days.extend(&other.days);
        self.forget_days();
        if self.cells.len() > self.capacity() {
            self.shrink();
        }
    }

    fn forget_days(&mut self) {
        while self.days.len() > MOST_DAYS {
            self.days.pop_first();
        }
    }

    fn capacity(&self) -> usize {
        self.capacity.unwrap_or(Self::CAPACITY)
    }

    /// Moves the rarest quarter of the keys into the sketch.
    fn shrink(&mut self) {
        let keep = self.capacity() / 4 * 3;
        let mut order: Vec<(u32, u16, u64)> = self
            .cells
            .iter()
            .map(|(key, cell)| (cell.total(), cell.top, *key))
            .collect();
        let evicted = order.len().saturating_sub(keep);
        if evicted == 0 || evicted >= order.len() {
            return;
        }
        order.select_nth_unstable(evicted);
        order.truncate(evicted);
        for (_, _, key) in order {
            if let Some(cell) = self.cells.remove(&key) {
                cell.each(|week, count| self.tail.add(key, week, count));
            }
        }
    }
}

impl Cell {
    const fn new(novelty: u64, first: u16) -> Self {
        Self {
            novelty,
            first,
            top: 0,
            counts: [0; WEEKS],
        }
    }

    /// Adds to the count of `week`, unless that lies before the eight that are kept.
    fn add(&mut self, week: u16, count: u16) {
        if week > self.top {
            let first_new = self
                .top
                .saturating_add(1)
                .max(week.saturating_sub(WEEKS as u16 - 1));
            for fresh in first_new..=week {
                self.counts[slot(fresh)] = 0;
            }
            self.top = week;
        }
        if self.top - week < WEEKS as u16 {
            let own = &mut self.counts[slot(week)];
            *own = own.saturating_add(count);
        }
    }

    fn merge(&mut self, other: &Self) {
        // The later one first, so that what is too old for the result is dropped whatever the order.
        self.first = self.first.min(other.first);
        let top = self.top.max(other.top);
        self.add(top, 0);
        other.each(|week, count| self.add(week, count));
    }

    fn each(&self, mut visit: impl FnMut(u16, u16)) {
        for age in 0..WEEKS as u16 {
            let Some(week) = self.top.checked_sub(age) else {
                return;
            };
            let count = self.counts[slot(week)];
            if count > 0 {
                visit(week, count);
            }
        }
    }

    fn faded(&self, now: u16) -> f32 {
        let mut sum = 0.0;
        self.each(|week, count| {
            // An event out of order is as good as one of now.
            let age = usize::from(now.saturating_sub(week));
            sum += FADE.get(age).copied().unwrap_or(0.0) * f32::from(count);
        });
        sum
    }

    fn total(&self) -> u32 {
        self.counts.iter().map(|count| u32::from(*count)).sum()
    }
}

const fn slot(week: u16) -> usize {
    week as usize % WEEKS
}

/// One key out of two, well spread (the finaliser of SplitMix64).
pub(super) const fn mix(first: u64, second: u64) -> u64 {
    let mut mixed = first ^ second.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn week_of(time: Timestamp) -> u16 {
    let micros = time.micros().unwrap_or(0);
    u16::try_from(micros.div_euclid(WEEK_MICROS).clamp(0, i64::from(u16::MAX))).unwrap_or(0)
}

/// Days since 1970; 0 for unknown times.
pub(super) fn day_of(time: Timestamp) -> u32 {
    let micros = time.micros().unwrap_or(0);
    u32::try_from(micros.div_euclid(DAY_MICROS).clamp(0, i64::from(u32::MAX))).unwrap_or(0)
}

#[cfg(test)]
mod tests;
