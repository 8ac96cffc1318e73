//! How rare an entity is in the case.

/// Places without findings that every case is taken to have besides those that have some: without
/// them, whatever the first few findings share would look common.
const UNSEEN_PLACES: f64 = 1_000.0;

/// The logarithm of how rare an entity is that `places` of all `all_places` with findings share.
pub(crate) fn inverse_frequency(places: usize, all_places: usize) -> f64 {
    ((all_places as f64 + UNSEEN_PLACES) / places.max(1) as f64).ln()
}

/// The same between 0 (everywhere) and 1 (in one place), whatever the size of the case: so that
/// unrelated findings hardly change what ties others.
pub(crate) fn rarity(places: usize, all_places: usize) -> f64 {
    let rarest = inverse_frequency(1, all_places);
    inverse_frequency(places, all_places) / rarest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarity_falls_with_spread_and_not_with_the_size_of_the_case() {
        assert_eq!(rarity(1, 1), 1.0);
        assert_eq!(rarity(1, 100_000), 1.0);
        assert!(rarity(10, 10) > rarity(100, 100));
        assert!(rarity(100_000, 100_000) < 0.01);
        assert!((rarity(3, 10) - rarity(3, 100)).abs() < 0.01);
    }
}
