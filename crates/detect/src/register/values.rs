//! Searches for values of one column: lookups, or sweeps.

use rustc_hash::FxHashMap;

use super::BULK_ROWS;

/// So many new beginnings of a value on one day, most of them next to another in the alphabet, are a sweep.
const SWEEP: usize = 100;
const SWEEP_NEIGHBOURS: f64 = 0.6;
/// So many new whole values on one day are a sweep, if that is many times what is usual for this reader.
const SWEEP_OF_VALUES: usize = 500;
const SWEEP_BEYOND: usize = 10;
/// So many days, and what is usual is known.
const KNOWN_DAYS: usize = 3;
/// Values that are remembered of one reader, by column.
const MOST: usize = 500_000;

/// What was searched for in one column.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// The most rows that a value gave, and whether it was part of a sweep.
    found: FxHashMap<String, (u64, bool)>,
    day: i64,
    beginnings: Today,
    whole: Today,
    /// How many whole values were new on each day before.
    past: Vec<usize>,
}

/// The values that this day was the first to ask for.
#[derive(Clone, Debug, Default)]
struct Today {
    new: Vec<String>,
    is_sweep: bool,
}

impl Values {
    /// Takes a search; true where it is part of a sweep.
    pub(super) fn add(&mut self, value: &str, is_prefix: bool, rows: u64, day: i64) -> bool {
        if day != self.day {
            // A sweep is not what is usual.
            if !self.whole.is_sweep && self.past.len() < MOST {
                self.past.push(self.whole.new.len());
            }
            (self.beginnings, self.whole) = (Today::default(), Today::default());
            self.day = day;
        }
        if let Some((most, is_swept)) = self.found.get_mut(value) {
            *most = rows.max(*most);
            return *is_swept;
        }
        if self.found.len() >= MOST {
            return false;
        }
        let today = if is_prefix {
            &mut self.beginnings
        } else {
            &mut self.whole
        };
        today.new.push(value.to_owned());
        let was_sweep = today.is_sweep;
        self.found.insert(value.to_owned(), (rows, was_sweep));
        if was_sweep {
            return true;
        }
        let is_sweep = if is_prefix {
            self.sweeps_beginnings()
        } else {
            self.sweeps_values()
        };
        if is_sweep {
            let today = if is_prefix {
                &mut self.beginnings
            } else {
                &mut self.whole
            };
            today.is_sweep = true;
            for value in &today.new {
                if let Some((_, is_swept)) = self.found.get_mut(value) {
                    *is_swept = true;
                }
            }
        }
        is_sweep
    }

    /// Whether today's beginnings go through the alphabet: people search here and there.
    fn sweeps_beginnings(&self) -> bool {
        let new = &self.beginnings.new;
        // Looked at now and then: it is work.
        if new.len() < SWEEP || !new.len().is_multiple_of(SWEEP / 2) {
            return false;
        }
        let beside = |value: &&String| {
            let Some(last) = value.chars().next_back() else {
                return false;
            };
            let stem = value.get(..value.len() - last.len_utf8()).unwrap_or_default();
            let next = [u32::from(last).checked_add(1), u32::from(last).checked_sub(1)];
            next.into_iter()
                .flatten()
                .filter_map(char::from_u32)
                .any(|next| self.found.contains_key(&format!("{stem}{next}")))
        };
        let neighbours = new.iter().filter(beside).count();
        neighbours as f64 >= SWEEP_NEIGHBOURS * new.len() as f64
    }

    fn sweeps_values(&self) -> bool {
        let count = self.whole.new.len();
        if count < SWEEP_OF_VALUES || self.past.len() < KNOWN_DAYS || !count.is_multiple_of(50) {
            return false;
        }
        let mut past = self.past.clone();
        past.sort_unstable();
        let usual = past.get(past.len() / 2).copied().unwrap_or(0);
        count >= SWEEP_BEYOND * usual.max(1)
    }

    /// Rows of sweeps.
    pub(super) fn swept(&self) -> u64 {
        let swept = self.found.values().filter(|(_, is_swept)| *is_swept);
        swept.map(|(rows, _)| rows).sum()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (value, (rows, is_swept)) in &other.found {
            let own = self.found.entry(value.clone()).or_insert((0, false));
            *own = (own.0.max(*rows), own.1 || *is_swept);
        }
    }

    /// What the values that are no lookups come to: different values of one column are different records, and a
    /// beginning holds all longer ones.
    pub(super) fn share(&self, records: f64) -> f64 {
        let is_bulk = |(rows, is_swept): &(u64, bool)| *is_swept || *rows >= BULK_ROWS;
        let mut values: Vec<(&str, u64)> = self
            .found
            .iter()
            .filter(|(_, found)| is_bulk(found))
            .map(|(value, (rows, _))| (value.as_str(), *rows))
            .collect();
        values.sort_unstable();
        // What lies within a beginning counts once: as the whole, or as its parts where the answer was cut short.
        let mut sum = 0;
        let mut outer: Vec<(&str, u64, u64)> = Vec::new();
        let close = |outer: &mut Vec<(&str, u64, u64)>, sum: &mut u64| {
            if let Some((_, own, within)) = outer.pop() {
                let most = own.max(within);
                match outer.last_mut() {
                    Some((_, _, parts)) => *parts += most,
                    None => *sum += most,
                }
            }
        };
        for (value, rows) in values {
            while outer.last().is_some_and(|(begin, ..)| !value.starts_with(begin)) {
                close(&mut outer, &mut sum);
            }
            outer.push((value, rows, 0));
        }
        while !outer.is_empty() {
            close(&mut outer, &mut sum);
        }
        (sum as f64 / records).min(1.0)
    }
}
