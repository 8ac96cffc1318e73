//! What happened lately: how long ago, and what of it is forgotten.

use blackrod_model::Timestamp;
use rustc_hash::FxHashMap;

/// The most entries of a map that [`bound`] leaves alone.
const MOST: usize = 200_000;

/// Microseconds from `earlier` to `later`; 0 where either is unknown.
pub(super) fn since(earlier: Timestamp, later: Timestamp) -> i64 {
    match (earlier.micros(), later.micros()) {
        (Some(from), Some(to)) => to.saturating_sub(from),
        _ => 0,
    }
}

/// Forgets the older half of a map that grew too large.
pub(super) fn bound<K: std::hash::Hash + Eq, V>(map: &mut FxHashMap<K, V>, at: impl Fn(&V) -> Timestamp) {
    if map.len() < MOST {
        return;
    }
    let mut times: Vec<Timestamp> = map.values().map(&at).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    map.retain(|_, value| at(value) > median);
}
