//! A map of clients that never grows beyond its bound.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// How many entries are kept.
const MOST: usize = 65_536;

/// What is known of clients: of all while there are few, else of those whose digest ends in zeros. Which these are
/// does not depend on the order in which clients come, and nobody who does not know the salt can choose to be left out.
pub(super) struct Sampled<K, V> {
    /// By digests that are salted: nobody outside can make them fall together.
    entries: FxHashMap<K, V>,
    zeros: u32,
}

impl<K, V> Default for Sampled<K, V> {
    fn default() -> Self {
        Self {
            entries: FxHashMap::default(),
            zeros: 0,
        }
    }
}

/// Something about one client.
pub(super) trait OfClient: Copy + Eq + Hash {
    /// The salted digest of the client.
    fn digest(self) -> u32;
}

impl OfClient for u32 {
    fn digest(self) -> u32 {
        self
    }
}

/// A client in a stretch of time.
impl OfClient for (u32, i64) {
    fn digest(self) -> u32 {
        self.0
    }
}

impl<K: OfClient, V: Default> Sampled<K, V> {
    /// What is known of this client; `None` if it is not among those kept.
    pub(super) fn entry(&mut self, key: K) -> Option<&mut V> {
        if !self.keeps(key) {
            return None;
        }
        while self.entries.len() >= MOST && !self.entries.contains_key(&key) {
            self.zeros += 1;
            let zeros = self.zeros;
            self.entries.retain(|key, _| ends_in_zeros(*key, zeros));
            if !self.keeps(key) || self.zeros >= 31 {
                return None;
            }
        }
        Some(self.entries.entry(key).or_default())
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.entries.get(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    /// How many there are, kept or not: an estimate where not all are kept.
    pub(super) fn scale(&self, kept: usize) -> u64 {
        (kept as u64) << self.zeros
    }

    pub(super) fn len(&self) -> u64 {
        self.scale(self.entries.len())
    }

    fn keeps(&self, key: K) -> bool {
        ends_in_zeros(key, self.zeros)
    }
}

fn ends_in_zeros<K: OfClient>(key: K, zeros: u32) -> bool {
    key.digest().trailing_zeros() >= zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_clients_are_estimated_in_bounded_space_in_any_order() {
        let digest = |number: u32| number.wrapping_mul(0x9E37_79B1) ^ (number >> 7);
        let count = |order: &mut dyn Iterator<Item = u32>| {
            let mut sampled: Sampled<u32, u32> = Sampled::default();
            for number in order {
                if let Some(seen) = sampled.entry(digest(number)) {
                    *seen += 1;
                }
                assert!(sampled.entries.len() <= MOST);
            }
            let mut kept: Vec<u32> = sampled.iter().map(|(key, _)| key).collect();
            kept.sort_unstable();
            (sampled.len(), kept)
        };
        let forth = count(&mut (1..=1_000_000));
        assert!((900_000..1_100_000).contains(&forth.0), "{}", forth.0);
        assert_eq!(forth, count(&mut (1..=1_000_000).rev()));
    }
}
