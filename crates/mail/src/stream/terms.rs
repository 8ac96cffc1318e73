//! What a score is made of.

use blackrod_model::mail::Term;

/// A sum, and its summands where somebody will read them.
pub(super) struct Terms {
    score: f64,
    terms: Option<Vec<Term>>,
}

impl Terms {
    /// Nothing yet; `in_words`: whether the summands will be read.
    pub(super) fn new(in_words: bool) -> Self {
        Self {
            score: 0.0,
            terms: in_words.then(Vec::new),
        }
    }

    pub(super) fn add(&mut self, code: &str, weight: f64, words: impl FnOnce() -> String, innocent: &str) {
        self.score += weight;
        let Some(terms) = self.terms.as_mut().filter(|_| weight.abs() >= 0.05) else {
            return;
        };
        terms.push(Term {
            code: format!("campaign/{code}"),
            weight: (weight * 100.0).round() / 100.0,
            words: words(),
            innocent: innocent.to_owned(),
        });
    }

    /// The sum, and its summands, those that weigh most first.
    pub(super) fn finish(self) -> (f64, Vec<Term>) {
        let mut terms = self.terms.unwrap_or_default();
        terms.sort_by(|a, b| {
            b.weight
                .abs()
                .total_cmp(&a.weight.abs())
                .then_with(|| a.code.cmp(&b.code))
        });
        (self.score, terms)
    }
}
