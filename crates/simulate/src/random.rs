//! Random numbers that follow from a seed and a place.

/// A generator of its own for each thing that is drawn, so that drawing more for one thing leaves all others
/// as they are.
pub(crate) type Random = fastrand::Rng;

/// The generator of what `parts` name in the run of `seed`.
pub(crate) fn random(seed: u64, parts: &[u64]) -> Random {
    Random::with_seed(mix(seed, parts))
}

/// A number that follows from `seed` and `parts` and looks like no other.
pub(crate) fn mix(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(finish(seed), |state, part| {
        finish(state ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    })
}

/// What is drawn more than once.
pub(crate) trait Draw {
    /// One of `items`, which must not be empty.
    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T;
    /// One of these texts.
    fn word<'t>(&mut self, texts: &[&'t str]) -> &'t str;
    /// Whether something of this probability happens.
    fn chance(&mut self, probability: f64) -> bool;
    /// A number between the two whose logarithm is evenly spread.
    fn log_uniform(&mut self, low: f64, high: f64) -> f64;
    /// So many different numbers below `end`.
    fn sample(&mut self, end: usize, count: usize) -> Vec<usize>;
    /// A whole number around `mean`: its whole part, and one more as often as its fraction says.
    fn round(&mut self, mean: f64) -> usize;
}

impl Draw for Random {
    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.usize(..items.len())]
    }

    fn word<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.usize(..texts.len())]
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.f64() < probability
    }

    fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + self.f64() * (high.ln() - low.ln())).exp()
    }

    fn sample(&mut self, end: usize, count: usize) -> Vec<usize> {
        let count = count.min(end);
        if count * 3 > end {
            let mut all: Vec<usize> = (0..end).collect();
            self.shuffle(&mut all);
            all.truncate(count);
            return all;
        }
        let mut drawn: Vec<usize> = Vec::with_capacity(count);
        while drawn.len() < count {
            let next = self.usize(..end);
            if !drawn.contains(&next) {
                drawn.push(next);
            }
        }
        drawn
    }

    fn round(&mut self, mean: f64) -> usize {
        let whole = mean.max(0.0).floor();
        whole as usize + usize::from(self.chance(mean.max(0.0) - whole))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn finish(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
