//! The course of a flood, to be drawn.

use blackrod_model::Timestamp;
use blackrod_model::flood::{Filter, Plot};

use super::case::{Case, Extent};
use super::rates::BIN;

/// Seconds of the plot before and after a flood.
const MARGIN: i64 = 600;
/// Steps of a plot, at most.
const MOST_STEPS: i64 = 240;

/// All requests, what is usual, and what the filter leaves.
pub(super) fn plot(case: &Case<'_>, extent: &Extent, filter: Option<&Filter>) -> Plot {
    let candidate = case.candidate;
    let window = candidate.window;
    let (from, to) = (extent.start - MARGIN, extent.end + MARGIN);
    let step = ((to - from) / MOST_STEPS / BIN + 1) * BIN;
    let by_traits = filter.is_some_and(|filter| !filter.by.contains("addresses"));
    let mut plot = Plot {
        start: Timestamp::from_seconds(from),
        step_seconds: u32::try_from(step).unwrap_or(u32::MAX),
        ..Plot::default()
    };
    let Some(rates) = case.rates else {
        return plot;
    };
    let mut time = from;
    while time < to {
        let bins = (0..step / BIN).map(|bin| time + bin * BIN);
        let rate: u32 = bins.clone().map(|time| rates.bin(time)).sum();
        let stopped: f64 = bins
            .filter(|time| window.contains(*time))
            .map(|time| {
                let bin = ((time - window.start) / BIN) as usize;
                let of = |counts: &[u32]| f64::from(counts.get(bin).copied().unwrap_or_default());
                match filter {
                    None => 0.0,
                    Some(_) if by_traits => of(&candidate.stopped),
                    Some(filter) => of(&candidate.matched) * filter.stops,
                }
            })
            .sum();
        let usual = rates
            .usual(time)
            .map_or(0.0, |usual| usual.high / 60.0 * step as f64);
        plot.rate.push(rate);
        plot.usual.push(usual.round() as u32);
        plot.left.push(rate.saturating_sub(stopped.round() as u32));
        time += step;
    }
    plot
}
