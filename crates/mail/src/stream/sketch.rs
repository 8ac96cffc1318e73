//! Small counters of distinct things, with their errors.

/// Counts distinct things up to a few hundred in 64 bits: linear counting (Whang et al., 1990). The standard
/// error is about 10 % at 30 things and 14 % at 150; above 240 it says "many".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Few(u64);

impl Few {
    /// What [`Few::count`] says at most.
    pub const MANY: f32 = 266.0;

    /// Counts `hash` if it is not counted yet. Whether it (or one that collides with it) was.
    pub fn insert(&mut self, hash: u64) -> bool {
        let bit = bit(hash);
        let was_there = self.0 & bit != 0;
        self.0 |= bit;
        was_there
    }

    /// Whether `hash` may have been counted; never false for one that was.
    pub fn may_contain(self, hash: u64) -> bool {
        self.0 & bit(hash) != 0
    }

    /// How many distinct things were counted, about.
    pub fn count(self) -> f32 {
        match self.0.count_zeros() {
            0 => Self::MANY,
            zeros => 64.0 * (64.0 / zeros as f32).ln(),
        }
    }
}

/// A bit of 64 that depends on all of `hash`.
const fn bit(hash: u64) -> u64 {
    1 << (mix(hash) >> 58)
}

/// Spreads a hash (the finaliser of splitmix64, Steele et al., 2014).
pub(super) const fn mix(hash: u64) -> u64 {
    let a = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

/// In how many distinct senders' mail a feature occurs: a table of [`Few`], each feature in two of
/// its cells (as count-min sketches do, Cormode and Muthukrishnan, 2005), of which the common bits count. It only
/// ever errs towards "more common", so that an error ties nothing.
///
/// Two generations of [`Frequency::GENERATION`] each are kept, so that what was common a season ago is forgotten.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Frequency {
    now: Vec<u64>,
    before: Vec<u64>,
    began: i64,
}

impl Frequency {
    /// How long a generation lasts, in seconds.
    pub const GENERATION: i64 = 45 * 86_400;
    /// Cells of a generation. Memory is touched only as it fills.
    const CELLS: usize = 1 << 22;
    /// Cells that share a cache line: both of a feature's lie in one.
    const BLOCK: usize = 8;

    /// Counts nothing yet.
    pub fn new() -> Self {
        Self {
            now: vec![0; Self::CELLS],
            before: Vec::new(),
            began: i64::MIN,
        }
    }

    /// Counts that `sender` used `feature` at `time` (seconds), and says in how many senders' mail it is now.
    pub fn note(&mut self, feature: u64, sender: u64, time: i64) -> f32 {
        self.turn(time);
        let bit = bit(sender);
        let mut common = u64::MAX;
        for cell in cells(feature) {
            let before = self.before.get(cell).copied().unwrap_or_default();
            let Some(bits) = self.now.get_mut(cell) else {
                continue;
            };
            *bits |= bit;
            common &= *bits | before;
        }
        Few(common).count()
    }

    /// In how many senders' mail `feature` is.
    pub fn of(&self, feature: u64) -> f32 {
        let bits = |cells: &[u64], cell: usize| cells.get(cell).copied().unwrap_or_default();
        let common = cells(feature).into_iter().fold(u64::MAX, |common, cell| {
            common & (bits(&self.now, cell) | bits(&self.before, cell))
        });
        Few(common).count()
    }

    fn turn(&mut self, time: i64) {
        if self.began == i64::MIN {
            self.began = time;
        }
        if time.saturating_sub(self.began) > Self::GENERATION {
            self.before = std::mem::replace(&mut self.now, vec![0; Self::CELLS]);
            self.began = time;
        }
    }
}

impl Default for Frequency {
    fn default() -> Self {
        Self::new()
    }
}

/// The two cells of a feature.
fn cells(feature: u64) -> [usize; 2] {
    let spread = mix(feature);
    let block = (spread as usize & (Frequency::CELLS - 1)) & !(Frequency::BLOCK - 1);
    let first = (spread >> 40) as usize % Frequency::BLOCK;
    let second = (first + 1 + (spread >> 48) as usize % (Frequency::BLOCK - 1)) % Frequency::BLOCK;
    [block + first, block + second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use blackrod_model::mail::hash;

    #[test]
    fn few_counts_about_right() {
        let mut few = Few::default();
        assert_eq!(few.count(), 0.0);
        for number in 0..30 {
            few.insert(hash(&format!("person {number}")));
        }
        assert!((20.0..40.0).contains(&few.count()), "{}", few.count());
        assert!(few.may_contain(hash("person 7")));
    }

    #[test]
    fn a_feature_is_as_common_as_its_senders() {
        let mut frequency = Frequency::new();
        for number in 0..100_u64 {
            frequency.note(hash("common"), hash(&format!("sender {number}")), 0);
            frequency.note(
                hash(&format!("own {number}")),
                hash(&format!("sender {number}")),
                0,
            );
        }
        assert!(frequency.note(hash("common"), hash("sender 1"), 0) > 60.0);
        assert!(frequency.note(hash("own 5"), hash("sender 5"), 0) < 3.0);
    }

    #[test]
    fn what_was_common_long_ago_is_forgotten() {
        let mut frequency = Frequency::new();
        for number in 0..50 {
            frequency.note(hash("old"), number, 0);
        }
        let later = 3 * Frequency::GENERATION;
        assert!(frequency.note(hash("old"), 1, later) > 20.0);
        frequency.note(hash("other"), 1, 2 * later);
        assert!(frequency.note(hash("old"), 1, 2 * later + 1) < 3.0);
    }
}
