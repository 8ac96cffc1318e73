//! Sums by hash.

/// Says of many things which of them may be large: for each at least its own sum, and that of all others with its cell (a
/// count-min sketch of one row, Cormode and Muthukrishnan 2005). 128 KiB whatever is added, so that it stays in the cache.
#[derive(Clone, Debug)]
pub struct Cells(Vec<u32>);

impl Cells {
    const COUNT: usize = 1 << 15;

    /// The cell of a hash, by its upper bits: multiplicative hashes mix these best.
    #[inline]
    pub const fn of(hash: u64) -> u16 {
        (hash >> (64 - Self::COUNT.trailing_zeros())) as u16
    }

    /// Adds to a cell; a sum that does not fit stays the largest.
    #[inline]
    pub fn add(&mut self, cell: u16, amount: u64) {
        if let Some(sum) = self.0.get_mut(usize::from(cell)) {
            *sum = sum.saturating_add(u32::try_from(amount).unwrap_or(u32::MAX));
        }
    }

    /// The sum of a cell.
    #[inline]
    pub fn sum(&self, cell: u16) -> u32 {
        self.0.get(usize::from(cell)).copied().unwrap_or_default()
    }

    /// The largest sum but `skipped`; 0 where there are no more cells.
    pub fn largest_after(&self, skipped: usize) -> u32 {
        let mut sums = self.0.clone();
        if skipped >= sums.len() {
            return 0;
        }
        *sums
            .select_nth_unstable_by_key(skipped, |sum| std::cmp::Reverse(*sum))
            .1
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self(vec![0; Self::COUNT])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_their_cell_and_never_run_over() {
        let mut cells = Cells::default();
        let (one, other) = (Cells::of(u64::MAX), Cells::of(1 << 49));
        assert_eq!((one, other), (32_767, 1));
        cells.add(one, 7);
        cells.add(one, u64::MAX);
        cells.add(other, 5);
        assert_eq!((cells.sum(one), cells.sum(other), cells.sum(2)), (u32::MAX, 5, 0));
        assert_eq!((cells.largest_after(0), cells.largest_after(1)), (u32::MAX, 5));
        assert_eq!((cells.largest_after(2), cells.largest_after(usize::MAX)), (0, 0));
        cells.clear();
        assert_eq!(cells.sum(one), 0);
    }
}
