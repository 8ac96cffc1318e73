//! From evidence items to probabilities.

use std::collections::BTreeMap;
use std::sync::RwLock;

use blackrod_model::assessment::EvidenceClass;
use rustc_hash::FxHashMap;

use super::hypotheses::{Hypotheses, Who};
use crate::actors::{Actors, FeatureKind, Tempering};

/// What an item says of hypotheses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Support {
    /// A technique or software was used.
    Feature(String, FeatureKind),
    /// So much likelier (natural logarithm) if the state with these letters is behind it.
    State(String, f64),
    /// So much likelier if the actor with this id is behind it; a third of that for unknown ones of its state.
    Actor(String, f64),
}

/// One item, without the words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) id: String,
    pub(crate) class: EvidenceClass,
    pub(crate) forgeable: bool,
    /// By hypothesis: natural logarithm of the ratio, tempered and shrunk by the item's grade.
    pub(crate) ln_ratios: Vec<f64>,
}

/// The most that a class of evidence can say about one hypothesis: a power of ten either way. From the accuracy that each class has
/// had (`research`: techniques alone were right in 73 % of the cases where they said 55 % or more); judgements where nothing is measured.
pub(crate) const fn cap(class: EvidenceClass) -> f64 {
    let power = match class {
        EvidenceClass::Technique | EvidenceClass::Tool => 1.0,
        EvidenceClass::TimingLanguage => 0.3,
        EvidenceClass::Victimology | EvidenceClass::Malware => 2.0,
        EvidenceClass::Infrastructure => 1.5,
        EvidenceClass::NonPublic => 3.0,
    };
    power * std::f64::consts::LN_10
}

/// The ratios of features, kept: the same techniques come in campaign after campaign.
#[derive(Debug, Default)]
pub(crate) struct Ratios {
    of_features: RwLock<FxHashMap<String, Vec<f64>>>,
}

impl Ratios {
    /// The logarithms of the ratios of `support`, by hypothesis; `reliability` between 0 and 1 is the share of it that is believed.
    pub(crate) fn of(
        &self,
        support: &Support,
        reliability: f64,
        hypotheses: &Hypotheses,
        actors: &Actors,
    ) -> Vec<f64> {
        let shrunk = |ln: f64| (reliability * ln.exp() + 1.0 - reliability).ln();
        let plain: Vec<f64> = match support {
            Support::Feature(id, kind) => self.of_feature(id, *kind, hypotheses, actors),
            Support::State(state, ln) => of_each(hypotheses, |who| match who {
                Who::Group(at) | Who::FalseFlag(at) if state_of(actors, *at) == Some(state) => *ln,
                Who::Aligned(of) if of == state => *ln,
                _ => 0.0,
            }),
            Support::Actor(id, ln) => {
                let wanted = actors.actors.iter().position(|actor| actor.id == *id);
                let state = wanted.and_then(|at| state_of(actors, at)).map(str::to_owned);
                of_each(hypotheses, |who| match who {
                    Who::Group(at) | Who::FalseFlag(at) if Some(*at) == wanted => *ln,
                    // Actors of one state share what they have; somebody unknown may be a part of the named one.
                    Who::Aligned(of) if state.as_deref() == Some(of) => ln / 3.0,
                    _ => 0.0,
                })
            }
        };
        plain.into_iter().map(shrunk).collect()
    }

    /// Remembered: campaigns of one case, judged beside each other, have most features in common.
    fn of_feature(&self, id: &str, kind: FeatureKind, hypotheses: &Hypotheses, actors: &Actors) -> Vec<f64> {
        let known = self.of_features.read().ok();
        if let Some(known) = known.and_then(|all| all.get(id).cloned()) {
            return known;
        }
        let ratios = of_feature(id, kind, hypotheses, actors);
        if let Ok(mut all) = self.of_features.write() {
            all.insert(id.to_owned(), ratios.clone());
        }
        ratios
    }
}

fn of_each(hypotheses: &Hypotheses, ln: impl Fn(&Who) -> f64) -> Vec<f64> {
    hypotheses.all.iter().map(|(who, _)| ln(who)).collect()
}

fn state_of(actors: &Actors, at: usize) -> Option<&str> {
    actors.actors.get(at).and_then(|actor| actor.state())
}

/// For a group its own ratio, for the unknown of a state the mean over the state's groups, for crime that over criminal groups.
fn of_feature(id: &str, kind: FeatureKind, hypotheses: &Hypotheses, actors: &Actors) -> Vec<f64> {
    let knowledge = actors.knowledge();
    let of_actors: Vec<f64> = (0..actors.actors.len())
        .map(|at| knowledge.ln_ratio(at, id, kind))
        .collect();
    let exponent = Tempering::FITTED.exponents[kind.index()];
    let mean = |members: &[usize]| {
        let sum: f64 = members
            .iter()
            .filter_map(|at| of_actors.get(*at))
            .map(|ln| ln.exp())
            .sum();
        if members.is_empty() {
            0.0
        } else {
            exponent * (sum / members.len() as f64).ln()
        }
    };
    let of_states: BTreeMap<&str, f64> = hypotheses
        .of_state
        .iter()
        .map(|(state, members)| (state.as_str(), mean(members)))
        .collect();
    let of_crime = mean(&hypotheses.criminal);
    of_each(hypotheses, |who| match who {
        Who::Group(at) | Who::FalseFlag(at) => exponent * of_actors.get(*at).copied().unwrap_or(0.0),
        Who::Aligned(state) => of_states.get(state.as_str()).copied().unwrap_or(0.0),
        Who::Crime => of_crime,
        Who::Unknown => 0.0,
    })
}

/// The probabilities of all hypotheses after `items`, leaving the one at `without` out. They sum to 1; none is 0.
///
/// Items are added up in the order of their ids, so that no other order gives another last digit.
pub(crate) fn posterior(hypotheses: &Hypotheses, items: &[Weighed], without: Option<usize>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..items.len()).filter(|at| Some(*at) != without).collect();
    order.sort_by(|a, b| items[*a].id.cmp(&items[*b].id));
    let mut sums = vec![[0.0_f64; EvidenceClass::ALL.len()]; hypotheses.all.len()];
    for at in order {
        let item = &items[at];
        let class = item.class as usize;
        for ((sum, ratio), (who, _)) in sums.iter_mut().zip(&item.ln_ratios).zip(&hypotheses.all) {
            // Who plants evidence cannot plant this; it says nothing of them.
            let is_beyond_forging = !item.forgeable && matches!(who, Who::FalseFlag(_));
            if !is_beyond_forging {
                sum[class] += ratio;
            }
        }
    }
    let scores: Vec<f64> = sums
        .iter()
        .zip(&hypotheses.all)
        .map(|(sums, (_, prior))| {
            let capped = EvidenceClass::ALL
                .iter()
                .zip(sums)
                .map(|(class, sum)| sum.clamp(-cap(*class), cap(*class)));
            prior.max(f64::MIN_POSITIVE).ln() + capped.sum::<f64>()
        })
        .collect();
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|one| one / sum).collect()
}
