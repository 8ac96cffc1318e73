//! A conditional logit (McFadden, 1974): weights under which the true group is likeliest among the candidates.

use std::collections::BTreeSet;

use blackrod_judge::actors::{FeatureKind, Knowledge, Tempering};

use crate::incidents::Incident;

/// Sums of log ratios by kind, and the three terms of the prior.
pub(crate) const TERMS: usize = 6;

/// The terms of all candidates of one incident.
pub(crate) struct Choice {
    /// The group behind it.
    pub(crate) group: String,
    /// The reports that tell of the incident.
    pub(crate) reports: BTreeSet<String>,
    /// By candidate.
    pub(crate) terms: Vec<[f64; TERMS]>,
    /// Which candidate is right; `None` where it is not among them or too little is known of it.
    pub(crate) truth: Option<usize>,
    /// The names of the candidates.
    pub(crate) names: Vec<String>,
}

impl Choice {
    pub(crate) fn new(incident: &Incident, common: [f64; 3]) -> Self {
        let knowledge: Knowledge = incident.knowledge(common);
        let terms = (0..incident.profiles.len())
            .map(|actor| {
                let mut terms = [0.0; TERMS];
                for (feature, kind) in &incident.features {
                    terms[kind.index()] += knowledge.ln_ratio(actor, feature, *kind);
                }
                terms[3..].copy_from_slice(&knowledge.prior_terms(actor, incident.day));
                terms
            })
            .collect();
        Self {
            group: incident.group.clone(),
            reports: incident.reports.clone(),
            terms,
            truth: incident.truth.filter(|_| incident.is_known),
            names: incident.profiles.iter().map(|known| known.id.clone()).collect(),
        }
    }

    /// The candidates' probabilities, which sum to 1.
    pub(crate) fn probabilities(&self, weights: &[f64; TERMS]) -> Vec<f64> {
        let scores: Vec<f64> = self.terms.iter().map(|terms| dot(terms, weights)).collect();
        softmax(&scores)
    }
}

pub(crate) fn dot(terms: &[f64; TERMS], weights: &[f64; TERMS]) -> f64 {
    terms
        .iter()
        .zip(weights)
        .map(|(term, weight)| term * weight)
        .sum()
}

pub(crate) fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|one| one / sum).collect()
}

/// Weights, with what they come to on what they were fitted to.
pub(crate) struct Fitted {
    pub(crate) weights: [f64; TERMS],
    pub(crate) log_loss: f64,
    /// Mean reciprocal rank.
    pub(crate) mrr: f64,
}

/// The weights with the least log loss on `choices`, by Newton's method with a little shrinkage.
pub(crate) fn fit(choices: &[&Choice]) -> Fitted {
    const SHRINK: f64 = 0.02;
    let known: Vec<(&Choice, usize)> = choices
        .iter()
        .filter_map(|choice| Some((*choice, choice.truth?)))
        .collect();
    let count = known.len().max(1) as f64;
    let mut weights = [0.1; TERMS];
    for _ in 0..25 {
        let mut gradient = [0.0; TERMS];
        let mut hessian = [[0.0; TERMS]; TERMS];
        for (choice, truth) in &known {
            let probabilities = choice.probabilities(&weights);
            let mut mean = [0.0; TERMS];
            for (probability, terms) in probabilities.iter().zip(&choice.terms) {
                for (mean, term) in mean.iter_mut().zip(terms) {
                    *mean += probability * term;
                }
            }
            for (probability, terms) in probabilities.iter().zip(&choice.terms) {
                for i in 0..TERMS {
                    for j in 0..TERMS {
                        hessian[i][j] += probability * (terms[i] - mean[i]) * (terms[j] - mean[j]) / count;
                    }
                }
            }
            for i in 0..TERMS {
                gradient[i] += (mean[i] - choice.terms[*truth][i]) / count;
            }
        }
        for i in 0..TERMS {
            gradient[i] += SHRINK * weights[i];
            hessian[i][i] += SHRINK;
        }
        let step = solve(hessian, gradient);
        let size: f64 = step.iter().map(|one| one.abs()).sum();
        // A step is at most 1 long: far from the solution Newton's overshoots.
        let scale = if size > 1.0 { 1.0 / size } else { 1.0 };
        for i in 0..TERMS {
            weights[i] -= scale * step[i];
        }
        if size < 1e-9 {
            break;
        }
    }
    let mut fitted = Fitted {
        weights,
        log_loss: 0.0,
        mrr: 0.0,
    };
    for (choice, truth) in &known {
        let probabilities = choice.probabilities(&weights);
        let own = probabilities[*truth];
        let rank = 1 + probabilities.iter().filter(|other| **other > own).count();
        fitted.log_loss -= own.max(1e-12).ln() / count;
        fitted.mrr += 1.0 / rank as f64 / count;
    }
    fitted
}

/// Weights as the product has them.
pub(crate) fn weights_of(tempering: &Tempering) -> [f64; TERMS] {
    let [technique, tool, malware] = tempering.exponents;
    let _: [FeatureKind; 3] = FeatureKind::ALL;
    [
        technique,
        tool,
        malware,
        tempering.reports,
        tempering.age,
        tempering.size,
    ]
}

/// Gauss's elimination with pivoting.
fn solve(mut matrix: [[f64; TERMS]; TERMS], mut right: [f64; TERMS]) -> [f64; TERMS] {
    for column in 0..TERMS {
        let pivot = (column..TERMS)
            .max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..TERMS {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column];
            for (value, pivot) in matrix[row].iter_mut().zip(above).skip(column) {
                *value -= factor * pivot;
            }
            right[row] -= factor * right[column];
        }
    }
    let mut solution = [0.0; TERMS];
    for row in (0..TERMS).rev() {
        let known: f64 = (row + 1..TERMS).map(|at| matrix[row][at] * solution[at]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution
}
