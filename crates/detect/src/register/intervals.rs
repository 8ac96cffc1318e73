//! Stretches of whole numbers, joined.

/// So many stretches are kept; beyond, the smallest gaps between them are closed, which counts too much rather
/// than too little.
const MOST: usize = 100_000;

/// A set of whole numbers as stretches `[from, to)`.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    parts: Vec<(u64, u64)>,
    /// How many of `parts` were there when they were last joined.
    joined: usize,
    /// Gaps were closed that nothing covers.
    pub(super) is_coarse: bool,
}

impl Intervals {
    pub(super) fn add(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        if let Some(last) = self.parts.last_mut()
            && from <= last.1
            && from >= last.0
        {
            last.1 = last.1.max(to);
            return;
        }
        self.parts.push((from, to));
        if self.parts.len() > 2 * self.joined.max(2_048) {
            self.join();
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (from, to) in &other.parts {
            self.add(*from, *to);
        }
        self.is_coarse |= other.is_coarse;
    }

    /// The stretches at least as long as `shortest`, in order.
    pub(super) fn stretches(&mut self, shortest: u64) -> impl Iterator<Item = (u64, u64)> {
        self.join();
        self.parts
            .iter()
            .copied()
            .filter(move |(from, to)| to - from >= shortest)
    }

    /// How many numbers lie in stretches at least as long as `shortest`.
    pub(super) fn length(&mut self, shortest: u64) -> u64 {
        self.stretches(shortest).map(|(from, to)| to - from).sum()
    }

    fn join(&mut self) {
        self.parts.sort_unstable();
        let mut gap = 0;
        loop {
            close(&mut self.parts, gap);
            if self.parts.len() <= MOST {
                break;
            }
            gap = gap * 2 + 1;
            self.is_coarse = true;
        }
        self.joined = self.parts.len();
    }
}

/// Joins sorted stretches with at most `gap` numbers between them.
fn close(parts: &mut Vec<(u64, u64)>, gap: u64) {
    let mut kept: usize = 0;
    for index in 0..parts.len() {
        let Some(&(from, to)) = parts.get(index) else {
            break;
        };
        let before = kept.checked_sub(1).and_then(|last| parts.get_mut(last));
        match before {
            Some(last) if from <= last.1.saturating_add(gap) => last.1 = last.1.max(to),
            _ => {
                if let Some(slot) = parts.get_mut(kept) {
                    *slot = (from, to);
                }
                kept += 1;
            }
        }
    }
    parts.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_count_once_and_short_stretches_can_be_left_out() {
        let mut set = Intervals::default();
        for (from, to) in [
            (10, 20),
            (15, 30),
            (40, 41),
            (30, 35),
            (5, 5),
            (100, 101),
            (101, 102),
        ] {
            set.add(from, to);
        }
        assert_eq!(set.length(1), 25 + 1 + 2);
        assert_eq!(set.length(2), 27);
        assert_eq!(set.stretches(10).collect::<Vec<_>>(), [(10, 35)]);
    }

    #[test]
    fn points_in_any_order_make_a_stretch_and_memory_is_bounded() {
        let mut set = Intervals::default();
        for step in 0..50_000_u64 {
            let point = (step * 7_919) % 50_000;
            set.add(point, point + 1);
        }
        assert_eq!(set.length(50_000), 50_000);
        let mut sparse = Intervals::default();
        for step in 0..300_000_u64 {
            sparse.add(step * 10, step * 10 + 1);
        }
        assert!(sparse.length(1) >= 300_000 && sparse.is_coarse);
        assert!(sparse.parts.len() <= 2 * MOST + 1);
    }
}
