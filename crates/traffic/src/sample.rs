//! Samples of senders in bounded memory.

use std::hash::Hasher as _;
use std::net::IpAddr;

use siphasher::sip::SipHasher13;

/// So many senders are kept: their number is then known within about 9 %.
pub(crate) const SAMPLE: usize = 128;

/// So many of the loudest are counted.
const LOUDEST: usize = 8;

/// The place of a sender in the order of sampling. It is salted, so that nobody can choose addresses that are kept or
/// passed over (see arXiv 2503.11777).
#[inline]
pub(crate) fn place(salt: u64, address: IpAddr) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(salt, !salt);
    match address {
        IpAddr::V4(v4) => hasher.write_u32(v4.to_bits()),
        IpAddr::V6(v6) => hasher.write_u128(v6.to_bits()),
    }
    hasher.finish()
}

/// The senders that come first in the order of a salted hash: a sample of all different ones, each as likely as
/// any other, which also tells how many there are (Bar-Yossef et al., RANDOM 2002: k minimum values).
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// In the order of places.
    kept: Vec<(u64, IpAddr)>,
    /// The largest of the kept places, once it is full.
    limit: Option<u64>,
}

impl Sample {
    pub(crate) fn of(kept: &[(u64, IpAddr)]) -> Self {
        let mut sample = Self::default();
        for (place, address) in kept {
            sample.add(*place, *address);
        }
        sample
    }

    #[inline]
    pub(crate) fn add(&mut self, place: u64, address: IpAddr) {
        if self.limit.is_some_and(|limit| place >= limit) {
            return;
        }
        self.insert(place, address);
    }

    fn insert(&mut self, place: u64, address: IpAddr) {
        if let Err(at) = self.kept.binary_search_by_key(&place, |(place, _)| *place) {
            self.kept.truncate(SAMPLE - 1);
            self.kept.insert(at, (place, address));
        }
        if self.kept.len() >= SAMPLE {
            self.limit = self.kept.last().map(|(place, _)| *place);
        }
    }

    /// The same whatever the order of adding.
    pub(crate) fn into_kept(self) -> Vec<(u64, IpAddr)> {
        self.kept
    }

    /// About how many different senders there were.
    pub(crate) fn count(&self) -> u64 {
        let Some(limit) = self.limit else {
            return self.kept.len() as u64;
        };
        let share = (limit as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE);
        ((SAMPLE - 1) as f64 / share).round() as u64
    }
}

/// Counts of what occurs most, in a few places (Metwally et al., ICDT 2005: space-saving). Counts may be too high by
/// at most that of the place that was taken over.
#[derive(Clone, Debug)]
pub(crate) struct Loudest<T> {
    counts: Vec<(T, u64)>,
}

impl<T> Default for Loudest<T> {
    fn default() -> Self {
        Self { counts: Vec::new() }
    }
}

impl<T: Copy + PartialEq + Ord> Loudest<T> {
    #[inline]
    pub(crate) fn add(&mut self, what: T, count: u64) {
        if let Some(known) = self.counts.iter_mut().find(|(known, _)| *known == what) {
            known.1 = known.1.saturating_add(count);
            return;
        }
        if self.counts.len() < LOUDEST {
            self.counts.push((what, count));
            return;
        }
        if let Some(quietest) = self.counts.iter_mut().min_by_key(|(_, count)| *count) {
            *quietest = (what, quietest.1.saturating_add(count));
        }
    }

    /// The loudest first.
    pub(crate) fn into_sorted(mut self) -> Vec<(T, u64)> {
        self.counts
            .sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_knows_how_many_there_were() {
        for senders in [5_u32, 100, 5_000, 200_000] {
            let mut sample = Sample::default();
            for number in 0..senders * 2 {
                let address = IpAddr::from(std::net::Ipv4Addr::from_bits(number % senders));
                sample.add(place(7, address), address);
            }
            let told = sample.count() as f64 / f64::from(senders);
            assert!((0.7..1.3).contains(&told), "{senders}: {told}");
        }
    }

    #[test]
    fn the_loudest_are_found_among_many() {
        let mut loudest = Loudest::default();
        for number in 0..10_000_u32 {
            loudest.add(number % 997 + 10, 1);
            loudest.add(3, 1);
            if number % 2 == 0 {
                loudest.add(4, 1);
            }
        }
        let sorted = loudest.into_sorted();
        let first: Vec<u32> = sorted.iter().take(2).map(|(what, _)| *what).collect();
        assert_eq!(first, [3, 4]);
    }
}
