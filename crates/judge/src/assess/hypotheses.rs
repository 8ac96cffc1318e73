//! Who it may have been, and how likely each is before anything is seen.

use std::collections::BTreeMap;

use crate::actors::{Actors, Day, Tempering};

/// How the belief is shared out before anything is seen. Judgements, not measurements, but for what is noted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priors {
    /// An actor of some state that no profile is of; shared out by how often groups of each state are reported.
    pub unknown_aligned: f64,
    /// Some other unknown actor. Together with the unknown ones of states at least one half: 28 of the 52 campaigns of ATT&CK
    /// v18.1 are attributed to nobody.
    pub unknown_other: f64,
    /// Ordinary crime, or no attack at all: bulk senders use tracking images too.
    pub crime: f64,
    /// For each group, how likely somebody posing as it is, as a share of the group's own prior. It bounds what forgeable evidence
    /// can say: 1 / (1 + share).
    pub false_flag: f64,
}

impl Default for Priors {
    fn default() -> Self {
        Self {
            unknown_aligned: 0.22,
            unknown_other: 0.30,
            crime: 0.18,
            false_flag: 0.12,
        }
    }
}

/// A hypothesis.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The group with this index among the actors.
    Group(usize),
    /// An unknown actor of the state with these two letters.
    Aligned(String),
    /// An unknown actor.
    Unknown,
    /// Crime, or nothing hostile.
    Crime,
    /// Somebody else posing as the group with this index.
    FalseFlag(usize),
}

/// All hypotheses with their priors, which sum to 1.
#[derive(Clone, Debug)]
pub(crate) struct Hypotheses {
    pub(crate) all: Vec<(Who, f64)>,
    /// The indices of each state's actors.
    pub(crate) of_state: BTreeMap<String, Vec<usize>>,
    /// The indices of actors that are out for money.
    pub(crate) criminal: Vec<usize>,
}

impl Hypotheses {
    pub(crate) fn new(actors: &Actors, priors: &Priors, day: Option<Day>) -> Self {
        let knowledge = actors.knowledge();
        let count = actors.actors.len();
        let weights: Vec<f64> = (0..count)
            .map(|at| knowledge.ln_prior(at, day, &Tempering::FITTED).exp())
            .collect();
        let all_weight: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut of_state: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut criminal = Vec::new();
        for (at, actor) in actors.actors.iter().enumerate() {
            if let Some(state) = actor.state() {
                of_state.entry(state.to_owned()).or_default().push(at);
            }
            if actor.is_criminal() {
                criminal.push(at);
            }
        }
        let known = 1.0 - priors.unknown_aligned - priors.unknown_other - priors.crime;
        let own_share = 1.0 / (1.0 + priors.false_flag);
        let mut all = vec![(Who::Unknown, priors.unknown_other), (Who::Crime, priors.crime)];
        for (at, weight) in weights.iter().enumerate() {
            let share = known * weight / all_weight;
            all.push((Who::Group(at), share * own_share));
            all.push((Who::FalseFlag(at), share * (1.0 - own_share)));
        }
        let state_weight =
            |members: &Vec<usize>| members.iter().filter_map(|at| weights.get(*at)).sum::<f64>();
        let aligned: f64 = of_state
            .values()
            .map(state_weight)
            .sum::<f64>()
            .max(f64::MIN_POSITIVE);
        for (state, members) in &of_state {
            let share = priors.unknown_aligned * state_weight(members) / aligned;
            all.push((Who::Aligned(state.clone()), share));
        }
        Self {
            all,
            of_state,
            criminal,
        }
    }

    /// Adds up the probabilities of those that mean the state.
    pub(crate) fn of_state(&self, actors: &Actors, posterior: &[f64], state: &str) -> f64 {
        let is_of_state = |who: &Who| match who {
            Who::Group(at) => actors.actors.get(*at).and_then(|actor| actor.state()) == Some(state),
            Who::Aligned(of) => of == state,
            _ => false,
        };
        let both = self.all.iter().zip(posterior);
        both.filter(|((who, _), _)| is_of_state(who))
            .map(|(_, probability)| probability)
            .sum()
    }

    /// The state with the highest probability.
    pub(crate) fn leading_state(&self, actors: &Actors, posterior: &[f64]) -> Option<(String, f64)> {
        self.of_state
            .keys()
            .map(|state| (state.clone(), self.of_state(actors, posterior, state)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
    }

    /// The group with the highest probability: its index and that.
    pub(crate) fn leading_group(&self, posterior: &[f64]) -> Option<(usize, f64)> {
        let groups = self
            .all
            .iter()
            .zip(posterior)
            .filter_map(|((who, _), probability)| match who {
                Who::Group(at) => Some((*at, *probability)),
                _ => None,
            });
        groups.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    /// The probability that no known group did it: an unknown actor of any kind, or crime.
    pub(crate) fn unknown(&self, posterior: &[f64]) -> f64 {
        let is_unknown = |who: &Who| matches!(who, Who::Aligned(_) | Who::Unknown | Who::Crime);
        let both = self.all.iter().zip(posterior);
        both.filter(|((who, _), _)| is_unknown(who))
            .map(|(_, probability)| probability)
            .sum()
    }
}
