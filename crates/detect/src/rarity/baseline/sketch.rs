//! Counts of the rare, in a fixed amount of memory.

use super::{FADE, WEEKS, mix};

/// A count-min sketch for each of the last eight weeks.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Sketch {
    weeks: std::collections::BTreeMap<u16, Vec<u16>>,
}

const ROWS: usize = 4;
const COLUMNS: usize = 1 << 17;

impl Sketch {
    pub(super) fn is_empty(&self) -> bool {
        self.weeks.is_empty()
    }

    pub(super) fn add(&mut self, key: u64, week: u16, count: u16) {
        let counts = self.weeks.entry(week).or_insert_with(|| vec![0; ROWS * COLUMNS]);
        for place in places(key) {
            if let Some(own) = counts.get_mut(place) {
                *own = own.saturating_add(count);
            }
        }
        self.forget();
    }

    pub(super) fn faded(&self, key: u64, now: u16) -> f32 {
        let mut sum = 0.0;
        for (week, counts) in &self.weeks {
            let least = places(key)
                .filter_map(|place| counts.get(place))
                .min()
                .copied()
                .unwrap_or(0);
            let age = usize::from(now.saturating_sub(*week));
            sum += FADE.get(age).copied().unwrap_or(0.0) * f32::from(least);
        }
        sum
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (week, theirs) in &other.weeks {
            let ours = self.weeks.entry(*week).or_insert_with(|| vec![0; ROWS * COLUMNS]);
            for (own, count) in ours.iter_mut().zip(theirs) {
                *own = own.saturating_add(*count);
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        while self.weeks.len() > WEEKS {
            self.weeks.pop_first();
        }
    }
}

fn places(key: u64) -> impl Iterator<Item = usize> {
    (0..ROWS).map(move |row| row * COLUMNS + (mix(key, row as u64) as usize % COLUMNS))
}
