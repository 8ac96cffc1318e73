//! Whether probabilities that were given came true as often as they said.

use blackrod_model::assessment::{Likelihood, Scale};

/// The words of one band with what became of the judgements that used them.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// The yardstick's word.
    pub word: &'static str,
    /// How many judgements used it.
    pub count: usize,
    /// The mean of their probabilities.
    pub stated: f64,
    /// The share of them that was so.
    pub observed: f64,
    /// The 95 % interval of that share (Wilson, 1927).
    pub interval: (f64, f64),
}

/// How good resolved judgements were.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How many were resolved.
    pub count: usize,
    /// Mean squared error (Brier, 1950): 0 is perfect, 0.25 is what always saying 50 % gets.
    pub brier: f64,
    /// Mean negative natural logarithm of what was given to what was so: 0 is perfect, 0.693 is what always saying 50 % gets.
    pub log_score: f64,
    /// Bands that were used, lowest first.
    pub bands: Vec<Band>,
}

/// Scores judgements: the probability given, and whether it was so. `None` without any.
pub fn calibration(resolved: &[(f64, bool)]) -> Option<Calibration> {
    if resolved.is_empty() {
        return None;
    }
    let count = resolved.len() as f64;
    let truth = |was_so: bool| f64::from(u8::from(was_so));
    let brier = resolved
        .iter()
        .map(|(p, so)| (p - truth(*so)).powi(2))
        .sum::<f64>()
        / count;
    let log = |(p, so): &(f64, bool)| -(if *so { *p } else { 1.0 - p }).max(1e-6).ln();
    let log_score = resolved.iter().map(log).sum::<f64>() / count;
    let mut bands: Vec<(f64, Band)> = Vec::new();
    for (probability, was_so) in resolved {
        let word = Likelihood::of(*probability, Scale::Phia).word;
        let place = match bands.iter().position(|(_, band)| band.word == word) {
            Some(place) => place,
            None => {
                let band = Band {
                    word,
                    count: 0,
                    stated: 0.0,
                    observed: 0.0,
                    interval: (0.0, 1.0),
                };
                bands.push((*probability, band));
                bands.len() - 1
            }
        };
        let band = &mut bands[place].1;
        band.count += 1;
        band.stated += probability;
        band.observed += truth(*was_so);
    }
    for (_, band) in &mut bands {
        band.stated /= band.count as f64;
        band.observed /= band.count as f64;
        band.interval = wilson(band.observed, band.count);
    }
    bands.sort_by(|a, b| a.1.stated.total_cmp(&b.1.stated));
    Some(Calibration {
        count: resolved.len(),
        brier,
        log_score,
        bands: bands.into_iter().map(|(_, band)| band).collect(),
    })
}

fn wilson(share: f64, count: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    let n = count as f64;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn scores_are_those_of_the_books() {
        let scored = calibration(&[(0.9, true), (0.9, true), (0.9, false), (0.3, false)]).unwrap();
        assert!((scored.brier - (0.01 + 0.01 + 0.81 + 0.09) / 4.0).abs() < 1e-12);
        assert_eq!(scored.bands.len(), 2);
        assert_eq!(
            (scored.bands[1].word, scored.bands[1].count),
            ("highly likely", 3)
        );
        // 33 of 45: the interval in the research notes.
        let (low, high) = wilson(33.0 / 45.0, 45);
        assert!((low - 0.59).abs() < 0.01 && (high - 0.84).abs() < 0.01);
        assert!(calibration(&[]).is_none());
    }
}
