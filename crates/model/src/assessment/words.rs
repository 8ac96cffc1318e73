//! Words for probabilities.

/// A scale of words for probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// The yardstick of the UK's Professional Head of Intelligence Assessment. It has gaps on purpose: a number in a gap is moved
    /// towards 50 %.
    #[default]
    Phia,
    /// The US Intelligence Community Directive 203.
    Icd203,
    /// STIX 2.1, appendix A: none, low, medium, high.
    Stix,
}

/// A probability as a scale has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likelihood {
    /// In whole percent, as it is shown: never 0 or 100.
    pub percent: u8,
    /// The scale's word.
    pub word: &'static str,
}

/// From, to (percent, both included) and word.
const PHIA: [(f64, f64, &str); 7] = [
    (0.0, 5.0, "a remote chance"),
    (10.0, 20.0, "highly unlikely"),
    (25.0, 35.0, "unlikely"),
    (40.0, 49.0, "a realistic possibility"),
    (55.0, 75.0, "likely"),
    (80.0, 90.0, "highly likely"),
    (95.0, 100.0, "almost certain"),
];

const ICD203: [(f64, &str); 7] = [
    (5.0, "almost no chance"),
    (20.0, "very unlikely"),
    (45.0, "unlikely"),
    (55.0, "a roughly even chance"),
    (80.0, "likely"),
    (95.0, "very likely"),
    (100.0, "almost certain"),
];

const STIX: [(f64, &str); 4] = [(0.5, "none"), (29.5, "low"), (69.5, "medium"), (100.0, "high")];

impl Likelihood {
    /// `probability` (0 to 1) on `scale`.
    pub fn of(probability: f64, scale: Scale) -> Self {
        // NaN becomes the middle: it says nothing.
        let percent = if probability.is_nan() {
            50.0
        } else {
            (probability * 100.0).clamp(1.0, 99.0)
        };
        match scale {
            Scale::Phia => Self::phia(percent),
            Scale::Icd203 => Self::stepped(percent, &ICD203),
            Scale::Stix => Self::stepped(percent, &STIX),
        }
    }

    /// "It is likely (60 %)", "There is a realistic possibility (45 %)".
    pub fn opening(self) -> String {
        let verb = if self.word.starts_with("a ") {
            "There is"
        } else {
            "It is"
        };
        format!("{verb} {} ({} %)", self.word, self.percent)
    }

    fn phia(percent: f64) -> Self {
        let rounded = percent.round();
        let band = PHIA.iter().find(|(from, to, _)| (*from..=*to).contains(&rounded));
        if let Some((.., word)) = band {
            return Self {
                percent: rounded as u8,
                word,
            };
        }
        // In a gap: to the edge of the band that is nearer to 50 %.
        let nearest = if rounded < 50.0 {
            PHIA.iter()
                .find(|(from, ..)| *from > rounded)
                .map(|(from, _, word)| (*from, *word))
        } else {
            PHIA.iter()
                .rev()
                .find(|(_, to, _)| *to < rounded)
                .map(|(_, to, word)| (*to, *word))
        };
        let (edge, word) = nearest.unwrap_or((49.0, "a realistic possibility"));
        Self {
            percent: edge as u8,
            word,
        }
    }

    fn stepped(percent: f64, steps: &[(f64, &'static str)]) -> Self {
        let step = steps.iter().find(|(to, _)| percent <= *to);
        Self {
            percent: percent.round() as u8,
            word: step.or(steps.last()).map_or("", |(_, word)| word),
        }
    }
}

/// How well founded a probability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One source, or large gaps.
    Low,
    /// Several sources that agree, with gaps.
    Moderate,
    /// Several independent good sources.
    High,
}

impl Confidence {
    /// `High`.
    pub const fn capitalised(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Moderate => "Moderate",
            Self::High => "High",
        }
    }

    /// As STIX 2.1 writes it: 15, 50 or 85.
    pub const fn stix(self) -> u8 {
        match self {
            Self::Low => 15,
            Self::Moderate => 50,
            Self::High => 85,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phia(percent: f64) -> (u8, &'static str) {
        let likelihood = Likelihood::of(percent / 100.0, Scale::Phia);
        (likelihood.percent, likelihood.word)
    }

    #[test]
    fn numbers_within_bands_keep_their_value_and_numbers_in_gaps_move_towards_the_middle() {
        for (percent, expected) in [
            (0.0, (1, "a remote chance")),
            (5.0, (5, "a remote chance")),
            (7.0, (10, "highly unlikely")),
            (22.0, (25, "unlikely")),
            (37.0, (40, "a realistic possibility")),
            (45.0, (45, "a realistic possibility")),
            (50.0, (49, "a realistic possibility")),
            (52.0, (49, "a realistic possibility")),
            (55.0, (55, "likely")),
            (78.0, (75, "likely")),
            (82.0, (82, "highly likely")),
            (93.0, (90, "highly likely")),
            (95.0, (95, "almost certain")),
            (100.0, (99, "almost certain")),
        ] {
            assert_eq!(phia(percent), expected, "{percent}");
        }
        assert_eq!(phia(f64::NAN).1, "a realistic possibility");
    }

    #[test]
    fn every_number_has_a_word_in_its_band() {
        for tenth in 0..=1_000 {
            let (percent, word) = phia(f64::from(tenth) / 10.0);
            let of_band = PHIA.iter().find(|(.., band)| *band == word);
            assert!(of_band.is_some_and(|(from, to, _)| (*from..=*to).contains(&f64::from(percent))));
        }
    }

    #[test]
    fn scales_disagree_on_one_number() {
        assert_eq!(Likelihood::of(0.82, Scale::Phia).word, "highly likely");
        assert_eq!(Likelihood::of(0.82, Scale::Icd203).word, "very likely");
        assert_eq!(Likelihood::of(0.82, Scale::Stix).word, "high");
    }
}
