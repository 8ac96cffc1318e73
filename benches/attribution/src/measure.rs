//! Figures of merit.

/// What a set of probabilities is worth.
pub(crate) struct Merit {
    pub(crate) count: usize,
    pub(crate) top_1: f64,
    pub(crate) top_3: f64,
    /// Mean reciprocal rank.
    pub(crate) mrr: f64,
    pub(crate) log_loss: f64,
    /// Expected calibration error of the first candidate's probability, ten bins.
    pub(crate) ece: f64,
    /// How often a probability of at least 0.95 was given, and how often that was right.
    pub(crate) almost_certain: (usize, usize),
}

impl Merit {
    /// Of probabilities with the place of the right candidate.
    pub(crate) fn of(answers: &[(Vec<f64>, usize)]) -> Self {
        let count = answers.len();
        let share = |number: f64| number / count.max(1) as f64;
        let mut merit = Self {
            count,
            top_1: 0.0,
            top_3: 0.0,
            mrr: 0.0,
            log_loss: 0.0,
            ece: 0.0,
            almost_certain: (0, 0),
        };
        let mut bins = [(0.0_f64, 0.0_f64); 10];
        for (probabilities, truth) in answers {
            let own = probabilities[*truth];
            let rank = 1 + probabilities.iter().filter(|other| **other > own).count();
            let top = probabilities.iter().copied().fold(0.0, f64::max);
            let is_right = rank == 1;
            merit.top_1 += share(f64::from(u8::from(is_right)));
            merit.top_3 += share(f64::from(u8::from(rank <= 3)));
            merit.mrr += share(1.0 / rank as f64);
            merit.log_loss -= share(own.max(1e-12).ln());
            let bin = &mut bins[((top * 10.0) as usize).min(9)];
            bin.0 += top;
            bin.1 += f64::from(u8::from(is_right));
            if top >= 0.95 {
                merit.almost_certain.0 += 1;
                merit.almost_certain.1 += usize::from(is_right);
            }
        }
        merit.ece = share(bins.iter().map(|(stated, right)| (stated - right).abs()).sum());
        merit
    }

    pub(crate) fn line(&self, what: &str) -> String {
        let (said, right) = self.almost_certain;
        format!(
            "{what:<44} n {:>3}  top-1 {:.3}  top-3 {:.3}  MRR {:.3}  log loss {:.3}  ECE {:.3}  ≥.95: {right}/{said}{}",
            self.count,
            self.top_1,
            self.top_3,
            self.mrr,
            self.log_loss,
            self.ece,
            if said == 0 {
                String::new()
            } else {
                format!(" = {:.3}", right as f64 / said as f64)
            }
        )
    }
}

/// The area under the receiver operating characteristic: the chance that a member of `high` scores above one of `low`.
pub(crate) fn auroc(high: &[f64], low: &[f64]) -> f64 {
    let mut sum = 0.0;
    for a in high {
        for b in low {
            sum += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    sum / (high.len() * low.len()).max(1) as f64
}
